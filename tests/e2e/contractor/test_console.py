"""console: open the console with a role session. The URL is in a private file, or is printed on request."""

from __future__ import annotations

import http.cookiejar
import pathlib
import re
import shutil
import stat
import sys
import time
import urllib.parse
import urllib.request
from typing import Any

import pytest
from tests.e2e.contractor.conftest import Customer, documented

from valetkey.trust import Terms

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture
def party(stage: Any, terms: Terms) -> Any:
    """The contractor's person with an accepted grant and a cached MFA session."""
    customer = Customer(stage, terms)
    party = stage.contractor
    alice = party.user("alice", documented("console", party.account, customer.handoff.role_arn), mfa=True)
    party.login(alice)
    ran = party.run("accept", str(customer.hand_over()), "--name", "acme", "--yes", "--mfa-serial", alice.mfa_serial)
    assert ran.returncode == 0, ran.stderr
    code, shown = party.run_tty("exec", "acme", "--", "true", code=alice.code)
    assert code == 0, shown
    return party


def browse(url: str) -> str:
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
    with opener.open(url, timeout=20) as page:
        return str(page.read().decode())


def test_print_signs_in_as_the_role(stage: Any, party: Any) -> None:
    ran = party.run("console", "acme", "--print", "--service", "s3")
    assert ran.returncode == 0, ran.stderr
    (url,) = ran.stdout.splitlines()
    assert url.startswith(f"{stage.sandbox.url}/federation?Action=login&")
    assert "do not share" in ran.stderr
    page = browse(url)
    assert f"signed in as arn:aws:sts::{stage.owner.account}:assumed-role/audit/alice" in page
    assert "https://us-east-1.console.aws.amazon.com/s3/home?region=us-east-1" in page


def test_the_browser_gets_a_private_file_that_goes(stage: Any, party: Any, tmp_path: pathlib.Path) -> None:
    """The fake browser records its arguments and the file's mode, and follows the page."""
    seen = tmp_path / "seen"
    browser = tmp_path / "browser"
    browser.write_text(
        f"""#!/bin/sh
        echo "$@" > {seen}.args
        file=$(echo "$1" | sed 's,^file://,,')
        stat -c '%a' "$file" "$(dirname "$file")" > {seen}.modes
        cp "$file" {seen}.html
        """
    )
    browser.chmod(0o755)
    party.env["BROWSER"] = str(browser)
    ran = party.run("console", "acme")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == ""
    arguments = pathlib.Path(f"{seen}.args").read_text()
    assert arguments.startswith(f"file://{party.home}/valetkey-console-")
    assert "SigninToken=" not in arguments + ran.stderr
    assert "shows this as GetSigninToken" in ran.stderr
    assert pathlib.Path(f"{seen}.modes").read_text().split() == ["600", "700"]
    match = re.search(r'content="0;url=([^"]+)"', pathlib.Path(f"{seen}.html").read_text())
    assert match
    assert ":assumed-role/audit/alice" in browse(match[1].replace("&amp;", "&"))
    # The command has ended; its file is deleted a little later.
    assert [path.name for path in party.home.glob("valetkey-console-*/*")] == ["console.html"]
    end = time.monotonic() + 60
    while list(party.home.glob("valetkey-console-*")):
        assert time.monotonic() < end
        time.sleep(0.2)


@pytest.mark.parametrize(("name", "code"), [("HUP", 129), ("TERM", 143)])
def test_a_closed_window_takes_the_file_away(name: str, code: int, party: Any, tmp_path: pathlib.Path) -> None:
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\ntest -f "$(echo "$1" | sed s,^file://,,)" && kill -{name} $PPID\n')
    browser.chmod(0o755)
    party.env["BROWSER"] = str(browser)
    assert party.run("console", "acme", timeout=40).returncode == code
    assert list(party.home.glob("valetkey-console-*")) == []


def test_no_browser(party: Any) -> None:
    party.env["BROWSER"] = "/nonexistent/browser"
    party.env["PATH"] = "/nonexistent"
    ran = party.run("console", "acme")
    assert ran.returncode == 2
    assert "--print" in ran.stderr
    assert list(party.home.glob("valetkey-console-*")) == []


def test_wrong_use_asks_nobody(stage: Any, party: Any) -> None:
    before = len(stage.sandbox.control.requests(party.account))
    ran = party.run("console", "acme", "--service", "../iam", "--print")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert len(stage.sandbox.control.requests(party.account)) == before


