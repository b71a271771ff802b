"""The verdict on a trust policy with unknown values, for all values that they may have.

Rules:
- A verdict is computed for each combination of representative values of the symbols (`symbol_cases`).
- INVARIANT: an answer holds for every value, or names the values for which it holds. If all combinations agree, that is
  the answer. If the worst is `guarded` or better, the worst is the answer. Else the answer is `unknown`, with the
  values on which it depends.
- Unintended values (an ExternalId that is easy to guess, a principal "*") are tried separately: an answer that does not
  hold for them says "if ExternalId is not guessable".
- A finding is kept if every combination has it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import product
from typing import Any

from valetkey.account.symbols import STANDS_FOR, filled, own_name
from valetkey.account.values import OpenDocument, Symbol
from valetkey.audit.exposure import Exposure, Outsider
from valetkey.audit.findings import Hit
from valetkey.audit.scope import Scope
from valetkey.audit.subjects import TrustVerdict
from valetkey.audit.symbol_cases import Case, Cases, cases_of, outside_account
from valetkey.audit.symbol_uses import OTHER_ORG, OWN_ORG, accounts_in, context_of, uses_of, with_values, without_allows
from valetkey.audit.trusts import FindReach, judge, unknown
from valetkey.errors import PolicyError
from valetkey.policy.documents import DOCUMENT_MAX
from valetkey.policy.origin import Origin
from valetkey.policy.policy_json import load_json

CASES_MAX = 64
"""Maximum number of combinations for a document of up to ten statements; proportionally fewer for a longer one."""
_RANK: dict[Exposure, int] = {"unreachable": 0, "internal": 1, "guarded": 2, "unguarded": 3, "unknown": 4}


@dataclass(frozen=True, slots=True)
class _Judged:
    """One combination and its verdict."""

    when: str
    chosen: tuple[Case, ...]
    verdict: TrustVerdict


def judge_open(
    document: OpenDocument,
    *,
    origin: Origin,
    account: str,
    partition: str,
    scope: Scope,
    now: datetime,
    who: FindReach | None = None,
) -> TrustVerdict:
    """Return the verdict on the trust policy of a role in `account` (12 digits). Raises nothing."""
    names = [item.name for item in document.symbols]
    try:
        trees = [load_json(text, DOCUMENT_MAX) for _, text in document.variants]
    except PolicyError as error:
        return unknown(f"the trust policy cannot be read: {error.what} ({error.where})")
    uses = [use for tree in trees for use in uses_of(tree)]
    own = scope.own | {account}
    context = context_of(uses, account, partition, scope.org_id)
    taken = frozenset(own).union(*(accounts_in(text) for _, text in document.variants))
    cases: list[Cases] = []
    stand_ins: list[str] = []
    beyond: list[int] = []
    for number, symbol in enumerate(document.symbols):
        stand_in = outside_account(symbol, taken)
        result = cases_of(number, symbol, uses, replace(context, taken=taken))
        if result is None:
            beyond.append(number)
        taken |= {stand_in}
        stand_ins.append(stand_in)
        cases.append(result or Cases((Case("x"),)))
        context = with_values(context, uses, number, [item.value for item in cases[-1].usual], stand_in)
    if beyond:
        symbol = document.symbols[beyond[0]]
        reason = f"not decided: it hangs on {symbol.name}: {symbol.reason}"
        # INVARIANT: an Allow with too many unknown values is removed, so the remaining policy admits less.
        texts = [without_allows(tree, beyond) for tree in trees]
        variants = [(when, text) for (when, _), text in zip(document.variants, texts, strict=True) if text is not None]
        if len(variants) < len(texts):
            return unknown(reason)
        document = replace(document, variants=tuple(variants))
    count = len(document.variants)
    for item in cases:
        count *= len(item.usual)
    statements = max(sum(use.kind == "effect" for use in uses_of(tree)) for tree in trees)
    most = min(CASES_MAX, max(4, 10 * CASES_MAX // max(1, statements)))
    if count > most:
        return unknown(f"not decided: it hangs on too much that is not known: {', '.join(names)}")
    org = any(item.value.startswith(OWN_ORG) for case in cases for item in case.usual)
    here = replace(scope, org_id=scope.org_id or (OWN_ORG if org else None))
    spoken = _names_of(document.symbols, cases, stand_ins)
    known: dict[str, TrustVerdict] = {}

    def try_(text: str, chosen: Sequence[Case]) -> TrustVerdict:
        whole = filled(text, {number: case.value for number, case in enumerate(chosen)})
        if whole not in known:
            known[whole] = judge(
                whole, origin=origin, account=account, partition=partition, scope=here, now=now, who=who
            )
        return known[whole]

    judged = [
        _Judged(when, chosen, try_(text, chosen))
        for when, text in document.variants
        for chosen in product(*(item.usual for item in cases))
    ]
    answer = _answer(judged, names)
    if beyond and answer.exposure != "unguarded":
        answer = replace(answer, exposure="unknown", reason=reason)
    if answer.exposure == "unknown":
        return _readable(answer, spoken, stand_ins)
    unless = _hypotheses(document, cases, answer, try_, most)
    sent = {value for outsider in answer.found.outsiders for way in outsider.ways for value in way.external_ids}
    for number, result in enumerate(cases):
        if result.unless == "is not guessable" and sent & {item.value for item in result.usual}:
            unless.add(number)
    said = [f"{names[number]} {cases[number].unless}" for number in sorted(unless)]
    better = _better(judged, answer.exposure, names)
    reason = ", ".join(filter(None, [f"if {' and '.join(said)}" if said else "", better]))
    assumed = (*answer.assumed, *said)
    return _readable(replace(answer, reason=reason or answer.reason, assumed=assumed), spoken, stand_ins)


def _answer(judged: Sequence[_Judged], names: Sequence[str]) -> TrustVerdict:
    worst = max(judged, key=lambda item: _RANK[item.verdict.exposure])
    best = min(judged, key=lambda item: _RANK[item.verdict.exposure])
    exposure = worst.verdict.exposure
    if exposure == "unknown":
        every = _common([item.verdict for item in judged], best.verdict)
        return replace(worst.verdict, found=best.verdict.found, hits=every)
    if exposure == best.verdict.exposure or exposure != "unguarded":
        same = [item.verdict for item in judged if item.verdict.exposure == exposure]
        return replace(worst.verdict, hits=_common(same, worst.verdict))
    reason = f"not decided: {exposure} {_better(judged, exposure, names)}"
    every = _common([item.verdict for item in judged], best.verdict)
    return replace(best.verdict, exposure="unknown", reason=reason, hits=every)


def _better(judged: Sequence[_Judged], exposure: Exposure, names: Sequence[str]) -> str:
    """Describe when the exposure is better than this one; empty where it never is."""
    said: dict[str, None] = {}
    same = [item for item in judged if item.verdict.exposure == exposure]
    for item in judged:
        if _RANK[item.verdict.exposure] >= _RANK[exposure]:
            continue
        parts = (
            [f"condition {item.when}"] if item.when and not all(element.when == item.when for element in same) else []
        )
        for number, case in enumerate(item.chosen):
            # A value that all combinations with this exposure share makes no difference by itself.
            if case.label and not all(element.chosen[number] == case for element in same):
                parts.append(f"{names[number]} is {case.label}")
        said[" and ".join(parts) or "other values are given"] = None
    # A description that contains all parts of a shorter one adds nothing.
    short = [
        item
        for item in said
        if not any(element != item and set(element.split(" and ")) < set(item.split(" and ")) for element in said)
    ]
    return f"unless {', or '.join(short)}" if short else ""


def _common(verdicts: Sequence[TrustVerdict], of: TrustVerdict) -> tuple[tuple[str, Hit], ...]:
    """The findings of `of` that all the verdicts have at the same place."""
    every = [{(check, hit.where) for check, hit in verdict.hits} for verdict in verdicts]
    return tuple((check, hit) for check, hit in of.hits if all((check, hit.where) in item for item in every))


def _hypotheses(
    document: OpenDocument,
    cases: Sequence[Cases],
    answer: TrustVerdict,
    try_: Callable[[str, Sequence[Case]], TrustVerdict],
    most: int,
) -> set[int]:
    """The symbols for which the answer must exclude unintended values. A symbol is dropped if the answer is shown to
    hold for its unintended values too."""
    needed = {number for number, case in enumerate(cases) if case.unmeant}
    for number in sorted(needed):
        without = needed - {number}
        ways = [case.usual if at in without else case.usual + case.unmeant for at, case in enumerate(cases)]
        if _holds(document, ways, answer, try_, most):
            needed = without
    return needed


def _holds(
    document: OpenDocument,
    ways: Sequence[tuple[Case, ...]],
    answer: TrustVerdict,
    try_: Callable[[str, Sequence[Case]], TrustVerdict],
    most: int,
) -> bool:
    count = len(document.variants)
    for way in ways:
        count *= len(way)
    if count > most:
        return False
    return all(_holds_for(try_(text, chosen), answer) for _, text in document.variants for chosen in product(*ways))


def _holds_for(verdict: TrustVerdict, answer: TrustVerdict) -> bool:
    """Whether an answer holds for a verdict: the exposure is not worse; for `unguarded`, it is also `unguarded`, with
    the same findings."""
    if answer.exposure != "unguarded":
        return _RANK[verdict.exposure] <= _RANK[answer.exposure]
    return verdict.exposure == "unguarded" and len(_common([verdict], answer)) == len(answer.hits)


def _names_of(symbols: Sequence[Symbol], cases: Sequence[Cases], stand_ins: Sequence[str]) -> dict[str, str]:
    """The display names of the values that represent symbols ("<ExternalId>"), by value, the longest value first."""
    put: dict[str, str] = {}
    for symbol, item, account in zip(symbols, cases, stand_ins, strict=True):
        name = f"<{re.sub(':+', '.', symbol.name)}>"  # it may be in an ARN
        own = own_name(symbol)
        made = [case.value for case in item.usual if case.value.startswith((STANDS_FOR, OTHER_ORG))]
        for value in (*made, f"{own}.example", own, account):
            put.setdefault(value.removesuffix("/*"), name)
    return dict(sorted(put.items(), key=lambda item: -len(item[0])))


def _readable(verdict: TrustVerdict, put: Mapping[str, str], accounts: Sequence[str]) -> TrustVerdict:
    """Replace the values that represent symbols in a verdict by the symbols' names. Requests and ExternalIds keep the
    values."""
    hits = tuple(
        (check, replace(hit, text=_put(hit.text, put), document=_put(hit.document, put))) for check, hit in verdict.hits
    )
    result = verdict.found
    outsiders = {id(outsider): _named(outsider, put) for outsider in result.outsiders}
    sent = {outsider.witness.caller.account for outsider in result.outsiders}
    examples = [
        f"in the examples of requests {account} is the account that {put[account]} names"
        for account in accounts
        if account in sent
    ]
    result = replace(
        result,
        outsiders=tuple(outsiders.values()),
        extras=tuple((outsiders[id(outsider)], region) for outsider, region in result.extras),
        notes=(*(_put(note, put) for note in result.notes), *examples),
    )
    return replace(verdict, found=result, reason=_put(verdict.reason, put), hits=hits)


def _named(outsider: Outsider, put: Mapping[str, str]) -> Outsider:
    ways = tuple(replace(way, callers=tuple(_put(list(way.callers), put))) for way in outsider.ways)
    return replace(outsider, name=_put(outsider.name, put), ways=ways)


def _put(value: Any, put: Mapping[str, str]) -> Any:
    if isinstance(value, Mapping):
        return {_put(key, put): _put(item, put) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_put(item, put) for item in value]
    if isinstance(value, str):
        for result, name in put.items():
            value = value.replace(result, name)
    return value
