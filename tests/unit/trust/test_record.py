"""The record of a grant in the tags of its role: what is written, and what is read back of any tags."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from valetkey.trust.record import (
    OWN,
    Changing,
    ForeignRole,
    Record,
    canonical,
    denies,
    digest,
    in_tag,
    instant,
    pair,
    plain_terms,
    read_record,
    terms_digest,
    versions_tag,
)
from valetkey.trust.self_denies import dated_deny, own_role_deny
from valetkey.trust.terms import Terms

ARN = "arn:aws:iam::111111111111:role/acme"
END = datetime(2026, 12, 31, 18, tzinfo=UTC)
NOW = datetime(2026, 11, 23, 12, 30, 15, 999, tzinfo=UTC)
FEW = {"version": "1", "contractor": "222222222222", "terms": "sha256:1", "external-id-by": "owner", "session": "3600"}
"""What every record says."""
LEAST = Record(
    contractor="222222222222",
    terms="sha256:1",
    until=None,
    external_id_by="owner",
    request=None,
    user_id=None,
    session=3600,
    boundary=None,
    managed=(),
    inline={},
)


def read(**tags: str) -> Record:
    """The record in these tags, as they come from JSON."""
    said: dict[str, str] = json.loads(json.dumps({f"valetkey:{key}": value for key, value in tags.items()}))
    return read_record(said, name="acme", arn=ARN)


def test_a_record_of_the_least_that_is_agreed() -> None:
    assert read(**FEW) == LEAST
    assert (
        read_record(
            {**{f"valetkey:{key}": value for key, value in FEW.items()}, "until": "x", "policy:1": "x"},
            name="a",
            arn=ARN,
        )
        == LEAST
    )


@pytest.mark.parametrize(
    ("tags", "fields"),
    [
        ({"until": "2026-12-31T18:00:00Z"}, {"until": END}),
        ({"until": ""}, {"until": None}),
        ({"request": "sha256:2"}, {"request": "sha256:2"}),
        ({"user-id": "AIDA1"}, {"user_id": "AIDA1"}),
        ({"boundary": "arn:aws:iam::111111111111:policy/b"}, {"boundary": "arn:aws:iam::111111111111:policy/b"}),
        ({"policy:2": "two", "policy:1": "one", "policies": "x"}, {"managed": ("one", "two")}),
        ({"inline:1": "a:b@sha256:3", "inline:2": "c@d@sha256:4"}, {"inline": {"a,b": "sha256:3", "c@d": "sha256:4"}}),
        ({"origin": "adopted", "trust": "sha256:5"}, {"trust": "sha256:5"}),
        ({"trust": "sha256:5"}, {"trust": None}),
        # versions by the numbers of the policies; what cannot be read is not recorded
        (
            {"policy:1": "one", "policy:12": "two", "versions": "1=v12 12=v3"},
            {"managed": ("one", "two"), "versions": {"one": "v12", "two": "v3"}},
        ),
        (
            {"policy:1": "one", "policy:2": "two", "versions": "2=v1 3=v4"},
            {"managed": ("one", "two"), "versions": {"two": "v1"}},
        ),
        ({"policy:1": "one", "versions": "1=v1000000"}, {"managed": ("one",), "versions": {}}),
        ({"policy:1": "one", "versions": "1=v999999"}, {"managed": ("one",), "versions": {"one": "v999999"}}),
        ({"policy:1": "one", "versions": "1=v"}, {"managed": ("one",), "versions": {}}),
        ({"policy:123": "one", "versions": "123=v1"}, {"managed": ("one",), "versions": {}}),
        ({"policy:1": "one", "versions": "x1=v2 1=v3x,1=v4"}, {"managed": ("one",), "versions": {}}),
        # a change under way
        (
            {"changing": "2026-12-31T18:00:00Z sha256:6"},
            {"changing": Changing(END, "sha256:6", cuts=False)},
        ),
        (
            {"changing": "2026-12-31T18:00:00Z sha256:6 cuts"},
            {"changing": Changing(END, "sha256:6", cuts=True)},
        ),
        ({"changing": "2026-12-31T18:00:00Z sha256:6 halts"}, {"changing": Changing(END, "sha256:6", cuts=False)}),
        ({"changing": "2026-12-31T18:00:00Z sha256:6 adds"}, {"changing": Changing(END, "sha256:6", cuts=False)}),
        # the last five changes
        (
            {f"change:{number}": str(number) for number in (3, 1, 2, 5, 4, 6, 0)},
            {"changes": ("1", "2", "3", "4", "5")},
        ),
        ({"change:2": "two", "change:4": "four"}, {"changes": ("two", "four")}),
    ],
)
def test_what_each_tag_records(tags: dict[str, str], fields: dict[str, Any]) -> None:
    assert read(**FEW, **tags) == replace(LEAST, **fields)


def test_a_role_without_the_tag_is_not_a_grant() -> None:
    for tags in ({}, {"team": "shows", "version": "1"}, {"valetkey:contractor": "222222222222"}):
        with pytest.raises(ForeignRole) as refused:
            read_record(tags, name="acme", arn=ARN)
        assert str(refused.value) == (
            f"the role acme is not a valetkey grant: it does not have the tag valetkey:version ({ARN}) choose another "
            "name; `valetkey adopt` makes an existing role a grant, and `valetkey revoke --unmanaged` ends the access "
            "to it"
        )
        assert refused.value.exit_code == 2


@pytest.mark.parametrize("version", ["2", "", "0", "01"])
def test_a_record_of_another_version_is_not_read(version: str) -> None:
    with pytest.raises(ForeignRole) as refused:
        read(**{**FEW, "version": version})
    assert str(refused.value) == (
        f"the role acme was granted by another version of valetkey (record {version}) ({ARN}) update valetkey"
    )


@pytest.mark.parametrize(
    ("tags", "what"),
    [
        ({"session": "an hour"}, "invalid literal for int() with base 10: 'an hour'"),
        ({"until": "2026-12-31"}, "time data '2026-12-31' does not match format '%Y-%m-%dT%H:%M:%SZ'"),
        ({"inline:1": "no digest"}, "'no digest'"),
        ({"origin": "found", "trust": "sha256:5"}, "origin 'found'"),
        ({"origin": "Adopted", "trust": "sha256:5"}, "origin 'Adopted'"),
        ({"origin": "adopted"}, "'trust'"),
        ({"changing": "2026-12-31T18:00:00Z"}, "not enough values to unpack (expected at least 2, got 1)"),
    ],
)
def test_a_damaged_record_says_what_cannot_be_read_and_what_still_works(tags: dict[str, str], what: str) -> None:
    with pytest.raises(ForeignRole) as refused:
        read(**{**FEW, **tags})
    assert refused.value.what == f"the record of the role acme is damaged: {what} in its valetkey:* tags cannot be read"
    assert refused.value.do == (
        "`valetkey revoke` still works; `valetkey adopt` writes a new record of the role as it is now"
    )
    assert refused.value.where == ARN


@pytest.mark.parametrize("missing", ["contractor", "terms", "external-id-by", "session"])
def test_a_record_without_what_every_record_says_is_damaged(missing: str) -> None:
    with pytest.raises(ForeignRole, match=f"damaged: '{missing}' in its"):
        read(**{key: value for key, value in FEW.items() if key != missing})


def test_only_an_adopted_role_keeps_the_digest_of_its_trust() -> None:
    assert not LEAST.is_adopted
    assert replace(LEAST, trust="sha256:5").is_adopted
    assert replace(LEAST, trust="").is_adopted


def test_a_change_under_way_is_read_as_it_was_written() -> None:
    for cuts, tag in ((False, "2026-11-23T12:30:15Z sha256:6"), (True, "2026-11-23T12:30:15Z sha256:6 cuts")):
        change = Changing(NOW.replace(microsecond=0), "sha256:6", cuts)
        assert change.tag == tag
        assert Changing(NOW, "sha256:6", cuts).tag == tag
        assert read(**FEW, changing=tag).changing == change


def test_the_denies_of_a_grant() -> None:
    assert denies(ARN, None) == {"valetkey-own-role": own_role_deny(ARN)}
    assert denies(ARN, END) == {"valetkey-own-role": own_role_deny(ARN), "valetkey-until": dated_deny(END)}
    assert denies(ARN, END).keys() <= OWN


def test_a_document_is_one_text_whatever_the_order_of_its_keys() -> None:
    assert canonical({"b": [1, 2], "a": "\N{SNOWMAN}"}) == canonical({"a": "\N{SNOWMAN}", "b": [1, 2]})
    assert canonical({"b": [1, 2], "a": "\N{SNOWMAN}"}) == '{"a":"\\u2603","b":[1,2]}'
    assert digest({"b": [1, 2], "a": "\N{SNOWMAN}"}) == (
        "sha256:e4fd3ae819e3592d72ac721e1839c71bbb24b99221d17bc5685e72f6c8439372"
    )


def test_the_digest_of_terms_leaves_out_what_is_at_its_default() -> None:
    least = Terms(contractor="222222222222", external_id="puppets-on-strings")
    assert plain_terms(least) == {"contractor": "222222222222", "external_id": "puppets-on-strings"}
    assert terms_digest(least) == digest(plain_terms(least))
    full = replace(least, until=END, mfa=False, only=("b", "a"), from_ip=("198.51.100.7",), partition="aws-cn")
    assert plain_terms(full) == {
        "contractor": "222222222222",
        "external_id": "puppets-on-strings",
        "until": "2026-12-31T18:00:00Z",
        "mfa": False,
        "only": ["a", "b"],
        "from_ip": ["198.51.100.7/32"],
        "partition": "aws-cn",
    }
    assert terms_digest(full) != terms_digest(least)


def test_a_tag_holds_a_text_or_its_digest() -> None:
    for text in ("", "arn:aws:iam::aws:policy/ReadOnlyAccess", "x" * 256):
        assert in_tag(text) == text
    assert in_tag("a,b") == "sha256:1eb7c54d52831bbfe8942af0b1c56b7409523a59ed6ca99c1174fef7eb32c1b5"
    assert in_tag("x" * 257).startswith("sha256:")
    assert len(in_tag("x" * 257)) == len("sha256:") + 64


def test_a_time_in_a_tag() -> None:
    assert instant(None) is None
    assert instant(NOW) == "2026-11-23T12:30:15Z"


def test_an_inline_policy_in_a_tag_is_read_as_it_was_written() -> None:
    tag = pair("a,b", {"x": 1})
    assert tag == f"a:b@{digest({'x': 1})}"
    assert read(**FEW, **{"inline:1": tag}).inline == {"a,b": digest({"x": 1})}


def test_versions_are_by_the_number_of_their_policy() -> None:
    managed = ["arn:b", "arn:c", "arn:a"]
    assert versions_tag(managed, {"arn:a": "v12", "arn:c": "v4", "arn:other": "v1"}) == "1=v12 3=v4"
    assert versions_tag(managed, {}) is None
    assert versions_tag([], {"arn:a": "v12"}) is None
    tags = {f"policy:{number}": arn for number, arn in enumerate(sorted(managed), 1)}
    assert read(**FEW, **tags, versions="1=v12 3=v4").versions == {"arn:a": "v12", "arn:c": "v4"}
