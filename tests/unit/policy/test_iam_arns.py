"""ARNs of users and roles, and when two are of the same one."""

from __future__ import annotations

import pytest

from valetkey.errors import PolicyError
from valetkey.policy.iam_arns import Entity, entity, iam_arn, is_same_role

ROLE = "arn:aws:iam::111122223333:role"


def test_taken_apart() -> None:
    found = iam_arn(f"{ROLE}/a/b/Audit", "role")
    assert (found.account, found.path, found.name, str(found)) == (
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
