"""What is written for a side without valetkey, as JSON (docs/reference/{request,handoff,show}.md)."""

from __future__ import annotations

from typing import Literal

from valetkey.report.results.shape import Shape


class TextProof(Shape, frozen=True):
    """What was proved of a text."""

    holds: bool
    failures: list[str]


class RequestText(Shape, frozen=True):
    """What `request --as` wrote."""

    valetkey: Literal["request-text/v1"]
    tool: str
    file: str
    sha256: str
    """Of the file: 64 hexadecimal digits."""
    fingerprint: str
    customer: str | None
    account: str
    external_id: str
    role_name: str
    policies: list[str]
    """ARNs."""
    proof: TextProof
    quick_create: str | None
    """The link, where --template-url was given."""
    mail: str


class HandoverText(Shape, frozen=True):
    """What `handoff --as` wrote."""

    valetkey: Literal["handover-text/v1"]
    form: str
    file: str | None
    text: str


class GrantCommand(Shape, frozen=True):
    """What `show --as command` prints."""

    valetkey: Literal["command/v1"]
    name: str
    command: str
    files: list[str]
    """Policy files that the command names."""
