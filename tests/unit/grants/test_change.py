"""Changes of a grant on an account in memory: what is called, what it means, what is refused, and a crash."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.unit.grants.fake_iam import FakeIam

from valetkey.account.calls import Call, CallError
from valetkey.errors import ValetkeyError
from valetkey.grants import history
from valetkey.grants.change import Done, change, prepare_change
from valetkey.grants.edit import Edit
from valetkey.grants.fitting import misfits
from valetkey.grants.grant import Grant, instant
from valetkey.grants.make import Interrupted
from valetkey.grants.options import OwnerOptions
from valetkey.grants.plan import Differs, plan
from valetkey.grants.revoke import revoke
from valetkey.grants.role import LiveRole, read_owner, read_role
from valetkey.grants.status import hand_over, read_standing
from valetkey.grants.suspend import resume, suspend, suspensions
from valetkey.grants.waiting import Waiting
from valetkey.report import changing as report
from valetkey.report.changing import change_lines
from valetkey.trust import Terms
from valetkey.trust.drift_words import changes, is_restorable
from valetkey.trust.writing import write_trust

A = "222222222222"
CAROL, DAVE, XENIA = (f"arn:aws:iam::{A}:user/{name}" for name in ("carol", "dave", "xenia"))
END = datetime(2026, 12, 31, tzinfo=UTC)
READ = "arn:aws:iam::aws:policy/ReadOnlyAccess"
AUDIT = "arn:aws:iam::aws:policy/SecurityAudit"


@pytest.fixture
def plain(iam: FakeIam) -> Grant:
    return Grant(
        name="audit",
        account=iam.account,
        terms=Terms(contractor=A, external_id="the-first", mfa=False, only=(CAROL, XENIA), until=END),
        managed=(AUDIT,),
    )


@pytest.fixture
def changed(iam: FakeIam, plain: Grant, waiting: Waiting, now: datetime) -> Callable[..., Done]:
    """`changed(until=...)`: the grant is made when there is none, then changed; other words are Edit's."""

    def run(*, at: datetime = now, read: Callable[[str], str] = str, make: Grant = plain, **given: Any) -> Done:
        if "audit" not in iam.roles:
            for call in plan(make, None):
                iam(call)
            iam.log.clear()
        return change(prepared(iam, at, read, **given), perform=iam, now=lambda: at, waiting=waiting)

    return run


def prepared(iam: FakeIam, at: datetime, read: Callable[[str], str] = str, **given: Any) -> Any:
    words = {item: given.pop(item) for item in list(given) if item in Edit.__dataclass_fields__}

    def edit(when: datetime) -> Edit:
        asked = {key: value(when) if callable(value) else value for key, value in given.items()}
        return Edit(asked=OwnerOptions(name="audit", **asked), given=frozenset(asked), **words)

    return prepare_change("audit", edit, owner=read_owner(iam), perform=iam, read=read, now=at)


def role(iam: FakeIam) -> LiveRole:
    live_role = read_role(iam, "audit")
    assert live_role is not None
    return live_role


def test_an_extension_is_four_writes_and_keeps_sessions(iam: FakeIam, changed: Callable[..., Done]) -> None:
    done = changed(until=END + timedelta(days=30), later_only=True)
    assert iam.log == ["tag_role", "put_role_policy", "update_assume_role_policy", "untag_role"]
    assert done.cut is None
    assert done.waited == 0
    assert done.change.meaning.adds == ("calls after 2026-12-31T00:00:00Z",)
    assert done.change.meaning.removes == ()
    standing = read_standing(role(iam))
    assert (standing.drift, standing.terms and standing.terms.until) == ((), END + timedelta(days=30))
    assert misfits(standing) == ()
    iam.log.clear()
    assert changed(until=END + timedelta(days=30)).calls == ()
    assert iam.log == []


def test_a_name_that_is_no_grant_gets_the_nearest_one(iam: FakeIam, changed: Callable[..., Done]) -> None:
    seen: list[str] = []
    iam.before = lambda call: seen.append(call.operation)
    changed(session=7200)
    assert "list_roles" not in seen
    iam.roles["audot"] = {**iam.roles.pop("audit"), "RoleName": "audot"}
    iam.roles["auditt"] = {**iam.roles["audot"], "RoleName": "auditt", "Tags": []}
    with pytest.raises(ValetkeyError, match=r'no role audit in .* Did you mean "audot"\?') as raised:
        prepared(iam, END, session=3600)
    assert raised.value.exit_code == 2


def test_no_policy_is_read_where_none_changes(iam: FakeIam, changed: Callable[..., Done]) -> None:
    seen: list[str] = []
    changed(description="as it was")
    iam.before = lambda call: seen.append(call.operation)
    changed(until=END + timedelta(days=1))
    assert "get_policy" not in seen
    assert "get_account_summary" not in seen


def test_an_ended_grant_can_be_extended_and_an_earlier_end_is_refused(
    changed: Callable[..., Done], now: datetime
) -> None:
    with pytest.raises(ValetkeyError, match="already ends later"):
        changed(until=now + timedelta(days=1), later_only=True)
    after = END + timedelta(days=3)
    done = changed(at=after, until=after + timedelta(days=9), later_only=True)
    assert read_standing(done.role).state(after) == "open"
    changed(until=now + timedelta(days=1))
    assert read_standing(changed(until=None, never=True, later_only=True).role).record.until is None


def test_what_was_not_given_stays(iam: FakeIam, grant: Grant, changed: Callable[..., Done]) -> None:
    """All that there is in a grant, and one field changed."""
    before = None
    for number, given in enumerate(
        ({"session": 3600}, {"description": "x"}, {"boundary": "none"}, {"mfa_max_age": 60})
    ):
        done = changed(make=grant, **given)
        now_is = replace(done.change.wanted, max_session=7200, description="", boundary=None, managed=())
        terms = replace(now_is.terms, mfa_max_age=None)
        seen = (replace(now_is, terms=terms), sorted(done.role.managed), dict(done.role.tags)["ticket"])
        assert before in (None, seen)
        before = seen
        assert read_standing(role(iam)).drift == ()
        assert len(read_standing(role(iam)).record.changes) == number + 1


def test_the_meaning_in_words(iam: FakeIam, changed: Callable[..., Done]) -> None:
    done = changed(mfa=True)
    assert (done.change.meaning.adds, done.change.meaning.removes) == ((), ("calls without MFA",))
    assert done.cut is not None
    iam.policies[READ] = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": ["s3:ListAllMyBuckets", "sqs:SendMessage"], "Resource": "*"}],
    }
    done = changed(add_policies=("ReadOnlyAccess",))
    assert done.change.meaning.permissions is not None
    # s3:List* of the first policy holds it already.
    assert report.permissions_words(done.change.meaning.permissions) == "+ 1 write action"
    assert (done.change.meaning.adds, done.change.meaning.removes) == ((), ())
    lines = report.change_lines(done.change)
    assert [line.split() for line in lines if line.startswith(("  adds", "  removes"))] == [
        ["adds", "nobody"],
        ["removes", "nobody"],
    ]
    assert "Live sessions are kept." in lines


def test_policies_that_let_a_console_session_become_a_cli_session_are_said(
    iam: FakeIam, changed: Callable[..., Done]
) -> None:
    wide = {"Effect": "Allow", "Action": ["signin:*"], "Resource": "*"}
    iam.policies[READ] = {"Version": "2012-10-17", "Statement": [wide]}
    assert any(
        "signin:CreateOAuth2Token)." in line for line in report.change_lines(changed(add_policies=(READ,)).change)
    )
    assert not any("signin" in line for line in report.change_lines(changed(remove_policies=(READ,)).change))


def test_who_is_removed_is_cut_off_before_a_permission_is_added(iam: FakeIam, changed: Callable[..., Done]) -> None:
    done = changed(add_policies=(READ,), remove_only=(XENIA,), add_only=(DAVE,))
    assert iam.log == [
        "tag_role",
        "update_assume_role_policy",
        "put_role_policy",
        "attach_role_policy",
        "untag_role",
    ]
    assert done.cut is not None
    assert done.waited >= 20
    assert report.DENIED in " ".join(report.change_lines(done.change))
    assert "valetkey-sessions" in role(iam).inline
    assert read_standing(role(iam)).drift == ()


