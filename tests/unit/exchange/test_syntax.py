"""Every field of the two files is checked by AWS's own syntax: the error names the file and the field."""

from __future__ import annotations

import json
import pathlib
import re
from typing import Any

import pytest

from valetkey.exchange import AccessRequest, FileError, Handoff, dump, files, load
from valetkey.policy.arns import PARTITIONS

RECORDED = pathlib.Path(__file__).parent / "recorded"
OWN, OWNER = "222222222222", "111111111111"
REQUEST: dict[str, Any] = {
    "valetkey": "access-request/v1",
    "account": OWN,
    "partition": "aws",
    "external_id": "vk-0123456789abcdef",
    "identity": "iam-user",
    "identity_arn": f"arn:aws:iam::{OWN}:user/carol",
    "issued": "2026-11-23T21:00:00Z",
    "customer": "acme",
    "policies": ["SecurityAudit"],
    "until": "2027-01-01T00:00:00Z",
    "session": 3600,
    "reason": "yearly audit",
    "public_key": "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p",
}
HANDOFF: dict[str, Any] = {
    "valetkey": "handoff/v1",
    "role_arn": f"arn:aws:iam::{OWNER}:role/teams/audit",
    "external_id": "vk-0123456789abcdef",
    "contractor": OWN,
    "partition": "aws",
    "max_session": 3600,
    "mfa": True,
    "mfa_max_age": 900,
    "issued": "2026-11-23T21:05:00Z",
    "until": "2027-01-01T00:00:00Z",
    "principals": [f"arn:aws:iam::{OWN}:user/carol"],
    "session_name": "username",
    "source_identity": False,
    "session_tags": False,
    "policies": ["SecurityAudit"],
    "request": "arrow-forest-endless-ceiling-link-girl",
}
HOSTILE = (
    "; rm -rf ~",
    ";rm",
    "$(id)",
    "${IFS}",
    "`id`",
    "x'y",
    'x"y',
    "x\ny",
    "x\r\ny",
    "\x1b[2Jx",
    "x\u202ey",
    "x\u2028y",
    "x\x7fy",
    "\ud800",
    "x y",
    "*",
    "x?",
    "\\",
    "a//b",
    "../x",
    "é",
    "",
)


def harmless(field: str, value: Any) -> bool:
    """Values that may stay: one printable line where the text is only ever shown, and what AWS itself takes."""
    match field:
        case "customer":
            return isinstance(value, str) and value.isprintable() and value.strip() == value
        case "reason":
            return isinstance(value, str) and value.isprintable()
        case "public_key":
            return isinstance(value, str) and value.isprintable() and value.startswith("age1")
        case "session_name":  # a rule that is not known is refused by `accept`, and never shown
            return isinstance(value, str) and value.isprintable() and value != ""
        case "external_id":
            return re.fullmatch(r"[A-Za-z0-9_+=,.@:/-]{2,}", value) is not None
        case "policies" | "principals" | "role_arn" | "identity_arn":  # a name that ends in dots, and no way upwards
            text = value[-1] if isinstance(value, list) else value
            return re.search(r"(audit|carol|Audit)\.\./x$", text) is not None
    return False


def read(plain: dict[str, Any], kind: Any) -> Any:
    return load(json.dumps({**plain, "fingerprint": files._fingerprint(plain)}), kind, name="f.json").value


@pytest.mark.parametrize(("name", "kind"), [("request", AccessRequest), ("handoff", Handoff)])
def test_files_of_the_first_version_are_read_and_written_as_before(name: str, kind: Any) -> None:
    text = (RECORDED / f"{name}-v1.json").read_text()
    assert dump(load(text, kind, name="f").value) == text


