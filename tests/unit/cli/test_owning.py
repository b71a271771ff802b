"""Files of the owner's commands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from valetkey import files
from valetkey.account.calls import Call, CallError
from valetkey.cli._auditing import _read as of_file
from valetkey.cli._owning import find_grant, read_text, write_own
from valetkey.errors import ValetkeyError

ROLE = "arn:aws:iam::111111111111:role/audit"


@pytest.mark.parametrize("place", ["file/handoff.json", "nowhere/handoff.json"])
def test_a_handoff_that_has_no_place_is_said(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("something else")
    with pytest.raises(ValetkeyError, match="cannot be written"):
        write_own(tmp_path / place, "{}", role_arn=ROLE)
    assert sorted(item.name for item in tmp_path.iterdir()) == ["file"]


def test_a_file_without_an_end_is_not_read_to_its_end() -> None:
    with pytest.raises(ValetkeyError, match="larger than"):
        read_text("/dev/zero")


@pytest.mark.parametrize("read", [read_text, of_file], ids=["owner", "audit"])
@pytest.mark.parametrize(
    ("name", "why"), [("none.json", "No such file"), (".", "directory"), ("a\0b", "not a file name")]
)
def test_a_file_that_cannot_be_read_is_said(read: Callable[[str], object], name: str, why: str) -> None:
    with pytest.raises(ValetkeyError, match=f"cannot be read: .*{why}"):
        read(name)


def test_a_file_is_read_to_one_byte_more_than_its_limit() -> None:
    assert files.read_named(Path("/dev/zero"), 10) == b"\0" * 11


ROLES = {"auditor": True, "Audit-2": True, "audits": False, "unlike": True}
"""The account's roles: whether each is a grant."""


def _account(call: Call, *, listed: bool = True) -> Any:
    match call.operation:
        case "get_caller_identity":
            return {"Account": "111111111111", "Arn": "arn:aws:iam::111111111111:user/admin"}
        case "list_roles" if listed:
            return {"Roles": [{"RoleName": role} for role in ROLES], "IsTruncated": False}
        case "get_role" if call.params["RoleName"] in ROLES:
            is_grant = ROLES[call.params["RoleName"]]
            return {"Role": {"Tags": [{"Key": "valetkey:version", "Value": "1"}] if is_grant else []}}
        case "get_role":
            raise CallError(call, "NoSuchEntity", "no such role")
        case _:
            raise CallError(call, "AccessDenied", "no")


@pytest.mark.parametrize(
    ("name", "meant"), [("audti", "auditor"), ("AUDIT2", "Audit-2"), ("audits9", "auditor"), ("nothing-like", None)]
)
def test_an_unknown_grant_gets_the_nearest_name_of_a_grant(name: str, meant: str | None) -> None:
    """`audits` is spelt more like `audits9` and is not a grant."""
    with pytest.raises(ValetkeyError) as raised:
        find_grant(_account, name)
    near = f' Did you mean "{meant}"?' if meant else ""
    assert raised.value.what == f"There is no role {name} in account 111111111111.{near}"
    assert raised.value.exit_code == 2


def test_an_unknown_grant_is_said_where_roles_may_not_be_listed() -> None:
    with pytest.raises(ValetkeyError, match=r"There is no role auditr in account 111111111111\. "):
        find_grant(lambda call: _account(call, listed=False), "auditr")
