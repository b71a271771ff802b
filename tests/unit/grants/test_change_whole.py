"""A change of a grant: the whole of what is prepared, each refusal, and what is said wherever it stops."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.unit.grants.fake_iam import ALLOW_ALL_READS, FakeIam
from tests.unit.grants.handmade import MFA, ROOT, allow, made, trust
from tests.unit.grants.whole_errors import Late, refuse, standing_of, whole_error

from valetkey.account.calls import Call, CallError
from valetkey.errors import ValetkeyError
from valetkey.grants.adopt import adopt
from valetkey.grants.adopt_prepare import Wish, prepare_adoption
from valetkey.grants.change import Done, change
from valetkey.grants.change_plan import Cut
from valetkey.grants.change_prepare import Changed, prepare_change, steps_of
from valetkey.grants.drifted import bases, is_as_recorded, is_drifted
from valetkey.grants.edit import Edit, base_of
from valetkey.grants.grant import Grant
from valetkey.grants.make import Interrupted
from valetkey.grants.options import OwnerOptions
from valetkey.grants.plan import plan
from valetkey.grants.role import read_owner
from valetkey.grants.semantics import People
from valetkey.grants.waiting import Settle, Waiting
from valetkey.trust import Terms
from valetkey.trust.record import CHANGING, REVOKED, Changing, terms_digest
from valetkey.trust.self_denies import SessionsDeny, kill_deny
from valetkey.trust.writing import write_trust

A = "222222222222"
ARN = "arn:aws:iam::111111111111:role/audit"
CAROL, DAVE = (f"arn:aws:iam::{A}:user/{name}" for name in ("carol", "dave"))
END = datetime(2026, 12, 31, tzinfo=UTC)
AUDIT, READ, VIEW = (
    f"arn:aws:iam::aws:policy/{name}" for name in ("SecurityAudit", "ReadOnlyAccess", "job-function/ViewOnlyAccess")
)
TERMS = Terms(contractor=A, external_id="the-first", only=(CAROL,), until=END)


@pytest.fixture
def plain(iam: FakeIam) -> Grant:
    return Grant(name="audit", account=iam.account, terms=TERMS, managed=(AUDIT,))


@pytest.fixture
def role(iam: FakeIam, plain: Grant) -> dict[str, Any]:
    for call in plan(plain, None):
        iam(call)
    iam.log.clear()
    return iam.roles["audit"]


def prepared(
    iam: FakeIam, now: datetime, *, name: str = "audit", read: Callable[[str], str] = str, **given: Any
) -> Changed:
    words = {item: given.pop(item) for item in list(given) if item in Edit.__dataclass_fields__}

    def edit(when: datetime) -> Edit:
        asked = {key: value(when) if callable(value) else value for key, value in given.items()}
        return Edit(asked=OwnerOptions(name=name, **asked), given=frozenset(asked), **words)

    return prepare_change(name, edit, owner=read_owner(iam), perform=iam, read=read, now=now)


def changed(iam: FakeIam, now: datetime, waiting: Waiting, perform: Any = None, **given: Any) -> Done:
    return change(prepared(iam, now, **given), perform=perform or iam, now=lambda: now, waiting=waiting)


def refused(iam: FakeIam, now: datetime, **given: Any) -> tuple[str, str, str, int]:
    with pytest.raises(ValetkeyError) as problem:
        prepared(iam, now, **given)
    assert iam.log == []
    return whole_error(problem)


# -- prepared


def test_all_that_is_known_of_a_change_before_it_is_made(iam: FakeIam, plain: Grant, role: Any, now: datetime) -> None:
    wish = {"only": (DAVE,), "add_policies": (READ, "more.json"), "external_id": "the-second"}
    result = prepared(iam, now + timedelta(microseconds=9), read=lambda _: json.dumps(ALLOW_ALL_READS), **wish)
    terms = replace(TERMS, only=(DAVE,), external_id="the-second")
    assert result.old == plain
    assert result.wanted == replace(
        plain,
        terms=terms,
        managed=(AUDIT, READ),
        inline=(("policy-more", ALLOW_ALL_READS),),
        external_id_by="owner",
        versions=((READ, "v1"),),
    )
    assert (result.owner, result.standing.role.name, result.again) == (read_owner(iam), "audit", False)
    assert result.people == People(admits=True, refuses=True)
    assert result.kinds == {AUDIT: "allows", READ: "allows"}
    assert result.changing == Changing(now, terms_digest(TERMS), cuts=True)
    line = "ExternalId the-.. to the-.. and only user/carol to user/dave and policy none to ReadOnlyAccess and policy "
    assert result.entry == f"2026-11-23T12:00:00Z user/owner {line}none to policy-more"
    assert result.opening is not None
    assert result.proof.holds
    assert result.cuts
    assert any(isinstance(step, Cut) for step in result.steps)
    assert steps_of(result, result.standing) == result.steps
    assert steps_of(result, replace(result.standing, terms=None)) == ()


def test_a_change_that_refuses_nobody_cuts_nobody_off(iam: FakeIam, role: Any, now: datetime) -> None:
    result = prepared(iam, now, until=END + timedelta(days=1))
    assert (result.cuts, result.changing.cuts, result.opening, result.kinds) == (False, False, None, {})
    assert result.meaning.permissions is None
    assert result.entry.endswith("until 2026-12-31T00:00:00Z to 2027-01-01T00:00:00Z")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("the-first", "the-second", "ExternalId the-.. to the-.."),
        (None, "the-second", "ExternalId none to the-.."),
        ("the-first", None, "ExternalId the-.. to none"),
    ],
)
def test_an_external_id_is_masked_in_the_line(
    iam: FakeIam, plain: Grant, now: datetime, old: str | None, new: str | None, words: str
) -> None:
    by = "owner" if old else "none"
    for call in plan(replace(plain, terms=replace(TERMS, external_id=old), external_id_by=by), None):
        iam(call)
    given = {"external_id": new} if new else {"no_external_id": True}
    assert prepared(iam, now, **given).entry.partition("user/owner ")[2] == words


def test_an_earlier_external_id_is_masked_in_the_line(iam: FakeIam, role: Any, now: datetime) -> None:
    entry = prepared(iam, now, external_id="the-second", overlap=timedelta(days=1)).entry
    assert "previous ExternalId none to the-.." in entry
    assert "the-first" not in entry


def test_policies_are_read_where_they_or_the_boundary_change(iam: FakeIam, role: Any, now: datetime) -> None:
    seen: list[str] = []
    iam.before = lambda call: seen.append(call.operation)

    def reads(**given: Any) -> bool:
        seen.clear()
        result = prepared(iam, now, **given)
        assert (result.opening is not None) is ("get_policy" in seen)
        return "get_policy" in seen

    assert not reads(description="x")
    assert reads(boundary=READ)
    assert reads(add_policies=(READ,))
    # What somebody else has changed is a change too.
    role["managed"].append(READ)
    assert reads(description="x")
    role["managed"].remove(READ)
    role["PermissionsBoundary"] = {"PermissionsBoundaryArn": READ}
    assert reads(description="x")


def test_a_policy_to_be_removed_need_not_be_readable(iam: FakeIam, plain: Grant, now: datetime) -> None:
    for call in plan(replace(plain, managed=(AUDIT, READ), boundary=VIEW), None):
        iam(call)
    iam.log.clear()
    iam.before = refuse("AccessDenied", "get_policy_version", PolicyArn=READ)
    result = prepared(iam, now, remove_policies=(READ,))
    assert result.kinds == {AUDIT: "allows", VIEW: "allows", READ: "both"}
    assert result.meaning.permissions is not None
    assert result.meaning.permissions.unread == (READ,)
    with pytest.raises(CallError, match="AccessDenied"):
        prepared(iam, now, remove_policies=(AUDIT,))
    iam.before = refuse("AccessDenied", "get_policy_version", PolicyArn=VIEW)
    assert prepared(iam, now, boundary="none").kinds[VIEW] == "both"
    with pytest.raises(CallError, match="AccessDenied"):
        prepared(iam, now, remove_policies=(READ,))


def test_the_size_of_a_trust_that_stays_is_not_asked_about(iam: FakeIam, plain: Grant, now: datetime) -> None:
    """It is there already, whatever the account's quota is now."""
    many = tuple(f"arn:aws:iam::{A}:user/{'long' * 10}-{number}" for number in range(30))
    for call in plan(replace(plain, terms=replace(TERMS, only=many)), None):
        iam(call)
    iam.log.clear()
    assert prepared(iam, now, session=7200).steps
    assert refused(iam, now, until=None)[0].endswith("characters, and this account allows 2,048")


