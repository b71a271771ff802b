"""The owner's accounts and organization, and the known names of outside accounts."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from valetkey.account.loaded import load_yaml
from valetkey.errors import ValetkeyError, shown
from valetkey.policy.arns import is_account


@dataclass(frozen=True, slots=True)
class KnownVendor:
    """A vendor that publicly claims an account. This is a label, never a reason to trust the account."""

    name: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Scope:
    """What the owner states about itself."""

    own: frozenset[str] = frozenset()
    """The owner's other accounts, which are not outsiders. The role's account need not be listed."""
    org_id: str | None = None
    """The owner's organization: "o-…"."""
    known: Mapping[str, KnownVendor] = field(default_factory=dict)
    """Names of outside accounts, by account id."""


def own_accounts(text: str, *, name: str) -> frozenset[str]:
    """Parse account ids: separated by commas, semicolons, spaces or lines (`#` begins a comment), a JSON list, or the
    output of `aws organizations list-accounts`. `name` identifies the text in errors. Raises ValetkeyError."""
    try:
        result: Any = json.loads(text) if text.lstrip().startswith(("[", "{")) else None
    except ValueError as error:
        raise ValetkeyError(f"{name} is not JSON: {error}", do="give account ids, one a line", where=name) from None
    except RecursionError:
        raise ValetkeyError(f"{name} is nested too deeply", do="give account ids, one a line", where=name) from None
    if isinstance(result, dict):
        accounts = result.get("Accounts")
        if not isinstance(accounts, list):
            raise ValetkeyError(
                f"{name} has no list of accounts", do='write "Accounts": [...]', where=f"{name}: $.Accounts"
            )
        result = [account.get("Id") if isinstance(account, dict) else account for account in accounts]
    if result is None:
        lines = (line.partition("#")[0] for line in text.splitlines())
        result = [part for line in lines for part in re.split(r"[,;\s]+", line) if part]
    for item in result:
        if not isinstance(item, str) or not is_account(item):
            do = "write 12 digits, or name an existing file of them"
            raise ValetkeyError(f"{name}: {shown(item)} is not an account id", do=do, where=name)
    return frozenset(result)


def read_known(text: str, *, name: str) -> dict[str, KnownVendor]:
    """Parse known accounts in the format of fwdcloudsec/known_aws_accounts: a YAML list of name, source and accounts.

    Disabled entries (`enabled: false`) are skipped. Raises ValetkeyError.
    """
    do = "give a file like accounts.yaml of fwdcloudsec/known_aws_accounts"
    # Only texts, lists and mappings: YAML 1.1 would read 012345670123 as an octal number.
    entries = load_yaml(text.encode(), name)
    if not isinstance(entries, list):
        raise ValetkeyError(f"{name} is not a list of known accounts", do=do, where=name)
    known: dict[str, KnownVendor] = {}
    for number, entry in enumerate(entries):
        if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
            raise ValetkeyError(f"{name}: entry {number + 1} has no name", do=do, where=f"{name}: $[{number}]")
        if entry.get("enabled") == "false":
            continue
        accounts = entry.get("accounts") or []
        source = entry.get("source") or []
        sources = (source,) if isinstance(source, str) else tuple(map(str, source))
        for account in accounts if isinstance(accounts, list) else [accounts]:
            if isinstance(account, str) and is_account(account):
                known[account] = KnownVendor(entry["name"], sources)
    return known
