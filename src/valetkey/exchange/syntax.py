"""Check every field of the two files against AWS's syntax.

Rules:
- INVARIANT: an accepted value is one line without control and formatting characters. An ARN, name, path or id in it has
  exactly one meaning (no wildcard, no variable, no quote). So no value can widen a policy or end a quoted word.
- An invalid field is refused, never corrected: only the author of the file knows what was meant.
Sources: IAM and STS API References (the shapes of the fields), valetkey.catalog.limits.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from ipaddress import ip_network

from valetkey.catalog import limits
from valetkey.errors import PolicyError
from valetkey.exchange.documents import AccessRequest, Handoff
from valetkey.policy.arns import PARTITIONS, Arn, is_account
from valetkey.policy.iam_arns import iam_arn

CUSTOMER_MAX = 100
"""Maximum number of characters of a customer's name."""
TEXT_MAX = 2048
"""Maximum number of characters of a policy's name or ARN, and of a reason."""
KEY_MAX = 20_000
"""Maximum number of characters of a public key."""
IDENTITY_KINDS = ("iam-user", "iam-role", "identity-center", "federated", "root")
"""The kinds of base identity."""

_YEARS = range(2000, 9001)
"""Accepted years: four digits, with room for date arithmetic."""
_POLICY = re.compile(r"[\w+=,.@:/-]+", re.ASCII)
_FINGERPRINT = re.compile(r"[a-z0-9]+(-[a-z0-9]+){0,20}")
_PUBLIC_KEY = ("age1", "ssh-")
_UNIQUE_ID = re.compile(r"A(ID|RO)A[A-Z0-9]{12,124}")
_USER_ID = re.compile(r"AIDA[A-Z0-9]{12,124}")
_SESSION = re.compile(r"arn:([a-z0-9-]+):sts::([0-9]{12}):federated-user/[\w+=,.@-]{2,32}", re.ASCII)
_ROOT = re.compile(r"arn:([a-z0-9-]+):iam::([0-9]{12}):root", re.ASCII)
_RESERVED_SSO = re.compile(r"aws-reserved/sso\.amazonaws\.com/([a-z0-9-]+/)?AWSReservedSSO_[\w+=,.@-]+", re.ASCII)


class FieldError(ValueError):
    """An invalid field. `field` is its JSON path."""

    def __init__(self, field: str, what: str) -> None:
        super().__init__(f"{field}: {what}")
        self.field = field


def check_request(request: AccessRequest) -> None:
    """Raise FieldError unless every field of an access request is valid and consistent with the others."""
    _account("$.account", request.account)
    _partition("$.partition", request.partition)
    _external_id(request.external_id)
    _identity(request)
    _user_id(request)
    _moment("$.issued", request.issued)
    _moment("$.until", request.until)
    if request.customer:
        customer_name("$.customer", request.customer)
    _policies(request.policies)
    _between("$.session", request.session, limits.SESSION_MIN, limits.SESSION_MAX)
    if request.reason:
        _line("$.reason", request.reason, TEXT_MAX)
    if request.public_key is not None:
        _line("$.public_key", request.public_key, KEY_MAX)
        if not request.public_key.startswith(_PUBLIC_KEY):
            raise FieldError("$.public_key", "is not an age or SSH public key")


def check_handoff(handoff: Handoff) -> None:
    """Raise FieldError unless every field of a handoff is valid and consistent with the others."""
    role = _iam("$.role_arn", handoff.role_arn, "role")
    _partition("$.partition", handoff.partition)
    if role.partition != handoff.partition:
        raise FieldError("$.partition", f"{_shown(handoff.partition)} is not the role's ({role.partition})")
    if handoff.external_id is not None:
        _external_id(handoff.external_id)
    _account("$.contractor", handoff.contractor)
    _between("$.max_session", handoff.max_session, limits.ROLE_SESSION_MIN, limits.ROLE_SESSION_MAX)
    _between("$.mfa_max_age", handoff.mfa_max_age, 1, limits.MFA_SESSION_MAX)
    if handoff.mfa_max_age is not None and not handoff.mfa:
        raise FieldError("$.mfa_max_age", "limits the age of MFA, but $.mfa says that MFA is not required")
    _moment("$.issued", handoff.issued)
    _moment("$.until", handoff.until)
    for number, principal in enumerate(handoff.principals):
        _principal(f"$.principals[{number}]", principal, handoff)
    if handoff.session_name is not None:
        _line("$.session_name", handoff.session_name, 64)
    _policies(handoff.policies)
    if handoff.previous_external_id is not None:
        _external_id(handoff.previous_external_id, "$.previous_external_id")
    _moment("$.previous_until", handoff.previous_until)
    if (handoff.previous_external_id is None) is not (handoff.previous_until is None):
        raise FieldError("$.previous_until", "belongs to $.previous_external_id, and one of the two is missing")
    for number, network in enumerate(handoff.from_ip):
        _network(f"$.from_ip[{number}]", network)
    if handoff.request is not None and not (len(handoff.request) <= 200 and _FINGERPRINT.fullmatch(handoff.request)):
        raise FieldError("$.request", f"{_shown(handoff.request)} is not a fingerprint")


