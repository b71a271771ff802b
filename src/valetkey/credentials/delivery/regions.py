"""Which region a program uses for a customer."""

from __future__ import annotations

from collections.abc import Mapping

PROFILE = "VALETKEY_PROFILE"
"""The variable with the name of the profile that a shell or a command is for."""


def region_to_set(name: str, own: str | None, env: Mapping[str, str]) -> str | None:
    """Return the region to set for the profile `name` with the region `own`; None: keep that of the environment.

    A region of the environment takes precedence, except in a shell that valetkey made for another customer: there it is
    that customer's region.
    """
    is_here = bool(env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION"))
    is_anothers = env.get(PROFILE, name) not in ("", name)
    return own if is_anothers or not is_here else None


def region_here(name: str, own: str | None, env: Mapping[str, str]) -> str | None:
    """Return the region for this profile. AWS_REGION takes precedence over AWS_DEFAULT_REGION (SDKs and Tools Reference
    Guide, AWS Region)."""
    return region_to_set(name, own, env) or env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION") or own
