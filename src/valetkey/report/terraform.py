"""Terraform blocks on stdout; on stderr what else they need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from valetkey.report.text import say


def say_terraform(text: str, *, mfa_profiles: Mapping[str, str], without_region: Sequence[str] = ()) -> None:
    """Print `text` unchanged: every value in it is escaped for Terraform. `mfa_profiles` maps the AWS profile of each
    MFA session to the `credential_process` of its customer. `without_region`: customers whose provider lacks a
    region."""
    say(text.removesuffix("\n"))
    for name in without_region:
        say(
            f"{name}: no region is known; add `region` to its blocks, or to its profile in your AWS config", stderr=True
        )
    if mfa_profiles:
        say(
            "These blocks begin with the MFA session, which may do all that your own user may do in your own account.",
            "Add to your AWS config:",
            stderr=True,
        )
        for name, command in mfa_profiles.items():
            say("", f"[profile {name}]", f"credential_process = {command} --mfa-session", stderr=True)
