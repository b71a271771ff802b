"""Create a grant: prove the trust policy, perform the planned calls, read it back, prove it again.

Rules:
- INVARIANT: no trust policy is sent that is not proved to admit exactly the terms, and no permission is added before
  the trust policy, as AWS returns it, is proved again.
- Policies that deny come before those that allow. If a deny limits what is allowed, no allowing policy follows before
  the deny had time to take effect (`Settling`): IAM guarantees no order among several writes.
- There is no rollback: after an interrupted run the role allows no more than the terms; the next run reads and plans
  again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from valetkey.account.calls import Call, CallError, Perform
from valetkey.commandline import command
from valetkey.errors import ValetkeyError
from valetkey.grants.grant import Grant
from valetkey.grants.plan import Order, plan
from valetkey.grants.role import LiveRole, canonical, read_role
from valetkey.grants.status import terms_on
from valetkey.grants.waiting import BUSY, Settle, Settling, Waiting, Writes
from valetkey.trust.terms import Terms
from valetkey.trust.writing import write_trust

if TYPE_CHECKING:
    from valetkey.trust.showing import ProvedTrust


class NotProved(ValetkeyError):
    """A trust policy does not admit exactly the terms' contractor. `shown` has the requests that prove it."""

    exit_code = 1

    def __init__(self, what: str, shown: ProvedTrust, *, do: str, where: str = "") -> None:
        super().__init__(what, do=do, where=where)
        self.shown = shown


class Interrupted(ValetkeyError):
    """AWS refused or failed while a grant was created or revoked. `what` is the failure, `do` the state and how to
    continue."""

    exit_code = 3


@dataclass(frozen=True)
class MadeGrant:
    """A grant that was created and read back from the account."""

    grant: Grant
    role: LiveRole
    calls: tuple[Call, ...]
    """The calls that were performed; empty if everything existed already."""
    proof: ProvedTrust


def prove(document: Mapping[str, Any], wanted: Grant) -> ProvedTrust:
    """Prove that a trust policy admits exactly the terms. Raises NotProved otherwise."""
    shown = _shown(canonical(document), wanted.terms, wanted.role_arn)
    if not shown.holds:
        raise NotProved(
            f"the trust policy of {wanted.name} is not proved to admit exactly the terms",
            shown,
            do="nothing may be written with it; please report this with the terms that you gave",
            where=wanted.role_arn,
        )
    return shown


def is_trust_shown(wanted: Grant, role: LiveRole, *, perform: Perform, waiting: Waiting) -> bool:
    """Return whether AWS returns a trust policy with the terms within the waiting time, and prove it as returned.
    `role` is the role before. Raises NotProved, CallError."""

    def look() -> Mapping[str, Any] | None:
        result = perform(Call("iam", "get_role", {"RoleName": wanted.name}))["Role"]
        trust: Mapping[str, Any] = result["AssumeRolePolicyDocument"]
        return trust if terms_on(replace(role, trust=trust), wanted.terms.contractor) == wanted.terms else None

    trust = waiting.until(look)
    if trust is not None:
        prove(trust, wanted)
    return trust is not None


@lru_cache(maxsize=4)
def _shown(document: str, terms: Terms, role_arn: str) -> ProvedTrust:
    """Prove a document; cached, because the same document is usually proved before the call and after it."""
    from valetkey.trust.showing import admits_only

    return admits_only(json.loads(document), terms, role_arn=role_arn)


_AS_PLANNED = Order()


def make(
    wanted: Grant,
    role: LiveRole | None,
    *,
    perform: Perform,
    now: datetime,
    waiting: Waiting,
    order: Order = _AS_PLANNED,
    tell_wait: Callable[[float], None] = lambda seconds: None,
    tell: Callable[[Call], None] = lambda call: None,
) -> MadeGrant:
    """Create the grant, or finish it. `tell` is called before every write.

    `order` is `Prepared.order`; `tell_wait` is called with the seconds before each wait in it. `role` is the role as
    read when the grant was prepared. An existing role is read again: a person may have taken time to confirm, and a
    revocation may have begun.

    Raises Differs, ForeignRole, NotProved, Interrupted, or what `check` raises.
    """
    prove(write_trust(wanted.terms), wanted)
    writes = Writes(perform, waiting, tell)
    settling = Settling(waiting, tell=tell_wait)
    try:
        role = read_role(perform, wanted.name) if role is not None else None
        rest = plan(wanted, role)
        if role is None:
            role = _create(rest[0], wanted, perform, waiting, writes)
            rest = plan(wanted, role)
        prove(role.trust, wanted)
        for step in order.steps(wanted, rest):
            if isinstance(step, Settle):
                settling.wait()
                continue
            writes.one(step)
            settling.closed()
        role = waiting.until(lambda: _complete(wanted, perform))
    except CallError as error:
        raise _interrupted(error, wanted, writes).with_details(error.details) from None
    except KeyboardInterrupt:
        raise _stopped(wanted, writes) from None
    if role is None:
        raise _unseen(wanted, waiting)
    return MadeGrant(wanted, role, tuple(writes.done), prove(role.trust, wanted))


