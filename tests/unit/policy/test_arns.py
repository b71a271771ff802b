from __future__ import annotations

import pytest

from valetkey.errors import PolicyError
from valetkey.policy.arns import Arn, is_account, parse_arn


@pytest.mark.parametrize(
    ("text", "arn"),
    [
        ("arn:aws:iam::111122223333:role/a/b/name", Arn("aws", "iam", "", "111122223333", "role/a/b/name")),
        ("arn:aws-cn:iam::111122223333:root", Arn("aws-cn", "iam", "", "111122223333", "root")),
        (
            "arn:aws-us-gov:sts::111122223333:assumed-role/R/S",
            Arn("aws-us-gov", "sts", "", "111122223333", "assumed-role/R/S"),
        ),
        ("arn:aws:s3:::bucket/a:b/*", Arn("aws", "s3", "", "", "bucket/a:b/*")),
        ("arn:aws:iam::aws:policy/ReadOnlyAccess", Arn("aws", "iam", "", "aws", "policy/ReadOnlyAccess")),
        (
            "arn:aws-iso-b:sns:us-isob-east-1:111122223333:t",
            Arn("aws-iso-b", "sns", "us-isob-east-1", "111122223333", "t"),
        ),
    ],
)
def test_an_arn_is_taken_apart_and_put_together_again(text: str, arn: Arn) -> None:
    assert parse_arn(text) == arn
    assert str(arn) == text


def test_kind_path_and_name() -> None:
    role = parse_arn("arn:aws:iam::111122223333:role/team/blue/name")
    assert (role.kind, role.path, role.name) == ("role", "/team/blue/", "name")
    assert parse_arn("arn:aws:iam::111122223333:role/name").path == "/"
    assert parse_arn("arn:aws:iam::111122223333:root").kind == "root"
    assert parse_arn("arn:aws:iam::111122223333:root").name == "root"
    assert parse_arn("arn:aws:logs:eu-west-1:111122223333:log-group:a/b").kind == "log-group"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "arn",
        "arn:aws:iam::111122223333",
        "arn:aws:iam::111122223333:",
        "ARN:aws:iam::111122223333:role/x",
        "arn:gcp:iam::111122223333:role/x",
        "arn:*:iam::111122223333:role/x",
        "arn:aws::us-east-1:111122223333:role/x",
        "arn:aws:iam::11112222333:role/x",
        "arn:aws:iam::1111222233334:role/x",
        "arn:aws:iam::*:role/x",
        "arn:aws:iam::111122223333:role/x\n",
        "arn:aws:iam::\uff11\uff11\uff11\uff11\uff12\uff12\uff12\uff12\uff13\uff13\uff13\uff13:role/x",
        " arn:aws:iam::111122223333:role/x",
        "x" * 10_000,
    ],
)
def test_anything_else_is_refused_in_one_short_sentence(text: str) -> None:
    with pytest.raises(PolicyError) as refusal:
        parse_arn(text)
    assert refusal.value.do
    assert len(str(refusal.value)) < 300
    assert "\n" not in str(refusal.value)


LIKE = "write it like arn:aws:iam::123456789012:role/name"


@pytest.mark.parametrize(
    ("text", "what", "do"),
    [
        (None, "an ARN is a string, not NoneType", LIKE),
        ("arn", "'arn' is not an ARN", LIKE),
        ("x:aws:s3:::b", "'x:aws:s3:::b' is not an ARN", LIKE),
        ("ARN:aws:iam::111122223333:x", "'ARN:aws:iam::111122223333:x' is not an ARN", LIKE),
        ("arn:aws:iam::111122223333", "'arn:aws:iam::111122223333' is not an ARN", LIKE),
        ("arn:gcp:s3:::x", "'gcp' is not a partition", "use aws, aws-cn, aws-us-gov, ..."),
        ("arn:aws-:s3:::x", "'aws-' is not a partition", "use aws, aws-cn, aws-us-gov, ..."),
        ("arn:aws::::x", "'' is not the service of an ARN", "use letters, digits and - only"),
        ("arn:aws:i am:::x", "'i am' is not the service of an ARN", "use letters, digits and - only"),
        ("arn:aws:s3:?::x", "'?' is not the region of an ARN", "use letters, digits and - only"),
        ("arn:aws:s3::*:x", "'*' is not the account of an ARN", "use letters, digits and - only"),
        ("arn:aws:s3::12:x", "'12' is not an account id", "an account id has 12 digits"),
        ("arn:aws:s3:::", "'arn:aws:s3:::' names no resource", LIKE),
        ("arn:aws:s3:::a\x1f", "'arn:aws:s3:::a\\x1f' names no resource", LIKE),
        ("arn:aws:s3:::a\x7f", "'arn:aws:s3:::a\\x7f' names no resource", LIKE),
    ],
)
def test_a_refusal_says_which_part_is_wrong(text: str, what: str, do: str) -> None:
    with pytest.raises(PolicyError) as refusal:
        parse_arn(text)
    assert (refusal.value.what, refusal.value.do) == (what, do)


def test_a_resource_may_hold_every_sign_that_prints() -> None:
    assert parse_arn("arn:aws:s3:::a b~\x80").resource == "a b~\x80"


@pytest.mark.parametrize("value", [None, 1, b"arn:aws:iam::111122223333:role/x", ["arn"]])
def test_what_is_no_text_is_refused(value: object) -> None:
    with pytest.raises(PolicyError):
        parse_arn(value)  # type: ignore[arg-type]


def test_an_account_id_is_twelve_ascii_digits() -> None:
    assert is_account("012345678901")
    assert not is_account("12345678901")
    assert not is_account("\uff11" * 12)
