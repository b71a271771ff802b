"""Client for the control endpoints of a running sandbox. Standard library only."""

from __future__ import annotations

import http.client
import json
import re
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from valetkey.sandbox.errors import SandboxError


class Control:
    """The control endpoints of the sandbox at `url` ("http://127.0.0.1:4566"). Every method raises SandboxError."""

    def __init__(self, url: str, timeout: float = 10.0) -> None:
        match = re.fullmatch(r"http://(127\.0\.0\.1|localhost):(\d{1,5})/?", url)
        if match is None:
            raise SandboxError(f"{url!r} is not the address of a sandbox", do="it looks like http://127.0.0.1:4566")
        self._host, self._port, self._timeout = match[1], int(match[2]), timeout

    def pid(self) -> int | None:
        """Return the process id of the sandbox at this address, or None if there is none."""
        try:
            (pid,) = self._ask("GET", "health")
            return int(pid)
        except (SandboxError, ValueError, TypeError):
            return None

    def shift(self, account: str, seconds: float) -> float:
        """Move one account's clock by `seconds` (back if negative). Returns its new time, in seconds since 1970."""
        (now,) = self._ask("POST", "clock", {"account": account, "seconds": seconds})
        return float(now)

    def now(self, account: str) -> float:
        """Return one account's time, in seconds since 1970."""
        return self.shift(account, 0)

    def totp(self, device: str) -> tuple[str, int]:
        """Return an unused current code of an MFA device (serial number or user ARN), and its remaining seconds.

        If the current code has been used, the account's clock moves to the next one.
        """
        code, left = self._ask("POST", "totp", {"device": device})
        return str(code), int(left)

    def fault(self, rule: dict[str, Any] | None = None, **more: Any) -> None:
        """Add a fault rule: `fault(kind="throttle", service="iam", operation="CreateRole", account=...)`. See
        `valetkey.sandbox.faults.Fault` for its fields."""
        self._ask("POST", "faults", {**(rule or {}), **more})

    def plant(self, account: str, role: str, document: str) -> None:
        """Set the trust policy (JSON text) of a role without IAM's checks: also one that IAM refuses to save."""
        self._ask("POST", "plant", {"account": account, "role": role, "document": document})

    def vary(self, account: str | None = None, **settings: Any) -> dict[str, Any]:
        """Set how AWS behaves towards an account, or all accounts: `vary(account, refusals="reasons")`. Returns the
        settings that are then in force. See `valetkey.sandbox.variants`."""
        result: dict[str, Any]
        about = {} if account is None else {"account": account}
        (result,) = self._ask("POST", "variants", {**about, **settings})
        return result

    def propagation(
        self,
        account: str | None = None,
        *,
        seconds: float = 0.0,
        seed: int = 0,
        delays: Sequence[tuple[float, float]] = (),
    ) -> None:
        """Delay each change of this account's roles (None: of every account's) by up to `seconds` of its clock, drawn
        with `seed`, separately where calls are decided and where IAM is read; in any order. `delays` are those of the
        next changes, each (decided, read). Without both, changes take effect at once again."""
        of = {} if account is None else {"account": account}
        self._ask("POST", "propagation", {**of, "seconds": seconds, "seed": seed, "delays": [list(d) for d in delays]})

    def clear(self, account: str | None = None) -> None:
        """Remove the fault rules (of one account), and release every held request."""
        self._ask("POST", "clear", {} if account is None else {"account": account})

    def requests(self, account: str | None = None) -> list[dict[str, Any]]:
        """Return the request log, oldest first: number, time, account, call, status, code, fault."""
        query = "" if account is None else f"?account={quote(account)}"
        result: list[dict[str, Any]]
        (result,) = self._ask("GET", f"requests{query}")
        return result

    def held(self, account: str, timeout: float = 20.0) -> dict[str, Any]:
        """Wait until a "hang" fault holds a call of this account that has been performed. Returns its log entry."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            for seen in self.requests(account):
                if seen["fault"] == "hang" and seen["status"] is not None:
                    return seen
            time.sleep(0.02)
        raise SandboxError(f"no call of account {account} was held within {timeout:.0f} s")

    def reset(self) -> None:
        """Empty every account of the sandbox."""
        self._ask("POST", "reset", {})

    def _ask(self, method: str, name: str, plain: dict[str, Any] | None = None) -> list[Any]:
        """Return the members of the response that _ANSWERS names."""
        connection = http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)
        endpoint = name.partition("?")[0]
        try:
            headers = {} if plain is None else {"Content-Type": "application/json"}
            connection.request(method, f"/_sandbox/{name}", None if plain is None else json.dumps(plain), headers)
            response = connection.getresponse()
            answer = json.loads(response.read())
            if response.status == 200:
                return [answer[key] for key in _ANSWERS[endpoint]]
            why = answer["error"]
        except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError) as error:
            raise SandboxError(
                f"no sandbox answers at {self._host}:{self._port}: {type(error).__name__}: {error}",
                do="start one with `valetkey sandbox start`",
                exit_code=3,
            ) from None
        finally:
            connection.close()
        raise SandboxError(f"the sandbox refused {endpoint}: {why}")


# Members that a response must have. Another server on the port does not have them.
_ANSWERS = {
    "health": ("pid",),
    "clock": ("now",),
    "totp": ("code", "seconds_left"),
    "faults": ("ok",),
    "plant": ("ok",),
    "propagation": ("ok",),
    "clear": ("ok",),
    "variants": ("variants",),
    "requests": ("requests",),
    "reset": ("ok",),
}
