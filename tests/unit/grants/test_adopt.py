"""A role that was made by other means becomes a grant: what is read, what is refused, what is written."""

from __future__ import annotations

import contextlib
import copy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.unit.grants.fake_iam import FakeIam
from tests.unit.grants.handmade import CONTRACTOR, ID, MFA, ROOT, WEAK_MFA, allow, made, trust

from valetkey.account.calls import Call, CallError
from valetkey.errors import ValetkeyError
from valetkey.exchange.files import AccessRequest, Received
from valetkey.grants.adopt import adopt
from valetkey.grants.adopt_prepare import Adoption, NotAdopted, Wish, candidates, prepare_adoption
from valetkey.grants.change_prepare import prepare_change
from valetkey.grants.edit import Edit
from valetkey.grants.fitting import misfits
from valetkey.grants.grant import OWN_ROLE, UNTIL, Grant
from valetkey.grants.make import Interrupted
from valetkey.grants.options import OwnerOptions
from valetkey.grants.plan import plan
from valetkey.grants.revoke import revoke
from valetkey.grants.role import read_owner, read_role, read_roles
from valetkey.grants.status import Standing, hand_over, proof, read_grants, read_standing
from valetkey.grants.suspend import resume, suspend
from valetkey.grants.waiting import Waiting

SERVICE = allow({"Service": "ec2.amazonaws.com"})
END = datetime(2026, 12, 31, tzinfo=UTC)


def prepared(iam: FakeIam, now: datetime, name: str = "puppeteers", **said: Any) -> Adoption:
    return prepare_adoption(Wish(name=name, **said), owner=read_owner(iam), perform=iam, now=now)


def adopted(iam: FakeIam, now: datetime, waiting: Waiting, **said: Any) -> Standing:
    return adopt(prepared(iam, now, **said), perform=iam, waiting=waiting).standing


def standing(iam: FakeIam) -> Standing:
    role = read_role(iam, "puppeteers")
    assert role is not None
    return read_standing(role)


