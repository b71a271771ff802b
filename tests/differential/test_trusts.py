"""Trust policies with undocumented parts: tested by brute force under every guess, and with both referees."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from tests.unit.policy.silent import TRUSTS

from valetkey.audit import Scope
from valetkey.audit.subjects import TrustVerdict
from valetkey.audit.trusts import judge
from valetkey.policy.origin import Origin
from valetkey.policy.undocumented import FORMS
from valetkey.prover import Proof, Reach

from . import trusts
from .cases import Case
from .oracle import Oracle, OracleError
from .trusts import CALLERS, EXT, MFA, NOW, OWN, ROLE, SILENT, TIME, Document, report, requests, run, trust, unsafe


@pytest.mark.parametrize("part", range(4))
def test_no_answer_is_contradicted_by_a_guess(part: int) -> None:
    result = run("small", 75 * part, 75)
    assert not result.wrong, report(result)
    decided = sum(count for name, count in result.counted.items() if "unknown" not in name)
    assert decided > result.trusts


@pytest.mark.parametrize("form", [*SILENT, "empty-not"])
def test_no_form_makes_an_answer_that_a_guess_contradicts(form: str) -> None:
    for number in range(15):
        rng = random.Random(f"{form}:{number}")
        document = trust(rng, form=form)
        assert unsafe(rng, document) is None, json.dumps(document)


def test_every_form_of_a_trust_is_made() -> None:
    # A trust policy has no Resource, and the parser refuses values that no operator can read.
    assert {form.name for form in FORMS} - {"no-value-in-notresource"} == {*SILENT, "empty-not"}


EMPTY: Document = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "sts:AssumeRole",
            "Condition": {"StringNotEquals": {"aws:PrincipalAccount": []}},
        }
    ],
}


def test_an_answer_that_a_guess_contradicts_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    assert unsafe(random.Random(1), EMPTY) is None
    with monkeypatch.context() as patch:
        patch.setattr(trusts, "who", lambda *_, **__: Reach(()))
        assert "in no region" in str(unsafe(random.Random(1), EMPTY))
    with monkeypatch.context() as patch:
        patch.setattr(trusts, "prove", lambda *_, **__: Proof(None, 0, 0.0))
        assert "it holds, and a guess" in str(unsafe(random.Random(1), EMPTY))
    with monkeypatch.context() as patch:
        verdict = judge(
            json.dumps({"Statement": []}), origin=Origin.SENT, account=OWN, partition="aws", scope=Scope(), now=NOW
        )
        assert verdict.exposure == "unreachable"
        patch.setattr(trusts, "judge", lambda *_, **__: verdict)
        assert "audit: unreachable" in str(unsafe(random.Random(1), EMPTY))


def _asked() -> Iterator[tuple[str, Document, str, dict[str, Any]]]:
    """A name, a trust policy and a request: for every form, for random trust policies, and for the plainest callers."""
    rng = random.Random("referees")
    documents = {name: case.document for name, case in TRUSTS.items()}
    documents |= {f"random {number}": trust(rng) for number in range(120)}
    for name, document in documents.items():
        if TIME in json.dumps(document):
            continue  # the sandbox has its own clock
        for caller in CALLERS:
            yield name, document, caller, {}
        for caller, context in requests(rng, document, 25):
            del context[TIME]
            # Settled differences of the referees (known.py): an empty text is a null set.
            yield name, document, caller, {key: value for key, value in context.items() if value not in ("", ["", ""])}


def _contradicts(exposure: str, caller: str, context: dict[str, Any]) -> bool:
    """Whether a referee that allows this request contradicts the exposure."""
    outside = caller.split(":")[4] != OWN
    if exposure == "unreachable":
        return True
    bare = EXT not in context and context.get(MFA) != "true"
    return outside and (exposure == "internal" or (exposure == "guarded" and bare))


def _judged(text: str) -> TrustVerdict:
    return judge(text, origin=Origin.SENT, account=OWN, partition="aws", scope=Scope(), now=NOW)


def _exposures() -> dict[str, str]:
    return {text: _judged(text).exposure for text in {json.dumps(document) for _, document, _, _ in _asked()}}


def test_the_sandbox_agrees_with_what_is_called_closed() -> None:
    pytest.importorskip("ministack")
    from .sandboxed import lets_in

    asked, exposures = list(_asked()), _exposures()
    answers = lets_in([(document, caller, context) for _, document, caller, context in asked])
    wrong = [
        item
        for item, let_in in zip(asked, answers, strict=True)
        if let_in and _contradicts(exposures[json.dumps(item[1])], item[2], item[3])
    ]
    assert not wrong, wrong[0]
    assert sum(answers) > len(answers) // 10
    assert {"guarded", "unreachable", "internal", "unguarded", "unknown"} == set(exposures.values())


def test_iam_simulate_agrees_with_what_is_called_closed() -> None:
    asked, exposures = list(_asked()), _exposures()
    cases: list[Case] = [
        {
            "request": {
                "principal": caller,
                "action": "sts:AssumeRole",
                "resource": ROLE,
                "resource_account": OWN,
                "context": context,
            },
            "trust": document,
        }
        for _, document, caller, context in asked
    ]
    try:
        with Oracle() as oracle:
            answers = oracle.decide(cases)
    except OracleError as error:
        pytest.skip(str(error))
    wrong = [
        item
        for item, answer in zip(asked, answers, strict=True)
        if answer == "allowed" and _contradicts(exposures[json.dumps(item[1])], item[2], item[3])
    ]
    assert not wrong, wrong[0]
    assert not [answer for answer in answers if answer.startswith("error")]
    assert answers.count("allowed") > len(answers) // 10
