"""What an import takes over and what it leaves, for files as the AWS CLI, aws-vault, Granted and awsume have them."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping
from typing import Any

import pytest

from valetkey.awsfiles import parse, profile_of
from valetkey.credentials.profiles.identity import Identity, parse_identity
from valetkey.credentials.profiles.importing import BaseSource, Left, Plan, Unopened, base_of, effective, plan, roles
from valetkey.credentials.profiles.profile import TERM_FIELDS, Profile, TermsOrigin
from valetkey.credentials.profiles.sections import section_texts
from valetkey.credentials.profiles.whose_account import NamedAccount

OWN, ACME, GLOBEX = "222222222222", "111111111111", "333333333333"
ALICE = parse_identity(f"arn:aws:iam::{OWN}:user/alice")
BUILD = parse_identity(f"arn:aws:sts::{OWN}:assumed-role/build/i-1")
SERIAL = f"arn:aws:iam::{OWN}:mfa/alice"
PATH = pathlib.Path("config")
BASE = "[profile work]\nregion = eu-west-1\n"


def role(account: str = ACME, name: str = "audit") -> str:
    return f"role_arn = arn:aws:iam::{account}:role/{name}\n"


def sections_of(text: str) -> dict[str, dict[str, str]]:
    parsed = parse(text, PATH)
    return {
        str(profile_of(section)): dict(parsed.items(section)) for section in parsed.sections() if profile_of(section)
    }


def imported(
    text: str,
    *names: str,
    credentials: Mapping[str, Mapping[str, str]] | None = None,
    bases: Mapping[str | None, Identity | Unopened] | None = None,
    have: tuple[Profile, ...] = (),
    own: tuple[str, ...] = (),
) -> Plan:
    sections = sections_of(text)
    known = {"work": ALICE, "default": ALICE, None: BUILD, **(bases or {})}
    return plan(
        names or roles(sections, credentials or {}),
        text=text,
        path=PATH,
        sections=sections,
        credentials=credentials or {},
        bases=lambda base: known[base.source],
        own=frozenset(NamedAccount("aws", item) for item in own),
        have=have,
        base_files=("~/.aws/config", "~/.aws/credentials"),
        command=lambda name: f"valetkey credential-process {name}",
    )


def only(result: Plan) -> Profile:
    assert result.left == ()
    (profile,) = result.profiles
    return profile


def left(result: Plan) -> Left:
    assert result.profiles == ()
    assert result.after == result.before
    (one,) = result.left
    return one


FULL = (
    BASE
    + "[profile acme]\n"
    + role()
    + f"source_profile = work\nexternal_id = x-acme-1\nmfa_serial = {SERIAL}\nduration_seconds = 7200\n"
    + "role_session_name = alice.acme\nregion = eu-central-1\noutput = json\ns3 =\n  addressing_style = path\n"
)


def test_everything_of_the_section_is_kept_or_taken_over() -> None:
    result = imported(FULL)
    made = only(result)
    assert (made.name, made.role_arn) == ("acme", f"arn:aws:iam::{ACME}:role/audit")
    assert (made.external_id, made.mfa, made.mfa_serial, made.max_session) == ("x-acme-1", True, SERIAL, 7200)
    assert (made.source_profile, made.base_arn, made.user_name) == ("work", ALICE.arn, "alice")
    assert (made.contractor, made.customer, made.region) == (OWN, ACME, "eu-central-1")
    assert made.base_files
    assert made.origin is TermsOrigin.IMPORTED
    assert made.unknown == frozenset(TERM_FIELDS) - {"external_id"}
    assert made.original == section_texts(FULL)["acme"]
    assert section_texts(result.after)["acme"] == (
        "[profile acme]\ncredential_process = valetkey credential-process acme\n"
        "role_session_name = alice.acme\nregion = eu-central-1\noutput = json\ns3 =\n  addressing_style = path\n"
    )
    assert result.after.startswith(BASE)


def test_without_external_id_and_mfa_these_are_unknown_and_not_sent() -> None:
    made = only(imported(BASE + "[profile acme]\n" + role() + "source_profile = work\n"))
    assert (made.external_id, made.mfa, made.max_session) == (None, False, 3600)
    assert made.unknown == frozenset(TERM_FIELDS)


def test_the_surroundings_as_base() -> None:
    made = only(imported("[profile acme]\n" + role() + "credential_source = Ec2InstanceMetadata\n"))
    assert (made.source_profile, made.base_from_environment, made.base_files) == (None, True, ())
    assert made.base_arn == BUILD.arn


VAULT = f"""\
[profile common]
region = eu-west-3
mfa_serial = {SERIAL}
source_profile = work
role_session_name = alice
[profile acme]
{{include}} = common
role_arn = arn:aws:iam::{ACME}:role/audit
region = eu-west-1
[profile globex]
{{include}} = common
role_arn = arn:aws:iam::{GLOBEX}:role/audit
external_id = x-globex
"""


@pytest.mark.parametrize("include", ["include_profile", "parent_profile"])
def test_aws_vault_inherits(include: str) -> None:
    result = imported(VAULT.format(include=include))
    assert result.left == ()
    acme, globex = result.profiles
    assert (acme.mfa_serial, acme.source_profile, acme.region) == (SERIAL, "work", "eu-west-1")
    assert (globex.region, globex.external_id) == ("eu-west-3", "x-globex")
    assert section_texts(result.after)["acme"] == (
        "[profile acme]\ncredential_process = valetkey credential-process acme\nrole_session_name = alice\n"
        "region = eu-west-1\n"
    )
    # What tools read of the section is in it: the fragment is not followed by them.
    assert "region = eu-west-3\nrole_session_name = alice" in section_texts(result.after)["globex"]


def test_included_in_a_circle_ends() -> None:
    sections = sections_of("[profile a]\ninclude_profile = b\n[profile b]\ninclude_profile = a\nregion = x\n")
    assert effective("a", sections)["region"] == "x"
    looped = sections_of(f"[profile a]\n{role()}source_profile = b\n[profile b]\n{role()}source_profile = a\n")
    assert base_of("a", looped) is None


def test_what_others_include_is_left_unless_they_come_too() -> None:
    text = BASE + "[profile acme]\n" + role() + "source_profile = work\n"
    text += "[profile acme-eu]\ninclude_profile = acme\nregion = eu-west-1\n"
    one = left(imported(text, "acme"))
    assert not one.fine
    assert ("acme-eu inherits" in one.why, one.do) == (True, "import acme-eu too")
    both = imported(text, "acme", "acme-eu")
    assert both.left == ()
    assert [profile.role_arn for profile in both.profiles] == [f"arn:aws:iam::{ACME}:role/audit"] * 2
    assert {profile.customer for profile in both.profiles} == {ACME}
    # One that cannot come keeps the other from coming, and so on.
    third = text + "[profile third]\ninclude_profile = acme-eu\nduration_seconds = 1\n"
    assert {item.name for item in imported(third).left} == {"acme", "acme-eu", "third"}


def test_awsume_and_the_device_of_the_source_profile() -> None:
    text = f"[profile work]\nmfa_serial = {SERIAL}\n[profile acme]\n" + role() + "source_profile = work\n"
    made = only(imported(text + "role_duration = 3600\n"))
    assert (made.mfa, made.mfa_serial) == (True, SERIAL)
    # A session carries no code, and no such setting of its source is followed.
    assert not only(imported(text, bases={"work": BUILD})).mfa


def test_a_role_in_ones_own_account_is_a_hop() -> None:
    hop = f"[profile hop]\n{role(OWN, 'hop')}source_profile = work\nmfa_serial = {SERIAL}\n"
    one = left(imported(BASE + hop))
    assert (one.fine, "your own account" in one.why) == (True, True)
    result = imported(BASE + hop + "[profile acme]\n" + role() + "source_profile = hop\nexternal_id = x-1\n")
    (made,) = result.profiles
    assert (made.source_profile, made.contractor, made.mfa) == ("hop", OWN, False)
    assert made.base_arn == f"arn:aws:sts::{OWN}:assumed-role/hop/valetkey"
    assert [item.name for item in result.left] == ["hop"]
    other = left(imported(BASE + "[profile second]\n" + role(GLOBEX) + "source_profile = work\n", own=(GLOBEX,)))
    assert other.fine


CHAIN = (
    BASE
    + f"[profile acme]\n{role()}source_profile = work\n"
    + f"[profile prod]\n{role(ACME, 'prod')}source_profile = acme\n"
)


def test_a_chain_stays_a_chain() -> None:
    result = imported(CHAIN)
    assert [profile.name for profile in result.profiles] == ["acme"]
    (one,) = result.left
    assert (one.name, one.fine, one.behind) == ("prod", True, "acme")
    assert section_texts(result.after)["prod"] == section_texts(CHAIN)["prod"]
    # Behind one that is valetkey's already.
    again = imported(result.after, "prod")
    assert (left(again).behind, left(again).fine) == ("acme", True)
    alone = left(imported(CHAIN, "prod"))
    assert (alone.why, alone.do) == ("it is a role behind acme, which is not imported", "import acme")
    coded = imported(CHAIN + f"mfa_serial = {SERIAL}\n")
    assert [(item.name, item.fine, "carries no MFA" in item.why) for item in coded.left] == [("prod", False, True)]


def test_a_base_identity_that_cannot_be_opened_leaves_its_sections_alone() -> None:
    text = FULL + "[profile vault]\n[profile globex]\n" + role(GLOBEX) + "source_profile = vault\n"
    result = imported(text, bases={"vault": Unopened("the base profile vault has no credentials", "log in")})
    assert [profile.name for profile in result.profiles] == ["acme"]
    (one,) = result.left
    assert (one.name, one.why, one.do, one.fine) == (
        "globex",
        "the base profile vault has no credentials",
        "log in",
        False,
    )
    assert section_texts(result.after)["globex"] == section_texts(text)["globex"]


ROLE = "[profile acme]\n" + role() + "source_profile = work\n"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[profile acme]\n" + role(), "names no base identity"),
        ("[profile acme]\n" + role() + "source_profile = acme\n", "names no base identity"),
        (ROLE + "aws_access_key_id = AKIA\naws_secret_access_key = x\n", "beside role_arn"),
        (ROLE + "# aws_secret_access_key = x\nregion = a\n", "an access key beside role_arn"),
        (ROLE + "sso_session = x\n", "sso_session beside role_arn"),
        (ROLE + "web_identity_token_file = x\n", "web_identity_token_file"),
        (ROLE + "credential_source = Environment\n", "both source_profile and credential_source"),
        (ROLE + "duration_seconds = 60\n", "duration_seconds"),
        (ROLE + "mfa_serial = arn:aws:iam::222222222222:u2f/user/a/b\n", "FIDO"),
        (ROLE + "external_id = x\n", "external id"),
        (ROLE.replace(":role/audit", ":role/*"), "not"),
        (ROLE.replace("arn:aws:", "arn:aws-cn:"), "partition"),
        (ROLE.replace("profile acme", "default").replace("[default]", "[default]"), "default"),
    ],
)
def test_what_cannot_be_taken_over_is_left_and_named(text: str, why: str) -> None:
    one = left(imported(BASE + text))
    assert why in one.why
    assert not one.fine


@pytest.mark.parametrize(
    ("arn", "why"),
    [
        (f"arn:aws:iam::{OWN}:root", "does not let assume roles"),
        (f"arn:aws:sts::{OWN}:federated-user/x", "does not let assume roles"),
    ],
)
def test_who_can_assume_no_role(arn: str, why: str) -> None:
    assert why in left(imported(BASE + ROLE, bases={"work": parse_identity(arn)})).why


def test_a_serial_with_a_temporary_base_is_left() -> None:
    one = left(imported(BASE + ROLE + f"mfa_serial = {SERIAL}\n", bases={"work": BUILD}))
    assert "temporary session" in one.why


def test_the_credentials_file() -> None:
    one = left(imported(BASE + ROLE, credentials={"acme": {"aws_access_key_id": "x"}}))
    assert "credentials file has aws_access_key_id" in one.why
    # As Granted's users had them (granted 487): one in the credentials file is not passed over in silence.
    for text in (BASE, BASE + "[profile acme]\nregion = eu-west-1\n"):
        there = left(imported(text, credentials={"acme": {"role_arn": "x"}}))
        assert (there.why, there.fine) == ("its role_arn is in the credentials file", False)


def test_a_profile_that_is_valetkeys_already_or_no_role() -> None:
    after = imported(FULL).after
    assert roles(sections_of(after), {}) == ()
    assert left(imported(after, "acme")).fine
    assert left(imported(after, "work")).why.startswith("it has no role_arn")


def saved(name: str, account: str, **changes: Any) -> Profile:
    given: dict[str, Any] = {
        "name": name,
        "role_arn": f"arn:aws:iam::{account}:role/audit",
        "contractor": OWN,
        "mfa": False,
        "max_session": 3600,
        "customer": account,
    }
    return Profile(**{**given, **changes})


def test_one_external_id_for_several_customers_is_recorded() -> None:
    text = BASE
    for name, account in (("acme", ACME), ("acme-2", ACME), ("globex", GLOBEX)):
        text += f"[profile {name}]\n{role(account, name)}source_profile = work\nexternal_id = ours-for-all\n"
    text += f"[profile fine]\n{role('444444444444')}source_profile = work\nexternal_id = of-its-own\n"
    result = imported(text)
    assert result.shared == {"ours-for-all": ("acme", "acme-2", "globex")}
    assert {profile.name: profile.shares_external_id for profile in result.profiles} == {
        "acme": True,
        "acme-2": True,
        "globex": True,
        "fine": False,
    }
    # Two roles of one customer share it rightly.
    assert imported(text, "acme", "acme-2").shared == {}
    # One that was accepted before counts.
    assert imported(text, "fine", have=(saved("old", ACME, external_id="of-its-own"),)).shared


def test_the_customer_is_who_is_in_that_account_already() -> None:
    acme = saved("first", ACME, customer="Acme Ltd")
    assert only(imported(BASE + ROLE, have=(acme,))).customer == "Acme Ltd"
    assert "for another role" in left(imported(BASE + ROLE, have=(saved("acme", GLOBEX),))).why
    assert only(imported(BASE + ROLE, have=(saved("acme", ACME),))).name == "acme"


def test_who_signs_in_is_asked_by_base_not_by_profile() -> None:
    assert base_of("acme", sections_of(FULL)) == BaseSource("work")
    assert base_of("prod", sections_of(CHAIN)) == BaseSource("work")


def test_a_base_identity_that_granted_keeps() -> None:
    """Granted writes a credential_process into the base profile (`granted credentials import`) and names like
    `Company/Role`; the role's section is the AWS CLI's. Its generated SSO sections have no role_arn: no customers."""
    base = "[profile work]\nregion = eu-west-1\ncredential_process = granted credential-process --profile=work\n"
    sso = "[profile Company/Admin]\ngranted_sso_account_id = 444444444444\ngranted_sso_role_name = Admin\n"
    sso += "credential_process = granted credential-process --profile Company/Admin\n"
    text = base + sso + f"[profile Acme/Audit]\n{role()}source_profile = work\nmfa_serial = {SERIAL}\n"
    result = imported(text)
    made = only(result)
    assert (made.name, made.source_profile, made.mfa_serial) == ("Acme/Audit", "work", SERIAL)
    assert result.after.startswith(base + sso)
    behind = imported(text.replace("source_profile = work", "source_profile = Company/Admin"), bases=GRANTED)
    assert behind.profiles == ()
    assert [item.do for item in behind.left] == ["assume Company/Admin"]


GRANTED = {"Company/Admin": Unopened("the base profile Company/Admin has no credentials", "assume Company/Admin")}