SHAPES = {
    "console": trust(allow(ROOT, MFA)),
    "weak": trust(allow(ROOT, WEAK_MFA)),
    "bare": trust(allow(ROOT)),
    "vendor": trust(allow(ROOT, ID)),
    "user": trust(allow({"AWS": f"arn:aws:iam::{CONTRACTOR}:user/carol"}, ID)),
    "roles": trust(allow({"AWS": [f"arn:aws:iam::{CONTRACTOR}:role/{item}" for item in "ab"]}, ID)),
    "tags": trust(allow(ROOT, ID, ["sts:AssumeRole", "sts:TagSession"])),
    "wide": trust(allow(ROOT, ID, "sts:*")),
    "service": trust(allow(ROOT, ID), SERVICE),
    "condition": trust(
        allow({"AWS": "*"}, {"StringEquals": {**ID["StringEquals"], "aws:PrincipalAccount": CONTRACTOR}})
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_role_is_adopted_as_it_is_and_handed_over(iam: FakeIam, now: datetime, waiting: Waiting, shape: str) -> None:
    role = made(iam, SHAPES[shape])
    before = copy.deepcopy({key: role[key] for key in role if key != "Tags"})
    result = adopted(iam, now, waiting)
    assert iam.log == ["tag_role"]
    assert {key: role[key] for key in role if key != "Tags"} == before
    assert {"Key": "valetkey:origin", "Value": "adopted"} in role["Tags"]
    assert {"Key": "team", "Value": "shows"} in role["Tags"]
    assert result.drift == ()
    assert result.state(now) == "open"
    shown = proof(result)
    assert shown is not None
    assert shown.holds
    handoff = hand_over(result, now=now)
    assert handoff.contractor == CONTRACTOR
    assert handoff.external_id == (None if shape == "bare" else "puppets-on-strings")
    # Who comes in by plain keys where MFA is asked for by BoolIfExists is admitted; whoever brings MFA is for certain.
    assert handoff.mfa is (shape in ("console", "weak"))
    assert prepared(iam, now).calls == ()


def test_what_a_deny_asks_for_is_a_term(iam: FakeIam, now: datetime, waiting: Waiting) -> None:
    """The way of AWS's own examples: allow, and deny whoever comes without MFA, or from elsewhere."""
    without = {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}
    elsewhere = {"NotIpAddress": {"aws:SourceIp": ["198.51.100.0/24"]}}
    denies = [{**allow({"AWS": "*"}, item), "Effect": "Deny"} for item in (without, elsewhere)]
    made(iam, trust(allow(ROOT, ID), *denies))
    ready = prepared(iam, now)
    assert ready.terms.mfa
    assert ready.terms.from_ip == ("198.51.100.0/24",)
    assert not any("MFA" in item for item in ready.weak)
    handoff = hand_over(adopted(iam, now, waiting), now=now)
    assert (handoff.mfa, handoff.external_id, handoff.from_ip) == (True, "puppets-on-strings", ("198.51.100.0/24",))


@pytest.mark.parametrize(
    "condition",
    [
        {"DateLessThan": {"aws:CurrentTime": "9999-12-31T23:59:59-14:00"}},
        {"DateLessThan": {"aws:CurrentTime": ["soon", "0001-01-01T00:00:00Z"]}},
        {"NumericLessThanEquals": {"aws:MultiFactorAuthAge": ["\u00b2", "9" * 5000]}},
        {"IpAddress": {"aws:SourceIp": "everywhere"}},
        {"Bool": {"aws:MultiFactorAuthPresent": [True, "x"]}},
        {"StringEquals": {"sts:ExternalId": {"a": 1}}},
        {"StringEquals": "x"},
        "x",
    ],
)
def test_nonsense_in_a_trust_is_read_without_a_fault(iam: FakeIam, now: datetime, condition: Any) -> None:
    for document in (trust(allow(ROOT, condition)), trust({**allow(ROOT, condition), "Effect": "Deny"}, allow(ROOT))):
        made(iam, document)
        with contextlib.suppress(NotAdopted):
            prepared(iam, now)
    made(iam, {"text": "x"})
    candidates(read_roles(iam))


def test_what_is_weak_is_said_with_what_to_do(iam: FakeIam, now: datetime) -> None:
    made(iam, SHAPES["weak"])
    said = "\n".join(prepared(iam, now).weak)
    for words in ("BoolIfExists", "no end: `--until", "ReadOnlyAccess reads your data"):
        assert words in said
    made(iam, SHAPES["bare"])
    said = "\n".join(prepared(iam, now).weak)
    assert "no ExternalId" in said
    assert "MFA is not required" in said
    made(iam, trust(allow(ROOT, {"StringEquals": {"sts:ExternalId": ["one-of-two", "two-of-two"]}})))
    assert any("several ExternalIds" in item for item in prepared(iam, now).weak)
    made(iam, SHAPES["console"])["managed"] = []
    assert prepared(iam, now, until=END).weak == ()


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (trust(allow(ROOT, ID), allow({"AWS": "arn:aws:iam::333333333333:root"}, ID)), "333333333333"),
        (trust(allow({"AWS": "*"})), "every AWS account"),
        (trust(allow({"AWS": "*"}, ID)), "every AWS account"),
        (trust(SERVICE), "no outside account"),
        (trust(allow({"AWS": "arn:aws:iam::111111111111:root"})), "no outside account"),
        (
            trust(allow(ROOT, {"StringEquals": {"sts:ExternalId": "${nobody:knows}"}}), {"Effect": "Allow"}),
            "not decided",
        ),
    ],
)
def test_a_role_that_does_not_admit_exactly_one_account_outside_is_refused(
    iam: FakeIam, now: datetime, document: Any, words: str
) -> None:
    made(iam, document)
    with pytest.raises(NotAdopted) as refused:
        prepared(iam, now)
    assert words in refused.value.what
    assert iam.log == []


def test_roles_of_aws_and_revoked_ones_are_refused(iam: FakeIam, now: datetime) -> None:
    made(iam, SHAPES["console"], path="/aws-reserved/sso.amazonaws.com/")
    with pytest.raises(NotAdopted, match="AWS creates and manages"):
        prepared(iam, now)
    made(iam, SHAPES["console"])["inline"]["valetkey-revoked"] = {}
    with pytest.raises(NotAdopted, match="revocation"):
        prepared(iam, now)


def test_a_name_that_no_role_has_gets_the_nearest_one(iam: FakeIam, now: datetime) -> None:
    made(iam, SHAPES["console"])
    seen: list[str] = []
    iam.before = lambda call: seen.append(call.operation)
    with pytest.raises(ValetkeyError, match=r'no role pupeteers in .* Did you mean "puppeteers"\?') as raised:
        prepared(iam, now, name="pupeteers")
    assert raised.value.exit_code == 1
    with pytest.raises(ValetkeyError, match=r"no role nobody in account 111111111111\. See"):
        prepared(iam, now, name="nobody")
    seen.clear()
    prepared(iam, now)
    assert "list_roles" not in seen


