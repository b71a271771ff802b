"""Changes of a grant that the owner did not make: AWS has changed its managed policies, or the role is unused.

Rules:
- The granted version of an AWS managed policy is recorded on the role (`Record.versions`). AWS changes these policies
  in place: a new version becomes the default for every role at once (IAM User Guide,
  access_policies_managed-versioning).
- A version that is not recorded (an older grant, a policy attached by hand) or no longer readable is `unknown`, never
  "has not grown". So is a policy whose actions could not all be analyzed.
- Policies of the account itself are left out: the owner changes them.
- Actions are those in the catalog. An action that AWS published later appears as "changed".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from valetkey.account.calls import Call, CallError, Perform
from valetkey.catalog.actions import listed
from valetkey.errors import ValetkeyError
from valetkey.grants.role import NOT_SHOWN
from valetkey.grants.semantics import by_level
from valetkey.grants.status import Standing
from valetkey.policy import parse_policy
from valetkey.prover.effective_permissions import open_actions
from valetkey.trust.record import canonical

GrowthKind = Literal["grown", "changed", "unknown", "unused"]


@dataclass(frozen=True)
class Ahead:
    """One finding that needs attention before it becomes a problem."""

    kind: GrowthKind
    """For example "grown": new actions; "changed": resources, conditions or actions that the catalog does not list."""
    about: str
    """ARN of the policy, or of the role."""
    text: str
    """One sentence."""
    adds: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """New actions in AWS's spelling, by AWS's access level."""


@dataclass(frozen=True)
class Versions:
    """An AWS managed policy in its present state."""

    current: str | None
    """The default version ("v12"); None if it could not be read."""
    since: Mapping[str, Ahead | None]
    """The change since each recorded version; None: no change. Many grants have the same policies, and comparing two
    versions takes about 20 ms, so it is done once."""
    unread: str = ""
    """Why the default version could not be read, or empty."""


def look_ahead(
    standing: Standing, read: Mapping[str, Versions] | None, *, now: datetime, unused: timedelta | None = None
) -> tuple[Ahead, ...]:
    """Return the findings of a grant.

    `read` are AWS's policies by ARN (`read_versions`); None: do not check whether they have grown. `unused` is how long
    a role may be unused; None: do not check.
    """
    grown = () if read is None else _policies(standing, read)
    return (*grown, *(() if unused is None else _unused(standing, now, unused)))


def read_versions(standings: Iterable[Standing], perform: Perform) -> dict[str, Versions]:
    """Read AWS's policies of all these grants, each version once. A policy that cannot be read contains the reason.
    Raises CallError if AWS cannot be reached."""
    wanted: dict[str, set[str]] = {}
    for standing in standings:
        for arn in _of_aws(standing):
            recorded = standing.record.versions.get(arn)
            wanted.setdefault(arn, set()).update({recorded} if recorded else ())
    # Without a recorded version there is nothing to compare, so the policy is not read.
    return {arn: _read(arn, versions, perform) for arn, versions in wanted.items() if versions}


def _of_aws(standing: Standing) -> tuple[str, ...]:
    return tuple(arn for arn in sorted(standing.role.managed) if arn.split(":")[4] == "aws")


_KEPT = timedelta(days=400)
"""How long AWS keeps the last use."""


def _read(arn: str, versions: set[str], perform: Perform) -> Versions:
    documents: dict[str, Mapping[str, Any]] = {}
    unread: list[str] = []
    try:
        current = str(perform(Call("iam", "get_policy", {"PolicyArn": arn}))["Policy"]["DefaultVersionId"])
    except CallError as error:
        if error.code not in NOT_SHOWN:
            raise
        return Versions(None, {}, f"{error.call.action}: {error.code}")
    for version in sorted({*versions, current} if versions != {current} else ()):
        try:
            call = Call("iam", "get_policy_version", {"PolicyArn": arn, "VersionId": version})
            documents[version] = perform(call)["PolicyVersion"]["Document"]
        except CallError as error:
            if error.code not in NOT_SHOWN:
                raise
            unread.append(f"{version}: {error.call.action}: {error.code}")
    return Versions(current, {was: _grown(arn, was, current, documents, "; ".join(unread)) for was in versions})


def _policies(standing: Standing, read: Mapping[str, Versions]) -> Iterator[Ahead]:
    for arn in _of_aws(standing):
        name = arn.rsplit("/", 1)[-1]
        was, policy = standing.record.versions.get(arn), read.get(arn)
        if was is None:
            yield Ahead("unknown", arn, f"{name}: which version was granted is not recorded")
        elif policy is None or policy.current is None:
            why = policy.unread if policy else "it was not read"
            yield Ahead("unknown", arn, f"{name}: whether AWS has changed it since {was} is unknown: {why}")
        elif result := policy.since[was]:
            yield result


def _grown(arn: str, was: str, current: str, documents: Mapping[str, Mapping[str, Any]], unread: str) -> Ahead | None:
    if was == current:
        return None
    what = f"{arn.rsplit('/', 1)[-1]}: granted as {was}, now {current}"
    before, after = documents.get(was), documents.get(current)
    if before is None or after is None:
        return Ahead("unknown", arn, f"{what}; what that adds is unknown: {unread or 'no longer readable'}")
    try:
        (had, one), (has, other) = _actions(before), _actions(after)
    except ValetkeyError as problem:
        return Ahead("unknown", arn, f"{what}; what that adds is unknown: {problem.what}")
    if one or other:
        return Ahead("unknown", arn, f"{what}; what that adds is unknown: {one or other}")
    if has - had:
        adds = by_level(frozenset(listed(item) or item for item in has - had))
        counts = ", ".join(f"{len(actions)} {level.lower()}" for level, actions in adds.items())
        return Ahead("grown", arn, f"{what}; new actions: {counts}", adds)
    if canonical(before) != canonical(after):
        return Ahead("changed", arn, f"{what}; no listed action is new; review what else changed")
    return None


def _actions(document: Mapping[str, Any]) -> tuple[frozenset[str], str]:
    return open_actions([("policy", parse_policy(document, kind="identity"))], boundary=None)


def _unused(standing: Standing, now: datetime, unused: timedelta) -> Iterator[Ahead]:
    """Yield a finding for an unused role. AWS reports the last use with a delay of some hours, and within 400 days
    (access_policies_last-accessed)."""
    role = standing.role
    since = role.last_used or role.created
    if now - since <= unused:
        return
    if role.last_used is not None:
        how = f"last used {role.last_used:%Y-%m-%d}"
    elif now - role.created > _KEPT:
        how = f"no use within {_KEPT.days} days"
    else:
        how = f"not used since it was created {role.created:%Y-%m-%d}"
    yield Ahead("unused", role.arn, f"{how}: longer than {_long(unused)} ago")


_UNITS = {
    "day": timedelta(days=1),
    "hour": timedelta(hours=1),
    "minute": timedelta(minutes=1),
    "second": timedelta(seconds=1),
}


def _long(span: timedelta) -> str:
    """In the largest unit in which it is whole."""
    unit = next(item for item, length in _UNITS.items() if not span % length)
    number = span // _UNITS[unit]
    return f"{number} {unit}{'s' * (number != 1)}"
