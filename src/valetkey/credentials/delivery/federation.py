"""Sign in to the AWS console with a role session: the only way with an ExternalId (Switch Role cannot send one).

Flow (IAM User Guide, id_roles_providers_enable-console-custom-url): exchange the session's keys for a sign-in token,
and put that in a login URL, which is valid for 15 minutes.

Rules:
- INVARIANT: keys are sent in the body of a POST over TLS (or to this computer), never in a URL.
- INVARIANT: the login URL is a secret: it is written to a file of mode 0600 and nowhere else, unless requested.
- The hosts depend on the partition of the role, not on the configured region (console_urls.py).
- SessionDuration (900 to 43,200 s, independent of the role's maximum) is sent only for a role that was assumed with a
  user's long-term key: AWS refuses it for other sessions, and the console session then ends with the keys.
"""

from __future__ import annotations

import html
import json
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

from valetkey.credentials.delivery import console_urls
from valetkey.credentials.delivery.console_urls import ConsoleError, console_host, region_in, signin_host
from valetkey.credentials.profiles.profile import Profile
from valetkey.credentials.sessions.values import Credentials
from valetkey.errors import ValetkeyError

_SHORTEST, _LONGEST = 900, 43200
"""Limits of SessionDuration, in seconds."""
_REGION = re.compile(r"[a-z]{2,8}(-[a-z]+){1,4}-[0-9]{1,2}", re.ASCII)
_SERVICE = re.compile(r"[a-z0-9][a-z0-9-]{0,39}", re.ASCII)

# Services whose console path is not the service's name.
_PATHS = {
    "apigateway": "apigateway/main/apis",
    "athena": "athena/home",
    "billing": "costmanagement/home",
    "cloudtrail": "cloudtrailv2/home",
    "dynamodb": "dynamodbv2/home",
    "ecs": "ecs/v2/home",
    "eventbridge": "events/home",
    "logs": "cloudwatch/home",
    "organizations": "organizations/v2/home",
    "sns": "sns/v3/home",
    "sqs": "sqs/v3/home",
    "ssm": "systems-manager/home",
    "stepfunctions": "states/home",
    "vpc": "vpcconsole/home",
}

Post = Callable[[str, bytes], tuple[int, bytes]]
"""Sends a form to a URL and returns status and body; follows no redirect. Raises ValetkeyError."""


class DurationRefused(ConsoleError):
    """AWS refused SessionDuration."""


def login_url(
    profile: Profile,
    credentials: Credentials,
    *,
    service: str | None,
    region: str | None,
    env: Mapping[str, str],
    post: Post,
    url: str | None = None,
    logout_first: bool = False,
    duration: int | None = None,
) -> str:
    """Return the URL that signs a browser in with these credentials. It is a secret for 15 minutes.

    `service` is the console to open ("s3"); None: the home page. `region` None or invalid: the console chooses. `url`:
    the console page to open instead (see console_urls.check_url). `logout_first`: sign the browser out first.
    `duration`: length of the console session in seconds, for a role that was assumed with a user's long-term key.
    Raises ConsoleError (DurationRefused: retry without `duration`), ValetkeyError for an invalid service name.
    """
    region = region_in(profile.partition, region if region and _REGION.fullmatch(region) else None)
    endpoint = _endpoint(profile.partition, region, env)
    target = url or destination(profile.partition, service=service, region=region)
    session = json.dumps(
        {
            "sessionId": credentials.access_key_id,
            "sessionKey": credentials.secret_access_key,
            "sessionToken": credentials.session_token,
        }
    )
    form = {"Action": "getSigninToken", "Session": session}
    if duration is not None:
        form["SessionDuration"] = str(duration)
    status, body = post(endpoint, urlencode(form).encode())
    if status == 400 and duration is not None:
        raise DurationRefused(
            "AWS does not accept a longer console session for these credentials", do="leave --long out"
        )
    token = _token(status, body)
    query = {"Action": "login", "Issuer": "valetkey", "Destination": target, "SigninToken": token}
    login = f"{endpoint}?{urlencode(query, quote_via=quote)}"
    return console_urls.logout_url(login, profile.partition, endpoint) if logout_first else login


