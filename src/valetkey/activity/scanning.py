"""Scan one trail file for wanted records.

Layouts: `{"Records": [...]}` as CloudTrail writes it, a JSON array, one record per line (NDJSON), a LookupEvents
response (`{"Events": [...]}`, as the AWS CLI prints it), a single record. A file is read in blocks. A block without any
of the wanted texts is not decoded; in other blocks, only the records around these texts are decoded.

INVARIANT: bytes that are skipped without decoding cannot hold a wanted record (`Wanted.needles`). Where the boundaries
of records are not certain, the whole part is decoded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from valetkey.activity.events import Event
from valetkey.activity.inflating import BLOCK, BrokenFileError, blocks
from valetkey.activity.records import DOCUMENT, RAWS, RECORD, UNDECODABLE, SkippedRecordError, decoded
from valetkey.activity.wanted import Wanted

_HEAD = re.compile(rb'(?:\xef\xbb\xbf)?\s*(?:\{\s*"Records"\s*:\s*)?\[\s*')
_TAIL = re.compile(rb"\s*\]\s*\}?\s*$")
_BEGIN = b'{"eventVersion"'
"""How CloudTrail begins every record. Inside a JSON string, the quotes would be escaped."""
_NEXT = b',{"eventVersion"'
_JOINT = re.compile(rb'(?:\s*\]\s*\}\s*\{\s*"Records"\s*:\s*\[\s*)+')
"""Boundary between two trail files in the output of `zcat *.json.gz`. Inside a JSON string, its quotes would be
escaped."""
_BETWEEN = b" \t\r\n,"
_MOST = 1 << 26
"""Bytes without the end of a record after which a file is rejected."""
_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|["{}\[\]]', re.DOTALL)


@dataclass
class Scanned:
    """Result of scanning one file."""

    events: list[Event] = field(default_factory=list)
    records: int = 0
    """Number of decoded records."""
    size: int = 0
    """Bytes, uncompressed."""
    mentions: bool = False
    """Whether the file contains any of the wanted texts."""
    skipped: dict[str, int] = field(default_factory=dict)
    """Number of unusable records, by reason."""
    broken: str = ""
    """Why the file was rejected; none of its content is used then."""


def scan(path: Path, wanted: Wanted) -> Scanned:
    """Return the wanted records of a file. Errors are in the result; raises nothing."""
    result = Scanned()
    try:
        _File(wanted, result).read(blocks(path))
    except BrokenFileError as error:
        return Scanned(size=result.size, broken=str(error))
    return result


class _File:
    """Reads one file into `result`."""

    def __init__(self, wanted: Wanted, result: Scanned) -> None:
        self._wanted = wanted
        self._needles = wanted.needles
        self._found = result

    def read(self, pieces: Iterator[bytes]) -> None:
        buffer, whole = b"", True
        in_array: bool | None = None
        for piece in pieces:
            self._found.size += len(piece)
            buffer = buffer + piece if buffer else piece
            if len(buffer) < BLOCK:
                continue
            if in_array is None:
                head = _HEAD.match(buffer)
                in_array = head is not None
                buffer = buffer[head.end() :] if head else buffer
            buffer, whole = self._part(buffer, in_array=in_array), False
        if not whole:
            self._rest(buffer, in_array=bool(in_array))
        elif buffer.strip():
            self._whole(buffer)
        else:
            raise BrokenFileError("is empty")

    def _part(self, buffer: bytes, *, in_array: bool) -> bytes:
        """Process the complete records at the front of the buffer. Returns the rest."""
        if not in_array:
            end = buffer.rfind(b"\n") + 1
            if end:
                self._lines(buffer[:end])
        else:
            buffer = buffer.lstrip(_BETWEEN)
            end = buffer.rfind(_NEXT)
            if end > 0 and (self._records(buffer[:end]) or self._records(_joined(buffer[:end]))):
                return buffer[end + 1 :]
            end = _last_record(buffer)
            if end:
                self._decoded(buffer[:end])
                return buffer[end:]
        if not end and len(buffer) > _MOST:
            raise BrokenFileError(f"has no end of a record within {_MOST >> 20} MB")
        return buffer[end:]

    def _rest(self, buffer: bytes, *, in_array: bool) -> None:
        """Process the last part of a file of several blocks."""
        if not in_array:
            self._lines(buffer)
            return
        tail = _TAIL.search(buffer, max(0, len(buffer) - 64))
        if tail is None:
            raise BrokenFileError("is cut off: the end of its list of records is missing")
        part = buffer[: tail.start()].lstrip(_BETWEEN)
        if part and not self._records(part) and not self._records(part := _joined(part)):
            self._decoded(part)

    def _whole(self, data: bytes) -> None:
        """Process a file that fits in one block."""
        head, tail = _HEAD.match(data), _TAIL.search(data, max(0, len(data) - 64))
        if head and tail and tail.start() >= head.end():
            part = data[head.end() : tail.start()]
            if not part.strip() or self._records(part) or self._records(part := _joined(part)):
                return
            if part.startswith(_BEGIN) and b"\n" not in part:
                self._decoded(part)
                return
        if not self._mentions(data):
            # Not decoded: the last character shows whether the file is complete.
            if data.strip()[-1:] not in (b"}", b"]"):
                raise BrokenFileError("is cut off, or is not JSON")
            return
        self._document(data.removeprefix(b"\xef\xbb\xbf"))

    def _mentions(self, data: bytes) -> bool:
        if any(needle in data for needle in self._needles):
            self._found.mentions = True
            return True
        return False

    def _records(self, part: bytes) -> bool:
        """Process records separated by commas, and decode only those that contain a wanted text. Returns False, and
        takes nothing, if the boundaries are not as CloudTrail writes them."""
        if not self._mentions(part):
            return True
        events: list[Event] = []
        skipped: dict[str, int] = {}
        count = position = 0
        hits = _Hits(part, self._needles)
        while (hit := hits.after(position)) >= 0:
            start = part.rfind(_BEGIN, position, hit)
            if start < 0:
                return False
            end = part.find(_NEXT, hit)
            end = len(part) if end < 0 else end
            try:
                event = self._wanted.event(RECORD.decode(part[start:end]))
            except SkippedRecordError as reason:
                skipped[str(reason)] = skipped.get(str(reason), 0) + 1
            except UNDECODABLE:
                return False
            else:
                if event is not None:
                    events.append(event)
            count += 1
            if end == len(part):
                break
            position = end + 1
        self._found.events += events
        self._found.records += count
        for reason_, number in skipped.items():
            self._skip(reason_, number)
        return True

    def _decoded(self, part: bytes) -> None:
        """Process records separated by commas, and decode each of them."""
        raws: Iterable[msgspec.Raw | bytes]
        try:
            raws = RAWS.decode(b"[" + part + b"]")
        except UNDECODABLE:
            # One bad record must not hide the others: if the boundaries are visible, decode each record on its own.
            if not part.startswith(_BEGIN):
                raise BrokenFileError("is not the JSON of a trail") from None
            raws = (_BEGIN + item for item in part[len(_BEGIN) :].split(_NEXT))
        for raw in raws:
            self._one(raw)

    def _one(self, raw: msgspec.Raw | bytes | str) -> None:
        self._found.records += 1
        try:
            event = self._wanted.event(decoded(raw))
        except SkippedRecordError as reason:
            self._skip(str(reason))
        else:
            if event is not None:
                self._found.events.append(event)

    def _skip(self, reason: str, number: int = 1) -> None:
        self._found.skipped[reason] = self._found.skipped.get(reason, 0) + number

    def _lines(self, data: bytes) -> None:
        """Process one document per line."""
        if not self._mentions(data):
            return
        position = 0
        hits = _Hits(data, self._needles)
        while (hit := hits.after(position)) >= 0:
            start = data.rfind(b"\n", position, hit) + 1 or position
            end = data.find(b"\n", hit)
            end = len(data) if end < 0 else end
            self._document(data[start:end], in_lines=True)
            position = end

    def _document(self, data: bytes, *, in_lines: bool = False) -> None:
        """Process a document of any layout, decoded whole."""
        if data.lstrip().startswith(b"["):
            self._decoded(data.strip().removeprefix(b"[").removesuffix(b"]"))
            return
        try:
            document = DOCUMENT.decode(data)
        except UNDECODABLE as error:
            if in_lines:
                self._skip("it is not JSON, or not of a trail")
            elif "trailing characters" in str(error):
                self._lines(data)
            else:
                raise BrokenFileError("is cut off, or is not the JSON of a trail") from None
            return
        if document.Records is not None:
            for raw in document.Records:
                self._one(raw)
        elif document.Events is not None:
            for looked in document.Events:
                self._one(looked.CloudTrailEvent)
        elif document.CloudTrailEvent is not None:
            self._one(document.CloudTrailEvent)
        elif document.eventName is not None:
            self._one(data)
        elif in_lines:
            self._skip("it is not a record of a trail")
        else:
            raise BrokenFileError("is JSON, but not of a trail")


class _Hits:
    """Positions of the wanted texts in some bytes. Each text is searched once, front to back: the time grows with the
    bytes times the texts, not with the number of hits."""

    def __init__(self, data: bytes, needles: Iterable[bytes]) -> None:
        self._data = data
        self._next = {needle: at for needle in needles if (at := data.find(needle)) >= 0}

    def after(self, position: int) -> int:
        """Return the first hit at or after `position`, which must never decrease; -1 if there is none."""
        for needle, at in list(self._next.items()):
            if at < position:
                at = self._data.find(needle, position)
                if at < 0:
                    del self._next[needle]
                else:
                    self._next[needle] = at
        return min(self._next.values(), default=-1)


def _joined(part: bytes) -> bytes:
    """Join the records of concatenated files into one list."""
    return _JOINT.sub(b",", part).strip(_BETWEEN)


def _last_record(buffer: bytes) -> int:
    """Return the end of the last complete object in a list of objects, in any layout; 0 if none is complete."""
    depth = end = 0
    for token in _TOKEN.finditer(buffer):
        kind = token[0]
        if kind == b'"':
            return end  # the string continues in the next block
        if kind in (b"{", b"["):
            depth += 1
        elif kind in (b"}", b"]"):
            depth -= 1
            if depth == 0:
                end = token.end()
            elif depth < 0:
                return end
    return end
