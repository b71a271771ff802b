"""Requests signed with a wrong clock. The computer's clock does not change: botocore gets another date."""

from __future__ import annotations

import contextlib
import datetime
import sys
from collections.abc import Iterator
from typing import Any
from unittest import mock

import botocore.auth
from tools.live.steps import Json, Outcome, Skipped, step
from tools.live.world import ONCE, World, attempt

_NOW = "get_current_datetime"


@step("clock-off", "W10")
def clock(world: World) -> Outcome:
    """Requests signed 6 and 16 minutes before and after the true time."""
    if not hasattr(botocore.auth, _NOW):
        raise Skipped("this SDK signs by a clock that cannot be given (botocore.auth.get_current_datetime)")
    session = world.contractor.session
    calls = {
        "sts": session.client("sts", config=ONCE).get_caller_identity,
        "iam": session.client("iam", config=ONCE).get_user,
    }
    result: dict[str, Json] = {}
    for minutes in (0, -6, 6, -16, 16):
        with shifted(minutes):
            key = f"{abs(minutes)}_minutes_{'behind' if minutes < 0 else 'ahead'}" if minutes else "right"
            result[key] = {name: attempt(call).data() for name, call in calls.items()}
    return result


@contextlib.contextmanager
def shifted(minutes: int) -> Iterator[None]:
    """Within the block, botocore signs with a clock that is ahead by `minutes`."""
    real = getattr(botocore.auth, _NOW)

    def now(*given: Any, **more: Any) -> datetime.datetime:
        result: datetime.datetime = real(*given, **more)
        return result + datetime.timedelta(minutes=minutes)

    with contextlib.ExitStack() as stack:
        # With botocore[crt] installed, another module signs requests.
        for module in filter(None, (botocore.auth, sys.modules.get("botocore.crt.auth"))):
            stack.enter_context(mock.patch.object(module, _NOW, now))
        yield
