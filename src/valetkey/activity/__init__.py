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
    from valetkey.activity.answers import Answer, By, Line, Refused, Session, answer
    from valetkey.activity.bucket import Bucket
    from valetkey.activity.deeds import Calls, Click, Deed
    from valetkey.activity.events import Event, Tie, role_key
    from valetkey.activity.expected import Expected
    from valetkey.activity.flags import FLAGS, Flag
    from valetkey.activity.folder import Folder
    from valetkey.activity.kinds import KINDS, Kind
    from valetkey.activity.layout import Span, TrailFile
    from valetkey.activity.lookup import look_up
    from valetkey.activity.people import Who
    from valetkey.activity.reading import Reading, Source, read
    from valetkey.activity.wanted import Wanted

__all__ = [
    "FLAGS",
    "KINDS",
    "Answer",
    "Bucket",
    "By",
    "Calls",
    "Click",
    "Deed",
    "Event",
    "Expected",
    "Flag",
    "Folder",
    "Kind",
    "Line",
    "Reading",
    "Refused",
    "Session",
    "Source",
    "Span",
    "Tie",
    "TrailFile",
    "Wanted",
    "Who",
    "answer",
    "look_up",
    "read",
    "role_key",
]

_HOMES = {
    "Answer": "answers",
    "By": "answers",
    "Line": "answers",
    "Refused": "answers",
    "Session": "answers",
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
    "KINDS": "kinds",
    "Kind": "kinds",
    "Span": "layout",
    "TrailFile": "layout",
    "Who": "people",
    "look_up": "lookup",
    "Reading": "reading",
    "Source": "reading",
    "read": "reading",
    "Wanted": "wanted",
}

__getattr__ = lazy(__name__, _HOMES)
