"""The command line: `commands` has one file per command; the private modules are shared by commands."""
