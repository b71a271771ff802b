"""For all grants: created, interrupted anywhere, finished, distinguished from any other, revoked in any state."""

from __future__ import annotations

import string
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.grants.fake_iam import ALLOW_ALL_READS, FakeIam

from valetkey.account.calls import Call
from valetkey.catalog import limits
from valetkey.grants.fitting import misfits
from valetkey.grants.grant import PREFIX, REVOKED, Grant, read_record, terms_digest
from valetkey.grants.plan import Differs, adopted, plan
from valetkey.grants.revoke import plan_revoke
from valetkey.grants.role import LiveRole, read_role
from valetkey.grants.status import read_standing
from valetkey.grants.waiting import Settle
from valetkey.trust import Terms
from valetkey.trust.writing import closed_trust

OWNER, CONTRACTOR = "111111111111", "222222222222"
NAME = st.text(string.ascii_letters + string.digits + "_+=,.@-", min_size=1, max_size=12)
PATH = st.sampled_from(["/", "/partners/", "/a/b/", "/odd+=,.@-_!#%&()/"])
MANAGED = [f"arn:aws:iam::aws:policy/{name}" for name in ("SecurityAudit", "ReadOnlyAccess")] + [
    f"arn:aws:iam::{OWNER}:policy/with,comma",
    f"arn:aws:iam::{OWNER}:policy/{'long/' * 60}name",
]
PEOPLE = [f"arn:aws:iam::{CONTRACTOR}:user/{name}" for name in ("carol", "dave", "team/erin")]


@st.composite
def grants(draw: st.DrawFn) -> Grant:
    named = tuple(draw(st.lists(st.sampled_from(PEOPLE), max_size=2, unique=True)))
    mfa = draw(st.booleans()) or not named
    pinned = draw(st.booleans())
    external_id = draw(st.none() | st.text(string.ascii_letters + "_+=,.@:/-", min_size=2, max_size=40))
    terms = Terms(
        contractor=CONTRACTOR,
        external_id=external_id,
        mfa=mfa,
        mfa_max_age=draw(st.none() | st.integers(1, 129600)) if mfa else None,
        only=() if pinned else named,
        pin=named if pinned else (),
        name_people=draw(st.booleans()),
        source_identity=draw(st.booleans()),
        session_tags=draw(st.booleans()),
        until=draw(st.none() | st.datetimes(datetime(2026, 12, 1), datetime(2036, 1, 1), timezones=st.just(UTC))),
    )
    if terms.until is not None:
        terms = replace(terms, until=terms.until.replace(microsecond=0))
    managed = tuple(draw(st.lists(st.sampled_from(MANAGED), min_size=1, unique=True)))
    tags = draw(
        st.dictionaries(st.sampled_from(["ticket", "team", "Cost Centre"]), NAME.map(lambda t: t.replace(",", "")))
    )
    return Grant(
        name="audit",
        account=OWNER,
        terms=terms,
        managed=managed,
        inline=draw(st.sampled_from([(), (("policy-x", ALLOW_ALL_READS),)])),
        max_session=draw(st.sampled_from([3600, 43200])),
        boundary=draw(st.sampled_from([None, MANAGED[1], MANAGED[2]])),
        tags=tuple(tags.items()),
        description=draw(st.sampled_from(["", "for the audit"])),
        path=draw(PATH),
        external_id_by=draw(st.sampled_from(["owner", "contractor", "valetkey"])) if external_id else "none",
        request=draw(st.none() | st.just("arrow-forest-endless-ceiling-link-girl")),
    )


def left_by(grant: Grant, calls: int | None = None) -> tuple[FakeIam, LiveRole]:
    iam = FakeIam(OWNER)
    for call in plan(grant, None)[:calls]:
        iam(call)
    role = read_role(iam, "audit")
    assert role is not None
    return iam, role


@settings(max_examples=50)
@given(grants(), st.integers(1, 20))
def test_whatever_an_interruption_leaves_is_no_wider_and_is_finished(grant: Grant, done: int) -> None:
    iam, role = left_by(grant, done)
    allowing = [*role.managed, *(name for name in role.inline if name.startswith("policy-"))]
    if allowing:
        assert set(grant.denies) <= set(role.inline)
    again = grant
    if grant.external_id_by == "valetkey":
        again = adopted(replace(grant, terms=replace(grant.terms, external_id="another"), request=None), role)
    assert again == grant
    for call in plan(again, role):
        iam(call)
    assert plan(again, read_role(iam, "audit")) == ()


@settings(max_examples=50)
@given(grants())
def test_the_record_fits_on_the_role_and_says_what_was_agreed(grant: Grant) -> None:
    _, role = left_by(grant)
    assert len(role.tags) <= limits.TAGS_MAX
    for key, value in role.tags.items():
        limits.check("tag key", key)
        limits.check("tag value", value)
    record = read_record(role)
    assert (record.contractor, record.until) == (CONTRACTOR, grant.terms.until)
    assert record.terms == terms_digest(grant.terms)
    standing = read_standing(role)
    assert standing.terms == grant.terms
    assert standing.drift == ()


@settings(max_examples=50)
@given(grants(), grants())
def test_a_grant_is_told_from_every_other(one: Grant, other: Grant) -> None:
    _, role = left_by(one)
    # Others may add tags too, so only the wanted tags must be present.
    if (
        replace(other, tags=(), managed=tuple(sorted(other.managed)))
        == replace(one, tags=(), managed=tuple(sorted(one.managed)))
        and dict(other.tags).items() <= dict(one.tags).items()
    ):
        assert plan(other, role) == ()
    else:
        with pytest.raises(Differs):
            plan(other, role)


def _calls(steps: tuple[Call | Settle, ...]) -> list[Call]:
    return [step for step in steps if isinstance(step, Call)]


@settings(max_examples=50)
@given(grants(), st.integers(1, 20), st.integers(0, 20), st.booleans())
def test_from_every_state_a_revocation_denies_first_and_ends_with_nothing(
    grant: Grant, made: int, undone: int, is_closable: bool
) -> None:
    iam, role = left_by(grant, made)
    closed = closed_trust() if is_closable else None
    for call in _calls(plan_revoke(role, closed=closed))[:undone]:
        iam(call)
    left = read_role(iam, "audit")
    if left is None:
        return
    assert misfits(read_standing(left)) == ()
    if undone and (left.managed or set(left.inline) - {REVOKED}):
        assert REVOKED in left.inline
    for call in _calls(plan_revoke(left, closed=closed)):
        iam(call)
        now = read_role(iam, "audit")
        assert now is None or not now.managed or REVOKED in now.inline
    assert iam.roles == {}


@settings(max_examples=50)
@given(grants())
def test_no_tag_of_the_owners_can_be_the_record(grant: Grant) -> None:
    assert all(key.startswith(PREFIX) for key in grant.record)
    assert len(set(grant.record)) == len(grant.record)
