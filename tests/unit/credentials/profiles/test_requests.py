"""Access requests: one ExternalId per customer, kept, found again."""

from __future__ import annotations

import dataclasses
import pathlib
import re
import stat
from datetime import UTC, datetime, timedelta

import pytest

from valetkey.account.calls import Call, CallError, Perform
from valetkey.catalog import limits
from valetkey.credentials.profiles.identity import Identity, identify, own_principal, parse_identity
from valetkey.credentials.profiles.requests import (
    Wishes,
    check_customer,
    default_file,
    fresh_external_id,
    keep,
    known_requests,
    latest,
    make_request,
    write_file,
)
from valetkey.errors import ValetkeyError
from valetkey.exchange.files import AccessRequest, FileError, dump, fingerprint, load

NOW = datetime(2026, 11, 23, 12, 0, 0, 999, tzinfo=UTC)
ALICE = parse_identity("arn:aws:iam::111122223333:user/team/alice")


def ask(
    customer: str = "acme", *known: AccessRequest, wishes: Wishes | None = None, new: bool = False
) -> AccessRequest:
    now = NOW + timedelta(seconds=len(known))
    return make_request(customer, wishes or Wishes(), identity=ALICE, known=known, now=now, new=new)


def test_an_external_id_is_random_and_within_awss_limits() -> None:
    some = {fresh_external_id() for _ in range(100)}
    assert len(some) == 100
    for item in some:
        limits.check("external id", item)
        assert re.fullmatch("vk-[a-z2-7]{32}", item)  # 32 characters of 5 bits: 160 bits


def test_asking_again_changes_nothing() -> None:
    first = ask()
    assert ask("acme", first) == first
    assert ask("ACME", first).external_id == first.external_id


def test_a_request_carries_the_users_unique_id() -> None:
    def answering(**answer: str) -> Perform:
        return lambda call: dict(answer)

    for arn, unique, kept in (
        (ALICE.arn, "AIDACKCEVSQ6C2EXAMPLE", "AIDACKCEVSQ6C2EXAMPLE"),
        ("arn:aws:sts::111122223333:assumed-role/Audit/alice", "AROACKCEVSQ6C2EXAMPLE:alice", None),
        ("arn:aws:iam::111122223333:root", "111122223333", None),
        (ALICE.arn, "something else", None),
    ):
        assert identify(answering(Arn=arn, UserId=unique)).user_id == kept
    identity = dataclasses.replace(ALICE, user_id="AIDACKCEVSQ6C2EXAMPLE")
    made = make_request("acme", Wishes(), identity=identity, known=(), now=NOW)
    assert made.user_id == "AIDACKCEVSQ6C2EXAMPLE"
    assert load(dump(made), AccessRequest, name="f").value == made
    # One that was made without it counts as the same; one of another user does not.
    old = ask()
    assert make_request("acme", Wishes(), identity=identity, known=(old,), now=NOW) is old
    other = dataclasses.replace(identity, user_id="AIDACKCEVSQ6C2ANOTHER")
    assert make_request("acme", Wishes(), identity=other, known=(made,), now=NOW).user_id == other.user_id


def test_other_wishes_keep_the_external_id() -> None:
    first = ask()
    second = ask("acme", first, wishes=Wishes(policies=("ReadOnlyAccess",), session=7200, reason="audit"))
    assert second.external_id == first.external_id
    assert fingerprint(second) != fingerprint(first)
    assert latest("acme", (second, first)) == second


def test_every_customer_has_its_own_and_new_means_new() -> None:
    first = ask()
    assert ask("other", first).external_id != first.external_id
    renewed = ask("acme", first, new=True)
    assert renewed.external_id != first.external_id
    assert ask("acme", first, renewed) == renewed
    # Of two that were made in one second the new one is the newest.
    assert latest("acme", (first, renewed)) == renewed
    assert renewed.issued > first.issued


def test_without_a_customer_nothing_is_reused() -> None:
    first = ask("")
    assert ask("", first).external_id != first.external_id
    assert latest("", (first,)) is None


def test_root_is_refused_with_advice() -> None:
    root = parse_identity("arn:aws:iam::111122223333:root")
    with pytest.raises(ValetkeyError, match="root") as caught:
        make_request("acme", Wishes(), identity=root, known=(), now=NOW)
    assert "IAM user" in caught.value.do