def test_a_quota_is_asked_for_where_policies_change(iam: FakeIam, plain: Grant, now: datetime) -> None:
    own = [f"arn:aws:iam::{iam.account}:policy/own-{number}" for number in range(13)]
    iam.policies |= dict.fromkeys(own, ALLOW_ALL_READS)
    for call in plan(replace(plain, managed=(*own[:12],)), None):
        iam(call)
    iam.log.clear()
    assert refused(iam, now, add_policies=(own[12],)) == (
        "13 managed policies exceed this account's quota of 12 per role",
        "name fewer, or raise the quota 'Managed policies per role' in Service Quotas",
        "",
        2,
    )
    assert prepared(iam, now, description="x").steps


@pytest.mark.parametrize(("number", "fits"), [(37, True), (38, False)])
def test_a_change_needs_room_for_its_mark_and_its_lines(
    iam: FakeIam, plain: Grant, role: Any, now: datetime, number: int, fits: bool
) -> None:
    """The record has seven tags here; five lines and the mark come to it."""
    assert len(plain.record) == 7
    tags = tuple((f"k{item}", "v") for item in range(number))
    if fits:
        assert prepared(iam, now, tags=tags).steps
    else:
        assert refused(iam, now, tags=tags) == (
            "the role would have more than AWS's 50 tags, with the record and its latest changes",
            "give fewer --tag options or policies",
            "",
            2,
        )


