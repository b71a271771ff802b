"""A change of a grant: AWS calls, and this process's CPU time, on an account in memory that answers at once.

There is no peer: elsewhere a grant is changed by hand, or revoked and made again (13 writes for two policies).
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.unit.grants.fake_iam import FakeIam

from valetkey.account.calls import Call
from valetkey.grants.change import change, prepare_change
from valetkey.grants.edit import Edit
from valetkey.grants.grant import Grant
from valetkey.grants.options import OwnerOptions
from valetkey.grants.plan import plan
from valetkey.grants.role import read_owner
from valetkey.grants.waiting import Waiting
from valetkey.trust import Terms

NOW = datetime(2026, 11, 29, tzinfo=UTC)
CAROL, DAVE = (f"arn:aws:iam::222222222222:user/{name}" for name in ("carol", "dave"))
MANAGED = "arn:aws:iam::aws:policy/"
CHANGES: dict[str, dict[str, Any]] = {
    "extend": {"until": NOW + timedelta(days=60)},
    "add a policy": {"add_policies": (f"{MANAGED}ReadOnlyAccess",)},
    "add a person": {"add_only": (DAVE,)},
    "rotate": {"external_id": "the-second", "overlap": timedelta(days=3)},
    "replace a person": {"add_only": (DAVE,), "remove_only": (CAROL,)},
}


def _one(given: dict[str, Any]) -> tuple[int, int, float]:
    """Make one change. Returns writes, reads, and CPU seconds of this process."""
    iam = FakeIam("111111111111")
    terms = Terms(
        contractor="222222222222", external_id="the-first", mfa=False, only=(CAROL,), until=NOW + timedelta(days=30)
    )
    policies = (f"{MANAGED}SecurityAudit", f"{MANAGED}job-function/ViewOnlyAccess")
    for call in plan(Grant(name="audit", account=iam.account, terms=terms, managed=policies), None):
        iam(call)
    iam.log.clear()
    calls: list[str] = []

    def note(call: Call) -> None:
        if "Marker" not in call.params:  # this account returns one item per page, AWS a hundred
            calls.append(call.operation)

    iam.before = note
    words = {key: value for key, value in given.items() if key in Edit.__dataclass_fields__}
    asked = {key: value for key, value in given.items() if key not in words}
    passed = [0.0]

    def sleep(seconds: float) -> None:
        passed[0] += seconds

    begun = time.process_time()
    ready = prepare_change(
        "audit",
        lambda now: Edit(asked=OwnerOptions(name="audit", **asked), given=frozenset(asked), **words),
        owner=read_owner(iam),
        perform=iam,
        read=str,
        now=NOW,
    )
    change(ready, perform=iam, now=lambda: NOW, waiting=Waiting(clock=lambda: passed[0], sleep=sleep))
    return len(iam.log), len(calls) - len(iam.log), time.process_time() - begun


def run() -> None:
    """Print a line for each kind of change. Goals: at most 6 writes, and less than a second of CPU time."""
    _one(CHANGES["extend"])
    for name, given in CHANGES.items():
        writes, reads, seconds = _one(given)
        print(f"   {name:<18} {writes} writes, {reads} reads, {seconds * 1000:.0f} ms of this process")
