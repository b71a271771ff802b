from __future__ import annotations

import pytest

from valetkey.catalog.limits import FIELDS, LimitError, check

GOOD = {
    "account id": ["012345678901"],
    "role name": ["a", "A_b+=,.@-9", "x" * 64],
    "user name": ["a", "x" * 64],
    "role path": ["/", "/a/", "/team/blue/", "/" + "x" * 510 + "/"],
    "external id": ["ab", "a:b/c@d=e,f+g-h_i.j", "x" * 1224],
    "session name": ["ab", "x" * 64, "a@b.c"],
    "source identity": ["ab", "x" * 64],
    "description": ["", "tab\tand line\nand é", "x" * 1000],
    "tag key": ["k", "été 2", "x" * 128, "aws-like"],
    "tag value": ["", "a b:/=+-@_.", "x" * 256, "日本"],
    "mfa serial": ["arn:aws:iam::111122223333:mfa/bob", "GAHT12345678"],
    "token code": ["000000"],
    "policy name": ["p", "x" * 128],
}
BAD = {
    "account id": ["", "12345678901", "1234567890123", "12345678901a", "\uff11" * 12],
    "role name": ["", "x" * 65, "a b", "a/b", "é"],
    "user name": ["", "x" * 65, "a/b"],
    "role path": ["", "a", "/a", "a/", "/a b/", "/" + "x" * 511 + "/", "//\u00e9/"],
    "external id": ["", "a", "x" * 1225, "a b", "a\n", "a*", "é" * 4],
    "session name": ["a", "x" * 65, "a b", "a/b", "a:b"],
    "source identity": ["a", "x" * 65, "a:b"],
    "description": ["x" * 1001, "em — dash", "\U0001f511", "\x00"],
    "tag key": ["", "x" * 129, "a,b", "a(b)", "aws:name", "AWS:name"],
    "tag value": ["x" * 257, "a,b", "a(b)", "tab\t"],
    "mfa serial": ["short", "x" * 257, "has space"],
    "token code": ["12345", "1234567", "12345a", "\uff11" * 6],
    "policy name": ["", "x" * 129, "a b", "a/b"],
}


def test_every_field_has_good_and_bad_values() -> None:
    assert set(GOOD) == set(BAD) == set(FIELDS)


@pytest.mark.parametrize(("field", "value"), [(field, value) for field, values in GOOD.items() for value in values])
def test_what_aws_takes(field: str, value: str) -> None:
    check(field, value)


@pytest.mark.parametrize(("field", "value"), [(field, value) for field, values in BAD.items() for value in values])
def test_what_aws_refuses_is_refused_with_the_rule(field: str, value: str) -> None:
    with pytest.raises(LimitError) as refusal:
        check(field, value)
    assert field in refusal.value.what
    assert "characters" in refusal.value.do
    if len(value) > 1:
        assert value not in str(refusal.value).replace("/", " ")


def test_the_value_is_never_repeated() -> None:
    with pytest.raises(LimitError) as refusal:
        check("token code", "9137x1")
    assert "9137x1" not in str(refusal.value)


def test_an_unknown_field_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(KeyError):
        check("shoe size", "42")
