"""The one place that writes a trust policy.

Three statements at most. The first lets sts:AssumeRole through under every condition of the terms. The second, only
while an ExternalId is being rotated, is the same with the previous ExternalId, and ends by date: no job of ours has to
run. The last, only when asked for, opens sts:SetSourceIdentity and sts:TagSession. It stands apart because
sts:ExternalId and sts:RoleSessionName exist for sts:AssumeRole only (Service Authorization Reference, condition keys of
TagSession and SetSourceIdentity, fact H10; the example in IAM User Guide id_session-tags asks for the ExternalId in the
AssumeRole statement alone), and whether the one-time code of the same call counts for them is written nowhere (fact
U7). So it asks for what every request carries: the principal, and the time. By itself it lets nobody in: a call that
sets tags or a source identity must be allowed sts:AssumeRole too, and that is the first statement.
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
    """The trust policy that admits these terms and nothing else, as a JSON document.

    Raises TermsError or LimitError when there may be no such trust. How large it may be depends on the account
    (reference_iam-quotas, AssumeRolePolicySizeQuota): who writes it there asks for the quota, or AWS refuses.
    """
    check_terms(terms)
    return plain_trust(terms)


def closed_trust() -> dict[str, Any]:
    """A trust policy that admits nobody: a single Deny on sts:AssumeRole and no Allow.

    AWS says to edit the trust policy so that it admits nobody, and shows no such document; public playbooks use a Deny
    alone (fact U3). It names `{"AWS": "*"}`: a bare "*" is an error in the trust of a role (fact W11).
    """
    deny = {"Sid": "AdmitNobody", "Effect": "Deny", "Principal": {"AWS": "*"}, "Action": ASSUME_ROLE}
    return {"Version": _VERSION, "Statement": [deny]}


def plain_trust(terms: Terms) -> dict[str, Any]:
    """`write_trust` without its checks, for comparing with a document that was read. Never written to AWS."""
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
        "Statement": [{key: value for key, value in each.items() if value != {}} for each in statements],
    }


def _of_the_call(terms: Terms) -> dict[str, Any]:
    """Conditions on what only an AssumeRole call carries."""
    condition: dict[str, Any] = {}
    texts: dict[str, Any] = {}
    if terms.external_id is not None:
        texts[key_names.EXTERNAL_ID] = terms.external_id
    if terms.name_people:
        texts["sts:RoleSessionName"] = "${aws:username}"
    if texts:
        condition["StringEquals"] = texts
    if terms.mfa:
        # Never BoolIfExists: with long-term keys the key is absent, and an absent key would pass.
        condition["Bool"] = {key_names.MFA_PRESENT: "true"}
    if terms.mfa_max_age is not None:
        condition["NumericLessThanEquals"] = {"aws:MultiFactorAuthAge": str(terms.mfa_max_age)}
    return condition


def _everywhere(terms: Terms) -> dict[str, Any]:
    """Conditions on what every request carries."""
    condition: dict[str, Any] = {}
    if terms.only:
        # Values of one operator are alternatives, two operators are both required: so one operator for all of them.
        # AWS compares both by the same rule; ArnLike is for the reader, who sees that there is a wildcard.
        operator = "ArnLike" if any(name.endswith("*") for name in terms.only) else "ArnEquals"
        condition[operator] = {"aws:PrincipalArn": _one_or_more(terms.only)}
    if terms.from_ip:
        # An absent key is refused: a call through a VPC endpoint carries no aws:SourceIp.
        condition["IpAddress"] = {"aws:SourceIp": _one_or_more(terms.from_ip)}
    if terms.until is not None:
        condition["DateLessThan"] = {"aws:CurrentTime": moment(terms.until)}
    return condition


def _one_or_more(values: tuple[str, ...]) -> str | list[str]:
    first, *more = values
    return [first, *more] if more else first
