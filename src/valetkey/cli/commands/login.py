"""valetkey login: ask for the MFA code now, and keep the access key or the seed in the OS keyring."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from typing import Annotated

from cyclopts import Parameter

from valetkey.cli._options import Output
from valetkey.commandline import command, option
from valetkey.errors import ValetkeyError


def login(
    name: Annotated[str | None, Parameter(help="A profile that `accept` wrote; its role is assumed too.")] = None,
    /,
    *,
    base: Annotated[str | None, Parameter(help="The AWS profile of a base identity.")] = None,
    for_: Annotated[str, Parameter(name="--for", help="How long the MFA session lasts: 15m to 36h.")] = "12h",
    mfa_serial: Annotated[
        str | None, Parameter(help="Serial number or ARN of your MFA device, if valetkey cannot look it up.")
    ] = None,
    mfa_code_stdin: Annotated[bool, Parameter(negative="", help="Read the code from the first line of stdin.")] = False,
    store_key: Annotated[bool, Parameter(negative="", help="Move the access key into the OS keyring.")] = False,
    rotate_key: Annotated[
        bool, Parameter(negative="", help="Replace the access key in the keyring by a new one.")
    ] = False,
    store_seed: Annotated[
        bool,
        Parameter(negative="", help="Store the device's TOTP seed in the keyring. Both factors are then in one place."),
    ] = False,
    yes: Annotated[bool, Parameter(negative="", help="Replace the key without asking.")] = False,
    output: Output = Output(),  # noqa: B008 - frozen
) -> int:
    """Enter the MFA code now, so that tools without a terminal find a session.

    One code is enough for every customer of the base identity, for 12 hours or as long as --for says.
    """
    from valetkey.aws.opening import STORED
    from valetkey.cli import _questions, _signing
    from valetkey.cli._entry import clock, open_profile, sign_in_as, stored, tools_of, vault
    from valetkey.cli._ways import Way
    from valetkey.credentials.sessions import base_keys, mfa_sources
    from valetkey.report import login as report

    if sum((store_key, rotate_key, store_seed)) > 1:
        raise ValetkeyError("--store-key, --rotate-key and --store-seed exclude each other", do="give one of them")
    if name and base:
        raise ValetkeyError("NAME says which base identity is meant, and so does --base", do="name one of them")
    if mfa_code_stdin and (store_key or store_seed):
        what = "--store-key needs no code" if store_key else "--store-seed makes the code from the seed"
        raise ValetkeyError(what, do="leave --mfa-code-stdin out")
    life = _signing.life(for_)
    entry = open_profile(name) if name else None
    source = entry.profile.source_profile if entry else _signing.source(base, os.environ)
    who = entry.base if entry else sign_in_as(source, source or "default", _signing.customer_of(source, os.environ))
    _signing.refuse_temporary(who, source)
    if store_key or rotate_key:
        _signing.check_place(source, is_stored=who.source == STORED, rotate=rotate_key)
    if store_key:
        user = _signing.user_of(who)
        key, path = base_keys.store(source, who, user, env=os.environ, vault=vault())
        report.say_stored(key.access_key_id, user, path, as_json=output.as_json)
        return 0
    old = stored(source) if rotate_key else None
    if old is not None:
        question = f"Make a new access key for {old.user}, and delete {old.access_key_id}?"
        _questions.consent(question, yes=yes)
    device = _signing.device(mfa_serial, entry.root.profile if entry else None, source, who)
    given = option("--base", source) if source else ""
    again = command("valetkey login", name) if name else " ".join(["valetkey login", *filter(None, [given])])
    tools = tools_of(who, name or source or "default", source, Way(mfa_code_stdin=mfa_code_stdin), login=again)
    if old is not None:
        session = tools.mfa_session(device, max_age=None)
        perform = _signing.iam(source, session.credentials)
        new = base_keys.rotate(
            source, old, perform=perform, connect=who.connect, env=os.environ, vault=vault(), sleep=time.sleep
        )
        report.say_rotated(old.access_key_id, new.access_key_id, as_json=output.as_json)
        return 0
    seed = _signing.read_seed(device, vault()) if store_seed else None
    if seed is not None:
        tools = tools.asking(mfa_sources.seed(lambda _: seed, clock=clock, sleep=time.sleep))
    session = tools.mfa_session(device, max_age=None, life=life, fresh=True)
    if seed is not None:
        mfa_sources.keep_seed(vault(), device, seed)  # AWS has taken a code of it
    # Not one that is kept: a grant that has been ended is to be seen now.
    role = replace(entry, accepted=clock()).session() if entry else None
    profile, limit = (entry.profile, entry.limit) if entry else (None, None)
    report.say_login(source, device, session, tools.kept_in, profile, role, limit, as_json=output.as_json)
    return 0
