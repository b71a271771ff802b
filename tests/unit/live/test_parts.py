"""The parts of the live run: placeholders, codes, the table of steps and its page, and what a result says."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tools.live import replay, terminal
from tools.live.people import BadSeed, SeedCodes
from tools.live.redact import NotRedacted, Redactor
from tools.live.result import KIND
from tools.live.steps import Step, run_steps, table

from valetkey.sandbox.mfa import code_of
from valetkey.sandbox.terminal import run

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "live-run.md").read_text()
SEED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


class Clock:
    def __init__(self) -> None:
        self.at, self.slept = 1_700_000_005.0, 0.0

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += seconds
        self.slept += seconds


def test_the_same_thing_has_the_same_placeholder() -> None:
    redactor = Redactor()
    redactor.name("111122223333", "owner-account")
    redactor.name("carol", "person")
    redactor.secret("s3cr3t+/value")
    text = redactor.text(
        "User: arn:aws:iam::111122223333:user/carol (AIDAABCDEFGHIJKLMNOP, ASIAABCDEFGHIJKLMNOP) of 444455556666, "
        "again AIDAABCDEFGHIJKLMNOP 444455556666 carolina caroling/carol s3cr3t+/value "
        "request 0a1b2c3d-0000-4444-8888-0123456789ab from 203.0.113.7, carol@example.com, o-a1b2c3d4e5, "
        "https://us-east-1.console.aws.amazon.com/x?y=z"
    )
    assert text == (
        "User: arn:aws:iam::<owner-account>:user/<person> (<AIDA-1>, <ASIA-1>) of <account-1>, "
        "again <AIDA-1> <account-1> carolina caroling/<person> <secret> "
        "request <request-1> from <address-1>, <person>@example.com, <organization-1>, <link-1>"
    )
    assert redactor.value({"a": ["AIDAABCDEFGHIJKLMNOP", 3, None, True]}) == {"a": ["<AIDA-1>", 3, None, True]}


@pytest.mark.parametrize("text", ["x s3cr3t+/value", "id AROAABCDEFGHIJKLMNOP", "the 111122223333"])
def test_a_result_that_holds_what_it_may_not_is_not_written(text: str) -> None:
    redactor = Redactor()
    redactor.name("111122223333", "owner-account")
    redactor.secret("s3cr3t+/value")
    with pytest.raises(NotRedacted) as refused:
        redactor.check(text)
    assert text.split()[1] not in str(refused.value)
    assert redactor.check(redactor.text(text)) == redactor.text(text)


def test_each_code_is_given_once_and_the_next_is_waited_for() -> None:
    clock, said = Clock(), []
    codes = SeedCodes(f" {SEED.lower()}\n", clock, said.append)
    step_now = int(clock.at) // 30
    assert [codes.next() for _ in range(3)] == [code_of(SEED, step_now + item) for item in range(3)]
    assert 30 < clock.slept <= 61
    assert [re.sub(r"\d+", "N", item) for item in said] == ["    waiting N s for the next code"] * 2
    assert all(int(re.findall(r"\d+", item)[0]) <= 31 for item in said)


@pytest.mark.parametrize("seed", ["", "  ", "not base32!", "1118"])
def test_a_seed_that_is_none_is_refused_and_not_quoted(seed: str) -> None:
    with pytest.raises(BadSeed) as refused:
        SeedCodes(seed, Clock(), print)
    assert "1118" not in str(refused.value)


def test_a_code_is_asked_for_at_the_terminal_and_not_shown() -> None:
    """Whatever is on stdin; what is not six digits is asked for again."""
    program = "from tools.live.people import AskedCodes; print('got', AskedCodes('arn:aws:iam::1:mfa/phone').next())"
    answers = iter(["12345", "x", "123456"])
    ran = run((sys.executable, "-c", program), env=os.environ, cwd=ROOT, answer=lambda: next(answers), limit=20)
    assert (ran.code, ran.prompts, ran.out) == (0, 3, "got 123456\n")
    alone = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        capture_output=True,
        text=True,
        start_new_session=True,
        timeout=20,
    )
    assert "NoCode: there is no terminal" in alone.stderr


def test_every_step_is_on_the_page_with_its_facts_and_the_facts_exist() -> None:
    rows = dict(re.findall(r"^\| `([a-z0-9-]+)` \| ([WHU0-9a-z, ]+) \|", PAGE, re.MULTILINE))
    steps = table()
    assert rows == {step.name: ", ".join(step.facts) for step in steps}
    assert list(rows) == [step.name for step in steps]
    spec = importlib.util.spec_from_file_location("facts", ROOT / "tools" / "facts.py")
    assert spec is not None
    assert spec.loader is not None
    facts = importlib.util.module_from_spec(spec)
    sys.modules["facts"] = facts
    spec.loader.exec_module(facts)
    known = {item.no for item in facts.facts(facts.PAGE.read_text())}
    assert {fact for step in steps for fact in step.facts} <= known
    # What is documented nowhere has its step.
    assert {item for item in known if item.startswith("U")} <= {fact for step in steps for fact in step.facts}


def test_an_interruption_is_no_failure_of_a_step() -> None:
    world: Any = type("W", (), {"say": staticmethod(lambda _: None), "time": Clock()})()

    def ends(_: Any) -> Any:
        raise terminal.Interrupted

    with pytest.raises(terminal.Interrupted):
        list(run_steps(world, [Step("x", (), ends)]))


def result(**outcomes: Any) -> str:
    steps = [{"name": name.replace("_", "-"), "state": "done", "outcome": item} for name, item in outcomes.items()]
    return json.dumps({"valetkey": KIND, "steps": steps})


@pytest.mark.parametrize(
    ("outcomes", "variants", "delay"),
    [
        ({}, {}, None),
        ({"refusal_closed": {"ok": False, "policy": None, "seconds": 3.5}}, {"refusals": "bare"}, 3.5),
        ({"refusal_closed": {"ok": False, "policy": "role trust policy"}}, {"refusals": "reasons"}, None),
        ({"refusal_closed": {"ok": True, "seconds": None}}, {}, None),
        ({"name_people_session": {"let_in": False}}, {"username_in_sessions": False}, None),
        ({"trust_2100": {"quota": 8192}}, {"trust_policy_size": 8192}, None),
        ({"trust_2100": {"quota": None}}, {}, None),
        ({"clock_off": {"6_minutes_behind": {"sts": {"ok": True}}}}, {"sts_minutes": 15}, None),
        ({"console_federation": {"mfa_session_with_duration": {"entered": False}}}, {}, None),
        (
            {"console_federation": {"mfa_session_with_duration": {"regional": {"token": True}}}},
            {"duration_signs_in": True},
            None,
        ),
        ({"revoke_under_calls": {"deny": {"iam": {"last_success": 4.0, "first_refusal": None}}}}, {}, 4.0),
        ({"revoke_under_calls": {"deny": {}, "seconds_until_x": 4000}}, {}, 600.0),
    ],
)
def test_a_result_says_only_what_was_measured(
    outcomes: dict[str, Any], variants: dict[str, object], delay: float | None
) -> None:
    settings = replay.settings(result(**outcomes))
    assert (settings.variants, settings.delay) == (variants, delay)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"valetkey": "handoff/v1"}', '{"valetkey": "live-run/v1"}', "1"])
def test_what_is_no_result_is_refused(text: str) -> None:
    with pytest.raises(replay.NotAResult):
        replay.settings(text)
