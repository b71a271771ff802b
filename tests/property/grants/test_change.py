"""At every moment of a change, each allowed request is allowed by the old terms or by the new ones.

Random grants are changed into other random grants. `decide` evaluates every step, for every order in which the calls
since the last wait take effect, and also if the change is killed anywhere and run again. A person is a user with an
ExternalId. The sessions are those from before the change, and one for everyone who was admitted at an earlier moment.
"""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.grants.fake_iam import FakeIam

from valetkey.account.calls import Call, CallError
from valetkey.grants.change_plan import Cut, Step, plan_change
from valetkey.grants.grant import Grant, terms_digest
from valetkey.grants.plan import plan
from valetkey.grants.role import LiveRole, compact, read_role
from valetkey.grants.semantics import people
from valetkey.grants.status import read_standing
from valetkey.grants.taken import kind
from valetkey.grants.waiting import Settle
from valetkey.policy import Policy, Request, decide, parse_policy
from valetkey.trust import Terms
from valetkey.trust.record import SESSIONS, Changing
from valetkey.trust.self_denies import SessionsDeny
from valetkey.trust.writing import write_trust

OWNER, CONTRACTOR = "111111111111", "222222222222"
NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
NAMES = tuple(f"arn:aws:iam::{CONTRACTOR}:user/{name}" for name in ("carol", "dave", "xenia"))
IDS = ("one-id", "other-id")
PEOPLE = tuple(itertools.product(NAMES, IDS))
ACTIONS = ("s3:GetObject", "ec2:RunInstances", "sqs:SendMessage")
SESSION = f"arn:aws:sts::{OWNER}:assumed-role/audit/x"
ROLE = f"arn:aws:iam::{OWNER}:role/audit"
MANAGED = tuple(f"arn:aws:iam::{OWNER}:policy/{name}" for name in "abc")
BOUNDARIES = tuple(f"arn:aws:iam::{OWNER}:policy/boundary-{name}" for name in "xy")

Person = tuple[str, str]
Held = frozenset[tuple[str, datetime]]


def document(allows: Set[str], denies: Set[str]) -> dict[str, Any]:
    statements = [
        {"Effect": effect, "Action": sorted(actions), "Resource": "*"}
        for effect, actions in (("Allow", allows), ("Deny", denies))
        if actions
    ]
    return {"Version": "2012-10-17", "Statement": statements}


SETS = st.frozensets(st.sampled_from(ACTIONS))
SOME = st.frozensets(st.sampled_from(ACTIONS), min_size=1)
DOCUMENTS = st.builds(document, SOME, st.just(frozenset())) | st.builds(document, SETS, SOME)


@st.composite
def terms(draw: st.DrawFn) -> Terms:
    named = tuple(draw(st.sets(st.sampled_from(NAMES), min_size=1)))
    until = draw(st.sampled_from([None, NOW - MINUTE, NOW + timedelta(days=9), NOW + timedelta(days=30)]))
    external_id = draw(st.sampled_from(IDS))
    result = Terms(contractor=CONTRACTOR, external_id=external_id, mfa=False, only=named, until=until)
    if draw(st.booleans()):
        ends = min(NOW + timedelta(days=3), until or NOW + timedelta(days=3))
        other = next(id_ for id_ in IDS if id_ != external_id)
        result = replace(result, previous_external_id=other, previous_until=ends)
    return result


@st.composite
def grant(draw: st.DrawFn) -> Grant:
    names = draw(st.sets(st.sampled_from(["policy-a", "policy-b"])))
    return Grant(
        name="audit",
        account=OWNER,
        terms=draw(terms()),
        managed=tuple(sorted(draw(st.sets(st.sampled_from(MANAGED), min_size=1)))),
        inline=tuple((name, draw(DOCUMENTS)) for name in sorted(names)),
        max_session=draw(st.sampled_from([3600, 7200])),
        boundary=draw(st.sampled_from([None, *BOUNDARIES])),
        tags=(("team", draw(st.sampled_from(["a", "b"]))),),
    )


@st.composite
def alike(draw: st.DrawFn, old: Grant) -> Grant:
    """Another grant that shares about half of its parts with the first; often only its people differ, in one way."""
    new = draw(grant())
    kept = [item for item in ("managed", "inline", "boundary", "max_session", "tags") if draw(st.booleans())]
    new = replace(new, **{item: getattr(old, item) for item in kept})
    person = draw(st.sampled_from(NAMES))
    had = set(old.terms.only)
    people_only = {
        "same": had,
        "wider": had | {person},
        "narrower": (had - {person}) or had,
        "others": (set(NAMES) - had) or had,
    }
    how = draw(st.sampled_from([*people_only, "random"]))
    return new if how == "random" else replace(new, terms=replace(old.terms, only=tuple(people_only[how])))


