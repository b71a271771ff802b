"""A STS that keeps AWS's rules (codes once, sessions expire, role chaining lasts an hour), a person and a clock."""

from __future__ import annotations

import contextlib
import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

from valetkey.account.calls import AccessKeys, Call, CallError
from valetkey.credentials.profiles.profile import Profile
from valetkey.credentials.sessions import broker
from valetkey.credentials.sessions.cache import Session
from valetkey.credentials.sessions.machine import Machine
from valetkey.credentials.sessions.tools import Tools
from valetkey.credentials.sessions.vault import Vault

OURS, OWNER = "123456789012", "210987654321"
DEVICE = f"arn:aws:iam::{OURS}:mfa/ann"
START = datetime(2026, 5, 1, 12, tzinfo=UTC)


@dataclasses.dataclass(frozen=True)
class Base:
    access_key_id: str = "AKIAANN"
    secret_access_key: str = "secret-of-ann"
    session_token: str | None = None
    realm: str = "https://sts.*.amazonaws.com"


class World:
    """STS, the person and the clock."""

    def __init__(self) -> None:
        self.now = START
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.asked: list[str] = []
        self.codes = iter(f"{n:06d}" for n in range(1000))
        self.used: set[str] = set()
        self.sent: list[str] = []
        self.sessions: dict[str, datetime] = {}
        self.dead: set[str] = set()
        self.fail: dict[str, list[CallError]] = {}
        self.answer_arn: str | None = None
        self.sees_names = True
        """Whether a trust sees the user's name in an MFA session (fact U1); False: the role refuses those."""
        self.caller = f"arn:aws:iam::{OURS}:user/ann"

    def clock(self) -> datetime:
        return self.now

    def ask(self, device: str, /, *, seconds: float, again: str = "") -> str:
        assert 0 < seconds < 50
        self.asked.append(again or device)
        return next(self.codes)

    def connect(self, keys: AccessKeys) -> Any:
        def perform(call: Call, /) -> dict[str, Any]:
            self.calls.append((call.operation, dict(call.params)))
            if self.fail.get(call.operation):
                raise self.fail[call.operation].pop(0)
            return getattr(self, call.operation)(call, keys)  # type: ignore[no-any-return]

        return perform

    def get_session_token(self, call: Call, keys: AccessKeys) -> dict[str, Any]:
        assert keys.session_token is None
        self._take_code(call, keys)
        return self._made("ASIAMFA", call.params["DurationSeconds"])

    def assume_role(self, call: Call, keys: AccessKeys) -> dict[str, Any]:
        if keys.access_key_id in self.dead or self.sessions.get(keys.access_key_id, self.now) < self.now:
            raise CallError(call, "ExpiredToken", "The security token included in the request is expired")
        assert keys.session_token is None or call.params.get("DurationSeconds", 3600) <= 3600
        self._take_code(call, keys)
        if keys.session_token is not None and not self.sees_names:
            raise CallError(call, "AccessDenied", "is not authorized to perform: sts:AssumeRole")
        role = call.params["RoleArn"]
        arn = f"arn:aws:sts::{role.split(':')[4]}:assumed-role/{role.rsplit('/')[-1]}/{call.params['RoleSessionName']}"
        return {
            **self._made("ASIAROLE", call.params.get("DurationSeconds", 3600)),
            "AssumedRoleUser": {"Arn": self.answer_arn or arn},
        }

    def _take_code(self, call: Call, keys: AccessKeys) -> None:
        code = call.params.get("TokenCode")
        if code is None:
            return
        assert keys.session_token is None
        self.sent.append(code)
        if code in self.used:
            raise CallError(
                call,
                "AccessDenied",
                "MultiFactorAuthentication failed with invalid MFA one time pass code. ",
            )
        self.used.add(code)

    def get_caller_identity(self, call: Call, keys: AccessKeys) -> dict[str, Any]:
        return {"Arn": self.caller}

    def _made(self, prefix: str, seconds: int) -> dict[str, Any]:
        name = f"{prefix}{len(self.sessions)}"
        self.sessions[name] = self.now + timedelta(seconds=seconds)
        return {
            "Credentials": {
                "AccessKeyId": name,
                "SecretAccessKey": f"hush-{name}",
                "SessionToken": f"token-{name}",
                "Expiration": self.sessions[name],
            }
        }

    def count(self, operation: str) -> int:
        return sum(1 for name, _ in self.calls if name == operation)


def parsed(text: Any) -> Any:
    """A text as it is read from a file or an answer: equal to ours, and another object."""
    return "".join([*text]) if isinstance(text, str) else text


def profile(**changes: Any) -> Profile:
    given: dict[str, Any] = {
        "name": "acme",
        "role_arn": f"arn:aws:iam::{OWNER}:role/team/Audit",
        "external_id": "vk-0123456789",
        "contractor": OURS,
        "mfa": True,
        "mfa_serial": DEVICE,
        "max_session": 43200,
        "user_name": "ann",
        **changes,
    }
    return Profile(**{name: parsed(value) for name, value in given.items()})


def refusal(operation: str, code: str, message: str = "") -> CallError:
    return CallError(Call("sts", parsed(operation)), parsed(code), message)


def _tools(given: dict[str, Any]) -> Tools:
    """The tools among these arguments, which are taken out. Without `keep` the MFA session is in the cache too."""
    names = {item.name for item in dataclasses.fields(Tools)} & given.keys()
    result = {name: given.pop(name) for name in names}
    return Tools(**{"keep": result.get("cache"), **result})


def role_session(wanted: Profile, **given: Any) -> Session:
    """broker.role_session of these tools and terms."""
    tools = _tools(given)
    return broker.role_session(broker.Entering(wanted, tools, **given))


def further_session(wanted: Profile, **given: Any) -> Session:
    """broker.further_session of these tools, of the role that it is entered from, and of these terms."""
    through = broker.Through(*(given.pop(item) for item in ("source_arn", "source_key", "source", "lost")))
    given = {"base": Base(), "ask": None, **given}
    tools = _tools(given)
    return broker.further_session(broker.Entering(wanted, tools, **given), through)


def mfa_session(**given: Any) -> Session:
    """tools.mfa_session of these tools and terms."""
    tools = _tools(given)
    return tools.mfa_session(given.pop("serial"), **given)


@dataclasses.dataclass(frozen=True)
class Signed:
    """A base identity, as `aws.sign_in` makes one."""

    connect: Any = dataclasses.field(repr=False)
    access_key_id: str = "AKIAANN"
    secret_access_key: str = "secret-of-ann"
    session_token: str | None = None
    source: str = "config-file"
    region: str = "us-east-1"
    endpoint: str = "https://sts.us-east-1.amazonaws.com"
    realm: str = "https://sts.*.amazonaws.com"


def computer(world: World, env: dict[str, str], **changes: Any) -> Machine:
    """A computer without a keyring whose only AWS is this world."""
    vault = Vault()
    vault._gone = "there is none"
    given: dict[str, Any] = {
        "env": env,
        "clock": world.clock,
        "sleep": lambda _: None,
        "sign_in": lambda *_, **__: Signed(world.connect),
        "calling": lambda *_, **__: (world.connect, Signed.realm),
        "terminal": lambda *_, **__: world.ask,
        "tell": lambda text: False,
        "vault": vault,
        "explained": lambda *_: contextlib.nullcontext(),
        **changes,
    }
    return Machine(**given)


class Calls:
    """A function that notes what it is called with, and answers always the same or raises it."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = []

    def __call__(self, *words: Any, **named: Any) -> Any:
        self.calls.append((words, named))
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer
