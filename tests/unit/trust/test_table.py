"""The table of terms: one row for each field, and everything that is derived from it."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any, get_args

import msgspec
import pytest
from cyclopts import Parameter

from valetkey.cli._terms import Given, TermOptions, option_of, options
from valetkey.cli.commands.grant import grant
from valetkey.cli.commands.prove import prove
from valetkey.exchange import Handoff, files
from valetkey.exchange.documents import completed
from valetkey.trust.record import plain_terms
from valetkey.trust.term_rows import OptionKind, as_json, in_handoff, rows, sentence, table, term
from valetkey.trust.terms import TERMS, Terms, TermsError

ALICE = "arn:aws:iam::222222222222:user/alice"
PLAIN = Terms(contractor="222222222222")
FULL = Terms(
    contractor="222222222222",
    external_id="vk-0123456789",
    mfa_max_age=3600,
    only=(ALICE,),
    name_people=True,
    source_identity=True,
    session_tags=True,
    until=datetime(2027, 1, 31, tzinfo=UTC),
)


@dataclass(frozen=True)
class More(Terms):
    """The terms with one more, as somebody would add it to the table."""

    network: str | None = term(
        None,
        OptionKind.TEXT,
        flag="--network",
        about="Admit calls from this network only.",
        label="network",
        words=lambda terms: terms.network or "",
        clause=lambda terms: f"from {terms.network}" if terms.network else "",
    )


def test_every_field_has_a_row() -> None:
    assert {item.name for item in TERMS} == {item.name for item in fields(Terms)}
    assert [item.name for item in TERMS[:2]] == ["contractor", "partition"]


def test_a_field_that_is_added_is_an_option_and_is_said_recorded_and_handed_over() -> None:
    terms = More(contractor="222222222222", network="192.0.2.0/24")
    made = options("MoreOptions", Given, table(More), option_of)
    assert "network" in {item.name for item in fields(made)}
    assert rows(terms)["network"] == "192.0.2.0/24"
    assert sentence(terms).endswith("from 192.0.2.0/24")
    assert as_json(terms)["network"] == plain_terms(terms)["network"] == "192.0.2.0/24"
    assert in_handoff(terms)["network"] == "192.0.2.0/24"


def test_a_field_that_is_added_leaves_digests_of_earlier_grants_alone() -> None:
    assert plain_terms(More(contractor="222222222222")) == plain_terms(PLAIN)


@pytest.mark.parametrize("command", [grant, prove])
def test_both_commands_take_the_options_of_the_table(command: Callable[..., int]) -> None:
    default = inspect.signature(command).parameters["terms"].default
    assert type(default) is TermOptions


def test_every_option_has_its_help_and_its_default() -> None:
    made = {item.name: item for item in fields(TermOptions)}  # type: ignore[arg-type]
    for row in TERMS:
        if not row.flag:
            assert row.name in ("partition", "previous_external_id", "previous_until")
            continue
        option = made[row.flag.removeprefix("--").replace("-", "_")]
        said = [arg for arg in get_args(option.type) if isinstance(arg, Parameter)]
        assert [item.help for item in said] == [row.help]
        assert row.help.endswith(".")
        default = None if row.default is dataclasses.MISSING else row.default
        assert option.default == default


def test_a_handoff_has_an_optional_key_for_a_term_that_is_added() -> None:
    handed = completed(Handoff, More)
    assert {item.name for item in fields(handed)} - {item.name for item in fields(Handoff)} == {"network"}
    given = {"role_arn": "arn:aws:iam::111111111111:role/r", "max_session": 3600, "issued": datetime.now(UTC)}
    for network in (None, "192.0.2.0/24"):
        terms = More(contractor="222222222222", network=network)
        made = handed(**given, **in_handoff(terms))
        assert made.network == network
        assert msgspec.convert(msgspec.to_builtins(made), handed) == made
    with pytest.raises(msgspec.ValidationError, match=r"\$\.network"):
        msgspec.convert({**msgspec.to_builtins(made), "network": 1}, handed)


@dataclass(frozen=True)
class Limited(Terms):
    """The terms with one more, which is there unless it is turned off."""

    calls: int | None = term(1000, OptionKind.TEXT)


@pytest.mark.parametrize("calls", [1000, 5, None])
def test_a_term_that_is_added_is_read_from_the_file_as_it_was_written(
    calls: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    handed = completed(Handoff, Limited)
    monkeypatch.setitem(getattr(files, "_KINDS"), handed, "handoff/v1")  # noqa: B009
    terms = Limited(contractor="222222222222", external_id="vk-0123456789abcdef", calls=calls)
    issued = datetime(2026, 11, 29, tzinfo=UTC)
    made = handed(role_arn="arn:aws:iam::111111111111:role/r", max_session=3600, issued=issued, **in_handoff(terms))
    text = files.dump(made)
    assert files.load(text, handed, name="f").value == made
    assert ('"calls"' in text) is (calls != 1000)


def test_a_handoff_has_a_key_for_every_term() -> None:
    assert completed(Handoff, Terms) is Handoff


def test_what_is_handed_over_are_fields_of_a_handoff() -> None:
    known = {item.name for item in fields(Handoff)}
    for terms in (PLAIN, FULL):
        assert in_handoff(terms).keys() <= known
    assert in_handoff(FULL)["session_name"] == "username"
    assert in_handoff(FULL)["principals"] == (ALICE,)
    assert in_handoff(replace(FULL, only=(), pin=(ALICE,)))["principals"] == (ALICE,)


def test_the_words() -> None:
    assert rows(PLAIN) == {
        "contractor": "222222222222",
        "ExternalId": "none",
        "MFA": "required",
        "until": "no end",
    }
    assert rows(FULL) == {
        "contractor": "222222222222",
        "ExternalId": "vk-0123456789",
        "MFA": "required, at most 3600 s ago",
        "only": ALICE,
        "session name": "must be the IAM user's name",
        "may set": "source identity, session tags",
        "until": "2027-01-31T00:00:00Z",
    }
    assert sentence(FULL) == (
        f"account 222222222222, with that ExternalId, with MFA of at most 3600 s, only {ALICE}, "
        "as sessions named after their IAM user, before 2027-01-31T00:00:00Z"
    )


END = datetime(2027, 1, 31, tzinfo=UTC)


@pytest.mark.parametrize(
    ("terms", "row", "clause"),
    [
        ({"external_id": "vk-0123456789"}, {"ExternalId": "vk-0123456789"}, "with that ExternalId"),
        (
            {"external_id": "one", "previous_external_id": "two", "previous_until": END},
            {"ExternalId": "one", "previous ExternalId": "accepted until 2027-01-31T00:00:00Z"},
            "with that ExternalId, or with the previous ExternalId before 2027-01-31T00:00:00Z",
        ),
        ({"mfa": True}, {"MFA": "required"}, "with MFA"),
        (
            {"mfa": True, "mfa_max_age": 1},
            {"MFA": "required, at most 1 s ago"},
            "with MFA of at most 1 s",
        ),
        ({"only": ("b", "a")}, {"only": "a, b"}, "only a, b"),
        ({"pin": ("b", "a")}, {"pinned": "a, b"}, "only a, b"),
        (
            {"name_people": True},
            {"session name": "must be the IAM user's name"},
            "as sessions named after their IAM user",
        ),
        ({"source_identity": True}, {"may set": "source identity"}, ""),
        ({"session_tags": True}, {"may set": "session tags"}, ""),
        ({"whole_account": True}, {"whole account": "everybody in it, without MFA"}, "everybody in it without MFA"),
        (
            {"from_ip": ("198.51.100.7", "192.0.2.0/24")},
            {"from": "192.0.2.0/24, 198.51.100.7/32"},
            "from 192.0.2.0/24, 198.51.100.7/32",
        ),
        ({"until": END}, {"until": "2027-01-31T00:00:00Z"}, "before 2027-01-31T00:00:00Z"),
        ({"partition": "aws-cn"}, {}, ""),
    ],
)
def test_each_term_in_a_table_and_in_a_sentence(terms: dict[str, Any], row: dict[str, str], clause: str) -> None:
    plain = {"contractor": "222222222222", "ExternalId": "none", "MFA": "not required", "until": "no end"}
    made = Terms(contractor="222222222222", **{"mfa": False, **terms})
    assert rows(made) == {**plain, **row}
    assert sentence(made) == ", ".join(["account 222222222222", *([clause] if clause else [])])


def test_rows_are_in_the_order_of_the_table() -> None:
    assert [item.name for item in TERMS] == [
        "contractor",
        "partition",
        "external_id",
        "previous_external_id",
        "previous_until",
        "mfa",
        "mfa_max_age",
        "only",
        "pin",
        "name_people",
        "source_identity",
        "session_tags",
        "whole_account",
        "from_ip",
        "until",
    ]
    assert list(rows(FULL)) == ["contractor", "ExternalId", "MFA", "only", "session name", "may set", "until"]


def test_titles_are_the_fields_in_words() -> None:
    said = {
        "external_id": "ExternalId",
        "previous_external_id": "previous ExternalId",
        "previous_until": "previous ExternalId until",
        "mfa_max_age": "mfa max age",
        "name_people": "name people",
        "from_ip": "addresses",
    }
    for row in TERMS:
        assert row.title == said.get(row.name, row.name.replace("_", " "))


def test_the_defaults_ask_for_mfa_and_for_nothing_else() -> None:
    assert as_json(PLAIN) == {
        "contractor": "222222222222",
        "partition": "aws",
        "external_id": None,
        "previous_external_id": None,
        "previous_until": None,
        "mfa": True,
        "mfa_max_age": None,
        "only": [],
        "pin": [],
        "name_people": False,
        "source_identity": False,
        "session_tags": False,
        "whole_account": False,
        "from_ip": [],
        "until": None,
    }
    assert as_json(FULL) == {
        **as_json(PLAIN),
        "external_id": "vk-0123456789",
        "mfa_max_age": 3600,
        "only": [ALICE],
        "name_people": True,
        "source_identity": True,
        "session_tags": True,
        "until": "2027-01-31T00:00:00Z",
    }


def test_what_is_handed_over_of_each_term() -> None:
    handed = {
        "contractor": "222222222222",
        "partition": "aws",
        "external_id": None,
        "previous_external_id": None,
        "previous_until": None,
        "mfa": True,
        "mfa_max_age": None,
        "principals": (),
        "session_name": None,
        "source_identity": False,
        "session_tags": False,
        "whole_account": None,
        "from_ip": (),
        "until": None,
    }
    assert in_handoff(PLAIN) == handed
    assert in_handoff(replace(PLAIN, whole_account=True, name_people=True, until=END)) == {
        **handed,
        "whole_account": True,
        "session_name": "username",
        "until": END,
    }
    own = {"only", "pin", "name_people", "whole_account"}
    assert {row.name for row in TERMS if row.handoff_by_row} == own


def test_flags_that_were_given_are_named() -> None:
    made: Any = TermOptions
    assert made().flags() == ()
    given = made(mfa=False, no_external_id=True, only=(ALICE,))
    assert given.flags() == ("--no-external-id", "--no-mfa", "--only")


def test_what_grant_refuses_prove_refuses_too() -> None:
    from valetkey.cli import _trusts
    from valetkey.policy import parse_policy

    made: Any = TermOptions
    document = parse_policy({"Version": "2012-10-17", "Statement": []}, kind="trust")
    now = datetime(2026, 11, 23, tzinfo=UTC)
    role = "arn:aws:iam::222222222222:role/r"
    for wrong in ({"mfa": False}, {"only": (role,)}, {"mfa_max_age": "40h"}, {"only": (ALICE,), "pin": (ALICE,)}):
        with pytest.raises(TermsError):
            _trusts.terms(document, made(to="222222222222", no_external_id=True, **wrong), now=now)
