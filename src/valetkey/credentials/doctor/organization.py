"""The service control policies that apply to the contractor's own account, if they can be read.

Rules (Organizations User Guide, orgs_manage_policies_scps, orgs_manage_policies_scps_evaluation):
- Every level must allow the call: the root, each organizational unit on the path to the account, the account itself.
- They do not limit the management account.
- Only the management account and delegated administrators may list them. A member account gets AccessDenied; then
  nothing is known.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from valetkey.account.calls import Call, CallError, Perform
from valetkey.credentials.doctor.context_keys import OPEN_TRUST, as_list, known_part, may_mean, unknown_keys
from valetkey.credentials.profiles.identity import Identity
from valetkey.errors import PolicyError
from valetkey.policy import Request, decide, parse_policy
from valetkey.policy.role_actions import ASSUME_ROLE

_DEEPEST = 12
"""More levels than AWS allows (five organizational units, the root, the account)."""
_NONE = frozenset({"AWSOrganizationsNotInUseException", "PolicyTypeNotEnabledException"})
_ALLOW = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


@dataclass(frozen=True)
class Organization:
    """The service control policies that apply to the account."""

    levels: tuple[tuple[Mapping[str, Any], ...], ...] = ()
    """The policies of each level, root first; empty: there are none, for the reason in `free`."""
    free: str = ""
    unread: str = ""
    """Why the policies could not be read, or empty."""

    def judge(self, identity: Identity, context: Mapping[str, str], role_arn: str) -> tuple[bool | None, str]:
        """Return whether they allow the call, and why it is denied or not decidable."""
        if self.unread:
            return None, self.unread
        if not self.levels:
            return True, self.free
        statements = [item for level in self.levels for element in level for item in as_list(element.get("Statement"))]
        allowed, level = self._decide(identity, context, role_arn)
        # An unknown Deny may still apply. An unknown Allow, which counted as absent, matters only if the call is
        # denied.
        for effect in ("Deny",) if allowed else ("Deny", "Allow"):
            hidden = sorted(
                {k for statement in statements if may_mean(statement, effect) for k in unknown_keys(statement)}
            )
            if hidden:
                return None, f"a service control policy depends on {hidden[0]}, which valetkey does not know"
        if allowed is None:
            return None, "a service control policy cannot be read as AWS reads it"
        return allowed, "" if allowed else f"a service control policy of your organization refuses it{level}"

    def _decide(self, identity: Identity, context: Mapping[str, str], role_arn: str) -> tuple[bool | None, str]:
        try:
            scps = [
                [parse_policy(item, kind="scp") for item in map(known_part, level) if item] for level in self.levels
            ]
            decision = decide(
                Request(principal=identity.arn, action=ASSUME_ROLE, resource=role_arn, context=context),
                trust=parse_policy(OPEN_TRUST, kind="trust"),
                identity=parse_policy(_ALLOW, kind="identity"),
                scps=scps,
            )
        except PolicyError:
            return None, ""
        where = next((f" (level {part.number} of {len(scps)}, counted from the root)" for part in decision.parts), "")
        return decision.allowed, where


def read_organization(perform: Perform, account: str) -> Organization:
    """Read the policies that apply to an account. Does not raise CallError: `unread` contains the reason."""
    try:
        result = perform(Call("organizations", "describe_organization"))["Organization"]
        if result.get("MasterAccountId") == account:
            return Organization(free="yours is the management account, which they do not limit")
        if result.get("FeatureSet") == "CONSOLIDATED_BILLING":
            return Organization(free="your organization is for billing only and has none")
        levels = tuple(_levels(perform, account))
    except CallError as error:
        if error.code in _NONE:
            return Organization(free="your account is in no organization that has any")
        return Organization(unread=f"they cannot be read ({error.call.action}: {error.code})")
    except (KeyError, ValueError, IndexError):
        return Organization(unread="AWS's answer about them is not as documented")
    if not all(levels):
        return Organization(free="your organization has not turned them on")
    return Organization(levels[::-1])


def _levels(perform: Perform, account: str) -> Iterator[tuple[Mapping[str, Any], ...]]:
    """Yield the policies of each level, from the account up to the root."""
    target = account
    for _ in range(_DEEPEST):
        call = Call(
            "organizations", "list_policies_for_target", {"TargetId": target, "Filter": "SERVICE_CONTROL_POLICY"}
        )
        yield tuple(_content(perform, page["Id"]) for page in _pages(perform, call, "Policies"))
        if target.startswith("r-"):
            return
        target = perform(Call("organizations", "list_parents", {"ChildId": target}))["Parents"][0]["Id"]
    raise ValueError("deeper than AWS allows")


def _pages(perform: Perform, call: Call, key: str) -> Iterator[Any]:
    params = dict(call.params)
    while True:
        page = perform(Call(call.service, call.operation, params))
        yield from page.get(key, ())
        if not page.get("NextToken"):
            return
        params["NextToken"] = page["NextToken"]


def _content(perform: Perform, policy: str) -> Mapping[str, Any]:
    result = perform(Call("organizations", "describe_policy", {"PolicyId": policy}))["Policy"]["Content"]
    content: Mapping[str, Any] = json.loads(result)
    return content
