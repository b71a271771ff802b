"""The ARNs of IAM users and roles: AWS's syntax, and whether two ARNs identify the same user or role.

Sources: IAM API Reference, CreateRole and CreateUser (RoleName, UserName: `[\\w+=,.@-]+`, 64 characters; Path: `/`, or
`/[!-~]+/`, 512 characters); IAM User Guide, reference_identifiers and reference_iam-quotas (names are unique in an
account, regardless of case and path).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from valetkey.errors import PolicyError, shown
from valetkey.policy.arns import PARTITIONS, Arn

_NAME = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)
_PATH_MAX = 512
# INVARIANT: an accepted path identifies one role in a policy's Resource and is one word everywhere. IAM itself accepts
# every printable ASCII character in a path; these could act as a wildcard, variable, closing quote or path traversal.
_PATH = re.compile(r"/(?:[!-~]+/)?", re.ASCII)
_NEVER_IN_PATH = frozenset("*?$\"'`\\")
_ARN = re.compile(r"arn:([a-z0-9-]+):iam::([0-9]{12}):(role|user)(/.*)", re.ASCII | re.DOTALL)


class Entity(NamedTuple):
    """The identity of an IAM user or role, for comparison."""

    partition: str
    account: str
    """12 digits. The same number in two partitions may be different accounts."""
    kind: str
    """"role" or "user"."""
    name: str
    """In lower case: IAM distinguishes names by neither case nor path."""


def path_trouble(path: str) -> str:
    """Why valetkey does not accept this path, as a predicate; "" when it does. IAM accepts more (see _PATH)."""
    if len(path) > _PATH_MAX or not _PATH.fullmatch(path):
        return f"has a path that is not / or /…/ with printable ASCII and {_PATH_MAX} characters at most"
    if _NEVER_IN_PATH & set(path):
        return (
            "has a path with one of * ? $ ` \\ or a quote in it, which a policy or a shell could read as something else"
        )
    if "//" in path or {".", ".."} & set(path.split("/")):
        return "has a path with //, /./ or /../ in it"
    return ""


def iam_arn(text: str, *kinds: str) -> Arn:
    """Parse the ARN of one user or role (`kinds`: "user", "role" or both). Raises PolicyError.

    The result contains no wildcard, variable, quote or blank, and its partition is one of PARTITIONS.
    """
    what = " or ".join(kinds)
    do = f"write it like arn:aws:iam::123456789012:{kinds[0]}/name"
    given = shown(text, 200)
    match = _ARN.fullmatch(text)
    if not match or match[3] not in kinds:
        raise PolicyError(f"{given} is not the ARN of an IAM {what}", do=do)
    partition, account, kind, rest = match.groups()
    if partition not in PARTITIONS:
        raise PolicyError(
            f"{given} is in the partition {shown(partition)}, which this version does not know",
            do=f"it knows {', '.join(sorted(PARTITIONS))}; update valetkey if AWS has a new one",
        )
    path, slash, name = rest.rpartition("/")
    if not _NAME.fullmatch(name) or name in (".", ".."):
        raise PolicyError(f"{given} does not end in the name of an IAM {kind}", do=do)
    trouble = path_trouble(path + slash)
    if trouble:
        raise PolicyError(f"{given} {trouble}", do=do)
    return Arn(partition, "iam", "", account, kind + rest)


def entity(arn: str) -> Entity:
    """The user or role that an ARN identifies. Raises PolicyError."""
    result = iam_arn(arn.strip(), "role", "user")
    return Entity(result.partition, result.account, result.kind, result.name.lower())


def is_same_role(one: str, other: str) -> bool:
    """Whether two ARNs identify the same user or role, ignoring path, case of the name and surrounding blanks. A text
    that is not such an ARN equals only itself."""
    try:
        return entity(one) == entity(other)
    except PolicyError:
        return one == other
