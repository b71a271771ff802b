"""A client of a running sandbox's control endpoints. Standard library only."""

from __future__ import annotations

import http.client
import json
import time
from typing import Any
from urllib.parse import quote, urlsplit

from valetkey.sandbox.process import SandboxProblem


class Control:
    """The control endpoints of the sandbox at `url` ("http://127.0.0.1:4566"). Every method raises SandboxProblem."""

    def __init__(self, url: str, timeout: float = 10.0) -> None:
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            raise SandboxProblem(f"{url!r} is not the address of a sandbox", do="it looks like http://127.0.0.1:4566")
        self._host, self._port, self._timeout = parts.hostname, parts.port or 80, timeout

    def pid(self) -> int | None:
        """The process id of the sandbox that answers there, None when none does."""
        try:
            return int(self._ask("GET", "health")["pid"])
        except (SandboxProblem, KeyError, TypeError, ValueError):
            return None

    def shift(self, account: str, seconds: float) -> float:
        """Move one account's clock on by `seconds` (back if negative); its time afterwards, seconds since 1970."""
        return float(self._ask("POST", "clock", {"account": account, "seconds": seconds})["now"])

    def now(self, account: str) -> float:
        """One account's time, seconds since 1970."""
        return self.shift(account, 0)

    def totp(self, device: str) -> tuple[str, int]:
        """A current code of an MFA device (serial number or user ARN) that has not been used, and its seconds left.

        When the current code has been used, the account's clock moves on to the next one.
        """
        answer = self._ask("POST", "totp", {"device": device})
        return answer["code"], int(answer["seconds_left"])

    def fault(self, rule: dict[str, Any] | None = None, **more: Any) -> None:
        """Put a fault rule in force: `fault(kind="throttle", service="iam", operation="CreateRole", account=...)`.
        See `valetkey.sandbox.faults.Fault` for its fields."""
        self._ask("POST", "faults", {**(rule or {}), **more})

    def clear(self, account: str | None = None) -> None:
        """Remove the fault rules (of one account), and let every held request go."""
        self._ask("POST", "clear", {} if account is None else {"account": account})

    def requests(self, account: str | None = None) -> list[dict[str, Any]]:
        """The request log, oldest first: number, time, account, call, status, code, fault."""
        found: list[dict[str, Any]] = self._ask(
            "GET", f"requests{'' if account is None else f'?account={quote(account)}'}"
        )["requests"]
        return found

    def held(self, account: str, timeout: float = 20.0) -> dict[str, Any]:
        """Wait until a "hang" fault holds a call of this account that has been performed; its log entry."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            for seen in self.requests(account):
                if seen["fault"] == "hang" and seen["status"] is not None:
                    return seen
            time.sleep(0.02)
        raise SandboxProblem(f"no call of account {account} was held within {timeout:.0f} s")

    def reset(self) -> None:
        """Empty every account of the sandbox."""
        self._ask("POST", "reset", {})

    def _ask(self, method: str, name: str, plain: dict[str, Any] | None = None) -> dict[str, Any]:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)
        try:
            headers = {} if plain is None else {"Content-Type": "application/json"}
            connection.request(method, f"/_sandbox/{name}", None if plain is None else json.dumps(plain), headers)
            response = connection.getresponse()
            answer: dict[str, Any] = json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise SandboxProblem(
                f"no sandbox answers at {self._host}:{self._port}: {error}",
                do="start one with `valetkey sandbox start`",
                exit_code=3,
            ) from None
        finally:
            connection.close()
        if response.status != 200:
            raise SandboxProblem(f"the sandbox refused {name}: {answer.get('error', response.status)}")
        return answer