def test_who_is_added_gets_no_more_than_the_new_policies(iam: FakeIam, changed: Callable[..., Done]) -> None:
    done = changed(policies=(READ,), add_only=(DAVE,))
    assert done.cut is None
    assert iam.log == [
        "tag_role",
        "attach_role_policy",
        "detach_role_policy",
        "update_assume_role_policy",
        "untag_role",
    ]
    assert done.waited > 0


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"remove_only": (DAVE,)}, "does not name"),
        ({"remove_only": (CAROL, XENIA)}, "this removes the last principal that the grant names"),
        ({"remove_policies": ("ReadOnlyAccess",)}, "has no policy ReadOnlyAccess"),
        ({"remove_policies": ("SecurityAudit",)}, "a grant needs at least one policy"),
        ({"mfa": True, "only": (f"arn:aws:iam::{A}:role/x",)}, "never carries MFA"),
        ({"only": ("any",)}, "without MFA the trust policy must name"),
        ({"external_id": "x"}, "external id has 1 character"),
        ({"session": 60}, "outside AWS's"),
    ],
)
def test_what_cannot_be_is_refused_before_a_write(
    iam: FakeIam, changed: Callable[..., Done], given: dict[str, Any], what: str
) -> None:
    with pytest.raises(ValetkeyError, match=what):
        changed(**given)
    assert iam.log == []


def test_people_who_are_pinned_are_given_whole(iam: FakeIam, plain: Grant, changed: Callable[..., Done]) -> None:
    pinned = replace(plain, terms=replace(plain.terms, only=(), pin=(CAROL, XENIA)))
    with pytest.raises(ValetkeyError, match="the grant uses --pin"):
        changed(make=pinned, add_only=(DAVE,))
    done = changed(only=(CAROL,))
    assert (done.change.wanted.terms.only, done.change.wanted.terms.pin) == ((CAROL,), ())
    assert done.change.meaning.removes == (XENIA,)


def test_a_rotation_keeps_the_id_of_before_for_a_time_that_everything_knows_of(
    iam: FakeIam, changed: Callable[..., Done], now: datetime
) -> None:
    done = changed(external_id="the-second", overlap=timedelta(days=3))
    assert done.cut is None
    terms = read_standing(role(iam)).terms
    assert terms is not None
    assert (terms.external_id, terms.previous_external_id) == ("the-second", "the-first")
    assert terms.previous_until == now + timedelta(days=3)
    assert len(role(iam).trust["Statement"]) == 2
    assert read_standing(role(iam)).drift == ()
    assert done.proof.holds
    handoff = hand_over(read_standing(role(iam)), now=now)
    assert (handoff.external_id, handoff.previous_external_id) == ("the-second", "the-first")
    assert "the-second" not in "".join(role(iam).tags.values())
    # The overlap stays through another change, and never outlasts the grant.
    done = changed(until=now + timedelta(days=1))
    assert done.change.wanted.terms.previous_until == now + timedelta(days=1)
    # When it is over, the next change of the trust drops it, and nobody is refused by that: the longest session of it
    # has ended. Before, a later end of a grant that has ended denies what that end alone had stopped.
    assert prepared(iam, now + timedelta(hours=35), until=now + timedelta(days=9)).people.refuses
    done = changed(at=now + timedelta(hours=36), until=now + timedelta(days=9))
    assert done.change.wanted.terms.previous_external_id is None
    assert done.cut is None


def test_a_rotation_at_once_denies_live_sessions(changed: Callable[..., Done]) -> None:
    done = changed(external_id="the-second", overlap=timedelta(0))
    assert done.cut is not None
    assert done.change.wanted.terms.previous_external_id is None


def test_a_trust_beyond_the_quota_is_refused_before_a_write(
    iam: FakeIam, plain: Grant, changed: Callable[..., Done]
) -> None:
    many = tuple(f"arn:aws:iam::{A}:user/{'long' * 10}-{number}" for number in range(16))
    large = replace(plain, terms=replace(plain.terms, only=many))
    with pytest.raises(ValetkeyError, match="this account allows 2,048"):
        changed(make=large, external_id="the-second", overlap=timedelta(days=3))
    assert iam.log == []
    iam.quotas["AssumeRolePolicySizeQuota"] = 4096
    assert changed(external_id="the-second", overlap=timedelta(days=3)).calls


def test_the_last_five_changes_are_on_the_role_in_words(iam: FakeIam, changed: Callable[..., Done]) -> None:
    for days in range(1, 8):
        changed(until=END + timedelta(days=days))
    changes = history.read(read_standing(role(iam)).record.changes)
    assert len(changes) == 5
    assert changes[0].at == "2026-11-23T12:00:00Z"
    assert changes[0].by == "user/owner"
    assert changes[0].what == "until 2027-01-06T00:00:00Z to 2027-01-07T00:00:00Z"
    assert changes[-1].what.endswith("to 2027-01-03T00:00:00Z")
    assert role(iam).tags["valetkey:change:1"] == f"{changes[0].at} user/owner {changes[0].what}"


