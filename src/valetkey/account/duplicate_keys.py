"""Keys that an object of a large JSON file gives twice.

msgspec, which dumps and plans are read with, keeps the last of them and says nothing. AWS and Terraform write no key
twice, so nobody knows which of the two holds, and such a file is refused. A policy document is left out: its reader
(`policy.lenient`) sees every pair.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from typing import Any

from valetkey.account.loaded import SourceError, is_list, too_deep
from valetkey.policy.policy_json import member


class _Path(str):
    """Where a key is given twice, from some value inwards: it takes the place of that value."""

    __slots__ = ()


def refuse_duplicate_keys(data: bytes, name: str, *, documents: Collection[str] = ()) -> None:
    """Raise SourceError with the JSON path where an object of this JSON text gives a key twice; not for objects within
    a member that is called like one of `documents`. One pass, which keeps nothing but such places."""
    found = False

    def in_object(pairs: list[tuple[str, Any]]) -> _Path | None:
        nonlocal found
        keys = dict(pairs)
        if len(keys) != len(pairs):
            found = True
            return _Path(member("", _second(key for key, _ in pairs)))
        if found:
            for key, value in pairs:
                if key not in documents and (inner := _inside(value)) is not None:
                    return _Path(member("", key) + inner)
        return None

    try:
        # The text is only compared with itself, so that each byte may stand for a character.
        whole = json.loads(data.decode("latin-1"), object_pairs_hook=in_object, parse_int=_number, parse_float=_number)
    except RecursionError:
        raise too_deep(name) from None
    except ValueError:
        return  # whoever reads the file says what is wrong with it
    place = _inside(whole) if found else None
    if place is not None:
        raise SourceError(
            "a key is given twice: it is unknown which of the two applies",
            do="give the file as AWS or Terraform wrote it",
            where=f"{name}: ${place}",
        )


def _number(text: str) -> None:
    """A number; whichever it is (Python refuses those of more than 4,300 digits)."""


def _second(keys: Iterable[str]) -> str:
    """The first key that was there before."""
    seen: set[str] = set()
    for key in keys:
        if key in seen:
            return key
        seen.add(key)
    raise AssertionError("no key is given twice")


def _inside(value: Any) -> _Path | None:
    """Where in a loaded value a key is given twice."""
    if isinstance(value, _Path):
        return value
    for index, each in enumerate(value) if is_list(value) else ():
        if (inner := _inside(each)) is not None:
            return _Path(f"[{index}]{inner}")
    return None
