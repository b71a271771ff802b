"""Every `console` block of README and docs runs on a sandbox of its own and prints what the page says.

A page is one story. A line `owner$ COMMAND`, `contractor$ COMMAND` or `$ COMMAND` (no AWS account of its own) is run
in that party's directory; the lines after it are what it prints. A line `…` stands for any lines, `…` within a line
for any text. What differs from run to run (times, fingerprints, random ids) is compared by its shape. A story may be
set up in a comment that starts with `<!-- run`. Files that `request -o` or `handoff -o` write are carried to the
other party, as two people would by mail. MFA prompts are answered as a person would.
"""

from __future__ import annotations

import pathlib
import re
import shlex
import shutil
import sys

import pytest

from valetkey.sandbox import story
from valetkey.sandbox.terminal import run

ROOT = pathlib.Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
BLOCK = re.compile(r"^(?P<kind>```console|<!-- run)\n(?P<body>.*?)^(?:```|-->)$", re.M | re.S)
PROMPT = re.compile(r"^(?:(owner|contractor))?\$ (.*)$")

SHAPES = [
    (r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?(?:Z|\+00:00| UTC)?", "<time>"),
    (r"\b\d{4}-\d\d-\d\d\b", "<date>"),
    (r"\b\d{5}(?:-\d{5}){3}\b", "<fingerprint>"),
    (r"\bvk-[A-Za-z0-9_-]{16,}", "<external-id>"),
    (r"\bvk-\w…", "<external-id>…"),
    (r"\b(A(?:RO|ID|KI|SI|GP|NP)A)[A-Z0-9]{12,}(?![A-Za-z])", r"\1…"),
    (r"\b\d+(?:\.\d+)? ?(?:s|seconds?|minutes?|min|hours?|days?)\b", "<duration>"),
    (r"http://127\.0\.0\.1:\d+", "<sandbox>"),
    (r"(?<![\w/])/\S*valetkey-demo-\w+/(?:owner|contractor)", "~"),
]


def commands(text: str) -> list[tuple[str, str, list[str] | None]]:
    """(party, command, expected lines) of a page in order; expected is None for set-up commands."""
    found: list[tuple[str, str, list[str] | None]] = []
    for block in BLOCK.finditer(text):
        for line in block["body"].splitlines():
            if prompt := PROMPT.match(line):
                found.append((prompt[1] or "nobody", prompt[2], [] if block["kind"] == "```console" else None))
            elif found and found[-1][2] is not None:
                found[-1][2].append(line)
    return found


def shape(line: str) -> str:
    for pattern, name in SHAPES:
        line = re.sub(pattern, name, line)
    return re.sub(r"[─━═]{3,}", "───", re.sub(r"\s+", " ", line)).strip()


def matches(expected: list[str], actual: list[str]) -> bool:
    """Whether the printed lines are the expected ones; blank lines do not count."""
    wanted = [shape(line) for line in expected if line.strip()]
    printed = [shape(line) for line in actual if line.strip()]
    pattern = "".join(
        r"(?:.*\n)*?" if line == "…" else ".*?".join(re.escape(part) for part in line.split("…")) + r"\n"
        for line in wanted
    )
    return re.fullmatch(pattern, "".join(line + "\n" for line in printed)) is not None


def test_the_comparison_can_fail():
    assert matches(["a …", "…", "z 2026-01-01"], ["a b c", "", "q", "z  2027-12-31"])
    assert not matches(["a"], ["a", "b"])
    assert not matches(["a", "…"], ["b"])
    assert not matches([], ["Traceback"])


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if commands(page.read_text())],
    ids=lambda page: str(page.relative_to(ROOT)),
)
@pytest.mark.timeout(180)
def test_page(page: pathlib.Path, tmp_path: pathlib.Path):
    bin_dir = tmp_path / "bin"
    bin_dir.mkdir()
    for name, module in (("valetkey", "valetkey"), ("aws", "awscli")):
        (bin_dir / name).write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m {module} "$@"\n')
        (bin_dir / name).chmod(0o755)
    (bin_dir / "python").symlink_to(sys.executable)
    with story.furnished() as (control, owner, contractor):
        parties = {"owner": owner, "contractor": contractor}
        nobody = story.Party("nobody", "", tmp_path, {**owner.env, "HOME": str(tmp_path)})
        device = f"arn:aws:iam::{contractor.account}:user/{story.PERSON}"
        for who, command, expected in commands(page.read_text()):
            party = parties.get(who, nobody)
            env = {**party.env, "PATH": f"{bin_dir}:{party.env['PATH']}", "COLUMNS": "110"}
            ran = run(
                ["bash", "-c", f"{{ {command}\n}} 2>&1"],
                env=env,
                cwd=party.home,
                answer=lambda: control.totp(device)[0],
            )
            text = ran.out.replace(str(party.home), "~")
            if expected is None:
                assert ran.code == 0, f"set-up of {page.name}: {command}\n{text}"
            else:
                assert matches(expected, text.splitlines()), (
                    f"{page.name}: {who}$ {command}\nprinted (exit code {ran.code}):\n{text}\n"
                    f"the page says:\n" + "\n".join(expected)
                )
            for file in re.findall(r"\s-o (\S+\.json)", command):
                other = contractor if party is owner else owner
                shutil.copy(party.home / file, other.home / file)
