"""What the owner's commands share: words into values, files, waiting, finding a grant, asking."""

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
    from valetkey.grants.options import Asked
    from valetkey.grants.prepare import Prepared
    from valetkey.grants.role import Owner
    from valetkey.grants.status import Standing
    from valetkey.grants.waiting import Waiting

_MAX_BYTES = 1_000_000


NEVER = "never"
"""What --until says for a grant without an end."""


def end(text: str | None, *, now: datetime) -> tuple[datetime | None, timedelta | None]:
    """--until as a time, and as a length when it was given as one ("30d"). Both None when nothing was said, or "never".
    Raises ValetkeyError."""
    if text is None or text == NEVER:
        return None, None
    when = _options.until(text, now=now)
    relative = re.fullmatch(r"\d+[hdw]", text) is not None
    return when, timedelta(seconds=_options.seconds(text, name="--until")) if relative else None


def length(text: str | None, name: str) -> int | None:
    """A duration in seconds."""
    return None if text is None else _options.seconds(text, name=name)


def tags(words: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """--tag KEY=VALUE. Raises ValetkeyError."""
    for word in words:
        if "=" not in word:
            raise ValetkeyError(f"--tag: {word!r} is not KEY=VALUE", do="write it like --tag ticket=OPS-123")
    return tuple((key, value) for key, _, value in (word.partition("=") for word in words))


def fresh_id() -> str:
    """A random ExternalId: `vk-` and 160 bits in base32."""
    return "vk-" + base64.b32encode(secrets.token_bytes(20)).decode("ascii").lower()


def read_text(name: str) -> str:
    """A small text file. Raises ValetkeyError."""
    data = files.read_named(Path(name), _MAX_BYTES)
    if len(data) > _MAX_BYTES:
        raise ValetkeyError(f"{name} is larger than {_MAX_BYTES:,} bytes", do="name the right file", where=name)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValetkeyError(f"{name} is not UTF-8 text", do="name the right file", where=name) from None


def read_request(path: Path, identity: Path | None) -> Received:
    """An access request, decrypted with a private key's file where it is encrypted. Raises ValetkeyError."""
    from valetkey.cli import _sealing
    from valetkey.exchange import AccessRequest, load

    return load(_sealing.read(path, identity, do="name the contractor's request"), AccessRequest, name=str(path))


def waiting() -> Waiting:
    """Up to a minute for what was written to become visible."""
    from valetkey.grants.waiting import Waiting

    return Waiting(clock=time.monotonic, sleep=time.sleep)


def accept_escalation(prepared: Prepared, *, accepted: bool) -> None:
    """Raise ValetkeyError (exit code 1) when the policies reach past the role and that was not accepted."""
    if prepared.opening.escalations and not accepted:
        raise escalates(prepared.grant.role_arn)


def escalates(role_arn: str) -> ValetkeyError:
    """The refusal of policies that reach past the role."""
    return ValetkeyError(
        "these policies let the contractor change other principals, trust policies or roles: "
        "the end date and `revoke` would then not end all of their access",
        do="name narrower policies, add a --boundary, or accept it with --accept-escalation",
        where=role_arn,
        exit_code=1,
    )


def role_name(word: str, owner: Owner) -> str:
    """The name of a role that was named by its name or its ARN. Raises ValetkeyError for an ARN of another account."""
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
    """Whose account it is, and the grant of this name or ARN; None when there is no such role. `damaged`: one whose
    record cannot be read is answered too. Raises ForeignRole."""
    from valetkey.catalog import limits
    from valetkey.grants.role import read_owner, read_role
    from valetkey.grants.status import read_claimed, read_standing

    if not name.startswith("arn:"):
        limits.check("role name", name)
    owner = read_owner(perform)
    role = read_role(perform, role_name(name, owner))
    read = read_claimed if damaged else read_standing
    return owner, None if role is None else read(role)


def found(perform: Perform, name: str) -> tuple[Owner, Standing]:
    """The same for commands that need the grant to exist. Raises ValetkeyError, with the nearest name of a grant."""
    owner, standing = find(perform, name)
    if standing is None:
        from valetkey.grants.missing import no_grant

        raise no_grant(perform, name, owner.account)
    return owner, standing


def like(perform: Perform, name: str, asked: Asked, received: Received | None) -> tuple[Asked, Callable[[str], str]]:
    """What was asked, filled up from another grant, and what reads its policy files. Raises ValetkeyError."""
    from valetkey.grants import command
    from valetkey.report.text import say

    model = command.like(asked, found(perform, name)[1], requester=received.value.account if received else None)
    say(*model.says, stderr=True)
    return model.asked, lambda file: model.documents[file] if file in model.documents else read_text(file)


def write_own(path: Path, text: str, *, role_arn: str) -> None:
    """Write a handoff atomically, mode 0600. Only an older handoff of the same role is replaced. Raises
    ValetkeyError."""
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
