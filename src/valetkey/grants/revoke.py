"""Take a grant back: refuse live sessions first, then close the door, then remove everything.

Rules:
- The order: (1) an unconditional deny inline, so that sessions that are open are refused; (2) the trust replaced by one
  shown to admit nobody; replaced, never edited, since a trust that shows the unique id of a deleted principal cannot
  be written back; (3) instance profiles left, managed policies detached, other inline policies deleted; (4) the deny
  deleted last; (5) the role deleted, and read until it is gone.
- INVARIANT: after every prefix of the calls the contractor can do no more than before, and after the first one nothing.
- Should AWS refuse the document of (2) (fact U3), (1) holds and the rest goes on. It carries nothing over from
  the trust that was there, so that it cannot meet what IAM asks of shared OIDC issuers when a trust is saved (fact
  W12). A boundary is never removed: it only narrows.
- `shut` does (1) and (2) only, for a role that does not fit its record (`fitting.misfits`): tags can be forged, so that
  deleting it needs a person who names it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from valetkey.account.calls import Call, CallError, Perform, everything
from valetkey.grants.grant import REVOKED
from valetkey.grants.make import Interrupted
from valetkey.grants.role import Role, canonical, compact, read_role
from valetkey.grants.standing import Standing
from valetkey.grants.waiting import BUSY, UNSEEN, Waiting
from valetkey.policy.commandline import command
from valetkey.policy.problem import Problem
from valetkey.trust.denies import held_deny, kill_deny
from valetkey.trust.writing import closed_trust

SURVIVES = (
    "sessions of other roles that the contractor entered from this one last until they end by themselves",
    "whatever the contractor created or changed in the account stays: users, keys, roles, resources",
)
SPREADS = "IAM changes take seconds to spread; until then an open session may still be served somewhere"


@dataclass(frozen=True)
class Removed:
    """One performed call, and when (aware, UTC)."""

    call: Call
    at: datetime

    @property
    def what(self) -> str:
        """The step in words."""
        return step(self.call)


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What a revocation did."""

    name: str
    role_arn: str
    contractor: str
    removed: tuple[Removed, ...]
    trust_closed: bool
    """False when AWS refused the closed trust, or did not show it in time; the deny held all along."""
    gone_at: datetime
    """When the role was no longer seen."""
    others: tuple[str, ...] | None
    """Names of other roles of this account that trust the same contractor; None: they could not be read."""


@dataclass(frozen=True, kw_only=True)
class Shut:
    """A role that was denied and closed, and not deleted."""

    name: str
    role_arn: str
    done: tuple[Removed, ...]
    """What was performed; empty when it was denied and closed already."""
    trust_closed: bool
    """False when AWS refused the closed trust, or did not show it in time; the deny holds."""


_STEPS: dict[str, str] = {
    "put_role_policy": "every session refused (inline deny on everything)",
    "update_assume_role_policy": "trust replaced by one that admits nobody",
    "remove_role_from_instance_profile": "removed from instance profile {InstanceProfileName}",
    "detach_role_policy": "detached {PolicyArn}",
    "delete_role_policy": "deleted inline policy {PolicyName}",
    "delete_role": "role deleted",
}


def step(call: Call) -> str:
    """A call of a revocation in words."""
    return _STEPS[call.operation].format(**call.params)


def plan_revoke(
    role: Role, profiles: tuple[str, ...] = (), *, closed: Mapping[str, Any] | None, held: bool = False
) -> tuple[Call, ...]:
    """The calls that are left to revoke a role as it stands; `profiles` are the instance profiles it is in.

    `closed` is the trust that is shown to admit nobody, or None to leave the trust as it is. `held`: only those that
    deny and close it, with a deny that keeps the role from being deleted unasked.
    """
    about = {"RoleName": role.name}
    is_closed = closed is not None and canonical(role.trust) == canonical(closed)
    wanted = held_deny() if held else kill_deny()
    is_killed = canonical(role.inline.get(REVOKED, {})) == canonical(wanted) if held else _denies_all(role)
    is_bare = is_closed and not (role.inline or role.managed or profiles)
    calls = []
    if not is_bare and not is_killed:
        deny = {"PolicyName": REVOKED, "PolicyDocument": compact(wanted)}
        calls.append(Call("iam", "put_role_policy", {**about, **deny}))
    if closed is not None and not is_closed:
        calls.append(Call("iam", "update_assume_role_policy", {**about, "PolicyDocument": compact(closed)}))
    if held:
        return tuple(calls)
    calls += [
        Call("iam", "remove_role_from_instance_profile", {**about, "InstanceProfileName": each}) for each in profiles
    ]
    calls += [Call("iam", "detach_role_policy", {**about, "PolicyArn": arn}) for arn in role.managed]
    calls += [
        Call("iam", "delete_role_policy", {**about, "PolicyName": name}) for name in role.inline if name != REVOKED
    ]
    if not is_bare:
        calls.append(Call("iam", "delete_role_policy", {**about, "PolicyName": REVOKED}))
    return (*calls, Call("iam", "delete_role", about))


