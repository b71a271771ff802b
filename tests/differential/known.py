"""Known differences between the referee and AWS's documentation, and how a difference is attributed to one of them.

A row is not a pattern that excuses a case. It has a rewriting that removes the cause from the case and, according to
the AWS page it names, keeps the result. A row explains a difference only if, after the rewriting,

    our verdict is unchanged, and the referee's verdict equals ours.

A row therefore hides neither a second fault in the same case (the referee would still differ) nor a wrong evaluation of
ours (our verdict would change). If a case has several causes, up to three rewritings are combined.

`page` is a page of the IAM User Guide. `settled` is false where the documentation leaves the result open; `documented`
then says which reading we chose, usually the one that allows fewer requests (an Allow does not match, a Deny does).
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

from . import rewrites
from .cases import Case, normal, ours

GUIDE = "https://docs.aws.amazon.com/IAM/latest/UserGuide/"


@dataclass(frozen=True, kw_only=True)
class Known:
    """One known difference."""

    name: str
    """A short name for reports and the corpus."""
    title: str
    """What the referee does."""
    documented: str
    """What AWS documents (or what we chose, if `settled` is false)."""
    page: str
    """The page of the IAM User Guide with the rule."""
    rewrite: Callable[[Case], None]
    """Removes the cause from a case in normal form, in place, without changing the documented result."""
    settled: bool = True

    def without(self, case: Case) -> Case | None:
        """`case` (in normal form) without the cause; None if it does not have the cause."""
        made = copy.deepcopy(case)
        self.rewrite(made)
        return None if made == case else made


def explain(case: Case, verdict: str, ask: Callable[[list[Case]], list[str]]) -> tuple[str, ...] | None:
    """Names of the rows that explain why the referee's verdict on `case` differs from ours; None if no rows do.

    `verdict` is ours; `ask` calls the referee.
    """
    frontier: list[tuple[tuple[str, ...], Case]] = [((), normal(case))]
    for _ in range(3):
        result = [
            ((*names, row.name), rewritten)
            for names, before in frontier
            for row in ROWS
            if row.name not in names and (rewritten := row.without(before)) is not None
        ]
        frontier = [(names, rewritten) for names, rewritten in result if ours(rewritten) == verdict]
        answers = ask([rewritten for _, rewritten in frontier])
        for (names, _), answer in zip(frontier, answers, strict=True):
            if answer == verdict:
                return tuple(sorted(names))
    return None


ROWS: tuple[Known, ...] = (
    Known(
        name="variable-without-value",
        title="a value holding a variable that has no value never matches, not even under a negated operator",
        documented="negated operators match a variable without a value: a Deny guard does deny",
        page=GUIDE + "reference_policies_variables.html#policy-vars-no-value",
        rewrite=rewrites.null_variable,
    ),
    Known(
        name="variable-with-colon-in-arn",
        title="ArnLike and its kin take a value apart at its colons before ${aws:...} is filled in",
        documented="a variable is replaced by its value, and then the value is compared",
        page=GUIDE + "reference_policies_variables.html",
        rewrite=rewrites.arn_variable,
    ),
    Known(
        name="variable-without-version",
        title="variables are filled in although Version is absent or 2008-10-17",
        documented="without Version 2012-10-17 a variable is literal text",
        page=GUIDE + "reference_policies_elements_version.html",
        rewrite=rewrites.no_version,
    ),
    Known(
        name="ipv4-slash-zero",
        title="0.0.0.0/0 matches no IPv4 address",
        documented="0.0.0.0/0 is every IPv4 address (CIDR, RFC 4632)",
        page=GUIDE + "reference_policies_elements_condition_operators.html#Conditions_IPAddress",
        rewrite=rewrites.ipv4_zero,
    ),
    Known(
        name="address-without-prefix",
        title="an address without a prefix is compared as text, and NotIpAddress does not match the other IP version",
        documented="an address without a prefix is /32 (IPv6: /128); NotIpAddress matches every other address",
        page=GUIDE + "reference_policies_elements_condition_operators.html#Conditions_IPAddress",
        rewrite=rewrites.no_prefix,
    ),
    Known(
        name="two-date-forms",
        title="epoch seconds on one side and an ISO 8601 date on the other are compared as seconds with milliseconds",
        documented="both forms are dates",
        page=GUIDE + "reference_policies_elements_condition_operators.html#Conditions_Date",
        rewrite=rewrites.two_date_forms,
    ),
    Known(
        name="escape-in-equals",
        title="${*}, ${?} and ${$} stay as they are under StringEquals and its kin",
        documented="${*}, ${?} and ${$} stand for the character wherever variables may stand",
        page=GUIDE + "reference_policies_variables.html#policy-vars-specialchars",
        rewrite=rewrites.escapes,
    ),
    Known(
        name="empty-set",
        title="ForAllValues and ForAnyValue compare a lone empty string",
        documented="an empty string is a null set: ForAllValues is true, ForAnyValue false",
        page=GUIDE + "reference_policies_condition-single-vs-multi-valued-context-keys.html",
        rewrite=rewrites.empty_set,
    ),
    Known(
        name="forany-ifexists",
        title="ForAnyValue:...IfExists is false when the key is missing",
        documented="IfExists: true when the key is missing; ForAnyValue: false. We let a Deny match and an Allow not",
        page=GUIDE + "reference_policies_elements_condition_operators.html#Conditions_IfExists",
        rewrite=rewrites.forany_ifexists,
        settled=False,
    ),
    Known(
        name="empty-variable",
        title="a variable whose value is the empty text is not filled in",
        documented="a key that is not sent has no value; of an empty one nothing is said. It is there: we fill it in",
        page=GUIDE + "reference_policies_variables.html#policy-vars-no-value",
        rewrite=rewrites.empty_variable,
        settled=False,
    ),
    Known(
        name="variable-under-typed-operator",
        title="a variable under Date, Numeric, Bool, IpAddress or BinaryEquals is text, or is filled in",
        documented="such operators take no variables; what one means is not said. We let a Deny match and an Allow not",
        page=GUIDE + "reference_policies_examples_aws-dates.html",
        rewrite=rewrites.typed_variable,
        settled=False,
    ),
    Known(
        name="malformed-under-negation",
        title="a negated operator does not match a malformed value",
        documented="nothing is said. We let a Deny match and an Allow not",
        page=GUIDE + "reference_policies_elements_condition_operators.html",
        rewrite=rewrites.malformed,
        settled=False,
    ),
    Known(
        name="short-arn",
        title="ArnLike and ArnEquals match nothing with a pattern of fewer than six parts, a lone * among them",
        documented="nothing is said. We let a Deny match and an Allow not",
        page=GUIDE + "reference_policies_elements_condition_operators.html#Conditions_ARN",
        rewrite=rewrites.short_arn,
        settled=False,
    ),
    Known(
        name="variable-of-several-values",
        title="a variable with several values matches nothing",
        documented="such a key can be no variable; what it means is not said. We let a Deny match and an Allow not",
        page=GUIDE + "reference_policies_variables.html",
        rewrite=rewrites.several_in_variable,
        settled=False,
    ),
    Known(
        name="several-without-set-operator",
        title="a condition without ForAllValues or ForAnyValue matches nothing when several values are sent",
        documented="it must have one, and what happens without is not said. We let a Deny match and an Allow not",
        page=GUIDE + "reference_policies_condition-single-vs-multi-valued-context-keys.html",
        rewrite=rewrites.several_values,
        settled=False,
    ),
    Known(
        name="number-prefix",
        title="a text that begins with digits is read as that number (a date as its year)",
        documented="a numeric operator compares integers or decimals; other text is none",
        page=GUIDE + "reference_policies_elements_condition_operators.html#Conditions_Numeric",
        rewrite=rewrites.number_prefix,
    ),
    Known(
        name="federated-caller",
        title="a web identity or SAML caller needs an identity policy, and belongs to its provider's account",
        documented="AssumeRoleWithWebIdentity and WithSAML carry no AWS credentials: only Federated names the caller",
        page=GUIDE + "reference_policies_elements_principal.html#principal-federated-web-identity",
        rewrite=rewrites.federated,
    ),
    Known(
        name="service-in-china",
        title="a service named ...amazonaws.com.cn is no service, and needs an identity policy",
        documented="service principals of the China Regions may end in .amazonaws.com.cn",
        page=GUIDE + "reference_policies_elements_principal.html#principal-services",
        rewrite=rewrites.service_in_china,
    ),
    Known(
        name="federated-user-by-name",
        title="a federated user session is the IAM user of its name",
        documented="the name of a federated user session is chosen freely by the user who asked for it",
        page="https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html",
        rewrite=rewrites.federated_user,
    ),
    Known(
        name="account-in-other-partition",
        title="an account is the same as the one of its number in another partition",
        documented="accounts of different partitions are different accounts",
        page=GUIDE + "reference_policies_elements_principal.html#principal-accounts",
        rewrite=rewrites.partition,
    ),
    Known(
        name="root-user",
        title="the account root user needs an identity policy",
        documented="no identity policy can be attached to the root user; an account principal includes it",
        page=GUIDE + "reference_policies_elements_principal.html#principal-accounts",
        rewrite=rewrites.root,
    ),
    Known(
        name="session-named-by-resource",
        title="a session policy that does not allow cuts a grant made to the session's own ARN or to *",
        documented="in the same account such a grant is not limited by an implicit deny in a session policy",
        page=GUIDE + "reference_policies_evaluation-logic_policy-eval-denyallow.html#policy-eval-denyallow",
        rewrite=rewrites.session_grant,
    ),
    Known(
        name="half-listed-in-notprincipal",
        title="NotPrincipal with Deny spares a caller of whom any name is listed",
        documented="the account, the role and the session must all be listed, else the whole account may be denied",
        page=GUIDE + "reference_policies_elements_notprincipal.html",
        rewrite=rewrites.half_spared,
    ),
    Known(
        name="unique-id",
        title="a unique id (AIDA..., AROA...) in Principal names nobody",
        documented="AWS stores the unique id of a named user or role, and it is that user or role which it names",
        page=GUIDE + "reference_policies_elements_principal.html#principal-roles",
        rewrite=rewrites.unique_id,
    ),
    Known(
        name="role-name-case",
        title="a role ARN in Principal matches sessions of a role whose name differs in case",
        documented="user names are case-sensitive in Principal, of role names nothing is said; we treat them alike",
        page=GUIDE + "reference_policies_elements_principal.html#principal-users",
        rewrite=rewrites.role_name_case,
        settled=False,
    ),
)
BY_NAME = {row.name: row for row in ROWS}


def table() -> str:
    """The rows as a table for docs/differential.md, those that are not settled last."""
    lines = ["| name | what the referee does | what AWS documents | page |", "| --- | --- | --- | --- |"]
    for row in sorted(ROWS, key=lambda row: not row.settled):
        name = row.name if row.settled else f"{row.name} (open)"
        page = row.page.rsplit("/", 1)[1].partition(".html")[0]
        cells = (name, row.title, row.documented, f"[{page}]({row.page})")
        lines.append("| " + " | ".join(cell.replace("*", "\\*") for cell in cells) + " |")
    return "\n".join(lines)
