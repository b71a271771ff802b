"""Revocation of a role while its session keeps calling."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tools.live.steps import Json, Outcome, step
from tools.live.world import ONCE, Attempt, World, allow, attempt

from valetkey.trust import closed_trust, write_trust

_EVERY = 0.5
_LIMIT = 180.0
_QUIET = 10.0
"""Seconds without a success after which a deny counts as effective."""
_AFTER = 15.0


@dataclass
class Watch:
    """A session that keeps calling: when each call worked, and how it was refused."""

    world: World
    calls: Mapping[str, Callable[[], Mapping[str, Any]]]
    tried: list[tuple[float, str, Attempt]] = field(default_factory=list)

    def once(self) -> bool:
        """Make every call once. Returns whether any of them worked."""
        now = self.world.time.now()
        done = [(now, name, attempt(call)) for name, call in self.calls.items()]
        self.tried += done
        return any(item.ok for _, _, item in done)

    def during(self, seconds: float) -> int:
        """Keep calling. Returns how many calls worked."""
        before, until = len(self.tried), self.world.time.now() + seconds
        while self.world.time.now() < until:
            self.once()
            self.world.time.sleep(_EVERY)
        return sum(item.ok for _, _, item in self.tried[before:])

    def refused(self, since: float) -> dict[str, Json]:
        """Keep calling until nothing has worked for a while. Returns figures by call, in seconds from `since`."""
        start = len(self.tried)
        quiet_since = self.world.time.now()
        while self.world.time.now() - quiet_since < _QUIET and self.world.time.now() - since < _LIMIT:
            if self.once():
                quiet_since = self.world.time.now()
            self.world.time.sleep(_EVERY)
        result: dict[str, Json] = {}
        for name in self.calls:
            tries = [(at, item) for at, call, item in self.tried[start:] if call == name]
            no = next((at for at, item in tries if not item.ok), None)
            last = max((at for at, item in tries if item.ok), default=None)
            text = next((item.data() for _, item in tries if not item.ok), None)
            result[name] = {
                "first_refusal": None if no is None else round(no - since, 1),
                "last_success": None if last is None else round(last - since, 1),
                "successes_after_a_refusal": sum(item.ok for at, item in tries if no is not None and at > no),
                "refusal": text,
            }
        return result

    def codes(self, seconds: float) -> dict[str, Json]:
        """Keep calling. Returns, by call, the error codes in order of first occurrence ("" for a success)."""
        before = len(self.tried)
        self.during(seconds)
        seen: dict[str, list[str]] = {name: [] for name in self.calls}
        for _, name, item in self.tried[before:]:
            if item.code not in seen[name]:
                seen[name].append(item.code)
        return {**seen}


@step("revoke-under-calls", "W2", "W2b", "U5", "U6", "H14", "H24", "H29")
def revoke(world: World) -> Outcome:
    """A role is taken back while its session keeps calling."""
    trust = write_trust(world.terms())
    world.make_role("revoked", trust)
    new = world.must(lambda: world.enter("revoked").ok, "the role")
    session = world.role_session(world.enter("revoked"))
    watch = Watch(
        world,
        {
            "iam": session.client("iam", config=ONCE).list_account_aliases,
            "s3": session.client("s3", config=ONCE).list_buckets,
        },
    )
    world.must(lambda: all(attempt(call).ok for call in watch.calls.values()), "the role's policy")
    iam, role = world.owner.client("iam"), {"RoleName": world.name("revoked")}
    result: dict[str, Json] = {"seconds_until_a_new_role_lets_in": new}

    denied = world.time.now()
    iam.put_role_policy(**role, PolicyName="deny", PolicyDocument=allow("*", effect="Deny"))
    result["deny"] = watch.refused(denied)
    result["get_caller_identity_under_deny"] = attempt(session.client("sts").get_caller_identity).ok

    world.set_trust("revoked", closed_trust())
    result["seconds_until_the_closed_trust_holds"] = world.until(lambda: not world.enter("revoked").ok, every=_EVERY)

    # The worst order: the allow is removed first, and the deny immediately afterwards.
    iam.delete_role_policy(**role, PolicyName="live")
    iam.delete_role_policy(**role, PolicyName="deny")
    result["successes_after_the_deny_was_removed"] = watch.during(_AFTER)

    world.must(lambda: attempt(lambda: iam.delete_role(**role)).ok, "DeleteRole")
    result["codes_after_deletion"] = watch.codes(_AFTER)
    again = attempt(lambda: {"Arn": world.make_role("revoked", trust)})
    if not again.ok:
        return {**result, "new_role_of_the_name": again.data()}
    result["codes_after_a_new_role_of_the_name"] = watch.codes(_AFTER)
    result["seconds_until_the_new_role_lets_in"] = world.until(lambda: world.enter("revoked").ok)
    result["codes_once_it_lets_in"] = watch.codes(3.0)
    return result
