"""Import profiles that were set up by hand: which sections become valetkey profiles, which do not, and why.

A section of the AWS config with `role_arn` is imported. Supported are sections for the AWS CLI, aws-vault
(`include_profile`, in version 5 `parent_profile`: missing settings come from there), Granted and awsume
(`role_duration`, `mfa_serial` of the source profile). Pure: before the plan, the caller looks up who signs in, once for
each base identity.

Rules:
- A role in our own account is a base or an intermediate role, never a customer: its section is not imported.
- A role whose source is a customer's profile is a chain. Its section is not imported either: chained_roles.py follows
  it.
- A section that others include is not imported unless they are too: they would lose the inherited settings.
- Base identities are opened before anything is rewritten. Sections whose base identity cannot be opened are not
  imported.
- No secret is copied: a section with keys is not imported.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from valetkey.catalog import limits
from valetkey.credentials.profiles.acceptance import profile_name
from valetkey.credentials.profiles.awsconfig import is_ours
from valetkey.credentials.profiles.identity import Identity, parse_identity
from valetkey.credentials.profiles.mfa_devices import check_serial
from valetkey.credentials.profiles.profile import TERM_FIELDS, Profile, TermsOrigin, check
from valetkey.credentials.profiles.sections import Rewrite, rewritten, section_texts
from valetkey.credentials.profiles.whose_account import NamedAccount, account_of
from valetkey.errors import PolicyError, ValetkeyError
from valetkey.policy.arns import Arn
from valetkey.policy.iam_arns import iam_arn, is_same_role

Sections = Mapping[str, Mapping[str, str]]
"""The profiles of an AWS file and their settings, unchanged."""

_INCLUDES = ("include_profile", "parent_profile")
_OTHER_BASES = (
    *("aws_access_key_id", "aws_secret_access_key", "aws_session_token", "web_identity_token_file"),
    *("web_identity_token_process", "sso_session", "sso_start_url", "sso_account_id", "login_session"),
)
"""Settings which show that a section with `role_arn` is not simply a role with a source profile."""
_INHERITED = (
    *("region", "role_session_name", "source_identity", "session_tags", "transitive_session_tags"),
    "sts_regional_endpoints",
)
"""Included settings that the section still needs after the import."""
_KEYS = re.compile("aws_secret_access_key|aws_session_token", re.IGNORECASE)


@dataclass(frozen=True)
class BaseSource:
    """The source of a section's base identity. None: the environment of the process (`credential_source`)."""

    source: str | None


@dataclass(frozen=True)
class Unopened:
    """A base identity that could not be opened, and what to do."""

    why: str
    do: str


@dataclass(frozen=True)
class Left:
    """A section that is not imported."""

    name: str
    why: str
    do: str = ""
    fine: bool = False
    """The section needs no import; nothing is missing."""
    behind: str = ""
    """For a chain: the customer's profile that it starts from."""


@dataclass(frozen=True)
class Plan:
    """The changes of an import."""

    profiles: tuple[Profile, ...]
    left: tuple[Left, ...]
    before: str
    """The AWS config's text that the plan is based on."""
    after: str
    shared: Mapping[str, tuple[str, ...]]
    """ExternalIds that several customers share, with the profiles."""


class _Leave(Exception):
    """Stops the processing of one section."""

    def __init__(self, why: str, do: str = "", *, fine: bool = False, behind: str = "") -> None:
        super().__init__(why)
        self._left = Left("", why, do, fine, behind)

    def left(self, name: str) -> Left:
        return replace(self._left, name=name)


def roles(sections: Sections, credentials: Sections) -> tuple[str, ...]:
    """Return the profiles to consider: those with a `role_arn`, their own or included, in the order of the config.
    Profiles in the credentials file come last; they are only reported."""
    result = [name for name in sections if "role_arn" in effective(name, sections)]
    return (*result, *(name for name, own in credentials.items() if "role_arn" in own and name not in result))


