"""A command that is killed after one of its AWS calls took effect and before it receives the response."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests import warm

from valetkey.aws import connect
from valetkey.grants.grant import Grant
from valetkey.grants.make import make
from valetkey.grants.options import OwnerOptions
from valetkey.grants.prepare import prepare
from valetkey.grants.waiting import Waiting


@pytest.fixture
def kill_after(stage: Any) -> Any:
    """`kill_after(party, ("CreateRole", 1), "grant", ...)`: run a command up to the nth such call, then SIGKILL it."""

    def run(party: Any, call: tuple[str, int], *words: str) -> None:
        control = stage.sandbox.control
        control.fault(kind="hang", service="iam", operation=call[0], account=party.account, nth=call[1])
        with open(os.devnull, "r+") as nothing:
            streams = (nothing.fileno(), nothing.fileno(), nothing.fileno())
            command = [sys.executable, "-m", "valetkey", *words]
            child = warm.start(command, env=party.env, cwd=party.home, streams=streams)
        try:
            control.held(party.account)
        finally:
            child.kill()
            child.wait(timeout=10)
            control.clear(party.account)

    return run


@pytest.fixture
def granted(stage: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Grant]:
    """`granted("audit")`: create a grant for 30 days, in this process."""

    def run(name: str) -> Grant:
        monkeypatch.setenv("AWS_ENDPOINT_URL", stage.sandbox.url)
        maker = stage.owner.user("maker", "arn:aws:iam::aws:policy/AdministratorAccess")
        perform, now = connect(keys=maker), datetime.now(UTC).replace(microsecond=0)
        asked = OwnerOptions(name=name, contractor=stage.contractor.account, until=now + timedelta(days=30))
        prepared = prepare(asked, request=None, perform=perform, read=str, now=now, fresh_id="f" * 32)
        waiting = Waiting(clock=time.monotonic, sleep=time.sleep)
        return make(prepared.grant, prepared.role, perform=perform, now=now, waiting=waiting).grant

    return run
