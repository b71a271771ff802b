"""Plan a grant: from the wanted grant and the present role to the remaining calls.

Rules:
- INVARIANT: after every prefix of the calls the role gives no more than the terms. CreateRole sets trust policy,
  boundary and record at once and no permission; the denies come before the first policy that allows.
- A role that differs from the wanted grant is never changed to match: `Differs` shows every difference. Missing parts
  (of an interrupted `grant`) are added. Planning again after everything is done gives no call.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from valetkey.account.calls import Call
from valetkey.catalog import limits
from valetkey.errors import ValetkeyError
from valetkey.grants.grant import PREFIX, Grant, instant, read_record, terms_digest
from valetkey.grants.history import is_change
from valetkey.grants.role import LiveRole, compact
from valetkey.grants.status import Difference, differing_terms, read_standing, terms_on, words
from valetkey.grants.taken import PolicyEffect
from valetkey.grants.waiting import Settle
from valetkey.policy.iam_arns import path_trouble
from valetkey.trust.self_denies import SessionsDeny, kill_deny
from valetkey.trust.terms import check_terms
from valetkey.trust.writing import write_trust


class Differs(ValetkeyError):
    """The role is a grant with other terms than the wanted ones, or it was changed since."""

    def __init__(self, name: str, rows: tuple[Difference, ...]) -> None:
        super().__init__(
            f"the role {name} exists, and differs from your options in {len(rows)} point(s)",
            do="give the options of the existing grant, or change it with `valetkey change`; nothing was changed",
        )
        self.name = name
        self.rows = rows


def plan(wanted: Grant, role: LiveRole | None) -> tuple[Call, ...]:
    """Return the calls that create or finish the grant. Raises Differs, ForeignRole, or what `check` raises."""
    check(wanted)
    if role is None:
        return (_create(wanted), *_fill(wanted, None))
    rows = tuple(_differences(wanted, role))
    if rows:
        raise Differs(wanted.name, rows)
    return _fill(wanted, role)


def target(call: Call) -> str:
    """Return the name or ARN of the policy that a call puts, attaches or removes; "" for another call."""
    return str(call.params.get("PolicyName") or call.params.get("PolicyArn") or "")


@dataclass(frozen=True)
class Order:
    """The order in which a grant's policies are written, and where a write must take effect first.

    Policies that only deny come first (0), then those that also allow (1), then those that only allow (2). Two policies
    that each deny what the other allows cannot be ordered: one of them comes first.
    """

    kinds: Mapping[str, PolicyEffect] = field(default_factory=dict)
    """The kind of each of the owner's policies, by name or ARN."""
    waits: frozenset[int] = frozenset()
    """The ranks before which to wait."""

    def rank(self, call: Call, wanted: Grant) -> int:
        """Return 0, 1 or 2; for a call that puts no policy: 0."""
        name = target(call)
        if not name or name in wanted.denies:
            return 0
        return {"denies": 0, "both": 1, "allows": 2}[self.kinds.get(name, "allows")]

    def steps(self, wanted: Grant, calls: tuple[Call, ...]) -> tuple[Call | Settle, ...]:
        """Return the calls in this order, with the waits."""
        result: list[Call | Settle] = []
        before = 0
        for call in sorted(calls, key=lambda item: self.rank(item, wanted)):
            rank = self.rank(call, wanted)
            if any(before < wait <= rank for wait in self.waits):
                result.append(Settle())
            before = rank
            result.append(call)
        return tuple(result)


def adopted(wanted: Grant, role: LiveRole | None, *, lasting: timedelta | None = None) -> Grant:
    """Return the wanted grant, completed from the record with what the first run chose and this run does not set.

    These are the ExternalId if none was given (and who chose it); the access request if none was given; and the end if
    it was given as a time from now (`lasting`), the recorded end is that long after the creation of the role, and it is
    still in the future. Raises ForeignRole.
    """
    if role is None:
        return wanted
    record = read_record(role)
    result = terms_on(role, record.contractor)
    terms = wanted.terms
    by = wanted.external_id_by
    recorded = None if result is None else result.external_id
    if recorded is not None and (by == "valetkey" or terms.external_id == recorded):
        by = record.external_id_by
        terms = replace(terms, external_id=recorded)
    if lasting is not None and record.until is not None and terms.until is not None:
        apart = abs(record.until - role.created - lasting)
        if apart <= timedelta(hours=1) and terms.until - lasting < record.until <= terms.until:
            terms = replace(terms, until=record.until)
    user_id = wanted.user_id if wanted.request else record.user_id
    return replace(wanted, terms=terms, external_id_by=by, request=wanted.request or record.request, user_id=user_id)


def check(wanted: Grant) -> None:
    """Check AWS's limits for every field, and the rules of terms, before any call. Raises LimitError, TermsError or
    ValetkeyError.

    The owner's account may still be unknown (empty); `plan` checks again when it is known.
    """
    limits.check("role name", wanted.name)
    limits.check("role path", wanted.path)
    if trouble := path_trouble(wanted.path):
        raise ValetkeyError(f"the role {trouble}", do="give a --path of letters, digits, _+=,.@- and single slashes")
    limits.check("description", wanted.description)
    check_terms(wanted.terms)
    if wanted.terms.contractor == wanted.account:
        raise ValetkeyError(
            f"{wanted.account} is your own account, in which the role would be; a grant is for another account",
            do="give the contractor's account; your own users need no such role",
        )
    if not limits.ROLE_SESSION_MIN <= wanted.max_session <= limits.ROLE_SESSION_MAX:
        raise ValetkeyError(
            f"a session limit of {wanted.max_session} s is outside AWS's 3600 to 43200 s (1h to 12h)",
            do="give --session between 1h and 12h; the contractor can always request shorter sessions",
        )
    _check_tags(wanted)
    _check_policies(wanted)


