"""A caller in the prover, and the party that it belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from valetkey.policy.principals import Kind, NamedBy, id_prefix, is_unsigned
from valetkey.policy.undecided import not_known

PartyKind = Literal["account", "any account", "unique id", "deleted", "service", "provider", "anonymous"]


@dataclass(frozen=True, slots=True)
class Party:
    """The party that a caller belongs to."""

    kind: PartyKind
    name: str = ""
    """Account id, service, provider; "" for one that the documents do not name. Of "unique id" and "deleted": the
    unique id that a Principal element (or a condition on aws:userid) names, of a live user or role of any account, or
    of a deleted one (`Origin`)."""
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
    """One caller of a kind."""

    kind: Kind
    party: Party
    principal: str
    """What signs the request."""
    keys: Mapping[str, str]
    """The condition keys that follow, lower-cased."""
    grants: Mapping[str, NamedBy] = field(repr=False)
    """By which names a Principal element may mean this caller, and how it reaches them then."""
    groups: tuple[tuple[str, ...], ...] = field(default=(), repr=False)
    """What NotPrincipal must list to spare them: one of each."""
    named: str = ""
    """How the documents name this caller: an ARN, a pattern, a unique id. "" when they do not."""
    unique: str = ""
    """The unique id that a Principal element names and this caller has."""

    @property
    def unsigned(self) -> bool:
        return is_unsigned(self.kind)

    @property
    def account(self) -> str:
        return self.keys.get("aws:principalaccount", "")
