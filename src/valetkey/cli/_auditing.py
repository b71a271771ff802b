"""The input of `valetkey audit`: an account, the scope, known accounts, the baseline."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from valetkey import files
from valetkey.cli._options import AwsOptions, OwnerAccount
from valetkey.errors import ValetkeyError, shown

if TYPE_CHECKING:
    from valetkey.account.values import Account as Read
    from valetkey.audit import Accepted, Scope

# Organizations API, Organization.Id.
_ORG_ID = re.compile(r"o-[a-z0-9]{10,32}")


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def of_files(
    names: tuple[str, ...], owner: str | None, account: AwsOptions
) -> tuple[Read, Callable[[str], int | None]]:
    """Return the account that the files describe, and a function that maps a place in them to its line. Raises
    ValetkeyError."""
    from valetkey.account.files import read_files
    from valetkey.account.positions import FILE_MAX, Lines
    from valetkey.catalog import limits

    kept: dict[str, bytes] = {}

    def read(name: str) -> bytes:
        data = _read(name)
        if len(data) <= FILE_MAX:
            kept[name] = data
        return data

    if owner is not None:
        limits.check("account id", owner)
    region = account.region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
    return read_files(names, read=read, owner=owner, region=region), Lines(kept)


def live(owner: str | None, account: OwnerAccount) -> Read:
    """Read the account of the credentials. Raises CallError, and ValetkeyError when it is not `owner`."""
    from valetkey.account.live import read_live
    from valetkey.report.progress import reading

    result = read_live(account.connect(), wait=time.sleep, progress=reading)
    if owner is not None and owner != result.id:
        raise ValetkeyError(
            f"--owner: the credentials are of account {result.id}, not of {owner}", do="use a profile of that account"
        )
    return result


def _read(name: str) -> bytes:
    from valetkey.account.loaded import FILE_MAX

    return sys.stdin.buffer.read(FILE_MAX + 1) if name == "-" else files.read_named(Path(name), FILE_MAX)


def _text(path: Path) -> str:
    try:
        return _read(str(path)).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValetkeyError(f"{path} is not UTF-8 text", do="name the right file", where=str(path)) from None


def scope(own: str | None, org_id: str | None, known: Path | None) -> Scope:
    """Return the scope: own accounts, organization and known accounts. Raises ValetkeyError."""
    from valetkey.audit import KnownVendor, Scope, own_accounts, read_known
    from valetkey.catalog.known_accounts import known_accounts

    ids = frozenset[str]()
    if own is not None:
        path = Path(own)
        ids = own_accounts(_text(path), name=own) if path.is_file() else own_accounts(own, name="--own-accounts")
    if org_id is not None and not _ORG_ID.fullmatch(org_id):
        raise ValetkeyError(
            f"--org-id: {shown(org_id)} is not an organisation", do="write its id: o-…, as AWS Organizations shows it"
        )
    labels = {account: KnownVendor(name, ()) for account, name in known_accounts().items()}
    if known is not None:
        labels |= read_known(_text(known), name=str(known))
    return Scope(ids, org_id, labels)


def baseline(path: Path | None) -> tuple[Accepted, ...]:
    """Read the accepted findings; unknown keys are reported on stderr. Raises ValetkeyError."""
    if path is None:
        return ()
    from valetkey.audit import read_baseline
    from valetkey.report.text import say

    accepted, unknown = read_baseline(_text(path), name=str(path))
    if unknown:
        say(f"{path}: unknown keys, ignored: {', '.join(unknown)}", stderr=True)
    return accepted
