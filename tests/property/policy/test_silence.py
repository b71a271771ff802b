"""No answer depends on a guess: it holds for every undocumented behavior of AWS."""

from __future__ import annotations

import json
import random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.differential.trusts import SILENT, trust, unsafe
from tests.unit.prover.proving import OWNER, ROLE, THEM, ask

from valetkey.policy import Request, decide, parse_policy
from valetkey.policy.evaluation import could_allow
from valetkey.prover import Counterexample, Limits, Proof

SLOW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
TEAM, SITE = "aws:PrincipalTag/team", "aws:RequestTag/site"


@SLOW
@given(st.sampled_from([*SILENT, "empty-not"]), st.integers(0, 2**32))
def test_audit_who_and_prove_under_every_guess(form: str, seed: int) -> None:
    rng = random.Random(seed)
    document = trust(rng, form=form)
    assert unsafe(rng, document) is None, json.dumps(document)


# K, s and i are what other letters fold to: the Kelvin sign, the long s, i with and without a dot.
LETTERS = "kKsSiIa\u212a\u017f\u0130\u0131\u00df\u00e4\u00c4"
TEXTS = st.text(LETTERS, max_size=3)
WANTED = st.one_of(
    TEXTS,
    st.sampled_from(
        ["${aws:RequestTag/site}", "${aws:RequestTag/site, ''}", "${aws:username, ''}", "${aws:x, 'k'}", "k*", "?", ""]
    ),
)


OPERATORS = (
    "StringEquals",
    "StringNotEquals",
    "StringEqualsIgnoreCase",
    "StringNotEqualsIgnoreCase",
    "StringLike",
)


@st.composite
def documents(draw: st.DrawFn) -> Any:
    statements = []
    for effect in draw(st.sampled_from([["Allow"], ["Allow", "Deny"], ["Allow", "Allow"]])):
        block: dict[str, Any] = {}
        for _ in range(draw(st.integers(0, 2))):
            operator = draw(st.sampled_from(OPERATORS))
            suffix = draw(st.sampled_from(["", "", "IfExists"]))
            key = draw(st.sampled_from([TEAM, TEAM, SITE]))
            block.setdefault(operator + suffix, {})[key] = draw(st.lists(WANTED, min_size=1, max_size=2))
        made = {"Effect": effect, "Principal": {"AWS": THEM}, "Action": "sts:AssumeRole"}
        statements.append(made | ({"Condition": block} if block else {}))
    return parse_policy({"Version": "2012-10-17", "Statement": statements}, kind="trust")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(documents(), documents(), st.lists(st.tuples(st.none() | TEXTS, st.none() | TEXTS), max_size=30))
def test_prove_and_decide_agree_on_every_letter(left: Any, right: Any, sent: Any) -> None:
    """A proof holds for every value; if a value certainly refutes it, the answer is a counterexample or unknown."""
    result = ask(left, right, limits=Limits(seconds=5))
    for team, site in sent:
        context = {key: value for key, value in ((TEAM, team), (SITE, site)) if value is not None}
        request = Request(f"arn:aws:iam::{THEM}:user/bob", "sts:AssumeRole", ROLE, OWNER, context)
        if isinstance(result, Proof):
            assert not could_allow(request, trust=left) or decide(request, trust=right).allowed, request
            assert result.witness is not None or not could_allow(request, trust=left), request
    if isinstance(result, Counterexample):
        assert decide(result.request, trust=left).allowed
        assert not could_allow(result.request, trust=right)
