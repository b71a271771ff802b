"""Run a credential server: `serve` waits for its end, `exec --server` for the end of a command."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from valetkey.errors import ValetkeyError

if TYPE_CHECKING:
    from valetkey.credentials.delivery.refresher import HeldSession
    from valetkey.credentials.sessions.ways import Way

_LOOK = 0.1
"""Seconds between the server's checks for shutdown."""
_ENDING = 2.0
"""Seconds that the server's threads have to end. They are daemon threads, and end with the process at the latest."""


@dataclass(frozen=True)
class Serving:
    """A running server."""

    urls: Mapping[str, str]
    token_files: Mapping[str, Path]


def enter_all(names: Sequence[str]) -> tuple[HeldSession, ...]:
    """Return a session for each name. Where a code is needed, it prompts at the terminal, once per base identity."""
    return tuple(_held(name) for name in names)


@contextlib.contextmanager
def serving(
    held: Sequence[HeldSession],
    folder: Path,
    *,
    port: int = 0,
    tell: Callable[[str, ValetkeyError | None], None] = lambda name, problem: None,
    way: Way | None = None,
) -> Iterator[Serving]:
    """Serve these sessions and refresh them. Token files are written to `folder` and removed afterwards.

    `tell` is called from another thread, see Keeper. Raises PortTaken, ValetkeyError.
    """
    from valetkey import files as private
    from valetkey.cli._machine import clock
    from valetkey.credentials.delivery.refresher import Keeper
    from valetkey.credentials.delivery.server import Server, tokens
    from valetkey.credentials.profiles.names import file_id

    def listen() -> None:
        server.serve_forever(_LOOK)

    keeper = Keeper(held, fetch=lambda name: _held(name, way, quiet=True), clock=clock, tell=tell)
    secrets = tokens(session.profile.name for session in held)
    files = {name: folder / f"{file_id(name)}.token" for name in secrets}
    with Server(secrets, keeper.answer, port=port) as server:
        threads = [threading.Thread(target=item, daemon=True) for item in (listen, keeper.run)]
        try:
            for name, path in files.items():
                private.write(path, secrets[name].encode("ascii"))  # no line end: SDKs send the contents unchanged
            for thread in threads:
                thread.start()
            yield Serving({name: server.url(name) for name in secrets}, files)
        finally:
            keeper.end()
            if threads[0].is_alive():
                server.shutdown()
            for thread in threads:
                if thread.is_alive():
                    thread.join(_ENDING)
            for path in files.values():
                path.unlink(missing_ok=True)


def _held(name: str, way: Way | None = None, *, quiet: bool = False) -> HeldSession:
    from valetkey.cli._machine import open_profile
    from valetkey.cli._terminal import silent
    from valetkey.credentials.delivery.refresher import HeldSession

    entry = open_profile(name, way, ask=silent(name) if quiet else None)
    return HeldSession(entry.profile, entry.session())
