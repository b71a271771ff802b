"""The command line: `commands` has one file per command; what commands share is private here."""
