"""The picture of an audit: who can reach what, as values for an SVG. This module makes no markup.

Outsiders are on the left, roles on the right, with a line from each outsider to what it can reach. The most open roles
are at the top. Roles that the same outsiders reach are grouped. Only `MOST` groups are drawn; the others are counted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from valetkey.audit.exposure import Outsider
    from valetkey.audit.findings import Judged

MOST = 40
"""Maximum number of roles, or groups of roles, that are drawn."""
ROW = 30
"""Pixels between two names."""
_LEFT, _RIGHT, _TOP = 272, 532, 34


@dataclass(frozen=True, slots=True)
class Node:
    """A name in the picture; `y` is its vertical center."""

    name: str
    more: int
    """Number of other roles that the same outsiders reach, represented by this name."""
    tone: str
    """ "guarded" or "unguarded"."""
    y: float


@dataclass(frozen=True, slots=True)
class Edge:
    """A line from an outsider to a role."""

    path: str
    tone: str
    title: str


@dataclass(frozen=True, slots=True)
class Picture:
    """The complete picture, in the coordinates of `width` by `height`."""

    outsiders: tuple[Node, ...]
    roles: tuple[Node, ...]
    lines: tuple[Edge, ...]
    width: int
    height: int
    left: int
    right: int
    rest: int
    """Number of roles with outsiders that are not drawn."""


def picture(roles: Sequence[Judged], name_of: Callable[[Outsider], str]) -> Picture | None:
    """Return the picture of the roles that admit outsiders; None if there are none. `name_of` returns an outsider's
    name."""
    entered = [role for role in roles if role.outsiders]
    if not entered:
        return None
    groups: dict[tuple[object, ...], list[Judged]] = {}
    for role in sorted(entered, key=lambda role: role.arn):
        alike = (role.exposure, frozenset((name_of(item), item.guarded) for item in role.outsiders))
        groups.setdefault(alike, []).append(role)
    ordered = sorted(groups.values(), key=lambda group: (group[0].exposure != "unguarded", group[0].arn))
    drawn = [group[0] for group in ordered[:MOST]]
    parties: dict[str, list[tuple[int, Outsider]]] = {}
    for place, role in enumerate(drawn):
        for outsider in role.outsiders:
            parties.setdefault(name_of(outsider), []).append((place, outsider))
    # Place an outsider near its roles, so that few lines cross.
    names = sorted(parties, key=lambda name: sum(place for place, _ in parties[name]) / len(parties[name]))
    rows = max(len(names), len(drawn))
    height = _TOP + rows * ROW + 12
    at_left = _spread(len(names), rows)
    at_right = _spread(len(drawn), rows)
    lines = [
        Edge(
            f"M{_LEFT} {at_left[index]:.0f} C{_LEFT + 110} {at_left[index]:.0f} "
            f"{_RIGHT - 110} {at_right[place]:.0f} {_RIGHT} {at_right[place]:.0f}",
            "guarded" if outsider.guarded else "unguarded",
            f"{name}: {bound(outsider)}",
        )
        for index, name in enumerate(names)
        for place, outsider in parties[name]
    ]
    return Picture(
        tuple(
            Node(name, 0, "guarded" if all(o.guarded for _, o in parties[name]) else "unguarded", at_left[index])
            for index, name in enumerate(names)
        ),
        tuple(
            Node(group[0].arn.split(":role/", 1)[-1], len(group) - 1, group[0].exposure, at_right[place])
            for place, group in enumerate(ordered[:MOST])
        ),
        tuple(sorted(lines, key=lambda line: line.tone == "unguarded")),
        _RIGHT + 280,
        height,
        _LEFT,
        _RIGHT,
        sum(len(group) for group in ordered[MOST:]),
    )


def bound(outsider: Outsider) -> str:
    """Describe the conditions that an outsider must meet."""
    binds = [
        "ExternalId" if outsider.external_ids else "",
        "MFA" if outsider.mfa else "",
        f"until {outsider.until}" if outsider.until else "",
        "from named places" if outsider.sources else "",
    ]
    return ", ".join(filter(None, binds)) or "no condition"


def _spread(count: int, rows: int) -> list[float]:
    """Return the vertical centers of some names, evenly distributed over the height."""
    step = rows * ROW / count
    return [_TOP + step * (place + 0.5) for place in range(count)]
