"""The AWS call that is being answered, with its parameters, for rules that get none from the emulator.

Replaces: `ministack.app._dispatch_service_request`, which is still called, unchanged.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import parse_qs

Answer = tuple[int, dict[str, str], Any]


class Reason(NamedTuple):
    """Which kind of policy refused, in AWS's terms, and whether by an explicit Deny."""

    policy: str
    is_explicit: bool


@dataclass
class AwsCall:
    """One request to IAM, STS or another service, as received."""

    service: str
    action: str
    """The operation's name ("AssumeRole"), or "" if the emulator knows none."""
    params: dict[str, str]
    """Query, form and JSON parameters; nested ones only in the spelling of the Query protocol."""
    region: str
    user_agent: str
    request_id: str
    access_key_id: str
    mfa_age: float | None = None
    """Seconds since the caller gave an MFA code, if this call itself carried a valid one."""
    reason: Reason | None = None
    """Why the caller's own policies last refused the call, if they did."""

    def get(self, name: str) -> str | None:
        """A parameter, or None if it was not sent."""
        return self.params.get(name)

    def numbered(self, name: str, leaf: str = "") -> list[str]:
        """The members of a list parameter in order: `Tags.member.1.Key`, `Tags.member.2.Key`, ..."""
        result: list[str] = []
        while (value := self.params.get(f"{name}.member.{len(result) + 1}{leaf}")) is not None:
            result.append(value)
        return result


current: ContextVar[AwsCall | None] = ContextVar("valetkey_aws_call", default=None)

Finish = Callable[[AwsCall, Answer], None]


def install(finish: Finish) -> None:
    """Provide the current call, and pass it with its answer to `finish`."""
    from ministack import app

    dispatch: Callable[..., Awaitable[Answer]] = app._dispatch_service_request

    async def observed(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]], request_id: str
    ) -> Answer:
        call = _read(method, path, headers, body, query, request_id)
        token = current.set(call)
        try:
            answer = await dispatch(method, path, headers, body, query, request_id)
            finish(call, answer)
            return answer
        finally:
            current.reset(token)

    app._dispatch_service_request = observed


def _read(
    method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]], request_id: str
) -> AwsCall:
    from ministack.core.iam_actions import extract_iam_action
    from ministack.core.router import detect_service, extract_access_key_id, extract_region

    form = headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    sent = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True) if form and body else {}
    given = {**sent, **query}
    service = detect_service(method, path, headers, given)
    params = {name: values[0] if isinstance(values, list) else values for name, values in given.items()}
    if not form and body[:1] == b"{":
        params.update(_json(body))
    action = extract_iam_action(service, method, path, headers, body, given) or ""
    return AwsCall(
        service=service,
        action=action.partition(":")[2],
        params=params,
        region=extract_region(headers, query),
        user_agent=headers.get("user-agent", ""),
        request_id=request_id,
        access_key_id=extract_access_key_id(headers, query) or "",
    )


def _json(body: bytes) -> dict[str, str]:
    try:
        plain = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in plain.items()}