# -- refused


def test_what_is_no_grant_is_told(iam: FakeIam, role: Any, now: datetime) -> None:
    assert refused(iam, now, name="nobody", session=3600) == (
        "There is no role nobody in account 111111111111.",
        "See `valetkey list`.",
        "",
        2,
    )


def test_words_that_can_be_nothing_are_refused_before_a_call(iam: FakeIam, role: Any, now: datetime) -> None:
    def prepare(**words: Any) -> None:
        edit = Edit(asked=OwnerOptions(name="audit", policies=words.pop("policies", ())), given=frozenset(), **words)
        owner = read_owner(iam)
        iam.before = refuse("AccessDenied", "get_role")
        prepare_change("audit", lambda _: edit, owner=owner, perform=iam, read=str, now=now)

    for given in ({"policies": ("a b",)}, {"add_policies": ("a b",)}, {"remove_policies": ("a b",)}):
        with pytest.raises(ValetkeyError) as problem:
            prepare(**given)
        assert whole_error(problem)[0] == "'a b' is not the name of a policy"


def test_a_boundary_is_an_arn(iam: FakeIam, role: Any, now: datetime) -> None:
    assert refused(iam, now, boundary="no-arn")[3] == 2


def test_a_revocation_is_finished_first(iam: FakeIam, role: Any, now: datetime) -> None:
    role["inline"][REVOKED] = kill_deny()
    assert refused(iam, now, session=3600) == (
        "a revocation of audit is in progress",
        "finish it: `valetkey revoke audit`",
        "",
        1,
    )


def test_an_adopted_role_is_tightened_first(iam: FakeIam, now: datetime, waiting: Waiting) -> None:
    made(iam, trust(allow(ROOT, MFA)))
    owner = read_owner(iam)
    adopt(prepare_adoption(Wish(name="puppeteers"), owner=owner, perform=iam, now=now), perform=iam, waiting=waiting)
    iam.log.clear()
    assert refused(iam, now, name="puppeteers", session=7200) == (
        "puppeteers was made by other means and adopted: `valetkey change` does not edit its trust policy",
        "`valetkey adopt puppeteers --tighten` replaces it; `adopt --until` moves the end",
        "arn:aws:iam::111111111111:role/puppeteers",
        1,
    )


WAYS = "accept the role as it is with `valetkey adopt audit`, or end it with `valetkey revoke`; nothing was changed"
SEE = "see who is admitted with `valetkey show audit`; "


def test_a_trust_that_valetkey_does_not_write_is_not_changed(iam: FakeIam, role: Any, now: datetime) -> None:
    role["AssumeRolePolicyDocument"] = trust(allow({"AWS": "*"}))
    role["managed"].append(READ)
    why = "the trust policy was replaced by one that valetkey does not write"
    assert refused(iam, now, session=7200) == (
        f"audit differs from its record ({why}), so the effect of a change cannot be determined",
        f"{SEE}end it with `valetkey revoke`; nothing was changed",  # adopt takes one account, not everybody
        ARN,
        1,
    )


