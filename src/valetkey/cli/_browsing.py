"""Open a page in a browser: the usual one, one that is named, or a browser profile of the customer's own."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
import webbrowser
from collections.abc import Mapping
from pathlib import Path

from valetkey import files
from valetkey.credentials.delivery.browsers import NoBrowser, Start, find, start

_REMOVE = "import shutil, sys, time; time.sleep(float(sys.argv[1])); shutil.rmtree(sys.argv[2], ignore_errors=True)"
_SECONDS = 30
"""For making a browser profile."""


class Browser:
    """What opens pages. `own`: the browser profile. Raises NoBrowser at once, before anybody is asked for a code."""

    def __init__(self, browser: str | None, *, own: str | None) -> None:
        self._own = own
        self._program = find(browser, shutil.which) if browser or own else None
        if self._program:
            start(self._program, "", own=own)

    def open(self, page: str, *, stays: float) -> None:
        """Open a page. A browser that is named is looked at for `stays` seconds. Raises NoBrowser when it fails."""
        if self._program is None:
            if not webbrowser.open(page):
                raise NoBrowser("no browser could be started", do="use --print")
        else:
            _run(start(self._program, page, own=self._own), stays)


def page_folder(env: Mapping[str, str], *, no_cache: bool) -> Path:
    """Where the page for the browser is written: HOME, which a browser in a snap can read.

    INVARIANT: with `--no-cache` it is not below HOME. Raises NoBrowser where there is no other private place.
    """
    if not no_cache:
        return Path.home()
    folder = files.runtime_dir(env)
    if folder is None:
        raise NoBrowser(
            "--no-cache writes nothing below HOME, and without XDG_RUNTIME_DIR the browser's page has no other place",
            do="use --print, or leave --no-cache out",
        )
    return folder


def remove_later(directory: Path, seconds: float) -> bool:
    """Have a directory removed after some seconds by a process that outlives this one; False: there can be none."""
    none = subprocess.DEVNULL
    words = [sys.executable, "-I", "-S", "-c", _REMOVE, str(seconds), str(directory)]
    try:
        subprocess.Popen(words, start_new_session=True, stdin=none, stdout=none, stderr=none)
    except OSError:
        time.sleep(seconds)
        return False
    return True


def _run(how: Start, stays: float) -> None:
    none = subprocess.DEVNULL
    try:
        if how.before is not None:
            subprocess.run(how.before, timeout=_SECONDS, check=True, stdin=none, stdout=none, stderr=none)
        # It outlives this command, and does not get its Ctrl-C.
        child = subprocess.Popen(how.words, start_new_session=True, stdin=none, stdout=none, stderr=none)
    except (OSError, subprocess.SubprocessError) as error:
        why = getattr(error, "strerror", None) or "it failed"
        raise NoBrowser(f"{how.words[0]} could not be started: {why}", do="use --print") from None
    end = time.monotonic() + stays
    while time.monotonic() < end:
        # One that hands the page to a running browser ends at once, with 0.
        code = child.poll()
        if code == 0:
            return
        if code is not None:
            raise NoBrowser(f"{how.words[0]} ended with code {child.returncode}", do="use --print")
        time.sleep(0.1)
