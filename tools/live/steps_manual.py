"""Steps that need a person: `aws login` with a code, and with a passkey."""

from __future__ import annotations

import boto3
import botocore.exceptions
from tools.live.steps import Json, Outcome, Skipped, step
from tools.live.world import World, attempt

_WAYS = {"totp": "a code of your device", "passkey": "a passkey"}


@step("aws-login", "U4", "U8", "W6")
def aws_login(world: World) -> Outcome:
    """`aws login` with a code and with a passkey (by hand; optional)."""
    result: dict[str, Json] = {way: _way(world, way) for way in _WAYS}
    if not any(result.values()):
        raise Skipped("no profile of `aws login` was named")
    return result


def _way(world: World, way: str) -> Json:
    profile = world.login_profiles.get(way) or world.ask(
        f"    In another terminal: `aws login --profile NAME`, signing in with {_WAYS[way]}.\n"
        "    Then type NAME here; Enter skips this: "
    )
    if not profile:
        return None
    try:
        session = boto3.Session(profile_name=profile.strip(), region_name=world.region)
        caller = attempt(session.client("sts").get_caller_identity)
        credentials = session.get_credentials()
    except botocore.exceptions.BotoCoreError as error:
        return {"error": type(error).__name__}
    if caller.answer is None:
        return {"error": caller.code}
    if caller.answer["Account"] != world.contractor.id:
        return {"error": "this profile is not of the contractor's account"}
    world.redactor.secret(credentials.secret_key, credentials.token)
    role = world.guarded()
    return {
        "kind": credentials.method,
        "default_duration": world.enter(role, session).data(),
        "two_hours": world.enter(role, session, DurationSeconds=7200).data(),
    }