@pytest.mark.parametrize(
    ("given", "lacking"),
    [
        ({}, "--external-id, --mfa, --mfa-max-age, --only, --from-ip"),
        ({"no_external_id": True}, "--mfa, --mfa-max-age, --only, --from-ip"),
        ({"external_id": "x-1", "mfa": True}, "--mfa-max-age, --only, --from-ip"),
        ({"external_id": "x-1", "mfa": False, "pin": (CAROL,)}, "--from-ip"),
        ({"external_id": "x-1", "mfa": False, "only": (CAROL,)}, "--from-ip"),
    ],
)
def test_what_would_have_to_be_said_anew_is_named(
    iam: FakeIam, plain: Grant, role: Any, now: datetime, given: dict[str, Any], lacking: str
) -> None:
    """What the trust policy says nobody agreed to; what is given is not asked for again."""
    role["AssumeRolePolicyDocument"] = write_trust(replace(TERMS, only=(DAVE,), external_id="of-mallory"))
    rest = {
        "name_people": False,
        "source_identity": False,
        "session_tags": False,
        "whole_account": False,
        "until": END,
    }
    why = "the trust policy was changed: it has other conditions or principals than were agreed"
    assert refused(iam, now, **rest, **given) == (
        f"audit differs from its record ({why}), so the effect of a change cannot be determined",
        f"{SEE}`valetkey change audit` with every term that you want (not given: {lacking}), {WAYS}",
        ARN,
        1,
    )


def test_another_contractor_is_never_taken_over(iam: FakeIam, role: Any, now: datetime) -> None:
    role["AssumeRolePolicyDocument"] = write_trust(replace(TERMS, contractor="333333333333", only=()))
    what, do, where, code = refused(iam, now, session=7200)
    assert what.startswith("audit differs from its record (the contractor changed: 222222222222 is recorded")
    assert (do, where, code) == (f"{SEE}{WAYS}", ARN, 1)


def test_what_a_changed_trust_may_lead_back_from(iam: FakeIam, plain: Grant, role: Any) -> None:
    previous = {"previous_external_id": "of-mallory", "previous_until": END - timedelta(days=1)}
    role["AssumeRolePolicyDocument"] = write_trust(replace(TERMS, until=None, **previous))
    standing = standing_of(iam)
    assert is_drifted(standing)
    assert standing.terms is not None
    base = base_of(standing, standing.terms)
    dated, alone = bases(base, standing.record)
    assert dated.grant.terms == replace(TERMS, **previous)
    assert alone.grant.terms == TERMS
    assert not is_as_recorded(dated.grant, standing.record)
    assert is_as_recorded(alone.grant, standing.record)
    assert not is_drifted(replace(standing, terms=None))
    role["AssumeRolePolicyDocument"] = write_trust(TERMS)
    role["managed"].append(READ)
    assert not is_drifted(standing_of(iam))


# -- said again


@pytest.mark.parametrize(
    ("passed", "counts"),
    [
        (timedelta(0), True),
        (timedelta(hours=1), True),
        (timedelta(hours=1, seconds=1), False),
        (timedelta(seconds=-1), False),
    ],
)
def test_the_same_command_within_an_hour_is_the_same_change(
    iam: FakeIam, role: Any, now: datetime, waiting: Waiting, passed: timedelta, counts: bool
) -> None:
    """A length counts from the first run, and a policy that it has removed is not missed."""

    def in_days(when: datetime) -> datetime:
        return when + timedelta(days=90)

    wish: dict[str, Any] = {"until": in_days, "add_policies": (READ,), "remove_policies": ("SecurityAudit",)}
    changed(iam, now, waiting, **wish)
    iam.log.clear()
    if counts:
        assert prepared(iam, now + passed, **wish).steps == ()
    elif passed > timedelta(0):
        assert refused(iam, now + passed, **wish)[0] == "the grant has no policy SecurityAudit"
    else:
        # A time to come is of a clock that was wrong, or of a tag that somebody wrote.
        assert refused(iam, now + passed, **wish)[0] == "the grant has no policy SecurityAudit"


