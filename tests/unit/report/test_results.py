"""Everything that `--json` prints has a published JSON Schema, made from the struct that prints it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import fastjsonschema
import msgspec
import pytest
from tests.unit.audit.roles import ADMIN, BOTH, GITHUB, OWN, ROOT, WEB, A, allow, role, run, trust
from tests.unit.grants.fake_iam import FakeIam
from tools.schemas import TARGET, schema

from valetkey.grants.grant import Grant
from valetkey.grants.listing import listed
from valetkey.grants.plan import plan
from valetkey.grants.role import Owner, read_role
from valetkey.grants.status import read_standing
from valetkey.policy import Origin, Request, decide, parse_policy
from valetkey.prover import prove, who
from valetkey.prover.effective_permissions import opening
from valetkey.report.grant_json import grant_json, judged_json
from valetkey.report.grants import say_show
from valetkey.report.listing import say_list
from valetkey.report.proofs import Said
from valetkey.report.results import results, shape
from valetkey.report.results.audit import audited
from valetkey.report.results.decisions import decided
from valetkey.report.results.grants import Granted
from valetkey.report.results.proofs import proved, reached
from valetkey.report.results.shape import Shape, filled, plain, shaped
from valetkey.report.text import json_text
from valetkey.trust import Terms
from valetkey.trust.showing import ProvedTrust as Proved

Capture = pytest.CaptureFixture[str]
NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


@cache
def checker(name: str) -> Any:
    return fastjsonschema.compile(json.loads((TARGET / f"{name}.json").read_text()))


def passes(name: str, value: Any) -> Any:
    """The value as it is printed, which its schema takes."""
    said = json.loads(json.dumps(plain(value)))
    checker(name)(said)
    return said


@pytest.mark.parametrize("name", sorted(results()))
def test_the_published_schema_is_that_of_the_struct(name: str) -> None:
    assert (TARGET / f"{name}.json").read_text() == schema(results()[name]), "run `make schemas`"


def test_there_is_no_other_schema_and_every_one_is_a_page_s() -> None:
    assert {item.stem for item in TARGET.glob("*.json")} == set(results())
    pages = "".join(item.read_text() for item in TARGET.parent.glob("*.md"))
    for name in results():
        assert f"(schemas/{name}.json)" in pages, name


def test_a_schema_refuses_what_is_not_printed() -> None:
    with pytest.raises(fastjsonschema.JsonSchemaException):
        checker("customers")({"customers": [{"name": "a"}], "damaged": []})


@pytest.mark.parametrize(
    "text",
    [
        trust(allow(ROOT), allow("*", BOTH)),
        trust(allow({"Federated": GITHUB}, action=WEB)),
        trust(allow(OWN)),
        "{",
        trust(allow("AROAEXAMPLEEXAMPLE12")),
    ],
)
@pytest.mark.parametrize("show_ids", [False, True])
def test_an_audit(text: str, show_ids: bool) -> None:
    answer = run(role(text, inline={"all": ADMIN}, attached=("arn:aws:iam::aws:policy/Nowhere",)), role(text, "b"))
    said = passes("audit", audited(answer, show_ids=show_ids))
    for item in said["roles"]:
        result = {said["findings"][number]["role"] for number in item["findings"]}
        assert result <= {item["arn"]}
    assert sorted(number for item in said["roles"] for number in item["findings"]) == list(range(len(said["findings"])))


def test_a_decision_a_proof_and_who_gets_in() -> None:
    policy = parse_policy(trust(allow(ROOT, BOTH)), "trust")
    narrow = parse_policy(trust(allow(f"arn:aws:iam::{A}:user/bob", BOTH)), "trust")
    arn = f"arn:aws:iam::{OWN}:role/partner"
    request = Request(f"arn:aws:iam::{A}:user/bob", "sts:AssumeRole", arn)
    passes("decision", decided(decide(request, trust=policy)))
    said = Said("a.json", "b.json", "b.json", (policy, narrow), False)
    verdicts = set()
    for one, other in ((policy, narrow), (narrow, policy)):
        verdicts.add(passes("proof", proved(prove(one, within=other, resource=arn, now=NOW), said))["verdict"])
    assert verdicts == {"holds", "violated"}
    assert passes("reach", reached(who(policy, resource=arn, origin=Origin.SENT, now=NOW), said))["regions"]


def test_grants(capsys: Capture) -> None:
    iam = FakeIam("111111111111")
    grant = Grant(
        name="audit",
        account=iam.account,
        terms=Terms(contractor="222222222222", until=datetime(2030, 1, 1, tzinfo=UTC)),
        managed=("arn:aws:iam::aws:policy/SecurityAudit",),
    )
    for call in plan(grant, None):
        iam(call)
    live_role = read_role(iam, "audit")
    assert live_role is not None
    standing = read_standing(live_role)
    owner = Owner(iam.account, "aws", f"arn:aws:iam::{iam.account}:user/owner")
    policies = [("all", parse_policy(ADMIN, "identity"))]
    opens = judged_json(Proved(True, None, ()), opening(policies, boundary=None, role_arn=grant.role_arn))
    passes("grant", shaped(Granted, **grant_json(grant), **opens, calls=["iam:CreateRole"], notes=[]))
    say_list([listed(owner, [standing], ("lost",), now=NOW, within=timedelta(days=30))], now=NOW, as_json=True)
    printed = json.loads(capsys.readouterr().out)
    checker("grants")(printed)
    say_show(owner, standing, None, now=NOW, as_json=True)
    shown = json.loads(capsys.readouterr().out)
    checker("show")(shown)
    more = {
        "marks": ["endless"] if standing.record.until is None else [],
        "problems": ["was never used"],
        "denied": None,
    }
    left_out = ("proof", "trust", "changed", "who", "ways_out")
    same = {key: value for key, value in shown.items() if key not in left_out}
    assert printed["grants"] == [{**same, **more}]
    assert set(shown["terms"]) == {item.name for item in fields(Terms)}


def test_a_shape_refuses_what_it_does_not_declare() -> None:
    class Small(Shape, frozen=True):
        name: str
        tags: list[str]

    assert shaped(Small, Grant_("a", ("b",))) == Small(name="a", tags=["b"])
    assert json.loads(json_text(filled(Small, None, name="a", tags=("b",)))) == {"name": "a", "tags": ["b"]}
    with pytest.raises(msgspec.ValidationError):
        shaped(Small, name=1, tags=[])
    with pytest.raises(AttributeError):
        shaped(Small, name="a")


class Grant_:
    def __init__(self, name: str, tags: tuple[str, ...]) -> None:
        self.name, self.tags = name, tags


def test_what_was_done_is_printed_whatever_the_schema_says(monkeypatch: pytest.MonkeyPatch) -> None:
    class Small(Shape, frozen=True):
        name: str
        tags: list[str]

    monkeypatch.setattr(shape, "undeclared", lambda error: None)
    assert json.loads(json_text(shaped(Small, name=1, tags=("a",)))) == {"name": 1, "tags": ["a"]}


def test_names_in_json_may_be_keywords() -> None:
    from valetkey.report.results.doctor import Probe

    given: Mapping[str, Any] = {
        "is_in": True,
        "tries": [],
        "reason": None,
        "refused_by": None,
        "side": None,
        "ruled_out": [],
        "open": [],
    }
    assert plain(shaped(Probe, **given, message=None))["in"] is True
