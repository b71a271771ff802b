"""Sign-in to the console with the credentials of a role."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from tools.live.steps import Json, Outcome, step
from tools.live.world import World

from valetkey.aws.form import post_form


@step("console-federation", "U2", "U11", "H31", "H32")
def console(world: World) -> Outcome:
    """A sign-in token for role sessions with and without DurationSeconds, at the regional and the global host."""
    mfa, guarded, plain = world.mfa_session(), world.guarded(), world.plain()
    sessions: dict[str, tuple[Any, dict[str, str]]] = {
        "mfa_session": (world.enter(guarded, mfa), {}),
        "mfa_session_with_duration": (world.enter(guarded, mfa, DurationSeconds=3600), {}),
        "mfa_session_asking_for_session_duration": (world.enter(guarded, mfa), {"SessionDuration": "3600"}),
        "key_with_duration": (world.enter(plain, DurationSeconds=3600), {}),
        "key_asking_for_session_duration": (world.enter(plain), {"SessionDuration": "3600"}),
    }
    result: dict[str, Json] = {}
    for name, (entered, more) in sessions.items():
        if entered.answer is None:
            result[name] = {"entered": False, **entered.data()}
            continue
        keys = entered.answer["Credentials"]
        session = {
            "sessionId": keys["AccessKeyId"],
            "sessionKey": keys["SecretAccessKey"],
            "sessionToken": keys["SessionToken"],
        }
        form = urlencode({"Action": "getSigninToken", "Session": json.dumps(session), **more}).encode()
        result[name] = {where: _token(world, host, form) for where, host in world.signin_hosts.items()}
    return result


def _token(world: World, host: str, form: bytes) -> Json:
    """Return the status, and whether a token was returned. The token is not used."""
    status, body = post_form(f"{host}/federation", form)
    try:
        token = json.loads(body).get("SigninToken")
    except (ValueError, AttributeError):
        token = None
    if isinstance(token, str):
        world.redactor.secret(token)
    return {"status": status, "token": bool(token)}
