"""How a Principal or NotPrincipal element matches a caller: a second implementation of `valetkey.policy.principals`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from valetkey.policy.principals import NamedBy, Principals, read_aws
from valetkey.prover.parties import Person


def listed(element: Principals) -> frozenset[str]:
    """The names in a Principal element, in the form of `Person.grants`."""
    hosts = (entry.partition(":oidc-provider/")[2] for entry in element.federated)
    return frozenset(
        [
            *(read_aws(entry) or entry for entry in element.aws),
            *(f"service:{entry}" for entry in element.services),
            *(f"federated:{entry}" for entry in element.federated),
            *(f"federated-host:{host}" for host in hosts if host),
            *(f"canonical:{entry}" for entry in element.canonical),
        ]
    )


def reached(
    person: Person,
    element: Principals | None,
    names: frozenset[str],
    *,
    negated: bool,
    deny: bool,
    bounded: bool,
    unsure: bool,
) -> NamedBy:
    """How a Principal or NotPrincipal element names a caller. `names` is `listed(element)`; `unsure` says whether an
    empty NotPrincipal matches every caller."""
    if element is None:
        return NamedBy.DIRECT
    if element.empty:
        return NamedBy.DIRECT if negated and unsure else NamedBy.NONE
    if not negated:
        if element.everyone:
            return NamedBy.DIRECT
        return max((grant for name, grant in person.grants.items() if name in names), default=NamedBy.NONE)
    if element.everyone:
        return NamedBy.NONE
    if deny:
        spared = not bounded and all(any(name in names for name in group) for group in person.groups)
    else:
        spared = any(name in names for group in person.groups for name in group)
    return NamedBy.NONE if spared else NamedBy.DIRECT


class CallerIndex:
    """An index of callers by the names that a Principal element can use. A statement that names one caller is matched
    without a comparison with every caller."""

    def __init__(self, people: Iterable[Person | None]) -> None:
        self._masks: dict[str, dict[NamedBy, int]] = {}
        for place, person in enumerate(people):
            for name, grant in person.grants.items() if person is not None else ():
                masks = self._masks.setdefault(name, {})
                masks[grant] = masks.get(grant, 0) | 1 << place

    def reached(self, names: frozenset[str]) -> Mapping[NamedBy, int]:
        """The callers that a Principal element with these names matches, as masks by how it names them. The most direct
        of a caller's names decides."""
        by_grant: dict[NamedBy, int] = {}
        for name in names:
            for grant, mask in self._masks.get(name, {}).items():
                by_grant[grant] = by_grant.get(grant, 0) | mask
        result: dict[NamedBy, int] = {}
        taken = 0
        for grant in sorted(by_grant, reverse=True):
            if left := by_grant[grant] & ~taken:
                result[grant] = left
            taken |= left
        return dict(sorted(result.items(), key=lambda item: item[1] & -item[1]))
