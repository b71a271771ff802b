"""The terms of a trust policy that valetkey did not write: which callers it admits, and under which terms, by proof.

Rules:
- `admitted` lists all admitted parties, by `who`. A caller whose admission depends on what AWS does not document counts
  as admitted.
- INVARIANT: terms are returned only with a proof that every admitted caller of the contractor's account meets them. The
  candidates (`candidates`) have the fields that occur in the document. A field that cannot be proved (MFA with
  BoolIfExists, one of several ExternalIds) is left out, so that the terms require less.
- Terms read from such a trust policy need not pass `check_terms`: they are never written.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from valetkey.catalog import key_names
from valetkey.errors import PolicyError, ValetkeyError
from valetkey.policy import parse_policy
from valetkey.policy.arns import is_account, parse_arn
from valetkey.policy.origin import Origin
from valetkey.policy.principals import is_unique_id
from valetkey.policy.role_actions import SET_CONTEXT
from valetkey.policy.statements import Policy
from valetkey.prover import Counterexample, Proof, Reach, Unknown, prove, who
from valetkey.prover.access_regions import Bounds
from valetkey.prover.proof import InternalError
from valetkey.trust.reading import read_age
from valetkey.trust.record import Record, terms_digest
from valetkey.trust.reference import as_policy
from valetkey.trust.showing import ProvedTrust, admits_only
from valetkey.trust.terms import Terms


@dataclass(frozen=True)
class Admitted:
    """The parties that a trust policy admits."""

    accounts: tuple[str, ...] = ()
    """Accounts other than the role's own: 12 digits, sorted."""
    own: bool = False
    """Whether some caller of the role's own account is admitted."""
    services: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    """Identity providers (SAML, OIDC, Cognito)."""
    anybody: bool = False
    """Whether accounts that the trust policy does not name are admitted."""
    ids: tuple[str, ...] = ()
    """Existing users and roles of an unnamed account, by unique id."""
    unknown: str = ""
    """Why the admitted callers are not known; empty when they are."""

    @property
    def outsiders(self) -> bool:
        """Whether a caller outside the account may be admitted; unknown counts as yes."""
        return bool(self.accounts or self.providers or self.anybody or self.ids or self.unknown)

    @property
    def others(self) -> tuple[str, ...]:
        """The admitted parties that are not another account, in words."""
        return (
            *(["the role's own account"] if self.own else []),
            *(f"the service {service}" if service else "any AWS service" for service in self.services),
            *(
                f"the identity provider {provider}" if provider else "any identity provider"
                for provider in self.providers
            ),
        )


def admitted(document: Mapping[str, Any], *, role_arn: str) -> Admitted:
    """Compute which parties the trust policy of a role, as IAM returned it, admits. Raises nothing for a policy that
    cannot be parsed or decided: the result is `unknown`."""
    try:
        reach = who(parse_policy(document, kind="trust"), origin=Origin.RETURNED, resource=role_arn)
    except (ValetkeyError, InternalError) as error:
        return Admitted(unknown=str(error))
    if isinstance(reach, Bounds):
        reach = reach.most
    if isinstance(reach, Unknown):
        return Admitted(unknown=reach.reason)
    unknown = next((str(item) for item in reach.unjudged if item.effect == "Allow"), "")
    return _sorted(reach, parse_arn(role_arn).account, unknown)


def _sorted(reach: Reach, own: str, unknown: str) -> Admitted:
    result: dict[str, set[str]] = {}
    for region in reach.regions:
        party = region.party
        kind = "own" if (party.kind, party.name) == ("account", own) else party.kind
        result.setdefault(kind, set()).add(party.name)
    return Admitted(
        accounts=tuple(sorted(result.get("account", ()))),
        own="own" in result,
        services=tuple(sorted(result.get("service", ()))),
        providers=tuple(sorted(result.get("provider", ()))),
        anybody="any account" in result or "anonymous" in result,
        ids=tuple(sorted(result.get("unique id", ()))),
        unknown=unknown,
    )


