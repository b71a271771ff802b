"""An AWS API call as data, and the error for a failed one.

Rooms plan calls and receive plain dicts; only `valetkey.aws` turns them into requests. Tests pass a function with
the same signature.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from valetkey.account.denial import Denial, read_denial, split_authorization
from valetkey.errors import ValetkeyError

REFUSED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
"""AWS error codes for a call that policies deny."""


@dataclass(frozen=True)
class Call:
    """One AWS API call: `service` ("iam"), `operation` (boto3's name, "create_role") and its parameters."""

    service: str
    operation: str
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def action(self) -> str:
        """The call as AWS spells it: "iam:CreateRole", "iam:ListSAMLProviders"."""
        words = self.operation.split("_")
        return f"{self.service}:{''.join(_WORDS.get(word, word.capitalize()) for word in words)}"


_WORDS = {"id": "ID", "mfa": "MFA", "saml": "SAML"}
"""How AWS writes these words in the names of its operations."""


class AccessKeys(Protocol):
    """Credentials for a call."""

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

    `code` is AWS's error code ("AccessDenied", "NoSuchEntity"), or a valetkey code for a call without a response:
    "NoCredentials", "NoSuchProfile", "Unreachable", "TimedOut", "Garbled", "InvalidParameter". `message` is AWS's
    text; `denial` is the policy that it names.

    INVARIANT: only `details` contains the authorization id of a refusal and its link; `cli` shows it to the person
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

    IAM may return a short or empty page that is still truncated (API reference, GetAccountAuthorizationDetails).
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


# Throttling codes of STS, IAM and the network in front of them (botocore, data/_retry.json).
_BUSY = frozenset({"Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequestsException", "SlowDown"})
_PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Seconds between retries; a call that is still throttled after the last one fails."""


def patient(perform: Perform, *, wait: Callable[[float], None]) -> Perform:
    """Return `perform` with retries for up to a minute while AWS throttles; `wait` receives seconds.

    boto3 has already retried for a few seconds; reading a large account needs longer.
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