def test_a_line_of_the_history_fits_into_a_tag() -> None:
    line = history.entry("only " + "x,y " * 200, at=END, caller="arn:aws:sts::1:assumed-role/admin/ann")
    assert len(line) == 256
    assert line.endswith(" ...")
    assert line.startswith("2026-12-31T00:00:00Z assumed-role/admin/ann only x_y ")


STORY: dict[str, Any] = {
    "until": lambda when: (when + timedelta(days=90)).replace(microsecond=0),
    "add_policies": (READ, "more.json"),
    "remove_policies": ("SecurityAudit",),
    "remove_only": (XENIA,),
    "add_only": (DAVE,),
    "session": 7200,
    "boundary": "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess",
}
MORE = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}]}
)


WRITES = 10
"""Of that story: record, detach, boundary, trust, cut, session, attach, inline, end, record."""


@pytest.mark.parametrize("number", range(1, WRITES + 1))
def test_killed_at_any_write_the_same_command_finishes_it(
    iam: FakeIam, changed: Callable[..., Done], now: datetime, number: int
) -> None:
    """A relative end counts from the first run, and the history has one line."""
    left = [number]

    def kill(call: Call) -> None:
        if not call.operation.startswith(("get_", "list_")) and "audit" in iam.roles:
            left[0] -= 1
            if left[0] == 0:
                raise CallError(call, "InternalFailure", "killed")

    changed(description="made")
    iam.after = kill
    with pytest.raises(Interrupted, match="killed") as stopped:
        changed(read=lambda _: MORE, **STORY)
    assert "run the same command again" in stopped.value.do
    assert read_standing(role(iam)).state(now) == ("changing" if number < WRITES else "open")
    iam.after = lambda call: None
    done = changed(at=now + timedelta(minutes=40), read=lambda _: MORE, **STORY)
    assert bool(done.calls) is (number < WRITES)
    standing = read_standing(role(iam))
    assert standing.drift == ()
    assert standing.record.changing is None
    assert standing.record.until == now + timedelta(days=90)
    assert [item.what.split(" ")[0] for item in history.read(standing.record.changes)] == ["until", "description"]
    assert standing.terms is not None
    assert standing.terms.only == (CAROL, DAVE)
    assert set(role(iam).managed) == {READ}
    assert changed(read=lambda _: MORE, until=now + timedelta(days=90)).calls == ()


@pytest.mark.parametrize(
    ("code", "holds"),
    [("AccessDenied", "nothing was changed")]
    + [(code, "the old terms or by the new ones") for code in ("TimedOut", "ServiceUnavailable", "502", "504")],
)
def test_a_first_write_that_fails_says_the_remedy_and_what_holds(
    iam: FakeIam, changed: Callable[..., Done], code: str, holds: str
) -> None:
    """Without an answer AWS may have done it or not."""

    def refuse(call: Call) -> None:
        if call.operation == "tag_role":
            raise CallError(call, code, "no", do="ask for iam:TagRole")

    iam.before = refuse
    with pytest.raises(Interrupted, match=code) as stopped:
        changed(until=END + timedelta(days=90))
    assert stopped.value.do.startswith("ask for iam:TagRole; then run the same command again to finish; ")
    assert stopped.value.do.endswith(holds)


def test_another_change_may_follow_an_interrupted_one(iam: FakeIam, changed: Callable[..., Done]) -> None:
    changed(description="made")

    def kill(call: Call) -> None:
        if call.operation == "update_assume_role_policy":
            raise CallError(call, "InternalFailure", "killed")

    iam.after = kill
    with pytest.raises(Interrupted):
        changed(remove_only=(XENIA,), add_policies=(READ,))
    iam.after = lambda call: None
    done = changed(until=END + timedelta(days=5))
    # The trust was replaced, the sessions of before were not denied yet, the policy not added: all of it is made good.
    assert done.cut is not None
    assert set(role(iam).managed) == {AUDIT, READ}
    assert read_standing(role(iam)).drift == ()


def test_a_role_that_was_changed_by_somebody_else_is_not_touched(iam: FakeIam, changed: Callable[..., Done]) -> None:
    changed(description="made")
    trust = iam.roles["audit"]["AssumeRolePolicyDocument"]
    trust["Statement"][0]["Condition"]["StringEquals"]["sts:ExternalId"] = "another"
    iam.log.clear()
    with pytest.raises(ValetkeyError, match="differs from its record") as refused:
        changed(until=END + timedelta(days=1))
    assert refused.value.exit_code == 1
    assert iam.log == []


