"""A shape: a struct that declares what is printed, filled from the values of the rooms by the names of its fields."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """Fields in the order in which they are printed; each is always there unless it may be UNSET."""


S = TypeVar("S", bound=Shape)


def shaped(shape: type[S], source: object = None, /, **given: Any) -> S:
    """The shape with its fields taken from the attributes of the same names; `given` are those that differ from them.

    Nested values are taken over the same way, and every value is held against what the shape declares.

    INVARIANT: what was done is printed all the same, since a receipt must not be lost for the sake of its schema. In
    the tests `undeclared` raises.
    """
    fields = zip(shape.__struct_fields__, shape.__struct_encode_fields__, strict=True)
    values = {said: given[name] if name in given else getattr(source, name) for name, said in fields}
    try:
        return msgspec.convert(values, shape, from_attributes=True)
    except msgspec.ValidationError as error:
        undeclared(error)
        return filled(shape, source, **given)


def undeclared(error: msgspec.ValidationError) -> None:
    """Called with a value that its shape does not declare."""


def filled(shape: type[S], source: object = None, /, **given: Any) -> S:
    """The same for a shape whose nested values are shapes already: they are taken over as they are and not made again,
    which counts in an audit of many roles. What `shaped` would refuse, a test of the schema finds."""
    names = shape.__struct_fields__
    return shape(**{name: given[name] if name in given else getattr(source, name) for name in names})


def plain(value: Any) -> Any:
    """A shape as what `json` prints: dicts, lists, texts, numbers."""
    return msgspec.to_builtins(value)
