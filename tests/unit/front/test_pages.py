"""What the messages and CONTRIBUTING name exists: pages of the documentation, and files."""

from __future__ import annotations

import pathlib
import re

import pytest

import valetkey
from valetkey.cli._commands import COMMANDS
from valetkey.errors import DOCS, page

SOURCE = pathlib.Path(valetkey.__file__).parent
ROOT = SOURCE.parents[1]
FILES = sorted(SOURCE.rglob("*.py"))


def test_every_page_that_a_message_names_exists() -> None:
    named = [name for path in FILES for name in re.findall(r"""\bpage\(["']([^"']+)["']\)""", path.read_text())]
    assert len(named) > 5
    assert [name for name in named if not (ROOT / "docs" / name).is_file()] == []
    assert page("contractor.md").startswith(f"{DOCS}/contractor.md")


def test_no_message_names_a_page_that_the_wheel_does_not_hold() -> None:
    """Comments and docstrings may; a string in code says where the page is (`errors.page`)."""
    result = [
        f"{path.name}: {line.strip()}"
        for path in FILES
        for line in path.read_text().splitlines()
        if re.search(r'"[^"]*(?<!main/)docs/[a-z/-]+\.md', line) and not line.lstrip().startswith(('"""', "#"))
    ]
    assert result == []


def test_the_files_of_where_do_i_change_exist() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    table = text[text.index("## Where do I change") : text.index("## Tests")]
    paths = re.findall(r"`([a-z_/-]+\.(?:py|md))`", table)
    assert len(paths) > 15
    assert [path for path in paths if not ((ROOT if path.startswith("docs/") else SOURCE) / path).is_file()] == []


@pytest.mark.parametrize("name", [name for name, *_ in COMMANDS])
def test_every_command_has_a_reference_page(name: str) -> None:
    if name != "demo":  # described in the sandbox's page
        assert (ROOT / "docs/reference" / f"{name}.md").is_file()
