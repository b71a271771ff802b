"""Load gzip, JSON and YAML files under limits, and write a loaded value as JSON text.

Rules:
- YAML scalars stay text as written: YAML 1.1 would read account 012345670123 as an octal number.
- An object is a dict; one with a duplicate key is a JsonObject, so that `written` keeps both values.
- CloudFormation's short tags become their long form: `!Ref X` is {"Ref": "X"}, `!GetAtt A.B` is
  {"Fn::GetAtt": ["A", "B"]} (CloudFormation User Guide, intrinsic-function-reference).
- YAML loading does not recurse, and the values behind an alias count each time that the alias is used.
"""

from __future__ import annotations

import gzip
import io
import json
import re
import zlib
from collections import Counter
from collections.abc import Iterable
from typing import Any

from valetkey.errors import ValetkeyError
from valetkey.policy.policy_json import JsonNumber, JsonObject

FILE_MAX = 512 * 2**20
"""Bytes, unpacked. A dump of 100,000 roles has about 300 MB."""
YAML_MAX = 4 * 2**20
"""Bytes. CloudFormation accepts templates of up to 1 MB (cloudformation-limits)."""
VALUES_MAX = 500_000
"""Values in one YAML file; an alias counts as the values that it refers to."""
DEPTH_MAX = 100
"""Levels of nesting in YAML."""


class SourceError(ValetkeyError):
    """No account can be read from a file; `where` is the file and the place in it."""


class SeveralDocuments(SourceError):
    """A YAML file of several documents whose first is not a template, like Kubernetes manifests."""


def unpacked(data: bytes, name: str) -> bytes:
    """Return a file's content as UTF-8 without a byte order mark. Gzip is unpacked; UTF-16, which PowerShell's `>`
    writes, is converted.

    Raises SourceError if it is broken, or larger than FILE_MAX bytes, or YAML_MAX if it does not begin like JSON.
    """
    if data.startswith(b"\x1f\x8b"):
        data = _gunzipped(data, name)
    elif len(data) > (longest := _longest(data)):
        raise _too_large(name, longest)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return data.decode("utf-16").encode()
        except UnicodeError:
            raise not_utf8(name) from None
    return data.removeprefix(b"\xef\xbb\xbf")


def _longest(head: bytes) -> int:
    """The size limit of a file that begins with `head`, in bytes."""
    begin = head[:_PIECE].lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n")[:1]
    return FILE_MAX if begin in (b"{", b"[") else min(FILE_MAX, YAML_MAX)


_PIECE = 2**20
_KEPT = 32 * 2**20
"""Bytes that are kept while the size of an unpacked file is not known yet."""


def _gunzipped(data: bytes, name: str) -> bytes:
    """Unpack gzip. INVARIANT: a file that is too large is refused without being held in memory. Content longer than
    `_KEPT` is measured first, and unpacked again if it is within the limit."""
    try:
        pieces, size, longest = [], 0, YAML_MAX
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            while piece := file.read(_PIECE):
                longest = longest if size else _longest(piece)
                size += len(piece)
                if size > longest:
                    raise _too_large(name, longest)
                pieces.append(piece) if size <= _KEPT else pieces.clear()
        if size <= _KEPT:
            return b"".join(pieces)
        whole = bytearray()
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            while piece := file.read(_PIECE):
                whole += piece
        return bytes(whole)
    except (OSError, EOFError, zlib.error) as error:
        raise SourceError(f"{name} is a broken gzip file: {error}", do="get it again", where=name) from None


_MARKED = (b"\xee\x80\x80", b"\xee\x80\x81", b"e00", b"E00")
"""Spellings of the characters that mark symbols (`account.symbols`). They are replaced in sources."""


