"""Drop a kept role session that AWS does not know any more: the role was made anew, or taken away."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from valetkey.errors import ValetkeyError

if TYPE_CHECKING:
    from valetkey.cli._entry import Entry
    from valetkey.credentials.profiles.customers import Customer
    from valetkey.credentials.sessions.cache import Session
    from valetkey.credentials.sessions.kept import Known

RUN_AGAIN = "the role was re-made: run it again"
"""The last line of a command that failed with such a session."""


def kept(entry: Entry) -> Session | None:
    """The role session that is kept for this entry, while it lasts. Makes no call."""
    from valetkey.cli._entry import clock

    found = entry.tools().cache.get(entry.key)
    return found if found is not None and found.left(clock()) > 0 and found.issued >= entry.accepted else None


def drop(entry: Entry, session: Session) -> None:
    """Drop a session that AWS does not know, and every copy of it that is handed out."""
    cache = entry.tools().cache
    there = cache.get(entry.key)
    # Another process may have entered the role anew meanwhile.
    if there is not None and there.credentials.access_key_id == session.credentials.access_key_id:
        cache.drop(entry.key)
    _forget(entry)


def _forget(entry: Entry) -> None:
    from valetkey.credentials.profiles import customers
    from valetkey.credentials.sessions import process_cache

    if entry.through is None:
        process_cache.drop(entry.profile.name, os.environ)
        customers.forget(entry.profile, os.environ)


def dropped(entry: Entry, session: Session | None = None) -> bool:
    """Whether a session (None: the one that is kept) is gone at AWS; it is dropped then. One call where there is one,
    none else. Raises nothing."""
    return looked_at(entry, session) == "gone"


def looked_at(entry: Entry, session: Session | None = None) -> Known | None:
    """The same with what AWS said of it; None: there is none."""
    from valetkey.cli._entry import clock
    from valetkey.credentials.sessions.kept import look

    with contextlib.suppress(ValetkeyError):
        session = session or kept(entry)
        if session is None:
            return None
        found = look(entry.base.connect(session.credentials), session, now=clock())
        if found == "gone":
            drop(entry, session)
        return found
    return None


def drop_customers(customers: Sequence[Customer]) -> frozenset[str]:
    """The names of the customers whose kept session was gone at AWS, and was dropped: one call for each that has one,
    at the same time."""
    asked = [each for each in customers if each.session_key]
    if not asked:
        return frozenset()
    with ThreadPoolExecutor(max_workers=min(len(asked), 16)) as pool:
        gone = list(pool.map(_is_gone, asked))
    return frozenset(each.profile.name for each, is_gone in zip(asked, gone, strict=True) if is_gone)


def _is_gone(customer: Customer) -> bool:
    from valetkey.aws.signin import calling
    from valetkey.cli._entry import clock
    from valetkey.credentials.profiles import customers
    from valetkey.credentials.sessions import process_cache
    from valetkey.credentials.sessions.base_binding import with_files
    from valetkey.credentials.sessions.cache import Cache
    from valetkey.credentials.sessions.kept import look

    profile, cache = customer.profile, Cache(os.environ)
    session = cache.get(customer.session_key)
    if session is None:
        return False
    with contextlib.suppress(ValetkeyError):
        perform, realm = calling(
            session.credentials,
            profile=profile.source_profile,
            region=profile.region,
            partition=profile.partition,
            files=with_files(profile.base_files, os.environ),
        )
        # Another endpoint (a sandbox) cannot know it.
        if realm == customer.session_realm and look(perform, session, now=clock()) == "gone":
            cache.drop(customer.session_key)
            process_cache.drop(profile.name, os.environ)
            customers.forget(profile, os.environ)
            return True
    return False
