"""The environment of a command that gets only a grant's credentials: as keys, or from a local credential server."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from valetkey.commandline import command
from valetkey.credentials.sessions.ways import USUAL_WAY, Way
from valetkey.errors import ValetkeyError

if TYPE_CHECKING:
    from valetkey.credentials.delivery.child import Served
    from valetkey.credentials.profiles.profile import Profile
    from valetkey.credentials.sessions.cache import Session
    from valetkey.credentials.sessions.opener import Entry
    from valetkey.credentials.sessions.reopened import SessionNote
    from valetkey.credentials.sessions.values import Credentials

_SECONDS = 40
"""Time limit of the caller check: two calls of at most 22 s, see valetkey.aws.whoami."""


@dataclass(frozen=True)
class PreparedCommand:
    """The environment of a command, and a check of its session."""

    env: Mapping[str, str]
    is_lost: Callable[[], bool]
    """Whether AWS no longer knows the session; if so, the session is dropped. Makes one call; for use after the command
    failed."""


@contextlib.contextmanager
def given(name: str, before: Mapping[str, str], *, way: Way = USUAL_WAY) -> Iterator[PreparedCommand]:
    """Yield the environment with the session's keys; at least three quarters of the session are left."""
    from valetkey.cli._machine import open_profile
    from valetkey.cli._noted import head_of, recall, remember
    from valetkey.cli._saying import say_long
    from valetkey.credentials.delivery import child

    if way.is_kept:
        result = recall(name, way)
        if result is not None:
            with given_again(name, result, before, way=way) as prepared:
                yield prepared
            return
    head = head_of(name)
    entry = open_profile(name, way)
    session = entry.session(lasting=True)
    remember(entry, head, lambda: child.config_of(entry.profile, os.environ, region=entry.base.region))
    say_long(entry, session)
    with folder() as place:
        yield PreparedCommand(_environment(entry, before, session.credentials, place), lambda: entry.dropped(session))


@contextlib.contextmanager
def given_again(
    name: str, result: tuple[SessionNote, Session], before: Mapping[str, str], *, way: Way
) -> Iterator[PreparedCommand]:
    """Yield the same environment with a cached session, from what was noted when its profile was opened."""
    from valetkey.cli._noted import say_kept
    from valetkey.credentials.delivery.regions import region_to_set

    note, session = result

    def is_lost() -> bool:
        from valetkey.cli._machine import machine
        from valetkey.credentials.profiles.profile import load
        from valetkey.credentials.sessions.opener import entry_of

        with contextlib.suppress(ValetkeyError):
            return entry_of(machine(), load(name, os.environ), quiet=True, way=way).dropped(session)
        return False

    say_kept(name, note, session, long=way.long)
    with folder() as place:
        region = way.region or region_to_set(name, note.region, before)
        yield PreparedCommand(_placed(name, note.config, before, session.credentials, place, region), is_lost)


@contextlib.contextmanager
def served(name: str, before: Mapping[str, str], *, way: Way = USUAL_WAY) -> Iterator[PreparedCommand]:
    """Yield the environment with the address of a credential server, which runs until the block ends.

    INVARIANT: before the environment is yielded, a process with exactly this environment has called GetCallerIdentity
    and was in the profile's role: an SDK reads keys, profiles and web identities before it asks a server, and uses them
    without a message. This shows whose credentials they are, not what they allow: GetCallerIdentity succeeds under an
    explicit deny. If AWS no longer knows a cached session, it is dropped, and the role is assumed again once.
    """
    from valetkey.cli._machine import open_profile
    from valetkey.cli._saying import say_end

    entry = open_profile(name, way)
    session = entry.session()
    say_end(entry.root.profile)
    with folder() as place, contextlib.ExitStack() as stack:
        env = _served(entry, session, before, place, stack, way)
        try:
            check_caller(entry.profile, env)
        except SessionGone:
            stack.close()
            entry.drop(session)
            session = entry.session()
            env = _served(entry, session, before, place, stack, way)
            check_caller(entry.profile, env)
        yield PreparedCommand(env, lambda: entry.dropped())


