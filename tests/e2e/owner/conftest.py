"""The owner's users, each with exactly the permissions in docs/reference/permissions.md for their command."""

from __future__ import annotations

import contextlib
import io
import json
import pathlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from valetkey.cli import _run as cli

DOCUMENT = pathlib.Path(__file__).parents[3] / "docs" / "reference" / "permissions.md"

KINDS = (
    *("grant --dry-run", "list --check", "show --evidence", "show --permissions", "show --from-use"),
    "review apply",
    *("list --check --from", "review --from", "show --evidence --from"),
)
"""Commands whose policy differs from that of their first word."""


def permissions(command: str, account: str) -> dict[str, Any]:
    """The documented policy of a command, for an account."""
    match = re.search(
        rf"<!-- permissions: {re.escape(command)} -->\n```json\n(.*?)```", DOCUMENT.read_text(), re.DOTALL
    )
    assert match, f"{DOCUMENT} has no block for {command}"
    policy: dict[str, Any] = json.loads(match[1].replace("ACCOUNT", account))
    return policy


@dataclass(frozen=True)
class Ran:
    """The result of a command, like subprocess's."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def owner(stage: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Runs an owner's command as a user with only its documented permissions: `owner("revoke", "audit")`.

    It runs in this process, with the owner's HOME and environment; with `tty=True` in its own process, on a terminal.
    `as_user` replaces the user.
    """
    known: dict[str, Any] = {}
    party = stage.owner

    def run(*words: str, tty: bool = False, as_user: Any = None, **options: Any) -> Any:
        command = words[0]
        for words_of in KINDS:
            if set(words_of.split()) <= set(words) and words[0] == words_of.split()[0]:
                command = words_of
        if as_user is None and command not in known:
            known[command] = party.user(command.replace(" ", ""), permissions(command, party.account))
        party.login(as_user or known[command])
        return party.run_tty(*words, **options) if tty else within(*words)

    def within(*words: str) -> Ran:
        for name, value in party.env.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(party.home)
        monkeypatch.setattr("sys.stdin", io.StringIO(""))
        # The tests may be run from a terminal, which must not get a prompt.
        monkeypatch.setattr("valetkey.cli._terminal._TTY", str(party.home / "no-terminal"))
        with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
            code = cli.run(words)
        return Ran(code, out.getvalue(), err.getvalue())

    return run
