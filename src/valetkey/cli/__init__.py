"""One file per command: parses, calls one room, prints through report."""
