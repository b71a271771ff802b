"""A call to an AWS account's API as data, and how AWS may refuse it.

Rooms plan calls and receive plain dicts; only `valetkey.aws` turns them into requests. Tests pass any function of
the same shape.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from valetkey.account.denial import Denial, read_denial, split_authorization
from valetkey.errors import ValetkeyError

REFUSED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
"""AWS's codes for a call that its policies refuse."""


@dataclass(frozen=True)
class Call:
    """One AWS API call: `service` "iam", `operation` (boto3's name: "create_role") and its parameters."""

    service: str
    operation: str
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def action(self) -> str:
        """The call in AWS's own spelling: "iam:CreateRole", "iam:ListSAMLProviders"."""
        words = self.operation.split("_")
        return f"{self.service}:{''.join(_WORDS.get(word, word.capitalize()) for word in words)}"


_WORDS = {"id": "ID", "mfa": "MFA", "saml": "SAML"}
"""How AWS writes these words in the names of its operations."""


class Keys(Protocol):
    """Keys to call with."""

    @property
    def access_key_id(self) -> str: ...
    @property
    def secret_access_key(self) -> str: ...
    @property
    def session_token(self) -> str | None: ...


class Perform(Protocol):
    """Performs one call and returns its response without ResponseMetadata. Raises CallError."""

    def __call__(self, call: Call, /) -> dict[str, Any]: ...


class CallError(ValetkeyError):
    """AWS refused a call, or could not be reached.

    `code` is AWS's error code ("AccessDenied", "NoSuchEntity"), or one of ours where the call never got an answer:
    "NoCredentials", "NoSuchProfile", "Unreachable", "TimedOut", "Garbled", "InvalidParameter". `message` is AWS's
    own text, `denial` the policy that it names.

    INVARIANT: the authorization id of a refusal and its link are in `details` alone, which `cli` shows to the person
    who made the call. Every other text of an error may reach a receipt, a report or the other party.
    """

    exit_code = 3

    def __init__(self, call: Call, code: str, message: str, *, do: str = "", likely: str = "") -> None:
        message, authorization = split_authorization(message)
        super().__init__(f"{call.action} failed: {code}: {message}", do=do, where=call.action)
        self.call = call
        self.code = code
        self.message = message
        self.likely = likely
        self.denial: Denial | None = read_denial(message) if code in REFUSED else None
        self.details = authorization.details if authorization else ""

    def __str__(self) -> str:
        return self.what


def everything(perform: Perform, call: Call, key: str) -> Iterator[Any]:
    """Yield every item of a paged IAM list call. Raises CallError."""
    for page in pages(perform, call):
        yield from page.get(key, ())


def pages(perform: Perform, call: Call) -> Iterator[dict[str, Any]]:
    """Yield every page of a paged IAM call, following Marker while IsTruncated. Raises CallError.

    IAM may answer a short or empty page and still be truncated (API reference, GetAccountAuthorizationDetails).
    """
    params = dict(call.params)
    seen: set[str | None] = {None}
    while True:
        page = perform(Call(call.service, call.operation, params))
        yield page
        if not page.get("IsTruncated"):
            return
        marker = page.get("Marker")
        if marker in seen:
            raise CallError(
                call,
                "Garbled",
                "its pages do not end",
                do="check AWS_ENDPOINT_URL and the proxy: what answers is not AWS",
            )
        seen.add(marker)
        params["Marker"] = marker


# STS, IAM and the network in front of them (botocore, data/_retry.json).
_BUSY = frozenset({"Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequestsException", "SlowDown"})
_PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Seconds; a call that is still refused after them fails."""


def patient(perform: Perform, *, wait: Callable[[float], None]) -> Perform:
    """`perform`, asking again for up to a minute while AWS says that it is asked too much; `wait` gets seconds.

    boto3 has tried a few times within a few seconds before; reading a large account needs longer.
    """

    def asking(call: Call, /) -> dict[str, Any]:
        for pause in _PAUSES:
            try:
                return perform(call)
            except CallError as error:
                if error.code not in _BUSY:
                    raise
            wait(pause)
        return perform(call)

    return asking
