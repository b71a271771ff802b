"""What `prove` and `who` share: trust policies out of files, terms out of flags."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from valetkey.catalog import limits
from valetkey.cli import _owning
from valetkey.errors import PolicyError, ValetkeyError
from valetkey.policy import Policy, parse_policy
from valetkey.policy.arns import NOBODY, parse_arn
from valetkey.trust.terms import Terms, TermsError

"""Stands for the owner where none is named: an account that does not exist."""


def read(name: str) -> Policy:
    """A trust policy. Raises ValetkeyError; `where` names the file and the place in it."""
    text = _owning.read_text(name)
    try:
        return parse_policy(text, kind="trust")
    except PolicyError as error:
        raise PolicyError(error.what, do=error.do, where=f"{name}: {error.where}") from None


def role(*documents: Policy, owner: str | None) -> str:
    """A role of the owner that may carry these trust policies, in the partition that they speak of. Raises
    ValetkeyError."""
    if owner is not None:
        limits.check("account id", owner)
    found = sorted({partition for each in documents for partition in _partitions(each)}) or ["aws"]
    if len(found) > 1:
        raise ValetkeyError(
            f"the principals are of several partitions: {', '.join(found)}",
            do="name those of the role's own: nobody comes in from another partition",
        )
    return f"arn:{found[0]}:iam::{owner or NOBODY}:role/role"


def _partitions(document: Policy) -> Iterator[str]:
    for statement in document.statements:
        for entry in statement.principals.aws if statement.principals else ():
            if entry.startswith("arn:"):
                yield parse_arn(entry).partition


def refuse_terms(*given: object) -> None:
    """Terms beside --within are a mistake. Raises ValetkeyError."""
    if any(each for each in given):
        raise ValetkeyError("--within and terms were both given", do="give a reference policy, or terms, one of them")


def terms(
    document: Policy,
    *,
    to: str | None,
    external_id: str | None,
    no_external_id: bool,
    mfa: bool,
    mfa_max_age: str | None,
    only: tuple[str, ...],
    name_people: bool,
    source_identity: bool,
    session_tags: bool,
    until: str | None,
    now: datetime,
) -> Terms:
    """The terms that were asked for. Raises ValetkeyError."""
    if to is None:
        raise ValetkeyError(
            "nothing to prove was named", do="give --to with terms, or --within with a reference policy"
        )
    if (external_id is None) is not no_external_id:
        raise ValetkeyError(
            "whether an ExternalId must be asked for is not clear", do="give --external-id ID or --no-external-id"
        )
    limits.check("account id", to)
    if external_id is not None:
        limits.check("external id", external_id)
    if not mfa and mfa_max_age is not None:
        raise TermsError("a maximum age of MFA needs MFA to be required", do="leave --no-mfa or the age out")
    for name in only:
        if parse_arn(name).account != to:
            raise TermsError(f"{name} is not in the account {to}", do="name users or roles of it", where="--only")
    return Terms(
        contractor=to,
        partition=parse_arn(role(document, owner=None)).partition,
        external_id=external_id,
        mfa=mfa,
        mfa_max_age=_owning.length(mfa_max_age, "--mfa-max-age"),
        only=only,
        name_people=name_people,
        source_identity=source_identity,
        session_tags=session_tags,
        until=_owning.end(until, now=now)[0],
    )
