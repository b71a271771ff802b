"""Read a live account: GetAccountAuthorizationDetails merged with ListRoles, identity providers and quotas.

Rules:
- It makes only the read calls in `CALLS`. Every list is paged; throttled calls are retried (`calls.patient`).
- A denied call is noted in `Account.unknown`. Without GetAccountAuthorizationDetails, the trust policies come from
  ListRoles; without ListRoles, only what it adds is missing. If both are denied, reading fails.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from valetkey.account.calls import REFUSED, Call, CallError, Perform, pages, patient
from valetkey.account.details import Texts, add_page, as_page
from valetkey.account.parts import SourcePart, one_account
from valetkey.account.values import Account, UnknownPart

CALLS = (
    "sts:GetCallerIdentity",
    "iam:GetAccountSummary",
    "iam:GetAccountAuthorizationDetails",
    "iam:ListRoles",
    "iam:ListSAMLProviders",
    "iam:ListOpenIDConnectProviders",
)
"""Every call that `read_live` makes; GetCallerIdentity needs no permission."""

RoleProgress = Callable[[int, int | None], None]
"""Called after each page with the number of roles read so far, and the total where AWS reports it."""


def read_live(perform: Perform, *, wait: Callable[[float], None], progress: RoleProgress | None = None) -> Account:
    """Read the account that the credentials belong to. `wait` sleeps for some seconds. Raises CallError."""
    perform = patient(perform, wait=wait)
    caller = perform(Call("sts", "get_caller_identity"))
    account, partition = caller["Account"], caller["Arn"].split(":")[1]
    part = SourcePart(f"account {account}", dump=True, owners={(partition, account): "sts:GetCallerIdentity"})
    summary = _unless_refused(part, "quotas", lambda: perform(Call("iam", "get_account_summary"))["SummaryMap"])
    part.quotas = summary or {}
    report = progress or (lambda done, of: None)
    filters = ["Role", "User", "LocalManagedPolicy", "AWSManagedPolicy"]
    details = Call("iam", "get_account_authorization_details", {"Filter": filters, "MaxItems": 1000})
    refused = [
        _read(perform, call, part, what, lambda done: report(done, part.quotas.get("Roles")))
        for call, what in (
            (details, "policies, tags, boundaries and last use"),
            (Call("iam", "list_roles", {"MaxItems": 1000}), "descriptions and session limits"),
        )
    ]
    if all(refused):
        raise refused[0] or AssertionError
    part.providers = _unless_refused(part, "identity providers", lambda: _providers(perform))
    return one_account([part])


def _read(
    perform: Perform, call: Call, part: SourcePart, what: str, progress: Callable[[int], None]
) -> CallError | None:
    """Add every page to the part. If AWS denies the call, note it in the part and return the error."""
    texts: Texts = {}
    try:
        for page in pages(perform, call):
            add_page(part, as_page(page), texts, root="")
            progress(max(len(part.roles), len(part.listed)))
    except CallError as error:
        if error.code not in REFUSED:
            raise
        part.unknown.append(UnknownPart(what, error.message or error.code, call.action))
        return error
    return None


def _unless_refused(part: SourcePart, what: str, read: Callable[[], Any]) -> Any:
    try:
        return read()
    except CallError as error:
        if error.code not in REFUSED:
            raise
        part.unknown.append(UnknownPart(what, error.message or error.code, error.call.action))
        return None


def _providers(perform: Perform) -> tuple[str, ...]:
    saml = perform(Call("iam", "list_saml_providers"))["SAMLProviderList"]
    oidc = perform(Call("iam", "list_open_id_connect_providers"))["OpenIDConnectProviderList"]
    return tuple(item["Arn"] for item in (*saml, *oidc))