@pytest.mark.parametrize(
    ("plain", "kind", "field"),
    [(REQUEST, AccessRequest, each) for each in REQUEST if each != "valetkey"]
    + [(HANDOFF, Handoff, each) for each in HANDOFF if each != "valetkey"],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_hostile_text_in_any_field_is_refused_by_name(plain: dict[str, Any], kind: Any, field: str) -> None:
    good = plain[field]
    forms: list[Any] = []
    for text in HOSTILE:
        if isinstance(good, list):
            forms += [[text], [good[0], good[0] + text]]
        elif isinstance(good, str):
            forms += [text, good + text, text + good]
        else:
            forms += [text]
    for value in forms:
        if value in (good, [good] * 2, [good[0]] * 2 if isinstance(good, list) else None) or harmless(field, value):
            continue
        with pytest.raises(FileError) as caught:
            read({**plain, field: value}, kind)
        assert caught.value.where.startswith(f"f.json: $.{field}"), (value, caught.value.where)
        assert caught.value.exit_code == 2
        assert str(caught.value).isprintable()


PLACES: list[tuple[str, Any]] = [
    ("role_arn", f"arn:aws:iam::{OWNER}:role/*"),
    ("role_arn", f"arn:aws:iam::{OWNER}:role/aud?t"),
    ("role_arn", f"arn:aws:iam::{OWNER}:role/${{aws:username}}"),
    ("role_arn", f"arn:aws:iam::{OWNER}:role/x*/audit"),
    ("role_arn", f"arn:aws:iam::{OWNER}:role//audit"),
    ("role_arn", f"arn:aws:iam::{OWNER}:role/x//audit"),
    ("role_arn", f"arn:aws:iam::{OWNER}:role/../audit"),
    ("role_arn", f"arn:aws:iam::{OWNER}:role/.."),
    ("role_arn", f"arn:aws:iam::{OWNER}:role/"),
    ("role_arn", f"arn:aws:iam::{OWNER}:role/x/"),
    ("role_arn", f"arn:aws:iam::{OWNER}:role/{'x' * 65}"),
    ("role_arn", f"arn:aws:iam::{OWNER}:role/{'x' * 511}/audit"),
    ("role_arn", f"arn:aws:iam::{OWNER}:user/audit"),
    ("role_arn", f"arn:aws:iam:us-east-1:{OWNER}:role/audit"),
    ("role_arn", f"arn:aws:sts::{OWNER}:assumed-role/audit/x"),
    ("role_arn", "arn:aws:iam::*:role/audit"),
    ("role_arn", "arn:aws:iam::11111111111:role/audit"),
    ("role_arn", "arn:aws:iam::" + "\u0661" * 12 + ":role/audit"),
    ("role_arn", f"arn:*:iam::{OWNER}:role/audit"),
    ("role_arn", f"ARN:aws:iam::{OWNER}:role/audit"),
    ("role_arn", f" arn:aws:iam::{OWNER}:role/audit"),
    ("role_arn", f"arn:aws:iam::{OWNER}:role/audit\n"),
    ("role_arn", f"arn:aws-moon:iam::{OWNER}:role/audit"),
    ("partition", "aws-cn"),
    ("partition", "aws-moon"),
    ("external_id", "x"),
    ("external_id", "x" * 1225),
    ("contractor", "\u0662" * 12),
    ("max_session", 3599),
    ("max_session", 43201),
    ("max_session", True),
    ("max_session", 10**30),
    ("mfa_max_age", 0),
    ("mfa_max_age", -1),
    ("mfa_max_age", 129601),
    ("mfa_max_age", True),
    ("mfa_max_age", "900"),
    ("mfa", 1),
    ("issued", "2026-11-23T21:05:00"),
    ("issued", "0001-01-01T00:00:00+14:00"),
    ("until", "9999-12-31T23:59:59-14:00"),
    ("until", "2027-01-01"),
    ("principals", [f"arn:aws:iam::{OWN}:user/*"]),
    ("principals", [f"arn:aws:iam::{OWN}:root"]),
    ("principals", ["arn:aws:iam::333333333333:user/carol"]),
    ("principals", [f"arn:aws-cn:iam::{OWN}:user/carol"]),
    ("principals", [f"arn:aws:iam::{OWN}:role/AWSReservedSSO_Audit_*"]),
    ("principals", "x"),
    ("policies", ["x" * 2049]),
    ("session_tags", "yes"),
    ("request", "Arrow-forest"),
]


@pytest.mark.parametrize(("field", "value"), PLACES, ids=lambda each: ascii(each)[:60])
def test_a_handoff_means_one_role(field: str, value: Any) -> None:
    with pytest.raises(FileError) as caught:
        read({**HANDOFF, field: value}, Handoff)
    assert caught.value.where.startswith(f"f.json: $.{field}")
    assert str(caught.value).isprintable()


def test_the_age_of_mfa_needs_mfa() -> None:
    with pytest.raises(FileError, match=r"\$\.mfa_max_age"):
        read({**HANDOFF, "mfa": False}, Handoff)


@pytest.mark.parametrize("partition", sorted(PARTITIONS))
def test_every_partition(partition: str) -> None:
    arns = {"role_arn": f"arn:{partition}:iam::{OWNER}:role/audit", "principals": []}
    assert read({**HANDOFF, **arns, "partition": partition}, Handoff).account == OWNER
    user = {"partition": partition, "identity_arn": f"arn:{partition}:iam::{OWN}:user/carol"}
    assert read({**REQUEST, **user}, AccessRequest).partition == partition


def test_the_partitions_are_those_of_botocore() -> None:
    from botocore.session import Session

    assert set(Session().get_available_partitions()) == PARTITIONS


SSO = "AWSReservedSSO_Audit_0123456789abcdef"


@pytest.mark.parametrize(
    ("kind", "arn", "fits"),
    [
        ("iam-user", f"arn:aws:iam::{OWN}:user/team/carol", True),
        ("iam-role", f"arn:aws:iam::{OWN}:role/ops", True),
        ("identity-center", f"arn:aws:iam::{OWN}:role/{SSO}", True),
        ("identity-center", f"arn:aws:iam::{OWN}:role/aws-reserved/sso.amazonaws.com/{SSO}", True),
        ("federated", f"arn:aws:sts::{OWN}:federated-user/carol", True),
        ("root", f"arn:aws:iam::{OWN}:root", True),
        ("iam-user", f"arn:aws:iam::{OWN}:role/carol", False),
        ("iam-user", f"arn:aws:iam::{OWNER}:user/carol", False),
        ("iam-user", f"arn:aws-cn:iam::{OWN}:user/carol", False),
        ("iam-role", f"arn:aws:iam::{OWN}:user/ops", False),
        ("iam-role", f"arn:aws:sts::{OWN}:assumed-role/ops/me", False),
        ("iam-role", f"arn:aws:iam::{OWN}:role/*", False),
        ("identity-center", f"arn:aws:iam::{OWN}:role/ops", False),
        ("federated", f"arn:aws:iam::{OWN}:user/carol", False),
        ("federated", f"arn:aws:sts::{OWN}:federated-user/$(id)", False),
        ("root", f"arn:aws:iam::{OWNER}:root", False),
    ],
)
def test_the_identity_is_of_its_kind_and_of_the_account(kind: str, arn: str, fits: bool) -> None:
    plain = {**REQUEST, "identity": kind, "identity_arn": arn}
    if fits:
        assert read(plain, AccessRequest).identity_arn == arn
        return
    with pytest.raises(FileError) as caught:
        read(plain, AccessRequest)
    assert caught.value.where == "f.json: $.identity_arn"


def test_kinds_that_nobody_knows_are_refused() -> None:
    with pytest.raises(FileError, match="is not one of iam-user") as caught:
        read({**REQUEST, "identity": "superuser"}, AccessRequest)
    assert caught.value.where == "f.json: $.identity"
