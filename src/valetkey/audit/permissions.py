"""The permissions of outsiders: a role's policies within its boundary.

Three answers, from the most certain to the broadest. `itself` lists allowed requests, each evaluated. `admin` is true
for a statement that allows all actions on all resources. `Opening` lists what is allowed under some condition, on some
resource, by AWS's access levels and valetkey's lists (catalog.risky_actions). SCPs and RCPs are not read; they can only
remove permissions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from valetkey.account.values import Role
from valetkey.catalog.misspelt import is_listed
from valetkey.policy.conditions import silent
from valetkey.policy.evaluation import decide
from valetkey.policy.lenient import parse_lenient
from valetkey.policy.operators import Comparison, Family
from valetkey.policy.requests import Request
from valetkey.policy.statements import Policy, Statement
from valetkey.prover.effective_permissions import Opening, opening

OWN_CHANGES = (
    "iam:UpdateAssumeRolePolicy",
    "iam:AttachRolePolicy",
    "iam:PutRolePolicy",
    "iam:DetachRolePolicy",
    "iam:DeleteRolePolicy",
    "iam:PutRolePermissionsBoundary",
    "iam:DeleteRolePermissionsBoundary",
    "iam:UpdateRole",
)
"""Calls that change a role's trust policy, permissions, boundary or session length."""

_FEW = 3

# AWS managed policies, which a template names but cannot contain, shortened to the parts that this room needs. A live
# account and a dump contain their documents.
_EVERYTHING = '{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}'
_WELL_KNOWN = {
    "AdministratorAccess": _EVERYTHING,
    "PowerUserAccess": (
        '{"Statement":{"Effect":"Allow","NotAction":["iam:*","organizations:*","account:*"],"Resource":"*"}}'
    ),
    "IAMFullAccess": '{"Statement":{"Effect":"Allow","Action":["iam:*","organizations:Describe*"],"Resource":"*"}}',
    "ReadOnlyAccess": (
        '{"Statement":{"Effect":"Allow","Action":["s3:Get*","s3:List*","dynamodb:Get*","dynamodb:BatchGet*",'
        '"dynamodb:Query","dynamodb:Scan","ssm:Get*","sqs:Receive*","kinesis:Get*","logs:Get*","logs:FilterLogEvents",'
        '"logs:StartQuery","lambda:Get*","codecommit:GitPull","ecr:BatchGet*","ecr:Get*","athena:Get*",'
        '"s3express:CreateSession","gamelift:GetComputeAccess","gamelift:GetInstanceAccess","cognito-identity:Get*",'
        '"license-manager:Get*","kinesisvideo:Get*","connect:GetFederationToken","emr-serverless:Get*"],'
        '"Resource":"*"}}'
    ),
    "AmazonS3FullAccess": '{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}',
    "AmazonS3ReadOnlyAccess": '{"Statement":{"Effect":"Allow","Action":["s3:Get*","s3:List*"],"Resource":"*"}}',
    "SecurityAudit": (
        '{"Statement":{"Effect":"Allow","Action":["s3vectors:GetVectors","rds:DownloadDBLogFilePortion",'
        '"cleanrooms:GetProtectedQuery","datapipeline:EvaluateExpression","datapipeline:QueryObjects",'
        '"chime:ListChannelMessages","ec2:DescribeInstanceAttribute","cognito-idp:ListUsers*",'
        '"cognito-sync:ListRecords"],"Resource":"*"}}'
    ),
    "job-function/ViewOnlyAccess": (
        '{"Statement":{"Effect":"Allow","Action":["ec2:DescribeInstanceAttribute","cognito-idp:ListUsers*",'
        '"connect:ListContactReferences","lex:GetUtterancesView"],"Resource":"*"}}'
    ),
}


@dataclass(frozen=True, slots=True)
class Powers:
    """What a role's policies allow, as far as their documents are known."""

    admin: bool
    """Whether all actions on all resources are allowed, without conditions."""
    itself: tuple[Request, ...]
    """Allowed requests by which a session of the role changes the role itself."""
    opening: Opening
    dated: bool
    """Whether a Deny ends the permissions on a date, also for open sessions."""
    unread: tuple[str, ...]
    """Policies whose documents are missing in the source or cannot be read."""
    missing: tuple[str, ...] = ()
    """The unread parts that may allow more: policies, not a boundary."""
    unlisted: tuple[str, ...] = ()
    """A sentence for each policy with allowed actions that AWS does not list: they may be new, or misspelled."""


