"""The generated accounts that the benchmarks are measured on."""

from __future__ import annotations

import io
from collections import Counter

import pytest

pytest.importorskip("moto")

from bench import accounts

from valetkey.account import read_files


def _text(roles: int, seed: int = 1) -> str:
    out = io.StringIO()
    accounts.write(out, roles, seed=seed)
    return out.getvalue()


def test_the_same_seed_gives_the_same_account():
    assert _text(60) == _text(60)
    assert _text(60) != _text(60, seed=2)


def test_it_is_read_whole_and_mixed_as_meant():
    account = read_files(["a.json"], read=lambda _: _text(1500).encode())
    assert (account.id, len(account.roles), account.unknown) == (accounts.OWNER, 1500, ())
    assert len({role.arn for role in account.roles}) == 1500
    services = sum('"Service"' in (role.trust or "") for role in account.roles)
    assert 0.4 < services / 1500 < 0.6
    trusts = Counter(role.trust for role in account.roles)
    assert 0.15 < len(trusts) / 1500 < 0.35
    assert all(arn in account.policies for role in account.roles for arn in role.attached)
    assert sum(role.name.startswith("t") and role.name[1:3].isdigit() for role in account.roles) > 20
