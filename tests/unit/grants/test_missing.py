"""A name that no role has: what is said, and which name is suggested."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.grants.fake_iam import FakeIam
from tests.unit.grants.handmade import made, trust
from tests.unit.grants.whole_errors import refuse

from valetkey.grants.missing import near, no_grant, no_role

TAG = {"Key": "valetkey:version", "Value": "1"}


@pytest.fixture(autouse=True)
def roles(iam: FakeIam) -> None:
    for name, is_grant in {"audit-x": False, "Audit-y": True, "audi": True, "machines": True, "auditor": True}.items():
        made(iam, trust(), name=name)["Tags"] = [{"Key": "team", "Value": "x"}, *([TAG] if is_grant else [])]


def said(error: Any) -> tuple[str, str, str, int]:
    return error.what, error.do, error.where, error.exit_code


def test_three_names_at_most_are_near_whatever_their_case(iam: FakeIam) -> None:
    made(iam, trust(), name="audit")
    assert near(iam, "AUDIT")[0] == "audit"
    assert len(near(iam, "audit")) == 3
    assert near(iam, "nothing-like-it") == ()


def test_a_grant_is_suggested_where_a_grant_is_meant(iam: FakeIam) -> None:
    assert near(iam, "audit-xx")[0] == "audit-x"
    assert said(no_grant(iam, "audit-xx", "111111111111")) == (
        'There is no role audit-xx in account 111111111111. Did you mean "Audit-y"?',
        "See `valetkey list`.",
        "",
        2,
    )
    assert said(no_role(iam, "audit-xx", "111111111111", do="Look.")) == (
        'There is no role audit-xx in account 111111111111. Did you mean "audit-x"?',
        "Look.",
        "",
        1,
    )


@pytest.mark.parametrize("operation", ["list_roles", "get_role"])
def test_who_may_not_read_gets_no_suggestion(iam: FakeIam, operation: str) -> None:
    iam.before = refuse("AccessDenied", operation)
    assert no_grant(iam, "audit-xx", "1").what == "There is no role audit-xx in account 1."


def test_a_role_without_tags_is_no_grant(iam: FakeIam) -> None:
    iam.roles = {"audit-x": {**iam.roles["audit-x"]}}
    del iam.roles["audit-x"]["Tags"]
    assert no_grant(iam, "audit-xx", "1").what == "There is no role audit-xx in account 1."
    assert no_role(iam, "audit-xx", "1", do="").what.endswith('Did you mean "audit-x"?')
