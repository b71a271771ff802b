"""Checks of data on this computer: the handoff's terms, the AWS files, the environment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import assert_never

from valetkey.catalog import limits
from valetkey.commandline import command, option
from valetkey.credentials.doctor.diagnosis import AwsFiles, CheckAnswer, DoctorCheck, Facts, NotRead
from valetkey.credentials.profiles.again import set_up_again
from valetkey.credentials.profiles.awsconfig import BEATS, is_ours
from valetkey.credentials.profiles.profile import Profile
from valetkey.credentials.sessions.refusals import address_limit

_SOON = 7
"""Days before its end from which a grant gets a warning."""


def _grant_end(facts: Facts) -> CheckAnswer | None:
    profile = facts.profile
    if profile is None:
        return None
    if not profile.knows("until"):
        return CheckAnswer("ok", "the end is unknown: the profile was not accepted from a handoff, which contains it")
    if profile.until is None:
        return CheckAnswer("ok", "the grant has no end")
    left, when = profile.until - facts.now, f"{profile.until:%Y-%m-%d %H:%M} UTC"
    again = "ask the owner to extend it (`valetkey extend`); a new handoff, if there is one, brings the new end"
    if left.total_seconds() <= 0:
        # The owner may have changed the end: AWS decides about the role, not this record.
        return CheckAnswer(
            "beware",
            f"according to the handoff, the grant ended on {when}; AWS decides whether it still admits you",
            again,
        )
    if left.days < _SOON:
        return CheckAnswer("beware", f"the grant ends on {when}, in {left.days} days", again)
    return CheckAnswer("ok", f"the grant ends on {when}, in {left.days} days")


def _address(facts: Facts) -> CheckAnswer | None:
    """Check the address if the grant limits it. Only AWS sees the address that a call comes from.

    IAM User Guide, reference_policies_condition-keys, aws:SourceIp: absent from a call through a VPC endpoint.
    """
    limit = "" if facts.profile is None else address_limit(facts.profile)
    if not limit:
        return None
    do = "call from one of them (that network, or its VPN), or ask the owner to change it: `valetkey change --from-ip`"
    if not isinstance(facts.base, NotRead) and ".vpce." in facts.base.endpoint:
        return CheckAnswer("blocks", f"{limit}; your calls go to {facts.base.endpoint}, which is one", do)
    return CheckAnswer("unknown", f"{limit}; AWS alone sees the address that your calls come from", do)


def _aws_profile(facts: Facts) -> CheckAnswer | None:
    """Check that tools with this profile get their credentials from valetkey."""
    profile, sections = facts.profile, facts.sections
    if profile is None:
        return None
    if isinstance(sections, NotRead):
        return CheckAnswer("blocks", sections.why, "correct the file: no AWS tool can read it as it is")
    name = profile.name
    accept = set_up_again(profile)
    own = sections.config.get(name)
    if own is None:
        return CheckAnswer("blocks", f"{sections.config_file} has no profile {name}", accept)
    keys = sections.credentials.get(name, frozenset()) & (BEATS | {"credential_process"})
    if keys:
        what = f"{sections.credentials_file} has {min(keys)} for {name}, which every tool uses instead"
        return CheckAnswer("blocks", what, f"remove the section [{name}] there")
    beats = BEATS & set(own)
    if beats:
        what = f"the profile {name} has {min(beats)}, which tools follow instead of credential_process"
        return CheckAnswer("blocks", what, f"remove {min(beats)} from [profile {name}] in {sections.config_file}")
    if not is_ours(own.get("credential_process", ""), name):
        what = f"the profile {name} does not call `{command('valetkey credential-process', name)}`"
        return CheckAnswer("blocks", what, f"remove [profile {name}] from {sections.config_file}, then {accept}")
    if facts.executable is False:
        return CheckAnswer("blocks", f"the program in credential_process of {name} does not exist any more", accept)
    return CheckAnswer("ok", f"{sections.config_file} has it, and it calls valetkey")


def _other_tools(facts: Facts) -> CheckAnswer | None:
    """Check for profiles set up by hand that many SDKs cannot use, or that give less than expected."""
    if isinstance(facts.sections, NotRead):
        return None
    relevant = sorted(_relevant(facts, facts.sections))
    result = [item for name, own in relevant for item in _choking(_section(name), own, facts.profile)]
    if not result:
        return CheckAnswer("ok", "no profile for this has any")
    what, do = result[0]
    return CheckAnswer("beware", what + (f" (and {len(result) - 1} more like it)" if result[1:] else ""), do)


def _section(name: str) -> str:
    return "[default]" if name == "default" else f"[profile {name}]"


def _relevant(facts: Facts, sections: AwsFiles) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Yield the profile, its base, and profiles set up by hand for the same role; without a customer, every profile."""
    profile = facts.profile
    for name, own in sections.config.items():
        is_same = profile is not None and own.get("role_arn") == profile.role_arn
        is_own = profile is not None and name == profile.name
        if profile is None or is_same or is_own or name == (facts.source_profile or "default"):
            yield name, own


