"""The contractor's base identity: its keys, its region and endpoint, and the settings around it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import boto3
import botocore.configloader
import botocore.exceptions as wrong
import botocore.session
from botocore.credentials import CredentialProvider, Credentials

from valetkey.account.calls import Perform
from valetkey.aws.connect import Keys, performer
from valetkey.errors import ValetkeyError

# A credential process may take 50 s altogether, prompt included: a call gets 3 s to connect and 8 s to answer, twice.
QUICK: dict[str, Any] = {
    "connect_timeout": 3,
    "read_timeout": 8,
    "retries": {"mode": "standard", "total_max_attempts": 2},
    "user_agent_extra": "valetkey",
}

# Where each partition's calls go when neither the profile nor the AWS config says.
_HOME_REGION = {
    "aws": "us-east-1",
    "aws-cn": "cn-north-1",
    "aws-us-gov": "us-gov-west-1",
    "aws-eusc": "eusc-de-east-1",
    "aws-iso": "us-iso-east-1",
    "aws-iso-b": "us-isob-east-1",
    "aws-iso-e": "eu-isoe-west-1",
    "aws-iso-f": "us-isof-south-1",
}


Chain = Literal["usual", "files", "environment"]
_SURROUNDING = ("env", "ec2-credentials-file", "boto-config", "container-role", "iam-role")
# botocore's names of the providers that have no part in a chain.
_LEFT_OUT: Mapping[Chain, tuple[str, ...]] = {
    "usual": (),
    "files": _SURROUNDING,
    "environment": (
        *("assume-role", "sso", "shared-credentials-file", "login", "custom-process", "config-file"),
        *("ec2-credentials-file", "boto-config"),
    ),
}
_FILES = {"AWS_CONFIG_FILE": "config_file", "AWS_SHARED_CREDENTIALS_FILE": "credentials_file"}


class NoBase(ValetkeyError):
    """The base identity cannot be resolved. Quotes botocore, which names files and profiles, and no secret."""

    exit_code = 3


@dataclass(frozen=True, kw_only=True)
class SignIn:
    """A base identity, resolved. The repr shows no secret."""

    keys: Keys = field(repr=False)
    """The keys; one in the OS keyring is read when it is used."""
    source: str
    """Where they were found, in botocore's words: "env", "shared-credentials-file", "custom-process", "sso", "login",
    "assume-role"; or STORED for the OS keyring."""
    region: str
    endpoint: str
    """URL of the STS endpoint."""
    connect: Callable[[Keys], Perform] = field(repr=False)
    """Performs calls with other keys, with this identity's region, endpoint and CA bundle, and short limits."""

    @property
    def access_key_id(self) -> str:
        return self.keys.access_key_id

    @property
    def secret_access_key(self) -> str:
        return self.keys.secret_access_key

    @property
    def session_token(self) -> str | None:
        return self.keys.session_token

    @property
    def realm(self) -> str:
        """Where sessions made here are good: the endpoint of any region. What one region's STS has made is valid in
        all of them (IAM User Guide, id_credentials_temp_enable-regions)."""
        return _realm(self.endpoint, self.region)


def _realm(endpoint: str, region: str) -> str:
    return endpoint.replace(region, "*")


def sign_in(
    profile: str | None,
    *,
    region: str | None = None,
    partition: str | None = "aws",
    ask: Callable[[str], str] | None = None,
    stored: Keys | None = None,
    chain: Chain = "usual",
    files: Mapping[str, str] | None = None,
) -> SignIn:
    """Resolve the keys of a profile, or of the usual chain without one; AWS_PROFILE is left aside.

    AWS_PROFILE may name the very profile whose credentials valetkey provides: it would call itself without end.
    `chain` "files": what the AWS files (and `stored`) have for the profile, `default` without one, and nothing that
    surrounds the process; "environment": only that. `files` names other AWS files than the environment does
    (AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE).
    The region is the given one, else the profile's, else the partition's first; none is of another partition.
    `partition` None: whichever the region is of.
    `ask(what for)` answers the MFA code of a base profile that is a role and asks for one itself (`mfa_serial`).
    `stored` is the profile's key in the OS keyring, used where the environment and the AWS files name none.
    Raises NoBase, and what `ask` raises. Makes no call unless the chain needs one.
    """
    name = f"the base profile {profile}" if profile is not None else "the base identity"

    def opened() -> Any:
        return _opened(profile, chain, files)

    try:
        core = opened()
        if not core.get_config_variable("region"):
            # A base profile that is a role is entered by botocore itself, which wants one.
            core.set_config_variable("region", region or _HOME_REGION.get(partition or "aws", "us-east-1"))
        if chain != "environment":
            _ask_with(core, ask, name)
            with_stored(core, stored)
        found = core.get_credentials()
        keys = found.get_frozen_credentials() if found is not None else None
        if keys is None:
            raise NoBase(f"{name} has no credentials", do=_SIGN_IN)
        where = region_for(core, partition, region)
        endpoint = boto3.Session(botocore_session=core).client("sts", region_name=where).meta.endpoint_url
    except wrong.ProfileNotFound:
        raise NoBase(f"{name} is not in your AWS config", do=_SIGN_IN) from None
    except wrong.BotoCoreError as error:
        raise NoBase(f"{name} cannot be used: {error}", do=_SIGN_IN) from None

    def connect(other: Keys) -> Perform:
        session = opened()
        # The models are read once, not once per set of keys.
        session.register_component("data_loader", core.get_component("data_loader"))
        session.set_credentials(other.access_key_id, other.secret_access_key, other.session_token)
        return performer(boto3.Session(botocore_session=session), where, QUICK)

    plain = _Plain(keys.access_key, keys.secret_key, keys.token)
    return SignIn(
        keys=stored if stored is not None and found.method == STORED else plain,
        source=found.method,
        region=where,
        endpoint=endpoint,
        connect=connect,
    )


