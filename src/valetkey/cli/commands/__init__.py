"""One file per command: parse the words, call one function of one room, print through report."""