def _network(field: str, text: str) -> None:
    try:
        ip_network(text)
    except ValueError:
        raise FieldError(field, f"{_shown(text)} is not an address range") from None


def customer_name(field: str, customer: str) -> None:
    """Raise FieldError unless this can be a customer's name: one line, no whitespace at either end."""
    _line(field, customer, CUSTOMER_MAX)
    if customer.strip() != customer:
        raise FieldError(field, "begins or ends with whitespace")


def policy_name(field: str, policy: str) -> None:
    """Raise FieldError unless this can be a policy's name, with or without a path, or its ARN."""
    _line(field, policy, TEXT_MAX)
    if not _POLICY.fullmatch(policy) or "//" in policy or ".." in policy.split("/"):
        raise FieldError(field, f"{_shown(policy)} is not the name or ARN of a policy")


def _identity(request: AccessRequest) -> None:
    """Check that the identity's kind is known, and that its ARN is of that kind and of the request's account."""
    kind, arn, field = request.identity, request.identity_arn, "$.identity_arn"
    if kind not in IDENTITY_KINDS:
        raise FieldError("$.identity", f"{_shown(kind)} is not one of {', '.join(IDENTITY_KINDS)}")
    if kind in ("federated", "root"):
        match = (_SESSION if kind == "federated" else _ROOT).fullmatch(arn)
        if not match:
            raise FieldError(field, f"{_shown(arn)} is not the ARN of an identity of the kind {kind}")
        partition, account = match.groups()
    else:
        read = _iam(field, arn, "user" if kind == "iam-user" else "role")
        partition, account = read.partition, read.account
        if kind == "identity-center" and not read.name.startswith("AWSReservedSSO_"):
            raise FieldError(field, f"{_shown(arn)} is not a role of Identity Center (AWSReservedSSO_…)")
    if (partition, account) != (request.partition, request.account):
        raise FieldError(
            field, f"{_shown(arn)} does not belong to the request's own account {request.account} ({request.partition})"
        )


def _user_id(request: AccessRequest) -> None:
    """Check the unique id (reference_identifiers; 16 to 128 characters). Only an IAM user may have one."""
    if request.user_id is None:
        return
    if not _USER_ID.fullmatch(request.user_id):
        raise FieldError("$.user_id", f"{_shown(request.user_id)} is not the unique id of an IAM user (AIDA…)")
    if request.identity != "iam-user":
        raise FieldError("$.user_id", f"belongs to a user, but $.identity says {request.identity}")


def _principal(field: str, text: str, handoff: Handoff) -> None:
    """Check a principal: a user or role of the contractor, the roles of an Identity Center permission set, or the
    unique id that AWS shows for a deleted principal (reference_identifiers)."""
    if _UNIQUE_ID.fullmatch(text):
        return
    is_set = text.endswith("_*") and _RESERVED_SSO.fullmatch(text.rpartition(":role/")[2][:-1]) is not None
    arn = _iam(field, text[:-1] if is_set else text, "user", "role")
    if (arn.partition, arn.account) != (handoff.partition, handoff.contractor):
        raise FieldError(field, f"{_shown(text)} does not belong to the contractor's account {handoff.contractor}")


def _policies(policies: tuple[str, ...]) -> None:
    for number, policy in enumerate(policies):
        policy_name(f"$.policies[{number}]", policy)


def _iam(field: str, text: str, *kinds: str) -> Arn:
    try:
        return iam_arn(text, *kinds)
    except PolicyError as error:
        raise FieldError(field, error.what) from None


def _external_id(text: str, field: str = "$.external_id") -> None:
    try:
        limits.check("external id", text)
    except limits.LimitError as error:
        raise FieldError(field, error.what) from None


def _account(field: str, text: str) -> None:
    if not is_account(text):
        raise FieldError(field, f"{_shown(text)} is not an account id (12 digits)")


def _partition(field: str, text: str) -> None:
    if text not in PARTITIONS:
        raise FieldError(field, f"{_shown(text)} is not a partition that this version knows")


def _between(field: str, value: int | None, least: int, most: int) -> None:
    if value is not None and not least <= value <= most:
        raise FieldError(field, f"{_shown(value)} is not between {least} and {most} seconds")


def _moment(field: str, when: datetime | None) -> None:
    if when is None:
        return
    if when.utcoffset() is None:
        raise FieldError(field, "a time needs a zone (…Z)")
    if when.year not in _YEARS:
        raise FieldError(field, f"a time in the year {when.year} is not possible here")


def _line(field: str, text: str, longest: int) -> None:
    if not (text.isprintable() and 0 < len(text) <= longest):
        raise FieldError(field, f"is not one line of 1 to {longest:,} printable characters")


def _shown(value: object) -> str:
    """Return a refused value for a message: shortened, without characters that a terminal or a shell acts on."""
    text = json.dumps(value)
    return text if len(text) <= 200 else f"{text[:200]}…"
