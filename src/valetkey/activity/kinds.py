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
    return any(event.source == "aws-mcp.amazonaws.com" for event in group.acts) or any(
        event.minted_sign_in == group.anchor[1] and _is_mcp(event.token_for) for event in _makers(group)
    )


def _scoped(group: Group) -> bool:
    return any(event.name == "GetScopedCredentials" and event.issued_key in group.keys for event in _makers(group))


def _login(group: Group) -> bool:
    if _console(group):
        return False
    for event in _makers(group):
        if event.name != "CreateOAuth2Token" or _is_mcp(event.token_for):
            continue
        if event.minted_sign_in == group.anchor[1] or (
            event.created == group.created and event.principal == group.principal
        ):
            return True
    return False


def _makers(group: Group) -> Iterable[Event]:
    """Events of the session that made this one; none if it was entered by AssumeRole."""
    return group.parent.acts if group.parent is not None and not group.made_by else ()


def _console(group: Group) -> bool:
    if any(event.from_console for event in group.acts):
        return True
    # In copies of trails without access key ids, CLI sessions look the same: the user agents decide.
    return group.anchor[0] == "made" and any(
        event.source == "signin.amazonaws.com" or is_console_agent(event.agent) for event in group.acts
    )


SESSION_KINDS: tuple[SessionKind, ...] = (
    SessionKind(
        "delegate",
        "a provider through temporary delegation",
        lambda group: any(event.delegate for event in group.acts),
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
        lambda group: bool(group.acts) and all(event.invoked_by for event in group.acts),
        "userIdentity.invokedBy in every event, and no session that they belong to",
    ),
    SessionKind("cli", "CLI or SDK", lambda group: True, "an access key of its own"),
)


def kind_of(group: Group) -> SessionKind:
    """Return the first kind that fits."""
    return next(kind for kind in SESSION_KINDS if kind.fits(group))
