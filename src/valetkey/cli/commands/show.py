"""valetkey show: one grant."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from valetkey.cli._options import Output, OwnerAccount
from valetkey.commandline import command
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
        Literal["command"] | None, Parameter(name="--as", help="Print the `grant` command that would create the role.")
    ] = None,
    show_external_id: Annotated[bool, Parameter(negative="", help="Print ExternalIds in full.")] = False,
    evidence: Annotated[
        bool, Parameter(negative="", help="Write the evidence for an auditor: documents, hashes, proof, history.")
    ] = False,
    out: Annotated[Path | None, Parameter(name=["--out", "-o"], help="Where the evidence goes; a new file.")] = None,
    sign: Annotated[
        Path | None, Parameter(help="Sign the evidence with this SSH key; the signature is FILE.sig.")
    ] = None,
    permissions: Annotated[bool, Parameter(negative="")] = False,
    compare: str | None = None,
    from_use: Annotated[bool, Parameter(negative="")] = False,
    from_: Annotated[str | None, Parameter(name="--from")] = None,
    output: Output = Output(),  # noqa: B008
    account: OwnerAccount = OwnerAccount(),  # noqa: B008
) -> int:
    """Show one grant: terms, trust policy, proof, days left, and how the role differs from its terms.

    Where it differs, it says what was changed, who is admitted now, and what to do. It never writes.
    Exit code 1 when the trust policy is not proved to admit exactly the terms, or the role differs from its record.

    Parameters
    ----------
    permissions
        What its sessions may do: by service and kind of access, and as one policy.
    compare
        With --permissions: another grant's name, or a policy (name, ARN or file) to compare with.
    from_use
        Propose a smaller policy from what was used, and show what would be lost.
    from_
        CloudTrail, as `activity` reads it. With --from-use it replaces IAM's service last accessed information; with
        --evidence it adds how the role was used.
    """
    if from_ is not None and not (from_use or evidence):
        raise ValetkeyError(
            "--from goes with --from-use or --evidence", do=f"see `{command('valetkey activity', name)}`"
        )
    if compare is not None and not permissions:
        raise ValetkeyError("--compare goes with --permissions", do="add --permissions")
    asked = {"--as": as_ is not None, "--evidence": evidence, "--permissions": permissions, "--from-use": from_use}
    if len(both := [flag for flag, given in asked.items() if given]) > 1:
        raise ValetkeyError(f"{both[0]} and {both[1]} exclude each other", do="ask one after the other")
    _check(evidence, out, sign)
    if permissions or from_use:
        from valetkey.cli import _permissions

        now = datetime.now(UTC)
        if from_use:
            return _permissions.from_use(name, from_, account, now=now, as_json=output.as_json)
        return _permissions.permissions(name, compare, account, now=now, as_json=output.as_json)
    from valetkey.cli._owning import find_grant
    from valetkey.grants.status import proof
    from valetkey.report.grants import say_show

    perform = account.connect()
    owner, standing = find_grant(perform, name)
    if as_ == "command":
        from valetkey.grants.command import grant_line
        from valetkey.report.texts import say_command

        made = grant_line(standing)
        say_command(made.line, made.files, standing.role.name, as_json=output.as_json)
        return 0
    now = datetime.now(UTC)
    if evidence and out is not None:
        use, complete = _use(standing, from_, account, now) if from_ is not None else ((), True)
        holds = _evidence(owner, standing, perform, out, sign, use, now=now, as_json=output.as_json)
        return 0 if holds and complete else 1
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


def _use(standing: Standing, source: str, account: OwnerAccount, now: datetime) -> tuple[tuple[str, ...], bool]:
    """Return what CloudTrail records of the grant, as sentences, and whether all of it could be read."""
    from valetkey.cli import _activity
    from valetkey.report.activity import incomplete
    from valetkey.report.activity_of_role import summary

    read = _activity.read_grant(standing, source, account, now=now)
    sentences = (summary(read, standing.role.arn, made=standing.role.created), *incomplete(read.reading), *read.unseen)
    return sentences, read.reading.is_complete


def _evidence(
    owner: Owner,
    standing: Standing,
    perform: Perform,
    out: Path,
    sign: Path | None,
    use: tuple[str, ...],
    *,
    now: datetime,
    as_json: bool,
) -> bool:
    """Write the evidence. Return whether all was read, the proof holds, and the role is as agreed."""
    from valetkey.cli import _reviewing
    from valetkey.evidence.grant import dump
    from valetkey.grants.evidence import collect
    from valetkey.report.reviewing import say_evidence

    made = collect(standing, owner=owner, perform=perform, now=now, activity=use)
    data = dump(made)
    _reviewing.write(out, data)
    say_evidence(made, out, _reviewing.sign(out, data, sign), as_json=as_json)
    return made.holds
