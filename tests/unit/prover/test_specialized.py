"""Policies cut down: what stays in them."""

from __future__ import annotations

from tests.unit.prover.proving import identity

from valetkey.prover.specialized import Sides, with_known


def test_the_variable_of_a_key_that_is_not_known_stays() -> None:
    resource = "arn:aws:s3:::bucket/${aws:PrincipalAccount}/${aws:username}/*"
    (left,) = with_known(
        Sides((identity({"Resource": resource}),)), {"aws:principalaccount": "111111111111"}
    ).statements
    assert left.resources == ("arn:aws:s3:::bucket/111111111111/${aws:username}/*",)


def test_signs_in_a_known_value_are_no_wildcards() -> None:
    (left,) = with_known(
        Sides((identity({"Resource": "arn:aws:s3:::a/${aws:username}"}),)), {"aws:username": "b*?$"}
    ).statements
    assert left.resources == ("arn:aws:s3:::a/b${*}${?}${$}",)
