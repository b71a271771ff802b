"""The output of one command for several customers: every line begins with the customer's name."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from valetkey.errors import ValetkeyError
from valetkey.report.text import clean, say

Show = Callable[[str, str, bool], None]
"""Prints a line for this customer; True: of its standard error."""

_TAB = frozenset("\t")


@dataclass(frozen=True)
class Ran:
    """The result for one customer."""

    name: str
    code: int | None
    """The command's exit code; None: it was not started."""
    problem: ValetkeyError | None = None
    """Why it was not started."""
    is_lost: bool = False
    """Whether it failed with a session that AWS no longer accepts."""


def labelled(names: Sequence[str]) -> Show:
    """Return a function that prints a line with the customer's name before it, without interleaving, from any thread.

    The line is cleaned: a command can neither move the cursor nor overwrite another customer's name.
    """
    width = max(map(len, names), default=0)
    lock = threading.Lock()

    def show(name: str, line: str, is_error: bool) -> None:
        stream = sys.stderr if is_error else sys.stdout
        # A closed pipe (`| head`) does not stop the running commands.
        with lock, contextlib.suppress(BrokenPipeError):
            stream.write(f"{name:<{width}} | {clean(line, keep=_TAB)}\n")
            stream.flush()

    return show


def say_ran(ran: Sequence[Ran], wanted: Sequence[str]) -> None:
    """Print the failures on stderr; nothing if there are none."""
    width = max(map(len, wanted), default=0)
    for item in ran:
        if item.problem:
            problem = item.problem
            say(f"{item.name:<{width}} | valetkey: {problem.what}", stderr=True)
            if problem.do:
                say(f"{item.name:<{width}} |   do: {problem.do}", stderr=True)
            if problem.likely:
                say(f"{item.name:<{width}} |   most likely: {problem.likely}", stderr=True)
        if item.is_lost:
            say(f"{item.name:<{width}} | valetkey: the role was recreated: run it again", stderr=True)
    failed = [f"{item.name} ({item.code})" for item in ran if item.code]
    failed += [f"{item.name} (not started)" for item in ran if item.code is None]
    done = {item.name for item in ran}
    failed += [f"{name} (not begun)" for name in wanted if name not in done]
    if failed:
        say(f"valetkey: {len(failed)} of {len(wanted)} failed: {', '.join(failed)}", stderr=True)
