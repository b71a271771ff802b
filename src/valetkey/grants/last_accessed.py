"""Use of a role, from IAM's service last accessed information.

IAM keeps it for 400 days, with a delay of some hours; for some services by action, and there not for every action
(iam:PassRole and data events such as s3:GetObject are not tracked). It counts denied attempts as well as successful
ones (IAM User Guide, access_policies_last-accessed, "Things to know"). A call that the role's own policies deny is not
counted here (`from_use`); one that an SCP or a resource policy refused cannot be distinguished.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from valetkey.account.calls import Call, CallError, Perform
from valetkey.errors import ValetkeyError
from valetkey.grants.from_use import UsedActions
from valetkey.grants.waiting import Waiting

NOTES = (
    "IAM counts denied attempts as use: one that an SCP or a resource's policy refused looks like a success here.",
    "IAM's record reaches 400 days back. Actions that it does not track stay where their service was used.",
)


def read_use(perform: Perform, role_arn: str, *, waiting: Waiting) -> UsedActions:
    """Have IAM generate the report for a role, and read it. Raises CallError; ValetkeyError (exit code 3) if it takes
    too long or fails."""
    call = Call("iam", "generate_service_last_accessed_details", {"Arn": role_arn, "Granularity": "ACTION_LEVEL"})
    job = str(perform(call)["JobId"])

    def look() -> dict[str, Any] | None:
        page = perform(Call("iam", "get_service_last_accessed_details", {"JobId": job, "MaxItems": 1000}))
        return None if page.get("JobStatus") == "IN_PROGRESS" else page

    first = waiting.until(look)
    if first is None or first.get("JobStatus") != "COMPLETED":
        why = "is not ready" if first is None else f"failed: {(first.get('Error') or {}).get('Message', 'no reason')}"
        raise ValetkeyError(
            f"IAM's report of the services that the role used {why}",
            do="try again later, or name a trail: --from SOURCE",
            where=role_arn,
            exit_code=3,
        )
    return _use(list(_services(perform, job, first)))


def _services(perform: Perform, job: str, page: dict[str, Any]) -> Iterator[dict[str, Any]]:
    seen: set[object] = set()
    while True:
        yield from page.get("ServicesLastAccessed", ())
        marker = page.get("Marker")
        if not page.get("IsTruncated"):
            return
        call = Call("iam", "get_service_last_accessed_details", {"JobId": job, "MaxItems": 1000, "Marker": marker})
        if marker in seen:
            raise CallError(call, "Garbled", "its pages never end", do="check what answers in AWS's place")
        seen.add(marker)
        page = perform(call)


def _use(services: list[dict[str, Any]]) -> UsedActions:
    actions: set[str] = set()
    whole: set[str] = set()
    tracked: dict[str, frozenset[str]] = {}
    for item in services:
        if item.get("LastAuthenticated") is None:
            continue
        service = str(item["ServiceNamespace"]).lower()
        listed = item.get("TrackedActionsLastAccessed") or ()
        if not listed:
            whole.add(service)
            continue
        named = {_action(service, str(element["ActionName"])): element.get("LastAccessedTime") for element in listed}
        tracked[service] = frozenset(named)
        actions |= {action for action, when in named.items() if when is not None}
    return UsedActions(
        source="IAM's service last accessed information",
        actions=frozenset(actions),
        services=frozenset(whole),
        tracked=tracked,
        notes=NOTES,
    )


def _action(service: str, name: str) -> str:
    """Return the action, lower-cased, with or without its service as prefix in `name`."""
    return (name if ":" in name else f"{service}:{name}").lower()
