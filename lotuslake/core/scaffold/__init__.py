"""The files of a new stream, from what its connector offers. Nothing here reads or writes."""
