"""The contractor's core: open a customer's profile, and get sessions of its role.

    entry = open_profile(machine, "acme")
    entry.session().credentials

A profile belongs to a grant, as `accept` wrote it, or to a role assumed from a grant's role (chained_roles.py). Opening
it resolves its base identity (base_choice.py). The session comes from the cache or from AWS (broker.py).
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

from valetkey import awsfiles
from valetkey.catalog import limits
from valetkey.credentials.profiles import customers
from valetkey.credentials.profiles.customers import Customer
from valetkey.credentials.profiles.names import check_name
from valetkey.credentials.profiles.profile import Profile, load, path_of
from valetkey.credentials.profiles.settings import SessionSettings, read_only, read_settings
from valetkey.credentials.sessions import process_cache
from valetkey.credentials.sessions.base_binding import with_files
from valetkey.credentials.sessions.base_choice import bound, recorded, sign_in_as
from valetkey.credentials.sessions.broker import (
    Entering,
    Through,
    further_key,
    further_session,
    limit_of,
    role_key,
    role_session,
)
from valetkey.credentials.sessions.cache import Cache, Session
from valetkey.credentials.sessions.chained_roles import duration_of, further_role, path_to
from valetkey.credentials.sessions.first_call import call_first
from valetkey.credentials.sessions.kept import CacheState, look
from valetkey.credentials.sessions.machine import Machine
from valetkey.credentials.sessions.mfa_order import every_source
from valetkey.credentials.sessions.protocols import Ask, SignedIn
from valetkey.credentials.sessions.refusals import Refused, about_aws_login
from valetkey.credentials.sessions.tools import Tools
from valetkey.credentials.sessions.vault import KeyringSessions
from valetkey.credentials.sessions.ways import USUAL_WAY, Way
from valetkey.errors import ValetkeyError


@dataclass(frozen=True)
class Entry:
    """A profile, and how its role is assumed."""

    machine: Machine
    profile: Profile
    accepted: datetime
    """The time of the last acceptance, from the profile's file (aware, UTC)."""
    base: SignedIn
    way: Way = USUAL_WAY
    ask: Ask | None = None
    """Replaces all sources of MFA codes."""
    own_interrupt: bool = False
    """Ctrl-C at a prompt affects this process only, see machine.Terminal."""
    duration: int | None = None
    """`duration_seconds` of the AWS profile, if it shortens the session."""
    through: Entry | None = None
    """For a role assumed from another role: the entry of that role."""

    @property
    def region(self) -> str | None:
        """The AWS profile's current region, else the one recorded at acceptance. Raises ConfigError."""
        return awsfiles.region(self.profile.name, self.machine.env) or self.profile.region

    @property
    def limit(self) -> str:
        """How long a session may last, and what sets the limit, as text."""
        if self.through is not None:
            return "1 h at most: the limit of AWS for a role that is assumed from a role (role chaining)"
        if self.duration is not None and (self.way.long or self.duration < limits.CHAINED_SESSION_MAX):
            return f"{self.duration} s at most: duration_seconds of the profile {self.profile.name} in the AWS config"
        return limit_of(self.profile, self.base, long=self.way.long)

    @property
    def root(self) -> Entry:
        """The entry of the grant at the start of the chain."""
        return self if self.through is None else self.through.root

    @property
    def settings(self) -> SessionSettings:
        """The settings of the session, from the AWS profile. Raises ValetkeyError."""
        name = self.profile.name
        session_settings = read_settings(awsfiles.settings((name,), self.machine.env), name=name)
        return read_only(session_settings, self.profile) if self.way.read_only else session_settings

    @property
    def key(self) -> str:
        """The name of the session in the cache."""
        if self.through is not None:
            return further_key(self.profile, self.through.key, settings=self.settings)
        return role_key(self.profile, self.base, settings=self.settings, long=self.way.long)

    def tools(self) -> Tools:
        """Return the tools of the broker."""
        profile = self.profile
        return tools_of(
            self.machine,
            self.base,
            profile.name,
            Codes(profile.source_profile, profile.base_files, self.ask, own_interrupt=self.own_interrupt),
            self.way,
        )

    def session(self, *, lasting: bool = False) -> Session:
        """Return a session of the role. Raises the errors of broker.role_session."""
        session = self._session(lasting)
        if self.through is None and not self.way.no_cache:
            end = session.credentials.expires
            customers.note(self.profile, end, self.machine.env, session_key=self.key, realm=self.base.realm)
        return session

    def _session(self, lasting: bool) -> Session:
        tools = self.tools()
        entering = Entering(
            self.profile,
            tools,
            settings=self.settings,
            long=self.way.long and self.through is None,
            lasting=lasting,
            since=self.accepted,
        )
        if self.through is not None:
            before = self.through
            return further_session(entering, Through(before.profile.role_arn, before.key, before.session, before.drop))
        try:
            with self.machine.explained(self.profile, tools, self.base.region):
                return role_session(entering)
        except Refused as refused:
            raise about_aws_login(refused, self.profile) if self.base.source == "login" else refused from None

    def mfa_session(self) -> Session:
        """Return the MFA session from which the role is assumed. Raises the errors of tools.mfa_session, and
        ValetkeyError if the role is not assumed from one."""
        profile = self.root.profile
        if not profile.mfa or profile.mfa_serial is None or self.base.session_token is not None:
            raise ValetkeyError(
                f"the role of {profile.name} is not assumed from an MFA session of valetkey's",
                do="use the base profile itself",
            )
        return self.tools().mfa_session(profile.mfa_serial, max_age=profile.mfa_max_age)

    def kept(self) -> Session | None:
        """Return the cached role session if it has not expired and is newer than the acceptance, else None. Makes no
        call."""
        session = self.tools().cache.get(self.key)
        is_good = session is not None and session.left(self.machine.clock()) > 0 and session.issued >= self.accepted
        return session if is_good else None

    def drop(self, session: Session) -> None:
        """Drop a session that AWS no longer accepts, and every copy of it: its role was re-created or deleted."""
        cache = self.tools().cache
        there = cache.get(self.key)
        # Another process may have stored a new session in the meantime.
        if there is not None and there.credentials.access_key_id == session.credentials.access_key_id:
            cache.drop(self.key)
        if self.through is None:
            process_cache.drop(self.profile.name, self.machine.env)
            customers.forget(self.profile, self.machine.env)

    def dropped(self, session: Session | None = None) -> bool:
        """Return whether AWS rejects a session (None: the cached one), and drop it then. Makes one call if there is a
        session. Raises nothing."""
        return self.looked_at(session) == "gone"

    def looked_at(self, session: Session | None = None) -> CacheState | None:
        """Like `dropped`, but return the result of kept.look; None if there is no session, or if it could not be
        checked."""
        with contextlib.suppress(ValetkeyError):
            session = session or self.kept()
            if session is None:
                return None
            result = look(self.base.connect(session.credentials), session, now=self.machine.clock())
            if result == "gone":
                self.drop(session)
            return result
        return None


