"""valetkey list: the grants of this account."""

from __future__ import annotations

import os
from datetime import UTC, datetime

from valetkey.cli._options import Output, OwnerAccount


def list_(*, output: Output = Output(), account: OwnerAccount = OwnerAccount()) -> int:  # noqa: B008
    """List the grants of this account: contractor, policies, end, last use, and whether the role is as agreed."""
    from valetkey.cli._completion import remember_grants
    from valetkey.grants.role import read_owner, read_roles
    from valetkey.grants.status import read_grants
    from valetkey.report.grants import say_list

    perform = account.connect()
    owner = read_owner(perform)
    grants, damaged = read_grants(read_roles(perform))
    remember_grants([*(each.role.name for each in grants), *damaged], os.environ)
    say_list(owner, grants, damaged, now=datetime.now(UTC), as_json=output.as_json)
    return 0
