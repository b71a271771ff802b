"""The page of an audit: complete, self-contained, and closed to text from outside."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import pytest

from valetkey.account.values import Account, Role, UnknownPart
from valetkey.audit import Scope, audit
from valetkey.policy import Origin
from valetkey.report.formats import How
from valetkey.report.formats.html import page
from valetkey.report.picture import MOST, picture

OWNER, CONTRACTOR = "111111111111", "222222222222"
NOW = datetime(2026, 11, 28, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{7*191}}\x1b[31m‮"


def _role(name: str, trust: Any) -> Role:
    return Role(
        arn=f"arn:aws:iam::{OWNER}:role/{name}",
        name=name,
        path="/",
        account=OWNER,
        partition="aws",
        trust=trust if isinstance(trust, str) else json.dumps(trust),
        where="dump.json",
        origin=Origin.RETURNED,
    )


def _trust(principal: Any, condition: Any = None) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement | ({"Condition": condition} if condition else {})]}


def _page(roles: list[Role], *, show_ids: bool = False) -> str:
    account = Account(id=OWNER, partition="aws", roles=tuple(roles))
    return page(
        audit(account, scope=Scope(), now=NOW),
        How(fail_on="medium", allow_incomplete=False, show_ids=show_ids, version="1"),
    )


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


def _tags(text: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = _Tags()
    parser.feed(text)
    return parser.seen


@pytest.mark.parametrize("place", ["name", "external id", "principal", "sid"])
def test_text_from_outside_stays_text(place: str) -> None:
    trust = _trust(
        {"AWS": CONTRACTOR}, {"StringEquals": {"sts:ExternalId": HOSTILE if place == "external id" else "x-1234"}}
    )
    if place == "principal":
        trust["Statement"][0]["Principal"] = {"AWS": [CONTRACTOR, HOSTILE]}
    if place == "sid":
        trust["Statement"][0]["Sid"] = HOSTILE
    text = _page([_role(HOSTILE if place == "name" else "audit", trust)], show_ids=True)
    tags = _tags(text)
    assert not {tag for tag, _ in tags} & {"script", "img", "iframe", "object", "link", "form", "base"}
    assert not [attrs for _, attrs in tags if any(name.startswith("on") for name in attrs)]
    assert "1337" not in text
    assert "\x1b" not in text
    assert "‮" not in text


def test_the_page_loads_nothing() -> None:
    text = _page([_role("audit", _trust({"AWS": "*"}))])
    assert "default-src 'none'" in text
    for tag, attrs in _tags(text):
        assert "src" not in attrs
        if "href" in attrs:
            assert tag == "a"
            assert str(attrs["href"]).startswith("https://docs.aws.amazon.com/")
    assert "url(" not in text
    assert "@import" not in text


def test_external_ids_are_masked_unless_asked_for() -> None:
    roles = [_role("audit", _trust({"AWS": CONTRACTOR}, {"StringEquals": {"sts:ExternalId": "Very-telling-id-1"}}))]
    assert "Very-telling-id-1" not in _page(roles)
    assert "Very-telling-id-1" in _page(roles, show_ids=True)


def test_it_says_what_the_audit_says() -> None:
    text = _page(
        [
            _role("open", _trust({"AWS": CONTRACTOR})),
            _role("lambda", _trust({"Service": "lambda.amazonaws.com"})),
            _role("broken", "{"),
        ]
    )
    for part in (
        "An outsider needs neither an ExternalId nor MFA",
        f"account {CONTRACTOR}",
        "unguarded",
        "1 role that no outsider gets into",
    ):
        assert part in text
    assert re.search(r'class="card unguarded"><b>1</b>', text)
    assert re.search(r'class="card internal"><b>1</b>', text)


def test_an_account_without_roles_is_a_page() -> None:
    assert "No findings." in _page([])


def test_the_picture_draws_every_way_in_groups_what_is_alike_and_counts_the_rest() -> None:
    roles = [_role(f"r{n:03}", _trust({"AWS": f"{300000000000 + n}"})) for n in range(MOST + 5)]
    roles += [_role(f"same{n}", _trust({"AWS": "999988887777"})) for n in range(3)]
    account = Account(id=OWNER, partition="aws", roles=tuple(roles))
    drawn = picture(audit(account, scope=Scope(), now=NOW).roles, lambda outsider: outsider.name)
    assert drawn is not None
    assert len(drawn.roles) == MOST
    assert drawn.rest == 8
    assert len(drawn.lines) == MOST
    alone = Account(id=OWNER, partition="aws", roles=tuple(roles[-3:]))
    (node,) = picture(audit(alone, scope=Scope(), now=NOW).roles, lambda outsider: outsider.name).roles  # type: ignore[union-attr]
    assert (node.name, node.more) == ("same0", 2)
    inside = Account(id=OWNER, partition="aws", roles=(_role("x", _trust({"Service": "ec2.amazonaws.com"})),))
    assert picture(audit(inside, scope=Scope(), now=NOW).roles, lambda outsider: outsider.name) is None


def test_findings_are_one_block_a_role_with_its_place() -> None:
    roles = [_role("calm", _trust({"AWS": CONTRACTOR}, {"Bool": {"aws:MultiFactorAuthPresent": "true"}}))]
    roles.append(_role("open", _trust({"AWS": "*"})))
    text = _page(roles)
    findings = text[text.index('id="findings"') : text.index('id="roles"')]
    blocks = re.findall(r"<section>\s*<h3><code>(\w+)</code>.*?</section>", findings, re.S)
    assert blocks == ["open", "calm"]
    first = findings[findings.index("<section>") : findings.index("</section>")]
    assert "T4" in first
    assert "T2" not in re.findall(r"\bT\d+\b", first)


def test_what_was_not_read_and_skipped_is_on_the_page() -> None:
    unknown = (UnknownPart("roles", "<b>no</b>", "iam:ListRoles"), UnknownPart("quotas", "no", "iam:GetAccountSummary"))
    account = Account(id=OWNER, partition="aws", roles=(), unknown=unknown, skipped=("<i>.json is nothing",))
    text = page(
        audit(account, scope=Scope(), now=NOW),
        How(fail_on="medium", allow_incomplete=False, show_ids=False, version="1"),
    )
    assert "The account as a whole" in text
    assert "not read: roles: &lt;b&gt;no&lt;/b&gt;" in text
    assert "Not read: quotas: no (iam:GetAccountSummary)" in text
    assert "Skipped: &lt;i&gt;.json is nothing" in text