def test_a_line_that_nobody_can_read_is_no_change(iam: FakeIam, role: Any, now: datetime) -> None:
    role["Tags"].append({"Key": "valetkey:change:1", "Value": "nonsense user/x policy SecurityAudit to none"})
    assert refused(iam, now, remove_policies=("Gone",))[0] == "the grant has no policy Gone"


# -- made


def test_a_change_is_told_call_by_call(iam: FakeIam, role: Any, now: datetime, waiting: Waiting) -> None:
    said: list[Call] = []
    waits: list[float] = []
    ready = prepared(iam, now, only=(DAVE,), add_policies=(READ,))
    done = change(
        ready, perform=iam, now=lambda: now, waiting=waiting, settle=4.0, tell=said.append, tell_wait=waits.append
    )
    assert tuple(said) == done.calls
    assert (
        [call.operation for call in said]
        == iam.log
        == [
            "tag_role",
            "update_assume_role_policy",
            "put_role_policy",
            "attach_role_policy",
            "untag_role",
        ]
    )
    assert (waits, done.waited) == ([4.0, 4.0], 8.0)
    assert done.change is ready
    assert done.cut == now + timedelta(seconds=2)
    assert role["inline"]["valetkey-sessions"] == SessionsDeny.of_before(now).document
    assert CHANGING not in done.role.tags
    assert done.role == standing_of(iam).role
    assert done.proof.holds
    # As it is wanted already: nothing is done, and nothing waited for.
    again = changed(iam, now, waiting, only=(DAVE,), add_policies=(READ,))
    assert (again.calls, again.waited, again.cut) == ((), 0.0, None)


@pytest.mark.parametrize("until", [None, END])
def test_a_suspension_that_goes_on_needs_no_other_deny(
    iam: FakeIam, role: Any, now: datetime, waiting: Waiting, until: datetime | None
) -> None:
    deny = SessionsDeny(since=now, until=until)
    role["inline"]["valetkey-sessions"] = deny.document
    done = changed(iam, now, waiting, only=(DAVE,))
    assert role["inline"]["valetkey-sessions"] == deny.document
    assert done.cut is None
    assert "put_role_policy" not in iam.log


def test_a_trust_in_the_middle_is_read_back_before_a_permission(
    iam: FakeIam, role: Any, now: datetime, waiting: Waiting
) -> None:
    ready = prepared(iam, now, only=(DAVE,), add_policies=(READ,))
    with pytest.raises(Interrupted) as stopped:
        change(ready, perform=Late(iam, 10**6), now=lambda: now, waiting=waiting)
    assert whole_error(stopped) == (
        "AWS does not show the new trust policy of audit (done so far: iam:TagRole, iam:UpdateAssumeRolePolicy)",
        f"{FINISH}; {OLD_OR_NEW}",
        ARN,
        3,
    )
    assert role["managed"] == [AUDIT]
    # Shown late, it is waited for.
    assert changed(iam, now, waiting, Late(iam, 0), only=(DAVE,), add_policies=(READ,)).calls


def test_a_trust_at_the_end_is_waited_for(iam: FakeIam, role: Any, now: datetime, waiting: Waiting) -> None:
    late = Late(iam, 3)
    done = changed(iam, now, waiting, late, until=END + timedelta(days=1))
    assert (late.looks, done.role.trust) == (0, role["AssumeRolePolicyDocument"])


FINISH = "run the same command again to finish"
OLD_OR_NEW = "until then everything that is allowed is allowed by the old terms or by the new ones"


@pytest.mark.parametrize(
    ("operation", "code", "so_far", "holds"),
    [
        ("tag_role", "AccessDenied", "", "nothing was changed"),
        ("tag_role", "TimedOut", "", OLD_OR_NEW),
        ("put_role_policy", "AccessDenied", " (done so far: iam:TagRole)", OLD_OR_NEW),
    ],
)
def test_a_failure_says_what_holds(
    iam: FakeIam, role: Any, now: datetime, waiting: Waiting, operation: str, code: str, so_far: str, holds: str
) -> None:
    ready = prepared(iam, now, until=END + timedelta(days=1))
    iam.before = refuse(code, operation)
    with pytest.raises(Interrupted) as stopped:
        change(ready, perform=iam, now=lambda: now, waiting=waiting)
    action = Call("iam", operation).action
    assert whole_error(stopped) == (f"{action} failed: {code}: no{so_far}", f"{FINISH}; {holds}", ARN, 3)


