"""Grants in an access review: as entries of its population, and carrying out the decisions of a review.

Rules:
- A grant is ended only by `revoke`. A role that does not match its record is denied and closed, and not deleted, as
  `revoke` without --confirm does. A role that is not a grant is never changed.
- INVARIANT: only the reviewed role is ended: a role of the same name that was created since is not changed.
- The review is passed to `keep` after every entry. A second run continues with the entries without a result.
- A decision to keep concerns the reviewed state. If the role has changed since, the result says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace

from valetkey.account.calls import Call, Perform
from valetkey.errors import ValetkeyError
from valetkey.evidence.review import END, AppliedDecision, DecisionResult, Review, ReviewEntry, ReviewOutcome
from valetkey.grants.fitting import misfits
from valetkey.grants.grant import PREFIX, ForeignRole
from valetkey.grants.make import Interrupted
from valetkey.grants.revoke import revoke, shut
from valetkey.grants.role import LiveRole, Owner, read_role, read_roles
from valetkey.grants.status import Standing, read_claimed, read_standing
from valetkey.grants.waiting import Waiting
from valetkey.trust.record import OWN, digest, instant


@dataclass(frozen=True)
class ApplyTools:
    """The dependencies of `apply` apart from AWS: a clock, waiting, and callbacks."""

    now: Callable[[], datetime]
    waiting: Waiting
    settle: float
    """Seconds for a deny to take effect (`revoke`)."""
    keep: Callable[[Review], None]
    """Stores the present state of the review."""
    tell: Callable[[Call], None]
    tell_wait: Callable[[float], None]
    tell_result: Callable[[DecisionResult], None]


class NotAllApplied(ValetkeyError):
    """Some grants could not be ended. The others were handled, and the file records it."""

    exit_code = 3


def entries(roles: Sequence[LiveRole], *, now: datetime) -> tuple[ReviewEntry, ...]:
    """Return the grants among an account's roles, including those with a damaged record."""
    return tuple(_entry(role, now) for role in roles if f"{PREFIX}version" in role.tags)


def unfinished(review: Review) -> tuple[ReviewEntry, ...]:
    """Return the grants that a decided review has yet to end."""
    done = {result.role_arn for result in review.applied.results} if review.applied else set()
    return tuple(
        entry
        for entry in review.population.entries
        if entry.decision == END and entry.kind == "grant" and entry.role_arn not in done
    )


def apply(review: Review, *, owner: Owner, perform: Perform, tools: ApplyTools) -> Review:
    """Carry out a decided review.

    Raises CallError if the account cannot be read; NotAllApplied if a grant could not be ended, after the others are
    handled, or at once (exit code 130) for ^C.
    """
    applied = review.applied or AppliedDecision(
        by=owner.arn, started_at=_at(tools), finished_at=None, results=(), not_reviewed=()
    )
    if applied.finished_at is not None:
        return review
    there = {role.arn: role for role in read_roles(perform)}
    done = {decision_result.role_arn for decision_result in applied.results}
    failed: list[Interrupted] = []
    for entry in review.population.entries:
        if entry.role_arn in done:
            continue
        try:
            result = _carry_out(entry, there.get(entry.role_arn), perform, tools)
        except KeyboardInterrupt:
            raise _stopped("interrupted", entry, applied) from None
        except Interrupted as problem:
            if problem.exit_code == 130:
                raise _stopped(problem.what, entry, applied) from None
            failed.append(problem)
            continue
        tools.tell_result(result)
        applied = replace(applied, results=(*applied.results, result))
        review = replace(review, applied=applied)
        tools.keep(review)
    if failed:
        raise NotAllApplied(
            f"{len(failed)} grant(s) could not be ended, the first: {failed[0].what}",
            do=f"{failed[0].do}; then run the same `review apply` again: it continues with these",
            where=failed[0].where,
        ).with_details(failed[0].details)
    known = {review_entry.role_arn for review_entry in review.population.entries}
    since = tuple(sorted(arn for arn, role in there.items() if f"{PREFIX}version" in role.tags and arn not in known))
    review = replace(review, applied=replace(applied, finished_at=_at(tools), not_reviewed=since))
    tools.keep(review)
    return review


def _stopped(what: str, entry: ReviewEntry, applied: AppliedDecision) -> NotAllApplied:
    return NotAllApplied(
        f"{what} at {entry.name}: {len(applied.results)} decision(s) are carried out, and the file says which",
        do="run the same `review apply` again: it continues with this one",
        where=entry.role_arn,
        exit_code=130,
    )


