"""valetkey can: decide whether a session of a grant may do something."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from cyclopts import Parameter

from valetkey.cli._options import Output, OwnerAccount


def can(
    name: str,
    action: str,
    resource: str = "*",
    /,
    *,
    context: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    output: Output = Output(),  # noqa: B008
    account: OwnerAccount = OwnerAccount(),  # noqa: B008
) -> int:
    """Decide whether a session of a grant may do something now. Exit code 0: allowed; 1: denied, or it depends.

    Parameters
    ----------
    name
        The grant.
    action
        One action, like s3:GetObject.
    resource
        An ARN, or a pattern of ARNs; without one, any resource.
    context
        The value of a known condition key: KEY=VALUE, like aws:SourceIp=192.0.2.1.
    """
    from valetkey.cli._permissions import decided

    return decided(name, action, resource, context, account, now=datetime.now(UTC), as_json=output.as_json)
