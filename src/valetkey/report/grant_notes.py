"""What to know about a grant's terms and policies, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from valetkey.report.text import clean

if TYPE_CHECKING:
    from valetkey.exchange.files import Received
    from valetkey.grants.options import Asked
    from valetkey.grants.prepare import Prepared


def notes(prepared: Prepared, asked: Asked, received: Received | None) -> tuple[str, ...]:
    """What to know about the terms and the policies, a sentence each."""
    from valetkey.grants.options import hints

    return (*hints(asked, received.value if received else None), *misspelt(prepared.grant.inline))


def misspelt(inline: Iterable[tuple[str, Mapping[str, Any]]]) -> tuple[str, ...]:
    """Warnings about actions that AWS does not list, in documents of the owner's own."""
    from valetkey.catalog.misspelt import unlisted

    return tuple(f"Warning: {_line(name)}: {_line(each)}" for name, document in inline for each in unlisted(document))


def _line(text: str) -> str:
    """Text from outside begins no line of its own."""
    return clean(text, keep=frozenset())
