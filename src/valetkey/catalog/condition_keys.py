"""Condition keys: the form of their values, and whether a request always carries them.

Sources: IAM User Guide, reference_policies_condition-keys (global keys) and reference_policies_iam-condition-keys (IAM,
STS and identity provider keys); the shapes of the STS API model (externalIdType, roleSessionNameType, ...). A key that
is not listed here may have any text as value, and may be absent.
"""

from __future__ import annotations

import string
from dataclasses import dataclass
from typing import Literal

from valetkey.catalog import key_names
from valetkey.catalog.text_forms import Form, PathForm, Stage

Type = Literal["text", "arn", "bool", "number", "date", "address"]

_ALNUM = string.ascii_lowercase + string.ascii_uppercase + string.digits
_WORD = _ALNUM + "_"
NAME_CHARS = _WORD + "-+=,.@"
_PRINTABLE = _ALNUM + "-_." + "".join(c for c in string.printable if c not in _ALNUM + "-_." and c.isprintable())
_UPPER = string.ascii_uppercase + string.digits
_PATH = "".join(char for char in _PRINTABLE if char not in " /")

TEXT = Form((Stage(_PRINTABLE),), longest=16_384, likely=("something-else", "another"))
"""Any printable ASCII. Other characters matter only if a pattern contains them; those are added."""
ACCOUNT = Form((Stage(string.digits, 12, 12),), likely=("999988887777", "888877776666", "777766665555"))
SESSION_NAME = Form((Stage(NAME_CHARS, 2),), longest=64, likely=("session", "another-session"))
EXTERNAL_ID = Form((Stage(NAME_CHARS + ":/", 2),), longest=1224, likely=("another-id", "some-other-id"))
ORG_ID = Form(
    (Stage("o", 1, 1), Stage("-", 1, 1), Stage(string.ascii_lowercase + string.digits, 1, 32)),
    likely=("o-another123", "o-elsewhere9"),
)
USER_ID = Form(
    (*(Stage(char, 1, 1) for char in "AIDA"), Stage(_UPPER, 4)),
    longest=128,
    likely=("AIDAANOTHERUSER00001", "AIDAANOTHERUSER00002"),
)
SESSION_ID = Form(
    (*(Stage(char, 1, 1) for char in "AROA"), Stage(_UPPER, 4), Stage(":", 1, 1), Stage(NAME_CHARS, 2)),
    longest=193,
    likely=("AROAANOTHERROLE00001:session", "AROAANOTHERROLE00002:session"),
)
PATH = PathForm(
    (Stage(_PATH),), longest=576, likely=("somebody", "somebody-else", "team/somebody"), start=(1, 0), name=NAME_CHARS
)
"""Path and name of a user or role, after `user/` or `role/`."""
FEDERATED_NAME = Form((Stage(NAME_CHARS, 2),), longest=32, likely=("somebody", "somebody-else"))
SERVICE = Form(
    (Stage(string.ascii_lowercase + string.digits, 1, 1), Stage(string.ascii_lowercase + string.digits + "-.", 3)),
    longest=128,
    likely=("ec2.amazonaws.com", "lambda.amazonaws.com"),
)
ARN = Form(
    (
        *(Stage(char, 1, 1) for char in "arn:"),
        Stage(string.ascii_lowercase + "-", 3),
        Stage(":", 1, 1),
        Stage(string.ascii_lowercase + string.digits + "-", 2),
        Stage(":", 1, 1),
        Stage(string.ascii_lowercase + string.digits + "-", 0),
        Stage(":", 1, 1),
        Stage(string.digits + string.ascii_lowercase, 0, 12),  # arn:aws:iam::aws:policy/...
        Stage(":", 1, 1),
        Stage(_PRINTABLE, 1),
    ),
    likely=("arn:aws:sns:us-east-1:999988887777:another", "arn:aws:s3:::another-bucket"),
)


@dataclass(frozen=True, slots=True)
class ConditionKey:
    """The type and form of a condition key."""

    type: Type = "text"
    form: Form = TEXT
    many: bool | None = False
    """Whether a request may carry several values; None: not known."""
    always: bool = False
    """Whether every request carries it."""


_ANY = ConditionKey(many=None)
_ONE = ConditionKey()
_BOOL = ConditionKey("bool")
_KEYS: dict[str, ConditionKey] = {
    "aws:currenttime": ConditionKey("date", always=True),
    "aws:epochtime": ConditionKey("date", always=True),
    "aws:tokenissuetime": ConditionKey("date"),
    key_names.MFA_PRESENT_LOWER: _BOOL,
    "aws:multifactorauthage": ConditionKey("number"),
    "aws:securetransport": ConditionKey("bool", always=True),
    "aws:viaawsservice": ConditionKey("bool", always=True),
    "aws:principalisawsservice": ConditionKey("bool", always=True),
    "aws:sourceip": ConditionKey("address"),
    "aws:vpcsourceip": ConditionKey("address"),
    "aws:sourcearn": ConditionKey("arn", ARN),
    "aws:sourceaccount": ConditionKey(form=ACCOUNT),
    "aws:resourceaccount": ConditionKey(form=ACCOUNT),
    "aws:sourceorgid": ConditionKey(form=ORG_ID),
    "aws:principalorgid": ConditionKey(form=ORG_ID),
    "aws:resourceorgid": ConditionKey(form=ORG_ID),
    "aws:principalorgpaths": ConditionKey(many=True),
    "aws:sourceorgpaths": ConditionKey(many=True),
    "aws:resourceorgpaths": ConditionKey(many=True),
    "aws:tagkeys": ConditionKey(many=True),
    "aws:calledvia": ConditionKey(many=True),
    "aws:principalservicenameslist": ConditionKey(many=True),
    key_names.EXTERNAL_ID_LOWER: ConditionKey(form=EXTERNAL_ID),
    "sts:rolesessionname": ConditionKey(form=SESSION_NAME),
    "sts:sourceidentity": ConditionKey(form=SESSION_NAME),
    "aws:sourceidentity": ConditionKey(form=SESSION_NAME),
    "sts:transitivetagkeys": ConditionKey(many=True),
    "sts:durationseconds": ConditionKey("number"),
    "sts:requestcontextproviders": ConditionKey(many=True),
}
_MANY_TAILS = (":amr",)
_ONE_TAILS = (":sub",)
"""A token has one subject (OpenID Connect Core 1.0, 2; reference_policies_iam-condition-keys)."""


def key_of(name: str) -> ConditionKey:
    """Return the type and form of a key; `name` is lower-cased."""
    known = _KEYS.get(name)
    if known is not None:
        return known
    if name.endswith(_ONE_TAILS):
        return _ONE
    return ConditionKey(many=True) if name.endswith(_MANY_TAILS) else _ANY