@pytest.mark.parametrize(
    ("arn", "kind", "name", "principal"),
    [
        ("arn:aws:iam::111122223333:user/team/alice", "iam-user", "alice", "arn:aws:iam::111122223333:user/team/alice"),
        ("arn:aws-cn:iam::111122223333:root", "root", "", "arn:aws-cn:iam::111122223333:root"),
        (
            "arn:aws:sts::111122223333:assumed-role/ops/me@x.org",
            "iam-role",
            "ops",
            "arn:aws:iam::111122223333:role/ops",
        ),
        (
            "arn:aws-us-gov:sts::111122223333:assumed-role/AWSReservedSSO_Audit_0123456789abcdef/me",
            "identity-center",
            "AWSReservedSSO_Audit_0123456789abcdef",
            "arn:aws-us-gov:iam::111122223333:role/AWSReservedSSO_Audit_0123456789abcdef",
        ),
        (
            "arn:aws:sts::111122223333:federated-user/bob",
            "federated",
            "bob",
            "arn:aws:sts::111122223333:federated-user/bob",
        ),
    ],
)
def test_kinds_of_base_identity(arn: str, kind: str, name: str, principal: str) -> None:
    identity = parse_identity(arn)
    assert (identity.kind, identity.name, identity.principal, identity.account) == (
        kind,
        name,
        principal,
        "111122223333",
    )
    assert identity.partition == arn.split(":")[1]


@pytest.mark.parametrize(
    "arn", ["", "nonsense", "arn:aws:ec2::111122223333:instance/i-1", "arn:aws:sts::1:assumed-role/"]
)
def test_anybody_else_is_a_problem(arn: str) -> None:
    with pytest.raises(ValetkeyError, match="neither"):
        parse_identity(arn)


def test_a_roles_path_is_looked_up_where_that_is_allowed() -> None:
    session = parse_identity("arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_A_1/me")
    full = "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_A_1"
    asked: list[Call] = []

    def answer(call: Call, /) -> dict[str, object]:
        asked.append(call)
        return {"Role": {"Arn": full}}

    def deny(call: Call, /) -> dict[str, object]:
        raise CallError(call, "AccessDenied", "no")

    assert own_principal(answer, session).principal == full
    assert asked == [Call("iam", "get_role", {"RoleName": "AWSReservedSSO_A_1"})]
    assert own_principal(deny, session) == session
    assert own_principal(deny, ALICE) == ALICE

    def away(call: Call, /) -> dict[str, object]:
        raise CallError(call, "Unreachable", "no")

    with pytest.raises(CallError):
        own_principal(away, session)


def test_kept_requests_are_private_and_found(home: pathlib.Path) -> None:
    env = {"HOME": str(home)}
    assert known_requests(env) == ()
    first, second = ask("acme"), ask("other")
    path = keep(first, env)
    keep(second, env)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.parent == home / ".config" / "valetkey" / "requests"
    assert set(known_requests(env)) == {first, second}
    assert known_requests({"HOME": str(home), "XDG_CONFIG_HOME": str(home / "none")}) == ()
    path.write_text("{")
    with pytest.raises(FileError):
        known_requests(env)
    path.write_text(dump(first))
    path.chmod(0o644)
    with pytest.raises(FileError, match="only you"):
        known_requests(env)


def test_a_file_is_never_replaced_unasked(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "request.json"
    first, second = ask("acme"), ask("other")
    write_file(first, path, replace=False)
    assert load(path.read_bytes(), AccessRequest, name="x").value == first
    write_file(first, path, replace=False)
    with pytest.raises(ValetkeyError, match="not this request"):
        write_file(second, path, replace=False)
    assert path.read_text() == dump(first)
    write_file(second, path, replace=True)
    assert path.read_text() == dump(second)
    assert [item.name for item in tmp_path.glob("*request*")] == ["request.json"]
    with pytest.raises(ValetkeyError, match="cannot be written"):
        write_file(first, tmp_path / "none" / "x.json", replace=False)
    for other in (tmp_path, pathlib.Path("/dev/tty"), pathlib.Path("/dev/null")):
        with pytest.raises(ValetkeyError, match="not a file"):
            write_file(first, other, replace=True)


@pytest.mark.parametrize("customer", [" acme", "acme\n", "a\x1b[31m", "x" * 101, " "])
def test_customers_names_are_printable(customer: str) -> None:
    with pytest.raises(ValetkeyError, match="customer"):
        check_customer(customer)
    with pytest.raises(ValetkeyError, match="customer"):
        ask(customer)


def test_default_file_names() -> None:
    assert default_file("acme") == "valetkey-request-acme.json"
    assert default_file("Müller & Söhne/../x") == "valetkey-request-M-ller---S-hne-..-x.json"
    assert default_file("../..") == "valetkey-request.json"
    assert default_file("") == "valetkey-request.json"


def test_identity_is_a_value() -> None:
    assert parse_identity(ALICE.arn) == Identity(ALICE.arn, "111122223333", "aws", "iam-user", "alice", ALICE.arn)


@pytest.mark.parametrize(
    "wishes", [Wishes(reason="two\nlines"), Wishes(policies=("",)), Wishes(session=899), Wishes(session=43201)]
)
def test_wishes_that_cannot_be(wishes: Wishes) -> None:
    with pytest.raises(ValetkeyError) as caught:
        ask(wishes=wishes)
    assert caught.value.do
