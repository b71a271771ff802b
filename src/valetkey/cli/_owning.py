"""Shared by the owner's commands: parsing of arguments, files, waiting, finding a grant, asking."""

from __future__ import annotations

import base64
import contextlib
import re
import secrets
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from valetkey import files
from valetkey.cli import _options
from valetkey.errors import ValetkeyError

if TYPE_CHECKING:
    from valetkey.account.calls import Perform
    from valetkey.exchange.files import Received
    from valetkey.grants.options import OwnerOptions
    from valetkey.grants.prepare import Prepared
    from valetkey.grants.role import Owner
    from valetkey.grants.status import Standing
    from valetkey.grants.waiting import Waiting

_MAX_BYTES = 1_000_000


def end(text: str | None, *, now: datetime) -> tuple[datetime | None, timedelta | None]:
    """Parse --until. Returns the time, and also the length if it was given as one ("30d"). Both are None if it was not
    given, or is "never". Raises ValetkeyError."""
    if text is None or text == _options.NEVER:
        return None, None
    when = _options.until(text, now=now)
    relative = re.fullmatch(r"\d+[hdw]", text) is not None
    return when, timedelta(seconds=_options.seconds(text, name="--until")) if relative else None


def length(text: str | None, name: str) -> int | None:
    """Parse a duration. Returns seconds."""
    return None if text is None else _options.seconds(text, name=name)


def tags(words: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Parse --tag KEY=VALUE. Raises ValetkeyError."""
    for word in words:
        if "=" not in word:
            raise ValetkeyError(f"--tag: {word!r} is not KEY=VALUE", do="write it like --tag ticket=OPS-123")
    return tuple((key, value) for key, _, value in (word.partition("=") for word in words))


def fresh_id() -> str:
    """Return a random ExternalId: `vk-` and 160 bits in base32."""
    return "vk-" + base64.b32encode(secrets.token_bytes(20)).decode("ascii").lower()


def read_text(name: str) -> str:
    """Read a small text file. Raises ValetkeyError."""
    data = files.read_named(Path(name), _MAX_BYTES)
    if len(data) > _MAX_BYTES:
        raise ValetkeyError(f"{name} is larger than {_MAX_BYTES:,} bytes", do="name the right file", where=name)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValetkeyError(f"{name} is not UTF-8 text", do="name the right file", where=name) from None


def read_request(path: Path, identity: Path | None) -> Received:
    """Read an access request; if encrypted, decrypt it with the private key file. Raises ValetkeyError."""
    from valetkey.cli import _sealing
    from valetkey.exchange import AccessRequest, load

    return load(_sealing.read(path, identity, do="name the contractor's request"), AccessRequest, name=str(path))


def waiting() -> Waiting:
    """Return a wait of up to one minute until written changes are visible."""
    from valetkey.grants.waiting import Waiting

    return Waiting(clock=time.monotonic, sleep=time.sleep)


def accept_escalation(prepared: Prepared, *, accepted: bool) -> None:
    """Raise ValetkeyError (exit code 1) when the policies allow escalation beyond the role and this was not
    accepted."""
    if prepared.opening.escalations and not accepted:
        raise escalates(prepared.grant.role_arn)


def escalates(role_arn: str) -> ValetkeyError:
    """Return the error for policies that allow escalation beyond the role."""
    return ValetkeyError(
        "these policies let the contractor change other principals, trust policies or roles: "
        "the end date and `revoke` would then not end all of their access",
        do="name narrower policies, add a --boundary, or accept it with --accept-escalation",
        where=role_arn,
        exit_code=1,
    )


def role_name(word: str, owner: Owner) -> str:
    """Return the name of a role given by name or ARN. Raises ValetkeyError for an ARN of another account."""
    from valetkey.catalog import limits
    from valetkey.policy.iam_arns import iam_arn

    if not word.startswith("arn:"):
        limits.check("role name", word)
        return word
    arn = iam_arn(word, "role")
    if (arn.account, arn.partition) != (owner.account, owner.partition):
        raise ValetkeyError(
            f"{word} is a role of account {arn.account}, and the credentials are of {owner.account}",
            do="use credentials of that account (--profile, AWS_PROFILE); nothing else was called",
            exit_code=1,
        )
    return arn.name


def find(perform: Perform, name: str, *, damaged: bool = False) -> tuple[Owner, Standing | None]:
    """Return the owner, and the grant with this name or ARN; None when the role does not exist. With `damaged`, a grant
    whose record cannot be read is also returned. Raises ForeignRole."""
    from valetkey.catalog import limits
    from valetkey.grants.role import read_owner, read_role
    from valetkey.grants.status import read_claimed, read_standing

    if not name.startswith("arn:"):
        limits.check("role name", name)
    owner = read_owner(perform)
    role = read_role(perform, role_name(name, owner))
    read = read_claimed if damaged else read_standing
    return owner, None if role is None else read(role)


def find_grant(perform: Perform, name: str) -> tuple[Owner, Standing]:
    """Same as `find`, but the grant must exist. Raises ValetkeyError, with the most similar name of a grant."""
    owner, standing = find(perform, name)
    if standing is None:
        from valetkey.grants.missing import no_grant

        raise no_grant(perform, name, owner.account)
    return owner, standing


def like(
    perform: Perform, name: str, asked: OwnerOptions, received: Received | None
) -> tuple[OwnerOptions, Callable[[str], str]]:
    """Fill unset options from another grant. Returns the options, and a function that reads their policy files. Raises
    ValetkeyError."""
    from valetkey.grants import command
    from valetkey.report.text import say

    model = command.like(asked, find_grant(perform, name)[1], requester=received.value.account if received else None)
    say(*model.says, stderr=True)
    return model.asked, lambda file: model.documents[file] if file in model.documents else read_text(file)


def write_own(path: Path, text: str, *, role_arn: str) -> None:
    """Write a handoff atomically, mode 0600. Replaces only an older handoff of the same role. Raises ValetkeyError."""
    from valetkey.exchange import Handoff, load
    from valetkey.policy.iam_arns import is_same_role

    if path.exists():
        with contextlib.suppress(ValetkeyError):
            if is_same_role(load(read_text(str(path)), Handoff, name=str(path)).value.role_arn, role_arn):
                return _write(path, text)
        raise ValetkeyError(
            f"{path} exists and is not a handoff of this grant", do="name another file, or remove it", where=str(path)
        )
    return _write(path, text)


def _write(path: Path, text: str) -> None:
    files.replace(path, text.encode(), do="name another place")
