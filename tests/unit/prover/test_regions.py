"""What `who` says of the policies of the small worlds, region by region, in full."""

from __future__ import annotations

import pytest
from tests.unit.prover.proving import OWNER, ROLE, THEM
from tests.unit.prover.test_universe import WORLDS

from valetkey.policy import Origin
from valetkey.prover import Reach, Region, RegionValues, who

REGIONS: dict[str, dict[str, list[str]]] = {
    "who": {
        "nobody": [],
        "them and tags": [
            ("account T; session, user; ...; sts:AssumeRole, sts:TagSession; ; 0; :iam::T:user/somebody {}"),
        ],
        "them, all of sts": [
            (
                "account T; session, user; ...; sts:AssumeRole, sts:TagSession, sts:SetSourceIdentity, "
                "sts:SetContext; ; 0; :iam::T:user/somebody {}"
            ),
        ],
        "the owner": [
            ("account O; session, user; ...; sts:AssumeRole; ; 0; :iam::O:user/somebody {}"),
        ],
        "everybody": [
            (
                "any service; service; ...; sts:AssumeRole, sts:TagSession, sts:SetSourceIdentity, "
                "sts:SetContext; ; 0; ec2.amazonaws.com {}"
            ),
            (
                "any provider; provider; ...; sts:AssumeRoleWithSAML, sts:TagSession, sts:SetSourceIdentity, "
                "sts:SetContext; ; 0; :iam::O:saml-provider/another {}"
            ),
            (
                "any provider; provider; ...; sts:AssumeRoleWithWebIdentity, sts:TagSession, "
                "sts:SetSourceIdentity, sts:SetContext; ; 0; :iam::O:oidc-provider/another.example.com {}"
            ),
            (
                "account O; session, user; ...; sts:AssumeRole, sts:TagSession, sts:SetSourceIdentity, "
                "sts:SetContext; ; 0; :iam::O:user/somebody {}"
            ),
            (
                "accounts that are not named; session, user; ...; sts:AssumeRole, sts:TagSession, "
                "sts:SetSourceIdentity, sts:SetContext; ; 0; :iam::999988887777:user/somebody {}"
            ),
        ],
        "worker": [
            (
                "account T; session; :iam::T:role/team/worker; sts:AssumeRole; ; 0; "
                ":sts::T:assumed-role/worker/session {'aws:PrincipalArn': ':iam::T:role/team/worker'}"
            ),
        ],
        "alice and worker": [
            (
                "account T; session; :sts::T:assumed-role/worker/alice; sts:AssumeRole; ; 0; "
                ":sts::T:assumed-role/worker/alice {'aws:PrincipalArn': ':iam::T:role/team/worker'}"
            ),
            (
                "account T; session; :iam::T:role/team/worker; sts:AssumeRole; ; 0; "
                ":sts::T:assumed-role/worker/session {'aws:PrincipalArn': ':iam::T:role/team/worker'}"
            ),
        ],
        "bob or the owner": [
            ("account T; user; :iam::T:user/team/bob; sts:AssumeRole; ; 0; :iam::T:user/team/bob {}"),
            ("account O; session, user; ...; sts:AssumeRole; ; 0; :iam::O:user/somebody {}"),
        ],
        "all but alice": [
            ("account T; session, user; :iam::T:role/worker, ...; sts:AssumeRole; ; 0; :iam::T:user/somebody {}"),
        ],
        "ec2": [
            ("the service ec2.amazonaws.com; service; ec2.amazonaws.com; sts:AssumeRole; ; 0; ec2.amazonaws.com {}"),
        ],
        "github": [
            (
                "the provider :iam::O:oidc-provider/token.actions.githubusercontent.com; provider; "
                ":iam::O:oidc-provider/token.actions.githubusercontent.com; sts:AssumeRoleWithWebIdentity; ; "
                "0; :iam::O:oidc-provider/token.actions.githubusercontent.com {}"
            ),
        ],
        "google": [
            (
                "the provider accounts.google.com; provider; accounts.google.com; "
                "sts:AssumeRoleWithWebIdentity; ; 0; accounts.google.com {}"
            ),
        ],
        "by other account": [
            ("any service; service; ...; sts:AssumeRole; ; 0; ec2.amazonaws.com {}"),
            ("account O; session, user; ...; sts:AssumeRole; ; 0; :iam::O:user/somebody {}"),
            (
                "accounts that are not named; session, user; ...; sts:AssumeRole; ; 0; "
                ":iam::999988887777:user/somebody {}"
            ),
        ],
        "by ARN": [
            ("account T; user; :iam::T:user/*; sts:AssumeRole; ; 0; :iam::T:user/somebody {}"),
        ],
        "by part of an ARN": [
            ("account O; session, user; */team/*; sts:AssumeRole; ; 0; :iam::O:user/team/somebody {}"),
            (
                "accounts that are not named; session, user; */team/*; sts:AssumeRole; ; 0; "
                ":iam::999988887777:user/team/somebody {}"
            ),
        ],
        "by name": [
            ("account T; user; :iam::T:user/bob; sts:AssumeRole; ; 0; :iam::T:user/bob {}"),
        ],
        "by type": [
            ("account O; user; ...; sts:AssumeRole; ; 0; :iam::O:user/somebody {}"),
            ("accounts that are not named; user; ...; sts:AssumeRole; ; 0; :iam::999988887777:user/somebody {}"),
        ],
        "not tags": [
            (
                "account T; session, user; ...; sts:AssumeRole, sts:SetSourceIdentity, sts:SetContext; ; 0; "
                ":iam::T:user/somebody {}"
            ),
        ],
    },
    "with": {
        "two IDs": [
            (
                "account T; session, user; ...; sts:AssumeRole; sts:externalid=example-1|example-2; 0; "
                ":iam::T:user/somebody {'sts:ExternalId': 'example-1'}"
            ),
        ],
        "ID in any case": [
            (
                "account T; session, user; ...; sts:AssumeRole; sts:externalid=~EXAMPLE-1; 0; "
                ":iam::T:user/somebody {'sts:ExternalId': 'example-1'}"
            ),
        ],
        "ID of nine": [
            (
                "account T; session, user; ...; sts:AssumeRole; sts:externalid=~example-?; 0; "
                ":iam::T:user/somebody {'sts:ExternalId': 'example-a'}"
            ),
        ],
        "no such ID": [
            ("account T; session, user; ...; sts:AssumeRole; sts:externalid=none|other; 0; :iam::T:user/somebody {}"),
        ],
        "ID if there": [
            (
                "account T; session, user; ...; sts:AssumeRole; sts:externalid=none|example-1; 0; "
                ":iam::T:user/somebody {}"
            ),
        ],
        "some ID": [
            (
                "account T; session, user; ...; sts:AssumeRole; sts:externalid=other; 0; "
                ":iam::T:user/somebody {'sts:ExternalId': 'another-id'}"
            ),
        ],
        "no ID": [
            ("account T; session, user; ...; sts:AssumeRole; sts:externalid=none; 0; :iam::T:user/somebody {}"),
        ],
        "ID denied": [
            (
                "account T; session, user; ...; sts:AssumeRole; sts:externalid=example-1; 0; "
                ":iam::T:user/somebody {'sts:ExternalId': 'example-1'}"
            ),
        ],
        "no ID denied": [
            (
                "account T; session, user; ...; sts:AssumeRole; sts:externalid=other; 0; "
                ":iam::T:user/somebody {'sts:ExternalId': 'another-id'}"
            ),
        ],
        "MFA or none": [
            (
                "account T; session, user; ...; sts:AssumeRole; aws:multifactorauthpresent=none|true; 0; "
                ":iam::T:user/somebody {}"
            ),
        ],
        "no MFA or none denied": [
            (
                "account T; session, user; ...; sts:AssumeRole; aws:multifactorauthpresent=true; 0; "
                ":iam::T:user/somebody {'aws:MultiFactorAuthPresent': 'true'}"
            ),
        ],
        "young MFA": [
            (
                "account T; session, user; ...; sts:AssumeRole; aws:multifactorauthage=..3600, "
                "aws:multifactorauthpresent=true; 0; :iam::T:user/somebody {'aws:MultiFactorAuthPresent': "
                "'true', 'aws:MultiFactorAuthAge': '0'}"
            ),
        ],
        "young MFA or none": [
            (
                "account T; session, user; ...; sts:AssumeRole; aws:multifactorauthage=none|..3600, "
                "aws:multifactorauthpresent=none|false|true; 0; :iam::T:user/somebody {}"
            ),
        ],
        "old MFA": [
            (
                "account T; session, user; ...; sts:AssumeRole; aws:multifactorauthage=3600.., "
                "aws:multifactorauthpresent=true; 0; :iam::T:user/somebody {'aws:MultiFactorAuthPresent': "
                "'true', 'aws:MultiFactorAuthAge': '3600'}"
            ),
        ],
        "either": [
            (
                "account T; session, user; ...; sts:AssumeRole; sts:externalid=example-1, "
                "aws:multifactorauthpresent=none|false|true; 0; :iam::T:user/somebody {'sts:ExternalId': "
                "'example-1'}"
            ),
            (
                "account T; session, user; ...; sts:AssumeRole; sts:externalid=none|other|example-1, "
                "aws:multifactorauthpresent=true; 1; :iam::T:user/somebody {'aws:MultiFactorAuthPresent': "
                "'true'}"
            ),
        ],
    },
    "more": {
        "red in any case": [
            (
                "account T; session, user; ...; sts:AssumeRole; aws:principaltag/team=~red; 0; "
                ":iam::T:user/somebody {'aws:principaltag/team': 'red'}"
            ),
        ],
        "r": [
            (
                "account T; session, user; ...; sts:AssumeRole; aws:principaltag/team=~r*|~R*; 0; "
                ":iam::T:user/somebody {'aws:principaltag/team': 'r'}"
            ),
        ],
        "10 and red": [
            (
                "account T; session, user; ...; sts:AssumeRole; aws:sourceip=~10.0.0.0/8, "
                "aws:principaltag/team=red; 0; :iam::T:user/somebody {'aws:SourceIp': '10.0.0.0', "
                "'aws:principaltag/team': 'red'}"
            ),
        ],
        "six": [
            (
                "account T; session, user; ...; sts:AssumeRole; aws:sourceip=~::/0; 0; :iam::T:user/somebody "
                "{'aws:SourceIp': '::'}"
            ),
        ],
        "not 10": [
            ("account T; session, user; ...; sts:AssumeRole; aws:sourceip=none|other; 0; :iam::T:user/somebody {}"),
        ],
    },
    "keys": {
        "only team": [
            ("account T; session, user; ...; sts:AssumeRole; aws:tagkeys=none|other|team; 0; :iam::T:user/somebody {}"),
        ],
        "team among them": [
            (
                "account T; session, user; ...; sts:AssumeRole; aws:tagkeys=other|team; 0; "
                ":iam::T:user/somebody {'aws:tagkeys': 'team'}"
            ),
        ],
        "no team": [
            ("account T; session, user; ...; sts:AssumeRole; aws:tagkeys=none|other; 0; :iam::T:user/somebody {}"),
        ],
        "other than team": [
            (
                "account T; session, user; ...; sts:AssumeRole; aws:tagkeys=other|team; 0; "
                ":iam::T:user/somebody {'aws:tagkeys': 'something-else'}"
            ),
        ],
        "keys": [
            (
                "account T; session, user; ...; sts:AssumeRole; aws:tagkeys=other; 0; :iam::T:user/somebody "
                "{'aws:tagkeys': 'something-else'}"
            ),
        ],
        "before": [
            (
                "account T; session, user; ...; sts:AssumeRole; aws:currenttime=..2026-06-01T00:00:00Z; 0; "
                ":iam::T:user/somebody {'aws:CurrentTime': '2026-05-31T00:00:00Z', 'aws:EpochTime': "
                "'1780185600'}"
            ),
        ],
        "after": [
            (
                "account T; session, user; ...; sts:AssumeRole; aws:currenttime=2026-06-01T00:00:00Z..; 0; "
                ":iam::T:user/somebody {'aws:CurrentTime': '2026-06-02T00:00:00Z', 'aws:EpochTime': "
                "'1780358400'}"
            ),
        ],
    },
}
"""By world and policy: party; kinds; named callers, and "..." for everybody; actions; values; statement; witness. "T"
is account THEM, "O" the owner's, and ARNs lack their "arn:aws"."""


def words(values: RegionValues) -> str:
    spans = (f"{low or ''}..{high or ''}" for low, high in values.span)
    first = ["none"] * values.absent + ["other"] * values.free
    return "|".join([*first, *values.exact, *(f"~{pattern}" for pattern in values.patterns), *spans])


def line(region: Region) -> str:
    parts = [
        str(region.party),
        ", ".join(sorted(region.kinds)),
        ", ".join([*region.callers, *["..."] * region.everybody]),
        ", ".join(region.actions),
        ", ".join(f"{key}={words(values)}" for key, values in region.values.items()),
        str(region.statement),
        f"{region.witness.principal} {region.witness.context}",
    ]
    return "; ".join(parts).replace(THEM, "T").replace(OWNER, "O").replace("arn:aws:", ":")


@pytest.mark.parametrize(("world", "name"), [(world, name) for world, several in REGIONS.items() for name in several])
def test_the_regions_of_a_policy(world: str, name: str) -> None:
    result = who(WORLDS[world][0][name], origin=Origin.SENT, resource=ROLE)
    assert isinstance(result, Reach)
    assert [line(region) for region in result.regions] == REGIONS[world][name]
    assert result.unjudged == ()
