"""Times as AWS and valetkey's own files write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from valetkey.times import moment, read_moment


def test_a_time_is_written_in_utc_and_read_back() -> None:
    when = datetime(2026, 12, 31, 20, 0, 0, 999_999, tzinfo=timezone(timedelta(hours=2)))
    assert moment(when) == "2026-12-31T18:00:00Z"
    assert read_moment(moment(when)) == datetime(2026, 12, 31, 18, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "2026-12-31", "2026-12-31T18:00:00+00:00", "2026-12-31T18:00:00.5Z"])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="time data"):
        read_moment(text)
