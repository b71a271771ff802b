"""valetkey login: prompt for the MFA code now, and keep the access key or the seed in the OS keyring."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from valetkey.cli._options import Output
from valetkey.commandline import command, option
from valetkey.errors import ValetkeyError

if TYPE_CHECKING:
    from valetkey.credentials.sessions.base_keys import StoredKey
    from valetkey.credentials.sessions.opener import Entry
    from valetkey.credentials.sessions.protocols import SignedIn
    from valetkey.credentials.sessions.tools import Tools


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
    from valetkey.account.base_identity import STORED, NoBase
    from valetkey.cli import _questions, _signing

    if sum((store_key, rotate_key, store_seed)) > 1:
        raise ValetkeyError("--store-key, --rotate-key and --store-seed exclude each other", do="give one of them")
    if name and base:
        raise ValetkeyError("NAME says which base identity is meant, and so does --base", do="name one of them")
    if mfa_code_stdin and (store_key or store_seed):
        what = "--store-key needs no code" if store_key else "--store-seed makes the code from the seed"
        raise ValetkeyError(what, do="leave --mfa-code-stdin out")
    life = _signing.life(for_)
    try:
        signing = _signing_in(name, base)
    except NoBase:
        # The key is in no file yet: prompt for it, and write it to the keyring only.
        if not store_key or name or not _questions.at_terminal():
            raise
        _store_typed_key(_signing.source(base, os.environ), as_json=output.as_json)
        return 0
    _signing.refuse_temporary(signing.who, signing.source)
    if store_key or rotate_key:
        _signing.check_place(signing.source, is_stored=signing.who.source == STORED, rotate=rotate_key)
    if store_key:
        _store_key(signing, as_json=output.as_json)
    elif rotate_key:
        old = _key_to_rotate(signing)
        _questions.consent(f"Make a new access key for {old.user}, and delete {old.access_key_id}?", yes=yes)
        _rotate_key(signing, old, mfa_serial, from_stdin=mfa_code_stdin, as_json=output.as_json)
    else:
        _log_in(
            signing, mfa_serial, life=life, from_stdin=mfa_code_stdin, store_seed=store_seed, as_json=output.as_json
        )
    return 0


@dataclass(frozen=True)
class _SigningIn:
    """The base identity that `login` signs in with."""

    name: str | None
    """The customer's profile, if one was named."""
    entry: Entry | None
    """The opened profile, if one was named."""
    source: str | None
    """The AWS profile."""
    who: SignedIn

    def device(self, mfa_serial: str | None) -> str:
        """Return the MFA device. Raises ValetkeyError."""
        from valetkey.cli import _signing

        return _signing.device(mfa_serial, self.entry.root.profile if self.entry else None, self.source, self.who)

    def tools(self, *, from_stdin: bool) -> Tools:
        """Return the tools for the broker."""
        from valetkey.cli._machine import machine
        from valetkey.cli._ways import WayOptions
        from valetkey.credentials.sessions.opener import Codes, tools_of

        given = option("--base", self.source) if self.source else ""
        again = " ".join(["valetkey login", *filter(None, [given])])
        login = command("valetkey login", self.name) if self.name else again
        way = WayOptions(mfa_code_stdin=from_stdin).way
        return tools_of(
            machine(), self.who, self.name or self.source or "default", Codes(self.source, login=login), way
        )


def _signing_in(name: str | None, base: str | None) -> _SigningIn:
    """Resolve the base identity. Raises ValetkeyError."""
    from valetkey.cli import _signing
    from valetkey.cli._machine import machine, open_profile
    from valetkey.credentials.sessions.base_choice import BaseChoice, recorded, sign_in_as

    if name:
        entry = open_profile(name)
        return _SigningIn(name, entry, entry.profile.source_profile, entry.base)
    source = _signing.source(base, os.environ)
    customer = _signing.customer_of(source, os.environ)
    choice = recorded(customer) if customer else BaseChoice(source)
    return _SigningIn(None, None, source, sign_in_as(machine(), choice, source or "default"))


