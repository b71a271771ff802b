"""Decide a request against policies.

The rules, each with its page of the IAM User Guide:

1. An explicit deny in any policy decides (reference_policies_evaluation-logic).
2. A trust policy (like a KMS key's policy) must allow; no other policy replaces it. The policy of another resource
   is optional.
3. A service, an identity provider and an anonymous caller have no policies of their own: the resource's side alone
   decides. The same applies to AssumeRoleWithSAML and AssumeRoleWithWebIdentity, which are not signed.
4. Another account: the resource's side and the caller's side must both allow
   (reference_policies_evaluation-logic-cross-account).
5. The same account: a statement that names the user, the session or `*` is sufficient; one that names the role is
   limited by boundary and session policy; one that names the account only delegates to identity policies, which
   boundary and session policy limit. The account's root user needs no identity policy.
6. SCPs: every level must allow; they do not apply to services, providers or service-linked roles
   (orgs_manage_policies_scps). RCPs: only their Denies have an effect, because RCPFullAWSAccess is attached everywhere
   and cannot be detached (orgs_manage_policies_rcps).
7. Where AWS documents nothing (`undocumented`), an Allow does not match and a Deny does. `Decision.rests_on` lists
   the places where this decided; `could_allow` takes the opposite reading.
8. That STS refuses a call independently of the policies does not change the outcome; it is in `Decision.note`
   (`role_actions`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from valetkey.errors import PolicyError, shown
from valetkey.policy.decision import Applied, Decision, Lacking, Open, Outcome, Side
from valetkey.policy.principals import NamedBy
from valetkey.policy.requests import Request
from valetkey.policy.role_actions import ROLE_ACTIONS, UNSIGNED, lowered
from valetkey.policy.statements import WITH_PRINCIPAL, Policy, Statement

Policies = Policy | Sequence[Policy]

_Given = tuple[Side, tuple[Policy, ...] | None]

_ROLE_ACTIONS = lowered(ROLE_ACTIONS)


def decide(
    request: Request,
    trust: Policies | None = None,
    identity: Policies | None = None,
    boundary: Policies | None = None,
    session: Policies | None = None,
    scps: Sequence[Policies] = (),
    rcps: Sequence[Policies] = (),
    resource: Policies | None = None,
) -> Decision:
    """Decide one request.

    `trust` is the role's trust policy (None: not evaluated), `resource` another resource's policy (None: it has none),
    `identity` the caller's identity policies (None: not evaluated; `()`: it has none), `boundary` and `session` the
    caller's permissions boundary and session policy. `scps` are the levels of the caller's organisation, `rcps` those
    of the resource's, root first, each a list of policies. Raises PolicyError for a value that is not a parsed policy
    or is of the wrong kind (a trust policy as identity policy).

    A request of several actions is allowed when every action is allowed. Otherwise the result is that of the first
    explicit deny, else of the first implicit deny.
    """
    return _sides(trust, identity, boundary, session, scps, rcps, resource).request(request)


def could_allow(
    request: Request,
    trust: Policies | None = None,
    identity: Policies | None = None,
    boundary: Policies | None = None,
    session: Policies | None = None,
    scps: Sequence[Policies] = (),
    rcps: Sequence[Policies] = (),
    resource: Policies | None = None,
) -> bool:
    """Whether AWS may allow the request under the widest reading of undocumented forms. Otherwise as `decide`.

    INVARIANT: what `decide` allows, this allows.
    """
    return _sides(trust, identity, boundary, session, scps, rcps, resource).widely().request(request).allowed


def _sides(
    trust: Policies | None,
    identity: Policies | None,
    boundary: Policies | None,
    session: Policies | None,
    scps: Sequence[Policies],
    rcps: Sequence[Policies],
    resource: Policies | None,
) -> _Sides:
    return _Sides(
        None if trust is None else _policies(trust, True, "trust"),
        None if resource is None else _policies(resource, True, "resource"),
        None if identity is None else _policies(identity, False, "identity"),
        None if boundary is None else _policies(boundary, False, "boundary"),
        None if session is None else _policies(session, False, "session"),
        tuple(_policies(level, False, "scps") for level in _levels(scps, "scps")) if scps else (),
        tuple(_policies(level, True, "rcps") for level in _levels(rcps, "rcps")) if rcps else (),
    )


_ORDER: dict[Outcome, int] = {"explicit_deny": 0, "implicit_deny": 1, "allowed": 2}


def _policies(given: object, with_principal: bool, name: str) -> tuple[Policy, ...]:
    if type(given) is Policy and (given.kind in WITH_PRINCIPAL) is with_principal:
        return (given,)
    policies = (given,) if type(given) is Policy else tuple(given) if isinstance(given, list | tuple) else None
    if policies is None:
        raise PolicyError(f"{name} is not a policy", do="give what parse_policy returned, or a list of it", where=name)
    for policy in policies:
        if type(policy) is not Policy:
            raise PolicyError(
                f"{name} contains something that is not a policy", do="give what parse_policy returned", where=name
            )
        if (policy.kind in WITH_PRINCIPAL) is not with_principal:
            do = "parse each policy as the kind that it is"
            raise PolicyError(f"a policy read as {shown(policy.kind)} was given as {name}", do=do, where=name)
    return policies


def _levels(given: object, name: str) -> Sequence[object]:
    if not isinstance(given, list | tuple):
        raise PolicyError(f"{name} is not a list of levels", do="give a list of lists of policies", where=name)
    return given


_OWN: tuple[Side, ...] = ("trust", "resource", "identity", "boundary", "session")


class _Sides(NamedTuple):
    """The policies of one decision; None for a side that was not given. _OWN has the names of the first five."""

    trust: tuple[Policy, ...] | None
    resource: tuple[Policy, ...] | None
    identity: tuple[Policy, ...] | None
    boundary: tuple[Policy, ...] | None
    session: tuple[Policy, ...] | None
    scps: tuple[tuple[Policy, ...], ...]
    rcps: tuple[tuple[Policy, ...], ...]

    def request(self, request: Request) -> Decision:
        """Decide a request of one or several actions."""
        actions = request.actions
        if len(actions) == 1:
            return self.decide(request, actions[0])
        return min((self.decide(request, action) for action in actions), key=lambda decision: _ORDER[decision.outcome])

    def widely(self) -> _Sides:
        """The same policies under the opposite (wide) reading of what AWS does not document."""
        from valetkey.policy.undocumented import widely

        def other(policies: tuple[Policy, ...] | None) -> tuple[Policy, ...] | None:
            return None if policies is None else tuple(map(widely, policies))

        return _Sides(
            other(self.trust),
            other(self.resource),
            other(self.identity),
            other(self.boundary),
            other(self.session),
            tuple(tuple(map(widely, level)) for level in self.scps),
            tuple(tuple(map(widely, level)) for level in self.rcps),
        )

    def rests(self, request: Request) -> tuple[Open, ...]:
        """Compute `Decision.rests_on`. The two readings bound what AWS does: when their outcomes are equal, nothing
        depends on it."""
        if self.request(request).outcome == self.widely().request(request).outcome:
            return ()
        return tuple(dict.fromkeys(self._open(request)))

    def _open(self, request: Request) -> Iterator[Open]:
        from valetkey.policy.undocumented import doubts

        bounded = self.boundary is not None
        given: list[tuple[Side, int, Policy]] = [
            (_OWN[place], number, policy)
            for place, policies in enumerate(self[:5])
            for number, policy in enumerate(policies or (), 1)
        ]
        given += [("scp", number, item) for number, level in enumerate(self.scps, 1) for item in level]
        given += [("rcp", number, item) for number, level in enumerate(self.rcps, 1) for item in level]
        for side, number, policy in given:
            for statement in policy.statements:
                for action in request.actions:
                    for doubt in doubts(statement, request, action, bounded and statement.effect == "Deny"):
                        yield Open(side, number, statement.index + 1, statement.sid, doubt.where, doubt.form.what)

    def decide(self, request: Request, action: str) -> Decision:
        denied = self._denied(request, action)
        if denied:
            return Decision("explicit_deny", request, action, (denied,), rests=self.rests)
        grant, granted = self._granted(request, action)
        if not grant and (self.trust is not None or (self.resource is not None and action.startswith("kms:"))):
            return self._lacks(request, action, "trust" if self.trust is not None else "resource")
        if request.caller.unsigned or action in UNSIGNED:
            if grant:
                return Decision("allowed", request, action, granted)
            return self._lacks(request, action, "resource", "only the resource's side can allow this caller")
        if self.scps and not _service_linked(request):
            for number, level in enumerate(self.scps, 1):
                if not _allow(level, request, action):
                    return Decision(
                        "implicit_deny", request, action, (), Lacking("scp", number, level), rests=self.rests
                    )
        if request.same_account and grant is NamedBy.DIRECT:
            return Decision("allowed", request, action, granted)
        return self._callers_side(request, action, grant, granted)

    def _callers_side(self, request: Request, action: str, grant: NamedBy, granted: tuple[Applied, ...]) -> Decision:
        """Evaluate the caller's side: identity policies, boundary and session policy."""
        note = ""
        assume = action in _ROLE_ACTIONS and self.trust is None and self.resource is None
        if not grant and not request.same_account and not assume:
            return self._lacks(request, action, "resource", "in another account the resource's side must allow too")
        if request.caller.kind == "root":
            return Decision("allowed", request, action, granted, None, "the root user needs no policy of its own")
        if not grant and assume:
            note = "the role's trust policy was not given and was not evaluated"
        if not (request.same_account and grant is NamedBy.ROLE):
            if self.identity is None:
                if not grant:
                    return self._lacks(request, action, "resource", "no policy that could allow it was given")
                note = "the caller's own policies were not given and were not evaluated"
            else:
                result = _allow(self.identity, request, action)
                if not result:
                    return self._lacks(request, action, "identity")
                granted += (Applied("identity", *result),)
        limits: tuple[_Given, ...] = (("boundary", self.boundary), ("session", self.session))
        for side, policies in limits:
            if policies is not None:
                result = _allow(policies, request, action)
                if not result:
                    return self._lacks(request, action, side)
                granted += (Applied(side, *result),)
        return Decision("allowed", request, action, granted, None, note)

    def _denied(self, request: Request, action: str) -> Applied | None:
        """The first Deny that applies, in any policy."""
        bounded = self.boundary is not None
        for place, policies in enumerate(self[:5]):
            if policies:
                for number, policy in enumerate(policies, 1):
                    for statement in policy.denies:
                        if statement.reaches(request, action, bounded):
                            return Applied(_OWN[place], number, statement)
        if not (self.scps or self.rcps) or _service_linked(request):
            return None
        concerned = () if request.caller.unsigned else self.scps
        organisation: list[_Given] = [
            *(("scp", level) for level in concerned),
            *(("rcp", level) for level in self.rcps),
        ]
        for place, (side, policies) in enumerate(organisation):
            number = place + 1 if side == "scp" else place + 1 - len(concerned)
            for policy in policies or ():
                for statement in policy.denies:
                    if statement.reaches(request, action, bounded):
                        return Applied(side, number, statement)
        return None

    def _granted(self, request: Request, action: str) -> tuple[NamedBy, tuple[Applied, ...]]:
        """The Allow of the trust or resource policies that names the caller most directly."""
        best = NamedBy.NONE
        applied: tuple[Applied, ...] = ()
        for place, policies in enumerate(self[:2]):
            if policies:
                for number, policy in enumerate(policies, 1):
                    for statement in policy.allows:
                        grant = statement.reaches(request, action, False)
                        if grant > best:
                            best, applied = grant, (Applied(_OWN[place], number, statement),)
                            if grant is NamedBy.DIRECT:
                                return best, applied
        return best, applied

    def _lacks(self, request: Request, action: str, side: Side, note: str = "") -> Decision:
        """The implicit deny for a side without an Allow. It carries the side's policies, to name the nearest
        statement."""
        if side == "resource" and self.trust is not None:
            side = "trust"
        policies: tuple[Policy, ...] | None = getattr(self, side)
        lacking = None if policies is None else Lacking(side, 0, policies)
        return Decision("implicit_deny", request, action, (), lacking, note, self.rests)


def _allow(policies: tuple[Policy, ...], request: Request, action: str) -> tuple[int, Statement] | None:
    """The first statement that allows the action, with the number of its policy."""
    for number, policy in enumerate(policies, 1):
        for statement in policy.allows:
            if statement.reaches(request, action, False):
                return number, statement
    return None


def _service_linked(request: Request) -> bool:
    """Whether the caller is a service-linked role: SCPs and RCPs do not apply to it."""
    role = request.keys.get("aws:principalarn", "")
    return isinstance(role, str) and ":role/aws-service-role/" in role
