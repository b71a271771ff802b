"""An access review: a frozen population, a decision for each entry, and the results of the decisions.

Rules:
- The population is everything that gives outside parties access to the account when it is read: every grant, every
  other role that an outsider can assume, roles for which this is not decided, and trust policies that name a deleted
  principal. It records what could not be read (`incomplete`).
- INVARIANT: the hash covers the account, the time, and every field of every entry except the decision. A population
  that does not match its hash is refused, so removed or swapped entries are detected.
- A decision is "keep" or "end", with a reason and a reviewer. There is no default: an entry without a decision is
  refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from valetkey.evidence.loading import EvidenceError, FilePart, read, written
from valetkey.trust.record import digest

KIND = "review/v1"
KEEP, END = "keep", "end"
_OF_THE_PERSON = ("decision", "reason", "reviewer")
_SHOWN = 5
"""How many problems an error lists."""

ReviewOutcome = Literal[
    "kept",
    "kept, but changed since",
    "ended",
    "gone already",
    "closed, not deleted",
    "not ended",
]
OPEN: frozenset[ReviewOutcome] = frozenset({"kept, but changed since", "closed, not deleted", "not ended"})
"""Outcomes that need further action."""
_DECISION_OF: Mapping[ReviewOutcome, tuple[str, ...]] = {
    "kept": (KEEP,),
    "kept, but changed since": (KEEP,),
    "ended": (END,),
    "gone already": (KEEP, END),
    "closed, not deleted": (END,),
    "not ended": (END,),
}


class ReviewEntry(FilePart, frozen=True):
    """One role that an outside party can assume, as read, and the decision."""

    role_arn: str
    kind: Literal["grant", "outside trust"]
    who: tuple[str, ...]
    """Who can assume the role, as text: "account 222222222222"."""
    state: str
    """For a grant, the state as in `list`, or "damaged"; otherwise the exposure."""
    guards: tuple[str, ...]
    """What a caller must supply: "ExternalId", "MFA"."""
    policies: tuple[str, ...]
    until: str | None
    created: str | None
    last_used: str | None
    """None: not used within 400 days, or not known; `notes` says so if not known."""
    trust_sha256: str | None
    notes: tuple[str, ...]
    """Drift, findings, deleted principals, what could not be read."""
    decision: str = ""
    reason: str = ""
    reviewer: str = ""

    @property
    def name(self) -> str:
        return self.role_arn.rsplit("/", 1)[-1]


class Population(FilePart, frozen=True, omit_defaults=True):
    """The roles under review."""

    account: str
    partition: str
    read_at: str
    read_by: str
    """ARN of the caller."""
    own_accounts: tuple[str, ...]
    """Accounts that count as the owner's own."""
    org_id: str | None
    incomplete: tuple[str, ...]
    """What could not be read, so entries may be missing."""
    entries: tuple[ReviewEntry, ...]
    unseen: tuple[str, ...] = ()
    """Activity that CloudTrail cannot show. Omitted from the file if empty, so the hashes of earlier files
    stay valid."""

    @property
    def sha256(self) -> str:
        """The hash ("sha256:" and 64 hexadecimal digits) of everything except the decisions."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        for entry in plain["entries"]:
            for field in _OF_THE_PERSON:
                del entry[field]
        return digest(plain)


class DecisionResult(FilePart, frozen=True):
    """The result of one decision."""

    role_arn: str
    outcome: ReviewOutcome
    at: str
    note: str = ""


class AppliedDecision(FilePart, frozen=True):
    """The progress of carrying out the decisions. Saved after each entry, so an interrupted run can continue."""

    by: str
    started_at: str
    finished_at: str | None
    """The time that the signature covers. It is the signer's claim."""
    results: tuple[DecisionResult, ...]
    not_reviewed: tuple[str, ...]
    """Grants created after the population was read."""


class Review(FilePart, frozen=True):
    """The content of the file."""

    valetkey: Literal["review/v1"]
    population: Population
    population_sha256: str
    applied: AppliedDecision | None = None


@dataclass(frozen=True)
class TableDecision:
    """A decision from a spreadsheet."""

    place: str
    """File and line, for errors."""
    review: str
    role_arn: str
    decision: str
    reason: str
    reviewer: str


def new(population: Population) -> Review:
    """Return a review without decisions."""
    return Review(valetkey="review/v1", population=population, population_sha256=population.sha256)


def ordered(entries: Iterable[ReviewEntry]) -> tuple[ReviewEntry, ...]:
    """Return the entries in order: grants first, then other trusts, each by ARN."""
    return tuple(sorted(entries, key=lambda entry: (entry.kind != "grant", entry.role_arn)))


