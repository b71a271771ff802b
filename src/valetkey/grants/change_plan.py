"""Plan a change of a grant: from the wanted grant and the present role to the remaining steps.

Rules:
- INVARIANT: after every prefix of the steps, each request that is allowed is allowed by the old terms or by the new
  ones, whatever the order in which the calls since the last `Settle` take effect.
- The record comes first: it shows that a change is in progress, and what it leads to. Then the calls that remove
  permissions, then the trust policy, then the calls that add permissions. A trust policy is replaced in one call, so
  there is no state in between.
- If the new trust policy refuses callers that the old one admits, existing sessions are denied (`Cut`) after the new
  trust policy has had time to take effect, and before a permission is added.
- If no caller is refused, additions come before removals, so that a call that both allow is never refused. Policies
  then come before the trust policy, so that newly admitted callers get only the new policies.
- Some calls may both add and remove permissions: for a policy that both allows and denies, a replaced boundary, and the
  owner's own tags (conditions may test them). One such call is placed where it gives no more than the old or the new
  terms. If there is no such place, or there are several such calls, the grant is paused for them (`pause_deny`).
- Planning again after a crash gives the remaining steps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from valetkey.account.calls import Call
from valetkey.grants import history
from valetkey.grants.grant import PREFIX, UNTIL, Grant
from valetkey.grants.role import LiveRole, canonical, compact
from valetkey.grants.semantics import People
from valetkey.grants.status import sessions_deny
from valetkey.grants.taken import PolicyEffect, kind
from valetkey.grants.waiting import Settle
from valetkey.trust.record import CHANGING, OWN, PAUSED, Changing
from valetkey.trust.self_denies import pause_deny, read_dated_deny
from valetkey.trust.terms import Terms
from valetkey.trust.writing import write_trust


@dataclass(frozen=True)
class Cut:
    """A step: deny the sessions issued before the time at which it is performed."""


Step = Call | Settle | Cut


@dataclass
class _Moves:
    """The calls that change what sessions may do, by effect."""

    denies: list[Call] = field(default_factory=list)
    """Remove permissions by denying."""
    removals: list[Call] = field(default_factory=list)
    """Remove permissions by allowing less."""
    mixed: list[Call] = field(default_factory=list)
    """May both add and remove permissions."""
    swaps: list[tuple[Call, Call, Call]] = field(default_factory=list)
    """Replace a document that only allows by another one that only allows: put it; or delete the old one first, and put
    the new one later."""
    additions: list[Call] = field(default_factory=list)
    """Add permissions by allowing more."""
    undenies: list[Call] = field(default_factory=list)
    """Add permissions by denying less."""


def plan_change(
    wanted: Grant,
    role: LiveRole,
    terms: Terms,
    *,
    people: People,
    kinds: Mapping[str, PolicyEffect],
    changing: Changing,
    entries: tuple[str, ...],
    entry: str,
) -> tuple[Step, ...]:
    """Return the remaining steps.

    `terms` are those of the present trust policy, `people` the effect of the change from them to the wanted ones.
    `kinds` is the kind of each managed policy. `changing` is the mark of this change, from the role if the change was
    begun before. `entry` is its line in the history, `entries` are the existing lines.
    """
    about = {"RoleName": wanted.name}
    moves = _moves(wanted, role, kinds, terms)
    trust: list[Step] = []
    if terms != wanted.terms:
        document = compact(write_trust(wanted.terms))
        trust.append(Call("iam", "update_assume_role_policy", {**about, "PolicyDocument": document}))
    cut: list[Step] = [Cut()] if (people.refuses or changing.cuts) and _cut_is_due(role, changing) else []
    steps = _ordered(moves, trust, cut, people, role, cuts=changing.cuts)
    if steps and CHANGING in role.tags:
        steps.insert(0, Settle())  # the writes of the previous run may not have taken effect
    stale = sorted(key for key in role.tags if _is_stale(key, wanted))
    if not steps and not stale and _recorded(wanted, role):
        return ()
    first: list[Step] = []
    if not _recorded(wanted, role) or (steps and CHANGING not in role.tags):
        said = {**wanted.record, CHANGING: changing.tag, **history.pushed(entries, entry)}
        first.append(Call("iam", "tag_role", {**about, "Tags": [{"Key": k, "Value": v} for k, v in said.items()]}))
        stale = sorted({*stale, CHANGING})
    last = [Call("iam", "untag_role", {**about, "TagKeys": stale})] if stale else []
    return (*first, *steps, *last)


def _recorded(wanted: Grant, role: LiveRole) -> bool:
    return wanted.record.items() <= role.tags.items()


def _is_stale(key: str, wanted: Grant) -> bool:
    return key.startswith(PREFIX) and key not in wanted.record and not history.is_change(key)


def _cut_is_due(role: LiveRole, changing: Changing) -> bool:
    """Return whether no deny on the role is certain to cover the sessions from before the change. A suspension without
    an end covers them, and ends in such a deny. For one with an end it depends on the time of the cut."""
    there = sessions_deny(role)
    if there is None or there.until is not None:
        return True
    return there.since is None and (there.before is None or there.before < changing.at)


def _ordered(
    moves: _Moves, trust: Sequence[Step], cut: Sequence[Step], people: People, role: LiveRole, *, cuts: bool
) -> list[Step]:
    refuses = cuts or people.refuses
    paused = PAUSED in role.inline
    if paused or len(moves.mixed) > 1 or (moves.mixed and refuses and people.admits):
        about = {"RoleName": role.name, "PolicyName": PAUSED}
        pause = Call("iam", "put_role_policy", {**about, "PolicyDocument": compact(pause_deny())})
        work: list[Step] = [
            *moves.denies,
            *moves.removals,
            *moves.mixed,
            *(put for put, _, _ in moves.swaps),
            *moves.additions,
            *moves.undenies,
            *trust,
        ]
        begin: list[Step] = [] if paused else [pause, Settle()]
        return [
            *begin,
            *work,
            *([Settle(), *cut] if cut else []),
            *([Settle()] if work or cut else []),
            Call("iam", "delete_role_policy", about),
        ]
    if refuses:
        return _shrunk(moves, trust, cut, people)
    if moves.mixed:
        return _one_mixed(moves, trust, people)
    return _together(moves, trust, people)


def _shrunk(moves: _Moves, trust: Sequence[Step], cut: Sequence[Step], people: People) -> list[Step]:
    """Order the steps if a caller is refused: remove permissions, trust policy, deny existing sessions, add
    permissions."""
    less = [*moves.denies, *moves.removals, *(gone for _, gone, _ in moves.swaps)]
    more = [*(back for _, _, back in moves.swaps), *moves.additions, *moves.undenies]
    grow: list[Step] = [*moves.mixed, *_gap(moves.mixed, more), *more]
    return [
        *less,
        *([Settle()] if less and trust and people.admits else []),
        *trust,
        *([Settle(), *cut] if cut else []),
        *([Settle()] if grow and (less or trust or cut) else []),
        *grow,
    ]


def _one_mixed(moves: _Moves, trust: Sequence[Step], people: People) -> list[Step]:
    """Order the steps if no caller is refused and one call is mixed: remove, that call, add, trust policy."""
    less = [*moves.denies, *moves.removals, *(gone for _, gone, _ in moves.swaps)]
    more = [*(back for _, _, back in moves.swaps), *moves.additions, *moves.undenies]
    return [
        *less,
        *_gap(less, moves.mixed),
        *moves.mixed,
        *_gap(moves.mixed, more),
        *more,
        *([Settle()] if trust and people.admits else []),
        *trust,
    ]


def _together(moves: _Moves, trust: Sequence[Step], people: People) -> list[Step]:
    """Order the steps if no caller is refused: add before removing, and the trust policy last."""
    puts = [*moves.additions, *(put for put, _, _ in moves.swaps)]
    less = [*moves.denies, *moves.removals, *(put for put, _, _ in moves.swaps)]
    work: list[Step] = [
        *moves.denies,
        *_gap(moves.denies, puts),
        *puts,
        *moves.removals,
        *_gap(less, moves.undenies),
        *moves.undenies,
    ]
    return [*work, *([Settle()] if less and trust and people.admits else []), *trust]


def _gap(before: Sequence[Step], after: Sequence[Step]) -> list[Settle]:
    return [Settle()] if before and after else []


def _moves(wanted: Grant, role: LiveRole, kinds: Mapping[str, PolicyEffect], terms: Terms) -> _Moves:
    about = {"RoleName": wanted.name}
    moves = _Moves()
    _own_denies(moves, wanted, role, terms)
    _managed(moves, wanted, role, kinds)
    _inline(moves, wanted, role)
    if role.boundary != wanted.boundary:
        if wanted.boundary is None:
            moves.undenies.append(Call("iam", "delete_role_permissions_boundary", about))
        else:
            put = Call("iam", "put_role_permissions_boundary", {**about, "PermissionsBoundary": wanted.boundary})
            (moves.denies if role.boundary is None else moves.mixed).append(put)
    if (role.max_session, role.description or "") != (wanted.max_session, wanted.description):
        # A call without MaxSessionDuration sets it to one hour (IAM API reference, UpdateRole): always send both.
        both = {"Description": wanted.description, "MaxSessionDuration": wanted.max_session}
        lower = role.max_session is not None and wanted.max_session < role.max_session
        (moves.removals if lower else moves.additions).append(Call("iam", "update_role", {**about, **both}))
    own = [{"Key": key, "Value": value} for key, value in wanted.tags if role.tags.get(key) != value]
    if own:
        moves.mixed.append(Call("iam", "tag_role", {**about, "Tags": own}))
    return moves


def _own_denies(moves: _Moves, wanted: Grant, role: LiveRole, terms: Terms) -> None:
    about = {"RoleName": wanted.name}
    for name, document in wanted.denies.items():
        if canonical(role.inline.get(name, {})) == canonical(document):
            continue
        put = Call("iam", "put_role_policy", {**about, "PolicyName": name, "PolicyDocument": compact(document)})
        there = read_dated_deny(role.inline.get(name))
        later = name == UNTIL and there is not None and wanted.terms.until is not None and there < wanted.terms.until
        (moves.undenies if later else moves.denies).append(put)
    if UNTIL in role.inline and UNTIL not in wanted.denies:
        moves.undenies.append(Call("iam", "delete_role_policy", {**about, "PolicyName": UNTIL}))


def _managed(moves: _Moves, wanted: Grant, role: LiveRole, kinds: Mapping[str, PolicyEffect]) -> None:
    about = {"RoleName": wanted.name}
    for arn in wanted.managed:
        if arn not in role.managed:
            adds = {"allows": moves.additions, "denies": moves.denies, "both": moves.mixed}
            adds[kinds.get(arn, "both")].append(Call("iam", "attach_role_policy", {**about, "PolicyArn": arn}))
    for arn in role.managed:
        if arn not in wanted.managed:
            removes = {"allows": moves.removals, "denies": moves.undenies, "both": moves.mixed}
            removes[kinds.get(arn, "both")].append(Call("iam", "detach_role_policy", {**about, "PolicyArn": arn}))


def _inline(moves: _Moves, wanted: Grant, role: LiveRole) -> None:
    about = {"RoleName": wanted.name}
    there = {name: document for name, document in role.inline.items() if name not in OWN}
    for name, document in wanted.inline:
        put = Call("iam", "put_role_policy", {**about, "PolicyName": name, "PolicyDocument": compact(document)})
        new = kind(document)
        if name not in there:
            {"allows": moves.additions, "denies": moves.denies, "both": moves.mixed}[new].append(put)
        elif canonical(there[name]) != canonical(document):
            if new == kind(there[name]) == "allows":
                gone = Call("iam", "delete_role_policy", {**about, "PolicyName": name})
                moves.swaps.append((put, gone, put))
            else:
                moves.mixed.append(put)
    for name in sorted(there.keys() - dict(wanted.inline).keys()):
        gone = Call("iam", "delete_role_policy", {**about, "PolicyName": name})
        removes = {"allows": moves.removals, "denies": moves.undenies, "both": moves.mixed}
        removes[kind(there[name])].append(gone)
