"""A diagnosis as JSON: kind "doctor/v1" (docs/reference/doctor.md)."""

from __future__ import annotations

from typing import Literal

import msgspec

from valetkey.credentials.doctor import diagnosis
from valetkey.credentials.doctor import probing as doctor
from valetkey.credentials.doctor.diagnosis import CheckResult
from valetkey.report.results.shape import Shape, shaped


class Check(Shape, frozen=True):
    id: str
    what: str
    how: str
    result: CheckResult
    says: str
    do: str


class Try(Shape, frozen=True):
    way: str
    result: str
    says: str


class RuledOut(Shape, frozen=True):
    id: str
    what: str
    because: str


class Open(Shape, frozen=True):
    id: str
    what: str
    who: str
    how: str


class Probe(Shape, frozen=True):
    is_in: bool = msgspec.field(name="in")
    tries: list[Try]
    reason: str | None
    refused_by: str | None
    side: str | None
    ruled_out: list[RuledOut]
    open: list[Open]
    message: str | None


class Diagnosis(Shape, frozen=True):
    valetkey: Literal["doctor/v1"]
    profile: str | None
    role_arn: str | None
    checks: list[Check]
    probe: Probe | None
    likely: str | None


def diagnosed(
    facts: diagnosis.Facts,
    checks: tuple[diagnosis.AnsweredCheck, ...],
    probing: doctor.Probing | None,
    likely: str,
    letter: str,
) -> Diagnosis:
    """Return every check, and the results of the attempts."""
    profile = facts.profile
    return Diagnosis(
        valetkey="doctor/v1",
        profile=profile.name if profile else None,
        role_arn=profile.role_arn if profile else None,
        checks=[
            shaped(Check, check.check, result=check.answer.result, says=check.answer.says, do=check.answer.do)
            for check in checks
        ],
        probe=None if probing is None else _probe(probing, letter),
        likely=likely or None,
    )


def _probe(probing: doctor.Probing, letter: str) -> Probe:
    """Return the attempts, with the policy that AWS's message names, and which side it belongs to."""
    from valetkey.credentials.sessions.refusal_sides import side_of

    side = side_of(probing.denial)
    return shaped(
        Probe,
        probing,
        reason=probing.reason or None,
        refused_by=probing.denial.named if probing.denial is not None and side is not None else None,
        side=side.value if side is not None else None,
        ruled_out=[shaped(RuledOut, cause, because=cause.how) for cause in probing.ruled_out],
        message=letter or None,
    )
