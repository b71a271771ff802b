"""Find or check the MFA device that codes come from."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from valetkey.account.calls import Call, CallError, Perform, everything
from valetkey.catalog import limits
from valetkey.credentials.profiles.acceptance import NotAccepted
from valetkey.credentials.profiles.identity import Identity


def check_serial(serial: str) -> str:
    """Return the serial if AWS accepts codes from this device. Raises NotAccepted, LimitError."""
    limits.check("mfa serial", serial)
    if _is_fido(serial):
        raise NotAccepted(
            "that MFA device is a FIDO key or passkey, which AWS accepts for the console only",
            do="add an authenticator app (TOTP) to your user as a second device",
            where=serial,
        )
    return serial


def find_mfa(perform: Perform, identity: Identity, *, choose: Callable[[Sequence[str]], str | None]) -> str:
    """Return the serial of the caller's MFA device that generates codes.

    `choose(serials)` selects one of several. It gets an empty sequence if listing devices is not allowed. It returns
    None if no person can be asked. Raises NotAccepted, CallError.
    """
    try:
        call = Call("iam", "list_mfa_devices", {"UserName": identity.name})
        serials = [item["SerialNumber"] for item in everything(perform, call, "MFADevices")]
    except CallError as error:
        if error.code not in ("AccessDenied", "AccessDeniedException"):
            raise
        chosen = choose(())
        if chosen is None:
            raise NotAccepted(
                "your own account does not permit you to list your MFA devices (iam:ListMFADevices)",
                do=(
                    "name yours with --mfa-serial; for an authenticator app it is usually "
                    f"arn:{identity.partition}:iam::{identity.account}:mfa/{identity.name}"
                ),
            ) from None
        return check_serial(chosen)
    usable = [serial for serial in serials if not _is_fido(serial)]
    if not usable:
        what = "only a FIDO key or passkey, which AWS accepts for the console only" if serials else "no MFA device"
        raise NotAccepted(
            f"the role requires MFA, and your user {identity.name} has {what}",
            do="add an authenticator app (TOTP) to your user, then accept again",
        )
    if len(usable) == 1:
        return check_serial(usable[0])
    chosen = choose(usable)
    if chosen is None:
        raise NotAccepted(
            f"your user {identity.name} has several MFA devices: {', '.join(usable)}", do="name one with --mfa-serial"
        )
    return check_serial(chosen)


def _is_fido(serial: str) -> bool:
    """Return whether this is a FIDO security key or passkey: AWS's API accepts none
    (id_credentials_mfa_configure-api-require)."""
    return ":u2f/" in serial
