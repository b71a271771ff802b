"""valetkey rotate: replace the ExternalId of a grant, with an overlap."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from valetkey.cli._options import Output, OwnerAccount
from valetkey.cli._sealing import IdentityFile

_Flag = Annotated[bool, Parameter(negative="")]


def rotate(
    name: str,
    /,
    *,
    request: Annotated[
        Path | None, Parameter(help="The contractor's new request (`valetkey request CUSTOMER --new`).")
    ] = None,
    external_id: Annotated[str | None, Parameter(help="The new ExternalId, if the contractor has no valetkey.")] = None,
    overlap: Annotated[str, Parameter(help="How long the previous ExternalId stays valid; 0 ends it at once.")] = "3d",
    fingerprint: Annotated[
        str | None, Parameter(help="The request's six words, as the contractor read them to you; they are compared.")
    ] = None,
    identity: IdentityFile = None,
    dry_run: Annotated[_Flag, Parameter(help="Show the effect, the calls and the proof; write nothing.")] = False,
    yes: Annotated[_Flag, Parameter(help="Do not ask for confirmation.")] = False,
    output: Output = Output(),  # noqa: B008
    account: OwnerAccount = OwnerAccount(),  # noqa: B008
) -> int:
    """Replace the ExternalId of a grant by a new one from the contractor.

    The previous ExternalId stays valid for --overlap, through a separate trust policy statement that expires by date.
    Then send the contractor a new handoff (`valetkey handoff`).
    """
    from valetkey.cli import _changing, _owning
    from valetkey.errors import ValetkeyError
    from valetkey.grants.edit import Edit
    from valetkey.grants.options import OwnerOptions

    if (request is None) is (external_id is None):
        raise ValetkeyError(
            "a rotation needs the new ExternalId from exactly one source",
            do="give --request FILE, or --external-id ID where the contractor has no valetkey",
        )
    received = _changing.request_of(request, identity, fingerprint=fingerprint, yes=yes and not dry_run)
    new = received.value.external_id if received else external_id
    lasts = timedelta(seconds=_owning.length(overlap, "--overlap") or 0)

    def edit_at(now: datetime) -> Edit:
        return Edit(
            asked=OwnerOptions(name=name, external_id=new),
            given=frozenset({"external_id"}),
            overlap=lasts,
            request=received.fingerprint if received else None,
            user_id=received.value.user_id if received else None,
        )

    return _changing.run(name, edit_at, account=account, output=output, dry_run=dry_run, yes=yes, received=received)
