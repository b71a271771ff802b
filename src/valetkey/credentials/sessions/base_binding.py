"""The base identity of a profile: fixed when the handoff is accepted, and compared with AWS's answer.

Rules:
- A base identity is a profile of the AWS files, or, with `--base-from-environment`, the credentials of the process.
  Variables of the environment change neither.
- INVARIANT: a session is made only for the recorded person. The same AWS profile may contain another person's key
  later, and the files another profile of that name.
- INVARIANT: a session that valetkey made is never a base identity. Three tests, none of which rests on a name: its
  access key is among those that were issued here; AWS says that it is a session of an accepted role; it comes from a
  valetkey that was started to answer for a base identity (`VALETKEY_INSIDE`).
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
"""What messages call a base identity that is not a profile."""
SURROUNDINGS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)
"""Variables by which a process has credentials of its own."""


class NotBound(ValetkeyError):
    """A profile of an earlier version whose base identity is not known."""

    exit_code = 1


class OwnSession(ValetkeyError):
    """The base identity is a session that valetkey made."""

    exit_code = 1


def base_name(profile: Profile) -> str:
    """What a person calls the base identity."""
    return ENVIRONMENT if profile.source_profile is None else f"the profile {profile.source_profile}"


def files_of(env: Mapping[str, str]) -> tuple[str, str]:
    """The AWS config and the credentials file to record; the usual places relative to the home directory."""
    config = env.get("AWS_CONFIG_FILE") and str(awsfiles.config_path(env).absolute())
    credentials = env.get("AWS_SHARED_CREDENTIALS_FILE") and str(awsfiles.credentials_path(env).absolute())
    return config or "~/.aws/config", credentials or "~/.aws/credentials"


def with_files(files: tuple[str, ...], env: Mapping[str, str]) -> dict[str, str]:
    """Variables that name the AWS files which a base identity was accepted from (`Profile.base_files`).

    A file that is not there any more is left out: it may have been moved, and the environment says where to.
    """
    home = {name: value for name, value in env.items() if name in ("HOME", "USERPROFILE")}
    found = {}
    for variable, path in zip(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"), files, strict=False):
        at = awsfiles.config_path({**home, "AWS_CONFIG_FILE": path})
        if at.exists():
            found[variable] = str(at)
    return found


def elsewhere(files: tuple[str, ...], env: Mapping[str, str]) -> bool:
    """Whether the base identity's AWS files are others than those that the environment names."""
    there = with_files(files, env)
    ours = {
        "AWS_CONFIG_FILE": awsfiles.config_path(env),
        "AWS_SHARED_CREDENTIALS_FILE": awsfiles.credentials_path(env),
    }
    return any(str(ours[variable]) != path for variable, path in there.items())


def is_recorded(profile: Profile, caller: Identity) -> bool:
    """Whether a caller is the person that the handoff was accepted by; True where nothing is recorded.

    A role's sessions are one identity, whatever they are called; of an Identity Center role the session's name is the
    person.
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
    """Raise WrongCaller unless the caller is the recorded person."""
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
    """Raise OwnSession for a session of a role that was accepted here."""
    if caller.kind not in ("iam-role", "identity-center"):
        return
    for each in profiles:
        if (each.account, each.role_arn.rpartition("/")[2]) == (caller.account, caller.name):
            raise own_session(f"{caller.arn}, a session of {each.name}")


def own_session(what: str) -> OwnSession:
    """What is raised for a base identity that is a session of valetkey's. `what` it is, in words."""
    return OwnSession(
        f"the credentials are {what}, which valetkey made: such a session is never a base identity",
        do="open a new shell, or unset AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN and AWS_PROFILE; or "
        "name your own profile with --profile",
    )


def bind(profile: Profile, found: Iterable[tuple[str | None, Identity]], env: Mapping[str, str]) -> Profile:
    """A profile of an earlier version with its base identity recorded: the first of `found` who is the recorded user.

    `found` are AWS profiles (None: the environment) and who they are. Raises NotBound.
    """
    others = []
    for source, caller in found:
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
