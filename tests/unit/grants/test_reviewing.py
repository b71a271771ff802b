"""Grants in an access review: what an entry says of them, and what becomes of the decisions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace as with_
from tests.unit.grants.fake_iam import FakeIam
from tests.unit.grants.handmade import MFA, ROOT, allow, made, trust
from tests.unit.grants.whole_errors import refuse, whole_error

from valetkey.account.calls import Call, CallError
from valetkey.evidence.review import AppliedDecision, DecisionResult, Population, Review, ReviewEntry, new
from valetkey.grants.adopt import adopt
from valetkey.grants.adopt_prepare import Wish, prepare_adoption
from valetkey.grants.grant import Grant
from valetkey.grants.plan import plan
from valetkey.grants.reviewing import ApplyTools, NotAllApplied, apply, entries, unfinished
from valetkey.grants.role import read_owner, read_roles
from valetkey.grants.waiting import Waiting
from valetkey.trust.record import digest
from valetkey.trust.self_denies import held_deny
from valetkey.trust.writing import closed_trust, write_trust

AUDIT, VIEW, READ = (
    f"arn:aws:iam::aws:policy/{name}" for name in ("SecurityAudit", "job-function/ViewOnlyAccess", "ReadOnlyAccess")
)
ROLES = "arn:aws:iam::111111111111:role/"
AT = "2026-11-23T12:00:00Z"
CAROL = "arn:aws:iam::222222222222:user/carol"


@pytest.fixture
def role(iam: FakeIam, grant: Grant) -> dict[str, Any]:
    for call in plan(grant, None):
        iam(call)
    iam.log.clear()
    return iam.roles["audit"]


class Story:
    """What a run of `apply` kept and said."""

    def __init__(self, waiting: Waiting, now: datetime) -> None:
        self.kept: list[Review] = []
        self.calls: list[str] = []
        self.waits: list[float] = []
        self.results: list[DecisionResult] = []
        self.tools = ApplyTools(
            now=lambda: now,
            waiting=waiting,
            settle=7.0,
            keep=self.kept.append,
            tell=lambda call: self.calls.append(call.operation),
            tell_wait=self.waits.append,
            tell_result=self.results.append,
        )


@pytest.fixture
def story(waiting: Waiting, now: datetime) -> Story:
    return Story(waiting, now)


def reviewed(iam: FakeIam, now: datetime, decision: str = "end", *more: ReviewEntry) -> Review:
    """A review of everything that is there now, decided in one way."""
    result = [with_(entry, decision=decision, reason="r", reviewer="ann") for entry in entries(_roles(iam), now=now)]
    return new(
        Population(
            account=iam.account,
            partition="aws",
            read_at=AT,
            read_by="me",
            own_accounts=(),
            org_id=None,
            incomplete=(),
            entries=(*result, *more),
        )
    )


def _roles(iam: FakeIam) -> Any:
    return list(read_roles(iam))


def carried(iam: FakeIam, review: Review, story: Story) -> Review:
    return apply(review, owner=read_owner(iam), perform=iam, tools=story.tools)


def outcomes(review: Review) -> list[tuple[str, str]]:
    assert review.applied is not None
    return [(result.outcome, result.note) for result in review.applied.results]


# -- entries ---------------------------------------------------------------


def test_an_entry_says_all_of_a_grant(iam: FakeIam, grant: Grant, role: Any, now: datetime) -> None:
    role["RoleLastUsed"] = {"LastUsedDate": datetime(2026, 11, 20, 8, tzinfo=UTC)}
    iam.roles["machine"] = {**role, "RoleName": "machine", "Tags": [{"Key": "team", "Value": "x"}]}
    (entry,) = entries(_roles(iam), now=now)
    assert entry == ReviewEntry(
        role_arn=grant.role_arn,
        kind="grant",
        who=("account 222222222222",),
        state="open",
        guards=("ExternalId", "MFA"),
        policies=(AUDIT, VIEW, "inline policy-more"),
        until="2026-12-31T00:00:00Z",
        created="2026-11-01T00:00:00Z",
        last_used="2026-11-20T08:00:00Z",
        trust_sha256=digest(write_trust(grant.terms)),
        notes=(),
    )


def test_a_damaged_record_is_an_entry_too(iam: FakeIam, role: Any, now: datetime) -> None:
    role["Tags"] = [tag for tag in role["Tags"] if tag["Key"] != "valetkey:session"]
    (entry,) = entries(_roles(iam), now=now)
    assert (entry.who, entry.state, entry.guards, entry.until, entry.last_used) == (
        ("not known",), "damaged", (), None, None,
    )  # fmt: skip
    assert entry.notes == ("the record of the role audit is damaged: 'session' in its valetkey:* tags cannot be read",)


@pytest.mark.parametrize(
    ("terms", "guards", "notes"),
    [
        ({"until": None}, ("ExternalId", "MFA"), ("no end",)),
        ({"external_id": None}, ("MFA",), ()),
        ({"mfa": False, "mfa_max_age": None, "only": (CAROL,)}, ("ExternalId",), (f"only {CAROL}",)),
        ({"pin": (CAROL, f"{CAROL}2")}, ("ExternalId", "MFA"), (f"only {CAROL}, {CAROL}2",)),
        (
            {"previous_external_id": "the-old", "previous_until": datetime(2026, 12, 1, tzinfo=UTC)},
            ("ExternalId", "MFA"),
            ("the previous ExternalId is accepted until 2026-12-01T00:00:00Z",),
        ),
    ],
)
def test_what_a_reviewer_should_know_is_a_note(
    iam: FakeIam, grant: Grant, now: datetime, terms: dict[str, Any], guards: tuple[str, ...], notes: tuple[str, ...]
) -> None:
    by = "none" if terms.get("external_id", "x") is None else grant.external_id_by
    for call in plan(replace(grant, terms=replace(grant.terms, **terms), external_id_by=by), None):
        iam(call)
    (entry,) = entries(_roles(iam), now=now)
    assert (entry.guards, entry.notes) == (guards, notes)


def test_drift_and_deleted_principals_are_notes(iam: FakeIam, grant: Grant, now: datetime) -> None:
    for call in plan(replace(grant, terms=replace(grant.terms, pin=(CAROL,))), None):
        iam(call)
    role = iam.roles["audit"]
    role["managed"].remove(AUDIT)
    role["managed"].append(READ)
    role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["AWS"] = "AIDAEXAMPLEEXAMPLE12"
    (entry,) = entries(_roles(iam), now=now)
    assert entry.state == "changed"
    assert entry.notes == (
        "only AIDAEXAMPLEEXAMPLE12",
        "deleted principals: AIDAEXAMPLEEXAMPLE12",
        "differs from its record: pinned principals",
        "missing: managed policy",
        "differs from its record: managed policy",
    )
    role["AssumeRolePolicyDocument"] = trust(allow({"AWS": "*"}))
    role["managed"] = [AUDIT, VIEW]
    (entry,) = entries(_roles(iam), now=now)
    assert entry.guards == ()
    assert entry.notes == (
        "the trust policy does not have the form that valetkey writes",
        "differs from its record: trust policy",
    )


def test_an_adopted_role_is_told_apart(iam: FakeIam, now: datetime, waiting: Waiting) -> None:
    made(iam, trust(allow(ROOT, MFA)))
    ready = prepare_adoption(Wish(name="puppeteers"), owner=read_owner(iam), perform=iam, now=now)
    adopt(ready, perform=iam, waiting=waiting)
    (entry,) = entries(_roles(iam), now=now)
    assert (entry.notes, entry.policies) == (
        ("no end", "adopted: made by other means"),
        (READ, "inline a,b"),
    )


# -- apply ---------------------------------------------------------------


def test_an_ended_grant_is_revoked_and_a_kept_one_is_left(
    iam: FakeIam, grant: Grant, role: Any, now: datetime, story: Story
) -> None:
    for call in plan(replace(grant, name="kept"), None):
        iam(call)
    review = reviewed(iam, now)
    first, second = review.population.entries
    review = new(with_(review.population, entries=(first, with_(second, decision="keep"))))
    assert unfinished(review) == (first,)
    done = carried(iam, review, story)
    assert set(iam.roles) == {"kept"}
    ended = DecisionResult(role_arn=first.role_arn, outcome="ended", at=AT, note="")
    kept = DecisionResult(role_arn=second.role_arn, outcome="kept", at=AT, note="")
    assert done.applied == AppliedDecision(
        by="arn:aws:iam::111111111111:user/owner", started_at=AT, finished_at=AT, results=(ended, kept), not_reviewed=()
    )
    assert story.results == [ended, kept]
    assert [len(item.applied.results) for item in story.kept if item.applied] == [1, 2, 2]
    assert [item.applied.finished_at for item in story.kept if item.applied] == [None, None, AT]
    assert story.waits == [7.0]
    assert story.calls[:2] == ["put_role_policy", "update_assume_role_policy"]
    assert story.calls[-1] == "delete_role"
    assert unfinished(done) == ()
    # It is finished: nothing is done again.
    iam.log.clear()
    assert carried(iam, done, story) is done
    assert iam.log == []


def test_a_grant_that_was_made_since_is_named_and_left(
    iam: FakeIam, grant: Grant, role: Any, now: datetime, story: Story
) -> None:
    review = reviewed(iam, now, "keep")
    for name in ("z", "b"):
        for call in plan(replace(grant, name=name), None):
            iam(call)
    made(iam, trust(allow(ROOT)))
    done = carried(iam, review, story)
    assert done.applied is not None
    assert done.applied.not_reviewed == tuple(f"arn:aws:iam::111111111111:role/partners/{name}" for name in "bz")


CHANGED: dict[str, Callable[[dict[str, Any]], object]] = {
    "trust policy": lambda role: role.update(AssumeRolePolicyDocument=trust(allow(ROOT))),
    "policies": lambda role: role["managed"].append(READ),
    "trust policy, policies": lambda role: role.update(AssumeRolePolicyDocument=trust(), managed=[]),
}


@pytest.mark.parametrize("what", CHANGED)
def test_a_decision_to_keep_is_about_what_was_reviewed(
    iam: FakeIam, role: Any, now: datetime, story: Story, what: str
) -> None:
    review = reviewed(iam, now, "keep")
    CHANGED[what](role)
    assert outcomes(carried(iam, review, story)) == [("kept, but changed since", what)]
    assert iam.log == []


@pytest.mark.parametrize(
    ("decision", "outcome"), [("end", "not ended"), ("keep", "kept, but changed since")], ids=["end", "keep"]
)
def test_another_role_of_the_same_name_is_left_alone(
    iam: FakeIam, role: Any, now: datetime, story: Story, decision: str, outcome: str
) -> None:
    review = reviewed(iam, now, decision)
    role["CreateDate"] = now
    assert outcomes(carried(iam, review, story)) == [(outcome, "another role of this name")]
    assert iam.log == []


@pytest.mark.parametrize("decision", ["end", "keep"])
def test_a_role_that_is_gone_is_said_to_be(iam: FakeIam, role: Any, now: datetime, story: Story, decision: str) -> None:
    review = reviewed(iam, now, decision)
    iam.roles.clear()
    assert outcomes(carried(iam, review, story)) == [("gone already", "the role no longer exists")]


def test_what_happens_between_the_list_and_the_end_is_seen(
    iam: FakeIam, role: Any, now: datetime, story: Story
) -> None:
    """The account is read once for all; each grant is read again before it is ended."""
    for change, result in (
        (lambda: iam.roles.pop("audit"), ("gone already", "the role no longer exists")),
        (lambda: iam.roles["audit"].update(CreateDate=now), ("not ended", "another role of this name")),
        (lambda: iam.roles["audit"].update(Arn=f"{ROLES}audit"), ("not ended", "another role of this name")),
        (
            lambda: iam.roles["audit"].update(Tags=[]),
            (
                "not ended",
                "the role audit is not a valetkey grant: it does not have the tag valetkey:version",
            ),
        ),
    ):  # fmt: skip
        review, before = reviewed(iam, now), dict(role)

        def between(call: Call, change: Any = change) -> None:
            if call.operation == "get_role":
                iam.before = lambda call: None
                change()

        iam.before = between
        assert outcomes(carried(iam, review, story)) == [result]
        assert iam.log == []
        iam.roles["audit"] = role
        role.update(before)


def test_what_was_changed_before_it_ended_is_noted(iam: FakeIam, role: Any, now: datetime, story: Story) -> None:
    """A policy that is missing does not keep a grant from being ended."""
    review = reviewed(iam, now)
    role["managed"].remove(AUDIT)
    assert outcomes(carried(iam, review, story)) == [("ended", "changed since it was read: policies")]
    assert iam.roles == {}


def test_a_role_that_does_not_fit_its_record_is_closed_and_kept(
    iam: FakeIam, role: Any, now: datetime, story: Story
) -> None:
    role["managed"].append(READ)
    role["AssumeRolePolicyDocument"] = trust(allow(ROOT))
    review = reviewed(iam, now)
    assert outcomes(carried(iam, review, story)) == [
        (
            "closed, not deleted",
            "it does not fit its record (trust policy, managed policy): see `valetkey revoke`",
        )
    ]
    assert iam.log == story.calls == ["put_role_policy", "update_assume_role_policy"]
    assert role["inline"]["valetkey-revoked"] == held_deny()
    assert role["AssumeRolePolicyDocument"] == closed_trust()


def test_a_role_that_is_not_a_grant_is_never_touched(iam: FakeIam, now: datetime, story: Story) -> None:
    role = made(iam, trust(allow(ROOT)))
    other = ReviewEntry(
        role_arn=role["Arn"],
        kind="outside trust",
        who=("account 222222222222",),
        state="unguarded",
        guards=(),
        policies=(),
        until=None,
        created=None,
        last_used=None,
        trust_sha256=None,
        notes=(),
        decision="end",
        reason="r",
        reviewer="ann",
    )
    review = reviewed(iam, now, "end", other)
    assert unfinished(review) == ()
    assert outcomes(carried(iam, review, story)) == [
        ("not ended", "not a valetkey grant: change it by hand; `valetkey audit` shows how")
    ]
    # Its policies are not compared: of other roles a review lists them in another way.
    assert outcomes(carried(iam, reviewed(iam, now, "end", with_(other, decision="keep")), story)) == [("kept", "")]
    changed = with_(other, decision="keep", trust_sha256=digest(trust()))
    assert outcomes(carried(iam, reviewed(iam, now, "end", changed), story)) == [
        ("kept, but changed since", "trust policy")
    ]
    assert iam.log == []


def test_a_grant_that_aws_does_not_let_end_is_named_after_the_others(
    iam: FakeIam, grant: Grant, role: Any, now: datetime, story: Story
) -> None:
    for call in plan(replace(grant, name="second"), None):
        iam(call)
    review = reviewed(iam, now)
    iam.before = refuse("AccessDenied", "put_role_policy", RoleName="audit")
    with pytest.raises(NotAllApplied) as failed:
        carried(iam, review, story)
    revoke_again = "run `valetkey revoke audit` again to finish; nothing was changed: the access is unchanged"
    assert whole_error(failed) == (
        "1 grant(s) could not be ended, the first: iam:PutRolePolicy failed: AccessDenied: no",
        f"{revoke_again}; then run the same `review apply` again: it continues with these",
        grant.role_arn,
        3,
    )
    assert set(iam.roles) == {"audit"}
    (kept,) = story.kept
    assert outcomes(kept) == [("ended", "")]
    assert [entry.name for entry in unfinished(kept)] == ["audit"]
    # Run again, it goes on with the one that has no result; the first run began it.
    iam.before = lambda call: None
    done = carried(iam, kept, story)
    assert outcomes(done) == [("ended", ""), ("ended", "")]
    assert iam.roles == {}


@pytest.mark.parametrize(
    ("operation", "what"),
    [
        ("get_role", "interrupted"),
        (
            "put_role_policy",
            "interrupted during iam:PutRolePolicy; AWS may or may not have performed it",
        ),
    ],
)
def test_ctrl_c_stops_at_once_and_says_where(
    iam: FakeIam, grant: Grant, role: Any, now: datetime, story: Story, operation: str, what: str
) -> None:
    for call in plan(replace(grant, name="a-first"), None):
        iam(call)
    review = reviewed(iam, now)
    audit, first = review.population.entries
    review = new(with_(review.population, entries=(first, audit)))

    def stop(call: Call) -> None:
        if call.operation == operation and call.params["RoleName"] == "audit":
            raise KeyboardInterrupt

    iam.before = stop
    with pytest.raises(NotAllApplied) as stopped:
        carried(iam, review, story)
    assert whole_error(stopped) == (
        f"{what} at audit: 1 decision(s) are carried out, and the file says which",
        "run the same `review apply` again: it continues with this one",
        grant.role_arn,
        130,
    )
    assert [len(item.applied.results) for item in story.kept if item.applied] == [1]


def test_an_account_that_cannot_be_read_is_no_result(iam: FakeIam, role: Any, now: datetime, story: Story) -> None:
    review = reviewed(iam, now)
    iam.before = refuse("AccessDenied", "get_account_authorization_details")
    with pytest.raises(CallError):
        carried(iam, review, story)
    assert story.kept == []
