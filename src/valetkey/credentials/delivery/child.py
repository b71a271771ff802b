"""The environment of a child process of `exec`: a grant's credentials, and no other credentials of this computer.

Rules:
- INVARIANT: a tool can find only the credentials that are set here, even after they have expired: no profile, no
  credentials file, no container, web identity or instance metadata.
- Only AWS_* variables that are known not to be credentials are passed on (KEPT). A new AWS variable is dropped until it
  is known.
- Settings that are not credentials are passed on: region, CA bundle, endpoints, retries, output.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from valetkey.credentials.delivery.regions import PROFILE
from valetkey.credentials.delivery.shells import regions, variables
from valetkey.credentials.sessions.values import Credentials

if TYPE_CHECKING:
    from valetkey.credentials.profiles.profile import Profile

KEPT = (
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_CA_BUNDLE",
    "AWS_ENDPOINT_URL",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_ACCOUNT_ID_ENDPOINT_MODE",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_STS_REGIONAL_ENDPOINTS",
    "AWS_S3_",
    "AWS_RETRY_MODE",
    "AWS_MAX_ATTEMPTS",
    "AWS_DEFAULTS_MODE",
    "AWS_DEFAULT_OUTPUT",
    "AWS_PAGER",
    "AWS_CLI_",
    "AWS_DATA_PATH",
    "AWS_SDK_",
    "AWS_EXECUTION_ENV",
    "AWS_REQUEST_",
)
"""Prefixes of the AWS_* variables that a child keeps."""

# Profile settings that neither are nor lead to credentials (SDKs and Tools Reference Guide, Settings reference).
_SETTINGS = frozenset(
    {
        "region",
        "ca_bundle",
        "endpoint_url",
        "ignore_configured_endpoint_urls",
        "use_fips_endpoint",
        "use_dualstack_endpoint",
        "sts_regional_endpoints",
        "retry_mode",
        "max_attempts",
        "defaults_mode",
        "output",
        "cli_pager",
        "cli_timestamp_format",
        "tcp_keepalive",
        "parameter_validation",
        "s3",
    }
)


@dataclass(frozen=True)
class Served:
    """The server from which a child fetches its credentials; they are renewed while it runs."""

    url: str
    token_file: Path
    account: str


def environment(
    name: str,
    env: Mapping[str, str],
    credentials: Credentials | Served,
    *,
    region: str | None,
    config: Path,
    empty: Path,
) -> dict[str, str]:
    """Return the child's environment. `name` is the profile, `region` the region to set (None: as in `env`), `config`
    the path of its AWS config, `empty` the path of its credentials file.

    With Served, it contains no keys, and every credential source before the server (SDKs and Tools Reference Guide,
    "Credential provider chain") is still empty.
    """
    kept = {name: value for name, value in env.items() if not name.startswith("AWS_") or name.startswith(KEPT)}
    if isinstance(credentials, Served):
        own = {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": credentials.url,
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(credentials.token_file),
            "AWS_ACCOUNT_ID": credentials.account,
            PROFILE: name,
            **regions(region),
        }
    else:
        own = variables(name, credentials, region)
    return {
        **kept,
        **own,
        "AWS_CONFIG_FILE": str(config),
        "AWS_SHARED_CREDENTIALS_FILE": str(empty),
        # The same for the AWS SDK for Java 1.
        "AWS_CREDENTIAL_PROFILES_FILE": str(empty),
        # botocore's last source: without this variable, it reads /etc/boto.cfg and ~/.boto if a profile is named.
        "BOTO_CONFIG": str(empty),
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def config_of(profile: Profile, env: Mapping[str, str], *, region: str) -> str:
    """Return the AWS config for a command with this profile; `region` is that of the base identity. Raises
    ConfigError."""
    from valetkey.awsfiles import settings

    return config_text(settings((profile.name, profile.source_profile), env), region=region)


def config_text(settings: Mapping[str, Any], *, region: str | None = None) -> str:
    """Return the child's AWS config: the settings of a profile (from `awsfiles.settings`) that are not credentials.

    `region` is used if the settings have none.
    """
    kept = {name: value for name, value in settings.items() if name in _SETTINGS}
    if region:
        kept.setdefault("region", region)
    services = settings.get("services")
    text = "[default]\n" + _section(kept)
    if isinstance(services, Mapping) and services:
        text += f"services = kept\n[services kept]\n{_section(services)}"
    return text


def _section(settings: Mapping[str, Any]) -> str:
    lines = []
    for name, value in settings.items():
        if isinstance(value, Mapping):
            lines.append(f"{name} =\n")
            lines += [f"  {inner} = {_one_line(item)}\n" for inner, item in value.items()]
        else:
            lines.append(f"{name} = {_one_line(value)}\n")
    return "".join(lines)


def _one_line(value: Any) -> str:
    # A value must not start a new line, which could begin a section or a key.
    return " ".join(str(value).split())
