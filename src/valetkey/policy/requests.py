"""The request to decide: caller, actions, resource and condition keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from valetkey.errors import PolicyError, shown
from valetkey.policy.arns import is_account
from valetkey.policy.principals import Caller, read_caller

_VALUE_MAX = 16_384
_VALUES_MAX = 256
_KEYS_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Request:
    """One call to AWS. Raises PolicyError for an invalid part; `where` names it ("context['aws:x']")."""

    principal: str
    """The caller: an ARN (user, role, role session, federated user, root, identity provider), a service
    "ec2.amazonaws.com", a provider's bare name "accounts.google.com", or "anonymous"."""
    action: str | Sequence[str]
    """ "service:Action" in any case, or all actions that one call needs: an AssumeRole with Tags needs
    ("sts:AssumeRole", "sts:TagSession"), one with SourceIdentity also "sts:SetSourceIdentity"."""
    resource: str = "*"
    """The resource's ARN, or "*" when the action has no resource."""
    resource_account: str | None = None
    """The account that owns the resource. Default: the one in the ARN, otherwise the caller's."""
    context: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    """Condition keys in any case; a value is a str or a list of str. Keys that follow from the principal
    (aws:PrincipalArn, aws:PrincipalAccount, aws:PrincipalType, aws:username, ...) are added unless given."""

    caller: Caller = field(init=False, repr=False)
    actions: tuple[str, ...] = field(init=False, repr=False)
    """The actions, lower-cased."""
    keys: dict[str, str | tuple[str, ...]] = field(init=False, repr=False)
    """The condition keys of the request, lower-cased, derived ones included."""
    same_account: bool = field(init=False, repr=False)
    same_partition: bool = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if type(self.principal) is not str or type(self.resource) is not str:
            raise PolicyError("the request's principal and resource are strings", do="write each as one string")
        fill = object.__setattr__
        caller = read_caller(self.principal)
        partition, account = _owner(self.resource)
        if self.resource_account is not None:
            account = _account(self.resource_account)
        fill(self, "caller", caller)
        fill(self, "actions", _actions(self.action) if type(self.action) is str else _all_actions(self.action))
        fill(self, "keys", _keys(self.context, caller.keys))
        home = not partition or not caller.partition or partition == caller.partition
        fill(self, "same_partition", home)
        fill(self, "same_account", home and caller.account is not None and account in (None, caller.account))


@lru_cache(maxsize=4096)
def _owner(resource: str) -> tuple[str | None, str | None]:
    """Partition and account in a resource's ARN; None for each one that it does not have. Raises PolicyError."""
    if not resource or not _encodable(resource) or len(resource) > _VALUE_MAX:
        raise PolicyError(f"{shown(resource)} is not a resource", do="give an ARN, or * for none", where="resource")
    parts = resource.split(":", 5)
    if len(parts) < 6 or parts[0] != "arn":
        return None, None
    return parts[1], parts[4] if is_account(parts[4]) else None


def _account(text: object) -> str:
    if type(text) is not str or not is_account(text):
        raise PolicyError(f"{shown(text)} is not an account id", do="use 12 digits", where="resource_account")
    return text


@lru_cache(maxsize=4096)
def _actions(text: str) -> tuple[str, ...]:
    service, colon, name = text.partition(":")
    fine = service.replace("-", "").isalnum() and name.isprintable() and not (set(name) & set(" :*?"))
    if not colon or not name or not fine or not text.isascii() or len(text) > 256:
        raise PolicyError(f"{shown(text)} is not an action", do="write one like sts:AssumeRole", where="action")
    return (text.lower(),)


def _all_actions(action: object) -> tuple[str, ...]:
    if not isinstance(action, list | tuple) or not action or len(action) > 100:
        raise PolicyError(
            "the request's action is a string or a list of strings", do="write sts:AssumeRole", where="action"
        )
    for item in action:
        if type(item) is not str:
            raise PolicyError(f"an action is a string, not {shown(item)}", do="write sts:AssumeRole", where="action")
    return tuple(lowered for item in action for lowered in _actions(item))


def _keys(context: object, derived: Mapping[str, str]) -> dict[str, str | tuple[str, ...]]:
    if not isinstance(context, Mapping) or len(context) > _KEYS_MAX:
        raise PolicyError(
            "the context is an object of condition keys", do='write {"aws:SourceIp": "192.0.2.1"}', where="context"
        )
    keys: dict[str, str | tuple[str, ...]] = {}
    empty = False
    for name, value in context.items():
        if type(name) is not str or not (name.isascii() or _encodable(name)):
            raise PolicyError(f"{shown(name)} is not a condition key", do="write each key as a string", where="context")
        lowered = name.lower()
        if lowered in keys:
            what = f"the key {shown(name)} is given twice"
            raise PolicyError(what, do="give it once; case does not count", where=f"context[{shown(name)}]")
        if type(value) is str and len(value) <= _VALUE_MAX and (value.isascii() or _encodable(value)):
            keys[lowered] = value
        else:
            keys[lowered] = several = _values(name, value)
            empty = empty or not several
    keys = {**derived, **keys}
    return {name: value for name, value in keys.items() if value != ()} if empty else keys


def _values(name: str, value: object) -> str | tuple[str, ...]:
    """Read a list of values as a tuple. A list of one returns its value; an empty list means that the key is
    missing. Raises PolicyError."""
    where = f"context[{shown(name)}]"
    if not isinstance(value, list | tuple):
        problem = "is too long or is not a string" if isinstance(value, str) else f"is {shown(value)}"
        raise PolicyError(
            f"the value of {shown(name)} {problem}",
            do='write a string or a list of strings ("true", not true)',
            where=where,
        )
    if len(value) > _VALUES_MAX:
        raise PolicyError(f"{shown(name)} has {len(value)} values", do=f"give {_VALUES_MAX} at most", where=where)
    for item in value:
        if type(item) is not str or len(item) > _VALUE_MAX or not _encodable(item):
            raise PolicyError(
                f"a value of {shown(name)} is not a string, or is too long", do="write a list of strings", where=where
            )
    return value[0] if len(value) == 1 else tuple(value)


def _encodable(text: str) -> bool:
    """Whether the text has no lone surrogate (inside this room they are wildcards)."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
