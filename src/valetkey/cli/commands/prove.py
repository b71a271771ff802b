"""valetkey prove: show that a trust policy admits nobody but whom it should, offline."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from cyclopts import Parameter

from valetkey.cli._options import Output

_Flag = Annotated[bool, Parameter(negative="")]
_Many = Parameter(consume_multiple=True, negative="")


def prove(
    *,
    trust: Annotated[str, Parameter(help="The trust policy, a JSON file.")],
    owner: Annotated[str, Parameter(help="The account of the role: 12 digits.")],
    within: Annotated[str | None, Parameter(help="It shall allow nothing that this trust policy does not.")] = None,
    to: Annotated[str | None, Parameter(help="Or: it shall admit this account only, under these terms.")] = None,
    external_id: Annotated[str | None, Parameter(help="The ExternalId that it must ask for.")] = None,
    no_external_id: Annotated[_Flag, Parameter(help="It need not ask for one.")] = False,
    mfa: Annotated[bool, Parameter(help="It must require MFA.")] = True,
    mfa_max_age: Annotated[str | None, Parameter(help="MFA no older than this, like 1h.")] = None,
    only: Annotated[tuple[str, ...], _Many, Parameter(help="It may admit these users or roles only.")] = (),
    name_people: Annotated[_Flag, Parameter(help="It must ask for session name = IAM user name.")] = False,
    source_identity: Annotated[_Flag, Parameter(help="It may let a source identity be set.")] = False,
    session_tags: Annotated[_Flag, Parameter(help="It may let session tags be set.")] = False,
    until: Annotated[str | None, Parameter(help="It must end by then: 2026-12-31, 2026-12-31T18:00Z or 30d.")] = None,
    show_external_id: Annotated[_Flag, Parameter(help="Print ExternalIds in full.")] = False,
    output: Output = Output(),  # noqa: B008
) -> int:
    """Prove that a trust policy allows nothing else, or show a request that gets in. 0 holds, 1 not or not decided.

    Nothing leaves the machine, and nothing is looked up. It speaks of every request from now on.
    """
    from valetkey.cli import _trusts
    from valetkey.prover import Proof
    from valetkey.prover import prove as proof_of
    from valetkey.report import proofs
    from valetkey.trust.reference import as_policy

    now = datetime.now(UTC)
    document = _trusts.read(trust)
    if within is not None:
        said_too = (
            to,
            external_id,
            mfa_max_age,
            until,
            only,
            no_external_id,
            name_people,
            source_identity,
            session_tags,
        )
        _trusts.refuse_terms(*said_too, not mfa)
        reference, than = _trusts.read(within), within
    else:
        terms = _trusts.terms(
            document,
            to=to,
            external_id=external_id,
            no_external_id=no_external_id,
            mfa=mfa,
            mfa_max_age=mfa_max_age,
            only=only,
            name_people=name_people,
            source_identity=source_identity,
            session_tags=session_tags,
            until=until,
            now=now,
        )
        reference, than = as_policy(terms), proofs.terms_in_words(terms)
    found = proof_of(document, within=reference, resource=_trusts.role(document, reference, owner=owner), now=now)
    name = "the terms" if within is None else within
    said = proofs.Said(trust, than, name, (document, reference), show_external_id)
    proofs.say_proof(found, said, as_json=output.as_json)
    return 0 if isinstance(found, Proof) else 1
