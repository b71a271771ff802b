"""A shape: a struct that declares what is printed, filled from the values of the rooms by the names of its fields."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """Fields in the order in which they are printed; each is always there unless it may be UNSET."""


S = TypeVar("S", bound=Shape)


def shaped(shape: type[S], source: object = None, /, **given: Any) -> S:
    """The shape with its fields taken from the attributes of the same names; `given` are those that differ from them.

    Nested values are taken over the same way. Raises msgspec.ValidationError for a value that the shape does not
    declare: the schema is what is printed.
    """
    fields = zip(shape.__struct_fields__, shape.__struct_encode_fields__, strict=True)
    values = {said: given[name] if name in given else getattr(source, name) for name, said in fields}
    return msgspec.convert(values, shape, from_attributes=True)


def plain(value: Any) -> Any:
    """A shape as what `json` prints: dicts, lists, texts, numbers."""
    return msgspec.to_builtins(value)


def moment(when: datetime) -> str:
    """A time as ISO 8601, UTC, whole seconds."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def merged(*parts: Any) -> dict[str, Any]:
    """The fields of several values in turn, for a shape that has all of them."""
    found: dict[str, Any] = {}
    for part in parts:
        fields = part if isinstance(part, Mapping) else {name: getattr(part, name) for name in part.__struct_fields__}
        found |= fields
    return found
