"""`show --as command` and `grant --like`: the line of a grant makes that grant; a model gives nothing up by itself."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.unit.grants.handmade import ID, MFA, ROOT, allow, made, trust
from tests.unit.grants.whole_errors import whole_error

from valetkey.errors import ValetkeyError
from valetkey.grants.adopt import adopt
from valetkey.grants.adopt_prepare import Wish, prepare_adoption
from valetkey.grants.command import grant_line, like
from valetkey.grants.grant import Grant
from valetkey.grants.options import OwnerOptions, usual_description
from valetkey.grants.plan import plan
from valetkey.grants.role import read_owner, read_role
from valetkey.grants.status import Standing, read_standing
from valetkey.grants.waiting import Waiting
from valetkey.trust import Terms

ALICE = "arn:aws:iam::222222222222:user/alice"
CI = "arn:aws:iam::222222222222:role/ci"


def standing(iam: Any, grant: Grant) -> Standing:
    for call in plan(grant, None):
        iam(call)
    role = read_role(iam, grant.name)
    assert role is not None
    return read_standing(role)


def test_the_line_says_everything(iam: Any, grant: Grant) -> None:
    made = grant_line(standing(iam, grant))
    assert shlex.split(made.line) == [
        *("valetkey", "grant", "audit", "--to", "222222222222", "--external-id", "ext,id:with=/signs"),
        *("--mfa-max-age", "3600s", "--until", "2026-12-31T00:00:00Z"),
        *("--policy", "arn:aws:iam::aws:policy/SecurityAudit"),
        *("--policy", "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess", "--policy", "./more.json"),
        *("--boundary", "arn:aws:iam::aws:policy/ReadOnlyAccess", "--session", "7200s", "--tag", "ticket=OPS-1"),
        *("--description", "The yearly audit", "--path", "/partners/"),
    ]
    assert made.files == ("./more.json",)


def test_what_is_given_up_is_in_the_line(iam: Any, grant: Grant) -> None:
    terms = Terms(contractor="222222222222", mfa=False, only=(CI,), session_tags=True)
    plain = replace(
        grant,
        terms=terms,
        external_id_by="none",
        inline=(),
        boundary=None,
        tags=(),
        description=usual_description("222222222222"),
        path="/",
        max_session=3600,
        managed=("arn:aws:iam::aws:policy/SecurityAudit",),
    )
    assert grant_line(standing(iam, plain)).line == (
        "valetkey grant audit --to 222222222222 --no-external-id --no-mfa "
        f"--only {CI} --session-tags --until never --policy arn:aws:iam::aws:policy/SecurityAudit"
    )


def test_a_role_that_no_grant_makes_has_no_line(iam: Any, grant: Grant) -> None:
    result = standing(iam, grant)
    with pytest.raises(ValetkeyError) as problem:
        grant_line(replace(result, terms=None))
    assert problem.value.exit_code == 1
    gone = replace(grant.terms, mfa_max_age=None, pin=("AIDAJQABLZS4A3QDU576Q",))
    with pytest.raises(ValetkeyError, match="deleted"):
        grant_line(replace(result, terms=gone))


ASKED = OwnerOptions(name="second")


def test_a_model_fills_what_no_flag_says(iam: Any, grant: Grant) -> None:
    result = standing(iam, grant)
    model = like(ASKED, result)
    made = model.asked
    assert (made.contractor, made.mfa_max_age, made.session) == ("222222222222", 3600, 7200)
    assert (made.boundary, made.path, made.description) == (grant.boundary, "/partners/", "The yearly audit")
    assert made.tags == (("ticket", "OPS-1"),)
    assert made.policies == (*sorted(grant.managed), "./more.json")
    assert json.loads(model.documents["./more.json"]) == dict(grant.inline)["policy-more"]
    # One for each contractor and customer, and a decision of its own.
    assert (made.external_id, made.until, made.name) == (None, None, "second")
    flags = replace(ASKED, contractor="333333333333", policies=("x",), session=3600, tags=(("ticket", "2"),))
    said = like(flags, result)
    assert (said.asked.contractor, said.asked.policies, said.asked.session) == ("333333333333", ("x",), 3600)
    assert (said.asked.tags, said.documents) == ((("ticket", "2"),), {})
    assert like(ASKED, result, requester="333333333333").asked.contractor is None


def test_a_model_gives_nothing_up_by_itself(iam: Any, grant: Grant) -> None:
    terms = Terms(contractor="222222222222", mfa=False, only=(CI,))
    result = standing(iam, replace(grant, terms=terms, external_id_by="none"))
    model = like(ASKED, result)
    assert (model.asked.mfa, model.asked.no_external_id, model.asked.only) == (True, False, ())
    assert [item for item in model.says if "--no-mfa" in item]
    assert [item for item in model.says if "--no-external-id" in item]
    assert like(replace(ASKED, mfa=False), result).asked.only == (CI,)
    assert like(replace(ASKED, mfa=False, only=("x",)), result).asked.only == ("x",)


def test_people_are_taken_for_the_same_contractor_only(iam: Any, grant: Grant) -> None:
    terms = Terms(contractor="222222222222", external_id="x2", only=(ALICE,), until=datetime(2027, 1, 1, tzinfo=UTC))
    result = standing(iam, replace(grant, terms=terms))
    assert like(ASKED, result).asked.only == (ALICE,)
    assert like(replace(ASKED, contractor="222222222222"), result).asked.only == (ALICE,)
    assert like(ASKED, result, requester="222222222222").asked.only == (ALICE,)
    other = like(replace(ASKED, contractor="333333333333"), result)
    assert other.asked.only == ()
    assert [item for item in other.says if "another account" in item]
    assert like(replace(ASKED, pin=("y",)), result).asked.only == ()


def test_a_model_hands_no_external_id_of_a_rotation_on(iam: Any, grant: Grant) -> None:
    """The id of before is as much the other contractor's as the new one."""
    terms = replace(
        grant.terms, previous_external_id="the-id-of-before", previous_until=datetime(2026, 12, 1, tzinfo=UTC)
    )
    made = like(replace(ASKED, contractor="333333333333"), standing(iam, replace(grant, terms=terms))).asked
    assert (made.external_id, made.previous_external_id, made.previous_until) == (None, None, None)


