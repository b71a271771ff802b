"""The two files that the parties exchange: access request and handoff."""

from valetkey.exchange.files import (
    AccessRequest,
    FileError,
    Handoff,
    Received,
    check,
    dump,
    fingerprint,
    load,
    same_fingerprint,
)

__all__ = [
    "AccessRequest",
    "FileError",
    "Handoff",
    "Received",
    "check",
    "dump",
    "fingerprint",
    "load",
    "same_fingerprint",
]
