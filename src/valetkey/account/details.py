"""Read GetAccountAuthorizationDetails, ListRoles and GetRole as JSON, from the AWS CLI, boto3 or the API.

Shapes: API reference, API_GetAccountAuthorizationDetails, API_RoleDetail, API_ListRoles, API_GetRole. A file is one
page or a list of pages; the CLI merges the pages. Policy documents are objects (CLI, boto3) or URL-encoded text (the
API, RFC 3986); both are used unchanged.

IAM returned all of these documents: a unique id in a Principal element is a deleted principal (`Origin.RETURNED`).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import unquote

import msgspec
from msgspec import UNSET, UnsetType

from valetkey.account.duplicate_keys import refuse_duplicate_keys
from valetkey.account.loaded import SourceError, no_json, not_utf8, too_deep
from valetkey.account.parts import SourcePart
from valetkey.account.values import Document, Role, UnknownPart, User
from valetkey.policy.origin import Origin

KEYS = ("RoleDetailList", "UserDetailList", "GroupDetailList", "Policies", "Roles", "Role")
"""A JSON object with any of these keys is a page."""

_DOCUMENTS = frozenset({"AssumeRolePolicyDocument", "PolicyDocument", "Document"})
_RAW = msgspec.Raw()
_PATH = r"(/(?:[\x21-\x7e]{1,510}/)?)"
_ROLE = re.compile(rf"arn:(aws(?:-[a-z0-9]+)*):iam::([0-9]{{12}}):role{_PATH}[\w+=,.@-]{{1,64}}", re.ASCII)


class _Inline(msgspec.Struct):
    PolicyName: str
    PolicyDocument: msgspec.Raw = _RAW


class _Attached(msgspec.Struct):
    PolicyArn: str


class _Tag(msgspec.Struct):
    Key: str
    Value: str = ""


class _Boundary(msgspec.Struct):
    PermissionsBoundaryArn: str | None = None


class _Used(msgspec.Struct):
    LastUsedDate: str | int | float | None = None


class _Role(msgspec.Struct):
    Arn: str
    RoleName: str
    CreateDate: str | int | float | None = None
    AssumeRolePolicyDocument: msgspec.Raw = _RAW
    RolePolicyList: list[_Inline] | None = None
    AttachedManagedPolicies: list[_Attached] | None = None
    PermissionsBoundary: _Boundary | None = None
    Tags: list[_Tag] | None = None
    RoleLastUsed: _Used | None = None
    Description: str | None = None
    MaxSessionDuration: int | None = None


class _Version(msgspec.Struct):
    VersionId: str | None = None
    IsDefaultVersion: bool | None = None
    Document: msgspec.Raw = _RAW


class _Policy(msgspec.Struct):
    Arn: str
    DefaultVersionId: str | None = None
    PolicyVersionList: list[_Version] = []


class _User(msgspec.Struct):
    Arn: str
    UserId: str | None = None


class Page(msgspec.Struct):
    """One response of GetAccountAuthorizationDetails, ListRoles (`Roles`) or GetRole (`Role`)."""

    RoleDetailList: list[_Role] | UnsetType = UNSET
    Policies: list[_Policy] = []
    UserDetailList: list[_User] = []
    Roles: list[_Role] | UnsetType = UNSET
    Role: _Role | None = None
    IsTruncated: bool | None = None
    NextToken: str | None = None
    """What the AWS CLI prints instead where `--max-items` cut the list off; its last page has none."""
    Marker: str | None = None


def read_details(data: bytes, name: str) -> SourcePart:
    """Read a file of one page or a list of pages. Raises SourceError with file and JSON path."""
    many = data.lstrip()[:1] == b"["
    try:
        pages = msgspec.json.decode(data, type=list[Page]) if many else [msgspec.json.decode(data, type=Page)]
    except msgspec.ValidationError as error:
        raise _wrong(name, str(error)) from None
    except msgspec.DecodeError as error:
        raise no_json(name, str(error)) from None
    except RecursionError:
        raise too_deep(name) from None
    except UnicodeDecodeError:
        raise not_utf8(name) from None
    refuse_duplicate_keys(data, name, documents=_DOCUMENTS)
    part = SourcePart(name, dump=True)
    texts: Texts = {}
    for index, page in enumerate(pages):
        add_page(part, page, texts, root=f"{name}: $[{index}]" if many else f"{name}: $")
    return part


Texts = dict[bytes, Document]
"""Documents by their source text, so that equal ones are one object."""


def add_page(part: SourcePart, page: Page, texts: Texts, *, root: str) -> None:
    """Add a page to a part of an account; `root` is the place of the page in a file, empty for a live account.

    Raises SourceError.
    """

    def place(within: str) -> str:
        return f"{root}.{within}" if root else part.name

    part.lists_roles |= page.RoleDetailList is not UNSET or page.Roles is not UNSET or page.Role is not None
    for index, role in enumerate(page.RoleDetailList or ()):
        part.roles.append(_read_role(role, place(f"RoleDetailList[{index}]"), part, texts, is_detail=True))
    for index, role in enumerate(page.Roles or ()):
        part.add_listed(_read_role(role, place(f"Roles[{index}]"), part, texts))
    if page.Role is not None:
        part.add_listed(_read_role(page.Role, place("Role"), part, texts))
    for index, policy in enumerate(page.Policies):
        where = place(f"Policies[{index}]")
        document = _default_version(policy, where, texts)
        part.add_policy(policy.Arn, document if isinstance(document, str) else None, where)
        if isinstance(document, UnknownPart):
            part.unknown.append(document)
    part.users += [User(user.Arn, user.UserId) for user in page.UserDetailList]
    if page.IsTruncated is not None:
        part.goes_on, part.by_token = page.IsTruncated, False
    elif page.NextToken or page.Marker:
        part.goes_on = part.by_token = True
    elif part.by_token:
        part.goes_on = part.by_token = False


def _read_role(stated: _Role, where: str, part: SourcePart, texts: Texts, *, is_detail: bool = False) -> Role:
    match = _ROLE.fullmatch(stated.Arn)
    if match is None:
        raise SourceError(
            f"{stated.Arn[:80]!a} is not the ARN of a role", do="give the file as AWS wrote it", where=f"{where}.Arn"
        )
    partition, account, path = match.groups()
    part.owners.setdefault((partition, account), where)
    unknown: list[UnknownPart] = []

    def document(raw: msgspec.Raw, of: str, place: str) -> Document | None:
        try:
            text = _document(raw, texts)
        except ValueError as error:
            unknown.append(UnknownPart(of, str(error), place))
            return None
        if text is None:
            unknown.append(UnknownPart(of, "the file does not contain the document", place))
        return text

    def time(of: str, given: str | float | None, place: str) -> datetime | None:
        try:
            return _time(given)
        except (ValueError, OverflowError, OSError):
            unknown.append(UnknownPart(of, "it is not a time", place))
            return None

    inline: dict[str, Document] = {}
    twice: set[str] = set()
    for index, policy in enumerate(stated.RolePolicyList or ()):
        place = f"{where}.RolePolicyList[{index}].PolicyDocument"
        text = document(policy.PolicyDocument, f"inline policy {policy.PolicyName}", place)
        if text is not None and inline.setdefault(policy.PolicyName, text) != text:
            twice.add(policy.PolicyName)
            unknown.append(
                UnknownPart(f"inline policy {policy.PolicyName}", "two different policies have this name", place)
            )
    if is_detail and (stated.RolePolicyList is None or stated.AttachedManagedPolicies is None):
        unknown.append(UnknownPart("policies", "the file does not hold all of the role's policies", where))
    used = stated.RoleLastUsed
    return Role(
        name=stated.RoleName,
        arn=stated.Arn,
        path=path,
        account=account,
        partition=partition,
        where=where,
        origin=Origin.RETURNED,
        trust=document(stated.AssumeRolePolicyDocument, "trust", f"{where}.AssumeRolePolicyDocument"),
        trust_where="" if where == part.name else f"{where}.AssumeRolePolicyDocument",
        attached=tuple(item.PolicyArn for item in stated.AttachedManagedPolicies or ()),
        inline={name: text for name, text in inline.items() if name not in twice},
        boundary=stated.PermissionsBoundary.PermissionsBoundaryArn if stated.PermissionsBoundary else None,
        max_session=stated.MaxSessionDuration,
        description=stated.Description,
        tags=None if stated.Tags is None else {tag.Key: tag.Value for tag in stated.Tags},
        created=time("created", stated.CreateDate, f"{where}.CreateDate"),
        last_used=time("last use", used.LastUsedDate, f"{where}.RoleLastUsed.LastUsedDate") if used else None,
        last_use_known=used is not None,
        unknown=tuple(unknown),
    )


def _default_version(policy: _Policy, where: str, texts: Texts) -> Document | UnknownPart:
    chosen = [item for item in policy.PolicyVersionList if item.IsDefaultVersion]
    if len(chosen) > 1 or any(map(partial(_contradicts, policy), policy.PolicyVersionList)):
        return UnknownPart(f"policy {policy.Arn}", "the file does not say which of its versions is the default", where)
    for index, version in enumerate(policy.PolicyVersionList):
        if version.IsDefaultVersion or (version.VersionId and version.VersionId == policy.DefaultVersionId):
            place = f"{where}.PolicyVersionList[{index}].Document"
            try:
                text = _document(version.Document, texts)
            except ValueError as error:
                return UnknownPart(f"policy {policy.Arn}", str(error), place)
            return (
                text
                if text is not None
                else UnknownPart(f"policy {policy.Arn}", "the file does not contain the document", place)
            )
    return UnknownPart(f"policy {policy.Arn}", "the file does not contain its default version", where)


def _contradicts(policy: _Policy, version: _Version) -> bool:
    """Whether a version and its policy disagree on whether it is the default version."""
    if version.IsDefaultVersion is None or not version.VersionId or not policy.DefaultVersionId:
        return False
    return version.IsDefaultVersion != (version.VersionId == policy.DefaultVersionId)


def _document(raw: msgspec.Raw, texts: Texts) -> Document | None:
    """The text of a document, or None where there is none. Equal texts are one object. Raises ValueError."""
    data = bytes(raw)
    if not data or data == b"null":
        return None
    known = texts.get(data)
    if known is None:
        try:
            if data.startswith(b'"'):
                known = msgspec.json.decode(data, type=str)
                known = unquote(known, errors="strict") if known[:3].lower() == "%7b" else known
            else:
                known = msgspec.json.format(data, indent=-1).decode()
        except (UnicodeDecodeError, msgspec.DecodeError):
            raise ValueError("it is not UTF-8 text") from None
        texts[data] = known = texts.setdefault(known.encode(), known)
    return known


def _time(given: str | float | None) -> datetime | None:
    """Parse a time as written by the CLI, boto3 (printed) or an older SDK (epoch seconds), as an aware UTC time.

    None where there is none. Raises ValueError, OverflowError, OSError.
    """
    if given is None or given == "":
        return None
    if isinstance(given, str):
        time = datetime.fromisoformat(given)
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    return datetime.fromtimestamp(given, UTC)


def _wrong(name: str, said: str) -> SourceError:
    what, _, place = said.partition(" - at `")
    where = f"{name}: {place.rstrip('`')}" if place else name
    return SourceError(f"{name} is not what AWS answers: {what}", do="give the file as AWS wrote it", where=where)


def as_page(answer: dict[str, Any]) -> Page:
    """Convert a boto3 response to a page. Raises SourceError."""
    try:
        return msgspec.json.decode(msgspec.json.encode(answer), type=Page)
    except msgspec.ValidationError as error:
        raise _wrong("AWS", str(error)) from None