@dataclass(frozen=True)
class Codes:
    """The source of MFA codes, and how to prompt."""

    source: str | None
    """The AWS profile of the base identity. Its `mfa_process` is run."""
    files: tuple[str, ...] = ()
    """See Profile.base_files."""
    ask: Ask | None = None
    """Replaces all sources."""
    login: str = ""
    """The command to suggest if there is no terminal."""
    own_interrupt: bool = False
    """See Entry."""


def tools_of(machine: Machine, base: SignedIn, what: str, codes: Codes, way: Way = USUAL_WAY) -> Tools:
    """Return the tools of the broker for a base identity. `what` is the purpose shown in a prompt."""
    kept = Cache(machine.env, keep=not way.no_cache)
    connect, before = call_first(base, base.connect)
    terminal = machine.terminal(
        what, login=codes.login, own_code=way.own_code, own_interrupt=codes.own_interrupt, before=before
    )
    asked = every_source(machine, what, codes.source, codes.files, way=way, terminal=terminal)
    return Tools(
        base=base,
        connect=connect,
        cache=kept,
        keep=kept if way.no_cache else KeyringSessions(machine.vault, kept, tell=machine.tell),
        ask=codes.ask or asked,
        clock=machine.clock,
        tell=machine.tell,
    )


def open_profile(
    machine: Machine, name: str, way: Way = USUAL_WAY, *, ask: Ask | None = None, own_interrupt: bool = False
) -> Entry:
    """Load a profile, or resolve the chain of roles that leads to it, and resolve its base identity. Raises
    ValetkeyError.

    `ask` and `own_interrupt`: see Entry.
    """
    path = _path_behind(name, machine.env)
    if not path:
        entry = entry_of(machine, load(name, machine.env), way=way, ask=ask)
        return replace(entry, own_interrupt=own_interrupt)
    if way.long:
        raise ValetkeyError(
            f"{path[-1]} is assumed from the role of {path[-2]}, and AWS limits "
            "such a session to an hour (role chaining)",
            do="leave --long out",
        )
    first = entry_of(machine, load(path[0], machine.env), way=replace(way, read_only=False), ask=ask)
    entry = replace(first, own_interrupt=own_interrupt)
    for item in path[1:]:
        profile = further_role(item, awsfiles.settings((item,), machine.env), source=entry.profile)
        entry = replace(entry, profile=profile, through=entry)
    # Restrictions apply to the last role only: each role before it must be able to assume the next one.
    return replace(entry, way=way)


