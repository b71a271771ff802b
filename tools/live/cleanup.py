"""Everything under an IAM path is removed: roles in the owner's account, users in the contractor's.

Works from what IAM lists under the path, so that it also removes what a crashed run left; what a run knows it has made
is removed besides, since IAM may not list it yet (fact W2).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import botocore.exceptions
from tools.live.people import Time

ROOT = "/valetkey-live/"
"""The path of all runs."""
PREFIX = "valetkey-live-"
"""Names of what is made begin so; nothing else under the path is touched."""
LIMIT = 180.0
"""Seconds until the rest is reported instead of removed."""
_PAUSE = 3.0
_LATE = 30.0
"""Seconds after which what IAM does not list is taken not to be there."""


@dataclass
class Left:
    """What is still there, as texts for the person: "role NAME: why"."""

    things: dict[str, str] = field(default_factory=dict)


def remove(
    owner: Any, contractor: Any, path: str, *, time: Time, roles: Iterable[str] = (), users: Iterable[str] = ()
) -> Left:
    """Remove the roles of `owner` and the users of `contractor` (IAM clients) under `path`; `roles` and `users` are
    names that IAM may not list yet. Answers what is left. Raises nothing of botocore's."""
    if not path.startswith(ROOT) or not path.endswith("/"):
        raise ValueError(f"{path!r} is not a path under {ROOT}")
    started = time.now()
    known = {("role", name) for name in roles} | {("user", name) for name in users}
    while True:
        left = Left()
        listed: set[tuple[str, str]] = set()
        for kind, client, lists, key in (
            ("role", owner, "list_roles", "Roles"),
            ("user", contractor, "list_users", "Users"),
        ):
            try:
                pages = client.get_paginator(lists).paginate(PathPrefix=path)
                found = [each for page in pages for each in page[key]]
                names = [each[f"{kind.title()}Name"] for each in found]
                listed |= {(kind, name) for name in names if name.startswith(PREFIX)}
            except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
                left.things[f"{kind}s under {path}"] = _why(error)
        for kind, name in sorted(listed | known):
            try:
                _remove_role(owner, name) if kind == "role" else _remove_user(contractor, name)
                known.discard((kind, name))
                if (kind, name) in listed:
                    left.things[f"{kind} {name}"] = "IAM still lists it"
            except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
                # A policy that is limited to the path refuses calls about what is not there: it has no path.
                if (kind, name) in listed or time.now() - started < _LATE:
                    left.things[f"{kind} {name}"] = _why(error)
                else:
                    known.discard((kind, name))
        if not left.things or time.now() - started >= LIMIT:
            return left
        time.sleep(_PAUSE)


def _remove_role(iam: Any, name: str) -> None:
    with_role = {"RoleName": name}
    for policy in _there(lambda: iam.list_role_policies(**with_role)["PolicyNames"]):
        _gone(partial(iam.delete_role_policy, **with_role, PolicyName=policy))
    for policy in _there(lambda: iam.list_attached_role_policies(**with_role)["AttachedPolicies"]):
        _gone(partial(iam.detach_role_policy, **with_role, PolicyArn=policy["PolicyArn"]))
    _gone(lambda: iam.delete_role(**with_role))


def _remove_user(iam: Any, name: str) -> None:
    with_user = {"UserName": name}
    for key in _there(lambda: iam.list_access_keys(**with_user)["AccessKeyMetadata"]):
        _gone(partial(iam.delete_access_key, **with_user, AccessKeyId=key["AccessKeyId"]))
    for policy in _there(lambda: iam.list_user_policies(**with_user)["PolicyNames"]):
        _gone(partial(iam.delete_user_policy, **with_user, PolicyName=policy))
    _gone(lambda: iam.delete_user(**with_user))


def _there(ask: Callable[[], list[Any]]) -> list[Any]:
    """A list of something; empty where that is gone."""
    try:
        return ask()
    except botocore.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchEntity":
            raise
        return []


def _gone(delete: Callable[[], Any]) -> None:
    try:
        delete()
    except botocore.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchEntity":
            raise


def _why(error: Exception) -> str:
    if isinstance(error, botocore.exceptions.ClientError):
        return str(error.response["Error"]["Code"])
    return type(error).__name__
