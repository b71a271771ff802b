"""Files of the owner's commands."""

from __future__ import annotations

from pathlib import Path

import pytest

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
