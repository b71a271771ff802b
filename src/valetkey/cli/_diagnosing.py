"""Collect the doctor's facts from this computer and from AWS. A failure is recorded as a fact."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from valetkey.account.calls import CallError
from valetkey.awsfiles import ConfigError
from valetkey.errors import ValetkeyError

if TYPE_CHECKING:
    from valetkey.credentials.doctor.diagnosis import Facts, NotRead, Signed
    from valetkey.credentials.profiles.profile import Profile
    from valetkey.credentials.sessions.opener import Entry
    from valetkey.credentials.sessions.protocols import SignedIn


def inquire(profile: Profile | None, *, ask: bool) -> tuple[Facts, Entry | None]:
    """Return the facts, and the opened profile if its base identity could be resolved.

    `ask`: a base identity that requires an MFA code may prompt for it; else it counts as not resolved.
    """
    from valetkey.aws import clock as aws
    from valetkey.cli._machine import clock, machine
    from valetkey.credentials.doctor.diagnosis import NotRead
    from valetkey.credentials.doctor.facts import gather
    from valetkey.credentials.doctor.refusal_reasons import quiet_keys
    from valetkey.credentials.profiles.awsconfig import region_of
    from valetkey.credentials.sessions.opener import entry_of

    source = (
        profile.source_profile if profile else os.environ.get("AWS_PROFILE") or os.environ.get("AWS_DEFAULT_PROFILE")
    )
    region = profile.region if profile else region_of(source, os.environ)
    partition = profile.partition if profile else aws.partition_of(region or "us-east-1") or "aws"
    entry: Entry | None = None
    base: SignedIn | None = None
    try:
        if profile is not None:
            entry = entry_of(machine(), profile, quiet=not ask)
            base = entry.base
        else:
            base = _alone(source, region, partition)
        signed: Signed | NotRead = _signed(base)
    except ValetkeyError as problem:
        signed = NotRead(_with_place(problem))
    try:
        skew: float | NotRead = aws.clock_skew(source if base else None, region=region, partition=partition)
    except ValetkeyError as problem:
        skew = NotRead(_with_place(problem), no_answer=isinstance(problem, CallError))
    facts = gather(
        profile,
        source_profile=source,
        base=signed,
        perform=base.connect(base) if base else None,
        reading=base.connect(quiet_keys(entry.profile, entry.tools())) if base and entry else None,
        skew=skew,
        partition_of=aws.partition_of,
        env=os.environ,
        now=clock(),
    )
    return replace(facts, kept=entry.looked_at() if entry else None), entry


def _with_place(problem: ValetkeyError) -> str:
    """Return the error text, with file and line if known."""
    return f"{problem.what} ({problem.where})" if isinstance(problem, ConfigError) else problem.what


def _alone(source: str | None, region: str | None, partition: str) -> SignedIn:
    from valetkey.aws.signin import sign_in
    from valetkey.cli._machine import machine
    from valetkey.credentials.sessions.base_keys import stored_key

    stored = stored_key(source, os.environ, machine().vault)
    return sign_in(source, region=region, partition=partition, stored=stored)


def _signed(base: SignedIn) -> Signed:
    from valetkey.credentials.doctor.diagnosis import Signed

    return Signed(source=base.source, keys=base, region=base.region, endpoint=base.endpoint)
