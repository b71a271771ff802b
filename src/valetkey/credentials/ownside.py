"""What the contractor's own account says about entering a role: who refused, the owner or ourselves?

AWS answers the same AccessDenied for both. So the caller's own policies are read, and decided by `valetkey.policy` once
with the right call, which AWS let through, and once with the probe.

Rules:
- INVARIANT: `lets` says None unless our own policies are known to allow the probe. Unknown is not allowed.
- A condition key that is not known here can only make a refusal inconclusive: an Allow that depends on one counts as
  absent, a Deny that does as unknown.
- What cannot be read here: the organization's SCPs and RCPs, and a session policy of a role session.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from valetkey.account.calls import Call, CallError, Perform, everything
from valetkey.credentials.identity import Identity
from valetkey.policy import PolicyError, Request, decide, parse_policy
from valetkey.policy.globs import matches

# The keys of a call to AssumeRole that are known here, also when they are absent from it (lower case).
_KNOWN = frozenset(
    {
        "aws:currenttime",
        "aws:epochtime",
        "aws:multifactorauthage",
        "aws:multifactorauthpresent",
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalisawsservice",
        "aws:principaltype",
        "aws:requestedregion",
        "aws:resourceaccount",
        "aws:securetransport",
        "aws:username",
        "aws:viaawsservice",
        "sts:externalid",
        "sts:rolesessionname",
        "sts:sourceidentity",
    }
)
# The owner's side, left out of the question: it lets everybody in.
_OPEN = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": ["sts:AssumeRole"]}],
}


@dataclass(frozen=True)
class OwnSide:
    """The caller's own policies, as read, or why they could not be."""

    identity: Identity
    documents: tuple[Mapping[str, Any], ...] = ()
    boundary: Mapping[str, Any] | None = None
    principal: str = ""
    """The user's or role's own ARN, path included."""
    unread: str = ""
    """Why they are not known, or empty."""

    def lets(self, *, right: Mapping[str, str], probe: Mapping[str, str], role_arn: str) -> str:
        """Empty when our own policies allow the probe; else why a refusal of it says nothing about the owner.

        `right` and `probe` are the condition keys of the two calls.
        """
        if self.unread:
            return self.unread
        if self._hidden:
            return f"a Deny in your own account depends on {self._hidden[0]}, which is not known here"
        if not self.allows(right, role_arn):
            return "your own account's policies depend on more than is known here"
        return "" if self.allows(probe, role_arn) else "your own account's policies refuse this call too"

    def allows(self, context: Mapping[str, str], role_arn: str) -> bool | None:
        """Whether these policies allow the call, by the condition keys that are known; None when that cannot be
        judged at all."""
        if self.unread or self._hidden:
            return None
        context = {**context, **({"aws:PrincipalArn": self.principal} if self.principal else {})}
        try:
            identity = [parse_policy(each, kind="identity") for each in map(_known_part, self.documents) if each]
            limit = _known_part(self.boundary) if self.boundary is not None else None
            if self.boundary is not None and limit is None:
                return False
            boundary = parse_policy(limit, kind="boundary") if limit is not None else None
            request = Request(principal=self.identity.arn, action="sts:AssumeRole", resource=role_arn, context=context)
            trust = parse_policy(_OPEN, kind="trust")
            return decide(request, trust=trust, identity=identity, boundary=boundary).allowed
        except PolicyError:
            return None

    @property
    def _hidden(self) -> list[str]:
        """The unknown keys of every Deny that may mean sts:AssumeRole."""
        documents = (*self.documents, *([self.boundary] if self.boundary is not None else []))
        denies = [each for document in documents for each in _list(document.get("Statement")) if _may_deny(each)]
        return sorted({key for each in denies for key in _unknown_keys(each)})


