"""Work counted instead of timed: the same number on a loaded machine as on a quiet one.

A single call into C that runs for ever (a backtracking regular expression) is one step: that is what the time limit of
every test is for.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, TypeVar

T = TypeVar("T")


def counted(work: Callable[[], T]) -> tuple[T, int]:
    """What the work answers, and how many functions it called, those written in C included."""
    steps = 0

    def note(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal steps
        steps += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        found = work()
    finally:
        sys.setprofile(before)
    return found, steps
