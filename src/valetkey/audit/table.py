"""The table of checks: what each is called, how grave it is, why it matters, what mends it, and AWS's page on it.

The functions are in `access` (a trust policy alone) and `role` (a role); docs/auditing.md says the same at length.
"""

from __future__ import annotations

from dataclasses import dataclass

from valetkey.audit.findings import UNKNOWN, Severity

_GUIDE = "https://docs.aws.amazon.com/IAM/latest/UserGuide/"
_DEPUTY = "confused-deputy.html"
_EXTERNAL_ID = "id_roles_common-scenarios_third-party.html"
_PRINCIPAL = "reference_policies_elements_principal.html"
_KEYS = "reference_policies_condition-keys.html"
_OPERATORS = "reference_policies_elements_condition_operators.html"
_LOGIC = "reference_policies_evaluation-logic.html"
_LIMITS = "reference_iam-quotas.html"
_MFA = "id_credentials_mfa_configure-api-require.html"


@dataclass(frozen=True, slots=True)
class Check:
    """One check."""

    id: str
    title: str
    severity: Severity
    """Where a finding does not say its own."""
    why: str
    fix: str
    page: str
    """AWS's page."""


def _check(number: str, severity: Severity, title: str, why: str, fix: str, page: str) -> Check:
    return Check(number, title, severity, why, fix, _GUIDE + page)


