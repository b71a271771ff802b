"""The JSON parser for policies. It keeps every pair of an object, so that duplicate keys are detected, numbers as
written, and the JSON path of each value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from valetkey.errors import PolicyError, shown


class JsonObject(list[tuple[str, Any]]):
    """A JSON object as a list of pairs, so that duplicate keys are detected."""


@dataclass(frozen=True, slots=True)
class JsonNumber:
    """A JSON number as written."""

    text: str


def load_json(document: object, longest: int, root: str = "$") -> Any:
    """Load JSON text, or a dict, of at most `longest` characters. Keeps every pair of an object, and numbers as
    written. `root` is its JSON path in errors. Raises PolicyError."""

    def no_constant(name: str) -> None:
        raise PolicyError(f"{name} is not JSON", do="write a number or a string", where=root)

    try:
        # A dict is serialized first: a value that json cannot serialize cannot be sent to AWS.
        text = document if isinstance(document, str) else json.dumps(document, allow_nan=False)
        if not isinstance(document, str | dict):
            raise TypeError
        if len(text) > longest:
            raise PolicyError(f"the document has {len(text)} characters", do=f"{longest} at most are read", where=root)
        loaded = json.loads(
            text, object_pairs_hook=JsonObject, parse_int=JsonNumber, parse_float=JsonNumber, parse_constant=no_constant
        )
    except PolicyError:
        raise
    except json.JSONDecodeError as error:
        what = f"the document is not JSON: {error.msg} in line {error.lineno}, column {error.colno}"
        raise PolicyError(what, do="correct the JSON", where=root) from None
    except RecursionError:
        raise PolicyError(
            "the document is nested too deeply", do="a policy needs only a few levels", where=root
        ) from None
    except (TypeError, ValueError):
        raise PolicyError(
            "the document is not JSON", do="give JSON text, or a dict of JSON values", where=root
        ) from None
    return loaded


def member(where: str, name: str) -> str:
    """The JSON path of an object's member: `$.Statement`, `$['sts:ExternalId']`."""
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,80}", name):
        return f"{where}.{name}"
    short = ascii(name[:80])
    return f"{where}[{short}]"


def members(value: Any, where: str) -> dict[str, Any]:
    """The members of a JSON object. Raises PolicyError for any other value and for a duplicate key."""
    if not isinstance(value, JsonObject):
        raise PolicyError(f"expected an object, not {kind_of(value)}", do="write { ... }", where=where)
    result: dict[str, Any] = {}
    for name, item in value:
        if name in result:
            raise PolicyError(
                f"{shown(name)} is given twice", do="give it once, with a list of values", where=member(where, name)
            )
        result[_clean(name, where)] = item
    return result


def known_members(value: Any, where: str, known: set[str]) -> dict[str, Any]:
    """The members of a JSON object. Raises PolicyError as `members` does, and for a member not in `known`."""
    result = members(value, where)
    for name in result:
        if name not in known:
            near = next((item for item in known if item.lower() == name.lower()), None)
            do = f"write {near}" if near else f"known: {', '.join(sorted(known))}"
            raise PolicyError(f"{shown(name)} is not an element of a policy here", do=do, where=member(where, name))
    return result


def kind_of(value: Any) -> str:
    """The type of a JSON value, with its article: "a list"."""
    if isinstance(value, JsonObject):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, JsonNumber):
        return "a number"
    return "null" if value is None else "true or false" if isinstance(value, bool) else "a string"


def _clean(text: str, where: str) -> str:
    # INVARIANT: see globs. A lone surrogate cannot be sent to AWS either.
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise PolicyError(
                "the text contains half a surrogate pair", do="remove the lone surrogate", where=where
            ) from None
    return text


def text_of(value: Any, where: str) -> str:
    """Check that a value is a string without lone surrogates. Raises PolicyError."""
    if not isinstance(value, str):
        raise PolicyError(f"expected a string, not {kind_of(value)}", do='write "..."', where=where)
    return _clean(value, where)


def optional_text(elements: Mapping[str, Any], name: str, where: str) -> str | None:
    """The member of that name, or None when it is missing. Raises PolicyError when it is not a string."""
    return text_of(elements[name], member(where, name)) if name in elements else None


def texts(value: Any, where: str) -> Iterator[tuple[str, str]]:
    """Yield the strings of a string or a list of strings, each after its JSON path. Raises PolicyError."""
    if isinstance(value, list) and not isinstance(value, JsonObject):
        for index, item in enumerate(value):
            yield f"{where}[{index}]", text_of(item, f"{where}[{index}]")
    else:
        yield where, text_of(value, where)


def scalars(value: Any, where: str) -> Iterator[tuple[str, str]]:
    """Yield the values of a condition (strings, numbers and booleans, one or a list) as text, each after its JSON
    path. Raises PolicyError."""
    alone = not isinstance(value, list) or isinstance(value, JsonObject)
    for place, item in [(where, value)] if alone else [(f"{where}[{i}]", item) for i, item in enumerate(value)]:
        if isinstance(item, bool):
            yield place, str(item).lower()
        elif isinstance(item, JsonNumber):
            yield place, item.text
        else:
            yield place, text_of(item, place)
