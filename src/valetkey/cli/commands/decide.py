"""`valetkey decide`: decide requests against policies, offline."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, BinaryIO

from cyclopts import Parameter

from valetkey.errors import ValetkeyError


def decide(
    file: Annotated[str, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    lines: Annotated[
        bool, Parameter(negative="", help="Read one request per line and print one answer per line.")
    ] = False,
) -> int:
    """Decide requests against policies, offline. 0 allowed, 1 not allowed, 2 bad input.

    Parameters
    ----------
    file
        The question as JSON; - is standard input.
    """
    from valetkey.cli._misuse import refuse_options
    from valetkey.policy.decision_json import QUESTION_MAX, answer
    from valetkey.report.results.decisions import decided
    from valetkey.report.results.problem import problem
    from valetkey.report.text import say_json, say_line

    refuse_options((file,), "decide")
    with ExitStack() as stack:
        stream: BinaryIO = sys.stdin.buffer if file == "-" else stack.enter_context(_open(file))
        if not lines:
            # A character takes at most four bytes; one more byte shows that the input is too long.
            decision = answer(_text(stream.read(4 * QUESTION_MAX + 1)))
            say_json(decided(decision))
            return 0 if decision.allowed else 1
        code = 0
        for line in _lines(stream, 4 * QUESTION_MAX):
            try:
                decision = answer(_text(line))
            except ValetkeyError as error:
                say_line(problem(error))
                code = 2
            else:
                say_line(decided(decision))
                code = max(code, 0 if decision.allowed else 1)
        return code


def _open(file: str) -> BinaryIO:
    try:
        return Path(file).open("rb")
    except OSError as error:
        raise ValetkeyError(
            f"{file} cannot be read: {error.strerror}", do="name a file, or - for standard input"
        ) from None


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise ValetkeyError(
            f"the input is not UTF-8 (byte {error.start})", do="give JSON in UTF-8", where="$"
        ) from None


def _lines(stream: BinaryIO, longest: int) -> Iterator[bytes]:
    """Yield the lines that are not blank. Of a line that is too long, only the beginning is kept in memory."""
    while line := stream.readline(longest + 1):
        rest = line
        while len(rest) > longest and not rest.endswith(b"\n"):
            rest = stream.readline(longest + 1)
        if line.strip():
            yield line
