"""What a role can take out and a deny on it does not end: the catalogue, and what policies open of it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from valetkey.audit.permissions import _WELL_KNOWN
from valetkey.catalog.actions import expand
from valetkey.catalog.outliving_credentials import ASKED_AGAIN, DAY, HOUR, OUTLIVES, UNLISTED, life
from valetkey.catalog.risky_actions import ESCALATES
from valetkey.policy import Policy, parse_policy
from valetkey.policy.lenient import parse_lenient
from valetkey.prover.effective_permissions import Opening, opening

ROLE = "arn:aws:iam::111111111111:role/audit"
EVERY = {action for kind in OUTLIVES for action in (*kind.actions, *kind.needs)}


def policy(*statements: dict[str, Any], kind: Any = "identity") -> Policy:
    return parse_policy({"Version": "2012-10-17", "Statement": list(statements)}, kind)


def says(effect: str, *actions: str, resource: str = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": list(actions), "Resource": resource, **more}


def opens(*statements: dict[str, Any], boundary: Policy | None = None) -> Opening:
    return opening([("Test", policy(*statements))], boundary=boundary, role_arn=ROLE)


def taken(*statements: dict[str, Any], boundary: Policy | None = None) -> set[str]:
    return {action for item in opens(*statements, boundary=boundary).outlives for action in item.actions}


def managed(name: str) -> Policy:
    """An AWS managed policy as AWS publishes it (the sandbox's data)."""
    import json

    from valetkey.sandbox.managed import _text

    result = json.loads(_text())[name]
    return parse_policy(result.get("Document", result), "identity")


@pytest.mark.parametrize("action", sorted(EVERY | ASKED_AGAIN.keys()))
def test_every_action_is_one_that_aws_lists_or_the_list_says_why_not(action: str) -> None:
    assert (expand(action) == (action,)) != (action in UNLISTED)


def test_only_actions_of_the_list_are_excused() -> None:
    assert UNLISTED.keys() <= EVERY
    assert not ASKED_AGAIN.keys() & EVERY


@pytest.mark.parametrize("kind", OUTLIVES, ids=lambda kind: kind.what)
def test_every_kind_has_aws_page_and_the_longest_life(kind: Any) -> None:
    assert re.fullmatch(r"https://docs\.aws\.amazon\.com/[\w./-]+", kind.page)
    assert kind.longest is None or 0 < kind.longest <= 3650 * DAY
    assert len({action.partition(":")[0] for action in kind.actions}) <= 3
    assert life(kind.longest)


def test_redirects_name_operations_that_the_sdk_has() -> None:
    """A page that is reached by AWS's redirect names an operation; botocore knows them all."""
    import botocore.session

    session = botocore.session.get_session()
    known = {}
    for service in session.get_available_services():
        model = session.get_service_model(service)
        known[model.metadata.get("uid")] = set(model.operation_names)
    for kind in OUTLIVES:
        match = re.fullmatch(r".*/goto/WebAPI/([\w.-]+)/(\w+)", kind.page)
        if match:
            assert match[2] in known[match[1]], kind.page


def test_no_action_is_in_two_kinds() -> None:
    actions = [action for kind in OUTLIVES for action in kind.actions]
    assert len(actions) == len(set(actions))


@pytest.mark.parametrize(
    ("action", "longest"),
    [
        ("s3:GetDataAccess", 12 * HOUR),
        ("ecr:GetAuthorizationToken", 12 * HOUR),
        ("redshift:GetClusterCredentials", HOUR),
        ("redshift:GetClusterCredentialsWithIAM", HOUR),
        ("redshift-serverless:GetCredentials", HOUR),
        ("rds-db:connect", None),
        ("lakeformation:GetTemporaryGlueTableCredentials", 12 * HOUR),
        ("ssm:StartSession", None),
        ("sts:GetWebIdentityToken", HOUR),
        ("sts:AssumeRole", HOUR),
    ],
)
def test_one_allowed_action_is_marked_with_its_life(action: str, longest: int | None) -> None:
    (result,) = opens(says("Allow", action)).outlives
    assert result.actions == (action,)
    assert result.kind.longest == longest
    assert result.policies == ("Test",)


@pytest.mark.parametrize("action", sorted(UNLISTED))
def test_an_action_that_aws_does_not_list_is_found_too(action: str) -> None:
    service = action.partition(":")[0]
    assert taken(says("Allow", action.upper())) == {action}
    assert action in taken(says("Allow", f"{service}:*"))
    assert action in taken({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"})
    assert taken(says("Allow", action), says("Deny", f"{service}:*")) == set()
    assert sum(opens(says("Allow", action)).levels.values()) == 0


def test_what_needs_two_actions_is_marked_when_both_are_allowed() -> None:
    token, bearer = "codeartifact:GetAuthorizationToken", "sts:GetServiceBearerToken"
    assert taken(says("Allow", token)) == taken(says("Allow", bearer)) == set()
    assert taken(says("Allow", token, bearer)) == {token}
    login = says("Allow", "signin:CreateOAuth2Token", "signin:AuthorizeOAuth2Access")
    assert taken(login) == {"signin:CreateOAuth2Token"}
    assert taken(login, says("Deny", "signin:AuthorizeOAuth2Access")) == set()


def test_denies_and_the_boundary_are_respected() -> None:
    grants = says("Allow", "s3:*")
    assert "s3:GetDataAccess" in taken(grants)
    assert taken(grants, says("Deny", "s3:GetDataAccess")) == set()
    assert "s3:GetDataAccess" in taken(grants, says("Deny", "s3:GetDataAccess", resource="arn:aws:s3:::one/*"))
    condition = {"Bool": {"aws:SecureTransport": "false"}}
    assert "s3:GetDataAccess" in taken(grants, says("Deny", "s3:*", Condition=condition))
    assert taken(grants, boundary=policy(says("Allow", "ec2:*"), kind="boundary")) == set()
    assert "s3:GetDataAccess" in taken(grants, boundary=policy(says("Allow", "s3:Get*"), kind="boundary"))


def test_escalations_that_end_in_a_session_of_another_role_are_in_both_lists() -> None:
    escalating = {action for patterns in ESCALATES.values() for pattern in patterns for action in expand(pattern)}
    assert {"sts:AssumeRole", "sts:AssumeRoot", "ssm:StartSession", "ecs:ExecuteCommand"} <= escalating & EVERY


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("SecurityAudit", set()),
        ("ViewOnlyAccess", set()),
        (
            "ReadOnlyAccess",
            {
                "s3:GetDataAccess",
                "s3express:CreateSession",
                "ecr:GetAuthorizationToken",
                "gamelift:GetComputeAccess",
                "gamelift:GetInstanceAccess",
                "cognito-identity:GetOpenIdTokenForDeveloperIdentity",
                "license-manager:GetAccessToken",
                "kinesisvideo:GetHLSStreamingSessionURL",
                "kinesisvideo:GetDASHStreamingSessionURL",
                "connect:GetFederationToken",
                "emr-serverless:GetDashboardForJobRun",
            },
        ),
        ("AmazonS3ReadOnlyAccess", {"s3:GetDataAccess"}),
        ("SignInLocalDevelopmentAccess", {"signin:CreateOAuth2Token"}),
        ("PowerUserAccess", {action for kind in OUTLIVES for action in kind.actions}),
        ("AdministratorAccess", {action for kind in OUTLIVES for action in kind.actions}),
        ("IAMFullAccess", set()),
    ],
)
def test_what_aws_own_policies_let_out(name: str, expected: set[str]) -> None:
    """SecurityAudit and ViewOnlyAccess, the default of a grant, hand out nothing of the kind."""
    result = opening([(name, managed(name))], boundary=None, role_arn=ROLE).outlives
    assert {action for item in result for action in item.actions} == expected


@pytest.mark.parametrize("name", sorted(_WELL_KNOWN))
def test_a_template_that_names_a_policy_of_aws_is_marked_alike(name: str) -> None:
    """The audit holds short forms of AWS's policies for templates, which cannot hold the documents."""
    short = parse_lenient(_WELL_KNOWN[name], "identity").policy
    assert short is not None
    bare = name.rpartition("/")[2]
    both = [opening([(bare, item)], boundary=None, role_arn=ROLE).outlives for item in (short, managed(bare))]
    assert {a for item in both[0] for a in item.actions} == {a for item in both[1] for a in item.actions}


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "no limit named by AWS"),
        (300, "5 min"),
        (HOUR, "1 h"),
        (65 * 60, "65 min"),
        (12 * HOUR, "12 h"),
        (DAY, "24 h"),
        (30 * DAY, "30 days"),
    ],
)
def test_lives_in_words(seconds: int | None, words: str) -> None:
    assert life(seconds) == words
