"""Roles that are entered from a customer's role: which profiles lead there, and how their sections are read."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.credentials.sts_world import profile

from valetkey.credentials.sessions.chained_roles import further_role, path_to
from valetkey.errors import ValetkeyError


def _path(name: str, sections: dict[str, dict[str, Any]]) -> tuple[str, ...]:
    return path_to(name, lambda each: sections.get(each, {}), is_grant=lambda each: each == "acme")


def test_the_way_to_a_further_role() -> None:
    role = {"role_arn": "arn:aws:iam::333333333333:role/Work"}
    sections = {
        "prod": {**role, "source_profile": "acme"},
        "deep": {**role, "source_profile": "prod"},
        "own": {**role, "source_profile": "default"},
        "circle": {**role, "source_profile": "elcric"},
        "elcric": {**role, "source_profile": "circle"},
        "keys": {"region": "eu-west-1", "source_profile": "acme"},
    }
    assert _path("prod", sections) == ("acme", "prod")
    assert _path("deep", sections) == ("acme", "prod", "deep")
    for name in ("own", "circle", "keys", "nowhere", "acme"):
        assert _path(name, sections) == ()


def test_a_further_role_is_read_as_sdks_read_it() -> None:
    section = {
        "role_arn": "arn:aws:iam::333333333333:role/Work",
        "external_id": "vk-2",
        "duration_seconds": "1800",
        "region": "eu-west-3",
    }
    found = further_role("prod", section, source=profile(source_profile="work", region="eu-west-1"))
    assert (found.name, found.account, found.external_id, found.mfa) == ("prod", "333333333333", "vk-2", False)
    assert (found.max_session, found.region, found.source_profile, found.user_name) == (
        1800,
        "eu-west-3",
        "work",
        "ann",
    )
    # More than an hour is what AWS refuses (role chaining).
    assert further_role("prod", {**section, "duration_seconds": "43200"}, source=profile()).max_session == 3600


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"role_arn": "Work"}, "not the ARN of a role"),
        ({"role_arn": "arn:aws-cn:iam::333333333333:role/Work"}, "another partition"),
        ({"mfa_serial": "arn:aws:iam::123456789012:mfa/ann"}, "a role's session carries no MFA"),
        ({"duration_seconds": "60"}, "between 900 and 43200"),
        ({"duration_seconds": "long"}, "between 900 and 43200"),
        ({"external_id": "x"}, "external id"),
    ],
)
def test_a_further_role_that_cannot_be_entered(change: dict[str, str], says: str) -> None:
    section = {"role_arn": "arn:aws:iam::333333333333:role/Work", **change}
    with pytest.raises(ValetkeyError, match=says):
        further_role("prod", section, source=profile())


def test_a_chain_has_a_longest_length() -> None:
    role = {"role_arn": "arn:aws:iam::333333333333:role/Work"}
    chain = {f"p{n}": {**role, "source_profile": f"p{n - 1}" if n else "acme"} for n in range(12)}
    assert len(_path("p9", chain)) == 11
    assert _path("p11", chain) == ()
