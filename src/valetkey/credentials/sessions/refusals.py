"""Explanations and advice for each error of STS.

AccessDenied of AssumeRole may name the kind of policy that refused (IAM User Guide, troubleshoot_access-denied), which
shows whose it is (refusal_sides.py), or no policy: across accounts, both occur. A wrong ExternalId, missing MFA and
another principal are the same refusal by the trust policy, with the same message. The other messages below are from the
IAM User Guide, troubleshoot_roles, and from the STS API, common errors.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from valetkey.account.calls import CallError
from valetkey.account.denial import Denial, PolicyType
from valetkey.commandline import command
from valetkey.credentials.profiles.again import SET_UP_AGAIN, set_up_again
from valetkey.credentials.profiles.profile import Profile
from valetkey.credentials.sessions.refusal_sides import ROTATED, RefusingSide, advice, says, side_of
from valetkey.errors import ValetkeyError


class Refused(ValetkeyError):
    """AWS refused a step. `code` is its error code, `message` its message, `denial` the policy that it names."""

    exit_code = 3

    def __init__(
        self,
        what: str,
        *,
        code: str,
        message: str,
        do: str = "",
        where: str = "",
        likely: str = "",
        denial: Denial | None = None,
    ) -> None:
        super().__init__(what, do=do, where=where)
        self.likely = likely
        self.denial = denial
        self.code = code
        self.message = message


class WrongCode(Refused):
    """AWS did not accept the one-time code: mistyped, already used, or of another device."""


class WrongCaller(Refused):
    """AWS refused, and the caller's identity explains it: a retry does not help."""


SESSION_GONE = frozenset(
    {"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException"}
)
"""Error codes for keys that are no longer valid."""
NO_ANSWER = frozenset(
    {"Unreachable", "TimedOut", "Garbled"}
    | {"Throttling", "ThrottlingException", "RequestLimitExceeded", "ServiceUnavailable", "InternalFailure"}
)
"""Error codes (three of them valetkey's own) that show nothing about the access: AWS did not decide the request."""

UNKNOWN_SIDE = (
    "your own account does not allow you this call (its admin attaches the policy that `accept` printed), or the owner "
    "has changed or ended the grant"
)
"""For AccessDenied of AssumeRole, if AWS names no policy and the contractor's own policies are not known."""
OWNER_SIDE = "the owner has changed or ended the grant, or the role is too new to be visible yet"
"""For AccessDenied of AssumeRole, if the owner's side refused."""


def owner_side(profile: Profile, denial: Denial | None = None) -> str:
    """Return the most likely reason if the owner's side refused, with the address range if the grant limits it.
    `denial` is the policy that AWS names: a resource control policy does not belong to the grant."""
    is_rcp = denial is not None and denial.policy is PolicyType.RCP
    return OWNER_SIDE if is_rcp else _with_address(profile, OWNER_SIDE)


def unknown_side(profile: Profile) -> str:
    """Return the most likely reason if it is not known whose policy refused, with the address range if the grant limits
    it."""
    return _with_address(profile, UNKNOWN_SIDE)


def address_limit(profile: Profile) -> str:
    """Describe the addresses from which the grant admits calls, as an independent clause; "" if no limit is known.

    A call through a VPC endpoint carries no aws:SourceIp (IAM User Guide, reference_policies_condition-keys).
    """
    ranges = ", ".join(profile.from_ip)
    return f"the role admits calls from {ranges} only, and none through a VPC endpoint" if ranges else ""


def _with_address(profile: Profile, reason: str) -> str:
    limit = address_limit(profile)
    return f"{limit} (call from there, or ask the owner to change it); else {reason}" if limit else reason