def test_an_end_is_a_dated_deny_and_moves_with_the_next_adoption(iam: FakeIam, now: datetime, waiting: Waiting) -> None:
    role = made(iam, SHAPES["console"])
    result = adopted(iam, now, waiting, until=END)
    assert iam.log == ["put_role_policy", "tag_role"]
    assert UNTIL in role["inline"]
    assert result.record.until == END
    assert result.drift == ()
    assert result.state(END) == "ended"
    handoff = hand_over(result, now=now)
    assert (handoff.policies, handoff.until) == (("ReadOnlyAccess", "a,b"), END)
    assert adopted(iam, now, waiting, until=END + timedelta(days=9)).record.until == END + timedelta(days=9)
    assert prepared(iam, now).until == END + timedelta(days=9)
    with pytest.raises(NotAdopted, match="has an end"):
        prepared(iam, now, never=True)
    del role["inline"][UNTIL]
    assert standing(iam).state(now) == "incomplete"


def test_the_end_of_the_trust_counts(iam: FakeIam, now: datetime, waiting: Waiting) -> None:
    made(iam, trust(allow(ROOT, {**MFA, "DateLessThan": {"aws:CurrentTime": "2026-12-31T00:00:00Z"}})))
    assert adopted(iam, now, waiting).record.until == END
    assert iam.log == ["tag_role"]
    with pytest.raises(NotAdopted, match="before --until"):
        prepared(iam, now, until=END + timedelta(days=1))


@pytest.mark.parametrize("change", ["trust", "managed", "inline", "contractor", "terms", "origin"])
def test_what_changes_after_the_adoption_is_drift(iam: FakeIam, now: datetime, waiting: Waiting, change: str) -> None:
    role = made(iam, SHAPES["weak"])
    adopted(iam, now, waiting)
    tags = {tag["Key"]: tag for tag in role["Tags"]}
    match change:
        case "trust":
            role["AssumeRolePolicyDocument"] = SHAPES["bare"]
        case "managed":
            role["managed"].append("arn:aws:iam::aws:policy/AdministratorAccess")
        case "inline":
            role["inline"]["more"] = {}
        case "contractor":
            tags["valetkey:contractor"]["Value"] = "333333333333"
        case "terms":
            tags["valetkey:terms"]["Value"] = "sha256:0"
        case _:
            role["Tags"].remove(tags["valetkey:origin"])
    assert standing(iam).state(now) == "changed"
    with pytest.raises(ValetkeyError):
        hand_over(standing(iam), now=now)


def test_aws_other_forms_of_the_same_trust_are_no_drift(iam: FakeIam, now: datetime, waiting: Waiting) -> None:
    role = made(iam, SHAPES["roles"])
    adopted(iam, now, waiting)
    statement = role["AssumeRolePolicyDocument"]["Statement"][0]
    statement["Principal"]["AWS"].reverse()
    statement["Sid"] = "Other"
    statement["Action"] = ["STS:assumerole"]
    assert standing(iam).drift == ()


def test_the_proof_and_not_the_tag_decides_what_is_handed_over(iam: FakeIam, now: datetime, waiting: Waiting) -> None:
    """Whoever may tag the role can write a record of a trust that lets everybody in."""
    from valetkey.trust.reading import trust_digest

    role = made(iam, SHAPES["console"])
    adopted(iam, now, waiting)
    role["AssumeRolePolicyDocument"] = trust(allow(ROOT, MFA), allow(ROOT))
    for tag in role["Tags"]:
        if tag["Key"] == "valetkey:trust":
            tag["Value"] = trust_digest(role["AssumeRolePolicyDocument"], partition="aws")
    result = standing(iam)
    assert result.drift == ()
    shown = proof(result)
    assert shown is not None
    assert not shown.holds
    with pytest.raises(ValetkeyError, match="not proved"):
        hand_over(result, now=now)


def test_revoke_deletes_what_serves_the_contractor_alone(iam: FakeIam, now: datetime, waiting: Waiting) -> None:
    made(iam, SHAPES["weak"])
    result = adopted(iam, now, waiting, until=END)
    assert misfits(result) == ()
    revoke(result, perform=iam, now=lambda: now, waiting=waiting)
    assert iam.roles == {}