MALLORY = f"arn:aws:iam::{A}:user/mallory"
ALL_TERMS: dict[str, Any] = {
    "external_id": "the-third",
    "mfa": False,
    "only": (CAROL,),
    "whole_account": False,
    "from_ip": ("any",),
    "name_people": False,
    "source_identity": False,
    "session_tags": False,
    "until": END,
}


def drifted(iam: FakeIam, agreed: Grant, **terms: Any) -> None:
    """Somebody else writes a trust policy with other terms."""
    iam.roles["audit"]["AssumeRolePolicyDocument"] = write_trust(replace(agreed.terms, **terms))
    iam.log.clear()


@pytest.mark.parametrize(
    ("terms", "given"),
    [
        ({"only": (CAROL, XENIA, MALLORY)}, {"only": (CAROL, XENIA)}),
        ({"only": (CAROL, XENIA, MALLORY)}, {"remove_only": (MALLORY,)}),
        ({"only": (CAROL, XENIA, MALLORY), "until": None}, {"remove_only": (MALLORY,)}),
        ({"external_id": "of-mallory"}, {"external_id": "the-first"}),
        (
            {
                "previous_external_id": "of-mallory",
                "previous_until": END - timedelta(days=1),
                "from_ip": ("198.51.100.7",),
            },
            {"from_ip": ("any",)},
        ),
        ({"until": None}, {"until": END}),
    ],
)
def test_a_change_leads_from_a_trust_policy_that_somebody_changed_back_to_what_was_agreed(
    iam: FakeIam, changed: Callable[..., Done], plain: Grant, terms: dict[str, Any], given: dict[str, Any]
) -> None:
    """The digest in the record says that nothing in it is the other one's."""
    made = replace(plain, external_id_by="contractor", request="six-words", user_id="AIDAEXAMPLEEXAMPLE12")
    changed(make=made, description="made")
    record = read_standing(role(iam)).record
    drifted(iam, plain, **terms)
    done = changed(**given)
    standing = read_standing(role(iam))
    assert (standing.drift, standing.terms) == ((), plain.terms)
    assert replace(standing.record, changes=()) == replace(record, changes=())
    lines = change_lines(done.change)
    assert any(line.startswith("Put right: ") for line in lines)
    assert f"The contractor is {A}, by the record on the role and by its trust policy." in lines
    assert (done.cut is not None) is (terms != {"until": None})
    assert iam.log.index("update_assume_role_policy") > 0
    assert changed(**given).calls == ()


@pytest.mark.parametrize("is_drift", [True, False])
def test_without_mfa_no_age_of_it_is_left(
    iam: FakeIam, changed: Callable[..., Done], plain: Grant, is_drift: bool
) -> None:
    """An age without MFA is refused, and who gives --no-mfa has not given an age that could be left out."""
    aged = replace(plain.terms, mfa=True, mfa_max_age=900)
    changed(make=plain if is_drift else replace(plain, terms=aged), description="made")
    if is_drift:
        drifted(iam, plain, mfa=True, mfa_max_age=900, only=(CAROL, XENIA, MALLORY))
    changed(**ALL_TERMS)
    standing = read_standing(role(iam))
    assert standing.terms == replace(plain.terms, only=(CAROL,), external_id="the-third")
    with pytest.raises(ValetkeyError, match="a maximum age of MFA needs MFA"):
        changed(mfa=False, mfa_max_age=900)


def test_a_request_that_leads_back_to_what_was_agreed_is_noted(
    iam: FakeIam, changed: Callable[..., Done], plain: Grant
) -> None:
    """The handoff has to name the request that it answers."""
    changed(description="made")
    drifted(iam, plain, external_id="of-mallory")
    changed(external_id="the-first", request="six-words", user_id="AIDAEXAMPLEEXAMPLE12")
    record = read_standing(role(iam)).record
    noted = (record.external_id_by, record.request, record.user_id)
    assert noted == ("contractor", "six-words", "AIDAEXAMPLEEXAMPLE12")


def test_where_only_the_end_was_changed_any_change_is_made(
    iam: FakeIam, changed: Callable[..., Done], plain: Grant
) -> None:
    changed(description="made")
    drifted(iam, plain, until=END + timedelta(days=9999))
    changed(until=END + timedelta(days=30), later_only=True, add_only=(DAVE,))
    standing = read_standing(role(iam))
    assert standing.terms == replace(plain.terms, until=END + timedelta(days=30), only=(CAROL, DAVE, XENIA))
    assert standing.drift == ()


