"""All possible callers, as one caller of each equivalence class under the documents.

The Principal element, aws:PrincipalArn, aws:PrincipalAccount, aws:PrincipalType, aws:userid and aws:username all depend
on the caller, so they are one dimension. It relies on these facts:
- A principal acts in its own partition: a principal of aws-cn cannot sign in to aws (General Reference, "Identify AWS
  resources with Amazon Resource Names"). So every caller is in the resource's partition.
- A role session is `arn:P:sts::A:assumed-role/NAME/SESSION`; its aws:PrincipalArn is the role's ARN with its path, and
  role names are unique in an account regardless of path (reference_policies_condition-keys, reference_iam-quotas).
- A unique id in a Principal element matches aws:userid (reference_identifiers). It does not reveal the account of its
  user or role, and a deleted one cannot call (`Origin`). So every account has such a caller.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from valetkey.catalog.condition_keys import ACCOUNT, FEDERATED_NAME, PATH, SERVICE, SESSION_ID, USER_ID
from valetkey.catalog.text_forms import Form
from valetkey.errors import PolicyError, shown
from valetkey.policy.arns import Arn, is_account, parse_arn
from valetkey.policy.globs import STAR
from valetkey.policy.legible import unspoken
from valetkey.policy.operators import Family
from valetkey.policy.principals import NamedBy, PrincipalKind, Principals
from valetkey.policy.role_actions import enters_roles
from valetkey.policy.undecided import NotDecided
from valetkey.prover.arn_patterns import Parts, parts_of, readable
from valetkey.prover.automata import Glob, TooMany
from valetkey.prover.boxes import Budget
from valetkey.prover.key_partition import samples
from valetkey.prover.key_tests import KeyTest, patterns
from valetkey.prover.parties import Party, Person

CALLER_KEYS = frozenset(
    f"aws:{name}"
    for name in (
        "principalarn",
        "principalaccount",
        "principaltype",
        "userid",
        "username",
        "principalisawsservice",
        "principalservicename",
    )
)
"""The condition keys that follow from the caller."""


class Mentioned(NamedTuple):
    """The parts of the documents that depend on the caller."""

    elements: Sequence[Principals]
    asked: Mapping[str, Sequence[KeyTest]]
    """The conditions by caller key (lower-cased)."""
    related: Mapping[str, Sequence[Glob]]
    """Patterns of other keys that a variable compares with a caller key."""
    strangers: bool = True
    """Whether some Allow may apply to callers that it does not name."""
    linked: bool = False
    """Whether service-linked roles are separate classes: SCPs and RCPs do not apply to them."""

    def globs(self, key: str) -> list[Glob]:
        own = [glob for test in self.asked.get(key, ()) for glob in patterns(test)]
        return list(dict.fromkeys([*own, *self.related.get(key, ())]))

    def concerns(self, key: str) -> bool:
        return key in self.asked or key in self.related


def everybody(said: Mentioned, *, partition: str, owner: str, role: bool, budget: Budget) -> list[Person]:
    """One caller of every equivalence class. `owner` is the account of the resource. `role`: the resource is a role,
    which the root user, federated users and anonymous callers cannot assume. Raises NotDecided, TooMany.

    Callers that no document names are left out if no document can match them: then none of them is allowed.
    """
    _refuse(said, role=role)
    entries = list(dict.fromkeys(entry for principals in said.elements for entry in principals.aws))
    arns = [part for glob in said.globs("aws:principalarn") for part in parts_of(glob, partition)]
    people: list[Person] = []
    ids = any(entry[:4] in _UNIQUE for entry in entries)
    single = [entry for entry in entries if not (is_account(entry) or entry.endswith(":root"))]
    # The owner's root user needs no Allow that names it (`valetkey.policy.evaluation`, rule 5) but assumes no role.
    for account, named in _accounts(said, entries, arns, owner if said.strangers or not role else "", budget):
        if named or said.strangers or ids:
            party = Party("account", account, partition) if named else Party("any account", "", partition)
            place = _Account(said, single, arns, partition, party, account, budget)
            people += (person for person in place.people() if enters_roles(person.kind) or not role)
            if len(people) > budget.limits.states:
                raise TooMany(f"callers fall into more than {budget.limits.states:,} classes")
    people += (person for person in _others(said, partition, owner, budget) if enters_roles(person.kind) or not role)
    return people


def _refuse(said: Mentioned, *, role: bool) -> None:
    """Raise NotDecided for entries and conditions that these classes of callers do not cover."""
    for element in said.elements:
        for _, entry, why in unspoken(element):
            raise NotDecided(f"{shown(entry)} {why}")
        if element.unread:
            raise NotDecided(str(element.unread[0]))
    for key, several in said.asked.items():
        families = {test.condition.operator.family for test in several} - {Family.TEXT, Family.ARN, Family.NULL}
        if families - ({Family.BOOL} if key == "aws:principalisawsservice" else set()):
            raise NotDecided(f"{key} is compared as {' and as '.join(sorted(families))}")
        if any(glob.fold and not glob.text.isascii() for glob in said.globs(key)):
            raise NotDecided(f"{key} is compared ignoring case with letters that are not ASCII")
    ids = said.globs("aws:userid")
    if not role and any(glob.text != STAR and glob.text[:4] not in _UNIQUE for glob in ids):
        raise NotDecided("aws:userid is compared with what the root user or a federated user may have")


def caller_of(text: str | None) -> Arn | None:
    """Parse the ARN of the calling user or role (for a session: its role). Raises PolicyError for any other ARN."""
    if text is None:
        return None
    arn = parse_arn(text)
    if arn.service != "iam" or arn.kind not in ("user", "role") or not is_account(arn.account) or not arn.name:
        do = "name a role (for any session of it) or a user by its ARN"
        raise PolicyError(f"{shown(text)} is not a caller that can be proved", do=do, where="caller")
    return arn


def session_of(role_arn: str, said: Mentioned, *, budget: Budget) -> list[Person]:
    """The callers of one role (its sessions) or one user. Raises PolicyError for another ARN, NotDecided, TooMany."""
    arn = caller_of(role_arn)
    assert arn is not None
    _refuse(said, role=True)
    party = Party("account", arn.account, arn.partition)
    entries = list(dict.fromkeys(entry for principals in said.elements for entry in principals.aws))
    place = _Account(said, entries, [], arn.partition, party, arn.account, budget)
    if arn.kind == "user":
        return list(place.user(arn.resource.removeprefix("user/"), role_arn))
    start = f"arn:{arn.partition}:sts::{arn.account}:assumed-role/"
    named = [entry.removeprefix(start) for entry in entries if entry.startswith(f"{start}{arn.name}/")]
    return list(place.session(arn.resource.removeprefix("role/"), role_arn, named))


def _accounts(
    said: Mentioned, entries: Sequence[str], arns: Sequence[Parts], owner: str, budget: Budget
) -> Iterator[tuple[str, bool]]:
    """Yield account ids, and whether the documents (or the resource) name them."""
    named = [entry if is_account(entry) else entry.split(":")[4] for entry in entries if entry[:4] not in _UNIQUE]
    globs = list(dict.fromkeys([*said.globs("aws:principalaccount"), *(part.account for part in arns)]))
    named += [glob.text for glob in globs if glob.plain]
    known = dict.fromkeys([*filter(is_account, named), *filter(None, [owner])])
    yield from ((account, True) for account in known)
    wildcards = [glob for glob in globs if not glob.plain]
    for account in samples([*wildcards, *(Glob(item) for item in known)], ACCOUNT, budget=budget):
        if account not in known:
            yield account, False


_UNIQUE = ("AIDA", "AROA")
_OF_USERS = ("User", "false")
"""aws:PrincipalType and aws:PrincipalIsAWSService of a user."""


@dataclass(frozen=True)
class _Account:
    """The callers of one account."""

    said: Mentioned
    entries: Sequence[str]
    """Entries of Principal elements that name one user, role, session or federated user, of any account."""
    arns: Sequence[Parts]
    partition: str
    party: Party
    account: str
    budget: Budget

    def people(self) -> Iterator[Person]:
        here = (f"arn:{self.partition}:iam::{self.account}:", f"arn:{self.partition}:sts::{self.account}:")
        mine = [entry for entry in self.entries if entry.startswith(here)]
        users = [name.split(":user/", 1)[1] for name in mine if ":user/" in name]
        roles = {_last(name): name.split(":role/", 1)[1] for name in mine if ":role/" in name}
        sessions = [name.split(":assumed-role/", 1)[1] for name in mine if ":assumed-role/" in name]
        for session in sessions:
            roles.setdefault(session.split("/")[0], session.split("/")[0])
        usernames = [glob._replace(scope="name") for glob in self.said.globs("aws:username")] + self._alike()
        for path, named in self._names("user", [Glob(f"user/{name}") for name in users] + usernames):
            yield from self.user(path, named)
        linked = [Glob(f"role/aws-service-role/{STAR}")] if self.said.linked else []
        for path, named in self._names("role", [*(Glob(name, "name") for name in roles), *linked]):
            if path in roles:  # matched by name, with any path: named as spelled in the document
                named = f"{here[0]}role/{roles[path]}"
                path = path if self.arns else roles[path]
            yield from self.session(
                path, named, [session for session in sessions if session.split("/")[0] == _last(path)]
            )
        yield self._root()
        federated = [name.split(":federated-user/", 1)[1] for name in mine if ":federated-user/" in name]
        for name, named in self._names("federated-user", [Glob(f"federated-user/{name}") for name in federated]):
            yield self._federated(name, named)

    def _alike(self) -> list[Glob]:
        """User names that equal the value of another caller key, when a variable may compare the two: a user's name may
        be "User" or an account id."""
        if "aws:username" not in self.said.related:
            return []
        ids = [unique for unique, _ in self._ids("AIDA", USER_ID) if unique]
        return [Glob(item, "name") for item in (*_OF_USERS, self.account, *ids)]

    def _names(self, kind: str, globs: Sequence[Glob]) -> Iterator[tuple[str, str]]:
        """Yield one path (the part after `kind/` in an ARN of this account) of every class, and how the documents name
        it."""
        service = "sts" if kind == "federated-user" else "iam"
        live = [
            part
            for part in self.arns
            if part.service.fits(service) and part.region.fits("") and part.account.fits(self.account)
        ]
        all_ = list(dict.fromkeys([*globs, *(part.resource for part in live)]))
        form = FEDERATED_NAME if kind == "federated-user" else PATH
        result = _quick(all_, kind, form)
        if result is None:
            result = samples(all_, form, budget=self.budget, prefix=f"{kind}/")
        for path in result:
            yield path, self._spelt(kind, path, globs, live)

    def _spelt(self, kind: str, path: str, globs: Sequence[Glob], live: Sequence[Parts]) -> str:
        text = f"{kind}/{path}"
        service = "sts" if kind == "federated-user" else "iam"
        for glob in globs:
            if glob.fits(text):
                name = f"{kind}/{path}" if glob.plain or STAR not in glob.text else glob.text
                return f"arn:{self.partition}:{service}::{self.account}:{readable(name)}"
        for part in live:
            if part.resource.text != STAR and part.resource.fits(text):
                return part.spelt
        return ""

    @property
    def _whole(self) -> dict[str, NamedBy]:
        return {f"arn:{self.partition}:iam::{self.account}:root": NamedBy.ACCOUNT, self.account: NamedBy.ACCOUNT}

    def _person(
        self, kind: PrincipalKind, principal: str, own: Mapping[str, NamedBy], named: str, keys: Mapping[str, str]
    ) -> Person:
        groups = (*((name,) for name in own if name[:4] not in _UNIQUE), tuple(self._whole))
        common = {
            "aws:principalarn": principal,
            "aws:principalaccount": self.account,
            "aws:principalisawsservice": "false",
        }
        return Person(kind, self.party, principal, {**common, **keys}, {**self._whole, **own}, groups, named)

    def user(self, path: str, named: str) -> Iterator[Person]:
        arn = f"arn:{self.partition}:iam::{self.account}:user/{path}"
        keys = {"aws:principaltype": "User", "aws:username": _last(path)}
        for id_, unique in self._ids("AIDA", USER_ID):
            own = {arn: NamedBy.DIRECT} | ({id_: NamedBy.DIRECT} if unique else {})
            person = self._person("user", arn, own, named, keys | ({"aws:userid": id_} if id_ else {}))
            yield replace(person, unique=id_, named=id_) if unique else person

    def session(self, path: str, named: str, sessions: Sequence[str] = ()) -> Iterator[Person]:
        """Yield the sessions of a role: the named ones, and one that is not named."""
        role, name = f"arn:{self.partition}:iam::{self.account}:role/{path}", _last(path)
        plain = f"arn:{self.partition}:iam::{self.account}:role/{name}"
        known = [item.split("/", 1)[1] for item in sessions]
        if known and self.said.concerns("aws:userid"):
            raise NotDecided("sessions are named as principals, and aws:userid is compared too")
        likely = ("session", "another-session", *(f"session-{number}" for number in range(len(known))))
        other = next(item for item in likely if item not in known)
        for session in [*known, other]:
            principal = f"arn:{self.partition}:sts::{self.account}:assumed-role/{name}/{session}"
            for id_, unique in self._ids("AROA", SESSION_ID):
                signed = principal
                if id_ and session == other:  # the unique id of a session ends in the session name
                    ends = id_.split(":", 1)[1]
                    if ends in known:
                        continue
                    signed = f"arn:{self.partition}:sts::{self.account}:assumed-role/{name}/{ends}"
                elif id_:
                    id_ = f"{id_.split(':')[0]}:{session}"
                own = {signed: NamedBy.DIRECT, plain: NamedBy.ROLE}
                own |= {id_.split(":")[0]: NamedBy.ROLE} if unique else {}
                called = principal if session in known else named
                keys = {"aws:principalarn": role, "aws:principaltype": "AssumedRole"}
                person = self._person("session", signed, own, called, keys | ({"aws:userid": id_} if id_ else {}))
                shown_id = id_.split(":")[0]
                yield replace(person, unique=shown_id, named=shown_id) if unique else person

    def _root(self) -> Person:
        arn = f"arn:{self.partition}:iam::{self.account}:root"
        whole = {arn: NamedBy.DIRECT, self.account: NamedBy.DIRECT}
        keys = {"aws:principaltype": "Account", "aws:userid": self.account}
        person = self._person("root", arn, whole, "", keys)
        return Person("root", self.party, arn, person.keys, whole, (tuple(whole),))

    def _federated(self, name: str, named: str) -> Person:
        arn = f"arn:{self.partition}:sts::{self.account}:federated-user/{name}"
        keys = {"aws:principaltype": "FederatedUser", "aws:userid": f"{self.account}:{name}"}
        return self._person("federated user", arn, {arn: NamedBy.DIRECT}, named, keys)

    def _ids(self, start: str, form: Form) -> list[tuple[str, bool]]:
        """Unique ids (for sessions: with the session name), and whether a Principal element names them. One empty id
        when no document tests unique ids."""
        shown = [entry for entry in self.entries if entry.startswith(start)]
        if not shown and not self.said.concerns("aws:userid"):
            return [("", False)]
        tail = f":{STAR}" if start == "AROA" else ""
        globs = [*self.said.globs("aws:userid"), *(Glob(entry + tail) for entry in shown)]
        return [(id_, id_.split(":")[0] in shown) for id_ in samples(globs, form, budget=self.budget)]


def _quick(globs: Sequence[Glob], kind: str, form: Form) -> list[str] | None:
    """The samples without the automaton, if the patterns are only plain names or only plain paths; otherwise None."""
    live = [glob for glob in globs if glob.text.strip(STAR)]
    live = [
        glob for glob in live if not (glob.plain and glob.scope != "name" and glob.text[: len(kind) + 1] != f"{kind}/")
    ]
    names = [glob.text for glob in live if glob.scope == "name"]
    paths = [glob.text.removeprefix(f"{kind}/") for glob in live if glob.scope != "name"]
    if not all(glob.plain for glob in live) or (names and paths):
        return None
    named = [path for path in dict.fromkeys(names or paths) if form.holds(path)]
    fresh = next((item for item in form.likely if (_last(item) if names else item) not in named), None)
    return None if fresh is None else [*named, fresh]


def _last(path: str) -> str:
    return path.rsplit("/", 1)[-1]


_HOSTS = (Glob(f"{STAR}.amazonaws.com"), Glob(f"{STAR}.amazonaws.com.cn"), Glob(f"{STAR}..{STAR}"))
"""Patterns of service names (the parser accepts a few more), and one that a service name does not match."""


def _others(said: Mentioned, partition: str, owner: str, budget: Budget) -> Iterator[Person]:
    """Yield services, providers and anonymous callers: the named ones, and one of each that is not named."""
    services = dict.fromkeys(name for principals in said.elements for name in principals.services)
    fresh: Sequence[str] = ()
    if said.strangers:
        asked = said.globs("aws:principalservicename")
        likely = ("ec2.amazonaws.com", "lambda.amazonaws.com", *(f"s{n}.amazonaws.com" for n in range(len(services))))
        fresh = [name for name in likely if name not in services][:1]
        if asked:
            result = samples([*asked, *map(Glob, services), *_HOSTS], SERVICE, budget=budget)
            fresh = [
                name
                for name in result
                if any(host.fits(name) for host in _HOSTS[:2]) and not _HOSTS[2].fits(name) and name not in services
            ]
    for name in (*services, *fresh):
        keys = {"aws:principalisawsservice": "true", "aws:principalservicename": name}
        called, known = f"service:{name}", name in services
        party = Party("service", name * known, partition)
        yield Person("service", party, name, keys, {called: NamedBy.DIRECT}, ((called,),), name * known)
    providers = dict.fromkeys(name for principals in said.elements for name in principals.federated)
    spare = (
        f"arn:{partition}:iam::{owner}:saml-provider/another",
        f"arn:{partition}:iam::{owner}:oidc-provider/another.example.com",
        "accounts.google.com",
    )
    for name in dict.fromkeys([*providers, *(spare if said.strangers else ())]):
        known = name in providers
        names = (f"federated:{name}",) + (() if name.startswith("arn:") else (f"federated-host:{name}",))
        party = Party("provider", name * known, partition)
        yield Person("provider", party, name, {}, dict.fromkeys(names, NamedBy.DIRECT), (names,), name * known)
    if not said.strangers:
        return
    keys = {"aws:principaltype": "Anonymous", "aws:userid": "anonymous"}
    yield Person("anonymous", Party("anonymous", "", partition), "anonymous", keys, {}, ((),))