@st.composite
def world(draw: st.DrawFn) -> tuple[Grant, Grant, dict[str, dict[str, Any]]]:
    old = draw(grant())
    return old, draw(alike(old)), {arn: draw(DOCUMENTS) for arn in (*MANAGED, *BOUNDARIES)}


@dataclass(frozen=True)
class State:
    """The policies at one moment."""

    trust: Policy
    identity: tuple[Policy, ...]
    boundary: Policy | None
    known: dict[tuple[str, datetime, datetime], bool] = field(default_factory=dict, compare=False)

    def admits(self, person: Person, at: datetime) -> bool:
        keys = {"sts:ExternalId": person[1], "aws:CurrentTime": stamp(at)}
        return decide(Request(person[0], "sts:AssumeRole", ROLE, context=keys), trust=self.trust).allowed

    def allows(self, action: str, issued: datetime, at: datetime) -> bool:
        key = (action, issued, at)
        if key not in self.known:
            self.known[key] = self._allows(*key)
        return self.known[key]

    def _allows(self, action: str, issued: datetime, at: datetime) -> bool:
        keys = {"aws:TokenIssueTime": stamp(issued), "aws:CurrentTime": stamp(at)}
        request = Request(SESSION, action, "*", context=keys)
        boundary = {} if self.boundary is None else {"boundary": self.boundary}
        return decide(request, identity=self.identity, **boundary).allowed


