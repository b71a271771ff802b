"""Create, store and find the contractor's access requests.

Rules:
- One ExternalId per customer, generated here and never chosen by the customer (IAM User Guide,
  id_roles_common-scenarios_third-party). A new request to the same customer keeps it, so running twice is harmless. A
  request without a customer always gets a new one.
- Every request is stored (`$XDG_CONFIG_HOME/valetkey/requests/FINGERPRINT.json`, mode 0600): `accept` compares a
  handoff with it. The newest request to a customer counts.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from valetkey import files
from valetkey.credentials.profiles.identity import Identity, refuse_root
from valetkey.errors import ValetkeyError
from valetkey.exchange import sealing
from valetkey.exchange.files import AccessRequest, FileError, check, dump, fingerprint, load
from valetkey.exchange.syntax import CUSTOMER_MAX, FieldError, customer_name


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What the contractor asks for; the owner decides."""

    policies: tuple[str, ...] = ()
    until: datetime | None = None
    session: int | None = None
    """Seconds."""
    reason: str = ""
    public_key: str | None = None
    """The contractor's key, to encrypt the handoff to."""


def fresh_external_id() -> str:
    """Return a new ExternalId: `vk-` and 160 random bits in base32 (35 characters; AWS accepts 2 to 1224)."""
    return "vk-" + base64.b32encode(secrets.token_bytes(20)).decode("ascii").lower()


def make_request(
    customer: str,
    wishes: Wishes,
    *,
    identity: Identity,
    known: tuple[AccessRequest, ...],
    now: datetime,
    new: bool = False,
    fresh: Callable[[], str] = fresh_external_id,
) -> AccessRequest:
    """Return the request to send: the previous request if nothing differs; the same ExternalId if other fields differ.

    `new` generates a new ExternalId. Raises ValetkeyError for root, and for a field that the customer's side would
    refuse.
    """
    if customer:
        check_customer(customer)
    refuse_root(identity)
    before = None if new else latest(customer, known)
    request = AccessRequest(
        account=identity.account,
        partition=identity.partition,
        external_id=before.external_id if before else fresh(),
        identity=identity.kind,
        identity_arn=identity.principal,
        issued=now.replace(microsecond=0),
        user_id=identity.user_id,
        customer=customer,
        policies=wishes.policies,
        until=wishes.until,
        session=wishes.session,
        reason=wishes.reason,
        public_key=wishes.public_key,
    )
    if new and (last := latest(customer, known)) is not None and last.issued >= request.issued:
        # Two requests in the same second would not show which is newer, and so which ExternalId counts.
        request = dataclasses.replace(request, issued=last.issued + timedelta(seconds=1))
    _check(request)
    # A request from before requests contained the user's id counts as the same: it need not be sent again.
    user_id = request.user_id if before is None or before.user_id else None
    is_same = before is not None and dataclasses.replace(request, issued=before.issued, user_id=user_id) == before
    return before if before is not None and is_same else request


_MEND = {
    "session": "request 15m to 12h",
    "policies": "name a policy by its name or its ARN",
    "reason": "write the reason in one line",
}


def _check(request: AccessRequest) -> None:
    """INVARIANT: no request is made that `load` refuses on the customer's side."""
    try:
        check(request)
    except FieldError as error:
        field = error.field.removeprefix("$.").partition("[")[0]
        do = _MEND.get(field, "correct it; AWS or the customer's side would refuse it")
        raise ValetkeyError(f"such a request cannot be made: {error}", do=do) from None


def latest(customer: str, known: tuple[AccessRequest, ...]) -> AccessRequest | None:
    """Return the newest request to a customer, or None. Names are compared without case; an empty name matches none."""
    own = [request for request in known if customer and request.customer.casefold() == customer.casefold()]
    return max(own, key=lambda request: (request.issued, fingerprint(request)), default=None)


def check_customer(customer: str) -> None:
    """Raise ValetkeyError if a customer's name is empty, too long, or not printable."""
    try:
        customer_name("customer", customer)
    except FieldError:
        raise ValetkeyError(
            f"{json.dumps(customer[:CUSTOMER_MAX])} cannot be a customer's name",
            do=f"use 1 to {CUSTOMER_MAX} printable characters, without spaces at the ends",
        ) from None


def keep(request: AccessRequest, env: Mapping[str, str]) -> Path:
    """Store a copy (mode 0600) and return its path. Raises ValetkeyError."""
    path = _directory(env) / f"{fingerprint(request)}.json"
    files.make_dir(files.config_dir(env))
    files.write(path, dump(request).encode())
    return path


def known_requests(env: Mapping[str, str]) -> tuple[AccessRequest, ...]:
    """Return every stored request. Raises FileError for a copy that cannot be read: ignoring a request could allow a
    different ExternalId."""
    requests = []
    for path in sorted(_directory(env).glob("*.json")):
        data = files.read(path)
        if data is None:
            raise FileError(
                f"{path} is not a file that only you can read", do="check its owner and mode (0600)", where=str(path)
            )
        try:
            requests.append(load(data, AccessRequest, name=str(path)).value)
        except FileError as problem:
            problem.do = "make the request again with `valetkey request`, and remove this copy"
            raise
    return tuple(requests)


def default_file(customer: str, ending: str = ".json") -> str:
    """Return the default file name: `valetkey-request-CUSTOMER.json`, with `-` for characters that are unsafe in file
    names."""
    word = "".join(char if char.isascii() and (char.isalnum() or char in "._") else "-" for char in customer)
    return "-".join(["valetkey-request", *filter(None, [word.strip("-.")])]) + ending


def write_file(request: AccessRequest, path: Path, *, replace: bool, encrypt_to: str | None = None) -> None:
    """Write the file to send, encrypted if a public key is given. An existing file with different content (an encrypted
    file always differs) is replaced only with `replace`. Raises ValetkeyError."""
    text = dump(request).encode()
    write_text(text if encrypt_to is None else sealing.seal(text, encrypt_to), path, replace=replace)


def write_text(text: bytes, path: Path, *, replace: bool) -> None:
    """Write a file to send. An existing file with different content is replaced only with `replace`. Raises
    ValetkeyError."""
    if path.exists() and not path.is_file():
        raise ValetkeyError(f"{path} is not a file", do="name another one with -o", where=str(path))
    try:
        there = path.read_bytes() if path.exists() else None
    except OSError as error:
        raise ValetkeyError(
            f"{path} cannot be read: {error.strerror}", do="name another file with -o", where=str(path)
        ) from None
    if there == text:
        return
    if there is not None and not replace:
        raise ValetkeyError(
            f"{path} exists and is not this request",
            do="name another file with -o, or say --yes to replace it",
            where=str(path),
        )
    files.replace(path, text)


def _directory(env: Mapping[str, str]) -> Path:
    return files.config_dir(env) / "requests"
