"""Errors of the sandbox."""

from __future__ import annotations

from valetkey.errors import ValetkeyError


class SandboxError(ValetkeyError):
    """The sandbox cannot be started or reached."""
