"""Duplicate keys in the JSON of dumps and plans.

msgspec, which reads dumps and plans, silently keeps the last of two equal keys. AWS and Terraform write no duplicate
keys, so it is unknown which of the two applies, and such a file is refused. Policy documents are left out: their parser
(`policy.lenient`) sees every pair.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from typing import Any

from valetkey.account.loaded import SourceError, is_list, too_deep
from valetkey.policy.policy_json import member


class _Path(str):
    """The path from a value to a duplicate key in it. It replaces the value while the JSON is parsed."""

    __slots__ = ()


def refuse_duplicate_keys(data: bytes, name: str, *, documents: Collection[str] = ()) -> None:
    """Raise SourceError with the JSON path of the first duplicate key. Values of members named in `documents` are not
    searched. Makes one pass, and keeps no values in memory."""
    is_duplicate = False

    def in_object(pairs: list[tuple[str, Any]]) -> _Path | None:
        nonlocal is_duplicate
        keys = dict(pairs)
        if len(keys) != len(pairs):
            is_duplicate = True
            return _Path(member("", _second(key for key, _ in pairs)))
        if is_duplicate:
            for key, value in pairs:
                if key not in documents and (inner := _inside(value)) is not None:
                    return _Path(member("", key) + inner)
        return None

    try:
        # Keys are only compared with each other, so any encoding that maps each byte to a character will do.
        whole = json.loads(data.decode("latin-1"), object_pairs_hook=in_object, parse_int=_number, parse_float=_number)
    except RecursionError:
        raise too_deep(name) from None
    except ValueError:
        return  # the reader of the file reports invalid JSON
    place = _inside(whole) if is_duplicate else None
    if place is not None:
        raise SourceError(
            "a key is given twice: it is unknown which of the two applies",
            do="give the file as AWS or Terraform wrote it",
            where=f"{name}: ${place}",
        )


def _number(text: str) -> None:
    """Skip a number: Python refuses to parse one of more than 4,300 digits."""


def _second(keys: Iterable[str]) -> str:
    """The first key that occurs for the second time."""
    seen: set[str] = set()
    for key in keys:
        if key in seen:
            return key
        seen.add(key)
    raise AssertionError("no key is given twice")


def _inside(value: Any) -> _Path | None:
    """The path to a duplicate key in a parsed value; None if there is none."""
    if isinstance(value, _Path):
        return value
    for index, item in enumerate(value) if is_list(value) else ():
        if (inner := _inside(item)) is not None:
            return _Path(f"[{index}]{inner}")
    return None
