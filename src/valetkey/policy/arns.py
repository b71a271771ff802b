"""Amazon Resource Names: six parts separated by colons. The last part may contain more colons.

Source: AWS General Reference, "Identify AWS resources with ARNs"; IAM User Guide, reference_identifiers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from valetkey.errors import PolicyError, shown

_PART = re.compile(r"[A-Za-z0-9._-]*")
_PARTITION = re.compile(r"aws(-[a-z0-9]+)*")
_ACCOUNT = re.compile(r"[0-9]{12}")

PARTITIONS = frozenset({"aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc"})
"""Every AWS partition (botocore, endpoints.json and partitions.json)."""


NOBODY = "000000000000"
"""Placeholder where no account is named: AWS assigns this id to no account."""


@dataclass(frozen=True, slots=True)
class Arn:
    """A parsed ARN. `region` and `account` may be empty; `resource` is the rest, colons included."""

    partition: str
    service: str
    region: str
    account: str
    resource: str

    def __str__(self) -> str:
        return f"arn:{self.partition}:{self.service}:{self.region}:{self.account}:{self.resource}"

    @property
    def kind(self) -> str:
        """The resource type, in the syntax of IAM and STS: "role" in `role/path/name`, "root" in `root`."""
        return re.split("[/:]", self.resource)[0]

    @property
    def path(self) -> str:
        """The IAM path: "/team/" in `role/team/name`, "/" when there is none."""
        middle = self.resource.split("/")[1:-1]
        return f"/{'/'.join(middle)}/" if middle else "/"

    @property
    def name(self) -> str:
        """The part after the last slash: "name" in `role/team/name`."""
        return self.resource.rpartition("/")[2]


def is_account(text: str) -> bool:
    """Whether the text is an account id: 12 ASCII digits."""
    return _ACCOUNT.fullmatch(text) is not None


def parse_arn(text: str) -> Arn:
    """Parse one concrete ARN. Raises PolicyError for any other text and for a wildcard before the resource."""
    if not isinstance(text, str):
        raise PolicyError(
            f"an ARN is a string, not {shown(text)}", do="write it like arn:aws:iam::123456789012:role/name"
        )
    parts = text.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn":
        raise PolicyError(f"{shown(text)} is not an ARN", do="write it like arn:aws:iam::123456789012:role/name")
    _, partition, service, region, account, resource = parts
    if not _PARTITION.fullmatch(partition):
        raise PolicyError(f"{shown(partition)} is not a partition", do="use aws, aws-cn, aws-us-gov, ...")
    for name, part in (("service", service), ("region", region), ("account", account)):
        if not _PART.fullmatch(part) or (name == "service" and not part):
            raise PolicyError(f"{shown(part)} is not the {name} of an ARN", do="use letters, digits and - only")
    if account.isdigit() and not _ACCOUNT.fullmatch(account):
        raise PolicyError(f"{shown(account)} is not an account id", do="an account id has 12 digits")
    if not resource or any(ord(char) < 32 or ord(char) == 127 for char in resource):
        raise PolicyError(f"{shown(text)} names no resource", do="write it like arn:aws:iam::123456789012:role/name")
    return Arn(partition, service, region, account, resource)