@dataclass(slots=True)
class Library:
    """The policies of an account; each document is parsed once."""

    managed: Mapping[str, str]
    """Documents of managed policies by ARN."""
    _read: dict[str, Policy | None] = field(default_factory=dict)
    _unlisted: dict[int, str] = field(default_factory=dict)
    _open: dict[tuple[object, ...], Opening] = field(default_factory=dict)

    def powers(self, role: Role) -> Powers:
        """The permissions of a role."""
        unread = [
            f"{part.part}: {part.reason}" for part in role.unknown if "polic" in part.part or part.part == "boundary"
        ]
        missing = [
            f"{part.part}: {part.reason} ({part.where})" for part in role.unknown if part.hides and part.part != "trust"
        ]
        # INVARIANT: every policy counts. Inline, AWS managed and customer managed policies may have the same name.
        texts: list[tuple[str, str | None]] = [
            *role.inline.items(),
            *((arn.rsplit(":policy/", 1)[-1], self._managed(arn)) for arn in dict.fromkeys(role.attached)),
        ]
        policies = []
        for name, text in texts:
            policy = self.read(text)
            if policy is None:
                unread.append(name)
                missing.append(f"{name}: its document is not in the source, or cannot be read")
            else:
                policies.append((name, policy))
        boundary = None
        if role.boundary is not None:
            boundary = self.read(self._managed(role.boundary))
            if boundary is None:
                unread.append(role.boundary)
        # A Deny on this role restricts only actions on the role itself. Without it, many roles share a cache entry.
        general = [(name, item) for name, item in policies if not _about(item, role.arn)]
        key = (tuple((name, id(item)) for name, item in general), id(boundary))
        if key not in self._open:
            self._open[key] = opening(general, boundary=boundary, role_arn=role.arn)
        if self._open[key].undecided:
            unread.append(f"the policies together: {self._open[key].undecided}")
        listed = [item for _, item in policies]
        return Powers(
            _admin(listed, boundary),
            tuple(_own_changes(role, listed, boundary)),
            self._open[key],
            any(_ends(statement) for policy in listed for statement in policy.denies),
            tuple(dict.fromkeys(unread)),
            tuple(dict.fromkeys(missing)),
            tuple(f"{said} ({name})" for name, item in policies if (said := self._not_listed(item))),
        )

    def _not_listed(self, policy: Policy) -> str:
        """A sentence about the allowed actions that AWS does not list; empty if there are none."""
        if id(policy) not in self._unlisted:
            named = dict.fromkeys(
                action for statement in policy.allows if not statement.not_action for action in statement.actions
            )
            result = [name for name in named if not is_listed(name)]
            more = f" and {len(result) - _FEW} more" if len(result) > _FEW else ""
            said = f"AWS does not list {', '.join(result[:_FEW])}{more}: what it allows is unknown"
            self._unlisted[id(policy)] = said if result else ""
        return self._unlisted[id(policy)]

    def read(self, text: str | None) -> Policy | None:
        """Parse a permissions policy; None where there is none or it cannot be read."""
        if text is None:
            return None
        if text not in self._read:
            self._read[text] = parse_lenient(text, "identity").policy
        return self._read[text]

    def _managed(self, arn: str) -> str | None:
        result = self.managed.get(arn)
        if result is None and ":iam::aws:policy/" in arn:
            return _WELL_KNOWN.get(arn.split(":policy/", 1)[-1])
        return result


def _about(policy: Policy, role_arn: str) -> bool:
    """Whether a policy contains only Denies on this role."""
    return not policy.allows and all(
        statement.resources == (role_arn,) and not statement.not_resource for statement in policy.denies
    )


def _all(statement: Statement) -> bool:
    return (
        not statement.conditions
        and not statement.not_action
        and not statement.not_resource
        and any(not action.strip("*") for action in statement.actions)
        and "*" in (statement.resources or ())
    )


def _admin(policies: list[Policy], boundary: Policy | None) -> bool:
    bounded = boundary is None or any(_all(statement) for statement in boundary.allows)
    denied = any(_all(statement) for policy in policies for statement in policy.denies)
    return bounded and not denied and any(_all(statement) for policy in policies for statement in policy.allows)


def _own_changes(role: Role, policies: list[Policy], boundary: Policy | None) -> list[Request]:
    if not any(
        statement.covers_action(action.lower())
        for action in OWN_CHANGES
        for policy in policies
        for statement in policy.allows
    ):
        return []
    session = f"arn:{role.partition}:sts::{role.arn.split(':')[4]}:assumed-role/{role.name}/audited"
    changes = []
    for action in OWN_CHANGES:
        request = Request(principal=session, action=action, resource=role.arn)
        if decide(request, identity=policies, boundary=boundary).allowed:
            changes.append(request)
    return changes


def _ends(deny: Statement) -> bool:
    """Whether a Deny blocks everything from some date on."""
    return (
        not deny.not_action
        and any(not action.strip("*") for action in deny.actions)
        and "*" in (deny.resources or ())
        and not deny.not_resource
        and len(deny.conditions) == 1
        and deny.conditions[0].key.lower() == "aws:currenttime"
        and deny.conditions[0].operator.family is Family.DATE
        and deny.conditions[0].operator.comparison in (Comparison.GREATER, Comparison.GREATER_OR_EQUAL)
        and not silent(deny.conditions[0], variables=deny.variables)
    )