def effective(name: str, sections: Sections) -> dict[str, str]:
    """Return a section's settings. A missing setting comes from the included section (aws-vault, `include_profile`)."""
    result: dict[str, str] = {}
    seen: set[str] = set()
    here: str | None = name
    while here is not None and here not in seen:
        seen.add(here)
        own = {key: value.strip() if "\n" not in value else value for key, value in sections.get(here, {}).items()}
        result = {**own, **result}
        here = next((own[include] for include in _INCLUDES if own.get(include)), None)
    return result


def base_of(name: str, sections: Sections) -> BaseSource | None:
    """Return the base identity at the start of a section's chain of source profiles; None if no base is named."""
    seen = {name}
    settings = effective(name, sections)
    while True:
        source = settings.get("source_profile")
        if not source or source in seen:
            return BaseSource(None) if settings.get("credential_source") and not source else None
        further = effective(source, sections)
        if "role_arn" not in further:
            return BaseSource(source)
        seen.add(source)
        settings = further


def plan(
    names: Iterable[str],
    *,
    text: str,
    path: Path,
    sections: Sections,
    credentials: Sections,
    bases: Callable[[BaseSource], Identity | Unopened],
    own: frozenset[NamedAccount],
    have: tuple[Profile, ...],
    base_files: tuple[str, ...],
    command: Callable[[str], str],
) -> Plan:
    """Plan the changes for these profiles. `bases` returns who signs in, `own` are accounts known to be our own, `have`
    the existing profiles; `command` returns a `credential_process` line. Raises ConfigError if the file cannot be
    changed."""
    world = _World(section_texts(text), sections, credentials, bases, own, have, base_files)
    made: dict[str, Profile] = {}
    left: dict[str, Left] = {}
    for name in names:
        try:
            made[name] = world.profile(name)
        except _Leave as reason:
            left[name] = reason.left(name)
        except (ValetkeyError, ValueError) as problem:
            do = problem.do if isinstance(problem, ValetkeyError) else ""
            left[name] = Left(name, problem.what if isinstance(problem, ValetkeyError) else str(problem), do)
    _leave_included(made, left, sections)
    _leave_broken_chains(made, left, world)
    shared = _shared(made.values(), have)
    profiles = tuple(replace(profile, shares_external_id=profile.external_id in shared) for profile in made.values())
    rewrites = {
        profile.name: Rewrite({"credential_process": command(profile.name), **world.kept(profile.name)})
        for profile in profiles
    }
    after = rewritten(text, rewrites, path) if rewrites else text
    return Plan(profiles, tuple(left.values()), text, after, shared)


