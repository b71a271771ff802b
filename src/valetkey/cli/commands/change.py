"""valetkey change: change the terms or policies of a grant in place."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from valetkey.cli._changing import ChangedTerms
from valetkey.cli._options import Output, OwnerAccount
from valetkey.cli._sealing import IdentityFile

_Flag = Annotated[bool, Parameter(negative="")]
_Many = Parameter(consume_multiple=True, negative="")


def change(
    name: str,
    /,
    *,
    terms: ChangedTerms = ChangedTerms(),  # noqa: B008
    add_only: Annotated[tuple[str, ...], _Many, Parameter(help="Also admit these users or roles.")] = (),
    remove_only: Annotated[tuple[str, ...], _Many, Parameter(help="Stop admitting these users or roles.")] = (),
    policy: Annotated[
        tuple[str, ...], _Many, Parameter(help="Policies by name, ARN or JSON file, instead of the present ones.")
    ] = (),
    add_policy: Annotated[tuple[str, ...], _Many, Parameter(help="Add these policies.")] = (),
    remove_policy: Annotated[tuple[str, ...], _Many, Parameter(help="Detach or remove these policies.")] = (),
    session: Annotated[str | None, Parameter(help="Longest session, 1h to 12h.")] = None,
    boundary: Annotated[str | None, Parameter(help="ARN of a permissions boundary, or none.")] = None,
    tag: Annotated[tuple[str, ...], _Many, Parameter(help="Your own tag on the role, KEY=VALUE.")] = (),
    description: Annotated[str | None, Parameter(help="Description of the role.")] = None,
    request: Annotated[Path | None, Parameter(help="An access request: its ExternalId, at once.")] = None,
    fingerprint: Annotated[
        str | None, Parameter(help="The request's six words, as the contractor read them to you; they are compared.")
    ] = None,
    identity: IdentityFile = None,
    accept_escalation: Annotated[
        _Flag, Parameter(help="Change although the policies allow access beyond this role.")
    ] = False,
    dry_run: Annotated[_Flag, Parameter(help="Show the effect, the calls and the proof; write nothing.")] = False,
    yes: Annotated[_Flag, Parameter(help="Do not ask for confirmation.")] = False,
    output: Output = Output(),  # noqa: B008
    account: OwnerAccount = OwnerAccount(),  # noqa: B008
) -> int:
    """Change a grant in place: each option replaces the present value, everything else stays.

    The role, its ARN and its id stay. It first shows the effect of the change, and proves the new trust policy
    before and after. At every moment each allowed request is allowed by the old terms or by the new ones. After an
    interruption, run it again.
    """
    from valetkey.cli import _changing, _owning
    from valetkey.errors import ValetkeyError
    from valetkey.grants.edit import Edit
    from valetkey.grants.options import OwnerOptions

    received = _changing.request_of(request, identity, fingerprint=fingerprint, yes=yes and not dry_run)
    known = {item.name for item in fields(OwnerOptions)}

    def edit_at(now: datetime) -> Edit:
        given: dict[str, Any] = terms.read(now=now)
        if received is not None:
            given["external_id"] = received.value.external_id
        for key, value in (
            ("policies", policy or None),
            ("session", _owning.length(session, "--session")),
            ("boundary", boundary),
            ("tags", _owning.tags(tag) or None),
            ("description", description),
        ):
            if value is not None:
                given[key] = value
        return Edit(
            asked=OwnerOptions(name=name, **given),
            given=frozenset(given.keys() & known),
            add_policies=add_policy,
            remove_policies=remove_policy,
            add_only=add_only,
            remove_only=remove_only,
            request=received.fingerprint if received else None,
            user_id=received.value.user_id if received else None,
        )

    if received is not None and (terms.external_id is not None or terms.no_external_id):
        raise ValetkeyError(
            "the request contains the contractor's ExternalId, and your options ask for something else",
            do="leave --external-id and --no-external-id out, or --request",
        )
    lists = (add_only, remove_only, policy, add_policy, remove_policy, tag)
    if terms == ChangedTerms() and not any(lists) and {received, session, boundary, description} == {None}:
        raise ValetkeyError("nothing to change was named", do="see `valetkey change --help`")
    return _changing.run(
        name,
        edit_at,
        account=account,
        output=output,
        dry_run=dry_run,
        yes=yes,
        received=received,
        accept_escalation=accept_escalation,
    )
