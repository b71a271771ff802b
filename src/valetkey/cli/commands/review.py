"""valetkey review: an access review, from the population to the signed result."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from valetkey.cli._options import Output, OwnerAccount
from valetkey.errors import ValetkeyError, shown

if TYPE_CHECKING:
    from valetkey.evidence import GrantEvidence, Review

app = App(
    name="review",
    help="Review all outside access to this account: record it, carry out the decisions, verify the result.",
    help_format="plaintext",
    result_action="return_value",
)


@app.default
def review(
    *,
    out: Annotated[Path, Parameter(name=["--out", "-o"])],
    csv: Path | None = None,
    own_accounts: str | None = None,
    org_id: str | None = None,
    from_: Annotated[str | None, Parameter(name="--from")] = None,
    output: Output = Output(),  # noqa: B008
    account: OwnerAccount = OwnerAccount(),  # noqa: B008
) -> int:
    """Write every grant and every other outside trust of this account to a file, for a person to decide on.

    Exit code 1: something could not be read, so entries may be missing.

    Parameters
    ----------
    out
        The review to write. An existing file is not overwritten.
    csv
        Also write a table for a spreadsheet, in which you can decide.
    own_accounts
        Other accounts of yours: ids with commas between, or a file.
    org_id
        Your organisation, o-...
    from_
        CloudTrail, as `activity` reads it: adds to the notes of each entry how it was used.
    """
    from valetkey.cli import _auditing, _reviewing
    from valetkey.evidence.review import dump, new
    from valetkey.report import reviewing as report

    _reviewing.must_be_new(out, csv)
    scope = _auditing.scope(own_accounts, org_id, None)
    made = new(_reviewing.population(account.connect(), account, scope, source=from_))
    _reviewing.write(out, dump(made))
    if csv is not None:
        _reviewing.write(csv, report.review_csv(made))
    report.say_review(made, out, csv, as_json=output.as_json)
    return 1 if made.population.incomplete else 0


@app.command
def apply(
    file: Path,
    /,
    *,
    csv: Path | None = None,
    sign: Path | None = None,
    yes: Annotated[bool, Parameter(negative="")] = False,
    output: Output = Output(),  # noqa: B008
    account: OwnerAccount = OwnerAccount(),  # noqa: B008
) -> int:
    """Revoke the grants that are decided to end, and write the outcome of each decision to the file.

    Every entry needs a decision, a reason and a reviewer. After an interruption, run it again to continue.

    Exit code 1: a decision could not be carried out, or an entry needs another review.

    Parameters
    ----------
    file
        The review, as `valetkey review -o` wrote it, with the decisions.
    csv
        Take the decisions from this table.
    sign
        Sign the result with this SSH key (ssh-keygen -Y); the signature is FILE.sig.
    yes
        Do not ask for confirmation.
    """
    from valetkey.cli import _owning, _questions, _reviewing
    from valetkey.evidence.review import OPEN, decided, dump, load
    from valetkey.grants import reviewing
    from valetkey.grants.role import read_owner
    from valetkey.grants.waiting import SETTLE_SECONDS
    from valetkey.report import grants as said
    from valetkey.report import reviewing as report

    _reviewing.need_key(sign)
    data = _reviewing.read(file)
    value = load(data, name=str(file))
    is_finished = value.applied is not None and value.applied.finished_at is not None
    if not is_finished:
        value = decided(_with_csv(value, csv), name=str(csv or file))
        ending = reviewing.unfinished(value)
        _questions.need_somebody(yes=yes or not ending)
        perform = account.connect()
        owner = read_owner(perform)
        if owner.account != value.population.account:
            raise ValetkeyError(
                f"the review is of account {value.population.account}, and the credentials are of {owner.account}",
                do="use credentials of that account; nothing was changed",
                where=str(file),
                exit_code=1,
            )
        lines = report.plan_lines(value, ending)
        report.say_plan(lines)
        if ending:
            _questions.consent(f"End {len(ending)} grant(s) of account {owner.account} for good?", yes=yes, about=lines)
        tools = reviewing.ApplyTools(
            now=lambda: datetime.now(UTC),
            waiting=_owning.waiting(),
            settle=SETTLE_SECONDS,
            keep=lambda so_far: _reviewing.write(file, dump(so_far)),
            tell=said.say_call,
            tell_wait=said.say_wait,
            tell_result=report.say_result,
        )
        value = reviewing.apply(value, owner=owner, perform=perform, tools=tools)
        data = dump(value)
    elif csv is not None:
        raise ValetkeyError(
            f"{file} is finished: its decisions were carried out",
            do="leave out --csv, or make a new review",
            exit_code=1,
        )
    signed = _reviewing.sign(file, data, sign)
    report.say_applied(value, file, signed, as_json=output.as_json)
    assert value.applied is not None
    left = any(result.outcome in OPEN for result in value.applied.results)
    return 1 if left or value.applied.not_reviewed or value.population.incomplete else 0


@app.command
def verify(
    file: Path,
    /,
    *,
    allowed_signers: Path,
    output: Output = Output(),  # noqa: B008
) -> int:
    """Verify the signature of a finished review, or of `show --evidence`. Needs no AWS credentials.

    Exit code 1: the file was changed, is not signed by one of the signers, or is not complete.

    Parameters
    ----------
    file
        The review or the evidence. Its signature is FILE.sig in the same folder.
    allowed_signers
        The accepted signers, as ssh-keygen reads them: lines like `alice@example.com ssh-ed25519 AAAA...`. A file in
        the folder of the evidence is refused.
    """
    from valetkey.cli import _reviewing
    from valetkey.evidence.loading import EvidenceError
    from valetkey.evidence.signing import read_signature, read_signers, verify
    from valetkey.report.reviewing import say_verified

    data = _reviewing.read(file)
    signers = read_signers(allowed_signers.expanduser(), evidence=file)
    signature = read_signature(file)
    tool = _reviewing.tool()
    try:
        subject, at = _subject(data, file)
    except EvidenceError:
        # If the signature is also invalid, the file has been changed: report that first, as the more serious error.
        verify(data, signature, signers, at=None, name=str(file), tool=tool)
        raise
    signer = verify(data, signature, signers, at=at, name=str(file), tool=tool)
    say_verified(subject, file, signer, at, as_json=output.as_json)
    return 0


def _with_csv(review: Review, csv: Path | None) -> Review:
    """Return the review with the decisions of a table."""
    if csv is None:
        return review
    from valetkey.cli import _reviewing
    from valetkey.evidence.review import with_decisions
    from valetkey.evidence.table import read_decisions

    return with_decisions(review, read_decisions(_reviewing.read(csv), name=str(csv)))


def _subject(data: bytes, file: Path) -> tuple[Review | GrantEvidence, datetime]:
    """Return the contents of the file, and the time that it claims. Raises EvidenceError."""
    from valetkey.evidence import grant, review
    from valetkey.evidence.loading import EvidenceError, kind_of

    if kind_of(data, name=str(file)) == grant.KIND:
        evidence = grant.load(data, name=str(file))
        return evidence, _claimed(evidence.read_at, file)
    result = review.load(data, name=str(file))
    if not review.is_whole(result) or result.applied is None or result.applied.finished_at is None:
        raise EvidenceError(
            f"{file} is a review whose decisions were not all carried out",
            do="run `valetkey review apply` first",
            where=str(file),
            exit_code=1,
        )
    return result, _claimed(result.applied.finished_at, file)


def _claimed(text: str, file: Path) -> datetime:
    from valetkey.evidence.loading import EvidenceError

    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise EvidenceError(
            f"{file} does not say when: {shown(text)} is not a time",
            do="get the file again from where it is kept",
            where=str(file),
            exit_code=1,
        ) from None
