"""The output formats of an audit. A module in this folder is a format: its name is the format's, and `write` prints it.

    def write(audit: Audit, how: How) -> None: ...

`valetkey audit --format` offers whatever modules are here; nothing else lists them.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from valetkey.audit.findings import Audit, Severity

DEFAULT = "table"


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """What a format is told besides the audit."""

    fail_on: Severity
    """The least severity that makes the run fail."""
    allow_incomplete: bool
    """Whether the run passes although something was not read."""
    show_ids: bool
    """Whether ExternalIds are printed in full."""
    version: str
    """valetkey's own."""


def names() -> tuple[str, ...]:
    """Every format, the default first."""
    found = sorted(each.name for each in iter_modules(__path__))
    return (DEFAULT, *(each for each in found if each != DEFAULT))


def write(name: str, audit: Audit, how: How) -> None:
    """Print an audit on standard output in one of `names()`."""
    import_module(f"{__name__}.{name}").write(audit, how)
