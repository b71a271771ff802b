"""The control endpoints under /_sandbox/, for tests and for `valetkey sandbox`. JSON in, JSON out.

    GET  health                           {ok, pid}
    POST clock     {account, seconds}     moves one account's clock (back if negative); returns its time
    POST totp      {device}               an unused current code of an MFA device (serial number or user ARN)
    POST faults    a rule                 adds a fault rule
    POST plant     {account, role, document}  sets a role's trust policy without IAM, which may refuse to save it
    POST variants  {account?, setting}    how AWS behaves towards one account, or all (variants.py)
    POST clear     {account?}             removes fault rules and releases held requests
    POST propagation  {account?, seconds?, seed?, delays?}  delays changes of roles (propagation.py)
    GET  requests?account=                the request log: service:operation per account, no parameters
    POST reset                            empties every account

POST takes `application/json` only: a web page cannot send that to another origin without a preflight request, which the
sandbox never grants.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from valetkey.errors import ValetkeyError
from valetkey.sandbox import clock, mfa, propagation, variants
from valetkey.sandbox.faults import read_fault

if TYPE_CHECKING:
    from valetkey.sandbox.front import Front

Plain = dict[str, Any]


def control(
    front: Front, method: str, name: str, query: Mapping[str, list[str]], headers: Mapping[str, str], body: bytes | None
) -> tuple[int, Any]:
    """Perform one control request. Returns HTTP status and JSON value."""
    route = _ROUTES.get(name)
    if route is None:
        return 404, {"error": f"no control endpoint {name!r}"}
    wanted, act = route
    if method != wanted:
        return 405, {"error": f"{name} takes {wanted}"}
    try:
        if wanted == "POST":
            if headers.get("content-type", "").split(";")[0].strip() != "application/json":
                return 415, {"error": "send application/json"}
            plain = json.loads(body or b"{}")
            if not isinstance(plain, dict):
                return 400, {"error": "send one JSON object"}
        else:
            plain = {key: values[-1] for key, values in query.items()}
        return 200, act(front, plain)
    except ValetkeyError as problem:
        return 400, {"error": str(problem)}
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        return 400, {"error": f"cannot read the request: {type(error).__name__}: {error}"}


def _health(_: Front, __: Plain) -> Plain:
    return {"ok": True, "pid": os.getpid()}


def _clock(_: Front, plain: Plain) -> Plain:
    account = str(plain["account"])
    clock.shift(account, float(plain.get("seconds", 0)))
    return {"account": account, "now": clock.now(account)}


def _totp(_: Front, plain: Plain) -> Plain:
    code, left = mfa.current_code(str(plain["device"]))
    return {"code": code, "seconds_left": left}


def _fault(front: Front, plain: Plain) -> Plain:
    front.faults.add(read_fault(plain))
    return {"ok": True}


def _plant(_: Front, plain: Plain) -> Plain:
    from ministack.services import iam

    role = iam._roles.get_scoped(str(plain["account"]), None, str(plain["role"]))
    if role is None:
        raise ValueError(f"account {plain['account']} has no role {plain['role']}")
    role["AssumeRolePolicyDocument"] = str(plain["document"])
    return {"ok": True}


def _vary(_: Front, plain: Plain) -> Plain:
    return {"variants": asdict(variants.vary(plain))}


def _propagation(_: Front, plain: Plain) -> Plain:
    propagation.switch(
        str(plain.get("account", propagation.EVERY)),
        seconds=float(plain.get("seconds", 0)),
        seed=int(plain.get("seed", 0)),
        delays=tuple((float(decided), float(read)) for decided, read in plain.get("delays", ())),
    )
    return {"ok": True}


def _clear(front: Front, plain: Plain) -> Plain:
    front.faults.clear(plain.get("account"))
    front.release()
    return {"ok": True}


def _requests(front: Front, plain: Plain) -> Plain:
    return {"requests": front.log.of(plain.get("account"))}


def _reset(front: Front, _: Plain) -> Plain:
    from ministack import app

    app._reset_all_state()
    clock.reset()
    variants.reset()
    propagation.reset()
    front.faults.clear()
    front.release()
    front.log.clear()
    front.federation.clear()
    return {"ok": True}


_ROUTES: dict[str, tuple[str, Callable[[Front, Plain], Plain]]] = {
    "health": ("GET", _health),
    "clock": ("POST", _clock),
    "totp": ("POST", _totp),
    "faults": ("POST", _fault),
    "plant": ("POST", _plant),
    "propagation": ("POST", _propagation),
    "clear": ("POST", _clear),
    "variants": ("POST", _vary),
    "requests": ("GET", _requests),
    "reset": ("POST", _reset),
}
