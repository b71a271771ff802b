"""Properties of any evaluator, on random cases and without a referee: order, spelling, monotonicity, names."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator

from .cases import LEVELS, Case, documents, normal, ours
from .generate import case

CASES = 1200


def _cases(seed: str) -> Iterator[tuple[random.Random, Case]]:
    for number in range(CASES):
        yield random.Random(f"{seed}:{number}"), case(seed, number)


def test_spelling_does_not_matter() -> None:
    for _, one in _cases("spelling"):
        assert ours(normal(one)) == ours(one), one


def test_the_order_of_statements_values_and_keys_does_not_matter() -> None:
    def shuffled(rng: random.Random, value: object) -> object:
        if isinstance(value, dict):
            return {key: shuffled(rng, value[key]) for key in rng.sample(sorted(value), len(value))}
        if isinstance(value, list):
            return [shuffled(rng, item) for item in rng.sample(value, len(value))]
        return value

    for rng, one in _cases("order"):
        other = copy.deepcopy(one)
        for _, document in documents(other):
            document["Statement"] = shuffled(rng, document["Statement"])
        context = other["request"]["context"]
        other["request"]["context"] = shuffled(rng, context)
        for side in ("identity", *LEVELS):
            if other.get(side):
                rng.shuffle(other[side])
        assert ours(other) == ours(one), (one, other)


def _with_another_statement(rng: random.Random, one: Case, effect: str) -> Case | None:
    """A case with one more statement: a copy from the same document or from another one of the same side."""
    made = normal(one)
    places = [(side, document) for side, document in documents(made) if side != "rcps" or effect == "Deny"]
    if not places:
        return None
    side, document = rng.choice(places)
    extra = copy.deepcopy(rng.choice([s for kind, d in documents(made) if kind == side for s in d["Statement"]]))
    if "NotPrincipal" in extra:
        return None
    extra["Effect"] = effect
    if extra.get("Condition") and rng.random() < 0.5:
        del extra["Condition"]
    document["Statement"].append(extra)
    return made


def test_another_allow_never_takes_away_and_another_deny_never_gives() -> None:
    tried = 0
    for rng, one in _cases("monotony"):
        before = ours(one)
        if (more := _with_another_statement(rng, one, "Allow")) is not None:
            tried += 1
            after = ours(more)
            assert after == before or (before, after) == ("implicit_deny", "allowed"), (before, after, more)
        if (more := _with_another_statement(rng, one, "Deny")) is not None:
            tried += 1
            after = ours(more)
            assert after in (before, "explicit_deny"), (before, after, more)
    assert tried > CASES


def test_renaming_accounts_throughout_does_not_matter() -> None:
    names = {"111122223333": "900000000001", "444455556666": "900000000012", "111122223334": "900000000123"}
    compared = 0
    for _, one in _cases("renaming"):
        text = json.dumps(one)
        # A pattern that contains a part of an account id correctly gives another result.
        parts = [text]
        for name in names:
            parts = [piece for part in parts for piece in part.split(name)]
        if any("1111" in part or "2222" in part or "*3" in part or "4444" in part for part in parts):
            continue
        if any(mark in text for mark in ("1*", "*1", "3*", "*3", "6*", "*6", "4*", "*4", "2*", "*2", "?")):
            continue
        compared += 1
        for old, new in names.items():
            text = text.replace(old, new)
        assert ours(json.loads(text)) == ours(one), one
    assert compared > CASES // 4
