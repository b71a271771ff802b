"""How a room names the source of a base identity, and the error that `valetkey.aws` raises where there is none."""

from __future__ import annotations

from typing import Literal

from valetkey.errors import ValetkeyError

Chain = Literal["usual", "files", "environment"]
"""Where to look for credentials: the usual SDK chain; only the AWS files; only the process's environment variables,
container role and instance role."""

SIGN_IN = "sign in with it, or put its access key into your AWS config; inside `valetkey exec` it is out of reach"

STORED = "valetkey-keyring"
"""The source name of a key in the OS keyring; the other source names are botocore's."""


class NoBase(ValetkeyError):
    """The base identity cannot be resolved. Quotes botocore's message, which names files and profiles but no secret."""

    exit_code = 3
