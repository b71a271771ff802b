"""A grant planned: the order of its calls, what an interruption leaves, and what is refused rather than changed."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.unit.grants.whole_errors import whole_error

from valetkey.errors import ValetkeyError
from valetkey.grants.grant import OWN_ROLE, REVOKED, UNTIL, ForeignRole, Grant, in_tag, read_record, terms_digest
from valetkey.grants.plan import Differs, Order, adopted, check, plan, target
from valetkey.grants.role import read_role
from valetkey.grants.waiting import Settle
from valetkey.trust.record import CHANGING
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
    tags = {tag["Key"]: tag["Value"] for tag in create.params["Tags"]}
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
    assert "name" in [difference.what for difference in differs.value.rows]


# -- whole ---------------------------------------------------------------

AUDIT, VIEW, READ = (
    f"arn:aws:iam::aws:policy/{name}" for name in ("SecurityAudit", "job-function/ViewOnlyAccess", "ReadOnlyAccess")
)


def rows_of(wanted: Grant, role: Any) -> list[tuple[str, str, str]]:
    with pytest.raises(Differs) as refused:
        plan(wanted, role)
    problem, rows = refused.value, refused.value.rows
    assert problem.name == wanted.name
    assert whole_error(refused) == (
        f"the role {wanted.name} exists, and differs from your options in {len(rows)} point(s)",
        "give the options of the existing grant, or change it with `valetkey change`; nothing was changed",
        "",
        2,
    )
    assert not any(difference.missing for difference in rows)
    return [(difference.what, difference.agreed, difference.found) for difference in rows]


@pytest.mark.parametrize(
    ("what", "rows"),
    [
        ("ExternalId", [("ExternalId", "ext,id:with=/signs", "another-one"), ("external-id-by", "valetkey", "owner")]),
        ("contractor", [("contractor", "222222222222", "123456789012")]),
        (
            "mfa",
            [
                ("mfa", "yes", "no"),
                ("mfa max age", "3600", "none"),
                ("only", "none", "arn:aws:iam::222222222222:role/robot"),
            ],
        ),
        ("until", [("until", "2026-12-31T00:00:00Z", "none")]),
        ("session", [("session", "7200", "3600")]),
        ("boundary", [("boundary", READ, "none")]),
        ("policy:2", [("policy:2", VIEW, "none")]),
        ("policy:3", [("policy:1", AUDIT, READ), ("policy:2", VIEW, AUDIT), ("policy:3", "none", VIEW)]),
        ("description", [("description", "The yearly audit", "other")]),
        ("path", [("path", "/partners/", "/")]),
        ("tag ticket", [("tag ticket", "OPS-1", "OPS-2")]),
    ],
)
def test_every_point_is_shown_with_what_is_there_and_what_was_asked_for(
    iam: Any, grant: Grant, what: str, rows: list[tuple[str, str, str]]
) -> None:
    assert rows_of(CHANGES[what](grant), granted(iam, grant)) == rows


@pytest.mark.parametrize(
    ("drift", "rows"),
    [
        (
            "an extra managed policy",
            [("managed policy on the role", "arn:aws:iam::aws:policy/AdministratorAccess", "none")],
        ),
        ("an extra inline policy", [("inline policy on the role", "extra", "none")]),
        ("a changed deny", [("inline policy on the role", f"{OWN_ROLE}, changed", OWN_ROLE)]),
        ("the boundary removed", [("boundary on the role", "none", READ)]),
        ("longer sessions", [("session limit (s) on the role", "43200", "7200")]),
        (
            "closed",
            [
                (
                    "trust policy on the role",
                    "changed: not in a form that valetkey writes",
                    "as valetkey wrote it",
                )
            ],
        ),
        (
            "revoked half",
            [("revocation", "in progress: run `valetkey revoke` again to finish it", "a new grant")],
        ),
    ],
)
def test_every_point_in_which_the_role_was_changed_is_shown(
    iam: Any, grant: Grant, drift: str, rows: list[tuple[str, str, str]]
) -> None:
    role = granted(iam, grant)
    DRIFTS[drift](iam.roles["audit"])
    assert rows_of(grant, read_role(iam, "audit")) == rows
    # Of a revocation nothing else is said, whatever else differs.
    other = replace(grant, description="other")
    more = [] if drift == "revoked half" else [("description", "The yearly audit", "other")]
    assert rows_of(other, read_role(iam, "audit")) == [*more, *rows]
    assert role.description == "The yearly audit"


def test_a_trust_that_no_longer_tells_the_terms_is_compared_by_the_record(iam: Any, grant: Grant) -> None:
    granted(iam, grant)
    iam.roles["audit"]["AssumeRolePolicyDocument"] = closed_trust()
    assert grant.terms.until is not None
    other = replace(
        grant, terms=replace(grant.terms, contractor="123456789012", until=grant.terms.until + timedelta(1))
    )
    rows = rows_of(other, read_role(iam, "audit"))
    assert rows[:3] == [
        ("contractor", "222222222222", "123456789012"),
        ("until", "2026-12-31T00:00:00Z", "2027-01-01T00:00:00Z"),
        ("terms", terms_digest(grant.terms), terms_digest(other.terms)),
    ]
    assert [row[0] for row in rows[3:]] == ["trust policy on the role"]
    same_end = replace(grant, terms=replace(grant.terms, mfa_max_age=None))
    assert [item[0] for item in rows_of(same_end, read_role(iam, "audit"))] == ["terms", "trust policy on the role"]


def test_a_change_that_was_interrupted_is_finished_first(iam: Any, grant: Grant) -> None:
    granted(iam, grant)
    iam.roles["audit"]["Tags"].append({"Key": CHANGING, "Value": "2026-11-23T12:00:00Z sha256:0"})
    words = "in progress: run the same `valetkey change` command again to finish it"
    assert rows_of(replace(grant, description="x"), read_role(iam, "audit")) == [("change", words, "a new grant")]


def test_a_tag_and_a_description_that_are_not_there_are_shown_as_none(iam: Any, grant: Grant) -> None:
    role = granted(iam, replace(grant, tags=(), description=""))
    assert rows_of(grant, role) == [("tag ticket", "none", "OPS-1"), ("description", "none", "The yearly audit")]
    assert rows_of(replace(grant, description=""), granted_anew(iam, grant)) == [
        ("description", "The yearly audit", "none"),
    ]
    # A reading call that does not tell the description says nothing about it.
    assert plan(replace(grant, description="x"), replace(granted_anew(iam, grant), description=None)) == ()


def granted_anew(iam: Any, grant: Grant) -> Any:
    iam.roles.clear()
    return granted(iam, grant)


def test_lines_of_the_history_are_no_difference(iam: Any, grant: Grant) -> None:
    granted(iam, grant)
    iam.roles["audit"]["Tags"].append({"Key": "valetkey:change:1", "Value": "x"})
    assert plan(grant, read_role(iam, "audit")) == ()
    iam.roles["audit"]["Tags"].append({"Key": "valetkey:odd", "Value": "x"})
    assert rows_of(grant, read_role(iam, "audit")) == [("odd", "x", "none")]


@pytest.mark.parametrize(
    ("case", "what", "do"),
    [
        (
            "a path upwards",
            "the role has a path with //, /./ or /../ in it",
            "give a --path of letters, digits, _+=,.@- and single slashes",
        ),
        (
            "a reserved tag in capitals",
            "the tag key ValetKey:until begins with valetkey:, which is the grant's record",
            "use another key",
        ),
        ("a tag twice", "a tag key occurs twice; AWS ignores case in tag keys", "give each key once"),
        (
            "too many tags",
            "45 tags and 12 of the grant's record exceed AWS's limit of 50",
            "give fewer --tag or --policy",
        ),
        (
            "a long session",
            "a session limit of 43201 s is outside AWS's 3600 to 43200 s (1h to 12h)",
            "give --session between 1h and 12h; the contractor can always request shorter sessions",
        ),
        ("nothing to grant", "a grant needs at least one policy", "name one with --policy"),
    ],
)
def test_a_limit_is_told_with_what_to_do(grant: Grant, case: str, what: str, do: str) -> None:
    with pytest.raises(ValetkeyError) as refused:
        check(replace(grant, **BAD[case]))
    assert whole_error(refused) == (what, do, "", 2)


def test_the_own_account_is_named_in_the_refusal(grant: Grant) -> None:
    with pytest.raises(ValetkeyError) as refused:
        check(replace(grant, account=grant.terms.contractor))
    assert whole_error(refused) == (
        "222222222222 is your own account, in which the role would be; a grant is for another account",
        "give the contractor's account; your own users need no such role",
        "",
        2,
    )


@pytest.mark.parametrize("seconds", [3600, 43200])
def test_the_shortest_and_the_longest_session_of_aws_can_be_granted(grant: Grant, seconds: int) -> None:
    check(replace(grant, max_session=seconds))
    for outside in (3599, 43201):
        with pytest.raises(ValetkeyError, match=f"a session limit of {outside} s"):
            check(replace(grant, max_session=outside))


def test_as_many_tags_as_aws_takes_can_be_granted(grant: Grant) -> None:
    own = 50 - len(grant.record)
    check(replace(grant, tags=tuple((f"k{number}", "v") for number in range(own))))
    with pytest.raises(ValetkeyError, match=f"{own + 1} tags and 12 of"):
        check(replace(grant, tags=tuple((f"k{number}", "v") for number in range(own + 1))))


def test_inline_policies_may_fill_a_role_but_for_what_a_revocation_needs(grant: Grant) -> None:
    """Whitespace inside a text counts as little as between the keys."""

    def sized(number: int) -> Grant:
        return replace(grant, inline=(("policy-x", {"Statement": [{"Sid": "x y " + "z" * number}]}),))

    with pytest.raises(ValetkeyError, match="the inline policies have 19,") as refused:
        check(sized(19000))
    base = int(refused.value.what.split()[4].replace(",", "")) - 19000
    check(sized(10240 - base))
    rest = "characters with the grant's own denies; AWS allows 10,240 on a role (whitespace not counted)"
    with pytest.raises(ValetkeyError) as refused:
        check(sized(10241 - base))
    assert whole_error(refused) == (
        f"the inline policies have 10,241 {rest}",
        "create a managed policy from the larger file and name it",
        "",
        2,
    )


def test_what_is_not_asked_for_is_not_sent(grant: Grant) -> None:
    bare = replace(grant, boundary=None, description="", tags=(), inline=())
    create, *rest = plan(bare, None)
    assert set(create.params) == {"RoleName", "Path", "AssumeRolePolicyDocument", "MaxSessionDuration", "Tags"}
    assert {tag["Key"]: tag["Value"] for tag in create.params["Tags"]} == bare.record
    assert [target(create), *map(target, rest)] == ["", OWN_ROLE, UNTIL, AUDIT, VIEW]


def test_policies_are_ranked_by_what_they_hold(grant: Grant) -> None:
    order = Order({AUDIT: "both", VIEW: "denies"}, frozenset({1}))
    calls = plan(grant, None)
    assert [order.rank(call, grant) for call in calls] == [0, 0, 0, 2, 1, 0]
    said = ["wait" if isinstance(step, Settle) else target(step) for step in order.steps(grant, calls)]
    assert said == ["", OWN_ROLE, UNTIL, VIEW, "wait", AUDIT, "policy-more"]
    # Of policies that only allow, the wait before the next rank is enough.
    only = Order({AUDIT: "allows", VIEW: "denies"}, frozenset({1, 2}))
    said = ["wait" if isinstance(step, Settle) else target(step) for step in only.steps(grant, calls)]
    assert said == ["", OWN_ROLE, UNTIL, VIEW, "wait", "policy-more", AUDIT]


@pytest.mark.parametrize(
    ("apart", "taken"),
    [
        (timedelta(0), True),
        (timedelta(hours=1), True),
        (timedelta(hours=-1), True),
        (timedelta(hours=1, seconds=1), False),
        (timedelta(hours=-1, seconds=-1), False),
    ],
)
def test_the_recorded_end_is_the_one_that_was_meant_within_an_hour(
    iam: Any, grant: Grant, apart: timedelta, taken: bool
) -> None:
    made, month = datetime(2026, 11, 1, tzinfo=UTC), timedelta(days=30)
    role = granted(iam, replace(grant, terms=replace(grant.terms, until=made + month + apart)))
    later = replace(grant, terms=replace(grant.terms, until=made + month + timedelta(days=3)))
    result = adopted(later, role, lasting=month).terms.until
    assert (result == made + month + apart) is taken
    assert result in (made + month + apart, later.terms.until)


@pytest.mark.parametrize(("passed", "taken"), [(-1, True), (0, False)])
def test_an_end_that_is_over_now_is_not_taken(iam: Any, grant: Grant, passed: int, taken: bool) -> None:
    """The end that was asked for is `lasting` from now."""
    made, hour = datetime(2026, 11, 1, tzinfo=UTC), timedelta(hours=1)
    role = granted(iam, replace(grant, terms=replace(grant.terms, until=made + hour)))
    now = made + hour + timedelta(seconds=passed)
    again = replace(grant, terms=replace(grant.terms, until=now + hour))
    assert (adopted(again, role, lasting=hour).terms.until == made + hour) is taken


def test_an_end_before_the_recorded_one_is_not_moved_later(iam: Any, grant: Grant) -> None:
    made, month = datetime(2026, 11, 1, tzinfo=UTC), timedelta(days=30)
    role = granted(iam, replace(grant, terms=replace(grant.terms, until=made + month)))
    for until, taken in ((made + month, True), (made + month - timedelta(seconds=1), False), (None, False)):
        again = replace(grant, terms=replace(grant.terms, until=until))
        assert (adopted(again, role, lasting=month).terms.until == made + month) is taken
    endless = granted_anew(iam, replace(grant, terms=replace(grant.terms, until=None)))
    again = replace(grant, terms=replace(grant.terms, until=made + month))
    assert adopted(again, endless, lasting=month) == again


def test_who_asked_is_taken_from_the_record_unless_a_request_says_it(iam: Any, grant: Grant) -> None:
    role = granted(iam, grant)
    again = replace(grant, request=None, user_id=None)
    assert adopted(again, role) == grant
    other = replace(grant, request="other-words", user_id=None)
    assert adopted(other, role) == other
    assert adopted(grant, None) == grant


def test_who_chose_the_external_id_stays_where_it_is_the_same(iam: Any, grant: Grant) -> None:
    role = granted(iam, replace(grant, external_id_by="contractor"))
    assert adopted(replace(grant, external_id_by="owner"), role).external_id_by == "contractor"
    other = replace(grant, external_id_by="owner", terms=replace(grant.terms, external_id="another"))
    assert adopted(other, role) == other
    iam.roles["audit"]["AssumeRolePolicyDocument"] = closed_trust()
    assert adopted(other, read_role(iam, "audit")) == other
