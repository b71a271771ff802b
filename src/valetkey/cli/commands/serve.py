"""valetkey serve: serve credentials to SDKs over HTTP on this computer."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from valetkey.errors import ValetkeyError

_LOOK = 0.5
"""Seconds between checks for a signal: a signal delivered to another thread does not end a wait of this one."""


def serve(
    name: Annotated[
        str | None, Parameter(help="The profile that `accept` wrote; default: the profile of this shell.")
    ] = None,
    /,
    *names: Annotated[str, Parameter(help="More profiles; each has a path and a token of its own.")],
    port: Annotated[int, Parameter(help="Port on 127.0.0.1; default: any free port.")] = 0,
    folder: Annotated[
        Path | None, Parameter(help="Private directory for the token files; default: a temporary one.")
    ] = None,
    shell: Annotated[
        Literal["bash", "zsh", "fish", "powershell"], Parameter(help="The shell to print the variables for.")
    ] = "bash",
    json: Annotated[bool, Parameter(negative="", help="Print one line of JSON instead.")] = False,
) -> int:
    """Serve credentials to SDKs over HTTP on this computer, renewed in the background, until Ctrl-C or SIGTERM.

    The MFA code is asked for at the start only. When the MFA session has ended, SDKs get an error that says what to
    run. A tool that finds other credentials first uses those: `valetkey exec NAME --server -- CMD` removes them.
    """
    from valetkey import files
    from valetkey.cli._childenv import folder as temporary
    from valetkey.cli._default_name import name_or_default
    from valetkey.cli._serving import enter_all, serving
    from valetkey.report.serving import say_lapsed, say_serving

    if not 0 <= port < 65536:
        raise ValetkeyError(f"--port: {port} is not a port", do="name one from 1024 to 65535")
    wanted = tuple(dict.fromkeys((name_or_default(name, "serve"), *names)))
    held = enter_all(wanted)
    with _ends() as ended, contextlib.ExitStack() as stack:
        if folder is None:
            place = stack.enter_context(temporary())
        else:
            place = files.make_dir(folder.absolute())
        running = stack.enter_context(serving(held, place, port=port, tell=say_lapsed))
        say_serving(held, running.urls, running.token_files, shell=shell, as_json=json)
        while not ended.wait(_LOOK):
            pass
    return 0


@contextlib.contextmanager
def _ends() -> Iterator[threading.Event]:
    """Yield an event that SIGINT, SIGTERM and SIGHUP set."""
    event = threading.Event()
    before = {}
    for number in (signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):
        if signal.getsignal(number) is not signal.SIG_IGN:
            before[number] = signal.signal(number, lambda *_: event.set())
    try:
        yield event
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
