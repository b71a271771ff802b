"""Load the modules of a room when one of its public names is first used (PEP 562)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any


def lazy(room: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """Return the module-level `__getattr__` of a room. `homes` maps each public name to the module that defines it."""

    def load(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {room!r} has no attribute {name!r}")
        from importlib import import_module

        value = getattr(import_module(f"{room}.{homes[name]}"), name)
        # Later uses find the attribute and do not call this function.
        setattr(sys.modules[room], name, value)
        return value

    return load