def test_a_sign_in_that_is_refused(stage: Any, party: Any) -> None:
    party.env["AWS_ENDPOINT_URL_SIGNIN"] = f"{stage.sandbox.url}/nowhere"
    ran = party.run("console", "acme", "--print")
    assert (ran.returncode, ran.stdout) == (3, "")
    party.env["AWS_ENDPOINT_URL_SIGNIN"] = "http://127.0.0.1:9"
    ran = party.run("console", "acme", "--print")
    assert (ran.returncode, ran.stdout) == (3, "")
    assert "network" in ran.stderr


def test_a_page_of_the_console_and_what_to_sign_out_of_first(stage: Any, party: Any) -> None:
    page = "https://eu-west-3.console.aws.amazon.com/ec2/home?region=eu-west-3#Instances:"
    ran = party.run("console", "acme", "--print", "--url", page, "--logout-first")
    assert ran.returncode == 0, ran.stderr
    parts = urllib.parse.urlsplit(ran.stdout.strip())
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{stage.sandbox.url}/oauth"
    query = urllib.parse.parse_qs(parts.query)
    assert query["Action"] == ["logout"]
    assert page.replace("&", "&amp;") in browse(query["redirect_uri"][0])


def test_a_browser_profile_for_each_customer(stage: Any, party: Any, tmp_path: pathlib.Path) -> None:
    """The fake Firefox records its arguments, and passes the page to a running instance."""
    log = tmp_path / "log"
    firefox = tmp_path / "firefox"
    firefox.write_text(f'#!/bin/sh\necho "$@" >> {log}\n')
    firefox.chmod(0o755)
    ran = party.run("console", "acme", "--browser", str(firefox), "--separate", timeout=40)
    assert ran.returncode == 0, ran.stderr
    made, opened = log.read_text().splitlines()
    assert made == "--headless -CreateProfile valetkey-acme"
    assert opened.startswith(f"-P valetkey-acme file://{party.home}/valetkey-console-")
    there = set(party.home.glob("valetkey-console-*"))
    firefox.write_text("#!/bin/sh\nexit 5\n")
    ran = party.run("console", "acme", "--browser", str(firefox), timeout=40)
    assert (ran.returncode, "ended with code 5" in ran.stderr) == (2, True)
    assert set(party.home.glob("valetkey-console-*")) <= there
    before = len(stage.sandbox.control.requests(party.account))
    for words in (
        ("--browser", "no-such-browser"),
        ("--browser", "sh", "--separate"),
        ("--url", "https://evil.example/", "--print"),
        ("--url", "https://console.aws.amazon.com/", "--service", "s3", "--print"),
    ):
        ran = party.run("console", "acme", *words)
        assert (ran.returncode, ran.stdout) == (2, ""), words
    assert len(stage.sandbox.control.requests(party.account)) == before


_QUIET = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
_QUIET += ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"]
"""Options that disable Chromium's own network requests, which time out here."""


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
@pytest.mark.timeout(240)
def test_a_real_browser_follows_the_file(stage: Any, party: Any, tmp_path: pathlib.Path) -> None:
    """Headless Chromium opens the redirect file and ends on the console's page."""
    dom = tmp_path / "dom.html"
    browser = tmp_path / "browser"
    browser.write_text(
        f"#!{sys.executable}\n"
        "import subprocess, sys\n"
        f"flags = {[*_QUIET, '--virtual-time-budget=8000', '--dump-dom']!r}\n"
        # Chromium may crash before it prints anything on a busy machine: retry.
        "for attempt in 'abc':\n"
        f"    profile = '--user-data-dir={tmp_path}/profile-' + attempt\n"
        f"    out = subprocess.run([{CHROMIUM!r}, *flags, profile, sys.argv[1]],\n"
        "        capture_output=True, text=True, timeout=60)\n"
        "    if out.stdout.strip():\n"
        "        break\n"
        f"open({str(dom)!r}, 'w').write(out.stdout)\n"
    )
    browser.chmod(stat.S_IRWXU)
    party.env["BROWSER"] = f"{browser} %s"
    ran = party.run("console", "acme", timeout=200)
    assert ran.returncode == 0, ran.stderr
    assert f"signed in as arn:aws:sts::{stage.owner.account}:assumed-role/audit/alice" in dom.read_text()


def test_a_proxy_never_sees_the_keys(stage: Any, party: Any) -> None:
    """The endpoint is plain HTTP on this computer: a proxy in the environment could read the keys."""
    party.env |= {"http_proxy": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9", "no_proxy": ""}
    ran = party.run("console", "acme", "--print")
    # The role session is cached, so only the sign-in can fail.
    assert ran.returncode == 0, ran.stderr
