"""Which roles a revocation may delete on --yes alone: those that tags alone cannot make out of somebody else's."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from tests.unit.grants.handmade import MFA, ROOT, allow, made, trust
from tests.unit.grants.whole_errors import standing_of

from valetkey.account.calls import Call
from valetkey.grants.adopt import adopt
from valetkey.grants.adopt_prepare import Wish, prepare_adoption
from valetkey.grants.fitting import misfits
from valetkey.grants.grant import OWN_ROLE, REVOKED, UNTIL, ForeignRole, Grant
from valetkey.grants.make import Interrupted
from valetkey.grants.plan import plan
from valetkey.grants.revoke import Shut, plan_revoke, revoke, shut
from valetkey.grants.role import read_owner, read_role
from valetkey.grants.status import read_claimed, read_standing
from valetkey.grants.waiting import Waiting
from valetkey.trust.self_denies import held_deny, kill_deny
from valetkey.trust.writing import closed_trust

ADMIN = "arn:aws:iam::aws:policy/ReadOnlyAccess"
SERVICE = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


@pytest.fixture
def role(iam: Any, grant: Grant) -> dict[str, Any]:
    for call in plan(grant, None):
        iam(call)
    iam.log.clear()
    result: dict[str, Any] = iam.roles["audit"]
    return result


def reasons(iam: Any) -> tuple[str, ...]:
    return tuple(difference.what for difference in misfits(read_claimed(read_role(iam, "audit"))))


def closed(iam: Any, waiting: Waiting, now: datetime) -> Shut:
    standing = read_claimed(read_role(iam, "audit"))
    return shut(standing, perform=iam, now=lambda: now, waiting=waiting)


def tag(role: dict[str, Any], key: str, value: str | None) -> None:
    role["Tags"] = [item for item in role["Tags"] if item["Key"] != f"valetkey:{key}"]
    if value is not None:
        role["Tags"].append({"Key": f"valetkey:{key}", "Value": value})


def test_a_grant_and_every_interrupted_grant_fits(iam: Any, grant: Grant) -> None:
    for call in plan(grant, None):
        iam(call)
        assert reasons(iam) == ()


@pytest.mark.parametrize("closable", [True, False])
@pytest.mark.parametrize("pinned", [True, False])
def test_every_interrupted_revocation_fits(iam: Any, grant: Grant, closable: bool, pinned: bool) -> None:
    if pinned:
        grant = replace(grant, terms=replace(grant.terms, pin=("arn:aws:iam::222222222222:user/carol",)))
    for call in plan(grant, None):
        iam(call)
    if pinned:
        # The contractor has deleted the user: AWS shows the unique id.
        iam.roles["audit"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["AWS"] = "AIDAEXAMPLEEXAMPLEEXA"
    for call in plan_revoke(read_role(iam, "audit"), closed=closed_trust() if closable else None):
        if isinstance(call, Call):
            assert reasons(iam) == (), call.action
            iam(call)


MISFITS: dict[str, Callable[[dict[str, Any]], object]] = {
    "another trust": lambda role: role.update(AssumeRolePolicyDocument=SERVICE),
    "a trust closed by hand": lambda role: role.update(AssumeRolePolicyDocument=closed_trust()),
    "an ExternalId taken out": lambda role: role["AssumeRolePolicyDocument"]["Statement"][0]["Condition"].pop(
        "StringEquals"
    ),
    "a policy more": lambda role: role["managed"].append(ADMIN),
    "an inline policy more": lambda role: role["inline"].update(more=SERVICE),
    "a policy changed": lambda role: role["inline"].update({"policy-more": SERVICE}),
    "no deny on itself": lambda role: role["inline"].pop(OWN_ROLE),
    "a deny on another role": lambda role: role["inline"].update({OWN_ROLE: kill_deny()}),
    "no end in the permissions": lambda role: role["inline"].update({UNTIL: SERVICE}),
    "no boundary": lambda role: role.pop("PermissionsBoundary"),
    "longer sessions": lambda role: role.update(MaxSessionDuration=43200),
    "another contractor in the tags": lambda role: tag(role, "contractor", "333333333333"),
    "a contractor that is none": lambda role: tag(role, "contractor", "your own audit team"),
    "another end in the tags": lambda role: tag(role, "until", "2036-01-01T00:00:00Z"),
    "other terms in the tags": lambda role: tag(role, "terms", "sha256:" + "0" * 64),
    "no terms": lambda role: tag(role, "terms", None),
    "no number": lambda role: tag(role, "session", "long"),
    "another version": lambda role: tag(role, "version", "9"),
    "a deny of that name that denies less": lambda role: role["inline"].update({REVOKED: SERVICE}),
}


@pytest.mark.parametrize("case", MISFITS)
def test_what_does_not_fit_is_denied_and_closed_and_never_fits_again(
    iam: Any, role: dict[str, Any], waiting: Waiting, now: datetime, case: str
) -> None:
    MISFITS[case](role)
    assert reasons(iam)
    before = copy.deepcopy(role)
    for _ in range(3):
        done = closed(iam, waiting, now)
        assert done.trust_closed
        assert role["inline"][REVOKED] == held_deny()
        assert role["AssumeRolePolicyDocument"] == closed_trust()
        assert reasons(iam)
    assert done.done == ()
    assert set(iam.log) <= {"put_role_policy", "update_assume_role_policy"}
    assert role["managed"] == before["managed"]
    assert {**role["inline"], REVOKED: 0} == {**before["inline"], REVOKED: 0}
    # Somebody has named it: then it goes.
    revoke(read_claimed(read_role(iam, "audit")), perform=iam, now=lambda: now, waiting=waiting)
    assert iam.roles == {}


@pytest.mark.parametrize("policies", [(), (ADMIN,)])
def test_tags_alone_do_not_make_a_role_fit(
    iam: Any, grant: Grant, waiting: Waiting, now: datetime, policies: tuple[str, ...]
) -> None:
    """Somebody tags a production role with everything that a record can say of it; also one without any policy."""
    for call in plan(grant, None):
        iam(call)
    tags = {item["Key"]: item["Value"] for item in iam.roles["audit"]["Tags"]}
    tags = {key: value for key, value in tags.items() if not key.startswith(("valetkey:policy", "valetkey:inline"))}
    tags |= {f"valetkey:policy:{number}": arn for number, arn in enumerate(policies, 1)}
    tags.pop("valetkey:boundary")
    forged = {**iam.roles["audit"], "AssumeRolePolicyDocument": SERVICE, "inline": {}, "managed": [*policies]}
    forged.pop("PermissionsBoundary")
    iam.roles["audit"] = {**forged, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
    for _ in range(2):
        assert reasons(iam)
        closed(iam, waiting, now)
    assert "audit" in iam.roles


def test_a_role_of_the_same_trust_without_its_own_deny_does_not_fit(iam: Any, grant: Grant, role: Any) -> None:
    """A vendor's role made by hand may have exactly the trust that valetkey writes: its digest can be forged."""
    role["inline"].pop(OWN_ROLE)
    assert reasons(iam) == ("inline policy",)
    role["inline"].clear()
    assert reasons(iam) == ("inline policy",)
    role["managed"].clear()
    assert reasons(iam) == ()  # as `grant` leaves it when it is interrupted after CreateRole: nothing to lose


