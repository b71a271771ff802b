"""The only module that makes botocore sessions. valetkey parses the AWS files first, and every error is a
ValetkeyError.

Rules:
- No other module makes a botocore session. `awsfiles` reads both files before botocore does, so a damaged file is a
  ConfigError with file and line. botocore gets the parsed files and does not parse them again.
- INVARIANT: an error of botocore or of the operating system leaves this package as a ValetkeyError (`named`), which
  says what is missing and where. Only network errors are reported as network problems.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import botocore.configloader
import botocore.exceptions as wrong
import botocore.session
from botocore.credentials import CredentialProvider, Credentials, ProcessProvider

from valetkey import awsfiles
from valetkey.account.base_identity import SIGN_IN, STORED, Chain, NoBase
from valetkey.account.calls import AccessKeys
from valetkey.catalog.home_regions import HOME_REGIONS
from valetkey.commandline import command, option
from valetkey.errors import ValetkeyError

# A credential process may take 50 s in total, prompt included. A call gets 3 s to connect and 8 s to read, twice.
QUICK: dict[str, Any] = {
    "connect_timeout": 3,
    "read_timeout": 8,
    "retries": {"mode": "standard", "total_max_attempts": 2},
    "user_agent_extra": "valetkey",
}


_SURROUNDING = ("env", "ec2-credentials-file", "boto-config", "container-role", "iam-role")
# By chain: the providers that are removed from it, by botocore's names.
_LEFT_OUT: Mapping[Chain, tuple[str, ...]] = {
    "usual": (),
    "files": _SURROUNDING,
    "environment": (
        *("assume-role", "sso", "shared-credentials-file", "login", "custom-process", "config-file"),
        *("ec2-credentials-file", "boto-config"),
    ),
}
_FILES = {"AWS_CONFIG_FILE": "config_file", "AWS_SHARED_CREDENTIALS_FILE": "credentials_file"}


class _StoredProvider(CredentialProvider):  # type: ignore[misc]
    """A provider that puts a stored key into botocore's chain. botocore does not get the secret: no caller needs it
    here."""

    METHOD = STORED

    def __init__(self, stored: AccessKeys) -> None:
        super().__init__()
        self._stored = stored

    def load(self) -> Any:
        return Credentials(self._stored.access_key_id, "in the keyring", None, self.METHOD)


def with_stored(core: Any, stored: AccessKeys | None) -> None:
    """Insert a stored key into the chain after the environment and the AWS files, and before containers and
    instances."""
    if stored is not None:
        core.get_component("credential_provider").insert_after("config-file", _StoredProvider(stored))


def tell_children(core: Any, variables: Mapping[str, str]) -> None:
    """Add environment variables for the programs that the AWS files name (credential_process): the profile's own
    program, and the program of a source profile."""
    if not variables:
        return
    providers = core.get_component("credential_provider")
    popen = partial(subprocess.Popen, env={**os.environ, **variables})

    def provider(profile: str) -> Any:
        return ProcessProvider(profile, lambda: core.full_config, popen=popen)

    with contextlib.suppress(wrong.UnknownCredentialError):
        providers.get_provider("custom-process")._popen = popen
    with contextlib.suppress(wrong.UnknownCredentialError):
        providers.get_provider("assume-role")._profile_provider_builder._create_process_provider = provider


class _Session(botocore.session.Session):  # type: ignore[misc]
    """A botocore session that uses the AWS files as parsed by awsfiles. Raises ConfigError."""

    _files: dict[str, Any] | None = None

    @property
    def full_config(self) -> Any:
        if self._files is None:
            self._files = _config(self.get_config_variable("config_file"))
            for name, result in _raw(self.get_config_variable("credentials_file")).items():
                self._files["profiles"].setdefault(name, {}).update(result)
        return self._files


def _raw(path: str) -> dict[str, Any]:
    """Same as botocore.configloader.raw_config_parse, without parsing the file each time."""
    parser = awsfiles.parsed(Path(os.path.expandvars(path)).expanduser())
    return {section: awsfiles.section_of(parser, section) for section in parser.sections()}


def _config(path: str) -> dict[str, Any]:
    """Same as botocore.configloader.load_config, from the parsed file."""
    result: dict[str, Any] = botocore.configloader.build_profile_map(_raw(path))
    return result


def opened(profile: str | None, chain: Chain, files: Mapping[str, str] | None) -> Any:
    """Return a botocore session whose credential chain has only the providers that `chain` allows. Raises
    ConfigError."""
    core = core_session(profile, files)
    if chain == "files" and profile == "default" and profile not in core.available_profiles:
        # botocore refuses a named profile that does not exist; its key may be in the keyring.
        core = opened(None, "usual", files)
        core.get_component("credential_provider").remove("assume-role-with-web-identity")
    providers = core.get_component("credential_provider")
    for method in _LEFT_OUT[chain]:
        providers.remove(method)
    return core


def core_session(profile: str | None, files: Mapping[str, str] | None = None) -> Any:
    """Return a session of the AWS profile; AWS_PROFILE is ignored. Raises ConfigError for damaged AWS files."""
    if profile is not None:
        core = _Session(profile=profile)
    else:
        # No environment variable selects the profile: neither AWS_PROFILE nor AWS_DEFAULT_PROFILE.
        core = _Session(session_vars={"profile": (None, None, None, None)})
    # Tokens of the global endpoint do not work in opt-in regions (IAM User Guide, id_credentials_temp_enable-regions).
    core.set_config_variable("sts_regional_endpoints", "regional")
    for variable, path in (files or {}).items():
        core.set_config_variable(_FILES[variable], path)
    return _checked(core)


def bare_session() -> Any:
    """Return a session that reads no AWS file, for lookups in botocore's own tables."""
    core = _Session(session_vars={"profile": (None, None, None, None)})
    core._files = {"profiles": {}}
    return core


