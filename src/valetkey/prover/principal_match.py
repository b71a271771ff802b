"""How a Principal or NotPrincipal element matches a caller: a second implementation of `valetkey.policy.principals`."""

from __future__ import annotations

from valetkey.policy.principals import Grant, Principals, read_aws
from valetkey.prover.parties import Person


def listed(element: Principals) -> frozenset[str]:
    """The names in a Principal element, as `Person.grants` has them."""
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
) -> Grant:
    """How a Principal element reaches a caller; `names` is `listed(element)`, and `unsure` says whether a NotPrincipal
    that names nobody reaches everybody."""
    if element is None:
        return Grant.DIRECT
    if element.empty:
        return Grant.DIRECT if negated and unsure else Grant.NONE
    if not negated:
        if element.everyone:
            return Grant.DIRECT
        return max((grant for name, grant in person.grants.items() if name in names), default=Grant.NONE)
    if element.everyone:
        return Grant.NONE
    if deny:
        spared = not bounded and all(any(name in names for name in group) for group in person.groups)
    else:
        spared = any(name in names for group in person.groups for name in group)
    return Grant.NONE if spared else Grant.DIRECT