@dataclass(frozen=True)
class ReadTerms:
    """What a trust policy requires of the contractor's account."""

    terms: Terms
    """What every admitted caller of the contractor must meet at least."""
    shown: ProvedTrust
    weak: tuple[str, ...]
    """The weaknesses of the document: conditions that have no full effect or are missing. A sentence each, with the
    remedy."""


def read_by_proof(document: Mapping[str, Any], contractor: str, *, role_arn: str) -> ReadTerms | None:
    """The proved terms of the contractor in this trust policy; None when none can be proved."""
    partition = parse_arn(role_arn).partition
    possible = list(candidates(document, partition=partition, contractor=contractor))
    for terms in possible:
        trust = admits_at_most(document, terms, role_arn=role_arn)
        if trust.holds:
            return ReadTerms(terms, trust, tuple(_weak(terms, possible[0], document)))
    return None


def recognized(document: Mapping[str, Any], record: Record, *, partition: str) -> Terms | None:
    """The recorded terms of an adopted role if they are among the candidates of its trust policy, otherwise None. They
    are not proved again, because this is for lists of many roles."""
    possible = candidates(document, partition=partition, contractor=record.contractor)
    return next((terms for terms in possible if terms_digest(terms) == record.terms), None)


def admits_at_most(document: Mapping[str, Any], terms: Terms, *, role_arn: str) -> ProvedTrust:
    """Prove that every admitted caller of the contractor's account meets the terms, and that there is such a caller.

    If the trust policy admits exactly the terms and no other party, the result is that (`ProvedTrust.is_exact`).
    """
    try:
        exact = admits_only(document, terms, role_arn=role_arn)
        if exact.holds:
            return exact
        policy = parse_policy(document, kind="trust")
        inside = prove(policy, within=_or_others(terms), resource=role_arn)
        usable = to_bring(document, terms, role_arn=role_arn)
    except ValetkeyError as error:
        return ProvedTrust(False, None, (error.what,), is_exact=False)
    failures = exact.failures if isinstance(inside, Counterexample) else ()
    if isinstance(inside, Unknown):
        failures = (f"it could not be decided: {inside.reason}",)
    witness = inside.witness if isinstance(inside, Proof) else None
    if not failures and witness is None and usable is None:
        failures = ("these terms admit nobody",)
    return ProvedTrust(not failures, witness, failures, is_exact=False)


def to_bring(document: Mapping[str, Any], terms: Terms, *, role_arn: str) -> Terms | None:
    """Terms that are sufficient for admission, by proof: these, or these without session tags and source identity, or
    with MFA. None when none of them is proved."""
    policy = parse_policy(document, kind="trust")
    bare = replace(terms, source_identity=False, session_tags=False)
    for item in (terms, bare, *(replace(element, whole_account=False, mfa=True) for element in (terms, bare))):
        if isinstance(prove(as_policy(item), within=policy, resource=role_arn), Proof):
            return item
    return None


def _or_others(terms: Terms) -> Policy:
    """A policy that allows what the terms allow, and any call from outside the contractor's account. The calls of
    services and identity providers carry no aws:PrincipalAccount, so that they are allowed too."""
    contractor = {"aws:PrincipalAccount": terms.contractor}
    statements: list[dict[str, Any]] = [
        _any_call("Allow", {"StringNotEquals": contractor}),
        # SetContext accompanies AssumeRole and is not sufficient to assume the role.
        {"Effect": "Allow", "Principal": "*", "Action": SET_CONTEXT},
    ]
    if terms.from_ip:
        # The addresses become a Deny, which must apply to the contractor only.
        outside = {"NotIpAddress": {"aws:SourceIp": list(terms.from_ip)}}
        statements.append(_any_call("Deny", {"StringEquals": contractor, **outside}))
    return as_policy(replace(terms, from_ip=()), besides=statements)


