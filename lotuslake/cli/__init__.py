"""The face: one thin file a command. Nothing here imports a heavy library before a command needs it."""
