"""Print values on a terminal. All output passes through this module.

INVARIANT: text from outside (policies, names, files, AWS's messages) passes `clean` before it is printed, and is never
parsed as Rich markup.
"""

from __future__ import annotations

import json
import re
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

_KEEP = frozenset("\n\t")


def clean(text: str, *, keep: frozenset[str] = _KEEP) -> str:
    """Make control and invisible formatting characters visible (`\\x1b`, `\\u202e`), so that text cannot move the
    cursor, recolour the screen or reverse its direction. Newline and tab are kept."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        char if char in keep or unicodedata.category(char) not in _UNSAFE else _visible(char) for char in text
    )


_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def _visible(char: str) -> str:
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def console(*, stderr: bool = False) -> Console:
    """Return a Rich console without markup, emoji or automatic highlighting; colour only on a terminal (respects
    NO_COLOR)."""
    from rich.console import Console

    return Console(stderr=stderr, markup=False, emoji=False, highlight=False, soft_wrap=True)


def say(*lines: str, stderr: bool = False) -> None:
    """Print plain lines."""
    stream = sys.stderr if stderr else sys.stdout
    for line in lines:
        print(clean(line), file=stream)
    stream.flush()


def say_json(value: Any) -> None:
    """Print one JSON document from a shape (`report.results`) or plain values: ASCII, indented by two spaces."""
    print(json_text(value))  # noqa: T201
    _printed.append(True)


_printed: list[bool] = []


def json_printed() -> bool:
    """Return whether this run has printed a JSON document; it prints at most one."""
    return bool(_printed)


def begin_output() -> None:
    """Start a run: nothing has been printed."""
    _printed.clear()


def json_text(value: Any) -> str:
    """Return a shape or a plain value in the format of `json.dumps(..., indent=2)`: ASCII, other characters are
    escaped."""
    import msgspec

    try:
        text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    except UnicodeEncodeError:  # half of a surrogate pair, from a file that Python could read
        return json.dumps(msgspec.to_builtins(value), indent=2)
    # Only strings contain non-ASCII characters.
    return text if text.isascii() and "\x7f" not in text else _NOT_ASCII.sub(lambda match: _escaped(match[0]), text)


_NOT_ASCII = re.compile(r"[^\x00-\x7e]")


@cache
def _escaped(char: str) -> str:
    return json.dumps(char)[1:-1]


def say_line(value: Any) -> None:
    """Print one JSON object on one line and flush it: the reader may be a program that waits for it."""
    from msgspec import to_builtins

    print(json.dumps(to_builtins(value)), flush=True)  # noqa: T201


_ENDLESS = 1_000_000
"""Width of a pipe, in characters."""


def say_table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, title: str = "") -> None:
    """Print a table; cells are cleaned. On a terminal long cells are folded; on a pipe each row is one line, whatever
    its length and COLUMNS."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=clean(title) or None, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(clean(cell, keep=frozenset())) for cell in row))
    if sys.stdout.isatty():
        console().print(table)
        return
    out = Console(markup=False, emoji=False, highlight=False, force_terminal=False, color_system=None, width=_ENDLESS)
    out.width = out.measure(table).maximum
    with out.capture() as printed:
        out.print(table)
    say(*(line.rstrip() for line in printed.get().rstrip("\n").split("\n")))


def mask(external_id: str | None) -> str:
    """Mask an ExternalId. It is not secret but identifies a grant: show enough to compare, too little to copy."""
    if not external_id:
        return "none"
    return f"{external_id[:4]}…" if len(external_id) > 8 else "…"
