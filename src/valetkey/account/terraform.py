"""The roles in the output of `terraform show -json`: the planned ones of a plan, the existing ones of a state.

Format: Terraform, internals/json-format. Values that are known only after apply are absent from a plan's values.

Reads aws_iam_role; what aws_iam_role_policy, aws_iam_role_policy_attachment(s_exclusive) and aws_iam_policy_attachment
add to it; the equivalent types of the awscc provider; and the templates of aws_cloudformation_stack and _stack_set. A
value that is not known yet is resolved through the references of its expression (`references`), a document through the
aws_iam_policy_document that it refers to (`plan_documents`).

Documents are `Origin.SENT`, also those of a state: the provider keeps the configured text if it considers it equivalent
to IAM's, an interrupted apply or `-refresh=false` leaves text that was never read back, and the file does not say which
applies. Treating a deleted principal as a live one is a false alarm; the reverse would hide a principal that gets in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import TypeVar

import msgspec
from msgspec import UnsetType

from valetkey.account import symbols
from valetkey.account.duplicate_keys import refuse_duplicate_keys
from valetkey.account.loaded import SourceError
from valetkey.account.parts import SourcePart
from valetkey.account.place import Place
from valetkey.account.plan_documents import Making, NotKnown
from valetkey.account.plan_file import Attributes, Maybe, Module, PlanFile, PlanResource, arn_of, decode, known, time_of
from valetkey.account.plan_kinds import (
    ARNS,
    ATTACHES,
    CLOUD_CONTROL,
    DATA,
    ELSEWHERE,
    LIKE,
    MAKERS,
    MANAGED,
    OVERRIDES,
    STACKS,
    attribute_of,
    like,
    read_stack,
)
from valetkey.account.references import Config, Instance, by_resource, references_in
from valetkey.account.values import Document, OpenDocument, Role, UnknownPart
from valetkey.policy.arns import NOBODY
from valetkey.policy.origin import Origin

_T = TypeVar("_T")
_LATER = "it is known only after apply"


def read_plan(data: bytes, name: str, place: Place) -> SourcePart:
    """Read a plan or a state. Raises SourceError with file and JSON path."""
    plan = decode(data, PlanFile, name, "$")
    if plan.lineage is not None:
        raise SourceError(
            f"{name} is Terraform's raw state, a format that only Terraform reads",
            do="run `terraform show -json > state.json` where the state is, and give state.json",
            where=f"{name}: $",
        )
    if plan.format_version.split(".")[0] not in ("0", "1"):
        what = f"{name} has the format version {plan.format_version[:20]!a}; 0 and 1 are known"
        raise SourceError(what, do="make it with `terraform show -json`", where=f"{name}: $.format_version")
    stated = plan.planned_values or plan.values
    if stated is None:
        raise SourceError(
            f"{name} has no planned values", do="make it with `terraform show -json PLAN`", where=f"{name}: $"
        )
    refuse_duplicate_keys(data, name)
    reading = _Reading(name, Config(plan.configuration), place)
    if plan.errored or not plan.complete or plan.deferred_changes:
        reading.lacks("the plan is not complete: Terraform put off or could not plan some of the changes")
    for root in (stated, plan.prior_state.values if plan.prior_state else None):
        reading.add(root.root_module if root else Module(), prior=root is not stated)
    return reading.part()


class _Reading:
    """Collects the IAM resources of one file."""

    def __init__(self, name: str, config: Config, place: Place) -> None:
        self._name = name
        self._config = config
        self._place = place
        self._resources: dict[str, list[tuple[Instance, Attributes]]] = {}
        self._accounts: dict[tuple[str, str], str] = {}
        self._unknown: list[UnknownPart] = []
        self._partition: str | None = None
        self._index: dict[str, list[Instance]] = {}
        self._documents: dict[str, tuple[Instance, bytes]] = {}
        self._kinds: dict[str, str] = {}
        self._later: set[str] = set()
        self._arns: dict[str, str] = {}
        self._names: dict[str, list[_Draft]] = {}

    def lacks(self, why: str, address: str = "$") -> None:
        """Note that roles may be missing."""
        self._unknown.append(UnknownPart("roles", why, f"{self._name}: {address}"))

    def add(self, module: Module, *, prior: bool) -> None:
        """Add a module and its children. `prior`: the state before a plan, of which only data sources are read."""
        left = [module]
        while left:
            module = left.pop()
            left += module.child_modules
            for resource in module.resources:
                wanted = resource.type in DATA if resource.mode == "data" else resource.type in MANAGED and not prior
                address = (
                    resource.address
                    if resource.deposed_key is None
                    else f"{resource.address} (deposed {resource.deposed_key})"
                )
                at = Instance(address, module.address, resource.index)
                if resource.mode == "data" and resource.type == "aws_iam_policy_document":
                    self._documents.setdefault(resource.address, (at, bytes(resource.values)))
                elif wanted and resource.type in ELSEWHERE:
                    self.lacks(f"{resource.type} may create roles; its template is not in the file", resource.address)
                elif wanted:
                    where = f"{self._name}: {resource.address}"
                    kind, data = resource.type, bytes(resource.values)
                    if kind in LIKE:
                        self._kinds[at.address] = kind
                        kind, data = LIKE[kind][0], like(kind, data)
                    values = decode(data, Attributes, self._name, resource.address)
                    self._resources.setdefault(kind, []).append((at, values))
                    self._learn(resource, values, where)
                    if kind in OVERRIDES and values.parameter_overrides:
                        self.lacks("the stack set has other parameters for some accounts", resource.address)
                    type_name = known(values.type_name) or "AWS::IAM::"
                    if kind == CLOUD_CONTROL and type_name.startswith(MAKERS):
                        self.lacks(
                            f"{kind} may create roles, or give permissions to them; it is not read", resource.address
                        )

    def _learn(self, resource: PlanResource, values: Attributes, where: str) -> None:
        if isinstance(values.partition, str):
            self._partition = values.partition
        if resource.type == "aws_caller_identity" and isinstance(values.account_id, str):
            partition = values.arn.split(":")[1] if isinstance(values.arn, str) and values.arn.count(":") > 4 else "aws"
            self._accounts[(partition, values.account_id)] = where
        elif isinstance(values.arn, str) and (match := re.match(r"arn:([a-z0-9-]+):iam::([0-9]{12}):", values.arn)):
            self._accounts[(match[1], match[2])] = where

    def part(self) -> SourcePart:
        """Build the part from everything that was added."""
        part = SourcePart(self._name, owners=self._accounts)
        one = next(iter(self._accounts)) if len(self._accounts) == 1 else (None, None)
        if len(self._accounts) > 1:
            ids = ", ".join(sorted({account for _, account in self._accounts}))
            what = f"the file is of several accounts ({ids}); the account of a new role is not given"
            part.unknown.append(UnknownPart("account", what, self._name))
        account = self._place.account or one[1]
        partition = one[0] or self._partition or self._place.partition
        drafts = {at.address: _Draft(at, values) for at, values in self._resources.get("aws_iam_role", [])}
        policies = {
            at.address: arn_of(at, values, "policy", account, partition)
            for at, values in self._resources.get("aws_iam_policy", [])
        }
        for at, values in self._resources.get("aws_iam_policy", []):
            document = values.policy if isinstance(values.policy, str) else None
            part.add_policy(policies[at.address], document, self._where(at, "policy"))
            if document is None:
                part.unknown.append(UnknownPart(f"policy {policies[at.address]}", _LATER, self._where(at, "policy")))
        self._index = by_resource(at for kind in ("aws_iam_role", "aws_iam_policy") for at in self._at(kind))
        self._documented = by_resource(at for at, _ in self._documents.values())
        for kind, word in ARNS.items():
            for at, values in self._resources.get(kind, []):
                if word == "oidc-provider" and not (known(values.url) or known(values.arn)):
                    self._later.add(at.address)
                arn = self._arns[at.address] = arn_of(at, values, word, account, partition)
                if word.endswith("provider"):
                    part.providers = (*(part.providers or ()), arn)
        self._principals = by_resource(at for kind in ARNS for at in self._at(kind))
        self._attach(drafts, policies)
        part.roles = [self._role(draft, policies, account, partition) for draft in drafts.values()]
        part.unknown += self._unknown
        for kind in STACKS:
            for at, values in self._resources.get(kind, []):
                unknown = isinstance(values.parameters, UnsetType) and self._sets(at, "parameters")
                given = values.parameters if isinstance(values.parameters, dict) else None if unknown else {}
                where = f"{self._name}: {at.address}"
                # A stack set creates its stacks in other accounts.
                away = account if kind == "aws_cloudformation_stack" else self._place.account
                source_part = read_stack(known(values.template_body), given, where, replace(self._place, account=away))
                part.add_nested(source_part, where)
        return part

    def _document(self, at: Instance, attribute: str, given: Maybe) -> tuple[Document | OpenDocument | None, list[str]]:
        """A policy document and the assumptions for it. A document that is not known yet is built from the
        aws_iam_policy_document that it refers to: a plan lists references, but not the functions around them."""
        text = known(given)
        if text is not None or not isinstance(given, UnsetType):
            return text, []
        attribute = attribute_of(self._kinds.get(at.address, ""), attribute)
        result = self._config.follow(at, attribute, self._documented)
        references = references_in((self._config.expressions(at) or {}).get(attribute))
        # Only one document: "data.aws_iam_policy_document.t.json", "data.aws_iam_policy_document.t".
        sources = {
            _INDEX.sub("", ".".join(reference.split(".")[: 3 if reference.startswith("data.") else 2]))
            for reference in references
        }
        if len(result) != 1 or len(sources) != 1 or not _DOCUMENT.match(references[0]):
            return None, []
        source, data = self._documents[result[0]]
        values = msgspec.json.decode(data)
        if isinstance(values.get("json"), str):
            return None, []  # the reference itself is known, so an unknown function is applied to it
        making = Making(
            source.address,
            lambda expression: [
                self._arns[item]
                for item in self._config.follow_expression(source, expression, self._principals)
                if item in self._arns
            ],
            references_in,
        )
        try:
            document = making.document(values, self._config.expressions(source))
        except NotKnown:
            return None, []
        whole = f"{attribute} is {source.address} as it is: a plan does not show a function that changes it"
        used = {item for item, arn in self._arns.items() if arn in str(document) and item in self._later}
        return document, [
            whole,
            *making.assumed,
            *(f"{item} serves one tenant: its issuer is known only after apply" for item in sorted(used)),
        ]

    def _at(self, kind: str) -> Iterator[Instance]:
        return (at for at, _ in self._resources.get(kind, []))

    def _follow(self, at: Instance, attribute: str, among: dict[str, _T]) -> list[_T]:
        """The roles or policies in `among` that the attribute's expression refers to."""
        attribute = attribute_of(self._kinds.get(at.address, ""), attribute)
        return [among[item] for item in self._config.follow(at, attribute, self._index) if item in among]

    def _sets(self, at: Instance, attribute: str) -> bool:
        """Whether the configuration sets an attribute."""
        return self._config.sets(at, attribute_of(self._kinds.get(at.address, ""), attribute))

    def _may_be_another(self, at: Instance, attribute: str) -> bool:
        return self._config.may_be_another(at, attribute_of(self._kinds.get(at.address, ""), attribute))

    def _where(self, at: Instance, attribute: str) -> str:
        return f"{self._name}: {at.address}.{attribute}"

    def _targets(
        self, drafts: dict[str, _Draft], at: Instance, attribute: str, given: Iterable[str | None]
    ) -> Iterator[_Draft]:
        """The roles that a resource names; None in `given` is one known only after apply. A role that is not found,
        or not unique, is noted as unknown."""
        for item in given:
            if item is None:
                result = self._follow(at, attribute, drafts)
                yield from result
                if not result:
                    self._unknown.append(UnknownPart(f"the role of {at.address}", _LATER, self._where(at, attribute)))
                continue
            meant = self._names.get(item, [])
            if len(meant) > 1:
                # Those of other accounts or modules, perhaps. INVARIANT: of several none is taken for the one.
                meant = [draft for draft in self._follow(at, attribute, drafts) if draft in meant] or meant
            yield from meant
            if len(meant) != 1:
                why = (
                    f"{len(meant)} roles in the file are called {item}" if meant else f"role {item} is not in the file"
                )
                self._unknown.append(UnknownPart(f"the role of {at.address}", why, self._where(at, attribute)))

    def _attach(self, drafts: dict[str, _Draft], policies: dict[str, str]) -> None:
        for draft in drafts.values():
            self._names.setdefault(known(draft.values.name) or "", []).append(draft)
        roles = partial(self._targets, drafts)
        for at, values in self._resources.get("aws_iam_role_policy", []):
            for role in roles(at, "role", [known(values.role)]):
                name = known(values.name) or at.address
                self._add_inline(role, name, at, "policy", values.policy)
        for at, values in self._resources.get("aws_iam_role_policy_attachment", []):
            for role in roles(at, "role", [known(values.role)]):
                self._add_arn(role, at, values, policies)
        for at, values in self._resources.get("aws_iam_role_policy_attachments_exclusive", []):
            for role in roles(at, "role", [known(values.role)]):
                arns = values.managed_policy_arns if isinstance(values.managed_policy_arns, list) else [None]
                role.attached.update({arn: None for arn in arns if arn})
                if None in arns:
                    role.unknown.append(UnknownPart("attached policies", _LATER, self._where(at, "policy_arns")))
        for at, values in self._resources.get("aws_iam_policy_attachment", []):
            # An empty or null list is known; an absent one is resolved through its references.
            for role in roles(at, "roles", [None] if isinstance(values.roles, UnsetType) else values.roles or ()):
                self._add_arn(role, at, values, policies)
        for at, values in self._resources.get("aws_iam_policy", []):
            if self._kinds.get(at.address) == ATTACHES:
                later = isinstance(values.roles, UnsetType) and self._sets(at, "roles")
                given = [None] if later else values.roles if isinstance(values.roles, list) else []
                for role in roles(at, "roles", given):
                    role.attached[policies[at.address]] = None

    def _add_inline(self, role: _Draft, name: str, at: Instance, attribute: str, given: Maybe) -> None:
        """Add an inline policy to a role, as far as the policy is known."""
        where = self._where(at, attribute)
        document, _ = self._document(at, attribute, given)
        least = symbols.narrowest(document) if isinstance(document, OpenDocument) else None
        if name in role.inline and role.inline[name] != document:
            role.unknown.append(UnknownPart(f"inline policy {name}", "two different policies have this name", where))
        while name in role.inline:
            name = f"{name} ({at.address})"  # INVARIANT: a policy never replaces another of the same name
        if isinstance(document, str):
            role.inline[name] = document
        elif least is not None:
            role.inline[name] = least.text
            role.unknown.append(
                UnknownPart(f"inline policy {name}", "some of its values are known only after apply", where)
            )
        else:
            role.unknown.append(UnknownPart(f"inline policy {name}", _LATER, where))

    def _add_arn(self, role: _Draft, at: Instance, values: Attributes, policies: dict[str, str]) -> None:
        arn = known(values.policy_arn)
        result = [arn] if arn else self._follow(at, "policy_arn", policies)
        role.attached.update(dict.fromkeys(result))
        if not result or (not arn and self._may_be_another(at, "policy_arn")):
            role.unknown.append(UnknownPart("attached policies", _LATER, self._where(at, "policy_arn")))

    def _role(self, draft: _Draft, policies: dict[str, str], account: str | None, partition: str) -> Role:
        at, values = draft.at, draft.values
        arn = arn_of(at, values, "role", account, partition)
        blocks = [] if isinstance(values.inline_policy, UnsetType) else values.inline_policy or []
        if isinstance(values.inline_policy, UnsetType) and self._sets(at, "inline_policy"):
            draft.unknown.append(UnknownPart("inline policies", _LATER, self._where(at, "inline_policy")))
        for policy in blocks:
            # An empty block means "none" in Terraform; one without values is known only after apply.
            if policy.name or policy.policy or isinstance(policy.policy, UnsetType):
                self._add_inline(draft, known(policy.name) or "inline", at, "inline_policy", policy.policy)
        self._managed(draft, policies)
        boundary = known(values.permissions_boundary)
        if isinstance(values.permissions_boundary, UnsetType) and self._sets(at, "permissions_boundary"):
            result = self._follow(at, "permissions_boundary", policies)
            sure = len(result) == 1 and not self._may_be_another(at, "permissions_boundary")
            boundary = result[0] if sure else None
            if boundary is None:
                draft.unknown.append(UnknownPart("boundary", _LATER, self._where(at, "permissions_boundary")))
        trust, rests = self._document(at, "assume_role_policy", values.assume_role_policy)
        if trust is None:
            draft.unknown.append(UnknownPart("trust", _LATER, self._where(at, "assume_role_policy")))
        tags = values.tags_all if isinstance(values.tags_all, dict) else values.tags
        named = isinstance(values.name, str)
        own = arn.split(":")[4]
        return Role(
            name=arn.rsplit("/", 1)[-1],
            arn=arn,
            path=arn.split(":role", 1)[1].rpartition("/")[0] + "/",
            account=None if own == NOBODY else own,
            partition=arn.split(":")[1],
            where=f"{self._name}: {at.address}",
            origin=Origin.SENT,
            trust=trust if isinstance(trust, str) else None,
            open_trust=trust if isinstance(trust, OpenDocument) else None,
            trust_where=self._where(at, "assume_role_policy"),
            attached=tuple(draft.attached),
            inline=draft.inline,
            boundary=boundary,
            max_session=values.max_session_duration if isinstance(values.max_session_duration, int) else None,
            description=known(values.description),
            tags={key: item or "" for key, item in tags.items()} if isinstance(tags, dict) else None,
            created=time_of(known(values.create_date)),
            unknown=tuple(draft.unknown),
            assumed=(*(() if named else ("the generated name is written as the address",)), *rests),
        )

    def _managed(self, draft: _Draft, policies: dict[str, str]) -> None:
        """Read `managed_policy_arns`: configured, or computed by AWS (then "known after apply" says nothing)."""
        at, given = draft.at, draft.values.managed_policy_arns
        arns = [] if isinstance(given, UnsetType) else given or []
        draft.attached.update({arn: None for arn in arns if arn is not None})
        later = arns.count(None)
        if later or (isinstance(given, UnsetType) and self._sets(at, "managed_policy_arns")):
            result = self._follow(at, "managed_policy_arns", policies)
            draft.attached.update(dict.fromkeys(result))
            if not result or len(result) < later or (not later and self._may_be_another(at, "managed_policy_arns")):
                draft.unknown.append(UnknownPart("attached policies", _LATER, self._where(at, "managed_policy_arns")))


class _Draft:
    """A role while its policies are collected."""

    def __init__(self, at: Instance, values: Attributes) -> None:
        self.at = at
        self.values = values
        self.inline: dict[str, Document] = {}
        self.attached: dict[str, None] = {}
        self.unknown: list[UnknownPart] = []


_INDEX = re.compile(r"\[[^\]]*\]")
_DOCUMENT = re.compile(r"data\.aws_iam_policy_document\.|var\.|module\.")