def load_template(data: bytes, name: str) -> Any:
    """Load a CloudFormation template in JSON or YAML. YAML may begin like JSON, with comments and trailing commas.

    Raises SourceError. The error of a file that begins with "{" and is neither is the JSON error.
    """
    if any(item in data for item in _MARKED):
        data = re.sub(rb"\xee\x80[\x80\x81]", b"\xef\xbf\xbd", data)
        data = re.sub(rb"\\(?:u|U0000)[eE]00[01]", rb"\\ufffd", data)
    if data.lstrip()[:1] != b"{":
        return load_yaml(data, name)
    try:
        return load_json(data, name)
    except SourceError as error:
        try:
            return load_yaml(data, name)
        except SourceError:
            raise error from None


def load_json(data: bytes, name: str) -> Any:
    """Load a JSON file into dicts (or JsonObject), lists, strings, True, False, None and JsonNumber.

    Raises SourceError.
    """
    try:
        text = data.decode()
        return json.loads(text, object_pairs_hook=_object, parse_int=JsonNumber, parse_float=JsonNumber)
    except UnicodeDecodeError:
        raise not_utf8(name) from None
    except json.JSONDecodeError as error:
        raise no_json(name, f"{error.msg} in line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise too_deep(name) from None


def load_yaml(data: bytes, name: str) -> Any:
    """Load a YAML file into dicts (or JsonObject), lists and strings. Raises SourceError."""
    import yaml

    if len(data) > YAML_MAX:
        raise _too_large(name, YAML_MAX)
    try:
        text = data.decode()
        return _build(yaml.parse(text, Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader)), name)
    except UnicodeDecodeError:
        raise not_utf8(name) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise SourceError(
            f"{name} is not YAML: {error.problem or error.context}{place}", do="correct the file", where=name
        ) from None
    except yaml.YAMLError:
        raise SourceError(f"{name} holds characters that YAML does not allow", do="correct it", where=name) from None


