"""What our own account's policies say about AssumeRole: did the owner's account deny the call, or our own?

AWS returns the same AccessDenied for both. So the caller's own policies are read, and `valetkey.policy` evaluates them
for the correct call, which AWS allowed, and for the probe.

Rules:
- INVARIANT: `lets` returns an empty text only if our own policies are known to allow the probe; unknown is not enough.
- A condition key that is unknown to valetkey can only make a denial inconclusive (context_keys.py).
- Not readable here: the organization's SCPs and RCPs, and the session policy of a role session.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from valetkey.account.calls import Call, CallError, Perform, everything
from valetkey.catalog import key_names
from valetkey.credentials.doctor.context_keys import OPEN_TRUST, as_list, known_part, may_mean, unknown_keys
from valetkey.credentials.profiles.identity import Identity
from valetkey.errors import PolicyError
from valetkey.policy import Decision, Policy, Request, decide, parse_policy
from valetkey.policy.decision import Part
from valetkey.policy.role_actions import ASSUME_ROLE


@dataclass(frozen=True)
class OwnSide:
    """The caller's own policies, or why they could not be read."""

    identity: Identity
    documents: tuple[Mapping[str, Any], ...] = ()
    boundary: Mapping[str, Any] | None = None
    principal: str = ""
    """The user's or role's own ARN, path included."""
    unread: str = ""
    """Why the policies could not be read, or empty."""
    names: tuple[str, ...] = ()
    """Names for the documents, in the same order; empty: they are numbered."""

    def lets(self, *, right: Mapping[str, str], probe: Mapping[str, str], role_arn: str) -> str:
        """Return an empty text if our own policies allow the probe; else why its denial says nothing about the owner.

        `right` and `probe` are the condition keys of the two calls.
        """
        if self.unread:
            return self.unread
        if self._hidden:
            return f"a Deny in your own account depends on {self._hidden[0]}, which valetkey does not know"
        if not self.allows(right, role_arn):
            return "your own account's policies depend on more than valetkey knows"
        return "" if self.allows(probe, role_arn) else "your own account's policies refuse this call too"

    def allows(self, context: Mapping[str, str], role_arn: str) -> bool | None:
        """Return whether these policies allow the call with the known condition keys; None if that is not decidable."""
        return self.judge(context, role_arn)[0]

    def judge(self, context: Mapping[str, str], role_arn: str) -> tuple[bool | None, str]:
        """Return the same, and why the call is denied or not decidable, as text."""
        if self.unread:
            return None, self.unread
        decision = self.decide(context, role_arn)
        if self._hidden:
            return None, f"a Deny in your own account depends on {self._hidden[0]}, which valetkey does not know"
        if decision is None:
            return None, "a policy of your own account cannot be read as AWS reads it"
        if decision.allowed:
            return True, ""
        if decision.outcome == "implicit_deny" and self._conditional:
            return None, f"an Allow in your own account depends on {self._conditional[0]}, which valetkey does not know"
        return False, self._objection(decision, context, role_arn)

    def decide(self, context: Mapping[str, str], role_arn: str, *, with_boundary: bool = True) -> Decision | None:
        """Return the decision; None if it is not decidable. `with_boundary=False` ignores the permissions boundary."""
        if self.unread or self._hidden:
            return None
        context = {**context, **({"aws:PrincipalArn": self.principal} if self.principal else {})}
        try:
            identity = [parse_policy(item, kind="identity") for item in map(known_part, self.documents) if item]
            boundary: Policy | tuple[()] | None = None
            if with_boundary and self.boundary is not None:
                limit = known_part(self.boundary)
                boundary = () if limit is None else parse_policy(limit, kind="boundary")
            request = Request(principal=self.identity.arn, action=ASSUME_ROLE, resource=role_arn, context=context)
            trust = parse_policy(OPEN_TRUST, kind="trust")
            return decide(request, trust=trust, identity=identity, boundary=boundary)
        except PolicyError:
            return None

    def _objection(self, decision: Decision, context: Mapping[str, str], role_arn: str) -> str:
        if decision.outcome == "explicit_deny":
            return f"{self._place(decision.parts[0])} denies it{_tested(decision.parts[0])}"
        without = self.decide(context, role_arn, with_boundary=False)
        if without is not None and without.allowed:
            return "your policies allow it, but your permissions boundary does not"
        if not self.documents:
            return "you have no policies at all"
        near = next((part for part in decision.parts if not _is_far(part)), None)
        return "none of your policies allows it" + (
            f"; the nearest, {self._place(near)}, {_misses(near)}" if near else ""
        )

    def _place(self, part: Part) -> str:
        where = "your permissions boundary"
        if part.side == "identity":
            # The decision numbers only documents that have a known part.
            number = [n for n, document in enumerate(self.documents) if known_part(document)][part.number - 1]
            where = f"your policy {self.names[number] if self.names else number + 1}"
        return f"{where}, statement {part.statement}{f' ({part.sid})' if part.sid else ''}"

    @property
    def _hidden(self) -> list[str]:
        """The unknown keys of every Deny that may apply to sts:AssumeRole."""
        return self._unknown("Deny")

    @property
    def _conditional(self) -> list[str]:
        """The unknown keys of every Allow that may apply to sts:AssumeRole."""
        return self._unknown("Allow")

    def _unknown(self, effect: str) -> list[str]:
        documents = (*self.documents, *([self.boundary] if self.boundary is not None else []))
        result = [
            item for document in documents for item in as_list(document.get("Statement")) if may_mean(item, effect)
        ]
        return sorted({key for item in result for key in unknown_keys(item)})


