"""A grant read back: what was agreed, what is there, and one word for its state."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.unit.grants.handmade import MFA, ROOT, allow, made, trust
from tests.unit.grants.whole_errors import standing_of, whole_error

from valetkey.errors import ValetkeyError
from valetkey.exchange.files import Handoff
from valetkey.grants.adopt import adopt
from valetkey.grants.adopt_prepare import Wish, prepare_adoption
from valetkey.grants.grant import OWN_ROLE, REVOKED, Grant, Record
from valetkey.grants.plan import plan
from valetkey.grants.role import read_owner, read_role, read_roles
from valetkey.grants.status import (
    Difference,
    Standing,
    differing_terms,
    hand_over,
    proof,
    read_grants,
    read_standing,
    sessions_deny,
    words,
)
from valetkey.grants.waiting import Waiting
from valetkey.trust.drift_words import is_readable
from valetkey.trust.record import CHANGING
from valetkey.trust.self_denies import SessionsDeny, dated_deny, kill_deny
from valetkey.trust.writing import closed_trust


@pytest.fixture
def role(iam: Any, grant: Grant) -> dict[str, Any]:
    for call in plan(grant, None):
        iam(call)
    result: dict[str, Any] = iam.roles["audit"]
    return result


def test_both_ways_of_reading_tell_the_same(iam: Any, grant: Grant, role: Any) -> None:
    one = read_role(iam, "audit")
    (other,) = read_roles(iam)
    assert one is not None
    assert (one.description, one.max_session) == ("The yearly audit", 7200)
    assert (other.description, other.max_session) == (None, None)
    assert replace(one, description=None, max_session=None) == other
    assert read_standing(one).drift == read_standing(other).drift == ()
    assert read_standing(one).terms == grant.terms


STATES: dict[str, tuple[str, Any]] = {
    "open": ("open", lambda role: None),
    "deny": ("revoking", lambda role: role["inline"].update({REVOKED: kill_deny()})),
    "all but deleted": (
        "revoking",
        lambda role: role.update(AssumeRolePolicyDocument=closed_trust(), inline={}, managed=[]),
    ),
    "closed": ("changed", lambda role: role.update(AssumeRolePolicyDocument=closed_trust())),
    "more": ("changed", lambda role: role["managed"].append("arn:aws:iam::aws:policy/ReadOnlyAccess")),
    "less": ("incomplete", lambda role: role["managed"].pop()),
    "deny lost": ("incomplete", lambda role: role["inline"].pop(OWN_ROLE)),
    "boundary lost": ("changed", lambda role: role.pop("PermissionsBoundary")),
    "longer": ("changed", lambda role: role.update(MaxSessionDuration=43200)),
    "no external id": (
        "changed",
        lambda role: role["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]["StringEquals"].clear(),
    ),
    "other external id": (
        "changed",
        lambda role: role["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]["StringEquals"].update(
            {"sts:ExternalId": "other"}
        ),
    ),
    "later end": (
        "changed",
        lambda role: role["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]["DateLessThan"].update(
            {"aws:CurrentTime": "2036-12-31T00:00:00Z"}
        ),
    ),
}


@pytest.mark.parametrize("case", STATES)
def test_one_word_says_how_a_grant_stands_and_only_an_open_one_is_handed_over(
    iam: Any, role: Any, now: datetime, case: str
) -> None:
    word, change = STATES[case]
    change(role)
    standing = read_standing(read_role(iam, "audit"))
    assert standing.state(now) == word
    if word == "open":
        table = proof(standing)
        assert table is not None
        assert table.holds
        assert hand_over(standing, now=now).role_arn == role["Arn"]
    else:
        with pytest.raises(ValetkeyError) as refused:
            hand_over(standing, now=now)
        assert refused.value.exit_code == 1
        assert {
            "ended": "valetkey extend audit --until",
            "changed": "see who is admitted now: `valetkey show audit`",
            "incomplete": "run the same `valetkey grant` again",
            "revoking": "finish it with `valetkey revoke audit`",
            "changing": "run the same command again",
        }[word] in refused.value.do
        if word == "changed":
            # `change` begins with a trust policy that valetkey has written.
            assert ("`valetkey change audit`" in refused.value.do) is is_readable(standing.drift)
            assert ("`valetkey revoke audit`" in refused.value.do) is not is_readable(standing.drift)
            assert "`valetkey adopt audit` accepts the role as it is" in refused.value.do


def test_no_handoff_is_written_that_accept_would_refuse(iam: Any, role: Any, now: datetime) -> None:
    """A path that IAM takes and that a policy would read as a wildcard: a role made by hand or by an older version."""
    standing = read_standing(read_role(iam, "audit"))
    odd = replace(standing, role=replace(standing.role, arn=standing.role.arn.replace("/audit", "/a*b/audit")))
    with pytest.raises(ValetkeyError, match=r"\$\.role_arn") as refused:
        hand_over(odd, now=now)
    assert refused.value.exit_code == 1
    assert refused.value.do


def test_a_grant_ends_at_its_end(iam: Any, role: Any) -> None:
    standing = read_standing(read_role(iam, "audit"))
    end = datetime(2026, 12, 31, tzinfo=UTC)
    assert standing.state(end - timedelta(seconds=1)) == "open"
    assert standing.state(end) == "ended"
    with pytest.raises(ValetkeyError, match="ended"):
        hand_over(standing, now=end)


def test_a_pinned_user_that_is_deleted_is_drift(iam: Any, grant: Grant, now: datetime) -> None:
    pinned = replace(grant, terms=replace(grant.terms, pin=(f"arn:aws:iam::{grant.terms.contractor}:user/carol",)))
    for call in plan(pinned, None):
        iam(call)
    statement = iam.roles["audit"]["AssumeRolePolicyDocument"]["Statement"][0]
    statement["Principal"]["AWS"] = "AIDAEXAMPLEEXAMPLEEXA"
    standing = read_standing(read_role(iam, "audit"))
    (drift,) = standing.drift
    assert (drift.what, drift.found) == ("pinned principals", "deleted: AIDAEXAMPLEEXAMPLEEXA")


def test_another_end_and_another_condition_are_told_apart(iam: Any, grant: Grant, role: Any) -> None:
    document = json.dumps(role["AssumeRolePolicyDocument"])
    assert grant.terms.until is not None
    day = grant.terms.until.strftime("%Y-%m-%d")
    assert day in document
    role["AssumeRolePolicyDocument"] = json.loads(document.replace(day, "2027-01-02"))
    (drift,) = read_standing(read_role(iam, "audit")).drift
    assert drift.what == "end in the trust policy"
    assert drift.found.startswith("2027-01-02")
    role["AssumeRolePolicyDocument"] = json.loads(
        document.replace(str(grant.terms.external_id), "vk-another-0123456789")
    )
    (drift,) = read_standing(read_role(iam, "audit")).drift
    assert (drift.what, drift.found) == ("trust policy", "other conditions or principals")


def test_a_role_whose_record_is_damaged_is_named_and_the_others_are_listed(iam: Any, grant: Grant, role: Any) -> None:
    for call in plan(replace(grant, name="Another"), None):
        iam(call)
    iam.roles["own"] = {**role, "RoleName": "own", "inline": {}, "Tags": [{"Key": "team", "Value": "x"}]}
    role["Tags"] = [tag for tag in role["Tags"] if tag["Key"] != "valetkey:contractor"]
    grants, damaged = read_grants(read_roles(iam))
    assert [standing.role.name for standing in grants] == ["Another"]
    assert damaged == ("audit",)


def test_the_trust_of_an_ended_grant_is_still_right(iam: Any, role: Any) -> None:
    table = proof(read_standing(read_role(iam, "audit")))
    assert table is not None
    assert table.holds


# -- whole ---------------------------------------------------------------

ARN = "arn:aws:iam::111111111111:role/partners/audit"
END = datetime(2026, 12, 31, tzinfo=UTC)


def test_the_handoff_says_what_was_agreed(iam: Any, grant: Grant, role: Any, now: datetime) -> None:
    standing = standing_of(iam)
    assert hand_over(standing, now=now + timedelta(microseconds=7)) == Handoff(
        role_arn=ARN,
        contractor="222222222222",
        partition="aws",
        external_id="ext,id:with=/signs",
        mfa=True,
        mfa_max_age=3600,
        until=END,
        max_session=7200,
        issued=now,
        policies=("SecurityAudit", "ViewOnlyAccess", "policy-more"),
        request="arrow-forest-endless-ceiling-link-girl",
    )
    unknown = replace(standing, role=replace(standing.role, max_session=None))
    assert hand_over(unknown, now=now).max_session == 7200
    shorter = replace(standing, role=replace(standing.role, max_session=3600))
    assert hand_over(shorter, now=now).max_session == 3600


@pytest.mark.parametrize(
    ("case", "state", "do"),
    [
        (
            "deny",
            "revoking",
            "a revocation is in progress: finish it with `valetkey revoke audit`",
        ),
        (
            "less",
            "incomplete",
            "finish it: run the same `valetkey grant` again, then hand it over",
        ),
        (
            "more",
            "changed",
            ("see who is admitted now: `valetkey show audit`; then `valetkey change audit` sets the terms you want, "
            "`valetkey adopt audit` accepts the role as it is"),
        ),
        (
            "closed",
            "changed",
            ("see who is admitted now: `valetkey show audit`; then `valetkey revoke audit` ends it, "
            "`valetkey adopt audit` accepts the role as it is"),
        ),
    ],
)  # fmt: skip
def test_what_is_not_handed_over_is_told_with_the_way_out(
    iam: Any, role: Any, now: datetime, case: str, state: str, do: str
) -> None:
    STATES[case][1](role)
    with pytest.raises(ValetkeyError) as refused:
        hand_over(standing_of(iam), now=now)
    assert whole_error(refused) == (f"audit is not handed over: its state is {state}", do, ARN, 1)


def test_a_change_is_finished_before_it_is_handed_over(iam: Any, role: Any, now: datetime) -> None:
    role["Tags"].append({"Key": CHANGING, "Value": "2026-11-23T12:00:00Z sha256:0"})
    role["managed"].append("arn:aws:iam::aws:policy/ReadOnlyAccess")
    standing = standing_of(iam)
    assert standing.state(now) == "changing"
    with pytest.raises(ValetkeyError) as refused:
        hand_over(standing, now=now)
    do = "a change is in progress or was interrupted: finish it with the same `valetkey change`, then hand it over"
    assert whole_error(refused) == ("audit is not handed over: its state is changing", do, ARN, 1)


def test_an_ended_grant_gets_a_new_end_first(iam: Any, role: Any) -> None:
    for is_adopted, verb in ((False, "extend"), (True, "adopt")):
        standing = standing_of(iam)
        standing = replace(standing, record=replace(standing.record, trust="x" if is_adopted else None))
        with pytest.raises(ValetkeyError) as refused:
            hand_over(standing, now=END)
        do = f"set a new end: `valetkey {verb} audit --until DATE`; then hand it over"
        assert whole_error(refused) == ("audit is not handed over: its state is ended", do, ARN, 1)


def test_an_adopted_role_is_accepted_as_it_is_or_tightened(iam: Any, now: datetime, waiting: Waiting) -> None:
    made(iam, trust(allow(ROOT, MFA)))
    owner = read_owner(iam)
    adopt(prepare_adoption(Wish(name="puppeteers"), owner=owner, perform=iam, now=now), perform=iam, waiting=waiting)
    iam.roles["puppeteers"]["AssumeRolePolicyDocument"] = trust(allow(ROOT))
    with pytest.raises(ValetkeyError) as refused:
        hand_over(standing_of(iam, "puppeteers"), now=now)
    adopting = "`valetkey adopt puppeteers` accepts the role as it is"
    assert whole_error(refused) == (
        "puppeteers is not handed over: its state is changed",
        (f"see who is admitted now: `valetkey show puppeteers`; then {adopting}, and with --tighten `valetkey adopt "
        "puppeteers` replaces its trust policy"),
        "arn:aws:iam::111111111111:role/puppeteers",
        1,
    )  # fmt: skip


def test_what_is_not_proved_is_not_handed_over(
    iam: Any, role: Any, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The record agrees, and the proof does not: both have to."""
    standing = standing_of(iam)
    wide = replace(standing, role=replace(standing.role, trust=trust(allow(ROOT))))
    shown = proof(wide)
    assert shown is not None
    assert not shown.holds
    with pytest.raises(ValetkeyError, match="its state is not proved"):
        hand_over(wide, now=now)
    assert proof(replace(standing, terms=None)) is None
    with pytest.raises(ValetkeyError, match="its state is not proved"):
        hand_over(replace(standing, terms=None), now=now)


