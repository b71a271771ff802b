"""The sandbox's own events of an account as files of a trail, in the layout of an organization's."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from typing import Any

from tests.trails.generate import ORGANIZATION
from tests.trails.records import trail

Root = Callable[..., Any]
"""Performs a call as the root of an account: root("iam", "get_role", RoleName=...)."""


def events(root: Root) -> list[dict[str, Any]]:
    """Everything that was recorded of an account in the sandbox's region, the oldest first."""
    result: list[dict[str, Any]] = []
    more: dict[str, Any] = {}
    while True:
        page = root("cloudtrail", "lookup_events", MaxResults=50, **more)
        result += [json.loads(event["CloudTrailEvent"]) for event in page["Events"]]
        if "NextToken" not in page:
            return result[::-1]
        more = {"NextToken": page["NextToken"]}


def files(account: str, records: list[dict[str, Any]]) -> Iterator[tuple[str, bytes]]:
    """Key and content of a file a day."""
    days: dict[str, list[dict[str, Any]]] = {}
    for record in records:
        days.setdefault(record["eventTime"][:10], []).append(record)
    for day, some in days.items():
        where = f"AWSLogs/{ORGANIZATION}/{account}/CloudTrail/us-east-1/{day.replace('-', '/')}"
        name = f"{account}_CloudTrail_us-east-1_{day.replace('-', '')}T2359Z_abc.json.gz"
        yield f"{where}/{name}", gzip.compress(trail(some))
