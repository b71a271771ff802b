"""What CloudTrail shows of the run, in both accounts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from tools.live.steps import Outcome, Skipped, step
from tools.live.world import Account, World

_EVERY = 30.0
_PAGES = 40
_BETWEEN = 0.5
"""Seconds between pages: LookupEvents allows two calls per second."""
Event = dict[str, Any]


@step("trails", "H33", "H34", "U10", "W8")
def trails(world: World) -> Outcome:
    """CloudTrail in both accounts (it may be 15 minutes late)."""
    if world.trail_wait <= 0:
        raise Skipped("not waited for (--trail-minutes 0)")
    if not world.roles:
        raise Skipped("no role was entered")
    started = world.time.now()
    owner: Sequence[Event] = ()
    contractor: Sequence[Event] = ()

    def is_there() -> bool:
        nonlocal owner, contractor
        owner, contractor = _events(world, world.owner), _events(world, world.contractor)
        # The last entries of the run appear last.
        wanted = {event["sharedEventID"] for event in contractor if "sharedEventID" in event}
        return bool(wanted) and any(map(_refused, contractor)) and wanted == {e.get("sharedEventID") for e in owner}

    world.until(is_there, limit=world.trail_wait, every=_EVERY)
    if not owner and not contractor:
        raise Skipped(f"no event of the run was shown within {world.time.now() - started:.0f} s")
    by_code = [item for item in owner if _role(item).endswith("-named-direct")]
    by_session = [item for item in owner if _role(item).endswith("-guarded")]
    shared = {item.get("sharedEventID") for item in owner} & {item.get("sharedEventID") for item in contractor}
    return {
        "seconds_waited": round(world.time.now() - started),
        "owner_events": len(owner),
        "contractor_events": len(contractor),
        "refused_in_the_owners_trail": sum(map(_refused, owner)),
        "refused_in_the_contractors_trail": sum(map(_refused, contractor)),
        "joined_by_shared_event_id": len(shared - {None}),
        "owner_sees_identity_types": sorted({str(item["userIdentity"].get("type")) for item in owner}),
        "owner_sees_ids_of_kind": sorted({str(item["userIdentity"].get("principalId", ""))[:4] for item in owner}),
        "owner_sees_arn": any("arn" in item["userIdentity"] for item in owner),
        "serial_number_with_a_code": _serials(by_code),
        "serial_number_with_an_mfa_session": _serials(by_session),
        "mfa_authenticated_with_an_mfa_session": sorted({_mfa(item) for item in by_session}),
        "source_identity_in_the_owners_event": any(
            (item.get("requestParameters") or {}).get("sourceIdentity") for item in owner
        ),
    }


def _events(world: World, account: Account) -> Sequence[Event]:
    """The AssumeRole events of this run in one account."""
    client = account.client("cloudtrail")
    given: dict[str, Any] = {
        "LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": "AssumeRole"}],
        "StartTime": datetime.fromtimestamp(world.time.now(), UTC) - timedelta(hours=2),
    }
    result: list[Event] = []
    for _ in range(_PAGES):
        page = client.lookup_events(**given)
        result += [json.loads(event["CloudTrailEvent"]) for event in page["Events"]]
        if not page.get("NextToken"):
            break
        given["NextToken"] = page["NextToken"]
        world.time.sleep(_BETWEEN)
    return [item for item in result if world.path in _role(item)]


def _role(event: Event) -> str:
    return str((event.get("requestParameters") or {}).get("roleArn", ""))


def _refused(event: Event) -> bool:
    return "errorCode" in event


def _serials(events: Sequence[Event]) -> str:
    """ "yes", "no", "both", or "no event"."""
    seen = {bool((event.get("requestParameters") or {}).get("serialNumber")) for event in events if not _refused(event)}
    return {frozenset({True}): "yes", frozenset({False}): "no", frozenset(): "no event"}.get(frozenset(seen), "both")


def _mfa(event: Event) -> str:
    attributes = event["userIdentity"].get("sessionContext", {}).get("attributes", {})
    return str(attributes.get("mfaAuthenticated", "not shown"))
