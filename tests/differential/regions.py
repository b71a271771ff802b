"""Check the regions of `who`: every witness is allowed, and every allowed request is in a region."""

from __future__ import annotations

from collections.abc import Sequence

from valetkey.policy import Origin, Policy, Request, decide
from valetkey.policy.globs import matches
from valetkey.policy.operands import read_address, read_date, read_network, read_number
from valetkey.prover import Region, RegionValues, Unknown, who


def astray(policy: Policy, resource: str | None, owner: str, requests: Sequence[Request]) -> str | None:
    """The fault, "unknown", or None."""
    result = who(policy, origin=Origin.RETURNED, resource=resource, owner=owner)
    if isinstance(result, Unknown):
        return "unknown"
    for region in result.regions:
        if not decide(region.witness, **{policy.kind: policy}).allowed:  # type: ignore[arg-type]
            return f"a witness is not admitted: {region.witness}"
        if not inside(region, region.witness):
            return f"a witness is not in its own region: {region}"
    for request in requests:
        allowed = decide(request, **{policy.kind: policy}).allowed  # type: ignore[arg-type]
        if allowed and not any(inside(region, request) for region in result.regions):
            return f"it is let in and lies in no region: {request}"
    return None


_ROLE = ("sts:assumerole", "sts:assumerolewithsaml", "sts:assumerolewithwebidentity", "sts:tagsession")


def inside(region: Region, request: Request) -> bool:
    """Whether a request matches the description of a region. A description is less exact than the region: for a
    pattern, only some of its values need be in the region."""
    if request.caller.kind not in region.kinds or not _of_party(region, request):
        return False
    entering = [action.lower() for action in region.actions]
    # For other services, one action represents all actions that the documents treat alike.
    if request.actions[0] not in entering and any(action in _ROLE for action in entering):
        return False
    return all(_may_be(values, request.keys.get(key)) for key, values in region.values.items())


def _of_party(region: Region, request: Request) -> bool:
    party = region.party
    match party.kind:
        case "account":
            return request.caller.account == party.name and not request.caller.unsigned
        case "deleted" | "unique id":
            return str(request.keys.get("aws:userid", "")).split(":")[0] == party.name
        case "any account":
            return request.caller.account is not None and not request.caller.unsigned
        case kind:
            return request.caller.kind == kind and party.name in ("", request.principal)


def _may_be(values: RegionValues, have: str | tuple[str, ...] | None) -> bool:
    if have is None or have == ():
        return values.absent
    return all(_one(values, item) for item in ((have,) if isinstance(have, str) else have))


def _one(values: RegionValues, text: str) -> bool:
    if values.free or text in values.exact:
        return True
    if any(matches(pattern, text) or text.lower() == pattern.lower() for pattern in (*values.patterns, *values.exact)):
        return True
    address = read_address(text)
    for pattern in values.patterns:
        network = read_network(pattern)
        if network and address and network[0] == address[0] and address[1] & network[2] == network[1]:
            return True
    return any(_in_span(text, *span) for span in values.span)


def _in_span(text: str, low: str | None, high: str | None) -> bool:
    read = (
        read_number
        if "-" not in text[1:] and read_number(text) is not None and not _is_date(low or high)
        else read_date
    )
    have = read(text)
    if have is None:
        return False
    return (low is None or read(low) <= have) and (high is None or have <= read(high))  # type: ignore[operator]


def _is_date(text: str | None) -> bool:
    return text is not None and "T" in text
