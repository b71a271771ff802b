"""The data about one customer: a file for each profile, in addition to the AWS profile of the same name.

`$XDG_CONFIG_HOME/valetkey/profiles/ID.json` (ids: names.py), `"valetkey": "profile/v2"`. It contains no secret.

    {"valetkey": "profile/v2", "name": "acme", "role_arn": "arn:...", "origin": "typed",
     "terms": {"external_id": "vk-..."}, "local": {"contractor": "222222222222", "source_profile": "work"}}

Rules:
- `terms` contains the owner's terms that are known here. A missing term is unknown. A term that is known not to apply
  is null, false or an empty list. `from_ip` is optional: it is written only if the handoff limits the addresses.
- `local` contains the contractor's side: who signs in, from which source, and what valetkey sends.
- `profile/v1` (one flat object, always from a handoff) can be read, and is saved as v2.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any

import msgspec

from valetkey import files
from valetkey.credentials.profiles.names import ProfileError as ProfileError
from valetkey.credentials.profiles.names import check_name as check_name
from valetkey.credentials.profiles.names import file_id, is_file_id, is_id
from valetkey.errors import PolicyError
from valetkey.policy.iam_arns import iam_arn

_KIND = "profile/v2"
_KIND_1 = "profile/v1"
_MFA = re.compile(r"[\x21-\x7e]{9,256}", re.ASCII)


class TermsOrigin(Enum):
    """The source of a profile's terms."""

    HANDOFF = "handoff"
    """The owner's file: every term is known."""
    TYPED = "typed"
    """`accept --role`."""
    IMPORTED = "imported"
    """A profile in the AWS config that was set up by hand (`import`)."""


TERM_FIELDS = (
    *("external_id", "mfa", "mfa_max_age", "max_session", "until"),
    *("principals", "session_name", "source_identity", "session_tags"),
)
"""The fields of Profile that are the owner's terms."""
OPTIONAL = ("from_ip",)
"""Terms that are written only if they have a value, so other files do not change. Missing: no limit is known."""
_ASSUMED: Mapping[str, Any] = {
    "external_id": None,
    "mfa_max_age": None,
    "until": None,
    "principals": (),
    "session_name": None,
    # It is not known whether the role allows them: AWS decides.
    "source_identity": True,
    "session_tags": True,
}
"""INVARIANT: an unknown term has this value in a Profile, so it changes no call. Two terms are not listed: if unknown,
`mfa` is whether a code is sent, and `max_session` is the session length to request."""


@dataclass(frozen=True, kw_only=True)
class Profile:
    """How to assume one customer's role: the owner's terms as far as known, and the contractor's side.

    For a term in `unknown`, the field contains an assumed value (`_ASSUMED`).
    """

    name: str
    role_arn: str
    origin: TermsOrigin = TermsOrigin.HANDOFF
    unknown: frozenset[str] = frozenset()
    """The names of the unknown terms (of TERMS)."""
    external_id: str | None = None
    contractor: str
    """The contractor's account, which the role trusts: 12 digits."""
    source_profile: str | None = None
    """The AWS profile of the base identity. None: see `base_from_environment`. A file of an earlier version may have
    neither (`is_bound`)."""
    base_from_environment: bool = False
    """The base identity comes from the environment of the process: variables with keys, a web identity, a container, an
    instance. No AWS file is read for it."""
    base_arn: str | None = None
    """The base identity's ARN when the handoff was accepted; None in a file of an earlier version."""
    base_files: tuple[str, ...] = ()
    """The paths of the AWS config and the credentials file that contain `source_profile`; empty: those of the
    environment."""
    mfa: bool
    mfa_serial: str | None = None
    mfa_max_age: int | None = None
    """The maximum number of seconds since MFA, or None."""
    max_session: int
    """The role's MaxSessionDuration in seconds."""
    until: datetime | None = None
    """End of the grant (aware, UTC), or None."""
    session_name: str | None = None
    """The rule for session names: "username" (must be the IAM user's name), or None."""
    source_identity: bool = False
    """Whether the role allows a SourceIdentity."""
    session_tags: bool = False
    """Whether the role allows session tags."""
    user_name: str | None = None
    """The IAM user's name, used as the role session's name."""
    region: str | None = None
    principals: tuple[str, ...] = ()
    """The ARNs that may assume the role; empty: the contractor's administrator decides."""
    from_ip: tuple[str, ...] = ()
    """The address ranges from which the role may be assumed; empty: no limit is known. It changes no call."""
    customer: str = ""
    request: str | None = None
    """The fingerprint of the access request that this grant answered, or None."""
    issued: datetime | None = None
    """When the accepted handoff was written (aware, UTC). An older handoff is not accepted any more."""
    original: str | None = None
    """The original section of the AWS config from which the profile was imported."""
    shares_external_id: bool = False
    """Whether another customer also used this ExternalId when the profile was imported."""

    def knows(self, term: str) -> bool:
        """Whether this term (of TERMS or OPTIONAL) is known."""
        return term not in self.unknown

    @property
    def account(self) -> str:
        """The owner's account: 12 digits."""
        return self.role_arn.split(":")[4]

    @property
    def partition(self) -> str:
        return self.role_arn.split(":")[1]

    @property
    def is_bound(self) -> bool:
        """Whether the source of the base identity is recorded."""
        return self.source_profile is not None or self.base_from_environment


