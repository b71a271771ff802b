"""Callers, actions and values that a trust policy mentions, as test input for it.

A table of fixed requests finds only expected mistakes. A second statement for account 4444… is found because 4444… is
taken from the document and tested. Nothing here decides anything: an unnecessary hint only costs one more request.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.trials.callers import OTHER_ACCOUNTS, Caller, federated, from_arn, in_account, service

from valetkey.policy.arns import is_account

_SOMETHING = "something-else"
_ACTION = re.compile(r"[A-Za-z0-9-]+:[A-Za-z0-9]+")


@dataclass(frozen=True)
class Hint:
    """The callers and actions of one statement, and for each condition key values close to its own (None: the key is
    absent). Values that probably satisfy the condition come first."""

    callers: tuple[Caller, ...]
    actions: tuple[str, ...]
    values: Mapping[str, tuple[str | None, ...]]


def hints(document: Mapping[str, Any], *, partition: str) -> tuple[Hint, ...]:
    """One Hint for each statement of a parsed document."""
    return tuple(_hint(item, partition) for item in _many(document.get("Statement")) if isinstance(item, Mapping))


def _hint(statement: Mapping[str, Any], partition: str) -> Hint:
    values: dict[str, tuple[str | None, ...]] = {}
    people: list[Caller] = list(_principals(statement.get("Principal"), partition))
    condition = statement.get("Condition")
    for operator, keys in condition.items() if isinstance(condition, Mapping) else ():
        for key, given in keys.items() if isinstance(keys, Mapping) else ():
            texts = [_text(item) for item in _many(given)]
            result = tuple(dict.fromkeys(_around(operator, texts)))
            known = values.get(key.lower(), ())
            values[key.lower()] = tuple(dict.fromkeys((*known, *result)))
            people.extend(_people(key.lower(), [item for item in result if item], partition))
    actions = [_text(item) for item in _many(statement.get("Action", ()))]
    concrete = (action.replace("*", "X").replace("?", "X") for action in actions)
    return Hint(tuple(people), tuple(item for item in concrete if _ACTION.fullmatch(item)), values)


def _principals(principal: Any, partition: str) -> Iterator[Caller]:
    if not isinstance(principal, Mapping):
        return
    for kind, given in principal.items():
        for name in map(_text, _many(given)):
            if kind == "Service":
                yield service(name)
            elif kind == "Federated":
                yield federated(name)
            elif is_account(name):
                yield from in_account(name, partition, f"of account {name}")
            elif (caller := from_arn(name, f"the principal {name}")) is not None:
                if caller.kind == "root":
                    yield from in_account(caller.account, caller.partition, f"of account {caller.account}")
                yield caller


def _people(key: str, values: Sequence[str], partition: str) -> Iterator[Caller]:
    """Callers in the conditions on callers."""
    for value in values:
        if key == "aws:principalarn" and (caller := from_arn(value, f"the principal {value}")) is not None:
            yield caller
        elif key == "aws:principalaccount" and is_account(value):
            yield from in_account(value, partition, f"of account {value}")
        elif key == "aws:username":
            yield from in_account(OTHER_ACCOUNTS[0], partition, f"called {value}", user=value)


def _around(operator: str, texts: Sequence[str]) -> Iterator[str | None]:
    """Values that satisfy a condition, then values that almost do."""
    plain = operator.lower().rpartition(":")[2].removesuffix("ifexists")
    if plain == "null":
        yield from (None, _SOMETHING)
        return
    if "not" in plain:
        yield from (_SOMETHING, None)
    for text in texts:
        if plain.startswith("numeric"):
            yield from _numbers(text)
        elif plain.startswith("date"):
            yield from _dates(text)
        elif plain == "bool":
            yield from (text, "false" if text.lower() == "true" else "true")
        elif "ipaddress" in plain:
            yield text.split("/")[0]
        else:
            yield from _instances(text)
    yield from (_SOMETHING, None)


def _numbers(text: str) -> Iterator[str]:
    try:
        number = float(text)
    except ValueError:
        return
    if abs(number) < 1e15:
        for item in (number - 1, number, number + 1):
            yield str(int(item)) if item.is_integer() else str(item)


def _dates(text: str) -> Iterator[str]:
    try:
        instant = datetime.fromisoformat(text) if not text.isdigit() else datetime.fromtimestamp(int(text), UTC)
        instant = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
        for seconds in (-1, 0, 1):
            yield (instant + timedelta(seconds=seconds)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return


def _instances(text: str) -> Iterator[str]:
    """Texts that match a pattern: stars are replaced by nothing, a letter, and (in an ARN's account) an account."""
    if "*" not in text and "?" not in text:
        yield text
        return
    parts = text.split(":", 5)
    if parts[0] == "arn" and len(parts) == 6:
        filled = [part.replace("*", "") or default for part, default in zip(parts, _USUAL, strict=True)]
        if not is_account(filled[4]):
            filled[4] = OTHER_ACCOUNTS[0]
        for end in ("", "x"):
            yield ":".join([*filled[:5], parts[5].replace("*", end).replace("?", "x")])
    for filler in ("x", ""):
        yield text.replace("*", filler).replace("?", "x")


_USUAL = ("arn", "aws", "iam", "", OTHER_ACCOUNTS[0], "user/x")


def _many(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _text(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)
