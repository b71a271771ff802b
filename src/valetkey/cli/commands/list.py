"""valetkey list: the grants of this account."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from valetkey.cli._options import Output, OwnerAccount, OwnerAccounts
from valetkey.errors import ValetkeyError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from valetkey.grants.listing import Grants, Trail
    from valetkey.grants.status import Standing


def list_(
    *,
    check: Annotated[
        bool, Parameter(negative="", help="List only the grants that have a problem; exit code 1 if there is one.")
    ] = False,
    within: Annotated[str, Parameter(help="With --check: report grants that end within this time, like 30d.")] = "30d",
    unused: Annotated[
        str, Parameter(help="With --check: report roles that were not used for longer than this, like 90d.")
    ] = "90d",
    from_: Annotated[
        str | None,
        Parameter(
            name="--from",
            help="With --check: a CloudTrail source, as for `activity`; report what breaks a grant's terms.",
        ),
    ] = None,
    output: Output = Output(),  # noqa: B008
    account: OwnerAccounts = OwnerAccounts(),  # noqa: B008
) -> int:
    """List the grants of this account, the next end first: contractor, policies, end, last use, state.

    --check reports grants that end soon, have ended but still exist, have no end, were never used or not used lately,
    differ from their record, or name a deleted principal; AWS managed policies that AWS has changed since they were
    granted; and records that cannot be read. Several --profile list several accounts.

    With --from, --check also reports calls after the end or during a suspension, sessions without MFA or under another
    name, changes to IAM, trust policies and CloudTrail, assumed roles of other accounts, and parts of the trail that
    could not be read.
    """
    from valetkey.cli import _options
    from valetkey.cli._completion import remember_grants
    from valetkey.report.listing import say_list

    if from_ is not None and not check:
        raise ValetkeyError("--from goes with --check", do="add --check")
    near = timedelta(seconds=_options.seconds(within, name="--within"))
    idle = timedelta(seconds=_options.seconds(unused, name="--unused"))
    now = datetime.now(UTC)
    result: list[Grants] = []
    unread: list[tuple[str, ValetkeyError]] = []
    for owner_account in account.owner_accounts():
        try:
            result.append(_read(owner_account, now, within=near, unused=idle, check=check, source=from_))
        except ValetkeyError as problem:
            if len(account.profile) < 2:
                raise
            unread.append((owner_account.profile or "", problem))
    names = [item.standing.role.name for part in result for item in part.listed]
    remember_grants([*names, *(name for part in result for name in part.damaged)], os.environ)
    say_list(result, unread, now=now, as_json=output.as_json, check=check)
    if unread:
        return max(problem.exit_code for _, problem in unread)
    return 1 if check and not all(grants.is_right for grants in result) else 0


def _read(
    account: OwnerAccount,
    now: datetime,
    *,
    within: timedelta,
    unused: timedelta,
    check: bool,
    source: str | None,
) -> Grants:
    from valetkey.grants.listing import listed
    from valetkey.grants.role import read_owner, read_roles
    from valetkey.grants.status import read_grants

    perform = account.connect()
    owner = read_owner(perform)
    standings, damaged = read_grants(read_roles(perform))
    versions = None
    if check:
        from valetkey.grants.growth import read_versions

        versions = read_versions(standings, perform)
    trail = None if source is None else _trail(standings, source, account, now)
    return listed(owner, standings, damaged, now=now, within=within, unused=unused, versions=versions, trail=trail)


def _trail(standings: Sequence[Standing], source: str, account: OwnerAccount, now: datetime) -> Trail:
    """Return what CloudTrail records of the grants. Raises ValetkeyError; CallError when nothing could be read."""
    from valetkey.cli import _activity
    from valetkey.grants.listing import GrantUse, Trail
    from valetkey.report.activity import incomplete
    from valetkey.report.activity_of_role import of_role

    if not standings:
        return Trail()
    read = _activity.read_roles((), standings, source, account, now=now)
    roles = {standing.role.arn: of_role(read, standing.role.arn, made=standing.role.created) for standing in standings}
    return Trail(
        {arn: GrantUse(role.last, role.denied, role.problems) for arn, role in roles.items()},
        tuple(incomplete(read.reading)),
        read.unseen,
    )
