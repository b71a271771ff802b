"""A grant with drift: what was changed, who is admitted now, and the ways out, as lines and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from valetkey.commandline import command
from valetkey.grants.drifted import is_adoptable
from valetkey.policy import Origin, Policy, parse_policy
from valetkey.prover import Reach, Unknown, who
from valetkey.report.proofs import Said, say_reach
from valetkey.report.results.proofs import Reach as ReachShape
from valetkey.report.results.proofs import reached
from valetkey.report.text import clean, say
from valetkey.trust.drift_words import changes, is_readable, is_restorable

if TYPE_CHECKING:
    from valetkey.grants.status import Standing


def say_drift(standing: Standing, now: datetime, *, show_ids: bool) -> None:
    """Print the drift and the ways out. Nothing is written: the person chooses."""
    say("Changes since the grant was agreed:", *(f"  - {_line(change)}" for change in changes(standing.drift)))
    say("Who is admitted now:")
    result, document = _reach(standing, now)
    say_reach(result, _said(standing, document, show_ids=show_ids), as_json=False)
    say("Ways out:", *(f"  - {_line(item)}" for item in ways_out(standing)))


def reach_json(standing: Standing, now: datetime) -> ReachShape:
    """Return who is admitted now, with every ExternalId in full, as in the trust policy in the same document."""
    result, document = _reach(standing, now)
    return reached(result, _said(standing, document, show_ids=True))


def ways_out(standing: Standing) -> tuple[str, ...]:
    """Return what the owner can do, each a sentence without a full stop; empty without drift."""
    return tuple(_ways(standing)) if standing.drift else ()


def _ways(standing: Standing) -> Iterator[str]:
    name, adopted, adoptable = standing.role.name, standing.record.is_adopted, is_adoptable(standing.role)
    if all(difference.missing for difference in standing.drift):
        yield "finish it: run the same `valetkey grant` again"
    if adopted and adoptable:
        yield f"the terms you want: `{command('valetkey adopt', name, then='--tighten')}` replaces the trust policy"
    elif not adopted and is_restorable(standing.drift):
        yield (
            f"the terms you want: `{command('valetkey change', name)}` with them (see its --help), which also "
            "corrects the role"
        )
    elif not adopted and is_readable(standing.drift):
        yield (
            f"the terms you want: `{command('valetkey change', name)}` with them (see its --help). "
            "Name what was changed, and it leads back to what was agreed; for other terms name all of them"
        )
    else:
        yield (
            f"the terms you want: end this access with `{command('valetkey revoke', name)}`, and grant again; "
            "`valetkey change` needs a trust policy that valetkey has written"
        )
    if adoptable:
        yield f"the role as it is: `{command('valetkey adopt', name)}` accepts it"


def _reach(standing: Standing, now: datetime) -> tuple[Reach | Unknown, Policy]:
    document = parse_policy(standing.role.trust, kind="trust")
    return who(document, origin=Origin.RETURNED, resource=standing.role.arn, now=now), document


def _said(standing: Standing, document: Policy, *, show_ids: bool) -> Said:
    return Said(f"the trust policy of {standing.role.name}", "", "", (document,), show_ids)


def _line(text: str) -> str:
    """Clean text from outside, so that it cannot start a new line."""
    return clean(text, keep=frozenset())
