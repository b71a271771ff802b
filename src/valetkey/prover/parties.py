"""A caller in the prover, and the party that it belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from valetkey.policy.principals import NamedBy, PrincipalKind, id_prefix, is_unsigned
from valetkey.policy.undecided import not_known

PartyKind = Literal["account", "any account", "unique id", "deleted", "service", "provider", "anonymous"]


@dataclass(frozen=True, slots=True)
class Party:
    """The party that a caller belongs to."""

    kind: PartyKind
    name: str = ""
    """Account id, service, provider; "" for one that the documents do not name. For "unique id" and "deleted": the
    unique id that a Principal element (or a condition on aws:userid) names, of an existing user or role of any account,
    or of a deleted one (`Origin`)."""
    partition: str = "aws"

    def __str__(self) -> str:
        match self.kind:
            case "account":
                return f"account {self.name}"
            case "any account":
                return "accounts that are not named"
            case "deleted":
                return f"the deleted principal {self.name}"
            case "unique id":
                kind = "user" if self.name[:4] == id_prefix("user") else "role"
                return f"the {kind} {self.name} of an account that is not named"
            case "service" | "provider" | "anonymous":
                return f"the {self.kind} {self.name}" if self.name else f"any {self.kind}"
            case never:
                raise not_known(never)


@dataclass(frozen=True)
class Person:
    """One caller, which represents its equivalence class."""

    kind: PrincipalKind
    party: Party
    principal: str
    """The principal of the request."""
    keys: Mapping[str, str]
    """The condition keys that follow from the caller, lower-cased."""
    grants: Mapping[str, NamedBy] = field(repr=False)
    """The names by which a Principal element can name this caller, and how each one names it."""
    groups: tuple[tuple[str, ...], ...] = field(default=(), repr=False)
    """The names that NotPrincipal must list to exempt this caller: one of each group."""
    named: str = ""
    """The documents' name for this caller: an ARN, a pattern, a unique id. "" when they do not name it."""
    unique: str = ""
    """This caller's unique id if a Principal element names it."""

    @property
    def unsigned(self) -> bool:
        return is_unsigned(self.kind)

    @property
    def account(self) -> str:
        return self.keys.get("aws:principalaccount", "")