@pytest.mark.parametrize("shape", ["service", "own"])
def test_revoke_asks_before_it_deletes_what_others_use(
    iam: FakeIam, now: datetime, waiting: Waiting, shape: str
) -> None:
    own = trust(allow(ROOT, ID), allow({"AWS": "arn:aws:iam::111111111111:root"}))
    made(iam, own if shape == "own" else SHAPES["service"])
    assert prepared(iam, now).others
    assert [difference.what for difference in misfits(adopted(iam, now, waiting))] == ["who is admitted"]


def test_a_forged_record_on_a_role_of_the_account_does_not_fit(iam: FakeIam, now: datetime, waiting: Waiting) -> None:
    from valetkey.trust.reading import trust_digest

    role = made(iam, SHAPES["console"])
    adopted(iam, now, waiting)
    role["AssumeRolePolicyDocument"] = trust(allow({"AWS": "arn:aws:iam::111111111111:root"}))
    for tag in role["Tags"]:
        if tag["Key"] == "valetkey:trust":
            tag["Value"] = trust_digest(role["AssumeRolePolicyDocument"], partition="aws")
    assert "who is admitted" in [difference.what for difference in misfits(standing(iam))]


def test_list_suspend_and_resume_know_it(iam: FakeIam, now: datetime, waiting: Waiting) -> None:
    made(iam, SHAPES["weak"])
    adopted(iam, now, waiting)
    grants, damaged = read_grants(read_roles(iam))
    assert [grant.role.name for grant in grants] == ["puppeteers"]
    assert damaged == ()
    suspend(standing(iam), until=None, owner=read_owner(iam), perform=iam, now=now, waiting=waiting)
    assert standing(iam).state(now) == "suspended"
    resume(standing(iam), owner=read_owner(iam), perform=iam, now=lambda: now, waiting=waiting)
    assert standing(iam).state(now) == "open"


def test_change_says_to_tighten_first(iam: FakeIam, now: datetime, waiting: Waiting) -> None:
    made(iam, SHAPES["weak"])
    adopted(iam, now, waiting)
    edit = Edit(asked=OwnerOptions(name="puppeteers", until=END), given=frozenset({"until"}))
    with pytest.raises(ValetkeyError) as refused:
        prepare_change("puppeteers", lambda _: edit, owner=read_owner(iam), perform=iam, read=str, now=now)
    assert "--tighten" in refused.value.do


# -- tighten -------------------------------------------------------------------------------------------------------


def test_tighten_makes_a_grant_as_of_valetkeys_own(iam: FakeIam, now: datetime, waiting: Waiting) -> None:
    role = made(iam, SHAPES["weak"])
    ready = prepared(iam, now, tighten=True, until=END)
    assert ready.tightened is not None
    assert ready.tightened.terms.external_id == "puppets-on-strings"
    result = adopt(ready, perform=iam, waiting=waiting).standing
    assert iam.log == ["put_role_policy", "put_role_policy", "update_assume_role_policy", "tag_role"]
    assert result.drift == ()
    assert not result.record.is_adopted
    assert result.record.until == END
    assert {OWN_ROLE, UNTIL, "a,b"} == set(role["inline"])
    assert result.terms is not None
    assert result.terms.mfa
    assert misfits(result) == ()
    assert result.record.versions == dict.fromkeys(role["managed"], "v1")
    assert prepared(iam, now, tighten=True).calls == () == prepared(iam, now).calls


@pytest.mark.parametrize("code", ["AccessDenied", "NoSuchEntity"])
def test_a_policy_of_aws_whose_version_is_not_shown_is_not_passed_over(iam: FakeIam, now: datetime, code: str) -> None:
    """Without its version nobody could tell later whether AWS has changed it."""
    arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    made(iam, SHAPES["weak"])["managed"] = [f"arn:aws:iam::{iam.account}:policy/own", arn]

    def refuse(call: Call) -> None:
        if call.params.get("PolicyArn") == arn:
            raise CallError(call, code, "no")

    iam.before = refuse
    with pytest.raises(CallError) as refused:
        prepared(iam, now, tighten=True)
    assert (refused.value.what, refused.value.exit_code) == (f"iam:GetPolicy failed: {code}: no", 3)
    assert iam.log == []


