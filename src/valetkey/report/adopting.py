"""Output of `valetkey adopt` (docs/reference/adopt.md)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from valetkey.account.calls import Call
from valetkey.commandline import command
from valetkey.report.results import adopting as results
from valetkey.report.results import grants as shapes
from valetkey.report.text import clean, mask, say, say_json, say_table
from valetkey.times import moment
from valetkey.trust.term_rows import rows
from valetkey.trust.terms import Terms

if TYPE_CHECKING:
    from valetkey.grants.adopt import Adopted
    from valetkey.grants.adopt_prepare import Adoption, Candidate
    from valetkey.grants.role import Owner

_TERRAFORM = (
    "If Terraform manages this role (valetkey cannot know that), its next apply removes the tags{and_undoes}: "
    "write {both} into its configuration."
)


def adoption_lines(adoption: Adoption) -> tuple[str, ...]:
    """Describe the adoption and its effect, for the person who confirms it."""
    return tuple(clean(line, keep=frozenset()) for line in _lines(adoption))


def _lines(adoption: Adoption) -> Iterator[str]:
    owner, role = adoption.owner, adoption.role
    yield f"Account {owner.account} ({owner.partition}), as {owner.arn}"
    if not adoption.calls:
        return
    yield f"{role.name} admits, by its trust policy ({'proved' if adoption.proof.holds else 'not proved'}):"
    yield from _pairs([*_terms(adoption.terms), ("ends", moment(adoption.until) if adoption.until else "no end")])
    if adoption.others:
        yield f"It is also used by {', '.join(adoption.others)}: they keep their access, and a revocation ends it."
    if adoption.weak:
        yield "What is weak:"
        yield from (f"  - {item}" for item in adoption.weak)
    grant = adoption.tightened
    if grant is not None:
        yield "Its trust policy is replaced by one that valetkey writes. From now on the contractor"
        yield f"  - must send the ExternalId {grant.terms.external_id}"
        yield "  - must use MFA (sts:GetSessionToken with a code)" if grant.terms.mfa else "  - needs no MFA"
        if grant.terms.only or grant.terms.pin:
            yield f"  - must be {' or '.join(grant.terms.only or grant.terms.pin)}"
        yield f"  - is refused from {moment(grant.terms.until)} on" if grant.terms.until else "  - has no end"
        yield "All other callers are refused from then on. Live sessions are kept."
    yield from _kept_by(adoption)


def _kept_by(adoption: Adoption) -> Iterator[str]:
    stack, tightened = adoption.stack, adoption.tightened is not None
    both = "tags and trust policy" if tightened else "the tags"
    if stack.name:
        yield (
            f"CloudFormation manages this role (stack {stack.name}): an update of the role by its template can "
            f"remove the tags{' and undo --tighten' if tightened else ''}. Write {both} into the template."
        )
        return
    if stack.unread:
        yield (
            "Whether CloudFormation manages this role could not be read "
            f"(cloudformation:DescribeStackResources: {stack.unread})."
        )
    yield _TERRAFORM.format(and_undoes=" and undoes --tighten" if tightened else "", both=both)


def say_adoption(about: Sequence[str]) -> None:
    """Print the description of the role on stderr, before anything is written."""
    say(*about, stderr=True)


def say_adoption_plan(adoption: Adoption, *, as_json: bool) -> None:
    """Print the calls of a dry run."""
    from valetkey.report.grants import params_lines

    if as_json:
        say_json(results.adoption(adoption, _calls(adoption.calls)))
        return
    if not adoption.calls:
        say(f"Dry run: {adoption.role.name} is already a grant. There is nothing to do.")
        return
    say("Dry run, nothing is written. The calls would be:")
    for number, call in enumerate(adoption.calls, 1):
        say(f"{number:2}  {call.action}", *params_lines(call))


def say_adopted(done: Adopted, *, as_json: bool) -> None:
    """Print the result: the role is now a grant."""
    adoption, name = done.adoption, done.adoption.role.name
    if as_json:
        say_json(results.adoption(adoption, _calls(done.calls)))
        return
    if not done.calls:
        say(f"{name} is already a grant. Nothing was changed.")
        return
    what = "adopted and tightened" if adoption.tightened else "adopted"
    say(f"{name} is {what}: {adoption.role.arn}, contractor {adoption.contractor}")
    if adoption.tightened is not None:
        say("Proof: for every caller and every request, the role admits exactly what the terms allow.")
    else:
        say(
            "Its trust policy is unchanged. "
            "Proof: in the contractor's account, it admits only callers that meet the terms."
        )
    say(f"Next: {command('valetkey handoff', name, then='-o handoff.json')}")


def say_candidates(owner: Owner, candidates: Sequence[Candidate], *, as_json: bool) -> None:
    """Print the roles that admit an outside party and are not grants."""
    if as_json:
        listed = [results.candidate(candidate) for candidate in candidates]
        say_json(results.Candidates(valetkey="candidates/v1", account=owner.account, candidates=listed))
        return
    say(f"Account {owner.account} ({owner.partition}), as {owner.arn}", stderr=True)
    if not candidates:
        say(f"Account {owner.account} has no role that admits an outside party and is not a grant.")
        return
    say_table(
        ["role", "contractor", "what is weak, or why it cannot be adopted"],
        [
            (
                candidate.role.name,
                candidate.contractor or "-",
                "; ".join(candidate.weak) or candidate.why_not or "nothing",
            )
            for candidate in candidates
        ],
    )
    say("Nothing was changed. Next: valetkey adopt ROLE")


def _calls(calls: Sequence[Call]) -> list[shapes.Call]:
    return [shapes.Call(action=call.action, params=dict(call.params)) for call in calls]


def _terms(terms: Terms) -> Iterator[tuple[str, str]]:
    for label, words in rows(terms).items():
        if label != "until":
            yield label, mask(terms.external_id) if label == "ExternalId" else words


def _pairs(pairs: Sequence[tuple[str, str]]) -> Iterator[str]:
    width = max(len(key) for key, _ in pairs)
    yield from (f"  {key:<{width}}  {value}" for key, value in pairs)
