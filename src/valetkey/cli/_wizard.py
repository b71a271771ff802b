"""Ask the owner at a terminal for what the words left open, in the order of the IAM console's role wizard."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from valetkey.catalog import limits
from valetkey.cli import _options, _owning
from valetkey.errors import ValetkeyError
from valetkey.grants.grant import instant
from valetkey.grants.options import Asked, beyond, with_request
from valetkey.grants.policies import DEFAULT, check_words

if TYPE_CHECKING:
    from valetkey.cli._questions import Ask
    from valetkey.exchange.files import Received
    from valetkey.grants.role import Owner

_T = TypeVar("_T")
_USUAL = tuple(path.rsplit("/", 1)[-1] for path in DEFAULT)


def complete(asked: Asked, received: Received | None, *, now: datetime, ask: Ask | None, yes: bool) -> Asked:
    """What was asked with everything that is needed. `ask` is None where nobody can or may be asked; `yes` accepts
    what the request wishes for. Raises ValetkeyError: something is missing and nobody can be asked."""
    has_end = asked.until is not None or asked.never
    if received is not None:
        from valetkey.report.grants import say_request

        say_request(received)
        more = beyond(asked, received.value)
        asked = with_request(asked, received.value, now=now)
        if more and not yes and ask is None:
            raise ValetkeyError(
                f"the request wishes for more than the defaults: {', '.join(more)}",
                do="accept that with --yes, or say yourself what to grant with --policy and --session",
            )
    if asked.name and asked.contractor and has_end:
        return asked
    if ask is None:
        raise _missing(asked, has_end=has_end)
    return _ask(asked, now=now, is_first=asked.contractor is None, has_end=has_end, ask=ask)


def agreement(asked: Asked, received: Received | None, owner: Owner) -> str:
    """The last question, with everything in it that makes the answer a consent: who, where, and what was compared."""
    name, contractor = asked.name, asked.contractor
    grant = f"Let account {contractor} into account {owner.account} through the role {name}"
    if received is None:
        return f"{grant}?"
    return f"{grant}, after its people read the fingerprint {received.fingerprint} to you?"


def check_request(received: Received | None, *, words: str | None, to: str | None, yes: bool) -> None:
    """Hold a request against what the owner heard of it another way: its fingerprint, or its account. Raises
    ValetkeyError.

    INVARIANT: with --yes nobody sees the fingerprint, so that one of the two must have been given. (That `to` is the
    request's account is `with_request`'s to check.)
    """
    if words is not None and received is None:
        raise ValetkeyError("--fingerprint belongs to a request", do="name the file with --request")
    if received is None:
        return
    if words is not None:
        from valetkey.exchange import same_fingerprint

        if not same_fingerprint(words, received.fingerprint):
            raise ValetkeyError(
                f"the request's fingerprint is {received.fingerprint}, and not the one that --fingerprint gives",
                do="ask the contractor for the file again, and for its fingerprint over another way; "
                "nothing was written",
                exit_code=1,
            )
    elif yes and to is None:
        raise ValetkeyError(
            "--yes with a request needs something that the contractor told you directly: anybody can write a file",
            do="add --fingerprint WORDS as the contractor reads them to you, or --to ACCOUNT; "
            "or leave --yes out and be asked",
        )


def _missing(asked: Asked, *, has_end: bool) -> ValetkeyError:
    missing = [
        what
        for what, is_there in (
            ("NAME", asked.name),
            ("--to ACCOUNT or --request FILE", asked.contractor),
            ("--until DATE or --until never", has_end),
        )
        if not is_there
    ]
    wish = f"; the request wishes for {instant(asked.until)}" if asked.until and not has_end else ""
    return ValetkeyError(
        f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing{wish}",
        do="see `valetkey grant --help`, or run it at a terminal, without --yes, to be asked",
    )


def _ask(asked: Asked, *, now: datetime, is_first: bool, has_end: bool, ask: Ask) -> Asked:
    if is_first:
        contractor = question(ask, "The contractor's account (12 digits)", "", _field("account id"))
        asked = replace(asked, contractor=contractor)
        if asked.external_id is None and not asked.no_external_id:
            answer = question(ask, "ExternalId (random; or the contractor's; or none)", "random", _external_id)
            asked = replace(asked, external_id=answer or None, no_external_id=answer is None)
        if asked.mfa and not asked.only and not asked.pin and not question(ask, "Require MFA", "yes", _yes_or_no):
            names = question(ask, "Without MFA: ARNs of the only users or roles that may come in", "", _somebody)
            asked = replace(asked, mfa=False, only=names)
        if not asked.policies:
            asked = replace(
                asked, policies=question(ask, "Policies (names, ARNs or files)", " ".join(_USUAL), _policies)
            )
    if not asked.name:
        asked = replace(
            asked, name=question(ask, "Name of the role", f"contractor-{asked.contractor}", _field("role name"))
        )
    if not has_end:
        wished = instant(asked.until) or "30d"
        text, when, lasting = question(ask, "Until (a date, 30d, or never)", wished, lambda text: _until(text, now))
        asked = replace(asked, until=when, lasting=lasting, never=text == _owning.NEVER)
    if is_first and asked.session is None:
        asked = replace(asked, session=question(ask, "Longest session (1h to 12h)", "1h", _session))
    return asked


def question(ask: Ask, text: str, default: str, read: Callable[[str], _T]) -> _T:
    """Ask until the answer can be used, three times at most. Raises ValetkeyError; no answer is no default."""
    said = ""
    for left in (2, 1, 0):
        line = ask(f"{said}{text}{f' [{default}]' if default else ''}: ")
        try:
            return read(line or default)
        except ValetkeyError as problem:
            if not left:
                raise
            said = f"  {problem}\n"
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
        raise ValetkeyError("that is neither yes nor no", do="answer yes or no")
    return text.lower().startswith("y")


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.replace(",", " ").split())


def _somebody(text: str) -> tuple[str, ...]:
    words = _words(text)
    if not words:
        raise ValetkeyError("without MFA somebody must be named", do="give the ARN of a user or role of the contractor")
    return words


def _policies(text: str) -> tuple[str, ...]:
    words = _words(text)
    check_words(words)
    return () if words == _USUAL else words


def _until(text: str, now: datetime) -> tuple[str, datetime | None, timedelta | None]:
    return (text, *_owning.end(text, now=now))


def _session(text: str) -> int:
    return _options.seconds(text, name="session")