def test_what_nobody_agreed_to_is_not_taken_over_from_a_changed_trust_policy(
    iam: FakeIam, changed: Callable[..., Done], plain: Grant
) -> None:
    changed(description="made")
    drifted(
        iam,
        plain,
        only=(CAROL, MALLORY),
        external_id="of-mallory",
        previous_external_id="of-mallory-2",
        previous_until=END - timedelta(days=1),
    )
    for left_out in ALL_TERMS:
        with pytest.raises(ValetkeyError, match="differs from its record") as refused:
            changed(**{key: value for key, value in ALL_TERMS.items() if key != left_out})
        option = f"--{left_out.replace('_', '-')}"
        assert f"not given: {option}" in refused.value.do
    with pytest.raises(ValetkeyError, match="differs from its record"):
        changed(external_id="x-y-z", overlap=timedelta(days=3))
    assert iam.log == []
    changed(**ALL_TERMS)
    standing = read_standing(role(iam))
    assert standing.terms == replace(plain.terms, only=(CAROL,), external_id="the-third")
    assert (standing.drift, standing.record.external_id_by) == ((), "owner")


def test_another_contractor_in_the_trust_policy_is_no_change(
    iam: FakeIam, changed: Callable[..., Done], plain: Grant
) -> None:
    changed(description="made")
    drifted(iam, plain, contractor="999999999999", mfa=True, only=())
    with pytest.raises(ValetkeyError, match="differs from its record"):
        changed(**ALL_TERMS)
    assert iam.log == []


@pytest.mark.parametrize(
    "given", [{"only": (CAROL, XENIA), "external_id": "the-first"}, ALL_TERMS], ids=["back", "all"]
)
@pytest.mark.parametrize("number", range(1, 5))
def test_killed_on_the_way_from_a_changed_trust_policy_the_same_command_finishes_it(
    iam: FakeIam, changed: Callable[..., Done], plain: Grant, now: datetime, number: int, given: dict[str, Any]
) -> None:
    changed(description="made")
    stolen = {"previous_external_id": "of-mallory-2", "previous_until": END - timedelta(days=1)}
    drifted(iam, plain, only=(MALLORY,), external_id="of-mallory", until=None, **stolen)
    left = [number]

    def kill(call: Call) -> None:
        if not call.operation.startswith(("get_", "list_")):
            left[0] -= 1
            if left[0] == 0:
                raise CallError(call, "InternalFailure", "killed")

    iam.after = kill

    with pytest.raises(Interrupted, match="killed"):
        changed(**given)

    iam.after = lambda call: None
    changed(at=now + timedelta(minutes=40), **given)
    standing = read_standing(role(iam))
    want = plain.terms if given is not ALL_TERMS else replace(plain.terms, only=(CAROL,), external_id="the-third")
    assert (standing.terms, standing.drift, standing.record.changing) == (want, (), None)
    assert standing.sessions_deny is not None, "sessions of whoever came in by the changed trust policy"


def test_what_somebody_else_added_is_said_and_put_right(iam: FakeIam, changed: Callable[..., Done]) -> None:
    """The record is enough to say what was agreed: a change begins with the role as it is, and takes away first."""
    changed(description="made")
    iam.roles["audit"]["managed"].append(READ)
    iam.roles["audit"]["MaxSessionDuration"] = 43200
    iam.roles["audit"]["inline"].pop("valetkey-own-role")
    standing = read_standing(role(iam))
    assert is_restorable(standing.drift)
    assert len(changes(standing.drift)) == 3
    iam.log.clear()
    done = changed(until=END + timedelta(days=1))
    lines = [line for line in change_lines(done.change) if line.startswith("Put right: ")]
    assert f"Put right: the managed policy {READ} was added." in lines
    assert len(lines) == 3
    after = read_standing(role(iam))
    assert (after.drift, READ in after.role.managed, after.record.until) == ((), False, END + timedelta(days=1))


def test_what_happened_while_a_person_thought_it_over_is_seen(
    iam: FakeIam, changed: Callable[..., Done], waiting: Waiting, now: datetime
) -> None:
    changed(description="made")
    ready = prepared(iam, now, until=END + timedelta(days=1))
    iam.roles["audit"]["inline"]["valetkey-revoked"] = {"Version": "2012-10-17", "Statement": []}
    iam.log.clear()
    with pytest.raises(ValetkeyError, match="changed by somebody else") as refused:
        change(ready, perform=iam, now=lambda: now, waiting=waiting, look_again=True)
    assert refused.value.exit_code == 1
    assert iam.log == []