def test_a_model_does_not_let_a_whole_account_in(iam: Any, grant: Grant) -> None:
    terms = Terms(contractor="222222222222", external_id="7f1c0a55-2f0e-4c9b", mfa=False, whole_account=True)
    model = like(ASKED, standing(iam, replace(grant, terms=terms)))
    assert (model.asked.mfa, model.asked.whole_account) == (True, False)
    assert [item for item in model.says if "--no-mfa with --whole-account" in item]


@pytest.mark.parametrize("document", [trust(allow(ROOT, MFA)), trust(allow(ROOT, ID))], ids=["mfa", "vendor"])
def test_an_adopted_role_has_no_line_and_is_no_model(
    iam: Any, now: datetime, waiting: Waiting, document: dict[str, Any]
) -> None:
    """Its terms are what its trust policy asks for at least; a line or a model of them would be another role."""
    made(iam, document)

    def adopted(**said: Any) -> Standing:
        wish = Wish(name="puppeteers", until=datetime(2026, 12, 31, tzinfo=UTC), **said)
        ready = prepare_adoption(wish, owner=read_owner(iam), perform=iam, now=now)
        return adopt(ready, perform=iam, waiting=waiting).standing

    result = adopted()
    for refused in (lambda: grant_line(result), lambda: like(ASKED, result)):
        with pytest.raises(ValetkeyError, match="adopted") as problem:
            refused()
        assert (problem.value.exit_code, problem.value.where) == (1, result.role.arn)
        assert "valetkey adopt puppeteers --tighten" in problem.value.do
    # With a trust policy of valetkey's own it is a model like any other; its own denies are not policies.
    assert like(ASKED, adopted(tighten=True)).documents.keys() == {"./a,b.json"}


# -- refused and bounds ---------------------------------------------------------------

ARN = "arn:aws:iam::111111111111:role/partners/audit"


def test_a_role_that_no_grant_makes_is_told_why(iam: Any, grant: Grant) -> None:
    result = standing(iam, grant)
    gone = replace(grant.terms, mfa_max_age=None, pin=("AIDAJQABLZS4A3QDU576Q",))
    tighten = "`valetkey adopt audit --tighten` replaces it with one that `grant` can reproduce"
    for case, what, do in (
        (
            replace(result, terms=None),
            "the trust policy of audit has no form that valetkey writes: no `grant` command can reproduce it",
            "see `valetkey show`",
        ),
        (
            replace(result, terms=gone),
            "audit is pinned to a principal that was deleted: no `grant` command can reproduce it",
            "create a new grant that names an existing principal",
        ),
        (
            replace(result, record=replace(result.record, trust="sha256:0")),
            "audit was made by other means and adopted: no `grant` command can reproduce its trust policy",
            f"{tighten}; or give the terms and policies of the new grant as options",
        ),
    ):
        for refused in (lambda given: grant_line(given), lambda given: like(ASKED, given)):
            with pytest.raises(ValetkeyError) as problem:
                refused(case)
            assert whole_error(problem) == (what, do, ARN, 1)


