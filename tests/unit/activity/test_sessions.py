"""Sessions per credential, their kinds, chains, and who is behind them."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.trails.generate import story
from tests.trails.records import BROWSER, CLI, MCP, Maker, Record

from valetkey.activity import Activity, Event, Expected, SessionActivity, Wanted, answer, role_key
from valetkey.activity.records import RECORD

AT = datetime(2026, 11, 3, 10, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture
def maker(account: Any) -> Maker:
    return Maker(account(), account())


def events(records: list[Record], *roles: str, keys: frozenset[str] = frozenset()) -> list[Event]:
    wanted = Wanted(roles=frozenset(key for role in roles if (key := role_key(role))), keys=keys)
    result = (wanted.event(RECORD.decode(msgspec.json.encode(record))) for record in records)
    return [event for event in result if event is not None]


def answered(maker: Maker, *records: Record, **more: Any) -> Activity:
    return answer(events(list(records), maker.role, **more))


def only(activity: Activity) -> SessionActivity:
    [session] = activity.sessions
    return session


def test_a_console_is_one_session_although_its_keys_change(maker: Maker) -> None:
    records = [
        maker.record(
            AT + number * SECOND,
            "iam",
            "ListUsers",
            maker.identity("carol", AT, maker.unique("ASIA")),
            sessionCredentialFromConsole="true",
            userAgent=BROWSER,
        )
        for number in range(7)
    ]
    session = only(answered(maker, *records))
    assert (session.kind.name, session.events, len(session.keys)) == ("console", 7, 7)
    assert [click.calls for click in session.clicks] == [7]


def test_calls_that_an_open_page_repeats_are_no_clicks(maker: Maker) -> None:
    def called(seconds: int, source: str, name: str) -> Record:
        who = maker.identity("carol", AT, maker.unique("ASIA"))
        return maker.record(
            AT + seconds * SECOND, source, name, who, sessionCredentialFromConsole="true", userAgent=BROWSER
        )

    itself = [called(second, "health", "DescribeEventAggregates") for second in (1, 3, 60, 120)]
    itself.append(called(61, "cloudshell", "SendHeartBeat"))
    session = only(
        answered(
            maker,
            called(0, "iam", "ListUsers"),
            called(4, "iam", "ListRoles"),
            *itself,
            called(90, "s3", "ListBuckets"),
        )
    )
    assert [(click.service, click.calls) for click in session.clicks] == [("iam", 1), ("iam", 1), ("s3", 1)]
    assert session.events == 8


@pytest.mark.parametrize(("agent", "kind"), [(CLI, "cli"), (BROWSER, "console")])
def test_without_access_keys_the_program_says_what_it_is(maker: Maker, agent: str, kind: str) -> None:
    """As copies of trails are whose key ids somebody took out."""
    who = maker.identity("bob", AT, None)
    records = [maker.record(AT + number * SECOND, "s3", "GetObject", who, userAgent=agent) for number in (1, 2)]
    assert only(answered(maker, *records)).kind.name == kind


def test_a_service_that_does_not_say_console_is_in_it_by_its_browser(maker: Maker) -> None:
    marked = maker.record(AT, "iam", "ListUsers", maker.identity("carol", AT, "ASIA1"), userAgent=BROWSER,
                          sessionCredentialFromConsole="true")  # fmt: skip
    unmarked = maker.record(AT, "ec2", "DescribeVpcs", maker.identity("carol", AT, "ASIA2"), userAgent=BROWSER)
    by_cli = maker.record(AT, "ec2", "DescribeVpcs", maker.identity("carol", AT, "ASIA3"))
    sessions = answered(maker, marked, unmarked, by_cli).sessions
    assert [(activity.kind.name, activity.events) for activity in sessions] == [("cli", 1), ("console", 2)]


def test_two_sessions_of_one_name_in_one_second_are_two(maker: Maker) -> None:
    records = [maker.record(AT, "iam", "ListUsers", maker.identity("carol", AT, key)) for key in ("ASIA1", "ASIA2")]
    assert len(answered(maker, *records).sessions) == 2


def test_a_sign_in_holds_under_changing_keys_and_on_events_that_do_not_have_it(maker: Maker) -> None:
    arn = "arn:aws:signin:us-east-1:1:session/x"
    records = []
    for key in ("ASIA1", "ASIA2"):
        stamped = maker.identity("carol", AT, key)
        stamped["sessionContext"]["signInSessionArn"] = arn
        records += [
            maker.record(AT, "iam", "ListUsers", stamped),
            maker.record(AT + SECOND, "ec2", "DescribeVpcs", maker.identity("carol", AT, key)),
        ]
    assert only(answered(maker, *records)).events == 4


def test_the_token_of_an_agent_does_not_move_the_session_that_asked_for_it(maker: Maker) -> None:
    arn = "arn:aws:signin:us-east-1:1:session/x"
    grant = maker.record(AT, "signin", "CreateOAuth2Token", maker.identity("carol", AT, None), readOnly=False,
                         requestParameters={"resource": MCP},
                         additionalEventData={"signInSessionArn": arn})  # fmt: skip
    acting = maker.identity("carol", AT, "ASIA9")
    acting["sessionContext"]["signInSessionArn"] = arn
    call = maker.record(AT + SECOND, "iam", "ListUsers", {**acting, "invokedBy": "aws-mcp.amazonaws.com"})
    console, agent = answered(maker, grant, call).sessions
    assert (console.kind.name, agent.kind.name, agent.parent) == ("console", "agent", console.id)
    assert {flag.code for flag in console.flags} >= {"agent-login"}
    assert {flag.code for flag in agent.flags} >= {"agent"}
    # A sign-in is no agent by its ARN alone.
    assert answered(maker, maker.record(AT, "iam", "ListUsers", acting)).sessions[0].kind.name == "cli"


@pytest.mark.parametrize(
    "resource", ["https://aws-mcp.evil.example/mcp", "https://evil.example/aws-mcp.x.api.aws/", ""]
)
def test_only_the_address_of_the_mcp_server_is_an_agent(maker: Maker, resource: str) -> None:
    grant = maker.record(AT, "signin", "CreateOAuth2Token", maker.identity("carol", AT, None), readOnly=False,
                         requestParameters={"resource": resource})  # fmt: skip
    assert {flag.code for flag in only(answered(maker, grant)).flags} >= {"login-export"}


def test_a_chain_is_followed_and_keeps_the_person(maker: Maker, account: Any) -> None:
    further = f"arn:aws:iam::{account()}:role/deploy"
    ours, theirs = maker.entry(AT, "s-1", "ASIA1", user="carol", device=True)
    given = {
        "credentials": {"accessKeyId": "ASIA2"},
        "assumedRoleUser": {"assumedRoleId": "AROAFURTHER:step"},
    }
    step = maker.record(AT + SECOND, "sts", "AssumeRole", maker.identity("s-1", AT, "ASIA1"), responseElements=given,
                        requestParameters={"roleArn": further, "roleSessionName": "step"})  # fmt: skip
    deed = maker.record(AT + 2 * SECOND, "iam", "CreateUser",
                        maker.identity("step", AT + SECOND, "ASIA2", role=further, role_id="AROAFURTHER"))  # fmt: skip
    activity = answered(maker, ours, theirs, step, deed, keys=frozenset({"ASIA2"}))
    first, second = activity.sessions
    assert (activity.used(maker.role), activity.used(further)) == (("sts:AssumeRole",), ("iam:CreateUser",))
    assert (second.parent, second.who.person, second.mfa, second.role) == (first.id, "carol", "yes", further)
    [flag] = [item for item in first.flags if item.code == "chain-out"]
    assert flag.events == (step["eventID"],)
    assert further in flag.words
    assert [item.code for item in second.flags if item.code == "iam-change"] == ["iam-change"]


def test_an_entry_that_nothing_was_done_with_is_a_session(maker: Maker) -> None:
    ours, _ = maker.entry(AT, "carol", "ASIA1")
    session = only(answered(maker, ours))
    assert (session.events, session.entry, session.who.caller_account) == (0, (ours["eventID"],), maker.contractor)


def test_a_refused_entry_is_no_session(maker: Maker) -> None:
    _, theirs = maker.entry(AT, "carol", "", error="AccessDenied")
    activity = answered(maker, theirs)
    assert activity.sessions == ()
    assert [(attempt.caller.rpartition("/")[2], attempt.error) for attempt in activity.refused] == [
        ("carol", "AccessDenied")
    ]


@pytest.mark.parametrize(
    ("both", "device", "mfa", "said"),
    [
        (False, False, False, "not shown"),
        (False, True, False, "yes"),
        (True, False, False, "no"),
        (True, False, True, "yes"),
    ],
)
def test_mfa_is_no_only_where_it_would_show(maker: Maker, both: bool, device: bool, mfa: bool, said: str) -> None:
    ours, theirs = maker.entry(AT, "carol", "ASIA1", device=device, mfa=mfa)
    act = maker.record(AT + SECOND, "iam", "ListUsers", maker.identity("carol", AT, "ASIA1"))
    session = only(answered(maker, act, ours, *([theirs] if both else [])))
    assert session.mfa == said
    codes = {flag.code for flag in session.flags}
    assert ("no-mfa" in codes, "mfa-not-shown" in codes) == (said == "no", said == "not shown")


def test_mfa_that_the_grant_requires_is_said_as_that(maker: Maker) -> None:
    """Nothing shows it where the code was given to GetSessionToken before, as `valetkey` itself does."""
    ours, theirs = maker.entry(AT, "carol", "ASIA1")
    act = maker.record(AT + SECOND, "iam", "ListUsers", maker.identity("carol", AT, "ASIA1"))
    key = role_key(maker.role)
    assert key
    required = {key: Expected(mfa=True)}
    session = only(answer(events([act, ours], maker.role), terms=required))
    assert (session.mfa, {flag.code for flag in session.flags}) == ("required", set())
    # What the caller's trail shows goes before.
    assert only(answer(events([act, ours, theirs], maker.role), terms=required)).mfa == "no"


def test_the_surest_name_is_taken(maker: Maker) -> None:
    ours, theirs = maker.entry(AT, "whoever", "ASIA1", user="carol")
    plain = maker.identity("whoever", AT, "ASIA1")
    act = maker.record(AT, "iam", "ListUsers", plain)
    assert (only(answered(maker, act)).who.person, only(answered(maker, act)).who.by) == ("whoever", "session name")
    assert (person := only(answered(maker, act, ours, theirs)).who).person == "carol"
    assert person.by == "the caller's trail"
    someone = {
        **plain,
        "onBehalfOf": {"userId": "u-1", "identityStoreArn": "arn:aws:identitystore::1:identitystore/d-1"},
    }
    one_event = maker.record(AT, "s3", "ListBuckets", someone)
    session = only(answered(maker, act, one_event))
    assert (session.events, session.who.by) == (2, "IAM Identity Center")
    plain["sessionContext"]["sourceIdentity"] = "dora"
    assert only(answered(maker, ours, theirs, maker.record(AT, "iam", "ListUsers", plain))).who.person == "dora"


def test_switch_role_has_no_session_context_and_belongs_to_its_console(maker: Maker) -> None:
    bare = maker.identity("heidi", AT, None)
    del bare["sessionContext"]
    switch = maker.record(AT, "signin", "SwitchRole", bare, readOnly=False)
    call = maker.record(AT + SECOND, "s3", "ListBuckets", maker.identity("heidi", AT, "ASIA1"),
                        sessionCredentialFromConsole="true")  # fmt: skip
    assert only(answered(maker, switch, call)).events == 2
    later = maker.record(AT + timedelta(hours=2), "signin", "SwitchRole", bare, readOnly=False)
    assert [activity.events for activity in answered(maker, switch, later).sessions] == [1, 1]
    assert len(answered(maker, switch, {**later, "eventTime": "2026-11-03T10:20:00Z"}).sessions) == 1


def test_what_services_do_for_a_session_is_counted_apart(maker: Maker) -> None:
    who = maker.identity("carol", AT, "ASIA1")
    served = {**maker.identity("carol", AT, "ASIA2"), "invokedBy": "cloudformation.amazonaws.com"}
    session = only(
        answered(maker, maker.record(AT, "cloudformation", "CreateStack", who),
                 maker.record(AT, "ec2", "CreateVpc", served))
    )  # fmt: skip
    assert [calls.action for calls in session.done] == ["cloudformation:CreateStack"]
    assert [calls.action for calls in session.by_services] == ["ec2:CreateVpc"]
    assert [deed.action for deed in session.writes] == ["cloudformation:CreateStack", "ec2:CreateVpc"]


def test_denied_calls_are_apart_and_errors_are_no_denials(maker: Maker) -> None:
    who = maker.identity("carol", AT, "ASIA1")
    codes = ("AccessDenied", "Client.UnauthorizedOperation", "ThrottlingException", "NoSuchEntityException")
    records = [maker.record(AT, "iam", "DeleteUser", who, errorCode=code) for code in codes]
    session = only(answered(maker, *records))
    assert [deed.error for deed in session.denied] == [*codes[:2]] or {deed.error for deed in session.denied} == {
        *codes[:2]
    }
    assert {deed.error for deed in session.errors} == {*codes[2:]}
    assert (session.writes, session.done) == ((), ())


def test_used_actions_are_those_that_succeeded(maker: Maker) -> None:
    who = maker.identity("carol", AT, "ASIA1")
    served = {**maker.identity("carol", AT, "ASIA2"), "invokedBy": "cloudformation.amazonaws.com"}
    activity = answered(
        maker,
        maker.record(AT, "s3", "ListBuckets", who),
        maker.record(AT, "iam", "CreateUser", who, errorCode="AccessDenied"),
        maker.record(AT, "ec2", "RunInstances", who, errorCode="Client.UnauthorizedOperation"),
        maker.record(AT, "iam", "DeleteUser", who, errorCode="NoSuchEntityException"),
        maker.record(AT, "new-service", "DoThings", who),
        maker.record(AT, "ec2", "CreateVpc", served),
    )
    assert activity.used(maker.role) == ("ec2:CreateVpc", "s3:ListAllMyBuckets")


@given(seed=st.integers(0, 10_000))
def test_the_order_of_events_does_not_matter(seed: int) -> None:
    told = story(7, 1)
    records = [record for _, record in told.records]
    keys = frozenset(
        str(item["responseElements"]["credentials"]["accessKeyId"])
        for item in records
        if item["eventName"] == "AssumeRole" and "deploy" in str(item["requestParameters"]) and item["responseElements"]
    )
    rows = events(records, told.maker.role, keys=keys)
    mixed = list(rows)
    random.Random(seed).shuffle(mixed)
    assert answer(mixed) == answer(rows)
    assert len(answer(rows).sessions) == len(told.sessions)
