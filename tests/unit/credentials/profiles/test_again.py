"""A profile is set up again as it was the first time: nobody is told to accept a handoff that never was."""

from __future__ import annotations

import shlex
from dataclasses import replace

import pytest
from tests.unit.credentials.doctor.test_verification import profile

from valetkey.credentials.profiles.again import set_up_again
from valetkey.credentials.profiles.profile import TermsOrigin


@pytest.mark.parametrize(
    ("origin", "says"),
    [
        (TermsOrigin.HANDOFF, "accept the handoff again: `valetkey accept FILE --name acme --mfa-serial=-x`"),
        (TermsOrigin.TYPED, "--external-id ID --name acme --mfa-serial=-x`"),
        (TermsOrigin.IMPORTED, "`valetkey forget acme --restore`"),
    ],
)
def test_the_advice_fits_where_the_profile_came_from(origin: TermsOrigin, says: str) -> None:
    of = replace(profile(), name="acme", origin=origin)
    text = set_up_again(of, then="--mfa-serial=-x", change="mfa_serial = -x")
    assert says in text
    assert ("handoff" in text) is (origin is TermsOrigin.HANDOFF)
    assert (of.role_arn in text) is (origin is TermsOrigin.TYPED)
    assert ("(mfa_serial = -x)" in text) is (origin is TermsOrigin.IMPORTED)
    for command in text.split("`")[1::2]:
        assert shlex.split(command)[0] == "valetkey"