def stamp(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def state_of(role: LiveRole, documents: Mapping[str, dict[str, Any]]) -> State:
    boundary = None if role.boundary is None else parse_policy(documents[role.boundary], kind="boundary")
    carried = [*role.inline.values(), *(documents[arn] for arn in role.managed)]
    return State(
        parse_policy(role.trust, kind="trust"),
        tuple(parse_policy(item, kind="identity") for item in carried),
        boundary,
    )


def made(wanted: Grant, documents: Mapping[str, dict[str, Any]]) -> FakeIam:
    iam = FakeIam(OWNER)
    iam.policies.update(copy.deepcopy(dict(documents)))
    for call in plan(wanted, None):
        iam(call)
    return iam


def read(iam: FakeIam) -> LiveRole:
    role = read_role(iam, "audit")
    assert role is not None
    return role


def steps(wanted: Grant, role: LiveRole, documents: Mapping[str, dict[str, Any]]) -> tuple[Step, ...]:
    standing = read_standing(role)
    assert standing.terms is not None
    touched = people(standing.terms, wanted.terms, role_arn=ROLE, now=NOW)
    begun = standing.record.changing
    changing = Changing(
        at=begun.at if begun else NOW,
        was=begun.was if begun else terms_digest(standing.terms),
        cuts=touched.refuses or (begun is not None and begun.cuts),
    )
    kinds = {arn: kind(item) for arn, item in documents.items()}
    return plan_change(
        wanted,
        role,
        standing.terms,
        people=touched,
        kinds=kinds,
        changing=changing,
        entries=standing.record.changes,
        entry="x",
    )


class Story:
    """A change in progress, with the sessions of all people."""

    def __init__(self, old: Grant, new: Grant, documents: Mapping[str, dict[str, Any]]) -> None:
        self.documents = documents
        self.iam = made(old, documents)
        self.old, self.new = (state_of(read(made(item, documents)), documents) for item in (old, new))
        self.new_role = new
        self.time = NOW
        self.states: dict[str, State] = {}
        self.sure = copy.deepcopy(self.iam.roles)
        self.flying: list[Call] = []
        self.before = {item for item in PEOPLE if self._undated(old, item)}
        self.issued: set[tuple[Person, datetime]] = {(item, NOW - MINUTE) for item in self.before}

    @staticmethod
    def _undated(old: Grant, person: Person) -> bool:
        """Whether a person was admitted by terms whose end may have passed."""
        ids = (old.terms.external_id, old.terms.previous_external_id)
        return person[0] in old.terms.only and person[1] in ids

    def run(self, wanted: Sequence[Step], limit: int | None = None) -> None:
        for step in wanted[:limit]:
            self.time += MINUTE
            if isinstance(step, Settle):
                self.sure, self.flying = copy.deepcopy(self.iam.roles), []
                continue
            call = self._cut() if isinstance(step, Cut) else step
            self.iam(call)
            self.flying.append(call)
            for role in self._moments():
                self.judge(self._state(role))

    def _state(self, role: LiveRole) -> State:
        key = json.dumps([role.trust, role.inline, sorted(role.managed), role.boundary], sort_keys=True)
        if key not in self.states:
            self.states[key] = state_of(role, self.documents)
        return self.states[key]

    def _cut(self) -> Call:
        text = compact(SessionsDeny(before=self.time).document)
        return Call("iam", "put_role_policy", {"RoleName": "audit", "PolicyName": SESSIONS, "PolicyDocument": text})

    def _moments(self) -> Iterator[LiveRole]:
        """The role for every subset of the pending calls in effect; of many calls, only few or almost all of them."""
        works = [call for call in self.flying if call.operation not in ("tag_role", "untag_role", "update_role")]
        sizes = range(len(works) + 1) if len(works) < 4 else (0, 1, len(works) - 1, len(works))
        for size in sizes:
            for some in itertools.combinations(works, size):
                other = FakeIam(OWNER)
                other.roles = copy.deepcopy(self.sure)
                for call in some:
                    try:
                        other(call)
                    except CallError as error:
                        if error.code != "NoSuchEntity":  # removes something that another pending call has put
                            raise
                yield read(other)

    def judge(self, now: State) -> None:
        at = self.time
        for person in PEOPLE:
            if now.admits(person, at):
                assert self.old.admits(person, at) or self.new.admits(person, at)
                self.issued.add((person, at))
        can = {
            (issued, action): now.allows(action, issued, at)
            for issued in {item for _, item in self.issued}
            for action in ACTIONS
        }
        for person, issued in self.issued:
            for action in ACTIONS:
                if can[issued, action]:
                    by_old = person in self.before and self.old.allows(action, issued, at)
                    by_new = self.new.admits(person, at) and self.new.allows(action, issued, at)
                    assert by_old or by_new, f"{person} by {action} with a session of {issued}, at {at}"

    def finished(self) -> None:
        role = read(self.iam)
        standing = read_standing(role)
        assert standing.drift == ()
        assert standing.terms == self.new_role.terms
        assert standing.record.changing is None
        assert set(role.managed) == set(self.new_role.managed)
        assert role.boundary == self.new_role.boundary
        assert role.max_session == self.new_role.max_session
        assert json.dumps(role.trust) == json.dumps(write_trust(self.new_role.terms))
        assert steps(self.new_role, role, self.documents) == ()


@settings(max_examples=20, deadline=None)
@given(world())
def test_at_no_moment_more_than_the_old_terms_or_the_new_ones(given_: Any) -> None:
    old, new, documents = given_
    story = Story(old, new, documents)
    story.run(steps(new, read(story.iam), documents))
    story.finished()


@settings(max_examples=20, deadline=None)
@given(world(), st.integers(1, 12))
def test_a_change_that_is_killed_anywhere_goes_on_and_ends(given_: Any, done: int) -> None:
    old, new, documents = given_
    story = Story(old, new, documents)
    story.run(steps(new, read(story.iam), documents), done)
    story.run(steps(new, read(story.iam), documents))
    story.finished()


S3, EC2, SQS = ({action} for action in ACTIONS)
A, B, C = MANAGED
TABLE: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a policy more": ({"managed": (A,)}, {"managed": (A, B)}),
    "a policy less": ({"managed": (A, B)}, {"managed": (A,)}),
    "another policy": ({"managed": (A,)}, {"managed": (B,)}),
    "a deny more": ({"managed": (A, B)}, {"managed": (A, B, C)}),
    "a deny less": ({"managed": (A, B, C)}, {"managed": (A, B)}),
    "a policy for a deny": ({"managed": (A, C)}, {"managed": (A, B)}),
    "a deny for a policy": ({"managed": (A, B)}, {"managed": (A, C)}),
    "a mixed one more": ({"managed": (A,)}, {"managed": (A,), "inline": (("policy-m", document(EC2 | SQS, S3)),)}),
    "a mixed one less": ({"managed": (A,), "inline": (("policy-m", document(EC2 | SQS, S3)),)}, {"managed": (A,)}),
    "mixed for mixed": (
        {"managed": (A, B), "inline": (("policy-m", document(SQS, S3)),)},
        {"managed": (A, B), "inline": (("policy-n", document(SQS, EC2)),)},
    ),
    "another document": (
        {"managed": (A,), "inline": (("policy-x", document(EC2, set())),)},
        {"managed": (A,), "inline": (("policy-x", document(SQS, set())),)},
    ),
    "a boundary": ({"managed": (A, B)}, {"managed": (A, B), "boundary": BOUNDARIES[0]}),
    "no boundary": ({"managed": (A, B), "boundary": BOUNDARIES[0]}, {"managed": (A, B)}),
    "another boundary and policy": (
        {"managed": (A,), "boundary": BOUNDARIES[0]},
        {"managed": (A, B), "boundary": BOUNDARIES[1]},
    ),
}
PERSONS = {
    "the same": (NAMES[:2], NAMES[:2]),
    "one more": (NAMES[:1], NAMES[:2]),
    "one less": (NAMES[:2], NAMES[:1]),
    "another": (NAMES[:1], NAMES[1:2]),
}
DOCUMENTS_OF_THE_TABLE = {
    A: document(S3, set()),
    B: document(EC2, set()),
    C: document(set(), S3),
    BOUNDARIES[0]: document(S3, set()),
    BOUNDARIES[1]: document(EC2, set()),
}