def context_of(params: Mapping[str, Any], *, mfa: bool, region: str, now: datetime) -> dict[str, str]:
    """Return the condition keys of one AssumeRole call. A call with a long-term key has no MFA keys
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
        keys[key_names.EXTERNAL_ID] = params["ExternalId"]
    if mfa:
        keys |= {key_names.MFA_PRESENT: "true", "aws:MultiFactorAuthAge": "60"}
    return keys


def read_own_side(perform: Perform, identity: Identity) -> OwnSide:
    """Read every policy of the caller: inline, attached, of its groups, and its boundary. Does not raise CallError:
    `unread` contains the reason."""
    if identity.kind not in ("iam-user", "iam-role", "identity-center"):
        return OwnSide(identity, unread="your own account's policies are not known for this kind of sign-in")
    kind = "user" if identity.kind == "iam-user" else "role"
    try:
        principal = perform(Call("iam", f"get_{kind}", {f"{kind.title()}Name": identity.name}))[kind.title()]
        named = tuple(_documents(perform, kind, identity.name))
        limit = principal.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
        boundary = _managed(perform, limit) if limit else None
        names = tuple(name for name, _ in named)
        return OwnSide(identity, tuple(item for _, item in named), boundary, principal["Arn"], names=names)
    except CallError as error:
        return OwnSide(
            identity, unread=f"your own account's policies cannot be read ({error.call.action}: {error.code})"
        )


def _documents(perform: Perform, kind: str, name: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield every policy with its name; a group's inline policy has the name GROUP/NAME."""
    inside = f"{name}/" if kind == "group" else ""
    who = {f"{kind.title()}Name": name}
    for policy in everything(perform, Call("iam", f"list_{kind}_policies", who), "PolicyNames"):
        result = perform(Call("iam", f"get_{kind}_policy", {**who, "PolicyName": policy}))
        yield inside + policy, result["PolicyDocument"]
    for attached in everything(perform, Call("iam", f"list_attached_{kind}_policies", who), "AttachedPolicies"):
        yield attached["PolicyArn"].rsplit("/", 1)[-1], _managed(perform, attached["PolicyArn"])
    if kind == "user":
        for group in everything(perform, Call("iam", "list_groups_for_user", who), "Groups"):
            yield from _documents(perform, "group", group["GroupName"])


def _managed(perform: Perform, arn: str) -> Mapping[str, Any]:
    version = perform(Call("iam", "get_policy", {"PolicyArn": arn}))["Policy"]["DefaultVersionId"]
    result = perform(Call("iam", "get_policy_version", {"PolicyArn": arn, "VersionId": version}))
    document: Mapping[str, Any] = result["PolicyVersion"]["Document"]
    return document


def _is_far(part: Part) -> bool:
    """Whether a statement is about other actions."""
    return any(result.where.endswith(("Action", "NotAction")) for result in part.findings)


def _keys(part: Part) -> str:
    value = (re.search(r"Condition\..*\['([^']+)'\]$", result.where) for result in part.findings)
    return ", ".join(match[1] for match in value if match)


def _misses(part: Part) -> str:
    """Describe why a similar statement does not apply. Omits the values of conditions: one may be an ExternalId."""
    if any("Resource" in result.where for result in part.findings):
        return "is for other roles"
    return f"asks for something else in {_keys(part)}" if _keys(part) else "does not apply"


def _tested(part: Part) -> str:
    return f" (it tests {_keys(part)})" if _keys(part) else ""