def test_a_trust_opened_again_during_a_revocation_does_not_fit(
    iam: Any, role: Any, waiting: Waiting, now: datetime
) -> None:
    role["inline"][REVOKED] = kill_deny()
    assert reasons(iam) == ()
    role["AssumeRolePolicyDocument"] = SERVICE
    assert reasons(iam)
    closed(iam, waiting, now)
    assert reasons(iam) == ("record",)


def test_the_marked_deny_is_as_long_as_the_other_so_that_it_fits_wherever_that_does() -> None:
    assert len(str(held_deny())) == len(str(kill_deny()))
    held, killed = ({**item["Statement"][0], "Sid": ""} for item in (held_deny(), kill_deny()))
    assert held == killed


def test_a_role_without_the_tag_is_not_claimed(iam: Any, role: Any) -> None:
    tag(role, "version", None)
    for read in (read_claimed, read_standing):
        with pytest.raises(ForeignRole):
            read(read_role(iam, "audit"))


def test_a_damaged_record_still_says_whose_it_claims_to_be(iam: Any, role: Any) -> None:
    tag(role, "terms", None)
    with pytest.raises(ForeignRole):
        read_standing(read_role(iam, "audit"))
    record = read_claimed(read_role(iam, "audit")).record
    assert (record.contractor, record.session, record.managed, record.until) == ("222222222222", 0, (), None)


def test_a_closing_that_aws_refuses_is_said_and_the_deny_holds(
    iam: Any, role: Any, waiting: Waiting, now: datetime
) -> None:
    from valetkey.account.calls import CallError

    def refuse(call: Any) -> None:
        if call.operation == "update_assume_role_policy":
            raise CallError(call, "MalformedPolicyDocument", "so says AWS")

    role["managed"].append(ADMIN)
    iam.before = refuse
    assert closed(iam, waiting, now).trust_closed is False
    assert role["inline"][REVOKED] == held_deny()


def test_a_role_that_goes_meanwhile_is_not_said_to_be_denied(
    iam: Any, role: Any, waiting: Waiting, now: datetime
) -> None:
    role["managed"].append(ADMIN)
    standing = read_claimed(read_role(iam, "audit"))
    iam.roles.clear()
    with pytest.raises(Interrupted, match="no longer visible"):
        shut(standing, perform=iam, now=lambda: now, waiting=waiting)


# -- whole

ALONE = "account 222222222222 alone"


def differences(iam: Any, name: str = "audit") -> list[tuple[str, str, str]]:
    return [(difference.what, difference.agreed, difference.found) for difference in misfits(standing_of(iam, name))]


