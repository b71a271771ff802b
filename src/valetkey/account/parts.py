"""The content of one source, and how several sources are merged into one account.

Rules:
- Dumps may be of several accounts (several files, or a merged one); each role names its account. Two different
  descriptions of one role are refused.
- A role that two sources describe in the same way is one role. A role from a template and one from a dump with the
  same ARN are both kept.
- Descriptions and session limits, which GetAccountAuthorizationDetails does not return, come from ListRoles.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from valetkey.account.loaded import SourceError, load_json
from valetkey.account.values import Account, Document, Role, UnknownPart, User


@dataclass(slots=True)
class SourcePart:
    """What one source contains."""

    name: str
    """The file, or "account 111122223333"."""
    roles: list[Role] = field(default_factory=list)
    listed: dict[str, Role] = field(default_factory=dict)
    """Roles from ListRoles or GetRole, by ARN."""
    policies: dict[str, Document] = field(default_factory=dict)
    """Managed policies by ARN (`add_policy`)."""
    users: list[User] = field(default_factory=list)
    providers: tuple[str, ...] | None = None
    quotas: Mapping[str, int] = field(default_factory=dict)
    owners: dict[tuple[str, str], str] = field(default_factory=dict)
    """Partition and account of the content, each with a place in the file."""
    dump: bool = False
    """Whether the source describes the actual account, not the one that a template would create."""
    lists_roles: bool = False
    """Whether a dump contains a list of roles, which may be empty."""
    goes_on: bool | None = None
    """Whether another page follows, by IsTruncated or a token; None where the page has neither."""
    by_token: bool = False
    """Whether `goes_on` comes from a token, which the last page lacks, instead of IsTruncated."""
    unknown: list[UnknownPart] = field(default_factory=list)
    unclear: set[str] = field(default_factory=set)
    """ARNs of managed policies with unknown documents. None of them is in `policies`."""

    def add_policy(self, arn: str, document: Document | None, where: str) -> None:
        """Add a managed policy; `document` is None if unknown. INVARIANT: if a policy has two different documents, or
        an unknown one, its document is unknown."""
        if document is not None and arn not in self.unclear:
            if self.policies.setdefault(arn, document) == document:
                return
            if self.dump:
                raise _differ(arn, self.name, where)
            self.unknown.append(UnknownPart(f"policy {arn}", "two different policies have this name", where))
        self.policies.pop(arn, None)
        self.unclear.add(arn)

    def add_listed(self, role: Role) -> None:
        """Add a role from ListRoles or GetRole. Raises SourceError if the source describes it twice, differently."""
        _same_listed(self.listed.setdefault(role.arn, role), role)

    def add_nested(self, inner: SourcePart, where: str) -> None:
        """Add the content of a template nested in this source."""
        self.roles += inner.roles
        for arn, document in inner.policies.items():
            self.add_policy(arn, document, where)
        for arn in inner.unclear:
            self.add_policy(arn, None, where)
        self.unknown += inner.unknown


def one_account(parts: Iterable[SourcePart], *, owner: str | None = None, partition: str = "aws") -> Account:
    """Merge parts into one account. `owner` and `partition` apply where the parts name none. Raises SourceError."""
    parts = list(parts)
    partition, account = _owner(parts, owner, partition)
    policies, unclear = _policies(parts)
    unknown = [*(unknown_part for part in parts for unknown_part in part.unknown), *unclear, *_cut_off(parts)]
    if parts and all(part.dump and not part.lists_roles for part in parts):
        unknown.append(UnknownPart("roles", "it has no list of roles, only users, groups or policies", parts[0].name))
    listed = [part.providers for part in parts if part.providers is not None]
    dumped = {number for part in parts if part.dump for _, number in part.owners}
    return Account(
        id=account,
        ids=tuple(sorted(dumped)) if account is None else (account,),
        partition=partition,
        roles=tuple(sorted(_roles(parts), key=lambda role: (role.arn, role.where))),
        policies=policies,
        users=tuple(user for part in parts for user in part.users),
        providers=tuple(dict.fromkeys(arn for item in listed for arn in item)) if listed else None,
        quotas={name: number for part in parts for name, number in part.quotas.items()},
        sources=tuple(part.name for part in parts),
        unknown=tuple(unknown),
    )


def _roles(parts: list[SourcePart]) -> list[Role]:
    """Every role once. Raises SourceError for a role that two dumps, or two templates, describe differently."""
    live: dict[str, Role] = {}
    drafts: dict[tuple[object, ...], Role] = {}
    for part in parts:
        for role in part.roles:
            same = live.setdefault(role.arn, role) if part.dump else drafts.setdefault(_draft(role), role)
            if same is not role and not _same_detail(same, role):
                raise _differ(role.arn, same.where, role.where)
    listed: dict[str, Role] = {}
    for part in parts:
        for arn, role in part.listed.items():
            _same_listed(listed.setdefault(arn, role), role)
            if not _same_trust(role, other := live.get(arn, role)):
                raise _differ(arn, other.where, role.where)
    joined = [_joined(role, listed.pop(role.arn, None)) for role in (*live.values(), *drafts.values())]
    # The rest are only in ListRoles: their trust policies are known, their permissions are not.
    return [*joined, *(replace(role, unknown=(*role.unknown, _untold(role))) for role in listed.values())]


def _policies(parts: list[SourcePart]) -> tuple[dict[str, Document], list[UnknownPart]]:
    """The managed policies by ARN, without those that a template and another source describe differently: which of the
    two a role gets is unknown. Raises SourceError if two dumps differ."""
    result: dict[str, tuple[Document, SourcePart]] = {}
    unclear = {arn for part in parts for arn in part.unclear}
    unknown: list[UnknownPart] = []
    for part in sorted(parts, key=lambda source_part: not source_part.dump):
        for arn, document in part.policies.items():
            first, other = result.setdefault(arn, (document, part))
            if first == document:
                continue
            if part.dump:
                raise _differ(arn, other.name, part.name)
            unclear.add(arn)
            unknown.append(UnknownPart(f"policy {arn}", f"{other.name} describes it differently", part.name))
    return {arn: document for arn, (document, _) in result.items() if arn not in unclear}, unknown


def _owner(parts: list[SourcePart], owner: str | None, partition: str) -> tuple[str, str | None]:
    """Partition and account of all parts; the account is None if there are several. Raises SourceError."""
    dumps = {pair: place for part in parts if part.dump for pair, place in part.owners.items()}
    other = {pair for part in parts for pair in part.owners}
    for (_, account), place in dumps.items():
        if owner is not None and account != owner:
            raise SourceError(
                f"the file is of account {account}, not of {owner}", do="leave --owner out, or correct it", where=place
            )
    result = list(dumps or other)
    if owner is not None:
        return next((item for item, account in result if account == owner), partition), owner
    return (result[0][0] if result else partition), (result[0][1] if len(result) == 1 else None)


def _cut_off(parts: list[SourcePart]) -> Iterator[UnknownPart]:
    """Yield an Unknown for each account whose last page is missing."""
    by_account: dict[frozenset[tuple[str, str]], list[SourcePart]] = {}
    for part in parts:
        if part.goes_on is not None:
            by_account.setdefault(frozenset(part.owners), []).append(part)
    # A page without roles does not name its account: it may be the last page of any.
    unnamed = by_account.pop(frozenset(), []) if len(by_account) > 1 else []
    for pages in by_account.values():
        pages = [*pages, *unnamed]
        if any(part.goes_on for part in pages) and not any(part.goes_on is False for part in pages):
            last = next(part for part in reversed(pages) if part.goes_on)
            if not (last.by_token and any(map(partial(_may_end, last), parts))):
                said = "has a token for the next one" if last.by_token else "says IsTruncated"
                why = f"a page {said}, and the page after it is missing: there is more in the account"
                yield UnknownPart("roles", why, last.name)


def _may_end(page: SourcePart, other: SourcePart) -> bool:
    """Whether another page may be the last page of the same list."""
    same_kind = other.dump and bool(other.roles) == bool(page.roles) and bool(other.listed) == bool(page.listed)
    return same_kind and other.goes_on is None and other.owners.keys() == page.owners.keys()


def _joined(role: Role, listed: Role | None) -> Role:
    if listed is None:
        return role
    return replace(role, description=listed.description, max_session=listed.max_session)


def _told(role: Role) -> tuple[str, ...]:
    """The values by which two descriptions of a role are compared."""
    documents = [f"{name} {document}" for name, document in sorted(role.inline.items())]
    return (role.arn, role.trust or "", role.boundary or "", *sorted(role.attached), "", *documents)


def _draft(role: Role) -> tuple[object, ...]:
    """The values by which two roles of templates are compared. INVARIANT: unknown parts are compared too, so that a
    role never replaces one of which less is known."""
    return (*_told(role), role.open_trust, tuple((part.part, part.reason) for part in role.unknown))


def _same_detail(one: Role, other: Role) -> bool:
    """Whether two dumps describe a role equally, including its unknown parts."""
    hidden = [[(part.part, part.reason) for part in role.unknown if part.hides] for role in (one, other)]
    return _told(one) == _told(other) and hidden[0] == hidden[1] and _agree(one.tags, other.tags)


def _same_listed(one: Role, other: Role) -> None:
    """Raise SourceError if ListRoles and GetRole describe a role differently."""
    same = _agree(one.description, other.description) and _agree(one.max_session, other.max_session)
    if not same or not _same_trust(one, other):
        raise _differ(one.arn, one.where, other.where)


def _agree(one: object, other: object) -> bool:
    """Whether two values are equal; True if one source lacks the value."""
    return one is None or other is None or one == other


def _same_trust(one: Role, other: Role) -> bool:
    """Whether two dumps give a role the same trust policy, regardless of formatting. True where one is not known."""
    if one.trust is None or other.trust is None or one.trust == other.trust:
        return True
    try:
        return bool(load_json(one.trust.encode(), one.where) == load_json(other.trust.encode(), other.where))
    except SourceError:
        return False


def _untold(role: Role) -> UnknownPart:
    return UnknownPart("policies", "ListRoles and GetRole do not return a role's policies", role.where)


def _differ(arn: str, one: str, other: str) -> SourceError:
    return SourceError(
        f"{arn} is described in two different ways",
        do="give dumps of one account, taken together",
        where=f"{one}; {other}",
    )
