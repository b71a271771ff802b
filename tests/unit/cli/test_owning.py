"""Files of the owner's commands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from valetkey import files
from valetkey.cli._auditing import _read as of_file
from valetkey.cli._owning import read_text, write_own
from valetkey.errors import ValetkeyError

ROLE = "arn:aws:iam::111111111111:role/audit"


@pytest.mark.parametrize("place", ["file/handoff.json", "nowhere/handoff.json"])
def test_a_handoff_that_has_no_place_is_said(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("something else")
    with pytest.raises(ValetkeyError, match="cannot be written"):
        write_own(tmp_path / place, "{}", role_arn=ROLE)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["file", "home"]


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
