"""What every command of the contractor's side begins with: a profile, its base identity, the cache, the terminal."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from typing import TYPE_CHECKING

from valetkey.errors import ValetkeyError

if TYPE_CHECKING:
    from valetkey.aws.signin import SignIn
    from valetkey.cli._ways import Way
    from valetkey.credentials.profiles.profile import Profile
    from valetkey.credentials.profiles.settings import SessionSettings
    from valetkey.credentials.sessions.base_keys import StoredKey
    from valetkey.credentials.sessions.cache import Session
    from valetkey.credentials.sessions.protocols import Ask
    from valetkey.credentials.sessions.tools import Tools
    from valetkey.credentials.sessions.vault import Vault

INSIDE = "VALETKEY_INSIDE"
# For the code of a base profile that is a role with MFA, before the broker's own time begins.
_SECONDS = 40.0
# os.environ is the whole process's, and servers renew in threads of their own: one way in at a time.
_ENTERING = threading.Lock()


@dataclass(frozen=True)
class Entry:
    """A profile and how it is entered."""

    profile: Profile
    accepted: datetime
    """When the profile was written last."""
    base: SignIn
    way: Way | None = None
    """None: the usual way."""
    ask: Ask | None = None
    """Stands in for every source of MFA codes."""
    own_interrupt: bool = False
    """Ctrl-C at a question is for this process alone, see terminal.Asker."""
    through: Entry | None = None
    """For a role behind a grant's role: how that one is entered."""

    @property
    def region(self) -> str | None:
        """Where to work: the AWS profile's region as it is now, else the one it was accepted with. Raises
        ConfigError."""
        from valetkey import awsfiles

        return awsfiles.region(self.profile.name, os.environ) or self.profile.region

    @property
    def limit(self) -> str:
        """How long a session may last, and what says so."""
        from valetkey.credentials.sessions.broker import limit_of

        if self.through is not None:
            return "1 h at most: AWS gives no more to a role that is entered from a role (role chaining)"
        return limit_of(self.profile, self.base, long=self.is_long)

    @property
    def root(self) -> Entry:
        """The entry of the grant that everything begins with."""
        return self if self.through is None else self.through.root

    @property
    def is_long(self) -> bool:
        return self.way is not None and self.way.long

    @property
    def settings(self) -> SessionSettings:
        """What the sessions carry: the AWS profile's settings. Raises ValetkeyError."""
        from valetkey.awsfiles import settings
        from valetkey.credentials.profiles.settings import read_only, read_settings

        found = read_settings(settings((self.profile.name,), os.environ), name=self.profile.name)
        return read_only(found, self.profile) if self.way is not None and self.way.read_only else found

    def tools(self) -> Tools:
        """What the broker works with."""
        profile = self.profile
        return tools_of(
            self.base,
            profile.name,
            profile.source_profile,
            self.way,
            ask=self.ask,
            files=profile.base_files,
            own_interrupt=self.own_interrupt,
        )

    def session(self, *, lasting: bool = False) -> Session:
        """A session of the role. Raises what broker.role_session raises."""
        from valetkey.credentials.profiles.customers import note

        session = self._session(lasting)
        if self.through is None:
            is_kept = self.way is None or not self.way.no_cache
            session_key = self.key if is_kept else ""
            note(self.profile, session.credentials.expires, os.environ, session_key=session_key, realm=self.base.realm)
        return session

    def _session(self, lasting: bool) -> Session:
        from valetkey.cli._kept import drop
        from valetkey.cli._reasons import explained
        from valetkey.cli._terminal import tell
        from valetkey.credentials.sessions.broker import further_session
        from valetkey.credentials.sessions.refusals import Refused, about_aws_login

        tools = self.tools()
        if self.through is not None:
            return further_session(
                self.profile,
                source=self.through.session,
                lost=partial(drop, self.through),
                source_arn=self.through.profile.role_arn,
                source_key=self.through.key,
                connect=tools.connect,
                cache=tools.cache,
                clock=clock,
                settings=self.settings,
                lasting=lasting,
                since=self.accepted,
            )
        try:
            with explained(self.profile, tools, region=self.base.region):
                return tools.role_session(
                    self.profile,
                    settings=self.settings,
                    long=self.is_long,
                    lasting=lasting,
                    since=self.accepted,
                    tell=tell,
                )
        except Refused as refused:
            raise about_aws_login(refused, self.profile) if self.base.source == "login" else refused from None

    def mfa_session(self) -> Session:
        """The MFA session that the role is entered from. Raises what broker.mfa_session raises."""
        profile = self.root.profile
        if not profile.mfa or profile.mfa_serial is None or self.base.session_token is not None:
            raise ValetkeyError(
                f"the role of {profile.name} is not entered from an MFA session of valetkey's",
                do="use the base profile itself",
            )
        return self.tools().mfa_session(profile.mfa_serial, max_age=profile.mfa_max_age)

    @property
    def key(self) -> str:
        """The name of the session in the cache."""
        from valetkey.credentials.sessions.broker import further_key, role_key

        if self.through is not None:
            return further_key(self.profile, self.through.key, settings=self.settings)
        return role_key(self.profile, self.base, settings=self.settings, long=self.is_long)