def test_an_inline_policy_of_another_hand_has_no_line(iam: Any, grant: Grant) -> None:
    more = (("policy-z", {}), ("zz-other", {}), ("aa-other", {}))
    result = standing(iam, replace(grant, inline=more))
    with pytest.raises(ValetkeyError) as problem:
        grant_line(result)
    assert whole_error(problem) == (
        "the role's inline policy aa-other is not one that `grant` writes",
        "see `valetkey show`",
        "",
        1,
    )
    assert like(ASKED, result).documents.keys() == {"./z.json", "./aa-other.json", "./zz-other.json"}


@pytest.mark.parametrize(
    ("terms", "options"),
    [
        ({}, "--external-id x-1 --until never"),
        ({"external_id": None}, "--no-external-id --until never"),
        ({"until": datetime(2027, 1, 1, tzinfo=UTC)}, "--external-id x-1 --until 2027-01-01T00:00:00Z"),
        ({"mfa_max_age": 900}, "--external-id x-1 --mfa-max-age 900s --until never"),
        ({"mfa": False, "only": (CI, ALICE)}, f"--external-id x-1 --no-mfa --only {CI} --only {ALICE} --until never"),
        ({"pin": (ALICE,)}, f"--external-id x-1 --pin {ALICE} --until never"),
        ({"name_people": True}, "--external-id x-1 --name-people --until never"),
        ({"source_identity": True}, "--external-id x-1 --source-identity --until never"),
        ({"session_tags": True}, "--external-id x-1 --session-tags --until never"),
        ({"from_ip": ("192.0.2.0/24",)}, "--external-id x-1 --from-ip 192.0.2.0/24 --until never"),
        (
            {"mfa": False, "whole_account": True, "external_id": "7f1c0a55-2f0e-4c9b"},
            "--external-id 7f1c0a55-2f0e-4c9b --no-mfa --whole-account --until never",
        ),
    ],
)
def test_each_term_is_an_option_or_goes_without_saying(
    iam: Any, grant: Grant, terms: dict[str, Any], options: str
) -> None:
    wanted = Terms(**{"contractor": "222222222222", "external_id": "x-1", **terms})
    plain = Grant(
        name="audit",
        account=grant.account,
        terms=wanted,
        managed=("arn:aws:iam::aws:policy/SecurityAudit",),
        description=usual_description("222222222222"),
    )
    line = grant_line(standing(iam, plain))
    said, kept = line.line.removeprefix("valetkey grant audit --to 222222222222 "), line.files
    words = shlex.split(said.removesuffix(" --policy arn:aws:iam::aws:policy/SecurityAudit"))
    assert sorted(words) == sorted(shlex.split(options))
    assert kept == ()


@pytest.mark.parametrize(
    ("role", "more"),
    [
        ({"max_session": None}, ""),
        ({"max_session": 3601}, " --session 3601s"),
        ({"description": None}, ""),
        ({"description": ""}, " --description ''"),
        ({"description": "-x y"}, " --description='-x y'"),
        ({"path": "/a/"}, " --path /a/"),
        ({"boundary": "b"}, " --boundary b"),
        ({"tags": {"b": "1", "a": "2", "valetkey:x": "3"}}, " --tag a=2 --tag b=1"),
    ],
)
def test_what_a_role_has_besides_is_an_option(iam: Any, grant: Grant, role: dict[str, Any], more: str) -> None:
    plain = Grant(
        name="audit",
        account=grant.account,
        terms=Terms(contractor="222222222222", external_id="x-1"),
        managed=("m",),
        description=usual_description("222222222222"),
    )
    result = standing(iam, plain)
    line = grant_line(replace(result, role=replace(result.role, **role))).line
    assert line == f"valetkey grant audit --to 222222222222 --external-id x-1 --until never --policy m{more}"


def test_a_model_is_taken_whole(iam: Any, grant: Grant) -> None:
    """Every term but those that are decided anew each time."""
    terms = Terms(
        contractor="222222222222",
        external_id="x-1",
        mfa_max_age=900,
        only=(ALICE,),
        name_people=True,
        source_identity=True,
        session_tags=True,
        from_ip=("192.0.2.0/24",),
        until=datetime(2027, 1, 1, tzinfo=UTC),
    )
    model = like(ASKED, standing(iam, replace(grant, terms=terms)))
    assert model.says == ()
    assert model.asked == OwnerOptions(
        name="second",
        contractor="222222222222",
        policies=(*sorted(grant.managed), "./more.json"),
        mfa_max_age=900,
        only=(ALICE,),
        name_people=True,
        source_identity=True,
        session_tags=True,
        from_ip=("192.0.2.0/24",),
        session=7200,
        boundary=grant.boundary,
        tags=(("ticket", "OPS-1"),),
        description="The yearly audit",
        path="/partners/",
    )


