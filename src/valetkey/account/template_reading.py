"""Read one resource of a CloudFormation template, as far as its values can be resolved."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from valetkey.account import symbols
from valetkey.account.intrinsics import Resolver
from valetkey.account.loaded import is_list, is_object, pairs, written
from valetkey.account.place import NOTHING, NoteAssumption, Place, Undecided, Unresolved
from valetkey.account.values import Document, OpenDocument, Role, UnknownPart
from valetkey.catalog.limits import ROLE_SESSION_MIN
from valetkey.policy.arns import NOBODY
from valetkey.policy.origin import Origin
from valetkey.policy.policy_json import JsonNumber, JsonObject

CHOICES_MAX = 4
"""Undecided conditions in one document; each doubles the number of its variants."""


class ResourceReading:
    """One resource while it is read: resolved values, unknown parts and assumptions."""

    def __init__(self, logical: str, given: dict[str, Any], where: str, resolver: Resolver, condition: Any) -> None:
        self.logical = logical
        self.where = where
        self.given = given
        self._resolver = resolver
        self._condition = condition
        self.unknown: list[UnknownPart] = []
        self.assumed: dict[str, None] = {}
        self.inline: dict[str, Document] = {}
        self._same_name: dict[str, dict[Document, None]] = {}
        self.attached: dict[str, None] = {}
        if isinstance(condition, str):
            self.note(f"condition {condition} holds")

    def note(self, assumption: str) -> None:
        self.assumed[assumption] = None

    def may_lack(self, role: ResourceReading, document: Document | None) -> str:
        """Why a Deny of this policy may have no effect on a role: the policy may not be created. Empty otherwise."""
        condition = self._condition
        if condition is None or condition == role._condition or not _may_deny(document or ""):
            return ""
        try:
            created = isinstance(condition, str) and self._resolver.created(condition, self.note)
        except Unresolved:
            created = False
        return "" if created else f"{self.logical} may deny something, and its condition may not hold"

    def get(self, name: str, part: str) -> Any:
        """Resolve a property; None where it is absent or cannot be resolved. The latter is noted for `part`."""
        if name not in self.given:
            return None
        return self.resolve(self.given[name], part, f"{self.where}.Properties.{name}")

    def text(self, name: str, part: str) -> str | None:
        """Resolve a property that is a text or a number; None where it is absent or unknown. The latter is noted."""
        result = self.get(name, part)
        return result.text if isinstance(result, JsonNumber) else result if isinstance(result, str) else None

    def resolve(self, value: Any, part: str, where: str) -> Any:
        """Resolve a value; None where it is NoValue or cannot be resolved. The latter is noted for `part`."""
        try:
            result = self._resolver.value(value, self.note)
        except Unresolved as error:
            self.unknown.append(UnknownPart(part, str(error), where))
            return None
        return None if result is NOTHING else result

    def document(self, value: Any, part: str, where: str) -> Document | None:
        """A policy document, which may be given as text too, for permissions; None where it is not known, which is
        noted. A value that is not known is read as one name of its own, which allows the least."""
        before = len(self.unknown)
        result = self.open_document(value, part, where)
        if result is None and len(self.unknown) == before:
            self.unknown.append(UnknownPart(part, "the template gives no document", where))
        if not isinstance(result, OpenDocument):
            return result
        least = symbols.narrowest(result)
        reasons = {symbol.name: symbol.reason for symbol in result.symbols}
        if least is None:
            why = next(iter(reasons.values()), "a choice in it depends on unknown values")
            self.unknown.append(UnknownPart(part, why, where))
            return None
        self.unknown += [UnknownPart(part, reasons[symbol.name], where) for symbol in least.whole]
        for symbol in result.symbols:
            if not symbol.own and symbol not in least.whole:
                self.note(f"{symbol.name} is one name without wildcards ({part})")
        return least.text

    def open_document(self, value: Any, part: str, where: str) -> Document | OpenDocument | None:
        """Resolve a policy document, with symbols for unknown values; None where it cannot be read, which is noted."""
        texts: dict[Document, str] = {}
        left: list[dict[str, bool]] = [{}]
        while left:
            choices = left.pop()
            notes: dict[str, None] = {}
            try:
                result = self._resolver.with_symbols(value, _into(notes), choices)
            except Undecided as error:
                if len(choices) >= CHOICES_MAX:
                    self.unknown.append(UnknownPart(part, f"more than {CHOICES_MAX} conditions are not known", where))
                    return None
                left += [{**choices, error.condition: False}, {**choices, error.condition: True}]
                continue
            except Unresolved as error:
                self.unknown.append(UnknownPart(part, str(error), where))
                return None
            self.assumed |= notes
            if result is not NOTHING and result is not None:
                when = " and ".join(
                    f"{name} {'holds' if holds else 'does not hold'}" for name, holds in choices.items()
                )
                texts.setdefault(result if isinstance(result, str) else written(result), when)
        if not texts:
            return None
        if len(texts) == 1 and not any(symbols.has_mark(text) or "\\ue000" in text for text in texts):
            return next(iter(texts))
        return symbols.opened(texts, self._resolver.symbols)

    def texts(self, name: str, part: str) -> list[str]:
        """Resolve a property that is a list of texts; return those that can be resolved."""
        given, where = self.given.get(name, []), f"{self.where}.Properties.{name}"
        if is_list(given):
            result = [self.resolve(item, part, f"{where}[{index}]") for index, item in enumerate(given)]
        else:
            result = [self.resolve(given, part, where)]
        # A single text instead of a list, and a nested list, have only one possible meaning.
        flat = [element for item in result for element in (item if is_list(item) else [item])]
        if any(item is not None and not isinstance(item, str) for item in flat):
            self.unknown.append(UnknownPart(part, "expected a list of texts", where))
        return [item for item in flat if isinstance(item, str)]

    def add_inline(self, name: str, document: Document) -> None:
        """Add an inline policy. INVARIANT: of two policies with the same name, neither replaces the other. Which of
        them the role gets is unknown."""
        same = self._same_name.setdefault(name, {})
        if document not in same:
            same[document] = None
            if len(same) > 1:
                self.unknown.append(
                    UnknownPart(f"inline policy {name}", "two different policies have this name", self.where)
                )
            self.inline[name if len(same) == 1 else f"{name} ({len(same)})"] = document

    def policy_arn(self) -> str:
        """The ARN of a managed policy; if unknown, an ARN with the logical id as the name."""
        return self.arn or f"arn:aws:iam::{NOBODY}:policy/{self.logical}"

    def policies(self) -> Iterator[tuple[str, Any, str]]:
        """Yield the inline policies of a role: name, document and place."""
        given = self.given.get("Policies", [])
        where = f"{self.where}.Properties.Policies"
        if not is_list(given):
            single = is_object(given) and "PolicyDocument" in dict(pairs(given))
            given = given if single else self.resolve(given, "inline policies", where)
        for index, item in enumerate(given if is_list(given) else [] if given is None else [given]):
            place = f"{where}[{index}]"
            item = self.resolve(item, "inline policies", place) if is_object(item) and len(item) == 1 else item
            if isinstance(item, JsonObject):
                self.unknown.append(UnknownPart("inline policies", "a key is given twice", place))
            elif isinstance(item, dict):
                name = self.resolve(item.get("PolicyName", f"policy-{index}"), "inline policies", place)
                yield str(name or f"policy-{index}"), item.get("PolicyDocument"), f"{place}.PolicyDocument"
            elif item is not None:
                self.unknown.append(UnknownPart("inline policies", "expected an object", place))

    @cached_property
    def arn(self) -> str | None:
        """The resource's ARN; None where it cannot be resolved, which is noted."""
        try:
            return self._resolver.arn(self.logical, self.note)
        except Unresolved as error:
            self.unknown.append(UnknownPart("name", str(error), self.where))
            return None

    @property
    def is_named(self) -> bool:
        """Whether the template gives the role its name."""
        return self.arn is not None and "RoleName" in self.given

    def role(self, place: Place) -> Role:
        """Return the role."""
        for name, document, where in self.policies():
            text = self.document(document, f"inline policy {name}", where)
            if text is not None:
                self.add_inline(name, text)
        for arn in self.texts("ManagedPolicyArns", "attached policies"):
            self.attached[arn] = None
        if "AssumeRolePolicyDocument" in self.given:
            given = self.given["AssumeRolePolicyDocument"]
            trust = self.open_document(given, "trust", f"{self.where}.Properties.AssumeRolePolicyDocument")
        else:
            trust = None
        if trust is None and not any(part.part == "trust" for part in self.unknown):
            self.unknown.append(UnknownPart("trust", "the template gives no AssumeRolePolicyDocument", self.where))
        account = self._resolver.pseudo("AWS::AccountId", self.note)
        arn = self.arn or f"arn:{place.partition}:iam::{account}:role/{self.logical}"
        given = "MaxSessionDuration" in self.given
        session = (self.text("MaxSessionDuration", "session limit") or "") if given else str(ROLE_SESSION_MIN)
        return Role(
            name=arn.rsplit("/", 1)[-1],
            arn=arn,
            path=arn.split(":role", 1)[1].rpartition("/")[0] + "/",
            account=place.account,
            partition=place.partition,
            where=self.where,
            origin=Origin.SENT,
            trust=trust if isinstance(trust, str) else None,
            open_trust=trust if isinstance(trust, OpenDocument) else None,
            trust_where=f"{self.where}.Properties.AssumeRolePolicyDocument",
            attached=tuple(self.attached),
            inline=self.inline,
            boundary=self.text("PermissionsBoundary", "boundary"),
            max_session=int(session) if re.fullmatch("[0-9]{1,6}", session) else None,
            description=self.text("Description", "description"),
            tags=self._tags(),
            unknown=tuple(self.unknown),
            assumed=tuple(self.assumed),
        )

    def _tags(self) -> dict[str, str]:
        tags = self.get("Tags", "tags")
        result = [tag for tag in tags if isinstance(tag, dict)] if is_list(tags) else []
        return {item["Key"]: str(item.get("Value", "")) for item in result if isinstance(item.get("Key"), str)}


def _may_deny(document: Document) -> bool:
    """Whether a policy has a Deny. In a document that the template gives as text, escapes may spell the word."""
    return '"Deny"' in document or "\\u" in document


def _into(notes: dict[str, None]) -> NoteAssumption:
    def note(text: str) -> None:
        notes[text] = None

    return note
