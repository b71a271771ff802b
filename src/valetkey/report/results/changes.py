"""Changes and suspensions of a grant as JSON (docs/reference/{change,extend,rotate,suspend,resume}.md)."""

from __future__ import annotations

from typing import Literal

from valetkey.report.results.grants import Call, Proof
from valetkey.report.results.openings import Opens
from valetkey.report.results.shape import Shape


class Policies(Shape, frozen=True):
    """The effect of a change of policies and boundary: actions by access level."""

    adds: dict[str, list[str]]
    removes: dict[str, list[str]]
    same_actions: bool
    """The documents differ in resources or conditions only."""
    unread: list[str]
    """Previous policies that could not be read."""
    undecided: str | None
    """Why the policies were not fully analyzed."""


class Field(Shape, frozen=True):
    what: str
    old: str
    new: str


class _Change(Shape, frozen=True):
    """The effect of a change, and how it is performed."""

    valetkey: Literal["changed/v1"]
    name: str
    role_arn: str
    account: str
    adds: list[str]
    """Calls into the role that become possible; empty: proved that there are none."""
    removes: list[str]
    policies: Policies | None
    """Null if neither policies nor boundary change."""
    fields: list[Field]
    sessions: Literal["kept", "denied"]
    sessions_before: str | None
    """Sessions that were issued before this time are denied."""
    paused: bool
    """Whether everything is denied during the change."""
    resumed: bool
    """Whether this run continues an interrupted change."""
    opens: Opens | None
    previous_until: str | None
    """Until when the previous ExternalId is accepted."""
    waited_seconds: float
    proof: Proof | None


class Changed(_Change, frozen=True):
    """A change that was performed."""

    calls: list[str]
    """The calls performed; empty if nothing had to be changed."""
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
    """Null: until `resume`."""
    calls: list[str]
    """The calls performed; empty if it was already suspended this way."""


class Resumed(Shape, frozen=True):
    valetkey: Literal["resumed/v1"]
    name: str
    role_arn: str
    sessions_before: str | None
    """Sessions that were issued before this time stay denied."""
    may_live_until: str | None
    """Until when sessions from before the suspension may exist; null: there are none."""
    note: str | None
    calls: list[str]
    """The calls performed; empty if it was not suspended."""
