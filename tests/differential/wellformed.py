"""Whether a request can reach AWS: proofs cover only such requests. Written independently of the provers' rules."""

from __future__ import annotations

import re

from valetkey.catalog.condition_keys import key_of
from valetkey.policy import Request
from valetkey.policy.conditions import Condition

from .forms import is_bool

_ROLE_ACTIONS = frozenset(
    f"sts:{name}"
    for name in (
        "assumerole",
        "assumerolewithsaml",
        "assumerolewithwebidentity",
        "tagsession",
        "setsourceidentity",
        "setcontext",
    )
)
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,20})?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_NAMES = re.compile(r"[A-Za-z0-9_+=,.@-]{2,64}")
_ADDRESS = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3}){3}|[0-9a-f:]+")
_NOW = "2026-03-01T10:00:00Z", "1772359200"


def possible(words: dict[str, object], asked: list[Condition], *, own: bool = False) -> Request | None:
    """The request with the keys that every call has, or None if it cannot reach AWS. `asked` are the documents' tests.
    `own`: the documents belong to the caller, a user or role of the resource's account."""
    context = words["context"]
    assert isinstance(context, dict)
    families: dict[str, set[str]] = {}
    for condition in asked:
        families.setdefault(condition.key.lower(), set()).add(_family(condition.operator.name))
    keys = {name: value for name, value in context.items() if _well(name, value, families.get(name, set()))}
    _complete(keys)
    caller = str(words["principal"])
    action = str(words["action"]).lower()
    request = Request(**{**words, "context": keys})  # type: ignore[arg-type]
    if action in _ROLE_ACTIONS and not _can_call(request.caller.kind, caller, action):
        return None
    if request.caller.kind not in ("user", "session", "root", "federated user", "service", "provider", "anonymous"):
        return None
    if (
        request.caller.partition not in (None, "aws")
        or not request.resource.startswith(("*", "arn:aws:"))
        or not _fine_name(request.caller.kind, caller)
    ):
        return None
    if own and (request.caller.kind not in ("user", "session") or request.caller.account != words["resource_account"]):
        return None
    if request.caller.unsigned:
        keys.pop("aws:multifactorauthpresent", None)
        keys.pop("aws:multifactorauthage", None)
    if request.caller.kind == "provider" and action in _ROLE_ACTIONS:
        keys.pop("sts:externalid", None)
    if action == "sts:assumerole":
        keys.setdefault("sts:rolesessionname", "session")
    if request.caller.kind in ("user", "session"):
        # AWS gives every user and role a unique id.
        tail = f":{caller.rsplit('/', 1)[1]}" if request.caller.kind == "session" else ""
        start = "AROA" if tail else "AIDA"
        keys["aws:userid"] = f"{start}EXAMPLEEXAMPLE123{tail}"
    return Request(**{**words, "context": keys})  # type: ignore[arg-type]


def _complete(keys: dict[str, object]) -> None:
    """Add keys that every call has, and those that only occur together."""
    moment = _NOW
    if "aws:currenttime" in keys or "aws:epochtime" in keys:
        from valetkey.policy.operands import read_date

        micros = read_date(str(keys.get("aws:currenttime", keys.get("aws:epochtime"))))
        assert micros is not None
        from datetime import UTC, datetime

        seconds = micros // 1_000_000
        moment = f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}", str(seconds)
    keys["aws:currenttime"], keys["aws:epochtime"] = moment
    keys.setdefault("aws:securetransport", "true")
    keys.setdefault("aws:viaawsservice", "false")
    if keys.get("aws:multifactorauthpresent") != "true":
        keys.pop("aws:multifactorauthage", None)


def _family(operator: str) -> str:
    for start in ("Numeric", "Date", "Ip", "NotIp", "Binary", "Arn"):
        if operator.startswith(start):
            return start
    return "text"


def _well(name: str, value: object, families: set[str]) -> bool:
    key = key_of(name)
    values = value if isinstance(value, list) else [value]
    if len(values) > 1 and not key.many:
        return False
    return all(
        _fits(key.type, str(item), families) and (key.type != "text" or key.form.holds(str(item))) for item in values
    )


def _fits(type_: str, text: str, families: set[str]) -> bool:
    if type_ == "bool":
        return is_bool(text) and text == text.lower()
    if type_ == "number":
        return text.isdigit() and _NUMBER.fullmatch(text) is not None
    if type_ == "date" or "Date" in families:
        return _DATE.fullmatch(text) is not None or (type_ == "date" and text.isdigit() and len(text) == 10)
    if type_ == "address" or families & {"Ip", "NotIp"}:
        return _ADDRESS.fullmatch(text) is not None and _canonical(text)
    if "Numeric" in families:
        return _NUMBER.fullmatch(text) is not None
    if "Binary" in families:
        return text in ("QUJD", "QUJE", "YWJj", "")
    if type_ == "arn" or ("Arn" in families and text.startswith("arn:") and text.count(":") >= 5):
        from valetkey.catalog.condition_keys import ARN

        return ARN.holds(text)
    return True


def _canonical(text: str) -> bool:
    import ipaddress

    try:
        return str(ipaddress.ip_address(text)) == text
    except ValueError:
        return False


def _can_call(kind: str, caller: str, action: str) -> bool:
    if kind in ("root", "federated user", "anonymous"):
        return False
    if kind == "provider":
        saml = ":saml-provider/" in caller
        return action not in ("sts:assumerole", f"sts:assumerolewith{'webidentity' if saml else 'saml'}")
    return action not in ("sts:assumerolewithsaml", "sts:assumerolewithwebidentity")


def _fine_name(kind: str, caller: str) -> bool:
    if kind in ("session", "federated user"):
        return all(_NAMES.fullmatch(part) for part in caller.split("/")[1:])
    if kind == "user":
        return re.fullmatch(r"[^/]*/([!-~]*/)?[A-Za-z0-9_+=,.@-]{1,64}", caller) is not None
    return True
