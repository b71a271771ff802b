"""Choose and resolve the base identity of a profile. This is the only place that resolves one.

`accept` chooses one; a profile records it; for a profile of an earlier version it is looked up.

INVARIANT: a valetkey process that was started to provide a base identity refuses. A session that it made is never a
base identity, and a circular reference would start processes without end. Such processes have INSIDE in their
environment.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from valetkey import INSIDE
from valetkey.account.base_identity import SIGN_IN, NoBase
from valetkey.account.calls import CallError
from valetkey.credentials.profiles import profile as profiles
from valetkey.credentials.profiles.again import SET_UP_AGAIN
from valetkey.credentials.profiles.identity import Identity, identify
from valetkey.credentials.profiles.profile import Profile
from valetkey.credentials.sessions import base_binding
from valetkey.credentials.sessions.base_binding import SURROUNDINGS, OwnSession, files_of, own_session, with_files
from valetkey.credentials.sessions.base_keys import stored_key
from valetkey.credentials.sessions.cache import Cache
from valetkey.credentials.sessions.machine import Machine
from valetkey.credentials.sessions.protocols import Ask, SignedIn
from valetkey.credentials.sessions.refusals import NO_ANSWER, explain
from valetkey.errors import ValetkeyError

_SECONDS = 40.0
"""Seconds to enter the code of a base profile that is a role with MFA. The broker's own time limit starts after it."""


@dataclass(frozen=True)
class BaseChoice:
    """A base identity by name, before its caller is known."""

    source: str | None
    """The AWS profile; None: see `from_environment`."""
    files: tuple[str, ...] = ()
    """See Profile.base_files."""
    from_environment: bool = False
    """If there is no source: True for the credentials of the process only, False for the usual credential chain."""
    region: str | None = None
    partition: str | None = None
    passed_over: str = ""
    """Why AWS_PROFILE was not used, or empty."""


def recorded(profile: Profile) -> BaseChoice:
    """Return the base identity of a profile."""
    return BaseChoice(
        profile.source_profile,
        profile.base_files,
        profile.base_from_environment,
        region=profile.region,
        partition=profile.partition,
    )


def choose(
    given: str | None,
    *,
    from_environment: bool,
    renewing: Profile | None,
    names: Sequence[str],
    env: Mapping[str, str],
    region: str | None = None,
) -> BaseChoice:
    """Choose the base identity for a handoff. Raises ValetkeyError.

    In this order: the options `given` and `from_environment`; the one recorded in the profile that is renewed;
    AWS_PROFILE, unless it is one of `names` (profiles of valetkey); `default`.
    """
    if given is not None and from_environment:
        raise ValetkeyError("--profile and --base-from-environment exclude each other", do="give one of them")
    if from_environment:
        return BaseChoice(None, from_environment=True, region=region)
    if given is not None:
        return BaseChoice(given, files_of(env), region=region)
    if renewing is not None and renewing.is_bound:
        source = renewing.source_profile
        return BaseChoice(source, renewing.base_files, from_environment=source is None, region=region)
    named = env.get("AWS_PROFILE") or env.get("AWS_DEFAULT_PROFILE")
    if named in names:
        why = f"AWS_PROFILE={named} is a customer's profile, not a base identity: using the profile default"
        return BaseChoice("default", files_of(env), region=region, passed_over=why)
    return BaseChoice(named or "default", files_of(env), region=region)


def sign_in_as(
    machine: Machine, choice: BaseChoice, what: str, *, ask: Ask | None = None, quiet: bool = False, inside: str = ""
) -> SignedIn:
    """Resolve a base identity.

    `what` is the purpose to show in a prompt for its own MFA code. `ask` replaces the terminal for that prompt; with
    `quiet`, a needed prompt is a ValetkeyError. `inside` is the profile for which it is resolved; child processes get
    it in their environment. Raises ValetkeyError; OwnSession for a session that valetkey made.
    """
    if inside:
        refuse_circle(inside, machine.env)
    question = ask or machine.terminal(what, before=lambda: None)
    result = machine.sign_in(
        choice.source,
        region=choice.region,
        partition=choice.partition,
        ask=None if quiet else partial(question, seconds=_SECONDS),
        stored=stored_key(choice.source, machine.env, machine.vault),
        chain="files" if choice.source is not None else "environment" if choice.from_environment else "usual",
        files=with_files(choice.files, machine.env),
        child_env={INSIDE: inside} if inside else {},
    )
    if result.session_token is not None and Cache(machine.env).was_issued(result.access_key_id):
        raise own_session("a session")
    return result


def refuse_circle(name: str, env: Mapping[str, str]) -> None:
    """Raise ValetkeyError in a process that was started to provide a base identity."""
    outer = env.get(INSIDE)
    if outer == name:
        raise ValetkeyError(
            f"the base identity of {name} comes from {name} itself",
            do=f"with another `source_profile`, {SET_UP_AGAIN}",
        )
    if outer:
        raise own_session(f"used as the base identity of {outer}: a session of {name}")


def sign_in_chosen(machine: Machine, choice: BaseChoice, name: str) -> SignedIn:
    """Resolve a chosen base identity; `name` is the profile to be written. Raises ValetkeyError; OwnSession."""
    try:
        return sign_in_as(machine, choice, name, inside=name)
    except NoBase as problem:
        has = next((surrounding for surrounding in SURROUNDINGS if machine.env.get(surrounding)), "")
        if choice.source == "default" and has:
            problem.what = f"the AWS files have no credentials under [default], and {has} is not a fixed base identity"
        if choice.source is not None and problem.do == SIGN_IN:
            problem.do = (
                "name the AWS profile of your own user with --profile; or say --base-from-environment, and the role is "
                "always entered with the credentials that the environment has at the time"
            )
        raise


def bound(machine: Machine, profile: Profile, *, keep: bool = True) -> Profile:
    """Return the profile with its base identity recorded. With `keep`, write it to its file if it was not recorded.
    Raises NotBound; ValetkeyError if AWS does not return the caller."""
    if profile.is_bound:
        return profile
    refuse_circle(profile.name, machine.env)
    path = profiles.path_of(profile.name, machine.env)
    before = path.read_bytes()
    result = base_binding.bind(profile, _candidates(machine, profile), machine.env)
    if not keep:
        return result
    with contextlib.suppress(ValetkeyError, OSError):  # then the next use records it
        # `accept` may have written a newer one in the meantime.
        if path.read_bytes() == before:
            times = path.stat()
            profiles.save(result, machine.env)
            # The file's time is the time of acceptance.
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    return result


def _candidates(machine: Machine, profile: Profile) -> Iterator[tuple[str | None, Identity]]:
    """Yield the possible base identities of a profile of an earlier version: `default`, then the environment."""
    for source in ("default", None):
        choice = replace(recorded(profile), source=source, from_environment=source is None)
        try:
            who = sign_in_as(machine, choice, profile.name, quiet=True, inside=profile.name)
            yield source, identify(who.connect(who))
        except (NoBase, OwnSession):
            continue
        except CallError as error:
            if error.code in NO_ANSWER:
                raise explain(error, profile.name) from None