def test_a_flag_wins_over_the_model(iam: Any, grant: Grant) -> None:
    flags = OwnerOptions(
        name="second",
        contractor="222222222222",
        policies=("x",),
        mfa_max_age=60,
        session=3600,
        boundary="b",
        tags=(("ticket", "2"), ("more", "3")),
        description="",
        path="/other/",
        until=datetime(2027, 1, 1, tzinfo=UTC),
        external_id="mine",
    )
    model = like(flags, standing(iam, grant))
    assert model.asked == replace(flags, tags=(("ticket", "2"), ("more", "3")))
    assert model.documents == {}


def test_what_needs_mfa_is_not_taken_without_it(iam: Any, grant: Grant) -> None:
    terms = replace(grant.terms, name_people=True)
    result = standing(iam, replace(grant, terms=terms))
    without = like(replace(ASKED, mfa=False, only=(CI,)), result).asked
    assert (without.mfa_max_age, without.name_people) == (None, False)
    with_mfa = like(ASKED, result).asked
    assert (with_mfa.mfa_max_age, with_mfa.name_people) == (3600, True)


@pytest.mark.parametrize(
    ("description", "asked", "taken"),
    [
        ("The yearly audit", None, "The yearly audit"),
        ("The yearly audit", "mine", "mine"),
        ("", None, None),
        (usual_description("222222222222"), None, None),
    ],
)
def test_a_description_that_says_something_is_taken(
    iam: Any, grant: Grant, description: str, asked: str | None, taken: str | None
) -> None:
    result = standing(iam, replace(grant, description=description))
    assert like(replace(ASKED, description=asked), result).asked.description == taken


NO_MFA = "The other grant does not require MFA; this one does. To grant without MFA, add --no-mfa with"
NO_ID = "The other grant has no ExternalId; this one does. To grant without one, add --no-external-id."
NAMES = "The other grant names principals of another account; they are not copied."


@pytest.mark.parametrize(
    ("terms", "asked", "requester", "says"),
    [
        ({"mfa": False, "only": (CI,)}, {}, None, (f"{NO_MFA} --only or --pin.", NO_ID)),
        ({"mfa": False, "only": (CI,)}, {"mfa": False, "no_external_id": True}, None, ()),
        (
            {"mfa": False, "whole_account": True, "external_id": "7f1c0a55-2f0e-4c9b"},
            {},
            None,
            (f"{NO_MFA} --whole-account and --external-id.",),
        ),
        ({"external_id": "x-1", "only": (ALICE,)}, {}, None, ()),
        ({"external_id": "x-1", "only": (ALICE,)}, {"contractor": "333333333333"}, None, (NAMES,)),
        ({"external_id": "x-1", "pin": (ALICE,)}, {}, "333333333333", (NAMES,)),
        ({"external_id": "x-1", "pin": (ALICE,)}, {"only": ("x",)}, "333333333333", ()),
        ({"external_id": "x-1", "pin": (ALICE,)}, {"pin": ("x",)}, "333333333333", ()),
        ({"external_id": "x-1"}, {"contractor": "333333333333"}, None, ()),
    ],
)
def test_what_was_not_taken_is_said(
    iam: Any, grant: Grant, terms: dict[str, Any], asked: dict[str, Any], requester: str | None, says: tuple[str, ...]
) -> None:
    by = "valetkey" if terms.get("external_id") else "none"
    model = replace(grant, terms=Terms(contractor="222222222222", **terms), external_id_by=by)
    result = like(replace(ASKED, **asked), standing(iam, model), requester=requester)
    assert result.says == says
    taken = (result.asked.only, result.asked.pin)
    is_same = not requester and not asked.get("contractor") and asked.get("mfa", True) == terms.get("mfa", True)
    given = (asked.get("only", ()), asked.get("pin", ()))
    assert taken == ((terms.get("only", ()), terms.get("pin", ())) if is_same and given == ((), ()) else given)


def test_an_inline_policy_that_is_not_on_the_role_is_no_document(iam: Any, grant: Grant) -> None:
    result = standing(iam, grant)
    result = replace(result, role=replace(result.role, inline={}))
    assert (like(ASKED, result).documents, like(ASKED, result).asked.policies) == ({}, (*sorted(grant.managed),))