# Fragments of AWS's messages, tried in order: operation or "", code or "", message in lower case, cause, advice.
_ROWS: tuple[tuple[str, str, str, str, str], ...] = (
    (
        "",
        "",
        "may not be assumed by root",
        "the base identity is the account's root user, which cannot assume roles",
        "sign in as an IAM user of your account",
    ),
    (
        "get_session_token",
        "",
        "unable to validate mfa code",
        "AWS does not know this MFA device for your user",
        f"with the serial of a virtual MFA device of your own user, {SET_UP_AGAIN}",
    ),
    (
        "get_session_token",
        "",
        "cannot call getsessiontoken with session credentials",
        "the base identity is a temporary session: AWS accepts no MFA code from it",
        "use an IAM user's access key as base identity",
    ),
    (
        "assume_role",
        "",
        "exceeds the maxsessionduration",
        "the role's session limit is now below the one in the handoff",
        "ask the owner for a new handoff and run `valetkey accept` with it",
    ),
    (
        "assume_role",
        "",
        "1 hour session limit for roles assumed by role chaining",
        "the base identity is a role session, so that this session may last an hour at most",
        "use an IAM user's access key as base identity",
    ),
    (
        "assume_role",
        "AccessDenied",
        "to perform: sts:setsourceidentity",
        "a SourceIdentity is not admitted, by the role or by your own account",
        "let your admin attach the policy that `accept` printed; else remove source_identity from the AWS profile",
    ),
    (
        "assume_role",
        "AccessDenied",
        "to perform: sts:tagsession",
        "session tags are not admitted, by the role or by your own account",
        "let your admin attach the policy that `accept` printed; else remove session_tags from the AWS profile",
    ),
    (
        "",
        "RegionDisabledException",
        "",
        "STS is not active in this region",
        "set another `region` for this profile in the AWS config",
    ),
    (
        "get_session_token",
        "AccessDenied",
        "",
        "your own account does not permit you to create an MFA session",
        "ask your admin: a policy of your account denies sts:GetSessionToken",
    ),
    (
        "",
        "InvalidClientTokenId",
        "",
        "AWS does not know the base identity's access key, or it is inactive",
        "check the key of the base profile in your AWS config, and its region: of the key's partition, and enabled",
    ),
    (
        "",
        "ExpiredToken",
        "",
        "the base identity's session has expired",
        "sign in with the base identity again",
    ),
)
_WRONG_CODE = ("invalid mfa one time pass code", "multifactorauthentication failed with invalid")
_STAMP = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z")


def explain(error: CallError, profile_name: str = "NAME") -> Refused:
    """Return the refusal that explains an error. AWS's own text is in `message`; `what` quotes it only if no
    explanation is known."""
    operation, text = error.call.operation, error.message.lower()
    if any(item in text for item in _WRONG_CODE):
        return WrongCode(
            "AWS did not accept this code: it was mistyped, or used already (each code works once)",
            code=error.code,
            message=error.message,
            do="wait for the next code and try again",
            where=error.call.action,
        )
    what, do = _skew(error.message) or _row(operation, error.code, text) or ("", "")
    likely = ""
    if operation == "assume_role" and error.code == "AccessDenied":
        what, do, likely = _entry(error.denial, what, do, profile_name)
    if not what:
        what, do = error.what, error.do or "try again; if it stays, send this message to the owner"
        likely = error.likely or "unknown to valetkey; see AWS's own text above"
    return Refused(
        what,
        code=error.code,
        message=error.message,
        do=do,
        where=error.call.action,
        likely=likely,
        denial=error.denial,
    )


def _entry(denial: Denial | None, what: str, do: str, profile_name: str) -> tuple[str, str, str]:
    """Explain a refused AssumeRole. Returns the cause, the advice and the most likely reason. `what` and `do` are what
    AWS's message alone has shown so far."""
    doctor = command("valetkey doctor", profile_name, then="--probe")
    probe = f"{ROTATED}; else run `{doctor}`: it says what can be ruled out, and who can check the rest"
    side = side_of(denial)
    if denial is None or side in (None, RefusingSide.UNKNOWN):
        if what:
            return what, do, ""
        named = "names no policy"
        if denial is not None and denial.named:
            named = f"gives a reason that valetkey does not know: {denial.clause}"
        return f"AWS refused to let you assume the role, and {named}", probe, UNKNOWN_SIDE
    if what and denial.action == "sts:AssumeRole":
        return what, do, ""  # this text is more specific than the policy type
    if side is RefusingSide.OWNER:
        if denial.action != "sts:AssumeRole":
            do = "leave out what it is about (source_identity, session_tags), or ask the owner to admit it"
            return f"AWS refused to let you assume the role: {says(denial)}", do, ""
        return f"AWS refused to let you assume the role: {says(denial)}", probe, OWNER_SIDE
    return f"AWS refused to let you assume the role: {says(denial)}", advice(denial), ""


