"""What write_trust writes, read_terms reads: for all terms, and in every form AWS gives documents back in."""

from __future__ import annotations

import contextlib
import json
import random
import string
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from valetkey.trust import NotOurs, Terms, check_terms, read_terms, write_trust

NAME = st.text(string.ascii_letters + string.digits + "_+=,.@-", min_size=1, max_size=20)
PATH = st.sampled_from(["", "team/", "a/b/", "x:y/"])


@st.composite
def all_terms(draw: st.DrawFn) -> Terms:
    """Every shape of terms that check_terms accepts."""
    contractor = draw(st.text(string.digits, min_size=12, max_size=12))
    partition = draw(st.sampled_from(["aws", "aws-cn", "aws-us-gov", "aws-iso-b"]))
    mfa = draw(st.booleans())
    kinds = ["user"] if mfa else ["user", "role"]
    arns = st.builds(
        lambda kind, path, name: f"arn:{partition}:iam::{contractor}:{kind}/{path}{name}",
        st.sampled_from(kinds),
        PATH,
        NAME,
    )
    sso = NAME.map(
        lambda name: f"arn:{partition}:iam::{contractor}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_{name}_*"
    )
    named = draw(st.sets(arns if mfa else arns | sso, min_size=0 if mfa else 1, max_size=4))
    pin = draw(st.booleans()) and not any("*" in name for name in named)
    people = draw(st.booleans()) and all(":user/" in name for name in named)
    return Terms(
        contractor=contractor,
        partition=partition,
        external_id=draw(
            st.none() | st.text(string.ascii_letters + string.digits + "_+=,.@:/-", min_size=2, max_size=40)
        ),
        mfa=mfa,
        mfa_max_age=draw(st.none() | st.integers(1, 129_600)) if mfa else None,
        only=() if pin else tuple(named),
        pin=tuple(named) if pin else (),
        name_people=people,
        source_identity=draw(st.booleans()),
        session_tags=draw(st.booleans()),
        until=draw(
            st.none()
            | st.datetimes(datetime(2000, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC)).map(
                lambda when: when.replace(microsecond=0)
            )
        ),
    )


@given(all_terms())
def test_read_gives_back_what_was_written(terms: Terms) -> None:
    check_terms(terms)
    document = write_trust(terms)
    assert read_terms(document) == terms
    assert read_terms(json.loads(json.dumps(document))) == terms


@given(all_terms(), st.randoms(use_true_random=False))
def test_read_gives_back_what_was_written_in_aws_other_forms(terms: Terms, rng: random.Random) -> None:
    document = _rewritten(write_trust(terms), rng)
    assert read_terms(document, partition=terms.partition, contractor=terms.contractor) == terms


def _rewritten(value: Any, rng: random.Random) -> Any:
    """The same document in other words: lists of one, other orders, bare account ids, other case of condition keys."""
    if isinstance(value, dict):
        plain = {}
        for key, inner in value.items():
            name = key.upper() if ":" in key and rng.random() < 0.3 else key
            plain[name] = _rewritten(inner, rng) if key not in ("Version", "Effect", "Sid") else inner
        return plain
    if isinstance(value, list):
        many = [_rewritten(each, rng) if isinstance(each, dict) else each for each in value]
        if all(isinstance(each, str) for each in many):
            rng.shuffle(many)
        return many[0] if len(many) == 1 and rng.random() < 0.5 else many
    if isinstance(value, str) and value.endswith(":root") and rng.random() < 0.5:
        value = value.split(":")[4]
    if value == "true" and rng.random() < 0.3:
        return True
    return [value] if rng.random() < 0.5 else value


@given(all_terms(), st.randoms(use_true_random=False))
def test_one_changed_character_is_never_overlooked(terms: Terms, rng: random.Random) -> None:
    text = json.dumps(write_trust(terms))
    at = rng.randrange(len(text))
    changed = text[:at] + rng.choice(string.ascii_letters + string.digits + '*?$:/" []{}') + text[at + 1 :]
    try:
        document = json.loads(changed)
    except ValueError:
        assume(False)
    assume(isinstance(document, dict) and _semantic(document) != _semantic(write_trust(terms)))
    try:
        found = read_terms(document, partition=terms.partition, contractor=terms.contractor)
    except NotOurs:
        return
    assert found != terms


def _semantic(document: dict[str, Any]) -> str:
    """The document without Sid and without case in what has none."""
    plain = json.loads(json.dumps(document))
    many = plain.get("Statement")
    for each in many if isinstance(many, list) else []:
        if isinstance(each, dict):
            each.pop("Sid", None)
    text = json.dumps(plain)
    for name in ("sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession", "sts:ExternalId", "sts:RoleSessionName"):
        text = _fold(text, name)
    for name in ("aws:MultiFactorAuthPresent", "aws:MultiFactorAuthAge", "aws:PrincipalArn", "aws:CurrentTime"):
        text = _fold(text, name)
    return text


def _fold(text: str, name: str) -> str:
    at = text.lower().find(f'"{name.lower()}"')
    while at >= 0:
        text = text[: at + 1] + name + text[at + 1 + len(name) :]
        at = text.lower().find(f'"{name.lower()}"', at + 1)
    return text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["Version", "Statement", "Principal", "AWS", "Action", "Condition", "Bool", "x"]), inner
        )
    ),
    max_leaves=20,
)


@given(JSON)
def test_any_json_is_read_or_not_ours(document: Any) -> None:
    with pytest.raises(NotOurs):
        read_terms(document)


@given(all_terms(), st.sampled_from(["Principal", "Condition", "Action"]), JSON)
def test_any_json_in_a_place_of_ours_is_read_or_not_ours(terms: Terms, place: str, other: Any) -> None:
    document = write_trust(terms)
    document["Statement"][0][place] = other
    with contextlib.suppress(NotOurs):
        check_terms(read_terms(document))