@pytest.mark.parametrize("persons", PERSONS)
@pytest.mark.parametrize("case", TABLE)
def test_every_kind_of_change_with_every_change_of_people(case: str, persons: str) -> None:
    """Cases that random grants rarely reach; also killed in the middle."""
    base = Terms(contractor=CONTRACTOR, external_id=IDS[0], mfa=False)
    old, new = (
        Grant(name="audit", account=OWNER, terms=replace(base, only=only), **given)
        for given, only in zip(TABLE[case], PERSONS[persons], strict=True)
    )
    story = Story(old, new, DOCUMENTS_OF_THE_TABLE)
    planned = steps(new, read(story.iam), DOCUMENTS_OF_THE_TABLE)
    assert any(isinstance(item, Cut) for item in planned) is (persons in ("one less", "another"))
    story.run(planned)
    story.finished()
    killed = Story(old, new, DOCUMENTS_OF_THE_TABLE)
    killed.run(planned, len(planned) // 2)
    killed.run(steps(new, read(killed.iam), DOCUMENTS_OF_THE_TABLE))
    killed.finished()


@pytest.mark.parametrize("kept", [True, False])
def test_a_grant_that_has_ended_during_a_rotation_is_extended(kept: bool) -> None:
    """A session of the previous ExternalId was stopped by the end; it does not come back."""
    over = {"previous_external_id": IDS[1], "previous_until": NOW - MINUTE}
    base = Terms(contractor=CONTRACTOR, external_id=IDS[0], mfa=False, only=NAMES[:1])
    old = Grant(name="audit", account=OWNER, terms=replace(base, **over, until=NOW - MINUTE), managed=(A,))
    new = replace(old, terms=replace(base, **(over if kept else {})))
    planned = steps(new, read(Story(old, new, DOCUMENTS_OF_THE_TABLE).iam), DOCUMENTS_OF_THE_TABLE)
    for done in range(len(planned) + 1):
        story = Story(old, new, DOCUMENTS_OF_THE_TABLE)
        story.run(planned, done)
        story.run(steps(new, read(story.iam), DOCUMENTS_OF_THE_TABLE))
        story.finished()


def test_the_judge_would_see_a_permission_that_is_added_before_the_sessions_are_denied() -> None:
    documents = {arn: document(frozenset({action}), frozenset()) for arn, action in zip(MANAGED, ACTIONS, strict=True)}
    base = Terms(contractor=CONTRACTOR, external_id=IDS[0], mfa=False, only=(NAMES[0], NAMES[2]))
    old = Grant(name="audit", account=OWNER, terms=base, managed=MANAGED[:1])
    new = replace(old, terms=replace(base, only=NAMES[:1]), managed=MANAGED[:2])
    planned = steps(new, read(Story(old, new, documents).iam), documents)
    assert any(isinstance(item, Cut) for item in planned)
    wrong = sorted(planned, key=lambda item: not (isinstance(item, Call) and item.operation == "attach_role_policy"))
    with pytest.raises(AssertionError, match="xenia"):
        Story(old, new, documents).run(wrong)
    unsettled = [item for item in planned if not isinstance(item, Settle)]
    with pytest.raises(AssertionError, match="xenia"):
        Story(old, new, documents).run(unsettled)
