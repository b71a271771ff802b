"""valetkey accept: check a handoff and write the AWS profile for it."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from valetkey.cli._options import AwsOptions, Output
from valetkey.cli._sealing import IdentityFile

if TYPE_CHECKING:
    from valetkey.account.calls import Perform
    from valetkey.credentials.profiles.acceptance import Acceptance
    from valetkey.credentials.profiles.identity import Identity as Caller
    from valetkey.credentials.profiles.profile import Profile
    from valetkey.credentials.profiles.typed import Typed


def accept(
    file: Annotated[Path | None, Parameter(help="The owner's handoff.")] = None,
    /,
    *,
    role: Annotated[str | None, Parameter(help="ARN of the role, where there is no handoff.")] = None,
    external_id: Annotated[str | None, Parameter(help="With --role: the ExternalId that the owner gave you.")] = None,
    mfa: Annotated[
        bool | None, Parameter(negative="--no-mfa", help="With --role: whether the role requires MFA, if you know it.")
    ] = None,
    session: Annotated[
        str | None, Parameter(help="With --role: the longest session that the role allows, like 1h, if you know it.")
    ] = None,
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
    identity: IdentityFile = None,
    yes: Annotated[
        bool, Parameter(negative="", help="Accept a role for which no request is known, without asking.")
    ] = False,
    account: AwsOptions = AwsOptions(),  # noqa: B008 - frozen
    output: Output = Output(),  # noqa: B008 - frozen
) -> int:
    """Check a handoff, or a role that came without one, and write the AWS profile for it.

    Tools then use --profile NAME. Compare a handoff's fingerprint with the owner's over the phone. With neither FILE
    nor --role it asks.
    """
    from valetkey.cli import _sealing
    from valetkey.cli._interrupting import whole
    from valetkey.cli._machine import machine
    from valetkey.cli._questions import ask_region, consent
    from valetkey.credentials.profiles import acceptance, awsconfig, whose_account
    from valetkey.credentials.profiles.identity import identify
    from valetkey.credentials.profiles.profile import TermsOrigin, names, save
    from valetkey.credentials.profiles.requests import check_customer, known_requests
    from valetkey.credentials.profiles.typed import offered
    from valetkey.credentials.sessions.base_binding import refuse_accepted_role
    from valetkey.credentials.sessions.base_choice import choose, sign_in_chosen
    from valetkey.exchange.files import Handoff, Received, load
    from valetkey.report.contractor import say_accepted, say_handoff
    from valetkey.report.text import say

    if customer is not None:
        check_customer(customer)
    file, typed, name = _offer(file, role, external_id, mfa, session, name)
    known, have = known_requests(os.environ), acceptance.accepted(os.environ, renewing=name)
    received = None
    if file is not None:
        received = load(_sealing.read(file, identity, do="name the owner's handoff"), Handoff, name=str(file))
    arn = typed.role_arn if typed else received.value.role_arn if received else ""
    name = acceptance.profile_name(name or acceptance.default_name(arn, have))
    before = next((item for item in have if item.name == name), None)
    # INVARIANT: the identity checked here is the one that later calls start from. A session made by valetkey is not
    # a base identity.
    base = choose(
        account.profile,
        from_environment=base_from_environment,
        renewing=before,
        names=names(os.environ),
        env=os.environ,
        region=account.region,
    )
    who = sign_in_chosen(machine(), base, name)
    perform, source = who.connect(who), base.source
    caller = identify(perform)
    refuse_accepted_role(caller, have)
    unknown: frozenset[str] = frozenset()
    now = datetime.now(UTC)
    if typed is not None:
        offer, unknown = offered(typed, identity=caller, known=known, customer=customer, before=before, now=now)
        received = Received(offer, "")
    assert received is not None
    judged = acceptance.judge(
        received,
        identity=caller,
        known=known,
        profiles=have,
        customer=customer,
        name=name,
        now=now,
        aws_profiles=whose_account.by_hand(os.environ),
        origin=TermsOrigin.TYPED if typed else TermsOrigin.HANDOFF,
        unknown=unknown,
    )
    region = (
        account.region
        or (before.region if before else None)
        or os.environ.get("AWS_REGION")
        or os.environ.get("AWS_DEFAULT_REGION")
        or awsconfig.region_of(source, os.environ)
        or (None if yes or output.as_json else ask_region())
    )
    awsconfig.check_free(name, os.environ, region=region)
    if not output.as_json:
        say_handoff(judged, name)
    if base.passed_over:
        say(f"note: {base.passed_over}", stderr=True)
    if judged.question:
        # With --json, or stdout redirected, the person sees only this.
        which = judged.handoff.role_arn + (f", fingerprint {judged.fingerprint}." if judged.fingerprint else ".")
        consent(f"{which}\n{judged.question}", yes=yes)
    profile = acceptance.profile_for(
        judged,
        name=name,
        identity=caller,
        source_profile=source,
        base_files=base.files,
        mfa_serial=_device(judged, mfa_serial, perform, caller, before),
        region=region,
        before=before,
    )
    command = awsconfig.process_command(executable(), name)
    with whole(f"the profile {name} is written"):
        save(profile, os.environ)
        written = awsconfig.write_profile(name, command, os.environ, region=region, new_region=bool(account.region))
    say_accepted(judged, profile, caller, written, as_json=output.as_json)
    return 0


def _offer(
    file: Path | None,
    role: str | None,
    external_id: str | None,
    mfa: bool | None,
    session: str | None,
    name: str | None,
) -> tuple[Path | None, Typed | None, str | None]:
    """Return what to accept, from the arguments or from prompts: a file or a role; and the profile's name, if one was
    chosen. Raises ValetkeyError."""
    from valetkey.cli._options import seconds
    from valetkey.cli._questions import answer, at_terminal
    from valetkey.credentials.profiles.typed import Typed, check_typed
    from valetkey.errors import ValetkeyError

    name_it = "name the owner's handoff, or the role with --role ARN"
    options = (("--external-id", external_id), ("--mfa", mfa), ("--session", session))
    extra = next((flag for flag, value in options if value is not None), "")
    if file is not None:
        if role is not None or extra:
            which = "--role" if role is not None else extra
            raise ValetkeyError(
                f"a handoff and {which} were both given", do=f"leave {which} out: the handoff says everything"
            )
        return file, None, name
    if role is None and (extra or not at_terminal()):
        what = f"{extra} needs --role" if extra else "nothing to accept was named"
        raise ValetkeyError(what, do=name_it)
    if role is None:
        given = answer("The owner's handoff (a file), or the ARN of the role: ")
        if not given:
            raise ValetkeyError("nothing to accept was named", do=name_it)
        if not given.startswith("arn:"):
            return Path(given).expanduser(), None, name
        role = given
        check_typed(Typed(role_arn=role))
        external_id = answer("ExternalId from the owner (Enter: unknown): ") or None
        check_typed(Typed(role_arn=role, external_id=external_id))
        mfa = {"y": True, "yes": True, "n": False, "no": False}.get(
            answer("Does the role require MFA? [y/n, Enter: unknown] ").lower()
        )
        name = name or answer("Name of the profile (Enter: ROLE-ACCOUNT): ") or None
    length = None if session is None else seconds(session, name="--session")
    typed = Typed(role_arn=role, external_id=external_id, mfa=mfa, session=length)
    check_typed(typed)
    return None, typed, name


def _device(
    judged: Acceptance, given: str | None, perform: Perform, caller: Caller, before: Profile | None
) -> str | None:
    """Return the MFA device to use, or None. If it is unknown whether the role requires MFA, use a device if one
    exists. Raises NotAccepted, LimitError, CallError."""
    from valetkey.cli._questions import choose_device
    from valetkey.credentials.profiles.acceptance import NotAccepted
    from valetkey.credentials.profiles.mfa_devices import check_serial, find_mfa

    if given:
        return check_serial(given)
    if judged.handoff.mfa:
        return find_mfa(perform, caller, choose=choose_device)
    if "mfa" not in judged.unknown or caller.kind != "iam-user":
        return None
    if before is not None and before.mfa_serial is not None and before.base_arn == caller.arn:
        return before.mfa_serial
    try:
        return find_mfa(perform, caller, choose=lambda serials: serials[0] if serials else None)
    except NotAccepted:
        return None


def executable() -> tuple[str, ...]:
    """Return this valetkey as a command with its full path. -P: a directory named valetkey in a tool's working
    directory is not imported."""
    script = Path(sys.executable).with_name("valetkey")
    if os.access(script, os.X_OK):
        return (script.as_posix(),)
    return (Path(sys.executable).as_posix(), "-P", "-m", "valetkey")
