"""The contractor's requests, handoffs and verifications, as lines and as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from valetkey.commandline import command
from valetkey.errors import page
from valetkey.report.text import mask, say, say_json, say_table

if TYPE_CHECKING:
    from valetkey.credentials.doctor.verification import Verification
    from valetkey.credentials.profiles.acceptance import Acceptance
    from valetkey.credentials.profiles.awsconfig import Written
    from valetkey.credentials.profiles.identity import Identity
    from valetkey.credentials.profiles.profile import Profile
    from valetkey.exchange.files import AccessRequest

# What a customer must know about an identity that cannot do what most grants require.
_KINDS = {
    "iam-user": "an IAM user",
    "iam-role": "a role, which cannot show MFA",
    "identity-center": "an Identity Center role, which cannot show MFA",
    "federated": "a federated user, which cannot assume roles: sign in as an IAM user or a role before you accept",
}


def say_request(request: AccessRequest, path: Path, *, encrypted: bool, as_json: bool) -> None:
    """Print what was written, and the fingerprint to read aloud."""
    from valetkey.exchange.files import fingerprint

    if as_json:
        from valetkey.report.results.contractor import Request
        from valetkey.report.results.shape import shaped

        customer, read_aloud = request.customer or None, fingerprint(request)
        say_json(
            shaped(Request, request, file=str(path), encrypted=encrypted, fingerprint=read_aloud, customer=customer)
        )
        return
    say(
        f"Wrote {path}{', encrypted' * encrypted}: send it to {request.customer or 'the customer'}.",
        f"  fingerprint  {fingerprint(request)}   (read it to them: `valetkey grant --request` shows the same)",
        f"  account      {request.account} ({request.partition})",
        f"  you are      {request.identity_arn}, {_KINDS.get(request.identity, request.identity)}",
        f"  ExternalId   {request.external_id}",
        *(["  public key   in the file, to encrypt the handoff to"] if request.public_key else []),
    )


def say_handoff(judged: Acceptance, name: str) -> None:
    """Print the terms of a handoff, before anything is written."""
    handoff, unknown = judged.handoff, judged.unknown
    length = f"{handoff.max_session // 3600} h" if handoff.max_session % 3600 == 0 else f"{handoff.max_session} s"
    mfa = "required" if handoff.mfa else "not required"
    if handoff.mfa_max_age:
        mfa += f", at most {handoff.mfa_max_age} s ago"
    until = f"{handoff.until:%Y-%m-%d %H:%M} UTC" if handoff.until else "no end"
    words = {
        "ExternalId": "" if "external_id" in unknown else f"{mask(handoff.external_id)}{_requested(judged)}",
        "MFA": "" if "mfa" in unknown else mfa,
        **({"from": ", ".join(handoff.from_ip)} if handoff.from_ip else {}),
        "session": "" if "max_session" in unknown else f"{length} at most",
        "until": "" if "until" in unknown else until,
        "policies": ", ".join(handoff.policies) if not unknown else "",
    }
    by_voice = f"fingerprint  {judged.fingerprint}   (compare it with the owner's by voice)"
    say(
        *([by_voice] if judged.fingerprint else []),
        f"role         {handoff.role_arn}",
        f"account      {handoff.account} ({handoff.partition}), customer {judged.customer}",
        *(f"{label:<12} {said or 'unknown'}" for label, said in words.items()),
        f"profile      {name}",
    )
    say(*(f"note: {notice}" for notice in judged.notices), stderr=True)


def _requested(judged: Acceptance) -> str:
    return ", as requested" if judged.request else ""


def say_accepted(judged: Acceptance, profile: Profile, identity: Identity, written: Written, *, as_json: bool) -> None:
    """Print what was written, and the policy that the contractor's admin must attach."""
    from valetkey.credentials.profiles.needed_policy import READ, needed_policy
    from valetkey.credentials.profiles.typed import untold

    policy = needed_policy(judged.handoff, identity)
    if as_json:
        from valetkey.report.results.contractor import Accepted, stamp
        from valetkey.report.results.shape import shaped

        say_json(
            shaped(
                Accepted,
                profile,
                profile=profile.name,
                fingerprint=judged.fingerprint or None,
                origin=judged.origin.value,
                unknown=sorted(judged.unknown),
                base=profile.source_profile,
                until=stamp(profile.until),
                config=str(written.path),
                changed=written.changed,
                backup=str(written.backup) if written.backup else None,
                policy=policy,
                notices=judged.notices,
            )
        )
        return
    change = f"Wrote the profile {profile.name} to" if written.changed else f"The profile {profile.name} is in"
    kept = f" (the file as it was: {written.backup})" if written.backup else ""
    say(
        "",
        f"{change} {written.path}{kept}.",
        f"Base identity: {identity.arn}, {_base(profile)}.",
        "",
        f"Your account's admin must attach this policy to {identity.principal}, unless it has one like it:",
        "",
        json.dumps(policy, indent=2),
        "",
        *([f"{READ} is optional: {_CERTAIN}.", ""] if policy["Statement"][1:] else []),
        f"Then try it: {command('valetkey verify', profile.name)}",
    )
    if judged.unknown:
        say(
            "",
            f"Not known: {'; '.join(untold(judged.unknown))}.",
            "`verify` shows whether the role requires an ExternalId and MFA. Ask the owner about everything else.",
        )


_CERTAIN = "with it, `verify` can say for certain who refuses, the owner or your account"


def _base(profile: Profile) -> str:
    if profile.source_profile is None:
        return "from the environment, which has to have that identity's credentials whenever the profile is used"
    return f"the AWS profile {profile.source_profile}"


def say_verification(verification: Verification, *, as_json: bool) -> None:
    """Print the result of every test."""
    if as_json:
        from valetkey.report.results.contractor import verified

        say_json(verified(verification))
        return
    say_table(
        ("way", "result", "what was seen"), [(probe.way, probe.result, probe.says) for probe in verification.probes]
    )
    if verification.likely:
        say(f"most likely: {verification.likely}")
    if verification.profile.unknown:
        say("Terms of this role are unknown: the tests show only whether it requires an ExternalId and MFA.")
    is_in = verification.probes[0].result == "right"
    if is_in and any(probe.applies and probe.result == "inconclusive" for probe in verification.probes):
        say(
            "Some tests were inconclusive. What that means, and which permissions of your account `verify` can use:",
            page("contractor.md"),
        )
