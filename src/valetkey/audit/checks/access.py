"""The checks on who gets in by a trust policy, and what does not keep them out. Each is one function; what they mean is
said in `table`.

They read the regions that `who` found: what binds is what holds for every request that gets in, whichever operators,
statements and Denies bring that about. The document itself is only looked at to say why something does not bind.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from valetkey.audit import fixes
from valetkey.audit.exposure import EXTERNAL_ID, MFA, MFA_AGE, ORG_ID, ORG_PATHS, Outsider, Way
from valetkey.audit.findings import Hit
from valetkey.audit.issuers import host_of
from valetkey.audit.trusts import Trust
from valetkey.policy.conditions import Condition
from valetkey.policy.principals import Grant
from valetkey.policy.statements import Statement


def shown(outsider: Outsider) -> str:
    """An outsider in words."""
    label = f" ({outsider.label})" if outsider.label else ""
    match outsider.kind:
        case "account":
            return f"account {outsider.name}{label}"
        case "organisation":
            return f"organisation {outsider.name}"
        case "unique id":
            kind = "user" if outsider.name.startswith("AIDA") else "role"
            return f"{kind} {outsider.name} of an unknown account"
        case "provider":
            return f"identities of {outsider.label or host_of(outsider.name) or 'any identity provider'}"
    return "anybody with an AWS account"


def _parties(trust: Trust) -> Iterator[Outsider]:
    """Outsiders that are somebody in particular, and come in with AWS credentials."""
    return (each for each in trust.found.outsiders if each.kind in ("account", "organisation", "unique id"))


def _anybody(trust: Trust) -> Iterator[Outsider]:
    return (each for each in trust.found.outsiders if each.kind == "anybody")


def place_of(trust: Trust, statements: Collection[int]) -> str:
    return trust.policy.statements[min(statements)].where if statements else ""


def numbered(statements: Collection[int]) -> str:
    listed = ", ".join(str(each + 1) for each in sorted(statements))
    return f"statement{'s' if len(statements) > 1 else ''} {listed}"


def statements_of(ways: Collection[Way]) -> set[int]:
    return {each.statement for each in ways}


def _fix(trust: Trust, statements: Collection[int], *, external_id: bool, mfa: bool) -> fixes.Document | None:
    """The document with these guards; None where something of the owner's comes in by the same statements: it would be
    shut out."""
    if any(each.statement in statements for each in trust.found.insiders):
        return None
    return fixes.require(trust.text, statements, external_id=external_id, mfa=mfa)


def bare_outsider(trust: Trust) -> Iterator[Hit]:
    """T1"""
    for each in _parties(trust):
        ways = [way for way in each.ways if not way.external_ids and not way.mfa]
        if ways:
            at = statements_of(ways)
            named = any(":role/" in caller or caller.startswith("AROA") for way in ways for caller in way.callers)
            yield Hit(
                f"{shown(each)} gets in through {numbered(at)} without ExternalId and without MFA",
                place_of(trust, at),
                ways[0].witness,
                document=_fix(trust, at, external_id=True, mfa=not named),
            )


def no_external_id(trust: Trust) -> Iterator[Hit]:
    """T2"""
    for each in _parties(trust):
        ways = [way for way in each.ways if not way.external_ids]
        if ways and all(way.mfa for way in ways):
            at = statements_of(ways)
            yield Hit(
                f"{shown(each)} gets in through {numbered(at)} with MFA and without ExternalId",
                place_of(trust, at),
                ways[0].witness,
                document=_fix(trust, at, external_id=True, mfa=False),
            )


def no_mfa(trust: Trust) -> Iterator[Hit]:
    """T3"""
    for each in _parties(trust):
        ways = [way for way in each.ways if not way.mfa]
        # Whoever is named and has no MFA to show is not asked for it.
        people = [way for way in ways if way.everybody or any(map(_is_user, way.callers))]
        if people and all(way.external_ids for way in ways):
            at = statements_of(people)
            yield Hit(
                f"{shown(each)} gets in through {numbered(at)} with an ExternalId and without MFA",
                place_of(trust, at),
                people[0].witness,
                document=_fix(trust, at, external_id=False, mfa=True),
            )


def _is_user(caller: str) -> bool:
    return ":user/" in caller or caller.startswith("AIDA")


def anybody(trust: Trust) -> Iterator[Hit]:
    """T4"""
    for each in _anybody(trust):
        ways = [way for way in each.ways if not way.external_ids]
        if ways:
            at = statements_of(ways)
            way = ways[0]
            asked = [*(["MFA, which everybody can have in an account of their own"] if way.mfa else []), *way.sources]
            with_ = f" with nothing but {' and '.join(asked)}" if asked else ""
            yield Hit(
                f"{shown(each)} gets in through {numbered(at)}{with_}",
                place_of(trust, at),
                way.witness,
                "high" if way.sources else None,
            )


def anybody_with_external_id(trust: Trust) -> Iterator[Hit]:
    """T5"""
    for each in _anybody(trust):
        ways = [way for way in each.ways if way.external_ids]
        if ways:
            at = statements_of(ways)
            yield Hit(
                f"{shown(each)} who knows the ExternalId gets in through {numbered(at)}",
                place_of(trust, at),
                ways[0].witness,
                "medium" if ways[0].sources else None,
            )


def organisation_does_not_bind(trust: Trust) -> Iterator[Hit]:
    """T6"""
    for each in trust.found.outsiders:
        if each.kind == "provider":
            continue
        for way in each.ways:
            loose = [found for found in _tests(trust, way, (ORG_ID, ORG_PATHS)) if _loose(*found)]
            if loose and each.kind != "organisation":
                statement, condition = loose[0]
                operator = "StringEquals" if condition.key.lower() == ORG_ID else "ForAnyValue:StringLike"
                yield Hit(
                    f"{condition.key} does not keep {shown(each)} out: {_loose(statement, condition)}",
                    condition.where,
                    way.witness,
                    document=fixes.strict(trust.text, {way.statement}, {condition.key.lower()}, operator),
                )
                break


def mfa_does_not_bind(trust: Trust) -> Iterator[Hit]:
    """T7"""
    yield from _guard_does_not_bind(trust, (MFA, MFA_AGE), "MFA", lambda way: way.mfa)


def external_id_does_not_bind(trust: Trust) -> Iterator[Hit]:
    """T8"""
    yield from _guard_does_not_bind(trust, (EXTERNAL_ID,), "the ExternalId", lambda way: bool(way.external_ids))


def _guard_does_not_bind(trust: Trust, keys: tuple[str, ...], name: str, binds: Callable[[Way], bool]) -> Iterator[Hit]:
    """Conditions that ask for something, and requests that get in without it."""
    seen: set[str] = set()
    for each in trust.found.outsiders:
        for way in each.ways:
            if binds(way):
                continue
            for statement, condition in _tests(trust, way, keys):
                why = _loose(statement, condition)
                if not why or condition.where in seen:
                    continue
                seen.add(condition.where)
                yield Hit(
                    f"{name} does not bind {shown(each)} in statement {statement.index + 1}: {why}",
                    condition.where,
                    way.witness,
                    None if not way.guarded else "medium",
                    _fix(trust, {way.statement}, external_id=EXTERNAL_ID in keys, mfa=MFA in keys),
                )


def _tests(trust: Trust, way: Way, keys: Collection[str]) -> Iterator[tuple[Statement, Condition]]:
    """The conditions on these keys that concern a way: of its Allow, and of Denies about its caller."""
    for statement in trust.policy.statements:
        if statement.effect == "Allow":
            concerned = statement.index == way.statement
        else:
            concerned = statement.covers_action(way.witness.actions[0]) and bool(
                statement.covers_caller(way.witness, False) is not Grant.NONE
            )
        if concerned:
            yield from ((statement, each) for each in statement.conditions if each.key.lower() in keys)


def _loose(statement: Statement, condition: Condition) -> str:
    """Why a condition lets requests pass that it seems to stop; empty when nothing is wrong with it by itself."""
    name, values = condition.name, condition.values
    plain = condition.operator.name
    deny = statement.effect == "Deny"
    if plain == "Null":
        return "" if deny else f"{name} says whether the key is there, not what it holds"
    if deny:
        if not condition.operator.negated and not condition.if_exists:
            return f"a Deny with {name} {values_of(condition)} does not stop a request in which the key is absent"
        return ""
    if condition.if_exists:
        return f"{name} lets a request pass in which the key is absent"
    if condition.set_operator == "ForAllValues":
        return f"{name} is true when the key is absent"
    if condition.operator.negated:
        return f"{name} lets every other value pass, and no value at all"
    if any(not each.strip("*?") for each in values) and "Like" in plain:
        return f"{name} {values_of(condition)} takes any value"
    if any("${" in each for each in values):
        return f"{name} compares it with a variable, which takes what the caller brings"
    if plain == "Bool" and any(each.lower() == "false" for each in values):
        return f"{name} {values_of(condition)} asks for a request without it"
    return ""


def values_of(condition: Condition) -> str:
    """A condition's values in words; an ExternalId is never shown."""
    if condition.key.lower() == EXTERNAL_ID:
        return '"*"' if any(not each.strip("*?") for each in condition.values) else "…"
    return " or ".join(f'"{each}"' for each in condition.values[:3])


