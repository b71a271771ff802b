"""Proofs, over all requests, that a trust policy admits exactly the terms, or no caller.

Rules:
- Containment both ways: the document allows only what the terms allow (`reference`), and denies nothing that the terms
  allow. Also some caller must be admitted: a trust policy without any would pass the first proof.
- The caller's own policies are not evaluated: across accounts they can only deny more, so the trust policy alone is an
  upper bound (reference_policies_evaluation-logic_policy-eval-cross-account).
- INVARIANT: an undecided proof never counts as holding.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from valetkey.catalog import key_names
from valetkey.policy import Decision, Request, parse_policy
from valetkey.policy.arns import parse_arn
from valetkey.policy.reasons import TestResult
from valetkey.prover import Counterexample, Proof, Unknown, prove
from valetkey.trust.reference import ADMITS_NOBODY, as_policy
from valetkey.trust.terms import Terms, TermsError

_EXTERNAL_ID = key_names.EXTERNAL_ID


@dataclass(frozen=True)
class ProvedTrust:
    """The result of proofs about a trust policy."""

    holds: bool
    witness: Request | None
    """A request that the trust policy allows under the terms."""
    failures: tuple[str, ...]
    """The failures, a sentence each. ExternalIds in them are shortened: not secret, but they identify a customer."""
    is_exact: bool = True
    """False: the proof is only that every admitted caller of the contractor meets the terms."""


def admits_only(document: Mapping[str, Any], terms: Terms, *, role_arn: str) -> ProvedTrust:
    """Prove that the trust policy of `role_arn` admits exactly the terms.

    Terms with orphans (read from AWS) hold as long as a pinned principal still exists. Raises PolicyError for a
    document that AWS would reject, and TermsError when role and contractor are one account or in two partitions.
    """
    check_places(terms, role_arn)
    policy, agreed = parse_policy(document, kind="trust"), as_policy(terms)
    inside = prove(policy, within=agreed, resource=role_arn)
    failures = list(_wrong(inside, terms, role_arn))
    failures += _wrong(prove(agreed, within=policy, resource=role_arn), terms, role_arn, refused=True)
    witness = inside.witness if isinstance(inside, Proof) else None
    if witness is not None and _unique_id(witness) in terms.orphans:
        witness = None  # no caller has that id
    if witness is None and not failures:
        failures.append("these terms admit nobody")
    return ProvedTrust(
        not failures, witness, tuple(dict.fromkeys(failures))
    )  # undecided for one reason both ways: said once


def admits_nobody(document: Mapping[str, Any], *, role_arn: str) -> ProvedTrust:
    """Prove that the trust policy of `role_arn` admits no caller. Raises PolicyError."""
    policy = parse_policy(document, kind="trust")
    answer = prove(policy, within=parse_policy(ADMITS_NOBODY, kind="trust"), resource=role_arn)
    failures = tuple(_wrong(answer, None, role_arn))
    return ProvedTrust(not failures, None, failures)


def _unique_id(request: Request) -> str:
    """The unique id of the user or role that makes a request; "" when the request does not contain it."""
    return str(request.keys.get("aws:userid", "")).partition(":")[0]


def _wrong(
    answer: Proof | Counterexample | Unknown, terms: Terms | None, role_arn: str, *, refused: bool = False
) -> list[str]:
    """`refused`: the counterexample is a request that must be admitted."""
    if isinstance(answer, Proof):
        return []
    if isinstance(answer, Unknown):
        return [f"it could not be decided: {answer.reason}"]
    what = f"is refused{_because(answer.reference)}" if refused else "is admitted"
    return [f"{_told(answer.request, terms, role_arn)}, {what}"]


def _told(request: Request, terms: Terms | None, role_arn: str) -> str:
    """Describe a request, as the subject of a sentence."""
    caller = request.caller
    whose = "another account"
    if caller.account == parse_arn(role_arn).account:
        whose = "the owner"
    elif terms is not None and caller.account == terms.contractor:
        whose = "the contractor"
    kind = "role session" if caller.kind == "session" else caller.kind
    who = f"the {kind}" if caller.unsigned else f"a {kind} of {whose}"
    sent = ", ".join(f"{key} = {_cut(key, value)!r}" for key, value in request.context.items()) or "nothing"
    action = request.action if isinstance(request.action, str) else "+".join(request.action)
    return f"{who} ({request.principal}), by {action} with {sent}"


def _cut(key: str, value: object) -> object:
    return f"{value[:4]}… ({len(value)} characters)" if key == _EXTERNAL_ID and isinstance(value, str) else value


def _because(decision: Decision) -> str:
    denied = decision.outcome == "explicit_deny"
    result = [
        f"statement {part.statement} {reason}" for part in decision.parts for reason in _reasons(part.findings, denied)
    ]
    return f": {'; '.join(result)}" if result else ""


def _reasons(findings: Sequence[TestResult], denied: bool) -> Iterator[str]:
    for result in findings:
        if key_names.EXTERNAL_ID_LOWER in result.where.lower():
            yield f"denies this {_EXTERNAL_ID}" if denied else f"requires another {_EXTERNAL_ID}"
        else:
            yield f"denies {result.text}" if denied else result.text
    if denied and not findings:
        yield "denies it"


def check_places(terms: Terms, role_arn: str) -> None:
    """Raise TermsError unless role and contractor are in two accounts of one partition."""
    role = parse_arn(role_arn)
    if role.account == terms.contractor:
        raise TermsError(
            f"the contractor's account {terms.contractor} is the role's own account",
            do="name the account of the outside party",
            where="contractor",
        )
    if role.partition != terms.partition:
        raise TermsError(
            f"the contractor is in {terms.partition} and the role in {role.partition}: no call crosses partitions",
            do="use an account of the same partition",
            where="partition",
        )