def _check_tags(wanted: Grant) -> None:
    for key, value in wanted.tags:
        limits.check("tag key", key)
        limits.check("tag value", value)
        if key.lower().startswith(PREFIX):
            raise ValetkeyError(
                f"the tag key {key} begins with {PREFIX}, which is the grant's record", do="use another key"
            )
    keys = [key.lower() for key, _ in wanted.tags]
    if len(set(keys)) != len(keys):
        raise ValetkeyError("a tag key occurs twice; AWS ignores case in tag keys", do="give each key once")
    if len(keys) + len(wanted.record) > limits.TAGS_MAX:
        raise ValetkeyError(
            f"{len(keys)} tags and {len(wanted.record)} of the grant's record exceed AWS's limit of {limits.TAGS_MAX}",
            do="give fewer --tag or --policy",
        )


def _check_policies(wanted: Grant) -> None:
    if not wanted.managed and not wanted.inline:
        raise ValetkeyError("a grant needs at least one policy", do="name one with --policy")
    # Leave room for the policies of a suspension or a revocation.
    later = (kill_deny(), SessionsDeny(since=_SOME_TIME, until=_SOME_TIME).document)
    inline = [*wanted.denies.values(), *(document for _, document in wanted.inline), *later]
    size = sum(len("".join(compact(document).split())) for document in inline)
    if size > limits.INLINE_POLICIES_MAX:
        raise ValetkeyError(
            f"the inline policies have {size:,} characters with the grant's own denies; AWS allows "
            f"{limits.INLINE_POLICIES_MAX:,} on a role (whitespace not counted)",
            do="create a managed policy from the larger file and name it",
        )


_SOME_TIME = datetime(2026, 1, 1, tzinfo=UTC)
"""Any time: all have the same length as text."""


def _create(wanted: Grant) -> Call:
    params: dict[str, Any] = {
        "RoleName": wanted.name,
        "Path": wanted.path,
        "AssumeRolePolicyDocument": compact(write_trust(wanted.terms)),
        "MaxSessionDuration": wanted.max_session,
        "Tags": [{"Key": key, "Value": value} for key, value in (*wanted.record.items(), *wanted.tags)],
    }
    if wanted.description:
        params["Description"] = wanted.description
    if wanted.boundary:
        params["PermissionsBoundary"] = wanted.boundary
    return Call("iam", "create_role", params)


def _fill(wanted: Grant, role: LiveRole | None) -> tuple[Call, ...]:
    """Return the calls that write the missing policies. INVARIANT: denies first, then inline policies, then managed
    ones."""
    inline = role.inline if role else {}
    managed = role.managed if role else ()
    about = {"RoleName": wanted.name}
    documents = (*wanted.denies.items(), *wanted.inline)
    return (
        *(
            Call("iam", "put_role_policy", {**about, "PolicyName": name, "PolicyDocument": compact(document)})
            for name, document in documents
            if name not in inline
        ),
        *(
            Call("iam", "attach_role_policy", {**about, "PolicyArn": arn})
            for arn in wanted.managed
            if arn not in managed
        ),
    )


def _differences(wanted: Grant, role: LiveRole) -> Iterator[Difference]:
    standing = read_standing(role)
    record, terms = standing.record, standing.terms
    if standing.revoking:
        yield Difference("revocation", "in progress: run `valetkey revoke` again to finish it", "a new grant")
        return
    if record.terms != terms_digest(wanted.terms):
        if terms is not None and terms_digest(terms) == record.terms:
            yield from differing_terms(terms, wanted.terms)
        else:
            for what, one, other in (
                ("contractor", record.contractor, wanted.terms.contractor),
                ("until", instant(record.until), instant(wanted.terms.until)),
                ("terms", record.terms, terms_digest(wanted.terms)),
            ):
                if one != other:
                    yield Difference(what, words(one), words(other))
    if record.changing is not None:
        yield Difference(
            "change", "in progress: run the same `valetkey change` command again to finish it", "a new grant"
        )
        return
    agreed = {key: value for key, value in role.tags.items() if key.startswith(PREFIX) and not is_change(key)}
    for key in sorted(agreed.keys() | wanted.record.keys()):
        if key != f"{PREFIX}terms" and agreed.get(key) != wanted.record.get(key):
            one, other = agreed.get(key), wanted.record.get(key)
            what = key.removeprefix(PREFIX)
            if what not in ("contractor", "until"):
                yield Difference(what, words(one), words(other))
    for key, value in wanted.tags:
        if role.tags.get(key) != value:
            yield Difference(f"tag {key}", words(role.tags.get(key)), value)
    if role.name != wanted.name:
        # IAM's names are case-insensitive; the deny on the own role would name an ARN that does not exist.
        yield Difference("name", role.name, wanted.name)
    if role.path != wanted.path:
        yield Difference("path", role.path, wanted.path)
    if role.description is not None and role.description != wanted.description:
        yield Difference("description", role.description or "none", wanted.description or "none")
    for difference in standing.drift:
        if not difference.missing:
            yield Difference(f"{difference.what} on the role", difference.found, difference.agreed)
