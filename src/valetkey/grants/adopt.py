"""Perform a prepared adoption: make the calls in order, read back and prove the trust policy, read back the role."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from valetkey.account.calls import Call, CallError, Perform
from valetkey.grants.adopt_prepare import Adoption, NotAdopted, plan_tags
from valetkey.grants.make import Interrupted, advice, interruption, is_trust_shown
from valetkey.grants.role import is_unchanged, read_role
from valetkey.grants.status import Standing, read_standing
from valetkey.grants.waiting import BUSY, Waiting, Writes


@dataclass(frozen=True, kw_only=True)
class Adopted:
    """An adoption that was performed and read back from the account."""

    adoption: Adoption
    standing: Standing
    calls: tuple[Call, ...]


def adopt(
    adoption: Adoption,
    *,
    perform: Perform,
    waiting: Waiting,
    look_again: bool = False,
    tell: Callable[[Call], None] = lambda call: None,
) -> Adopted:
    """Perform the adoption. `look_again`: a person had time to decide, so the role may have changed since it was read.
    Raises NotAdopted, NotProved, Interrupted."""
    name, writes = adoption.role.name, Writes(perform, waiting, tell)
    try:
        if look_again and adoption.calls and not is_unchanged(perform, adoption.role):
            raise NotAdopted(f"{name} was changed by somebody else since it was read", do="run the command again")
        for call in adoption.calls:
            writes.one(call, passing=BUSY)
            if (
                call.operation == "update_assume_role_policy"
                and (wanted := adoption.tightened) is not None
                and not is_trust_shown(wanted, adoption.role, perform=perform, waiting=waiting)
            ):
                raise _interrupted(f"AWS does not show the new trust policy of {name}", adoption, writes)
        standing = waiting.until(lambda: _whole(adoption, perform))
    except CallError as error:
        raise _interrupted(error.what, adoption, writes, advice(error)).with_details(error.details) from None
    except KeyboardInterrupt:
        raise _interrupted(interruption(writes.begun), adoption, writes, exit_code=130) from None
    if standing is None:
        raise _interrupted(
            f"{name} does not have the requested state {waiting.limit:.0f} s after it was adopted", adoption, writes
        )
    return Adopted(adoption=adoption, standing=standing, calls=tuple(writes.done))


def _whole(adoption: Adoption, perform: Perform) -> Standing | None:
    role = read_role(perform, adoption.role.name)
    if role is None or plan_tags(role, adoption.record):
        return None
    standing = read_standing(role)
    return None if standing.drift else standing


def _interrupted(what: str, adoption: Adoption, writes: Writes, advice: str = "", *, exit_code: int = 3) -> Interrupted:
    so_far = f" (done so far: {', '.join(call.action for call in writes.done)})" if writes.done else ""
    holds = "the role allows no more than before" if writes.done or writes.begun else "nothing was changed"
    return Interrupted(
        f"{what}{so_far}",
        do=f"{f'{advice}; then ' if advice else ''}run the same command again to finish; {holds}",
        where=adoption.role.arn,
        exit_code=exit_code,
    )