def usual_session(profile: str | None) -> Any:
    """Return a session as other AWS tools make it: AWS_PROFILE is used. Raises ConfigError for damaged AWS files."""
    return _checked(_Session(profile=profile))


def _checked(core: Any) -> Any:
    for variable in _FILES.values():
        _raw(core.get_config_variable(variable))
    with contextlib.suppress(wrong.BotoCoreError):  # a missing profile is reported where it is used
        providers = core.get_component("credential_provider")
        for method, parser, ours in (
            ("shared-credentials-file", "_ini_parser", _raw),
            ("config-file", "_config_parser", _config),
        ):
            with contextlib.suppress(wrong.UnknownCredentialError):
                setattr(providers.get_provider(method), parser, ours)
    return core


def region_for(core: Any, partition: str | None, given: str | None) -> str:
    """Return the region to call: the given one, else the profile's, else the partition's first. Regions of other
    partitions are skipped. Raises ConfigError for a setting that is not a region."""
    for result in filter(None, (given, core.get_config_variable("region"))):
        if result != given:
            check_region(core, result)
        try:
            if partition is None or core.get_partition_for_region(result) == partition:
                return str(result)
        except wrong.BotoCoreError:
            return str(result)
    return home_region(partition)


def home_region(partition: str | None) -> str:
    """Return the region for a partition's calls if none is configured."""
    return HOME_REGIONS.get(partition or "aws", "us-east-1")


def check_region(core: Any, region: str) -> None:
    """Raise ConfigError if a region from the AWS files or the environment is not a valid region name."""
    if not awsfiles.is_region(region):
        raise awsfiles.region_error(region, core.profile, _env_of(core))


def _env_of(core: Any) -> dict[str, str]:
    """Return the environment, with the paths of the AWS files that this session reads."""
    return {**os.environ, **{name: core.get_config_variable(item) for name, item in _FILES.items()}}


