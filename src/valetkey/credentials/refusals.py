"""What a person can do about each way in which STS refuses.

AWS answers the same AccessDenied to a wrong ExternalId, a missing MFA, a wrong principal and a role that is not
there; the texts below are those that can be told apart (IAM User Guide, troubleshoot_roles; STS API, common errors).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from valetkey.account.calls import CallError
from valetkey.credentials.profiles import Profile
from valetkey.policy.commandline import command
from valetkey.policy.problem import Problem


class Refused(Problem):
    """AWS refused a step; `code` is its error code, `message` its text."""

    exit_code = 3

    def __init__(self, what: str, *, code: str, message: str, do: str = "", where: str = "", likely: str = "") -> None:
        super().__init__(what, do=do, where=where)
        self.likely = likely
        self.code = code
        self.message = message


class WrongCode(Refused):
    """AWS did not take the one-time code: mistyped, used already, or of another device."""


class WrongCaller(Refused):
    """AWS refused, and who the caller is explains it: waiting does not help."""


SESSION_GONE = frozenset(
    {"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException"}
)
"""Codes that say the keys of the call are no longer good."""
NO_ANSWER = frozenset(
    {"Unreachable", "TimedOut", "Garbled"}
    | {"Throttling", "ThrottlingException", "RequestLimitExceeded", "ServiceUnavailable", "InternalFailure"}
)
"""Codes (three of them ours) that say nothing about the access: AWS did not get to answer it."""

UNKNOWN_SIDE = (
    "your own account does not allow you this call (its admin attaches the policy that `accept` printed), or the owner "
    "has changed or ended the grant"
)
"""Of AssumeRole's AccessDenied, when our own policies are not known."""

# Fragments of AWS's text, tried in order: operation or "", code or "", text in lower case, what is wrong, what to do.
_ROWS: tuple[tuple[str, str, str, str, str], ...] = (
    (
        "",
        "",
        "may not be assumed by root",
        "the base identity is the account's root user, which may not assume roles",
        "sign in as an IAM user of your account",
    ),
    (
        "get_session_token",
        "",
        "unable to validate mfa code",
        "AWS does not know this MFA device for your user",
        "run `valetkey accept` with the handoff again, with the serial of a virtual MFA device of your own user",
    ),
    (
        "get_session_token",
        "",
        "cannot call getsessiontoken with session credentials",
        "the base identity is a temporary session: AWS takes no MFA code from it",
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
        "your own account does not let you make an MFA session",
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
    """The refusal in words. AWS's own text is in `message`, and quoted only where we have no better one."""
    operation, text = error.call.operation, error.message.lower()
    if any(each in text for each in _WRONG_CODE):
        return WrongCode(
            "AWS did not take this code: it was mistyped, or used already (each code works once)",
            code=error.code,
            message=error.message,
            do="wait for the next code and try again",
            where=error.call.action,
        )
    what, do = _skew(error.message) or _row(operation, error.code, text) or ("", "")
    likely = ""
    if not what and operation == "assume_role" and error.code == "AccessDenied":
        what = "AWS refused to let you into the role, and does not say why"
        probe = command("valetkey doctor", profile_name, then="--probe")
        do = f"run `{probe}`: it says what can be ruled out, and who can check the rest"
        likely = UNKNOWN_SIDE
    if not what:
        what, do = error.what, error.do or "try again; if it stays, send this message to the owner"
        likely = error.likely or "nothing that valetkey knows: AWS's own text above is all there is"
    return Refused(what, code=error.code, message=error.message, do=do, where=error.call.action, likely=likely)


def about_caller(caller: str, profile: Profile, refused: Refused) -> Refused:
    """A refused AssumeRole, when the caller's own ARN (GetCallerIdentity) already explains it."""
    parts = caller.split(":", 5)
    if len(parts) < 6 or refused.code != "AccessDenied":
        return refused
    account, name = parts[4], parts[5]
    what = do = ""
    if account != profile.contractor:
        what = f"the base identity is of account {account}; the role trusts {profile.contractor}"
        do = "use a base profile of that account (`source_profile`), or ask the owner for a grant to this one"
    elif name == "root":
        what = "the base identity is the account's root user, which may not assume roles"
        do = "sign in as an IAM user of your account"
    elif profile.mfa and name.startswith("assumed-role/"):
        kind = "an Identity Center" if "/AWSReservedSSO_" in name else "a role"
        what = f"the base identity is {kind} session, which carries no MFA that AWS sees; the role asks for it"
        do = "use an IAM user with a virtual MFA device, or ask the owner for a grant with --no-mfa --only YOUR-ROLE"
    elif _not_named(caller, profile.principals):
        what = f"the grant does not name {caller}"
        do = f"use one of: {', '.join(profile.principals)}; or ask the owner to name you"
    if not what:
        return refused
    return WrongCaller(what, code=refused.code, message=refused.message, do=do, where=refused.where)


def about_aws_login(refused: Refused, profile: Profile) -> Refused:
    """A refusal of a base identity of `aws login`, where MFA may be the reason: the same, told so."""
    if profile.mfa and refused.code == "AccessDenied" and not isinstance(refused, WrongCaller):
        refused.what += "; it asks for MFA, and AWS does not say whether a session of `aws login` carries that"
        refused.do = f"use an IAM user's access key as base identity (accept again with --profile), or: {refused.do}"
    return refused


def about_further(refused: Refused, source_arn: str) -> Refused:
    """A refusal of a role that is entered from another role's session: the same, told so. It is no grant, so that
    `verify` cannot try it."""
    if refused.code == "AccessDenied" and not isinstance(refused, WrongCaller):
        refused.do = f"it has to let in {source_arn}, and may not ask for MFA, which no role's session carries; "
        refused.do += "that one needs sts:AssumeRole on it"
        refused.likely = f"its trust does not name {source_arn}, or that role may not enter others"
    return refused


def _not_named(caller: str, principals: Iterable[str]) -> bool:
    users = [each for each in principals if ":user/" in each]
    return bool(users) and ":user/" in caller and caller not in users


def _row(operation: str, code: str, text: str) -> tuple[str, str] | None:
    for of, coded, fragment, what, do in _ROWS:
        if of in ("", operation) and coded in ("", code) and fragment in text:
            return what, do
    return None


def _skew(message: str) -> tuple[str, str] | None:
    """ "Signature expired: OURS is now earlier than X (THEIRS - 5 min.)", and "not yet current" likewise."""
    if "Signature expired" not in message and "Signature not yet current" not in message:
        return None
    stamps = ["{}-{}-{} {}:{}:{} UTC".format(*each) for each in _STAMP.findall(message)]
    clocks = f": it says {stamps[0]}, AWS says {stamps[-1]}" if len(stamps) > 1 else ""
    return f"this computer's clock is wrong{clocks}", "set the clock: it may differ from AWS's by five minutes at most"
