"""An error as JSON (docs/reference/README.md)."""

from __future__ import annotations

from valetkey.errors import ValetkeyError
from valetkey.report.results.shape import Shape, shaped


class Wrong(Shape, frozen=True):
    what: str
    where: str
    do: str
    likely: str
    """For a refusal: the most likely reason; empty if `what` gives it."""
    exit_code: int


class Problem(Shape, frozen=True):
    """An error, in place of a result."""

    error: Wrong


def problem(error: ValetkeyError) -> Problem:
    """Return what is wrong, where, and what to do. `details` is left out: it is for the caller's terminal only."""
    return Problem(error=shaped(Wrong, error))