def _served(
    entry: Entry, session: Session, before: Mapping[str, str], place: Path, stack: contextlib.ExitStack, way: Way
) -> dict[str, str]:
    """Serve a session for as long as the stack is open. Return the environment that refers to the server."""
    from valetkey.cli._serving import serving
    from valetkey.credentials.delivery.child import Served
    from valetkey.credentials.delivery.refresher import HeldSession

    name = entry.profile.name
    running = stack.enter_context(serving([HeldSession(entry.profile, session)], place, way=way))
    where = Served(running.urls[name], running.token_files[name], entry.profile.account)
    return _environment(entry, before, where, place)


class SessionGone(ValetkeyError):
    """AWS does not know the session to serve."""

    exit_code = 3


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """Yield a private temporary directory. Raises ValetkeyError."""
    try:
        made = tempfile.TemporaryDirectory(prefix="valetkey-")
    except OSError as error:
        why = f"no temporary directory can be made: {error.strerror}"
        raise ValetkeyError(why, do="make room there, or set TMPDIR to a directory of yours") from None
    with made as path:
        yield Path(path)


def check_caller(profile: Profile, env: Mapping[str, str]) -> None:
    """Raise ValetkeyError unless a program with this environment is in the profile's role.

    This does not show what the program may do: GetCallerIdentity also succeeds where every policy denies it (STS API
    reference), and therefore under the deny of a revocation, until the role is deleted or the session has expired.
    """
    words = [sys.executable, "-P", "-m", "valetkey.aws.whoami"]
    try:
        done = subprocess.run(
            words, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_SECONDS
        )
    except subprocess.TimeoutExpired:
        raise ValetkeyError(
            "AWS did not confirm in time which identity the command would have", do="try again", exit_code=3
        ) from None
    if done.returncode:
        from valetkey.credentials.sessions.refusals import SESSION_GONE

        last = done.stderr.strip().splitlines()[-1:] or ["no reason was given"]
        if any(code in last[0] for code in SESSION_GONE):
            gone = SessionGone(
                f"AWS no longer accepts the session of {profile.name}; the command was not started",
                do=f"run `{command('valetkey login', profile.name)}`: it assumes the role again, or says why not",
            )
            gone.likely = "the owner has ended the grant, or recreated the role"
            raise gone
        raise ValetkeyError(
            f"valetkey cannot verify that the command would run in account {profile.account}: {last[0]}",
            do="try again, or leave --server out",
            exit_code=3,
        )
    who = done.stdout.strip()
    role = profile.role_arn.rsplit("/", 1)[1]
    if not who.startswith(f"arn:{profile.partition}:sts::{profile.account}:assumed-role/{role}/"):
        raise ValetkeyError(
            f"the command would have run as {who}, not in {profile.role_arn}; it was not started",
            do="look for what sets other credentials, in the environment or in ~/.aws",
            exit_code=3,
        )


def _environment(
    entry: Entry, before: Mapping[str, str], credentials: Credentials | Served, place: Path
) -> dict[str, str]:
    from valetkey.credentials.delivery import child
    from valetkey.credentials.delivery.regions import region_to_set

    name = entry.profile.name
    region = entry.way.region or region_to_set(name, entry.region, before)
    config = child.config_of(entry.profile, before, region=entry.base.region)
    return _placed(name, config, before, credentials, place, region)


def _placed(
    name: str, text: str, before: Mapping[str, str], credentials: Credentials | Served, place: Path, region: str | None
) -> dict[str, str]:
    from valetkey import files
    from valetkey.credentials.delivery import child

    config, empty = place / "config", place / "credentials"
    files.write(config, text.encode())
    files.write(empty, b"")
    return child.environment(name, before, credentials, region=region, config=config, empty=empty)
