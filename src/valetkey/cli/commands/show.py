"""valetkey show: one grant."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from valetkey.cli._options import Output, OwnerAccount
from valetkey.errors import ValetkeyError

if TYPE_CHECKING:
    from valetkey.account.calls import Perform
    from valetkey.grants.role import Owner
    from valetkey.grants.status import Standing


def show(
    name: str,
    /,
    *,
    as_: Annotated[
        Literal["command"] | None, Parameter(name="--as", help="Print the `grant` line that would make the role.")
    ] = None,
    show_external_id: Annotated[bool, Parameter(negative="", help="Print ExternalIds in full.")] = False,
    evidence: Annotated[
        bool, Parameter(negative="", help="Write the evidence for an auditor: documents, hashes, proof, history.")
    ] = False,
    out: Annotated[Path | None, Parameter(name=["--out", "-o"], help="Where the evidence goes; a new file.")] = None,
    sign: Annotated[
        Path | None, Parameter(help="Sign the evidence with this SSH key; the signature is FILE.sig.")
    ] = None,
    output: Output = Output(),  # noqa: B008
    account: OwnerAccount = OwnerAccount(),  # noqa: B008
) -> int:
    """Show one grant: terms, trust policy, proof, days left, and what on the role differs from its terms.

    Where it differs, it says what was changed, who gets in now, and what to do. It never writes.
    Exit code 1 when the trust policy is not proved to admit exactly the terms, or the role differs from its record.
    """
    from valetkey.cli._owning import found
    from valetkey.grants.status import proof
    from valetkey.report.grants import say_show

    _check(evidence, out, sign)
    if evidence and as_ is not None:
        raise ValetkeyError("--as and --evidence exclude each other", do="leave one of them out")
    perform = account.connect()
    owner, standing = found(perform, name)
    if as_ == "command":
        from valetkey.grants.command import grant_line
        from valetkey.report.texts import say_command

        made = grant_line(standing)
        say_command(made.line, made.files, standing.role.name, as_json=output.as_json)
        return 0
    now = datetime.now(UTC)
    if evidence and out is not None:
        return _evidence(owner, standing, perform, out, sign, now=now, as_json=output.as_json)
    shown = proof(standing)
    say_show(owner, standing, shown, now=now, as_json=output.as_json, show_ids=show_external_id)
    return 0 if shown is not None and shown.holds and not standing.drift else 1


def _check(evidence: bool, out: Path | None, sign: Path | None) -> None:
    from valetkey.cli import _reviewing

    if evidence != (out is not None) or (sign is not None and not evidence):
        raise ValetkeyError(
            "--evidence, -o FILE and --sign KEY belong together", do="valetkey show NAME --evidence -o evidence.json"
        )
    _reviewing.must_be_new(out)
    _reviewing.need_key(sign)


def _evidence(
    owner: Owner, standing: Standing, perform: Perform, out: Path, sign: Path | None, *, now: datetime, as_json: bool
) -> int:
    from valetkey.cli import _reviewing
    from valetkey.evidence.grant import dump
    from valetkey.grants.evidence import collect
    from valetkey.report.reviewing import say_evidence

    made = collect(standing, owner=owner, perform=perform, now=now)
    data = dump(made)
    _reviewing.write(out, data)
    say_evidence(made, out, _reviewing.sign(out, data, sign), as_json=as_json)
    return 0 if made.holds else 1
