"""Commands that start a browser, with a separate browser profile for each customer.

A browser profile has one AWS sign-in at a time (unless multi-session is enabled). With one profile for each customer,
several consoles can be open at once, and a person cannot confuse them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath

from valetkey.errors import ValetkeyError

FIREFOX = ("firefox", "firefox-esr", "librewolf", "waterfox", "floorp", "zen-browser")
CHROMIUM = (
    *("google-chrome", "google-chrome-stable", "chromium", "chromium-browser", "brave-browser", "brave"),
    *("microsoft-edge", "microsoft-edge-stable", "vivaldi", "vivaldi-stable"),
)
_MAC = {
    "firefox": "/Applications/Firefox.app/Contents/MacOS/firefox",
    "google-chrome": "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "brave": "/Applications/Brave Browser.app/Contents/MacOS/Brave Browser",
    "microsoft-edge": "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
}
_NAMES = {"Google Chrome": "google-chrome", "Brave Browser": "brave", "Microsoft Edge": "microsoft-edge"}


class NoBrowser(ValetkeyError):
    """The browser does not exist, or is of an unknown kind."""


@dataclass(frozen=True)
class Start:
    """The commands that start a browser."""

    before: tuple[str, ...] | None
    """A command to run and wait for before, or None."""
    words: tuple[str, ...]


def find(browser: str | None, which: Callable[[str], str | None]) -> str:
    """Return the path of the named browser, or of the first known browser that is installed. Raises NoBrowser."""
    for name in (browser,) if browser else (*FIREFOX, *CHROMIUM):
        for place in (name, _MAC.get(name)):
            if place and (result := which(place)):
                return result
    if browser:
        raise NoBrowser(f"there is no browser {browser[:80]!r}", do="name a program like firefox, or use --print")
    raise NoBrowser(
        "none of the browsers that valetkey knows is installed", do="name one with --browser, or use --print"
    )


def start(program: str, page: str, *, own: str | None) -> Start:
    """Return the commands with which `program` opens a page, in the browser profile `own` if given (created if
    missing).

    Raises NoBrowser if the way to select a profile in this program is not known.
    """
    if own is None:
        return Start(None, (program, page))
    name = PurePath(program).name
    name = _NAMES.get(name, name)
    if name in FIREFOX:
        # -CreateProfile also returns 0 if the profile exists; without --headless it needs a display.
        return Start((program, "--headless", "-CreateProfile", own), (program, "-P", own, page))
    if name in CHROMIUM:
        return Start(None, (program, f"--profile-directory={own}", "--no-first-run", page))
    raise NoBrowser(
        f"valetkey does not know how to give {name} a browser profile",
        do="use Firefox or a relative of Chrome, or --print",
    )
