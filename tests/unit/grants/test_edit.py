"""From the grant and what the owner wants changed to the wanted grant: what is given replaces, the rest stays."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.unit.grants.fake_iam import ALLOW_ALL_READS, FakeIam
from tests.unit.grants.whole_errors import standing_of, whole_error

from valetkey.grants.edit import CannotChange, Edit, RecordedGrant, base_of, edited
from valetkey.grants.grant import Grant
from valetkey.grants.options import OwnerOptions
from valetkey.grants.plan import plan
from valetkey.trust import Terms

A = "222222222222"
CAROL, DAVE, ERIN = (f"arn:aws:iam::{A}:user/{name}" for name in ("carol", "dave", "erin"))
END = datetime(2026, 12, 31, tzinfo=UTC)
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
AUDIT, VIEW, READ = (
    f"arn:aws:iam::aws:policy/{name}" for name in ("SecurityAudit", "job-function/ViewOnlyAccess", "ReadOnlyAccess")
)
ONE, TWO = ({"Statement": [{"Effect": "Allow", "Action": f"s3:{item}", "Resource": "*"}]} for item in ("Get*", "Put*"))
GRANT = Grant(
    name="audit",
    account="111111111111",
    terms=Terms(contractor=A, external_id="the-first", mfa_max_age=900, only=(CAROL, DAVE), until=END),
    managed=(AUDIT, VIEW),
    inline=(("policy-a", ONE),),
    max_session=7200,
    boundary=READ,
    tags=(("k", "v"),),
    description="why",
    external_id_by="contractor",
    request="six-words",
    user_id="AIDAEXAMPLEEXAMPLE12",
)


def wanted(
    base: RecordedGrant | Grant = GRANT,
    *,
    managed: tuple[str, ...] = (),
    added: tuple[str, ...] = (),
    inline: tuple[tuple[str, Any], ...] = (),
    gone: bool = False,
    **given: Any,
) -> Grant:
    """`given` are fields of Edit, and of Asked, which count as given."""
    words = {item: given.pop(item) for item in list(given) if item in Edit.__dataclass_fields__}
    edit = Edit(asked=OwnerOptions(name="audit", **given), given=frozenset(given), **words)
    start = base if isinstance(base, RecordedGrant) else RecordedGrant(base, ())
    return edited(start, edit, managed=managed, added=added, inline=inline, now=NOW, gone=lambda what: gone)


def test_nothing_given_is_nothing_changed() -> None:
    assert wanted() == GRANT


TERMS = GRANT.terms


@pytest.mark.parametrize(
    ("given", "changed"),
    [
        ({"session": 3600}, {"max_session": 3600}),
        ({"session": None}, {}),
        ({"boundary": "b"}, {"boundary": "b"}),
        ({"boundary": "none"}, {"boundary": None}),
        ({"tags": (("k", "w"), ("l", "x"))}, {"tags": (("k", "w"), ("l", "x"))}),
        ({"tags": (("l", "x"),)}, {"tags": (("k", "v"), ("l", "x"))}),
        ({"description": "other"}, {"description": "other"}),
        ({"description": None}, {"description": ""}),
        ({"until": None}, {"terms": replace(TERMS, until=None)}),
        ({"mfa_max_age": None}, {"terms": replace(TERMS, mfa_max_age=None)}),
        ({"mfa": False}, {"terms": replace(TERMS, mfa=False, mfa_max_age=None)}),
        ({"mfa": False, "mfa_max_age": 60}, {"terms": replace(TERMS, mfa=False, mfa_max_age=60)}),
        ({"mfa": True}, {}),
        ({"only": (ERIN,)}, {"terms": replace(TERMS, only=(ERIN,))}),
        ({"only": ("any",)}, {"terms": replace(TERMS, only=())}),
        ({"from_ip": ("192.0.2.1",)}, {"terms": replace(TERMS, from_ip=("192.0.2.1",))}),
        ({"pin": (ERIN,)}, {"terms": replace(TERMS, only=(), pin=(ERIN,))}),
        ({"only": (ERIN,), "pin": (DAVE,)}, {"terms": replace(TERMS, only=(ERIN,), pin=(DAVE,))}),
        ({"add_only": (ERIN, CAROL)}, {"terms": replace(TERMS, only=(CAROL, DAVE, ERIN))}),
        ({"remove_only": (CAROL,)}, {"terms": replace(TERMS, only=(DAVE,))}),
        ({"add_only": (ERIN,), "remove_only": (CAROL, DAVE)}, {"terms": replace(TERMS, only=(ERIN,))}),
        (
            {"external_id": "the-second"},
            {"terms": replace(TERMS, external_id="the-second"), "external_id_by": "owner"},
        ),
        ({"external_id": "the-first"}, {}),
        (
            {"no_external_id": True},
            {"terms": replace(TERMS, external_id=None), "external_id_by": "none"},
        ),
        (
            {"external_id": "the-second", "request": "other-words", "user_id": "AIDAOTHER"},
            {
                "terms": replace(TERMS, external_id="the-second"),
                "external_id_by": "contractor",
                "request": "other-words",
                "user_id": "AIDAOTHER",
            },
        ),
        (
            {"external_id": "the-first", "request": "other-words"},
            {"external_id_by": "contractor", "request": "other-words", "user_id": None},
        ),
        ({"policies": (READ,), "managed": (READ,)}, {"managed": (READ,), "inline": ()}),
        (
            {"policies": ("./b.json",), "inline": (("policy-b", TWO),)},
            {"managed": (), "inline": (("policy-b", TWO),)},
        ),
        ({"added": (READ, AUDIT)}, {"managed": (AUDIT, VIEW, READ)}),
        ({"inline": (("policy-b", TWO),)}, {"inline": (("policy-a", ONE), ("policy-b", TWO))}),
        ({"inline": (("policy-a", TWO),)}, {"inline": (("policy-a", TWO),)}),
        ({"remove_policies": ("SecurityAudit",)}, {"managed": (VIEW,)}),
        ({"remove_policies": (AUDIT, "ViewOnlyAccess")}, {"managed": ()}),
        ({"remove_policies": ("job-function/ViewOnlyAccess",)}, {"managed": (AUDIT,)}),
        ({"remove_policies": ("./x/a.json",)}, {"inline": ()}),
        ({"remove_policies": ("policy-a",)}, {"inline": ()}),
    ],
)
def test_what_is_given_replaces_and_the_rest_stays(given: dict[str, Any], changed: dict[str, Any]) -> None:
    assert wanted(**given) == replace(GRANT, **changed)


def test_addresses_are_removed_by_a_word() -> None:
    start = replace(GRANT, terms=replace(TERMS, from_ip=("192.0.2.1",)))
    assert wanted(start, from_ip=("any",)) == GRANT


def test_an_end_may_be_moved_later_and_not_earlier_by_an_extension() -> None:
    for until in (END, END + timedelta(seconds=1), None):
        assert wanted(until=until, later_only=True).terms.until == until
    with pytest.raises(CannotChange) as refused:
        wanted(until=END - timedelta(seconds=1), later_only=True)
    assert whole_error(refused) == (
        "the grant already ends later, at 2026-12-31T00:00:00Z",
        "to end it earlier, use `valetkey change --until`; nothing was changed",
        "",
        2,
    )
    with pytest.raises(CannotChange) as refused:
        wanted(replace(GRANT, terms=replace(TERMS, until=None)), until=END, later_only=True)
    assert whole_error(refused) == ("the grant has no end", "set one with `valetkey change --until`", "", 2)
    assert wanted(until=NOW).terms.until == NOW


PINNED = replace(GRANT, terms=replace(TERMS, only=(), pin=(CAROL,)))
EVERYONE = replace(GRANT, terms=replace(TERMS, only=()))
MIXED = (
    "the grant uses --pin, and --add-only and --remove-only edit the list of --only",
    "list all principals with --pin, or with --only",
)


@pytest.mark.parametrize(
    ("start", "given", "what", "do"),
    [
        (PINNED, {"add_only": (DAVE,)}, *MIXED),
        (PINNED, {"remove_only": (CAROL,)}, *MIXED),
        (
            EVERYONE,
            {"add_only": (DAVE,)},
            "the grant already admits everyone in the contractor's account whom its administrators allow",
            "to admit only these principals, use --only",
        ),
        (GRANT, {"remove_only": (ERIN,)}, f"the grant does not name {ERIN}", f"it names {CAROL}, {DAVE}"),
        (EVERYONE, {"remove_only": (ERIN,)}, f"the grant does not name {ERIN}", "it names nobody"),
        (
            GRANT,
            {"remove_only": (CAROL, DAVE)},
            "this removes the last principal that the grant names",
            "use `valetkey suspend` or `valetkey revoke`; to admit the whole account, use --only any",
        ),
        (
            GRANT,
            {"remove_policies": ("Nope",)},
            "the grant has no policy Nope",
            "it has SecurityAudit, ViewOnlyAccess, policy-a",
        ),
        (
            replace(GRANT, managed=(AUDIT, f"arn:aws:iam::{A}:policy/SecurityAudit")),
            {"remove_policies": ("SecurityAudit",)},
            f"SecurityAudit names {AUDIT} and arn:aws:iam::{A}:policy/SecurityAudit",
            "give the ARN",
        ),
    ],
)
def test_what_contradicts_the_grant_is_refused_with_what_it_has(
    start: Grant, given: dict[str, Any], what: str, do: str
) -> None:
    with pytest.raises(CannotChange) as refused:
        wanted(start, **given)
    assert whole_error(refused) == (what, do, "", 2)


def test_what_an_earlier_run_has_removed_is_not_missed() -> None:
    assert wanted(gone=True, remove_only=(ERIN,), remove_policies=("Nope", "./nope.json")) == GRANT
    # Names that are removed may not leave an empty list either.
    with pytest.raises(CannotChange, match="the last principal"):
        wanted(EVERYONE, gone=True, remove_only=(ERIN,))


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ({"remove_only": (ERIN,)}, ["user/erin"]),
        ({"remove_policies": ("arn:aws:iam::aws:policy/x/Nope",)}, ["Nope"]),
        ({"remove_policies": ("./x/nope.json",)}, ["policy-nope"]),
    ],
)
def test_whether_it_was_removed_is_asked_by_the_name_in_the_history(given: dict[str, Any], asked: list[str]) -> None:
    said: list[str] = []

    def gone(what: str) -> bool:
        said.append(what)
        return True

    edit = Edit(asked=OwnerOptions(name="audit"), given=frozenset(), **given)
    edited(RecordedGrant(GRANT, ()), edit, managed=(), added=(), inline=(), now=NOW, gone=gone)
    assert said == asked


# -- rotation ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("overlap", "until", "previous", "ends"),
    [
        (None, END, None, None),
        (timedelta(0), END, None, None),
        (timedelta(days=3), END, "the-first", NOW + timedelta(days=3)),
        (timedelta(days=3, microseconds=7), END, "the-first", NOW + timedelta(days=3)),
        (timedelta(days=99), END, "the-first", END),
        (timedelta(days=99), None, "the-first", NOW + timedelta(days=99)),
    ],
)
def test_the_earlier_external_id_stays_valid_for_the_overlap_and_no_longer_than_the_grant(
    overlap: timedelta | None, until: datetime | None, previous: str | None, ends: datetime | None
) -> None:
    start = replace(GRANT, terms=replace(TERMS, until=until))
    terms = wanted(start, external_id="the-second", overlap=overlap).terms
    assert (terms.external_id, terms.previous_external_id, terms.previous_until) == ("the-second", previous, ends)


def test_there_is_no_earlier_external_id_where_there_was_none() -> None:
    start = replace(GRANT, terms=replace(TERMS, external_id=None))
    terms = wanted(start, external_id="the-second", overlap=timedelta(days=3)).terms
    assert (terms.external_id, terms.previous_external_id, terms.previous_until) == ("the-second", None, None)


def test_a_second_rotation_ends_the_first_overlap() -> None:
    start = replace(
        GRANT, terms=replace(TERMS, previous_external_id="the-zeroth", previous_until=NOW + timedelta(days=2))
    )
    assert wanted(start, external_id="the-second").terms.previous_external_id is None
    terms = wanted(start, external_id="the-second", overlap=timedelta(days=1)).terms
    assert (terms.previous_external_id, terms.previous_until) == ("the-first", NOW + timedelta(days=1))


@pytest.mark.parametrize(
    ("left", "given", "stays"),
    [
        (timedelta(0), {"until": None}, False),
        (timedelta(seconds=1), {"until": None}, True),
        # A trust that is not written anyway is not written for that.
        (timedelta(0), {"session": 3600}, True),
        (timedelta(days=-9), {"description": "x"}, True),
    ],
)
def test_an_overlap_that_is_over_goes_with_the_next_trust(left: timedelta, given: dict[str, Any], stays: bool) -> None:
    start = replace(GRANT, terms=replace(TERMS, previous_external_id="the-zeroth", previous_until=NOW + left))
    terms = wanted(start, **given).terms
    assert (terms.previous_external_id is not None, terms.previous_until is not None) == (stays, stays)


# -- base ---------------------------------------------------------------


@pytest.fixture
def role(iam: FakeIam, grant: Grant) -> dict[str, Any]:
    for call in plan(replace(grant, versions=((AUDIT, "v3"),)), None):
        iam(call)
    return iam.roles["audit"]


def test_the_base_is_the_grant_that_was_made(iam: FakeIam, grant: Grant, role: Any) -> None:
    role["Tags"].append({"Key": "aws:cloudformation:stack-id", "Value": "x"})
    role["Tags"].append({"Key": "team", "Value": "y"})
    expected = replace(grant, versions=((AUDIT, "v3"),), tags=(("ticket", "OPS-1"), ("team", "y")))
    assert base_of(standing_of(iam), grant.terms) == RecordedGrant(expected, ())


def test_what_is_recorded_counts_and_not_what_is_on_the_role(iam: FakeIam, grant: Grant, role: Any) -> None:
    role["managed"] = [VIEW, READ]
    role["MaxSessionDuration"] = 43200
    role["Description"] = ""
    del role["PermissionsBoundary"]
    recorded_grant = base_of(standing_of(iam), grant.terms)
    assert recorded_grant.unresolved == ()
    assert recorded_grant.grant == replace(grant, versions=((AUDIT, "v3"),), description="")


@pytest.mark.parametrize("inline", [{}, {"policy-more": TWO}], ids=["not there", "another document"])
def test_a_policy_that_is_recorded_by_its_digest_alone_is_named(
    iam: FakeIam, grant: Grant, role: Any, inline: dict[str, Any]
) -> None:
    role["inline"] = inline
    recorded_grant = base_of(standing_of(iam), grant.terms)
    assert (recorded_grant.grant.inline, recorded_grant.unresolved) == ((), ("policy-more",))
    with pytest.raises(CannotChange) as refused:
        wanted(recorded_grant, session=3600)
    assert whole_error(refused) == (
        "an earlier change was interrupted, and its policy policy-more is not on the role",
        "give its file or ARN again with --add-policy, or remove it with --remove-policy",
        "",
        2,
    )
    # Given again, removed, or replaced by others it is not missed.
    assert wanted(recorded_grant, inline=(("policy-more", ALLOW_ALL_READS),)).inline == (
        ("policy-more", ALLOW_ALL_READS),
    )
    assert wanted(recorded_grant, remove_policies=("./more.json",), gone=True).inline == ()
    assert wanted(recorded_grant, policies=(READ,), managed=(READ,)).managed == (READ,)


def test_what_no_tag_can_hold_is_taken_from_the_role(iam: FakeIam, grant: Grant) -> None:
    odd, limit = (f"arn:aws:iam::{iam.account}:policy/with,{item}" for item in ("comma", "limit"))
    iam.policies |= {odd: ONE, limit: ONE}
    made = replace(grant, managed=(odd,), boundary=limit)
    for call in plan(made, None):
        iam(call)
    assert base_of(standing_of(iam), grant.terms) == RecordedGrant(made, ())
    iam.roles["audit"]["managed"] = []
    recorded_grant = base_of(standing_of(iam), grant.terms)
    assert (recorded_grant.grant.managed, [item[:7] for item in recorded_grant.unresolved]) == ((), ["sha256:"])
