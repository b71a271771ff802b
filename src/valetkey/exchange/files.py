"""Read and write the two files that the parties exchange.

Rules:
- A file is one JSON object with `"valetkey": "<kind>/v1"`. Another kind or version is refused. Unknown keys are
  reported (`unknown`) and otherwise ignored. Duplicate keys are refused.
- `fingerprint` covers every other key. A file that does not match its fingerprint is refused (changed or truncated). It
  protects against mistakes; against an attacker it helps only if two people compare it by voice.
- Every field is checked against AWS's syntax when a file is read (syntax.py), so each value names exactly one role,
  account or identity, and none can end a quoted word.
- The files never contain a secret: an ExternalId identifies, it does not authenticate.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from valetkey.errors import ValetkeyError
from valetkey.exchange.documents import ADDED, AccessRequest, Handoff
from valetkey.exchange.syntax import FieldError, check_handoff, check_request

__all__ = [
    "MAX_BYTES",
    "AccessRequest",
    "FileError",
    "Handoff",
    "Received",
    "check",
    "dump",
    "fingerprint",
    "load",
]

MAX_BYTES = 1_000_000
_WORDS = 6


class FileError(ValetkeyError):
    """An exchanged file that cannot be used."""


@dataclass(frozen=True)
class Received:
    """A file as read: its value, its fingerprint, and the keys that this version does not know."""

    value: Any
    fingerprint: str
    unknown: tuple[str, ...] = field(default=())


_SURROGATE = re.compile("[\ud800-\udfff]")
_KINDS: dict[type, str] = {AccessRequest: "access-request/v1", Handoff: "handoff/v1"}
_T = TypeVar("_T", AccessRequest, Handoff)


def fingerprint(document: AccessRequest | Handoff) -> str:
    """Return six words to read aloud (66 bits of SHA-256 over the canonical JSON), joined by hyphens."""
    return _fingerprint(_plain(document))


def same_fingerprint(words: str, fingerprint: str) -> bool:
    """Return whether `words` as a person types them (any case, spaces for hyphens) are exactly this fingerprint."""
    return "-".join(words.lower().replace("-", " ").split()) == fingerprint


def dump(document: AccessRequest | Handoff) -> str:
    """Return the file's text, with its fingerprint."""
    plain = _plain(document)
    return json.dumps({**plain, "fingerprint": _fingerprint(plain)}, indent=2, ensure_ascii=True) + "\n"


def load(text: str | bytes, kind: type[_T], *, name: str) -> Received:
    """Read a file of one kind. Errors call the file `name`. Raises FileError."""
    again = "ask the sender for the file again"
    if len(text) > MAX_BYTES:
        raise FileError(
            f"{name} is larger than {MAX_BYTES:,} bytes; a valetkey file is never that large", do=again, where=name
        )
    try:
        plain = json.loads(text, object_pairs_hook=_no_duplicates, parse_constant=_no_constant)
        stated = plain.pop("fingerprint", None) if isinstance(plain, dict) else None
        actual = _fingerprint(plain)
    except (ValueError, RecursionError) as error:
        why = "nested too deeply" if isinstance(error, RecursionError) else error
        raise FileError(f"{name} is not JSON as valetkey writes it: {why}", do=again, where=name) from None
    wanted = _KINDS[kind]
    result = plain.get("valetkey") if isinstance(plain, dict) else None
    if result != wanted:
        is_own = isinstance(result, str) and result.split("/")[0] == wanted.split("/")[0]
        do = "update valetkey: the sender's version is newer" if is_own else f"name a file of kind {wanted}"
        shown = json.dumps(result)[:80] if result is not None else "not a valetkey file"
        raise FileError(f"{name} is {shown}, wanted {json.dumps(wanted)}", do=do, where=f"{name}: $.valetkey")
    if stated != actual:
        raise FileError(
            f"{name} does not match its own fingerprint: it was changed or truncated after it was written",
            do=again,
            where=f"{name}: $.fingerprint",
        )
    known = {item.name for item in dataclasses.fields(kind)}
    unknown = tuple(sorted(set(plain) - known - {"valetkey"}))
    try:
        for key in sorted(known & set(plain)):
            if _SURROGATE.search(json.dumps(plain[key], ensure_ascii=False)):
                raise FieldError(f"$.{key}", "contains half of a character (a lone surrogate)")
        value = msgspec.convert({k: v for k, v in plain.items() if k in known}, kind)
        check(value)
    except FieldError as error:
        raise FileError(f"{name}: {error}", do=again, where=f"{name}: {error.field}") from None
    except (msgspec.ValidationError, ValueError, OverflowError) as error:
        raise FileError(f"{name}: {error}", do=again, where=_where(name, str(error))) from None
    return Received(value, actual, unknown)


def check(document: AccessRequest | Handoff) -> None:
    """Raise FieldError (a ValueError that names the field) unless `load` accepts this document."""
    if isinstance(document, AccessRequest):
        check_request(document)
    else:
        check_handoff(document)


def _where(name: str, error: str) -> str:
    """Return the place in msgspec's error, which ends in "- at `$.field`"."""
    _, at, path = error.rpartition(" - at `")
    return f"{name}: {path.removesuffix('`')}" if at else name


def _plain(document: AccessRequest | Handoff) -> dict[str, Any]:
    body = {
        item.name: _value(value)
        for item, value in ((item, getattr(document, item.name)) for item in dataclasses.fields(document))
        if value not in _left_out(item) or item.default is dataclasses.MISSING
    }
    return {"valetkey": _KINDS[type(document)], **body}


def _left_out(field: dataclasses.Field[Any]) -> tuple[Any, ...]:
    """Return the values for which the key is not written. A missing key of an added field is read as its default, so
    only the default may be omitted."""
    return (field.default,) if field.metadata.get(ADDED) else (None, (), "")


def _value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
    return list(value) if isinstance(value, tuple) else value


def _fingerprint(plain: dict[str, Any]) -> str:
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    bits = int.from_bytes(hashlib.sha256(text.encode()).digest()) >> (256 - _WORDS * 11)
    return "-".join(_list()[bits >> 11 * place & 2047] for place in reversed(range(_WORDS)))


@functools.cache
def _list() -> tuple[str, ...]:
    """Return 2048 words that sound different: the English list of BIP-39 (Rusnak et al., MIT), in its order. The first
    four letters identify each word."""
    return tuple(Path(__file__).with_name("words.txt").read_text(encoding="ascii").split())


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    plain = dict(pairs)
    if len(plain) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {json.dumps(twice)} occurs twice")
    return plain


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
