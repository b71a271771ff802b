"""The contractor's base identity: its keys, region, endpoint and connection settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import boto3

from valetkey.account.base_identity import SIGN_IN, STORED, Chain, NoBase
from valetkey.account.calls import AccessKeys, Perform
from valetkey.aws.connect import performer
from valetkey.aws.opening import QUICK, home_region, named, opened, region_for, tell_children, with_stored


@dataclass(frozen=True, kw_only=True)
class SignIn:
    """A resolved base identity. The repr shows no secret."""

    keys: AccessKeys = field(repr=False)
    """The keys. A key in the OS keyring is read when it is used."""
    source: str
    """Where the keys were found, as botocore names it: "env", "shared-credentials-file", "custom-process", "sso",
    "login", "assume-role"; or STORED for the OS keyring."""
    region: str
    endpoint: str
    """URL of the STS endpoint."""
    connect: Callable[[AccessKeys], Perform] = field(repr=False)
    """Returns a function that performs calls with other keys, with this identity's region, endpoint and CA bundle, and
    with short timeouts."""

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
        """Where these sessions are valid: the endpoint with `*` for the region. A session from one region's STS is
        valid in all regions (IAM User Guide, id_credentials_temp_enable-regions)."""
        return _realm(self.endpoint, self.region)


def _realm(endpoint: str, region: str) -> str:
    return endpoint.replace(region, "*")


def sign_in(
    profile: str | None,
    *,
    region: str | None = None,
    partition: str | None = "aws",
    ask: Callable[[str], str] | None = None,
    stored: AccessKeys | None = None,
    chain: Chain = "usual",
    files: Mapping[str, str] | None = None,
    child_env: Mapping[str, str] | None = None,
) -> SignIn:
    """Resolve the keys of a profile, or of the default chain if `profile` is None. AWS_PROFILE is ignored.

    AWS_PROFILE may name the profile whose credentials valetkey provides, which would be an endless recursion.
    `chain` "files": only the AWS files (and `stored`), for the profile or `default`; nothing from the environment of
    the process. "environment": only the latter. `files` overrides the paths of the AWS files (AWS_CONFIG_FILE,
    AWS_SHARED_CREDENTIALS_FILE).
    The region is the given one, else the profile's, else the partition's first; regions of other partitions are
    skipped. `partition` None: the partition of that region.
    `ask(name)` returns the MFA code for a base profile that is a role with an `mfa_serial`.
    `child_env` are variables for the programs that the AWS files name (credential_process).
    `stored` is the profile's key in the OS keyring, used if the environment and the AWS files have none.
    Raises NoBase, ConfigError for damaged AWS files, and what `ask` raises. Makes no call unless the chain needs one.
    """
    name = f"the base profile {profile}" if profile is not None else "the base identity"

    with named(None, name, profile):
        core = opened(profile, chain, files)
    with named(core, name, profile):
        if not core.get_config_variable("region"):
            # botocore assumes the role of a base profile itself, and needs a region for that.
            core.set_config_variable("region", region or home_region(partition))
        if chain != "environment":
            _ask_with(core, ask, name)
            tell_children(core, child_env or {})
            with_stored(core, stored)
        result = core.get_credentials()
        keys = result.get_frozen_credentials() if result is not None else None
        if keys is None:
            raise NoBase(f"{name} has no credentials", do=SIGN_IN)
        where = region_for(core, partition, region)
        endpoint = boto3.Session(botocore_session=core).client("sts", region_name=where).meta.endpoint_url

    def connect(other: AccessKeys) -> Perform:
        session = opened(profile, chain, files)
        # The service models are read once, not once per set of keys.
        session.register_component("data_loader", core.get_component("data_loader"))
        session.set_credentials(other.access_key_id, other.secret_access_key, other.session_token)
        return performer(boto3.Session(botocore_session=session), where, QUICK, name=name, profile=profile)

    plain = _Plain(keys.access_key, keys.secret_key, keys.token)
    return SignIn(
        keys=stored if stored is not None and result.method == STORED else plain,
        source=result.method,
        region=where,
        endpoint=endpoint,
        connect=connect,
    )


def calling(
    keys: AccessKeys, *, profile: str | None, region: str | None, partition: str, files: Mapping[str, str] | None = None
) -> tuple[Perform, str]:
    """Return a function that performs calls with these keys, and the realm (see SignIn.realm). Like `SignIn.connect`,
    it uses the endpoint and CA bundle of an AWS profile and short timeouts, but resolves no base identity. Raises
    NoBase, ConfigError."""
    with named(None, "the base profile", profile):
        core = opened(profile, "usual" if profile is None else "files", files)
    with named(core, "the base profile", profile):
        core.set_credentials(keys.access_key_id, keys.secret_access_key, keys.session_token)
        session, where = boto3.Session(botocore_session=core), region_for(core, partition, region)
        endpoint: str = session.client("sts", region_name=where).meta.endpoint_url
        return performer(session, where, QUICK, profile=profile), _realm(endpoint, where)


@dataclass(frozen=True)
class _Plain:
    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(repr=False)


def _ask_with(core: Any, ask: Callable[[str], str] | None, name: str) -> None:
    """Replace botocore's prompt for an MFA code: it has no time limit, and reads stdin if there is no terminal."""

    def prompt(_: str) -> str:
        if ask is None:
            raise NoBase(f"{name} asks for an MFA code itself", do=SIGN_IN)
        return ask(name)

    core.get_component("credential_provider").get_provider("assume-role")._prompter = prompt
