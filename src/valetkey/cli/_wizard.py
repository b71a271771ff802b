"""Prompt the owner for the missing options of `grant`, in the order of the IAM console's role wizard."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from valetkey.account.calls import CallError
from valetkey.catalog import limits
from valetkey.cli import _options, _owning
from valetkey.cli._answers import DEFAULT_NAMES as _USUAL
from valetkey.cli._answers import Answers, Checks
from valetkey.errors import ValetkeyError
from valetkey.grants.grant import PREFIX, instant
from valetkey.grants.options import OwnerOptions, beyond, with_request
from valetkey.report.text import clean

if TYPE_CHECKING:
    from valetkey.cli._answers import Here
    from valetkey.cli._questions import Prompt
    from valetkey.exchange.files import Received
    from valetkey.grants.grant import Grant
    from valetkey.grants.role import Owner

_T = TypeVar("_T")


def complete(
    asked: OwnerOptions,
    received: Received | None,
    *,
    now: datetime,
    ask: Prompt | None,
    yes: bool,
    here: Callable[[], Here | None] = lambda: None,
    kept: Answers | None = None,
) -> OwnerOptions:
    """Return the options with all required values. `ask` is None where no prompt is possible or allowed; `yes` accepts
    the wishes of the request. `here` is called before the first question, and returns the account to check answers
    against; `kept` receives each answer immediately. Raises ValetkeyError if a value is missing and no prompt is
    possible."""
    has_end = asked.until is not None or asked.never
    if received is not None:
        from valetkey.report.grants import say_request

        say_request(received)
        more = beyond(asked, received.value)
        asked = with_request(asked, received.value, now=now)
        if more and not yes and ask is None:
            raise ValetkeyError(
                f"the request asks for more than the defaults: {', '.join(more)}",
                do="accept it with --yes, or choose what to grant with --policy and --session",
            )
    if asked.name and asked.contractor and has_end:
        return asked
    if ask is None:
        raise _missing(asked, has_end=has_end)
    checks = Checks(here(), now)
    return _ask(
        asked, is_first=asked.contractor is None, has_end=has_end, ask=ask, checks=checks, kept=kept or Answers()
    )


def agreement(grant: Grant, received: Received | None, owner: Owner) -> str:
    """Return the final question. It contains everything that the person agrees to: who, what, until when, MFA, where,
    and what was compared."""
    terms = grant.terms
    named = ", ".join(item.rsplit(":", 1)[-1] for item in (*terms.only, *terms.pin))
    who = named or ("everybody in it" if terms.whole_account else "every caller that the account allows")
    what = ", ".join((*(arn.rsplit("/", 1)[-1] for arn in grant.managed), *(name for name, _ in grant.inline)))
    age = f", at most {terms.mfa_max_age} s ago" if terms.mfa_max_age else ""
    rows = [
        ("who", f"account {terms.contractor}: {who}"),
        ("what", f"{what}; sessions of {grant.max_session} s at most"),
        ("until", instant(terms.until) or "no end"),
        ("MFA", f"required{age}" if terms.mfa else "not required"),
        *([("from", f"{', '.join(terms.from_ip)} only")] if terms.from_ip else []),
    ]
    said = "".join(f"  {label:<6} {clean(text, keep=frozenset())}\n" for label, text in rows)
    question = f"Let account {terms.contractor} into account {owner.account} through the role {grant.name}"
    if received is None:
        return f"{said}{question}?"
    return f"{said}{question}, after its people read the fingerprint {received.fingerprint} to you?"


def check_request(received: Received | None, *, words: str | None, to: str | None, yes: bool) -> None:
    """Check a request against what the owner received separately: its fingerprint, or its account. Raises
    ValetkeyError.

    INVARIANT: with --yes the fingerprint is not shown to a person, so that one of the two must be given.
    (`with_request` checks that `to` is the account of the request.)
    """
    if words is not None and received is None:
        raise ValetkeyError("--fingerprint belongs to a request", do="name the file with --request")
    if received is None:
        return
    if words is not None:
        from valetkey.exchange import same_fingerprint

        if not same_fingerprint(words, received.fingerprint):
            raise ValetkeyError(
                f"the request's fingerprint is {received.fingerprint}, which differs from --fingerprint",
                do="ask the contractor for the file again, and for its fingerprint through another channel; "
                "nothing was written",
                exit_code=1,
            )
    elif yes and to is None:
        raise ValetkeyError(
            "--yes with a request needs something that you have from the contractor directly: anybody can write a file",
            do="add --fingerprint WORDS as the contractor reads them to you, or --to ACCOUNT; "
            "or leave --yes out and be asked",
        )


def _missing(asked: OwnerOptions, *, has_end: bool) -> ValetkeyError:
    missing = [
        what
        for what, is_there in (
            ("NAME", asked.name),
            ("--to ACCOUNT or --request FILE", asked.contractor),
            ("--until DATE or --until never", has_end),
        )
        if not is_there
    ]
    wish = f"; the request asks for {instant(asked.until)}" if asked.until and not has_end else ""
    return ValetkeyError(
        f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing{wish}",
        do="see `valetkey grant --help`, or run it at a terminal, without --yes, to be asked",
    )


def _ask(
    asked: OwnerOptions, *, is_first: bool, has_end: bool, ask: Prompt, checks: Checks, kept: Answers
) -> OwnerOptions:
    begin = checks.account_line()
    is_there = False

    def put(text: str, default: str, read: Callable[[str], _T]) -> _T:
        nonlocal is_there
        first, is_there = ("" if is_there else begin), True
        return question(ask, text, default, read, before=first)

    def keep(**changes: Any) -> None:
        nonlocal asked
        asked = kept.asked = replace(asked, **changes)

    if is_first:
        keep(contractor=put("The contractor's account (12 digits)", "", checks.contractor))
        if asked.external_id is None and not asked.no_external_id:
            answer = put("ExternalId (random; or the contractor's; or none)", "random", _external_id)
            keep(external_id=answer or None, no_external_id=answer is None)
        is_named = bool(asked.only or asked.pin or asked.whole_account)
        if asked.mfa and not is_named and not put("Require MFA", "yes", _yes_or_no):
            names = put(
                "Without MFA: ARNs of the only users or roles to admit",
                "",
                lambda text: checks.people(text, asked.contractor or ""),
            )
            keep(mfa=False, only=names)
        if not asked.policies:
            keep(policies=put("Policies (names, ARNs or files)", " ".join(_USUAL), checks.policies))
        if asked.boundary is None:
            keep(boundary=put("Permissions boundary (an ARN, or none)", "none", checks.boundary))
    if not asked.name:
        keep(name=put("Name of the role", f"contractor-{asked.contractor}", checks.name))
    if is_first and asked.description is None:
        usual = f"Access for account {asked.contractor}, granted with valetkey"
        keep(description=put("Description", usual, _field("description")))
    if is_first and not asked.tags:
        keep(tags=put("Your own tags (KEY=VALUE, with commas between; or none)", "none", _tags))
    if not has_end:
        wished = instant(asked.until) or "30d"
        text, when, lasting = put("Until (a date, 30d, or never)", wished, checks.until)
        keep(until=when, lasting=lasting, never=text == _options.NEVER)
    if is_first and asked.session is None:
        keep(session=put("Longest session (1h to 12h)", "1h", _session))
    return asked


def question(ask: Prompt, text: str, default: str, read: Callable[[str], _T], *, before: str = "") -> _T:
    """Repeat the question until the answer is usable. ^C, the end of input or ten minutes without an answer end it:
    then `ask` raises ValetkeyError. A missing answer never counts as the default."""
    said = before
    while True:
        line = ask(f"{said}{text}{f' [{default}]' if default else ''}: ")
        try:
            return read(line or default)
        except CallError as problem:
            if problem.exit_code == 130 or problem.code in _LASTING:
                raise
            said = f"  {problem}\n"
        except ValetkeyError as problem:
            said = f"  {problem}\n"


_LASTING = frozenset(
    {
        *("AccessDenied", "AccessDeniedException", "NoCredentials", "ExpiredToken", "ExpiredTokenException"),
        *("InvalidClientTokenId", "Unreachable", "TimedOut"),
    }
)
"""Errors that another answer does not correct."""


def _field(name: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        limits.check(name, text)
        return text

    return read


def _external_id(text: str) -> str | None:
    """Parse the ExternalId: "" for a random one, None for none."""
    if text in ("random", "none"):
        return "" if text == "random" else None
    limits.check("external id", text)
    return text


def _yes_or_no(text: str) -> bool:
    if text.lower() not in ("y", "yes", "n", "no"):
        raise ValetkeyError("that is neither yes nor no", do="answer yes or no")
    return text.lower().startswith("y")


def _tags(text: str) -> tuple[tuple[str, str], ...]:
    if text == "none":
        return ()
    tags = _owning.tags([part.strip() for part in text.split(",") if part.strip()])
    for key, value in tags:
        limits.check("tag key", key)
        limits.check("tag value", value)
        if key.lower().startswith(PREFIX):
            raise ValetkeyError(f"tags that begin with {PREFIX} are the grant's own record", do="take another key")
    return tags


def _session(text: str) -> int:
    result = _options.seconds(text, name="session")
    if not limits.ROLE_SESSION_MIN <= result <= limits.ROLE_SESSION_MAX:
        raise ValetkeyError(f"a session limit of {result} s is outside AWS's 1h to 12h", do="answer 1h to 12h")
    return result
