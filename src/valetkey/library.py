"""The contractor's side as a library: `valetkey.session("acme")`.

The result is a plain boto3 session. Its credentials come from valetkey's cache, or from AWS as in `credential-process`,
and are renewed while the session exists.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from valetkey.aws.sdk import SdkSession
    from valetkey.credentials.sessions.machine import Machine
    from valetkey.credentials.sessions.protocols import Ask
    from valetkey.credentials.sessions.values import Credentials


def session(profile: str, *, region: str | None = None, ask: Callable[[str], str] | None = None) -> SdkSession:
    """Return a boto3 session in the role of a customer's profile, as written by `accept`, or of a role behind one.

    The first credentials are fetched immediately, from the cache or from AWS, so that errors are raised here; they are
    renewed when less than 15 minutes are left. No terminal is used: where an MFA code is needed, `ask(device)` gets the
    ARN or serial number of the MFA device and returns six digits; without `ask`, NoTerminal is raised. `valetkey login`
    creates an MFA session beforehand. `region` is the region to work in; by default the AWS profile's, else the one
    recorded by `accept`.

    Raises ValetkeyError, for example ProfileError (no such profile), ConfigError (a damaged AWS file), NoTerminal,
    Refused (AWS refused the role). Source: AWS STS API, AssumeRole.
    """
    from valetkey.aws.sdk import renewing_session
    from valetkey.credentials.sessions.opener import open_profile

    machine = _machine()
    answer = _nobody(profile) if ask is None else _asked(ask)

    def keys() -> Credentials:
        return open_profile(machine, profile, ask=answer).session().credentials

    entry = open_profile(machine, profile, ask=answer)
    first = entry.session().credentials
    return renewing_session(
        first, keys, profiles=(profile, entry.root.profile.source_profile), region=region or entry.region
    )


@cache
def _machine() -> Machine:
    """Return the Machine of this process, which makes no prompt."""
    from valetkey.aws.signin import calling, sign_in
    from valetkey.credentials.doctor.refusal_reasons import explained
    from valetkey.credentials.sessions.machine import Machine
    from valetkey.credentials.sessions.vault import Vault

    return Machine(
        env=os.environ,
        clock=lambda: datetime.now(UTC),
        sleep=time.sleep,
        sign_in=sign_in,
        calling=calling,
        terminal=lambda what, **_: _nobody(what),
        tell=lambda text: False,
        vault=Vault(),
        explained=explained,
    )


def _nobody(profile: str) -> Ask:
    from valetkey.commandline import command
    from valetkey.credentials.sessions.protocols import NoTerminal

    def ask(device: str, /, *, seconds: float, again: str = "") -> str:
        raise NoTerminal(
            f"an MFA code of {device} is needed, and nobody can be asked",
            do=f"run `{command('valetkey login', profile)}` first, or give `ask` to valetkey.session",
        )

    return ask


def _asked(answer: Callable[[str], str]) -> Ask:
    def ask(device: str, /, *, seconds: float, again: str = "") -> str:
        return answer(device)

    return ask
