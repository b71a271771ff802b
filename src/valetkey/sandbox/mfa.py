"""Virtual MFA devices with real time-based codes.

AWS: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_enable_virtual.html and RFC 6238 (HMAC-SHA-1,
30 s steps, 6 digits): the seed is shown once, when the device is created; enabling takes two consecutive codes; a code
is valid in its own step and one step to either side (drift), and only once.

Replaces: ministack's MFA handlers, which keep a seed that is not base32 and do not check codes. Its placeholder for
QRCodePNG, which is not an image, stays.
"""

from __future__ import annotations

import base64
import hmac
import secrets
import struct
from typing import Any

from valetkey.errors import ValetkeyError
from valetkey.sandbox import clock
from valetkey.sandbox.handlers import Handler, Params, around, param, refuse

STEP = 30
WRONG_CODE = "MultiFactorAuthentication failed with invalid MFA one time pass code. "
WRONG_DEVICE = (
    "MultiFactorAuthentication failed, unable to validate MFA code.  "
    "Please verify your MFA serial number is valid and associated with this user."
)
HALF = "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code."
_DRIFT = 1

Device = dict[str, Any]


def code_of(seed: str, step: int) -> str:
    """Return the 6 digits that a device with this base32 seed shows in a 30 s step (RFC 6238, RFC 4226)."""
    digest = hmac.digest(base64.b32decode(seed), struct.pack(">Q", step), "sha1")
    at = digest[-1] & 15
    return f"{(int.from_bytes(digest[at : at + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06d}"


def refusal(account: str, user: str, serial: str, code: str) -> str | None:
    """Use up a code. Returns None if it is valid, else AWS's message. `user` is the name of an IAM user in
    `account`."""
    device = _device(account, serial)
    if device is None or not user or device["User"] != user:
        return WRONG_DEVICE
    step = _matching(device, account, code)
    if step is None:
        return WRONG_CODE
    device["LastStep"] = step
    return None


def current_code(name: str) -> tuple[str, int]:
    """Return an unused code of a device, and its remaining seconds.

    `name` is a serial number or the ARN of a user with one device. If the current code has been used, the account's
    clock moves to the next one. Raises ValetkeyError if there is no such device.
    """
    account, device = _named(name)
    used = device.get("LastStep", 0)
    if _step(account) <= used:
        clock.shift(account, (used + 1) * STEP - clock.now(account))
    return code_of(device["Base32StringSeed"], _step(account)), STEP - int(clock.now(account)) % STEP


def install() -> None:
    around("CreateVirtualMFADevice", _create)
    around("EnableMFADevice", _enable)
    around("ResyncMFADevice", _resync)
    around("ListMFADevices", _list)
    around("ListVirtualMFADevices", _list_virtual)


def _step(account: str) -> int:
    return int(clock.now(account)) // STEP


def _device(account: str, serial: str) -> Device | None:
    from ministack.services import iam

    result: Device | None = iam._mfa_devices.get_scoped(account, None, serial)
    return result


def _named(name: str) -> tuple[str, Device]:
    from ministack.services import iam

    parts = name.split(":", 5)
    if len(parts) == 6:
        user = parts[5].rpartition("/")[2] if parts[5].startswith("user/") else None
        for (account, serial), device in iam._mfa_devices.to_dict().items():
            if account == parts[4] and (serial == name or (user is not None and device["User"] == user)):
                return account, device
    raise ValetkeyError(f"the sandbox has no MFA device for {name}", do="Name the serial number or a user's ARN.")


def _matching(device: Device, account: str, code: str) -> int | None:
    """The step of an unused code, within the drift; None if the code is wrong or used."""
    now = _step(account)
    for step in range(now - _DRIFT, now + _DRIFT + 1):
        if step > device.get("LastStep", 0) and hmac.compare_digest(code_of(device["Base32StringSeed"], step), code):
            return step
    return None


def _create(handler: Handler, p: Params) -> Any:
    from ministack.services import iam

    status, headers, body = handler(p)
    if status != 200:
        return status, headers, body
    path = param(p, "Path") or "/"
    device = iam._mfa_devices[f"arn:aws:iam::{iam.get_account_id()}:mfa{path}{param(p, 'VirtualMFADeviceName')}"]
    seed = base64.b32encode(secrets.token_bytes(40)).decode()
    old, device["Base32StringSeed"] = device["Base32StringSeed"], seed
    return status, headers, body.replace(base64.b64encode(old.encode()), base64.b64encode(seed.encode()))


def _consecutive(p: Params) -> int | None:
    """The later step of two consecutive codes for an existing device, or None."""
    from ministack.services import iam

    account = iam.get_account_id()
    device = _device(account, param(p, "SerialNumber"))
    if device is None:
        return None
    later = _matching(device, account, param(p, "AuthenticationCode2"))
    if later is None or code_of(device["Base32StringSeed"], later - 1) != param(p, "AuthenticationCode1"):
        return None
    return later


def _enable(handler: Handler, p: Params) -> Any:
    from ministack.services import iam

    device = iam._mfa_devices.get(param(p, "SerialNumber"))
    later = _consecutive(p)
    if device is not None and device["User"] is None and param(p, "UserName") in iam._users and later is None:
        return refuse(403, "InvalidAuthenticationCode", "Authentication code for device is not valid.")
    answer = handler(p)
    if answer[0] == 200 and device is not None:
        device["LastStep"] = later
    return answer


def _resync(handler: Handler, p: Params) -> Any:
    from ministack.services import iam

    device = iam._mfa_devices.get(param(p, "SerialNumber"))
    later = _consecutive(p)
    if device is not None and device["User"] == param(p, "UserName"):
        if later is None:
            return refuse(403, "InvalidAuthenticationCode", "Authentication code for device is not valid.")
        device["LastStep"] = later
    return handler(p)


def _list(handler: Handler, p: Params) -> Any:
    from ministack.services import iam

    name = param(p, "UserName")
    if name and name not in iam._users:
        return refuse(404, "NoSuchEntity", f"The user with name {name} cannot be found.")
    return handler(p)


def _list_virtual(handler: Handler, p: Params) -> Any:
    return handler({"AssignmentStatus": ["Any"], **p})