def test_an_adopted_role_is_tightened_later(iam: FakeIam, now: datetime, waiting: Waiting) -> None:
    made(iam, SHAPES["weak"])
    adopted(iam, now, waiting, until=END)
    result = adopted(iam, now, waiting, tighten=True)
    assert not result.record.is_adopted
    assert result.drift == ()
    assert result.record.until == END
    assert iam.log[-1] == "untag_role"


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ({"until": END + timedelta(days=30)}, "valetkey change puppeteers --until DATE"),
        ({"never": True}, "valetkey change puppeteers --until DATE"),
        ({"tighten": True, "external_id": "another-one"}, "valetkey rotate puppeteers --external-id ID"),
    ],
)
def test_a_grant_that_is_adopted_with_other_terms_is_refused(
    iam: FakeIam, now: datetime, waiting: Waiting, said: dict[str, Any], remedy: str
) -> None:
    """That what was asked for is not so must not end like success."""
    made(iam, SHAPES["weak"])
    adopted(iam, now, waiting, tighten=True, until=END)
    assert prepared(iam, now, tighten=True, until=END + timedelta(minutes=20)).calls == ()
    with pytest.raises(NotAdopted, match="is already a grant") as refused:
        prepared(iam, now, **said)
    assert remedy in refused.value.do


@pytest.mark.parametrize("shape", ["user", "roles", "tags", "wide", "vendor", "condition"])
def test_tighten_keeps_who_is_named(iam: FakeIam, now: datetime, waiting: Waiting, shape: str) -> None:
    made(iam, SHAPES[shape])
    result = adopted(iam, now, waiting, tighten=True)
    assert result.drift == ()
    assert result.terms is not None
    assert result.terms.mfa is (shape != "roles")
    assert len(result.terms.pin) == {"user": 1, "roles": 2}.get(shape, 0)


def test_tighten_never_invents_an_external_id(iam: FakeIam, now: datetime) -> None:
    for document in (
        SHAPES["bare"],
        trust(allow(ROOT, {"StringEquals": {"sts:ExternalId": ["one-of-two", "two-of-two"]}})),
    ):
        made(iam, document)
        with pytest.raises(NotAdopted, match="does not invent"):
            prepared(iam, now, tighten=True)
    ready = prepared(iam, now, tighten=True, external_id="one-of-two")
    assert ready.tightened is not None
    assert ready.tightened.external_id_by == "owner"


def test_tighten_takes_the_request_s_external_id(iam: FakeIam, now: datetime, waiting: Waiting) -> None:
    made(iam, SHAPES["bare"])
    value = AccessRequest(
        account=CONTRACTOR,
        external_id="theirs-and-random",
        identity="iam-user",
        identity_arn="",
        user_id="AIDAEXAMPLEEXAMPLE12",
        issued=now,
        partition="aws",
    )
    result = adopted(iam, now, waiting, tighten=True, request=Received(value, "six-words"))
    assert result.terms is not None
    assert result.terms.external_id == "theirs-and-random"
    assert (result.record.external_id_by, result.record.request) == ("contractor", "six-words")
    made(iam, trust(allow({"AWS": "arn:aws:iam::333333333333:root"})))
    with pytest.raises(NotAdopted, match="333333333333"):
        prepared(iam, now, tighten=True, request=Received(value, "six-words"))


@pytest.mark.parametrize("more", [SERVICE, allow({"AWS": "arn:aws:iam::111111111111:root"})])
def test_tighten_shuts_nobody_else_out(iam: FakeIam, now: datetime, more: Any) -> None:
    made(iam, trust(allow(ROOT, MFA), more))
    with pytest.raises(NotAdopted, match="would lose access"):
        prepared(iam, now, tighten=True)


@pytest.mark.parametrize("number", range(4))
def test_a_crash_while_it_is_tightened_leaves_no_more_access_and_is_finished(
    iam: FakeIam, now: datetime, waiting: Waiting, number: int
) -> None:
    made(iam, SHAPES["weak"])
    ready = prepared(iam, now, tighten=True, until=END)
    calls: list[str] = []

    def fail(call: Call) -> None:
        if not call.operation.startswith(("get_", "list_", "describe_")):
            calls.append(call.operation)
            if len(calls) == number + 1:
                raise CallError(call, "ServiceFailure", "down")

    iam.before = fail
    with pytest.raises(Interrupted, match="ServiceFailure"):
        adopt(ready, perform=iam, waiting=waiting)
    iam.before = lambda call: None
    assert adopted(iam, now, waiting, tighten=True, until=END).drift == ()


@pytest.mark.parametrize("fault", [KeyboardInterrupt, "TimedOut"], ids=["ctrl-c", "no answer"])
def test_a_write_that_may_have_been_done_is_not_called_undone(
    iam: FakeIam, now: datetime, waiting: Waiting, fault: Any
) -> None:
    made(iam, SHAPES["console"])
    ready = prepared(iam, now)

    def stop(call: Call) -> None:
        if call.operation == "tag_role":
            raise KeyboardInterrupt if fault is KeyboardInterrupt else CallError(call, fault, "no answer")

    iam.after = stop
    with pytest.raises(Interrupted) as stopped:
        adopt(ready, perform=iam, waiting=waiting)
    assert "nothing was changed" not in str(stopped.value)
    assert "no more than before" in stopped.value.do
    assert stopped.value.exit_code == (130 if fault is KeyboardInterrupt else 3)


