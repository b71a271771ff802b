"""The built-in engine: reads the events of roles from trail files, on as many processes as there are cores.

Rules:
- Role chains are followed: the key that AssumeRole issued (for consoles, principal and time) is searched for next,
  until there are no new ones.
- An event in several files counts once (eventID).
- What could not be read is named, and makes the answer incomplete.
"""

from __future__ import annotations

import multiprocessing
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import partial
from typing import Protocol

from valetkey.activity.events import Event, Tie, role_key
from valetkey.activity.layout import TimeSpan, TrailFile, organization_member
from valetkey.activity.scanning import Scanned, scan
from valetkey.activity.wanted import Wanted
from valetkey.catalog.home_regions import HOME_REGIONS

_WORTH = 8 << 20
"""Stored bytes above which a second process pays off."""
_FEW = 8
_HOMES_OF_IAM = frozenset(HOME_REGIONS.values())
"""Regions where IAM's calls are recorded: in each partition, the region that they are signed for (botocore)."""
_CHAINS = 8
"""Maximum length of role chains that are followed."""

FileProgress = Callable[[int, int], None]
"""Called with the number of files read and their total."""


class Source(Protocol):
    """The location of a trail's files."""

    def files(self, accounts: frozenset[str] | None, span: TimeSpan) -> Sequence[TrailFile]:
        """Return the files that may hold events of these accounts (None: all) in this period. Called again for further
        accounts. Raises ValetkeyError if the location does not exist."""
        ...

    @property
    def unread(self) -> tuple[str, ...]:
        """What could not be listed or fetched, so far."""
        ...

    @property
    def limits(self) -> tuple[str, ...]:
        """What this kind of source never shows."""
        ...


class Engine(Protocol):
    """Returns the wanted rows of files."""

    def scanned(self, files: Sequence[TrailFile], wanted: Wanted) -> Iterator[tuple[TrailFile, Scanned]]:
        """Yield every file with its result."""
        ...


@dataclass
class TrailReading:
    """What was read, and what was not."""

    events: list[Event] = field(default_factory=list)
    files: int = 0
    size: int = 0
    """Bytes, gunzipped."""
    records: int = 0
    """Number of decoded records. Records that cannot mention the role are not decoded."""
    left_out: int = 0
    """Files that do not mention the role."""
    duplicates: int = 0
    broken: list[tuple[str, str]] = field(default_factory=list)
    """Files that were rejected, with the reason."""
    skipped: Counter[str] = field(default_factory=Counter)
    """Number of unusable records, by reason."""
    skipped_in: list[str] = field(default_factory=list)
    """Files with unusable records."""
    unread: tuple[str, ...] = ()
    """Regions, days or accounts that could not be read."""
    limits: tuple[str, ...] = ()
    days: dict[tuple[str, str], set[date]] = field(default_factory=dict)
    """Days with files, by account and region, if the file names contain them."""
    cut_by_chains: bool = False
    """Whether role chains were longer than the limit."""
    counted: set[str] = field(default_factory=set, repr=False)

    @property
    def is_complete(self) -> bool:
        """Whether everything requested was read."""
        return not (self.broken or self.skipped or self.unread or self.cut_by_chains)


def read(
    source: Source,
    wanted: Wanted,
    *,
    accounts: frozenset[str] | None,
    span: TimeSpan = TimeSpan(),  # noqa: B008 - frozen
    cores: int = 1,
    engine: Engine | None = None,
    progress: FileProgress | None = None,
) -> tuple[TrailReading, Wanted]:
    """Return the events of the wanted roles, and `wanted` with the roles found. Uses `engine`, or the built-in engine
    on `cores` processes. Raises ValetkeyError of the source."""
    reading = TrailReading()
    seen: set[str] = set()
    with _Pool(cores) as built_in:
        pool = engine or built_in
        if wanted.outsiders:
            wanted = _outsiders(_Pass(source, wanted, span, TrailReading(), set(), pool, progress), wanted, accounts)
        first = _Pass(source, wanted, span, reading, seen, pool, progress)
        first.run(accounts)
        if accounts is not None:
            # The trail of a caller's account, if it is in the source too, names the caller.
            callers = {item.caller_account for item in reading.events if item.tie is Tie.ENTRY} - accounts - {""}
            if callers:
                replace(first, is_seen=frozenset(reading.counted)).run(frozenset(callers))
        _chains(first, accounts)
        if any(event.delegate for event in reading.events):
            approvals = Wanted(approvals=True)
            _Pass(source, approvals, span, reading, seen, pool, progress, regions=_HOMES_OF_IAM).run(accounts)
    reading.events.sort(key=lambda item: (item.at, item.id))
    reading.unread, reading.limits = source.unread, source.limits
    if not reading.files and not reading.unread:
        whose = f" of account {', '.join(sorted(accounts))}" if accounts else ""
        reading.unread = (f"there is no file{whose} of this time",)
    return reading, wanted


