"""Revoke a grant: first deny everything, then close the trust policy, then remove everything.

Rules:
- IAM changes take seconds in most cases, up to a few minutes, and may take effect in another order than they were made.
  So nothing that denies is removed before the changes that close access have had time to take effect (`Settling`).
- The order: (1) put an unconditional inline deny; (2) replace the trust policy with one proved to admit nobody; it is
  replaced, never edited, because a trust policy with the unique id of a deleted principal cannot be written back; (3)
  leave instance profiles, and remove policies that hold no deny; (4) wait; remove the other policies, those that also
  allow before those that only deny, the grant's own denies second to last, the deny of (1) last; (5) delete the role,
  and read until it is gone.
- INVARIANT: after every prefix of the calls the contractor can do no more than before, whatever the order in which the
  calls of the last `Settling.seconds` take effect; and nothing once the deny has taken effect.
- After the wait the role is read again: a session that was still accepted may have removed the deny. The grant's own
  deny on changing its role, in effect since the grant was created, prevents that; therefore it is removed second to
  last.
- If AWS refuses the document of (2) (fact U3), (1) is in effect and the rest continues. The document takes nothing from
  the previous trust policy, so IAM's requirements for shared OIDC issuers in a saved trust policy cannot apply to it
  (fact W12). A boundary is never removed: it only restricts.
- `shut` does only (1) and (2), for a role that does not match its record (`fitting.misfits`): tags can be forged, so
  deletion needs a person who names the role.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from valetkey.account.calls import REFUSED, Call, CallError, Perform
from valetkey.commandline import command
from valetkey.errors import ValetkeyError
from valetkey.grants.grant import REVOKED
from valetkey.grants.make import Interrupted, interruption
from valetkey.grants.others import Others, other_roles
from valetkey.grants.revoke_plan import denies_all, is_closed, plan_close, plan_remove, plan_revoke, step
from valetkey.grants.role import LiveRole, instance_profiles, read_role
from valetkey.grants.status import Standing
from valetkey.grants.taken import NOTHING_READ, HeldPolicies, Taken, read_held, taken
from valetkey.grants.waiting import BUSY, SETTLE_SECONDS, TAKES, UNSEEN, Settling, Waiting, Writes
from valetkey.trust.writing import closed_trust

__all__ = [
    "NOT_WAITED",
    "SPREADS",
    "SURVIVES",
    "Receipt",
    "Removed",
    "Shut",
    "plan_close",
    "plan_remove",
    "plan_revoke",
    "revoke",
    "shut",
    "step",
]

SURVIVES = (
    "sessions of other roles that the contractor assumed from this one remain valid until they expire",
    "everything that the contractor created or changed in the account remains: users, keys, roles, resources",
)
SPREADS = f"IAM changes take effect within {TAKES}; until then an active session may still be accepted in some places"
NOT_WAITED = (
    "Not waited for (--no-wait): the denies were removed at once, so that for "
    f"{TAKES}, an active session may still have been allowed what the role's policies allowed"
)
_ROUNDS = 4
"""How often the deny is written before a revocation gives up, if someone removes it."""


@dataclass(frozen=True)
class Removed:
    """A performed call, and its time (aware, UTC)."""

    call: Call
    at: datetime

    @property
    def what(self) -> str:
        """The step in words."""
        return step(self.call)


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """The result of a revocation."""

    name: str
    role_arn: str
    contractor: str
    removed: tuple[Removed, ...]
    trust_closed: bool
    """False if AWS refused the closed trust policy, or did not show it in time; the deny was in effect."""
    gone_at: datetime
    """When the role was no longer visible."""
    others: Others | None
    """Other roles of this account that the same contractor can assume; None if they could not be listed, were not
    searched, or the contractor is not known."""
    waited: float
    """Seconds spent waiting for the deny to take effect, without other calls."""
    skipped: bool
    """Whether the wait was skipped (--no-wait)."""
    undone: int
    """How often the deny was missing after the wait, and was written again."""
    taken: Taken
    """Credentials and sessions from the role that outlive the deny, by its policies as read in this run."""


@dataclass(frozen=True, kw_only=True)
class Shut:
    """A role that was denied and closed, but not deleted."""

    name: str
    role_arn: str
    done: tuple[Removed, ...]
    """The calls that were performed; empty if it was already denied and closed."""
    trust_closed: bool
    """False if AWS refused the closed trust policy, or did not show it in time; the deny is in effect."""


def revoke(
    standing: Standing,
    *,
    perform: Perform,
    now: Callable[[], datetime],
    waiting: Waiting,
    settle: float = SETTLE_SECONDS,
    with_others: bool = True,
    tell: Callable[[Call], None] = lambda call: None,
    tell_wait: Callable[[float], None] = lambda seconds: None,
    again: str = "",
) -> Receipt:
    """Revoke a role of a grant, or what is left of it. Raises Interrupted; running it again continues.

    `settle` is how many seconds the deny gets to take effect before anything that denies is removed; 0 skips that.
    `with_others`: whether to search for other roles that trust the contractor, which reads every role of the account.
    `tell_wait` is called with the seconds before each wait. `again` are the options for running the command again.
    """
    settling = Settling(waiting, seconds=settle, tell=tell_wait)
    work = _Revoking(standing, perform, now, waiting, settling, tell, again=again)
    try:
        waiting.until(work.take_apart, passing=UNSEEN | {"DeleteConflict"})
        gone_at = None if work.refused else waiting.until(work.gone)
    except CallError as error:
        stopped = work.interrupted(error.what, full=error.code == "LimitExceeded")
        raise stopped.with_details(error.details) from None
    except KeyboardInterrupt:
        raise work.interrupted(interruption(work.writes.begun), exit_code=130) from None
    if gone_at is None:
        raise work.interrupted(work.refused or f"{standing.role.name} is still shown by AWS")
    held = work.held or read_held(standing.role, standing.record, perform)
    return Receipt(
        name=standing.role.name,
        role_arn=standing.role.arn,
        contractor=standing.record.contractor,
        removed=tuple(work.removed),
        trust_closed=work.trust_closed,
        gone_at=gone_at,
        others=other_roles(perform, standing.record.contractor, but=standing.role.name)
        if with_others and standing.record.contractor
        else None,
        waited=settling.waited,
        skipped=settling.seconds == 0,
        undone=work.undone,
        taken=taken(held, role_arn=standing.role.arn),
    )


def shut(
    standing: Standing,
    *,
    perform: Perform,
    now: Callable[[], datetime],
    waiting: Waiting,
    tell: Callable[[Call], None] = lambda call: None,
    again: str = "",
) -> Shut:
    """Deny everything to a role and close its trust policy, and keep the rest. Raises Interrupted; running it again
    continues."""
    work = _Revoking(standing, perform, now, waiting, Settling(waiting, seconds=0), tell, keep=True, again=again)
    try:
        waiting.until(work.take_apart)
    except CallError as error:
        stopped = work.interrupted(error.what, full=error.code == "LimitExceeded")
        raise stopped.with_details(error.details) from None
    except KeyboardInterrupt:
        raise work.interrupted(interruption(work.writes.begun), exit_code=130) from None
    if work.refused or not work.is_shut:
        raise work.interrupted(work.refused or f"{standing.role.name} is no longer visible in the account")
    role = standing.role
    return Shut(name=role.name, role_arn=role.arn, done=tuple(work.removed), trust_closed=work.trust_closed)


class _Revoking:
    """A revocation in progress: the calls so far, and the state of the role."""

    def __init__(
        self,
        standing: Standing,
        perform: Perform,
        now: Callable[[], datetime],
        waiting: Waiting,
        settling: Settling,
        tell: Callable[[Call], None],
        *,
        keep: bool = False,
        again: str = "",
    ) -> None:
        self._again = again
        self.removed: list[Removed] = []
        self.refused = ""
        """Why the last attempt could not remove everything, or empty."""
        self.held: HeldPolicies | None = None
        """Its policies, read after it was denied and closed."""
        self.undone = 0
        self.writes = Writes(perform, waiting, tell)
        self._standing = standing
        self._perform = perform
        self._now = now
        self._waiting = waiting
        self._settling = settling
        self._keep = keep
        """Whether the role is only denied and closed."""
        self._closed: Mapping[str, Any] | None = self._shown(closed_trust())
        self.trust_closed = self._closed is not None
        self._stands(standing.role)

    def take_apart(self) -> bool:
        """Read, plan and perform, up to DeleteRole; begin again with reading after every wait. Raises Interrupted."""
        for number in range(_ROUNDS):
            role = self._read()
            if role is None:
                break
            self._stands(role)
            self.undone += number > 0 and not (self._killed or self._bare)
            if self._round(role):
                break
        else:
            raise self.interrupted(
                f"AWS did not show the deny on {self._standing.role.name} {_ROUNDS - 1} times after it was written: "
                "someone removes it, or AWS is slow"
            )
        self.refused = ""
        return True

    @property
    def is_shut(self) -> bool:
        """Whether the role denies everything, or has no policy and admits nobody."""
        return self._killed or (self._bare and self._shut)

    def _round(self, role: LiveRole) -> bool:
        """Perform the remaining calls. Returns False after a wait: the role must be read again."""
        profiles = () if self._keep else _profiles(self._perform, role.name)
        for call in plan_close(role, profiles, closed=self._closed, keep=self._keep):
            self._one(call)
        if self._keep:
            return True
        if self.held is None:
            self.held = read_held(role, self._standing.record, self._perform)
        for left in plan_remove(role, profiles, closed=self._closed, held=self.held):
            if isinstance(left, Call):
                self._one(left)
            elif self._settling.wait():
                return False
        return True

    def gone(self) -> datetime | None:
        """Return the time if the role is gone, or None to look again."""
        return self._now() if self._read() is None else None

    def interrupted(self, what: str, *, full: bool = False, exit_code: int = 3) -> Interrupted:
        """Return the error if it cannot continue: the state in effect, and what to do."""
        name = self._standing.role.name
        if self._killed:
            holds = f"the role carries the deny on everything, which takes effect within {TAKES}"
        elif self._bare:
            holds = f"the role carries no policy{' and admits nobody' if self._shut else ''}"
        elif self.writes.begun is not None:
            holds = "the access may be unchanged"
        else:
            holds = "nothing was changed: the access is unchanged"
        first = "its inline policies leave no room for the deny: delete the largest by hand, then " if full else ""
        return Interrupted(
            what,
            do=f"{first}run `{command('valetkey revoke', name, then=self._again)}` again to finish; {holds}",
            where=self._standing.role.arn,
            exit_code=exit_code,
        )

    def _stands(self, role: LiveRole) -> None:
        """Store the state of the role, for `interrupted`."""
        self._killed, self._bare = denies_all(role), not (role.inline or role.managed)
        self._shut = is_closed(role, self._closed)

    def _read(self) -> LiveRole | None:
        """Return the role, or None if it is gone. A role of this name that was created since is another role and is not
        changed."""
        role = read_role(self._perform, self._standing.role.name)
        return role if role is not None and role.created == self._standing.role.created else None

    def _one(self, call: Call) -> None:
        # Already gone: an earlier attempt of the same call succeeded without a response.
        unheard = frozenset[str]() if call.operation == "put_role_policy" else frozenset({"NoSuchEntity"})
        try:
            self.writes.one(call, passing=BUSY, unheard=unheard)
        except CallError as error:
            if call.operation == _TRUST and error.code in _REFUSED_DOCUMENT:
                self._closed, self.trust_closed = None, False
                return
            self.refused = error.what
            raise
        self.removed.append(Removed(call, self._now()))
        if not self._loosens(call):
            self._settling.closed()
        if call.operation == _TRUST:
            self.trust_closed = self._shut = self._read_back()
        elif call.params.get("PolicyName") == REVOKED:
            self._killed = call.operation == "put_role_policy"
            self._bare = not self._killed

    def _loosens(self, call: Call) -> bool:
        """Return whether a call removed only a policy that denies."""
        name = call.params.get("PolicyName") or call.params.get("PolicyArn", "")
        is_removal = call.operation in ("delete_role_policy", "detach_role_policy")
        return is_removal and (name == REVOKED or (self.held or NOTHING_READ).kind(name) == "denies")

    def _read_back(self) -> bool:
        """Return whether AWS shows the closed trust policy within a short time. If not, the deny is in effect and the
        work continues."""

        def look() -> bool | None:
            role = self._perform(Call("iam", "get_role", {"RoleName": self._standing.role.name}))["Role"]
            return True if self._shown(role["AssumeRolePolicyDocument"]) else None

        return replace(self._waiting, limit=min(self._waiting.limit, 10.0)).until(look) is True

    def _shown(self, document: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Return the document if it is proved to admit nobody. An unreadable document is not proved."""
        from valetkey.trust.showing import admits_nobody

        try:
            shown = admits_nobody(document, role_arn=self._standing.role.arn)
        except ValetkeyError:
            return None
        return document if shown.holds else None


_TRUST = "update_assume_role_policy"
_REFUSED_DOCUMENT = frozenset({"MalformedPolicyDocument", "InvalidInput", "ValidationError"})


def _profiles(perform: Perform, name: str) -> tuple[str, ...]:
    """Return the instance profiles of the role; empty if the caller may not list them: then DeleteRole reports them."""
    try:
        return instance_profiles(perform, name)
    except CallError as error:
        if error.code not in REFUSED:
            raise
        return ()
