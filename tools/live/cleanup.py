"""Removes everything under an IAM path: roles in the owner's account, users in the contractor's.

Works from what IAM lists under the path, so that it also removes what a crashed run has left. What a run knows it has
created is removed too, because IAM may not list it yet (fact W2).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import botocore.exceptions
from tools.live.people import Time

ROOT = "/valetkey-live/"
"""Path of all runs."""
PREFIX = "valetkey-live-"
"""Prefix of the names of all created roles and users. Nothing else under the path is changed."""
LIMIT = 180.0
"""Seconds after which the rest is reported instead of removed."""
_PAUSE = 3.0
_LATE = 30.0
"""Seconds after which what IAM does not list is assumed not to exist."""


@dataclass
class Left:
    """What still exists or could not be listed ("role NAME", "user NAME", "roles under PATH"), with the reason."""

    things: dict[str, str] = field(default_factory=dict)


def remove(
    owner: Any, contractor: Any, path: str, *, time: Time, roles: Iterable[str] = (), users: Iterable[str] = ()
) -> Left:
    """Remove the roles of `owner` and the users of `contractor` (IAM clients) under `path`. `roles` and `users` are
    names that IAM may not list yet. Returns what is left. Raises no error of botocore."""
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
                result = [item for page in pages for item in page[key]]
                names = [item[f"{kind.title()}Name"] for item in result]
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
                # A policy limited to the path refuses calls about what does not exist, because that has no path.
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
    """Return a list; empty if the role or user does not exist."""
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
