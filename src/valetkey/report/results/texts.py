"""Texts for a party without valetkey, as JSON (docs/reference/{request,handoff,show}.md)."""

from __future__ import annotations

from typing import Literal

from valetkey.report.results.shape import Shape


class TextProof(Shape, frozen=True):
    """The proof of a text."""

    holds: bool
    failures: list[str]


class RequestText(Shape, frozen=True):
    """The result of `request --as`."""

    valetkey: Literal["request-text/v1"]
    tool: str
    file: str
    sha256: str
    """SHA-256 of the file: 64 hexadecimal digits."""
    fingerprint: str
    customer: str | None
    account: str
    external_id: str
    role_name: str
    policies: list[str]
    """ARNs."""
    proof: TextProof
    quick_create: str | None
    """The link, if --template-url was given."""
    mail: str


class HandoverText(Shape, frozen=True):
    """The result of `handoff --as`."""

    valetkey: Literal["handover-text/v1"]
    form: str
    file: str | None
    text: str


class GrantCommand(Shape, frozen=True):
    """The result of `show --as command`."""

    valetkey: Literal["command/v1"]
    name: str
    command: str
    files: list[str]
    """Policy files that the command names."""
