"""The one place where a command is written into a message, for a person to paste into a shell.

INVARIANT: every value in such a command is one word of a POSIX shell, whatever it holds: `shlex.split` of the command
gives the value back. A value that begins with `-` comes after `--`, or behind the `=` of its option, so that no command
takes it for an option. Values are names, ARNs, serial numbers and file names: from files, from AWS, from the AWS
config.
"""

from __future__ import annotations

import shlex


def word(value: str) -> str:
    """One value, quoted for a POSIX shell where it needs to be."""
    return shlex.quote(value)


def file_word(path: str) -> str:
    """A file's name, quoted. One that begins with `-` gets `./` before it: no program takes it for an option."""
    return word(f"./{path}" if path.startswith("-") else path)


def option(name: str, value: str) -> str:
    """An option with its value, quoted: `--profile acme`; `--profile=-x` for a value that looks like an option."""
    return f"{name}={word(value)}" if value.startswith("-") else f"{name} {word(value)}"


def command(program: str, *values: str, then: str = "") -> str:
    """A command: `program` and `then` are fixed words of ours, `values` stand between them, quoted.

    With a value that begins with `-`, the values come last, after `--`.
    """
    quoted = [word(value) for value in values]
    if any(value.startswith("-") for value in values):
        return " ".join([program, *filter(None, [then]), "--", *quoted])
    return " ".join([program, *quoted, *filter(None, [then])])
