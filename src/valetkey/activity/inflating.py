"""Trail files as blocks of uncompressed bytes, with never more than a block in memory.

ISA-L (package isal, extra `activity`) decompresses gzip about three times as fast as zlib, which is the fallback.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

BLOCK = 1 << 22
"""Bytes of one file that are in memory; CloudTrail closes most of its files below that."""
_READ = 1 << 20
_GZIP = b"\x1f\x8b"


class BrokenFileError(Exception):
    """A file that cannot be used. The message says why, and is worded to follow the file name."""


@lru_cache(maxsize=1)
def library() -> tuple[Any, str]:
    """Return the decompression library and its name."""
    try:
        from isal import isal_zlib
    except ImportError:
        return zlib, "zlib"
    return isal_zlib, "isal"


def blocks(path: Path) -> Iterator[bytes]:
    """Yield the content in pieces of at most `BLOCK` bytes. Gzip is recognized by its first bytes, not by the file
    name.

    Raises BrokenFileError if the file cannot be read, is cut off, or begins like gzip but is not.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_READ)
            if head.startswith(_GZIP):
                yield from _inflated(head, file)
                return
            while head:
                yield head
                head = file.read(_READ)
    except OSError as error:
        raise BrokenFileError(f"cannot be read: {error.strerror}") from None


def _inflated(data: bytes, file: BinaryIO) -> Iterator[bytes]:
    zipped = library()[0]
    stream = zipped.decompressobj(31)
    ended = False
    try:
        while data:
            piece = stream.decompress(data, BLOCK)
            if piece:
                yield piece
            if stream.eof:
                # A gzip file may have several members in sequence (RFC 1952, 2.2), and zeros at its end.
                rest = stream.unused_data or file.read(_READ)
                rest = rest.lstrip(b"\0") if not rest.startswith(_GZIP) else rest
                ended = True
                if not rest:
                    break
                stream, data, ended = zipped.decompressobj(31), rest, False
            else:
                data = stream.unconsumed_tail or file.read(_READ)
    except (zlib.error, zipped.error) as error:
        raise BrokenFileError(f"is damaged: {error}") from None
    if not ended:
        raise BrokenFileError("is cut off: the end of its gzip stream is missing")
