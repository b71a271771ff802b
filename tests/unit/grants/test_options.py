"""What is asked for with and without an access request: flags first, wishes second, defaults last; never less safe."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.unit.grants.fake_iam import ALLOW_ALL_READS
from tests.unit.grants.whole_errors import refuse, whole_error

from valetkey.account.calls import Call, CallError
from valetkey.errors import ValetkeyError
from valetkey.exchange import AccessRequest, Received
from valetkey.grants.grant import Grant
from valetkey.grants.options import OwnerOptions, beyond, hints, wanted, with_request
from valetkey.grants.plan import Order, target
from valetkey.grants.prepare import check_quota, prepare
from valetkey.grants.role import compact, read_owner, read_role
from valetkey.trust.terms import Terms
from valetkey.trust.writing import plain_trust

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ASKED = OwnerOptions(name="audit")
REQUEST = AccessRequest(
    account="222222222222",
    partition="aws",
    external_id="theirs-0123456789",
    identity="iam-user",
    identity_arn="arn:aws:iam::222222222222:user/carol",
    issued=NOW,
)
PLAIN: dict[str, Any] = {
    "account": "111111111111",
    "partition": "aws",
    "managed": ("m",),
    "inline": (),
    "fresh_id": "fresh",
}


def test_the_requests_external_id_and_account_are_taken() -> None:
    grant = wanted(with_request(ASKED, REQUEST, now=NOW), request="1-2", **PLAIN)
    assert (grant.terms.contractor, grant.terms.external_id) == ("222222222222", "theirs-0123456789")
    assert (grant.external_id_by, grant.request) == ("contractor", "1-2")
    assert grant.terms.mfa


@pytest.mark.parametrize(
    ("changes", "external_id", "by"),
    [
        ({}, "fresh", "valetkey"),
        ({"external_id": "mine"}, "mine", "owner"),
        ({"no_external_id": True}, None, "none"),
    ],
)
def test_who_chose_the_external_id_is_recorded(changes: dict[str, Any], external_id: str | None, by: str) -> None:
    grant = wanted(replace(ASKED, contractor="222222222222", **changes), request=None, **PLAIN)
    assert (grant.terms.external_id, grant.external_id_by) == (external_id, by)


@pytest.mark.parametrize(
    "changes", [{"contractor": "333333333333"}, {"external_id": "other"}, {"no_external_id": True}]
)
def test_what_contradicts_the_request_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValetkeyError):
        with_request(replace(ASKED, **changes), REQUEST, now=NOW)


def test_both_an_external_id_and_none_is_refused() -> None:
    with pytest.raises(ValetkeyError):
        wanted(replace(ASKED, contractor="222222222222", external_id="x1", no_external_id=True), request=None, **PLAIN)


def test_flags_beat_wishes_and_wishes_beat_defaults() -> None:
    wishes = replace(REQUEST, policies=("ReadOnlyAccess",), until=NOW + timedelta(days=9), session=7200)
    taken = with_request(ASKED, wishes, now=NOW)
    assert (taken.policies, taken.until, taken.session) == (("ReadOnlyAccess",), NOW + timedelta(days=9), 7200)
    said = replace(ASKED, policies=("ViewOnlyAccess",), until=NOW + timedelta(days=1), session=3600)
    assert with_request(said, wishes, now=NOW) == replace(
        said, contractor=REQUEST.account, external_id=REQUEST.external_id
    )


def test_a_wish_for_a_short_session_gets_the_shortest_a_role_can_have() -> None:
    assert with_request(ASKED, replace(REQUEST, session=900), now=NOW).session == 3600


def test_a_wished_end_that_has_passed_is_refused() -> None:
    with pytest.raises(ValetkeyError):
        with_request(ASKED, replace(REQUEST, until=NOW), now=NOW)


@pytest.mark.parametrize(
    ("changes", "wishes", "more"),
    [
        ({}, {}, 0),
        ({}, {"policies": ("SecurityAudit", "ViewOnlyAccess", "job-function/ViewOnlyAccess")}, 0),
        ({}, {"policies": ("arn:aws:iam::aws:policy/SecurityAudit",)}, 0),
        ({}, {"policies": ("arn:aws:iam::111111111111:policy/SecurityAudit",)}, 1),
        ({}, {"policies": ("./SecurityAudit",)}, 1),
        ({}, {"policies": ("AdministratorAccess", "ViewOnlyAccess")}, 1),
        ({}, {"session": 3600}, 0),
        ({}, {"session": 43200}, 1),
        ({"policies": ("ViewOnlyAccess",), "session": 7200}, {"policies": ("x",), "session": 43200}, 0),
    ],
)
def test_only_wishes_for_more_than_the_defaults_need_a_yes(
    changes: dict[str, Any], wishes: dict[str, Any], more: int
) -> None:
    assert len(beyond(replace(ASKED, **changes), replace(REQUEST, **wishes))) == more


def test_a_request_of_another_partition_is_refused(iam: Any) -> None:
    received = Received(replace(REQUEST, partition="aws-cn"), "1-2")
    asked = with_request(ASKED, received.value, now=NOW)
    with pytest.raises(ValetkeyError, match="partition aws-cn"):
        prepare(asked, request=received, perform=iam, read=str, now=NOW, fresh_id="fresh-id")
    assert iam.log == []


def test_a_requests_policy_never_reads_a_file_of_the_owners(iam: Any) -> None:
    received = Received(replace(REQUEST, policies=("/etc/passwd", "./other.json")), "1-2")
    with pytest.raises(ValetkeyError, match="the policy '/etc/passwd', which is a file"):
        with_request(ASKED, received.value, now=NOW)


@pytest.mark.parametrize(
    ("changes", "identity", "words"),
    [
        ({}, "iam-user", []),
        ({"mfa": False}, "iam-user", ["Without MFA"]),
        ({"no_external_id": True}, "iam-user", ["confused deputy"]),
        ({}, "identity-center", ["never carry MFA"]),
        ({}, "iam-role", ["never carry MFA"]),
    ],
)
def test_what_terms_give_up_is_said(changes: dict[str, Any], identity: str, words: list[str]) -> None:
    said = hints(replace(ASKED, **changes), replace(REQUEST, identity=identity))
    assert len(said) == len(words)
    for sentence, word in zip(said, words, strict=True):
        assert word in sentence


def test_an_identity_center_role_is_named_in_both_forms_it_may_have() -> None:
    name = "AWSReservedSSO_Audit_0123456789abcdef"
    head = "arn:aws:iam::222222222222:role/"
    without_path = replace(REQUEST, identity="identity-center", identity_arn=head + name)
    (said,) = hints(ASKED, without_path)
    assert f"--only {head}aws-reserved/sso.amazonaws.com/REGION/{name} " in said
    assert f"({head}aws-reserved/sso.amazonaws.com/{name} if their Identity Center is in us-east-1)" in said
    known = f"{head}aws-reserved/sso.amazonaws.com/eu-west-1/{name}"
    (said,) = hints(ASKED, replace(without_path, identity_arn=known))
    assert f"--only {known}." in said
    assert "us-east-1" not in said


def test_more_policies_than_the_accounts_quota_are_refused(iam: Any) -> None:
    for number in range(13):
        iam.policies[f"arn:aws:iam::{iam.account}:policy/own-{number}"] = iam.policies[
            "arn:aws:iam::aws:policy/SecurityAudit"
        ]
    asked = replace(ASKED, contractor="222222222222", policies=tuple(f"own-{number}" for number in range(13)))
    with pytest.raises(ValetkeyError, match="12 per role"):
        prepare(asked, request=None, perform=iam, read=str, now=NOW, fresh_id="fresh-id")


def long_trust(characters: int) -> OwnerOptions:
    """What asks for a trust policy of so many characters: the ExternalId fills it to the last one."""
    only = tuple(f"arn:aws:iam::222222222222:user/{n:040}" for n in range((characters - 700) // 80))
    asked = replace(ASKED, contractor="222222222222", only=only, until=None)
    terms = Terms(contractor="222222222222", only=only, external_id="x")
    return replace(asked, external_id="x" * (1 + characters - len(compact(plain_trust(terms)))))


@pytest.mark.parametrize(
    ("quota", "fits", "over"),
    [(None, 2048, 2049), (4096, 4096, 4097), (8192, 8192, 8193)],
)
def test_a_trust_may_be_as_large_as_the_accounts_quota_says(iam: Any, quota: int | None, fits: int, over: int) -> None:
    iam.quotas = {} if quota is None else {"AssumeRolePolicySizeQuota": quota}
    prepared = prepare(long_trust(fits), request=None, perform=iam, read=str, now=NOW, fresh_id="fresh-id")
    assert len(prepared.calls[0].params["AssumeRolePolicyDocument"]) == fits
    with pytest.raises(ValetkeyError, match=f"{over:,} characters, and this account allows {fits:,}") as caught:
        prepare(long_trust(over), request=None, perform=iam, read=str, now=NOW, fresh_id="fresh-id")
    assert "Role trust policy length" in caught.value.do


def test_a_quota_that_cannot_be_read_is_left_to_aws(iam: Any) -> None:
    asked: list[str] = []

    def refuse(call: Call) -> None:
        asked.append(call.operation)
        if call.operation == "get_account_summary":
            raise CallError(call, "AccessDenied", "no")

    iam.before = refuse
    assert prepare(long_trust(2100), request=None, perform=iam, read=str, now=NOW, fresh_id="fresh-id").proof.holds
    assert asked.count("get_account_summary") == 1
    # A small one asks nobody.
    asked.clear()
    prepare(long_trust(2048), request=None, perform=iam, read=str, now=NOW, fresh_id="fresh-id")
    assert "get_account_summary" not in asked


def test_everything_that_can_be_checked_is_checked_before_the_first_call(iam: Any) -> None:
    calls: list[str] = []
    iam.before = lambda call: calls.append(call.operation)
    good = replace(ASKED, contractor="222222222222")
    for bad in (
        replace(good, name="no/slash"),
        replace(good, contractor="12"),
        replace(good, external_id="a b"),
        replace(good, policies=("not a name",)),
        replace(good, boundary="no-arn"),
        replace(good, tags=(("aws:x", "y"),)),
        replace(good, only=("arn:aws:iam::333333333333:user/x",)),
        replace(good, mfa=False),
        replace(good, session=60),
        replace(good, description="\u2014"),
        replace(good, path="x"),
    ):
        with pytest.raises(ValetkeyError):
            prepare(bad, request=None, perform=iam, read=str, now=NOW, fresh_id="fresh-id")
    assert calls == []


def test_another_partition_is_no_obstacle(iam: Any) -> None:
    china = type(iam)("111111111111", "aws-cn")
    asked = replace(ASKED, contractor="222222222222", only=("arn:aws-cn:iam::222222222222:user/carol",))
    prepared = prepare(asked, request=None, perform=china, read=str, now=NOW, fresh_id="fresh-id")
    assert prepared.grant.role_arn == "arn:aws-cn:iam::111111111111:role/audit"
    assert prepared.proof.holds


_SSO = "arn:aws:iam::222222222222:role/aws-reserved/sso.amazonaws.com/"


@pytest.mark.parametrize(
    ("identity", "arn", "advises"),
    [
        ("iam-role", "arn:aws:iam::222222222222:role/&(x)/ops", True),
        ("identity-center", f"{_SSO}eu-west-1/AWSReservedSSO_Audit_1", True),
        ("federated", "arn:aws:sts::222222222222:federated-user/carol", False),
        ("root", "arn:aws:iam::222222222222:root", False),
    ],
)
def test_the_advice_to_a_request_without_mfa_can_be_pasted(identity: str, arn: str, advises: bool) -> None:
    """The ARN out of the file is one word of a shell; who can enter no role at all is not named with --only."""
    [said] = hints(ASKED, replace(REQUEST, identity=identity, identity_arn=arn))
    assert ("--only" in said) is advises
    if advises:
        words = shlex.split(said.partition("decide on ")[2].removesuffix("."))
        assert words == ["--no-mfa", "--only", arn]


# -- whole ---------------------------------------------------------------


def test_a_grant_is_made_of_all_that_was_asked_for() -> None:
    end = NOW + timedelta(days=9)
    asked = OwnerOptions(
        name="audit",
        contractor="222222222222",
        policies=("x",),
        external_id="mine",
        mfa_max_age=900,
        until=end,
        session=7200,
        boundary="b",
        tags=(("k", "v"),),
        description="why",
        path="/p/",
        only=("o",),
        session_tags=True,
    )
    inline = (("policy-x", {"Statement": []}),)
    grant = wanted(asked, request="1-2", user_id="AIDA", **{**PLAIN, "inline": inline, "partition": "aws-cn"})
    assert grant == Grant(
        name="audit",
        account="111111111111",
        terms=Terms(
            contractor="222222222222",
            partition="aws-cn",
            external_id="mine",
            mfa_max_age=900,
            until=end,
            only=("o",),
            session_tags=True,
        ),
        managed=("m",),
        inline=inline,
        max_session=7200,
        boundary="b",
        tags=(("k", "v"),),
        description="why",
        path="/p/",
        external_id_by="contractor",
        request="1-2",
        user_id="AIDA",
    )


def test_what_is_not_asked_for_has_a_default() -> None:
    grant = wanted(replace(ASKED, contractor="222222222222"), request=None, **PLAIN)
    assert grant == Grant(
        name="audit",
        account="111111111111",
        terms=Terms(contractor="222222222222", external_id="fresh"),
        managed=("m",),
        description="Access for account 222222222222, granted with valetkey",
        max_session=3600,
    )
    assert wanted(replace(ASKED, contractor="2", description=""), request=None, **PLAIN).description == ""
    assert wanted(replace(ASKED, contractor="2", session=0), request=None, **PLAIN).max_session == 0


@pytest.mark.parametrize(
    ("changes", "what", "do"),
    [
        (
            {"contractor": "333333333333"},
            "--to 333333333333 is not the account of the request, 222222222222",
            "leave --to out, or ask the contractor for the right request",
        ),
        (
            {"external_id": "other"},
            "the request contains the contractor's ExternalId, and your options ask for something else",
            "leave --external-id and --no-external-id out: the contractor's side refuses any other",
        ),
    ],
)
def test_a_contradiction_says_which_option_to_leave_out(changes: dict[str, Any], what: str, do: str) -> None:
    with pytest.raises(ValetkeyError) as refused:
        with_request(replace(ASKED, **changes), REQUEST, now=NOW)
    assert whole_error(refused) == (what, do, "", 2)


def test_what_agrees_with_the_request_is_no_contradiction() -> None:
    same = replace(ASKED, contractor=REQUEST.account, external_id=REQUEST.external_id)
    assert with_request(same, REQUEST, now=NOW) == with_request(ASKED, REQUEST, now=NOW)


@pytest.mark.parametrize(
    ("changes", "until", "end"),
    [
        ({}, NOW + timedelta(seconds=1, microseconds=5), NOW + timedelta(seconds=1)),
        ({"never": True}, NOW, None),
        ({"until": NOW + timedelta(days=1)}, NOW, NOW + timedelta(days=1)),
        ({}, None, None),
    ],
)
def test_an_end_that_the_owner_chose_is_not_the_one_of_the_request(
    changes: dict[str, Any], until: datetime | None, end: datetime | None
) -> None:
    assert with_request(replace(ASKED, **changes), replace(REQUEST, until=until), now=NOW).until == end


@pytest.mark.parametrize("until", [NOW, NOW + timedelta(microseconds=9), NOW - timedelta(days=1)])
def test_an_end_that_has_passed_is_told(until: datetime) -> None:
    with pytest.raises(ValetkeyError) as refused:
        with_request(ASKED, replace(REQUEST, until=until), now=NOW)
    assert whole_error(refused) == ("the expiry time in the request has passed", "give one with --until", "", 2)


@pytest.mark.parametrize(("wish", "session"), [(None, None), (3599, 3600), (3600, 3600), (3601, 3601), (43200, 43200)])
def test_a_wished_session_is_as_long_as_a_role_can_have(wish: int | None, session: int | None) -> None:
    assert with_request(ASKED, replace(REQUEST, session=wish), now=NOW).session == session
    assert with_request(replace(ASKED, session=1), replace(REQUEST, session=wish), now=NOW).session == 1


def test_a_file_in_a_request_is_no_obstacle_where_the_owner_chose() -> None:
    asked = replace(ASKED, policies=("x",))
    assert with_request(asked, replace(REQUEST, policies=("./x.json",)), now=NOW).policies == ("x",)


@pytest.mark.parametrize(
    ("wishes", "more"),
    [
        ({"policies": ("SecurityAudit", "A", "./b", "job-function/ViewOnlyAccess")}, ("policy A", "policy ./b")),
        ({"policies": ("service-role/SecurityAudit",)}, ("policy service-role/SecurityAudit",)),
        ({"policies": ("arn:aws:iam::aws:policy/job-function/ViewOnlyAccess",)}, ()),
        (
            {"policies": ("arn:aws:iam::aws:policy/x/SecurityAudit",)},
            ("policy arn:aws:iam::aws:policy/x/SecurityAudit",),
        ),
        ({"session": 3600}, ()),
        ({"session": 3601}, ("sessions of 3601 s",)),
        ({"session": 900}, ()),
        ({"policies": ("A",), "session": 7200}, ("policy A", "sessions of 7200 s")),
    ],
)
def test_what_goes_beyond_the_defaults_is_named(wishes: dict[str, Any], more: tuple[str, ...]) -> None:
    assert beyond(ASKED, replace(REQUEST, **wishes)) == more
    assert beyond(replace(ASKED, policies=("x",), session=3600), replace(REQUEST, **wishes)) == ()


WHOLE = (
    "Everyone in account 222222222222 who has the ExternalId is admitted, with no more than an access key or a role of "
    "that account: only the ExternalId and that account's own rules keep others out."
)
NO_MFA = (
    "Without MFA a stolen access key of the named identities is enough to assume the role; their own side (identity "
    "provider, IAM) has to require a second factor."
)
FROM = (
    "The addresses are checked when the role is assumed: a session may be used from anywhere. Calls through a VPC "
    "endpoint carry no such address and are refused."
)
NO_ID = (
    "Without an ExternalId another customer of this contractor can send it to your role (the confused deputy); require "
    "one unless the contractor's tool cannot send it."
)


def no_mfa_from(whom: str, advice: str = "") -> str:
    return f"The request comes from {whom}, which can never carry MFA: these people must use IAM users{advice}."


ADVICE = ", or you decide on --no-mfa --only arn:aws:iam::222222222222:user/carol"


@pytest.mark.parametrize(
    ("changes", "identity", "said"),
    [
        ({}, None, ()),
        ({"whole_account": True, "mfa": False, "contractor": "222222222222"}, "iam-role", (WHOLE,)),
        ({"mfa": False}, "root", (NO_MFA,)),
        ({"from_ip": ("192.0.2.1",)}, None, (FROM,)),
        ({"no_external_id": True}, None, (NO_ID,)),
        (
            {"from_ip": ("192.0.2.1",), "no_external_id": True},
            "federated",
            (FROM, NO_ID, no_mfa_from("a federated session")),
        ),
        ({}, "root", (no_mfa_from("the account's root user"),)),
        ({}, "iam-role", (no_mfa_from("a role", ADVICE),)),
        ({}, "identity-center", (no_mfa_from("an Identity Center session", ADVICE),)),
    ],
)
def test_what_the_owner_should_know_in_whole_sentences(
    changes: dict[str, Any], identity: str | None, said: tuple[str, ...]
) -> None:
    request = None if identity is None else replace(REQUEST, identity=identity)
    assert hints(replace(ASKED, **changes), request) == said


# -- prepare ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "waits"), [(timedelta(minutes=15), set()), (timedelta(minutes=15, seconds=-1), {1, 2})]
)
def test_an_end_within_a_quarter_of_an_hour_matters_at_once(iam: Any, left: timedelta, waits: set[int]) -> None:
    asked = replace(ASKED, contractor="222222222222", until=NOW + left)
    prepared = prepare(asked, request=None, perform=iam, read=str, now=NOW, fresh_id="fresh-id")
    assert prepared.order.waits == waits


def test_a_prepared_grant_carries_what_was_found(iam: Any) -> None:
    iam.versions["arn:aws:iam::aws:policy/SecurityAudit"] = {"v7": ALLOW_ALL_READS}
    received = Received(replace(REQUEST, user_id="AIDAEXAMPLEEXAMPLE12"), "six-words")
    deny = {"Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]}
    asked = replace(
        with_request(ASKED, received.value, now=NOW),
        policies=("SecurityAudit", "no.json"),
        boundary="arn:aws:iam::aws:policy/ReadOnlyAccess",
    )
    result = prepare(asked, request=received, perform=iam, read=lambda _: json.dumps(deny), now=NOW, fresh_id="f")
    assert result.role is None
    assert result.owner == read_owner(iam)
    assert result.grant == Grant(
        name="audit",
        account="111111111111",
        terms=Terms(contractor="222222222222", external_id="theirs-0123456789"),
        managed=("arn:aws:iam::aws:policy/SecurityAudit",),
        inline=(("policy-no", deny),),
        boundary="arn:aws:iam::aws:policy/ReadOnlyAccess",
        description="Access for account 222222222222, granted with valetkey",
        external_id_by="contractor",
        request="six-words",
        user_id="AIDAEXAMPLEEXAMPLE12",
        versions=(("arn:aws:iam::aws:policy/SecurityAudit", "v7"),),
    )
    assert result.order == Order(
        {"arn:aws:iam::aws:policy/SecurityAudit": "allows", "policy-no": "denies"}, frozenset({2})
    )
    assert [target(call) for call in result.calls] == [
        "",
        "valetkey-own-role",
        "policy-no",
        "arn:aws:iam::aws:policy/SecurityAudit",
    ]
    assert result.proof.holds
    assert result.opening.levels["Read"] == 0
    assert result.opening.levels["List"] > 0


def test_a_second_run_is_about_the_role_that_is_there(iam: Any) -> None:
    asked = replace(ASKED, contractor="222222222222", until=NOW + timedelta(days=9))
    first = prepare(asked, request=None, perform=iam, read=str, now=NOW, fresh_id="first-id")
    for call in first.calls[:-1]:
        iam(call)
    # AWS changes the policy meanwhile: it was granted as it was.
    iam.versions["arn:aws:iam::aws:policy/SecurityAudit"] = {"v9": {"Statement": []}}
    again = prepare(asked, request=None, perform=iam, read=str, now=NOW, fresh_id="second-id")
    assert again.grant == first.grant
    assert again.calls == first.calls[-1:]
    assert again.role == read_role(iam, "audit")


@pytest.mark.parametrize(
    ("number", "quota", "refused"), [(10, 5, False), (11, 10, True), (12, 12, False), (13, 12, True)]
)
def test_ten_policies_ask_nobody_and_more_the_accounts_quota(iam: Any, number: int, quota: int, refused: bool) -> None:
    asked: list[str] = []
    iam.before = lambda call: asked.append(call.operation)
    iam.quotas = {"AttachedPoliciesPerRoleQuota": quota}
    if refused:
        with pytest.raises(ValetkeyError) as problem:
            check_quota(number, iam)
        assert whole_error(problem) == (
            f"{number} managed policies exceed this account's quota of {quota} per role",
            "name fewer, or raise the quota 'Managed policies per role' in Service Quotas",
            "",
            2,
        )
    else:
        check_quota(number, iam)
    assert asked == (["get_account_summary"] if number > 10 else [])
    with pytest.raises(ValetkeyError, match="quota of 10 per role"):
        check_quota(11, lambda call, /: {"SummaryMap": {}})


def test_that_a_quota_could_not_be_read_for_another_reason_is_an_error(iam: Any) -> None:
    iam.before = refuse("Unreachable", "get_account_summary")
    with pytest.raises(CallError, match="Unreachable"):
        prepare(long_trust(2100), request=None, perform=iam, read=str, now=NOW, fresh_id="fresh-id")


@pytest.mark.parametrize(
    "arn", ["arn:aws-cn:iam::222222222222:user/carol", "arn:aws-us-gov:iam::222222222222:user/carol"]
)
def test_the_partition_is_the_one_that_was_named(iam: Any, arn: str) -> None:
    """Before the first call, the terms are checked in the partition of what is named."""
    partition = arn.split(":")[1]
    for option in ("only", "pin"):
        other = type(iam)("111111111111", partition)
        asked = replace(ASKED, contractor="222222222222", **{option: (arn,)})
        assert (
            prepare(asked, request=None, perform=other, read=str, now=NOW, fresh_id="f-1").grant.terms.partition
            == partition
        )
    received = Received(replace(REQUEST, partition=partition), "1-2")
    other = type(iam)("111111111111", partition)
    asked = with_request(ASKED, received.value, now=NOW)
    assert (
        prepare(asked, request=received, perform=other, read=str, now=NOW, fresh_id="f-1").grant.terms.partition
        == partition
    )