def _create(call: Call, wanted: Grant, perform: Perform, waiting: Waiting, writes: Writes) -> LiveRole:
    """Create the role and wait until it is visible. An earlier attempt of the same call may have succeeded without a
    response."""
    exists, patience = not writes.one(call, passing=BUSY, unheard=frozenset({"EntityAlreadyExists"})), waiting
    if exists:
        # An existing role is visible within seconds; one whose name differs in case never is.
        patience = replace(waiting, limit=min(waiting.limit, 20.0))
    role = patience.until(lambda: read_role(perform, wanted.name))
    if role is None and exists:
        raise ValetkeyError(
            f"AWS reports that the role {wanted.name} exists, but does not return it under this name",
            do="look for a role whose name differs in upper and lower case only, and choose another name",
            where=wanted.role_arn,
        )
    if role is None:
        raise _unseen(wanted, waiting)
    return role


def _unseen(wanted: Grant, waiting: Waiting) -> Interrupted:
    return Interrupted(
        f"{wanted.name} is not complete in the account {waiting.limit:.0f} s after it was created",
        do="run the same command again: it reads, checks and finishes the role, which allows no more than the terms",
        where=wanted.role_arn,
    )


def _complete(wanted: Grant, perform: Perform) -> LiveRole | None:
    """Return the role if no call is left. A role that shows only some of the recent writes is not complete."""
    role = read_role(perform, wanted.name)
    return role if role is not None and not plan(wanted, role) else None


_ADVICE = {
    "MalformedPolicyDocument": "the usual cause is a principal that does not exist: check the contractor's account id, "
    "and that every --pin exists (names given with --only do not have to exist)",
    "LimitExceeded": "a quota of the account is reached: raise it in Service Quotas, or remove something",
}


_TOO_LARGE = (
    "the trust policy is larger than this account allows: name fewer principals, or raise the quota "
    "'Role trust policy length' in Service Quotas"
)


def advice(error: CallError) -> str:
    """Return what to do if AWS refuses a trust policy, or a quota is reached."""
    if error.code == "LimitExceeded" and "ACLSizePerRole" in error.message:
        return _TOO_LARGE
    return _ADVICE.get(error.code, error.do)


def interruption(begun: Call | None) -> str:
    """Describe what ^C has interrupted: AWS may or may not have performed a call that was in progress."""
    return f"interrupted{f' during {begun.action}; AWS may or may not have performed it' if begun else ''}"


def _so_far(writes: Writes) -> str:
    """Describe which calls are done, and which may be."""
    done = ", ".join(call.action for call in writes.done) or "nothing"
    return f"{done}, and perhaps {writes.begun.action}" if writes.begun else done


def _stopped(wanted: Grant, writes: Writes) -> Interrupted:
    """Return the error after ^C. AWS may or may not have performed a call that was in progress."""
    if not writes.done and writes.begun is None:
        return Interrupted("interrupted: nothing was changed", where=wanted.role_arn, exit_code=130)
    return Interrupted(
        f"interrupted: {wanted.name} is not finished; done: {_so_far(writes)}",
        do="the role allows no more than the terms; run the same command again to finish, "
        f"or `{command('valetkey revoke', wanted.name)}`",
        where=wanted.role_arn,
        exit_code=130,
    )


def _interrupted(error: CallError, wanted: Grant, writes: Writes) -> Interrupted:
    text = advice(error)
    if not writes.done and writes.begun is None:
        return Interrupted(
            error.what,
            do=text or "nothing was granted; run the same command again",
            where=wanted.role_arn,
            exit_code=2 if error.code == "MalformedPolicyDocument" else 3,
        )
    return Interrupted(
        f"{error.what} (done so far: {_so_far(writes)})",
        do=f"{text + '; then ' if text else ''}run the same command again to finish: "
        "the role allows no more than the terms",
        where=wanted.role_arn,
    )
