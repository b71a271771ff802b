"""AWS's sign-in host: `/federation` turns a role session into a console session.

    POST|GET /federation  Action=getSigninToken & Session={sessionId, sessionKey, sessionToken} [& SessionDuration]
        -> {"SigninToken": ...}
    GET /federation       Action=login & SigninToken & Destination [& Issuer]
        -> a page that shows the identity and the account that are signed in, and a cookie
    GET /federation/console                      the same page, for the cookie

Rules (IAM user guide, "Enable custom identity broker access to the AWS console"; AWS answers each violation with 400):
- The session must have been issued by this sandbox and not have expired, according to the emulator's own store.
- Credentials of GetSessionToken and long-term keys cannot sign in. A role session or a federated user can.
- SessionDuration is 900 to 43200 s, and only for a role assumed with a long-term key: not from a session (role
  chaining, MFA session) and not with GetFederationToken. Without it the console session ends with the credentials.
- A role session that was requested with DurationSeconds by anything but a long-term key cannot sign in. The page says
  so; whether AWS enforces it is not known (fact U2): a variant allows it.
- A sign-in token is valid for 15 minutes.

Times follow the clock of the session's account.
"""

from __future__ import annotations

import hmac
import html
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from valetkey.sandbox import clock, variants

TOKEN_LIFE = 15 * 60
DURATION = range(900, 43200 + 1)
COOKIE = "valetkey-sandbox-console"
_CONSOLES = (
    "console.aws.amazon.com",
    "console.amazonaws.cn",
    "console.amazonaws-us-gov.com",
    "127.0.0.1",
    "localhost",
)
# In this partition every console address begins with a region: https://REGION.console.amazonaws-eusc.eu.
_REGIONAL_CONSOLES = re.compile(r"(?:[a-z0-9-]+\.)?eusc-[a-z]+-[a-z]+-[0-9]+\.console\.amazonaws-eusc\.eu", re.ASCII)
_KEPT = 10_000


@dataclass(frozen=True)
class SignIn:
    """Who may sign in, and until when. Times are seconds since 1970 by the account's clock."""

    arn: str
    account: str
    issued: float
    until: float
    destination: str = ""
    issuer: str = ""


@dataclass(frozen=True)
class Page:
    """An HTTP response."""

    status: int
    kind: str
    body: str
    headers: tuple[tuple[str, str], ...] = ()


class Refused(Exception):
    """AWS answers 400. The message says why."""


class Federation:
    """The sign-in tokens and console sessions of this sandbox."""

    def __init__(self) -> None:
        self._tokens: dict[str, SignIn] = {}
        self._consoles: dict[str, SignIn] = {}

    def answer(self, path: str, params: Mapping[str, str], cookies: Mapping[str, str]) -> Page:
        """Answer one request to /federation. `params` are those of the query and the form."""
        try:
            if path == "/federation/console":
                return self._console(cookies.get(COOKIE, ""))
            action = params.get("Action")
            if path == "/federation" and action == "getSigninToken":
                return Page(200, "application/json", json.dumps({"SigninToken": self._issue(params)}))
            if path == "/federation" and action == "login":
                return self._login(params)
            raise Refused("Action must be getSigninToken or login")
        except Refused as why:
            return Page(400, "text/html; charset=utf-8", _html("400 Bad Request", [("Why", str(why))]))

    def clear(self) -> None:
        """Remove every token and console session."""
        self._tokens.clear()
        self._consoles.clear()

    def _issue(self, params: Mapping[str, str]) -> str:
        session = _read_session(params.get("Session", ""))
        result = _known(session)
        now = clock.now(result["AccountId"])
        until = float(result["Expiration"])
        by_key = str(result.get("SourceAccessKeyId") or "").startswith("AKIA")
        if result.get("WithDuration") and not by_key and not variants.of(result["AccountId"]).duration_signs_in:
            raise Refused("DurationSeconds is only for a role that is assumed with a user's long-term key")
        duration = params.get("SessionDuration")
        if duration is not None:
            if not (duration.isascii() and duration.isdigit() and len(duration) < 6 and int(duration) in DURATION):
                raise Refused(f"SessionDuration must be {DURATION.start} to {DURATION.stop - 1} seconds")
            if result["PrincipalType"] != "AssumedRole" or not by_key:
                raise Refused("SessionDuration is only for a role that was assumed with a user's long-term key")
            until = now + int(duration)
        return _keep(self._tokens, SignIn(str(result["Arn"]), result["AccountId"], now, until))

    def _login(self, params: Mapping[str, str]) -> Page:
        signin = self._tokens.get(params.get("SigninToken", ""))
        if signin is None:
            raise Refused("SigninToken is unknown")
        if clock.now(signin.account) > signin.issued + TOKEN_LIFE:
            raise Refused("SigninToken has expired; it is valid for 15 minutes")
        destination = params.get("Destination", "")
        if not _in_console(destination):
            raise Refused("Destination must be an address of the AWS console")
        console = replace(signin, destination=destination, issuer=params.get("Issuer", ""))
        name = _keep(self._consoles, console)
        cookie = f"{COOKIE}={name}; HttpOnly; SameSite=Lax; Path=/federation"
        return replace(self._console(name), headers=(("set-cookie", cookie),))

    def _console(self, cookie: str) -> Page:
        console = self._consoles.get(cookie)
        if console is None or clock.now(console.account) > console.until:
            return Page(403, "text/html; charset=utf-8", _html("You are signed out", []))
        _, _, name = console.arn.partition(":assumed-role/")
        role, _, session = name.partition("/")
        rows = [("Account", console.account)]
        if role:
            rows += [("Role", role if _exists(role, console.account) else f"{role} (removed: every call is refused)")]
            rows += [("Session", session)]
        rows += [
            ("Signed in until", f"{datetime.fromtimestamp(console.until, UTC):%Y-%m-%d %H:%M:%S} UTC"),
            ("Destination", console.destination),
            ("Issuer", console.issuer or "none"),
        ]
        return Page(200, "text/html; charset=utf-8", _html(f"signed in as {console.arn}", rows))


