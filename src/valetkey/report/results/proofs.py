"""Proofs and regions as JSON: kinds "proof/v1" and "reach/v1" (docs/reference/{prove,who}.md)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from valetkey import prover
from valetkey.catalog import key_names
from valetkey.policy import Decision as PolicyDecision
from valetkey.policy import Policy
from valetkey.policy import Request as PolicyRequest
from valetkey.prover import Counterexample
from valetkey.prover import Proof as Proved
from valetkey.prover.access_regions import Bounds
from valetkey.prover.parties import PartyKind
from valetkey.prover.witnesses import spelt
from valetkey.report.results.decisions import Decision, decided
from valetkey.report.results.shape import Shape, plain, shaped
from valetkey.report.text import mask

_EXTERNAL_ID = key_names.EXTERNAL_ID_LOWER


@dataclass(frozen=True)
class Said:
    """The question: the file, its reference, the policies, and whether ExternalIds are shown."""

    trust: str
    than: str
    name: str
    """The name of `than` inside a sentence."""
    policies: tuple[Policy, ...]
    show_external_id: bool

    def hide(self, text: str, request: PolicyRequest | None = None) -> str:
        """Return a reason with every quoted ExternalId masked, unless they are shown."""
        for value in () if self.show_external_id else self._external_ids(request):
            text = text.replace(f'"{value}"', f'"{mask(value)}"')
        return text

    def value(self, key: str, text: str) -> str:
        """Return one value of a condition key; an ExternalId is masked unless they are shown."""
        return mask(text) if key.lower() == _EXTERNAL_ID and not self.show_external_id else text

    def _external_ids(self, request: PolicyRequest | None) -> Iterator[str]:
        for policy in self.policies:
            for statement in policy.statements:
                for condition in statement.conditions:
                    if condition.key.lower() == _EXTERNAL_ID:
                        yield from condition.values
        sent = request.keys.get(_EXTERNAL_ID, ()) if request else ()
        yield from (sent,) if isinstance(sent, str) else sent


class Request(Shape, frozen=True):
    """A request in the format that `valetkey decide` reads, to replay it."""

    principal: str
    action: str | list[str]
    resource: str
    context: dict[str, str | list[str]]


class Proof(Shape, frozen=True):
    valetkey: Literal["proof/v1"]
    verdict: Literal["holds", "violated", "unknown"]
    trust: str
    within: str
    witness: Request | None = None
    decision: Decision | None = None
    reference: Decision | None = None
    statement: int | None = None
    """Counted from 1."""
    reason: str | None = None
    assumed: list[str] = msgspec.field(default_factory=list)


class Party(Shape, frozen=True):
    kind: PartyKind
    name: str
    partition: str


class Values(Shape, frozen=True):
    """The values that a condition key may have."""

    binds: bool
    absent: bool
    free: bool
    exact: list[str]
    patterns: list[str]
    span: list[tuple[str | None, str | None]]


class Region(Shape, frozen=True):
    party: Party
    kinds: list[str]
    everybody: bool
    callers: list[str]
    actions: list[str]
    values: dict[str, Values]
    statement: int
    """Counted from 1."""
    witness: Request


class Reach(Shape, frozen=True):
    valetkey: Literal["reach/v1"]
    trust: str
    decided: bool
    reason: str | None
    regions: list[Region]
    assumed: list[str]


def proved(result: Proved | Counterexample | prover.Unknown, said: Said) -> Proof:
    """Return the result of one proof."""
    about: dict[str, Any] = {"valetkey": "proof/v1", "trust": said.trust, "within": said.than}
    match result:
        case Proved(witness=witness, assumed=assumed):
            sent = None if witness is None else _request(witness, said)
            return Proof(**about, verdict="holds", witness=sent, assumed=list(assumed))
        case Counterexample(request=request):
            return Proof(
                **about,
                verdict="violated",
                witness=_request(request, said),
                decision=_decision(result.decision, request, said),
                reference=_decision(result.reference, request, said),
                statement=result.statement + 1,
            )
        case prover.Unknown(reason=reason):
            return Proof(**about, verdict="unknown", reason=reason)


def _decision(decision: PolicyDecision, request: PolicyRequest, said: Said) -> Decision:
    def hidden(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: hidden(item) for key, item in value.items()}
        if isinstance(value, list):
            return [hidden(item) for item in value]
        return said.hide(value, request) if isinstance(value, str) else value

    return msgspec.convert(hidden(plain(decided(decision))), Decision)


def _request(request: PolicyRequest, said: Said) -> Request:
    context = {
        key: said.value(key, value) if isinstance(value, str) else [said.value(key, item) for item in value]
        for key, value in request.context.items()
    }
    return shaped(Request, request, context=context)


def reached(result: prover.Reach | prover.Unknown, said: Said) -> Reach:
    """Return who is admitted."""
    least = result.least if isinstance(result, Bounds) else result
    if isinstance(least, prover.Unknown):
        return _reach(said, least.reason, [], ())
    reason = result.reason if isinstance(result, Bounds) else "; ".join(map(str, least.unjudged)) or None
    return _reach(said, reason, [_region(region, said) for region in least.regions], least.assumed)


def _reach(said: Said, reason: str | None, regions: list[Region], assumed: tuple[str, ...]) -> Reach:
    return Reach(
        valetkey="reach/v1",
        trust=said.trust,
        decided=reason is None,
        reason=reason,
        regions=regions,
        assumed=list(assumed),
    )


def _region(region: prover.Region, said: Said) -> Region:
    return shaped(
        Region,
        region,
        kinds=sorted(region.kinds),
        values={
            spelt(key): shaped(
                Values,
                values,
                exact=[said.value(key, item) for item in values.exact],
                patterns=[said.value(key, pattern) for pattern in values.patterns],
            )
            for key, values in region.values.items()
        },
        statement=region.statement + 1,
        witness=_request(region.witness, said),
    )
