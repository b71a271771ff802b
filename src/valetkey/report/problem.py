"""An error as lines on stderr."""

from __future__ import annotations

from valetkey.errors import ValetkeyError
from valetkey.report.text import json_printed, say, say_json

INTERRUPTED = 130


def say_problem(problem: ValetkeyError, *, as_json: bool = False) -> None:
    """Print on stderr, one line each: what is wrong, where, what to do, the most likely reason for a refusal that gives
    none, and where AWS shows more; after ^C one line. With `as_json` also print a JSON document on stdout, unless the
    command has printed one."""
    if as_json and not json_printed():
        from valetkey.report.results.problem import problem as shape

        say_json(shape(problem))
    if problem.exit_code == INTERRUPTED:
        say(f"valetkey: {'; '.join(filter(None, (problem.what, problem.do)))}", stderr=True)
        return
    say(f"valetkey: {problem.what}", stderr=True)
    if problem.where and problem.where not in problem.what:
        say(f"  at: {problem.where}", stderr=True)
    if problem.do:
        say(f"  do: {problem.do}", stderr=True)
    if problem.likely:
        say(f"  most likely: {problem.likely}", stderr=True)
    if problem.details:
        say(f"  details: {problem.details}", stderr=True)
