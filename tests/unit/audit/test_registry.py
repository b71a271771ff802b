"""A check is one function with its texts beside it; what is incomplete or given twice is refused when it is made."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from valetkey.audit import TABLE
from valetkey.audit.checks import ROLE_CHECKS, TRUST_CHECKS
from valetkey.audit.findings import Hit
from valetkey.audit.registry import GUIDE, Check, check, registered

WORDS = {"title": "A title", "why": "Because.", "fix": "do it", "page": "reference_policies.html"}


def nothing(subject: object) -> Iterator[Hit]:
    return iter(())


def made(number: str, **changed: str) -> Check[object]:
    texts = {**WORDS, **changed}
    return check(number, severity="low", **texts)(nothing)


def test_the_decorated_name_is_the_check() -> None:
    result = made("T99")
    assert (result.id, result.title, result.severity, result.find) == ("T99", "A title", "low", nothing)
    assert result.page == f"{GUIDE}reference_policies.html"


@pytest.mark.parametrize("missing", sorted(WORDS))
def test_a_missing_text_or_page_is_refused(missing: str) -> None:
    with pytest.raises(ValueError, match=missing):
        made("T99", **{missing: ""})


def test_an_id_given_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="two checks have the id T99"):
        registered([made("T98"), made("T99"), made("T99")])


def test_the_registry_is_read_only_and_in_order() -> None:
    assert list(TABLE) == [*(f"T{number}" for number in range(1, 32)), "incomplete", "unknown"]
    assert TABLE.keys() == TRUST_CHECKS.keys() | ROLE_CHECKS.keys()
    with pytest.raises(TypeError):
        TABLE["T99"] = made("T99")  # type: ignore[index]
    with pytest.raises(AttributeError):
        TABLE["T1"].title = "another"  # type: ignore[misc]


def test_every_check_has_its_own_function_and_is_said_in_full() -> None:
    assert len({item.find for item in TABLE.values()}) == len(TABLE)
    for item in TABLE.values():
        assert item.why.endswith("."), item.id
        assert not item.title.endswith("."), item.id
