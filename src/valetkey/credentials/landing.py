"""Where the AWS console is in each partition, and where in it a person wants to land.

Rules:
- The hosts follow the partition of the role, not the region that happens to be set.
- INVARIANT: a URL to open is one of that partition's console: a sign-in leads nowhere else.
- Signing out first works at one host only (Versent/saml2aws issue 707), and not where the console's multi-session is
  switched on (AWS then answers 400); so that it is only done when asked for.
"""

from __future__ import annotations

from urllib.parse import quote, urlencode, urlsplit

from valetkey.policy.problem import Problem

# partition: (sign-in host, console host). The isolated partitions' hosts are not public.
_HOSTS = {
    "aws": ("signin.aws.amazon.com", "console.aws.amazon.com"),
    "aws-cn": ("signin.amazonaws.cn", "console.amazonaws.cn"),
    "aws-us-gov": ("signin.amazonaws-us-gov.com", "console.amazonaws-us-gov.com"),
    "aws-eusc": ("signin.amazonaws-eusc.eu", "console.amazonaws-eusc.eu"),
}


class ConsoleProblem(Problem):
    """The console cannot be opened. Never carries a key, a token or the sign-in URL."""

    exit_code = 3


def hosts(partition: str) -> tuple[str, str]:
    """The sign-in host and the console's. Raises ConsoleProblem for a partition whose hosts are not public."""
    if partition not in _HOSTS:
        raise ConsoleProblem(
            f"the console's address in the partition {partition} is not public",
            do="use `valetkey exec` or the profile with the AWS CLI",
            exit_code=2,
        )
    return _HOSTS[partition]


def check_url(url: str, partition: str) -> str:
    """The URL, if it is a page of the partition's console. Raises Problem."""
    _, console = hosts(partition)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    host = parts.hostname or ""
    is_console = host == console or host.endswith(f".{console}")
    is_plain = url.isascii() and url.isprintable() and " " not in url and "\\" not in url and "@" not in parts.netloc
    if parts.scheme != "https" or not is_console or not is_plain or port is not None:
        raise Problem(
            f"{url[:80]!r} is no page of the console",
            do=f"copy an address from the browser: it begins with https:// and its host ends with {console}",
        )
    return url


def logout_url(login: str, partition: str, endpoint: str) -> str:
    """A URL that signs the browser out and then follows `login`; as secret as that. Raises Problem.

    `endpoint` is where the sign-in goes: AWS's, or what stands in for it.
    """
    signin, _ = hosts(partition)
    at_aws = (urlsplit(endpoint).hostname or "").endswith(signin)
    if at_aws and partition != "aws":
        raise Problem(
            f"in the partition {partition} it is not known how to sign out and come back",
            do="leave --logout-first out and sign out by hand, or use --separate",
        )
    host = "https://us-east-1.signin.aws.amazon.com" if at_aws else endpoint.removesuffix("/federation")
    return f"{host}/oauth?{urlencode({'Action': 'logout', 'redirect_uri': login}, quote_via=quote)}"
