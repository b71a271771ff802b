"""An error as lines on stderr."""

from __future__ import annotations

from valetkey.errors import ValetkeyError
from valetkey.report.text import say


def say_problem(problem: ValetkeyError) -> None:
    """What is wrong, where, what to do, the most likely reason of a refusal without one, and where AWS shows more: on
    stderr, a line each."""
    say(f"valetkey: {problem.what}", stderr=True)
    if problem.where and problem.where not in problem.what:
        say(f"  at: {problem.where}", stderr=True)
    if problem.do:
        say(f"  do: {problem.do}", stderr=True)
    if problem.likely:
        say(f"  most likely: {problem.likely}", stderr=True)
    if problem.details:
        say(f"  details: {problem.details}", stderr=True)
