"""Shared by `change`, `extend`, `rotate`, `suspend` and `resume`: options, confirmation, and AWS's time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field, fields
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, assert_never

from cyclopts import Parameter

from valetkey.cli import _options, _owning
from valetkey.cli._terms import field_name, option_of, options
from valetkey.errors import ValetkeyError
from valetkey.trust.term_rows import OptionKind, Term
from valetkey.trust.terms import TERMS, DraftTerms

if TYPE_CHECKING:
    from pathlib import Path

    from valetkey.cli._options import Output, OwnerAccount
    from valetkey.exchange.files import Received
    from valetkey.grants.edit import Edit


class GivenChanges:
    """Terms to change, as given on the command line; None: not given."""

    def read(self, *, now: datetime) -> dict[str, Any]:
        """Return the fields of Asked that were given, with their values. Raises ValetkeyError."""
        result: dict[str, Any] = {}
        for term in TERMS:
            given = getattr(self, field_name(term.flag), None) if term.name in _OWN and term.flag else None
            if given is not None and given != ():
                result.update(_value(term, given, now))
            if term.without and getattr(self, field_name(term.without)):
                result["no_external_id"] = True
        return result


def _value(term: Term, given: Any, now: datetime) -> dict[str, Any]:
    from valetkey.grants.edit import NONE

    match term.kind:
        case OptionKind.SECONDS:
            return {term.name: None if given == NONE else _owning.length(given, term.flag)}
        case OptionKind.END:
            when, lasting = _owning.end(given, now=now)
            return {term.name: when, "never": given == _options.NEVER, "lasting": lasting}
        case OptionKind.TEXT | OptionKind.SWITCH | OptionKind.FLAG | OptionKind.NAMES:
            return {term.name: given}
        case _:
            assert_never(term.kind)


_HELP = {
    "external_id": "Another ExternalId; `valetkey rotate` also keeps the previous one valid for a time.",
    "only": "Admit these users or roles only, instead of the present ones; `any` removes the list.",
    "from_ip": "Admit calls from these addresses only, instead of the present ones; `any` for everywhere.",
    "mfa_max_age": "MFA no older than this, like 1h; `none` for no limit.",
}


def _option(term: Term) -> tuple[Any, Any]:
    """Return the option as in `grant`; a switch that was not given is None."""
    about = _HELP.get(term.name, term.help)
    if term.kind in (OptionKind.SWITCH, OptionKind.FLAG):
        return Annotated[bool | None, Parameter(help=about)], field(default=None)
    return option_of(term, about=about)


_OWN = {item.name for item in fields(DraftTerms)}


if TYPE_CHECKING:

    class ChangedTerms(GivenChanges):
        """Options that a command also reads directly."""

        external_id: str | None
        no_external_id: bool

else:
    ChangedTerms = options("ChangedTerms", GivenChanges, [term for term in TERMS if term.name in _OWN], _option)


def request_of(request: Path | None, identity: Path | None, *, fingerprint: str | None, yes: bool) -> Received | None:
    """Read an access request that brings the ExternalId, and check it against the fingerprint that the owner received
    separately. Raises ValetkeyError."""
    from valetkey.cli import _wizard

    received = _owning.read_request(request, identity) if request else None
    _wizard.check_request(received, words=fingerprint, to=None, yes=yes)
    if received is not None:
        from valetkey.report.grants import say_request

        say_request(received)
    return received


def run(
    name: str,
    edit_at: Callable[[datetime], Edit],
    *,
    account: OwnerAccount,
    output: Output,
    dry_run: bool,
    yes: bool,
    received: Received | None = None,
    accept_escalation: bool = False,
) -> int:
    """Prepare a change, show it, ask for confirmation, perform it, and report it."""
    from valetkey.catalog import limits
    from valetkey.cli import _questions
    from valetkey.grants.change import change, prepare_change
    from valetkey.grants.make import NotProved
    from valetkey.grants.role import read_owner
    from valetkey.report import changing as report
    from valetkey.report import grants

    flags = "--yes, with --fingerprint WORDS," if received else "--yes"
    _questions.need_somebody(yes=yes or dry_run, flags=flags)
    limits.check("role name", name)
    now = datetime.now(UTC)
    perform = account.connect()
    owner = read_owner(perform)
    try:
        changed = prepare_change(name, edit_at, owner=owner, perform=perform, read=_owning.read_text, now=now)
        _check_request(received, changed.old.terms.contractor)
        about = report.change_lines(changed)
        report.say_change(about)
        if dry_run:
            report.say_change_plan(changed, as_json=output.as_json)
        if changed.opening is not None and changed.opening.escalations and not accept_escalation:
            raise _owning.escalates(changed.wanted.role_arn)
        if dry_run:
            return 0
        if changed.steps:
            if received is not None:
                about = (*grants.request_lines(received), *about)
            _questions.consent(f"Change {name} in account {owner.account}?", yes=yes, about=about, flags=flags)
        done = change(
            changed,
            perform=perform,
            now=aws_clock(account) if changed.cuts else lambda: now,
            waiting=_owning.waiting(),
            look_again=not yes,
            tell=grants.say_call,
            tell_wait=grants.say_wait,
        )
    except NotProved as problem:
        grants.say_failures(problem.shown)
        raise
    report.say_changed(done, as_json=output.as_json)
    return 0


def _check_request(received: Received | None, contractor: str) -> None:
    if received is not None and received.value.account != contractor:
        raise ValetkeyError(
            f"the request is of account {received.value.account}, and the grant is for {contractor}",
            do="ask the contractor for the right request; for another contractor, make another grant",
            exit_code=1,
        )


def aws_clock(account: OwnerAccount) -> Callable[[], datetime]:
    """Return a clock on AWS's time: the offset to this computer's clock is measured once, from a response of STS.
    Sessions are denied by the time at which AWS issued them, and a clock that is minutes behind would miss some. Raises
    CallError."""
    from valetkey.aws.clock import clock_skew

    ahead = timedelta(seconds=clock_skew(account.profile, region=account.region))
    return lambda: datetime.now(UTC) - ahead
