"""valetkey terraform: provider and backend blocks for customers."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from valetkey.errors import ValetkeyError

if TYPE_CHECKING:
    from valetkey.credentials.delivery.terraform import State


def terraform(
    name: Annotated[
        str | None, Parameter(help="The profile that `accept` wrote; default: the profile of this shell.")
    ] = None,
    /,
    *names: Annotated[str, Parameter(help="More customers; then each provider has an alias.")],
    shape: Annotated[
        Literal["profile", "assume-role"],
        Parameter(help="Which program assumes the role: valetkey, or Terraform's provider."),
    ] = "profile",
    bucket: Annotated[
        str | None, Parameter(help="S3 bucket of the first customer for the state; prints a backend block too.")
    ] = None,
    key: Annotated[str | None, Parameter(help="The state's key in the bucket; default: terraform.tfstate.")] = None,
    format: Annotated[  # noqa: A002
        Literal["hcl", "json"], Parameter(help="HCL, or Terraform's JSON for a file *.tf.json.")
    ] = "hcl",
) -> int:
    """Print Terraform provider blocks for one or several customers: `valetkey terraform NAME > providers.tf`.

    Each is restricted to the customer's account (allowed_account_ids). It prints no secret, asks nothing and makes no
    call. With the shape `profile`, Terraform's credentials come from valetkey and are renewed while it runs;
    `assume-role` is for what only the provider's own block can say.
    """
    from valetkey import awsfiles
    from valetkey.cli._default_name import name_or_default
    from valetkey.cli._saying import say_end
    from valetkey.cli.commands.accept import executable
    from valetkey.credentials.delivery import terraform as made
    from valetkey.credentials.profiles.awsconfig import process_command
    from valetkey.credentials.profiles.settings import read_settings
    from valetkey.credentials.sessions.opener import grant_profile
    from valetkey.credentials.sessions.roles import role_call
    from valetkey.exchange.texts import hcl
    from valetkey.report.terraform import say_terraform

    customers = []
    for item in dict.fromkeys((name_or_default(name, "terraform"), *names)):
        profile = grant_profile(item, os.environ)
        say_end(profile)
        region = awsfiles.region(item, os.environ) or profile.region
        carried = read_settings(awsfiles.settings((item,), os.environ), name=item)
        enter = role_call(profile, _MfaSession(), carried).params
        customers.append(made.Target(profile=profile, region=region, enter=enter))
    state = _state(bucket, key)
    blocks = made.blocks(customers, shape=shape, state=state)
    base = [target.profile for target in customers if target.profile.mfa] if shape == "assume-role" else []
    say_terraform(
        hcl.hcl(blocks) if format == "hcl" else hcl.as_json(blocks),
        mfa_profiles={str(made.base_profile(item)): process_command(executable(), item.name) for item in base},
        without_region=[target.profile.name for target in customers if target.region is None],
    )
    return 0


def _state(bucket: str | None, key: str | None) -> State | None:
    from valetkey.credentials.delivery.terraform import State

    if bucket is None and key is None:
        return None
    key = "terraform.tfstate" if key is None else key
    if bucket is None or not (bucket.strip() and key.strip("/") == key and key):
        raise ValetkeyError(
            "the state needs a bucket and a key", do="give both: --bucket acme-state --key net/terraform.tfstate"
        )
    return State(bucket, key)


class _MfaSession:
    """Placeholder for the keys that the provider will have."""

    access_key_id = secret_access_key = ""
    session_token: str | None = "an MFA session's"  # noqa: S105 - only its presence matters
