"""The recorded campaign, replayed without the referee: a changed verdict is a change of semantics."""

from __future__ import annotations

import collections
import pathlib
from typing import Any

import pytest

from .campaign import load
from .cases import normal, ours
from .known import BY_NAME

CORPUS = pathlib.Path(__file__).parent.parent / "corpora" / "decide.ndjson.gz"


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    return load(CORPUS)[1]


def test_every_recorded_verdict_is_still_ours(rows: list[dict[str, Any]]) -> None:
    changed = [(row["case"], row["verdict"], now) for row in rows if (now := ours(row["case"])) != row["verdict"]]
    assert not changed, f"{len(changed)} of {len(rows)} verdicts changed; the first: {changed[0]}"


def test_where_the_referee_agreed_or_a_known_row_explains_why_not(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        assert (row["referee"] == row["verdict"]) == (not row["known"]), row
        case = normal(row["case"])
        for name in row["known"]:
            # The same causes are still found, and removing them still keeps our verdict.
            case = BY_NAME[name].without(case) or case
        assert not row["known"] or case != normal(row["case"]), row
        assert ours(case) == row["verdict"], row


def test_the_corpus_is_large_and_balanced(rows: list[dict[str, Any]]) -> None:
    outcomes = collections.Counter(row["verdict"] for row in rows)
    assert len(rows) >= 3000
    assert set(outcomes) == {"allowed", "explicit_deny", "implicit_deny"}
    assert min(outcomes.values()) > len(rows) // 10
    assert CORPUS.stat().st_size < 1_000_000
