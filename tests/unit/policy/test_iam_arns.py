"""ARNs of users and roles, and when two are of the same one."""

from __future__ import annotations

import pytest

from valetkey.errors import PolicyError
from valetkey.policy.iam_arns import Entity, entity, iam_arn, is_same_role, path_trouble

ROLE = "arn:aws:iam::111122223333:role"


def test_taken_apart() -> None:
    arn = iam_arn(f"{ROLE}/a/b/Audit", "role")
    assert (arn.account, arn.path, arn.name, str(arn)) == (
        "111122223333",
        "/a/b/",
        "Audit",
        f"{ROLE}/a/b/Audit",
    )
    assert entity(f"{ROLE}/a/b/Audit") == Entity("aws", "111122223333", "role", "audit")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (f"{ROLE}/audit", f"{ROLE}/audit", True),
        (f"{ROLE}/audit", f"{ROLE}/Audit", True),  # IAM has no two roles whose names differ in case alone
        (f"{ROLE}/audit", f"{ROLE}/team/audit", True),  # nor in path alone
        (f"{ROLE}/audit", f" {ROLE}/audit ", True),
        (f"{ROLE}/audit", f"{ROLE}/audit2", False),
        (f"{ROLE}/audit", ROLE.replace("role", "user") + "/audit", False),
        (f"{ROLE}/audit", "arn:aws-cn:iam::111122223333:role/audit", False),
        (f"{ROLE}/audit", "arn:aws:iam::111122223334:role/audit", False),
        ("nonsense", "nonsense", True),
        ("nonsense", "Nonsense", False),
    ],
)
def test_the_same_role(one: str, other: str, same: bool) -> None:
    assert is_same_role(one, other) is is_same_role(other, one) is same


@pytest.mark.parametrize("sign", sorted("*?$\"'`\\ \n\x00\x7fé"))
def test_signs_that_mean_something_elsewhere_are_refused(sign: str) -> None:
    for text in (f"{ROLE}/x{sign}/audit", f"{ROLE}/aud{sign}it", f"{ROLE}/audit{sign}", f"{ROLE}{sign}/audit"):
        with pytest.raises(PolicyError) as caught:
            iam_arn(text, "role")
        assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("path", "trouble"),
    [
        ("/", ""),
        ("/a/b/", ""),
        ("/a/.../b..c/", ""),
        ("/" + "p" * 510 + "/", ""),  # 512 characters, the most that IAM takes
        ("/" + "p" * 511 + "/", "has a path that is not / or /…/ with printable ASCII and 512 characters at most"),
        ("", "has a path that is not / or /…/ with printable ASCII and 512 characters at most"),
        ("a/", "has a path that is not / or /…/ with printable ASCII and 512 characters at most"),
        ("//", "has a path that is not / or /…/ with printable ASCII and 512 characters at most"),
        (
            "/a$b/",
            (
                "has a path with one of * ? $ ` \\ or a quote in it, "
                "which a policy or a shell could read as something else"
            ),
        ),
        ("/a//b/", "has a path with //, /./ or /../ in it"),
        ("/./", "has a path with //, /./ or /../ in it"),
        ("/a/../b/", "has a path with //, /./ or /../ in it"),
    ],
)
def test_a_path_is_refused_with_its_reason(path: str, trouble: str) -> None:
    assert path_trouble(path) == trouble
    if not trouble:
        assert iam_arn(f"{ROLE}{path}x", "role").path == path


LONG = f"'{ROLE}/{'p' * 168}… (546 characters)"


@pytest.mark.parametrize(
    ("text", "kinds", "what", "like"),
    [
        ("x", ("role",), "'x' is not the ARN of an IAM role", "role"),
        ("x", ("user", "role"), "'x' is not the ARN of an IAM user or role", "user"),
        (f"{ROLE}/x", ("user",), f"'{ROLE}/x' is not the ARN of an IAM user", "user"),
        (f"{ROLE}/", ("role",), f"'{ROLE}/' does not end in the name of an IAM role", "role"),
        (f"{ROLE}/.", ("role",), f"'{ROLE}/.' does not end in the name of an IAM role", "role"),
        (f"{ROLE}/a/..", ("role",), f"'{ROLE}/a/..' does not end in the name of an IAM role", "role"),
        (
            f"{ROLE}/{'n' * 65}",
            ("user", "role"),
            f"'{ROLE}/{'n' * 65}' does not end in the name of an IAM role",
            "user",
        ),
        (f"{ROLE}/a//b/x", ("role",), f"'{ROLE}/a//b/x' has a path with //, /./ or /../ in it", "role"),
        (f"{ROLE}/{'p' * 511}/x", ("role",), f"{LONG} {path_trouble('')}", "role"),
    ],
)
def test_an_arn_is_refused_with_its_reason(text: str, kinds: tuple[str, ...], what: str, like: str) -> None:
    with pytest.raises(PolicyError) as refusal:
        iam_arn(text, *kinds)
    assert refusal.value.what == what
    assert refusal.value.do == f"write it like arn:aws:iam::123456789012:{like}/name"


def test_a_partition_that_is_not_known_is_named_beside_those_that_are() -> None:
    text = "arn:aws-x:iam::111122223333:role/x"
    with pytest.raises(PolicyError) as refusal:
        iam_arn(text, "role")
    assert refusal.value.what == f"'{text}' is in the partition 'aws-x', which this version does not know"
    assert refusal.value.do == (
        "it knows aws, aws-cn, aws-eusc, aws-iso, aws-iso-b, aws-iso-e, aws-iso-f, aws-us-gov; "
        "update valetkey if AWS has a new one"
    )


def test_both_kinds_are_taken_apart_and_a_name_may_have_64_characters() -> None:
    user = iam_arn(f"arn:aws:iam::111122223333:user/{'n' * 64}", "role", "user")
    assert (user.kind, user.name) == ("user", "n" * 64)
    assert entity(f" {user} ") == Entity("aws", "111122223333", "user", "n" * 64)