def _denies_all(role: Role) -> bool:
    return canonical(role.inline.get(REVOKED, {})) in (canonical(kill_deny()), canonical(held_deny()))


def revoke(
    standing: Standing,
    *,
    perform: Perform,
    now: Callable[[], datetime],
    waiting: Waiting,
    tell: Callable[[Call], None] = lambda call: None,
) -> Receipt:
    """Revoke one of our roles, however much of it is left. Raises Interrupted; running it again goes on."""
    work = _Revoking(standing, perform, now, waiting, tell)
    try:
        waiting.until(work.take_apart, passing=UNSEEN | {"DeleteConflict"})
        gone_at = None if work.refused else waiting.until(work.gone)
    except CallError as error:
        stopped = work.interrupted(error.what, full=error.code == "LimitExceeded")
        raise stopped.with_details(error.details) from None
    if gone_at is None:
        raise work.interrupted(work.refused or f"{standing.role.name} is still shown by AWS")
    return Receipt(
        name=standing.role.name,
        role_arn=standing.role.arn,
        contractor=standing.record.contractor,
        removed=tuple(work.removed),
        trust_closed=work.trust_closed,
        gone_at=gone_at,
        others=other_roles(perform, standing.record.contractor, but=standing.role.name),
    )


def shut(
    standing: Standing,
    *,
    perform: Perform,
    now: Callable[[], datetime],
    waiting: Waiting,
    tell: Callable[[Call], None] = lambda call: None,
) -> Shut:
    """Deny everything to a role and close it, and leave the rest. Raises Interrupted; running it again goes on."""
    work = _Revoking(standing, perform, now, waiting, tell, held=True)
    try:
        waiting.until(work.take_apart)
    except CallError as error:
        raise work.interrupted(error.what, full=error.code == "LimitExceeded") from None
    if work.refused or not work.is_shut:
        raise work.interrupted(work.refused or f"{standing.role.name} is not seen in the account any more")
    role = standing.role
    return Shut(name=role.name, role_arn=role.arn, done=tuple(work.removed), trust_closed=work.trust_closed)


