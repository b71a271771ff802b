"""valetkey who: list every caller that a trust policy admits, offline."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from cyclopts import Parameter

from valetkey.cli._options import Output


def who(
    *,
    trust: Annotated[str, Parameter(help="The trust policy, a JSON file.")],
    owner: Annotated[str | None, Parameter(help="The account of the role: 12 digits.")] = None,
    show_external_id: Annotated[bool, Parameter(negative="", help="Print ExternalIds in full.")] = False,
    output: Output = Output(),  # noqa: B008
) -> int:
    """List who can assume a role with this trust policy, and under which conditions.

    Each line is a set of requests that are all allowed, from now on; together the lines are complete.
    Exit code 0: decided; 1: not decided.
    """
    from valetkey.cli import _trusts
    from valetkey.policy import Origin
    from valetkey.prover import Unknown
    from valetkey.prover import who as reach_of
    from valetkey.report import proofs

    document = _trusts.read(trust)
    role = _trusts.role(document, owner=owner)
    result = reach_of(document, origin=Origin.SENT, resource=role, now=datetime.now(UTC))
    said = proofs.Said(trust, "", "", (document,), show_external_id)
    proofs.say_reach(result, said, as_json=output.as_json)
    return 1 if isinstance(result, Unknown) or result.unjudged else 0
