"""Parse AWS's AccessDenied message: which policy denied the call, and where the owner of the account can read more.

AWS: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html (the formats of the text; "some
AWS services do not support this format", and where several policy types deny, AWS names one of them), .../
troubleshoot_access-denied-authorization-id.html (preview: an authorization id and a link to the console), and AWS
Security Blog, "Enhanced access denied error messages with policy ARNs" (the ARN within one account or organization).

Rules:
- Only the text that AWS sent is read. An unknown format is kept as text; nothing is concluded from it.
- INVARIANT: the message that `split_authorization` returns contains neither the id nor the link. With the id, and
  permission in the account, a person can read the policies behind the denial: only the caller may see both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from urllib.parse import urlsplit

from valetkey.commandline import command, option

_MOST = 8192
"""Characters of a message that are parsed."""


class PolicyType(Enum):
    """A kind of policy; the value is AWS's name for it in these messages."""

    IDENTITY = "identity-based policy"
    RESOURCE = "resource-based policy"
    TRUST = "role trust policy"
    BOUNDARY = "permissions boundary"
    SESSION = "session policy"
    SCP = "service control policy"
    RCP = "resource control policy"
    ENDPOINT = "VPC endpoint policy"


_TYPES = {policy_type.value.lower(): policy_type for policy_type in PolicyType} | {
    # AWS's page also has these two names.
    "sessions policy": PolicyType.SESSION,
    "vpc endpoint policy transitively through a service control policy": PolicyType.ENDPOINT,
}


@dataclass(frozen=True)
class Denial:
    """The reason that AWS's message states."""

    policy: PolicyType | None
    """None where AWS names no kind of policy, or one that valetkey does not know."""
    named: str
    """The kind as AWS writes it; empty where AWS names none."""
    explicit: bool
    """True: a Deny statement matched. False: no Allow statement applied. For SCPs, AWS may report both as explicit."""
    action: str
    """The denied action ("sts:AssumeRole"), which may differ from the call's name."""
    clause: str
    """AWS's text of the reason, from "because" or "with" on."""
    arn: str = ""
    """The policy's ARN; empty where AWS does not give it."""


_REFUSED = re.compile(r"\bUser: \S+ is not authorized to perform: (?P<action>\S+)")
_REASON = re.compile(r"\bbecause no \S|\b(?:with|due to) an explicit deny\b")
_BARE = re.compile(r"(?: on resource: \S+(?: \S+)?)?[.\s]*")
"""The rest of a message without a reason. The resource is an ARN, "*", or text such as "role audit"."""
_NAMED = r"(?P<named>[A-Za-z][A-Za-z -]{0,119}?)"
_END = r"(?=$|\.(?:\s|$)|\s+Encoded authorization failure message\b)"
_IMPLICIT = re.compile(
    rf"because no {_NAMED} allows the (?:(?P<action>[A-Za-z0-9-]+:[A-Za-z0-9*]+) )?action(?:: (?P<arn>arn:\S*?))?{_END}"
)
_EXPLICIT = re.compile(
    rf"(?:with|due to) an explicit deny(?: in (?:an?|the) {_NAMED}(?:: (?P<arn>arn:\S*?))?)?(?P<action>){_END}"
)


def read_denial(message: str) -> Denial | None:
    """The reason in AWS's message of a denied call; None where the message gives none. Never raises."""
    text = " ".join(message[:_MOST].split())
    refused = _REFUSED.search(text)
    if refused is None:
        return None
    reasons = list(_REASON.finditer(text, refused.end()))
    if not reasons and _BARE.fullmatch(text, refused.end()):
        return None
    rest = text[reasons[0].start() if reasons else refused.end() :].lstrip(" ,;:")
    explicit = bool(reasons) and not rest.startswith("because")
    match = (_EXPLICIT if explicit else _IMPLICIT).match(rest)
    if match is None or len(reasons) > 1:
        # An unknown format: keep its text up to the end of the sentence.
        words = re.split(r"\.(?:\s|$)", rest, maxsplit=1)[0][:200]
        return Denial(None, words, explicit, refused["action"], words)
    named = match["named"] or ""
    action = match["action"] or refused["action"]
    return Denial(_TYPES.get(named.lower()), named, explicit, action, match[0], match["arn"] or "")


@dataclass(frozen=True)
class Authorization:
    """Where to read the evaluation behind one denial. AWS keeps it for 24 hours (preview)."""

    id: str
    link: str = ""
    """A URL of the AWS console; empty where AWS's message has none, or one of another host."""
    region: str = ""

    @property
    def details(self) -> str:
        """How to read the evaluation, as one sentence."""
        region = option("--region", self.region) if self.region else ""
        which = " ".join(filter(None, [region, option("--authorization-id", self.id)]))
        read = command("aws iam-toolbox get-request-authorization-details", then=which)
        return f"{f'{self.link} or ' if self.link else ''}`{read}` (kept by AWS for 24 hours; a preview)"


_POINTER = re.compile(
    r"\.?\s*Go to (?P<link>https://\S+) for complete details,?\s+or call the GetRequestAuthorizationDetails API with "
    r"the following authorization id: (?P<id>[0-9A-Za-z]{1,256})\.?"
)
_LINK = re.compile(r"https?://\S{0,2000}?authorization-details\S*", re.IGNORECASE)
_ID = re.compile(r"(authorization[ -]?id\b[\s:='\"]*(?:is\s+)?)[0-9A-Za-z]{8,256}", re.IGNORECASE)
_HOST = re.compile(
    r"(?:(?P<region>[a-z]{2,8}(?:-[a-z]+)+-\d{1,2})\.)?console\."
    r"(?:aws\.amazon\.com|amazonaws\.cn|amazonaws-us-gov\.com|amazonaws-eusc\.eu)"
)


def split_authorization(message: str) -> tuple[str, Authorization | None]:
    """Split a message into its text without the authorization id and link, and these two. Never raises.

    The second value is None where there are none, or where the sentence around them is not the known one; they are
    removed from the text in any case.
    """
    if "authorization" not in message.lower():
        return message, None
    match = _POINTER.search(message)
    if match is None:
        return _ID.sub(r"\1...", _LINK.sub("(link left out)", message)), None
    rest = message[: match.start()] + message[match.end() :]
    rest = _ID.sub(r"\1...", _LINK.sub("(link left out)", rest)).replace(match["id"], "...")
    return rest, Authorization(match["id"], *_console(match["link"]))


def _console(link: str) -> tuple[str, str]:
    """The link and its region; two empty strings where the link does not lead to an AWS console."""
    try:
        parts = urlsplit(link)
        host = _HOST.fullmatch(parts.netloc)
    except ValueError:
        return "", ""
    if host is None or not link.isascii() or not link.isprintable():
        return "", ""
    return link, host["region"] or ""
