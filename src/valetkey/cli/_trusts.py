"""Shared by `prove` and `who`: read trust policies from files, and terms from options."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from valetkey.catalog import limits
from valetkey.cli import _owning
from valetkey.errors import PolicyError, ValetkeyError
from valetkey.policy import Policy, parse_policy
from valetkey.policy.arns import NOBODY, parse_arn
from valetkey.trust.terms import Terms, check_terms

if TYPE_CHECKING:
    from valetkey.cli._terms import TermOptions


def read(name: str) -> Policy:
    """Read a trust policy. Raises ValetkeyError; `where` names the file and the place in it."""
    text = _owning.read_text(name)
    try:
        return parse_policy(text, kind="trust")
    except PolicyError as error:
        raise PolicyError(error.what, do=error.do, where=f"{name}: {error.where}") from None


def role(*documents: Policy, owner: str | None) -> str:
    """Return the ARN of a role of the owner for these trust policies, in the partition of their principals. Raises
    ValetkeyError."""
    if owner is not None:
        limits.check("account id", owner)
    result = sorted({partition for policy in documents for partition in _partitions(policy)}) or ["aws"]
    if len(result) > 1:
        raise ValetkeyError(
            f"the principals are of several partitions: {', '.join(result)}",
            do="name those of the role's own: no caller from another partition can assume the role",
        )
    return f"arn:{result[0]}:iam::{owner or NOBODY}:role/role"


def _partitions(document: Policy) -> Iterator[str]:
    for statement in document.statements:
        for entry in statement.principals.aws if statement.principals else ():
            if entry.startswith("arn:"):
                yield parse_arn(entry).partition


def refuse_terms(given: Sequence[str]) -> None:
    """Raise ValetkeyError for terms together with --within."""
    if given:
        raise ValetkeyError(
            f"--within and terms were both given ({', '.join(given)})",
            do="give a reference policy, or terms, one of them",
        )


def terms(document: Policy, given: TermOptions, *, now: datetime) -> Terms:
    """Return the requested terms; terms that `grant` refuses are also refused here. Raises ValetkeyError."""
    if given.to is None:
        raise ValetkeyError("there is nothing to prove", do="give --to with terms, or --within with a reference policy")
    if (given.external_id is None) is not given.no_external_id:
        raise ValetkeyError(
            "it is not clear whether the role must require an ExternalId",
            do="give --external-id ID or --no-external-id",
        )
    agreed = given.draft(now=now).agreed(
        contractor=given.to,
        partition=parse_arn(role(document, owner=None)).partition,
        external_id=given.external_id,
    )
    check_terms(agreed)
    return agreed