def test_what_the_contractor_has_to_send_is_proved_for_an_adopted_role(
    iam: Any, now: datetime, waiting: Waiting, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(iam, trust(allow(ROOT, MFA)))
    wish, owner = Wish(name="puppeteers", until=END), read_owner(iam)
    adopt(prepare_adoption(wish, owner=owner, perform=iam, now=now), perform=iam, waiting=waiting)
    standing = standing_of(iam, "puppeteers")
    assert hand_over(standing, now=now).until == END
    monkeypatch.setattr("valetkey.trust.adopting.to_bring", lambda *_, **__: None)
    with pytest.raises(ValetkeyError) as refused:
        hand_over(standing, now=now)
    assert whole_error(refused) == (
        "puppeteers is not handed over: it is not proved what the contractor has to send so that the role admits them",
        "replace its trust policy: `valetkey adopt puppeteers --tighten`",
        "arn:aws:iam::111111111111:role/puppeteers",
        1,
    )


@pytest.mark.parametrize(
    ("trust_end", "own_end"), [("2026-12-30", END), ("2027-01-02", END), (None, END), ("2026-12-30", None)]
)
def test_the_earlier_end_of_an_adopted_role_is_handed_over(
    iam: Any, now: datetime, waiting: Waiting, trust_end: str | None, own_end: datetime | None
) -> None:
    dated = {"DateLessThan": {"aws:CurrentTime": f"{trust_end}T00:00:00Z"}} if trust_end else {}
    role = made(iam, trust(allow(ROOT, {**MFA, **dated})))
    if own_end is not None:
        role["inline"]["valetkey-until"] = dated_deny(own_end)
    owner = read_owner(iam)
    adopt(prepare_adoption(Wish(name="puppeteers"), owner=owner, perform=iam, now=now), perform=iam, waiting=waiting)
    ends = [
        *([datetime.fromisoformat(f"{trust_end}T00:00:00+00:00")] if trust_end else []),
        *([own_end] if own_end else []),
    ]
    assert hand_over(standing_of(iam, "puppeteers"), now=now).until == min(ends)


def test_a_handoff_that_accept_would_refuse_is_told(iam: Any, role: Any, now: datetime) -> None:
    standing = standing_of(iam)
    odd = replace(standing, role=replace(standing.role, arn=standing.role.arn.replace("/audit", "/a*b/audit")))
    with pytest.raises(ValetkeyError) as refused:
        hand_over(odd, now=now)
    what, do, where, code = whole_error(refused)
    assert what.startswith("audit cannot be handed over: ")
    assert (do, where, code) == (
        "the path of a role cannot change: revoke it, and grant under another name or path",
        odd.role.arn,
        1,
    )


def test_a_suspended_grant_is_suspended_and_handed_over(iam: Any, role: Any, now: datetime) -> None:
    role["inline"]["valetkey-sessions"] = SessionsDeny(since=now, until=now + timedelta(hours=1)).document
    standing = standing_of(iam)
    assert (
        standing.sessions_deny
        == sessions_deny(standing.role)
        == SessionsDeny(since=now, until=now + timedelta(hours=1))
    )
    assert (standing.suspended(now), standing.state(now)) == (True, "suspended")
    assert (standing.suspended(now + timedelta(hours=1)), standing.state(now + timedelta(hours=1))) == (False, "open")
    assert hand_over(standing, now=now).role_arn == ARN
    del role["inline"]["valetkey-sessions"]
    bare = standing_of(iam)
    assert (bare.sessions_deny, bare.suspended(now)) == (None, False)


@pytest.mark.parametrize(
    ("inline", "managed", "closed", "revoking"),
    [
        (False, False, True, True),
        (True, False, True, False),
        (False, True, True, False),
        (False, False, False, False),
    ],
)
def test_a_closed_role_without_policies_is_half_revoked(
    iam: Any, role: Any, inline: bool, managed: bool, closed: bool, revoking: bool
) -> None:
    role["inline"] = role["inline"] if inline else {}
    role["managed"] = role["managed"] if managed else []
    if closed:
        role["AssumeRolePolicyDocument"] = closed_trust()
    assert standing_of(iam).revoking is revoking


def test_a_role_that_claims_to_be_a_grant_fits_nothing(iam: Any, role: Any) -> None:
    role["Tags"] = [tag for tag in role["Tags"] if tag["Key"] in ("valetkey:version", "valetkey:contractor")]
    why = "the record of the role audit is damaged: 'terms' in its valetkey:* tags cannot be read"
    standing = standing_of(iam)
    assert standing == Standing(
        role=standing.role,
        record=Record(
            contractor="222222222222",
            terms="",
            until=None,
            external_id_by="",
            request=None,
            user_id=None,
            session=0,
            boundary=None,
            managed=(),
            inline={},
        ),
        terms=None,
        drift=(Difference("record", "tags valetkey:* as `valetkey grant` writes them", why),),
    )
    role["Tags"] = [tag for tag in role["Tags"] if tag["Key"] == "valetkey:version"]
    assert standing_of(iam).record.contractor == ""


@pytest.mark.parametrize(
    ("key", "inline", "is_damaged"),
    [
        ("valetkey:contractor", {}, True),
        ("valetkey", {}, False),
        ("team", {OWN_ROLE: {}}, True),
        ("team", {"other": {}}, False),
    ],
)
def test_traces_of_a_grant_are_named(iam: Any, key: str, inline: dict[str, Any], is_damaged: bool) -> None:
    role = made(iam, trust(allow(ROOT)))
    role["Tags"], role["inline"] = [{"Key": key, "Value": "x"}], inline
    assert read_grants(read_roles(iam)) == ((), ("puppeteers",) if is_damaged else ())


def test_grants_are_listed_by_name_whatever_its_case(iam: Any, grant: Grant) -> None:
    for name in ("b", "C", "A", "d"):
        for call in plan(replace(grant, name=name), None):
            iam(call)
    iam.roles["z"] = {**iam.roles["A"], "RoleName": "z", "Tags": []}
    iam.roles["Y"] = {**iam.roles["A"], "RoleName": "Y", "Tags": []}
    grants, damaged = read_grants(read_roles(iam))
    assert ([standing.role.name for standing in grants], damaged) == (["A", "b", "C", "d"], ("Y", "z"))


def test_a_term_in_words(grant: Grant) -> None:
    assert [words(item) for item in (True, False, None, (), ("a", "b"), END, 900, 0, "", "x")] == [
        "yes", "no", "none", "none", "a, b", "2026-12-31T00:00:00Z", "900", "0", "", "x",
    ]  # fmt: skip
    other = replace(grant.terms, mfa_max_age=None, only=("a",), session_tags=True)
    assert list(differing_terms(grant.terms, other)) == [
        Difference("mfa max age", "3600", "none"),
        Difference("only", "none", "a"),
        Difference("session tags", "no", "yes"),
    ]
