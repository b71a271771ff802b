"""The files between the parties: what is written is read back, what was changed is refused with the place."""

import dataclasses
import json
import sys
from datetime import UTC, datetime

import pytest

from valetkey.exchange import AccessRequest, FileError, Handoff, dump, files, fingerprint, load

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
REQUEST = AccessRequest(
    account="222222222222",
    partition="aws",
    external_id="vk-0123456789abcdef",
    identity="iam-user",
    identity_arn="arn:aws:iam::222222222222:user/carol",
    issued=NOW,
    policies=("ViewOnlyAccess",),
)
HANDOFF = Handoff(
    role_arn="arn:aws-cn:iam::111111111111:role/audit",
    external_id=None,
    contractor="222222222222",
    partition="aws-cn",
    max_session=3600,
    mfa=True,
    mfa_max_age=900,
    until=datetime(2026, 12, 31, tzinfo=UTC),
    issued=NOW,
    request=fingerprint(REQUEST),
)


@pytest.mark.parametrize("document", [REQUEST, HANDOFF], ids=["request", "handoff"])
def test_round_trip(document):
    received = load(dump(document), type(document), name="f.json")
    assert received.value == document
    assert received.fingerprint == fingerprint(document)
    assert received.unknown == ()


def test_a_request_may_carry_the_users_unique_id_and_one_without_is_the_file_it_always_was():
    assert "user_id" not in dump(REQUEST)
    assert fingerprint(REQUEST) == "own-motion-call-suspect-ritual-focus"
    with_id = dataclasses.replace(REQUEST, user_id="AIDACKCEVSQ6C2EXAMPLE")
    assert load(dump(with_id), AccessRequest, name="f").value == with_id
    good = "AIDACKCEVSQ6C2EXAMPLE"
    for bad in (good.replace("AIDA", "AROA"), "AIDA", good.lower(), good + "\\n", f"{good} ", "AIDA" + "A" * 125):
        with pytest.raises(FileError, match="unique id of an IAM user"):
            load(dump(dataclasses.replace(REQUEST, user_id=bad)), AccessRequest, name="f")
    role = {"identity": "iam-role", "identity_arn": "arn:aws:iam::222222222222:role/carol"}
    with pytest.raises(FileError, match="belongs to a user"):
        load(dump(dataclasses.replace(REQUEST, user_id=good, **role)), AccessRequest, name="f")


def test_fingerprint_depends_on_every_field():
    seen = {fingerprint(HANDOFF)}
    for name, value in [
        ("role_arn", "arn:aws-cn:iam::111111111112:role/audit"),
        ("external_id", "x-123"),
        ("mfa", False),
        ("until", None),
        ("principals", ("arn:aws-cn:iam::222222222222:user/a",)),
    ]:
        seen.add(fingerprint(dataclasses.replace(HANDOFF, **{name: value})))
    assert len(seen) == 6


def test_unknown_keys_are_reported_not_refused():
    plain = json.loads(dump(REQUEST))
    plain.pop("fingerprint")
    plain["colour"] = "red"
    plain["fingerprint"] = files._fingerprint(plain)
    assert load(json.dumps(plain), AccessRequest, name="f").unknown == ("colour",)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda t: t.replace("222222222222", "333333333333"), "does not match its own fingerprint"),
        (lambda t: t.replace("access-request/v1", "access-request/v2"), "update valetkey"),
        (lambda t: t.replace("access-request/v1", "handoff/v1"), "name a file of kind access-request/v1"),
        (lambda t: t[: len(t) // 2], "is not JSON"),
        (lambda t: t.replace('"partition"', '"account"'), 'the key "account" occurs twice'),
        (lambda t: "[" * 100_000, "nested too deeply"),
        (lambda t: "x" * 1_000_001, "larger than"),
        (lambda t: "[]", "not a valetkey file"),
        (lambda t: '{"valetkey": NaN}', "NaN is not JSON"),
    ],
)
def test_bad_files_say_what_and_what_to_do(change, says):
    with pytest.raises(FileError) as caught:
        load(change(dump(REQUEST)), AccessRequest, name="r.json")
    assert says in str(caught.value)
    assert caught.value.do
    assert "r.json" in str(caught.value)


def test_no_depth_is_too_deep_to_be_told():
    for depth in range(1, sys.getrecursionlimit()):
        with pytest.raises(FileError):
            load('{"valetkey": "access-request/v1", "x": ' + "[" * depth + "]" * depth + "}", AccessRequest, name="f")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("role_arn", "nonsense"),
        ("role_arn", "arn:aws-cn:iam::111111111111:user/audit"),
        ("role_arn", "arn:aws-cn:iam::111111111111:role/a b"),
        ("partition", "aws"),
        ("contractor", "22222222222"),
        ("max_session", 60),
        ("until", datetime(2026, 12, 31)),
    ],
)
def test_a_handoff_that_contradicts_itself_is_refused(field, value):
    plain = json.loads(dump(HANDOFF))
    plain.pop("fingerprint")
    plain[field] = value.isoformat() if isinstance(value, datetime) else value
    plain["fingerprint"] = files._fingerprint(plain)
    with pytest.raises(FileError):
        load(json.dumps(plain), Handoff, name="h.json")
