"""The requests that are possible, independently of the policies.

Impossible requests, each with its source. If one were missing here, a counterexample could be a request that never
occurs:
- A service, an identity provider and an unsigned caller have no MFA (reference_policies_condition-keys,
  aws:MultiFactorAuthPresent: only with temporary credentials of an IAM user or root).
- aws:MultiFactorAuthAge is present only when MFA was used (same page).
- sts:ExternalId is a parameter of AssumeRole only (STS API reference).
- AssumeRole is signed by a user, a role or a service; the root user and the credentials of GetFederationToken may not
  call it (STS API reference, AssumeRole; id_credentials_temp_request, comparison). AssumeRoleWithSAML and
  AssumeRoleWithWebIdentity are called with a provider's assertion and are not signed (STS API reference).
Sources disagree on whether a role session can have MFA, so it counts as possible.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from valetkey.catalog import key_names
from valetkey.policy.role_actions import ALONGSIDE, ASSUME_ROLE, ROLE_ACTIONS, WITH_SAML, WITH_WEB_IDENTITY
from valetkey.policy.undecided import not_known
from valetkey.prover.boxes import Box
from valetkey.prover.parties import Person
from valetkey.prover.space import ACTION, CALLER, MFA_PRESENT, Space


def possible(space: Space) -> list[Box]:
    """All possible requests, as boxes: one for each group of callers and actions, without their impossible keys."""
    actions, people = space.dimensions[ACTION], space.dimensions[CALLER]
    no_mfa = [dimension.where(lambda point: MFA_PRESENT not in point.keys) for dimension in space.dimensions]
    no_id = [
        dimension.where(lambda point: key_names.EXTERNAL_ID_LOWER not in point.keys) for dimension in space.dimensions
    ]
    result: list[Box] = []

    def add(names: frozenset[str], into_roles: bool, kinds: Callable[[Person], bool], *without: Sequence[int]) -> None:
        """Add the calls of these actions (`into_roles` False: of all others) by such callers, without some keys."""
        box = list(space.full)
        box[ACTION] = actions.where(lambda point: (point.action in names) is into_roles)
        box[CALLER] = people.where(lambda point: point.person is not None and kinds(point.person))
        for masks in without:
            box = [mine & mask for mine, mask in zip(box, masks, strict=True)]
        if all(box):
            result.append(tuple(box))

    common = frozenset(ALONGSIDE)
    if any(point.action in ROLE_ACTIONS for point in actions.points):
        add(common | {ASSUME_ROLE}, True, lambda person: _calls(person) == ASSUME_ROLE and not person.unsigned)
        add(common | {ASSUME_ROLE}, True, lambda person: _calls(person) == ASSUME_ROLE and person.unsigned, no_mfa)
        add(common | {WITH_SAML}, True, lambda person: _calls(person) == WITH_SAML, no_mfa, no_id)
        add(common | {WITH_WEB_IDENTITY}, True, lambda person: _calls(person) == WITH_WEB_IDENTITY, no_mfa, no_id)
    if any(point.action not in ROLE_ACTIONS for point in actions.points):
        add(frozenset(ROLE_ACTIONS), False, lambda person: not person.unsigned)
        add(frozenset(ROLE_ACTIONS), False, lambda person: person.unsigned, no_mfa)
    return result


def _calls(person: Person) -> str | None:
    """The action by which such a caller assumes a role; None where STS refuses it."""
    match person.kind:
        case "user" | "role" | "session" | "service":
            return ASSUME_ROLE
        case "provider":
            return WITH_SAML if ":saml-provider/" in person.principal else WITH_WEB_IDENTITY
        case "root" | "federated user" | "anonymous" | "canonical user":
            return None
        case never:
            raise not_known(never)
