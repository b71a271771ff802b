"""A role without a handoff: an ARN and possibly an ExternalId, from a mail or a console.

Rules:
- It is checked like a handoff (acceptance.judge). A value that is not given is unknown, never a term.
- A profile for the same role that is replaced keeps known values that are not given now.
- Without an ExternalId, that of our newest request to the named customer is used: the owner was asked to use it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from valetkey.catalog import limits
from valetkey.credentials.profiles.acceptance import NotAccepted
from valetkey.credentials.profiles.identity import Identity
from valetkey.credentials.profiles.profile import OPTIONAL, TERM_FIELDS, Profile
from valetkey.credentials.profiles.requests import latest
from valetkey.errors import PolicyError
from valetkey.exchange.files import AccessRequest, Handoff
from valetkey.policy.iam_arns import iam_arn, is_same_role


@dataclass(frozen=True, kw_only=True)
class Typed:
    """What a person knows about a role. None: unknown."""

    role_arn: str
    external_id: str | None = None
    mfa: bool | None = None
    session: int | None = None
    """The role's maximum session length in seconds (MaxSessionDuration)."""


def check_typed(typed: Typed) -> None:
    """Raise NotAccepted or LimitError for an invalid role, ExternalId or session length."""
    try:
        iam_arn(typed.role_arn, "role")
    except PolicyError as error:
        raise NotAccepted(
            f"--role: {error.what}",
            do="write it as the owner's console shows it: arn:aws:iam::111111111111:role/NAME",
            exit_code=2,
        ) from None
    if typed.external_id is not None:
        limits.check("external id", typed.external_id)
    if typed.session is not None and not limits.ROLE_SESSION_MIN <= typed.session <= limits.ROLE_SESSION_MAX:
        # CreateRole: MaxSessionDuration is 1 to 12 hours.
        raise NotAccepted("--session is not between 1h and 12h", do="leave it out if you do not know it", exit_code=2)


def offered(
    typed: Typed,
    *,
    identity: Identity,
    known: tuple[AccessRequest, ...],
    customer: str | None,
    before: Profile | None,
    now: datetime,
) -> tuple[Handoff, frozenset[str]]:
    """Return a handoff with the known values, as the owner would have written it, and the unknown terms.

    `before` is the profile that is replaced, `known` the requests made here. Raises what check_typed raises.
    """
    check_typed(typed)
    request = latest(customer, known) if customer else None
    given: dict[str, Any] = {"external_id": typed.external_id, "mfa": typed.mfa, "max_session": typed.session}
    given = {term: value for term, value in given.items() if value is not None}
    kept = _kept(before, typed, now)
    if request is not None:
        given = {"external_id": request.external_id, **given}
    terms = {**_ASSUMED, **kept, **given}
    unknown = frozenset(TERM_FIELDS) - set(kept) - set(given)
    handoff = Handoff(
        role_arn=typed.role_arn,
        contractor=identity.account,
        partition=iam_arn(typed.role_arn, "role").partition,
        issued=now,
        request=before.request if before is not None and kept else None,
        **terms,
    )
    return handoff, unknown


_ASSUMED: dict[str, Any] = {"external_id": None, "mfa": False, "max_session": limits.ROLE_SESSION_MIN}
"""Values for unknown terms. Every role allows one hour (MaxSessionDuration is never less)."""


def _kept(before: Profile | None, typed: Typed, now: datetime) -> dict[str, Any]:
    """Return the known terms of an existing profile for this role. An end in the past is dropped: the owner has been
    asked again."""
    if before is None or not is_same_role(before.role_arn, typed.role_arn):
        return {}
    kept = {term: getattr(before, term) for term in (*TERM_FIELDS, *OPTIONAL) if before.knows(term)}
    if typed.mfa is False:
        kept["mfa_max_age"] = None
    if before.until is not None and before.until <= now:
        del kept["until"]
    return kept


def untold(unknown: frozenset[str]) -> Sequence[str]:
    """Return descriptions of the unknown terms, the important ones first."""
    return tuple(words for term, words in _WORDS.items() if term in unknown)


_WORDS = {
    "external_id": "whether the role requires an ExternalId",
    "mfa": "whether the role requires MFA",
    "until": "when the access ends",
    "max_session": "how long a session may last",
    "principals": "who in your account is admitted",
}
