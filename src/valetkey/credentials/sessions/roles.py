"""One AssumeRole: its parameters, the check of the caller, and the check that the response is for the intended role.

INVARIANT: only credentials for the profile's account and role are returned; otherwise nothing is returned.
"""

from __future__ import annotations

import contextlib
from typing import Any

from valetkey.account.calls import AccessKeys, Call, CallError, Perform
from valetkey.catalog import limits
from valetkey.credentials.profiles.identity import parse_identity
from valetkey.credentials.profiles.profile import Profile
from valetkey.credentials.profiles.settings import PLAIN, SessionSettings, carried
from valetkey.credentials.sessions.base_binding import is_recorded, refuse_other
from valetkey.credentials.sessions.cache import Cache, Session, key
from valetkey.credentials.sessions.protocols import Clock, Connect
from valetkey.credentials.sessions.refusals import Refused, WrongCaller, about_caller, explain
from valetkey.credentials.sessions.values import credentials_of
from valetkey.errors import ValetkeyError


def role_call(profile: Profile, keys: AccessKeys, settings: SessionSettings = PLAIN) -> Call:
    """Return the call sts:AssumeRole with ExternalId, session name, session settings, and the longest duration that AWS
    allows for these keys. Raises ValetkeyError if the grant does not allow the settings.

    DurationSeconds is left out if it equals AWS's default. AWS's page on the console
    (id_roles_providers_enable-console-custom-url) says that a role session requested with DurationSeconds by anything
    but a user's long-term key cannot be used for console sign-in (fact U2).
    """
    direct = keys.session_token is None
    seconds = profile.max_session if direct else min(profile.max_session, limits.CHAINED_SESSION_MAX)
    params: dict[str, Any] = {"RoleArn": profile.role_arn, **carried(settings, profile)}
    if seconds != limits.SESSION_DEFAULT:
        params["DurationSeconds"] = seconds
    if profile.external_id is not None:
        params["ExternalId"] = profile.external_id
    return Call("sts", "assume_role", params)


def enter(
    profile: Profile,
    *,
    keys: AccessKeys,
    connect: Connect,
    clock: Clock,
    settings: SessionSettings = PLAIN,
    code: tuple[str, str] | None = None,
) -> Session:
    """Assume the profile's role once with these keys (base keys, or those of an MFA session or another role). Nothing
    is cached.

    `code` is a device and its code, for base keys. Raises Refused, with advice for every known refusal of AWS.
    """
    call = role_call(profile, keys, settings)
    if code is not None:
        call = Call(call.service, call.operation, {**call.params, "SerialNumber": code[0], "TokenCode": code[1]})
    perform = connect(keys)
    issued = clock()
    try:
        answer = _entered(perform, call)
    except CallError as error:
        refused = explain(error, profile.name)
        if type(refused) is Refused and refused.code == "AccessDenied":
            # Needs no permission, so it works under any policy (STS API, GetCallerIdentity).
            with contextlib.suppress(CallError):
                caller = perform(Call("sts", "get_caller_identity")).get("Arn", "")
                refused = about_caller(caller, profile, refused)
        raise refused from None
    arn = answer["AssumedRoleUser"]["Arn"]
    role = profile.role_arn.rpartition("/")[2]
    wanted = f"arn:{profile.partition}:sts::{profile.account}:assumed-role/{role}/"
    if not arn.startswith(wanted):
        raise Refused(
            "AWS returned credentials of another role; valetkey dropped them",
            code="WrongRole",
            message=arn,
            do="check AWS_ENDPOINT_URL and the `endpoint_url` settings of the base profile",
            where=call.action,
        )
    return Session(credentials_of(answer, profile.account), issued)


def _entered(perform: Perform, call: Call) -> dict[str, Any]:
    """Perform an AssumeRole. If the role's limit is now below the requested duration (the owner changed it after the
    handoff), request AWS's default, which every role allows. A one-time code is not sent twice. Raises CallError."""
    try:
        return perform(call)
    except CallError as error:
        shorter = {key: value for key, value in call.params.items() if key != "DurationSeconds"}
        if _LIMIT_LOWERED not in error.message.lower() or "TokenCode" in shorter or shorter == call.params:
            raise
    return perform(Call(call.service, call.operation, shorter))


_LIMIT_LOWERED = "exceeds the maxsessionduration"
"""From AWS's message (IAM User Guide, troubleshoot_roles)."""


def check_account(
    profile: Profile, *, keys: AccessKeys, connect: Connect, cache: Cache | None = None, realm: str = ""
) -> None:
    """Raise Refused if the base identity is not in the contractor's account, or is not the recorded identity.

    INVARIANT: a customer's ExternalId is never sent from another customer's account, where it would be logged, and no
    session is made for one user under the name of another. `cache` stores the owner of a long-term key (at `realm`,
    where it was requested): such a key may be in the OS keyring, and AWS never reassigns it.
    """
    name = key("caller", realm=realm, key=keys.access_key_id)
    call = Call("sts", "get_caller_identity")
    cache = cache if keys.session_token is None else None
    caller = cache.caller(name) if cache is not None else None
    if caller is None:
        try:
            caller = str(connect(keys)(call)["Arn"])
        except CallError as error:
            raise explain(error, profile.name) from None
        if cache is not None:
            with contextlib.suppress(ValetkeyError):  # if it cannot be stored, it is requested again
                cache.note_caller(name, caller)
    if caller.split(":")[4] != profile.contractor:
        refused = Refused("", code="AccessDenied", message="", where=call.action)
        raise about_caller(caller, profile, refused)
    if not is_recorded(profile, parse_identity(caller)):
        known = about_caller(caller, profile, Refused("", code="AccessDenied", message="", where=call.action))
        if isinstance(known, WrongCaller):
            raise known
        refuse_other(profile, parse_identity(caller))
