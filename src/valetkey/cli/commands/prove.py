"""valetkey prove: prove that a trust policy admits only the intended callers, offline."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from cyclopts import Parameter

from valetkey.cli._options import Output
from valetkey.cli._terms import TermOptions

_Flag = Annotated[bool, Parameter(negative="")]


def prove(
    *,
    trust: Annotated[str, Parameter(help="The trust policy, a JSON file.")],
    owner: Annotated[str, Parameter(help="The account of the role: 12 digits.")],
    within: Annotated[
        str | None, Parameter(help="A reference trust policy: fail if --trust allows anything that it does not.")
    ] = None,
    terms: TermOptions = TermOptions(),  # noqa: B008
    show_external_id: Annotated[_Flag, Parameter(help="Print ExternalIds in full.")] = False,
    output: Output = Output(),  # noqa: B008
) -> int:
    """Prove that a trust policy admits only the intended callers, or show a request that it wrongly admits.

    Exit code 0: holds; 1: does not hold, or not decided. Works offline. The answer covers every request from now on.
    """
    from valetkey.cli import _trusts
    from valetkey.prover import Proof
    from valetkey.prover import prove as proof_of
    from valetkey.report import proofs
    from valetkey.trust.reference import as_policy
    from valetkey.trust.term_rows import sentence

    now = datetime.now(UTC)
    document = _trusts.read(trust)
    if within is not None:
        _trusts.refuse_terms(terms.flags())
        reference, than = _trusts.read(within), within
    else:
        agreed = _trusts.terms(document, terms, now=now)
        reference, than = as_policy(agreed), sentence(agreed)
    result = proof_of(document, within=reference, resource=_trusts.role(document, reference, owner=owner), now=now)
    name = "the terms" if within is None else within
    said = proofs.Said(trust, than, name, (document, reference), show_external_id)
    proofs.say_proof(result, said, as_json=output.as_json)
    return 0 if isinstance(result, Proof) else 1
