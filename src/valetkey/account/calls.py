"""A call to an AWS account's API as data, and how AWS may refuse it.

Rooms plan calls and receive plain dicts; only `valetkey.aws` turns them into requests. Tests pass any function of
the same shape.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from valetkey.policy.problem import Problem


@dataclass(frozen=True)
class Call:
    """One AWS API call: `service` ("iam"), `operation` (boto3's name: "create_role") and its parameters."""

    service: str
    operation: str
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def action(self) -> str:
        """The call in AWS's own spelling: "iam:CreateRole"."""
        return f"{self.service}:{''.join(word.capitalize() for word in self.operation.split('_'))}"


class Perform(Protocol):
    """Performs one call and returns its response without ResponseMetadata. Raises CallError."""

    def __call__(self, call: Call, /) -> dict[str, Any]: ...


class CallError(Problem):
    """AWS refused a call, or could not be reached.

    `code` is AWS's error code ("AccessDenied", "NoSuchEntity"), or one of ours where the call never got an answer:
    "NoCredentials", "NoSuchProfile", "Unreachable", "TimedOut", "Garbled", "InvalidParameter". `message` is AWS's
    own text.
    """

    exit_code = 3

    def __init__(self, call: Call, code: str, message: str, *, do: str = "") -> None:
        super().__init__(f"{call.action} failed: {code}: {message}", do=do, where=call.action)
        self.call = call
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return self.what


def everything(perform: Perform, call: Call, key: str) -> Iterator[Any]:
    """Yield every item of a paged IAM list call, following Marker while IsTruncated.

    IAM may answer a short or empty page and still be truncated (API reference, GetAccountAuthorizationDetails).
    """
    params = dict(call.params)
    while True:
        page = perform(Call(call.service, call.operation, params))
        yield from page.get(key, ())
        if not page.get("IsTruncated"):
            return
        params["Marker"] = page["Marker"]
