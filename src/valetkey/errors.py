"""The base class of all errors that valetkey shows to a person, in every room."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Self


DOCS = "docs"
"""The location of the documentation, which the wheel does not contain. A public address will be defined here only. It
must be an address that we own: any other one would send people to whoever registers it."""


def page(path: str) -> str:
    """Return the location of a page, given its path in `docs/`: "reference/audit.md"."""
    return f"{DOCS}/{path} in valetkey's source"


class ValetkeyError(Exception):
    """An error to show to a person: what is wrong, where, and what to do.

    `what` and `do` are one sentence each. `where` names the file and the place in it (a JSON path), or the call.
    `exit_code` is the exit code of the command: 1 does not hold, 2 wrong use or bad input, 3 AWS or the network failed.
    A ValetkeyError never contains a secret (key, token, one-time code, sign-in URL).
    """

    exit_code: int = 2
    likely: str = ""
    """For a denied call: the most likely reason, one sentence; empty when `what` gives it."""
    details: str = ""
    """For a denied call: where its caller can read more. For the caller's terminal only: never for a file, a report or
    a message to another person."""

    def __init__(self, what: str, *, do: str = "", where: str = "", exit_code: int | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.do = do
        self.where = where
        if exit_code is not None:
            self.exit_code = exit_code

    def with_details(self, details: str) -> Self:
        """Set the details of the refusal, and return the same error."""
        self.details = details
        return self

    def __str__(self) -> str:
        place = f" ({self.where})" if self.where else ""
        advice = f" {self.do}" if self.do else ""
        return f"{self.what}{place}{advice}"


class PolicyError(ValetkeyError, ValueError):
    """A policy, request or ARN cannot be read, or AWS would refuse it.

    `where` is the place in the document as a JSON path ("$.Statement[1].Condition.StringEqualz"), or empty when the
    text is not a document. It never contains more than a short piece of the refused text.
    """


def shown(value: object, limit: int = 60) -> str:
    """Return a refused value, short enough for one sentence; control characters stay escaped."""
    text = ascii(value) if isinstance(value, str) else type(value).__name__
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text)} characters)"
