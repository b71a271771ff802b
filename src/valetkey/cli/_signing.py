"""Decisions of `login`: base identity, MFA device, session length; and the prompt for a seed."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from valetkey.catalog import limits
from valetkey.cli._options import seconds
from valetkey.commandline import command, option
from valetkey.errors import ValetkeyError

if TYPE_CHECKING:
    from valetkey.account.calls import AccessKeys, Perform
    from valetkey.credentials.profiles.profile import Profile
    from valetkey.credentials.sessions.protocols import SignedIn
    from valetkey.credentials.sessions.vault import Vault

_SEED = 300.0
"""Time limit to find a seed and type it."""
# The advice, by source of a temporary base identity.
_SIGN_IN = {
    "sso": "there is nothing to do here: `aws sso login` signs in. Identity Center carries no MFA that AWS sees",
    "login": "there is nothing to do here: `aws login` signs in. AWS does not say "
    "whether its sessions carry MFA into a customer's role: `valetkey verify` tries it",
    "env": "take the session out of the environment (AWS_SESSION_TOKEN), or name a profile with --base",
}


def life(text: str) -> int:
    """Parse the length of the MFA session. Returns seconds. Raises ValetkeyError."""
    result = seconds(text, name="--for")
    if not limits.SESSION_MIN <= result <= limits.MFA_SESSION_MAX:
        raise ValetkeyError(f"--for: an MFA session of {text} is not possible on AWS", do="say 15m to 36h")
    return result


def source(base: str | None, env: Mapping[str, str]) -> str | None:
    """Return the AWS profile to sign in with: the named one, or the one that all accepted profiles share; AWS_PROFILE
    if there is none yet, or if it is one of several. Raises ValetkeyError."""
    if base is not None:
        return base
    result = sorted({profile.source_profile or "" for profile in readable_profiles(env) if profile.mfa})
    named = env.get("AWS_PROFILE") or env.get("AWS_DEFAULT_PROFILE") or None
    if len(result) > 1 and named not in result:
        have = ", ".join(item or "default" for item in result)
        raise ValetkeyError(f"your customers' profiles have several base identities: {have}", do="name one with --base")
    return (result[0] or None) if len(result) == 1 else named


def customer_of(source: str | None, env: Mapping[str, str]) -> Profile | None:
    """Return a customer of this base identity, whose partition and region are used for calls; None if there is none
    yet."""
    profiles = [profile for profile in readable_profiles(env) if profile.source_profile == source]
    # A profile of an earlier version does not record where its base identity comes from.
    return next((profile for profile in profiles if profile.is_bound), next(iter(profiles), None))


def readable_profiles(env: Mapping[str, str]) -> Iterator[Profile]:
    """Yield the accepted profiles that can be read; the command that uses an unreadable one reports the error."""
    from valetkey.credentials.profiles.profile import ProfileError, load, names

    for name in names(env):
        with contextlib.suppress(ProfileError):
            yield load(name, env)


def check_place(source: str | None, *, is_stored: bool, rotate: bool) -> None:
    """Raise ValetkeyError for a key that is already in the keyring, or not yet."""
    key = f"the access key of {source or 'the base identity'}"
    if rotate and not is_stored:
        raise ValetkeyError(f"{key} is not in the keyring", do="run `valetkey login --store-key` first")
    if is_stored and not rotate:
        raise ValetkeyError(f"{key} is in the keyring already", do="change it for a new one with --rotate-key")


def refuse_temporary(who: SignedIn, source: str | None) -> None:
    """Raise ValetkeyError for a base identity that cannot use an MFA code."""
    if who.session_token is not None:
        raise ValetkeyError(
            f"the base identity {source or 'default'} is a temporary session: AWS accepts no MFA code from it",
            do=_SIGN_IN.get(who.source, "use an IAM user's access key, or name its profile with --base"),
        )


def user_of(who: SignedIn) -> str:
    """Return the ARN of the IAM user. Raises ValetkeyError for any other identity."""
    from valetkey.credentials.profiles.identity import identify, refuse_root

    identity = identify(who.connect(who))
    refuse_root(identity)
    return identity.arn


@dataclass(frozen=True)
class TypedKey:
    """An access key typed by a person. The repr shows no secret."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: None = None


