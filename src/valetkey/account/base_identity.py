"""The words in which a room asks for a base identity, and `valetkey.aws` answers that there is none."""

from __future__ import annotations

from typing import Literal

from valetkey.errors import ValetkeyError

Chain = Literal["usual", "files", "environment"]
"""Where credentials are looked for: as every SDK does, in the AWS files alone, or in what surrounds the process."""

SIGN_IN = "sign in with it, or put its access key into your AWS config; inside `valetkey exec` it is out of reach"

STORED = "valetkey-keyring"
"""The source of a key in the OS keyring, beside botocore's names of its own sources."""


class NoBase(ValetkeyError):
    """The base identity cannot be resolved. Quotes botocore, which names files and profiles, and no secret."""

    exit_code = 3