def _outsiders(first: _Pass, wanted: Wanted, accounts: frozenset[str] | None) -> Wanted:
    """Return `wanted` with the roles that outsiders entered, instead of `outsiders`."""
    # In an organization trail's layout, every account belongs to the organization.
    members = {organization_member(file.name) for file in first.source.files(accounts, first.span)} - {None}
    wanted = replace(wanted, own=wanted.own | {member for member in members if member})
    looked = replace(first, wanted=wanted)
    looked.run(accounts)
    entered = {role_key(event.target) for event in looked.found.events if event.tie is Tie.ENTRY}
    return replace(wanted, roles=wanted.roles | {item for item in entered if item}, outsiders=False)


def _chains(first: _Pass, accounts: frozenset[str] | None) -> None:
    """Follow the sessions that wanted sessions made in further roles."""
    followed: set[str] = set()
    for _ in range(_CHAINS):
        made = [
            event
            for event in first.found.events
            if event.tie is Tie.ACT
            and event.target
            and event.issued_key
            and event.issued_key not in followed
            # A session that assumes a wanted role again is wanted already.
            and role_key(event.target) not in first.wanted.roles
        ]
        if not made:
            return
        followed |= {event.issued_key for event in made}
        roles = {key for event in made if (key := role_key(event.target))}
        wanted = Wanted(
            keys=frozenset(event.issued_key for event in made),
            sessions=frozenset((event.issued_principal, f"{event.at:%Y-%m-%dT%H:%M:%SZ}") for event in made),
            further=frozenset(name for _, name in roles),
        )
        where = None if accounts is None else frozenset(account for account, _ in roles)
        replace(first, wanted=wanted).run(where)
    first.found.cut_by_chains = True


@dataclass
class _Pass:
    """One pass over the files."""

    source: Source
    wanted: Wanted
    span: TimeSpan
    found: TrailReading
    seen: set[str]
    pool: Engine
    progress: FileProgress | None
    is_seen: frozenset[str] = frozenset()
    """Names of files that were searched for these records before."""
    regions: frozenset[str] = frozenset()
    """The regions whose files are read; empty: all."""

    def run(self, accounts: frozenset[str] | None) -> None:
        files = [
            trail_file
            for trail_file in self.source.files(accounts, self.span)
            if trail_file.name not in self.is_seen and (not self.regions or trail_file.region in ("", *self.regions))
        ]
        for number, (file, scanned) in enumerate(self.pool.scanned(files, self.wanted), 1):
            self._count(file, scanned)
            self._take(scanned.events)
            if self.progress is not None and (number % 16 == 0 or number == len(files)):
                self.progress(number, len(files))

    def _count(self, file: TrailFile, scanned: Scanned) -> None:
        reading = self.found
        if file.name not in reading.counted:
            reading.counted.add(file.name)
            reading.files += 1
            reading.size += scanned.size
            reading.left_out += not scanned.mentions and not scanned.broken
            if file.at is not None and not scanned.broken:
                reading.days.setdefault((file.account, file.region), set()).add(file.at.date())
        # A file that does not mention the role is not decoded: it may prove broken when a later role is searched for.
        if scanned.broken and all(name != file.name for name, _ in reading.broken):
            reading.broken.append((file.name, scanned.broken))
        reading.records += scanned.records
        if scanned.skipped:
            reading.skipped.update(scanned.skipped)
            if file.name not in reading.skipped_in:
                reading.skipped_in.append(file.name)

    def _take(self, events: Sequence[Event]) -> None:
        for event in events:
            if not self._in_span(event.at, event.tie):
                continue
            if event.id in self.seen:
                self.found.duplicates += 1
                continue
            self.seen.add(event.id)
            self.found.events.append(event)

    def _in_span(self, at: datetime, tie: Tie) -> bool:
        """Whether an event counts. Entries before the period count, because their sessions may act in it."""
        if tie is Tie.ACT:
            return self.span.holds(at)
        return self.span.may_hold(at) and (self.span.until is None or at < self.span.until)


class _Pool:
    """Worker processes, one per core, started when there is enough work."""

    def __init__(self, cores: int) -> None:
        self._cores = cores
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> _Pool:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def scanned(self, files: Sequence[TrailFile], wanted: Wanted) -> Iterator[tuple[TrailFile, Scanned]]:
        """Yield every file with its result, in order. Files of a worker that died are read in this process."""
        done = 0
        if self._cores > 1 and len(files) > 1 and sum(trail_file.size for trail_file in files) >= _WORTH:
            try:
                for file, item in zip(files, self._mapped(files, wanted), strict=True):
                    yield file, item
                    done += 1
            except BrokenProcessPool:
                self._cores = 1
        for file in files[done:]:
            yield file, scan(file.path, wanted)

    def _mapped(self, files: Sequence[TrailFile], wanted: Wanted) -> Iterator[Scanned]:
        if self._pool is None:
            # Forking is safe while this process has one thread, and avoids importing everything again.
            context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
            self._pool = ProcessPoolExecutor(self._cores, mp_context=context, initializer=_leave_interrupts)
        at_once = max(1, min(_FEW, len(files) // self._cores))
        return self._pool.map(partial(scan, wanted=wanted), [file.path for file in files], chunksize=at_once)


def _leave_interrupts() -> None:
    """Ignore Ctrl-C, which reaches every process of a terminal: the parent process ends this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
