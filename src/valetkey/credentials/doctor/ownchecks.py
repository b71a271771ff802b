"""Checks of the contractor's own account: the clock, the base identity, its MFA device, its permissions."""

from __future__ import annotations

from collections.abc import Mapping

from valetkey.commandline import option
from valetkey.credentials.doctor.caller_policies import context_of
from valetkey.credentials.doctor.diagnosis import CheckAnswer, DoctorCheck, Facts, NotRead, Signed
from valetkey.credentials.profiles.again import SET_UP_AGAIN, set_up_again
from valetkey.credentials.profiles.identity import Identity
from valetkey.credentials.profiles.profile import Profile
from valetkey.credentials.sessions.base_binding import ENVIRONMENT, refuse_other
from valetkey.credentials.sessions.refusals import Refused, WrongCaller, about_caller
from valetkey.credentials.sessions.roles import role_call
from valetkey.errors import ValetkeyError, page

_SKEW_SAFE, _SKEW_MAX = 300, 900
"""Seconds that a signature's date may differ from AWS's clock: AWS's documentation and IAM's messages say 5 minutes,
STS's messages 15."""
_SKEW_WORTH = 60
_SOURCES: Mapping[str, str] = {
    "env": "the environment (AWS_ACCESS_KEY_ID)",
    "shared-credentials-file": "the shared credentials file",
    "valetkey-keyring": "the OS keyring",
    "config-file": "the AWS config",
    "custom-process": "a credential_process of the AWS config",
    "sso": "Identity Center",
    "login": "`aws login`",
    "assume-role": "a role of the AWS config",
    "assume-role-with-web-identity": "a web identity token",
    "container-role": "the container credentials endpoint",
    "iam-role": "the instance's role",
}


def _clock(facts: Facts) -> CheckAnswer:
    if isinstance(facts.skew, NotRead):
        return CheckAnswer("unknown", facts.skew.why, "correct the problem that it names, and run it again")
    seconds = round(abs(facts.skew))
    if seconds <= 1:
        return CheckAnswer("ok", "this clock agrees with AWS's to the second")
    says = f"this clock is {seconds} s {'ahead of' if facts.skew > 0 else 'behind'} AWS's"
    if seconds > _SKEW_MAX:
        return CheckAnswer("blocks", f"{says}; STS refuses calls that differ by more than 15 minutes", "set the clock")
    if seconds > _SKEW_SAFE:
        return CheckAnswer(
            "beware", f"{says}; AWS may refuse calls that differ by more than 5 minutes", "set the clock"
        )
    if seconds > _SKEW_WORTH:
        return CheckAnswer(
            "beware", f"{says}: codes of an authenticator on this computer come at the wrong time", "set it"
        )
    return CheckAnswer("ok", f"{says}, which AWS allows")


def _base(facts: Facts) -> CheckAnswer:
    """Report which credentials are used, and their source."""
    name = f"the profile {facts.source_profile}" if facts.source_profile else "the usual chain"
    if facts.profile is not None and facts.profile.base_from_environment:
        name = ENVIRONMENT
    if isinstance(facts.base, NotRead):
        return CheckAnswer("blocks", facts.base.why, "sign in with it, or put its access key into the AWS config")
    kind = "a temporary session" if facts.base.keys.session_token is not None else "a long-term key"
    return CheckAnswer("ok", f"{name}: {kind} from {_where(facts, facts.base)}, used at {facts.base.endpoint}")


def _where(facts: Facts, base: Signed) -> str:
    """Return the source of the keys, and which other keys are ignored."""
    section = f"[{facts.source_profile or 'default'}]"
    sections = None if isinstance(facts.sections, NotRead) else facts.sections
    where = _SOURCES.get(base.source, base.source)
    if sections is not None and base.source == "shared-credentials-file":
        where = f"{section} in {sections.credentials_file}"
    elif sections is not None and base.source in ("config-file", "custom-process", "sso", "login", "assume-role"):
        where = f"{where}, {'[default]' if not facts.source_profile else f'[profile {facts.source_profile}]'}"
    passed = ""
    if facts.source_profile and facts.env.get("AWS_ACCESS_KEY_ID"):
        passed = " (AWS_ACCESS_KEY_ID in the environment is ignored)"
    elif base.source == "env" and sections is not None and "default" in sections.credentials:
        passed = f" ([default] in {sections.credentials_file} is ignored)"
    return where + passed


