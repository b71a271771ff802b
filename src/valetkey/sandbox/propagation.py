"""Eventual consistency of IAM: changes of roles take effect, and become visible, some seconds later, in any order.

AWS: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_general.html (eventual consistency) and
.../id_roles_use_revoke-sessions.html. AWS promises no order among several writes; public measurements saw 3 to 4 s.

Off by default. `switch` turns it on for one account, or for all of them. From then on, each write to a role of the
account (its existence, trust policy, each inline and each attached policy, boundary, tags, ...) arrives on two sides:
where calls are decided, and where IAM is read. Each side has its own delay on the account's clock, and shows the
previous value until then. Of two writes to the same thing, the later one wins, even if it arrives first.

Limits: users, groups and the versions of managed policies change at once. The checks of a write itself (does the role
exist, is the policy attached) use the current state.

Replaces in ministack: `get`, `get_scoped` and similar methods of `services.iam._roles` while a call is decided or IAM
is read; wraps every operation of IAM, `enforce` and `resolve_credential` of `core.iam_evaluator`, and
`services.sts.handle_request`.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Literal

from valetkey.sandbox import clock
from valetkey.sandbox.handlers import Answer, Handler, Params
from valetkey.sandbox.principals import everywhere

Side = Literal["decided", "read"]
EVERY = "*"
MOST = 600.0
"""Maximum delay of a change, in seconds."""

_side: ContextVar[Side | None] = ContextVar("valetkey_propagation_side", default=None)
_READS = ("Get", "List", "Simulate", "Generate")
_PARTS = {"InlinePolicies": dict, "AttachedPolicies": list}
"""Members of a role's record whose own members change independently."""
_NOT_DELAYED = frozenset({"LastUsed"})

Key = tuple[str, ...]
_ABSENT = object()


@dataclass
class _Write:
    """One change of one thing: its new value, and when it arrives on each side (the account's clock)."""

    value: Any
    arrives: Mapping[Side, float]


@dataclass
class _Thing:
    """Something that was changed: its previous value, and its changes, oldest first."""

    before: Any
    writes: list[_Write] = field(default_factory=list)

    def seen(self, side: Side, now: float) -> Any:
        arrived = [write for write in self.writes if write.arrives[side] <= now]
        return arrived[-1].value if arrived else self.before

    def settled(self, now: float) -> bool:
        return all(self.writes[-1].arrives[side] <= now for side in ("decided", "read"))


@dataclass
class _Account:
    """Delays of one account, and its pending changes."""

    seconds: float
    dice: random.Random
    delays: list[tuple[float, float]]
    """Fixed delays of the next writes, used before random ones."""
    things: dict[str, dict[Key, _Thing]] = field(default_factory=dict)
    """By role name, then by part of the role."""

    def draw(self) -> dict[Side, float]:
        now = clock.now()
        if self.delays:
            decided, read = self.delays.pop(0)
        else:
            decided, read = self.dice.uniform(0, self.seconds), self.dice.uniform(0, self.seconds)
        return {"decided": now + decided, "read": now + read}


_accounts: dict[str, _Account] = {}


def switch(
    account: str = EVERY, *, seconds: float = 0.0, seed: int = 0, delays: tuple[tuple[float, float], ...] = ()
) -> None:
    """Delay changes of this account's roles by up to `seconds`, drawn with `seed`. 0 and no `delays`: no delay from now
    on.

    `delays` are those of the next writes in order, each (where calls are decided, where IAM is read). Pending changes
    keep their delays. Raises ValueError.
    """
    given = [seconds, *(item for pair in delays for item in pair)]
    if not all(0 <= item <= MOST for item in given):
        raise ValueError(f"a change takes 0 to {MOST:.0f} seconds")
    # Not cryptographic: a seed makes a run repeatable.
    dice, listed = random.Random(seed), list(delays)  # noqa: S311
    for item in {account, *(_accounts if account == EVERY else ())}:
        there = _accounts.get(item)
        _accounts[item] = _Account(seconds, dice, listed, there.things if there else {})


def reset() -> None:
    """Remove all delays and all pending changes."""
    _accounts.clear()


@contextmanager
def side(name: Side) -> Iterator[None]:
    """Within the block, roles are as seen from this side."""
    token = _side.set(name)
    try:
        yield
    finally:
        _side.reset(token)


def install() -> None:
    from ministack.core import iam_evaluator as ev
    from ministack.services import iam, sts

    iam._roles.__class__ = _viewed(type(iam._roles))
    for operation, handler in list(iam._IAM_HANDLERS.items()):
        iam._IAM_HANDLERS[operation] = _read(handler) if operation.startswith(_READS) else _write(handler)
    handle = sts.handle_request
    everywhere("resolve_credential", _seen(ev.resolve_credential))
    ev.enforce = _seen(ev.enforce)

    async def handle_request(*rest: Any) -> Any:
        return await _decided(handle, *rest)

    sts.handle_request = handle_request


