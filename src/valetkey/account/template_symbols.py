"""Symbols for the values that are known only to the stack, with what the template says about them.

Source: CloudFormation User Guide, parameters-section-structure.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from valetkey.account import symbols
from valetkey.account.loaded import is_list
from valetkey.account.place import NOTHING, NoteAssumption, Place, Unresolved
from valetkey.account.values import Symbol
from valetkey.policy.arns import NOBODY
from valetkey.policy.policy_json import JsonNumber, JsonObject

_SUFFIX = {
    "aws-cn": "amazonaws.com.cn",
    "aws-eusc": "amazonaws.eu",
    "aws-iso": "c2s.ic.gov",
    "aws-iso-b": "sc2s.sgov.gov",
}
# Type: the property with its name, the kind in its ARN, and whether Ref gives the ARN (else the name).
NAMED: dict[str, tuple[str, str, bool]] = {
    "AWS::IAM::Role": ("RoleName", "role", False),
    "AWS::IAM::User": ("UserName", "user", False),
    "AWS::IAM::Group": ("GroupName", "group", False),
    "AWS::IAM::InstanceProfile": ("InstanceProfileName", "instance-profile", False),
    "AWS::IAM::ManagedPolicy": ("ManagedPolicyName", "policy", True),
    "AWS::IAM::SAMLProvider": ("Name", "saml-provider", True),
    "AWS::IAM::OIDCProvider": ("Url", "oidc-provider", True),
}


ACCOUNTLESS = re.compile(r"arn:(?:[^:]{1,20}|\$\{AWS::Partition\}):(?:iam|sts)::")
"""The part of a principal's ARN before the account."""


def in_mappings(mappings: dict[str, Any], keys: list[str], may_be: Callable[[str, str], bool]) -> list[Any]:
    """The texts and lists that Fn::FindInMap may return for these keys. `may_be` says whether an unknown key may equal
    a key of the mapping. Raises Unresolved where a value cannot be read."""
    result: list[Any] = [mappings]
    for key in keys:
        if any(isinstance(item, JsonObject) for item in result):
            raise Unresolved("a key of the mapping is given twice")
        inner = [item for item in result if isinstance(item, dict)]
        if symbols.has_mark(key):
            result = [value for item in inner for name, value in item.items() if may_be(key, name)]
        else:
            result = [item[key] for item in inner if key in item]
    result = [[plain(element) for element in item] if is_list(item) else plain(item) for item in result]
    if not all(isinstance(element, str) for item in result for element in (item if is_list(item) else [item])):
        raise Unresolved("Fn::FindInMap finds what is neither a text nor a list of texts")
    return result


def pseudo_parameter(name: str, place: Place, note: NoteAssumption) -> Any:
    """The value of a pseudo-parameter, from `place`; None where only the stack knows it."""
    match name:
        case "AWS::NoValue":
            return NOTHING
        case "AWS::AccountId":
            if place.account is None:
                note(f"{NOBODY} is used for the account, which the template does not name")
            return place.account or NOBODY
        case "AWS::Partition":
            return place.partition
        case "AWS::URLSuffix":
            return _SUFFIX.get(place.partition, "amazonaws.com")
        case "AWS::Region":
            note(f"the region is {place.region}")
            return place.region
        case "AWS::StackName":
            note("the stack's name is stack")
            return "stack"
    return None


def plain(value: Any) -> Any:
    """Convert a scalar to the text that CloudFormation compares: JSON's 5 and true are "5" and "true"."""
    if isinstance(value, JsonNumber):
        return value.text
    return str(value).lower() if isinstance(value, bool) else value


def is_masked(about: dict[str, Any], value: str) -> bool:
    """Whether the value is the mask that `describe-stacks` shows for a NoEcho parameter."""
    return str(plain(about.get("NoEcho"))).lower() == "true" and bool(value) and not value.strip("*")


def parameter_symbol(name: str, why: str, about: dict[str, Any], kind: str, is_many: bool) -> Symbol:
    """A symbol for a parameter without a value, with its constraints in the template."""

    def number(key: str) -> int | None:
        given = plain(about.get(key))
        return int(given) if isinstance(given, str) and re.fullmatch("[0-9]{1,6}", given) else None

    values = about.get("AllowedValues")
    known = [str(plain(value)) for value in values] if values is not None and is_list(values) else []
    pattern = about.get("AllowedPattern")
    # Values of numeric and AWS-specific EC2 types contain no wildcards.
    typed = kind in ("Number", "List<Number>") or kind.startswith(("AWS::EC2::", "List<AWS::EC2::"))
    return Symbol(
        name,
        why,
        tuple(known),
        pattern if isinstance(pattern, str) else r"[A-Za-z0-9.+-]+" if typed else "",
        number("MinLength") or 0,
        number("MaxLength"),
        several=is_many,
    )


# Types whose attributes may refer to something outside the account.
_FOREIGN = (
    "AWS::CloudFormation::",
    "AWS::Organizations::",
    "AWS::RAM::",
    "AWS::SSM::Parameter",
    "AWS::SecretsManager::",
    "AWS::ServiceCatalog::",
)


def attribute_symbol(name: str, kind: str, why: str) -> Symbol:
    """A symbol for a name, id or attribute of a resource of the template."""
    own = kind.startswith("AWS::") and not kind.startswith(_FOREIGN)
    service = ""
    if own and kind.count("::") == 2 and name.lower().endswith("arn"):
        service = kind.split("::")[1].lower()
        service = _SERVICES.get(service, service)
    pattern = r"[A-Za-z0-9_:/.=@,+-]+" if own else ""
    return Symbol(name, why, pattern=pattern, shortest=int(own), own=own, service=service)


_SERVICES = {"stepfunctions": "states", "elasticsearch": "es", "opensearchservice": "es", "kinesisfirehose": "firehose"}
"""Service names in ARNs, by CloudFormation's name where that differs."""


def import_symbol(name: Any) -> Symbol:
    text = name if isinstance(name, str) and not symbols.has_mark(name) else "another stack"
    return Symbol(
        f"the import of {text[:200]}", f"what {text[:200]} exports is known only to CloudFormation", shortest=1
    )