def entry_of(
    machine: Machine, profile: Profile, *, quiet: bool = False, way: Way = USUAL_WAY, ask: Ask | None = None
) -> Entry:
    """Return the entry of a loaded profile of a grant. With `quiet`, a base identity that needs an MFA code itself is a
    ValetkeyError. Raises ValetkeyError."""
    name = profile.name
    accepted = datetime.fromtimestamp(path_of(name, machine.env).stat().st_mtime, UTC)
    profile = bound(machine, profile, keep=not way.no_cache)
    base = sign_in_as(machine, recorded(profile), name, ask=ask, quiet=quiet, inside=name)
    duration = duration_of(name, awsfiles.settings((name,), machine.env))
    if duration is None or duration >= profile.max_session:
        return Entry(machine, profile, accepted, base, way, ask)
    return Entry(machine, replace(profile, max_session=duration), accepted, base, way, ask, duration=duration)


def grant_profile(name: str, env: Mapping[str, str]) -> Profile:
    """Load the profile of a grant. Raises ValetkeyError, also for a role assumed from a grant's role."""
    path = _path_behind(name, env)
    if path:
        raise ValetkeyError(
            f"{name} is not a grant, but a role that is assumed from one", do=f"name the grant: {path[0]}"
        )
    return load(name, env)


def check_known(name: str, env: Mapping[str, str]) -> None:
    """Raise ValetkeyError unless the name is the profile of a grant, or of a role assumed from one."""
    if not _path_behind(name, env):
        load(name, env)


def _path_behind(name: str, env: Mapping[str, str]) -> tuple[str, ...]:
    """Return the profiles from a grant's profile to this one; empty for a grant's own profile, and if there is no such
    chain."""

    def is_grant(profile_name: str) -> bool:
        return path_of(profile_name, env).exists()

    if is_grant(check_name(name)):
        return ()
    return path_to(name, lambda item: awsfiles.settings((item,), env), is_grant=is_grant)


def drop_customers(machine: Machine, asked: Sequence[Customer]) -> frozenset[str]:
    """Drop the cached sessions that AWS rejects, and return the names of their profiles. Makes one call for each
    customer with a cached session, all at the same time."""
    having = [customer for customer in asked if customer.session_key]
    if not having:
        return frozenset()
    with ThreadPoolExecutor(max_workers=min(len(having), 16)) as pool:
        return frozenset(filter(None, pool.map(partial(_gone, machine), having)))


def _gone(machine: Machine, customer: Customer) -> str:
    """The customer's name if its session was gone, else empty."""
    profile, cache = customer.profile, Cache(machine.env)
    session = cache.get(customer.session_key)
    if session is None:
        return ""
    with contextlib.suppress(ValetkeyError):
        perform, realm = machine.calling(
            session.credentials,
            profile=profile.source_profile,
            region=profile.region,
            partition=profile.partition,
            files=with_files(profile.base_files, machine.env),
        )
        # Another endpoint (a sandbox) does not know this session.
        is_same = realm == customer.session_realm
        if is_same and look(perform, session, now=machine.clock()) == "gone":
            cache.drop(customer.session_key)
            process_cache.drop(profile.name, machine.env)
            customers.forget(profile, machine.env)
            return profile.name
    return ""
