"""For all terms: a written trust policy is read back in every form of AWS, and is proved to admit exactly the terms."""

from __future__ import annotations

import contextlib
import json
import random
import string
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from tests.trials.callers import callers
from tests.trials.possible import possible
from tests.trials.table import _shall_pass

from valetkey.errors import PolicyError
from valetkey.policy import Request, decide, parse_policy
from valetkey.trust import NotOurs, Terms, admits_only, check_terms, read_terms, write_trust

NAME = st.text(string.ascii_letters + string.digits + "_+=,.@-", min_size=1, max_size=20)
PATH = st.sampled_from(["", "team/", "a/b/", "x:y/"])


EXTERNAL_ID = st.text(string.ascii_letters + string.digits + "_+=,.@:/-", min_size=2, max_size=40)
NETWORK = st.sampled_from(["198.51.100.0/24", "203.0.113.7", "2001:db8::/32", "0.0.0.0/1"])


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
    reserved = f"arn:{partition}:iam::{contractor}:role/aws-reserved/sso.amazonaws.com/"
    sso = st.builds(
        lambda region, name: f"{reserved}{region}AWSReservedSSO_{name}_*",
        st.sampled_from(["", "eu-west-1/"]),
        NAME,
    )
    whole = not mfa and draw(st.booleans())
    named = draw(st.sets(arns if mfa else arns | sso, min_size=0 if mfa else 1, max_size=4)) if not whole else set()
    pin = draw(st.booleans()) and not any("*" in name for name in named)
    # A session name has at least two characters, so the user's name must too.
    people = draw(st.booleans()) and all(":user/" in name and len(name.rsplit("/", 1)[1]) > 1 for name in named)
    return Terms(
        contractor=contractor,
        partition=partition,
        external_id=f"vk-70-{draw(EXTERNAL_ID)}" if whole else draw(st.none() | EXTERNAL_ID),
        whole_account=whole,
        from_ip=tuple(draw(st.lists(NETWORK, max_size=2))),
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


@st.composite
def rotated(draw: st.DrawFn) -> Terms:
    """The same, with the previous ExternalId valid for a time, as after `rotate`."""
    terms = draw(all_terms().filter(lambda item: item.external_id is not None))
    ends = draw(st.datetimes(datetime(2000, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC)))
    ends = min(ends.replace(microsecond=0), terms.until or ends.replace(microsecond=0))
    return replace(terms, previous_external_id=f"{terms.external_id}:before", previous_until=ends)


@settings(max_examples=25, deadline=None)
@given(rotated())
def test_a_trust_with_the_previous_external_id_admits_exactly_its_terms(terms: Terms) -> None:
    document = write_trust(terms)
    role = f"arn:{terms.partition}:iam::{'9' * 12 if terms.contractor != '9' * 12 else '8' * 12}:role/audit"
    assert admits_only(document, terms, role_arn=role).holds
    for other in (
        replace(terms, previous_external_id=None, previous_until=None),
        replace(terms, previous_external_id="another"),
        replace(terms, previous_until=terms.previous_until - timedelta(seconds=1)),
    ):
        assert not admits_only(document, other, role_arn=role).holds


@given(all_terms() | rotated())
def test_read_gives_back_what_was_written(terms: Terms) -> None:
    check_terms(terms)
    document = write_trust(terms)
    assert read_terms(document) == terms
    assert read_terms(json.loads(json.dumps(document))) == terms


@given(all_terms() | rotated(), st.randoms(use_true_random=False))
def test_read_gives_back_what_was_written_in_aws_other_forms(terms: Terms, rng: random.Random) -> None:
    document = _rewritten(write_trust(terms), rng)
    assert read_terms(document, partition=terms.partition, contractor=terms.contractor) == terms


def _rewritten(value: Any, rng: random.Random) -> Any:
    """The same document in another form: lists of one, other orders, bare account ids, other case of condition keys."""
    if isinstance(value, dict):
        plain = {}
        for key, inner in value.items():
            name = key.upper() if ":" in key and rng.random() < 0.3 else key
            plain[name] = _rewritten(inner, rng) if key not in ("Version", "Effect", "Sid") else inner
        return plain
    if isinstance(value, list):
        many = [_rewritten(item, rng) if isinstance(item, dict) else item for item in value]
        if all(isinstance(item, str) for item in many):
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
        result = read_terms(document, partition=terms.partition, contractor=terms.contractor)
    except NotOurs:
        return
    assert result != terms


def _semantic(document: dict[str, Any]) -> str:
    """The document without Sid, and with case-insensitive parts in lower case."""
    plain = json.loads(json.dumps(document))
    many = plain.get("Statement")
    for item in many if isinstance(many, list) else []:
        if isinstance(item, dict):
            item.pop("Sid", None)
    text = json.dumps(plain)
    for name in ("sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession", "sts:ExternalId", "sts:RoleSessionName"):
        text = _fold(text, name)
    for name in ("aws:MultiFactorAuthPresent", "aws:MultiFactorAuthAge", "aws:PrincipalArn", "aws:CurrentTime"):
        text = _fold(text, name)
    return _fold(text, "aws:SourceIp")


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


NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def _role(terms: Terms) -> str:
    owner = "111111111111" if terms.contractor != "111111111111" else "333333333333"
    return f"arn:{terms.partition}:iam::{owner}:role/partners/auditor"


@settings(max_examples=30)
@given(all_terms())
def test_every_trust_that_is_written_admits_exactly_its_terms(terms: Terms) -> None:
    table = admits_only(write_trust(terms), terms, role_arn=_role(terms))
    assert table.failures == ()
    assert table.holds


SIMPLE = (
    Terms(contractor="222222222222", external_id="Example987"),
    Terms(contractor="222222222222", only=("arn:aws:iam::222222222222:user/alice",), name_people=True),
    Terms(contractor="222222222222", mfa_max_age=3600, session_tags=True),
    Terms(contractor="222222222222", external_id="ab", until=datetime(2027, 1, 1, tzinfo=UTC)),
)
OPERATORS = [
    "StringEquals",
    "StringEqualsIfExists",
    "StringNotEquals",
    "StringLike",
    "StringEqualsIgnoreCase",
    "Bool",
    "BoolIfExists",
    "Null",
    "NumericLessThan",
    "NumericLessThanEquals",
    "NumericGreaterThan",
    "DateLessThan",
    "DateGreaterThan",
    "ArnEquals",
    "ArnLike",
    "ForAllValues:StringEquals",
    "ForAnyValue:StringLike",
]


@settings(max_examples=60, suppress_health_check=[HealthCheck.filter_too_much])
@given(st.sampled_from(SIMPLE), st.randoms(use_true_random=False))
def test_what_is_proved_holds_for_every_request(terms: Terms, rng: random.Random) -> None:
    """Random edits of the document: if it is still proved, random requests are decided as the terms say."""
    document = write_trust(terms)
    for _ in range(rng.randint(0, 2)):
        _edit(document, rng)
    try:
        policy = parse_policy(document, kind="trust")
    except PolicyError:
        assume(False)
    if not admits_only(document, terms, role_arn=_role(terms)).holds:
        return
    people = callers(terms, role_arn=_role(terms))
    for _ in range(150):
        caller, conditions = rng.choice(people), _call(terms, rng)
        action = rng.choice(["sts:AssumeRole"] * 4 + ["sts:TagSession", "sts:SetSourceIdentity"])
        context = {**conditions, **caller.facts}
        if "aws:userid" in context and caller.kind == "user":
            context["aws:userid"] += rng.choice(("X", "YZ"))
        request = Request(principal=caller.principal, action=action, resource=_role(terms), context=context)
        if not possible(request):
            continue
        assert decide(request, trust=policy).allowed == _shall_pass(terms, caller, action, conditions), (
            document,
            request,
        )


def _edit(document: dict[str, Any], rng: random.Random) -> None:
    """One random change that a person could make."""
    statement = rng.choice(document["Statement"])
    condition = statement.setdefault("Condition", {})
    kind = rng.choice(["drop", "operator", "value", "principal", "action", "again", "add"])
    if kind in ("drop", "operator", "value") and condition:
        operator = rng.choice(sorted(condition))
        keys = condition[operator]
        if kind == "drop":
            keys.pop(rng.choice(sorted(keys)), None)
        elif kind == "operator":
            condition[rng.choice(OPERATORS)] = condition.pop(operator)
        elif keys:
            key = rng.choice(sorted(keys))
            old = str(keys[key])
            keys[key] = rng.choice(
                [old + "*", "*", old[:-1], old.upper(), [old, "other"], old[:-1] + "?", "false", "60"]
            )
        if not keys:
            condition.pop(operator, None)
    elif kind == "principal":
        statement["Principal"] = rng.choice(
            ["*", {"AWS": "222222222222"}, {"AWS": ["222222222222", "444444444444"]}, {"Service": "ec2.amazonaws.com"}]
        )
    elif kind == "action":
        statement["Action"] = rng.choice(
            ["sts:*", "sts:Assume*", ["sts:AssumeRole", "sts:TagSession"], "sts:AssumeRole"]
        )
    elif kind == "again":
        document["Statement"].append(json.loads(json.dumps({**statement, "Sid": f"Again{len(document['Statement'])}"})))
    else:
        condition.setdefault(rng.choice(OPERATORS), {})[
            rng.choice(["aws:SourceIp", "aws:PrincipalOrgID", "aws:userid"])
        ] = "1"


def _call(terms: Terms, rng: random.Random) -> dict[str, str]:
    wanted = terms.external_id or "id"
    values: dict[str, list[str | None]] = {
        "sts:ExternalId": [
            wanted,
            wanted,
            None,
            "other",
            wanted.upper(),
            wanted + "q",
            rng.choice(string.ascii_letters),
        ],
        "aws:MultiFactorAuthPresent": ["true", "true", "false", None],
        "aws:MultiFactorAuthAge": ["30", "30", None, str(rng.randrange(100_000))],
        "sts:RoleSessionName": ["alice", "alice", "bob", "session", None],
        "aws:CurrentTime": [
            "2026-12-31T23:59:59Z",
            "2026-11-23T00:00:00Z",
            "2027-01-01T00:00:00Z",
            "2030-01-01T00:00:00Z",
        ],
        "aws:SourceIp": ["203.0.113.9", "198.51.100.7", None],
        "aws:PrincipalOrgID": ["o-1", "o-abc", None],
    }
    return {key: value for key, some in values.items() if (value := rng.choice(some)) is not None}
