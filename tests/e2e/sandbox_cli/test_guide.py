"""The rehearsal of docs/sandbox.md, typed at a terminal exactly as printed there."""

from __future__ import annotations

import os
import pathlib
import re
import sys
from typing import TYPE_CHECKING

import pexpect
import pytest

from valetkey.sandbox import local
from valetkey.sandbox.client import Control

pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    from tests.e2e.conftest import Stage

GUIDE = pathlib.Path(__file__).parents[3] / "docs" / "sandbox.md"


def commands() -> list[str]:
    """The indented lines of the rehearsal."""
    text = GUIDE.read_text().partition("## Rehearse by hand")[2].partition("### Codes")[0]
    return re.findall(r"^    (\S.*)$", text, re.MULTILINE)


@pytest.mark.timeout(120)
def test_the_guide_works_as_it_is_printed(stage: Stage) -> None:
    person = stage.contractor
    folder = person.home / ".local" / "state" / "valetkey" / "sandbox"
    begun, running = local.begin(folder, owner=os.getpid())
    env = {
        **person.env,
        **begun.environment,
        "PATH": f"{pathlib.Path(sys.executable).parent}{os.pathsep}{person.env['PATH']}",
        "AWS_PAGER": "",
    }
    control, device = Control(begun.url), begun.device("carol")
    lines = commands()
    assert lines[0] == "valetkey sandbox start"
    assert sum(line.startswith("valetkey exec") for line in lines) == 1
    prompts = 0
    with running:
        for printed in lines[1:]:
            # The command would wait for a browser.
            line = f"{printed} --print" if printed.startswith("valetkey console") else printed
            child = pexpect.spawn("sh", ["-c", line], env=env, cwd=str(person.home), timeout=40, encoding="utf-8")
            shown = ""
            while (hit := child.expect([pexpect.EOF, r"MFA code[^\r\n]*: $", r"\[y/N\] $"])) != 0:
                shown += child.before + child.after
                prompts += hit == 1
                child.sendline(control.totp(device)[0] if hit == 1 else "y")
            shown += child.before
            child.close()
            if "# refused" in line:
                assert child.exitstatus != 0, f"{line}\n{shown}"
                assert re.search("AccessDenied|InvalidClientTokenId", shown), f"{line}\n{shown}"
            else:
                expected = 1 if "# ends with 1" in line else 0
                assert child.exitstatus == expected, f"{line}\n{shown}"
    assert prompts == 1, "verify asks for a code; everything after it shares its MFA session"