def calling(
    keys: Keys, *, profile: str | None, region: str | None, partition: str, files: Mapping[str, str] | None = None
) -> tuple[Perform, str]:
    """Performs calls with these keys as `SignIn.connect` does, without resolving a base identity: with the endpoint and
    the CA bundle of an AWS profile, and short limits. And the realm of that endpoint, see SignIn. Raises NoBase."""
    try:
        core = _opened(profile, "usual" if profile is None else "files", files)
        core.set_credentials(keys.access_key_id, keys.secret_access_key, keys.session_token)
        session, where = boto3.Session(botocore_session=core), region_for(core, partition, region)
        endpoint: str = session.client("sts", region_name=where).meta.endpoint_url
        return performer(session, where, QUICK), _realm(endpoint, where)
    except wrong.BotoCoreError as error:
        raise NoBase(f"the base profile cannot be used: {error}", do=_SIGN_IN) from None


@dataclass(frozen=True)
class _Plain:
    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(repr=False)


STORED = "valetkey-keyring"
"""What botocore is told is the source of a key in the OS keyring."""


class _StoredProvider(CredentialProvider):  # type: ignore[misc]
    """The place of a stored key in botocore's chain. Its secret is not told to botocore: nobody may want it."""

    METHOD = STORED

    def __init__(self, stored: Keys) -> None:
        super().__init__()
        self._stored = stored

    def load(self) -> Any:
        return Credentials(self._stored.access_key_id, "in the keyring", None, self.METHOD)


def with_stored(core: Any, stored: Keys | None) -> None:
    """Put a stored key behind the environment and the AWS files, and before containers and instances."""
    if stored is not None:
        core.get_component("credential_provider").insert_after("config-file", _StoredProvider(stored))


def settings(profiles: Iterable[str | None], env: Mapping[str, str]) -> dict[str, Any]:
    """The AWS config's settings of the first of these profiles that is there (None: default), as botocore reads
    them: nested ones are dicts, and `services` is replaced by the section that it names. No file: empty.

    A CA bundle belongs to the network, not to a profile: the first that any of them names.
    """
    path = env.get("AWS_CONFIG_FILE") or "~/.aws/config"
    try:
        config = botocore.configloader.load_config(path)
    except wrong.BotoCoreError:
        return {}
    sections = config.get("profiles", {})
    there = [sections[name or "default"] for name in profiles if (name or "default") in sections]
    found = dict(there[0]) if there else {}
    if "services" in found:
        found["services"] = config.get("services", {}).get(found["services"], {})
    bundles = [each["ca_bundle"] for each in there if "ca_bundle" in each]
    return found | ({"ca_bundle": bundles[0]} if bundles else {})


_SIGN_IN = "sign in with it, or put its access key into your AWS config; inside `valetkey exec` it is out of reach"


def _opened(profile: str | None, chain: Chain, files: Mapping[str, str] | None) -> Any:
    """A botocore session whose chain of credentials has only what `chain` allows."""
    core = core_session(profile)
    for variable, path in (files or {}).items():
        core.set_config_variable(_FILES[variable], path)
    if chain == "files" and profile == "default" and profile not in core.available_profiles:
        # botocore refuses a profile that is named and not there; its key may be in the keyring.
        core = _opened(None, "usual", files)
        core.get_component("credential_provider").remove("assume-role-with-web-identity")
    providers = core.get_component("credential_provider")
    for method in _LEFT_OUT[chain]:
        providers.remove(method)
    return core


def core_session(profile: str | None) -> Any:
    if profile is not None:
        core = botocore.session.Session(profile=profile)
    else:
        # No environment variable for the profile: neither AWS_PROFILE nor AWS_DEFAULT_PROFILE.
        core = botocore.session.Session(session_vars={"profile": (None, None, None, None)})
    # Tokens of the global endpoint do not work in opt-in regions (IAM User Guide, id_credentials_temp_enable-regions).
    core.set_config_variable("sts_regional_endpoints", "regional")
    return core


def _ask_with(core: Any, ask: Callable[[str], str] | None, name: str) -> None:
    """botocore itself would ask without end, and read the code from stdin where there is no terminal."""

    def prompt(_: str) -> str:
        if ask is None:
            raise NoBase(f"{name} asks for an MFA code itself", do=_SIGN_IN)
        return ask(name)

    core.get_component("credential_provider").get_provider("assume-role")._prompter = prompt


def region_for(core: Any, partition: str | None, given: str | None) -> str:
    for found in filter(None, (given, core.get_config_variable("region"))):
        try:
            if partition is None or core.get_partition_for_region(found) == partition:
                return str(found)
        except wrong.BotoCoreError:
            return str(found)
    return _HOME_REGION.get(partition or "aws", "us-east-1")