def _in_console(destination: str) -> bool:
    try:
        parts = urlsplit(destination)
    except ValueError:
        return False
    host = parts.hostname or ""
    known = any(host == console or host.endswith(f".{console}") for console in _CONSOLES)
    known = known or _REGIONAL_CONSOLES.fullmatch(host) is not None
    return known and parts.scheme in ("https", "http")


def _read_session(text: str) -> dict[str, str]:
    try:
        session = json.loads(text)
    except (ValueError, RecursionError):
        raise Refused("Session must be JSON") from None
    names = ("sessionId", "sessionKey", "sessionToken")
    if not isinstance(session, dict) or not all(isinstance(session.get(name), str) for name in names):
        raise Refused("Session must have the strings sessionId, sessionKey and sessionToken")
    return session


def _known(session: Mapping[str, str]) -> dict[str, Any]:
    """Return the emulator's record of this session. Raises Refused."""
    from ministack.core.iam_evaluator import CredentialResolutionError, resolve_credential
    from ministack.services import sts

    record: dict[str, Any] | None = sts._sessions.get(session["sessionId"])
    if record is None or not record.get("AccountId"):
        raise Refused("these are not temporary credentials of this sandbox")
    with clock.of(record["AccountId"]):
        credential = resolve_credential(session["sessionId"], record["AccountId"], session["sessionToken"])
    if isinstance(credential, CredentialResolutionError):
        raise Refused(f"these credentials are not valid: {credential.message}")
    if not hmac.compare_digest(credential.secret_access_key.encode(), session["sessionKey"].encode()):
        raise Refused("these credentials are not valid: sessionKey does not match")
    if record["PrincipalType"] not in ("AssumedRole", "FederatedUser"):
        raise Refused("credentials of GetSessionToken cannot sign in")
    return record


def _exists(role: str, account: str) -> bool:
    from ministack.services import iam

    return iam._roles.get_scoped(account, None, role) is not None


def _keep(store: dict[str, SignIn], value: SignIn) -> str:
    """Store a value under a new secret name, and return the name. The oldest value is removed if there are too many."""
    if len(store) >= _KEPT:
        del store[next(iter(store))]
    name = secrets.token_urlsafe(48)
    store[name] = value
    return name


def _html(title: str, rows: list[tuple[str, str]]) -> str:
    lines = "".join(f"<tr><th>{html.escape(name)}</th><td>{html.escape(value)}</td></tr>" for name, value in rows)
    return (
        "<!doctype html><html lang=en><meta charset=utf-8>"
        f"<title>{html.escape(title)}</title>"
        "<style>body{font:16px sans-serif;margin:3em;max-width:50em}th{text-align:left;padding-right:2em}</style>"
        f"<h1>{html.escape(title)}</h1><table>{lines}</table>"
        "<p>The valetkey sandbox on this computer. This is not AWS.</p></html>\n"
    )