@dataclass(frozen=True)
class _World:
    texts: Mapping[str, str]
    """The text of each section."""
    sections: Sections
    credentials: Sections
    bases: Callable[[BaseSource], Identity | Unopened]
    own: frozenset[NamedAccount]
    have: tuple[Profile, ...]
    base_files: tuple[str, ...]

    def is_customer(self, name: str) -> bool:
        """Whether valetkey already provides this profile's credentials."""
        return is_ours(self.sections.get(name, {}).get("credential_process", ""), name)

    def kept(self, name: str) -> dict[str, str]:
        """Return the inherited settings that the section itself needs after the import."""
        result, mine = effective(name, self.sections), self.sections[name]
        return {key: result[key] for key in _INHERITED if key in result and key not in mine}

    def profile(self, name: str) -> Profile:
        """Return the profile for a section. Raises _Leave, ValetkeyError, ValueError."""
        if self.is_customer(name):
            raise _Leave("valetkey provides its credentials already", fine=True)
        settings = effective(name, self.sections)
        if "role_arn" not in settings and "role_arn" in self.credentials.get(name, {}):
            do = f"move its section into the AWS config, as [profile {name}]"
            raise _Leave("its role_arn is in the credentials file", do)
        if "role_arn" not in settings:
            raise _Leave("it has no role_arn: it is a base identity, not a role", fine=True)
        profile_name(name)
        role = _role(settings["role_arn"])
        self._refuse_other_kinds(name, settings)
        identity, source = self._signs_in(name, settings)
        if self._is_own(role, identity):
            raise _Leave(
                "the role is in your own account: a base identity or an intermediate role, not a customer", fine=True
            )
        _refuse_kinds(identity)
        made = self._made(name, settings, role, identity, source)
        check(made)
        there = next((item for item in self.have if item.name == name), None)
        if there is not None and not is_same_role(there.role_arn, made.role_arn):
            raise _Leave(f"valetkey has a profile {name} for another role", "rename one of the two")
        return made

    def _refuse_other_kinds(self, name: str, settings: Mapping[str, str]) -> None:
        other = next((base for base in _OTHER_BASES if base in settings), "")
        if other or _KEYS.search(self.texts.get(name, "")):
            raise _Leave(
                f"it has {other or 'an access key'} beside role_arn",
                "put keys into a profile of their own, and name that as source_profile",
            )
        if "source_profile" in settings and "credential_source" in settings:
            raise _Leave("it has both source_profile and credential_source", "remove one of them")
        beside = {"role_arn", "credential_process", *_OTHER_BASES} & set(self.credentials.get(name, {}))
        if beside:
            raise _Leave(
                f"the credentials file has {min(beside)} for it, which every tool uses instead", "remove that section"
            )
        if name not in self.texts:
            raise _Leave("it has more than one section", "merge them")

    def _signs_in(self, name: str, settings: Mapping[str, str]) -> tuple[Identity, str | None]:
        """Return who assumes the role, and the source profile. Raises _Leave, also for a chain."""
        base = base_of(name, self.sections)
        if base is None:
            raise _Leave(
                "it names no base identity (source_profile)",
                "if its key is in another tool's keyring, give it a source_profile whose credential_process asks that "
                "tool, like `aws-vault export --format=json NAME`",
            )
        source = settings.get("source_profile")
        if source is not None and self.is_customer(source):
            raise self._chain(name, source)
        result = self.bases(base)
        if isinstance(result, Unopened):
            raise _Leave(result.why, result.do)
        if source is None or "role_arn" not in effective(source, self.sections):
            return result, source
        hop = _role(effective(source, self.sections)["role_arn"])
        if not self._is_own(hop, result):
            raise self._chain(name, source)
        # The session of the intermediate role: its account and role name are known without assuming it, which may need
        # a code.
        arn = f"arn:{hop.partition}:sts::{hop.account}:assumed-role/{hop.resource.rsplit('/', 1)[-1]}/valetkey"
        return parse_identity(arn), source

    def _chain(self, name: str, source: str) -> _Leave:
        if self.sections[name].get("source_profile", "").strip() != source:
            return _Leave(
                f"its source {source} is included from another section, and is a customer's profile",
                f"write source_profile = {source} into the section itself",
            )
        if "mfa_serial" in effective(name, self.sections):
            return _Leave(
                f"it is a role behind {source}, and has mfa_serial: a role's session carries no MFA, so that AWS "
                "refuses it",
                "remove mfa_serial",
            )
        return _Leave(f"it is a role behind {source}: `exec` and `env` follow it as it is", fine=True, behind=source)

    def _is_own(self, role: Arn, identity: Identity) -> bool:
        account = NamedAccount(role.partition, role.account)
        return account == NamedAccount(identity.partition, identity.account) or account in self.own

    def _made(
        self, name: str, settings: Mapping[str, str], role: Arn, identity: Identity, source: str | None
    ) -> Profile:
        if role.partition != identity.partition:
            raise _Leave(f"its base identity is of the partition {identity.partition}, the role of {role.partition}")
        external_id = settings.get("external_id")
        if external_id is not None:
            limits.check("external id", external_id)
        serial = settings.get("mfa_serial")
        if serial is None and source is not None and identity.kind == "iam-user":
            # aws-vault and awsume use the MFA device of the source profile.
            serial = effective(source, self.sections).get("mfa_serial")
        if serial is not None:
            check_serial(serial)
            if identity.kind != "iam-user":
                raise _Leave(
                    "it has mfa_serial, and its base identity is a temporary session of "
                    f"{identity.name}, with which AWS accepts no MFA code",
                    "remove mfa_serial, or name a user's profile as source_profile",
                )
        there = next((profile for profile in self.have if profile.name == name), None)
        return Profile(
            name=name,
            role_arn=str(role),
            origin=TermsOrigin.IMPORTED,
            unknown=frozenset(TERM_FIELDS) - ({"external_id"} if external_id is not None else set()),
            external_id=external_id,
            contractor=identity.account,
            source_profile=source,
            base_from_environment=source is None,
            base_arn=identity.arn,
            base_files=self.base_files if source is not None else (),
            mfa=serial is not None,
            mfa_serial=serial,
            max_session=_duration(settings),
            source_identity=True,
            session_tags=True,
            user_name=identity.name if identity.kind == "iam-user" else None,
            region=settings.get("region") or None,
            customer=self._customer(NamedAccount(role.partition, role.account)),
            issued=there.issued if there is not None else None,
            original=self.texts.get(name, ""),
        )

    def _customer(self, account: NamedAccount) -> str:
        """Return the customer's name if the profiles for this account agree on one; else the account id."""
        said = {profile.customer for profile in self.have if account_of(profile) == account and profile.customer}
        return said.pop() if len(said) == 1 else account.id


