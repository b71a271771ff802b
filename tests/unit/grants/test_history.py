"""The last changes of a grant as tags: written so that a tag takes them, read whatever they say."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from valetkey.grants.history import Change, entry, is_change, pushed, read

AT = datetime(2026, 12, 31, tzinfo=UTC)
HEAD = "2026-12-31T00:00:00Z user/ann "
ANN = "arn:aws:iam::111111111111:user/ann"


@pytest.mark.parametrize(
    ("what", "line"),
    [
        ("until none to now", f"{HEAD}until none to now"),
        ("a,b (c) \u2014 d\n", f"{HEAD}a_b _c_ _ d_"),
        ("x" * (256 - len(HEAD)), HEAD + "x" * (256 - len(HEAD))),
        ("x" * (257 - len(HEAD)), HEAD + "x" * (252 - len(HEAD)) + " ..."),
    ],
)
def test_a_line_is_what_a_tag_can_hold(what: str, line: str) -> None:
    assert entry(what, at=AT, caller=ANN) == line


def test_the_caller_is_named_without_the_account() -> None:
    assert entry("x", at=AT, caller="arn:aws:sts::111111111111:assumed-role/a:b/ann") == (
        "2026-12-31T00:00:00Z assumed-role/a:b/ann x"
    )
    assert entry("x", at=AT, caller="ann") == "2026-12-31T00:00:00Z ann x"


def test_five_are_kept_the_newest_first() -> None:
    assert pushed((), "n") == {"valetkey:change:1": "n"}
    assert pushed(("a", "b", "c", "d", "e"), "n") == {
        "valetkey:change:1": "n",
        "valetkey:change:2": "a",
        "valetkey:change:3": "b",
        "valetkey:change:4": "c",
        "valetkey:change:5": "d",
    }


def test_any_text_is_read() -> None:
    """Whoever may tag the role may have written it."""
    assert read(("2026 user/ann until none to now", "2026 user/ann", "2026", "")) == (
        Change("2026", "user/ann", "until none to now"),
        Change("2026", "user/ann", ""),
        Change("2026", "", ""),
        Change("", "", ""),
    )


@pytest.mark.parametrize(
    ("what", "names"),
    [("policy a.json to none", True), ("policy a.json-x to none", False), ("policy other ...", True), ("", False)],
)
def test_a_change_names_a_word_or_may_where_it_was_cut(what: str, names: bool) -> None:
    assert Change("", "", what).names("a.json") is names


@pytest.mark.parametrize(
    ("key", "is_one"),
    [
        ("valetkey:change:1", True),
        ("valetkey:change:9", True),
        ("valetkey:change:0", False),
        ("valetkey:change:10", False),
        ("valetkey:change:", False),
        ("valetkey:changing", False),
        ("x-valetkey:change:1", False),
    ],
)
def test_which_tags_are_the_history(key: str, is_one: bool) -> None:
    assert is_change(key) is is_one
