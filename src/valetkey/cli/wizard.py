"""Ask the owner at a terminal for what the words left open, in the order of the IAM console's role wizard."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from valetkey.cli import options, owning
from valetkey.cli.questions import agree
from valetkey.grants.asked import Asked, beyond, with_request
from valetkey.grants.policies import DEFAULT, check_words
from valetkey.policy import limits
from valetkey.policy.problem import Problem
from valetkey.report.text import clean

if TYPE_CHECKING:
    from valetkey.exchange.files import Received

_T = TypeVar("_T")
_USUAL = tuple(path.rsplit("/", 1)[-1] for path in DEFAULT)


def complete(asked: Asked, received: Received | None, *, now: datetime, terminal: bool, yes: bool) -> Asked:
    """What was asked with everything that is needed. Raises Problem: something is missing and nobody can be asked."""
    if received is not None:
        from valetkey.report.grants import say_request

        say_request(received)
        more = beyond(asked, received.value)
        asked = with_request(asked, received.value, now=now)
        if more and not yes and not terminal:
            raise Problem(
                f"the request wishes for more than the defaults: {', '.join(more)}",
                do="accept that with --yes, or say yourself what to grant with --policy and --session",
            )
    if asked.name and asked.contractor:
        return asked
    if not terminal:
        missing = "--to ACCOUNT or --request FILE" if asked.name else "NAME"
        raise Problem(f"{missing} is missing", do="see `valetkey grant --help`, or run it at a terminal to be asked")
    return _ask(asked, now=now, is_first=asked.contractor is None)


def confirm(asked: Asked, received: Received | None, *, complete: bool) -> None:
    """Ask for the last word, once what the policies open has been told. Raises Problem when it is no.

    `complete`: the words on the command line said everything themselves, so that nothing is left to agree to.
    """
    if received is not None:
        question = "Grant this, after the same fingerprint was read to you?"
    elif not complete:
        question = f"Let account {asked.contractor} in through the role {asked.name}?"
    else:
        return
    if not agree(question):
        raise Problem("nothing was granted", do="run it again when you are ready, with flags for other terms")


def _ask(asked: Asked, *, now: datetime, is_first: bool) -> Asked:
    if is_first:
        contractor = question("The contractor's account (12 digits)", "", _field("account id"))
        asked = replace(asked, contractor=contractor)
        if asked.external_id is None and not asked.no_external_id:
            answer = question("ExternalId (random; or the contractor's; or none)", "random", _external_id)
            asked = replace(asked, external_id=answer or None, no_external_id=answer is None)
        if asked.mfa and not asked.only and not asked.pin and question("Require MFA", "yes", _yes_or_no) is False:
            names = question("Without MFA: ARNs of the only users or roles that may come in", "", _somebody)
            asked = replace(asked, mfa=False, only=names)
        if not asked.policies:
            asked = replace(asked, policies=question("Policies (names, ARNs or files)", " ".join(_USUAL), _policies))
    if not asked.name:
        asked = replace(asked, name=question("Name of the role", f"contractor-{asked.contractor}", _field("role name")))
    if is_first:
        if asked.until is None:
            when, lasting = question("Until (a date, 30d, or never)", "30d", lambda text: _until(text, now))
            asked = replace(asked, until=when, lasting=lasting)
        if asked.session is None:
            asked = replace(asked, session=question("Longest session (1h to 12h)", "1h", _session))
    return asked


def question(text: str, default: str, read: Callable[[str], _T]) -> _T:
    """Ask until the answer can be used, three times at most. Raises Problem; end of input is no answer."""
    for left in (2, 1, 0):
        sys.stderr.write(f"{text}{f' [{default}]' if default else ''}: ")
        sys.stderr.flush()
        line = sys.stdin.readline()
        if not line:
            raise Problem("the input ended before everything was answered", do="nothing was granted; run it again")
        try:
            return read(line.strip() or default)
        except Problem as problem:
            if not left:
                raise
            sys.stderr.write(f"  {clean(str(problem))}\n")
    raise AssertionError("unreachable")


def _field(name: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        limits.check(name, text)
        return text

    return read


def _external_id(text: str) -> str | None:
    """ "" is a random one, None is none."""
    if text in ("random", "none"):
        return "" if text == "random" else None
    limits.check("external id", text)
    return text


def _yes_or_no(text: str) -> bool:
    if text.lower() not in ("y", "yes", "n", "no"):
        raise Problem("that is neither yes nor no", do="answer yes or no")
    return text.lower().startswith("y")


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.replace(",", " ").split())


def _somebody(text: str) -> tuple[str, ...]:
    words = _words(text)
    if not words:
        raise Problem("without MFA somebody must be named", do="give the ARN of a user or role of the contractor")
    return words


def _policies(text: str) -> tuple[str, ...]:
    words = _words(text)
    check_words(words)
    return () if words == _USUAL else words


def _until(text: str, now: datetime) -> tuple[datetime | None, timedelta | None]:
    return owning.end(None if text == "never" else text, now=now)


def _session(text: str) -> int:
    return options.seconds(text, name="session")
