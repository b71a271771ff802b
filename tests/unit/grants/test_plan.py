"""A grant planned: the order of its calls, what an interruption leaves, and what is refused rather than changed."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from valetkey.errors import ValetkeyError
from valetkey.grants.grant import OWN_ROLE, REVOKED, UNTIL, ForeignRole, Grant, in_tag, read_record, terms_digest
from valetkey.grants.plan import Differs, adopted, check, plan
from valetkey.grants.role import read_role
from valetkey.trust.self_denies import dated_deny, kill_deny, own_role_deny
from valetkey.trust.writing import closed_trust, write_trust


def granted(iam: Any, grant: Grant, calls: int | None = None) -> Any:
    for call in plan(grant, None)[:calls]:
        iam(call)
    return read_role(iam, grant.name)


def test_the_role_comes_complete_with_its_trust_and_the_denies_come_before_anything_that_allows(grant: Grant) -> None:
    create, *rest = plan(grant, None)
    assert create.operation == "create_role"
    assert json.loads(create.params["AssumeRolePolicyDocument"]) == write_trust(grant.terms)
    assert create.params["PermissionsBoundary"] == grant.boundary
    assert create.params["MaxSessionDuration"] == 7200
    assert create.params["Path"] == "/partners/"
    assert create.params["Description"] == "The yearly audit"
    tags = {each["Key"]: each["Value"] for each in create.params["Tags"]}
    assert tags["ticket"] == "OPS-1"
    assert tags["valetkey:contractor"] == grant.terms.contractor
    assert tags["valetkey:until"] == "2026-12-31T00:00:00Z"
    said = [call.params.get("PolicyName") or call.params["PolicyArn"] for call in rest]
    assert said == [OWN_ROLE, UNTIL, "policy-more", *grant.managed]
    documents = [json.loads(call.params["PolicyDocument"]) for call in rest[:2]]
    assert documents == [own_role_deny(grant.role_arn), dated_deny(datetime(2026, 12, 31, tzinfo=UTC))]


def test_a_grant_without_an_end_still_denies_its_own_role(grant: Grant) -> None:
    endless = replace(grant, terms=replace(grant.terms, until=None))
    assert [call.params.get("PolicyName") for call in plan(endless, None)][1:3] == [OWN_ROLE, "policy-more"]


@pytest.mark.parametrize("done", range(1, 7))
def test_after_any_call_the_rest_is_planned_in_the_same_order(iam: Any, grant: Grant, done: int) -> None:
    role = granted(iam, grant, done)
    assert plan(grant, role) == plan(grant, None)[done:]


def test_what_is_done_plans_nothing_and_the_record_says_what_was_agreed(iam: Any, grant: Grant) -> None:
    role = granted(iam, grant)
    assert plan(grant, role) == ()
    record = read_record(role)
    assert record.contractor == grant.terms.contractor
    assert record.terms == terms_digest(grant.terms)
    assert record.until == grant.terms.until
    assert record.session == 7200
    assert record.boundary == grant.boundary
    assert sorted(record.managed) == sorted(grant.managed)
    assert set(record.inline) == {"policy-more"}
    assert record.request == grant.request
    assert record.user_id == grant.user_id == "AIDACKCEVSQ6C2EXAMPLE"


CHANGES: dict[str, Any] = {
    "ExternalId": lambda g: replace(g, terms=replace(g.terms, external_id="another-one"), external_id_by="owner"),
    "contractor": lambda g: replace(g, terms=replace(g.terms, contractor="123456789012")),
    "mfa": lambda g: replace(
        g,
        terms=replace(g.terms, mfa=False, mfa_max_age=None, only=(f"arn:aws:iam::{g.terms.contractor}:role/robot",)),
    ),
    "mfa max age": lambda g: replace(g, terms=replace(g.terms, mfa_max_age=None)),
    "until": lambda g: replace(g, terms=replace(g.terms, until=None)),
    "name people": lambda g: replace(g, terms=replace(g.terms, name_people=True)),
    "session": lambda g: replace(g, max_session=3600),
    "boundary": lambda g: replace(g, boundary=None),
    "policy:2": lambda g: replace(g, managed=g.managed[:1]),
    "policy:3": lambda g: replace(g, managed=(*g.managed, "arn:aws:iam::aws:policy/ReadOnlyAccess")),
    "inline:1": lambda g: replace(g, inline=()),
    "description": lambda g: replace(g, description="other"),
    "path": lambda g: replace(g, path="/"),
    "tag ticket": lambda g: replace(g, tags=(("ticket", "OPS-2"),)),
}


@pytest.mark.parametrize("what", CHANGES)
def test_other_terms_than_the_granted_are_shown_and_refused(iam: Any, grant: Grant, what: str) -> None:
    role = granted(iam, grant)
    with pytest.raises(Differs) as refused:
        plan(CHANGES[what](grant), role)
    assert refused.value.exit_code == 2
    assert what in [row.what for row in refused.value.rows]


def test_terms_in_which_only_one_thing_differs_show_only_that(iam: Any, grant: Grant) -> None:
    role = granted(iam, grant)
    with pytest.raises(Differs) as refused:
        plan(replace(grant, terms=replace(grant.terms, mfa_max_age=900)), role)
    assert [(row.what, row.agreed, row.found) for row in refused.value.rows] == [("mfa max age", "3600", "900")]


DRIFTS: dict[str, Any] = {
    "an extra managed policy": lambda role: role["managed"].append("arn:aws:iam::aws:policy/AdministratorAccess"),
    "an extra inline policy": lambda role: role["inline"].update(extra={"Statement": []}),
    "a changed inline policy": lambda role: role["inline"].update({"policy-more": {"Statement": []}}),
    "a changed deny": lambda role: role["inline"].update({OWN_ROLE: {"Statement": []}}),
    "the boundary removed": lambda role: role.pop("PermissionsBoundary"),
    "longer sessions": lambda role: role.update(MaxSessionDuration=43200),
    "another trust": lambda role: role["AssumeRolePolicyDocument"]["Statement"][0].pop("Condition"),
    "a second statement": lambda role: role["AssumeRolePolicyDocument"]["Statement"].append(
        {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    ),
    "revoked half": lambda role: role["inline"].update({REVOKED: kill_deny()}),
    "closed": lambda role: role.update(AssumeRolePolicyDocument=closed_trust()),
}


@pytest.mark.parametrize("drift", DRIFTS)
def test_a_role_that_was_changed_is_not_taken_for_the_grant(iam: Any, grant: Grant, drift: str) -> None:
    granted(iam, grant)
    DRIFTS[drift](iam.roles["audit"])
    with pytest.raises(Differs):
        plan(grant, read_role(iam, "audit"))


def test_a_role_of_somebody_else_is_never_touched(iam: Any, grant: Grant) -> None:
    granted(iam, grant)
    iam.roles["audit"]["Tags"] = [{"Key": "ticket", "Value": "OPS-1"}]
    with pytest.raises(ForeignRole):
        plan(grant, read_role(iam, "audit"))
    with pytest.raises(ForeignRole):
        adopted(grant, read_role(iam, "audit"))


@pytest.mark.parametrize(
    ("key", "value"), [("valetkey:version", "2"), ("valetkey:session", "long"), ("valetkey:until", "soon")]
)
def test_a_record_of_another_version_or_damaged_is_not_ours(iam: Any, grant: Grant, key: str, value: str) -> None:
    granted(iam, grant)
    for tag in iam.roles["audit"]["Tags"]:
        if tag["Key"] == key:
            tag["Value"] = value
    with pytest.raises(ForeignRole):
        plan(grant, read_role(iam, "audit"))


def test_tags_that_the_organisation_adds_are_no_difference(iam: Any, grant: Grant) -> None:
    granted(iam, grant)
    iam.roles["audit"]["Tags"].append({"Key": "cost-centre", "Value": "42"})
    assert plan(grant, read_role(iam, "audit")) == ()


def test_a_second_run_adopts_the_external_id_that_the_first_made_up(iam: Any, grant: Grant) -> None:
    role = granted(iam, grant, 2)
    again = replace(grant, terms=replace(grant.terms, external_id="f" * 32), request=None, user_id=None)
    assert adopted(again, role) == grant
    chosen = replace(again, external_id_by="owner")
    assert adopted(chosen, role).terms.external_id == "f" * 32
    with pytest.raises(Differs):
        plan(adopted(chosen, role), role)


def test_no_external_id_is_not_adopted_away(iam: Any, grant: Grant) -> None:
    role = granted(iam, replace(grant, terms=replace(grant.terms, external_id=None), external_id_by="none"))
    with pytest.raises(Differs):
        plan(adopted(grant, role), role)


def test_thirty_days_from_now_mean_from_when_the_role_was_made(iam: Any, grant: Grant) -> None:
    made = datetime(2026, 11, 1, tzinfo=UTC)
    role = granted(iam, replace(grant, terms=replace(grant.terms, until=made + timedelta(days=30, minutes=-2))))
    later = replace(grant, terms=replace(grant.terms, until=made + timedelta(days=33)))
    assert plan(adopted(later, role, lasting=timedelta(days=30)), role) == ()
    for other in (timedelta(days=31), timedelta(days=29), None):
        with pytest.raises(Differs):
            plan(adopted(later, role, lasting=other), role)


BAD: dict[str, Any] = {
    "name": {"name": "a b"},
    "no name": {"name": ""},
    "path": {"path": "partners"},
    "a path with a wildcard": {"path": "/part*/"},
    "a path with a variable": {"path": "/$x/"},
    "a path with a quote": {"path": "/o'brien/"},
    "a path with an empty part": {"path": "/a//b/"},
    "a path upwards": {"path": "/a/../b/"},
    "description": {"description": "an em dash — is refused"},
    "a reserved tag": {"tags": (("valetkey:until", "never"),)},
    "a reserved tag in capitals": {"tags": (("ValetKey:until", "never"),)},
    "an aws tag": {"tags": (("aws:x", "y"),)},
    "a tag twice": {"tags": (("Team", "a"), ("team", "b"))},
    "a tag's value": {"tags": (("team", "a,b"),)},
    "too many tags": {"tags": tuple((f"k{number}", "v") for number in range(45))},
    "a short session": {"max_session": 900},
    "a long session": {"max_session": 43201},
    "nothing to grant": {"managed": (), "inline": ()},
    "too large": {"inline": (("policy-x", {"Statement": [{"Sid": "x" * 10240}]}),)},
}


@pytest.mark.parametrize("case", BAD)
def test_every_limit_is_checked_before_any_call(grant: Grant, case: str) -> None:
    with pytest.raises(ValetkeyError) as refused:
        plan(replace(grant, **BAD[case]), None)
    assert refused.value.exit_code == 2
    assert refused.value.do


@pytest.mark.parametrize("external_id", ["x", "with space", "y" * 1225, "grüße"])
def test_an_external_id_that_could_never_be_sent_is_refused(grant: Grant, external_id: str) -> None:
    with pytest.raises(ValetkeyError):
        check(replace(grant, terms=replace(grant.terms, external_id=external_id)))


def test_the_own_account_is_no_outside_party(grant: Grant) -> None:
    with pytest.raises(ValetkeyError, match="is your own account"):
        plan(replace(grant, account=grant.terms.contractor), None)


def test_what_does_not_fit_a_tag_is_recorded_by_its_digest(iam: Any, grant: Grant) -> None:
    odd = f"arn:aws:iam::{iam.account}:policy/with,comma"
    iam.policies[odd] = {"Statement": []}
    assert in_tag(odd).startswith("sha256:")
    wanted = replace(grant, managed=(odd,))
    assert plan(wanted, granted(iam, wanted)) == ()
    assert plan(wanted, granted_without_policies(iam, wanted))[-1].params["PolicyArn"] == odd


def granted_without_policies(iam: Any, grant: Grant) -> Any:
    iam.roles[grant.name]["managed"] = []
    return read_role(iam, grant.name)


def test_documents_come_back_in_another_order_of_keys(iam: Any, grant: Grant) -> None:
    granted(iam, grant)
    inline = iam.roles["audit"]["inline"]
    for name, document in list(inline.items()):
        inline[name] = dict(reversed(copy.deepcopy(document).items()))
    assert plan(grant, read_role(iam, "audit")) == ()


def test_an_end_that_has_passed_is_not_adopted(iam: Any, grant: Grant) -> None:
    hour = timedelta(hours=1)
    made = datetime(2026, 11, 1, tzinfo=UTC)  # when the fake makes every role
    first = replace(grant, terms=replace(grant.terms, until=made + hour))
    for call in plan(first, None):
        iam(call)
    later = replace(grant, terms=replace(grant.terms, until=made + 3 * hour))
    with pytest.raises(Differs):
        plan(adopted(later, read_role(iam, "audit"), lasting=hour), read_role(iam, "audit"))


def test_the_recorded_external_id_may_be_named_again(iam: Any, grant: Grant) -> None:
    for call in plan(replace(grant, external_id_by="valetkey"), None):
        iam(call)
    again = adopted(replace(grant, external_id_by="owner"), read_role(iam, "audit"))
    assert plan(again, read_role(iam, "audit")) == ()


def test_a_role_whose_name_is_spelt_in_another_case_is_not_the_grant(iam: Any, grant: Grant) -> None:
    for call in plan(grant, None):
        iam(call)
    with pytest.raises(Differs) as differs:
        plan(replace(grant, name="Audit"), read_role(iam, "audit"))
    assert "name" in [each.what for each in differs.value.rows]
