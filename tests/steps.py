"""Work counted instead of timed: the number is the same on a busy machine and on an idle one.

A single call into C that never ends (a backtracking regular expression) is one step: the time limit of every test is
for that.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, TypeVar

T = TypeVar("T")


def counted(work: Callable[[], T]) -> tuple[T, int]:
    """Return the result of `work`, and how many functions it called, including those written in C."""
    steps = 0

    def note(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal steps
        steps += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        result = work()
    finally:
        sys.setprofile(before)
    return result, steps
