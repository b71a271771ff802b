"""For any Principal element: no entry improves the exposure, and no entry is silently ignored."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.audit.odd import STRANGE
from tests.unit.audit.roles import BOTH, BY_ID, NOW, OTHER, OWN, ROOT, A, trust

from valetkey.audit import Scope
from valetkey.audit.subjects import TrustVerdict
from valetkey.audit.trusts import judge
from valetkey.policy import Origin

RANK = {"internal": 0, "unreachable": 0, "guarded": 1, "unknown": 2, "unguarded": 3}
UNIQUE = (("AWS", "AROAQAAAAAAAAAAAAAAAA"), ("AWS", "AIDAQAAAAAAAAAAAAAAAA"))
PLAIN: tuple[tuple[str, Any], ...] = (
    ("AWS", OWN),
    ("AWS", ROOT),
    ("AWS", [OTHER, A]),
    ("AWS", "*"),
    ("Service", "ec2.amazonaws.com"),
    ("Federated", f"arn:aws:iam::{OWN}:saml-provider/corp"),
)
CONDITIONS: tuple[Any, ...] = (None, BY_ID, BOTH, {"StringEquals": {"aws:PrincipalAccount": OWN}})

strange = st.sampled_from(STRANGE + UNIQUE)
texts = st.one_of(
    st.text(max_size=30), st.from_regex(r"\A *(arn:aws)?[-:a-z0-9*]{0,30}22222222222[0-9*? ]{0,3}\Z")
).map(lambda text: ("AWS", text))


@st.composite
def statements(draw: st.DrawFn) -> dict[str, Any]:
    kind, value = draw(st.sampled_from(PLAIN))
    condition = draw(st.sampled_from(CONDITIONS))
    made: dict[str, Any] = {
        "Effect": draw(st.sampled_from(["Allow", "Allow", "Deny"])),
        "Principal": {kind: value},
        "Action": "sts:AssumeRole",
    }
    return made | ({"Condition": condition} if condition else {})


def judged(parts: list[dict[str, Any]]) -> TrustVerdict:
    return judge(trust(*parts), origin=Origin.SENT, account=OWN, partition="aws", scope=Scope(), now=NOW)


def _with(principal: dict[str, Any], kind: str, value: Any) -> dict[str, Any]:
    """An element with an additional entry."""
    there = principal.get(kind, [])
    entries = [*(there if isinstance(there, list) else [there]), *(value if isinstance(value, list) else [value])]
    return {**principal, kind: entries}


@given(st.lists(statements(), min_size=1, max_size=3), st.one_of(strange, texts), st.data())
def test_an_entry_more_never_calms_and_is_never_passed_over(
    parts: list[dict[str, Any]], entry: tuple[str, Any], data: st.DataObject
) -> None:
    before = judged(parts)
    kind, value = entry
    at = data.draw(st.integers(0, len(parts) - 1))
    changed = [dict(part) for part in parts]
    changed[at]["Principal"] = _with(changed[at]["Principal"], kind, value)
    after = judged(changed)
    deny = parts[at]["Effect"] == "Deny"
    if entry in UNIQUE or entry in STRANGE or not deny:  # a random text may be an account that a Deny excludes
        assert RANK[after.exposure] >= RANK[before.exposure]
    if entry in STRANGE:
        assert any(
            check in ("T18", "unknown") and hit.where.startswith(f"$.Statement[{at}]") for check, hit in after.hits
        )
        if "Condition" not in parts[at] and all(part["Effect"] == "Allow" for part in parts):
            assert after.exposure in ("unknown", "unguarded")
    # The findings on the other entries stay.
    names = {(outsider.kind, outsider.name) for outsider in after.found.outsiders}
    if not deny and ("anybody", "") not in names:
        assert {(outsider.kind, outsider.name) for outsider in before.found.outsiders} <= names


@given(st.lists(statements(), max_size=2), st.one_of(strange, texts), st.sampled_from(["Allow", "Deny"]))
def test_a_statement_more_never_calms(parts: list[dict[str, Any]], entry: tuple[str, Any], effect: str) -> None:
    kind, value = entry
    more = {"Effect": effect, "Principal": {kind: value}, "Action": "sts:AssumeRole"}
    before, after = judged(parts), judged([*parts, more])
    if effect == "Allow" or entry in STRANGE + UNIQUE:
        assert RANK[after.exposure] >= RANK[before.exposure]
    if entry in STRANGE and effect == "Allow" and all(part["Effect"] == "Allow" for part in parts):
        assert after.exposure in ("unknown", "unguarded")
