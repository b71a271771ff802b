"""Adopting a role: the whole of what is prepared and written, and each refusal with what to do."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.unit.grants.fake_iam import FakeIam
from tests.unit.grants.handmade import CONTRACTOR, ID, MFA, ROOT, WEAK_MFA, allow, made, trust
from tests.unit.grants.whole_errors import Late, refuse, whole_error

from valetkey.account.calls import Call
from valetkey.errors import ValetkeyError
from valetkey.exchange.files import AccessRequest, Received
from valetkey.grants.adopt import adopt
from valetkey.grants.adopt_prepare import Adoption, Candidate, NotAdopted, Wish, candidates, judge, prepare_adoption
from valetkey.grants.grant import OWN_ROLE, REVOKED, UNTIL, Grant
from valetkey.grants.make import Interrupted
from valetkey.grants.plan import plan
from valetkey.grants.role import read_owner, read_role, read_roles
from valetkey.grants.waiting import Waiting
from valetkey.trust.reading import trust_digest
from valetkey.trust.record import PAUSED, SESSIONS, digest, terms_digest
from valetkey.trust.self_denies import SessionsDeny, dated_deny, own_role_deny, pause_deny
from valetkey.trust.terms import Terms
from valetkey.trust.writing import write_trust

END = datetime(2026, 12, 31, tzinfo=UTC)
ARN = "arn:aws:iam::111111111111:role/puppeteers"
READ = "arn:aws:iam::aws:policy/ReadOnlyAccess"
CAROL = f"arn:aws:iam::{CONTRACTOR}:user/carol"
DATED = {"DateLessThan": {"aws:CurrentTime": "2026-12-31T00:00:00Z"}}


def prepared(iam: FakeIam, now: datetime, **said: Any) -> Adoption:
    return prepare_adoption(Wish(**{"name": "puppeteers", **said}), owner=read_owner(iam), perform=iam, now=now)


def request(now: datetime, **said: Any) -> Received:
    value = AccessRequest(
        account=CONTRACTOR,
        external_id="theirs-and-random",
        identity="iam-user",
        identity_arn="",
        user_id="AIDAEXAMPLEEXAMPLE12",
        issued=now,
        partition="aws",
    )
    return Received(replace(value, **said), "six-words")


def not_adopted(iam: FakeIam, now: datetime, **said: Any) -> tuple[str, str, str, int]:
    with pytest.raises(NotAdopted) as refused:
        prepared(iam, now, **said)
    assert iam.log == []
    return whole_error(refused)


# -- what is written ---------------------------------------------------------------


def test_a_record_is_all_that_is_written(iam: FakeIam, now: datetime) -> None:
    role = made(iam, trust(allow(ROOT, MFA)))
    role["PermissionsBoundary"] = {"PermissionsBoundaryArn": READ}
    role["managed"] = [READ, "arn:aws:iam::aws:policy/Audit"]
    role["inline"] |= {
        "z": {"Statement": []},
        SESSIONS: SessionsDeny(since=now).document,
        PAUSED: pause_deny(),
    }
    role["Tags"] += [{"Key": "valetkey:old", "Value": "x"}, {"Key": "valetkey:change:1", "Value": "y"}]
    adoption = prepared(iam, now)
    terms = Terms(contractor=CONTRACTOR, external_id="puppets-on-strings")
    record = {
        "valetkey:version": "1",
        "valetkey:origin": "adopted",
        "valetkey:contractor": CONTRACTOR,
        "valetkey:terms": terms_digest(terms),
        "valetkey:trust": trust_digest(role["AssumeRolePolicyDocument"], partition="aws"),
        "valetkey:external-id-by": "unknown",
        "valetkey:session": "3600",
        "valetkey:boundary": READ,
        "valetkey:policy:1": "arn:aws:iam::aws:policy/Audit",
        "valetkey:policy:2": READ,
        "valetkey:inline:1": f"a:b@{digest(role['inline']['a,b'])}",
        "valetkey:inline:2": f"z@{digest({'Statement': []})}",
    }
    assert adoption.record == record
    assert (adoption.contractor, adoption.terms, adoption.until, adoption.others, adoption.tightened) == (
        CONTRACTOR, terms, None, (), None,
    )  # fmt: skip
    assert adoption.calls == (
        Call(
            "iam",
            "tag_role",
            {"RoleName": "puppeteers", "Tags": [{"Key": key, "Value": value} for key, value in record.items()]},
        ),
        Call("iam", "untag_role", {"RoleName": "puppeteers", "TagKeys": ["valetkey:old"]}),
    )


def test_without_an_external_id_the_record_says_so(iam: FakeIam, now: datetime) -> None:
    made(iam, trust(allow(ROOT)))["managed"] = []
    record = prepared(iam, now).record
    assert record["valetkey:external-id-by"] == "none"
    assert not {"valetkey:boundary", "valetkey:until", "valetkey:policy:1"} & record.keys()


@pytest.mark.parametrize("condition", [MFA, {**MFA, **DATED}], ids=["no end in the trust", "the same end in the trust"])
def test_an_end_is_a_deny_unless_the_trust_has_it(iam: FakeIam, now: datetime, condition: Any) -> None:
    role = made(iam, trust(allow(ROOT, condition)))
    adoption = prepared(iam, now, until=END)
    assert (adoption.until, adoption.record["valetkey:until"]) == (END, "2026-12-31T00:00:00Z")
    puts = [call for call in adoption.calls if call.operation == "put_role_policy"]
    if condition is MFA:
        (put,) = puts
        assert put.params["RoleName"] == "puppeteers"
        assert (put.params["PolicyName"], json.loads(put.params["PolicyDocument"])) == (UNTIL, dated_deny(END))
        assert adoption.record["valetkey:inline:2"] == f"{UNTIL}@{digest(dated_deny(END))}"
        # Where it is there already it is not put again.
        role["inline"][UNTIL] = dated_deny(END)
        assert [call.operation for call in prepared(iam, now, until=END).calls] == ["tag_role"]
    else:
        assert puts == []
        assert "valetkey:inline:2" not in adoption.record


def test_an_earlier_end_than_the_trusts_is_a_deny_and_the_earlier_one_counts(iam: FakeIam, now: datetime) -> None:
    role = made(iam, trust(allow(ROOT, {**MFA, **DATED})))
    early = END - timedelta(days=1)
    adoption = prepared(iam, now, until=early)
    assert [call.operation for call in adoption.calls] == ["put_role_policy", "tag_role"]
    role["inline"][UNTIL] = dated_deny(early)
    assert prepared(iam, now).until == early
    role["inline"][UNTIL] = dated_deny(END + timedelta(days=1))
    assert prepared(iam, now).until == END
    assert [call.operation for call in prepared(iam, now).calls] == ["tag_role"]


@pytest.mark.parametrize(("number", "fits"), [(41, True), (42, False)])
def test_the_record_has_to_find_room_among_the_tags(iam: FakeIam, now: datetime, number: int, fits: bool) -> None:
    """Lines of the history stay; what is left of an old record goes."""
    role = made(iam, trust(allow(ROOT, MFA)))
    own = [f"k{item}" for item in range(number - 1)] + ["valetkey:change:1"]
    role["Tags"] = [{"Key": key, "Value": ""} for key in (*own, "valetkey:old", "valetkey:terms")]
    if fits:
        assert prepared(iam, now).calls
    else:
        assert not_adopted(iam, now) == (
            "the role has 42 tags, and the record takes 9: more than AWS's 50",
            "remove tags that you do not need",
            "",
            1,
        )


# -- refused ---------------------------------------------------------------

OTHER = allow({"AWS": "arn:aws:iam::333333333333:root"}, ID)
EACH = "give each of them a separate role with `valetkey grant`"


@pytest.mark.parametrize(
    ("document", "what", "do"),
    [
        (
            trust(allow(ROOT, ID), OTHER),
            f"puppeteers admits account {CONTRACTOR}, account 333333333333; a grant is for exactly one",
            EACH,
        ),
        (trust(allow({"AWS": "*"})), "puppeteers admits every AWS account; a grant is for exactly one", EACH),
        (
            trust(allow({"Service": "ec2.amazonaws.com"})),
            "puppeteers admits no outside account; a grant is for exactly one",
            "choose another role",
        ),
        (
            trust(allow(ROOT, ID), allow({"AWS": "*"})),
            f"puppeteers admits account {CONTRACTOR}, every AWS account; a grant is for exactly one",
            EACH,
        ),
    ],
)
def test_a_role_for_others_is_refused_with_whom_it_admits(
    iam: FakeIam, now: datetime, document: Any, what: str, do: str
) -> None:
    made(iam, document)
    assert not_adopted(iam, now) == (what, do, ARN, 1)


def test_what_is_not_decided_or_not_proved_is_refused(
    iam: FakeIam, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(iam, {"Version": "2012-10-17", "Statement": "nonsense"})
    what, do, where, code = not_adopted(iam, now)
    assert what.startswith("it is not decided whom puppeteers admits: ")
    assert (do, where, code) == ("make its trust policy simpler; `valetkey who` shows what is known", ARN, 1)
    made(iam, trust(allow(ROOT, ID)))
    monkeypatch.setattr("valetkey.trust.adopting.read_by_proof", lambda *_, **__: None)
    assert not_adopted(iam, now) == (
        f"it could not be proved under which terms puppeteers admits account {CONTRACTOR}",
        "make its trust policy simpler; `valetkey who` shows what it admits",
        ARN,
        1,
    )


@pytest.mark.parametrize("path", ["/aws-reserved/sso.amazonaws.com/", "/aws-service-role/x.amazonaws.com/"])
def test_roles_of_aws_are_left_to_it(iam: FakeIam, now: datetime, path: str) -> None:
    arn = made(iam, trust(allow(ROOT, MFA)), path=path)["Arn"]
    assert not_adopted(iam, now) == (
        "puppeteers is a role that AWS creates and manages",
        "choose another role",
        arn,
        1,
    )
    assert candidates(read_roles(iam)) == ()


def test_a_role_that_is_being_revoked_is_finished_first(iam: FakeIam, now: datetime) -> None:
    made(iam, trust(allow(ROOT, MFA)))["inline"][REVOKED] = {}
    assert not_adopted(iam, now) == (
        "a revocation of puppeteers is in progress: it denies everything",
        f"finish it with `valetkey revoke puppeteers`, or remove the policy {REVOKED} first",
        ARN,
        1,
    )


def test_a_request_of_another_account_is_refused_for_a_grant_too(iam: FakeIam, grant: Grant, now: datetime) -> None:
    made(iam, trust(allow(ROOT, MFA)))
    for call in plan(grant, None):
        iam(call)
    iam.log.clear()
    other = request(now, account="333333333333")
    for name in ("puppeteers", "audit"):
        assert not_adopted(iam, now, name=name, request=other) == (
            f"the request is of account 333333333333, and the role admits {CONTRACTOR}",
            "ask the contractor for the right request",
            "",
            1,
        )
    assert prepared(iam, now, request=request(now)).contractor == CONTRACTOR


def test_a_role_with_an_end_is_not_made_endless(iam: FakeIam, now: datetime) -> None:
    made(iam, trust(allow(ROOT, {**MFA, **DATED})))
    do = "leave --until out, or give a later end"
    assert not_adopted(iam, now, never=True) == ("puppeteers has an end: 2026-12-31T00:00:00Z", do, "", 1)
    made(iam, trust(allow(ROOT, MFA)))["inline"][UNTIL] = dated_deny(END - timedelta(days=1))
    assert not_adopted(iam, now, never=True) == ("puppeteers has an end: 2026-12-30T00:00:00Z", do, "", 1)
    made(iam, trust(allow(ROOT, MFA)))
    assert prepared(iam, now, never=True).until is None


def test_an_end_after_the_trusts_needs_another_trust(iam: FakeIam, now: datetime) -> None:
    made(iam, trust(allow(ROOT, {**MFA, **DATED})))
    later = END + timedelta(seconds=1)
    assert not_adopted(iam, now, until=later) == (
        "the trust policy ends at 2026-12-31T00:00:00Z, before --until",
        "give an earlier end, or replace the trust policy with --tighten",
        "",
        1,
    )
    ready = prepared(iam, now, until=later, tighten=True)
    assert (ready.until, ready.tightened and ready.tightened.terms.until) == (later, later)
    assert prepared(iam, now, until=END).until == END


def test_a_missing_role_is_told_with_where_to_look(iam: FakeIam, now: datetime) -> None:
    with pytest.raises(ValetkeyError) as refused:
        prepared(iam, now)
    assert whole_error(refused) == (
        "There is no role puppeteers in account 111111111111.",
        "See `valetkey adopt --all`.",
        "",
        1,
    )


# -- a grant already ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "other", "do"),
    [
        ({"until": END + timedelta(hours=1)}, None, None),
        ({"until": END - timedelta(hours=1)}, None, None),
        ({"until": END + timedelta(hours=1, seconds=1)}, "end", "change audit --until DATE"),
        ({"until": END - timedelta(hours=1, seconds=1)}, "end", "change audit --until DATE"),
        ({"never": True}, "end", "change audit --until DATE"),
        ({"external_id": "ext,id:with=/signs"}, None, None),
        ({"external_id": "another"}, "ExternalId", "rotate audit --external-id ID"),
        ({"request": True}, "ExternalId", "rotate audit --external-id ID"),
        ({"request": True, "external_id": "ext,id:with=/signs"}, None, None),
    ],
)
def test_a_grant_is_not_adopted_with_other_terms(
    iam: FakeIam, grant: Grant, now: datetime, said: dict[str, Any], other: str | None, do: str | None
) -> None:
    for call in plan(grant, None):
        iam(call)
    iam.log.clear()
    given = {**said, **({"request": request(now)} if "request" in said else {})}
    if other is None:
        adoption = prepared(iam, now, name="audit", **given)
        assert (adoption.calls, adoption.terms, adoption.until, adoption.weak, adoption.others, adoption.tightened) == (
            (), grant.terms, END, (), (), None,
        )  # fmt: skip
        assert (adoption.contractor, adoption.record, adoption.proof.holds) == (CONTRACTOR, grant.record, True)
    else:
        assert not_adopted(iam, now, name="audit", **given) == (
            f"audit is already a grant, and you asked for another {other}",
            f"use `valetkey {do}`; nothing was changed",
            grant.role_arn,
            1,
        )


def test_a_grant_without_an_end_has_none(iam: FakeIam, grant: Grant, now: datetime) -> None:
    for call in plan(replace(grant, terms=replace(grant.terms, until=None)), None):
        iam(call)
    iam.log.clear()
    assert prepared(iam, now, name="audit", never=True).until is None
    assert not_adopted(iam, now, name="audit", until=END)[0].endswith("another end")


# -- weak ---------------------------------------------------------------

ADMIN = "AdministratorAccess lets them do everything, also in ways that outlive this role"
DATA = (
    "ReadOnlyAccess reads your data too (S3 objects, table items): SecurityAudit and ViewOnlyAccess read settings; "
    "`valetkey change` replaces it once the role is tightened"
)
NO_END = "it has no end: `--until 90d` sets one"


@pytest.mark.parametrize(
    ("managed", "until", "weak"),
    [
        ((), END, ()),
        ((), None, (NO_END,)),
        ((READ,), None, (NO_END, DATA)),
        (("arn:aws:iam::aws:policy/AdministratorAccess", READ), END, (ADMIN, DATA)),
        (("arn:aws:iam::aws:policy/job-function/ViewOnlyAccess",), END, ()),
    ],
)
def test_what_is_weak_in_whole_sentences(
    iam: FakeIam, now: datetime, managed: tuple[str, ...], until: datetime | None, weak: tuple[str, ...]
) -> None:
    iam.policies["arn:aws:iam::aws:policy/AdministratorAccess"] = {}
    made(iam, trust(allow(ROOT, MFA)))["managed"] = [*managed]
    assert prepared(iam, now, until=until).weak == weak
    assert prepared(iam, now, until=until, tighten=True).weak == ()


def test_a_list_of_candidates_is_in_the_order_of_names(iam: FakeIam, now: datetime) -> None:
    made(iam, trust(allow(ROOT, MFA)), name="b")["managed"] = []
    made(iam, trust(allow(ROOT, MFA)), name="C")["inline"][UNTIL] = dated_deny(END)
    made(iam, trust(allow({"AWS": "*"})), name="A")
    dated = made(iam, trust(allow(ROOT, {**MFA, **DATED})), name="d")
    dated["managed"] = []
    roles = {role.name: role for role in read_roles(iam)}
    assert candidates(roles.values()) == (
        Candidate(roles["A"], "", (), "A admits every AWS account; a grant is for exactly one"),
        Candidate(roles["b"], CONTRACTOR, (NO_END,), ""),
        Candidate(roles["C"], CONTRACTOR, (DATA,), ""),
        Candidate(roles["d"], CONTRACTOR, (), ""),
    )


def test_a_grant_that_differs_from_its_record_is_a_candidate(iam: FakeIam, grant: Grant, now: datetime) -> None:
    for call in plan(grant, None):
        iam(call)
    assert candidates(read_roles(iam)) == ()
    iam.roles["audit"]["managed"].append(READ)
    assert [candidate.role.name for candidate in candidates(read_roles(iam))] == ["audit"]


# -- tighten ---------------------------------------------------------------


def test_the_grant_that_a_role_becomes(iam: FakeIam, now: datetime) -> None:
    role = made(iam, trust(allow({"AWS": CAROL}, WEAK_MFA)), path="/p/")
    role["PermissionsBoundary"] = {"PermissionsBoundaryArn": READ}
    role["Tags"] += [{"Key": "valetkey:old", "Value": "x"}]
    role["inline"][UNTIL] = dated_deny(END)
    ready = prepared(iam, now, tighten=True)
    grant = Grant(
        name="puppeteers",
        account="111111111111",
        terms=Terms(contractor=CONTRACTOR, external_id="puppets-on-strings", mfa=True, pin=(CAROL,), until=END),
        managed=(READ,),
        inline=(("a,b", role["inline"]["a,b"]),),
        max_session=3600,
        boundary=READ,
        tags=(("team", "shows"),),
        description="by hand",
        path="/p/",
        external_id_by="unknown",
        versions=((READ, "v1"),),
    )
    assert ready.tightened == grant
    assert ready.record == grant.record
    assert [call.operation for call in ready.calls] == [
        "put_role_policy",
        "update_assume_role_policy",
        "tag_role",
        "untag_role",
    ]
    put, replaced, *_ = ready.calls
    about = {"RoleName": "puppeteers", "PolicyName": OWN_ROLE}
    assert {**put.params, "PolicyDocument": 0} == {**about, "PolicyDocument": 0}
    assert json.loads(put.params["PolicyDocument"]) == own_role_deny(grant.role_arn)
    assert json.loads(replaced.params["PolicyDocument"]) == write_trust(grant.terms)


@pytest.mark.parametrize(
    ("said", "by", "by_request"),
    [
        ({}, "unknown", False),
        ({"external_id": "puppets-on-strings"}, "unknown", False),
        ({"external_id": "another-one"}, "owner", False),
        ({"request": True}, "contractor", True),
        ({"request": True, "external_id": "another-one"}, "contractor", True),
    ],
)
def test_who_chose_the_external_id_of_a_tightened_role(
    iam: FakeIam, now: datetime, said: dict[str, Any], by: str, by_request: bool
) -> None:
    made(iam, trust(allow(ROOT, ID)))
    given = {**said, **({"request": request(now)} if "request" in said else {})}
    grant = prepared(iam, now, tighten=True, **given).tightened
    assert grant is not None
    assert (grant.external_id_by, grant.request, grant.user_id) == (
        (by, "six-words", "AIDAEXAMPLEEXAMPLE12") if by_request else (by, None, None)
    )
    wanted = said.get("external_id") or ("theirs-and-random" if by_request else "puppets-on-strings")
    assert grant.terms.external_id == wanted


def test_an_age_of_mfa_is_kept_and_a_role_has_no_mfa(iam: FakeIam, now: datetime) -> None:
    aged = {**MFA, "NumericLessThanEquals": {"aws:MultiFactorAuthAge": "900"}}
    made(iam, trust(allow(ROOT, aged)))
    grant = prepared(iam, now, tighten=True).tightened
    assert grant is not None
    assert (grant.terms.mfa, grant.terms.mfa_max_age) == (True, 900)
    made(iam, trust(allow({"AWS": f"arn:aws:iam::{CONTRACTOR}:role/ci"}, aged)))
    grant = prepared(iam, now, tighten=True).tightened
    assert grant is not None
    assert (grant.terms.mfa, grant.terms.mfa_max_age) == (False, None)


def test_what_cannot_be_tightened_is_told_with_what_to_do(iam: FakeIam, now: datetime) -> None:
    made(iam, trust(allow(ROOT, MFA), allow({"Service": ["ec2.amazonaws.com", "ecs.amazonaws.com"]})))
    services = "the service ec2.amazonaws.com, the service ecs.amazonaws.com"
    assert not_adopted(iam, now, tighten=True) == (
        f"puppeteers was not tightened: {services} can also assume it and would lose access",
        "give the contractor a role of its own with `valetkey grant`",
        ARN,
        1,
    )
    made(iam, trust(allow(ROOT)))
    unknown = "requires no ExternalId of every caller, and valetkey does not invent one"
    assert not_adopted(iam, now, tighten=True) == (
        f"puppeteers {unknown}: the contractor would not know it",
        "give the one that you agreed on with --external-id, or the contractor's --request",
        ARN,
        1,
    )


# -- made ---------------------------------------------------------------


def test_what_was_adopted_is_told_call_by_call(iam: FakeIam, now: datetime, waiting: Waiting) -> None:
    made(iam, trust(allow(ROOT, WEAK_MFA)))
    ready = prepared(iam, now, tighten=True, until=END)
    said: list[Call] = []
    done = adopt(ready, perform=iam, waiting=waiting, tell=said.append)
    assert tuple(said) == done.calls == ready.calls
    assert done.adoption is ready
    assert done.standing.role == read_role(iam, "puppeteers")
    # Nothing is left: nothing is done, and nobody has changed it.
    again = prepared(iam, now, tighten=True, until=END)
    iam.roles["puppeteers"]["Description"] = "other"
    assert adopt(again, perform=iam, waiting=waiting, look_again=True).calls == ()


def test_a_role_that_changed_meanwhile_is_told_and_looked_at_only_where_asked(
    iam: FakeIam, now: datetime, waiting: Waiting
) -> None:
    role = made(iam, trust(allow(ROOT, MFA)))
    ready = prepared(iam, now)
    role["Description"] = "other"
    with pytest.raises(NotAdopted) as refused:
        adopt(ready, perform=iam, waiting=waiting, look_again=True)
    assert whole_error(refused) == (
        "puppeteers was changed by somebody else since it was read",
        "run the command again",
        "",
        1,
    )
    assert adopt(ready, perform=iam, waiting=waiting).calls == ready.calls


def stopped(iam: FakeIam, ready: Adoption, waiting: Waiting, perform: Any = None) -> tuple[str, str, str, int]:
    with pytest.raises(Interrupted) as problem:
        adopt(ready, perform=perform or iam, waiting=waiting)
    return whole_error(problem)


FINISH = "run the same command again to finish"


def test_a_trust_that_is_not_shown_in_time_is_told(iam: FakeIam, now: datetime, waiting: Waiting) -> None:
    made(iam, trust(allow(ROOT, WEAK_MFA)))
    ready = prepared(iam, now, tighten=True)
    assert adopt(ready, perform=Late(iam, 3), waiting=waiting).standing.drift == ()
    made(iam, trust(allow(ROOT, WEAK_MFA)))
    done = "iam:PutRolePolicy, iam:UpdateAssumeRolePolicy"
    assert stopped(iam, ready, waiting, Late(iam, 10**6)) == (
        f"AWS does not show the new trust policy of puppeteers (done so far: {done})",
        f"{FINISH}; the role allows no more than before",
        ARN,
        3,
    )


def test_a_record_that_is_not_shown_in_time_is_told(iam: FakeIam, now: datetime, waiting: Waiting) -> None:
    made(iam, trust(allow(ROOT, MFA)))
    ready = prepared(iam, now)
    iam.after = lambda call: iam.roles["puppeteers"]["Tags"].clear() if call.operation == "tag_role" else None
    assert stopped(iam, ready, replace(waiting, limit=7.6)) == (
        "puppeteers does not have the requested state 8 s after it was adopted (done so far: iam:TagRole)",
        f"{FINISH}; the role allows no more than before",
        ARN,
        3,
    )


@pytest.mark.parametrize("change", ["gone", "drift"])
def test_a_role_that_is_not_as_it_was_adopted_is_not_called_adopted(
    iam: FakeIam, now: datetime, waiting: Waiting, change: str
) -> None:
    made(iam, trust(allow(ROOT, MFA)))
    ready = prepared(iam, now)

    def spoil(call: Call) -> None:
        if call.operation == "tag_role" and change == "gone":
            iam.roles.clear()
        elif call.operation == "tag_role":
            iam.roles["puppeteers"]["managed"].append("arn:aws:iam::aws:policy/SecurityAudit")

    iam.after = spoil
    assert stopped(iam, ready, waiting)[0].startswith("puppeteers does not have the requested state 60 s")


def test_a_refused_write_is_told_whole(iam: FakeIam, now: datetime, waiting: Waiting) -> None:
    made(iam, trust(allow(ROOT, MFA)))
    ready = prepared(iam, now)
    iam.before = refuse("AccessDenied", "tag_role")
    what = "iam:TagRole failed: AccessDenied: no"
    assert stopped(iam, ready, waiting) == (what, f"{FINISH}; nothing was changed", ARN, 3)
    iam.before = refuse("ServiceFailure", "tag_role")
    what = "iam:TagRole failed: ServiceFailure: no"
    assert stopped(iam, ready, waiting) == (what, f"{FINISH}; the role allows no more than before", ARN, 3)


@pytest.mark.parametrize("code", ["Throttling", "ConcurrentModification"])
def test_a_busy_account_is_waited_for(iam: FakeIam, now: datetime, waiting: Waiting, code: str) -> None:
    made(iam, trust(allow(ROOT, MFA)))
    ready, hook, left = prepared(iam, now), refuse(code, "tag_role"), [3]

    def busy(call: Call) -> None:
        if left[0]:
            left[0] -= call.operation == "tag_role"
            hook(call)

    iam.before = busy
    assert adopt(ready, perform=iam, waiting=waiting).calls == ready.calls


def test_a_role_that_went_is_not_waited_for(iam: FakeIam, now: datetime, waiting: Waiting) -> None:
    made(iam, trust(allow(ROOT, MFA)))
    ready = prepared(iam, now)
    iam.roles.clear()
    what = "iam:TagRole failed: NoSuchEntity: The role with name puppeteers cannot be found."
    assert stopped(iam, ready, waiting) == (what, f"{FINISH}; nothing was changed", ARN, 3)
    assert waiting.clock() == 0


def test_whom_a_role_admits_and_under_which_terms(iam: FakeIam) -> None:
    made(iam, trust(allow(ROOT, MFA), allow({"Service": "ec2.amazonaws.com"})))
    role = read_role(iam, "puppeteers")
    assert role is not None
    result, read = judge(role)
    assert (result.accounts, result.others) == ((CONTRACTOR,), ("the service ec2.amazonaws.com",))
    assert read.terms == Terms(contractor=CONTRACTOR, external_id="puppets-on-strings")
