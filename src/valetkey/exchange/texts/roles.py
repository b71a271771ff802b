"""The role that an owner without valetkey has to create, derived from an access request before any text is written.

Rules:
- Principal, ExternalId and MFA come from the request alone. The account of an IAM user is trusted with MFA. A role or
  an Identity Center role never carries MFA (reference_policies_condition-keys), so the trust policy names it instead. A
  federated user and root cannot assume a role.
- The owner cannot be asked for an end date, so the request must have it. It is in the trust policy, and as a deny in
  the permissions, so no session outlives it.
- Policies are written as ARNs. Their existence in the owner's account is not checked: if one does not exist, the
  owner's tool fails and grants nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from valetkey.catalog import limits
from valetkey.catalog.managed_policies import DEFAULT_POLICIES, JOB_FUNCTIONS
from valetkey.errors import PolicyError, ValetkeyError
from valetkey.exchange.documents import AccessRequest
from valetkey.policy.arns import parse_arn
from valetkey.trust.record import UNTIL
from valetkey.trust.self_denies import dated_deny
from valetkey.trust.terms import Terms, check_terms

_PATHS = ("job-function", "service-role")


class TextError(ValetkeyError):
    """A text for another tool cannot be written."""


@dataclass(frozen=True, kw_only=True)
class WantedRole:
    """A role with everything that a text for another tool says about it."""

    name: str
    terms: Terms
    managed: tuple[str, ...]
    """ARNs."""
    max_session: int
    """MaxSessionDuration in seconds."""
    description: str

    @property
    def inline(self) -> dict[str, Mapping[str, Any]]:
        """Inline policies by name: the dated deny, with the same name as in a grant that valetkey makes."""
        return {UNTIL: dated_deny(self.terms.until)} if self.terms.until else {}

    @property
    def account(self) -> str | None:
        """The owner's account, if a customer managed policy asked for names it; else None."""
        own = {parse_arn(arn).account for arn in self.managed} - {"aws"}
        return next(iter(own), None)


def wanted_role(request: AccessRequest) -> WantedRole:
    """Return the role that a request asks for. Raises TextError, or what `check_terms` raises.

    `request.until` None means that the end was omitted on purpose.
    """
    terms = Terms(
        contractor=request.account,
        partition=request.partition,
        external_id=request.external_id,
        until=request.until,
        **_who(request),
    )
    check_terms(terms)
    managed = tuple(dict.fromkeys(policy_arn(policy, request) for policy in request.policies or DEFAULT_POLICIES))
    if len(managed) > limits.MANAGED_POLICIES_MAX:
        raise TextError(
            f"{len(managed)} policies are more than the {limits.MANAGED_POLICIES_MAX} that a role takes by default",
            do="wish for fewer with --policy",
        )
    if len({parse_arn(arn).account for arn in managed} - {"aws"}) > 1:
        raise TextError("the wished policies are of several accounts", do="name policies of one owner's account")
    return WantedRole(
        name=f"contractor-{request.account}",
        terms=terms,
        managed=managed,
        max_session=max(request.session or limits.ROLE_SESSION_MIN, limits.ROLE_SESSION_MIN),
        description=f"Access for account {request.account}",
    )


def _who(request: AccessRequest) -> dict[str, Any]:
    """Return MFA, and the named principal if there is no MFA. Raises TextError."""
    match request.identity:
        case "iam-user":
            return {"mfa": True}
        case "iam-role" | "identity-center":
            if request.identity == "identity-center" and ":role/aws-reserved/" not in request.identity_arn:
                raise TextError(
                    f"the path of {request.identity_arn} is not known, and the owner's trust policy has to name it",
                    do="let your account allow iam:GetRole on it, or sign in as an IAM user",
                )
            return {"mfa": False, "only": (request.identity_arn,)}
    raise TextError(
        f"{request.identity_arn} can assume no role: no trust policy can be written for it",
        do="sign in as an IAM user or a role, and ask again",
    )


def policy_arn(word: str, request: AccessRequest) -> str:
    """Return the ARN of a policy asked for: as given, or that of the AWS managed policy of this name. Raises
    TextError."""
    if not word.startswith("arn:"):
        head, slash, _ = word.partition("/")
        if word.endswith(".json") or (slash and head not in _PATHS):
            raise TextError(
                f"the wish {word!r} is not the name of a policy of AWS's, nor an ARN",
                do="name one like ReadOnlyAccess or job-function/ViewOnlyAccess, or give the ARN",
            )
        path = "job-function/" if word in JOB_FUNCTIONS else ""
        word = f"arn:{request.partition}:iam::aws:policy/{path}{word}"
    try:
        arn = parse_arn(word)
    except PolicyError as error:
        raise TextError(error.what, do="write a policy like arn:aws:iam::aws:policy/ReadOnlyAccess") from None
    if arn.service != "iam" or arn.kind != "policy" or arn.partition != request.partition:
        raise TextError(
            f"{word} is not the ARN of a managed policy in the partition {request.partition}",
            do=f"write it like arn:{request.partition}:iam::aws:policy/ReadOnlyAccess",
        )
    if arn.account == request.account:
        raise TextError(f"{word} is a policy of your own account", do="name one of AWS's or of the owner's account")
    return word
