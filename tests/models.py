"""botocore's service models, parsed once per process instead of once per session.

A botocore session parses the same megabytes of JSON again (0.2 s for IAM and STS), and a test makes several sessions.
botocore shares one loader among the clients of a session; here all sessions of a process share it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import botocore.loaders
import botocore.session


class _Once(list[str]):
    """Search paths without duplicates: every boto3 session adds its own again."""

    def append(self, path: str) -> None:
        if path not in self:
            super().append(path)


def share() -> None:
    """Share one loader among all later sessions of this process."""
    made: Callable[..., Any] = botocore.loaders.create_loader
    if hasattr(made, "cache_info"):
        return

    @functools.cache
    def shared(search_path_string: str | None = None) -> Any:
        loader = made(search_path_string)
        loader._search_paths = _Once(loader._search_paths)
        return loader

    botocore.loaders.create_loader = botocore.session.create_loader = shared
