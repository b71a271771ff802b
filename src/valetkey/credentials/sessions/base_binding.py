"""The base identity of a profile: recorded when the handoff is accepted, and compared with the caller that AWS returns.

Rules:
- A base identity is a profile of the AWS files, or, with `--base-from-environment`, the credentials of the process.
  Environment variables change neither.
- INVARIANT: a session is made only for the recorded identity. The same AWS profile may later contain another user's
  key, and other AWS files may have a profile of that name.
- INVARIANT: a session that valetkey made is never a base identity. Three tests, none of which depends on a name: its
  access key is among those that were issued on this computer; AWS returns a session of an accepted role as the caller;
  it comes from a valetkey process that was started to provide a base identity (`VALETKEY_INSIDE`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping

from valetkey import awsfiles
from valetkey.credentials.profiles.again import set_up_again
from valetkey.credentials.profiles.identity import Identity, parse_identity
from valetkey.credentials.profiles.profile import Profile
from valetkey.credentials.sessions.refusals import WrongCaller
from valetkey.errors import ValetkeyError

ENVIRONMENT = "the environment"
"""The name of a base identity that is not a profile, in messages."""
SURROUNDINGS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)
"""Variables that give a process its credentials."""


class NotBound(ValetkeyError):
    """A profile of an earlier version whose base identity is not known."""

    exit_code = 1


class OwnSession(ValetkeyError):
    """The base identity is a session that valetkey made."""

    exit_code = 1


def base_name(profile: Profile) -> str:
    """Name the base identity in a message."""
    return ENVIRONMENT if profile.source_profile is None else f"the profile {profile.source_profile}"


def files_of(env: Mapping[str, str]) -> tuple[str, str]:
    """Return the paths of the AWS config and credentials files to record. The default paths are relative to the home
    directory."""
    config = env.get("AWS_CONFIG_FILE") and str(awsfiles.config_path(env).absolute())
    credentials = env.get("AWS_SHARED_CREDENTIALS_FILE") and str(awsfiles.credentials_path(env).absolute())
    return config or "~/.aws/config", credentials or "~/.aws/credentials"


def with_files(files: tuple[str, ...], env: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that name the AWS files from which a base identity was accepted (`Profile.base_files`).

    A file that no longer exists is left out: it may have been moved, and then the environment names its new path.
    """
    home = {name: value for name, value in env.items() if name in ("HOME", "USERPROFILE")}
    result = {}
    for variable, path in zip(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"), files, strict=False):
        at = awsfiles.config_path({**home, "AWS_CONFIG_FILE": path})
        if at.exists():
            result[variable] = str(at)
    return result


def elsewhere(files: tuple[str, ...], env: Mapping[str, str]) -> bool:
    """Return whether the base identity's AWS files differ from those that the environment names."""
    there = with_files(files, env)
    ours = {
        "AWS_CONFIG_FILE": awsfiles.config_path(env),
        "AWS_SHARED_CREDENTIALS_FILE": awsfiles.credentials_path(env),
    }
    return any(str(ours[variable]) != path for variable, path in there.items())


def is_recorded(profile: Profile, caller: Identity) -> bool:
    """Return whether a caller is the identity recorded at acceptance; True if none is recorded.

    All sessions of a role are one identity, whatever their names. For an Identity Center role, the session name
    identifies the user.
    """
    if profile.base_arn is not None:
        recorded = parse_identity(profile.base_arn)
        if recorded.kind == "iam-role":
            return caller.kind == "iam-role" and caller.principal == recorded.principal
        return caller.arn == recorded.arn
    if profile.user_name is None:
        return True
    return caller.kind == "iam-user" and (caller.account, caller.name) == (profile.contractor, profile.user_name)


def refuse_other(profile: Profile, caller: Identity) -> None:
    """Raise WrongCaller unless the caller is the recorded identity."""
    if not is_recorded(profile, caller):
        recorded = profile.base_arn or f"the user {profile.user_name}"
        raise WrongCaller(
            f"the base identity of {profile.name} is {recorded}; {base_name(profile)} now is {caller.arn}",
            code="AccessDenied",
            message="",
            do=f"sign in as that user; to work as the other one, {set_up_again(profile)}",
            where="sts:GetCallerIdentity",
        )


def refuse_accepted_role(caller: Identity, profiles: Iterable[Profile]) -> None:
    """Raise OwnSession for a session of a role that was accepted on this computer."""
    if caller.kind not in ("iam-role", "identity-center"):
        return
    for profile in profiles:
        if (profile.account, profile.role_arn.rpartition("/")[2]) == (caller.account, caller.name):
            raise own_session(f"{caller.arn}, a session of {profile.name}")


def own_session(what: str) -> OwnSession:
    """Return the error for a base identity that is a session made by valetkey. `what` describes the session."""
    return OwnSession(
        f"the credentials are {what}, which valetkey made: such a session is never a base identity",
        do="open a new shell, or unset AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN and AWS_PROFILE; or "
        "name your own profile with --profile",
    )


def bind(profile: Profile, callers: Iterable[tuple[str | None, Identity]], env: Mapping[str, str]) -> Profile:
    """Record the base identity of a profile of an earlier version: the first of `callers` that is the recorded user.

    `callers` has AWS profiles (None: the environment) and the caller of each. Raises NotBound.
    """
    others = []
    for source, caller in callers:
        is_user = caller.kind == "iam-user" and profile.user_name is not None
        if is_user and is_recorded(profile, caller):
            return dataclasses.replace(
                profile,
                source_profile=source,
                base_from_environment=source is None,
                base_arn=caller.arn,
                base_files=() if source is None else files_of(env),
            )
        others.append(f"{ENVIRONMENT if source is None else f'the profile {source}'} is {caller.arn}")
    was = f"the user {profile.user_name} of {profile.contractor}" if profile.user_name else "no IAM user"
    raise NotBound(
        f"the file of {profile.name} does not say where its base identity comes from; it was accepted as {was}, and "
        + ("; ".join(others) or "you are not signed in"),
        do=f"accept again, with --profile or with --base-from-environment: {set_up_again(profile)}",
    )
