"""Evaluate conditions of a CloudFormation template, as far as they can be decided.

Source: CloudFormation User Guide, intrinsic-function-reference-conditions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from valetkey.account import symbols
from valetkey.account.loaded import is_object, pairs
from valetkey.account.place import Unresolved
from valetkey.account.template_symbols import plain
from valetkey.account.values import Symbol


def holds(
    test: Any, created: Callable[[str], bool], value: Callable[[Any], Any], known: Sequence[Symbol]
) -> bool | None:
    """Whether a condition holds; None where that depends on a symbol. `created` evaluates a condition by name; `value`
    resolves a value. Raises Unresolved."""
    kind, given = next(iter(pairs(test))) if is_object(test) and len(test) == 1 else ("", None)
    match kind, given:
        case "Condition", str():
            return created(given)
        case "Fn::Equals", [one, other]:
            return equal(plain(value(one)), plain(value(other)), known)
        case "Fn::And", list():
            every = [holds(item, created, value, known) for item in given]
            return False if False in every else None if None in every else True
        case "Fn::Or", list():
            every = [holds(item, created, value, known) for item in given]
            return True if True in every else None if None in every else False
        case "Fn::Not", [one]:
            result = holds(one, created, value, known)
            return None if result is None else not result
    raise Unresolved(f"{kind or 'this'} is not a condition that can be decided here")


def equal(one: Any, other: Any, known: Sequence[Symbol]) -> bool | None:
    """Whether two values are equal; None where that is not known. `known` are the symbols by the number in their mark.

    INVARIANT: only two texts are reported as unequal. CloudFormation compares values of any type; comparing lists and
    objects is not implemented.
    """
    if one == other:
        return True
    if not isinstance(one, str) or not isinstance(other, str):
        return None
    for symbolic, given in ((one, other), (other, one)):
        if symbols.has_mark(symbolic):
            match = symbols.MARK.fullmatch(symbolic)
            if match and not symbols.has_mark(given) and not symbols.may_be(known[int(match[1])], given):
                return False
            return None
    return False
