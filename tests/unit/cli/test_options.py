"""Durations and dates as people write them."""

from datetime import UTC, datetime

import pytest

from valetkey.cli.options import seconds, until
from valetkey.policy.problem import Problem

NOW = datetime(2026, 11, 23, 12, 30, 15, 123456, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "value"),
    [("3600", 3600), ("90m", 5400), ("1h", 3600), ("1h30m", 5400), ("2d", 172800), ("1w", 604800), ("45s", 45)],
)
def test_durations(text, value):
    assert seconds(text, name="--session") == value


@pytest.mark.parametrize("text", ["", "h", "1x", "1h30", "-1h", "1.5h", "\uff11h", "9" * 50, "1h 30m", "h1"])
def test_bad_durations_say_how_to_write_one(text):
    with pytest.raises(Problem, match="duration") as caught:
        seconds(text, name="--session")
    assert "1h" in caught.value.do


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2026-12-31", datetime(2027, 1, 1, tzinfo=UTC)),
        ("2026-12-31T18:00Z", datetime(2026, 12, 31, 18, tzinfo=UTC)),
        ("2026-12-31T18:00+02:00", datetime(2026, 12, 31, 16, tzinfo=UTC)),
        ("30d", datetime(2026, 12, 23, 12, 30, 15, tzinfo=UTC)),
        ("2h", datetime(2026, 11, 23, 14, 30, 15, tzinfo=UTC)),
        # The whole of today is still ahead in part.
        ("2026-11-23", datetime(2026, 11, 24, tzinfo=UTC)),
    ],
)
def test_ends(text, value):
    assert until(text, now=NOW) == value


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("2026-11-22", "has passed"),
        ("tomorrow", "is not a date"),
        ("2026-13-01", "is not a date"),
        ("2026-12-31T18:00", "has no time zone"),
        ("9999-12-31", "is not a date"),
        ("99999w", "is not a date"),
        ("2026-1-1", "is not a date"),
    ],
)
def test_bad_ends(text, says):
    with pytest.raises(Problem, match=says):
        until(text, now=NOW)