def path_of(name: str, env: Mapping[str, str]) -> Path:
    """Return the path of the profile's file, whether or not it exists. Raises ProfileError for an invalid name."""
    return files.config_dir(env) / "profiles" / f"{file_id(name)}.json"


def names(env: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of all profiles, sorted."""
    stems = [item.stem for item in (files.config_dir(env) / "profiles").glob("*.json") if is_file_id(item.stem)]
    return tuple(sorted(name for stem in stems if (name := name_of(stem, env)) is not None))


def name_of(text: str, env: Mapping[str, str]) -> str | None:
    """Return the name for a file id; a plain name is returned as it is. None: the file does not contain the name."""
    if not is_id(text):
        return text
    try:
        data = files.read(files.config_dir(env) / "profiles" / f"{text}.json", others_may_read=True)
        name = json.loads(data or b"{}").get("name")
        return name if isinstance(name, str) and file_id(name) == text else None
    except (ValueError, AttributeError, RecursionError, ProfileError):
        return None


def save(profile: Profile, env: Mapping[str, str]) -> Path:
    """Write the profile's file (atomic, mode 0600) and return its path. Raises ValetkeyError."""
    path = path_of(profile.name, env)
    try:
        check(profile)
    except ValueError as error:
        raise ProfileError(f"the profile {profile.name} cannot be saved: {error}", where=str(path)) from None
    _refuse_other(path, profile.name)
    files.make_dir(files.config_dir(env))
    files.write(path, (json.dumps(_plain(profile), indent=2) + "\n").encode())
    return path


def _refuse_other(path: Path, name: str) -> None:
    """Raise ProfileError if the file belongs to another name: on a case-insensitive disk `Acme` and `acme` are the same
    file."""
    data = files.read(path, others_may_read=True)
    try:
        other = json.loads(data or b"{}").get("name", name)
    except (ValueError, AttributeError, RecursionError):
        return
    if isinstance(other, str) and other != name and other.casefold() == name.casefold():
        raise ProfileError(
            f"there is a profile {json.dumps(other)} already, which this disk cannot tell from {json.dumps(name)}",
            do="choose another name with --name",
            where=str(path),
        )


def load(name: str, env: Mapping[str, str]) -> Profile:
    """Read one profile. Raises ProfileError if it is missing, has an unknown version, is writable by others, or is
    invalid."""
    path = path_of(name, env)
    if not path.exists():
        import difflib

        have = names(env)
        near = difflib.get_close_matches(name, have, n=1, cutoff=0.7)
        raise ProfileError(
            f"there is no profile {json.dumps(name)}" + (f". Did you mean {json.dumps(near[0])}?" if near else ""),
            do=f"name one of: {', '.join(have)}"
            if have
            else "there are none yet: `valetkey accept FILE` makes one from the owner's handoff",
            where=str(path),
        )
    again = "accept it again: `valetkey accept` with the handoff, or with --role; or import it again"
    data = files.read(path, others_may_read=True)
    if data is None:
        raise ProfileError(
            f"{path} is not a plain file that only you can write",
            do="check its owner and mode (0600); a link is not followed",
            where=str(path),
        )
    try:
        plain = json.loads(data)
        kind = plain.pop("valetkey", None) if isinstance(plain, dict) else None
        if kind not in (_KIND, _KIND_1):
            raise ProfileError(
                f"{path} is {json.dumps(kind)}, wanted {json.dumps(_KIND)}",
                do="update valetkey, or " + again,
                where=f"{path}: $.valetkey",
            )
        profile = _read_1(plain) if kind == _KIND_1 else _read(plain)
        check(profile)
        if profile.name != name:
            raise ValueError(f"it says it is {json.dumps(profile.name)}")
    except (ValueError, RecursionError, msgspec.ValidationError) as error:
        raise ProfileError(f"{path} cannot be used: {error}", do=again, where=str(path)) from None
    return profile


def check(profile: Profile) -> None:
    """Raise ProfileError or ValueError if a field is invalid or contradicts another."""
    check_name(profile.name)
    if profile.unknown - set(TERM_FIELDS):
        raise ValueError("$.unknown: not the name of a term")
    for name, value in _ASSUMED.items():
        if name in profile.unknown and getattr(profile, name) != value:
            raise ValueError(f"$.terms.{name}: unknown, and yet it has a value")
    if profile.origin is TermsOrigin.HANDOFF and profile.unknown:
        raise ValueError("$.origin: a profile from a handoff knows every term")
    try:
        iam_arn(profile.role_arn, "role")
    except PolicyError as error:
        raise ValueError(f"$.role_arn: {error.what}") from None
    if not re.fullmatch("[0-9]{12}", profile.contractor, re.ASCII):
        raise ValueError("$.contractor: not an account id (12 digits)")
    if profile.source_profile == profile.name:
        # valetkey provides the profile's credentials, so this would be an endless recursion.
        raise ValueError("$.source_profile: a profile cannot be its own source")
    if profile.source_profile is not None and profile.base_from_environment:
        raise ValueError("$.base_from_environment: the base identity is a profile already ($.source_profile)")
    if len(profile.base_files) not in (0, 2) or not all(profile.base_files):
        raise ValueError("$.base_files: not the AWS config and the credentials file")
    for name, when in (("until", profile.until), ("issued", profile.issued)):
        if when is not None and when.tzinfo is None:
            raise ValueError(f"$.{name}: a time needs a zone")
    if profile.mfa_serial is not None and not _MFA.fullmatch(profile.mfa_serial):
        raise ValueError("$.mfa_serial: not the serial number or ARN of an MFA device")
    if not 900 <= profile.max_session <= 43200:
        raise ValueError("$.max_session: not between 900 and 43200 seconds")
    if profile.mfa_max_age is not None and profile.mfa_max_age <= 0:
        raise ValueError("$.mfa_max_age: not a number of seconds")
    if profile.from_ip:
        _check_networks(profile.from_ip)


def _check_networks(ranges: tuple[str, ...]) -> None:
    """Raise ValueError unless each item is an address range."""
    from ipaddress import ip_network

    for number, item in enumerate(ranges):
        try:
            ip_network(item)
        except ValueError:
            raise ValueError(f"$.terms.from_ip[{number}]: not an address range") from None


def _plain(profile: Profile) -> dict[str, Any]:
    """Return the JSON of a profile. A known term is always written, other fields only if not empty."""
    terms = {name: _value(getattr(profile, name)) for name in TERM_FIELDS if profile.knows(name)}
    terms |= {name: _value(value) for name in OPTIONAL if (value := getattr(profile, name))}
    local = {
        item.name: _value(getattr(profile, item.name))
        for item in dataclasses.fields(profile)
        if item.name not in (*_HEAD, *terms, *OPTIONAL, *_ASSUMED)
        and getattr(profile, item.name) not in (None, (), "", False)
    }
    head = {"name": profile.name, "role_arn": profile.role_arn, "origin": profile.origin.value}
    return {"valetkey": _KIND, **head, "terms": terms, "local": local}


_HEAD = ("name", "role_arn", "origin", "unknown")
_LOCAL = tuple(item.name for item in dataclasses.fields(Profile) if item.name not in (*_HEAD, *OPTIONAL, *_ASSUMED))


def _read(plain: dict[str, Any]) -> Profile:
    """Read a file of version 2. Raises ValueError, msgspec.ValidationError."""
    terms, local = plain.pop("terms", None), plain.pop("local", None)
    if not isinstance(terms, dict) or not isinstance(local, dict):
        raise ValueError("$.terms and $.local: not two objects")
    # valetkey wrote this file: an unknown key may be a rule that this version would break.
    _refuse_unknown("", plain, ("name", "role_arn", "origin"))
    _refuse_unknown("terms.", terms, (*TERM_FIELDS, *OPTIONAL))
    _refuse_unknown("local.", local, _LOCAL)
    twice = sorted(set(terms) & set(local))
    if twice:
        raise ValueError(f"$.local.{twice[0]}: a term that is known already")
    unknown = frozenset(TERM_FIELDS) - set(terms)
    assumed = {name: value for name, value in _ASSUMED.items() if name in unknown}
    local = {"mfa": False, **local} if "mfa" in unknown else local
    return msgspec.convert({**plain, **terms, **assumed, **local, "unknown": sorted(unknown)}, Profile)


def _read_1(plain: dict[str, Any]) -> Profile:
    """Read a file of version 1, in which every term is known. Raises ValueError, msgspec.ValidationError."""
    known = {item.name for item in dataclasses.fields(Profile)}
    _refuse_unknown("", plain, sorted(known - {"origin", "unknown", "original", "shares_external_id", *OPTIONAL}))
    return msgspec.convert(plain, Profile)


def _refuse_unknown(where: str, plain: Mapping[str, Any], known: Sequence[str]) -> None:
    unknown = sorted(set(plain) - set(known))
    if unknown:
        raise ValueError(f"unknown key {json.dumps(where + unknown[0])}")


def _value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return list(value) if isinstance(value, tuple) else value