def clock() -> datetime:
    return datetime.now(UTC)


def open_profile(name: str, way: Way | None = None, *, ask: Ask | None = None, own_interrupt: bool = False) -> Entry:
    """Load a profile, or find the way to a role behind one, and resolve its base identity. Raises ValetkeyError.

    `ask` stands in for every source of MFA codes; `own_interrupt`: see Entry.
    """
    from dataclasses import replace

    from valetkey.credentials.profiles.profile import check_name, path_of

    if not path_of(check_name(name), os.environ).exists() and (path := _path_to(name)):
        found = _behind(path, way, ask)
        return replace(found, through=replace(found.through, own_interrupt=own_interrupt)) if found.through else found
    return replace(_open(name, way, ask), own_interrupt=own_interrupt)


def grant(name: str) -> Profile:
    """The profile of a grant. Raises ValetkeyError, also for a role behind one."""
    from valetkey.credentials.profiles.profile import check_name, load, path_of

    if not path_of(check_name(name), os.environ).exists() and (path := _path_to(name)):
        raise ValetkeyError(f"{name} is no grant, but a role behind one", do=f"name the grant: {path[0]}")
    return load(name, os.environ)


def check_known(name: str) -> None:
    """Raise ValetkeyError unless the name is a grant's, or one of a role behind a grant's."""
    from valetkey.credentials.profiles.profile import check_name, load, path_of

    if path_of(check_name(name), os.environ).exists() or not _path_to(name):
        load(name, os.environ)


def _open(name: str, way: Way | None, ask: Ask | None) -> Entry:
    from valetkey.credentials.profiles.profile import load

    return entry_of(load(name, os.environ), way=way, ask=ask)


def entry_of(profile: Profile, *, quiet: bool = False, way: Way | None = None, ask: Ask | None = None) -> Entry:
    """The same for a profile as loaded. `quiet`: a base identity that asks for an MFA code itself is a ValetkeyError.
    Raises ValetkeyError."""
    from valetkey.cli._base import bound
    from valetkey.credentials.profiles.profile import path_of

    name = profile.name
    accepted = datetime.fromtimestamp(path_of(name, os.environ).stat().st_mtime, UTC)
    with _ENTERING, inside(name):
        profile = bound(profile)
        base = sign_in_as(profile.source_profile, name, profile, ask=ask, quiet=quiet)
    return Entry(profile, accepted, base, way, ask)


@contextlib.contextmanager
def inside(name: str) -> Iterator[None]:
    """Say to programs that we start that they answer for the base identity of `name`: one of them may be valetkey.

    INVARIANT: a valetkey that was started for a base identity answers nobody: a session that it made is never one, and
    a circle would start processes without end. Raises ValetkeyError there.
    """
    from valetkey.credentials.sessions.base_binding import own_session

    outer = os.environ.get(INSIDE)
    if outer == name:
        raise ValetkeyError(
            f"the base identity of {name} comes from {name} itself",
            do="set another `source_profile`: accept the handoff again with --profile",
        )
    if outer:
        raise own_session(f"asked for as the base identity of {outer}: a session of {name}")
    os.environ[INSIDE] = name
    try:
        yield
    finally:
        # The next profile that this process opens is no inner one.
        del os.environ[INSIDE]


