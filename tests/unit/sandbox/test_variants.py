"""What AWS may do one way or another is set by account, or for all."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from valetkey.sandbox import variants
from valetkey.sandbox.variants import VariantError, Variants


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    variants.reset()
    yield
    variants.reset()


def test_the_account_then_all_then_the_default() -> None:
    assert variants.of("111111111111") == Variants("bare", 5)
    variants.vary({"refusals": "reasons"})
    variants.vary({"account": "111111111111", "sts_minutes": 15})
    assert variants.of("111111111111") == Variants("reasons", 15)
    assert variants.of("222222222222") == Variants("reasons", 5)
    variants.vary({"account": "111111111111", "refusals": "bare"})
    assert variants.of("111111111111") == Variants("bare", 15)
    variants.reset()
    assert variants.of("222222222222") == Variants()


@pytest.mark.parametrize(
    "wrong",
    [
        *({"refusals": each} for each in ("loud", ["bare"], None)),
        *({"sts_minutes": each} for each in (6, True, "5")),
        {"x": 1},
        {"account": 1},
    ],
)
def test_what_there_is_not_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(VariantError):
        variants.vary(wrong)
    assert variants.of("111111111111") == Variants()
