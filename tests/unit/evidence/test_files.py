"""Evidence as files: what is not evidence is refused with its place, and nothing in it is overlooked."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from valetkey.evidence import grant, review
from valetkey.evidence.grant import GrantEvidence, PolicyDocument, documents_digest
from valetkey.evidence.loading import EvidenceError
from valetkey.evidence.review import Population, Review, ReviewEntry
from valetkey.evidence.signing import SignatureError, SshKeygen, read_signature, sign, verify
from valetkey.evidence.table import read_decisions
from valetkey.report.reviewing import review_csv
from valetkey.trust.record import digest

Load = Callable[..., Any]


def entry(name: str, **given: Any) -> ReviewEntry:
    usual: dict[str, Any] = {
        "role_arn": f"arn:aws:iam::111111111111:role/{name}",
        "kind": "grant",
        "who": ("account 222222222222",),
        "state": "open",
        "guards": ("MFA",),
        "policies": (),
        "until": None,
        "created": None,
        "last_used": None,
        "trust_sha256": None,
        "notes": (),
    }
    return ReviewEntry(**(usual | given))


def population(*entries: ReviewEntry, **given: Any) -> Population:
    usual: dict[str, Any] = {
        "account": "111111111111",
        "partition": "aws",
        "read_at": "2026-11-29T12:00:00Z",
        "read_by": "arn:aws:iam::111111111111:user/admin",
        "own_accounts": (),
        "org_id": None,
        "incomplete": (),
        "entries": entries,
    }
    return Population(**(usual | given))


@pytest.mark.parametrize("load", [review.load, grant.load])
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{",
        b"\xff",
        b'{"valetkey": 1}',
        b'{"valetkey": "review/v1"}',
        b'{"valetkey": "review/v2"}',
        b'{"valetkey": "review/v1", "valetkey": "review/v1"}',
        b"[" * 100_000,
        b'{"valetkey": ' + b"1" * 5000 + b"}",
        b'{"valetkey": "evidence/v1", "documents": 5}',
    ],
    ids=lambda value: repr(value[:30]) if isinstance(value, bytes) else value.__module__,
)
def test_what_is_not_evidence_is_refused(load: Load, data: bytes) -> None:
    with pytest.raises(EvidenceError) as problem:
        load(data, name="file.json")
    assert problem.value.exit_code == 2
    assert problem.value.where.startswith("file.json")
    assert problem.value.do


def test_every_field_but_the_decision_is_in_the_hash() -> None:
    usual = population(entry("a"))
    other: dict[str, Any] = {
        "role_arn": "arn:aws:iam::111111111111:role/b",
        "kind": "outside trust",
        "guards": (),
        **dict.fromkeys(("who", "policies", "notes"), ("x",)),
        **dict.fromkeys(("state", "until", "created", "last_used", "trust_sha256"), "x"),
    }
    own = {"decision": "end", "reason": "r", "reviewer": "p"}
    assert set(other) | set(own) == set(ReviewEntry.__struct_fields__)
    for name, value in other.items():
        assert population(entry("a", **{name: value})).sha256 != usual.sha256, name
    assert population(entry("a", **own)).sha256 == usual.sha256
    whole: dict[str, Any] = {
        **dict.fromkeys(("account", "partition", "read_at", "read_by", "org_id"), "x"),
        **dict.fromkeys(("own_accounts", "incomplete", "unseen"), ("x",)),
    }
    assert {*whole, "entries"} == set(Population.__struct_fields__)
    for name, value in whole.items():
        assert population(entry("a"), **{name: value}).sha256 != usual.sha256, name


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document["population"]["entries"].append(document["population"]["entries"][0]),
        lambda document: document["applied"]["results"].append({**document["applied"]["results"][0]}),
        lambda document: document["applied"]["results"][0].update(role_arn="arn:aws:iam::111111111111:role/z"),
        lambda document: document["applied"]["results"][0].update(outcome="ended"),
    ],
)
def test_results_that_do_not_fit_the_population(change: Callable[[dict[str, Any]], None]) -> None:
    made = review.new(population(entry("a", decision="keep", reason="r", reviewer="p"), entry("b")))
    document = json.loads(review.dump(made))
    result = {"role_arn": "arn:aws:iam::111111111111:role/a", "outcome": "kept", "at": "2026-11-29T12:00:00Z"}
    document["applied"] = {
        "by": "x",
        "started_at": "x",
        "finished_at": None,
        "results": [result],
        "not_reviewed": [],
    }
    review.load(json.dumps(document).encode(), name="f")
    change(document)
    # Whoever does this can hash the population again.
    plain = review.read(json.dumps(document).encode(), Review, kind="review/v1", name="f")
    document["population_sha256"] = plain.population.sha256
    with pytest.raises(EvidenceError) as problem:
        review.load(json.dumps(document).encode(), name="f")
    assert problem.value.exit_code == 1


def evidence() -> GrantEvidence:
    trust = {"Version": "2012-10-17", "Statement": []}
    documents = (
        PolicyDocument(name="r", kind="trust", version=None, sha256=digest(trust), document=trust, unread=""),
        PolicyDocument(name="p", kind="managed", version=None, sha256=None, document=None, unread="iam:GetPolicy"),
    )
    return GrantEvidence(
        valetkey="evidence/v1",
        account="111111111111",
        name="a",
        role_arn="arn:aws:iam::111111111111:role/a",
        read_at="2026-11-29T12:00:00Z",
        read_by="x",
        state="open",
        contractor="222222222222",
        until=None,
        terms=None,
        terms_recorded="x",
        session_seconds=3600,
        created="2026-11-01T12:00:00Z",
        last_used=None,
        documents=documents,
        documents_sha256=documents_digest(documents),
        proof=None,
        drift=(),
        history=(),
    )


def test_a_document_without_its_hash_is_refused() -> None:
    made = evidence()
    assert grant.load(grant.dump(made), name="f") == made
    assert (made.unread, made.holds) == (("p",), False)
    for old, new in ((b"2012-10-17", b"2008-10-17"), (b'"managed"', b'"inline"'), (b'"p"', b'"q"')):
        with pytest.raises(EvidenceError, match="was changed") as problem:
            grant.load(grant.dump(made).replace(old, new), name="f")
        assert problem.value.exit_code == 1


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", " =1", "a\nb", "\x1b[0m", "'=1", 'say "x"; y'])
def test_no_cell_is_a_formula_and_a_decision_comes_back(text: str) -> None:
    made = review.new(population(entry("a", decision="keep", reason=text, reviewer="x", notes=(text,))))
    data = review_csv(made)
    assert b"\x1b" not in data
    (back,) = read_decisions(data, name="f.csv")
    assert (back.review, back.role_arn) == (review.code_of(made), made.population.entries[0].role_arn)
    if text.isprintable() and not text.startswith("'"):
        assert back.reason == text.strip()


def test_without_ssh_keygen_it_says_what_is_missing(tmp_path: Path) -> None:
    tool = SshKeygen({"PATH": str(tmp_path)})
    (tmp_path / "key").write_text("x")
    with pytest.raises(SignatureError, match="ssh-keygen cannot be run") as problem:
        sign(b"x", tmp_path / "key", tool=tool)
    assert problem.value.exit_code == 2
    with pytest.raises(SignatureError, match="ssh-keygen cannot be run"):
        verify(b"x", b"x", b"x", at=None, name="f", tool=tool)
    with pytest.raises(SignatureError, match="has no signature"):
        read_signature(tmp_path / "f")
