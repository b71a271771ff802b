"""Terms for a vendor's whole account, and addresses as a term: which may be, what is written, what is proved."""

from __future__ import annotations

from dataclasses import replace

import pytest

from valetkey.policy import Request, decide, parse_policy
from valetkey.trust import Terms, TermsError, admits_only, check_terms, read_terms, write_trust

ROLE = "arn:aws:iam::111111111111:role/vendor"
VENDOR = Terms(contractor="222222222222", external_id="7f1c0a55-2f0e-4c9b", mfa=False, whole_account=True)
OFFICE = replace(VENDOR, from_ip=("198.51.100.0/24", "2001:db8::/32"))


@pytest.mark.parametrize("terms", [VENDOR, OFFICE, replace(OFFICE, whole_account=False, mfa=True)])
def test_it_is_written_proved_and_read_back(terms: Terms) -> None:
    document = write_trust(terms)
    assert admits_only(document, terms, role_arn=ROLE).holds
    assert read_terms(document) == terms


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"mfa": True}, "without MFA and without names"),
        ({"only": ("arn:aws:iam::222222222222:role/x",)}, "without MFA and without names"),
        ({"external_id": None}, "all that keeps others out"),
        ({"external_id": "12345678901"}, "a number"),
        ({"external_id": "acme"}, "4 characters"),
        ({"external_id": "changeme-test"}, "everybody tries"),
        ({"external_id": "aaaaaaaaaaaa"}, "different signs"),
        ({"external_id": "hasura-cloud"}, "public template"),
        ({"whole_account": False}, "must name the users or roles that it admits"),
        ({"from_ip": ("10.0.0.1/8",)}, "not an address range"),
        ({"from_ip": ("office",)}, "not an address range"),
    ],
)
def test_what_leaves_too_little_is_refused(change: dict[str, object], words: str) -> None:
    with pytest.raises(TermsError, match=words):
        check_terms(replace(VENDOR, **change))  # type: ignore[arg-type]


def test_a_vendor_whose_ids_are_numbers_by_design_may_have_one() -> None:
    check_terms(replace(VENDOR, contractor="754728514883", external_id="1234567"))


def test_addresses_are_one_whatever_way_they_are_written() -> None:
    assert replace(VENDOR, from_ip=("198.51.100.7",)) == replace(VENDOR, from_ip=("198.51.100.7/32",))
    document = write_trust(replace(VENDOR, from_ip=("198.51.100.7",)))
    document["Statement"][0]["Condition"]["IpAddress"]["aws:SourceIp"] = ["198.51.100.7"]
    assert read_terms(document) == replace(VENDOR, from_ip=("198.51.100.7/32",))


@pytest.mark.parametrize(
    ("address", "allowed"), [("198.51.100.9", True), ("2001:db8::7", True), ("198.51.101.1", False), (None, False)]
)
def test_who_calls_from_elsewhere_or_through_an_endpoint_is_refused(address: str | None, allowed: bool) -> None:
    keys = {"sts:ExternalId": VENDOR.external_id, **({"aws:SourceIp": address} if address else {})}
    request = Request("arn:aws:iam::222222222222:user/x", "sts:AssumeRole", ROLE, context=keys)  # type: ignore[arg-type]
    assert decide(request, trust=parse_policy(write_trust(OFFICE), "trust")).allowed is allowed


def test_the_proof_refutes_other_addresses() -> None:
    document = write_trust(OFFICE)
    assert not admits_only(document, VENDOR, role_arn=ROLE).holds
    assert not admits_only(document, replace(OFFICE, from_ip=("198.51.100.0/25",)), role_arn=ROLE).holds
    assert not admits_only(document, replace(OFFICE, from_ip=("198.51.0.0/16", "2001:db8::/32")), role_arn=ROLE).holds
