"""Principal and NotPrincipal elements in the evaluator, compiled to tests of the caller of a request.

Source: IAM User Guide, reference_policies_elements_principal and reference_policies_elements_notprincipal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from valetkey.policy.principals import Caller, NamedBy, Principals, is_unique_id, read_aws
from valetkey.policy.requests import Request
from valetkey.policy.undecided import not_known


def compile_principals(
    element: Principals, *, negated: bool, deny: bool, unsure: bool
) -> Callable[[Request, bool], NamedBy]:
    """Compile to a test of a request; its second argument says whether the caller has a permissions boundary. `unsure`
    says whether an empty NotPrincipal matches every caller."""
    if element.empty:
        grant = NamedBy.DIRECT if negated and unsure else NamedBy.NONE
        return lambda request, bounded: grant
    if negated:
        return _not_principal(element, deny)
    if element.everyone:
        return lambda request, bounded: NamedBy.DIRECT
    listed = _listed(element)
    unique = frozenset(filter(is_unique_id, element.aws))

    def by_name(request: Request, bounded: bool) -> NamedBy:
        for name, grant in request.caller.names:
            # A bare account id means the account with that number in the resource's partition.
            if name in listed and (request.same_partition or name != request.caller.account):
                return grant
        return NamedBy.NONE

    def test(request: Request, bounded: bool) -> NamedBy:
        return max(by_name(request, bounded), _by_unique_id(unique, request.caller, request.keys))

    return test if unique else by_name


def _by_unique_id(unique: frozenset[str], caller: Caller, keys: Mapping[str, str | tuple[str, ...]]) -> NamedBy:
    """A unique id does not match an ARN; it matches the aws:userid of the request (AIDA…, or AROA…:session)."""
    userid = keys.get("aws:userid")
    if not isinstance(userid, str):
        return NamedBy.NONE
    match caller.kind:
        case "user":
            return NamedBy.DIRECT if userid in unique else NamedBy.NONE
        case "role" | "session":
            return NamedBy.ROLE if userid.partition(":")[0] in unique else NamedBy.NONE
        case "root" | "federated user" | "service" | "provider" | "anonymous" | "canonical user":
            return NamedBy.NONE
        case never:
            raise not_known(never)


def _listed(element: Principals) -> frozenset[str]:
    hosts = [entry.split(":oidc-provider/", 1)[1] for entry in element.federated if ":oidc-provider/" in entry]
    return frozenset(
        [read_aws(entry) or entry for entry in element.aws]
        + [f"service:{entry}" for entry in element.services]
        + [f"federated:{entry}" for entry in element.federated]
        + [f"federated-host:{host}" for host in hosts]
        + [f"canonical:{entry}" for entry in element.canonical]
    )


def _not_principal(element: Principals, deny: bool) -> Callable[[Request, bool], NamedBy]:
    """A Deny exempts a caller only when its account, role and session are all listed and it has no permissions
    boundary. An Allow matches only callers none of whose names is listed."""
    listed = _listed(element)

    def denies(request: Request, bounded: bool) -> NamedBy:
        spared = element.everyone or (
            not bounded and all(any(name in listed for name in group) for group in request.caller.groups)
        )
        return NamedBy.NONE if spared else NamedBy.DIRECT

    def allows(request: Request, bounded: bool) -> NamedBy:
        spared = element.everyone or any(name in listed for name, _ in request.caller.names)
        return NamedBy.NONE if spared else NamedBy.DIRECT

    return denies if deny else allows