@contextlib.contextmanager
def named(core: Any, name: str, profile: str | None) -> Iterator[None]:
    """Convert every error of botocore and the operating system to a ValetkeyError. Messages call the identity `name`;
    `core` is its session, or None before it exists."""
    try:
        yield
    except ValetkeyError:
        raise
    except (wrong.BotoCoreError, OSError, ValueError, KeyError, TypeError) as error:
        raise problem_of(error, core, name, profile) from None


def problem_of(error: Exception, core: Any, name: str, profile: str | None) -> ValetkeyError:
    """Convert an error from opening an identity to a ValetkeyError that says what is wrong and what to do."""
    which = option("--profile", profile or "default")
    match error:
        case wrong.ProfileNotFound():
            return NoBase(f"{name} is not in your AWS config", do=SIGN_IN)
        case wrong.InvalidRegionError():
            return _region_problem(core, name, error)
        case wrong.MissingDependencyException():
            what = f"{name} signs in with `aws login` (login_session), which needs botocore[crt]: it is not installed"
            return NoBase(what, do="install it beside valetkey: pip install 'valetkey[aws-login]'", exit_code=2)
        case wrong.LoginError():
            return NoBase(
                f"{name} cannot be used: {error}", do=f"sign in with it again: {command('aws login', then=which)}"
            )
        case wrong.SSOError() | wrong.TokenRetrievalError() | wrong.UnauthorizedSSOTokenError():
            return NoBase(
                f"{name} cannot be used: {error}", do=f"sign in with it again: {command('aws sso login', then=which)}"
            )
        case wrong.BotoCoreError():
            return NoBase(f"{name} cannot be used: {error}", do=SIGN_IN)
        case OSError():
            return file_problem(error, name)
        case ValueError() if str(error).startswith("Invalid endpoint:"):
            do = "correct `endpoint_url` in your AWS config, or AWS_ENDPOINT_URL"
            return NoBase(f"{name} cannot be used: the endpoint is not a URL", do=do, exit_code=2)
        case _:
            # The error's text may quote cached secrets.
            what = f"{name} cannot be used: botocore cannot read its cached sign-in ({type(error).__name__})"
            return NoBase(what, do=SIGN_IN, exit_code=2)


def file_problem(error: OSError, name: str) -> NoBase:
    """Return the error for a file that an identity needs and that cannot be read or written."""
    path, why = str(error.filename or ""), error.strerror or type(error).__name__
    setting = next((file for file in _TOKEN_FILES if path and os.environ.get(file) == path), "")
    said = f"the file {path}" + (f" ({setting})" if setting else "") if path else "a file"
    return NoBase(
        f"{name} cannot be used: it needs {said}, and the system reports: {why}",
        do=("make sure that it exists and that you can use it, or correct the setting that names it")
        if path
        else SIGN_IN,
        where=path,
        exit_code=2,
    )


def missing_bundle(core: Any, error: Exception) -> NoBase | None:
    """Return the error if a connection failed because its CA bundle does not exist; urllib3's error does not name the
    file."""
    bundle = core.get_config_variable("ca_bundle")
    if not bundle or Path(bundle).exists() or isinstance(error, wrong.ProxyConnectionError):
        return None
    return NoBase(
        f"the CA bundle {bundle} is not there",
        do="create it, or correct `ca_bundle` in your AWS config and AWS_CA_BUNDLE",
        where=str(bundle),
        exit_code=2,
    )


_TOKEN_FILES = ("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "AWS_CA_BUNDLE")


def _region_problem(core: Any, name: str, error: Exception) -> ValetkeyError:
    with contextlib.suppress(wrong.BotoCoreError):
        region = core.get_config_variable("region") if core is not None else None
        if region and not awsfiles.is_region(region):
            return awsfiles.region_error(region, core.profile, _env_of(core))
    return NoBase(f"{name} cannot be used: {error}", do="correct the region that it names", exit_code=2)
