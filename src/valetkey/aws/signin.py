"""The contractor's base identity: its keys, its region and endpoint, and the settings around it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import boto3

from valetkey.account.base_identity import SIGN_IN, STORED, Chain, NoBase
from valetkey.account.calls import Keys, Perform
from valetkey.aws.connect import performer
from valetkey.aws.opening import QUICK, home_region, named, opened, region_for, tell_children, with_stored


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
    child_env: Mapping[str, str] | None = None,
) -> SignIn:
    """Resolve the keys of a profile, or of the usual chain without one; AWS_PROFILE is left aside.

    AWS_PROFILE may name the very profile whose credentials valetkey provides: it would call itself without end.
    `chain` "files": what the AWS files (and `stored`) have for the profile, `default` without one, and nothing that
    surrounds the process; "environment": only that. `files` names other AWS files than the environment does
    (AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE).
    The region is the given one, else the profile's, else the partition's first; none is of another partition.
    `partition` None: whichever the region is of.
    `ask(what for)` answers the MFA code of a base profile that is a role and asks for one itself (`mfa_serial`).
    `child_env` are variables for the programs that the AWS files name (credential_process).
    `stored` is the profile's key in the OS keyring, used where the environment and the AWS files name none.
    Raises NoBase, ConfigError for damaged AWS files, and what `ask` raises. Makes no call unless the chain needs one.
    """
    name = f"the base profile {profile}" if profile is not None else "the base identity"

    with named(None, name, profile):
        core = opened(profile, chain, files)
    with named(core, name, profile):
        if not core.get_config_variable("region"):
            # A base profile that is a role is assumed by botocore itself, which wants one.
            core.set_config_variable("region", region or home_region(partition))
        if chain != "environment":
            _ask_with(core, ask, name)
            tell_children(core, child_env or {})
            with_stored(core, stored)
        found = core.get_credentials()
        keys = found.get_frozen_credentials() if found is not None else None
        if keys is None:
            raise NoBase(f"{name} has no credentials", do=SIGN_IN)
        where = region_for(core, partition, region)
        endpoint = boto3.Session(botocore_session=core).client("sts", region_name=where).meta.endpoint_url

    def connect(other: Keys) -> Perform:
        session = opened(profile, chain, files)
        # The models are read once, not once per set of keys.
        session.register_component("data_loader", core.get_component("data_loader"))
        session.set_credentials(other.access_key_id, other.secret_access_key, other.session_token)
        return performer(boto3.Session(botocore_session=session), where, QUICK, name=name, profile=profile)

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
    the CA bundle of an AWS profile, and short limits. And the realm of that endpoint, see SignIn. Raises NoBase,
    ConfigError."""
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
    """botocore itself would ask without end, and read the code from stdin where there is no terminal."""

    def prompt(_: str) -> str:
        if ask is None:
            raise NoBase(f"{name} asks for an MFA code itself", do=SIGN_IN)
        return ask(name)

    core.get_component("credential_provider").get_provider("assume-role")._prompter = prompt