_ROWS = (
    _check(
        "T1",
        "high",
        "An outsider gets in bare",
        "A stolen key of that account, or its service misled by another customer, is enough to get in.",
        "ask for an ExternalId that only this contractor has for you, and of people for MFA",
        _EXTERNAL_ID,
    ),
    _check(
        "T2",
        "low",
        "An outsider needs no ExternalId",
        "MFA protects a person's key. It does not tell the contractor's customers apart, so that its systems can be "
        "misled to use your role for another customer.",
        "ask for an ExternalId too, where the contractor serves more than you",
        _DEPUTY,
    ),
    _check(
        "T3",
        "info",
        "An outsider needs no MFA",
        "An ExternalId is no secret: whoever steals a key of that account and knows the id gets in. A vendor's "
        "machines have no MFA; people have.",
        "ask for MFA where people come in; for machines name the role that comes in",
        _MFA,
    ),
    _check(
        "T4",
        "critical",
        "Anybody gets in",
        "Whoever has an AWS account, and that is everybody, can enter this role.",
        "name the account in Principal, or tie the organisation with StringEquals aws:PrincipalOrgID",
        _PRINCIPAL,
    ),
    _check(
        "T5",
        "high",
        "Anybody who knows the ExternalId gets in",
        "AWS does not treat an ExternalId as a secret: everyone who may view the role, and every log and ticket that "
        "holds it, gives it away.",
        "name the contractor's account in Principal; the ExternalId comes on top",
        _EXTERNAL_ID,
    ),
    _check(
        "T6",
        "high",
        "The organisation is asked for and does not bind",
        "A principal without an organisation sends no aws:PrincipalOrgID, and the operator lets an absent key pass.",
        "use StringEquals for aws:PrincipalOrgID, ForAnyValue:StringLike for aws:PrincipalOrgPaths",
        _KEYS,
    ),
    _check(
        "T7",
        "high",
        "MFA is asked for and does not bind",
        "With long-term keys aws:MultiFactorAuthPresent is absent, not false: what lets an absent key pass lets them "
        "in.",
        'use Bool aws:MultiFactorAuthPresent "true" in the Allow',
        _KEYS,
    ),
    _check(
        "T8",
        "high",
        "An ExternalId is asked for and does not bind",
        "A request without the ExternalId, or with any other, gets in.",
        "use StringEquals sts:ExternalId with the one value that was agreed",
        _OPERATORS,
    ),
    _check(
        "T9",
        "medium",
        "The ExternalId can be guessed, or is shared",
        "An ExternalId tells your contractor's customers apart only if nobody else's request happens to carry it.",
        "let the contractor generate a random one for you alone; valetkey makes such ids",
        _EXTERNAL_ID,
    ),
    _check(
        "T10",
        "medium",
        "The ExternalId cannot be sent",
        "IAM accepts a value in the policy that STS refuses in the call, so that nobody ever gets in with it.",
        "use 2 to 1224 letters, digits and _+=,.@:/-",
        _LIMITS,
    ),
    _check(
        "T11",
        "high",
        "A second statement opens what the first one closes",
        "Allow statements are alternatives: the least strict one decides.",
        "remove the statement, or give it the same conditions",
        _LOGIC,
    ),
    _check(
        "T12",
        "info",
        "A Deny alone guards the door",
        "It holds: an explicit Deny wins. Whoever removes or narrows the Deny later opens the door, and most scanners "
        "misread this form.",
        "ask for it in the Allow too",
        _LOGIC,
    ),
    _check(
        "T13",
        "low",
        "A principal was deleted",
        "AWS shows its unique id; nobody is behind it any more, and a new principal of that name does not get in.",
        "remove it, or name the new principal",
        _PRINCIPAL,
    ),
    _check(
        "T14",
        "low",
        "A grant that nobody can use any more",
        "It is over, or it never worked; what is left only waits for somebody to revive it by mistake.",
        "remove the statement, or the role (valetkey revoke)",
        "id_roles_manage_delete.html",
    ),
    _check(
        "T15",
        "info",
        "The end is missing, or only half there",
        "Access that nobody ends stays. A date in the trust alone leaves open sessions up to 12 hours; one in the "
        "permissions alone leaves the door open.",
        "set a date in the trust (DateLessThan aws:CurrentTime) and in a Deny of the permissions",
        "id_roles_use_revoke-sessions.html",
    ),
    _check(
        "T16",
        "medium",
        "The trust is wider than what was agreed",
        "The grant's record holds other terms, and now everybody of the account gets in whom its administrator lets.",
        "grant again (valetkey grant), or name the person or role with aws:PrincipalArn",
        _PRINCIPAL,
    ),
    _check(
        "T17",
        "low",
        "More than entering is open",
        "Session tags and source identity are the outsider's own claim; policies that decide by aws:PrincipalTag, and "
        "logs, then say what the outsider wants.",
        "allow sts:AssumeRole alone, or limit the values (aws:RequestTag/..., sts:SourceIdentity)",
        "id_session-tags.html",
    ),
    _check(
        "T18",
        "medium",
        "AWS refuses this trust policy, or reports an error in it",
        "It cannot be saved as it is, or AWS's own policy checks call it an error; what somebody makes of it then is "
        "not what was reviewed.",
        "correct the place that is named",
        "access-analyzer-reference-policy-checks.html",
    ),
    _check(
        "T19",
        "high",
        "Whose federated identities get in is not fixed",
        "An issuer signs for all its tenants. Without a claim that names yours, everybody with an account there gets "
        "in. IAM saves no such trust any more for the issuers that it knows to be shared, but leaves those that exist, "
        "and refuses every change of their trust that does not add the claim.",
        "fix the claim that names the tenant (sub), for SAML the audience",
        "id_roles_providers_oidc_secure-by-default.html",
    ),
    _check(
        "T20",
        "low",
        "An account that nobody knows",
        "Neither a grant's record nor the list of known accounts says whose it is. A list's label is no reason to "
        "trust it either.",
        "find out whose account it is; grant with valetkey, or add it to --own-accounts if it is yours",
        "access-analyzer-getting-started.html",
    ),
    _check(
        "T21",
        "medium",
        "Outsiders read customers' data",
        "The names of policies do not say it: ReadOnlyAccess reads the contents of buckets, tables, queues and logs.",
        "use SecurityAudit and ViewOnlyAccess, or a policy that names what is meant",
        "access_policies_job-functions.html",
    ),
    _check(
        "T22",
        "high",
        "Outsiders can widen their access",
        "Who may change roles, pass them on or run code as another principal outlives the end, the boundary and the "
        "revocation of this role.",
        "take these actions away, or cut them with a permissions boundary",
        "access_policies_boundaries.html",
    ),
    _check(
        "T23",
        "medium",
        "Sessions last longer than agreed",
        "An open session goes on whatever is changed in the trust.",
        "set MaxSessionDuration back",
        "id_roles_manage_modify.html",
    ),
    _check(
        "T24",
        "medium",
        "MFA is asked of somebody who cannot have it",
        "Sessions of roles, of Identity Center and of federated users carry no MFA, and AWS services neither: the way "
        "in does not work, and somebody will remove the condition for everybody.",
        "name IAM users, or do without MFA and name the role",
        _KEYS,
    ),
    _check(
        "T25",
        "low",
        "A way in that is not used",
        "Every way in is one that can be stolen; this one nobody misses.",
        "ask the contractor, then remove the role",
        "access_policies_last-accessed.html",
    ),
    _check(
        "T26",
        "medium",
        "The role is not as agreed",
        "Somebody changed the role after the grant; what was agreed does not hold any more.",
        "see valetkey show, then grant again or revoke",
        "id_roles_manage_modify.html",
    ),
    _check(
        "T27",
        "low",
        "Meant for the console, which cannot send an ExternalId",
        "Switch Role in the console has no field for an ExternalId, so that the contractor's people cannot get in.",
        "do without the ExternalId and ask for MFA, or let them use valetkey console",
        "id_roles_create_for-user.html",
    ),
    _check(
        "T28",
        "medium",
        "A principal that is not what it looks like",
        "Accounts of another partition never get in; a session's name can be had by whoever may open a session there; "
        "a unique id does not say of which account its user or role is.",
        "name the account, user or role that is meant",
        _PRINCIPAL,
    ),
    _check(
        "T29",
        "low",
        "The trust policy is near its quota",
        "The next change fails, in the middle of whatever needed it.",
        "name fewer principals, or raise the quota (Role trust policy length)",
        _LIMITS,
    ),
    _check(
        "T30",
        "medium",
        "An outsider's role at a path that looks like AWS's",
        "Anybody may create a role under /service-role/, and several scanners skip what is there.",
        "create it again under a path of its own",
        "reference_identifiers.html",
    ),
    _check(
        "T31",
        "low",
        "Outsiders can take out what a revocation does not end",
        "A deny on the role, and its deletion, end calls with the role's own credentials. Credentials of other roles, "
        "tokens, database connections and sessions on machines that it has taken out before last until they end by "
        "themselves.",
        "take these actions away, or shorten and end such sessions in the service itself",
        "id_credentials_temp_control-access_disable-perms.html",
    ),
    _check(
        UNKNOWN,
        "high",
        "Not decided",
        "Nothing was proved about who gets in; it is not to be taken for safe.",
        "read the reason; give what is missing (a parameter's value, the owner), or simplify the document",
        _LOGIC,
    ),
)

TABLE: dict[str, Check] = {each.id: each for each in _ROWS}
"""Every check by its id, "T1" to "T31" and "unknown"."""
