"""The words of a fingerprint: the published list, in its order, all 66 bits used."""

from __future__ import annotations

import hashlib
import pathlib
import re

from valetkey.exchange import files

LIST = pathlib.Path(files.__file__).with_name("words.txt")


def test_it_is_the_published_list() -> None:
    """The checksum that BIP-39's english.txt is known by: another order would be another fingerprint."""
    assert hashlib.sha256(LIST.read_bytes()).hexdigest() == (
        "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda"
    )
    assert len({word[:4] for word in files._list()}) == 2048


def test_every_bit_is_told(monkeypatch) -> None:
    class Digest:
        def __init__(self, value: int) -> None:
            self.value = value

        def digest(self) -> bytes:
            return (self.value << 190).to_bytes(32)

    said = set()
    for bit in range(66):
        monkeypatch.setattr(files.hashlib, "sha256", lambda _, bit=bit: Digest(1 << bit))
        said.add(files._fingerprint({}))
    assert len(said) == 66
    assert all(re.fullmatch("[a-z]{3,8}(-[a-z]{3,8}){5}", item) for item in said)
    assert "abandon-abandon-abandon-abandon-abandon-ability" in said