def _path_to(name: str) -> tuple[str, ...]:
    """The profiles from a grant's to the one of a role behind it; empty when there is no such way."""
    from valetkey.awsfiles import settings
    from valetkey.credentials.profiles.profile import path_of
    from valetkey.credentials.sessions.chained_roles import path_to

    def is_grant(each: str) -> bool:
        return path_of(each, os.environ).exists()

    return path_to(name, lambda each: settings((each,), os.environ), is_grant=is_grant)


def _behind(path: tuple[str, ...], way: Way | None, ask: Ask | None) -> Entry:
    """The entry of the last profile of a path, each entered through the one before it."""
    from dataclasses import replace

    from valetkey.awsfiles import settings
    from valetkey.credentials.sessions.chained_roles import further_role

    if way is not None and way.long:
        raise ValetkeyError(
            f"{path[-1]} is entered from the role of {path[-2]}, and AWS gives an hour at most there (role chaining)",
            do="leave --long out",
        )
    entry = _open(path[0], None if way is None else replace(way, read_only=False), ask)
    for name in path[1:]:
        profile = further_role(name, settings((name,), os.environ), source=entry.profile)
        entry = replace(entry, profile=profile, through=entry)
    # What restricts the session is for the last role: one before it has to enter the next.
    return replace(entry, way=way)


def sign_in_as(
    source: str | None,
    what: str,
    profile: Profile | None = None,
    *,
    ask: Ask | None = None,
    quiet: bool = False,
    from_environment: bool | None = None,
    files: tuple[str, ...] | None = None,
    region: str | None = None,
) -> SignIn:
    """Resolve a base identity: an AWS profile, or what surrounds the process where the profile says so.

    `what` is what a question for its own MFA code says it is for. `quiet`: then it is a ValetkeyError.
    `from_environment` and `files` stand in for what the profile says. Raises ValetkeyError; OwnSession for a session
    that valetkey made.
    """
    from valetkey.aws.signin import sign_in
    from valetkey.cli._terminal import asker
    from valetkey.credentials.sessions.base_binding import own_session, with_files
    from valetkey.credentials.sessions.cache import Cache

    if from_environment is None:
        from_environment = profile is not None and profile.base_from_environment
    if files is None:
        files = profile.base_files if profile else ()
    found = sign_in(
        source,
        region=profile.region if profile else region,
        partition=profile.partition if profile else None,
        ask=None if quiet else partial(ask or asker(what), seconds=_SECONDS),
        stored=stored(source),
        chain="files" if source is not None else "environment" if from_environment else "usual",
        files=with_files(files, os.environ),
    )
    if found.session_token is not None and Cache(os.environ).was_issued(found.access_key_id):
        raise own_session("a session")
    return found


@cache
def vault() -> Vault:
    """The OS keyring; once it has not answered, it is not asked again in this process."""
    from valetkey.credentials.sessions.vault import Vault

    return Vault()


def stored(source: str | None) -> StoredKey | None:
    """The key of an AWS profile that is in the OS keyring, or None. Raises ValetkeyError."""
    from valetkey.credentials.sessions.base_keys import stored_key

    return stored_key(source, os.environ, vault())


def tools_of(
    base: SignIn,
    what: str,
    source: str | None,
    way: Way | None = None,
    *,
    ask: Ask | None = None,
    login: str = "",
    files: tuple[str, ...] = (),
    own_interrupt: bool = False,
) -> Tools:
    """What the broker works with, for a base identity. `ask` stands in for every source of codes;
    `login` is the command to name where nobody can be asked; `files` as in Profile.base_files, `own_interrupt` as in
    Entry."""
    from valetkey.cli._asking import asking
    from valetkey.cli._terminal import asker, tell
    from valetkey.credentials.sessions.cache import Cache
    from valetkey.credentials.sessions.first_call import call_first
    from valetkey.credentials.sessions.tools import Tools
    from valetkey.credentials.sessions.vault import KeyringSessions

    keep = way is None or not way.no_cache
    kept = Cache(os.environ, keep=keep)
    own_code = "" if way is None else way.own_code
    connect, before = call_first(base, base.connect)
    terminal = asker(what, login=login, own_code=own_code, own_interrupt=own_interrupt, before=before)
    return Tools(
        base=base,
        connect=connect,
        cache=kept,
        keep=KeyringSessions(vault(), kept, tell=tell) if keep else kept,
        ask=ask or asking(what, source, way, files=files, terminal=terminal),
        clock=clock,
    )
