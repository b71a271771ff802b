"""A link that opens CloudFormation's "Quick create stack" page with a valetkey template.

Whoever controls the bucket decides what owners create later. Therefore:
- The URL must be the https URL of one version (`versionId`) of an S3 object: the bytes of a version never change.
- The object is read without credentials, as CloudFormation in another account reads it; no signed URL, no redirect.
- INVARIANT: no link is written unless the bytes read from the URL equal the proved template.

Sources: CloudFormation User Guide, cfn-console-create-stacks-quick-create-links (fact H38); CloudFormation CreateStack
(TemplateURL: at most 5,120 characters, a template of at most 1 MB); Amazon S3 User Guide, access-bucket-intro,
RetrievingObjectVersions.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from valetkey.catalog.home_regions import HOME_REGIONS
from valetkey.exchange.texts.cloudformation import CAPABILITY
from valetkey.exchange.texts.roles import TextError, WantedRole

TEMPLATE_MAX = 1_000_000
"""Maximum size of a template in S3, in bytes."""
_URL_MAX = 5120
_SUFFIXES = {"aws": "amazonaws.com", "aws-cn": "amazonaws.com.cn", "aws-us-gov": "amazonaws.com"}
_CONSOLES = {
    "aws": "{region}.console.aws.amazon.com",
    "aws-cn": "{region}.console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
}
_BEGIN = {"aws": "", "aws-cn": "cn-", "aws-us-gov": "us-gov-"}
_OTHERS = ("cn-", "us-gov-", "us-iso", "eusc-")
_REGION = r"(?P<region>[a-z]{2}(?:-[a-z]+)+-[0-9]{1,2})"
_BUCKET = r"(?P<bucket>[a-z0-9][a-z0-9-]{1,61}[a-z0-9])"
_VERSION = re.compile(r"[A-Za-z0-9._~-]{1,1024}")

ReadUrl = Callable[[str], bytes]
"""Reads a URL without credentials, at most TEMPLATE_MAX + 1 bytes. Raises OSError."""


def sha256(text: str) -> str:
    """Return the text's SHA-256 as 64 hexadecimal digits, as `sha256sum FILE` prints it."""
    return hashlib.sha256(text.encode()).hexdigest()


def link(role: WantedRole, template: str, url: str, *, read: ReadUrl) -> str:
    """Return the quick-create link for a proved template. Raises TextError, also if the template is not at this URL."""
    region = check_url(url, role.terms.partition)
    do = "upload the file that this command wrote as it is, readable without credentials, and give that version's URL"
    try:
        result = read(url)
    except OSError as error:
        raise TextError(f"the template cannot be read without credentials: {error}", do=do, where=url) from None
    if result != template.encode():
        raise TextError(
            f"what is at the URL is not the template that was proved (SHA-256 {sha256(template)}); no link was written",
            do=f"{do}; name the end as a date: one like 30d is another with every run",
            where=url,
        )
    partition = role.terms.partition
    region = region or HOME_REGIONS[partition]
    query = urlencode({"templateURL": url, "stackName": role.name}, quote_via=quote, safe="")
    host = _CONSOLES[partition].format(region=region)
    return f"https://{host}/cloudformation/home?region={region}#/stacks/create/review?{query}"


def check_url(url: str, partition: str) -> str | None:
    """Return the region in an S3 URL, or None. Raises TextError unless it is an https URL of one version of
    an object."""
    suffix = _SUFFIXES.get(partition)
    if suffix is None:
        raise TextError(
            f"no quick-create link is known for the partition {partition}", do="send the template as a file"
        )
    host, path = _parts(url)
    ending = re.escape(suffix)
    hosts = (
        rf"{_BUCKET}\.s3(?:\.{_REGION}|-{_REGION.replace('region', 'region2')})?\.{ending}",
        rf"s3(?:\.{_REGION}|-{_REGION.replace('region', 'region2')})?\.{ending}",
    )
    result = next((match for item in hosts if (match := re.fullmatch(item, host))), None)
    # If the bucket is in the path, the path has at least two parts.
    least = 1 if result and "bucket" in result.groupdict() else 2
    if result is None or len([part for part in path.split("/") if part]) < least or path.endswith("/"):
        raise _bad(f"{host}{path} is not an object in S3 in the partition {partition}")
    region: str | None = result["region"] or result["region2"]
    begin = _BEGIN[partition]
    if region is not None and (not region.startswith(begin) if begin else region.startswith(_OTHERS)):
        raise _bad(f"the region {region} is not one of the partition {partition}")
    return region


def _parts(url: str) -> tuple[str, str]:
    if len(url) > _URL_MAX or not url.isascii() or not url.isprintable() or any(char in url for char in " \"'<>\\"):
        raise _bad("it is not a URL of printable ASCII characters")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _bad("it is not a URL") from None
    if parts.scheme != "https" or port not in (None, 443) or "@" in parts.netloc or "#" in url:
        raise _bad("it is not a plain https URL (no user, no other port, no #)")
    query = parse_qsl(parts.query, keep_blank_values=True)
    if [name for name, _ in query] != ["versionId"]:
        raise _bad("its query is not versionId alone: an object without one may change, a signed URL ends")
    version = query[0][1]
    if version == "null" or not _VERSION.fullmatch(version):
        raise _bad("its versionId is not that of a version: switch versioning on in the bucket")
    return parts.hostname or "", parts.path


def _bad(why: str) -> TextError:
    return TextError(
        f"--template-url cannot be used: {why}",
        do="give one like https://BUCKET.s3.eu-central-1.amazonaws.com/valetkey.json?versionId=VERSION",
    )


def acknowledge() -> str:
    """Return the instruction for the owner on the page."""
    return f'tick the box that acknowledges {CAPABILITY} ("might create IAM resources with custom names")'
