"""CloudTrail: who used a role, and what they did.

from valetkey.activity import Folder, Span, Wanted, answer, read

reading, wanted = read(Folder(path), Wanted(roles=frozenset({("111111111111", "audit")})), accounts=None, span=Span())
done = answer(reading.events)
done.sessions[0].who.person, done.sessions[0].writes, done.sessions[0].flags, reading.is_complete

An engine returns `Event` rows; everything else is computed from these rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from valetkey._lazy import lazy

if TYPE_CHECKING:
    from valetkey.activity.answers import Activity, By, GroupLine, RefusedAttempt, SessionActivity, answer
    from valetkey.activity.bucket import Bucket
    from valetkey.activity.deeds import Calls, Click, Deed
    from valetkey.activity.events import Event, Tie, role_key
    from valetkey.activity.expected import Expected
    from valetkey.activity.flags import FLAGS, Flag
    from valetkey.activity.folder import Folder
    from valetkey.activity.kinds import SESSION_KINDS, SessionKind
    from valetkey.activity.layout import TimeSpan, TrailFile
    from valetkey.activity.lookup import look_up
    from valetkey.activity.people import TrailPerson
    from valetkey.activity.reading import Source, TrailReading, read
    from valetkey.activity.wanted import Wanted

__all__ = [
    "FLAGS",
    "SESSION_KINDS",
    "Activity",
    "Bucket",
    "By",
    "Calls",
    "Click",
    "Deed",
    "Event",
    "Expected",
    "Flag",
    "Folder",
    "GroupLine",
    "RefusedAttempt",
    "SessionActivity",
    "SessionKind",
    "Source",
    "Tie",
    "TimeSpan",
    "TrailFile",
    "TrailPerson",
    "TrailReading",
    "Wanted",
    "answer",
    "look_up",
    "read",
    "role_key",
]

_HOMES = {
    "Activity": "answers",
    "By": "answers",
    "GroupLine": "answers",
    "RefusedAttempt": "answers",
    "SessionActivity": "answers",
    "answer": "answers",
    "Bucket": "bucket",
    "Calls": "deeds",
    "Click": "deeds",
    "Deed": "deeds",
    "Event": "events",
    "Tie": "events",
    "role_key": "events",
    "Expected": "expected",
    "FLAGS": "flags",
    "Flag": "flags",
    "Folder": "folder",
    "SESSION_KINDS": "kinds",
    "SessionKind": "kinds",
    "TimeSpan": "layout",
    "TrailFile": "layout",
    "TrailPerson": "people",
    "look_up": "lookup",
    "TrailReading": "reading",
    "Source": "reading",
    "read": "reading",
    "Wanted": "wanted",
}

__getattr__ = lazy(__name__, _HOMES)
