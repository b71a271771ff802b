"""A live account: GetAccountAuthorizationDetails joined with ListRoles, and what else shows who may be admitted.

Rules:
- Only reads, and of these only `CALLS`. Every list is paged; throttling is waited out (`calls.patient`).
- What is refused is said in `Account.unknown`, and done without: without GetAccountAuthorizationDetails the trusts
  that ListRoles tells, without ListRoles the rest. Only when both are refused is there nothing to read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from valetkey.account.calls import REFUSED, Call, CallError, Perform, pages, patient
from valetkey.account.details import Texts, add_page, as_page
from valetkey.account.parts import Part, one_account
from valetkey.account.values import Account, Unknown

CALLS = (
    "sts:GetCallerIdentity",
    "iam:GetAccountSummary",
    "iam:GetAccountAuthorizationDetails",
    "iam:ListRoles",
    "iam:ListSAMLProviders",
    "iam:ListOpenIDConnectProviders",
)
"""Every call that reading makes; GetCallerIdentity needs no permission."""

Progress = Callable[[int, int | None], None]
"""Told after each page: roles read so far, and how many there are, where AWS says."""


def read_live(perform: Perform, *, wait: Callable[[float], None], progress: Progress | None = None) -> Account:
    """Read the account that the credentials belong to. `wait` sleeps so many seconds. Raises CallError."""
    perform = patient(perform, wait=wait)
    caller = perform(Call("sts", "get_caller_identity"))
    account, partition = caller["Account"], caller["Arn"].split(":")[1]
    part = Part(f"account {account}", dump=True, owners={(partition, account): "sts:GetCallerIdentity"})
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


def _read(perform: Perform, call: Call, part: Part, what: str, progress: Callable[[int], None]) -> CallError | None:
    """Add every page to the part; when AWS refuses the call, say so in the part and return the refusal."""
    texts: Texts = {}
    try:
        for page in pages(perform, call):
            add_page(part, as_page(page), texts, root="")
            progress(max(len(part.roles), len(part.listed)))
    except CallError as error:
        if error.code not in REFUSED:
            raise
        part.unknown.append(Unknown(what, error.message or error.code, call.action))
        return error
    return None


def _unless_refused(part: Part, what: str, read: Callable[[], Any]) -> Any:
    try:
        return read()
    except CallError as error:
        if error.code not in REFUSED:
            raise
        part.unknown.append(Unknown(what, error.message or error.code, error.call.action))
        return None


def _providers(perform: Perform) -> tuple[str, ...]:
    saml = perform(Call("iam", "list_saml_providers"))["SAMLProviderList"]
    oidc = perform(Call("iam", "list_open_id_connect_providers"))["OpenIDConnectProviderList"]
    return tuple(each["Arn"] for each in (*saml, *oidc))
