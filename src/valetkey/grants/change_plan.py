"""Plan a change of a grant: what is wanted and what is there, in; the steps that are left, out.

Rules:
- INVARIANT: after every prefix of the steps, each request that is allowed is allowed by the old terms or by the new
  ones; in whichever order the calls since the last `Settle` take effect.
- First the record: whoever reads the role then knows that it is being changed, and into what. Then what takes
  permissions away, then the trust, then what adds permissions. A trust is replaced in one call, so that there is none
  in between.
- Where the new trust refuses anybody whom the old one admits, existing sessions are denied (`Cut`) once the new
  trust has had time to take effect, and before a permission is added.
- Where nobody is refused, what is added comes before what is removed: a call that both allow is never refused. Policies
  then go before the trust, so that whom it newly admits gets no more than the new policies.
- A policy that both allows and denies, a boundary for another one, and the owner's own tags (conditions may ask for
  them) are neither less nor more. One of them is put where it gives no more than either; where it cannot be, and for
  several, the grant is paused meanwhile (`pause_deny`).
- Planning again from what a crash left gives the steps that are left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from valetkey.account.calls import Call
from valetkey.grants import history
from valetkey.grants.grant import PREFIX, UNTIL, Grant
from valetkey.grants.role import Role, canonical, compact
from valetkey.grants.semantics import People
from valetkey.grants.status import sessions_deny
from valetkey.grants.taken import Kind, kind
from valetkey.grants.waiting import Settle
from valetkey.trust.record import CHANGING, OWN, PAUSED, Changing
from valetkey.trust.self_denies import pause_deny, read_dated_deny
from valetkey.trust.terms import Terms
from valetkey.trust.writing import write_trust


@dataclass(frozen=True)
class Cut:
    """A step: deny the sessions that were issued before the time at which it is performed."""


Step = Call | Settle | Cut


@dataclass
class _Moves:
    """The calls that change what sessions may do, by what they do to it."""

    denies: list[Call] = field(default_factory=list)
    """Take away, by denying."""
    removals: list[Call] = field(default_factory=list)
    """Take away, by allowing less."""
    mixed: list[Call] = field(default_factory=list)
    swaps: list[tuple[Call, Call, Call]] = field(default_factory=list)
    """Another document that only allows, for one that only allows: put; or delete first, and put later."""
    additions: list[Call] = field(default_factory=list)
    """Add, by allowing more."""
    undenies: list[Call] = field(default_factory=list)
    """Add, by denying less."""


def plan_change(
    wanted: Grant,
    role: Role,
    terms: Terms,
    *,
    people: People,
    kinds: Mapping[str, Kind],
    changing: Changing,
    entries: tuple[str, ...],
    entry: str,
) -> tuple[Step, ...]:
    """The steps that are left. `terms` are those of the role's trust now, `people` what the change from them to the
    wanted ones does; `kinds` says what each managed policy holds; `changing` is the mark of this change, from the role
    where it was begun before; `entry` the history's line for it, `entries` the lines that are there."""
    about = {"RoleName": wanted.name}
    moves = _moves(wanted, role, kinds, terms)
    trust: list[Step] = []
    if terms != wanted.terms:
        document = compact(write_trust(wanted.terms))
        trust.append(Call("iam", "update_assume_role_policy", {**about, "PolicyDocument": document}))
    cut: list[Step] = [Cut()] if (people.refuses or changing.cuts) and _cut_is_due(role, changing) else []
    steps = _ordered(moves, trust, cut, people, role, cuts=changing.cuts)
    if steps and CHANGING in role.tags:
        steps.insert(0, Settle())  # what the run before has written may not have taken effect
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


def _recorded(wanted: Grant, role: Role) -> bool:
    return wanted.record.items() <= role.tags.items()


def _is_stale(key: str, wanted: Grant) -> bool:
    return key.startswith(PREFIX) and key not in wanted.record and not history.is_change(key)


def _cut_is_due(role: Role, changing: Changing) -> bool:
    """Whether no deny on the role is certain to reach the sessions from before the change. A suspension without an end
    does, and ends in such a deny; for one with an end it depends on when the cut is made."""
    there = sessions_deny(role)
    if there is None or there.until is not None:
        return True
    return there.since is None and (there.before is None or there.before < changing.at)


def _ordered(
    moves: _Moves, trust: Sequence[Step], cut: Sequence[Step], people: People, role: Role, *, cuts: bool
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
    """Somebody is refused: take away, trust, deny existing sessions, add."""
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
    """Nobody is refused, and one call is neither less nor more: take away, that call, add, trust."""
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
    """Nobody is refused: add before removing, and the trust last."""
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


def _moves(wanted: Grant, role: Role, kinds: Mapping[str, Kind], terms: Terms) -> _Moves:
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
        # A call without MaxSessionDuration sets it to one hour (IAM API reference, UpdateRole): both are sent always.
        both = {"Description": wanted.description, "MaxSessionDuration": wanted.max_session}
        lower = role.max_session is not None and wanted.max_session < role.max_session
        (moves.removals if lower else moves.additions).append(Call("iam", "update_role", {**about, **both}))
    own = [{"Key": key, "Value": value} for key, value in wanted.tags if role.tags.get(key) != value]
    if own:
        moves.mixed.append(Call("iam", "tag_role", {**about, "Tags": own}))
    return moves


def _own_denies(moves: _Moves, wanted: Grant, role: Role, terms: Terms) -> None:
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


def _managed(moves: _Moves, wanted: Grant, role: Role, kinds: Mapping[str, Kind]) -> None:
    about = {"RoleName": wanted.name}
    for arn in wanted.managed:
        if arn not in role.managed:
            adds = {"allows": moves.additions, "denies": moves.denies, "both": moves.mixed}
            adds[kinds.get(arn, "both")].append(Call("iam", "attach_role_policy", {**about, "PolicyArn": arn}))
    for arn in role.managed:
        if arn not in wanted.managed:
            removes = {"allows": moves.removals, "denies": moves.undenies, "both": moves.mixed}
            removes[kinds.get(arn, "both")].append(Call("iam", "detach_role_policy", {**about, "PolicyArn": arn}))


def _inline(moves: _Moves, wanted: Grant, role: Role) -> None:
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