def test_a_role_without_its_own_deny_is_told(iam: Any, role: Any) -> None:
    role["inline"].pop(OWN_ROLE)
    assert differences(iam) == [("inline policy", OWN_ROLE, "missing, although the role has other policies")]
    # A managed policy alone is a policy too; the grant's own denies are not.
    role["inline"] = {UNTIL: role["inline"][UNTIL]}
    assert differences(iam) == [("inline policy", OWN_ROLE, "missing, although the role has other policies")]
    role["managed"] = []
    assert differences(iam) == []
    role["inline"] = {REVOKED: kill_deny(), "policy-more": {}}
    assert [difference[0] for difference in differences(iam)] == ["inline policy"], "policy-more differs"


def test_a_role_that_was_denied_and_closed_says_so(iam: Any, role: Any) -> None:
    role["inline"][REVOKED] = held_deny()
    role["AssumeRolePolicyDocument"] = closed_trust()
    assert differences(iam) == [("record", "fits the role", "did not fit when the role was denied and closed")]
    role["inline"][REVOKED] = kill_deny()
    assert differences(iam) == []
    # Closed by hand, with policies on it and no deny: somebody else did that.
    del role["inline"][REVOKED]
    assert [difference[0] for difference in differences(iam)] == ["trust policy"]
    # Bare as well: all but deleted.
    role["inline"], role["managed"] = {}, []
    assert differences(iam) == []


def test_a_deleted_principal_fits(iam: Any, grant: Grant) -> None:
    pinned = replace(grant, terms=replace(grant.terms, pin=("arn:aws:iam::222222222222:user/carol",)))
    for call in plan(pinned, None):
        iam(call)
    iam.roles["audit"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["AWS"] = "AIDAEXAMPLEEXAMPLEEXA"
    assert [difference.what for difference in standing_of(iam).drift] == ["pinned principals"]
    assert differences(iam) == []


OWN = {"AWS": "arn:aws:iam::111111111111:root"}


@pytest.mark.parametrize(
    ("document", "found"),
    [
        (trust(allow(ROOT, MFA), allow(OWN)), "the role's own account"),
        (trust(allow(ROOT, MFA), allow({"Service": "ec2.amazonaws.com"})), "the service ec2.amazonaws.com"),
    ],
)
def test_an_adopted_role_that_others_use_is_told(
    iam: Any, waiting: Waiting, now: datetime, document: dict[str, Any], found: str
) -> None:
    adopted_role(iam, waiting, now, document)
    assert differences(iam, "puppeteers") == [("who is admitted", ALONE, found)]


def adopted_role(iam: Any, waiting: Waiting, now: datetime, document: dict[str, Any]) -> dict[str, Any]:
    role = made(iam, document)
    ready = prepare_adoption(Wish(name="puppeteers"), owner=read_owner(iam), perform=iam, now=now)
    adopt(ready, perform=iam, waiting=waiting)
    return role


@pytest.mark.parametrize(
    ("document", "found"),
    [
        (trust(allow(ROOT, MFA)), None),
        (trust(allow({"AWS": "arn:aws:iam::333333333333:root"}, MFA)), "account 333333333333"),
        (
            trust(allow(ROOT, MFA), allow({"AWS": "arn:aws:iam::333333333333:root"}, MFA)),
            "account 333333333333",
        ),
        (trust(allow(OWN)), "the role's own account"),
        (trust(), "not that account"),
    ],
)
def test_an_adopted_role_has_to_be_for_the_contractor_alone_whatever_its_tags_say(
    iam: Any, waiting: Waiting, now: datetime, document: dict[str, Any], found: str | None
) -> None:
    """Whoever may tag the role can write the digest of another trust policy."""
    from valetkey.trust.reading import trust_digest

    role = adopted_role(iam, waiting, now, trust(allow(ROOT, MFA)))
    role["AssumeRolePolicyDocument"] = document
    tag(role, "trust", trust_digest(document, partition="aws"))
    said = [difference for difference in differences(iam, "puppeteers") if difference[0] == "who is admitted"]
    assert said == ([("who is admitted", ALONE, found)] if found else [])


def test_an_adopted_role_for_everybody_or_nobody_knows_whom_is_told(iam: Any, waiting: Waiting, now: datetime) -> None:
    role = adopted_role(iam, waiting, now, trust(allow(ROOT, MFA)))
    role["AssumeRolePolicyDocument"] = trust(allow({"AWS": "*"}))
    what, agreed, result = differences(iam, "puppeteers")[-1]
    assert (what, agreed) == ("who is admitted", ALONE)
    assert result.endswith("accounts that are not named")
    role["AssumeRolePolicyDocument"] = {"Version": "2012-10-17", "Statement": "nonsense"}
    what, agreed, result = differences(iam, "puppeteers")[-1]
    assert (what, agreed, result.startswith("not known: ")) == ("who is admitted", ALONE, True)


def test_a_revocation_of_an_adopted_role_that_was_begun_fits(iam: Any, waiting: Waiting, now: datetime) -> None:
    role = adopted_role(iam, waiting, now, trust(allow(ROOT, MFA)))
    role["AssumeRolePolicyDocument"] = closed_trust()
    assert [difference[0] for difference in differences(iam, "puppeteers")] == ["trust policy", "who is admitted"]
    role["inline"][REVOKED] = kill_deny()
    assert differences(iam, "puppeteers") == []
    role["inline"], role["managed"] = {}, []
    assert differences(iam, "puppeteers") == []
