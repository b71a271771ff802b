"""valetkey request: write an access request for a customer."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from valetkey.cli._options import NEVER, AwsOptions, Output, seconds
from valetkey.cli._options import until as parse_until
from valetkey.cli._sealing import EncryptTo


def request(
    customer: Annotated[str, Parameter(help="Your own name for the customer.")] = "",
    /,
    *,
    policy: Annotated[list[str] | None, Parameter(negative="", help="A policy to request, by name or ARN.")] = None,
    until: Annotated[
        str | None, Parameter(help="The end of the access that you need: 2026-12-31, or 30d; with --as also never.")
    ] = None,
    session: Annotated[str | None, Parameter(help="The session length that you need: 1h to 12h.")] = None,
    reason: Annotated[str, Parameter(help="The reason for the access, in one line.")] = "",
    out: Annotated[Path | None, Parameter(name=["--out", "-o"], help="The file to write.")] = None,
    public_key: Annotated[
        str | None,
        Parameter(help="Your age or SSH public key, or a file with it; the owner encrypts the handoff to it."),
    ] = None,
    encrypt_to: EncryptTo = None,
    new: Annotated[
        bool, Parameter(negative="", help="Use a new ExternalId even if an earlier request to this customer has one.")
    ] = False,
    as_: Annotated[
        Literal["console", "cloudformation", "terraform", "shell"] | None,
        Parameter(
            name="--as",
            help="For an owner without valetkey: print what creates the role with that tool. Needs --until.",
        ),
    ] = None,
    template_url: Annotated[
        str | None,
        Parameter(help="With --as cloudformation: the S3 URL of one version of the template, for a link to it."),
    ] = None,
    yes: Annotated[bool, Parameter(negative="", help="Replace an existing file that is not this request.")] = False,
    account: AwsOptions = AwsOptions(),  # noqa: B008 - frozen
    output: Output = Output(),  # noqa: B008 - frozen
) -> int:
    """Write an access request for a customer: your account, a new ExternalId, and the policies you want.

    Send the file to the customer, and read the fingerprint to them. Asking the same customer again keeps the
    ExternalId. An owner without valetkey gets a text for their own tools with --as, and sends a role ARN back.
    """
    from valetkey.aws import connect
    from valetkey.cli import _sealing, _texts
    from valetkey.cli._interrupting import whole
    from valetkey.cli._machine import machine
    from valetkey.cli._signing import readable_profiles
    from valetkey.credentials.profiles.identity import identify, own_principal
    from valetkey.credentials.profiles.requests import (
        Wishes,
        default_file,
        keep,
        known_requests,
        make_request,
        write_file,
    )
    from valetkey.credentials.sessions.base_binding import refuse_accepted_role
    from valetkey.credentials.sessions.base_keys import stored_key
    from valetkey.report.contractor import say_request

    now = datetime.now(UTC)
    _texts.check_request(as_, until=until, template_url=template_url, keys=bool(public_key or encrypt_to))
    wishes = Wishes(
        policies=tuple(policy or ()),
        until=parse_until(until, now=now) if until and until != NEVER else None,
        session=seconds(session, name="--session") if session else None,
        reason=reason,
        public_key=_sealing.public_key(public_key),
    )
    owner_key = _sealing.public_key(encrypt_to)
    known = known_requests(os.environ)
    source = account.profile or os.environ.get("AWS_PROFILE") or os.environ.get("AWS_DEFAULT_PROFILE")
    stored = stored_key(source, os.environ, machine().vault)
    perform = connect(profile=account.profile, region=account.region, stored=stored)
    caller = identify(perform)
    refuse_accepted_role(caller, readable_profiles(os.environ))
    identity = own_principal(perform, caller)
    made = make_request(customer, wishes, identity=identity, known=known, now=now, new=new)
    if as_ is not None:
        return _texts.request(made, as_, out=out, template_url=template_url, replace=yes, as_json=output.as_json)
    path = out or Path(default_file(customer) + (".age" if owner_key else ""))
    with whole(f"{path} is written, and the request is recorded"):
        write_file(made, path, replace=yes, encrypt_to=owner_key)
        keep(made, os.environ)
    say_request(made, path, encrypted=owner_key is not None, as_json=output.as_json)
    return 0
