"""Collect the input of the checks. Every call goes to the contractor's own account, and none assumes a role.

A failure is recorded with its reason and does not stop the rest: `doctor` has to work when other things fail.
"""

from __future__ import annotations

import dataclasses
import os
import shlex
from collections.abc import Callable, Mapping
from datetime import datetime

from valetkey import awsfiles
from valetkey.account.calls import Call, CallError, Perform, everything
from valetkey.credentials.doctor.caller_policies import read_own_side
from valetkey.credentials.doctor.diagnosis import AwsFiles, Facts, NotRead, Signed
from valetkey.credentials.doctor.organization import read_organization
from valetkey.credentials.profiles import awsconfig
from valetkey.credentials.profiles.identity import Identity, parse_identity
from valetkey.credentials.profiles.profile import Profile
from valetkey.credentials.sessions.refusals import NO_ANSWER, explain
from valetkey.errors import ValetkeyError


def gather(
    profile: Profile | None,
    *,
    source_profile: str | None,
    base: Signed | NotRead,
    perform: Perform | None,
    reading: Perform | None = None,
    skew: float | NotRead,
    partition_of: Callable[[str], str | None],
    env: Mapping[str, str],
    now: datetime,
) -> Facts:
    """Return the facts about one customer, or about the base identity alone.

    `perform` makes calls as the base identity (None: not signed in). `reading` makes the calls that read policies and
    devices, which an account may allow only with MFA. Raises nothing.
    """
    sections = read_sections(env)
    unknown = NotRead("your identity is unknown")
    who = _identify(perform) if perform is not None else NotRead("you are not signed in")
    facts = Facts(
        now=now,
        env=env,
        profile=profile,
        source_profile=source_profile,
        sections=sections,
        partition_of=partition_of,
        executable=_executable(profile, sections),
        base=base,
        skew=skew,
        identity=who,
        devices=unknown,
        own=unknown,
        organization=unknown,
    )
    look = reading or perform
    if look is None or isinstance(who, NotRead):
        return facts
    facts = dataclasses.replace(facts, devices=_devices(look, who))
    if profile is None:
        return facts
    return dataclasses.replace(facts, own=read_own_side(look, who), organization=read_organization(look, who.account))


def read_sections(env: Mapping[str, str]) -> AwsFiles | NotRead:
    """Return the AWS config and credentials file, without any secret."""
    try:
        config, credentials = awsfiles.config_path(env), awsfiles.credentials_path(env)
        return AwsFiles(
            config=awsconfig.profiles_in(config),
            credentials={name: frozenset(own) for name, own in awsconfig.profiles_in(credentials, bare=True).items()},
            config_file=str(config),
            credentials_file=str(credentials),
        )
    except ValetkeyError as problem:
        return NotRead(f"{problem.what} ({problem.where})" if problem.where else problem.what)


def _executable(profile: Profile | None, sections: AwsFiles | NotRead) -> bool | None:
    if profile is None or isinstance(sections, NotRead):
        return None
    command = sections.config.get(profile.name, {}).get("credential_process", "")
    try:
        words = shlex.split(command)
    except ValueError:
        return None
    return os.access(words[0], os.X_OK) if words else None


def _identify(perform: Perform) -> Identity | NotRead:
    try:
        return parse_identity(perform(Call("sts", "get_caller_identity"))["Arn"])
    except CallError as error:
        return NotRead(explain(error).what, no_answer=error.code in NO_ANSWER)
    except ValetkeyError as problem:
        return NotRead(problem.what)


def _devices(perform: Perform, who: Identity) -> tuple[str, ...] | NotRead:
    if who.kind != "iam-user":
        return ()
    try:
        result = everything(perform, Call("iam", "list_mfa_devices", {"UserName": who.name}), "MFADevices")
        return tuple(item["SerialNumber"] for item in result)
    except CallError as error:
        return NotRead(f"your own account does not permit the lookup ({error.call.action}: {error.code})")
