"""Notes on a grant's terms and policies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from valetkey.report.text import clean

if TYPE_CHECKING:
    from valetkey.exchange.files import Received
    from valetkey.grants.options import OwnerOptions
    from valetkey.grants.prepare import Prepared


def notes(prepared: Prepared, asked: OwnerOptions, received: Received | None) -> tuple[str, ...]:
    """Return notes on the terms and the policies, as one sentence each."""
    from valetkey.grants.options import hints

    return (*hints(asked, received.value if received else None), *misspelt(prepared.grant.inline))


def misspelt(inline: Iterable[tuple[str, Mapping[str, Any]]]) -> tuple[str, ...]:
    """Return warnings about actions that AWS does not list, in the owner's own documents."""
    from valetkey.catalog.misspelt import unlisted

    return tuple(f"Warning: {_line(name)}: {_line(item)}" for name, document in inline for item in unlisted(document))


def _line(text: str) -> str:
    """Clean text from outside, so that it cannot start a new line."""
    return clean(text, keep=frozenset())
