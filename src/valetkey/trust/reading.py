"""Reads terms from a trust policy that `write_trust` wrote, in the forms in which AWS returns it.

INVARIANT: read_terms(document) == terms only if the document says exactly what write_trust(terms) says. The terms are
guessed from the document, written again, and the documents compared in full: what the guess misses is a difference.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from valetkey.catalog import key_names
from valetkey.errors import PolicyError, ValetkeyError, shown
from valetkey.policy.arns import Arn, is_account, parse_arn
from valetkey.policy.principals import is_unique_id
from valetkey.policy.role_actions import ASSUME_ROLE, SET_SOURCE_IDENTITY, TAG_SESSION
from valetkey.times import read_moment
from valetkey.trust.record import digest
from valetkey.trust.terms import Terms, check_terms, network
from valetkey.trust.writing import plain_trust


class NotOurs(ValetkeyError):
    """A trust policy that valetkey would not write. `what` says how it differs, `where` is the JSON path."""

    exit_code = 1


def read_terms(document: Mapping[str, Any], *, partition: str = "aws", contractor: str | None = None) -> Terms:
    """Read the terms of a trust policy that `write_trust` can write. Raises NotOurs for any other.

    Equivalent forms of AWS are accepted: a string or a list of one, an account id or its root ARN, any order, any case
    where AWS ignores it, any `Sid`. A deleted pinned principal appears as its unique id (`Terms.orphans`). `partition`
    and `contractor` come from the role's own ARN and record. They are used only if the document does not determine
    them: for a bare account id, and when all of its principals are deleted.
    """
    result = _normal(document, partition)
    terms = _guess(result, partition, contractor)
    try:
        _check(terms)
    except ValetkeyError as error:
        raise _not_ours(f"its terms break a rule: {error.what}", "$.Statement[0]") from None
    wanted = _normal(plain_trust(terms), partition)
    for difference, where in _differences(wanted, result, "$"):
        raise _not_ours(difference, where)
    return terms


def trust_digest(document: Mapping[str, Any], *, partition: str) -> str:
    """The digest of a trust policy, equal for all forms in which AWS may return it. The order of statements matters."""
    try:
        return digest(_normal(document, partition))
    except NotOurs:
        return digest(document)


def _check(terms: Terms) -> None:
    """Call check_terms with every deleted principal replaced by a valid ARN. Raises TermsError, LimitError."""
    stand_in = tuple(
        f"arn:{terms.partition}:iam::{terms.contractor}:{'user' if name.startswith('AIDA') else 'role'}/{name[:64]}"
        if is_unique_id(name)
        else name
        for name in terms.pin
    )
    check_terms(Terms(**{**vars(terms), "pin": stand_in}))


def _not_ours(what: str, where: str) -> NotOurs:
    return NotOurs(
        f"this trust policy is not one that valetkey writes: {what}",
        do="inspect the role; valetkey does not change a trust policy that it does not understand",
        where=where,
    )


def _guess(document: Any, partition: str, contractor: str | None) -> Terms:
    """Guess the terms of the document. The comparison finds wrong guesses. Raises NotOurs."""
    statements = document.get("Statement")
    if not statements:
        raise _not_ours("there is no statement", "$.Statement")
    first, *rest = statements
    principal = first.get("Principal")
    named = principal.get("AWS") if isinstance(principal, dict) else None
    if not named:
        raise _not_ours("its first statement names no AWS principal", "$.Statement[0].Principal")
    arns = [arn for name in named if (arn := _parsed(name)) is not None]
    if arns:
        partition, contractor = arns[0].partition, arns[0].account
    elif contractor is None:
        gone = ", ".join(shown(item) for item in named[:3])
        raise _not_ours(f"none of its principals still exists ({gone})", "$.Statement[0].Principal")
    root = named == [f"arn:{partition}:iam::{contractor}:root"]
    condition = first.get("Condition")
    mfa = bool(_values(condition, "Bool", key_names.MFA_PRESENT))
    only = [*_values(condition, "ArnEquals", "aws:PrincipalArn"), *_values(condition, "ArnLike", "aws:PrincipalArn")]
    # During the rotation of an ExternalId: the statement with the previous one.
    former = rest.pop(0) if rest and ASSUME_ROLE in rest[0].get("Action", ()) else {}
    extra = [action for item in rest for action in item.get("Action", ())]
    return Terms(
        contractor=contractor,
        partition=partition,
        external_id=_value(condition, "StringEquals", key_names.EXTERNAL_ID),
        previous_external_id=_value(former.get("Condition"), "StringEquals", key_names.EXTERNAL_ID),
        previous_until=_instant(_value(former.get("Condition"), "DateLessThan", "aws:CurrentTime")),
        mfa=mfa,
        mfa_max_age=read_age(_value(condition, "NumericLessThanEquals", "aws:MultiFactorAuthAge") or ""),
        only=tuple(only),
        pin=() if root else tuple(named),
        name_people=bool(_values(condition, "StringEquals", "sts:RoleSessionName")),
        source_identity=SET_SOURCE_IDENTITY in extra,
        session_tags=TAG_SESSION in extra,
        until=_instant(_value(condition, "DateLessThan", "aws:CurrentTime")),
        whole_account=root and not mfa and not only,
        from_ip=tuple(_values(condition, "IpAddress", "aws:SourceIp")),
    )


def _parsed(text: str) -> Arn | None:
    try:
        return parse_arn(text)
    except PolicyError:
        return None


def _values(condition: Any, operator: str, key: str) -> list[str]:
    keys = condition.get(operator) if isinstance(condition, dict) else None
    values = keys.get(key) if isinstance(keys, dict) else None
    return values if isinstance(values, list) else []


def _value(condition: Any, operator: str, key: str) -> str | None:
    match _values(condition, operator, key):
        case [value]:
            return value
        case _:
            return None


def read_age(text: str) -> int | None:
    """Parse an MFA age in seconds; None if the text is not a number, or has more digits than any age."""
    return int(text) if re.fullmatch("[0-9]{1,11}", text) else None


def _instant(text: str | None) -> datetime | None:
    try:
        return read_moment(text or "")
    except ValueError:
        return None


# AWS ignores case in the names of condition keys and in actions (reference_policies_elements_condition, ..._action).
_SPELT = {
    item.lower(): item
    for item in (
        ASSUME_ROLE,
        SET_SOURCE_IDENTITY,
        TAG_SESSION,
        key_names.EXTERNAL_ID,
        "sts:RoleSessionName",
        key_names.MFA_PRESENT,
        "aws:MultiFactorAuthAge",
        "aws:PrincipalArn",
        "aws:CurrentTime",
        "aws:SourceIp",
    )
}


def _normal(document: Any, partition: str) -> dict[str, Any]:
    """Normalize the document: names in our spelling, single values as lists, alternatives sorted, account ids as root
    ARNs, no Sid. Elements that `write_trust` never writes are kept, so that they are found as differences. Raises
    NotOurs."""
    if not isinstance(document, Mapping):
        raise _not_ours("it is not a JSON object", "$")
    return {
        key: [_statement(item, f"$.Statement[{index}]", partition) for index, item in enumerate(_many(inner))]
        if key == "Statement"
        else inner
        for key, inner in document.items()
    }


def _statement(statement: Any, where: str, partition: str) -> dict[str, Any]:
    if not isinstance(statement, Mapping):
        raise _not_ours("a statement is not a JSON object", where)
    plain = {key: inner for key, inner in statement.items() if key != "Sid"}
    if "Action" in plain:
        plain["Action"] = sorted(_spelt(_text(item, f"{where}.Action")) for item in _many(plain["Action"]))
    if isinstance(plain.get("Principal"), Mapping):
        plain["Principal"] = {
            kind: sorted(_principal(_text(item, f"{where}.Principal.{kind}"), partition) for item in _many(who))
            for kind, who in plain["Principal"].items()
        }
    if isinstance(plain.get("Condition"), Mapping):
        condition = {
            operator: _keys(keys, f"{where}.Condition.{operator}") for operator, keys in plain.pop("Condition").items()
        }
        plain |= {"Condition": condition} if condition else {}
    return plain


def _keys(keys: Any, where: str) -> dict[str, list[str]]:
    if not isinstance(keys, Mapping):
        raise _not_ours("a condition is not a JSON object", where)
    plain = {_spelt(key): sorted(_text(item, f"{where}.{key}") for item in _many(inner)) for key, inner in keys.items()}
    if "aws:SourceIp" in plain:
        plain["aws:SourceIp"] = sorted(network(item) for item in plain["aws:SourceIp"])
    if len(plain) != len(keys):
        raise _not_ours("a condition key occurs twice, in different case", where)
    return plain


def _spelt(name: str) -> str:
    return _SPELT.get(name.lower(), name)


def _principal(text: str, partition: str) -> str:
    return f"arn:{partition}:iam::{text}:root" if is_account(text) else text


def _many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _text(value: Any, where: str) -> str:
    """A value as a string, as AWS reads it: true and 3600 are "true" and "3600". Raises NotOurs."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int):
        return str(value)
    raise _not_ours(f"{shown(value)} is not a string", where)


def _differences(wanted: Any, actual: Any, where: str) -> Iterator[tuple[str, str]]:
    if isinstance(wanted, dict) and isinstance(actual, dict):
        for key in sorted(wanted.keys() | actual.keys()):
            place = f"{where}.{key}"
            if key not in actual:
                yield "something that valetkey writes is missing", place
            elif key not in wanted:
                yield "it contains something that valetkey does not write", place
            else:
                yield from _differences(wanted[key], actual[key], place)
    elif isinstance(wanted, list) and isinstance(actual, list) and all(isinstance(item, dict) for item in wanted):
        if len(wanted) != len(actual):
            yield f"it has {len(actual)} statements, not {len(wanted)}", where
        for index, (element, other) in enumerate(zip(wanted, actual, strict=False)):
            yield from _differences(element, other, f"{where}[{index}]")
    elif wanted != actual:  # never of an ExternalId: one value was read as it is, and several are not written
        yield f"{_brief(actual)}, but valetkey writes {_brief(wanted)}", where


def _brief(value: Any) -> str:
    return shown(", ".join(value) if isinstance(value, list) and all(isinstance(v, str) for v in value) else value)
