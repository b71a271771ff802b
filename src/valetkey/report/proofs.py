"""Proofs, counterexamples and regions as lines (docs/reference/{prove,who}.md)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from valetkey.policy import Request
from valetkey.prover import Counterexample, Proof, Reach, Region, RegionValues, Unknown
from valetkey.prover.access_regions import Bounds
from valetkey.prover.witnesses import spelt
from valetkey.report.results.proofs import Said, proved, reached
from valetkey.report.text import clean, say, say_json

__all__ = ["Said", "say_proof", "say_reach"]


def say_proof(result: Proof | Counterexample | Unknown, said: Said, *, as_json: bool) -> None:
    """Print the result of a proof."""
    if as_json:
        say_json(proved(result, said))
    else:
        _say(_proof_lines(result, said))


def _say(lines: Iterator[str]) -> None:
    """Print the lines; each stays one line, whatever it contains."""
    say(*(clean(line, keep=frozenset()) for line in lines))


def _proof_lines(result: Proof | Counterexample | Unknown, said: Said) -> Iterator[str]:
    match result:
        case Proof(witness=witness):
            yield f"Holds: {said.trust} admits nobody but: {said.than}."
            yield from _sent("An admitted request", witness, said) if witness else ("It admits nobody.",)
        case Counterexample(request=request):
            yield f"Does not hold: {said.trust} admits more than: {said.than}."
            yield from _sent("This request is admitted", request, said)
            yield f"  because     {said.hide(result.decision.reason, request)}"
            reason = said.hide(result.reference.reason, request)
            reason = reason.replace("the trust policy", said.name, 1)
            yield f"  beyond it   {re.sub(r'^the terms: statement [0-9]+ requires', 'the terms require', reason)}"
            return
        case Unknown(reason=reason):
            yield f"Not decided, which is not a proof: {reason}."
            return
    yield from _assumed(result.assumed)


def _assumed(facts: Sequence[str]) -> Iterator[str]:
    yield "Assumed:"
    yield from (f"  {fact}" for fact in facts)


def _sent(title: str, request: Request, said: Said) -> Iterator[str]:
    yield f"{title}:"
    yield f"  {_actions(request)} by {request.principal}"
    for key, value in request.context.items():
        for text in (value,) if isinstance(value, str) else value:
            yield f"  {key} = {said.value(key, text)}"


def _actions(request: Request) -> str:
    return request.action if isinstance(request.action, str) else " and ".join(request.action)


def say_reach(result: Reach | Unknown, said: Said, *, as_json: bool) -> None:
    """Print who is admitted."""
    if as_json:
        say_json(reached(result, said))
    elif isinstance(result, Bounds):
        say(f"Not decided: {result.reason}.")
        say("Whatever AWS does, these are admitted:" if result.least.regions else "Who is admitted depends on that.")
        _say_regions(result.least, said)
    elif isinstance(result, Unknown):
        say(f"Not decided: {result.reason}.")
    elif not result.regions and not result.unjudged:
        say(f"{said.trust} admits nobody.")
    else:
        if result.unjudged:
            _say(_unjudged_lines(result))
        _say_regions(result, said)


def _say_regions(reach: Reach, said: Said) -> None:
    for number, region in enumerate(reach.regions, 1):
        _say(_region_lines(number, region, said))
    _say(_assumed(reach.assumed))


def _unjudged_lines(reach: Reach) -> Iterator[str]:
    yield "Not decided, because it is unclear which principals these entries mean:"
    yield from (f"  {item}" for item in reach.unjudged)
    yield "In any case these are admitted:" if reach.regions else "No other caller is admitted."


def _region_lines(number: int, region: Region, said: Said) -> Iterator[str]:
    yield f"{number}. {region.party}: {_callers(region)}"
    yield f"   may call     {', '.join(region.actions)}"
    for key, values in region.values.items():
        if words := _in_words(key, values, said):
            yield f"   {spelt(key)}: {words}"
    if region.party.kind == "unique id":
        yield "   unique id    in Principal, IAM resolves it to a live user or role when the document is saved"
    yield f"   allowed by   statement {region.statement + 1}"
    yield f"   example      {_actions(region.witness)} by {region.witness.principal}"


def _callers(region: Region) -> str:
    kinds = " or ".join(f"any {kind}" for kind in sorted(region.kinds))
    if not region.everybody:
        return ", ".join(region.callers)
    return f"{kinds}, {', '.join(region.callers)} among them" if region.callers else kinds


def _in_words(key: str, values: RegionValues, said: Said) -> str:
    """Describe the values that a key must have; empty if it may be absent or have any value."""
    if values.absent and values.free:
        return ""
    parts = ["absent"] if values.absent else []
    parts += [said.value(key, item) for item in values.exact]
    parts += [f"like {said.value(key, pattern)}" for pattern in values.patterns]
    parts += [_span(low, high) for low, high in values.span]
    parts += ["any other value"] if values.free and not values.span else []
    return " or ".join(parts)


def _span(low: str | None, high: str | None) -> str:
    if low == high:
        return low or "any"
    return " and ".join([*([f"over {low}"] if low else []), *([f"under {high}"] if high else [])])
