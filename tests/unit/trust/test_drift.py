"""A role compared with its record: every difference, and in words what was changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from valetkey.trust import Terms, write_trust
from valetkey.trust.drift import Difference, differences, terms_in
from valetkey.trust.drift_words import changes, is_readable, is_restorable
from valetkey.trust.reading import trust_digest
from valetkey.trust.record import Record, denies, digest, in_tag, terms_digest
from valetkey.trust.self_denies import SessionsDeny, dated_deny, kill_deny, pause_deny

A = "222222222222"
ROLE = "arn:aws:iam::111111111111:role/acme"
END = datetime(2026, 12, 31, tzinfo=UTC)
EARLIER = datetime(2026, 11, 30, tzinfo=UTC)
LATER = datetime(2027, 1, 31, tzinfo=UTC)
AUDIT = "arn:aws:iam::aws:policy/SecurityAudit"
ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
ODD = "arn:aws:iam::111111111111:policy/a,b"
"""A tag cannot hold the comma."""
LIMIT = "arn:aws:iam::111111111111:policy/limit"


def as_read(text: str) -> str:
    """The same text from elsewhere, as a tag has it."""
    return "".join(list(text))


OWNERS = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}]}

TERMS = Terms(contractor=A, external_id="puppets-on-strings", until=END)
RECORD = Record(
    contractor=as_read(A),
    terms=terms_digest(TERMS),
    until=END + timedelta(0),
    external_id_by="owner",
    request=None,
    user_id=None,
    session=3600,
    boundary=as_read(LIMIT),
    managed=(AUDIT, in_tag(ODD)),
    inline={"reads": digest(OWNERS)},
)
AGREED: dict[str, Any] = {
    "terms": TERMS,
    "boundary": LIMIT,
    "max_session": 3600,
    "managed": [ODD, AUDIT],
    "inline": {**denies(ROLE, END), "reads": OWNERS},
}
"""The role as it was agreed."""
HANDMADE = write_trust(TERMS)
ADOPTED = replace(
    RECORD, trust=trust_digest(HANDMADE, partition="aws"), inline={"valetkey-until": digest(dated_deny(END))}
)
AS_ADOPTED: dict[str, Any] = {**AGREED, "inline": {"valetkey-until": dated_deny(END)}, "trust": HANDMADE}


def drift(record: Record = RECORD, **role: Any) -> list[Difference]:
    return list(differences(record, role_arn=ROLE, **{**AGREED, **role}))


def drift_of_adopted(record: Record = ADOPTED, **role: Any) -> list[Difference]:
    return list(differences(record, role_arn=ROLE, **{**AS_ADOPTED, **role}))


def inline(**documents: Any) -> dict[str, Any]:
    """The inline policies as agreed, with others added or in their place; None: without that one."""
    named = {name.replace("_", "-"): document for name, document in documents.items()}
    return {name: document for name, document in {**AGREED["inline"], **named}.items() if document is not None}


def test_a_role_as_agreed_has_no_drift() -> None:
    assert drift() == []
    assert drift(max_session=None) == []
    plain = replace(RECORD, boundary=None, until=None, terms=terms_digest(replace(TERMS, until=None)), inline={})
    assert drift(plain, terms=replace(TERMS, until=None), boundary=None, inline=denies(ROLE, None)) == []


GONE = replace(TERMS, pin=("AIDAEXAMPLEEXAMPLE12", "AROAEXAMPLEEXAMPLE12"))


@pytest.mark.parametrize(
    ("role", "difference", "sentence", "restorable", "readable"),
    [
        (
            {"terms": None},
            Difference("trust policy", "as valetkey wrote it", "changed: not in a form that valetkey writes"),
            "the trust policy was replaced by one that valetkey does not write",
            False,
            False,
        ),
        (
            {"terms": replace(TERMS, contractor="333333333333")},
            Difference("contractor", A, "333333333333"),
            f"the contractor changed: {A} is recorded, and the trust policy names 333333333333",
            False,
            False,
        ),
        (
            {"terms": replace(TERMS, contractor="123456789012")},
            Difference("contractor", A, "123456789012"),
            f"the contractor changed: {A} is recorded, and the trust policy names 123456789012",
            False,
            False,
        ),
        (
            {"terms": replace(GONE, until=LATER)},
            Difference("pinned principals", "exist", "deleted: AIDAEXAMPLEEXAMPLE12, AROAEXAMPLEEXAMPLE12"),
            "pinned principals were deleted: AIDAEXAMPLEEXAMPLE12, AROAEXAMPLEEXAMPLE12",
            True,
            True,
        ),
        (
            {"terms": replace(TERMS, until=LATER, mfa=False)},
            Difference("end in the trust policy", "2026-12-31T00:00:00Z", "2027-01-31T00:00:00Z"),
            "the end in the trust policy was changed from 2026-12-31T00:00:00Z to 2027-01-31T00:00:00Z",
            False,
            True,
        ),
        (
            {"terms": replace(TERMS, until=EARLIER)},
            Difference("end in the trust policy", "2026-12-31T00:00:00Z", "2026-11-30T00:00:00Z"),
            "the end in the trust policy was changed from 2026-12-31T00:00:00Z to 2026-11-30T00:00:00Z",
            False,
            True,
        ),
        (
            {"terms": replace(TERMS, until=None)},
            Difference("end in the trust policy", "2026-12-31T00:00:00Z", "none"),
            "the end in the trust policy was changed from 2026-12-31T00:00:00Z to none",
            False,
            True,
        ),
        (
            {"terms": replace(TERMS, mfa=False)},
            Difference("trust policy", "the recorded terms", "other conditions or principals"),
            "the trust policy was changed: it has other conditions or principals than were agreed",
            False,
            True,
        ),
        (
            {"boundary": None},
            Difference("boundary", LIMIT, "none"),
            f"the permissions boundary {LIMIT} was removed",
            True,
            True,
        ),
        (
            {"boundary": ADMIN},
            Difference("boundary", LIMIT, ADMIN),
            f"boundary: recorded {LIMIT}, now {ADMIN}",
            True,
            True,
        ),
        (
            {"max_session": 7200},
            Difference("session limit (s)", "3600", "7200"),
            "the longest session was changed from 3600 s to 7200 s",
            True,
            True,
        ),
        (
            {"managed": [ODD]},
            Difference("managed policy", AUDIT, "not attached", missing=True),
            f"the managed policy {AUDIT} is missing",
            True,
            True,
        ),
        (
            {"managed": [AUDIT, ODD, ADMIN]},
            Difference("managed policy", "none", ADMIN),
            f"the managed policy {ADMIN} was added",
            True,
            True,
        ),
        (
            {"inline": inline(valetkey_own_role=None)},
            Difference("inline policy", "valetkey-own-role", "not there", missing=True),
            "the inline policy valetkey-own-role is missing",
            True,
            True,
        ),
        (
            {"inline": inline(valetkey_until=dated_deny(LATER))},
            Difference("inline policy", "valetkey-until", "valetkey-until, changed"),
            "the inline policy valetkey-until was changed",
            True,
            True,
        ),
        *(
            (
                {"inline": inline(reads={"Statement": number})},
                Difference("inline policy", "reads", "reads, changed"),
                "the inline policy reads was changed",
                True,
                True,
            )
            for number in range(6)
        ),
        (
            {"inline": inline(reads=None)},
            Difference("inline policy", "reads", "not there", missing=True),
            "the inline policy reads is missing",
            True,
            True,
        ),
        (
            {"inline": inline(reads=kill_deny())},
            Difference("inline policy", "reads", "reads, changed"),
            "the inline policy reads was changed",
            True,
            True,
        ),
        (
            {"inline": inline(more=OWNERS)},
            Difference("inline policy", "none", "more"),
            "the inline policy more was added",
            True,
            True,
        ),
    ],
)
def test_every_difference_in_figures_and_in_words(
    role: dict[str, Any], difference: Difference, sentence: str, restorable: bool, readable: bool
) -> None:
    result = drift(**role)
    assert result == [difference]
    assert changes(result) == (sentence,)
    assert is_restorable(result) is restorable
    assert is_readable(result) is readable


def test_a_boundary_that_was_not_agreed() -> None:
    result = drift(replace(RECORD, boundary=None))
    assert result == [Difference("boundary", "none", LIMIT)]
    assert changes(result) == (f"the permissions boundary {LIMIT} was set",)


def test_a_boundary_whose_name_a_tag_cannot_hold_is_compared_by_its_digest() -> None:
    assert drift(replace(RECORD, boundary=in_tag(ODD)), boundary=ODD) == []


def test_differences_in_one_order() -> None:
    result = drift(
        terms=None,
        boundary=None,
        max_session=7200,
        managed=[ADMIN, "arn:aws:iam::aws:policy/A"],
        inline={"b": {}, "a": {}},
    )
    assert [(difference.what, difference.agreed, difference.found) for difference in result] == [
        ("trust policy", "as valetkey wrote it", "changed: not in a form that valetkey writes"),
        ("boundary", LIMIT, "none"),
        ("session limit (s)", "3600", "7200"),
        ("managed policy", AUDIT, "not attached"),
        ("managed policy", in_tag(ODD), "not attached"),
        ("managed policy", "none", "arn:aws:iam::aws:policy/A"),
        ("managed policy", "none", ADMIN),
        ("inline policy", "valetkey-own-role", "not there"),
        ("inline policy", "valetkey-until", "not there"),
        ("inline policy", "reads", "not there"),
        ("inline policy", "none", "a"),
        ("inline policy", "none", "b"),
    ]
    assert len(changes(result)) == len(result)
    assert not is_restorable(result)
    assert is_restorable(result[1:])
    assert is_restorable([])
    assert is_readable([])


def test_what_only_denies_for_a_time_needs_no_record() -> None:
    sessions = SessionsDeny(since=END).document
    assert drift(inline=inline(valetkey_sessions=sessions, valetkey_changing=pause_deny())) == []
    result = drift(inline=inline(valetkey_sessions=pause_deny(), valetkey_changing=sessions))
    assert result == [
        Difference("inline policy", "none", "valetkey-changing"),
        Difference("inline policy", "none", "valetkey-sessions"),
    ]
    assert drift(inline=inline(valetkey_revoked=kill_deny())) == [
        Difference("inline policy", "none", "valetkey-revoked")
    ]


def test_the_order_of_keys_in_a_document_is_no_difference() -> None:
    turned = {name: dict(reversed(document.items())) for name, document in AGREED["inline"].items()}
    assert drift(inline=turned) == []


# -- an adopted role -----------------------------------------------------------------------------------------------


def test_an_adopted_role_as_it_was_has_no_drift() -> None:
    assert drift_of_adopted() == []
    assert drift_of_adopted(trust={**HANDMADE, "Statement": HANDMADE["Statement"][0]}) == []


@pytest.mark.parametrize(
    ("role", "difference", "sentence"),
    [
        (
            {"trust": write_trust(replace(TERMS, mfa_max_age=60)), "terms": None},
            Difference("trust policy", "as it was when the role was adopted", "changed since"),
            "the trust policy was replaced by one that valetkey does not write",
        ),
        (
            {"trust": None},
            Difference("trust policy", "as it was when the role was adopted", "changed since"),
            "the trust policy was replaced by one that valetkey does not write",
        ),
        (
            {"terms": None},
            Difference("trust policy", "the recorded terms", "other terms than those recorded"),
            "the trust policy was changed: it has other conditions or principals than were agreed",
        ),
        *(
            (
                {"terms": replace(TERMS, contractor=other)},
                Difference("contractor", A, other),
                f"the contractor changed: {A} is recorded, and the trust policy names {other}",
            )
            for other in ("123456789012", "333333333333")
        ),
        *(
            (
                {"trust": {"Statement": number}},
                Difference("trust policy", "as it was when the role was adopted", "changed since"),
                "the trust policy was replaced by one that valetkey does not write",
            )
            for number in range(6)
        ),
        (
            {"inline": {}},
            Difference("inline policy", "valetkey-until", "not there", missing=True),
            "the inline policy valetkey-until is missing",
        ),
    ],
)
def test_what_changed_since_a_role_was_adopted(role: dict[str, Any], difference: Difference, sentence: str) -> None:
    result = drift_of_adopted(**role)
    assert result == [difference]
    assert changes(result) == (sentence,)


def test_the_end_of_an_adopted_role_is_in_its_trust_or_in_a_policy() -> None:
    bare = replace(ADOPTED, inline={})
    assert drift_of_adopted(bare, inline={}) == []
    assert drift_of_adopted(terms=replace(TERMS, until=None)) == []
    result = drift_of_adopted(bare, inline={}, terms=replace(TERMS, until=None))
    assert result == [
        Difference("end", "2026-12-31T00:00:00Z", "neither the trust policy nor a policy says it"),
    ]
    assert changes(result) == ("end: recorded 2026-12-31T00:00:00Z, now neither the trust policy nor a policy says it",)
    assert not is_readable(result)


def test_the_trust_of_an_adopted_role_of_another_partition() -> None:
    role = ROLE.replace("arn:aws:", "arn:aws-cn:")
    terms = replace(TERMS, partition="aws-cn")
    bare = write_trust(terms)
    bare["Statement"][0]["Principal"] = {"AWS": A}
    record = replace(ADOPTED, trust=trust_digest(write_trust(terms), partition="aws-cn"))
    assert list(differences(record, role_arn=role, **{**AS_ADOPTED, "trust": bare, "terms": terms})) == []


def test_the_terms_in_a_trust_policy_where_valetkey_wrote_it() -> None:
    assert terms_in(HANDMADE, partition="aws", contractor=A) == TERMS
    assert terms_in({"Statement": []}, partition="aws", contractor=A) is None
    gone = write_trust(replace(TERMS, partition="aws-cn"))
    gone["Statement"][0]["Principal"] = {"AWS": "AIDAEXAMPLEEXAMPLE12"}
    assert terms_in(gone, partition="aws-cn", contractor=A) == replace(
        TERMS, partition="aws-cn", pin=("AIDAEXAMPLEEXAMPLE12",)
    )
