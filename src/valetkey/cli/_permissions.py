"""Shared by `can` and `show --permissions`: read a grant's policies, and answer a question about them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from valetkey.cli import _owning
from valetkey.errors import ValetkeyError, shown

if TYPE_CHECKING:
    from valetkey.account.calls import Perform
    from valetkey.cli._options import OwnerAccount
    from valetkey.grants.effective import Effective
    from valetkey.grants.from_use import UsedActions
    from valetkey.grants.role import Owner
    from valetkey.grants.status import Standing


def decided(
    name: str,
    action: str,
    resource: str,
    context: Sequence[str],
    account: OwnerAccount,
    *,
    now: datetime,
    as_json: bool,
) -> int:
    """Run `valetkey can`. Raises ValetkeyError."""
    from valetkey.grants.can import can
    from valetkey.grants.effective import read_effective
    from valetkey.report.permissions import say_can

    known = _known(context)
    perform = account.connect()
    owner, standing = _owning.find_grant(perform, name)
    answer = can(read_effective(standing.role, perform), action, resource, known=known, now=now)
    say_can(owner, answer, standing, now=now, as_json=as_json)
    return 0 if answer.verdict == "allowed" else 1


def _known(words: Sequence[str]) -> dict[str, str]:
    result: dict[str, str] = {}
    for word in words:
        key, sign, value = word.partition("=")
        if not sign or ":" not in key or not value:
            raise ValetkeyError(
                f"--context: {shown(word)} is not KEY=VALUE", do="write it like --context aws:SourceIp=192.0.2.1"
            )
        if key.lower() in map(str.lower, result):
            raise ValetkeyError(f"--context: {shown(key)} is given twice", do="give one value")
        result[key] = value
    return result


def permissions(name: str, compare: str | None, account: OwnerAccount, *, now: datetime, as_json: bool) -> int:
    """Run `valetkey show NAME --permissions`. Raises ValetkeyError."""
    from valetkey.grants.compared import compare as compared
    from valetkey.grants.consolidated import consolidate, summary
    from valetkey.grants.effective import read_effective
    from valetkey.report.permissions import say_permissions

    perform = account.connect()
    owner, standing = _owning.find_grant(perform, name)
    effective = read_effective(standing.role, perform)
    other = None if compare is None else _other(compare, perform, owner)
    against = None if other is None else compared(effective, other)
    result = summary(effective, now=now)
    say_permissions(owner, effective, standing, result, consolidate(effective), against, now=now, as_json=as_json)
    whole = effective.whole and not result.undecided and (against is None or against.relation != "unknown")
    return 0 if whole else 1


def _other(word: str, perform: Perform, owner: Owner) -> Effective:
    """Return the grant with this name, else the policy that `word` names. Raises ValetkeyError."""
    from valetkey.catalog import limits
    from valetkey.grants.effective import of_policy, read_effective
    from valetkey.grants.policies import find_managed, from_files, inline_name, is_file
    from valetkey.grants.role import read_role
    from valetkey.trust.record import PREFIX

    if is_file(word):
        document = dict(from_files([word], read=_owning.read_text))[inline_name(word)]
        return of_policy(word, document)
    if not word.startswith("arn:"):
        try:
            limits.check("role name", word)
            role = read_role(perform, word)
        except limits.LimitError:
            role = None
        if role is not None and f"{PREFIX}version" in role.tags:
            return read_effective(role, perform)
    (managed,) = find_managed([word], perform, owner)
    return of_policy(word, managed.document)


def from_use(name: str, source: str | None, account: OwnerAccount, *, now: datetime, as_json: bool) -> int:
    """Run `valetkey show NAME --from-use`. Raises ValetkeyError; CallError when the use could not be read."""
    from valetkey.grants.effective import read_effective
    from valetkey.grants.from_use import propose
    from valetkey.grants.last_accessed import read_use
    from valetkey.report.permissions import say_from_use

    perform = account.connect()
    owner, standing = _owning.find_grant(perform, name)
    effective = read_effective(standing.role, perform)
    if effective.unread:
        raise ValetkeyError(
            f"policies of {name} could not be read: {', '.join(map(str, effective.unread))}",
            do="a smaller policy is proposed of whole policies only; see the permissions that it needs",
            where=standing.role.arn,
            exit_code=1,
        )
    if source is None:
        use, complete = read_use(perform, standing.role.arn, waiting=_owning.waiting()), True
    else:
        use, complete = _trail(standing, source, account, now)
    proposal = propose(effective, use)
    say_from_use(owner, effective, proposal, as_json=as_json)
    return 0 if complete and proposal.smaller.holds else 1


def _trail(standing: Standing, source: str, account: OwnerAccount, now: datetime) -> tuple[UsedActions, bool]:
    """Return what CloudTrail records of the grant since it was created, and whether everything could be read."""
    from valetkey.cli import _activity
    from valetkey.grants.from_use import UsedActions
    from valetkey.report.activity import incomplete, number, span_words

    read = _activity.read_grant(standing, source, account, now=now)
    use = UsedActions(
        source=f"CloudTrail ({source}) {span_words(read.span)}: {number(len(read.answer.sessions), 'session')}",
        actions=frozenset(item.lower() for item in read.answer.used(standing.role.arn)),
        notes=(*incomplete(read.reading), *read.unseen),
    )
    return use, read.reading.is_complete
