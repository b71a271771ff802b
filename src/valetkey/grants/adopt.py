"""Make a prepared adoption: the calls in order, the trust read back and proved, the role read back in the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from valetkey.account.calls import Call, CallError, Perform
from valetkey.grants.adopt_prepare import Adoption, NotAdopted, plan_tags
from valetkey.grants.grant import Grant
from valetkey.grants.make import Interrupted, prove
from valetkey.grants.role import Role, read_role
from valetkey.grants.status import Standing, read_standing, terms_on
from valetkey.grants.waiting import BUSY, Waiting


@dataclass(frozen=True, kw_only=True)
class Adopted:
    """An adoption as made and seen in the account."""

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
    """Make the adoption. `look_again`: a person has thought it over, and another may have changed the role meanwhile.
    Raises NotAdopted, NotProved, Interrupted."""
    name, done = adoption.role.name, list[Call]()
    try:
        if look_again and adoption.calls:
            role = read_role(perform, name)
            if role is None or replace(role, last_used=None) != replace(adoption.role, last_used=None):
                raise NotAdopted(f"{name} was changed by somebody else since it was read", do="run the command again")
        for call in adoption.calls:
            tell(call)
            waiting.write(perform, call, passing=BUSY)
            done.append(call)
            if call.operation == "update_assume_role_policy" and adoption.tightened is not None:
                _read_back(adoption.tightened, adoption.role, perform, waiting)
        standing = waiting.until(lambda: _whole(adoption, perform))
    except CallError as error:
        raise _interrupted(error.what, adoption, done).with_details(error.details) from None
    except KeyboardInterrupt:
        raise _interrupted("interrupted", adoption, done, exit_code=130) from None
    if standing is None:
        raise _interrupted(f"{name} is not seen as wanted {waiting.limit:.0f} s after it was adopted", adoption, done)
    return Adopted(adoption=adoption, standing=standing, calls=tuple(done))


def _read_back(grant: Grant, role: Role, perform: Perform, waiting: Waiting) -> None:
    """Wait until AWS shows the new trust, and prove it as it is given back. Raises NotProved, Interrupted."""

    def look() -> Mapping[str, Any] | None:
        trust: Mapping[str, Any] = perform(Call("iam", "get_role", {"RoleName": role.name}))["Role"][
            "AssumeRolePolicyDocument"
        ]
        return trust if terms_on(replace(role, trust=trust), grant.terms.contractor) == grant.terms else None

    trust = waiting.until(look)
    if trust is None:
        raise Interrupted(
            f"AWS does not show the new trust policy of {role.name}",
            do="run the same command again; what is allowed meanwhile is what was allowed before, or less",
            where=role.arn,
        )
    prove(trust, grant)


def _whole(adoption: Adoption, perform: Perform) -> Standing | None:
    role = read_role(perform, adoption.role.name)
    if role is None or plan_tags(role, adoption.record):
        return None
    standing = read_standing(role)
    return None if standing.drift else standing


def _interrupted(what: str, adoption: Adoption, done: list[Call], *, exit_code: int = 3) -> Interrupted:
    so_far = f" (done so far: {', '.join(call.action for call in done)})" if done else ""
    holds = "the role allows no more than before" if done else "nothing was changed"
    return Interrupted(
        f"{what}{so_far}",
        do=f"run the same command again to finish; {holds}",
        where=adoption.role.arn,
        exit_code=exit_code,
    )
