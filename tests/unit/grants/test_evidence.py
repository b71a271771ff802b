"""The evidence of a grant: every document with its version and hash, what is proved, and what could not be read."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from tests.unit.grants.fake_iam import ALLOW_ALL_READS, FakeIam
from tests.unit.grants.handmade import ID, ROOT, allow, made, trust
from tests.unit.grants.whole_errors import refuse, standing_of

from valetkey.account.calls import CallError
from valetkey.evidence.grant import HistoryLine, PolicyDocument, RoleDifference, TrustProof, documents_digest
from valetkey.grants.adopt import adopt
from valetkey.grants.adopt_prepare import Wish, prepare_adoption
from valetkey.grants.evidence import ASSUMES, CLAIM_AT_MOST, PROOF_CLAIM, collect
from valetkey.grants.grant import OWN_ROLE, UNTIL, Grant
from valetkey.grants.plan import plan
from valetkey.grants.role import Owner, read_owner
from valetkey.grants.waiting import Waiting
from valetkey.trust.record import digest, terms_digest
from valetkey.trust.self_denies import dated_deny, own_role_deny
from valetkey.trust.writing import write_trust

AUDIT, VIEW, LIMIT = (
    f"arn:aws:iam::aws:policy/{name}" for name in ("SecurityAudit", "job-function/ViewOnlyAccess", "ReadOnlyAccess")
)
END = datetime(2026, 12, 31, tzinfo=UTC)


@pytest.fixture
def role(iam: FakeIam, grant: Grant) -> dict[str, Any]:
    for call in plan(replace(grant, terms=replace(grant.terms, external_id="ext-id", mfa_max_age=None)), None):
        iam(call)
    return iam.roles["audit"]


def read(name: str, kind: Any, version: str | None, document: Any) -> PolicyDocument:
    return PolicyDocument(name=name, kind=kind, version=version, sha256=digest(document), document=document, unread="")


def test_the_evidence_of_a_grant_is_all_that_was_read_and_what_is_proved(
    iam: FakeIam, grant: Grant, role: Any, now: datetime
) -> None:
    iam.versions[AUDIT] = {"v3": {}, "v4": ALLOW_ALL_READS}
    role["RoleLastUsed"] = {"LastUsedDate": datetime(2026, 11, 20, 8, tzinfo=UTC)}
    role["Tags"].append({"Key": "valetkey:change:1", "Value": "2026-11-02T00:00:00Z user/ann until none to now"})
    evidence = collect(standing_of(iam), owner=read_owner(iam), perform=iam, now=now, activity=("2 calls",))
    terms = replace(grant.terms, external_id="ext-id", mfa_max_age=None)
    documents = (
        read(grant.role_arn, "trust", None, write_trust(terms)),
        read("policy-more", "inline", None, ALLOW_ALL_READS),
        read(OWN_ROLE, "inline", None, own_role_deny(grant.role_arn)),
        read(UNTIL, "inline", None, dated_deny(END)),
        read(AUDIT, "managed", "v4", ALLOW_ALL_READS),
        read(VIEW, "managed", "v1", ALLOW_ALL_READS),
        read(LIMIT, "boundary", "v1", ALLOW_ALL_READS),
    )
    assert evidence.documents == documents
    said = msgspec.structs.asdict(evidence)
    assert {key: said[key] for key in said if key not in ("documents", "terms")} == {
        "valetkey": "evidence/v1",
        "account": "111111111111",
        "name": "audit",
        "role_arn": grant.role_arn,
        "read_at": "2026-11-23T12:00:00Z",
        "read_by": "arn:aws:iam::111111111111:user/owner",
        "state": "open",
        "contractor": "222222222222",
        "until": "2026-12-31T00:00:00Z",
        "terms_recorded": terms_digest(terms),
        "session_seconds": 7200,
        "created": "2026-11-01T00:00:00Z",
        "last_used": "2026-11-20T08:00:00Z",
        "documents_sha256": documents_digest(documents),
        "proof": TrustProof(claim=PROOF_CLAIM, holds=True, failures=(), assumes=ASSUMES),
        "drift": (),
        "history": (HistoryLine(at="2026-11-02T00:00:00Z", by="user/ann", what="until none to now"),),
        "activity": ("2 calls",),
    }
    assert evidence.terms is not None
    assert (evidence.terms["external_id"], evidence.terms["mfa"]) == ("ext-id", True)
    assert evidence.holds


RIGHTS = (
    "The claim covers who can assume the role. Its policies, in the evidence as read, say what the role may then do."
)


def test_what_a_claim_says_and_rests_on() -> None:
    """An auditor reads these sentences; they are part of what is signed."""
    assert PROOF_CLAIM == (
        "For every caller and every request, the trust policy admits exactly what the terms allow, and it admits "
        "somebody."
    )
    assert CLAIM_AT_MOST == (
        "For every caller of the contractor's account and every request, whom the trust policy admits meets the terms, "
        "and it admits somebody. It is of an adopted role: that it admits all who meet them is not claimed."
    )
    assert ASSUMES == (
        "The claim covers the trust policy as IAM returned it at read_at, and no later change.",
        "IAM evaluates policies as the IAM User Guide says. Where AWS documents nothing, the claim holds either way.",
        "The caller's own policies and organization policies were not read: across accounts they can only refuse more.",
        "Whether MFA was present is what the contractor's own account says of its session; the time is AWS's clock.",
        RIGHTS,
    )


SEVERAL = {"StringEquals": {"sts:ExternalId": ["one-of-two", "two-of-two"]}}


@pytest.mark.parametrize(
    ("condition", "claim"), [(ID, PROOF_CLAIM), (SEVERAL, CLAIM_AT_MOST)], ids=["exactly", "at most"]
)
def test_of_an_adopted_role_no_more_is_claimed_than_is_proved(
    iam: FakeIam, now: datetime, waiting: Waiting, condition: Any, claim: str
) -> None:
    made(iam, trust(allow(ROOT, condition)))
    owner = read_owner(iam)
    ready = prepare_adoption(Wish(name="puppeteers"), owner=owner, perform=iam, now=now)
    standing = adopt(ready, perform=iam, waiting=waiting).standing
    evidence = collect(standing, owner=owner, perform=iam, now=now)
    assert evidence.proof == TrustProof(claim=claim, holds=True, failures=(), assumes=ASSUMES)
    assert (evidence.until, evidence.last_used, evidence.activity, evidence.history) == (None, None, (), ())
    assert [document.name for document in evidence.documents] == [
        "arn:aws:iam::111111111111:role/puppeteers",
        "a,b",
        "arn:aws:iam::aws:policy/ReadOnlyAccess",
    ]


@pytest.mark.parametrize("code", ["AccessDenied", "NoSuchEntity"])
@pytest.mark.parametrize(("arn", "kind"), [(AUDIT, "managed"), (LIMIT, "boundary")])
def test_a_policy_that_is_not_shown_is_named_and_the_evidence_does_not_hold(
    iam: FakeIam, role: Any, now: datetime, code: str, arn: str, kind: Any
) -> None:
    standing = standing_of(iam)
    iam.before = refuse(code, "get_policy", PolicyArn=arn)
    evidence = collect(standing, owner=Owner("111111111111", "aws", "me"), perform=iam, now=now)
    assert [document for document in evidence.documents if document.document is None] == [
        PolicyDocument(name=arn, kind=kind, version=None, sha256=None, document=None, unread=f"iam:GetPolicy: {code}")
    ]
    assert evidence.unread == (arn,)
    assert not evidence.holds


def test_an_account_that_does_not_answer_has_no_evidence(iam: FakeIam, role: Any, now: datetime) -> None:
    standing = standing_of(iam)
    iam.before = refuse("Unreachable", "get_policy")
    with pytest.raises(CallError, match="Unreachable"):
        collect(standing, owner=Owner("111111111111", "aws", "me"), perform=iam, now=now)


def test_a_role_that_is_not_as_agreed_says_in_what(iam: FakeIam, role: Any, now: datetime) -> None:
    role["managed"].remove(AUDIT)
    role["AssumeRolePolicyDocument"] = trust(allow({"AWS": "*"}))
    evidence = collect(standing_of(iam), owner=read_owner(iam), perform=iam, now=now)
    assert evidence.drift == (
        RoleDifference(
            what="trust policy",
            agreed="as valetkey wrote it",
            found="changed: not in a form that valetkey writes",
            missing=False,
        ),
        RoleDifference(what="managed policy", agreed=AUDIT, found="not attached", missing=True),
    )
    assert (evidence.state, evidence.terms, evidence.proof) == ("changed", None, None)
    assert not evidence.holds


def test_a_trust_policy_that_is_not_proved_names_the_requests(iam: FakeIam, now: datetime, waiting: Waiting) -> None:
    """The tag alone says that it is as it was agreed: the proof is of the trust policy itself."""
    from valetkey.trust.reading import trust_digest

    role = made(iam, trust(allow(ROOT, ID)))
    owner = read_owner(iam)
    adopt(prepare_adoption(Wish(name="puppeteers"), owner=owner, perform=iam, now=now), perform=iam, waiting=waiting)
    role["AssumeRolePolicyDocument"] = trust(allow(ROOT, ID), allow(ROOT))
    for tag in role["Tags"]:
        if tag["Key"] == "valetkey:trust":
            tag["Value"] = trust_digest(role["AssumeRolePolicyDocument"], partition="aws")
    evidence = collect(standing_of(iam, "puppeteers"), owner=owner, perform=iam, now=now)
    assert evidence.proof is not None
    assert (evidence.proof.holds, bool(evidence.proof.failures), evidence.holds) == (False, True, False)
