"""Shared by `review` and `show --evidence`: files that are never overwritten, the population, signing."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from valetkey import files
from valetkey.errors import ValetkeyError

if TYPE_CHECKING:
    from valetkey.account.calls import Perform
    from valetkey.audit import Scope
    from valetkey.cli._options import OwnerAccount
    from valetkey.evidence import Population, SshKeygen
    from valetkey.evidence.review import ReviewEntry
    from valetkey.report.activity import ActivityReport


def tool() -> SshKeygen:
    """Return `ssh-keygen` with this process's environment."""
    from valetkey.evidence import SshKeygen

    return SshKeygen(os.environ)


def must_be_new(*paths: Path | None) -> None:
    """Raise ValetkeyError for an existing file: it may contain decisions, or be signed."""
    for path in paths:
        if path is not None and (path.exists() or path.is_symlink()):
            raise ValetkeyError(f"{path} exists", do="name another file, or remove it", where=str(path))


def read(path: Path) -> bytes:
    """Read a review or evidence file. Raises ValetkeyError."""
    from valetkey.evidence.loading import MAX_BYTES

    return files.read_named(path, MAX_BYTES)


def write(path: Path, data: bytes) -> None:
    """Write a file atomically. Raises ValetkeyError."""
    files.replace(path, data, do="name another place")


def sign(path: Path, data: bytes, key: Path | None) -> tuple[Path, str] | None:
    """Sign the contents of a file, and write the signature next to it. Returns the signature's path and the tool's
    output; None without a key. Raises ValetkeyError."""
    if key is None:
        return None
    from valetkey.evidence.signing import sign, signature_path
    from valetkey.report.reviewing import say_signing

    say_signing(key)
    signature, said = sign(data, key.expanduser(), tool=tool())
    place = signature_path(path)
    write(place, signature)
    return place, said


def need_key(key: Path | None) -> None:
    """Raise ValetkeyError, before any call or change, for a key file that does not exist."""
    if key is not None and not key.expanduser().is_file():
        raise ValetkeyError(
            f"--sign: {key} is not a file", do="name an SSH key: --sign ~/.ssh/id_ed25519", where=str(key)
        )


def population(perform: Perform, account: OwnerAccount, scope: Scope, *, source: str | None = None) -> Population:
    """Return everything in the account that admits an outside party; with a source of CloudTrail events, also the
    activity through it. Raises CallError, and ValetkeyError for the source."""
    from valetkey.audit import audit
    from valetkey.audit import reviewing as outside
    from valetkey.audit.workers import verdicts
    from valetkey.cli import _activity, _auditing
    from valetkey.evidence.review import Population, ordered
    from valetkey.grants import reviewing as granted
    from valetkey.grants.role import read_owner, read_roles
    from valetkey.grants.status import read_grants
    from valetkey.report.activity import incomplete
    from valetkey.report.progress import proving
    from valetkey.trust.record import instant

    now = datetime.now(UTC)
    owner = read_owner(perform)
    result = _auditing.live(owner.account, account)
    roles = tuple(read_roles(perform))
    grants = granted.entries(roles, now=now)
    done = verdicts(result, scope=scope, now=now, cores=_auditing.cores(), progress=proving)
    answer = audit(result, scope=scope, now=now, verdicts=done, progress=None if done else proving)
    others = outside.entries(answer, result, but=(entry.role_arn for entry in grants))
    entries, unread = (*grants, *others), outside.not_read(answer)
    unseen: tuple[str, ...] = ()
    if source is not None and entries:
        made = {role.arn: role.created for role in roles}
        arns, standings = (entry.role_arn for entry in entries), read_grants(roles)[0]
        read = _activity.read_roles(arns, standings, source, account, now=now)
        entries = tuple(_noted(entry, read, made.get(entry.role_arn)) for entry in entries)
        unread, unseen = (*unread, *incomplete(read.reading)), read.unseen
    return Population(
        account=owner.account,
        partition=owner.partition,
        read_at=str(instant(now)),
        read_by=owner.arn,
        own_accounts=tuple(sorted(scope.own)),
        org_id=scope.org_id,
        incomplete=unread,
        unseen=unseen,
        entries=ordered(entries),
    )


def _noted(entry: ReviewEntry, read: ActivityReport, made: datetime | None) -> ReviewEntry:
    """Return the entry with a summary of the role's CloudTrail activity added to its notes."""
    from msgspec.structs import replace

    from valetkey.report.activity_of_role import summary

    return replace(entry, notes=(*entry.notes, summary(read, entry.role_arn, made=made)))