def _any_call(effect: str, condition: Mapping[str, Any]) -> dict[str, Any]:
    return {"Effect": effect, "Principal": "*", "Action": "sts:*", "Condition": condition}


# -- the terms that a document mentions, field by field ------------------------------------------------------------

_OPTIONAL = ("external_id", "mfa", "mfa_max_age", "names", "name_people", "from_ip", "until", "extras")


def candidates(document: Mapping[str, Any], *, partition: str, contractor: str) -> Iterator[Terms]:
    """Yield the terms that the document may mean, the strictest first. The last require only the account."""
    full = _said(document, partition, contractor)
    fields = [item for item in _OPTIONAL if _without(full, item) != full]
    seen: set[Terms] = set()
    for number in range(len(fields) + 1):
        for dropped in itertools.combinations(fields, number):
            terms = full
            for item in dropped:
                terms = _without(terms, item)
            terms = replace(terms, whole_account=not (terms.mfa or terms.only or terms.pin))
            if terms not in seen:
                seen.add(terms)
                yield terms


def _without(terms: Terms, field: str) -> Terms:
    match field:
        case "mfa":
            return replace(terms, mfa=False, mfa_max_age=None)
        case "names":
            return replace(terms, only=(), pin=())
        case "from_ip":
            return replace(terms, from_ip=())
        case "name_people":
            return replace(terms, name_people=False)
        case "extras":  # these terms admit more, not less
            return replace(terms, source_identity=True, session_tags=True)
        case "external_id":
            return replace(terms, external_id=None)
        case "mfa_max_age":
            return replace(terms, mfa_max_age=None)
        case _:
            return replace(terms, until=None)


def _said(document: Mapping[str, Any], partition: str, contractor: str) -> Terms:
    """The terms with every field that the document mentions in a statement about the contractor, effective or not."""
    tests: dict[str, list[str]] = {}
    named: set[str] = set()
    actions: set[str] = set()
    for statement in _many(document.get("Statement")):
        if not isinstance(statement, Mapping):
            continue
        if statement.get("Effect") != "Allow":
            for operator, key, values in _conditions(statement):
                plain = _plain(operator)
                if plain == "bool" and [value.lower() for value in values] == ["false"]:
                    tests.setdefault(f"bool {key}", []).append("true")
                elif plain in _OPPOSITE:
                    tests.setdefault(f"{_OPPOSITE[plain]} {key}", []).extend(values)
            continue
        mine = {principal for principal in _principals(statement, partition) if _is_of(principal, contractor)}
        named |= mine
        if mine:
            actions |= {str(item).lower() for item in _many(statement.get("Action"))}
        for operator, key, values in _conditions(statement):
            tests.setdefault(f"{_plain(operator)} {key}", []).extend(values)
    ids = set(tests.get(f"stringequals {key_names.EXTERNAL_ID_LOWER}", ()))
    root = not named or any(name.endswith(":root") or is_account(name) for name in named)
    only = tuple(
        item
        for operator in ("arnequals", "arnlike", "stringequals", "stringlike")
        for item in tests.get(f"{operator} aws:principalarn", ())
        if _is_of(item, contractor)
    )
    said = map(read_age, tests.get("numericlessthanequals aws:multifactorauthage", ()))
    ages = [item for item in said if item is not None]
    asked = [item.lower() for item in tests.get(f"bool {key_names.MFA_PRESENT.lower()}", ())]
    mfa = set(asked) == {"true"}
    ends = [end for item in tests.get("datelessthan aws:currenttime", ()) if (end := _moment(item))]
    whole = any(action in ("sts:*", "*") for action in actions)
    return Terms(
        contractor=contractor,
        partition=partition,
        external_id=next(iter(ids)) if len(ids) == 1 else None,
        mfa=mfa or bool(ages),
        mfa_max_age=max(ages, default=None),
        only=only if root else (),
        pin=() if root else tuple(named),
        name_people=tests.get("stringequals sts:rolesessionname") == ["${aws:username}"],
        source_identity=whole or "sts:setsourceidentity" in actions,
        session_tags=whole or "sts:tagsession" in actions,
        until=max(ends, default=None),
        from_ip=tuple(tests.get("ipaddress aws:sourceip", ())),
    )


