"""Open a page in the default browser, a named browser, or a separate browser profile for the customer."""

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
"""Time limit to create a browser profile."""


class Browser:
    """Opens pages. `own` is the name of the browser profile. Raises NoBrowser at once, before a prompt for a code."""

    def __init__(self, browser: str | None, *, own: str | None) -> None:
        self._own = own
        self._program = find(browser, shutil.which) if browser or own else None
        if self._program:
            start(self._program, "", own=own)

    def open(self, page: str, *, stays: float) -> None:
        """Open a page. A named browser is watched for `stays` seconds. Raises NoBrowser when it fails."""
        if self._program is None:
            if not webbrowser.open(page):
                raise NoBrowser("no browser could be started", do="use --print")
        else:
            _run(start(self._program, page, own=self._own), stays)


def page_folder(env: Mapping[str, str], *, no_cache: bool) -> Path:
    """Return the directory for the browser's page: HOME, which a browser in a snap can read.

    INVARIANT: with `--no-cache` it is not below HOME. Raises NoBrowser where no other private directory exists.
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
    """Start a process that outlives this one and removes a directory after some seconds. Return False if it cannot
    start."""
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
        # The browser outlives this command, and does not receive its Ctrl-C.
        child = subprocess.Popen(how.words, start_new_session=True, stdin=none, stdout=none, stderr=none)
    except (OSError, subprocess.SubprocessError) as error:
        why = getattr(error, "strerror", None) or "it failed"
        raise NoBrowser(f"{how.words[0]} could not be started: {why}", do="use --print") from None
    end = time.monotonic() + stays
    while time.monotonic() < end:
        # A browser that hands the page to a running instance exits at once, with code 0.
        code = child.poll()
        if code == 0:
            return
        if code is not None:
            raise NoBrowser(f"{how.words[0]} ended with code {child.returncode}", do="use --print")
        time.sleep(0.1)
