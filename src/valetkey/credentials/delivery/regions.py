"""Where a program works for a customer: which region wins."""

from __future__ import annotations

from collections.abc import Mapping

PROFILE = "VALETKEY_PROFILE"
"""The variable that names the profile which a shell or a command is for."""


def region_to_set(name: str, own: str | None, env: Mapping[str, str]) -> str | None:
    """The region to set for the profile `name`, whose own region is `own`; None: the environment's stands.

    A region of the environment goes first. In a shell that valetkey made for another customer it is that customer's,
    and gives way.
    """
    is_here = bool(env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION"))
    is_anothers = env.get(PROFILE, name) not in ("", name)
    return own if is_anothers or not is_here else None


def region_here(name: str, own: str | None, env: Mapping[str, str]) -> str | None:
    """Where to work for this profile. AWS_REGION goes before AWS_DEFAULT_REGION (SDKs and Tools Reference Guide, AWS
    Region)."""
    return region_to_set(name, own, env) or env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION") or own
