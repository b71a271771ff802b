"""A command killed right after one of its AWS calls took effect and before it heard so."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest


@pytest.fixture
def kill_after(stage: Any) -> Any:
    """`kill_after(party, ("CreateRole", 1), "grant", ...)`: run the command to the nth such call, then SIGKILL it."""

    def run(party: Any, call: tuple[str, int], *words: str) -> None:
        control = stage.sandbox.control
        control.fault(kind="hang", service="iam", operation=call[0], account=party.account, nth=call[1])
        child = subprocess.Popen(
            [sys.executable, "-m", "valetkey", *words],
            env=party.env,
            cwd=party.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            control.held(party.account)
        finally:
            child.kill()
            child.wait(timeout=10)
            control.clear(party.account)

    return run