def _identity(facts: Facts) -> CheckAnswer:
    """Check whether this identity can meet the grant's terms."""
    who, profile = facts.identity, facts.profile
    if isinstance(who, NotRead):
        if isinstance(facts.base, NotRead):
            never = _never_mfa(facts)
            return CheckAnswer("blocks", *never) if never else CheckAnswer("unknown", "you are not signed in")
        if who.no_answer:
            return CheckAnswer("unknown", who.why, "check the network and run it again")
        return CheckAnswer(
            "blocks", who.why, "use credentials that AWS accepts: sign in again, or make a new access key"
        )
    user = "sign in as an IAM user with an authenticator app (TOTP)"
    if who.kind == "root":
        return CheckAnswer("blocks", f"root of {who.account}: AWS lets root assume no role", user)
    if who.kind == "federated":
        return CheckAnswer("blocks", f"{who.arn}: a GetFederationToken session can assume no role", user)
    if profile is None:
        if who.kind != "iam-user":
            says = f"{who.arn}: its sessions carry no MFA that AWS sees, whatever was asked of you at sign-in"
            return CheckAnswer("beware", says, f"{user}, or ask owners for grants with --no-mfa --only YOUR-ROLE")
        return CheckAnswer("ok", who.arn)
    refused = Refused("", code="AccessDenied", message="")
    wrong = about_caller(who.arn, profile, refused)
    if isinstance(wrong, WrongCaller):
        return CheckAnswer("blocks", wrong.what, wrong.do)
    if profile.session_name == "username" and (who.kind != "iam-user" or who.name != profile.user_name):
        says = (
            f"the session name must be your IAM user's name; you are {who.arn}, and the "
            f"profile was accepted as {profile.user_name}"
        )
        return CheckAnswer("blocks", says, f"sign in as that user; or, signed in as this one, {set_up_again(profile)}")
    try:
        refuse_other(profile, who)
    except WrongCaller as other:
        return CheckAnswer("blocks", other.what, other.do)
    return CheckAnswer("ok", f"{who.arn}, of the account that the role trusts")


def _never_mfa(facts: Facts) -> tuple[str, str] | None:
    """Return problem and advice if the AWS config shows that the base profile can never have the MFA that the role
    requires."""
    if facts.profile is None or not facts.profile.mfa or isinstance(facts.sections, NotRead):
        return None
    own = facts.sections.config.get(facts.source_profile or "default", {})
    kind = "an Identity Center sign-in" if {"sso_session", "sso_start_url"} & set(own) else ""
    kind = kind or ("a role" if "role_arn" in own or "web_identity_token_file" in own else "")
    what = f"the base profile {facts.source_profile or 'default'} is {kind}, whose sessions carry no MFA that AWS sees"
    do = "use an IAM user with a virtual MFA device, or ask the owner for a grant with --no-mfa --only YOUR-ROLE"
    return (what, do) if kind else None