def second_door(trust: Trust) -> Iterator[Hit]:
    """T11"""
    guards: tuple[tuple[str, Callable[[Way], bool]], ...] = (
        ("an ExternalId", lambda way: bool(way.external_ids)),
        ("MFA", lambda way: way.mfa),
    )
    for each in trust.found.outsiders:
        for name, binds in guards:
            closed = [way for way in each.ways if binds(way)]
            for way in each.ways:
                stricter = [other for other in closed if other.statement != way.statement and _overlap(way, other)]
                if binds(way) or not stricter:
                    continue
                yield Hit(
                    f"statement {way.statement + 1} lets {shown(each)} in without {name}, which statement "
                    f"{stricter[0].statement + 1} asks for",
                    trust.policy.statements[way.statement].where,
                    way.witness,
                    None if not way.guarded else "medium",
                    fixes.without_statements(trust.text, {way.statement}),
                )
                break


def _overlap(wide: Way, narrow: Way) -> bool:
    """Whether the first way is open to principals that the second one is for."""
    if wide.everybody:
        return True
    return narrow.everybody or bool(set(wide.callers) & set(narrow.callers))


def deny_guard(trust: Trust) -> Iterator[Hit]:
    """T12"""
    for each in trust.found.outsiders:
        for way in each.ways:
            allow = trust.policy.statements[way.statement]
            keys = {condition.key.lower() for condition in allow.conditions}
            guards = [
                name
                for name, bound, asked in (
                    ("the ExternalId", bool(way.external_ids), EXTERNAL_ID in keys),
                    ("MFA", way.mfa, bool(keys & {MFA, MFA_AGE})),
                )
                if bound and not asked
            ]
            if guards:
                yield Hit(
                    f"{' and '.join(guards)} binds {shown(each)} by a Deny alone: statement {way.statement + 1} itself "
                    "does not ask for it",
                    allow.where,
                    document=_fix(trust, {way.statement}, external_id="the ExternalId" in guards, mfa="MFA" in guards),
                )
                break


CHECKS: dict[str, Callable[[Trust], Iterator[Hit]]] = {
    "T1": bare_outsider,
    "T2": no_external_id,
    "T3": no_mfa,
    "T4": anybody,
    "T5": anybody_with_external_id,
    "T6": organisation_does_not_bind,
    "T7": mfa_does_not_bind,
    "T8": external_id_does_not_bind,
    "T11": second_door,
    "T12": deny_guard,
}
"""By the check's id."""
