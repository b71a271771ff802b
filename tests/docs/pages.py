"""Run the pages of the docs as stories.

A page is one story. A line `owner$ COMMAND`, `contractor$ COMMAND` or `$ COMMAND` (without an AWS account) is run in
that party's directory; the lines after it are its expected output. A line `…` matches any lines, `…` within a line
matches any text. Values that differ between runs (times, fingerprints, random ids) are compared by their format. A
comment that starts with `<!-- run` contains set-up commands. Files that `request -o` or `handoff -o` write are copied
to the other party, as people would do by mail. MFA prompts are answered with codes. Lines with `terraform` are skipped
if the peers are not installed. `aws` is the AWS CLI of this environment; on a page with the comment
`<!-- aws cli v2 -->` it is AWS CLI v2 if the peers are installed.
"""

from __future__ import annotations

import pathlib
import re
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests import peers, warm

from valetkey.sandbox import story
from valetkey.sandbox.terminal import run

ROOT = pathlib.Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
BLOCK = re.compile(r"^(?P<kind>```console|<!-- run)\n(?P<body>.*?)^(?:```|-->)$", re.M | re.S)
PROMPT = re.compile(r"^(?:(owner|contractor))?\$ (.*)$")

_SHELLS = re.compile(r"[|&;<>$`*?~(){}\[\]#!\\]")
"""Characters with a special meaning in a shell."""

V2 = "<!-- aws cli v2 -->"

SHAPES = [
    (r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?(?:Z|\+00:00| UTC)?", "<time>"),
    (r"\b\d{4}-\d\d-\d\d\b", "<date>"),
    (r"\b[a-z]{3,8}(?:-[a-z]{3,8}){5}\b", "<fingerprint>"),
    (r"\bvk-[A-Za-z0-9_-]{16,}", "<external-id>"),
    (r"\bvk-\w…", "<external-id>…"),
    (r"\b(A(?:RO|ID|KI|SI|GP|NP)A)[A-Z0-9]{12,}(?![A-Za-z])", r"\1…"),
    (r"\b\d+(?:\.\d+)? ?(?:s|seconds?|minutes?|min|hours?|days?)\b", "<duration>"),
    (r"http://127\.0\.0\.1:\d+", "<sandbox>"),
    (r"(?<![\w/])/\S*valetkey-demo-\w+/(?:owner|contractor)", "~"),
]


@dataclass(frozen=True)
class Line:
    """One command of a page: its expected output (None for set-up commands) and its actual output."""

    who: str
    command: str
    says: list[str] | None
    prints: list[str]
    code: int


def commands(text: str) -> list[tuple[str, str, list[str] | None]]:
    """(party, command, expected lines) for the commands of a page in order; expected is None for set-up commands."""
    result: list[tuple[str, str, list[str] | None]] = []
    for block in BLOCK.finditer(text):
        for line in block["body"].splitlines():
            if prompt := PROMPT.match(line):
                result.append((prompt[1] or "nobody", prompt[2], [] if block["kind"] == "```console" else None))
            elif result and result[-1][2] is not None:
                result[-1][2].append(line)
    return result


def shape(line: str) -> str:
    for pattern, name in SHAPES:
        line = re.sub(pattern, name, line)
    return re.sub(r"[─━═]{3,}", "───", re.sub(r"\s+", " ", line)).strip()


def matches(expected: list[str], actual: list[str]) -> bool:
    """Whether the printed lines match the expected ones; blank lines are ignored."""
    wanted = [shape(line) for line in expected if line.strip()]
    printed = [shape(line) for line in actual if line.strip()]
    pattern = "".join(
        r"(?:.*\n)*?" if line == "…" else ".*?".join(re.escape(part) for part in line.split("…")) + r"\n"
        for line in wanted
    )
    return re.fullmatch(pattern, "".join(line + "\n" for line in printed)) is not None


def play(page: pathlib.Path, folder: pathlib.Path) -> Iterator[Line]:
    """Run a page's commands in order on a fresh sandbox, in `folder`."""
    bin_dir = folder / "bin"
    bin_dir.mkdir()
    for name, module in (("valetkey", "valetkey"), ("aws", "awscli")):
        (bin_dir / name).write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m {module} "$@"\n')
        (bin_dir / name).chmod(0o755)
    if peers.installed() and V2 in page.read_text():
        (bin_dir / "aws").write_text(f'#!/bin/sh\nexec {shlex.join(peers.aws2())} "$@"\n')
    if peers.installed():
        (bin_dir / "terraform").write_text(f'#!/bin/sh\nexec {shlex.join(peers.terraform())} "$@"\n')
        (bin_dir / "terraform").chmod(0o755)
    # Not a symbolic link: a linked interpreter would not find this environment's packages.
    (bin_dir / "python").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
    (bin_dir / "python").chmod(0o755)
    terraform = {"CHECKPOINT_DISABLE": "1", "TF_CLI_CONFIG_FILE": str(peers.provider(folder))}
    with story.furnished() as (control, owner, contractor):
        parties = {"owner": owner, "contractor": contractor}
        home = folder / "nobody"
        home.mkdir()
        nobody = story.Party("nobody", "", home, {**owner.env, "HOME": str(home)})
        device = f"arn:aws:iam::{contractor.account}:user/{story.PERSON}"
        for who, command, says in commands(page.read_text()):
            if command.startswith("terraform ") and not peers.installed():
                continue
            party = parties.get(who, nobody)
            env = {**party.env, **terraform, "PATH": f"{bin_dir}:{party.env['PATH']}", "COLUMNS": "110"}
            code, printed = typed(command, env, party.home, lambda: control.totp(device)[0])
            yield Line(who, command, says, printed.replace(str(party.home), "~").splitlines(), code)
            for file in re.findall(r"\s-o (\S+\.(?:json|sh|tf))", command):
                other = contractor if party is owner else owner
                if (party.home / file).exists() and party is not nobody:
                    shutil.copy(party.home / file, other.home / file)


def typed(command: str, env: dict[str, str], folder: pathlib.Path, answer: Callable[[], str]) -> tuple[int, str]:
    """Run a line as a shell does; return the exit code and the output. A valetkey command alone needs no shell."""
    if command.startswith("valetkey ") and not _SHELLS.search(command):
        words = [sys.executable, "-m", *shlex.split(command)]
        if warm.fits(words, env):
            return warm.as_person(words, env=env, cwd=folder, answer=answer)
    ran = run(["bash", "-c", f"{{ {command}\n}} 2>&1"], env=env, cwd=folder, answer=answer)
    return ran.code, ran.out
