"""The list of grants: its order, what it marks, and what `list --check` finds."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.unit.grants.fake_iam import ALLOW_ALL_READS, FakeIam
from tests.unit.grants.handmade import allow_all

from valetkey.grants.grant import Grant
from valetkey.grants.growth import read_versions
from valetkey.grants.listing import GrantUse, Listed, Trail, by_end, is_administrator, listed
from valetkey.grants.plan import plan
from valetkey.grants.role import LiveRole, read_owner, read_role
from valetkey.grants.status import Standing, read_standing

MONTH = timedelta(days=30)
NOW = datetime(2026, 11, 29, tzinfo=UTC)


def standing(iam: FakeIam, wanted: Grant, *, used: bool = True) -> Standing:
    for call in plan(wanted, None):
        iam(call)
    return read_standing(role_of(iam, wanted.name, used=used))


def role_of(iam: FakeIam, name: str, *, used: bool = True) -> LiveRole:
    role = read_role(iam, name)
    assert role is not None
    return replace(role, last_used=NOW - timedelta(days=1) if used else None)


def one(iam: FakeIam, result: Standing, *, now: datetime = NOW) -> Listed:
    return listed(read_owner(iam), [result], (), now=now, within=MONTH).listed[0]


def test_the_next_end_comes_first_and_the_endless_last(iam: FakeIam, grant: Grant) -> None:
    ends = {"b": NOW + 3 * MONTH, "a": None, "d": NOW + 2 * MONTH, "c": None}
    standings = [
        standing(iam, replace(grant, name=name, terms=replace(grant.terms, until=end))) for name, end in ends.items()
    ]
    rows = by_end([listed(read_owner(iam), standings, (), now=NOW, within=MONTH)])
    assert [row.standing.role.name for row in rows] == ["d", "b", "a", "c"]
    assert [row.marks for row in rows] == [(), (), ("endless",), ("endless",)]


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (timedelta(days=31), ()),
        (MONTH, ("ends in 30 days",)),
        (timedelta(days=3, seconds=-9), ("ends in 3 days",)),
        (timedelta(hours=3), ("ends within two days",)),
    ],
)
def test_an_end_that_is_near_is_found(iam: FakeIam, grant: Grant, left: timedelta, words: tuple[str, ...]) -> None:
    assert one(iam, standing(iam, replace(grant, terms=replace(grant.terms, until=NOW + left)))).problems == words


def test_what_has_ended_is_endless_or_was_never_used_is_found(iam: FakeIam, grant: Grant) -> None:
    result = standing(iam, grant, used=False)
    assert one(iam, result, now=datetime(2027, 1, 1, tzinfo=UTC)).problems == (
        "has ended, and the role still exists",
        "was never used",
    )
    assert one(iam, result, now=result.role.created + timedelta(days=7)).problems == ()
    endless = standing(iam, replace(grant, name="x", terms=replace(grant.terms, until=None)))
    assert one(iam, endless).problems == ("has no end",)


def test_drift_a_deleted_principal_and_a_revocation_that_stopped_are_found(iam: FakeIam, grant: Grant) -> None:
    far = replace(grant.terms, until=NOW + 9 * MONTH)
    standing(iam, replace(grant, terms=far))
    iam.roles["audit"]["managed"].append("arn:aws:iam::aws:policy/ReadOnlyAccess")
    assert one(iam, read_standing(role_of(iam, "audit"))).problems == ("differs from its record (changed)",)
    iam.roles["audit"]["inline"]["valetkey-revoked"] = {}
    assert one(iam, read_standing(role_of(iam, "audit"))).problems == ("a revocation is not finished",)
    pinned = replace(far, mfa_max_age=None, pin=("arn:aws:iam::222222222222:user/carol",))
    standing(iam, replace(grant, name="pinned", terms=pinned))
    statement = iam.roles["pinned"]["AssumeRolePolicyDocument"]["Statement"][0]
    statement["Principal"]["AWS"] = "AIDAEXAMPLEEXAMPLE12"
    (problem,) = one(iam, read_standing(role_of(iam, "pinned"))).problems
    assert problem == "a principal was deleted: AIDAEXAMPLEEXAMPLE12"


def test_a_deleted_principal_is_found_in_a_trust_that_no_terms_can_be_read_from(iam: FakeIam, grant: Grant) -> None:
    standing(iam, replace(grant, terms=replace(grant.terms, until=NOW + 9 * MONTH)))
    statement = iam.roles["audit"]["AssumeRolePolicyDocument"]["Statement"][0]
    statement["Principal"] = {"AWS": ["AIDAEXAMPLEEXAMPLE12", "222222222222", "AIDAEXAMPLEEXAMPLE12"]}
    result = read_standing(role_of(iam, "audit"))
    assert result.terms is None
    assert one(iam, result).problems == ("a principal was deleted: AIDAEXAMPLEEXAMPLE12",)


def test_long_disuse_is_found_once(iam: FakeIam, grant: Grant) -> None:
    far = replace(grant, terms=replace(grant.terms, until=NOW + 99 * MONTH))

    def problems(result: Standing, days: int, unused: int) -> tuple[str, ...]:
        now = result.role.created + timedelta(days=days)
        owner, days_unused = read_owner(iam), timedelta(days=unused)
        return listed(owner, [result], (), now=now, within=MONTH, unused=days_unused).listed[0].problems

    never = standing(iam, far, used=False)
    assert problems(never, 7, 90) == ()
    assert problems(never, 90, 90) == ("was never used",)
    assert problems(never, 91, 90) == (
        f"not used since it was created {never.role.created:%Y-%m-%d}: longer than 90 days ago",
    )
    assert problems(never, 5, 4) == (
        f"not used since it was created {never.role.created:%Y-%m-%d}: longer than 4 days ago",
    )
    used = replace(never, role=replace(never.role, last_used=never.role.created + timedelta(days=10)))
    assert problems(used, 100, 90) == ()
    assert problems(used, 101, 90) == (f"last used {used.role.last_used:%Y-%m-%d}: longer than 90 days ago",)


GROWN = "SecurityAudit: granted as v9, now v10; what that adds is unknown: v9: iam:GetPolicyVersion: NoSuchEntity"
NO_RECORD = "SecurityAudit: which version was granted is not recorded"


@pytest.mark.parametrize(
    ("recorded", "adopted", "agreed", "problems"),
    [
        ("v10", False, True, ()),
        ("v9", False, True, (GROWN,)),
        ("v9", True, True, (GROWN,)),
        (None, False, True, (NO_RECORD,)),
        (None, True, True, ()),
        (None, False, False, ("differs from its record (changed)",)),
    ],
)
def test_a_policy_that_aws_has_changed_is_found(
    iam: FakeIam, grant: Grant, recorded: str | None, adopted: bool, agreed: bool, problems: tuple[str, ...]
) -> None:
    """What is not recorded is a problem of its own only where it was agreed, and by valetkey."""
    audit = "arn:aws:iam::aws:policy/SecurityAudit"
    iam.versions = {audit: {"v10": ALLOW_ALL_READS}}
    far = replace(grant.terms, until=NOW + 9 * MONTH)
    managed = (audit,) if agreed else ()
    versions = ((audit, recorded),) if recorded else ()
    result = standing(iam, replace(grant, terms=far, managed=managed, versions=versions))
    if not agreed:
        iam.roles["audit"]["managed"].append(audit)
        result = read_standing(role_of(iam, "audit"))
    if adopted:
        result = replace(result, record=replace(result.record, trust="0" * 64))
    owner, read = read_owner(iam), read_versions([result], iam)
    assert listed(owner, [result], (), now=NOW, within=MONTH, versions=read).listed[0].problems == problems
    assert one(iam, result).problems == (() if agreed else problems), "not asked without --check"


def test_damaged_records_are_found(iam: FakeIam) -> None:
    assert listed(read_owner(iam), [], (), now=NOW, within=MONTH).is_right
    assert not listed(read_owner(iam), [], ("audit",), now=NOW, within=MONTH).is_right


@pytest.mark.parametrize(
    ("managed", "inline", "is_one"),
    [
        ("arn:aws:iam::aws:policy/AdministratorAccess", {}, True),
        ("arn:aws-cn:iam::aws:policy/IAMFullAccess", {}, True),
        ("arn:aws:iam::111111111111:policy/AdministratorAccess", {}, False),
        ("arn:aws:iam::aws:policy/SecurityAudit", {"all": {"Statement": allow_all("*")}}, True),
        ("arn:aws:iam::aws:policy/SecurityAudit", {"all": {"Statement": [allow_all("IAM:*")]}}, True),
        ("arn:aws:iam::aws:policy/SecurityAudit", {"all": ALLOW_ALL_READS, "text": {"text": "x"}}, False),
    ],
)
def test_administrators_are_marked(iam: FakeIam, grant: Grant, managed: str, inline: Any, is_one: bool) -> None:
    result = standing(iam, grant)
    role = replace(result.role, managed=(managed,), inline=inline)
    assert is_administrator(role) is is_one
    assert ("administrator" in one(iam, replace(result, role=role)).marks) is is_one


# -- bounds ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (timedelta(seconds=-1), ("has ended, and the role still exists",)),
        (timedelta(0), ("has ended, and the role still exists",)),
        (timedelta(seconds=1), ("ends within two days",)),
        (timedelta(days=2, seconds=-1), ("ends within two days",)),
        (timedelta(days=2), ("ends in 2 days",)),
        (timedelta(days=2, hours=13), ("ends in 3 days",)),
        (MONTH, ("ends in 30 days",)),
        (MONTH + timedelta(seconds=1), ()),
    ],
)
def test_an_end_in_days_from_two_on(iam: FakeIam, grant: Grant, left: timedelta, words: tuple[str, ...]) -> None:
    assert one(iam, standing(iam, replace(grant, terms=replace(grant.terms, until=NOW + left)))).problems == words


@pytest.mark.parametrize(("days", "words"), [(6.9, ()), (7, ()), (7.1, ("was never used",))])
def test_a_new_grant_may_be_unused_for_a_week(iam: FakeIam, grant: Grant, days: float, words: tuple[str, ...]) -> None:
    result = standing(iam, replace(grant, terms=replace(grant.terms, until=NOW + 99 * MONTH)), used=False)
    assert one(iam, result, now=result.role.created + timedelta(days=days)).problems == words


def test_a_change_that_was_interrupted_is_found(iam: FakeIam, grant: Grant) -> None:
    far = replace(grant, terms=replace(grant.terms, until=NOW + 9 * MONTH))
    standing(iam, far)
    iam.roles["audit"]["Tags"].append({"Key": "valetkey:changing", "Value": "2026-11-23T12:00:00Z sha256:0"})
    assert one(iam, read_standing(role_of(iam, "audit"))).problems == ("a change is not finished",)
    iam.roles["audit"]["Tags"].pop()
    iam.roles["audit"]["managed"].pop()
    assert one(iam, read_standing(role_of(iam, "audit"))).problems == ("differs from its record (incomplete)",)


def test_marks_are_in_order(iam: FakeIam, grant: Grant) -> None:
    result = standing(iam, replace(grant, terms=replace(grant.terms, until=None)))
    adopted = replace(result, record=replace(result.record, trust="x"))
    admin = replace(adopted, role=replace(adopted.role, managed=("arn:aws:iam::aws:policy/job/AdministratorAccess",)))
    assert [one(iam, item).marks for item in (result, adopted, admin)] == [
        ("endless",), ("endless", "adopted"), ("administrator", "endless", "adopted"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("statement", "is_one"),
    [
        ({"Effect": "Allow", "Action": ["s3:*", "*:*"], "Resource": ["arn:aws:s3:::a", "*"]}, True),
        ({"Effect": "Allow", "Action": "iam:*", "Resource": "arn:aws:iam::111111111111:role/x"}, False),
        ({"Effect": "Allow", "Action": "s3:*", "Resource": "*"}, False),
        ({"Effect": "Deny", "Action": "*", "Resource": "*"}, False),
        ({"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}, False),
        ({"Effect": "Allow", "Action": "*"}, False),
        ("nonsense", False),
        (None, False),
    ],
)
def test_which_statement_makes_an_administrator(iam: FakeIam, grant: Grant, statement: Any, is_one: bool) -> None:
    role = replace(standing(iam, grant).role, managed=())
    narrow = allow_all("s3:List*")
    for document in ({"Statement": statement}, {"Statement": [narrow, statement]}):
        assert is_administrator(replace(role, inline={"a": {"Statement": [narrow]}, "b": document})) is is_one


TRAIL_END = NOW - timedelta(hours=1)


def test_what_a_trail_shows_is_added(iam: FakeIam, grant: Grant) -> None:
    far = replace(grant, terms=replace(grant.terms, until=NOW + 9 * MONTH))
    result, other = standing(iam, far, used=False), standing(iam, replace(far, name="other"), used=False)
    trail = Trail({result.role.arn: GrantUse(TRAIL_END, 2, ("a call after the end",))})
    rows = listed(read_owner(iam), [result, other], (), now=NOW, within=MONTH, trail=trail)
    assert rows.trail is trail
    first, second = rows.listed
    assert (first.problems, first.denied) == (("a call after the end",), 2)
    assert first.standing.role.last_used == TRAIL_END
    assert (second.problems, second.denied) == (("was never used",), None)
    assert not rows.is_right


@pytest.mark.parametrize(
    ("role", "trail", "last"),
    [
        (None, None, None),
        (NOW, None, NOW),
        (None, NOW, NOW),
        (NOW, TRAIL_END, NOW),
        (TRAIL_END, NOW, NOW),
    ],
)
def test_the_later_of_both_last_uses_counts(
    iam: FakeIam, grant: Grant, role: datetime | None, trail: datetime | None, last: datetime | None
) -> None:
    result = standing(iam, grant)
    result = replace(result, role=replace(result.role, last_used=role))
    rows = listed(
        read_owner(iam), [result], (), now=NOW, within=MONTH, trail=Trail({result.role.arn: GrantUse(trail, 0, ())})
    )
    assert rows.listed[0].standing.role.last_used == last


def test_a_list_is_right_where_nothing_is_found_and_all_was_read(iam: FakeIam, grant: Grant) -> None:
    owner, far = read_owner(iam), replace(grant, terms=replace(grant.terms, until=NOW + 9 * MONTH))
    right = standing(iam, far)
    wrong = standing(iam, replace(grant, name="other", terms=replace(grant.terms, until=NOW)))

    def is_right(*found: Standing, damaged: tuple[str, ...] = (), trail: Trail | None = None) -> bool:
        return listed(owner, found, damaged, now=NOW, within=MONTH, trail=trail).is_right

    assert is_right(right)
    assert is_right(right, trail=Trail(unseen=("data events",)))
    assert not is_right(right, trail=Trail(not_read=("a file",)))
    assert not is_right(right, wrong)
    assert not is_right(right, damaged=("x",))


def test_the_same_end_is_ordered_by_account_and_name(iam: FakeIam, grant: Grant) -> None:
    other = FakeIam("000000000000")
    far = replace(grant, terms=replace(grant.terms, until=NOW + MONTH))
    early = replace(grant, name="z", terms=replace(grant.terms, until=datetime(1969, 1, 1, tzinfo=UTC)))
    accounts = [
        listed(read_owner(where), [standing(where, item) for item in grants], (), now=NOW, within=MONTH)
        for where, grants in (
            (
                iam,
                [
                    replace(far, name="b"),
                    replace(far, name="A"),
                    early,
                    replace(far, name="e", terms=replace(far.terms, until=None)),
                ],
            ),
            (other, [replace(far, name="c", account="000000000000")]),
        )
    ]
    names = [f"{item.standing.role.account[0]} {item.standing.role.name}" for item in by_end(accounts)]
    assert names == ["1 z", "0 c", "1 A", "1 b", "1 e"]


@pytest.mark.parametrize(
    ("principal", "gone"),
    [
        ({"AWS": "AIDAEXAMPLEEXAMPLE12"}, ("AIDAEXAMPLEEXAMPLE12",)),
        ({"AWS": ["AROAEXAMPLEEXAMPLE12", 7, "222222222222"]}, ("AROAEXAMPLEEXAMPLE12",)),
        ({"AWS": "*"}, ()),
        ({"Service": "AIDAEXAMPLEEXAMPLE12"}, ()),
        ("AIDAEXAMPLEEXAMPLE12", ()),
    ],
)
def test_deleted_principals_are_told_by_their_unique_ids(
    iam: FakeIam, grant: Grant, principal: Any, gone: tuple[str, ...]
) -> None:
    far = replace(grant, terms=replace(grant.terms, until=NOW + 9 * MONTH))
    result = standing(iam, far)
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    said = tuple(f"a principal was deleted: {item}" for item in gone)
    for statements in (statement, ["nonsense", statement], [{"Effect": "Allow"}, statement]):
        trust = {"Statement": statements}
        assert one(iam, replace(result, role=replace(result.role, trust=trust))).problems == said
