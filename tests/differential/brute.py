"""A simple evaluator of trust policies for one request, with a guess for everything that AWS does not document.

It is written independently of `valetkey.policy`, for the part of the language that `trusts` generates: a test is True,
False, or None where AWS documents nothing, and the guess replaces None. The rules are those of the IAM User Guide.
"""

from __future__ import annotations

import datetime
import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Answer = bool | None
Context = Mapping[str, str | list[str]]
Guess = Callable[[str], bool]
"""Whether an undocumented form in a statement of this effect counts as matched."""

GUESSES: dict[str, Guess] = {
    "all match": lambda effect: True,
    "none matches": lambda effect: False,
    "lets in most": lambda effect: effect == "Allow",
    "lets in least": lambda effect: effect == "Deny",
}
_VARIABLE = re.compile(r"\$\{([^${}',]+)(?:,\s*'([^']*)'\s*)?\}")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_FAMILIES = ("String", "Arn", "Numeric", "Date", "Bool", "IpAddress", "NotIpAddress", "Null")


def allowed(document: Mapping[str, Any], principal: str, action: str, context: Context, guess: Guess) -> bool:
    """Whether the trust policy allows this caller, from another account or by name."""
    statements = document["Statement"]
    reached = {
        effect: any(
            statement["Effect"] == effect and _reaches(statement, principal, action, context, guess(effect))
            for statement in statements
        )
        for effect in ("Allow", "Deny")
    }
    return reached["Allow"] and not reached["Deny"]


def _reaches(statement: Mapping[str, Any], principal: str, action: str, context: Context, guess: bool) -> bool:
    if not _given(_action(statement, action), guess) or not _names(statement["Principal"], principal):
        return False
    return all(
        _given(test(operator, _list(values), key, principal, context), guess)
        for operator, block in statement.get("Condition", {}).items()
        for key, values in block.items()
    )


def _given(answer: Answer, guess: bool) -> bool:
    return guess if answer is None else answer


def _action(statement: Mapping[str, Any], action: str) -> Answer:
    if "NotAction" in statement:
        listed = _list(statement["NotAction"])
        return None if not listed else not any(_like(item.lower(), action.lower()) for item in listed)
    return any(_like(item.lower(), action.lower()) for item in _list(statement["Action"]))


def _names(element: Any, principal: str) -> bool:
    if element == "*":
        return True
    account, kind = principal.split(":")[4], principal.split(":")[5].split("/")[0]
    own = {principal, account, f"arn:aws:iam::{account}:root"}
    if kind == "assumed-role":
        own.add(f"arn:aws:iam::{account}:role/{principal.split('/')[1]}")
    return any(item == "*" or item in own for item in _list(element["AWS"]))


def keys_of(principal: str, context: Context) -> dict[str, str | list[str]]:
    """The request's keys in lower case, with those derived from the caller."""
    account, rest = principal.split(":")[4:6]
    arn = principal if rest.startswith("user/") else f"arn:aws:iam::{account}:role/{principal.split('/')[1]}"
    keys: dict[str, str | list[str]] = {"aws:principalarn": arn, "aws:principalaccount": account}
    if rest.startswith("user/"):
        keys["aws:username"] = rest.rsplit("/", 1)[1]
    return keys | {name.lower(): value for name, value in context.items()}


def test(operator: str, values: Sequence[str], key: str, principal: str, context: Context) -> Answer:
    """One condition test; None where AWS documents nothing."""
    keys = keys_of(principal, context)
    head, _, base = operator.rpartition(":")
    if_exists = base.endswith("IfExists")
    base = base.removesuffix("IfExists")
    family = next(item for item in _FAMILIES if base.startswith(item))
    if not values or not all(_readable(family, value) for value in values):
        return None
    sent = keys.get(key.lower())
    if family == "Null":
        return (sent is None) in {value == "true" for value in values}
    negated = "Not" in base
    if sent is None:
        if head == "ForAnyValue":
            return None if if_exists else False
        return head == "ForAllValues" or if_exists or negated
    if isinstance(sent, list) and not head:
        return None
    several = sent if isinstance(sent, list) else [sent]
    if head and not any(several):
        several = []
    answers = [_one(base, family, negated, values, item, keys) for item in several]
    if head == "ForAnyValue":
        return True if True in answers else None if None in answers else False
    return False if False in answers else None if None in answers else True


