"""Unique ids, and entries of Principal elements of which no request can speak, in `who` and `prove`."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.prover.proving import ARN, ID, NOBODY, ROLE, THEM, ask, on, trust

from valetkey.policy import Origin
from valetkey.prover import Counterexample, Party, Proof, Reach, Unknown, prove, who

USER, GROUP = "AIDA1234567890123456", "AROA1234567890123456"
CANONICAL, FRONT = "a" * 64, "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1"
HOME = "aws:PrincipalAccount"
ODD: tuple[dict[str, Any], ...] = (
    {"CanonicalUser": CANONICAL},
    {"CanonicalUser": "x"},
    {"AWS": FRONT},
    {"Service": "ec2"},
    {"Service": "cognito-identity.amazonaws.com"},
    {"Service": THEM},
    {"Federated": "corp"},
    {"Federated": f"arn:aws:iam::{THEM}:root"},
)


def reach(policy: Any, origin: Origin = Origin.SENT) -> Reach:
    result = who(policy, origin=origin, resource=ROLE)
    assert isinstance(result, Reach), result
    return result


@pytest.mark.parametrize(
    ("origin", "kind"), [(Origin.SENT, "unique id"), (Origin.RETURNED, "deleted")], ids=["sent", "returned"]
)
def test_the_origin_says_who_a_unique_id_is(origin: Origin, kind: Any) -> None:
    user, role = reach(trust({"Principal": {"AWS": [USER, GROUP]}}), origin).regions
    assert (user.party, user.kinds, user.callers) == (Party(kind, USER), {"user"}, (USER,))
    assert (role.party, role.kinds, role.callers) == (Party(kind, GROUP), {"session"}, (GROUP,))
    assert not user.everybody


def test_the_origin_has_to_be_said() -> None:
    with pytest.raises(TypeError, match="origin"):
        who(trust({}), resource=ROLE)  # type: ignore[call-arg]


def test_a_condition_may_say_of_which_account_it_is() -> None:
    mine = trust({"Principal": {"AWS": GROUP}, "Condition": on("StringEquals", HOME, THEM)})
    (region,) = reach(mine).regions
    assert (region.party, region.callers) == (Party("account", THEM), (GROUP,))
    (region,) = reach(mine, Origin.RETURNED).regions
    assert region.party == Party("deleted", GROUP)
    both = reach(trust({"Principal": {"AWS": GROUP}, "Condition": on("ArnLike", ARN, f"arn:aws:iam::{THEM}:*")}))
    assert {item.party for item in both.regions} == {Party("account", THEM)}


def test_a_proof_shows_somebody_by_a_unique_id_only_where_there_is_nobody_else() -> None:
    by_id = trust({"Principal": {"AWS": GROUP}})
    alone = ask(by_id, by_id)
    assert isinstance(alone, Proof)
    assert alone.witness is not None
    assert str(alone.witness.keys["aws:userid"]).startswith(f"{GROUP}:")
    both = trust({"Principal": {"AWS": GROUP}}, {"Principal": {"AWS": THEM}})
    other = ask(both, both)
    assert isinstance(other, Proof)
    assert other.witness is not None
    assert GROUP not in str(other.witness.keys.get("aws:userid"))
    assert other.witness.caller.account == THEM


@pytest.mark.parametrize("element", ODD)
def test_what_no_request_can_speak_of_leaves_the_rest_decided(element: Any) -> None:
    result = reach(trust({"Condition": on("StringEquals", ID, "abc")}, {"Principal": element}))
    assert {region.party for region in result.regions} == {Party("account", THEM)}
    (odd,) = result.unjudged
    (kind, name) = next(iter(element.items()))
    assert (odd.statement, odd.effect, odd.entry.where) == (1, "Allow", f"$.Statement[1].Principal.{kind}")
    assert name[:20] in str(odd)
    assert str(odd).startswith("statement 2 names ")


@pytest.mark.parametrize("element", ODD)
def test_in_a_deny_it_shuts_nobody_out(element: Any) -> None:
    result = reach(trust({}, {"Effect": "Deny", "Principal": element}))
    assert [region.party for region in result.regions] == [Party("account", THEM)]
    assert [item.effect for item in result.unjudged] == ["Deny"]


@pytest.mark.parametrize("element", ODD)
def test_a_proof_is_never_made_of_it_and_a_certain_hole_is_shown(element: Any) -> None:
    odd = trust({"Principal": element})
    assert isinstance(prove(odd, within=NOBODY, resource=ROLE), Unknown)
    assert isinstance(prove(trust({}), within=odd, resource=ROLE), Unknown)
    open_ = prove(trust({}, {"Principal": element}), within=NOBODY, resource=ROLE)
    assert isinstance(open_, Counterexample)
    assert open_.request.caller.account == THEM
    # Whom the Deny means nobody knows: it may be the one who was found.
    denied = trust({}, {"Effect": "Deny", "Principal": element})
    assert isinstance(prove(denied, within=NOBODY, resource=ROLE), Unknown)


@pytest.mark.parametrize("origin", list(Origin))
def test_whose_unique_id_a_condition_names(origin: Origin) -> None:
    """There is one such user in all of AWS, of an account that the id does not say."""
    for value in (f"{GROUP}:x1", f"{GROUP}:*", GROUP + ":??"):
        named = trust({"Principal": "*", "Condition": on("StringLike", "aws:userid", value)})
        regions = [region for region in reach(named, origin).regions if region.party.kind == "unique id"]
        assert [(str(region.party), region.callers, region.everybody) for region in regions] == [
            (f"the role {GROUP} of an account that is not named", (GROUP,), False)
        ]
    for value in (f"{GROUP[:-1]}*", "AROA*:x1"):
        open_ = trust({"Principal": "*", "Condition": on("StringLike", "aws:userid", value)})
        assert "unique id" not in {region.party.kind for region in reach(open_, origin).regions}
    user = trust({"Principal": "*", "Condition": on("StringEquals", "aws:userid", USER)})
    regions = [region for region in reach(user, origin).regions if region.party.kind == "unique id"]
    assert [str(region.party) for region in regions] == [f"the user {USER} of an account that is not named"]