def context_of(params: Mapping[str, Any], *, mfa: bool, region: str, now: datetime) -> dict[str, str]:
    """The condition keys of one AssumeRole call. A long-term key's call has no MFA keys at all
    (reference_policies_condition-keys)."""
    keys = {
        "aws:CurrentTime": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        "aws:EpochTime": str(int(now.timestamp())),
        "aws:PrincipalIsAWSService": "false",
        "aws:RequestedRegion": region,
        "aws:SecureTransport": "true",
        "aws:ViaAWSService": "false",
        "aws:ResourceAccount": params["RoleArn"].split(":")[4],
        "sts:RoleSessionName": params["RoleSessionName"],
    }
    if "ExternalId" in params:
        keys["sts:ExternalId"] = params["ExternalId"]
    if mfa:
        keys |= {"aws:MultiFactorAuthPresent": "true", "aws:MultiFactorAuthAge": "60"}
    return keys


def read_own_side(perform: Perform, identity: Identity) -> OwnSide:
    """Read every policy of the caller: inline, attached, of its groups, and its boundary. Never raises for what may
    not be read: `unread` says so."""
    if identity.kind not in ("iam-user", "iam-role", "identity-center"):
        return OwnSide(identity, unread="your own account's policies are not known for this kind of sign-in")
    kind = "user" if identity.kind == "iam-user" else "role"
    try:
        principal = perform(Call("iam", f"get_{kind}", {f"{kind.title()}Name": identity.name}))[kind.title()]
        documents = tuple(_documents(perform, kind, identity.name))
        limit = principal.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
        return OwnSide(identity, documents, _managed(perform, limit) if limit else None, principal["Arn"])
    except CallError as error:
        return OwnSide(
            identity, unread=f"your own account's policies cannot be read ({error.call.action}: {error.code})"
        )


def _documents(perform: Perform, kind: str, name: str) -> Iterator[Mapping[str, Any]]:
    who = {f"{kind.title()}Name": name}
    for policy in everything(perform, Call("iam", f"list_{kind}_policies", who), "PolicyNames"):
        yield perform(Call("iam", f"get_{kind}_policy", {**who, "PolicyName": policy}))["PolicyDocument"]
    for attached in everything(perform, Call("iam", f"list_attached_{kind}_policies", who), "AttachedPolicies"):
        yield _managed(perform, attached["PolicyArn"])
    if kind == "user":
        for group in everything(perform, Call("iam", "list_groups_for_user", who), "Groups"):
            yield from _documents(perform, "group", group["GroupName"])


def _managed(perform: Perform, arn: str) -> Mapping[str, Any]:
    version = perform(Call("iam", "get_policy", {"PolicyArn": arn}))["Policy"]["DefaultVersionId"]
    found = perform(Call("iam", "get_policy_version", {"PolicyArn": arn, "VersionId": version}))
    document: Mapping[str, Any] = found["PolicyVersion"]["Document"]
    return document


def _known_part(document: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The document without the Allows that depend on unknown keys; None when nothing is left."""
    statements = [
        each for each in _list(document.get("Statement")) if each.get("Effect") != "Allow" or not _unknown_keys(each)
    ]
    return {**document, "Statement": statements} if statements else None


def _unknown_keys(statement: Mapping[str, Any]) -> set[str]:
    """The condition keys, and the keys of policy variables, that are not known here (lower case)."""
    tested = {key.lower() for tests in statement.get("Condition", {}).values() for key in tests}
    variables = {key.strip().lower() for key in re.findall(r"\$\{([^},]+)", json.dumps(statement))}
    return (tested | variables) - _KNOWN - {"*", "?", "$"}


def _may_deny(statement: Mapping[str, Any]) -> bool:
    named = any(matches(each.lower(), "sts:assumerole") for each in _list(statement.get("Action")))
    left_out = any(matches(each.lower(), "sts:assumerole") for each in _list(statement.get("NotAction")))
    return statement.get("Effect") == "Deny" and (named or ("NotAction" in statement and not left_out))


def _list(value: Any) -> list[Any]:
    """IAM writes one statement, or one action, with or without the list around it."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
