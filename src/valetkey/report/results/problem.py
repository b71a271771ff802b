"""An error as JSON (docs/reference/README.md)."""

from __future__ import annotations

from valetkey.errors import ValetkeyError
from valetkey.report.results.shape import Shape, shaped


class Wrong(Shape, frozen=True):
    what: str
    where: str
    do: str
    likely: str
    """Of a refusal: the most likely reason; empty where `what` says it."""
    exit_code: int


class Problem(Shape, frozen=True):
    """What is wrong, in place of a result."""

    error: Wrong


def problem(error: ValetkeyError) -> Problem:
    """What is wrong, where and what to do. Not `details`, which are for the person's own terminal alone."""
    return Problem(error=shaped(Wrong, error))