class _Revoking:
    """One revocation under way: what was removed so far, and how the role stands."""

    def __init__(
        self,
        standing: Standing,
        perform: Perform,
        now: Callable[[], datetime],
        waiting: Waiting,
        tell: Callable[[Call], None],
        *,
        held: bool = False,
    ) -> None:
        self.removed: list[Removed] = []
        self.refused = ""
        """Why the role could not be taken apart in the last try; empty when it was."""
        self._standing = standing
        self._perform = perform
        self._now = now
        self._waiting = waiting
        self._tell = tell
        self._held = held
        self._closed: Mapping[str, Any] | None = self._shown(closed_trust())
        self.trust_closed = self._closed is not None
        self._stands(standing.role)

    def take_apart(self) -> bool:
        """Read, plan, perform, up to DeleteRole."""
        role = self._read()
        if role is not None:
            self._stands(role)
            for call in plan_revoke(role, self._profiles(role), closed=self._closed, held=self._held):
                self._one(call)
        self.refused = ""
        return True

    @property
    def is_shut(self) -> bool:
        """Whether the role denies everything, or has no policy and admits nobody."""
        return self._killed or (self._bare and self._shut)

    def _profiles(self, role: Role) -> tuple[str, ...]:
        return () if self._held else _profiles(self._perform, role.name)

    def gone(self) -> datetime | None:
        """The time at which the role is seen to be gone, or None to come again."""
        return self._now() if self._read() is None else None

    def interrupted(self, what: str, *, full: bool = False) -> Interrupted:
        """What to say when it cannot go on: what holds already, and what to do."""
        name = self._standing.role.name
        if self._killed:
            holds = "the role denies everything to every session already"
        elif self._bare:
            holds = f"the role carries no policy{' and admits nobody' if self._shut else ''}"
        else:
            holds = "nothing was changed: the access is as it was"
        first = "its inline policies leave no room for the deny: delete the largest by hand, then " if full else ""
        return Interrupted(
            what,
            do=f"{first}run `{command('valetkey revoke', name)}` again to finish; {holds}",
            where=self._standing.role.arn,
        )

    def _stands(self, role: Role) -> None:
        """Keep how the role stands, for `interrupted`."""
        self._killed, self._bare = _denies_all(role), not (role.inline or role.managed)
        self._shut = self._closed is not None and canonical(role.trust) == canonical(self._closed)

    def _read(self) -> Role | None:
        """The role, or None when it is gone. One of this name made since is another role: it is not touched."""
        role = read_role(self._perform, self._standing.role.name)
        return role if role is not None and role.created == self._standing.role.created else None

    def _one(self, call: Call) -> None:
        self._tell(call)
        try:
            self._waiting.write(self._perform, call, passing=BUSY)
        except CallError as error:
            if call.operation == "update_assume_role_policy" and error.code in _REFUSED_DOCUMENT:
                self._closed, self.trust_closed = None, False
                return
            # Gone already: an earlier attempt of the same call got through unheard.
            if error.code != "NoSuchEntity" or call.operation == "put_role_policy":
                self.refused = error.what
                raise
        self.removed.append(Removed(call, self._now()))
        if call.operation == "update_assume_role_policy":
            self.trust_closed = self._shut = self._read_back()
        elif call.params.get("PolicyName") == REVOKED:
            self._killed = call.operation == "put_role_policy"
            self._bare = not self._killed

    def _read_back(self) -> bool:
        """Whether AWS gives the closed trust back within a short time. If not, the deny holds and the work goes on."""

        def look() -> bool | None:
            role = self._perform(Call("iam", "get_role", {"RoleName": self._standing.role.name}))["Role"]
            return True if self._shown(role["AssumeRolePolicyDocument"]) else None

        return replace(self._waiting, limit=min(self._waiting.limit, 10.0)).until(look) is True

    def _shown(self, document: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The document if it is shown to admit nobody. One that cannot be read is not shown."""
        from valetkey.trust.showing import admits_nobody

        try:
            shown = admits_nobody(document, role_arn=self._standing.role.arn)
        except Problem:
            return None
        return document if shown.holds else None


_REFUSED_DOCUMENT = frozenset({"MalformedPolicyDocument", "InvalidInput", "ValidationError"})


def other_roles(perform: Perform, contractor: str, *, but: str) -> tuple[str, ...] | None:
    """Names of the account's other roles whose trust lets somebody of the contractor in; None: not readable."""
    try:
        return tuple(
            role["RoleName"]
            for role in everything(perform, Call("iam", "list_roles", {"MaxItems": 1000}), "Roles")
            if role["RoleName"] != but and names(role["AssumeRolePolicyDocument"], contractor)
        )
    except CallError:
        return None


def names(trust: Any, account: str) -> bool:
    """Whether an Allow statement of a trust names the account, anybody of it, or everybody. Conditions do not count."""
    statements = trust.get("Statement", ()) if isinstance(trust, Mapping) else ()
    for statement in [statements] if isinstance(statements, Mapping) else statements:
        principal = statement.get("Principal", ())
        named = principal.get("AWS", ()) if isinstance(principal, Mapping) else principal
        for each in [named] if isinstance(named, str) else named:
            if statement.get("Effect") == "Allow" and (each in ("*", account) or f"::{account}:" in each):
                return True
    return False


def _profiles(perform: Perform, name: str) -> tuple[str, ...]:
    """The instance profiles that the role is in; none when they may not be listed, and DeleteRole finds them."""
    call = Call("iam", "list_instance_profiles_for_role", {"RoleName": name})
    try:
        return tuple(each["InstanceProfileName"] for each in everything(perform, call, "InstanceProfiles"))
    except CallError as error:
        if error.code != "AccessDenied":
            raise
        return ()