def _choking(section: str, own: Mapping[str, str], profile: Profile | None) -> Iterator[tuple[str, str]]:
    """Yield problems of a section with advice (AWS SDKs and Tools Reference Guide, "Assume role"; aws-cli issue 5880
    for the short duration)."""
    seconds = own.get("duration_seconds", "").strip()
    do = (
        f"use `{option('--profile', profile.name)}` instead of it"
        if profile is not None
        else "accept a handoff for that role"
    )
    if "role_arn" in own and "mfa_serial" in own:
        yield f"{section} has mfa_serial: Terraform and the SDKs for Go and JavaScript cannot ask for a code", do
    if seconds.isdigit() and int(seconds) <= limits.SESSION_MIN:
        yield (
            f"{section} has duration_seconds = {seconds}: the AWS CLI never keeps such a session and asks every time",
            f"take duration_seconds out of {section}",
        )
    if profile is None or own.get("role_arn") != profile.role_arn:
        return
    if profile.external_id is not None and own.get("external_id") != profile.external_id:
        yield f"{section} assumes the same role without the ExternalId of the handoff: AWS refuses it", do
    if profile.mfa and "mfa_serial" not in own:
        yield f"{section} assumes the same role without MFA: AWS refuses it", do
    if profile.knows("max_session") and seconds.isdigit() and int(seconds) > profile.max_session:
        yield (
            f"{section} asks for {seconds} s, and the role allows {profile.max_session} s: AWS refuses it",
            f"set duration_seconds in {section} to {profile.max_session} at most",
        )


def _environment(facts: Facts) -> CheckAnswer | None:
    """Check for credentials in the environment: in most SDKs they take precedence over AWS_PROFILE."""
    env = facts.env
    name = facts.profile.name if facts.profile is not None else None
    strong = next((item for item in ("AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE") if env.get(item)), None)
    if strong is None or name is None:
        return None
    do = f"unset {strong}, or use `{command('valetkey exec', name, then='-- ...')}`"
    if name in (env.get("AWS_PROFILE"), env.get("AWS_DEFAULT_PROFILE")):
        return CheckAnswer(
            "blocks", f"{strong} is set, and overrides AWS_PROFILE={name} in the AWS CLI and most SDKs", do
        )
    return CheckAnswer(
        "beware", f"{strong} is set: it would override AWS_PROFILE={name} in the AWS CLI and most SDKs", do
    )


def _region(facts: Facts) -> CheckAnswer | None:
    profile = facts.profile
    if profile is None:
        return None
    settings = {} if isinstance(facts.sections, NotRead) else facts.sections.config.get(profile.name, {})
    named = {
        "AWS_REGION": facts.env.get("AWS_REGION"),
        "AWS_DEFAULT_REGION": facts.env.get("AWS_DEFAULT_REGION"),
        f"[profile {profile.name}]": settings.get("region"),
        "the accepted profile": profile.region,
    }
    regions = {where: region for where, region in named.items() if region}
    for where, region in regions.items():
        partition = facts.partition_of(region)
        if partition != profile.partition:
            of = f"of the partition {partition}" if partition else "of no partition that valetkey knows"
            return CheckAnswer(
                "blocks",
                f"the region {region} ({where}) is {of}; the role is in {profile.partition}, where other keys count",
                f"set a region of {profile.partition} there, or unset it",
            )
    if not regions:
        return CheckAnswer(
            "beware",
            "no region is set: many tools stop and ask for one",
            f"set one: `{command('aws configure set region', 'REGION', then=option('--profile', profile.name))}`",
        )
    where, region = next(iter(regions.items()))
    return CheckAnswer("ok", f"{region} ({where}), of the partition {profile.partition} as the role")


def _session(facts: Facts) -> CheckAnswer | None:
    profile = facts.profile
    if profile is None:
        return None
    allowed = _hours(profile.max_session)
    if not profile.knows("max_session"):
        return CheckAnswer("ok", f"{allowed} is asked for; how much the role allows (MaxSessionDuration) is not known")
    temporary = not isinstance(facts.base, NotRead) and facts.base.keys.session_token is not None
    if (temporary or profile.mfa) and profile.max_session > limits.CHAINED_SESSION_MAX:
        why = "your sign-in is itself a session" if temporary else "it begins with an MFA session"
        return CheckAnswer("ok", f"1 h at most, renewed silently: {why}; the role itself allows {allowed}")
    return CheckAnswer("ok", f"{allowed} at most")


def _kept(facts: Facts) -> CheckAnswer | None:
    match facts.kept:
        case "gone":
            what = (
                "AWS no longer knows the kept session: the role was recreated or deleted. valetkey dropped the session"
            )
            return CheckAnswer(
                "beware", what, "run again what failed: the role is assumed again, or the error says why not"
            )
        case "known":
            return CheckAnswer("ok", "AWS knows the kept session")
        case "unknown":
            return CheckAnswer("unknown", "AWS did not say whether it knows the kept session")
        case None:
            return None
        case _:
            assert_never(facts.kept)


def _hours(seconds: int) -> str:
    return f"{seconds // 3600} h" if seconds % 3600 == 0 else f"{seconds} s"


LOCAL = (
    DoctorCheck("grant-end", "the end of the grant", "the handoff", _grant_end),
    DoctorCheck("address", "the address that you call from", "the handoff, your STS endpoint", _address),
    DoctorCheck("aws-profile", "the AWS profile that tools use", "the AWS config and credentials file", _aws_profile),
    DoctorCheck("other-tools", "settings that some SDKs cannot follow", "the AWS config", _other_tools),
    DoctorCheck("environment", "credentials that override the profile", "the environment", _environment),
    DoctorCheck("region", "region and partition", "the AWS config, the environment", _region),
    DoctorCheck("session", "how long a session lasts", "the handoff", _session),
    DoctorCheck("kept-session", "the kept session", "sts:GetCallerIdentity with it", _kept),
)
