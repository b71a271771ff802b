"""Names of profiles, and the ids that replace them in file names and in credential_process where a name is not safe.

A name is any name that the AWS CLI accepts: `Audit/PowerUser`, spaces, any alphabet. INVARIANT: no file name made from
a name leaves its directory or is hidden, and an id is one word in every shell and in the AWS config.
"""

from __future__ import annotations

import hashlib
import json
import re

from valetkey.errors import ValetkeyError

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}", re.ASCII)
_ID = re.compile(r"p-[0-9a-f]{16}", re.ASCII)
_LONGEST = 128


class ProfileError(ValetkeyError):
    """A profile that does not exist or cannot be used."""


def check_name(name: str) -> str:
    """Return the name if it is valid for a profile. Raises ProfileError."""
    # isprintable: no control or format characters (a bidi mark would display a different name), no lone surrogates.
    if not (0 < len(name) <= _LONGEST and name.isprintable() and name == name.strip() and name[0] not in "-["):
        raise ProfileError(
            f"{json.dumps(name[:80])} cannot name a profile",
            do="use 1 to 128 printable characters, without blanks around them and without - or [ at the beginning",
        )
    return name


def file_id(name: str) -> str:
    """Return the id of a name on disk and on the credential_process line: the name itself if it is plain, else `p-` and
    16 hex digits of its SHA-256. Names that differ in any byte have different ids. Raises ProfileError."""
    if _PLAIN.fullmatch(check_name(name)) and not _ID.fullmatch(name):
        return name
    return "p-" + hashlib.sha256(name.encode()).hexdigest()[:16]


def is_id(text: str) -> bool:
    """Return whether a word is an id that replaces a name (`p-` and 16 hex digits)."""
    return _ID.fullmatch(text) is not None


def is_file_id(text: str) -> bool:
    """Return whether `file_id` can return this word: a plain name, or an id."""
    return _PLAIN.fullmatch(text) is not None