def _refuse_kinds(identity: Identity) -> None:
    """Raise _Leave for an identity that cannot assume roles."""
    if identity.kind in ("root", "federated"):
        raise _Leave(
            f"its base identity is {identity.arn}, which AWS does not let assume roles", "sign in as an IAM user"
        )


def _role(text: str) -> Arn:
    try:
        return iam_arn(text, "role")
    except PolicyError as error:
        raise _Leave(error.what, error.do) from None


def _duration(settings: Mapping[str, str]) -> int:
    text = settings.get("duration_seconds") or settings.get("role_duration") or str(limits.SESSION_DEFAULT)
    if not (text.isascii() and text.isdigit() and limits.SESSION_MIN <= int(text[:6]) <= limits.SESSION_MAX):
        raise _Leave("its duration_seconds is not between 900 and 43200", "correct it")
    return int(text)


def _leave_included(made: dict[str, Profile], left: dict[str, Left], sections: Sections) -> None:
    """Remove included sections from the import if an including section is not imported. Repeats until nothing
    changes."""
    while True:
        users = {
            own[include].strip(): name
            for name, own in sections.items()
            if name not in made
            for include in _INCLUDES
            if own.get(include, "").strip() in made
        }
        if not users:
            return
        for name, user in users.items():
            del made[name]
            left[name] = Left(
                name,
                f"{user} inherits its settings from it (include_profile), and is not imported",
                f"import {user} too",
            )


def _leave_broken_chains(made: dict[str, Profile], left: dict[str, Left], world: _World) -> None:
    """Mark chains whose first profile is not, and will not be, a valetkey profile."""
    for name, item in left.items():
        source = item.behind
        if source and source not in made and not world.is_customer(source):
            why = f"it is a role behind {source}, which is not imported"
            left[name] = Left(name, why, f"import {source}", fine=True)


def _shared(made: Iterable[Profile], have: Iterable[Profile]) -> dict[str, tuple[str, ...]]:
    """Return ExternalIds that roles of several accounts share. Any of these customers could use it to send us into
    another customer's account (IAM User Guide, confused-deputy)."""
    new = {profile.name: profile for profile in made}
    everybody = [*new.values(), *(profile for profile in have if profile.name not in new)]
    result = {}
    for external_id in {profile.external_id for profile in new.values() if profile.external_id is not None}:
        users = [profile for profile in everybody if profile.external_id == external_id]
        if len({account_of(profile) for profile in users}) > 1:
            result[external_id] = tuple(sorted(profile.name for profile in users))
    return result