def _mfa(facts: Facts) -> CheckAnswer | None:
    """Check the MFA device: it exists, is enabled, and is of a kind that AWS accepts for the API."""
    profile, who = facts.profile, facts.identity
    wanted = profile is None or profile.mfa
    if not wanted or (isinstance(who, Identity) and who.kind != "iam-user"):
        return None
    app = "add an authenticator app (TOTP) to your user"
    add = app if profile is None else f"{app}, then {set_up_again(profile, change='its mfa_serial')}"
    serial = profile.mfa_serial if profile is not None else None
    if profile is not None and serial is None:
        return CheckAnswer("blocks", "the role requires MFA, and the profile names no device", set_up_again(profile))
    if serial is not None and ":u2f/" in serial:
        return CheckAnswer("blocks", f"{serial} is a FIDO key or passkey, which AWS accepts for the console only", add)
    if isinstance(facts.devices, NotRead):
        return CheckAnswer(
            "unknown", f"{serial or 'your devices'}: {facts.devices.why}", "look in the console: your user, MFA"
        )
    usable = [item for item in facts.devices if ":u2f/" not in item]
    if serial is not None and serial in usable:
        return CheckAnswer("ok", f"{serial} is enabled for your user")
    if not usable:
        has = "only a FIDO key or passkey, which AWS accepts for the console only" if facts.devices else "no MFA device"
        return CheckAnswer("blocks" if profile is not None else "beware", f"your user has {has}", add)
    if serial is not None:
        says = f"{serial} is not enabled for your user; enabled: {', '.join(usable)}"
        device = option("--mfa-serial", usable[0])
        again = (
            SET_UP_AGAIN if profile is None else set_up_again(profile, then=device, change=f"mfa_serial = {usable[0]}")
        )
        return CheckAnswer("blocks", says, again)
    return CheckAnswer("ok", f"{', '.join(usable)}: enabled for your user")


def _permission(facts: Facts) -> CheckAnswer | None:
    """Check whether our own account allows the call: policies and boundary, evaluated by valetkey.policy."""
    if facts.profile is None or not isinstance(facts.identity, Identity):
        return None
    if isinstance(facts.own, NotRead):
        return CheckAnswer("unknown", facts.own.why, _READ)
    allowed, why = facts.own.judge(_context(facts, facts.profile), facts.profile.role_arn)
    if allowed is None:
        return CheckAnswer("unknown", why, _READ)
    if allowed:
        limit = ", and so does your permissions boundary" if facts.own.boundary is not None else ""
        limit += "" if facts.identity.kind == "iam-user" else "; a session policy of your sign-in is not seen"
        return CheckAnswer("ok", f"your policies allow sts:AssumeRole on {facts.profile.role_arn}{limit}")
    do = "ask your admin to attach the policy that `accept` printed, or to lift what denies it"
    return CheckAnswer("blocks", f"your own account does not allow sts:AssumeRole on the role: {why}", do)


_READ = f"ask your admin for the policy of `doctor`, which allows reading it: {page('reference/permissions.md')}"


def _scps(facts: Facts) -> CheckAnswer | None:
    if facts.profile is None or not isinstance(facts.identity, Identity):
        return None
    if isinstance(facts.organization, NotRead):
        return CheckAnswer("unknown", facts.organization.why)
    context = _context(facts, facts.profile)
    allowed, why = facts.organization.judge(facts.identity, context, facts.profile.role_arn)
    if allowed is None:
        return CheckAnswer("unknown", why, "ask the administrator of your organization")
    if allowed:
        return CheckAnswer("ok", why or "the service control policies of your organization allow the call")
    return CheckAnswer("blocks", why, "ask the administrator of your organization")


def _context(facts: Facts, profile: Profile) -> dict[str, str]:
    """Return the condition keys of the correct call, as the broker makes it."""
    keys, region = (facts.base.keys, facts.base.region) if isinstance(facts.base, Signed) else (None, "")
    mfa = profile.mfa and isinstance(facts.identity, Identity) and facts.identity.kind == "iam-user"
    try:
        params = role_call(profile, keys).params if keys is not None else {}
    except ValetkeyError:
        params = {}
    fallback = {"RoleArn": profile.role_arn, "RoleSessionName": profile.user_name or profile.contractor}
    return context_of(params or fallback, mfa=mfa, region=region, now=facts.now)


OWN_CHECKS = (
    DoctorCheck("clock", "this computer's clock", "the Date header of AWS's answer to an unsigned call", _clock),
    DoctorCheck("base", "which credentials win, and from where", "the AWS config, the environment", _base),
    DoctorCheck("identity", "who you are to AWS", "sts:GetCallerIdentity", _identity),
    DoctorCheck("mfa", "your MFA device", "iam:ListMFADevices", _mfa),
    DoctorCheck(
        "permission", "your own account's permission", "your policies and boundary, read and decided", _permission
    ),
    DoctorCheck("organization", "your organization's SCPs", "organizations:ListPoliciesForTarget", _scps),
)
