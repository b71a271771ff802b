"""AWS's texts of a refusal, as its pages and public logs have them, read into values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valetkey.account.calls import Call, CallError
from valetkey.account.denial import PolicyType, read_denial, split_authorization

USER = "User: arn:aws:iam::123456789012:user/John is not authorized to perform: "
DEPLOY = "codedeploy:ListDeployments on resource: arn:aws:codedeploy:us-east-1:123456789012:deploymentgroup:* "
SECRET = "secretsmanager:GetSecretValue on resource: arn:aws:secretsmanager:us-east-1:123456789012:secret:* "
ROLE = "sts:AssumeRole on resource: arn:aws:iam::444455556666:role/x/audit "
PUBLISH = "SNS:Publish on resource: arn:aws:sns:us-east-1:444455556666:role-name-2\n"
SCP = "arn:aws:organizations::987654321098:policy/o-qv5af4abcd/service_control_policy/p-2kgnabcd"


def no(policy: str, action: str) -> str:
    return f"{action} because no {policy} allows the {action} action"


# IAM User Guide, troubleshoot_access-denied, every example of it; its own slips ("ListRespositories", "sessions
# policy") included. Then the AWS Security Blog on policy ARNs.
SLIP = no("service control policy", "codecommit:ListRepositories").replace("ListRepositories a", "ListRespositories a")
PAGE = [
    (SLIP, PolicyType.SCP),
    ("codecommit:ListRepositories with an explicit deny in a service control policy", PolicyType.SCP),
    (f"{SECRET}with an explicit deny in a resource control policy", PolicyType.RCP),
    (no("VPC endpoint policy", "codecommit:ListRepositories"), PolicyType.ENDPOINT),
    (f"{DEPLOY}with an explicit deny in a VPC endpoint policy", PolicyType.ENDPOINT),
    (f"{DEPLOY}because no permissions boundary allows the codedeploy:ListDeployments action", PolicyType.BOUNDARY),
    ("sagemaker:ListModels with an explicit deny in a permissions boundary", PolicyType.BOUNDARY),
    (no("session policy", "codecommit:ListRepositories"), PolicyType.SESSION),
    (f"{DEPLOY}with an explicit deny in a sessions policy", PolicyType.SESSION),
    (no("resource-based policy", "secretsmanager:GetSecretValue"), PolicyType.RESOURCE),
    (f"{SECRET}with an explicit deny in a resource-based policy", PolicyType.RESOURCE),
    (no("role trust policy", "sts:AssumeRole"), PolicyType.TRUST),
    ("sts:AssumeRole with an explicit deny in the role trust policy", PolicyType.TRUST),
    (no("identity-based policy", "codecommit:ListRepositories"), PolicyType.IDENTITY),
    (f"{DEPLOY}with an explicit deny in an identity-based policy", PolicyType.IDENTITY),
    (
        f"{PUBLISH}with an explicit deny in a VPC endpoint policy transitively through a service control policy",
        PolicyType.ENDPOINT,
    ),
    (f"iam:ListRoles with an explicit deny in a service control policy: {SCP}", PolicyType.SCP),
]


@pytest.mark.parametrize(("text", "policy"), PAGE)
def test_every_text_of_awss_page(text: str, policy: PolicyType) -> None:
    denial = read_denial(USER + text)
    assert denial is not None
    assert (denial.policy, denial.explicit) == (policy, "explicit deny" in text)
    assert denial.clause in " ".join(text.split())
    assert denial.action.split(":")[0] == text.split(":")[0]
    # Another sentence after it changes nothing.
    assert read_denial(f"{USER}{text}. See the documentation.") == denial


def test_the_arn_and_the_action_are_read() -> None:
    denial = read_denial(f"{USER}{PAGE[-1][0]}")
    assert denial is not None
    assert denial.arn == SCP
    tagging = read_denial(
        f"{USER}sts:TagSession on resource: x because no role trust policy allows the sts:TagSession action"
    )
    assert tagging is not None
    assert tagging.action == "sts:TagSession"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Access denied",
        "Not authorized to perform sts:AssumeRole",
        "Roles may not be assumed by root accounts.",
        f"{USER}sts:AssumeRole",
        f"{USER}{ROLE}",
        f"{USER}iam:GetRole on resource: role audit",
        "because no role trust policy allows the sts:AssumeRole action",
        "The role trust policy says: with an explicit deny in the role trust policy",
    ],
)
def test_a_text_without_a_reason(text: str) -> None:
    assert read_denial(text) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("because no quantum policy allows the sts:AssumeRole action", "because no quantum policy allows"),
        ("with an explicit deny in a quantum policy: arn:aws:quantum:::x", "in a quantum policy"),
        ("because no role trust policy allows the sts:AssumeRole action unless asked nicely", "unless asked nicely"),
        ("as the role trust policy is under review", "as the role trust policy is under review"),
        ("with an explicit deny in the role trust policy, role 7 of an identity-based policy", "role trust policy"),
        # More than one reason: AWS says that it names one.
        ("because no role trust policy allows the X:Y action because no session policy allows it", "because no role"),
        ("with an explicit deny in the role trust policy with an explicit deny in a session policy", "explicit deny"),
    ],
)
def test_what_is_not_known_is_kept_and_claims_nothing(text: str, words: str) -> None:
    denial = read_denial(f"{USER}{ROLE}{text}")
    assert denial is not None
    assert denial.policy is None
    assert denial.named
    assert words in denial.clause


def test_an_explicit_deny_of_nobody_names_nobody() -> None:
    denial = read_denial(f"{USER}{ROLE}with an explicit deny")
    assert denial is not None
    assert (denial.policy, denial.named, denial.explicit) == (None, "", True)


@given(st.text(max_size=300))
def test_no_text_breaks_the_reader(text: str) -> None:
    for item in (text, USER + text, f"{USER}{ROLE}{text}"):
        read_denial(item)
        split_authorization(item)


def test_a_long_text_is_read_in_no_time() -> None:
    for item in ("because no " * 20_000, "with an explicit deny in a " * 20_000, "a " * 50_000, "arn:" * 50_000):
        read_denial(f"{USER}{ROLE}{item}")
        split_authorization(f"{item} authorization id: {item}")


ID = "d3xbfwcsdoam45n7ms6nv5pl0"
LINK = f"https://us-east-1.console.aws.amazon.com/iam/home?region=us-east-1#/authorization-details/{ID}"
POINTER = f" Go to {LINK} for complete details, or call the GetRequestAuthorizationDetails API with the following"
POINTER += f" authorization id: {ID}"
PLAIN = f"{USER}iam:GetRole on resource: role audit because no identity-based policy allows the iam:GetRole action"


def test_an_authorization_id_is_split_off() -> None:
    """IAM User Guide, troubleshoot_access-denied-authorization-id."""
    text, authorization = split_authorization(f"{PLAIN}.{POINTER}")
    assert text == PLAIN
    assert authorization is not None
    assert (authorization.id, authorization.link, authorization.region) == (ID, LINK, "us-east-1")
    assert f"--region us-east-1 --authorization-id {ID}" in authorization.details
    assert split_authorization(PLAIN) == (PLAIN, None)


@pytest.mark.parametrize(
    "text",
    [
        f"{PLAIN}.{POINTER}",
        f"{PLAIN}.{POINTER}.\n",
        f"{PLAIN}. Authorization ID: {ID}",
        f"{PLAIN} (authorization-id={ID})",
        f"{PLAIN}. See {LINK}",
        f"{PLAIN}. See {LINK.replace('https', 'http')}, authorization id {ID}.",
        f"{PLAIN}.{POINTER} and again {ID}",
    ],
)
def test_no_text_of_an_error_holds_the_id_or_the_link(text: str) -> None:
    error = CallError(Call("iam", "get_role"), "AccessDenied", text)
    for item in (error.message, error.what, error.do, error.likely, str(error), repr(error), repr(error.denial)):
        assert ID not in item
        assert "authorization-details/" not in item
    assert "iam:GetRole" in error.what


@pytest.mark.parametrize(
    "link",
    [
        "https://console.aws.amazon.com.evil.example/iam#/authorization-details/x",
        "https://evil.example/#console.aws.amazon.com",
        "https://user@us-east-1.console.aws.amazon.com/iam",
        "https://us-east-1.console.aws.amazon.com:444/iam",
        "https://[console.aws.amazon.com/",
        "https://us-east-1.console.aws.amazon.com/\u202eiam",
    ],
)
def test_a_link_to_elsewhere_is_left_out(link: str) -> None:
    _, authorization = split_authorization(f"{PLAIN}.{POINTER.replace(LINK, link)}")
    assert authorization is not None
    assert (authorization.id, authorization.link) == (ID, "")
    assert "http" not in authorization.details


def test_the_details_are_for_whoever_made_the_call(capsys: pytest.CaptureFixture[str]) -> None:
    from valetkey.report.problem import say_problem

    say_problem(CallError(Call("iam", "get_role"), "AccessDenied", f"{PLAIN}.{POINTER}"))
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == f"valetkey: iam:GetRole failed: AccessDenied: {PLAIN}"
    assert lines[-1].startswith(f"  details: {LINK} or `aws iam-toolbox get-request-authorization-details")
