"""The owner's side: plan a grant, create it, read it back and revoke it.

A grant is a role together with its terms; its record is on the role. Pure functions plan the calls and a `Perform`
performs them. This package uses no boto3, clock or terminal. The main functions have the names of their modules:
`prepare.prepare`, `plan.plan`, `make.make`, `revoke.revoke`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from valetkey._lazy import lazy

if TYPE_CHECKING:
    from valetkey.grants.fitting import misfits
    from valetkey.grants.grant import ForeignRole, Grant, Record, read_record
    from valetkey.grants.make import Interrupted, MadeGrant, NotProved
    from valetkey.grants.options import OwnerOptions
    from valetkey.grants.plan import Differs, adopted, check
    from valetkey.grants.prepare import Prepared
    from valetkey.grants.revoke import Receipt, Removed, Shut, plan_revoke
    from valetkey.grants.role import LiveRole, Owner, read_owner, read_role, read_roles
    from valetkey.grants.status import Difference, Standing, hand_over, proof, read_claimed, read_grants, read_standing
    from valetkey.grants.waiting import Settling, Waiting

__all__ = [
    "Difference",
    "Differs",
    "ForeignRole",
    "Grant",
    "Interrupted",
    "LiveRole",
    "MadeGrant",
    "NotProved",
    "Owner",
    "OwnerOptions",
    "Prepared",
    "Receipt",
    "Record",
    "Removed",
    "Settling",
    "Shut",
    "Standing",
    "Waiting",
    "adopted",
    "check",
    "hand_over",
    "misfits",
    "plan_revoke",
    "proof",
    "read_claimed",
    "read_grants",
    "read_owner",
    "read_record",
    "read_role",
    "read_roles",
    "read_standing",
]

# Imported on first use (PEP 562).
_HOMES = {
    "OwnerOptions": "options",
    "ForeignRole": "grant",
    "Grant": "grant",
    "Record": "grant",
    "read_record": "grant",
    "Interrupted": "make",
    "MadeGrant": "make",
    "NotProved": "make",
    "misfits": "fitting",
    "Differs": "plan",
    "adopted": "plan",
    "check": "plan",
    "Prepared": "prepare",
    "Receipt": "revoke",
    "Removed": "revoke",
    "Shut": "revoke",
    "plan_revoke": "revoke",
    "Owner": "role",
    "LiveRole": "role",
    "read_owner": "role",
    "read_role": "role",
    "read_roles": "role",
    "Difference": "status",
    "Standing": "status",
    "hand_over": "status",
    "proof": "status",
    "read_claimed": "status",
    "read_grants": "status",
    "read_standing": "status",
    "Settling": "waiting",
    "Waiting": "waiting",
}

__getattr__ = lazy(__name__, _HOMES)
