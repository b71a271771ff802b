"""The only writer of trust policies.

At most three statements. The first allows sts:AssumeRole under all conditions of the terms. The second, only during
the rotation of an ExternalId, is the same with the previous ExternalId and an expiry date, so that no job has to remove
it. The last, only on request, allows sts:SetSourceIdentity and sts:TagSession. It is a separate statement because
sts:ExternalId and sts:RoleSessionName exist for sts:AssumeRole only (Service Authorization Reference, condition keys of
TagSession and SetSourceIdentity, fact H10; the example in IAM User Guide id_session-tags requires the ExternalId only
in the AssumeRole statement), and AWS does not document whether the MFA code of the same call applies to them (fact U7).
So its conditions use only keys that do not depend on the action: principal, address, time. It is not sufficient to
assume the role: a call that sets tags or a source identity also needs sts:AssumeRole, from the first statement.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from valetkey.catalog import key_names
from valetkey.policy.role_actions import ASSUME_ROLE, SET_SOURCE_IDENTITY, TAG_SESSION
from valetkey.times import moment
from valetkey.trust.terms import Terms, check_terms

_VERSION = "2012-10-17"


def write_trust(terms: Terms) -> dict[str, Any]:
    """Write the trust policy that admits exactly these terms, as a JSON document.

    Raises TermsError or LimitError for invalid terms. The maximum size depends on the account (reference_iam-quotas,
    AssumeRolePolicySizeQuota) and is not checked here: the caller checks the quota, or AWS rejects the document.
    """
    check_terms(terms)
    return plain_trust(terms)


def closed_trust() -> dict[str, Any]:
    """A trust policy that admits no caller: a single Deny on sts:AssumeRole and no Allow.

    AWS recommends such an edit of the trust policy but shows no document; public playbooks use only a Deny (fact U3).
    The principal is `{"AWS": "*"}`: a bare "*" is an error in the trust policy of a role (fact W11).
    """
    deny = {"Sid": "AdmitNobody", "Effect": "Deny", "Principal": {"AWS": "*"}, "Action": ASSUME_ROLE}
    return {"Version": _VERSION, "Statement": [deny]}


def plain_trust(terms: Terms) -> dict[str, Any]:
    """`write_trust` without its checks, for comparison with a document that was read. Never written to AWS."""
    principal = {"AWS": _one_or_more(terms.pin or (terms.root,))}
    everywhere = _everywhere(terms)
    admit = {
        "Sid": "AdmitContractor",
        "Effect": "Allow",
        "Principal": principal,
        "Action": ASSUME_ROLE,
        "Condition": {**_of_the_call(terms), **everywhere},
    }
    extra = [
        action
        for action, wanted in ((SET_SOURCE_IDENTITY, terms.source_identity), (TAG_SESSION, terms.session_tags))
        if wanted
    ]
    statements = [admit]
    if terms.previous_external_id is not None:
        previous = replace(terms, external_id=terms.previous_external_id, until=terms.previous_until or terms.until)
        condition = {**_of_the_call(previous), **_everywhere(previous)}
        statements.append({**admit, "Sid": "AdmitPreviousExternalId", "Condition": condition})
    if extra:
        statements.append(
            {
                "Sid": "AdmitSessionExtras",
                "Effect": "Allow",
                "Principal": principal,
                "Action": _one_or_more(tuple(extra)),
                "Condition": everywhere,
            }
        )
    return {
        "Version": _VERSION,
        "Statement": [{key: value for key, value in statement.items() if value != {}} for statement in statements],
    }


def _of_the_call(terms: Terms) -> dict[str, Any]:
    """Conditions on keys that only an AssumeRole call has."""
    condition: dict[str, Any] = {}
    texts: dict[str, Any] = {}
    if terms.external_id is not None:
        texts[key_names.EXTERNAL_ID] = terms.external_id
    if terms.name_people:
        texts["sts:RoleSessionName"] = "${aws:username}"
    if texts:
        condition["StringEquals"] = texts
    if terms.mfa:
        # Not BoolIfExists: with long-term access keys the key is absent, and an absent key would match.
        condition["Bool"] = {key_names.MFA_PRESENT: "true"}
    if terms.mfa_max_age is not None:
        condition["NumericLessThanEquals"] = {"aws:MultiFactorAuthAge": str(terms.mfa_max_age)}
    return condition


def _everywhere(terms: Terms) -> dict[str, Any]:
    """Conditions on keys that do not depend on the action."""
    condition: dict[str, Any] = {}
    if terms.only:
        # Values of one operator are alternatives, but two operators must both match: so one operator for all values.
        # ArnEquals and ArnLike behave identically; ArnLike shows the reader that there is a wildcard.
        operator = "ArnLike" if any(name.endswith("*") for name in terms.only) else "ArnEquals"
        condition[operator] = {"aws:PrincipalArn": _one_or_more(terms.only)}
    if terms.from_ip:
        # An absent key does not match: a call through a VPC endpoint has no aws:SourceIp.
        condition["IpAddress"] = {"aws:SourceIp": _one_or_more(terms.from_ip)}
    if terms.until is not None:
        condition["DateLessThan"] = {"aws:CurrentTime": moment(terms.until)}
    return condition


def _one_or_more(values: tuple[str, ...]) -> str | list[str]:
    return values[0] if len(values) == 1 else list(values)
