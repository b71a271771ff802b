"""The output formats of an audit. A module in this folder is a format of the same name; its `write` prints it.

  def write(audit: Audit, how: How) -> None: ...

`valetkey audit --format` offers every module in this folder; there is no other list.
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
    """Options of a format."""

    fail_on: Severity
    """The lowest severity that makes the run fail."""
    allow_incomplete: bool
    """Whether the run passes although something was not read."""
    show_ids: bool
    """Whether ExternalIds are printed in full."""
    version: str
    """valetkey's version."""


def names() -> tuple[str, ...]:
    """Return every format, the default first."""
    result = sorted(module.name for module in iter_modules(__path__))
    return (DEFAULT, *(item for item in result if item != DEFAULT))


def write(name: str, audit: Audit, how: How) -> None:
    """Print an audit on standard output in one of the formats of `names()`."""
    import_module(f"{__name__}.{name}").write(audit, how)
