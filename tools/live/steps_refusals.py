"""AWS's messages when it refuses an AssumeRole. Each refusal has one cause."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tools.live.steps import Json, Outcome, step
from tools.live.world import Attempt, World, allow

from valetkey.trust import closed_trust, write_trust

_OTHER_ID = "0" * 32
_DENIED = 60.0


@step("refusal-no-own-policy", "W1", "H2")
def no_own_policy(world: World) -> Outcome:
    """AssumeRole by a user without any policy."""
    role, user = world.plain(), world.make_user("bare")
    # STS may not know the new key everywhere yet, which would be another cause.
    last, _ = _refused(world, role, user, code="AccessDenied")
    return {"cause": "no policy of the caller's own", **last.data()}


@step("refusal-own-deny", "W1", "H21")
def own_deny(world: World) -> Outcome:
    """AssumeRole by a user whose own policy denies it."""
    role, iam = world.plain(), world.contractor.client("iam")
    user = world.make_user("denied")
    name = {"UserName": world.name("denied")}
    iam.put_user_policy(**name, PolicyName="allow", PolicyDocument=allow("sts:AssumeRole", resource=world.arn(role)))
    let_in = world.until(lambda: world.enter(role, user).ok, limit=_DENIED)
    iam.put_user_policy(
        **name, PolicyName="deny", PolicyDocument=allow("sts:AssumeRole", effect="Deny", resource=world.arn(role))
    )
    last, seconds = _refused(world, role, user)
    result: dict[str, Json] = {
        "cause": "a Deny of the caller's own",
        "let_in_before": let_in is not None,
        "seconds": seconds,
    }
    return {**result, **last.data()}


@step("refusal-wrong-external-id", "W1", "H4")
def wrong_external_id(world: World) -> Outcome:
    """AssumeRole with another ExternalId."""
    return {"cause": "another ExternalId", **world.enter(world.plain(), ExternalId=_OTHER_ID).data()}


@step("refusal-no-mfa", "W1", "H5")
def no_mfa(world: World) -> Outcome:
    """AssumeRole without MFA into a role that asks for it."""
    return {"cause": "no MFA", **world.enter(world.guarded()).data()}


@step("refusal-absent-role", "W1")
def absent_role(world: World) -> Outcome:
    """AssumeRole of a role that does not exist."""
    return {"cause": "no such role", **world.enter("absent").data()}


@step("refusal-ended", "W1", "H15")
def ended(world: World) -> Outcome:
    """AssumeRole of a role whose end date has passed."""
    past = datetime.fromtimestamp(world.time.now(), UTC).replace(microsecond=0) - timedelta(days=1)
    return {"cause": "the end date has passed", **_changed(world, "ended", write_trust(world.terms(until=past)))}


@step("refusal-closed", "W1", "U3")
def closed(world: World) -> Outcome:
    """AssumeRole of a role whose trust admits nobody."""
    return {"cause": "the trust has a Deny alone", **_changed(world, "closed", closed_trust())}


def _changed(world: World, label: str, trust: dict[str, Any]) -> Outcome:
    """Create a role that can be entered, then change its trust policy: the refusal has no other cause than the new
    policy."""
    world.make_role(label, write_trust(world.terms()))
    world.must(lambda: world.enter(label).ok, "the role")
    world.set_trust(label, trust)
    last, seconds = _refused(world, label)
    return {"seconds": seconds, **last.data()}


def _refused(world: World, label: str, session: Any = None, code: str = "") -> tuple[Attempt, float | None]:
    """Return the last answer, and the seconds until it was a refusal (with this code)."""
    last = [Attempt(None)]

    def is_refused() -> bool:
        last[0] = world.enter(label, session)
        return not last[0].ok and code in ("", last[0].code)

    seconds = world.until(is_refused)
    return last[0], seconds
