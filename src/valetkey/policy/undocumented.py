"""The forms of policies whose meaning AWS does not document, and where a decision depends on one.

`decide` uses the strict reading of every form: an Allow does not match, a Deny does. AWS may differ. So a proof uses
the two readings that bound what AWS does: `wide` for what may be allowed (an Allow matches, a Deny does not), and that
of `decide` for what is certainly allowed. A result that both give holds; otherwise the result is `unknown`.

INVARIANT: what `decide` allows, the wide reading allows. So whatever AWS does with each form is between the two.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from valetkey.policy.conditions import Condition, compile_condition
from valetkey.policy.operands import is_arn
from valetkey.policy.operators import Comparison, Family, reader
from valetkey.policy.patterns import compile_actions
from valetkey.policy.requests import Request
from valetkey.policy.statements import Policy, Statement, caller_test, resource_test
from valetkey.policy.undecided import not_known
from valetkey.policy.variables import Keys, broken, several, template


@dataclass(frozen=True, slots=True)
class UndocumentedForm:
    """A form of a policy that AWS does not document, or documents in two ways."""

    name: str
    what: str
    """What the statement contains, as a predicate."""


EMPTY_NOT = UndocumentedForm("empty-not", "is an empty list")
NO_VALUES = UndocumentedForm("no-values", "has no values")
TYPED_VARIABLE = UndocumentedForm("typed-variable", "has a policy variable under an operator that does not support one")
BROKEN_VARIABLE = UndocumentedForm("broken-variable", "has a ${ that does not begin a policy variable")
SHORT_ARN = UndocumentedForm("short-arn", "has an ARN pattern of fewer than six parts")
UNREADABLE_VALUE = UndocumentedForm("unreadable-value", "is a negated test of a value that its operator cannot read")
ANY_IF_EXISTS = UndocumentedForm("any-if-exists", "tests a missing key with ForAnyValue and IfExists")
SEVERAL_VALUES = UndocumentedForm("several-values", "tests several values without ForAllValues or ForAnyValue")
SEVERAL_IN_VARIABLE = UndocumentedForm("several-in-variable", "has a policy variable with several values")
NO_VALUE_IN_NOTRESOURCE = UndocumentedForm(
    "no-value-in-notresource", "has a policy variable without a value in NotResource"
)
OTHER_LETTERS = UndocumentedForm("other-letters", "ignores the case of letters other than A to Z")
FORMS = (
    EMPTY_NOT,
    NO_VALUES,
    TYPED_VARIABLE,
    BROKEN_VARIABLE,
    SHORT_ARN,
    UNREADABLE_VALUE,
    ANY_IF_EXISTS,
    SEVERAL_VALUES,
    SEVERAL_IN_VARIABLE,
    NO_VALUE_IN_NOTRESOURCE,
    OTHER_LETTERS,
)
"""Every form. A test in tests/property/policy has a document for each."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A place in a document where an undocumented form decides."""

    where: str
    """JSON path in its document."""
    form: UndocumentedForm


@lru_cache(maxsize=1024)
def widely(policy: Policy) -> Policy:
    """The wide reading of a policy: where AWS documents nothing, an Allow matches and a Deny does not."""
    statements = tuple(_widely(statement) for statement in policy.statements)
    return replace(
        policy,
        statements=statements,
        allows=tuple(statement for statement in statements if statement.effect == "Allow"),
        denies=tuple(statement for statement in statements if statement.effect == "Deny"),
    )


@lru_cache(maxsize=4096)
def _widely(statement: Statement) -> Statement:
    allow = statement.effect == "Allow"
    return replace(
        statement,
        covers_action=compile_actions(statement.actions, negated=statement.not_action, unsure=allow),
        covers_caller=caller_test(statement.principals, negated=statement.not_principal, deny=not allow, unsure=allow),
        covers_resource=resource_test(
            statement.resources, negated=statement.not_resource, unsure=allow, variables=statement.variables
        ),
        tests=tuple(
            compile_condition(condition, unsure=allow, variables=statement.variables)
            for condition in statement.conditions
        ),
    )


def doubts(statement: Statement, request: Request, action: str, bounded: bool) -> Iterator[Doubt]:
    """Yield the forms on which it depends whether a statement applies to a request; none when both readings agree."""
    other = _widely(statement)
    if bool(statement.reaches(request, action, bounded)) == bool(other.reaches(request, action, bounded)):
        return
    for name, empty in (
        ("NotAction", statement.not_action and not statement.actions),
        ("NotResource", statement.not_resource and not statement.resources),
        ("NotPrincipal", statement.not_principal and statement.principals is not None and statement.principals.empty),
    ):
        if empty:
            yield Doubt(f"{statement.where}.{name}", EMPTY_NOT)
    if statement.resources and statement.covers_resource(request) != other.covers_resource(request):
        yield Doubt(f"{statement.where}.{'Not' * statement.not_resource}Resource", _of_resource(statement, request))
    for condition, mine, theirs in zip(statement.conditions, statement.tests, other.tests, strict=True):
        if mine(request.keys) != theirs(request.keys):
            yield Doubt(condition.where, form_of(condition, request.keys, variables=statement.variables))


def _of_resource(statement: Statement, request: Request) -> UndocumentedForm:
    resources = statement.resources or ()
    if statement.variables and any("${" in resource and broken(resource) for resource in resources):
        return BROKEN_VARIABLE
    if _several(resources, request.keys, variables=statement.variables):
        return SEVERAL_IN_VARIABLE
    return NO_VALUE_IN_NOTRESOURCE


def _several(texts: Iterable[str], keys: Keys, *, variables: bool) -> bool:
    """Whether one of the texts has a variable of several values."""
    read = (template(text, variables=variables, wildcards=False) for text in texts)
    return any(not isinstance(item, str) and several(item, keys) for item in read)


def form_of(condition: Condition, keys: Keys, *, variables: bool) -> UndocumentedForm:
    """The form that makes a test undocumented for these keys. Call it only for a test on which the readings differ."""
    row = condition.operator
    reads = reader(row.family)
    if not condition.values:
        return NO_VALUES
    if reads is not None and any(reads(value) is None for value in condition.values):
        return TYPED_VARIABLE  # the parser rejects every other value that an operator cannot parse
    if variables and reads is None and any("${" in value and broken(value) for value in condition.values):
        return BROKEN_VARIABLE
    value = keys.get(condition.key.lower())
    if value is None:
        return ANY_IF_EXISTS
    if isinstance(value, tuple) and condition.set_operator is None:
        return SEVERAL_VALUES
    if _several(condition.values, keys, variables=variables):
        return SEVERAL_IN_VARIABLE
    return _of_values(condition, (value,) if isinstance(value, str) else value)


def _of_values(condition: Condition, sent: tuple[str, ...]) -> UndocumentedForm:
    """The form that makes a test of these values undocumented, not considering variables."""
    row = condition.operator
    match row.family:
        case Family.TEXT:
            return OTHER_LETTERS if row.comparison is Comparison.EQUAL_IGNORING_CASE else UNREADABLE_VALUE
        case Family.ARN:
            short = all(map(is_arn, sent)) or any(value.count(":") < 5 for value in condition.values)
            return SHORT_ARN if short else UNREADABLE_VALUE
        case Family.NUMBER | Family.DATE | Family.BOOL | Family.BYTES | Family.ADDRESS | Family.NULL:
            return UNREADABLE_VALUE
        case never:
            raise not_known(never)
