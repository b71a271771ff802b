"""Perform a prepared change: make the steps in order, read back and prove the trust policy, read back the whole
role."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from valetkey.account.calls import Call, CallError, Perform
from valetkey.errors import ValetkeyError
from valetkey.grants.change_plan import Cut
from valetkey.grants.change_prepare import Changed, prepare_change, steps_of
from valetkey.grants.make import Interrupted, advice, interruption, is_trust_shown, prove
from valetkey.grants.role import LiveRole, compact, is_unchanged, read_role
from valetkey.grants.semantics import People
from valetkey.grants.status import read_standing, sessions_deny
from valetkey.grants.waiting import SETTLE_SECONDS, Settle, Settling, Waiting, Writes
from valetkey.trust.record import SESSIONS
from valetkey.trust.self_denies import SessionsDeny

if TYPE_CHECKING:
    from valetkey.trust.showing import ProvedTrust

__all__ = ["Changed", "Done", "change", "prepare_change"]


@dataclass(frozen=True, kw_only=True)
class Done:
    """A change that was performed and read back from the account."""

    change: Changed
    role: LiveRole
    calls: tuple[Call, ...]
    proof: ProvedTrust
    cut: datetime | None
    """Sessions issued before this time are denied; None: existing sessions were kept."""
    waited: float
    """Seconds spent waiting for changes to take effect."""


def change(
    changed: Changed,
    *,
    perform: Perform,
    now: Callable[[], datetime],
    waiting: Waiting,
    look_again: bool = False,
    settle: float = SETTLE_SECONDS,
    tell: Callable[[Call], None] = lambda call: None,
    tell_wait: Callable[[float], None] = lambda seconds: None,
) -> Done:
    """Perform the change. `now` is AWS's time, for the deny on older sessions.

    `look_again`: a person had time to decide since the role was read, so it may have been changed, or a revocation may
    have begun; it is then read again first. Raises ValetkeyError (exit code 1) if it has changed, NotProved,
    Interrupted.
    """
    if look_again and changed.steps:
        _check_unchanged(changed, perform)
    work = _Work(changed, perform, now, waiting, Settling(waiting, seconds=settle, tell=tell_wait), tell)
    try:
        role = work.run()
    except CallError as error:
        raise work.interrupted(error.what, advice(error)).with_details(error.details) from None
    except KeyboardInterrupt:
        raise work.interrupted(interruption(work.writes.begun), "", exit_code=130) from None
    if role is None:
        raise work.interrupted(
            f"{changed.wanted.name} does not have the requested state {waiting.limit:.0f} s after the change", ""
        )
    there = sessions_deny(role)
    return Done(
        change=changed,
        role=role,
        calls=tuple(work.writes.done),
        proof=prove(role.trust, changed.wanted),
        cut=there.before if there is not None and changed.changing.cuts else None,
        waited=work.settling.waited,
    )


def _check_unchanged(changed: Changed, perform: Perform) -> None:
    if not is_unchanged(perform, changed.standing.role):
        raise ValetkeyError(
            f"{changed.wanted.name} was changed by somebody else since it was read",
            do="run the command again and review what it changes then; nothing was changed",
            where=changed.wanted.role_arn,
            exit_code=1,
        )


class _Work:
    """One change in progress."""

    def __init__(
        self,
        changed: Changed,
        perform: Perform,
        now: Callable[[], datetime],
        waiting: Waiting,
        settling: Settling,
        tell: Callable[[Call], None],
    ) -> None:
        self.writes = Writes(perform, waiting, tell)
        self.settling = settling
        self._changed = changed
        self._perform = perform
        self._now = now
        self._waiting = waiting
        self._is_cut = False

    def run(self) -> LiveRole | None:
        """Make the steps. Returns the role as read back; None if AWS does not show the requested state in time."""
        steps = list(self._changed.steps)
        last = steps[-1] if steps else None
        if isinstance(last, Call) and last.operation == "untag_role":
            steps.pop()
        else:
            last = None
        for number, step in enumerate(steps):
            if isinstance(step, Settle):
                self.settling.wait()
            elif isinstance(step, Cut):
                self._cut()
            else:
                self._one(step)
                if step.operation == "update_assume_role_policy" and number + 1 < len(steps):
                    self._read_back()
        role = self._waiting.until(self._complete)
        if role is not None and last is not None:
            self._one(last)
            role = replace(role, tags={k: v for k, v in role.tags.items() if k not in last.params["TagKeys"]})
        return role

    def _one(self, call: Call) -> None:
        is_removal = call.operation in ("detach_role_policy", "delete_role_policy")
        self.writes.one(call, unheard=frozenset({"NoSuchEntity"}) if is_removal else frozenset())
        self.settling.closed()

    def _cut(self) -> None:
        """Deny existing sessions. A suspension that has not ended already does that."""
        self._is_cut = True
        now = self._now()
        if self._changed.standing.suspended(now):
            return
        document = compact(SessionsDeny.of_before(now).document)
        about = {"RoleName": self._changed.wanted.name, "PolicyName": SESSIONS}
        self._one(Call("iam", "put_role_policy", {**about, "PolicyDocument": document}))

    def _read_back(self) -> None:
        """Read back and prove the new trust policy. No permission is added before this."""
        wanted, role = self._changed.wanted, self._changed.standing.role
        if not is_trust_shown(wanted, role, perform=self._perform, waiting=self._waiting):
            raise self.interrupted(f"AWS does not show the new trust policy of {wanted.name}", "")

    def _complete(self) -> LiveRole | None:
        role = read_role(self._perform, self._changed.wanted.name)
        if role is None:
            return None
        standing = read_standing(role)
        left = steps_of(replace(self._changed, people=People(False, False)), standing)
        is_done = standing.terms == self._changed.wanted.terms and all(
            isinstance(item, Settle)
            or (isinstance(item, Cut) and self._is_cut)
            or (isinstance(item, Call) and item.operation == "untag_role")
            for item in left
        )
        return role if is_done else None

    def interrupted(self, what: str, advice: str, *, exit_code: int = 3) -> Interrupted:
        """Return the error: the state in effect, and how to continue."""
        done, begun = self.writes.done, self.writes.begun
        so_far = f" (done so far: {', '.join(call.action for call in done)})" if done else ""
        holds = (
            "until then everything that is allowed is allowed by the old terms or by the new ones"
            if done or begun
            else "nothing was changed"
        )
        return Interrupted(
            f"{what}{so_far}",
            do=f"{f'{advice}; then ' if advice else ''}run the same command again to finish; {holds}",
            where=self._changed.wanted.role_arn,
            exit_code=exit_code,
        )
