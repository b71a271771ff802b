"""`show --as command` and `grant --like`: the line of a grant makes that grant; a model gives nothing up by itself."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.unit.grants.handmade import ID, MFA, ROOT, allow, made, trust

from valetkey.errors import ValetkeyError
from valetkey.grants.adopt import adopt
from valetkey.grants.adopt_prepare import Wish, prepare_adoption
from valetkey.grants.command import grant_line, like
from valetkey.grants.grant import Grant
from valetkey.grants.options import Asked, usual_description
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
    found = standing(iam, grant)
    with pytest.raises(ValetkeyError) as problem:
        grant_line(replace(found, terms=None))
    assert problem.value.exit_code == 1
    gone = replace(grant.terms, mfa_max_age=None, pin=("AIDAJQABLZS4A3QDU576Q",))
    with pytest.raises(ValetkeyError, match="deleted"):
        grant_line(replace(found, terms=gone))


ASKED = Asked(name="second")


def test_a_model_fills_what_no_flag_says(iam: Any, grant: Grant) -> None:
    found = standing(iam, grant)
    model = like(ASKED, found)
    made = model.asked
    assert (made.contractor, made.mfa_max_age, made.session) == ("222222222222", 3600, 7200)
    assert (made.boundary, made.path, made.description) == (grant.boundary, "/partners/", "The yearly audit")
    assert made.tags == (("ticket", "OPS-1"),)
    assert made.policies == (*sorted(grant.managed), "./more.json")
    assert json.loads(model.documents["./more.json"]) == dict(grant.inline)["policy-more"]
    # One for each contractor and customer, and a decision of its own.
    assert (made.external_id, made.until, made.name) == (None, None, "second")
    flags = replace(ASKED, contractor="333333333333", policies=("x",), session=3600, tags=(("ticket", "2"),))
    said = like(flags, found)
    assert (said.asked.contractor, said.asked.policies, said.asked.session) == ("333333333333", ("x",), 3600)
    assert (said.asked.tags, said.documents) == ((("ticket", "2"),), {})
    assert like(ASKED, found, requester="333333333333").asked.contractor is None


def test_a_model_gives_nothing_up_by_itself(iam: Any, grant: Grant) -> None:
    terms = Terms(contractor="222222222222", mfa=False, only=(CI,))
    found = standing(iam, replace(grant, terms=terms, external_id_by="none"))
    model = like(ASKED, found)
    assert (model.asked.mfa, model.asked.no_external_id, model.asked.only) == (True, False, ())
    assert [each for each in model.says if "--no-mfa" in each]
    assert [each for each in model.says if "--no-external-id" in each]
    assert like(replace(ASKED, mfa=False), found).asked.only == (CI,)
    assert like(replace(ASKED, mfa=False, only=("x",)), found).asked.only == ("x",)


def test_people_are_taken_for_the_same_contractor_only(iam: Any, grant: Grant) -> None:
    terms = Terms(contractor="222222222222", external_id="x2", only=(ALICE,), until=datetime(2027, 1, 1, tzinfo=UTC))
    found = standing(iam, replace(grant, terms=terms))
    assert like(ASKED, found).asked.only == (ALICE,)
    other = like(replace(ASKED, contractor="333333333333"), found)
    assert other.asked.only == ()
    assert [each for each in other.says if "another account" in each]
    assert like(replace(ASKED, pin=("y",)), found).asked.only == ()


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
    assert [each for each in model.says if "--no-mfa with --whole-account" in each]


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

    found = adopted()
    for refused in (lambda: grant_line(found), lambda: like(ASKED, found)):
        with pytest.raises(ValetkeyError, match="adopted") as problem:
            refused()
        assert (problem.value.exit_code, problem.value.where) == (1, found.role.arn)
        assert "valetkey adopt puppeteers --tighten" in problem.value.do
    # With a trust policy of valetkey's own it is a model like any other; its own denies are not policies.
    assert like(ASKED, adopted(tighten=True)).documents.keys() == {"./a,b.json"}
