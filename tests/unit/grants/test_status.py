"""A grant read back: what was agreed, what is there, and one word for its state."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from valetkey.errors import ValetkeyError
from valetkey.grants.grant import OWN_ROLE, REVOKED, Grant
from valetkey.grants.plan import plan
from valetkey.grants.role import read_role, read_roles
from valetkey.grants.status import hand_over, proof, read_grants, read_standing
from valetkey.trust.drift_words import is_readable
from valetkey.trust.self_denies import kill_deny
from valetkey.trust.writing import closed_trust


@pytest.fixture
def role(iam: Any, grant: Grant) -> dict[str, Any]:
    for call in plan(grant, None):
        iam(call)
    found: dict[str, Any] = iam.roles["audit"]
    return found


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
    assert [each.role.name for each in grants] == ["Another"]
    assert damaged == ("audit",)


def test_the_trust_of_an_ended_grant_is_still_right(iam: Any, role: Any) -> None:
    table = proof(read_standing(read_role(iam, "audit")))
    assert table is not None
    assert table.holds
