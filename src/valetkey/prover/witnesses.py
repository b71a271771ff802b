"""Builds a request for `decide` from a box's caller, action and keys, in AWS's spelling."""

from __future__ import annotations

from valetkey.catalog import key_names
from valetkey.policy.requests import Request
from valetkey.policy.variables import Keys
from valetkey.prover.caller_classes import CALLER_KEYS
from valetkey.prover.parties import Person


def request_of(person: Person, action: str, resource: str, owner: str, keys: Keys) -> Request:
    """Build a request with AWS's spelling of the known keys. Keys that `Request` derives from the caller are left
    out."""
    kept = {key: value for key, value in keys.items() if key not in CALLER_KEYS}
    if person.kind in ("user", "session") and "aws:userid" in person.keys:
        kept["aws:userid"] = person.keys["aws:userid"]
    if person.kind == "session" and "/" in (role := person.keys["aws:principalarn"]).split(":role/", 1)[1]:
        kept["aws:principalarn"] = role  # the path is not in the session's own ARN
    context = {spelt(key): value if isinstance(value, str) else list(value) for key, value in kept.items()}
    return Request(person.principal, action, resource, owner, context)


_SPELT = {
    name.lower(): name
    for name in (
        "aws:CurrentTime",
        "aws:EpochTime",
        "aws:MultiFactorAuthAge",
        key_names.MFA_PRESENT,
        "aws:PrincipalArn",
        "aws:PrincipalOrgID",
        "aws:PrincipalOrgPaths",
        "aws:SourceAccount",
        "aws:SourceArn",
        "aws:SourceIp",
        "aws:SourceVpc",
        "aws:SourceVpce",
        "aws:TokenIssueTime",
        key_names.EXTERNAL_ID,
        "sts:RoleSessionName",
        "sts:SourceIdentity",
    )
}


def spelt(key: str) -> str:
    """A condition key in AWS's spelling, if known."""
    return _SPELT.get(key, key)