def about_caller(caller: str, profile: Profile, refused: Refused) -> Refused:
    """Explain a refused AssumeRole by the caller's ARN (GetCallerIdentity), if it is the reason. Otherwise returns the
    refusal unchanged."""
    parts = caller.split(":", 5)
    if len(parts) < 6 or refused.code != "AccessDenied":
        return refused
    account, name = parts[4], parts[5]
    what = do = ""
    if account != profile.contractor:
        what = f"the base identity is of account {account}; the role trusts {profile.contractor}"
        do = "use a base profile of that account (`source_profile`), or ask the owner for a grant to this one"
    elif name == "root":
        what = "the base identity is the account's root user, which cannot assume roles"
        do = "sign in as an IAM user of your account"
    elif side_of(refused.denial) in (RefusingSide.CALLER, RefusingSide.NETWORK):
        return refused  # the rest concerns the owner's trust policy, which did not refuse
    elif profile.mfa and name.startswith("assumed-role/"):
        kind = "an Identity Center" if "/AWSReservedSSO_" in name else "a role"
        what = f"the base identity is {kind} session, which carries no MFA that AWS sees; the role requires it"
        do = "use an IAM user with a virtual MFA device, or ask the owner for a grant with --no-mfa --only YOUR-ROLE"
    elif _not_named(caller, profile.principals):
        what = f"the grant does not name {caller}"
        do = f"use one of: {', '.join(profile.principals)}; or ask the owner to name you"
    if not what:
        return refused
    return WrongCaller(
        what, code=refused.code, message=refused.message, do=do, where=refused.where, denial=refused.denial
    )


def about_aws_login(refused: Refused, profile: Profile) -> Refused:
    """Return the refusal; for a base identity from `aws login`, its text adds that MFA may be the reason (fact U4)."""
    if side_of(refused.denial) in (RefusingSide.CALLER, RefusingSide.NETWORK):
        return refused
    if profile.mfa and refused.code == "AccessDenied" and not isinstance(refused, WrongCaller):
        refused.what += "; it requires MFA, and AWS does not say whether a session of `aws login` carries that"
        refused.do = f"use an IAM user's access key as base identity ({set_up_again(profile)}), or: {refused.do}"
    return refused


def about_further(refused: Refused, source_arn: str) -> Refused:
    """Return the refusal of a role that is assumed from another role's session, with a text that says so. The role is
    not a grant, so `verify` cannot try it."""
    if refused.code == "AccessDenied" and not isinstance(refused, WrongCaller):
        denial, side = refused.denial, side_of(refused.denial)
        if denial is not None and side in (RefusingSide.CALLER, RefusingSide.OWNER):
            # The caller is the role in between, whose policies belong to the customer.
            refused.what = f"AWS refused to let {source_arn} assume the next role of the chain {denial.clause}"
        if denial is not None and side is RefusingSide.CALLER:
            refused.do = f"ask the owner of {source_arn}: its account does not let that role assume this one"
            refused.likely = ""
            return refused
        if denial is not None and side is RefusingSide.NETWORK:
            return refused
        refused.do = f"it has to admit {source_arn}, and must not require MFA, which no role's session carries; "
        refused.do += "that role needs sts:AssumeRole on it"
        refused.likely = f"its trust does not name {source_arn}"
        refused.likely += "" if side is RefusingSide.OWNER else ", or that role is not allowed to assume other roles"
    return refused


def _not_named(caller: str, principals: Iterable[str]) -> bool:
    users = [principal for principal in principals if ":user/" in principal]
    return bool(users) and ":user/" in caller and caller not in users


def _row(operation: str, code: str, text: str) -> tuple[str, str] | None:
    for of, coded, fragment, what, do in _ROWS:
        if of in ("", operation) and coded in ("", code) and fragment in text:
            return what, do
    return None


def _skew(message: str) -> tuple[str, str] | None:
    """Explain a wrong clock. "Signature expired: OURS is now earlier than X (THEIRS - 5 min.)", and "not yet current"
    likewise."""
    if "Signature expired" not in message and "Signature not yet current" not in message:
        return None
    stamps = ["{}-{}-{} {}:{}:{} UTC".format(*item) for item in _STAMP.findall(message)]
    clocks = f": it says {stamps[0]}, AWS says {stamps[-1]}" if len(stamps) > 1 else ""
    do = "set the clock: AWS may refuse a call that is more than 5 minutes off, and STS refuses one of more than 15"
    return f"this computer's clock is wrong{clocks}", do
