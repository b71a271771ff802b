"""valetkey adopt: turn an existing role into a grant."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from valetkey.cli._options import NEVER, Output, OwnerAccount
from valetkey.cli._sealing import IdentityFile
from valetkey.errors import ValetkeyError

_Flag = Annotated[bool, Parameter(negative="")]


def adopt(
    role: Annotated[str | None, Parameter(help="Name or ARN of the role.")] = None,
    /,
    *,
    all_: Annotated[bool, Parameter(name="--all", negative="", help="List the roles that could be adopted.")] = False,
    until: Annotated[str | None, Parameter(help="The end: 2026-12-31, 2026-12-31T18:00Z, 30d, or never.")] = None,
    tighten: Annotated[_Flag, Parameter(help="Replace the trust policy by one that valetkey writes.")] = False,
    external_id: Annotated[
        str | None, Parameter(help="With --tighten: the ExternalId to require; the role's own when left out.")
    ] = None,
    request: Annotated[
        Path | None, Parameter(help="With --tighten: the contractor's access request, which contains the ExternalId.")
    ] = None,
    fingerprint: Annotated[
        str | None, Parameter(help="The request's six words, as the contractor read them to you; they are compared.")
    ] = None,
    identity: IdentityFile = None,
    dry_run: Annotated[_Flag, Parameter(help="Show what the role is, and the calls; write nothing.")] = False,
    yes: Annotated[_Flag, Parameter(help="Do not ask for confirmation.")] = False,
    output: Output = Output(),  # noqa: B008
    account: OwnerAccount = OwnerAccount(),  # noqa: B008
) -> int:
    """Turn an existing role that admits exactly one outside account into a grant.

    Its terms are derived from its trust policy, by proof, and recorded as tags; the trust policy does not change,
    unless you use --tighten. --until adds a policy that denies everything from then on.
    """
    from valetkey.cli import _changing, _owning, _questions
    from valetkey.grants.adopt import adopt as take_over
    from valetkey.grants.adopt_prepare import Wish, candidates, prepare_adoption
    from valetkey.grants.make import NotProved
    from valetkey.grants.role import read_owner, read_roles
    from valetkey.report import adopting as report
    from valetkey.report import grants

    _check_words(role, all_=all_, tighten=tighten, external_id=external_id, request=request)
    now = datetime.now(UTC)
    end, _ = _owning.end(until, now=now)
    if role is None:
        perform = account.connect()
        owner = read_owner(perform)
        report.say_candidates(owner, candidates(read_roles(perform)), as_json=output.as_json)
        return 0
    received = _changing.request_of(request, identity, fingerprint=fingerprint, yes=yes and not dry_run)
    flags = "--yes, with --fingerprint WORDS," if received else "--yes"
    _questions.need_somebody(yes=yes or dry_run, flags=flags)
    perform = account.connect()
    owner = read_owner(perform)
    wish = Wish(
        name=_owning.role_name(role, owner),
        until=end,
        never=until == NEVER,
        tighten=tighten,
        external_id=external_id,
        request=received,
    )
    try:
        adoption = prepare_adoption(wish, owner=owner, perform=perform, now=now)
        about = report.adoption_lines(adoption)
        report.say_adoption(about)
        if dry_run:
            report.say_adoption_plan(adoption, as_json=output.as_json)
            return 0
        if adoption.calls:
            if received is not None:
                about = (*grants.request_lines(received), *about)
            what = "Adopt and tighten" if tighten else "Adopt"
            question = f"{what} {wish.name} of account {owner.account} as a grant for account {adoption.contractor}?"
            _questions.consent(question, yes=yes, about=about, flags=flags)
        done = take_over(adoption, perform=perform, waiting=_owning.waiting(), look_again=not yes, tell=grants.say_call)
    except NotProved as problem:
        grants.say_failures(problem.shown)
        raise
    report.say_adopted(done, as_json=output.as_json)
    return 0


def _check_words(role: str | None, *, all_: bool, tighten: bool, external_id: str | None, request: Path | None) -> None:
    if (role is None) is not all_:
        raise ValetkeyError(
            "name the role to adopt, or --all to list those that could be", do="see `valetkey adopt --help`"
        )
    if (external_id is not None or request is not None) and not tighten:
        raise ValetkeyError(
            "--external-id and --request are for --tighten: without it the trust policy stays as it is",
            do="add --tighten, or leave them out",
        )
    if external_id is not None and request is not None:
        raise ValetkeyError("the request contains the ExternalId", do="leave --external-id out")