def test_ctrl_c_says_what_holds(iam: FakeIam, role: Any, now: datetime, waiting: Waiting) -> None:
    ready = prepared(iam, now, until=END + timedelta(days=1))

    def cut(call: Call) -> None:
        raise KeyboardInterrupt

    iam.before = cut
    with pytest.raises(Interrupted) as stopped:
        change(ready, perform=iam, now=lambda: now, waiting=waiting)
    what = "interrupted during iam:TagRole; AWS may or may not have performed it"
    assert whole_error(stopped) == (what, f"{FINISH}; {OLD_OR_NEW}", ARN, 130)


@pytest.mark.parametrize("spoil", ["gone", "policy", "terms"])
def test_a_role_that_is_not_as_wanted_in_the_end_is_told(
    iam: FakeIam, role: Any, now: datetime, waiting: Waiting, spoil: str
) -> None:
    ready = prepared(iam, now, until=END + timedelta(days=1))

    def undo(call: Call) -> None:
        if call.operation == "update_assume_role_policy":
            if spoil == "gone":
                iam.roles.clear()
            elif spoil == "policy":
                role["managed"].append(READ)
            else:
                role["AssumeRolePolicyDocument"] = write_trust(TERMS)

    iam.after = undo
    with pytest.raises(Interrupted) as stopped:
        change(ready, perform=iam, now=lambda: now, waiting=replace(waiting, limit=7.6))
    done = "iam:TagRole, iam:PutRolePolicy, iam:UpdateAssumeRolePolicy"
    assert whole_error(stopped) == (
        f"audit does not have the requested state 8 s after the change (done so far: {done})",
        f"{FINISH}; {OLD_OR_NEW}",
        ARN,
        3,
    )


def test_a_removal_that_got_through_unheard_is_done(
    iam: FakeIam, plain: Grant, now: datetime, waiting: Waiting
) -> None:
    more = replace(plain, managed=(AUDIT, READ), inline=(("policy-a", ALLOW_ALL_READS),))
    for call in plan(more, None):
        iam(call)
    ready = prepared(iam, now, remove_policies=("ReadOnlyAccess", "./a.json"))
    iam.after = refuse("NoSuchEntity", "detach_role_policy", "delete_role_policy")
    assert len(change(ready, perform=iam, now=lambda: now, waiting=waiting).calls) == 4
    ready = prepared(iam, now, add_policies=(READ,))
    iam.after = refuse("EntityAlreadyExists", "attach_role_policy")
    with pytest.raises(Interrupted, match="EntityAlreadyExists"):
        change(ready, perform=iam, now=lambda: now, waiting=waiting)


def test_a_role_is_looked_at_again_where_asked(iam: FakeIam, role: Any, now: datetime, waiting: Waiting) -> None:
    ready = prepared(iam, now, until=END + timedelta(days=1))
    role["Description"] = "other"
    with pytest.raises(ValetkeyError) as problem:
        change(ready, perform=iam, now=lambda: now, waiting=waiting, look_again=True)
    assert whole_error(problem) == (
        "audit was changed by somebody else since it was read",
        "run the command again and review what it changes then; nothing was changed",
        ARN,
        1,
    )
    assert iam.log == []
    nothing = prepared(iam, now, description="other")
    role["Description"] = "another"
    nothing = replace(nothing, steps=())
    with pytest.raises(Interrupted):
        change(nothing, perform=iam, now=lambda: now, waiting=waiting, look_again=True)


def test_what_was_written_before_takes_effect_before_the_next_wait_ends(
    iam: FakeIam, role: Any, now: datetime, waiting: Waiting
) -> None:
    """The wait counts from the last write."""
    ready = prepared(iam, now, only=(DAVE,), add_policies=(READ,))
    assert [step for step in ready.steps if isinstance(step, Settle)]
    iam.before = lambda call: waiting.sleep(3.0)
    waits: list[float] = []
    change(ready, perform=iam, now=lambda: now, waiting=waiting, settle=10.0, tell_wait=waits.append)
    assert all(wait == pytest.approx(10.0) or wait < 10.0 for wait in waits)
    assert max(waits) <= 10.0
