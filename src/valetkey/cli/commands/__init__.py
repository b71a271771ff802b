"""One file per command: parse the arguments, call one function of one room, print through report."""
