"""The owner's people, each with exactly the permissions that docs/reference/permissions.md says their command needs."""

from __future__ import annotations

import json
import pathlib
import re
from collections.abc import Callable
from typing import Any

import pytest

DOCUMENT = pathlib.Path(__file__).parents[3] / "docs" / "reference" / "permissions.md"


def permissions(command: str, account: str) -> dict[str, Any]:
    """The policy of one command, for one account."""
    found = re.search(
        rf"<!-- permissions: {re.escape(command)} -->\n```json\n(.*?)```", DOCUMENT.read_text(), re.DOTALL
    )
    assert found, f"{DOCUMENT} has no block for {command}"
    policy: dict[str, Any] = json.loads(found[1].replace("ACCOUNT", account))
    return policy


@pytest.fixture
def owner(stage: Any) -> Callable[..., Any]:
    """Runs an owner's command as a user who may do just that: `owner("revoke", "audit")`; `tty=` for a terminal."""
    known: dict[str, Any] = {}

    def run(*words: str, tty: bool = False, **options: Any) -> Any:
        party = stage.owner
        command = "grant --dry-run" if words[0] == "grant" and "--dry-run" in words else words[0]
        if command not in known:
            known[command] = party.user(command.replace(" ", ""), permissions(command, party.account))
        party.login(known[command])
        return party.run_tty(*words, **options) if tty else party.run(*words, **options)

    return run
