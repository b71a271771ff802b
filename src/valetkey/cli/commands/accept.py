"""valetkey accept: check a handoff and write the AWS profile for it."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from valetkey.cli._options import Account, Output
from valetkey.cli._sealing import Identity


def accept(
    file: Annotated[Path, Parameter(help="The owner's handoff.")],
    /,
    *,
    name: Annotated[str | None, Parameter(help="Name of the AWS profile to write.")] = None,
    customer: Annotated[
        str | None, Parameter(help="The customer that the role belongs to, as named in your request.")
    ] = None,
    mfa_serial: Annotated[
        str | None, Parameter(help="Serial number or ARN of your MFA device, if valetkey cannot look it up.")
    ] = None,
    base_from_environment: Annotated[
        bool,
        Parameter(negative="", help="Assume the role with the credentials in the environment, not with a profile's."),
    ] = False,
    identity: Identity = None,
    yes: Annotated[
        bool, Parameter(negative="", help="Accept a handoff for which no request is known, without asking.")
    ] = False,
    account: Account = Account(),  # noqa: B008 - frozen
    output: Output = Output(),  # noqa: B008 - frozen
) -> int:
    """Check a handoff and write the AWS profile for it. Tools then use --profile NAME.

    Compare the fingerprint with the owner's over the phone.
    """
    from valetkey.cli import _sealing
    from valetkey.cli._base import choose, sign_in_chosen
    from valetkey.cli._questions import choose_device, consent
    from valetkey.credentials.profiles import acceptance, awsconfig, whose_account
    from valetkey.credentials.profiles.identity import identify
    from valetkey.credentials.profiles.profile import names, save
    from valetkey.credentials.profiles.requests import check_customer, known_requests
    from valetkey.credentials.sessions.base_binding import refuse_accepted_role
    from valetkey.exchange.files import Handoff, load
    from valetkey.report.contractor import say_accepted, say_handoff
    from valetkey.report.text import say

    if customer is not None:
        check_customer(customer)
    received = load(_sealing.read(file, identity, do="name the owner's handoff"), Handoff, name=str(file))
    known, have = known_requests(os.environ), acceptance.accepted(os.environ, renewing=name)
    name = acceptance.profile_name(name or acceptance.default_name(received.value, have))
    # INVARIANT: who is judged is who later calls begin with, and a session of valetkey's is nobody.
    base = choose(
        account.profile,
        from_environment=base_from_environment,
        renewing=next((each for each in have if each.name == name), None),
        names=names(os.environ),
    )
    who = sign_in_chosen(base, name, region=account.region)
    perform, source = who.connect(who), base.source
    caller = identify(perform)
    refuse_accepted_role(caller, have)
    judged = acceptance.judge(
        received,
        identity=caller,
        known=known,
        profiles=have,
        customer=customer,
        name=name,
        now=datetime.now(UTC),
        aws_profiles=whose_account.by_hand(os.environ),
    )
    region = (
        account.region
        or next((each.region for each in have if each.name == name), None)
        or os.environ.get("AWS_REGION")
        or os.environ.get("AWS_DEFAULT_REGION")
        or awsconfig.region_of(source, os.environ)
    )
    awsconfig.check_free(name, os.environ, region=region)
    if not output.as_json:
        say_handoff(judged, name)
    if base.passed_over:
        say(f"note: {base.passed_over}", stderr=True)
    if judged.question:
        # With --json, or stdout elsewhere, this is all that the person sees.
        which = f"{judged.handoff.role_arn}, fingerprint {judged.fingerprint}."
        consent(f"{which}\n{judged.question}", yes=yes)
    serial = acceptance.check_serial(mfa_serial) if mfa_serial else None
    if judged.handoff.mfa and serial is None:
        serial = acceptance.find_mfa(perform, caller, choose=choose_device)
    profile = acceptance.profile_for(
        judged,
        name=name,
        identity=caller,
        source_profile=source,
        base_files=base.files,
        mfa_serial=serial,
        region=region,
    )
    command = awsconfig.process_command(executable(), name)
    save(profile, os.environ)
    written = awsconfig.write_profile(name, command, os.environ, region=region, new_region=bool(account.region))
    say_accepted(judged, profile, caller, written, as_json=output.as_json)
    return 0


def executable() -> tuple[str, ...]:
    """This valetkey, by its full path. -P: a directory named valetkey where a tool happens to run is not imported."""
    script = Path(sys.executable).with_name("valetkey")
    if os.access(script, os.X_OK):
        return (script.as_posix(),)
    return (Path(sys.executable).as_posix(), "-P", "-m", "valetkey")