def _one(base: str, family: str, negated: bool, values: Sequence[str], sent: str, keys: Mapping[str, Any]) -> Answer:
    fits = [_fits(base, family, value, sent, keys) for value in values]
    if True in fits:
        return not negated
    if None in fits:
        return None
    if not _can_be(family, sent) or (family == "Arn" and not _is_arn(sent)):
        return None if negated else False
    return negated


def _fits(base: str, family: str, wanted: str, sent: str, keys: Mapping[str, Any]) -> Answer:
    if family in ("String", "Arn"):
        named = _VARIABLE.findall(wanted)
        filled = {name.lower(): keys.get(name.lower(), default or None) for name, default in named}
        if any(isinstance(value, list) for value in filled.values()):
            return None
        if "''" in wanted:  # an empty default is a default
            filled = {name: "" if value is None else value for name, value in filled.items()}
        if None in filled.values():
            return False
        literal = {"*": "\1", "?": "\2"}
        text = _VARIABLE.sub(
            lambda match: "".join(literal.get(c, c) for c in filled[match[1].lower()]),
            wanted,  # type: ignore[arg-type]
        )
        if "IgnoreCase" in base:
            return _same(_plain(text), sent)
        if family == "Arn":
            if text.count(":") < 5:
                return None
            return _is_arn(sent) and all(map(_like, text.split(":", 5), sent.split(":", 5)))
        return _like(text, sent) if "Like" in base else _plain(text) == sent
    if not _can_be(family, sent):
        return False
    if family == "Bool":
        return wanted.lower() == sent.lower()
    if family.endswith("IpAddress"):
        return ipaddress.ip_address(sent) in ipaddress.ip_network(wanted, strict=False)
    have, want = (float(sent), float(wanted)) if family == "Numeric" else (_moment(sent), _moment(wanted))
    order = base.removeprefix(family).replace("Not", "")
    return {
        "Equals": have == want,
        "LessThan": have < want,
        "LessThanEquals": have <= want,
        "GreaterThan": have > want,
        "GreaterThanEquals": have >= want,
    }[order]


def _same(one: str, other: str) -> Answer:
    if one.translate(_LOWER) == other.translate(_LOWER):
        return True
    if one.isascii() and other.isascii():
        return False
    ways: tuple[Callable[[str], str], ...] = (str.lower, str.upper, str.casefold, lambda text: text.upper().casefold())
    dotless = [text.replace("\u0130", "i").replace("\u0131", "i") for text in (one, other)]
    return None if any(way(dotless[0]) == way(dotless[1]) for way in ways) else False


_LOWER = {code: code + 32 for code in range(65, 91)}


def _readable(family: str, text: str) -> bool:
    if family in ("String", "Arn"):
        return "${" not in _VARIABLE.sub("", text)
    if family in ("Bool", "Null"):
        return text.lower() in ("true", "false")
    if family == "Numeric":
        return _NUMBER.fullmatch(text) is not None
    try:
        ipaddress.ip_network(text, strict=False) if family.endswith("IpAddress") else _moment(text)
    except ValueError:
        return False
    return True


def _can_be(family: str, sent: str) -> bool:
    """Whether the operators of this family can compare a value of a request."""
    if family.endswith("IpAddress") and "/" in sent:
        return False
    return family in ("String", "Arn", "Bool") or _readable(family, sent)


def _moment(text: str) -> datetime.datetime:
    form = "%Y-%m-%dT%H:%M:%S.%fZ" if "." in text else "%Y-%m-%dT%H:%M:%SZ"
    return datetime.datetime.strptime(text, form)


def _is_arn(text: str) -> bool:
    return text.startswith("arn:") and text.count(":") >= 5


def _plain(text: str) -> str:
    return text.replace("\1", "*").replace("\2", "?")


def _like(pattern: str, text: str) -> bool:
    expression = "".join(".*" if c == "*" else "." if c == "?" else re.escape(_plain(c)) for c in pattern)
    return re.fullmatch(expression, text, re.DOTALL) is not None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
