"""Settings for a customer's role sessions, in the profile's section of the AWS config: parameters of AssumeRole.

    [profile acme]
    credential_process = ...
    role_session_name = carol.acme
    source_identity = carol
    session_tags = project=blue,ticket=OPS-7
    transitive_session_tags = project
    session_policy_arns = arn:aws:iam::aws:policy/ReadOnlyAccess

The names are AWS's, or aws-vault's where AWS has none. `aws configure set NAME VALUE --profile acme` writes them.

Rules:
- The owner decides what a session may have. SourceIdentity and session tags each need an action in the role's trust
  policy (id_credentials_temp_control-access_monitor, id_session-tags), and the session name may be prescribed. What the
  handoff does not allow is refused here: AWS would return AccessDenied, possibly without a reason.
- A session policy only reduces permissions. Several are a union (access_policies#policies_session), so --read-only is
  not added to others.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from valetkey.catalog import limits
from valetkey.commandline import command, option
from valetkey.credentials.profiles.again import set_up_again
from valetkey.credentials.profiles.profile import Profile, ProfileError
from valetkey.errors import ValetkeyError

_POLICY = re.compile(r"arn:aws[a-z-]{0,20}:iam::(aws|[0-9]{12}):policy/[\x21-\x7e]{1,600}", re.ASCII)
_POLICIES_MAX = 10
"""Maximum number of managed session policies (STS API, AssumeRole)."""


@dataclass(frozen=True, kw_only=True)
class SessionSettings:
    """Parameters of a role session that are not terms of the grant."""

    session_name: str | None = None
    """None: the IAM user's name."""
    source_identity: str | None = None
    tags: tuple[tuple[str, str], ...] = ()
    transitive: tuple[str, ...] = ()
    """Keys of the tags that persist in chained roles."""
    policy_arns: tuple[str, ...] = ()
    """Managed session policies: the session may do what both the role and one of these allow."""


PLAIN = SessionSettings()


def read_settings(section: Mapping[str, Any], *, name: str) -> SessionSettings:
    """Read the settings from the AWS config's section of the profile `name`. Raises ProfileError, which names the
    setting but does not quote its value."""
    words = {key: value for key, value in section.items() if isinstance(value, str) and value.strip()}
    tags = []
    for pair in _words(words.get("session_tags", "")):
        key, equals, value = pair.partition("=")
        if not equals:
            raise _wrong("session_tags", name, "is not written KEY=VALUE,KEY=VALUE")
        tags.append((key.strip(), value.strip()))
    settings = SessionSettings(
        session_name=words.get("role_session_name"),
        source_identity=words.get("source_identity"),
        tags=tuple(tags),
        transitive=tuple(_words(words.get("transitive_session_tags", ""))),
        policy_arns=tuple(_words(words.get("session_policy_arns", ""))),
    )
    _check(settings, name)
    return settings


def _check(settings: SessionSettings, name: str) -> None:
    fields = [
        ("role_session_name", "session name", settings.session_name),
        ("source_identity", "source identity", settings.source_identity),
        *(("session_tags", "tag key", key) for key, _ in settings.tags),
        *(("session_tags", "tag value", value) for _, value in settings.tags),
    ]
    for setting, field, value in fields:
        if value is not None:
            try:
                limits.check(field, value)
            except limits.LimitError as error:
                raise _wrong(setting, name, f"cannot be used: {error.what}", do=error.do) from None
    keys = [key for key, _ in settings.tags]
    if len({key.lower() for key in keys}) != len(keys) or len(keys) > limits.TAGS_MAX:
        raise _wrong("session_tags", name, f"names a key twice, or more than {limits.TAGS_MAX}")
    if set(settings.transitive) - set(keys):
        raise _wrong("transitive_session_tags", name, "names a key that session_tags does not have")
    if len(settings.policy_arns) > _POLICIES_MAX or not all(map(_POLICY.fullmatch, settings.policy_arns)):
        raise _wrong("session_policy_arns", name, f"is not a list of at most {_POLICIES_MAX} ARNs of managed policies")


def read_only(settings: SessionSettings, profile: Profile) -> SessionSettings:
    """Return the settings restricted to AWS's ReadOnlyAccess. Raises ValetkeyError if there are other session
    policies."""
    policy = f"arn:{profile.partition}:iam::aws:policy/ReadOnlyAccess"
    if settings.policy_arns not in ((), (policy,)):
        raise ValetkeyError(
            f"the sessions of {profile.name} have session policies of their own, and AWS adds several up",
            do="leave --read-only out, or remove session_policy_arns from the profile in your AWS config",
        )
    return dataclasses.replace(settings, policy_arns=(policy,))


def carried(settings: SessionSettings, profile: Profile) -> dict[str, Any]:
    """Return the parameters of AssumeRole for these settings, including the session name. Raises ValetkeyError for what
    the grant does not allow."""
    params: dict[str, Any] = {"RoleSessionName": session_name(settings, profile)}
    if settings.source_identity is not None:
        _admitted(profile.source_identity, profile, "source_identity", "a SourceIdentity", "--source-identity")
        params["SourceIdentity"] = settings.source_identity
    if settings.tags:
        _admitted(profile.session_tags, profile, "session_tags", "session tags", "--session-tags")
        params["Tags"] = [{"Key": key, "Value": value} for key, value in settings.tags]
    if settings.transitive:
        params["TransitiveTagKeys"] = list(settings.transitive)
    if settings.policy_arns:
        params["PolicyArns"] = [{"arn": arn} for arn in settings.policy_arns]
    return params


def session_name(settings: SessionSettings, profile: Profile) -> str:
    """Return the configured session name, else the IAM user's name, so that the owner's log shows the person. Raises
    ValetkeyError."""
    name = profile.user_name
    if profile.session_name == "username":
        if name is None:
            raise ValetkeyError(
                f"the role of {profile.name} requires your IAM user's name as session name, and that name is unknown",
                do=f"sign in as an IAM user, and {set_up_again(profile)}",
            )
        limits.check("session name", name)
        if settings.session_name not in (None, name):
            raise _wrong(
                "role_session_name", profile.name, "cannot be used: the role requires your IAM user's name there"
            )
        return name
    if settings.session_name is not None:
        return settings.session_name
    return name if name is not None and len(name) > 1 else f"valetkey-{name or profile.contractor}"


def _admitted(is_admitted: bool, profile: Profile, setting: str, what: str, option: str) -> None:
    if not is_admitted:
        raise _wrong(
            setting,
            profile.name,
            f"cannot be used: the handoff does not admit {what}, and AWS would refuse the whole session",
            do=f"remove it, or ask the owner for a grant with {option} and run `valetkey accept` with the new handoff",
        )


def _wrong(setting: str, name: str, why: str, *, do: str = "") -> ProfileError:
    return ProfileError(
        f"{setting} of the profile {name} {why}",
        do=do or f"correct it: {command('aws configure set', setting, then='VALUE')} {option('--profile', name)}",
        where=f"AWS config: [profile {json.dumps(name)[1:-1]}] {setting}",
    )


def _words(text: str) -> Iterable[str]:
    return filter(None, (part.strip() for part in text.split(",")))
