"""Terms read back from a trust policy that `write_trust` wrote, in the forms AWS gives it back in.

INVARIANT: read_terms(document) == terms only if the document says exactly what write_trust(terms) says. The terms are
guessed from the document, written again, and both documents compared whole: what the guess overlooks is a difference.
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
    """A trust policy that valetkey would not have written; `what` says how it differs, `where` is the JSON path."""

    exit_code = 1


def read_terms(document: Mapping[str, Any], *, partition: str = "aws", contractor: str | None = None) -> Terms:
    """The terms of a trust policy of write_trust's shape. Raises NotOurs for any other.

    Accepted are AWS's other ways of writing the same: a text or a list of one, an account id or its root ARN, any
    order and any case where AWS ignores it, `Sid`s of any name. A pinned principal that has been deleted is a unique
    id there (`Terms.orphans`). `partition` and `contractor` are what the role's own ARN and record say; they count
    only where the document does not say it itself: a bare account id, and a document whose every principal is gone.
    """
    found = _normal(document, partition)
    terms = _guess(found, partition, contractor)
    try:
        _check(terms)
    except ValetkeyError as error:
        raise _not_ours(f"its terms break a rule: {error.what}", "$.Statement[0]") from None
    wanted = _normal(plain_trust(terms), partition)
    for difference, where in _differences(wanted, found, "$"):
        raise _not_ours(difference, where)
    return terms


def trust_digest(document: Mapping[str, Any], *, partition: str) -> str:
    """The same for one trust policy in all the forms in which AWS may give it back. Statements keep their order."""
    try:
        return digest(_normal(document, partition))
    except NotOurs:
        return digest(document)


def _check(terms: Terms) -> None:
    """check_terms, with every deleted principal standing for one that could exist."""
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


def _guess(found: Any, partition: str, contractor: str | None) -> Terms:
    """Terms whose trust resembles the document most; wrong guesses are found by the comparison."""
    statements = found.get("Statement")
    if not statements:
        raise _not_ours("there is no statement", "$.Statement")
    first = statements[0]
    principal = first.get("Principal")
    named = principal.get("AWS") if isinstance(principal, dict) else None
    if not named:
        raise _not_ours("its first statement names no AWS principal", "$.Statement[0].Principal")
    arns = [arn for name in named if (arn := _parsed(name)) is not None]
    if arns:
        partition, contractor = arns[0].partition, arns[0].account
    elif contractor is None:
        gone = ", ".join(shown(each) for each in named[:3])
        raise _not_ours(f"none of its principals still exists ({gone})", "$.Statement[0].Principal")
    root = named == [f"arn:{partition}:iam::{contractor}:root"]
    condition = first.get("Condition")
    mfa = bool(_values(condition, "Bool", key_names.MFA_PRESENT))
    only = [*_values(condition, "ArnEquals", "aws:PrincipalArn"), *_values(condition, "ArnLike", "aws:PrincipalArn")]
    rest: list[Any] = list(statements[1:])
    # While an ExternalId is rotated: the statement with the previous one.
    former = rest.pop(0) if rest and ASSUME_ROLE in rest[0].get("Action", ()) else {}
    extra = rest[0].get("Action", ()) if rest else ()
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
    """Seconds as a trust policy says them; None for a text of another form, or with more digits than any age has."""
    return int(text) if re.fullmatch("[0-9]{1,11}", text) else None


def _instant(text: str | None) -> datetime | None:
    try:
        return read_moment(text or "")
    except ValueError:
        return None


# AWS ignores case in the names of condition keys and in actions (reference_policies_elements_condition, ..._action).
_SPELT = {
    each.lower(): each
    for each in (
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
    """The document in one form: names as we spell them, single values as lists, alternatives sorted, account ids as
    root ARNs, no Sid. Elements that `write_trust` never writes stay as they are, to be found as differences."""
    if not isinstance(document, Mapping):
        raise _not_ours("it is not a JSON object", "$")
    return {
        key: [_statement(each, f"$.Statement[{index}]", partition) for index, each in enumerate(_many(inner))]
        if key == "Statement"
        else inner
        for key, inner in document.items()
    }


def _statement(statement: Any, where: str, partition: str) -> dict[str, Any]:
    if not isinstance(statement, Mapping):
        raise _not_ours("a statement is not a JSON object", where)
    plain = {key: inner for key, inner in statement.items() if key != "Sid"}
    if "Action" in plain:
        plain["Action"] = sorted(_spelt(_text(each, f"{where}.Action")) for each in _many(plain["Action"]))
    if isinstance(plain.get("Principal"), Mapping):
        plain["Principal"] = {
            kind: sorted(_principal(_text(each, f"{where}.Principal.{kind}"), partition) for each in _many(who))
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
    plain = {_spelt(key): sorted(_text(each, f"{where}.{key}") for each in _many(inner)) for key, inner in keys.items()}
    if "aws:SourceIp" in plain:
        plain["aws:SourceIp"] = sorted(network(each) for each in plain["aws:SourceIp"])
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
    """A value as AWS reads it: true and 3600 are "true" and "3600"."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int):
        return str(value)
    raise _not_ours(f"{shown(value)} is not a string", where)


def _differences(wanted: Any, found: Any, where: str) -> Iterator[tuple[str, str]]:
    if isinstance(wanted, dict) and isinstance(found, dict):
        for key in sorted(wanted.keys() | found.keys()):
            place = f"{where}.{key}"
            if key not in found:
                yield "something that valetkey writes is missing", place
            elif key not in wanted:
                yield "it contains something that valetkey does not write", place
            else:
                yield from _differences(wanted[key], found[key], place)
    elif isinstance(wanted, list) and isinstance(found, list) and wanted and isinstance(wanted[0], dict):
        if len(wanted) != len(found):
            yield f"it has {len(found)} statements, not {len(wanted)}", where
        for index, (one, other) in enumerate(zip(wanted, found, strict=False)):
            yield from _differences(one, other, f"{where}[{index}]")
    elif wanted != found:  # never of an ExternalId: a single one is what was read, and several are not written
        yield f"{_brief(found)}, but valetkey writes {_brief(wanted)}", where


def _brief(value: Any) -> str:
    return shown(", ".join(value) if isinstance(value, list) and all(isinstance(v, str) for v in value) else value)
