"""`valetkey revoke --unmanaged`, and the error for a role that does not exist."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from valetkey.commandline import command, option
from valetkey.errors import ValetkeyError

if TYPE_CHECKING:
    from valetkey.account.calls import Perform
    from valetkey.grants.role import Owner


@dataclass(frozen=True, kw_only=True)
class Said:
    """The options that were given, apart from the role."""

    yes: bool
    confirmed: bool
    """Whether the name was repeated."""
    delete: bool
    no_wait: bool
    as_json: bool


def end_access(word: str, said: Said, *, perform: Perform) -> int:
    """End the access through a role that has no record: deny everything and close its trust policy, or also delete it.
    Returns the exit code."""
    from valetkey.cli import _owning
    from valetkey.grants.revoke import revoke, shut
    from valetkey.grants.role import read_owner, read_role
    from valetkey.grants.unmanaged import judge_unmanaged, snapshot
    from valetkey.grants.waiting import SETTLE_SECONDS
    from valetkey.report import grants as report
    from valetkey.report import revoking

    owner = read_owner(perform)
    name = _owning.role_name(word, owner)
    role = read_role(perform, name)
    if role is None:
        raise absent(perform, owner, name, as_json=said.as_json)
    result = judge_unmanaged(role, owner=owner, perform=perform)
    about = revoking.unmanaged_lines(owner, result)
    revoking.say_unmanaged_about(about)
    _agree(role.name, owner, about, said, needs_name=bool(result.uses))
    saved = _save(snapshot(result, at=_clock()), role.name)
    waiting = _owning.waiting()
    if not said.delete:
        done = shut(
            result.standing, perform=perform, now=_clock, waiting=waiting, tell=report.say_call, again="--unmanaged"
        )
        revoking.say_unmanaged(result, saved, done, as_json=said.as_json)
        return 0
    receipt = revoke(
        result.standing,
        perform=perform,
        now=_clock,
        waiting=waiting,
        settle=0.0 if said.no_wait else SETTLE_SECONDS,
        tell=report.say_call,
        tell_wait=report.say_wait,
        again="--unmanaged --delete",
    )
    revoking.say_unmanaged(result, saved, receipt, as_json=said.as_json)
    return 0


def _agree(name: str, owner: Owner, about: tuple[str, ...], said: Said, *, needs_name: bool) -> None:
    """Return when a person confirms, or has confirmed with options. Raises ValetkeyError."""
    from valetkey.cli import _questions

    what = "Deny everything, close and delete" if said.delete else "Deny everything and close"
    if not needs_name:
        _questions.consent(f"{what} the role {name} of account {owner.account}?", yes=said.yes, about=about)
        return
    if said.confirmed and said.yes:
        return
    words = ("--unmanaged", *(("--delete",) if said.delete else ()), "--yes", option("--confirm", name))
    options = " ".join(words)
    if not said.yes:
        question = f"{what} it? Others lose their access too. Type {name} to agree: "
        if _questions.types_name(name, question, about=about, otherwise=_questions.UNCHANGED):
            return
    raise ValetkeyError(
        f"others use the role {name} too, and its name was not given again: {_questions.UNCHANGED}",
        do=f"if they may lose their access: {command('valetkey revoke', name, then=options)}",
        exit_code=1,
    )


def _save(document: Mapping[str, Any], name: str) -> str:
    """Write a snapshot of the role, mode 0600; to the current directory if the config directory cannot be written.
    Returns the path. Raises ValetkeyError: then nothing is changed."""
    from valetkey import files

    data = json.dumps(document, indent=2).encode() + b"\n"
    file = f"{name}-{_clock():%Y%m%dT%H%M%SZ}.json"
    path = files.config_dir(os.environ) / "revoked" / file
    try:
        files.write(path, data)
    except ValetkeyError:
        path = Path.cwd() / f"valetkey-revoked-{file}"
        files.replace(path, data)
    return str(path)


def _clock() -> datetime:
    return datetime.now(UTC)


def absent(perform: Perform, owner: Owner, name: str, *, as_json: bool) -> ValetkeyError:
    """Return the error for a role that does not exist, with similar names."""
    from valetkey.grants import missing
    from valetkey.report import revoking

    near = missing.near(perform, name)
    if as_json:
        revoking.say_absent(owner, name, near)
    meant = f"did you mean {' or '.join(near)}? " if near else ""
    return ValetkeyError(
        f"There is no role {name} in account {owner.account}.",
        do=f"{meant}`valetkey list` shows the grants; after an interrupted revocation, this means that it has finished",
        exit_code=1,
    )
