"""Checks on who can assume a role by its trust policy, and on ineffective conditions.

They read the regions that the prover's `who` returns: a condition is required if every allowed request meets it,
regardless of which operators, statements and Denies cause this. The document itself is only read to explain why a
condition is not required.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from valetkey.audit import fixes
from valetkey.audit.exposure import ORG_ID, ORG_PATHS, Outsider, WayIn
from valetkey.audit.findings import Hit
from valetkey.audit.guards import conditions_on, why_not_required
from valetkey.audit.registry import check
from valetkey.audit.required import EXTERNAL_ID, MFA, MFA_AGE
from valetkey.audit.subjects import Trust
from valetkey.audit.wording import numbered, place_of, shown, statements_of


def _parties(trust: Trust) -> Iterator[Outsider]:
    """The identified outsiders that use AWS credentials."""
    return (outsider for outsider in trust.found.outsiders if outsider.kind in ("account", "organisation", "unique id"))


def _anybody(trust: Trust) -> Iterator[Outsider]:
    return (outsider for outsider in trust.found.outsiders if outsider.kind == "anybody")


def _fix(trust: Trust, statements: Collection[int], *, external_id: bool, mfa: bool) -> fixes.JsonDocument | None:
    """The document with these guards; None where insiders get in by the same statements, because the guards would lock
    them out."""
    if any(region.statement in statements for region in trust.found.insiders):
        return None
    return fixes.require(trust.text, statements, external_id=external_id, mfa=mfa)


@check(
    "T1",
    title="An outsider needs neither an ExternalId nor MFA",
    severity="high",
    why=(
        "Anyone who steals an access key of that account, or who makes its service act for another customer, can "
        "assume the role."
    ),
    fix="require an ExternalId that only this contractor has for you, and MFA where people assume the role",
    page="id_roles_common-scenarios_third-party.html",
)
def bare_outsider(trust: Trust) -> Iterator[Hit]:
    for outsider in _parties(trust):
        ways = [way for way in outsider.ways if not way.external_ids and not way.mfa]
        if ways:
            at = statements_of(ways)
            named = any(":role/" in caller or caller.startswith("AROA") for way in ways for caller in way.callers)
            yield Hit(
                f"{shown(outsider, ways)} gets in through {numbered(at)} without ExternalId and without MFA",
                place_of(trust, at),
                ways[0].witness,
                document=_fix(trust, at, external_id=True, mfa=not named),
            )


@check(
    "T2",
    title="An outsider needs no ExternalId",
    severity="low",
    why=(
        "MFA protects a person's key. It does not tell the contractor's customers apart, so its systems can be "
        "misled into using your role for another customer."
    ),
    fix="require an ExternalId too if the contractor has other customers than you",
    page="confused-deputy.html",
)
def no_external_id(trust: Trust) -> Iterator[Hit]:
    for outsider in _parties(trust):
        ways = [way for way in outsider.ways if not way.external_ids]
        if ways and all(way.mfa for way in ways):
            at = statements_of(ways)
            yield Hit(
                f"{shown(outsider, ways)} gets in through {numbered(at)} with MFA and without ExternalId",
                place_of(trust, at),
                ways[0].witness,
                document=_fix(trust, at, external_id=True, mfa=False),
            )


@check(
    "T3",
    title="An outsider needs no MFA",
    severity="info",
    why=(
        "An ExternalId is not a secret: whoever steals a key of that account and knows the ExternalId can assume "
        "the role. A vendor's machines have no MFA; people have."
    ),
    fix="require MFA where people assume the role; for machines, name the role that they use",
    page="id_credentials_mfa_configure-api-require.html",
)
def no_mfa(trust: Trust) -> Iterator[Hit]:
    for outsider in _parties(trust):
        ways = [way for way in outsider.ways if not way.mfa]
        # MFA is not required from named callers that cannot have it.
        people = [way for way in ways if way.everybody or any(map(_is_user, way.callers))]
        if people and all(way.external_ids for way in ways):
            at = statements_of(people)
            yield Hit(
                f"{shown(outsider, people)} gets in through {numbered(at)} with an ExternalId and without MFA",
                place_of(trust, at),
                people[0].witness,
                document=_fix(trust, at, external_id=False, mfa=True),
            )


def _is_user(caller: str) -> bool:
    return ":user/" in caller or caller.startswith("AIDA")


@check(
    "T4",
    title="Anyone with an AWS account can assume the role",
    severity="critical",
    why="An AWS account is all that is needed, and everybody can have one.",
    fix="name the account in Principal, or limit the organization with StringEquals aws:PrincipalOrgID",
    page="reference_policies_elements_principal.html",
)
def anybody(trust: Trust) -> Iterator[Hit]:
    for outsider in _anybody(trust):
        ways = [way for way in outsider.ways if not way.external_ids]
        if ways:
            at = statements_of(ways)
            way = ways[0]
            asked = [*(["MFA, which everybody can have in an account of their own"] if way.mfa else []), *way.sources]
            with_ = f" with nothing but {' and '.join(asked)}" if asked else ""
            yield Hit(
                f"{shown(outsider, ways)} gets in through {numbered(at)}{with_}",
                place_of(trust, at),
                way.witness,
                "high" if way.sources else None,
            )


@check(
    "T5",
    title="Anyone who knows the ExternalId can assume the role",
    severity="high",
    why=(
        "AWS does not treat an ExternalId as a secret: everyone who can view the role can read it, and it is in "
        "logs and tickets."
    ),
    fix="name the contractor's account in Principal, in addition to the ExternalId",
    page="id_roles_common-scenarios_third-party.html",
)
def anybody_with_external_id(trust: Trust) -> Iterator[Hit]:
    for outsider in _anybody(trust):
        ways = [way for way in outsider.ways if way.external_ids]
        if ways:
            at = statements_of(ways)
            yield Hit(
                f"{shown(outsider, ways)} who knows the ExternalId gets in through {numbered(at)}",
                place_of(trust, at),
                ways[0].witness,
                "medium" if ways[0].sources else None,
            )


@check(
    "T6",
    title="The condition on the organization does not restrict access",
    severity="high",
    why=(
        "A principal without an organization sends no aws:PrincipalOrgID, and the operator accepts a request "
        "without the key."
    ),
    fix="use StringEquals for aws:PrincipalOrgID, ForAnyValue:StringLike for aws:PrincipalOrgPaths",
    page="reference_policies_condition-keys.html",
)
def organisation_does_not_bind(trust: Trust) -> Iterator[Hit]:
    for outsider in trust.found.outsiders:
        if outsider.kind == "provider":
            continue
        for way in outsider.ways:
            loose = [result for result in conditions_on(trust, way, (ORG_ID, ORG_PATHS)) if why_not_required(*result)]
            if loose and outsider.kind != "organisation":
                statement, condition = loose[0]
                operator = "StringEquals" if condition.key.lower() == ORG_ID else "ForAnyValue:StringLike"
                yield Hit(
                    f"{condition.key} does not keep {shown(outsider, [way])} out: "
                    f"{why_not_required(statement, condition)}",
                    condition.where,
                    way.witness,
                    document=fixes.strict(trust.text, {way.statement}, {condition.key.lower()}, operator),
                )
                break


@check(
    "T7",
    title="The condition on MFA does not require MFA",
    severity="high",
    why=(
        "With long-term keys aws:MultiFactorAuthPresent is absent, not false: an operator that accepts a request "
        "without the key accepts them."
    ),
    fix='use Bool aws:MultiFactorAuthPresent "true" in the Allow',
    page="reference_policies_condition-keys.html",
)
def mfa_does_not_bind(trust: Trust) -> Iterator[Hit]:
    yield from _guard_does_not_bind(trust, (MFA, MFA_AGE), "MFA", lambda way: way.mfa)


@check(
    "T8",
    title="The condition on the ExternalId does not require it",
    severity="high",
    why="A request without the ExternalId, or with any other one, is allowed.",
    fix="use StringEquals sts:ExternalId with the one value that was agreed",
    page="reference_policies_elements_condition_operators.html",
)
def external_id_does_not_bind(trust: Trust) -> Iterator[Hit]:
    yield from _guard_does_not_bind(trust, (EXTERNAL_ID,), "the ExternalId", lambda way: bool(way.external_ids))


def _guard_does_not_bind(
    trust: Trust, keys: tuple[str, ...], name: str, binds: Callable[[WayIn], bool]
) -> Iterator[Hit]:
    """Hits for conditions that test these keys while requests without them get in."""
    seen: set[str] = set()
    for outsider in trust.found.outsiders:
        for way in outsider.ways:
            if binds(way):
                continue
            for statement, condition in conditions_on(trust, way, keys):
                why = why_not_required(statement, condition)
                if not why or condition.where in seen:
                    continue
                seen.add(condition.where)
                yield Hit(
                    f"{name} does not bind {shown(outsider, [way])} in statement {statement.index + 1}: {why}",
                    condition.where,
                    way.witness,
                    None if not way.guarded else "medium",
                    _fix(trust, {way.statement}, external_id=EXTERNAL_ID in keys, mfa=MFA in keys),
                )


@check(
    "T11",
    title="A second statement allows what the first one restricts",
    severity="high",
    why="Allow statements are alternatives: the least strict one decides.",
    fix="remove the statement, or give it the same conditions",
    page="reference_policies_evaluation-logic.html",
)
def second_door(trust: Trust) -> Iterator[Hit]:
    guards: tuple[tuple[str, Callable[[WayIn], bool]], ...] = (
        ("an ExternalId", lambda way: bool(way.external_ids)),
        ("MFA", lambda way: way.mfa),
    )
    for outsider in trust.found.outsiders:
        for name, binds in guards:
            closed = [way for way in outsider.ways if binds(way)]
            for way in outsider.ways:
                stricter = [way_in for way_in in closed if way_in.statement != way.statement and _overlap(way, way_in)]
                if binds(way) or not stricter:
                    continue
                yield Hit(
                    f"statement {way.statement + 1} lets {shown(outsider, [way])} in without {name}, which statement "
                    f"{stricter[0].statement + 1} asks for",
                    trust.policy.statements[way.statement].where,
                    way.witness,
                    None if not way.guarded else "medium",
                    fixes.without_statements(trust.text, {way.statement}),
                )
                break


def _overlap(wide: WayIn, narrow: WayIn) -> bool:
    """Whether some principal can use both ways."""
    if wide.everybody:
        return True
    return narrow.everybody or bool(set(wide.callers) & set(narrow.callers))


@check(
    "T12",
    title="Only a Deny requires the ExternalId or MFA",
    severity="info",
    why=(
        "It holds: an explicit Deny wins. But whoever removes or narrows the Deny later removes the requirement, "
        "and most scanners misread this form."
    ),
    fix="put the condition into the Allow too",
    page="reference_policies_evaluation-logic.html",
)
def deny_guard(trust: Trust) -> Iterator[Hit]:
    for outsider in trust.found.outsiders:
        for way in outsider.ways:
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
                    f"{' and '.join(guards)} binds {shown(outsider, [way])} by a Deny alone: "
                    f"statement {way.statement + 1} itself does not ask for it",
                    allow.where,
                    document=_fix(trust, {way.statement}, external_id="the ExternalId" in guards, mfa="MFA" in guards),
                )
                break
