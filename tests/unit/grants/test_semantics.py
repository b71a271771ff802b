"""What a change means: who is admitted or refused by other terms, which permissions come and go, and which fields."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from valetkey.grants.grant import Grant
from valetkey.grants.semantics import Meaning, People, Permissions, by_level, fields, meaning, people
from valetkey.trust import Terms

A, NOW = "222222222222", datetime(2026, 11, 29, tzinfo=UTC)
CAROL, DAVE = (f"arn:aws:iam::{A}:user/{name}" for name in ("carol", "dave"))
GONE = "AIDA1234567890123456"
OPEN = Terms(contractor=A, external_id="vk-1", mfa=False, until=datetime(2026, 12, 31, tzinfo=UTC))


def pinned(*names: str) -> Terms:
    return replace(OPEN, pin=names)


@pytest.mark.parametrize(
    ("old", "new", "admits", "refuses"),
    [
        (OPEN, replace(OPEN, until=None), False, False),
        (OPEN, replace(OPEN, mfa=True), False, True),
        (replace(OPEN, mfa=True), OPEN, True, False),
        (OPEN, replace(OPEN, external_id="vk-2"), True, True),
        (pinned(CAROL), pinned(CAROL, DAVE), True, False),
        (pinned(CAROL, DAVE), pinned(DAVE), False, True),
        # Nobody comes in through a principal that was deleted: there is nobody to refuse.
        (pinned(GONE), pinned(CAROL), True, False),
        (pinned(CAROL), pinned(GONE), True, True),
        (pinned(CAROL, GONE), pinned(CAROL), False, False),
        (pinned(CAROL), pinned(CAROL, GONE), False, False),
    ],
)
def test_whom_other_terms_admit_or_refuse(old: Terms, new: Terms, admits: bool, refuses: bool) -> None:
    assert people(old, new, role_arn="arn:aws:iam::111111111111:role/audit", now=NOW) == People(admits, refuses)


def test_an_earlier_external_id_counts_until_it_is_over() -> None:
    """At the very moment of its end nobody comes in by it."""

    def rotated(until: datetime) -> Terms:
        return replace(OPEN, external_id="vk-2", previous_external_id="vk-1", previous_until=until)

    after = replace(OPEN, external_id="vk-2")
    for until, refuses in ((NOW, False), (NOW + timedelta(seconds=1), True)):
        result = people(rotated(until), after, role_arn="arn:aws:iam::111111111111:role/audit", now=NOW)
        assert result == People(admits=False, refuses=refuses)


@pytest.mark.parametrize(
    ("ended", "over", "refuses"),
    [
        (NOW, NOW, True),
        (NOW + timedelta(seconds=1), NOW, False),  # not ended: these sessions go on as after every rotation
        (NOW, NOW + timedelta(seconds=1), False),  # still valid, and with the new terms too
        (NOW - timedelta(days=9), NOW - timedelta(hours=12) + timedelta(seconds=1), True),
        (NOW - timedelta(days=9), NOW - timedelta(hours=12), False),  # no session of it is left
        (None, NOW, False),
    ],
)
def test_a_later_end_does_not_revive_sessions_of_an_id_that_is_over(
    ended: datetime | None, over: datetime, refuses: bool
) -> None:
    """The end has stopped them, and the new terms do not admit whom they were for."""
    old = replace(OPEN, external_id="vk-2", previous_external_id="vk-1", previous_until=over, until=ended)
    later = replace(old, until=NOW + timedelta(days=9))
    result = people(old, later, role_arn="arn:aws:iam::111111111111:role/audit", now=NOW)
    assert result == People(admits=False, refuses=refuses)


@pytest.mark.parametrize("new_end", [NOW, NOW - timedelta(days=1), NOW - timedelta(days=9)])
def test_a_grant_that_stays_ended_revives_no_session(new_end: datetime) -> None:
    """`change` finds nothing to do in an ended grant whose terms are already as wanted."""
    ended = NOW - timedelta(days=1)
    old = replace(OPEN, external_id="vk-2", previous_external_id="vk-1", previous_until=ended, until=ended)
    result = people(old, replace(old, until=new_end), role_arn="arn:aws:iam::111111111111:role/audit", now=NOW)
    assert result == People(admits=False, refuses=False)


END, LATER = datetime(2026, 12, 31, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
SOON, OVER = NOW + timedelta(days=3), NOW - timedelta(days=1)
TO_SOON, TO_SOONER = (
    {"previous_external_id": "vk-0", "previous_until": item} for item in (SOON, SOON - timedelta(days=1))
)
ADDRESSES = ("198.51.100.0/24",)
BASE: dict[str, Any] = {"contractor": A, "external_id": "vk-1", "only": (CAROL,)}


def granted(**terms: Any) -> Grant:
    return Grant(name="audit", account="111111111111", terms=Terms(**{**BASE, **terms}), managed=("m",))


@pytest.mark.parametrize(
    ("old", "new", "adds", "removes", "changed"),
    [
        (
            {},
            {"external_id": "vk-2"},
            ("calls with the new ExternalId",),
            ("calls with the previous ExternalId",),
            (("ExternalId", "vk-1", "vk-2"),),
        ),
        ({}, {"external_id": None}, ("calls without an ExternalId",), (), (("ExternalId", "vk-1", "none"),)),
        ({"external_id": None}, {}, (), ("calls without an ExternalId",), (("ExternalId", "none", "vk-1"),)),
        (
            {},
            {"external_id": "vk-2", "previous_external_id": "vk-1", "previous_until": SOON},
            ("calls with the new ExternalId",),
            ("calls with the previous ExternalId, from 2026-12-02T00:00:00Z on",),
            (
                ("ExternalId", "vk-1", "vk-2"),
                ("previous ExternalId", "none", "vk-1"),
                ("previous ExternalId until", "none", "2026-12-02T00:00:00Z"),
            ),
        ),
        (
            TO_SOON,
            TO_SOONER,
            (),
            ("calls with the previous ExternalId, earlier than agreed",),
            (("previous ExternalId until", "2026-12-02T00:00:00Z", "2026-12-01T00:00:00Z"),),
        ),
        (
            TO_SOON,
            {},
            (),
            ("calls with the previous ExternalId, earlier than agreed",),
            (
                ("previous ExternalId", "vk-0", "none"),
                ("previous ExternalId until", "2026-12-02T00:00:00Z", "none"),
            ),
        ),
        (
            {"previous_external_id": "vk-0", "previous_until": NOW},
            {},
            (),
            ("calls that the old terms admit",),
            (
                ("previous ExternalId", "vk-0", "none"),
                ("previous ExternalId until", "2026-11-29T00:00:00Z", "none"),
            ),
        ),
        ({}, {"mfa": False}, ("calls without MFA",), (), (("mfa", "yes", "no"),)),
        ({"mfa": False}, {}, (), ("calls without MFA",), (("mfa", "no", "yes"),)),
        (
            {"name_people": True},
            {},
            ("sessions not named after their IAM user",),
            (),
            (("name people", "yes", "no"),),
        ),
        (
            {},
            {"name_people": True},
            (),
            ("sessions not named after their IAM user",),
            (("name people", "no", "yes"),),
        ),
        ({}, {"source_identity": True}, ("setting a source identity",), (), (("source identity", "no", "yes"),)),
        ({"source_identity": True}, {}, (), ("setting a source identity",), (("source identity", "yes", "no"),)),
        ({}, {"session_tags": True}, ("setting session tags",), (), (("session tags", "no", "yes"),)),
        ({"session_tags": True}, {}, (), ("setting session tags",), (("session tags", "yes", "no"),)),
        ({}, {"mfa_max_age": 900}, (), ("calls with MFA older than 900 s",), (("mfa max age", "none", "900"),)),
        ({"mfa_max_age": 900}, {}, ("calls with MFA older than 900 s",), (), (("mfa max age", "900", "none"),)),
        (
            {"mfa_max_age": 900},
            {"mfa_max_age": 1800},
            ("calls with MFA older than 900 s",),
            (),
            (("mfa max age", "900", "1800"),),
        ),
        (
            {"mfa_max_age": 1800},
            {"mfa_max_age": 900},
            (),
            ("calls with MFA older than 900 s",),
            (("mfa max age", "1800", "900"),),
        ),
        (
            {"mfa_max_age": 900},
            {"mfa": False},
            ("calls without MFA",),
            (),
            (("mfa", "yes", "no"), ("mfa max age", "900", "none")),
        ),
        (
            {"mfa": False},
            {"mfa_max_age": 900},
            (),
            ("calls without MFA",),
            (("mfa", "no", "yes"), ("mfa max age", "none", "900")),
        ),
        (
            {"until": END},
            {"until": LATER},
            ("calls after 2026-12-31T00:00:00Z",),
            (),
            (("until", "2026-12-31T00:00:00Z", "2027-01-01T00:00:00Z"),),
        ),
        (
            {"until": LATER},
            {"until": END},
            (),
            ("calls after 2026-12-31T00:00:00Z",),
            (("until", "2027-01-01T00:00:00Z", "2026-12-31T00:00:00Z"),),
        ),
        (
            {"until": END},
            {},
            ("calls after 2026-12-31T00:00:00Z",),
            (),
            (("until", "2026-12-31T00:00:00Z", "none"),),
        ),
        (
            {},
            {"until": END},
            (),
            ("calls after 2026-12-31T00:00:00Z",),
            (("until", "none", "2026-12-31T00:00:00Z"),),
        ),
        (
            {},
            {"only": ()},
            (f"everyone in account {A} whom its administrators allow",),
            (),
            (("only", "user/carol", "none"),),
        ),
        (
            {"only": ()},
            {"only": (DAVE, CAROL)},
            (),
            (f"everyone in account {A} except {CAROL}, {DAVE}",),
            (("only", "none", "user/carol user/dave"),),
        ),
        ({}, {"only": (DAVE,)}, (DAVE,), (CAROL,), (("only", "user/carol", "user/dave"),)),
        ({}, {"only": (DAVE, CAROL)}, (DAVE,), (), (("only", "user/carol", "user/carol user/dave"),)),
        (
            {},
            {"only": (), "pin": (CAROL,)},
            (),
            (),
            (("only", "user/carol", "none"), ("pin", "none", "user/carol")),
        ),
        (
            {"only": (), "pin": (CAROL,)},
            {"only": (), "pin": (DAVE,)},
            (DAVE,),
            (CAROL,),
            (("pin", "user/carol", "user/dave"),),
        ),
        ({}, {"from_ip": ADDRESSES}, (), ("calls that the old terms admit",), (("addresses", "none", *ADDRESSES),)),
        ({"from_ip": ADDRESSES}, {}, ("calls that the old terms refuse",), (), (("addresses", *ADDRESSES, "none"),)),
        ({}, {}, (), (), ()),
    ],
)
def test_a_change_of_terms_in_words(
    old: dict[str, Any],
    new: dict[str, Any],
    adds: tuple[str, ...],
    removes: tuple[str, ...],
    changed: tuple[tuple[str, str, str], ...],
) -> None:
    result = meaning(granted(**old), granted(**new), documents=None, now=NOW)
    assert result == Meaning(adds=adds, removes=removes, permissions=None, fields=changed)


ONE: dict[str, Any] = {"Statement": [{"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}]}
TWO: dict[str, Any] = {"Statement": [{"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "*"}]}
TWO_ON_A: dict[str, Any] = {"Statement": [{**TWO["Statement"][0], "Resource": "arn:aws:s3:::a/*"}]}
AUDIT, LIMIT = "arn:aws:iam::aws:policy/job-function/Audit", "arn:aws:iam::aws:policy/Limit"


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ({}, {"max_session": 7200}, [("session", "3600 s", "7200 s")]),
        ({"boundary": LIMIT}, {"boundary": AUDIT}, [("boundary", "Limit", "Audit")]),
        ({}, {"boundary": LIMIT}, [("boundary", "none", "Limit")]),
        ({"description": "x"}, {}, [("description", "x", "none")]),
        ({}, {"description": "x"}, [("description", "none", "x")]),
        (
            {"managed": (AUDIT,), "inline": (("b", ONE), ("c", ONE))},
            {"managed": (LIMIT,), "inline": (("a", ONE), ("c", TWO))},
            [
                ("policy", "none", "a"),
                ("policy", "none", "Limit"),
                ("policy", "Audit", "none"),
                ("policy", "b", "none"),
                ("policy", "c", "another document"),
            ],
        ),
        (
            {"managed": (AUDIT, LIMIT), "versions": ((AUDIT, "v1"), (LIMIT, "v1"))},
            {"managed": (AUDIT, LIMIT), "versions": ((AUDIT, "v2"),)},
            [("version of Limit", "v1", "not recorded"), ("version of Audit", "v1", "v2")],
        ),
        (
            {"managed": (AUDIT,), "versions": ()},
            {"managed": (AUDIT,), "versions": ((AUDIT, "v2"),)},
            [("version of Audit", "not recorded", "v2")],
        ),
        (
            {"tags": (("a", "1"), ("b", "1"))},
            {"tags": (("b", "2"), ("c", "3"))},
            [("tag a", "1", "none"), ("tag b", "1", "2"), ("tag c", "none", "3")],
        ),
    ],
)
def test_every_field_that_changes_is_named_with_both_values(
    old: dict[str, Any], new: dict[str, Any], changed: list[tuple[str, str, str]]
) -> None:
    assert sorted(fields(replace(granted(), **old), replace(granted(), **new))) == sorted(changed)
    assert list(fields(granted(), granted())) == []


def test_actions_by_level_in_the_order_of_the_levels() -> None:
    """What AWS does not list may do anything."""
    result = by_level(
        frozenset({"s3:PutObject", "s3:GetObject", "s3:DeleteObject", "new:Thing", "s3:ListAllMyBuckets"})
    )
    assert result == {
        "List": ("s3:ListAllMyBuckets",),
        "Read": ("s3:GetObject",),
        "Write": ("new:Thing", "s3:DeleteObject", "s3:PutObject"),
    }
    assert list(result) == ["List", "Read", "Write"]


@pytest.mark.parametrize(
    ("old", "new", "permissions"),
    [
        (
            {"managed": (AUDIT,)},
            {"managed": (AUDIT,), "inline": (("two", TWO),)},
            Permissions({"Read": ("s3:getobject",), "Write": ("s3:putobject",)}, {}, False, ()),
        ),
        (
            {"managed": (AUDIT,), "inline": (("two", TWO),)},
            {"managed": (), "inline": (("two", TWO),)},
            Permissions({}, {"List": ("s3:listallmybuckets",)}, False, ()),
        ),
        # The boundary takes it away.
        (
            {"inline": (("two", TWO),), "managed": ()},
            {"inline": (("two", TWO),), "managed": (), "boundary": AUDIT},
            Permissions({}, {"Read": ("s3:getobject",), "Write": ("s3:putobject",)}, False, ()),
        ),
        (
            {"inline": (("two", TWO),), "managed": (), "boundary": AUDIT},
            {"inline": (("two", TWO),), "managed": ()},
            Permissions({"Read": ("s3:getobject",), "Write": ("s3:putobject",)}, {}, False, ()),
        ),
        # The same actions on fewer resources.
        (
            {"inline": (("two", TWO),), "managed": ()},
            {"inline": (("two", TWO_ON_A),), "managed": ()},
            Permissions({}, {}, True, ()),
        ),
        # What could not be read is named.
        (
            {"managed": (AUDIT, "z", "u"), "boundary": "gone"},
            {"managed": (AUDIT,)},
            Permissions({}, {}, True, ("gone", "u", "z")),
        ),
    ],
)
def test_a_change_of_policies_by_what_they_allow(
    old: dict[str, Any], new: dict[str, Any], permissions: Permissions
) -> None:
    documents = {AUDIT: ONE, LIMIT: TWO, "z": None, "u": None}
    one, other = replace(granted(), **old), replace(granted(), **new)
    assert meaning(one, other, documents=documents, now=NOW).permissions == permissions