def _store_key(signing: _SigningIn, *, as_json: bool) -> None:
    """Move the access key into the keyring. Raises ValetkeyError."""
    from valetkey.cli import _signing
    from valetkey.cli._interrupting import whole
    from valetkey.cli._machine import machine
    from valetkey.credentials.sessions import base_keys
    from valetkey.report import login as report

    user = _signing.user_of(signing.who)
    with whole("the access key is in the keyring"):
        key, path = base_keys.store(signing.source, signing.who, user, env=os.environ, vault=machine().vault)
    report.say_stored(key.access_key_id, user, path, as_json=as_json)


def _store_typed_key(source: str | None, *, as_json: bool) -> None:
    """Prompt for an access key and store it in the keyring. Raises ValetkeyError."""
    from valetkey.cli import _signing
    from valetkey.cli._interrupting import whole
    from valetkey.cli._machine import machine
    from valetkey.credentials.sessions import base_keys
    from valetkey.report import login as report

    keys = _signing.read_key(source)
    user = _signing.user_of_key(keys, source)
    with whole("the access key is in the keyring"):
        base_keys.keep(source, keys, user, env=os.environ, vault=machine().vault)
    report.say_stored(keys.access_key_id, user, None, as_json=as_json)


def _key_to_rotate(signing: _SigningIn) -> StoredKey:
    from valetkey.cli._machine import machine
    from valetkey.credentials.sessions.base_keys import stored_key

    key = stored_key(signing.source, os.environ, machine().vault)
    if key is None:  # check_place found it a moment ago
        raise ValetkeyError("the access key is not in the keyring any more", do="run `valetkey login --store-key`")
    return key


def _rotate_key(
    signing: _SigningIn, old: StoredKey, mfa_serial: str | None, *, from_stdin: bool, as_json: bool
) -> None:
    """Replace the access key in the keyring by a new one. Raises ValetkeyError."""
    from valetkey.cli import _signing
    from valetkey.cli._machine import machine
    from valetkey.credentials.sessions import base_keys
    from valetkey.report import login as report

    source = signing.source
    device = signing.device(mfa_serial)
    session = signing.tools(from_stdin=from_stdin).mfa_session(device, max_age=None)
    perform = _signing.iam(source, session.credentials)
    try:
        new = base_keys.rotate(
            source,
            old,
            perform=perform,
            connect=signing.who.connect,
            env=os.environ,
            vault=machine().vault,
            sleep=machine().sleep,
        )
    except KeyboardInterrupt:
        raise ValetkeyError(
            f"interrupted: a new key of {old.user} may have been made, and {old.access_key_id} may be deleted already",
            do="run the same command again to finish; the keyring keeps a key that works",
            exit_code=130,
        ) from None
    report.say_rotated(old.access_key_id, new.access_key_id, as_json=as_json)


def _log_in(
    signing: _SigningIn, mfa_serial: str | None, *, life: int, from_stdin: bool, store_seed: bool, as_json: bool
) -> None:
    """Create an MFA session, and a role session if a profile was named. Raises ValetkeyError."""
    from valetkey.cli import _signing
    from valetkey.cli._interrupting import done
    from valetkey.cli._machine import machine
    from valetkey.credentials.sessions import mfa_sources
    from valetkey.report import login as report

    here, entry = machine(), signing.entry
    device = signing.device(mfa_serial)
    tools = signing.tools(from_stdin=from_stdin)
    seed = _signing.read_seed(device, here.vault) if store_seed else None
    if seed is not None:
        tools = tools.asking(mfa_sources.seed(lambda _: seed, clock=here.clock, sleep=here.sleep))
    session = tools.mfa_session(device, max_age=None, life=life, fresh=True)
    done(f"an MFA session until {session.credentials.expires:%Y-%m-%d %H:%M} UTC is kept")
    if seed is not None:
        mfa_sources.keep_seed(here.vault, device, seed)  # AWS has accepted a code from it
    # Assume the role again instead of using a cached session: a grant that has ended must show now.
    role = replace(entry, accepted=here.clock()).session() if entry else None
    profile, limit = (entry.profile, entry.limit) if entry else (None, None)
    report.say_login(signing.source, device, session, tools.kept_in, profile, role, limit, as_json=as_json)
