"""Texts for a party without valetkey: shared by `request --as` and `handoff --as`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from valetkey.cli import _options
from valetkey.commandline import option
from valetkey.errors import ValetkeyError

if TYPE_CHECKING:
    from valetkey.exchange.files import AccessRequest
    from valetkey.exchange.texts.proof import SetupTool


def check_request(tool: SetupTool | None, *, until: str | None, template_url: str | None, keys: bool) -> None:
    """Refuse options that exclude each other, before any call. Raises ValetkeyError."""
    if template_url is not None and tool != "cloudformation":
        raise ValetkeyError("--template-url belongs to --as cloudformation", do="add that, or leave --template-url out")
    if tool is None:
        if until == _options.NEVER:
            raise ValetkeyError(
                "a request cannot ask for --until never", do="leave --until out; the owner decides on the end"
            )
        return
    if until is None:
        raise ValetkeyError(
            f"{option('--as', tool)} needs an end: an owner without valetkey is not asked for one",
            do="give --until DATE, or --until never",
        )
    if keys:
        raise ValetkeyError(
            f"--public-key and --encrypt-to do not go with a text for {tool}: the other side needs valetkey to decrypt",
            do="leave them out; the text holds no secret",
        )


def request(
    made: AccessRequest, tool: SetupTool, *, out: Path | None, template_url: str | None, replace: bool, as_json: bool
) -> int:
    """Write the text of a request to a file, record the request, and print the mail to send. Raises ValetkeyError."""
    from valetkey.credentials.profiles.requests import default_file, keep, write_text
    from valetkey.exchange.texts import letters, quick_create
    from valetkey.exchange.texts.proof import FILES
    from valetkey.exchange.texts.roles import wanted_role
    from valetkey.report.texts import say_request_text

    role = wanted_role(made)
    if template_url is not None:
        quick_create.check_url(template_url, role.terms.partition)
    path = out or Path(default_file(made.customer, FILES[tool]))
    sent = letters.sent(tool, role, file=path.name, reason=made.reason)
    write_text(sent.text.encode(), path, replace=replace)
    keep(made, os.environ)
    link = ""
    if template_url is not None:
        link = quick_create.link(role, sent.text, template_url, read=_read)
        sent = letters.with_link(sent, role, file=path.name, reason=made.reason, quick_create=link)
    say_request_text(made, tool, role, sent, path, link=link, as_json=as_json)
    return 0


def _read(url: str) -> bytes:
    from valetkey.aws.form import read_public
    from valetkey.exchange.texts.quick_create import TEMPLATE_MAX

    return read_public(url, limit=TEMPLATE_MAX, ca_bundle=os.environ.get("AWS_CA_BUNDLE"))


def check_handoff(form: str, encrypt_to: str | None) -> None:
    """Refuse options that exclude each other, before any call. Raises ValetkeyError."""
    if encrypt_to is not None:
        raise ValetkeyError(
            f"--encrypt-to does not go with a text ({form}): the contractor needs valetkey to decrypt",
            do="leave it out; the text holds no secret",
        )


def write_new(path: Path, text: str) -> None:
    """Write a text, mode 0600. An existing file with other contents is not replaced. Raises ValetkeyError."""
    from valetkey import files

    try:
        there = path.read_bytes() if path.exists() else None
        if there is None:
            return files.replace(path, text.encode())
    except OSError as error:
        raise ValetkeyError(
            f"{path} cannot be read: {error.strerror}", do="name another file with -o", where=str(path)
        ) from None
    if there != text.encode():
        raise ValetkeyError(
            f"{path} exists and is not this text",
            do="name another file, or remove it",
            where=str(path),
        )
    return None
