"""One use case a file: takes ports and plain values, returns a result, never prints."""
