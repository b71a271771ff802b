"""An exposure that is not unknown holds regardless of AWS's undocumented behavior."""

from __future__ import annotations

import json
import random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.differential.trusts import SILENT, trust
from tests.unit.audit.roles import NOW, OWN

from valetkey.audit import Scope
from valetkey.audit.trusts import judge
from valetkey.policy import parse_policy
from valetkey.policy.evaluation import decide
from valetkey.policy.origin import Origin
from valetkey.prover import who
from valetkey.prover.access_regions import Bounds


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from([*SILENT, "empty-not"]), st.integers(0, 2**32))
def test_what_is_shown_gets_in_and_what_is_open_is_noted(form: str, seed: int) -> None:
    document = json.dumps(trust(random.Random(seed), form=form))
    policy = parse_policy(document, kind="trust")
    verdict = judge(document, origin=Origin.SENT, account=OWN, partition="aws", scope=Scope(), now=NOW)
    for outsider in verdict.found.outsiders:
        for way in outsider.ways:
            assert decide(way.witness, trust=policy).allowed
    result = who(policy, origin=Origin.SENT, resource=f"arn:aws:iam::{OWN}:role/audited", now=NOW)
    if isinstance(result, Bounds):
        assert verdict.exposure == "unknown" or any("more may get in" in note for note in verdict.found.notes)
        assert "AWS does not document" in " ".join((verdict.reason, *verdict.found.notes))