_OPPOSITE = {
    "stringnotequals": "stringequals",
    "arnnotequals": "arnequals",
    "arnnotlike": "arnlike",
    "notipaddress": "ipaddress",
    "dategreaterthanequals": "datelessthan",
}
"""The operator whose condition remains after a Deny with the given operator."""


def _plain(operator: str) -> str:
    """The operator without IfExists and set operator, which weaken it. The proof decides whether it is effective."""
    text = operator.lower().removesuffix("ifexists")
    return text.removeprefix("foranyvalue:").removeprefix("forallvalues:")


def _principals(statement: Mapping[str, Any], partition: str) -> Iterator[str]:
    principal = statement.get("Principal")
    for item in _many(principal.get("AWS")) if isinstance(principal, Mapping) else ():
        if isinstance(item, str):
            yield f"arn:{partition}:iam::{item}:root" if is_account(item) else item


def _is_of(name: str, contractor: str) -> bool:
    if is_unique_id(name):
        return True
    try:
        return parse_arn(name).account == contractor
    except PolicyError:
        return False


def _conditions(statement: Mapping[str, Any]) -> Iterator[tuple[str, str, list[str]]]:
    condition = statement.get("Condition")
    for operator, keys in condition.items() if isinstance(condition, Mapping) else ():
        for key, values in keys.items() if isinstance(keys, Mapping) else ():
            yield operator, key.lower(), [_text(item) for item in _many(values)]


def _text(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _many(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _moment(text: str) -> datetime | None:
    try:
        result = datetime.fromisoformat(text)
        result = result.replace(tzinfo=result.tzinfo or UTC).astimezone(UTC).replace(microsecond=0)
    except (ValueError, OverflowError):
        return None
    return result if result.year in _YEARS else None


_YEARS = range(1971, 9000)
"""Years in which times a little before and after can be computed too."""


# -- weaknesses ----------------------------------------------------------------------------------------------------


def _weak(terms: Terms, said: Terms, document: Mapping[str, Any]) -> Iterator[str]:
    named = bool(terms.only or terms.pin)
    if said.mfa and not terms.mfa:
        how = (
            "MFA is required with BoolIfExists, which also allows calls signed with an access key alone"
            if "boolifexists" in {operator.lower() for operator, _ in _mentioned(document)}
            else "MFA is required in a way that also allows calls without MFA"
        )
        yield f"{how}: `--tighten` requires it with Bool"
    elif not terms.mfa and not any(":role/" in item for item in (*terms.only, *terms.pin)):
        yield "MFA is not required: a stolen access key is enough; `--tighten` requires it"
    if terms.external_id is None:
        yield (
            "several ExternalIds are accepted, or not every request has to send one: "
            "`--tighten --external-id ID` keeps one"
            if key_names.EXTERNAL_ID_LOWER in {key for _, key in _mentioned(document)}
            else "no ExternalId is required, so that another customer of the contractor can send it to this role: "
            "agree on one, and use `--tighten --external-id ID` or `--tighten --request FILE`"
        )
    if said.until is not None and terms.until is None:
        yield "the expiry in the trust policy does not apply to every request that it admits: `--until` sets one"
    if not named and not terms.mfa and terms.external_id is None:
        yield "every user and role of the contractor's account can assume the role with nothing but its own permission"
    if terms.orphans:
        yield f"these principals were deleted, and nobody can use their entries: {', '.join(terms.orphans)}"


def _mentioned(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Operators, and keys in lower case, of a document about which something was proved: its statements are objects."""
    for statement in _many(document.get("Statement")):
        yield from ((operator, key) for operator, key, _ in _conditions(statement))
