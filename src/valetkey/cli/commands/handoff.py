"""valetkey handoff: write the file that the contractor needs."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from valetkey.cli._options import Output, OwnerAccount
from valetkey.cli._sealing import EncryptTo, public_key


def handoff(
    name: str,
    /,
    *,
    out: Annotated[Path | None, Parameter(name=["--out", "-o"], help="File to write; stdout when left out.")] = None,
    as_: Annotated[
        Literal["text", "console", "terraform", "shell"] | None,
        Parameter(name="--as", help="For a contractor without valetkey: a text for this tool."),
    ] = None,
    encrypt_to: EncryptTo = None,
    output: Output = Output(),  # noqa: B008
    account: OwnerAccount = OwnerAccount(),  # noqa: B008
) -> int:
    """Write the file that the contractor needs, from the role as it is now.

    It contains no secret. Read the fingerprint aloud to the contractor. Exit code 1: the role does not match its
    record. For a contractor without valetkey, --as writes a text for their own tools.
    """
    from valetkey.cli._owning import find_grant, write_own
    from valetkey.exchange import dump, fingerprint, sealing
    from valetkey.grants.status import hand_over
    from valetkey.report.grants import say_handoff

    if as_ is not None:
        return _as(name, as_, out, encrypt_to, output, account)
    now, key = datetime.now(UTC), public_key(encrypt_to)
    owner, standing = find_grant(account.connect(), name)
    document = hand_over(standing, now=now)
    text = dump(document) if key is None else sealing.seal(dump(document).encode(), key).decode()
    if out is not None:
        write_own(out, text, role_arn=document.role_arn)
    say_handoff(
        owner,
        text,
        fingerprint(document),
        out,
        external_id=document.external_id,
        encrypted=key is not None,
        as_json=output.as_json,
    )
    return 0


def _as(
    name: str,
    form: Literal["text", "console", "terraform", "shell"],
    out: Path | None,
    encrypt_to: str | None,
    output: Output,
    account: OwnerAccount,
) -> int:
    from valetkey.cli import _texts
    from valetkey.cli._owning import find_grant
    from valetkey.exchange.texts.handover import write
    from valetkey.grants.status import hand_over
    from valetkey.report.texts import say_handover

    _texts.check_handoff(form, encrypt_to)
    owner, standing = find_grant(account.connect(), name)
    text = write(form, hand_over(standing, now=datetime.now(UTC)), standing.role.name, region=account.region)
    if out is not None:
        _texts.write_new(out, text)
    say_handover(owner, text, form, out, as_json=output.as_json)
    return 0