def console_end(*, now: datetime) -> datetime:
    """Return the end of the longest console session that begins now: after 12 hours. The grant may end earlier; AWS
    then still shows the console, and denies every call."""
    return now + timedelta(seconds=_LONGEST - 5)


def destination(partition: str, *, service: str | None, region: str | None) -> str:
    """Return the URL of the console page to open. Raises ValetkeyError for an invalid service name."""
    if service is not None and not _SERVICE.fullmatch(service):
        raise ValetkeyError(f"{service[:40]!r} is not the name of a service", do="name one like s3, ec2 or cloudtrail")
    host = console_host(partition, region)
    path = "console/home" if service is None else _PATHS.get(service, f"{service}/home")
    return f"https://{host}/{path}" + (f"?region={region}" if region else "")


def _endpoint(partition: str, region: str | None, env: Mapping[str, str]) -> str:
    """Return AWS's federation endpoint, or the one from AWS_ENDPOINT_URL_SIGNIN or AWS_ENDPOINT_URL."""
    signin = signin_host(partition, region)
    given = env.get("AWS_ENDPOINT_URL_SIGNIN") or env.get("AWS_ENDPOINT_URL")
    if not given or env.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() == "true":
        return f"https://{signin}/federation"
    parts = urlsplit(given)
    is_local = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_local):
        raise ConsoleError(
            "the sign-in endpoint must be https: the session's keys are sent there",
            do="correct AWS_ENDPOINT_URL_SIGNIN or AWS_ENDPOINT_URL",
            exit_code=2,
        )
    return given.rstrip("/") + "/federation"


def _token(status: int, body: bytes) -> str:
    # The response is never quoted: it may contain what was sent.
    if status != 200:
        raise ConsoleError(
            f"AWS refused to sign this session in to the console (HTTP {status})",
            do="try again; if it stays, the session may have ended: `valetkey login NAME` assumes the role again",
            where="getSigninToken",
        )
    try:
        token = json.loads(body)["SigninToken"]
    except (ValueError, KeyError, TypeError, RecursionError):
        token = None
    if not isinstance(token, str) or not token:
        raise ConsoleError(
            "the sign-in endpoint did not answer with a token", do="check AWS_ENDPOINT_URL", where="getSigninToken"
        )
    return token


@contextmanager
def redirect_file(url: str, folder: Path, *, later: Callable[[Path], bool] = lambda directory: False) -> Iterator[Path]:
    """Yield the path of a page (mode 0600, in a directory of mode 0700 below `folder`) that redirects a browser to the
    URL.

    The directory is deleted at the end, also after an error; unless there was no error and `later(directory)` takes it
    over and returns True. The browser gets this path, so the URL is not in any process's arguments. The directory's
    name has no leading dot and is not under /tmp: a browser installed as a snap cannot read either.
    """
    try:
        directory = Path(tempfile.mkdtemp(prefix="valetkey-console-", dir=folder))
    except OSError as error:
        raise ConsoleError(
            f"valetkey cannot create a file in {folder} for the browser: {error.strerror}",
            do="use --print",
            exit_code=2,
        ) from None
    is_left = False
    try:
        path = directory / "console.html"
        path.touch(mode=0o600)
        path.write_text(_page(url), encoding="ascii")
        yield path
        is_left = later(directory)
    finally:
        if not is_left:
            shutil.rmtree(directory, ignore_errors=True)


def _page(url: str) -> str:
    """Return a page that works without scripts and sends no referrer to the console."""
    safe = html.escape(url)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="referrer" content="no-referrer">'
        f'<meta http-equiv="refresh" content="0;url={safe}"><title>AWS console</title></head>'
        f'<body><a rel="noreferrer" href="{safe}">Open the AWS console</a></body></html>\n'
    )
