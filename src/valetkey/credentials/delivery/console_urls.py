"""Hosts and URLs of the AWS console in each partition.

Rules:
- The hosts depend on the partition of the role. A region of another partition is ignored.
- In aws-eusc every host contains a region: no sign-in or console host exists without one (fact W4: the endpoint rules
  of the `signin` API in botocore).
- INVARIANT: a URL to open is in that partition's console: a sign-in cannot lead to another site.
- Signing out first works at one host only (Versent/saml2aws issue 707; fact U11), and not if the console's
  multi-session support is enabled (AWS then returns 400). So it is only done on request.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, urlencode, urlsplit

from valetkey.errors import ValetkeyError


@dataclass(frozen=True, kw_only=True)
class _Places:
    """The sign-in and console hosts of a partition."""

    signin: str
    console: str
    regions: tuple[str, ...]
    """Prefixes of the partition's region names; empty: no prefix of another partition."""
    regional: bool = False
    """Whether the hosts can have a region as prefix."""
    home: str = ""
    """The default region prefix; empty: the hosts also exist without one."""

    def host(self, bare: str, region: str | None) -> str:
        region = region or self.home
        return f"{region}.{bare}" if region and self.regional else bare


# The hosts of the isolated partitions are not public.
_PLACES = {
    "aws": _Places(signin="signin.aws.amazon.com", console="console.aws.amazon.com", regions=(), regional=True),
    "aws-cn": _Places(signin="signin.amazonaws.cn", console="console.amazonaws.cn", regions=("cn-",)),
    "aws-us-gov": _Places(
        signin="signin.amazonaws-us-gov.com", console="console.amazonaws-us-gov.com", regions=("us-gov-",)
    ),
    "aws-eusc": _Places(
        signin="signin.amazonaws-eusc.eu",
        console="console.amazonaws-eusc.eu",
        regions=("eusc-",),
        regional=True,
        home="eusc-de-east-1",
    ),
}
_OTHERS = ("cn-", "us-gov-", "eusc-", "us-iso", "eu-iso")
"""Prefixes of the names of regions outside the partition `aws`."""


class ConsoleError(ValetkeyError):
    """The console cannot be opened. Never contains a key, a token or the sign-in URL."""

    exit_code = 3


def _places(partition: str) -> _Places:
    """Return the hosts. Raises ConsoleError for a partition whose hosts are not public."""
    if partition not in _PLACES:
        raise ConsoleError(
            f"the console's address in the partition {partition} is not public",
            do="use `valetkey exec` or the profile with the AWS CLI",
            exit_code=2,
        )
    return _PLACES[partition]


def region_in(partition: str, region: str | None) -> str | None:
    """Return the region if it belongs to the partition; else None. Raises ConsoleError as `signin_host` does."""
    known = _places(partition).regions
    if region is None:
        return None
    is_there = region.startswith(known) if known else not region.startswith(_OTHERS)
    return region if is_there else None


def signin_host(partition: str, region: str | None) -> str:
    """Return the sign-in host. `region` is a region of the partition, or None. Raises ConsoleError for a partition
    whose hosts are not public."""
    places = _places(partition)
    return places.host(places.signin, region)


def console_host(partition: str, region: str | None) -> str:
    """Return the console host; see `signin_host`."""
    places = _places(partition)
    return places.host(places.console, region)


def check_url(url: str, partition: str) -> str:
    """Return the URL if it is a page of the partition's console. Raises ValetkeyError."""
    places = _places(partition)
    console = places.console
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    host = parts.hostname or ""
    is_console = host.endswith(f".{console}") or (host == console and not places.home)
    is_plain = url.isascii() and url.isprintable() and " " not in url and "\\" not in url and "@" not in parts.netloc
    if parts.scheme != "https" or not is_console or not is_plain or port is not None:
        raise ValetkeyError(
            f"{url[:80]!r} is not a page of the console",
            do=f"copy an address from the browser: it begins with https:// and its host ends with "
            f"{'.' if places.home else ''}{console}",
        )
    return url


def logout_url(login: str, partition: str, endpoint: str) -> str:
    """Return a URL that signs the browser out and then opens `login`. It is as secret as `login`. Raises ValetkeyError.

    `endpoint` is the sign-in endpoint: AWS's, or a replacement.
    """
    at_aws = (urlsplit(endpoint).hostname or "").endswith(_places(partition).signin)
    if at_aws and partition != "aws":
        raise ValetkeyError(
            f"in the partition {partition} valetkey does not know how to sign out and return",
            do="leave --logout-first out and sign out by hand, or use --separate",
        )
    host = "https://us-east-1.signin.aws.amazon.com" if at_aws else endpoint.removesuffix("/federation")
    return f"{host}/oauth?{urlencode({'Action': 'logout', 'redirect_uri': login}, quote_via=quote)}"