def test_a_refused_write_says_the_remedy(iam: FakeIam, now: datetime, waiting: Waiting) -> None:
    made(iam, SHAPES["console"])
    ready = prepared(iam, now)

    def refuse(call: Call) -> None:
        if call.operation == "tag_role":
            raise CallError(call, "AccessDenied", "no", do="ask for iam:TagRole")

    iam.before = refuse
    with pytest.raises(Interrupted, match="AccessDenied") as stopped:
        adopt(ready, perform=iam, waiting=waiting)
    assert stopped.value.do.startswith("ask for iam:TagRole; then run the same command again")
    assert stopped.value.do.endswith("nothing was changed")


def test_a_role_that_changed_while_a_person_thought_is_left(iam: FakeIam, now: datetime, waiting: Waiting) -> None:
    role = made(iam, SHAPES["weak"])
    ready = prepared(iam, now)
    role["managed"].append("arn:aws:iam::aws:policy/AdministratorAccess")
    with pytest.raises(NotAdopted, match="somebody else"):
        adopt(ready, perform=iam, waiting=waiting, look_again=True)
    assert iam.log == []


# -- others --------------------------------------------------------------------------------------------------------


def test_a_drifted_grant_is_agreed_to_as_it_is(iam: FakeIam, grant: Grant, now: datetime, waiting: Waiting) -> None:
    for call in plan(grant, None):
        iam(call)
    assert prepared(iam, now, name="audit").calls == ()
    iam.roles["audit"]["managed"].append("arn:aws:iam::aws:policy/ReadOnlyAccess")
    role = read_role(iam, "audit")
    assert role is not None
    assert read_standing(role).state(now) == "changed"
    ready = prepared(iam, now, name="audit")
    assert adopt(ready, perform=iam, waiting=waiting).standing.drift == ()


def test_a_damaged_record_is_written_anew(iam: FakeIam, now: datetime, waiting: Waiting) -> None:
    role = made(iam, SHAPES["console"])
    role["Tags"].append({"Key": "valetkey:version", "Value": "1"})
    role["Tags"].append({"Key": "valetkey:rubbish", "Value": "x"})
    assert read_grants(read_roles(iam))[1] == ("puppeteers",)
    assert adopted(iam, now, waiting).drift == ()
    assert not any(tag["Key"] == "valetkey:rubbish" for tag in role["Tags"])


def test_cloudformation_is_asked(iam: FakeIam, now: datetime) -> None:
    made(iam, SHAPES["console"])
    assert prepared(iam, now).stack.name == ""
    iam.stacks["puppeteers"] = "shows"
    assert prepared(iam, now).stack.name == "shows"

    def refuse(call: Call) -> None:
        if call.service == "cloudformation":
            raise CallError(call, "AccessDenied", "no")

    iam.before = refuse
    assert prepared(iam, now).stack.unread == "AccessDenied"


def test_all_lists_what_could_be_adopted_and_why_not(
    iam: FakeIam, grant: Grant, now: datetime, waiting: Waiting
) -> None:
    for call in plan(grant, None):
        iam(call)
    made(iam, SHAPES["weak"])
    made(iam, trust(SERVICE), name="machine")
    made(iam, trust(allow({"AWS": "*"})), name="open")
    made(iam, SHAPES["console"], name="SSO", path="/aws-reserved/sso.amazonaws.com/")
    result = {candidate.role.name: candidate for candidate in candidates(read_roles(iam))}
    assert set(result) == {"puppeteers", "open"}
    assert result["puppeteers"].contractor == CONTRACTOR
    assert result["puppeteers"].weak
    assert "every AWS account" in result["open"].why_not
    adopted(iam, now, waiting)
    assert {candidate.role.name for candidate in candidates(read_roles(iam))} == {"open"}


def test_too_many_tags_are_refused_before_anything(iam: FakeIam, now: datetime) -> None:
    role = made(iam, SHAPES["console"])
    role["Tags"] = [{"Key": f"k{number}", "Value": ""} for number in range(45)]
    with pytest.raises(NotAdopted, match="50"):
        prepared(iam, now)
    assert iam.log == []
