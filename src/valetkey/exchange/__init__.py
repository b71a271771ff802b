"""The two files that pass between the parties: access request and handoff."""

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
