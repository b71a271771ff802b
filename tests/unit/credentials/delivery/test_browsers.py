"""How browsers are started. Tried with Firefox 140 and Chromium 150: both make the profile when it is not there."""

from __future__ import annotations

import pytest

from valetkey.credentials.delivery.browsers import NoBrowser, Start, find, start

PAGE = "file:///home/carol/x.html"


def test_a_profile_of_the_customers_own() -> None:
    assert start("/usr/bin/firefox-esr", PAGE, own="valetkey-acme") == Start(
        ("/usr/bin/firefox-esr", "--headless", "-CreateProfile", "valetkey-acme"),
        ("/usr/bin/firefox-esr", "-P", "valetkey-acme", PAGE),
    )
    for program in ("/usr/bin/chromium", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"):
        words = (program, "--profile-directory=valetkey-acme", "--no-first-run", PAGE)
        assert start(program, PAGE, own="valetkey-acme") == Start(None, words)
    with pytest.raises(NoBrowser, match="lynx"):
        start("/usr/bin/lynx", PAGE, own="valetkey-acme")


def test_any_program_without_one() -> None:
    assert start("/usr/bin/lynx", PAGE, own=None) == Start(None, ("/usr/bin/lynx", PAGE))


def test_which_browser() -> None:
    here = {"chromium": "/usr/bin/chromium", "lynx": "/usr/bin/lynx"}
    assert find(None, here.get) == "/usr/bin/chromium"
    assert find("lynx", here.get) == "/usr/bin/lynx"
    mac = "/Applications/Firefox.app/Contents/MacOS/firefox"
    assert find("firefox", {mac: mac}.get) == mac
    assert find(None, {mac: mac}.get) == mac
    with pytest.raises(NoBrowser, match="firefox"):
        find("firefox", here.get)
    with pytest.raises(NoBrowser, match="none of the browsers"):
        find(None, {}.get)
