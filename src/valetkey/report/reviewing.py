"""Access reviews and evidence: as lines, as a table for a spreadsheet, and as JSON."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from valetkey.commandline import command, option
from valetkey.evidence.review import END, KEEP, OPEN, code_of
from valetkey.report.activity_data import safe
from valetkey.report.results import evidence as results
from valetkey.report.text import clean, say, say_json, say_table
from valetkey.times import moment

if TYPE_CHECKING:
    from valetkey.evidence.grant import GrantEvidence
    from valetkey.evidence.review import DecisionResult, Review, ReviewEntry
    from valetkey.evidence.signing import Signer

TIME_CLAIM = "The time is the signer's claim: nobody else confirms it."
_COLUMNS = (
    "review",
    "role_arn",
    "kind",
    "who",
    "state",
    "guards",
    "policies",
    "until",
    "created",
    "last_used",
    "notes",
    "decision",
    "reason",
    "reviewer",
)


def review_csv(review: Review) -> bytes:
    """Return one row per entry, for a spreadsheet: UTF-8 with a byte order mark, without cells that it reads as
    formulas."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\r\n")
    rows.writerow(_COLUMNS)
    for entry in review.population.entries:
        cells = (
            code_of(review),
            entry.role_arn,
            entry.kind,
            "; ".join(entry.who),
            entry.state,
            ", ".join(entry.guards),
            "; ".join(entry.policies),
            entry.until or "",
            entry.created or "",
            entry.last_used or "",
            "; ".join(entry.notes),
            entry.decision,
            entry.reason,
            entry.reviewer,
        )
        rows.writerow([safe(cell) for cell in cells])
    return b"\xef\xbb\xbf" + out.getvalue().encode("utf-8")


def say_review(review: Review, path: Path, table: Path | None, *, as_json: bool) -> None:
    """Print the population, and the next step."""
    population = review.population
    grants = sum(entry.kind == "grant" for entry in population.entries)
    if as_json:
        say_json(
            results.ReviewWritten(
                valetkey="review-written/v1",
                file=str(path),
                csv=str(table) if table else None,
                account=population.account,
                population_sha256=review.population_sha256,
                grants=grants,
                outside_trusts=len(population.entries) - grants,
                incomplete=list(population.incomplete),
            )
        )
        return
    say_table(
        ["role", "who", "state", "last used", "to look at"],
        [
            (entry.name, ", ".join(entry.who), entry.state, entry.last_used or "not seen", "; ".join(entry.notes))
            for entry in population.entries
        ],
    )
    others = len(population.entries) - grants
    say(f"{path} written: {grants} grant(s), {others} other outside trust(s), as of {population.read_at}.")
    say(f"population {review.population_sha256}")
    if population.unseen:
        say("What CloudTrail cannot show of it:", *(f"  - {item}" for item in population.unseen))
    say(*_incomplete(population.incomplete), stderr=True)
    where = f"{path}" if table is None else f"{path}, or {table} in a spreadsheet"
    then = "" if table is None else option("--csv", str(table))
    say(f'Next: write "keep" or "end", a reason and a reviewer into every entry of {where}.')
    say(f"Then: {command('valetkey review apply', str(path), then=then)}")


def plan_lines(review: Review, ending: Sequence[ReviewEntry]) -> tuple[str, ...]:
    """Describe what carrying out the decisions does, for the person who confirms it."""
    population = review.population
    decided = Counter(entry.decision for entry in population.entries)
    counts = f"{decided[KEEP]} to keep, {decided[END]} to end; {len(ending)} grant(s) still to be ended"
    return (
        f"Review of account {population.account} as of {population.read_at}: {counts}{':' if ending else '.'}",
        *(
            f"  {_line(entry.name)}  {_line(', '.join(entry.who))}: {_line(entry.reason)} ({_line(entry.reviewer)})"
            for entry in ending
        ),
        *_incomplete(population.incomplete),
    )


def say_plan(lines: Sequence[str]) -> None:
    """Print these lines on stderr."""
    say(*lines, stderr=True)


def say_result(result: DecisionResult) -> None:
    """Print the outcome of one decision, while others are still to be carried out."""
    name = result.role_arn.rsplit("/", 1)[-1]
    say(f"{_line(name)}: {result.outcome}{f': {_line(result.note)}' if result.note else ''}", stderr=True)


def say_signing(key: Path) -> None:
    """Print that ssh-keygen may ask for input."""
    say(f"Signing with {key}: ssh-keygen may ask for its passphrase, or for a touch.", stderr=True)


