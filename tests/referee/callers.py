"""Callers as terms, one kind at a time, and how a Principal element reaches them.

The rules of `valetkey.policy.principals`, written a second time. Keys that do not follow from a caller's name
(aws:userid of a user) are free within their format.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.referee.formulas import Beyond, Formula, Term, Terms
from tests.referee.values import ABSENT, Key, Text, fixed, shaped

from valetkey.catalog import condition_keys as table
from valetkey.catalog.text_forms import Form, Stage
from valetkey.policy.arns import is_account
from valetkey.policy.principals import PrincipalKind, Principals, id_prefix, is_unsigned
from valetkey.policy.undecided import not_known

KINDS: tuple[PrincipalKind, ...] = ("user", "session", "root", "federated user", "service", "provider", "anonymous")

Levels = tuple[Formula, Formula, Formula]
"""Whether a statement reaches the caller in any way; at least by its role; directly."""
REACHES_NOBODY: Levels = (False, False, False)
REACHES_EVERYBODY: Levels = (True, True, True)

_Named = Callable[[str], Formula]


@dataclass(frozen=True)
class Caller:
    """A caller of one kind."""

    kind: PrincipalKind
    account: Term | None
    direct: _Named
    """Whether an entry under "AWS" (or under the kind's element) names exactly this caller."""
    role: _Named
    """Whether it names the role of a session."""
    whole: _Named
    """Whether it names the caller's account."""
    keys: Mapping[str, Key]
    unique: _Named
    """Whether a unique id (AIDA…, AROA…) is the caller's."""
    text: Callable[[Callable[[Term], Any]], str]
    """The Request's principal in a model."""
    rules: Sequence[Formula] = field(default=())
    given: frozenset[str] = frozenset()
    """Keys that a Request does not derive from its principal."""
    name: Term | None = None
    """The name of a provider."""
    names: Sequence[str] = ()
    """The possible names of a provider."""

    @property
    def unsigned(self) -> bool:
        return is_unsigned(self.kind)


def _nobody(entry: str) -> Formula:
    return False


_OWN = (
    "aws:principalarn",
    "aws:principalaccount",
    "aws:principaltype",
    "aws:username",
    "aws:userid",
    "aws:principalisawsservice",
    "aws:principalservicename",
)


def make(terms: Terms, kind: PrincipalKind, partition: str, elements: Sequence[Principals]) -> Caller:
    """A caller of one of KINDS in a partition, otherwise free. `elements` are all tested Principal elements."""
    keys = dict.fromkeys(_OWN, ABSENT)
    match kind:
        case "service":
            return _service(terms, keys)
        case "provider":
            return _provider(terms, keys, elements)
        case "anonymous":
            keys |= {"aws:principaltype": fixed(terms, "Anonymous"), "aws:userid": fixed(terms, "anonymous")}
            return Caller(kind, None, _nobody, _nobody, _nobody, keys, _nobody, lambda value_of: "anonymous")
        case "user" | "session" | "root" | "federated user":
            return _person(terms, kind, partition, keys)
        case "role" | "canonical user":
            raise Beyond(f"a {kind} calls")
        case never:
            raise not_known(never)


def _free(terms: Terms, name: str, form: Form, rules: list[Formula], expression: Term | None = None) -> Term:
    text, more = shaped(terms, name, form, expression)
    rules += more
    return text.term


def _there(term: Term, parts: tuple[Term, ...] | None = None) -> Key:
    return Key(True, ((True, Text(term, parts, ascii=True)),))


def _person(
    terms: Terms,
    kind: Literal["user", "session", "root", "federated user"],
    partition: str,
    keys: dict[str, Key],
) -> Caller:
    """A caller in an account: user, session, root, federated user."""
    rules: list[Formula] = []
    account = _free(terms, "account", table.ACCOUNT, rules)
    keys |= {"aws:principalaccount": _there(account), "aws:principalisawsservice": fixed(terms, "false")}

    def arn(service: str, resource: Sequence[Term | str]) -> tuple[Term, tuple[Term, ...]]:
        tail = terms.concat(resource)
        parts = (terms.text("arn"), terms.text(partition), terms.text(service), terms.text(""), account, tail)
        return terms.concat((f"arn:{partition}:{service}::", account, ":", tail)), parts

    def in_account(entry: str, service: str) -> tuple[Formula, str]:
        """Whether the entry is an ARN in the caller's account, and its last part."""
        parts = entry.split(":", 5)
        if len(parts) < 6 or parts[1:3] != [partition, service]:
            return False, ""
        return terms.same(account, parts[4]), parts[5]

    def named(service: str, resource: Sequence[Term | str]) -> _Named:
        tail = terms.concat(resource)

        def is_it(entry: str) -> Formula:
            home, rest = in_account(entry, service)
            return terms.and_((home, terms.same(tail, rest)))

        return is_it

    def in_whole(entry: str) -> Formula:
        if is_account(entry):
            # An account id alone means the account in the resource's partition.
            return terms.same(account, entry)
        home, rest = in_account(entry, "iam")
        return home if rest == "root" else False

    def read(term: Term) -> Callable[[Callable[[Term], Any]], str]:
        return lambda value_of: str(value_of(term).getStringValue())

    unique: _Named = _nobody
    role: _Named = _nobody
    given = frozenset[str]()
    match kind:
        case "root":
            resource: list[Term | str] = ["root"]
            whole, parts = arn("iam", resource)
            own, principal = named("iam", resource), whole
            keys |= {"aws:principaltype": fixed(terms, "Account"), "aws:userid": _there(account)}
        case "federated user":
            name = _free(terms, "name", table.FEDERATED_NAME, rules)
            resource = ["federated-user/", name]
            whole, parts = arn("sts", resource)
            own, principal = named("sts", resource), whole
            userid = terms.concat((account, ":", name))
            keys |= {"aws:principaltype": fixed(terms, "FederatedUser"), "aws:userid": _there(userid)}
        case "user":
            path, name = _path(terms, rules)
            resource = ["user", path, name]
            whole, parts = arn("iam", resource)
            own, principal = named("iam", resource), whole
            userid = _free(terms, "userid", table.USER_ID, rules)
            keys |= {"aws:principaltype": fixed(terms, "User"), "aws:username": _there(name)}
            keys |= {"aws:userid": _there(userid)}
            given = frozenset({"aws:userid"})
            unique = lambda entry: terms.same(userid, entry)  # noqa: E731
        case "session":
            path, name = _path(terms, rules)
            session = _free(terms, "session", table.SESSION_NAME, rules)
            whole, parts = arn("iam", ["role", path, name])
            own = named("sts", ["assumed-role/", name, "/", session])
            principal = arn("sts", ["assumed-role/", name, "/", session])[0]
            role = _role(terms, in_account, name)
            roleid = _free(terms, "roleid", Form(table.SESSION_ID.stages[:5], longest=128), rules)
            userid = terms.concat((roleid, ":", session))
            keys |= {"aws:principaltype": fixed(terms, "AssumedRole"), "aws:userid": _there(userid)}
            given = frozenset({"aws:userid", "aws:principalarn"})
            unique = lambda entry: terms.same(roleid, entry)  # noqa: E731
        case never:
            raise not_known(never)
    keys["aws:principalarn"] = _there(whole, parts)
    return Caller(kind, account, own, role, in_whole, keys, unique, read(principal), rules, given)


def _path(terms: Terms, rules: list[Formula]) -> tuple[Term, Term]:
    """Path and name of a user or role: "/" or "/…/", and a name without slashes."""
    name_form = Form((Stage(table.NAME_CHARS, 1),), longest=64)
    name = _free(terms, "name", name_form, rules)
    slash, signs = terms.literal("/"), terms.chars(table.PATH.stages[0].chars + "/")
    path = _free(
        terms,
        "path",
        Form((), longest=512),
        rules,
        terms.either((slash, terms.then((slash, terms.some(signs), slash)))),
    )
    return path, name


def _role(terms: Terms, in_account: Callable[[str, str], tuple[Formula, str]], name: Term) -> _Named:
    def is_it(entry: str) -> Formula:
        home, rest = in_account(entry, "iam")
        # A session's ARN does not contain its role's path: names are unique without it.
        return terms.and_((home, terms.same(name, rest.rsplit("/", 1)[-1]))) if rest.startswith("role/") else False

    return is_it


def _service(terms: Terms, keys: dict[str, Key]) -> Caller:
    rules: list[Formula] = []
    tails = ("amazonaws.com", "amazonaws.com.cn", "amazonaws.eu", "amazon.com", "c2s.ic.gov", "sc2s.sgov.gov")
    label = terms.some(terms.chars(table.SERVICE.stages[0].chars.replace(".", "")))
    dotted = terms.then((label, terms.many(terms.then((terms.literal("."), label))), terms.literal(".")))
    # No host begins with "-".
    first = terms.chars(table.SERVICE.stages[0].chars.replace(".", "").replace("-", ""))
    start = terms.then((first, terms.anything))
    name = _free(
        terms,
        "service",
        table.SERVICE,
        rules,
        terms.then((dotted, terms.either([terms.literal(tail) for tail in tails]))),
    )
    rules += [terms.fits(name, start), *(terms.not_(terms.same(name, item)) for item in _BARE)]
    keys |= {"aws:principalisawsservice": fixed(terms, "true"), "aws:principalservicename": _there(name)}
    return Caller(
        "service",
        None,
        lambda entry: terms.same(name, entry),
        _nobody,
        _nobody,
        keys,
        _nobody,
        lambda value_of: str(value_of(name).getStringValue()),
        rules,
    )


_BARE = ("cognito-identity.amazonaws.com", "www.amazon.com")
"""Sign-in providers that look like services."""


def _provider(terms: Terms, keys: dict[str, Key], elements: Sequence[Principals]) -> Caller:
    """Only a provider's name can be tested: the named ones and one other of each kind represent all."""
    named = {entry for principals in elements for entry in principals.federated}
    hosts = {entry.split(":oidc-provider/", 1)[1] for entry in named if ":oidc-provider/" in entry}
    spare = (
        "arn:aws:iam::999988887777:saml-provider/another",
        "arn:aws:iam::999988887777:oidc-provider/another.example.com",
        "another.example.org",
    )
    texts = sorted({*named, *hosts, *spare})
    name = terms.fresh(terms.text_sort, "provider")

    def is_it(entry: str) -> Formula:
        # An OIDC provider's ARN also matches the host as a bare name.
        host = entry.split(":oidc-provider/", 1)[1] if ":oidc-provider/" in entry else entry
        return terms.or_((terms.same(name, entry), terms.same(name, host)))

    return Caller(
        "provider",
        None,
        is_it,
        _nobody,
        _nobody,
        keys,
        _nobody,
        lambda value_of: str(value_of(name).getStringValue()),
        [terms.or_([terms.same(name, text) for text in texts])],
        name=name,
        names=texts,
    )


def reaches(
    terms: Terms,
    caller: Caller,
    element: Principals | None,
    *,
    negated: bool,
    deny: bool,
    bounded: bool,
    unsure: bool,
) -> Levels:
    """How a Principal (`negated`: NotPrincipal) element reaches the caller. `bounded`: whether the caller has a
    permissions boundary. `unsure`: whether an empty NotPrincipal reaches everyone."""
    if element is None:
        return REACHES_EVERYBODY
    if element.empty:
        return REACHES_EVERYBODY if negated and unsure else REACHES_NOBODY
    if negated:
        return (_not_principal(terms, caller, element, deny=deny, bounded=bounded),) * 3
    if element.everyone:
        return REACHES_EVERYBODY
    direct, role, account = _names(terms, caller, element)
    # A user's unique id names the user, a role's the role; of several entries the most direct counts.
    ids = terms.or_([caller.unique(entry) for entry in element.aws if entry[:4] == id_prefix(caller.kind)])
    role = terms.or_((role, ids))
    if caller.kind == "user":
        direct = terms.or_((direct, ids))
    return terms.or_((direct, role, account)), terms.or_((direct, role)), direct


def _names(terms: Terms, caller: Caller, element: Principals) -> Levels:
    """Whether the element lists the caller itself, its role, its account."""
    match caller.kind:
        case "service":
            return terms.or_([caller.direct(entry) for entry in element.services]), False, False
        case "provider":
            return terms.or_([caller.direct(entry) for entry in element.federated]), False, False
        case "anonymous":
            return REACHES_NOBODY
        case "user" | "session" | "root" | "federated user":
            direct = terms.or_([caller.direct(entry) for entry in element.aws])
            role = terms.or_([caller.role(entry) for entry in element.aws])
            whole = terms.or_([caller.whole(entry) for entry in element.aws])
            return (terms.or_((direct, whole)), False, False) if caller.kind == "root" else (direct, role, whole)
        case "role" | "canonical user":
            raise Beyond(f"a {caller.kind} calls")
        case never:
            raise not_known(never)


def _not_principal(terms: Terms, caller: Caller, element: Principals, *, deny: bool, bounded: bool) -> Formula:
    """A Deny excludes a caller only if its account, role and session are all listed, and never one with a boundary;
    an Allow reaches only callers of which none of these is listed."""
    if element.everyone:
        return False
    direct, role, whole = _names(terms, caller, element)
    if not deny:
        return terms.not_(terms.or_((direct, role, whole)))
    if bounded:
        return True
    match caller.kind:
        case "anonymous":
            return True
        case "user" | "federated user":
            return terms.not_(terms.and_((direct, whole)))
        case "session":
            return terms.not_(terms.and_((direct, role, whole)))
        case "root" | "service" | "provider":
            return terms.not_(direct)
        case "role" | "canonical user":
            raise Beyond(f"a {caller.kind} calls")
        case never:
            raise not_known(never)