def _seen(decide: Callable[..., Any]) -> Callable[..., Any]:
    def seen(*rest: Any, **more: Any) -> Any:
        with side("decided"):
            return decide(*rest, **more)

    return seen


async def _decided(handle: Callable[..., Awaitable[Any]], *rest: Any) -> Any:
    with side("decided"):
        return await handle(*rest)


def _read(handler: Handler) -> Handler:
    def read(params: Params) -> Answer:
        with side("read"):
            return handler(params)

    return read


def _write(handler: Handler) -> Handler:
    def write(params: Params) -> Answer:
        account = _account()
        if account is None:
            return handler(params)
        from ministack.services import iam

        before = {name: copy.deepcopy(role) for name, role in iam._roles.items()}
        answer = handler(params)
        arrives: dict[Side, float] = {}
        for name in {*before, *iam._roles}:
            old, new = _things(before.get(name)), _things(iam._roles.get(name))
            changed = [key for key in {*old, *new} if old.get(key, _ABSENT) != new.get(key, _ABSENT)]
            if changed:
                arrives = arrives or account.draw()
                _note(account, name, {key: (old.get(key, _ABSENT), new.get(key, _ABSENT)) for key in changed}, arrives)
        return answer

    return write


def _note(account: _Account, name: str, changes: Mapping[Key, tuple[Any, Any]], arrives: Mapping[Side, float]) -> None:
    now = clock.now()
    things = account.things.setdefault(name, {})
    for key, (old, new) in changes.items():
        if key not in things or things[key].settled(now):
            things[key] = _Thing(old)
        things[key].writes.append(_Write(new, arrives))


def _account(number: str | None = None) -> _Account | None:
    """The delays of an account, or of the current one; None: changes take effect at once."""
    from ministack.core.responses import get_account_id

    wanted = number or str(get_account_id())
    account = _accounts.get(wanted)
    if account is None and EVERY in _accounts:
        every = _accounts[EVERY]
        account = _accounts[wanted] = _Account(every.seconds, every.dice, every.delays)
    return account


def _things(role: Mapping[str, Any] | None) -> dict[Key, Any]:
    """Split a role's record into the parts that change independently."""
    if role is None:
        return {}
    result: dict[Key, Any] = {}
    for name, value in role.items():
        if name in _NOT_DELAYED:
            continue
        if name in _PARTS:
            members = value.items() if isinstance(value, Mapping) else ((item, True) for item in value or ())
            result.update({(name, member): inner for member, inner in members})
        else:
            result[(name,)] = copy.deepcopy(value)
    return result


def _as_seen(account: str, name: str, role: dict[str, Any] | None) -> dict[str, Any] | None:
    """A role as the current side sees it; the record itself if none of its changes are pending."""
    current = _side.get()
    delays = _accounts.get(account)
    if current is None or delays is None or name not in delays.things:
        return role
    with clock.of(account):
        now = clock.now()
    things = delays.things[name]
    on_their_way = {key: thing for key, thing in things.items() if not thing.settled(now)}
    if not on_their_way:
        return role
    members = {**_things(role), **{key: thing.seen(current, now) for key, thing in on_their_way.items()}}
    seen: dict[str, Any] = {} if role is None else {key: role[key] for key in _NOT_DELAYED & role.keys()}
    for part, kind in _PARTS.items():
        seen[part] = kind()
    for key, value in members.items():
        if value is _ABSENT:
            continue
        if len(key) == 1:
            seen[key[0]] = value
        elif isinstance(seen[key[0]], dict):
            seen[key[0]][key[1]] = value
        else:
            seen[key[0]].append(key[1])
    return seen if "RoleId" in seen else None


def _viewed(store: type[Any]) -> type[Any]:
    """A store of roles in which each side sees the changes that have arrived there."""

    class Viewed(store):  # type: ignore[misc]
        __slots__ = ()

        def get(self, key: Any, default: Any = None) -> Any:
            from ministack.core.responses import get_account_id

            return self.get_scoped(str(get_account_id()), None, key, default)

        def get_scoped(self, account: str, region: Any, key: Any, default: Any = None) -> Any:
            result = _as_seen(account, key, super().get_scoped(account, region, key, None))
            return default if result is None else result

        def __getitem__(self, key: Any) -> Any:
            value = self.get(key)
            if value is None:
                raise KeyError(key)
            return value

        def __contains__(self, key: Any) -> bool:
            return self.get(key) is not None

        def keys(self) -> list[Any]:
            names: list[Any] = super().keys()
            there = _account() if _side.get() else None
            if there is None:
                return names
            return [name for name in dict.fromkeys((*names, *there.things)) if self.get(name) is not None]

        def __iter__(self) -> Iterator[Any]:
            return iter(self.keys())

        def values(self) -> list[Any]:
            return [self[name] for name in self.keys()]

        def items(self) -> list[tuple[Any, Any]]:
            return [(name, self[name]) for name in self.keys()]

        def __len__(self) -> int:
            return len(self.keys())

    return Viewed