def written(value: Any) -> str:
    """Write a loaded value as JSON text without whitespace. Duplicate keys are kept."""
    if isinstance(value, JsonObject):
        return "{" + ",".join(f"{json.dumps(key)}:{written(item)}" for key, item in value) + "}"
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{written(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(written, value)) + "]"
    return value.text if isinstance(value, JsonNumber) else json.dumps(value)


def pairs(value: dict[str, Any] | JsonObject) -> Iterable[tuple[str, Any]]:
    """The pairs of a loaded object."""
    return value if isinstance(value, JsonObject) else value.items()


def is_object(value: Any) -> bool:
    """Whether a loaded value is an object (a JsonObject is a list to Python)."""
    return isinstance(value, dict | JsonObject)


def is_list(value: Any) -> bool:
    """Whether a loaded value is a list, and no object."""
    return isinstance(value, list) and not isinstance(value, JsonObject)


def too_deep(name: str) -> SourceError:
    return SourceError(f"{name} is nested too deeply", do="such a file is not read", where=name)


def not_utf8(name: str) -> SourceError:
    return SourceError(f"{name} is not UTF-8 text", do="save it as UTF-8", where=name)


def no_json(name: str, why: str) -> SourceError:
    return SourceError(f"{name} is not JSON: {why}", do="correct the file, or get it again", where=name)


def _too_large(name: str, limit: int) -> SourceError:
    return SourceError(f"{name} is larger than {limit // 2**20} MB", do="split it into several files", where=name)


def _object(items: list[tuple[str, Any]]) -> dict[str, Any] | JsonObject:
    plain = dict(items)
    return plain if len(plain) == len(items) else JsonObject(items)


class Twice(JsonObject):
    """An object with duplicate keys, and the line of each repetition."""

    lines: dict[str, int]


def _build(events: Iterable[Any], name: str) -> Any:
    """Build one document from YAML events. Raises SourceError."""
    # For each open list or object: tag, anchor, items in order (keys and values alternate), whether it is a mapping.
    containers: list[tuple[str | None, str | None, list[Any], bool]] = []
    lines: list[list[int]] = []
    anchors: dict[str, tuple[Any, int]] = {}
    sizes = [0]
    documents: list[Any] = []

    def wrong(event: Any, what: str, do: str, error: type[SourceError] = SourceError) -> SourceError:
        return error(f"{name}: {what}", do=do, where=f"{name}: line {event.start_mark.line + 1}")

    def put(value: Any, size: int) -> None:
        sizes[-1] += size
        if lines:
            lines[-1].append(event.start_mark.line + 1)
        if sizes[-1] > VALUES_MAX:
            raise SourceError(f"{name} has more than {VALUES_MAX:,} values", do="split it", where=name)
        (containers[-1][2] if containers else documents).append(value)

    for event in events:
        kind = type(event).__name__
        if kind == "ScalarEvent":
            plain = event.value == "<<" and event.implicit[0]
            value = _MERGE if plain else _tagged(event.tag, event.value)
            if event.anchor:
                anchors[event.anchor] = (value, 1)
            put(value, 1)
        elif kind == "AliasEvent":
            if event.anchor not in anchors:
                raise wrong(event, f"the alias *{event.anchor} refers to nothing before it", "define it first")
            put(*anchors[event.anchor])
        elif kind in ("SequenceStartEvent", "MappingStartEvent"):
            if len(containers) == DEPTH_MAX:
                raise too_deep(name)
            containers.append((event.tag, event.anchor, [], kind == "MappingStartEvent"))
            sizes.append(1)
            lines.append([])
        elif kind in ("SequenceEndEvent", "MappingEndEvent"):
            tag, anchor, items, is_mapping = containers.pop()
            if is_mapping and not all(isinstance(key, str) for key in items[::2]):
                raise wrong(event, "a key is a list or an object", "write keys as text")
            at = lines.pop()
            value = _tagged(tag, _mapping(items, at) if is_mapping else items)
            size = sizes.pop()
            if anchor:
                anchors[anchor] = (value, size)
            put(value, size)
        elif kind == "DocumentStartEvent" and documents:
            first = documents[0]
            template = is_object(first) and any(key == "Resources" for key, _ in pairs(first))
            error = SourceError if template else SeveralDocuments
            raise wrong(event, "a second document begins here", "give each document a file of its own", error)
    return documents[0] if documents else ""


class _Merge(str):
    """The key `<<` without quotes."""

    __slots__ = ()


_MERGE = _Merge("<<")


def _mapping(items: list[Any], lines: list[int]) -> dict[str, Any] | JsonObject:
    """Build an object from alternating keys and values. Own keys override those merged by `<<` (YAML 1.1, merge)."""
    own = [(key, value) for key, value in zip(items[::2], items[1::2], strict=True) if key is not _MERGE]
    merged: dict[str, Any] = {}
    twice_there: list[tuple[str, Any]] = []
    for key, value in zip(items[::2], items[1::2], strict=True):
        for item in value if is_list(value) else [value]:
            if key is _MERGE and isinstance(item, JsonObject):
                times = Counter(name for name, _ in item)
                twice_there += [pair for pair in item if times[pair[0]] > 1]
            if key is _MERGE and is_object(item):
                merged = dict(pairs(item)) | merged
    given = {key for key, _ in own}
    made = [*own, *((key, value) for key, value in merged.items() if key not in given)]
    made += [(key, value) for key, value in twice_there if key not in given]
    if len(dict(made)) == len(made):
        return dict(made)
    twice = Twice(made)
    seen: set[str] = set()
    twice.lines = {}
    for key, line in zip(items[::2], lines[::2], strict=True):
        if key in seen:
            twice.lines[key] = line
        seen.add(key)
    return twice


def _tagged(tag: str | None, value: Any) -> Any:
    if tag == "tag:yaml.org,2002:binary":
        return {"!!binary": value}  # base64: the written text is not the value
    if not tag or not tag.startswith("!") or tag == "!":
        return value
    name = tag[1:]
    if name == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {name if name in ("Ref", "Condition") else f"Fn::{name}": value}