def read_key(source: str | None) -> TypedKey:
    """Prompt for the access key of an AWS profile. Raises ValetkeyError."""
    from valetkey.awsfiles import config_path, settings
    from valetkey.cli._questions import answer
    from valetkey.cli._terminal import secret

    if source not in (None, "default") and not settings((source,), os.environ):
        raise ValetkeyError(
            f"the profile {source} is not in {config_path(os.environ)}, so that no tool could use it",
            do="add it there first, with a region: `aws configure set region REGION --profile NAME`",
        )
    key_id = answer(f"Access key id of the profile {source or 'default'}: ").strip()
    if not re.fullmatch("AKIA[A-Z0-9]{12,124}", key_id):
        raise ValetkeyError("that is not the id of an IAM user's access key", do="it begins with AKIA")
    return TypedKey(key_id, secret("Secret access key (not shown): ", seconds=_SEED).strip())


def user_of_key(keys: AccessKeys, source: str | None) -> str:
    """Return the ARN of the IAM user that the key belongs to. Raises ValetkeyError."""
    from valetkey.aws.clock import partition_of
    from valetkey.cli._machine import machine
    from valetkey.credentials.profiles.awsconfig import region_of
    from valetkey.credentials.profiles.identity import identify, refuse_root

    region = region_of(source, os.environ)
    partition = partition_of(region or "us-east-1") or "aws"
    perform, _ = machine().calling(keys, profile=source, region=region, partition=partition, files={})
    identity = identify(perform)
    refuse_root(identity)
    return identity.arn


def device(serial: str | None, profile: Profile | None, source: str | None, who: SignedIn) -> str:
    """Return the MFA device: the named one, the accepted one, the one in the AWS config, or the result of a lookup.
    Raises ValetkeyError."""
    from valetkey.awsfiles import settings
    from valetkey.cli._questions import choose_device
    from valetkey.credentials.profiles.identity import identify, refuse_root
    from valetkey.credentials.profiles.mfa_devices import check_serial, find_mfa

    if profile is not None and not profile.mfa:
        raise ValetkeyError(
            f"the grant {profile.name} requires no MFA: no login is needed", do="use the profile without a login"
        )
    if profile is not None and serial and profile.mfa_serial not in (None, serial):
        # Its role would still prompt for a code of that device.
        from valetkey.credentials.profiles.again import set_up_again

        again = set_up_again(profile, then=option("--mfa-serial", serial), change=f"mfa_serial = {serial}")
        raise ValetkeyError(
            f"{profile.name} was accepted with another MFA device, {profile.mfa_serial}",
            do=f"leave --mfa-serial out, or {again}",
        )
    profiles = [profile] if profile else list(readable_profiles(os.environ))
    known = {item.mfa_serial for item in profiles if item.source_profile == source and item.mfa_serial}
    if serial:
        return check_serial(serial)
    if len(known) == 1:
        return check_serial(str(known.pop()))
    given = settings((source,), os.environ).get("mfa_serial")
    if isinstance(given, str) and given:
        return check_serial(given)
    perform = who.connect(who)
    identity = identify(perform)
    refuse_root(identity)
    return find_mfa(iam(source, who), identity, choose=choose_device)


def iam(source: str | None, keys: AccessKeys) -> Perform:
    """Return a Perform for IAM calls with these keys, in the region of the base profile."""
    from valetkey.aws import connect
    from valetkey.credentials.profiles.awsconfig import region_of

    return connect(keys=keys, region=region_of(source, os.environ))


def read_seed(device: str, vault: Vault) -> str:
    """Prompt for the device's seed without showing it, or read standard input if it is not a terminal. Raises
    ValetkeyError."""
    from valetkey.cli._terminal import secret
    from valetkey.cli._ways import read_line
    from valetkey.credentials.sessions import mfa_sources, totp
    from valetkey.report.text import say

    mfa_sources.kept_seed(vault, device)  # raises before the prompt if there is no keyring
    say(
        "With the seed in the keyring, anybody with access to the keyring has both factors: MFA then shows that this",
        "computer was used, not that you were there. Owners require MFA to tell the two apart.",
        f"To take it out again: {command('keyring del valetkey', f'seed:{device}')}",
        stderr=True,
    )
    if sys.stdin.isatty():
        return totp.read_seed(secret("Secret key of the MFA device (not shown): ", seconds=_SEED))
    return totp.read_seed(read_line())
