"""Changes and suspensions of a grant as JSON (docs/reference/{change,extend,rotate,suspend,resume}.md)."""

from __future__ import annotations

from typing import Literal

from valetkey.report.results.grants import Call, Proof
from valetkey.report.results.openings import Opens
from valetkey.report.results.shape import Shape


class Policies(Shape, frozen=True):
    """What the change of policies and boundary does: actions by access level."""

    adds: dict[str, list[str]]
    removes: dict[str, list[str]]
    same_actions: bool
    """The documents differ in resources or conditions only."""
    unread: list[str]
    """Earlier policies that could not be read."""
    undecided: str | None
    """Why the policies were not looked at in full."""


class Field(Shape, frozen=True):
    what: str
    old: str
    new: str


class _Change(Shape, frozen=True):
    """What a change means, and how it goes."""

    valetkey: Literal["changed/v1"]
    name: str
    role_arn: str
    account: str
    adds: list[str]
    """Calls into the role that are new; empty: proved that there are none."""
    removes: list[str]
    policies: Policies | None
    """Null where neither policies nor boundary change."""
    fields: list[Field]
    sessions: Literal["kept", "denied"]
    sessions_before: str | None
    """Sessions that were issued before this time are denied."""
    paused: bool
    """Whether everything is denied meanwhile."""
    resumed: bool
    """Whether a change that was interrupted is gone on with."""
    opens: Opens | None
    previous_until: str | None
    """Until when the previous ExternalId is accepted."""
    waited_seconds: float
    proof: Proof | None


class Changed(_Change, frozen=True):
    """A change that was made."""

    calls: list[str]
    """What was performed; empty when it was as asked for."""
    dry_run: Literal[False]


class PlannedChange(_Change, frozen=True):
    """A change that a dry run would make."""

    calls: list[Call]
    dry_run: Literal[True]


class Suspended(Shape, frozen=True):
    valetkey: Literal["suspended/v1"]
    name: str
    role_arn: str
    since: str | None
    until: str | None
    """Null: until it is resumed."""
    calls: list[str]
    """What was performed; empty when it was suspended so already."""


class Resumed(Shape, frozen=True):
    valetkey: Literal["resumed/v1"]
    name: str
    role_arn: str
    sessions_before: str | None
    """Sessions that were issued before this time stay denied."""
    may_live_until: str | None
    """Until when sessions from before the suspension may exist; null: none can."""
    note: str | None
    calls: list[str]
    """What was performed; empty when it was not suspended."""