def test_grant_again_with_other_terms_names_change(iam: FakeIam, plain: Grant, changed: Callable[..., Done]) -> None:
    done = changed(until=END + timedelta(days=1))
    assert plan(done.change.wanted, role(iam)) == ()
    with pytest.raises(Differs, match="differs") as refused:
        plan(plain, role(iam))
    assert "valetkey change" in refused.value.do


def test_policies_that_allow_and_deny_are_changed_in_a_pause(iam: FakeIam, changed: Callable[..., Done]) -> None:
    both = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"},
            {"Effect": "Deny", "Action": "ec2:*", "Resource": "*"},
        ],
    }
    iam.policies[READ] = iam.policies[AUDIT] = both
    done = changed(policies=(READ,))
    puts = [call for call in done.calls if call.params.get("PolicyName") == "valetkey-changing"]
    assert [call.operation for call in puts] == ["put_role_policy", "delete_role_policy"]
    assert done.waited >= 20
    assert "valetkey-changing" not in role(iam).inline
    assert any("Everything is denied" in line for line in report.change_lines(done.change))


def stop(iam: FakeIam, waiting: Waiting, at: datetime, until: datetime | None = None) -> Any:
    owner = read_owner(iam)
    return suspend(read_standing(role(iam)), until=until, owner=owner, perform=iam, now=at, waiting=waiting)


def go_on(iam: FakeIam, waiting: Waiting, at: datetime) -> Any:
    return resume(read_standing(role(iam)), owner=read_owner(iam), perform=iam, now=lambda: at, waiting=waiting)


@pytest.mark.parametrize(
    ("code", "holds"), [("AccessDenied", "nothing was changed"), ("InternalFailure", "the deny may be on the role")]
)
def test_a_deny_that_may_have_been_written_is_not_called_absent(
    iam: FakeIam, changed: Callable[..., Done], waiting: Waiting, now: datetime, code: str, holds: str
) -> None:
    changed(description="made")

    def fail(call: Call) -> None:
        if call.operation == "put_role_policy":
            raise CallError(call, code, "no", do="ask for iam:PutRolePolicy")

    iam.before = fail
    with pytest.raises(Interrupted) as stopped:
        stop(iam, waiting, now)
    assert stopped.value.do == f"ask for iam:PutRolePolicy; then run the same command again to finish; {holds}"


def test_suspend_and_resume(iam: FakeIam, changed: Callable[..., Done], waiting: Waiting, now: datetime) -> None:
    changed(description="made")
    iam.log.clear()
    trust = role(iam).trust
    stop(iam, waiting, now)
    assert iam.log == ["put_role_policy", "tag_role"]
    standing = read_standing(role(iam))
    assert (standing.state(now), standing.drift, misfits(standing), role(iam).trust) == ("suspended", (), (), trust)
    assert stop(iam, waiting, now + timedelta(hours=1)).calls == ()
    assert hand_over(standing, now=now).external_id == "the-first"
    half = now + timedelta(minutes=30)
    resumed = go_on(iam, waiting, half)
    assert resumed.may_live_until == now + timedelta(hours=1)
    assert resumed.deny.before == half + timedelta(seconds=2)
    assert read_standing(role(iam)).state(half) == "open"
    assert go_on(iam, waiting, half + timedelta(minutes=1)).calls == ()
    stop(iam, waiting, half)
    assert go_on(iam, waiting, half + timedelta(hours=2)).may_live_until is None
    lines = [item.what for item in history.read(read_standing(role(iam)).record.changes)]
    assert lines == ["resumed", "suspended", "resumed", "suspended", "description none to made"]


def test_the_line_of_the_history_that_an_interrupted_run_did_not_write_is_written(
    iam: FakeIam, changed: Callable[..., Done], waiting: Waiting, now: datetime
) -> None:
    changed(description="made")
    for attempt, what in ((stop, "suspended"), (go_on, "resumed")):
        tags = copy.deepcopy(iam.roles["audit"]["Tags"])
        attempt(iam, waiting, now)
        iam.roles["audit"]["Tags"] = tags  # the deny is there, its line is not
        assert [call.operation for call in attempt(iam, waiting, now).calls] == ["tag_role"]
        assert read_standing(role(iam)).record.changes[0].endswith(what)
        assert attempt(iam, waiting, now).calls == ()


