"""One-time codes: where nothing can be kept, nobody is asked for one."""

from __future__ import annotations

import pathlib
from datetime import UTC, datetime

import pytest

from valetkey.credentials.sessions.cache import Cache
from valetkey.credentials.sessions.mfa_codes import with_code
from valetkey.errors import ValetkeyError

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
DEVICE = "arn:aws:iam::123456789012:mfa/ann"


def test_no_code_is_asked_for_where_the_cache_cannot_be_written(
    home: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def ask(device: str, /, *, seconds: float, again: str = "") -> str:
        asked.append(device)
        return "123456"

    def full(path: pathlib.Path, data: bytes) -> None:
        raise ValetkeyError(f"{path} cannot be written: No space left on device")

    monkeypatch.setattr("valetkey.credentials.sessions.cache.files.write", full)
    with pytest.raises(ValetkeyError, match="No space left"):
        with_code(
            DEVICE,
            lambda code: code,
            cache=Cache({"HOME": str(home)}),
            ask=ask,
            clock=lambda: NOW,
            deadline=lambda: 30.0,
        )
    assert asked == []


def test_a_code_that_was_taken_keeps_nobody_from_being_asked_in_the_same_second(home: pathlib.Path) -> None:
    """What is written before the question, to see whether the disk takes it, is no refusal."""
    codes = iter(["123456", "234567"])
    sent = [
        with_code(
            DEVICE,
            lambda code: code,
            cache=Cache({"HOME": str(home)}),
            ask=lambda device, *, seconds, again="": next(codes),
            clock=lambda: NOW,
            deadline=lambda: 30.0,
        )
        for _ in range(2)
    ]
    assert sent == ["123456", "234567"]
