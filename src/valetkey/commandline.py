"""Quote values in commands that a message shows, for a person to paste into a shell. No other module does this.

INVARIANT: every value in such a command is one word of a POSIX shell, whatever it contains: `shlex.split` of the
command returns the value. A value that begins with `-` comes after `--`, or after the `=` of its option, so that no
command reads it as an option. Values are names, ARNs, serial numbers and file names from files, from AWS and from the
AWS config.
"""

from __future__ import annotations

import shlex


def word(value: str) -> str:
    """Return one value, quoted for a POSIX shell where necessary."""
    return shlex.quote(value)


def file_word(path: str) -> str:
    """Return a file name, quoted. A name that begins with `-` gets the prefix `./`, so that no program reads it as an
    option."""
    return word(f"./{path}" if path.startswith("-") else path)


def option(name: str, value: str) -> str:
    """Return an option with its value, quoted: `--profile acme`; `--profile=-x` for a value that looks like an
    option."""
    return f"{name}={word(value)}" if value.startswith("-") else f"{name} {word(value)}"


def command(program: str, *values: str, then: str = "") -> str:
    """Return a command. `program` and `then` are fixed text; `values` are quoted and come between them.

    If a value begins with `-`, the values come last, after `--`.
    """
    quoted = [word(value) for value in values]
    if any(value.startswith("-") for value in values):
        return " ".join([program, *filter(None, [then]), "--", *quoted])
    return " ".join([program, *quoted, *filter(None, [then])])
