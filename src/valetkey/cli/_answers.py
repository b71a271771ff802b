"""The wizard's answers: each is checked when it is given, and all are preserved when a later step fails."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from valetkey.catalog import limits
from valetkey.catalog.managed_policies import DEFAULT_POLICIES
from valetkey.cli import _options, _owning
from valetkey.commandline import option, word
from valetkey.errors import ValetkeyError
from valetkey.grants.grant import instant, read_record
from valetkey.grants.options import OwnerOptions
from valetkey.grants.policies import check_words, find_managed, from_files, managed_arn, managed_policy
from valetkey.grants.role import read_role
from valetkey.trust.term_rows import OptionKind
from valetkey.trust.terms import TERMS, Terms, check_terms

if TYPE_CHECKING:
    from valetkey.account.calls import Perform
    from valetkey.grants.role import Owner

DEFAULT_NAMES = tuple(path.rsplit("/", 1)[-1] for path in DEFAULT_POLICIES)
"""The default policies, by name."""


@dataclass(frozen=True)
class Here:
    """The account to check answers against."""

    owner: Owner
    perform: Perform


@dataclass(frozen=True)
class Checks:
    """Validates answers. Each method raises ValetkeyError for an unusable answer; with `here`, it also checks with
    AWS."""

    here: Here | None
    now: datetime

    def account_line(self) -> str:
        """Return the account, to show before the first question when stderr, which names it, is not a terminal."""
        if self.here is None or sys.stderr.isatty():
            return ""
        owner = self.here.owner
        return f"Account {owner.account} ({owner.partition}), as {owner.arn}\n"

    def contractor(self, text: str) -> str:
        """Parse an account id, also in the console's format. Raises ValetkeyError."""
        result = _options.account_id(text)
        limits.check("account id", result)
        if self.here is not None and result == self.here.owner.account:
            raise ValetkeyError(f"{result} is your own account", do="name the contractor's account")
        return result

    def people(self, text: str, contractor: str) -> tuple[str, ...]:
        """Parse ARNs of users or roles of the contractor. Raises ValetkeyError."""
        words = _words(text)
        if not words:
            raise ValetkeyError(
                "without MFA, at least one user or role must be named",
                do="give the ARN of a user or role of the contractor; for a vendor's whole account start with "
                "--no-mfa --whole-account",
            )
        if self.here is not None:
            check_terms(Terms(contractor=contractor, partition=self.here.owner.partition, mfa=False, only=words))
        return words

    def policies(self, text: str) -> tuple[str, ...]:
        """Parse existing policies: files are read, names and ARNs are looked up. Raises ValetkeyError."""
        words = _words(text)
        check_words(words)
        from_files(words, read=_owning.read_text)
        if self.here is not None and words != DEFAULT_NAMES:
            find_managed(words, self.here.perform, self.here.owner)
        return () if words == DEFAULT_NAMES else words

    def boundary(self, text: str) -> str | None:
        """Parse an existing managed policy; None for "none". Raises ValetkeyError."""
        if text == "none":
            return None
        managed_arn(text)
        if self.here is not None:
            managed_policy(self.here.perform, self.here.owner, text)
        return text

    def name(self, text: str) -> str:
        """Check a role name that is free or belongs to a grant. Raises ValetkeyError."""
        limits.check("role name", text)
        if self.here is not None:
            role = read_role(self.here.perform, text)
            if role is not None:
                read_record(role)
        return text

    def until(self, text: str) -> tuple[str, datetime | None, timedelta | None]:
        """Parse an end date as typed at the prompt. Returns the typed text and its meaning. Raises ValetkeyError."""
        return (text, *_owning.end(text, now=self.now))


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.replace(",", " ").split())


@dataclass
class Answers:
    """The answers so far; None before the first question."""

    asked: OwnerOptions | None = None


@contextlib.contextmanager
def keeping(*, request: Sequence[str] = ()) -> Iterator[Answers]:
    """When the block fails, print the `grant` command that repeats the answers. `request` are the arguments that named
    the access request."""
    kept = Answers()
    try:
        yield kept
    except (ValetkeyError, KeyboardInterrupt):
        if kept.asked is not None:
            from valetkey.report.text import say

            say(f"Your answers, to go on from: {command_line(kept.asked, request=request)}", stderr=True)
        raise


def command_line(asked: OwnerOptions, *, request: Sequence[str] = ()) -> str:
    """Return the `grant` command with the same options."""
    named = list(request)
    if not request and asked.contractor is not None:
        named.append(option("--to", asked.contractor))
    for term in TERMS:
        if term.flag and term.name in _OWN and not (request and term.name == "external_id"):
            named += _flag(term.flag, term.kind, getattr(asked, term.name), term.default)
    if asked.no_external_id:
        named.append("--no-external-id")
    if asked.lasting is not None or asked.never or asked.until is not None:
        end = _options.NEVER if asked.never else _length(asked.lasting) or str(instant(asked.until))
        named.append(option("--until", end))
    named += [option("--policy", policy) for policy in asked.policies]
    named += [option("--session", str(asked.session))] if asked.session is not None else []
    named += [option("--boundary", asked.boundary)] if asked.boundary is not None else []
    named += [option("--tag", f"{key}={value}") for key, value in asked.tags]
    named += [option("--description", asked.description)] if asked.description is not None else []
    named += [option("--path", asked.path)] if asked.path != "/" else []
    return " ".join(["valetkey grant", *([word(asked.name)] if asked.name else []), *named])


_OWN = {item.name for item in fields(OwnerOptions)} - {"until", "contractor"}


def _flag(flag: str, kind: OptionKind, value: Any, default: Any) -> list[str]:
    if value == default:
        return []
    if kind in (OptionKind.SWITCH, OptionKind.FLAG):
        return [flag if value else f"--no-{flag.removeprefix('--')}"]
    if kind is OptionKind.NAMES:
        return [option(flag, item) for item in value]
    return [option(flag, str(value))]


def _length(lasting: timedelta | None) -> str:
    """Return the length as typed, like "30d", or in hours."""
    if lasting is None:
        return ""
    hours = round(lasting.total_seconds() / 3600)
    return f"{hours // 24}d" if hours % 24 == 0 else f"{hours}h"
