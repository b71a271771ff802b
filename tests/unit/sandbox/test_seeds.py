"""The roles that `valetkey sandbox seed` makes, as a table."""

from __future__ import annotations

import json
import re

import pytest

from valetkey.errors import PolicyError
from valetkey.policy import parse_policy
from valetkey.sandbox.seed import _text
from valetkey.sandbox.seeds import SEEDS, Seed

NAMES = {"OWNER": "1" * 12, "PARTNER": "2" * 12, "THIRD": "3" * 12, "UNTIL": "2027-01-01T00:00:00Z"}


def test_every_check_has_a_role_of_its_own():
    assert [f"T{number}" for number in range(1, 32)] == list(
        dict.fromkeys(seed.checks[0] for seed in SEEDS if seed.checks)
    )
    assert sum(not seed.checks for seed in SEEDS) >= 5


def test_a_role_is_named_after_its_check():
    assert len({seed.name for seed in SEEDS}) == len(SEEDS)
    for seed in SEEDS:
        assert re.fullmatch(r"[a-z0-9-]{1,64}", seed.name)
        assert seed.name.startswith(f"t{int(seed.checks[0][1:]):02}-" if seed.checks else "ok-")


def _document(seed: Seed) -> str:
    return _text(seed.trust, {**NAMES, "ORPHAN": "AROA" + "X" * 17, "NAME": seed.name})


@pytest.mark.parametrize("seed", [each for each in SEEDS if each.trust is not None], ids=lambda each: each.name)
def test_only_what_is_planted_would_be_refused(seed):
    text = _document(seed)
    assert not re.search("OWNER|PARTNER|THIRD|UNTIL|ORPHAN|NAME", text)
    if not seed.planted:
        parse_policy(text, "trust")
    elif "NotPrincipal" in text or "Resource" in text:
        with pytest.raises(PolicyError):
            parse_policy(text, "trust")
    assert len(text) <= 2048


def test_the_large_one_is_near_the_quota():
    (seed,) = (item for item in SEEDS if item.checks[:1] == ("T29",))
    assert 0.9 * 2048 <= len(_document(seed)) <= 2048
    assert json.loads(_document(seed))
