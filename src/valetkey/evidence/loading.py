"""Read and write evidence files: one form when written, strict when read."""

from __future__ import annotations

import json
from typing import Any, TypeVar

import msgspec

from valetkey.errors import ValetkeyError

MAX_BYTES = 64_000_000
"""A review of 10,000 roles has about 10 MB."""


class EvidenceError(ValetkeyError):
    """A file that is not evidence, or cannot be used."""


class FilePart(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of an evidence file. An unknown key is refused, because it may change the meaning."""


T = TypeVar("T", bound=FilePart)


def written(value: FilePart) -> bytes:
    """Return the file's bytes: ASCII, indented by two spaces so that a person can edit it."""
    return (json.dumps(msgspec.to_builtins(value), indent=2, ensure_ascii=True) + "\n").encode("ascii")


def kind_of(data: bytes, *, name: str) -> str:
    """Return the kind that the file states, such as "review/v1". Raises EvidenceError."""
    kind = _document(data, name).get("valetkey")
    return kind if isinstance(kind, str) else ""


def read(data: bytes, shape: type[T], *, kind: str, name: str) -> T:
    """Return the file's value. Errors call the file `name`. Raises EvidenceError with the place in the file."""
    document = _document(data, name)
    if document.get("valetkey") != kind:
        raise EvidenceError(
            f'{name} is not a file of the kind "{kind}"',
            do="name the file that valetkey wrote; a newer version of the format needs a newer valetkey",
            where=f"{name}: $.valetkey",
        )
    try:
        return msgspec.convert(document, shape)
    except msgspec.ValidationError as error:
        what, _, place = str(error).partition(" - at `")
        where = f"{name}: {place.rstrip('`')}" if place else name
        raise EvidenceError(f"{name} cannot be read: {what}", do="correct it there", where=where) from None


def _document(data: bytes, name: str) -> dict[str, Any]:
    if len(data) > MAX_BYTES:
        raise EvidenceError(f"{name} is larger than {MAX_BYTES:,} bytes", do="name the right file", where=name)
    try:
        result = json.loads(data.decode("utf-8-sig"), object_pairs_hook=lambda pairs: _once(pairs, name))
    except UnicodeDecodeError:
        raise EvidenceError(f"{name} is not UTF-8 text", do="save it as UTF-8", where=name) from None
    except json.JSONDecodeError as error:
        raise EvidenceError(
            f"{name} is not JSON: {error.msg}", do="correct it there", where=f"{name}: line {error.lineno}"
        ) from None
    except ValueError:  # a number with thousands of digits
        raise EvidenceError(
            f"{name} contains a number that is too long", do="name the right file", where=name
        ) from None
    except RecursionError:
        raise EvidenceError(f"{name} is nested too deeply", do="name the right file", where=name) from None
    if not isinstance(result, dict):
        raise EvidenceError(f"{name} is not a JSON object", do="name the file that valetkey wrote", where=name)
    return result


def _once(pairs: list[tuple[str, Any]], name: str) -> dict[str, Any]:
    """Return an object. A duplicate key is refused, because readers differ in which value they use."""
    made = dict(pairs)
    if len(made) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise EvidenceError(f'{name} contains the key "{twice}" twice', do="remove one of them", where=name)
    return made
