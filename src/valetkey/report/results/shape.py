"""Shapes: structs that declare the printed JSON. They are filled from values of the rooms, by field name."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """The base of all shapes. Fields are in the printed order; each is always present unless it may be UNSET."""


S = TypeVar("S", bound=Shape)


def shaped(shape: type[S], source: object = None, /, **given: Any) -> S:
    """Return the shape, filled from the attributes of `source` with the same names; `given` overrides them.

    Nested values are converted the same way, and every value is checked against the declared type. INVARIANT: a value
    that does not match is printed anyway, since a receipt must not be lost because of its schema. In the tests
    `undeclared` raises.
    """
    fields = zip(shape.__struct_fields__, shape.__struct_encode_fields__, strict=True)
    values = {said: given[name] if name in given else getattr(source, name) for name, said in fields}
    try:
        return msgspec.convert(values, shape, from_attributes=True)
    except msgspec.ValidationError as error:
        undeclared(error)
        return filled(shape, source, **given)


def undeclared(error: msgspec.ValidationError) -> None:
    """Called for a value that does not match its declared type."""


def filled(shape: type[S], source: object = None, /, **given: Any) -> S:
    """Same as `shaped`, for nested values that are shapes already: they are neither converted nor checked, which saves
    time in an audit of many roles. A test of the schema finds what `shaped` would refuse."""
    names = shape.__struct_fields__
    return shape(**{name: given[name] if name in given else getattr(source, name) for name in names})


def plain(value: Any) -> Any:
    """Return a shape as the values that `json` prints: dicts, lists, strings, numbers."""
    return msgspec.to_builtins(value)