def _carry_out(entry: ReviewEntry, role: LiveRole | None, perform: Perform, tools: ApplyTools) -> DecisionResult:
    def result(outcome: ReviewOutcome, note: str = "") -> DecisionResult:
        return DecisionResult(role_arn=entry.role_arn, outcome=outcome, at=_at(tools), note=note)

    if role is None:
        return result("gone already", "the role no longer exists")
    differs = ", ".join(_differences(entry, role))
    if entry.created is not None and instant(role.created) != entry.created:
        return result("not ended" if entry.decision == END else "kept, but changed since", "another role of this name")
    if entry.decision != END:
        return result("kept, but changed since", differs) if differs else result("kept")
    if entry.kind != "grant":
        return result("not ended", "not a valetkey grant: change it by hand; `valetkey audit` shows how")
    return _end(entry, perform, tools, result, f"changed since it was read: {differs}" if differs else "")


def _end(
    entry: ReviewEntry, perform: Perform, tools: ApplyTools, result: Callable[..., DecisionResult], note: str
) -> DecisionResult:
    role = read_role(perform, entry.name)
    if role is None:
        return result("gone already", "the role no longer exists")
    if role.arn != entry.role_arn or instant(role.created) != entry.created:
        return result("not ended", "another role of this name")
    try:
        standing = read_claimed(role)
    except ForeignRole as problem:
        return result("not ended", problem.what)
    reasons = misfits(standing)
    if reasons:
        shut(standing, perform=perform, now=tools.now, waiting=tools.waiting, tell=tools.tell)
        what = ", ".join(dict.fromkeys(difference.what for difference in reasons))
        return result("closed, not deleted", f"it does not fit its record ({what}): see `valetkey revoke`")
    revoke(
        standing,
        perform=perform,
        now=tools.now,
        waiting=tools.waiting,
        settle=tools.settle,
        with_others=False,  # they are in the population
        tell=tools.tell,
        tell_wait=tools.tell_wait,
    )
    return result("ended", note)


def _differences(entry: ReviewEntry, role: LiveRole) -> Iterator[str]:
    """Yield in what the role differs from the reviewed one."""
    if entry.trust_sha256 is not None and digest(role.trust) != entry.trust_sha256:
        yield "trust policy"
    if entry.kind == "grant" and set(_policies(role)) != set(entry.policies):
        yield "policies"


def _entry(role: LiveRole, now: datetime) -> ReviewEntry:
    try:
        standing: Standing | None = read_standing(role)
        why = ""
    except ForeignRole as problem:
        standing, why = None, problem.what
    terms = standing.terms if standing else None
    until = standing.record.until if standing else None
    return ReviewEntry(
        role_arn=role.arn,
        kind="grant",
        who=(f"account {standing.record.contractor}",) if standing else ("not known",),
        state=standing.state(now) if standing else "damaged",
        guards=tuple(
            name
            for name, is_there in (("ExternalId", terms and terms.external_id), ("MFA", terms and terms.mfa))
            if is_there
        ),
        policies=_policies(role),
        until=instant(until),
        created=instant(role.created),
        last_used=instant(role.last_used),
        trust_sha256=digest(role.trust),
        notes=tuple(_notes(standing, why)),
    )


def _notes(standing: Standing | None, why: str) -> Iterator[str]:
    if standing is None:
        yield why
        return
    if standing.record.until is None:
        yield "no end"
    if standing.record.is_adopted:
        yield "adopted: made by other means"
    if standing.terms is None:
        yield "the trust policy does not have the form that valetkey writes"
    else:
        if named := standing.terms.only or standing.terms.pin:
            yield f"only {', '.join(named)}"
        if standing.terms.previous_until is not None:
            yield f"the previous ExternalId is accepted until {instant(standing.terms.previous_until)}"
        if standing.terms.orphans:
            yield f"deleted principals: {', '.join(standing.terms.orphans)}"
    for difference in standing.drift:
        yield f"{'missing' if difference.missing else 'differs from its record'}: {difference.what}"


def _policies(role: LiveRole) -> tuple[str, ...]:
    return (*sorted(role.managed), *sorted(f"inline {name}" for name in role.inline if name not in OWN))


def _at(tools: ApplyTools) -> str:
    return str(instant(tools.now()))
