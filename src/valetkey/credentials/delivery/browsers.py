"""Which words start a browser, and how each customer gets a browser profile of its own.

One browser profile holds one AWS sign-in at a time (unless multi-session is switched on): with a profile for each
customer, their consoles stay open side by side, and none is mistaken for another.
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
    """There is no such browser, or not one of a kind that is known."""


@dataclass(frozen=True)
class Start:
    """How to start a browser."""

    before: tuple[str, ...] | None
    """To be run to its end first, or None."""
    words: tuple[str, ...]


def find(browser: str | None, which: Callable[[str], str | None]) -> str:
    """The path of the browser that is named, or of the first that is known and there. Raises NoBrowser."""
    for name in (browser,) if browser else (*FIREFOX, *CHROMIUM):
        for place in (name, _MAC.get(name)):
            if place and (found := which(place)):
                return found
    if browser:
        raise NoBrowser(f"there is no browser {browser[:80]!r}", do="name a program like firefox, or use --print")
    raise NoBrowser(
        "none of the browsers that valetkey knows is installed", do="name one with --browser, or use --print"
    )


def start(program: str, page: str, *, own: str | None) -> Start:
    """How `program` opens a page, in the browser profile `own` if one is given (made when it is not there yet).

    Raises NoBrowser when it is not known how to give this program a profile.
    """
    if own is None:
        return Start(None, (program, page))
    name = PurePath(program).name
    name = _NAMES.get(name, name)
    if name in FIREFOX:
        # -CreateProfile answers 0 as well when the profile is there; without --headless it needs a display.
        return Start((program, "--headless", "-CreateProfile", own), (program, "-P", own, page))
    if name in CHROMIUM:
        return Start(None, (program, f"--profile-directory={own}", "--no-first-run", page))
    raise NoBrowser(
        f"valetkey does not know how to give {name} a browser profile",
        do="use Firefox or a relative of Chrome, or --print",
    )
