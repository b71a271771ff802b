"""A grant as a value: its ARN, its denies, and the tags that are its record."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from tests.unit.grants.fake_iam import ALLOW_ALL_READS, FakeIam
from tests.unit.grants.whole_errors import standing_of

from valetkey.grants.grant import OWN_ROLE, UNTIL, Grant, read_record
from valetkey.grants.plan import plan
from valetkey.trust import Terms
from valetkey.trust.record import digest, terms_digest
from valetkey.trust.self_denies import dated_deny, own_role_deny

AUDIT, VIEW = (f"arn:aws:iam::aws:policy/{name}" for name in ("SecurityAudit", "job-function/ViewOnlyAccess"))


def test_the_record_of_a_grant_with_everything(grant: Grant) -> None:
    more = (("z", {"Statement": []}), *grant.inline, ("a,b", ALLOW_ALL_READS))
    full = replace(grant, inline=more, managed=(VIEW, AUDIT), versions=((VIEW, "v3"), ("gone", "v1")))
    assert full.record == {
        "valetkey:version": "1",
        "valetkey:contractor": "222222222222",
        "valetkey:terms": terms_digest(grant.terms),
        "valetkey:until": "2026-12-31T00:00:00Z",
        "valetkey:external-id-by": "valetkey",
        "valetkey:request": "arrow-forest-endless-ceiling-link-girl",
        "valetkey:user-id": "AIDACKCEVSQ6C2EXAMPLE",
        "valetkey:session": "7200",
        "valetkey:boundary": "arn:aws:iam::aws:policy/ReadOnlyAccess",
        "valetkey:versions": "2=v3",
        "valetkey:policy:1": AUDIT,
        "valetkey:policy:2": VIEW,
        "valetkey:inline:1": f"a:b@{digest(ALLOW_ALL_READS)}",
        "valetkey:inline:2": f"policy-more@{digest(ALLOW_ALL_READS)}",
        "valetkey:inline:3": f"z@{digest({'Statement': []})}",
    }


def test_what_a_grant_does_not_have_is_not_recorded() -> None:
    bare = Grant(name="x", account="111111111111", terms=Terms(contractor="222222222222"), managed=())
    assert bare.record == {
        "valetkey:version": "1",
        "valetkey:contractor": "222222222222",
        "valetkey:terms": terms_digest(bare.terms),
        "valetkey:external-id-by": "valetkey",
        "valetkey:session": "3600",
    }
    assert (bare.role_arn, bare.max_session, bare.path) == ("arn:aws:iam::111111111111:role/x", 3600, "/")


@pytest.mark.parametrize("partition", ["aws", "aws-cn"])
def test_the_denies_are_about_the_own_role_and_the_end(grant: Grant, partition: str) -> None:
    other = replace(grant, terms=replace(grant.terms, partition=partition))
    arn = f"arn:{partition}:iam::111111111111:role/partners/audit"
    assert other.role_arn == arn
    assert other.denies == {OWN_ROLE: own_role_deny(arn), UNTIL: dated_deny(datetime(2026, 12, 31, tzinfo=UTC))}
    assert [*other.denies] == [OWN_ROLE, UNTIL]
    assert replace(other, terms=replace(other.terms, until=None)).denies == {OWN_ROLE: own_role_deny(arn)}


def test_the_record_is_read_back(iam: FakeIam, grant: Grant) -> None:
    for call in plan(replace(grant, versions=((AUDIT, "v9"),)), None):
        iam(call)
    record = read_record(standing_of(iam).role)
    assert (record.contractor, record.terms, record.until) == (
        "222222222222",
        terms_digest(grant.terms),
        grant.terms.until,
    )
    assert (record.session, record.boundary, record.managed) == (7200, grant.boundary, (AUDIT, VIEW))
    assert (record.inline, record.versions) == ({"policy-more": digest(ALLOW_ALL_READS)}, {AUDIT: "v9"})
    assert (record.request, record.user_id, record.external_id_by) == (grant.request, grant.user_id, "valetkey")
