"""valetkey grant: give a contractor access through a role."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from valetkey.cli._options import Output, OwnerAccount
from valetkey.cli._sealing import IdentityFile
from valetkey.cli._terms import TermOptions

if TYPE_CHECKING:
    from valetkey.account.calls import Perform

_Flag = Annotated[bool, Parameter(negative="")]
_Many = Parameter(consume_multiple=True, negative="")


def grant(
    name: Annotated[str | None, Parameter(help="Name of the role and of the grant.")] = None,
    /,
    *,
    terms: TermOptions = TermOptions(),  # noqa: B008
    request: Annotated[Path | None, Parameter(help="The contractor's access request.")] = None,
    fingerprint: Annotated[
        str | None, Parameter(help="The request's six words, as the contractor read them to you; they are compared.")
    ] = None,
    identity: IdentityFile = None,
    policy: Annotated[
        tuple[str, ...],
        _Many,
        Parameter(help="Policy by name, ARN or JSON file; SecurityAudit and ViewOnlyAccess when none is named."),
    ] = (),
    session: Annotated[str | None, Parameter(help="Longest session, 1h to 12h.")] = None,
    boundary: Annotated[str | None, Parameter(help="ARN of a permissions boundary.")] = None,
    tag: Annotated[tuple[str, ...], _Many, Parameter(help="Your own tag on the role, KEY=VALUE.")] = (),
    description: Annotated[str | None, Parameter(help="Description of the role.")] = None,
    path: Annotated[str, Parameter(help="Path of the role.")] = "/",
    accept_escalation: Annotated[
        _Flag, Parameter(help="Grant although the policies allow access beyond this role.")
    ] = False,
    like: Annotated[
        str | None, Parameter(help="Take policies, terms and tags from this grant where no option sets them.")
    ] = None,
    dry_run: Annotated[_Flag, Parameter(help="Show the calls and the proof; write nothing.")] = False,
    yes: Annotated[_Flag, Parameter(help="Do not ask for confirmation.")] = False,
    output: Output = Output(),  # noqa: B008
    account: OwnerAccount = OwnerAccount(),  # noqa: B008
) -> int:
    """Create a role for a contractor, after its trust policy is proved.

    At a terminal it asks for missing values (not for --whole-account and --from-ip), and for confirmation before it
    writes. Without a terminal it needs --yes and --until, and with a request also --fingerprint or --to. After an
    interruption, run it again to finish.
    """
    from valetkey.cli import _options, _owning, _questions, _wizard
    from valetkey.cli._answers import Here, keeping
    from valetkey.commandline import option
    from valetkey.grants.make import NotProved, make
    from valetkey.grants.options import OwnerOptions
    from valetkey.grants.plan import Differs
    from valetkey.grants.prepare import prepare
    from valetkey.grants.role import read_owner
    from valetkey.report import grants as report
    from valetkey.report.grant_notes import notes

    now = datetime.now(UTC)
    _, lasting = _owning.end(terms.until, now=now)
    asked = OwnerOptions(
        **vars(terms.draft(now=now)),
        name=name or "",
        contractor=None if terms.to is None else _options.account_id(terms.to),
        policies=policy,
        no_external_id=terms.no_external_id,
        never=terms.until == _options.NEVER,
        lasting=lasting,
        session=_owning.length(session, "--session"),
        boundary=boundary,
        tags=_owning.tags(tag),
        description=description,
        path=path,
    )
    received = _owning.read_request(request, identity) if request else None
    perform: Perform | None = None
    read: Callable[[str], str] = _owning.read_text
    _wizard.check_request(received, words=fingerprint, to=terms.to, yes=yes and not dry_run)
    ask = _questions.answer if _questions.at_terminal() and not yes else None
    flags = "--yes, with --fingerprint WORDS or --to ACCOUNT," if received else "--yes"
    if like is not None:
        _questions.need_somebody(yes=yes or dry_run, flags=flags)
        perform = account.connect()
        asked, read = _owning.like(perform, like, asked, received)

    def here() -> Here:
        looking = perform or account.connect()
        owner = read_owner(looking)
        report.say_account(owner)
        return Here(owner, looking)

    with keeping(request=() if request is None else [option("--request", str(request))]) as kept:
        asked = _wizard.complete(asked, received, now=now, ask=ask, yes=yes or dry_run, here=here, kept=kept)
        _questions.need_somebody(yes=yes or dry_run, flags=flags)
        try:
            prepared = prepare(
                asked,
                request=received,
                perform=(acting := perform or account.connect()),
                read=read,
                now=now,
                fresh_id=_owning.fresh_id(),
            )
            about = report.prepared_lines(prepared, asked, received, proof=not (yes or dry_run))
            said = notes(prepared, asked, received)
            report.say_prepared(about)
            if dry_run:
                report.say_plan(prepared, notes=said, as_json=output.as_json)
            _owning.accept_escalation(prepared, accepted=accept_escalation)
            if dry_run:
                return 0
            if received is not None:
                about = (*report.request_lines(received), *about)
            question = _wizard.agreement(prepared.grant, received, prepared.owner)
            _questions.consent(question, yes=yes, about=about, flags=flags)
            made = make(
                prepared.grant,
                prepared.role,
                perform=acting,
                now=now,
                waiting=_owning.waiting(),
                order=prepared.order,
                tell=report.say_call,
                tell_wait=report.say_wait,
            )
        except Differs as differs:
            report.say_differs(differs, as_json=output.as_json)
            raise
        except NotProved as problem:
            report.say_failures(problem.shown)
            raise
    report.say_made(made, prepared, notes=said, as_json=output.as_json)
    return 0
