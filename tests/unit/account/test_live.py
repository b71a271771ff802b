"""A live account, read call by call."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.unit.account.documents import OWN, allow, compact, detail, trust

from valetkey.account.calls import Call, CallError, pages, patient
from valetkey.account.live import CALLS, read_live

ROLES = [detail(f"role-{number}", CreateDate=datetime(2026, 1, 2, tzinfo=UTC)) for number in range(5)]
POLICY = {
    "Arn": f"arn:aws:iam::{OWN}:policy/p",
    "PolicyVersionList": [{"VersionId": "v1", "IsDefaultVersion": True, "Document": allow()}],
}


class _Aws:
    """Answers in pages of two; refuses what it is told to."""

    def __init__(self, *refused: str, busy: int = 0) -> None:
        self.refused = refused
        self.busy = busy
        self.calls: list[Call] = []

    def __call__(self, call: Call, /) -> dict[str, Any]:
        self.calls.append(call)
        if self.busy:
            self.busy -= 1
            raise CallError(call, "Throttling", "Rate exceeded")
        if call.action in self.refused:
            raise CallError(call, "AccessDenied", f"not authorized to perform: {call.action}")
        return getattr(self, f"_{call.operation}")(**call.params)

    def _get_caller_identity(self):
        return {"Account": OWN, "Arn": f"arn:aws:iam::{OWN}:user/owner"}

    def _get_account_summary(self):
        return {"SummaryMap": {"Roles": 5, "AssumeRolePolicySizeQuota": 4096}}

    def _get_account_authorization_details(self, *, Filter, MaxItems, Marker="0"):
        assert set(Filter) == {"Role", "User", "LocalManagedPolicy", "AWSManagedPolicy"}
        at = int(Marker)
        more = {"IsTruncated": True, "Marker": str(at + 2)} if at + 2 < len(ROLES) else {"IsTruncated": False}
        return {"RoleDetailList": ROLES[at : at + 2], "Policies": [POLICY] if at == 0 else [], **more}

    def _list_roles(self, *, MaxItems):
        return {"Roles": [{**role, "Description": "d", "MaxSessionDuration": 7200} for role in ROLES]}

    def _list_saml_providers(self):
        return {"SAMLProviderList": [{"Arn": f"arn:aws:iam::{OWN}:saml-provider/sso"}]}

    def _list_open_id_connect_providers(self):
        return {"OpenIDConnectProviderList": [{"Arn": f"arn:aws:iam::{OWN}:oidc-provider/accounts.example.com"}]}


def _never(seconds: float) -> None:
    raise AssertionError("waited")


def test_everything_is_read_and_joined():
    aws, told = _Aws(), []
    account = read_live(aws, wait=_never, progress=lambda done, of: told.append((done, of)))
    assert account.id == OWN
    assert [role.name for role in account.roles] == [item["RoleName"] for item in ROLES]
    assert {(role.description, role.max_session) for role in account.roles} == {("d", 7200)}
    assert account.roles[0].where == f"account {OWN}"
    assert account.roles[0].trust == compact(trust())
    assert account.roles[0].created == datetime(2026, 1, 2, tzinfo=UTC)
    assert account.policies == {POLICY["Arn"]: compact(allow())}
    assert account.quotas["AssumeRolePolicySizeQuota"] == 4096
    assert len(account.providers) == 2
    assert (account.sources, account.unknown) == ((f"account {OWN}",), ())
    assert told == [(2, 5), (4, 5), (5, 5), (5, 5)]
    assert {call.action for call in aws.calls} == {*CALLS}


@pytest.mark.parametrize(
    ("refused", "part", "lost"),
    [
        ("iam:GetAccountSummary", "quotas", lambda account: account.quotas == {}),
        ("iam:ListRoles", "descriptions and session limits", lambda account: account.roles[0].max_session is None),
        ("iam:ListSAMLProviders", "identity providers", lambda account: account.providers is None),
        ("iam:ListOpenIDConnectProviders", "identity providers", lambda account: account.providers is None),
    ],
)
def test_what_is_refused_is_said_and_done_without(refused, part, lost):
    account = read_live(_Aws(refused), wait=_never)
    (unknown,) = account.unknown
    assert (unknown.part, unknown.where) == (part, refused)
    assert "not authorized" in unknown.reason
    assert len(account.roles) == 5
    assert lost(account)


def test_without_the_details_there_are_the_trusts():
    account = read_live(_Aws("iam:GetAccountAuthorizationDetails"), wait=_never)
    assert {role.trust for role in account.roles} == {compact(trust())}
    assert all(role.why_unknown("policies") for role in account.roles)
    assert account.unknown[0].where == "iam:GetAccountAuthorizationDetails"


def test_with_nothing_to_read_it_fails():
    with pytest.raises(CallError, match="iam:GetAccountAuthorizationDetails"):
        read_live(_Aws("iam:GetAccountAuthorizationDetails", "iam:ListRoles"), wait=_never)


def test_another_failure_is_no_refusal():
    aws = _Aws()
    aws._list_roles = lambda **_: (_ for _ in ()).throw(CallError(Call("iam", "list_roles"), "TimedOut", "slow"))
    with pytest.raises(CallError, match="TimedOut"):
        read_live(aws, wait=_never)


def test_throttling_is_waited_out():
    waited = []
    assert len(read_live(_Aws(busy=3), wait=waited.append).roles) == 5
    assert waited == [1, 2, 4]


def test_throttling_without_end_fails_after_a_minute():
    waited = []
    with pytest.raises(CallError, match="Rate exceeded"):
        patient(_Aws(busy=1000), wait=waited.append)(Call("iam", "list_roles"))
    assert 30 <= sum(waited) <= 90


def test_pages_without_end_are_refused():
    with pytest.raises(CallError, match="pages do not end"):
        list(pages(lambda call: {"IsTruncated": True, "Marker": "m"}, Call("iam", "list_roles")))
    with pytest.raises(CallError, match="pages do not end"):
        list(pages(lambda call: {"IsTruncated": True}, Call("iam", "list_roles")))