def dump(review: Review) -> bytes:
    """Return the file's bytes."""
    return written(review)


def load(data: bytes, *, name: str) -> Review:
    """Return a review after checking the population's hash. Raises EvidenceError, with exit code 2 for a file that
    cannot be read, 1 for a changed population, changed results, or a decision changed after it was carried out."""
    review = read(data, Review, kind=KIND, name=name)
    if review.population.sha256 != review.population_sha256:
        raise EvidenceError(
            f"the population of {name} was changed: its hash differs from the one in the file",
            do="edit only decision, reason and reviewer; make a new review for another population",
            where=f"{name}: $.population",
            exit_code=1,
        )
    arns = [entry.role_arn for entry in review.population.entries]
    done = [result.role_arn for result in review.applied.results] if review.applied else []
    if len({*arns}) != len(arns) or len({*done}) != len(done) or not {*done} <= {*arns}:
        raise EvidenceError(
            f"{name} names a role twice, or has a result for a role that it does not list",
            do="name the file that valetkey wrote",
            where=f"{name}: $.applied" if review.applied else f"{name}: $.population",
            exit_code=1,
        )
    decisions = {entry.role_arn: _word(entry.decision) for entry in review.population.entries}
    for result in review.applied.results if review.applied else ():
        if decisions[result.role_arn] not in _DECISION_OF[result.outcome]:
            raise EvidenceError(
                f'the decision on {result.role_arn} was changed after it was carried out ("{result.outcome}")',
                do="restore the previous decision; a new decision needs a new review",
                where=f"{name}: $.applied",
                exit_code=1,
            )
    return review


def code_of(review: Review) -> str:
    """Return the code that links a spreadsheet row to this review. Spreadsheets do not convert it to a number."""
    return f"p-{review.population_sha256.removeprefix('sha256:')[:16]}"


def with_decisions(review: Review, decisions: Sequence[TableDecision]) -> Review:
    """Return the review with the decisions of a spreadsheet. Roles without a row do not change. Raises EvidenceError
    for a row of another review or role, or two rows for one role."""
    code, known = code_of(review), {entry.role_arn for entry in review.population.entries}
    given: dict[str, TableDecision] = {}
    for decision in decisions:
        if decision.review != code:
            raise EvidenceError(
                "this row belongs to another review", do=f"its column review must say {code}", where=decision.place
            )
        if decision.role_arn not in known:
            raise EvidenceError(
                "this row is about a role that is not in the review",
                do="leave the columns as written",
                where=decision.place,
            )
        if decision.role_arn in given:
            raise EvidenceError("this role has a row already", do="remove one of the two", where=decision.place)
        given[decision.role_arn] = decision
    return _with(review, given)


def decided(review: Review, *, name: str) -> Review:
    """Return the review with normalized decisions. Raises EvidenceError for entries without a decision, reason or
    reviewer."""
    problems = list(_undecided(review, name))
    if problems:
        more = f"; and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        raise EvidenceError(
            f"{len(problems)} of {len(review.population.entries)} entries are not decided: "
            f"{'; '.join(what for what, _ in problems[:_SHOWN])}{more}",
            do='write "keep" or "end", a reason and a reviewer into every entry; nothing was changed',
            where=problems[0][1],
        )
    return _with(review, {entry.role_arn: entry for entry in review.population.entries})


def _undecided(review: Review, name: str) -> Iterator[tuple[str, str]]:
    for number, entry in enumerate(review.population.entries):
        place = f"{name}: $.population.entries[{number}]"
        if _word(entry.decision) not in (KEEP, END):
            yield f"{entry.name} has no decision", f"{place}.decision"
        elif not entry.reason.strip():
            yield f"{entry.name} has no reason", f"{place}.reason"
        elif not entry.reviewer.strip():
            yield f"{entry.name} has no reviewer", f"{place}.reviewer"


def is_whole(review: Review) -> bool:
    """Return whether every entry has a decision and a result, and the run has finished."""
    applied = review.applied
    if applied is None or applied.finished_at is None or list(_undecided(review, "")):
        return False
    return {result.role_arn for result in applied.results} == {entry.role_arn for entry in review.population.entries}


def _with(review: Review, given: Mapping[str, TableDecision] | Mapping[str, ReviewEntry]) -> Review:
    entries = tuple(
        msgspec.structs.replace(
            entry,
            decision=_word(said.decision),
            reason=said.reason.strip(),
            reviewer=said.reviewer.strip(),
        )
        if (said := given.get(entry.role_arn)) is not None
        else entry
        for entry in review.population.entries
    )
    return msgspec.structs.replace(review, population=msgspec.structs.replace(review.population, entries=entries))


def _word(text: str) -> str:
    return text.strip().lower()
