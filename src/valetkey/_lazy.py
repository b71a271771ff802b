"""Public names of a room whose modules are loaded when a name is first used (PEP 562)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any


def lazy(room: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """The module-level `__getattr__` of a room: `homes` says in which of its modules each public name lives."""

    def load(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {room!r} has no attribute {name!r}")
        from importlib import import_module

        value = getattr(import_module(f"{room}.{homes[name]}"), name)
        # The next use finds it there, and does not come here.
        setattr(sys.modules[room], name, value)
        return value

    return load