def say_applied(review: Review, path: Path, signed: tuple[Path, str] | None, *, as_json: bool) -> None:
    """Print the outcomes of the decisions."""
    applied, population = review.applied, review.population
    assert applied is not None
    decisions = {entry.role_arn: entry.decision for entry in population.entries}
    if as_json:
        say_json(
            results.ReviewApplied(
                valetkey="review-applied/v1",
                file=str(path),
                signature=str(signed[0]) if signed else None,
                key=signed[1] if signed else None,
                account=population.account,
                population_sha256=review.population_sha256,
                finished_at=applied.finished_at,
                results=[
                    results.ReviewResult(
                        role_arn=result.role_arn,
                        decision=decisions[result.role_arn],
                        outcome=result.outcome,
                        at=result.at,
                        note=result.note,
                    )
                    for result in applied.results
                ],
                not_reviewed=list(applied.not_reviewed),
                incomplete=list(population.incomplete),
            )
        )
        return
    counts = Counter(result.outcome for result in applied.results)
    say(f"{path}: {', '.join(f'{count} {what}' for what, count in counts.items())}; finished {applied.finished_at}.")
    say(*open_lines(review))
    _say_signed(path, signed)


def open_lines(review: Review) -> tuple[str, ...]:
    """Return what a finished review leaves open."""
    applied = review.applied
    results_open = [result for result in applied.results if result.outcome in OPEN] if applied else []
    return (
        *(
            f"{_line(result.role_arn)}: {result.outcome}{f': {_line(result.note)}' if result.note else ''}"
            for result in results_open
        ),
        *(f"{_line(item)}: granted after the population was read, not reviewed" for item in _since(review)),
        *_incomplete(review.population.incomplete),
    )


def _since(review: Review) -> tuple[str, ...]:
    return review.applied.not_reviewed if review.applied else ()


def say_evidence(evidence: GrantEvidence, path: Path, signed: tuple[Path, str] | None, *, as_json: bool) -> None:
    """Print the evidence of a grant that was written."""
    if as_json:
        say_json(
            results.EvidenceWritten(
                valetkey="evidence-written/v1",
                file=str(path),
                signature=str(signed[0]) if signed else None,
                key=signed[1] if signed else None,
                role_arn=evidence.role_arn,
                documents_sha256=evidence.documents_sha256,
                holds=evidence.holds,
                unread=list(evidence.unread),
            )
        )
        return
    say(f"{path} written: {_line(evidence.role_arn)} as of {evidence.read_at}, {len(evidence.documents)} documents.")
    say(f"documents {evidence.documents_sha256}")
    say(*evidence_lines(evidence))
    _say_signed(path, signed)


def evidence_lines(evidence: GrantEvidence) -> tuple[str, ...]:
    """Return everything in the evidence that is not as agreed, not proved or not read."""
    proved = evidence.proof
    return (
        *(
            ("The trust policy does not have a form that valetkey writes: nothing is proved about it.",)
            if not proved
            else ()
        ),
        *(f"Not proved: {_line(failure)}" for failure in (proved.failures if proved else ())),
        *(f"Differs from its record: {_line(difference.what)}" for difference in evidence.drift),
        *(f"Not read: {_line(item)}" for item in evidence.unread),
    )


def say_verified(subject: Review | GrantEvidence, path: Path, signer: Signer, at: datetime, *, as_json: bool) -> None:
    """Print whose signature is valid, and for what."""
    from valetkey.evidence.grant import GrantEvidence

    is_evidence = isinstance(subject, GrantEvidence)
    if isinstance(subject, GrantEvidence):
        account, about, left = subject.account, subject.role_arn, evidence_lines(subject)
        decisions: Counter[str] = Counter()
        outcomes: Counter[str] = Counter()
    else:
        population = subject.population
        account, about, left = population.account, subject.population_sha256, open_lines(subject)
        decisions = Counter(entry.decision for entry in population.entries)
        outcomes = Counter(result.outcome for result in (subject.applied.results if subject.applied else ()))
    if as_json:
        say_json(
            results.Verified(
                valetkey="verified/v1",
                file=str(path),
                kind="evidence/v1" if is_evidence else "review/v1",
                account=account,
                about=about,
                claimed_at=moment(at),
                signer=signer.principal,
                key=signer.key,
                decisions=dict(decisions),
                outcomes=dict(outcomes),
                open=list(left),
            )
        )
        return
    say(f"{path}: the signature is valid, by {_line(signer.principal)} ({_line(signer.key)})")
    say(f"  account     {account}", f"  {'role        ' if is_evidence else 'population  '}{_line(about)}")
    if not is_evidence:
        say(
            f"  decisions   {', '.join(f'{count} {what}' for what, count in sorted(decisions.items()))}",
            f"  outcomes    {', '.join(f'{count} {what}' for what, count in sorted(outcomes.items()))}",
        )
    say(f"  time        {moment(at)}. {TIME_CLAIM}")
    if left:
        say("What the file itself leaves open:", *(f"  {item}" for item in left))


def _say_signed(path: Path, signed: tuple[Path, str] | None) -> None:
    if signed is None:
        say("Not signed; with --sign KEY it is.")
        return
    say(f"{signed[0]} written: signed with {_line(signed[1])}. {TIME_CLAIM}")
    say(f"Check: {command('valetkey review verify', str(path), then='--allowed-signers FILE')}")


def _incomplete(parts: Sequence[str]) -> Iterator[str]:
    yield from (f"Not read: {_line(part)}" for part in parts)


def _line(text: str) -> str:
    """Clean text from outside, so that it cannot start a new line."""
    return clean(text, keep=frozenset())
