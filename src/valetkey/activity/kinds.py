"""The kinds of sessions, one row each, most specific first. The first that fits is the session's kind.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html,
https://docs.aws.amazon.com/IAM/latest/UserGuide/temporary-delegation-cloudtrail.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from valetkey.activity.events import Event
from valetkey.activity.sessions import Group, is_console_agent

KindName = Literal["delegate", "agent", "scoped", "login", "console", "service", "cli"]


@dataclass(frozen=True)
class SessionKind:
    """One kind of session."""

    name: KindName
    title: str
    fits: Callable[[Group], bool]
    why: str
    """How the kind is recognized."""


def _is_mcp(resource: str) -> bool:
    """Whether the resource of an OAuth token is AWS's MCP server: "https://aws-mcp.us-east-1.api.aws/mcp"."""
    host = resource.partition("://")[2].partition("/")[0]
    return host.startswith("aws-mcp.") and host.endswith((".api.aws", ".amazonaws.com"))


def mints_agent(token_for: str) -> bool:
    """Whether an OAuth token is for AWS's MCP server."""
    return _is_mcp(token_for)


def _agent(group: Group) -> bool:
    return any(each.source == "aws-mcp.amazonaws.com" for each in group.acts) or any(
        each.minted_sign_in == group.anchor[1] and _is_mcp(each.token_for) for each in _makers(group)
    )


def _scoped(group: Group) -> bool:
    return any(each.name == "GetScopedCredentials" and each.issued_key in group.keys for each in _makers(group))


def _login(group: Group) -> bool:
    if _console(group):
        return False
    for each in _makers(group):
        if each.name != "CreateOAuth2Token" or _is_mcp(each.token_for):
            continue
        if each.minted_sign_in == group.anchor[1] or (
            each.created == group.created and each.principal == group.principal
        ):
            return True
    return False


def _makers(group: Group) -> Iterable[Event]:
    """Events of the session that made this one; none if it was entered by AssumeRole."""
    return group.parent.acts if group.parent is not None and not group.made_by else ()


def _console(group: Group) -> bool:
    if any(each.from_console for each in group.acts):
        return True
    # In copies of trails without access key ids, CLI sessions look the same: the user agents decide.
    return group.anchor[0] == "made" and any(
        each.source == "signin.amazonaws.com" or is_console_agent(each.agent) for each in group.acts
    )


SESSION_KINDS: tuple[SessionKind, ...] = (
    SessionKind(
        "delegate",
        "a provider through temporary delegation",
        lambda group: any(each.delegate for each in group.acts),
        "userIdentity.invokedByDelegate: your own role, acting for a provider",
    ),
    SessionKind("agent", "an AI agent", _agent, "CreateOAuth2Token for AWS's MCP server made this sign-in"),
    SessionKind(
        "scoped",
        "scoped credentials",
        _scoped,
        "GetScopedCredentials gave out its key",
    ),
    SessionKind(
        "login",
        "aws login from the console",
        _login,
        "CreateOAuth2Token of a console session with the same principal and creation time, or of this sign-in",
    ),
    SessionKind(
        "console",
        "the console",
        _console,
        "sessionCredentialFromConsole, or a sign-in without an access key from a browser",
    ),
    SessionKind(
        "service",
        "a service, for a session",
        lambda group: bool(group.acts) and all(each.invoked_by for each in group.acts),
        "userIdentity.invokedBy in every event, and no session that they belong to",
    ),
    SessionKind("cli", "CLI or SDK", lambda group: True, "an access key of its own"),
)


def kind_of(group: Group) -> SessionKind:
    """Return the first kind that fits."""
    return next(each for each in SESSION_KINDS if each.fits(group))
