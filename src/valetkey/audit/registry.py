"""A check as a value: a function with its number, title, severity, reason, fix and AWS page.

    @check("T23", title=..., severity="medium", why=..., fix=..., page="id_roles_manage_modify.html")
    def session_too_long(subject: Subject) -> Iterator[Hit]: ...

`check` keeps no list: the decorated name is a frozen `Check`, and `registered` collects those of a module.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType, ModuleType
from typing import Generic, TypeVar

from valetkey.audit.findings import Hit, Severity

GUIDE = "https://docs.aws.amazon.com/IAM/latest/UserGuide/"

Read = TypeVar("Read")
S = TypeVar("S", contravariant=True)


@dataclass(frozen=True, slots=True)
class Check(Generic[S]):
    """One check. `S` is the type that it reads: `Trust` or `Subject`."""

    id: str
    """ "T1" to "T31", "unknown" or "incomplete"."""
    title: str
    severity: Severity
    """The default severity of its findings."""
    why: str
    fix: str
    page: str
    """The URL of AWS's page."""
    find: Callable[[S], Iterator[Hit]]

    def __post_init__(self) -> None:
        for name in ("id", "title", "why", "fix"):
            if not getattr(self, name).strip():
                raise ValueError(f"the check {self.id or self.find.__name__} has no {name}")
        if not self.page.startswith(GUIDE) or not self.page.endswith(".html"):
            raise ValueError(f"the check {self.id} has no page of the IAM User Guide: {self.page!r}")


def check(
    number: str, *, title: str, severity: Severity, why: str, fix: str, page: str
) -> Callable[[Callable[[Read], Iterator[Hit]]], Check[Read]]:
    """Turn a function into a check. `page` is a page of the IAM User Guide. Raises ValueError for a missing text or
    page."""

    def made(find: Callable[[Read], Iterator[Hit]]) -> Check[Read]:
        return Check(number, title, severity, why, fix, GUIDE + page, find)

    return made


def in_module(module: ModuleType, reads: type[Read]) -> Iterator[Check[Read]]:
    """The checks of a module, in order of definition. All of them read the type `reads`."""
    return (item for item in vars(module).values() if isinstance(item, Check))


def registered(checks: Iterable[Check[Read]]) -> Mapping[str, Check[Read]]:
    """The checks by id, as a read-only mapping sorted by number. Raises ValueError for a duplicate id."""
    table: dict[str, Check[Read]] = {}
    for item in checks:
        if item.id in table:
            raise ValueError(
                f"two checks have the id {item.id}: {table[item.id].find.__name__} and {item.find.__name__}"
            )
        table[item.id] = item
    return MappingProxyType({key: table[key] for key in sorted(table, key=order)})


def order(number: str) -> tuple[bool, int]:
    """A sort key for ids: T1, T2, ..., T31, then "incomplete" and "unknown"."""
    digits = number[1:]
    return (False, int(digits)) if digits.isdigit() else (True, -len(number))