def test_when_a_grant_was_suspended_is_read_from_its_history(iam: FakeIam, changed: Callable[..., Done]) -> None:
    changed(description="made")
    standing = read_standing(role(iam))
    day = [datetime(2026, 11, 1 + number, tzinfo=UTC) for number in range(8)]
    at = [instant(item) for item in day]

    def found(*lines: str) -> Any:
        changes = tuple(line.replace(" ", " user/o ", 1) for line in reversed(lines))
        return suspensions(replace(standing, record=replace(standing.record, changes=changes)))

    first = f"{at[1]} suspended until {at[4]}"
    assert found(first) == ((day[1], day[4]),)
    # While it runs it gets another end; after its end it is another suspension, also at the very second.
    assert found(first, f"{at[3]} suspended until {at[6]}") == ((day[1], day[6]),)
    assert found(first, f"{at[5]} suspended until {at[6]}") == ((day[1], day[4]), (day[5], day[6]))
    assert found(first, f"{at[4]} suspended until {at[6]}") == ((day[1], day[4]), (day[4], day[6]))
    assert found(f"{at[1]} suspended", f"{at[3]} suspended until {at[6]}") == ((day[1], day[6]),)
    assert found(first, f"{at[2]} resumed") == ((day[1], day[2]),)
    assert found(first, f"{at[5]} resumed") == ((day[1], day[4]),)
    assert found(f"{at[5]} resumed", f"{at[6]} suspended") == ()


def test_a_suspension_with_an_end_is_one_policy(
    iam: FakeIam, changed: Callable[..., Done], waiting: Waiting, now: datetime
) -> None:
    changed(description="made")
    end = now + timedelta(days=14)
    stop(iam, waiting, now, end)
    standing = read_standing(role(iam))
    assert [standing.state(at) for at in (now, end - timedelta(seconds=1), end)] == ["suspended", "suspended", "open"]
    statements = role(iam).inline["valetkey-sessions"]["Statement"]
    assert [statement["Condition"]["DateLessThan"] for statement in statements] == [
        {"aws:CurrentTime": "2026-12-07T12:00:00Z"},
        {"aws:TokenIssueTime": "2026-12-07T12:00:00Z"},
    ]
    # A change that removes somebody meanwhile needs no other deny; afterwards it does.
    assert changed(remove_only=(XENIA,)).cut is None
    done = changed(at=end + timedelta(hours=1), only=(DAVE,))
    assert done.cut == end + timedelta(hours=1, seconds=2)


def test_what_was_never_suspended_is_not_resumed(
    iam: FakeIam, changed: Callable[..., Done], waiting: Waiting, now: datetime
) -> None:
    changed(description="made")
    with pytest.raises(ValetkeyError, match="is not suspended"):
        go_on(iam, waiting, now)
    iam.roles["audit"]["inline"]["valetkey-sessions"] = {"Version": "2012-10-17", "Statement": []}
    for attempt in (go_on, stop):
        with pytest.raises(ValetkeyError, match="not one that valetkey writes"):
            attempt(iam, waiting, now)
    assert read_standing(role(iam)).state(now) == "changed"


def test_a_suspended_and_changed_grant_is_revoked_like_any_other(
    iam: FakeIam, changed: Callable[..., Done], waiting: Waiting, now: datetime
) -> None:
    changed(remove_only=(XENIA,))
    stop(iam, waiting, now)
    receipt = revoke(read_standing(role(iam)), perform=iam, now=lambda: now, waiting=waiting)
    assert receipt.taken.unread == ()
    assert iam.roles == {}


def test_addresses_and_a_vendor_s_account_change_like_other_terms(
    iam: Any, grant: Grant, waiting: Waiting, now: datetime
) -> None:
    """Fewer addresses refuse somebody and admit nobody; MFA in place of the whole account too."""
    vendor = replace(
        grant.terms, external_id="7f1c0a55-2f0e", mfa=False, mfa_max_age=None, whole_account=True, from_ip=()
    )
    for call in plan(replace(grant, terms=vendor), None):
        iam(call)

    def run(**given: Any) -> Any:
        edit = Edit(asked=OwnerOptions(name="audit", **given), given=frozenset(given))
        ready = prepare_change("audit", lambda _: edit, owner=read_owner(iam), perform=iam, read=str, now=now)
        change(ready, perform=iam, now=lambda: now, waiting=waiting)
        return ready.meaning

    narrowed = run(from_ip=("198.51.100.0/24",))
    assert narrowed.adds == ()
    assert narrowed.removes
    opened = run(from_ip=("any",))
    assert opened.adds
    assert opened.removes == ()
    with_mfa = run(mfa=True, whole_account=False)
    assert with_mfa.adds == ()
    assert with_mfa.removes
