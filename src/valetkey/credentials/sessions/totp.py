"""Codes of an authenticator app: RFC 6238 with SHA-1, 6 digits, 30 seconds, which is what AWS's virtual devices use
(IAM User Guide, id_credentials_mfa_enable_virtual)."""

from __future__ import annotations

import base64
import hmac
import re
from urllib.parse import parse_qs, urlsplit

from valetkey.errors import ValetkeyError

STEP = 30
"""The seconds for which a device shows one code."""


def read_seed(text: str) -> str:
    """Return the seed in base32, from the "secret key" of the AWS console or an otpauth:// URI. Raises ValetkeyError,
    which never contains the seed."""
    text = text.strip()
    if text.lower().startswith("otpauth://totp/"):
        asked = parse_qs(urlsplit(text).query)
        if any(asked.get(name, [usual])[0].upper() != usual for name, usual in _USUAL.items()):
            raise ValetkeyError("the seed is of another kind of code than AWS uses (SHA-1, 6 digits, 30 seconds)")
        text = asked.get("secret", [""])[0]
    seed = re.sub(r"[\s-]", "", text).upper().rstrip("=")
    try:
        if len(base64.b32decode(_padded(seed))) < 10:
            raise ValueError
    except ValueError:
        raise ValetkeyError(
            "this is not the seed of an authenticator app",
            do="give the secret key that AWS shows for a new virtual MFA device (base32), or its otpauth:// address",
        ) from None
    return seed


_USUAL = {"algorithm": "SHA1", "digits": "6", "period": "30"}


def code_at(seed: str, when: float) -> str:
    """Return the code of the device at a time (seconds since 1970)."""
    counter = int(when // STEP).to_bytes(8)
    digest = hmac.digest(base64.b32decode(_padded(seed)), counter, "sha1")
    at = digest[-1] & 0x0F
    return f"{(int.from_bytes(digest[at : at + 4]) & 0x7FFFFFFF) % 10**6:06d}"


def _padded(seed: str) -> str:
    return seed + "=" * (-len(seed) % 8)
