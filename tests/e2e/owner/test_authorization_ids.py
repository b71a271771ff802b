"""IAM's authorization ids (a preview) are shown only to the person whose call was denied."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

Run = Callable[..., Any]
READ = {"Effect": "Allow", "Action": ["iam:Get*", "iam:List*"], "Resource": "*"}
SIGN = re.compile(r"authorization-details/|authorization.id", re.IGNORECASE)


@pytest.fixture(autouse=True)
def _ids(stage: Any) -> None:
    stage.sandbox.control.vary(stage.owner.account, refusals="ids")


def user(stage: Any, name: str, *statements: dict[str, Any]) -> Any:
    return stage.owner.user(name, {"Version": "2012-10-17", "Statement": [*statements]})


def detailed(stderr: str) -> str:
    """The id in its line of stderr; asserts that it is nowhere else."""
    lines = [line for line in stderr.splitlines() if SIGN.search(line)]
    assert len(lines) == 1, stderr
    match = re.fullmatch(
        r"  details: https://us-east-1\.console\.aws\.amazon\.com/\S+#/authorization-details/(\w+) or `aws iam-toolbox "
        r"get-request-authorization-details --region us-east-1 --authorization-id (\w+)` \(kept by AWS for 24 hours; a "
        r"preview\)",
        lines[0],
    )
    assert match, lines
    assert match[1] == match[2]
    assert stderr.count(match[1]) == 2
    return match[1]


def test_a_refused_grant_says_where_to_look(stage: Any, owner: Run) -> None:
    reader = user(stage, "reader", READ)
    done = owner("grant", "audit", "--to", stage.contractor.account, "--until", "30d", "--yes", as_user=reader)
    assert done.returncode == 3
    assert SIGN.search(done.stdout) is None
    assert detailed(done.stderr)
    assert "because no identity-based policy allows the iam:CreateRole action" in done.stderr
    listed = owner("list", "--json", as_user=user(stage, "nobody", {**READ, "Action": "s3:*"}))
    # The error is JSON on stdout, without the id and its link.
    assert (listed.returncode, json.loads(listed.stdout)["error"]["exit_code"]) == (3, 3)
    assert SIGN.search(listed.stdout) is None
    assert "most likely: no policy of your user, its groups or your role allows this call" in listed.stderr
    assert detailed(listed.stderr)


def test_no_id_in_a_receipt_a_handoff_or_a_report(stage: Any, owner: Run) -> None:
    """A revocation that is denied half-way, and then every output that may be given to others."""
    made = owner("grant", "audit", "--to", stage.contractor.account, "--until", "30d", "--yes", "--json")
    assert made.returncode == 0, made.stderr
    handed = owner("handoff", "audit", "-o", "handoff.json")
    assert handed.returncode == 0, handed.stderr
    written = {"Effect": "Allow", "Action": ["iam:*RolePolicy", "iam:UpdateAssumeRolePolicy"], "Resource": "*"}
    stopped = owner("revoke", "audit", "--yes", "--json", as_user=user(stage, "half", READ, written))
    assert stopped.returncode == 3
    assert "iam:DeleteRole" in stopped.stderr
    secret = detailed(stopped.stderr)
    receipt = owner("revoke", "audit", "--yes", "--json")
    assert receipt.returncode == 0, receipt.stderr
    assert json.loads(receipt.stdout)["gone"]
    # Without GetAccountAuthorizationDetails the audit continues, and quotes AWS's message.
    lister = user(stage, "lister", {**READ, "Action": "iam:ListRoles"})
    report = owner("audit", "--json", as_user=lister)
    assert json.loads(report.stdout)["incomplete"]
    assert "no identity-based policy allows the iam:GetAccountAuthorizationDetails action" in report.stdout
    page = owner("audit", "--format", "html", as_user=lister)
    texts = (made.stdout, handed.stdout, (stage.owner.home / "handoff.json").read_text(), stopped.stdout)
    for text in (*texts, receipt.stdout, receipt.stderr, report.stdout, report.stderr, page.stdout, page.stderr):
        assert secret not in text
        assert SIGN.search(text) is None
