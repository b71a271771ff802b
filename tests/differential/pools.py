"""Small pools of values that collide by design, and the table of condition keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from .cases import FAMILIES
from .forms import is_bool, is_date, is_network, is_number

OWNER = "111122223333"
ACCOUNTS = (OWNER, OWNER, OWNER, "444455556666", "444455556666", "111122223334")
PARTITIONS = ("aws",) * 16 + ("aws-cn", "aws-us-gov")
NAMES = ("dev", "Dev", "dev1", "ops", OWNER, "a.c", "abc")
PATHS = ("", "", "", "team/", "team/a/")
STRINGS = ("abc", "ABC", "ab", "abcd", "a.c", "a*c", "a?c", "a+(b)", "x y", "$a", OWNER, "a/b", "dev", "*")
NUMBERS = ("0", "1", "299", "300", "301", "3600", "-5", "10", "9", "300.0", "0.5")
DATES = (
    "2026-01-01T00:00:00Z",
    "2026-01-01T00:00:01Z",
    "2025-12-31T23:59:59Z",
    "2026-06-30T12:00:00Z",
    "2024-02-29T00:00:00Z",
    "2026-01-01T01:00:00+01:00",
    "2026-01-01",
)
EPOCHS = ("1767225600", "1767225601", "1767225599", "1782820800", "1709164800")
IPV4 = ("203.0.113.5", "203.0.113.6", "203.0.114.5", "10.0.0.1", "198.51.100.255", "192.168.1.1", "127.0.0.1")
IPV6 = (
    "2001:db8::1",
    "2001:db8::2",
    "2001:db8:1::1",
    "::1",
    "fe80::1",
    "::cb00:7105",
    "::a00:1",
)  # the last two contain 203.0.113.5 and 10.0.0.1
BLOBS = ("QUJD", "QUJE", "YWJj", "")
BOOLS = ("true", "false")
ORG_PATHS = ("o-a1b2c3/r-ab12/ou-ab12-1/", "o-a1b2c3/r-ab12/ou-ab12-1/ou-ab12-11/", "o-a1b2c3/r-ab12/", "o-zz/r-ab12/")
SERVICES = ("ec2.amazonaws.com", "lambda.amazonaws.com", "ec2.amazonaws.com.cn")
PROVIDERS = ("accounts.google.com", "token.actions.githubusercontent.com", "www.amazon.com")
ARNS = (
    f"arn:aws:iam::{OWNER}:role/dev",
    f"arn:aws:iam::{OWNER}:user/dev",
    f"arn:aws:iam::444455556666:role/{OWNER}",
    "arn:aws:iam::444455556666:user/team/dev",
    f"arn:aws-cn:iam::{OWNER}:role/dev",
    f"arn:aws:sns:eu-west-1:{OWNER}:topic:sub",
    "arn:aws:s3:::bucket/key:x",
)


class Key(NamedTuple):
    """A condition key in AWS's spelling, the operators' family, sample values, and whether it is multivalued."""

    name: str
    family: str
    pool: tuple[str, ...]
    many: bool = False


# Keys that guard roles are more frequent.
KEYS = (
    Key("sts:ExternalId", "string", STRINGS),
    Key("sts:ExternalId", "string", STRINGS),
    Key("sts:ExternalId", "string", STRINGS),
    Key("aws:MultiFactorAuthPresent", "bool", BOOLS),
    Key("aws:MultiFactorAuthPresent", "bool", BOOLS),
    Key("aws:MultiFactorAuthAge", "number", NUMBERS),
    Key("aws:MultiFactorAuthAge", "number", NUMBERS),
    Key("s3:signatureAge", "number", NUMBERS),
    Key("aws:PrincipalArn", "arn", ARNS),
    Key("aws:PrincipalArn", "arn", ARNS),
    Key("aws:PrincipalAccount", "string", (OWNER, "444455556666", "111122223334")),
    Key("aws:PrincipalOrgID", "string", ("o-a1b2c3", "o-zz", "O-A1B2C3")),
    Key("aws:PrincipalOrgPaths", "string", ORG_PATHS, many=True),
    Key("aws:PrincipalTag/team", "string", STRINGS),
    Key("aws:PrincipalTag/Team-2", "string", STRINGS),
    Key("aws:username", "string", NAMES),
    Key("aws:PrincipalType", "string", ("User", "AssumedRole", "FederatedUser", "Account", "user")),
    Key("aws:PrincipalIsAWSService", "bool", BOOLS),
    Key("aws:PrincipalServiceName", "string", SERVICES),
    Key("aws:userid", "string", (OWNER, f"{OWNER}:dev", "AIDAEXAMPLEEXAMPLE123", "AROAEXAMPLEEXAMPLE123:dev")),
    Key("aws:SourceIp", "ip", IPV4 + IPV6),
    Key("aws:SourceIp", "ip", IPV4),
    Key("aws:VpcSourceIp", "ip", IPV4 + IPV6),
    Key("aws:CurrentTime", "date", DATES),
    Key("aws:EpochTime", "date", EPOCHS),
    Key("aws:TokenIssueTime", "date", DATES),
    Key("aws:SecureTransport", "bool", BOOLS),
    Key("aws:RequestTag/team", "string", STRINGS),
    Key("aws:TagKeys", "string", ("team", "Team", "cost", "a*c", "abc"), many=True),
    Key("aws:TagKeys", "string", ("team", "Team", "cost", "a*c", "abc"), many=True),
    Key("aws:SourceArn", "arn", ARNS),
    Key("aws:SourceAccount", "string", (OWNER, "444455556666")),
    Key("sts:RoleSessionName", "string", NAMES),
    Key("sts:SourceIdentity", "string", NAMES),
    Key("sts:TransitiveTagKeys", "string", ("team", "cost"), many=True),
    Key("token.actions.githubusercontent.com:sub", "string", ("repo:o/r:ref:refs/heads/main", "repo:o/r:x", "*")),
    Key("key:Blob", "binary", BLOBS),
)
KEY = {key.name.lower(): key for key in reversed(KEYS)}
# Other operators that people use with a key of this type; these test the engines' edge cases.
ALSO = {"arn": "string", "bool": "string", "number": "string", "ip": "string", "date": "number", "string": "arn"}
TYPE_OF = {operator: kind for kind, operators in FAMILIES.items() for operator in operators}


READABLE: dict[str, tuple[Callable[[str], bool], tuple[str, ...]]] = {
    "number": (is_number, NUMBERS),
    "date": (is_date, DATES),
    "bool": (is_bool, BOOLS),
    "ip": (is_network, IPV4),
    "binary": (lambda text: text in BLOBS, BLOBS),
}
"""For the families whose values must be readable when a policy is saved: which texts are valid, and valid samples."""
