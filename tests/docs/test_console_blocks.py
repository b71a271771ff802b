"""Every `console` block of README and docs runs on a new sandbox and prints the output on the page."""

from __future__ import annotations

import pathlib

import pytest
from tests import peers
from tests.docs.pages import PAGES, ROOT, commands, matches, play


def test_the_comparison_can_fail():
    assert matches(["a …", "…", "z 2026-01-01"], ["a b c", "", "q", "z  2027-12-31"])
    assert not matches(["a"], ["a", "b"])
    assert not matches(["a", "…"], ["b"])
    assert not matches([], ["Traceback"])


def test_no_block_is_overlooked():
    """A fenced console block that the pattern does not find would not be tested."""
    for page in PAGES:
        text = page.read_text()
        assert text.count("```console") == len([None for line in text.splitlines() if line == "```console"]), page


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if commands(page.read_text())],
    ids=lambda page: str(page.relative_to(ROOT)),
)
@pytest.mark.timeout(180)
def test_page(page: pathlib.Path, tmp_path: pathlib.Path):
    for line in play(page, tmp_path):
        printed = "\n".join(line.prints)
        if line.says is None:
            assert line.code == 0, f"set-up of {page.name}: {line.command}\n{printed}"
        else:
            assert matches(line.says, line.prints), (
                f"{page.name}: {line.who}$ {line.command}\nprinted (exit code {line.code}):\n{printed}\n"
                f"the page says:\n" + "\n".join(line.says)
            )
    if not peers.installed() and any(command.startswith("terraform ") for _, command, _ in commands(page.read_text())):
        pytest.skip("all but the lines with terraform: the peers are not installed, run `make peers`")
