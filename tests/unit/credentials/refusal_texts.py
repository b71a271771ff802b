"""AWS's texts of a refused AssumeRole that name the kind of policy, or none."""

from __future__ import annotations

from tests.unit.credentials.sts_world import refusal

from valetkey.credentials.sessions.refusals import Refused, explain

ROLE = "arn:aws:iam::444455556666:role/x/audit"
HEAD = "User: arn:aws:iam::111122223333:user/alice is not authorized to perform: sts:AssumeRole on resource: "
IDENTITY = "because no identity-based policy allows the sts:AssumeRole action"
DENIED = "with an explicit deny in an identity-based policy"
BOUNDARY = "because no permissions boundary allows the sts:AssumeRole action"
SESSION = "because no session policy allows the sts:AssumeRole action"
SCP = "with an explicit deny in a service control policy: arn:aws:organizations::1:policy/o-x/p-1"
TRUST = "because no role trust policy allows the sts:AssumeRole action"
CLOSED = "with an explicit deny in the role trust policy"
RESOURCE = "with an explicit deny in a resource-based policy"
RCP = "with an explicit deny in a resource control policy"
ENDPOINT = "because no VPC endpoint policy allows the sts:AssumeRole action"
TAG = "because no {} allows the sts:TagSession action"
NEW = "because no quantum policy allows the sts:AssumeRole action"

OURS_ALL = (IDENTITY, DENIED, BOUNDARY, SESSION, SCP)
OWNERS_ALL = (TRUST, CLOSED, RESOURCE, RCP)


def text(reason: str, role: str = ROLE) -> str:
    return f"{HEAD}{role} {reason}".strip()


def refused(reason: str) -> Refused:
    return explain(refusal("assume_role", "AccessDenied", text(reason)), "acme")
