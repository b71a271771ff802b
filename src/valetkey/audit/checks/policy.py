"""Checks on the trust policy as a document: parts that are invalid or expired, or allow more than AssumeRole."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from valetkey.audit import fixes
from valetkey.audit.exposure import ENTERING_LOWER, Outsider
from valetkey.audit.findings import Hit
from valetkey.audit.issuers import home_of, host_of, issuer_of, keys_of, serves_one_tenant
from valetkey.audit.registry import check
from valetkey.audit.required import EPOCH, EXTERNAL_ID, MFA, MFA_AGE, TIME, sendable
from valetkey.audit.subjects import Trust, account_of
from valetkey.audit.wording import numbered, place_of, shown, statements_of
from valetkey.policy.globs import has_wildcard
from valetkey.policy.operands import read_date
from valetkey.policy.origin import Origin
from valetkey.policy.principals import is_unique_id
from valetkey.policy.role_actions import ASSUME_ROLE, WITH_WEB_IDENTITY
from valetkey.policy.statements import Statement
from valetkey.prover import Region


@check(
    "T10",
    title="The ExternalId cannot be sent",
    severity="medium",
    why="IAM accepts a value in the policy that STS refuses in the call, so nobody can ever assume the role with it.",
    fix="use 2 to 1224 letters, digits and _+=,.@:/-",
    page="reference_iam-quotas.html",
)
def unsendable(trust: Trust) -> Iterator[Hit]:
    for statement in trust.policy.allows:
        for condition in statement.conditions:
            if condition.key.lower() != EXTERNAL_ID or condition.operator.negated or condition.operator.name == "Null":
                continue
            like = "Like" in condition.operator.name
            bad = [
                value
                for value in condition.values
                if "${" not in value
                and not sendable(
                    (value.replace("*", "aa").replace("?", "a")) if like and has_wildcard(value) else value
                )
            ]
            if bad:
                every = "" if len(bad) == len(condition.values) else f"{len(bad)} of "
                yield Hit(
                    f"{every}{len(condition.values)} ExternalId{'s' if len(condition.values) > 1 else ''} of statement "
                    f"{statement.index + 1} cannot be sent: STS takes 2 to 1224 letters, digits and _+=,.@:/-",
                    condition.where,
                    document=fixes.require(trust.text, {statement.index}, external_id=True, mfa=False),
                )


@check(
    "T13",
    title="A principal was deleted",
    severity="low",
    why="AWS shows its unique id. Nobody can use it any more, and a new principal of the same name is not allowed.",
    fix="remove it, or name the new principal",
    page="reference_policies_elements_principal.html",
)
def orphans(trust: Trust) -> Iterator[Hit]:
    for statement in trust.policy.allows:
        gone = _unique_ids(statement)
        if gone and trust.origin is Origin.RETURNED:
            yield Hit(
                f"{', '.join(gone)} in statement {statement.index + 1} was deleted: nobody can assume the role by it, "
                "not even a new principal of the same name",
                f"{statement.where}.Principal.AWS",
                document=fixes.without_principals(trust.text, gone),
            )


def _unique_ids(statement: Statement) -> list[str]:
    return [
        principal for principal in (statement.principals.aws if statement.principals else ()) if is_unique_id(principal)
    ]


@check(
    "T14",
    title="A statement that nobody can use",
    severity="low",
    why="Its time has passed, or it never worked. It only waits for somebody to make it work by mistake.",
    fix="remove the statement, or the role (valetkey revoke)",
    page="id_roles_manage_delete.html",
)
def dead(trust: Trust) -> Iterator[Hit]:
    alive = {way.statement for outsider in trust.found.outsiders for way in outsider.ways}
    alive |= {region.statement for region in trust.found.insiders} | trust.alive
    alive |= {item.statement for item in trust.unjudged}
    for statement in trust.policy.allows:
        named = list(trust.named(statement))
        if not named or statement.index in alive or not any(map(statement.covers_action, ENTERING_LOWER)):
            continue
        why = _why_dead(trust, statement, named)
        if why:
            yield Hit(
                f"statement {statement.index + 1} names {', '.join(named[:3])} and allows them no request: {why}",
                statement.where,
                document=fixes.without_statements(trust.text, {statement.index}),
            )


def _why_dead(trust: Trust, statement: Statement, named: Collection[str]) -> str:
    if trust.origin is Origin.RETURNED and all(map(is_unique_id, named)):
        return "the principal that it names was deleted"
    now = int(trust.now.timestamp() * 1_000_000)
    for condition in statement.conditions:
        key, operator = condition.key.lower(), condition.operator.name
        ends = key in (TIME, EPOCH) and operator in ("DateLessThan", "DateLessThanEquals")
        if condition.if_exists or not condition.values:
            continue
        if ends and all((read_date(value) or 0) <= now for value in condition.values):
            return f"it ended on {max(condition.values)}"
        equal = key == EXTERNAL_ID and operator.startswith("StringEquals")
        if equal and all("${" not in value and not sendable(value) for value in condition.values):
            return "its ExternalId cannot be sent"
    if all(name.startswith("arn:") and name.split(":")[1] != trust.partition for name in named):
        return "it is in another partition"
    return "" if trust.found.outsiders else "its conditions and the Deny statements together allow no request"


@check(
    "T17",
    title="More actions are allowed than assuming the role",
    severity="low",
    why=(
        "Session tags and a source identity are whatever the outsider claims; policies that decide by "
        "aws:PrincipalTag, and logs, then show what the outsider wants."
    ),
    fix="allow sts:AssumeRole alone, or limit the values (aws:RequestTag/..., sts:SourceIdentity)",
    page="id_session-tags.html",
)
def extra_actions(trust: Trust) -> Iterator[Hit]:
    for item in trust.found.outsiders:
        for index in sorted(statements_of(item.ways)):
            statement = trust.policy.statements[index]
            wide = [action for action in statement.actions if has_wildcard(action)]
            if statement.not_action or wide:
                named = "NotAction" if statement.not_action else ", ".join(wide)
                enter = ASSUME_ROLE if item.kind != "provider" else WITH_WEB_IDENTITY
                yield Hit(
                    f"statement {index + 1} allows {named} to {shown(item)}, and so sts:TagSession, "
                    "sts:SetSourceIdentity and what STS will add",
                    statement.where,
                    document=fixes.only_actions(trust.text, {index}, [enter]),
                )
    reported: set[tuple[str, str]] = set()
    for outsider, region in trust.found.extras:
        statement = trust.policy.statements[region.statement]
        if statement.not_action or any(map(has_wildcard, statement.actions)):
            continue
        limited = any(
            values.binds
            for key, values in region.values.items()
            if key.startswith(("aws:requesttag/", "aws:tagkeys", "sts:sourceidentity", "sts:transitivetagkeys"))
        )
        for action in region.actions:
            if action.lower() in ("sts:tagsession", "sts:setsourceidentity") and not limited:
                if (action, outsider.name) in reported:
                    continue
                reported.add((action, outsider.name))
                chosen = "session tags" if action.lower() == "sts:tagsession" else "source identity"
                yield Hit(
                    f"{shown(outsider)} can set any {chosen} ({action} in statement "
                    f"{region.statement + 1} without a limit)",
                    statement.where,
                    region.witness,
                )


@check(
    "T18",
    title="AWS refuses this trust policy, or reports an error in it",
    severity="medium",
    why=(
        "It cannot be saved as it is, or AWS's own policy checks call it an error. What is saved in its place is "
        "not what was reviewed."
    ),
    fix="correct the place that is named",
    page="access-analyzer-reference-policy-checks.html",
)
def refused(trust: Trust) -> Iterator[Hit]:
    said = {error.where for error in trust.defects}
    for error in trust.defects:
        yield Hit(f"AWS refuses this document: {error.what}; {error.do}", error.where)
    for unjudged in trust.unjudged:
        if unjudged.effect == "Deny" and unjudged.entry.where not in said:
            yield Hit(f"{unjudged}: it is taken to deny nobody", unjudged.entry.where)
    for statement in trust.policy.statements:
        if statement.principals is not None and statement.principals.bare:
            yield Hit(
                f'"Principal": "*" in statement {statement.index + 1} is an error in a role trust policy (IAM Access '
                'Analyzer); write {"AWS": "*"} if everybody is meant',
                f"{statement.where}.Principal",
            )


@check(
    "T19",
    title="The tenant of a shared identity provider is not fixed",
    severity="high",
    why=(
        "An issuer signs for all its tenants. Without a claim that names yours, everyone with an account there can "
        "assume the role. For the issuers that IAM knows to be shared, it no longer saves such a trust policy; "
        "existing ones stay, but every change to them must add the claim."
    ),
    fix="fix the claim that names the tenant (sub), for SAML the audience",
    page="id_roles_providers_oidc_secure-by-default.html",
)
def federated(trust: Trust) -> Iterator[Hit]:
    for outsider in trust.found.outsiders:
        if outsider.kind == "provider":
            yield from _of_provider(trust, outsider)
    for region in trust.found.insiders:
        if region.party.kind == "provider":
            yield from _of_own_provider(trust, region)


def _of_provider(trust: Trust, outsider: Outsider) -> Iterator[Hit]:
    name, issuer = outsider.name, issuer_of(outsider.name)
    ways = [way for way in outsider.ways if not way.guarded]
    at = statements_of(ways or outsider.ways)
    witness = (ways or outsider.ways)[0].witness
    home = home_of(name)
    if home and home not in trust.own:
        text = f"{name} is a provider of account {home} and not of this one: who may come in is decided there"
        yield Hit(text, place_of(trust, at), witness, None if ways else "medium")
    if issuer is None:
        if not home:
            yield Hit(
                f"{name or 'any identity provider'} is not a provider of this account", place_of(trust, at), witness
            )
        return
    spelt, host = name.split(":oidc-provider/", 1)[-1], host_of(name)
    loose = statements_of([way for way in ways if not way.hollow])
    if loose:
        keys = [claim.key if ":" in claim.key else f"{host}:{claim.key}" for claim in issuer.claims]
        which = f"{keys[0]} is not" if len(keys) == 1 else f"neither {keys[0]} nor another claim of it is"
        yield Hit(
            f"{issuer.title} serves everybody, and {numbered(loose)} does not fix whose identities get in: {which} "
            "tied to one tenant",
            place_of(trust, loose),
            next(way for way in ways if not way.hollow).witness,
            document=fixes.fix_tenant(trust.text, loose, spelt, issuer),
        )
    hollow = [way for way in ways if way.hollow]
    if hollow:
        guests = statements_of(hollow)
        yield Hit(
            f"{issuer.title} lets everybody in through {numbered(guests)}: {hollow[0].hollow}",
            place_of(trust, guests),
            hollow[0].witness,
            document=fixes.without_guests(trust.text, guests),
        )


def _of_own_provider(trust: Trust, region: Region) -> Iterator[Hit]:
    name = region.party.name
    where = trust.policy.statements[region.statement].where
    place = f"statement {region.statement + 1}"
    if ":saml-provider/" in name:
        if not _required(region, ("saml:aud",)):
            text = f"{place} does not ask for SAML:aud: an assertion made for another service passes"
            yield Hit(text, where, region.witness, "low")
        return
    if not serves_one_tenant(name):
        yield Hit(
            f"the issuer {host_of(name)} in {place} is on no list of shared issuers and is taken for the owner's: if "
            "it serves others too, their identities get in",
            where,
            severity="info",
        )
    if not _required(region, keys_of(name, "sub")):
        text = f"every identity of {host_of(name)} gets in through {place}: sub is not asked for"
        yield Hit(text, where, region.witness, "medium")


def _required(region: Region, keys: Collection[str]) -> bool:
    return any(key in region.values and region.values[key].binds for key in keys)


@check(
    "T24",
    title="MFA is required of a principal that cannot have it",
    severity="medium",
    why=(
        "Sessions of roles, of Identity Center and of federated users carry no MFA, and neither do AWS services. "
        "They cannot assume the role, and sooner or later somebody removes the condition for everyone."
    ),
    fix="name IAM users, or remove the MFA condition and name the role",
    page="reference_policies_condition-keys.html",
)
def mfa_unusable(trust: Trust) -> Iterator[Hit]:
    reported: set[int] = set()
    regions = [
        (way.statement, way.callers, way.kinds, way.everybody, way.mfa)
        for outsider in trust.found.outsiders
        for way in outsider.ways
    ]
    regions += [
        (region.statement, region.callers, region.kinds, region.everybody, region.values[MFA].binds)
        for region in trust.found.insiders
        if MFA in region.values
    ]
    for index, callers, kinds, everybody, mfa in regions:
        if mfa and not everybody and kinds and kinds <= {"session", "federated user"} and index not in reported:
            reported.add(index)
            yield Hit(
                f"statement {index + 1} asks {', '.join(callers[:3])} for MFA, and a role's session never carries it",
                trust.policy.statements[index].where,
            )
    in_by = {(region.statement, region.party.name) for region in trust.found.insiders if region.party.kind == "service"}
    for statement in trust.policy.allows:
        tested = [
            condition
            for condition in statement.conditions
            if condition.key.lower() in (MFA, MFA_AGE) and not condition.if_exists
        ]
        services = statement.principals.services if statement.principals else ()
        shut = [service for service in services if (statement.index, service) not in in_by]
        if tested and shut:
            yield Hit(
                f"statement {statement.index + 1} asks {', '.join(shut)} for MFA, and an AWS service never has it",
                tested[0].where,
            )


@check(
    "T28",
    title="A principal that is not what it looks like",
    severity="medium",
    why=(
        "Accounts of another partition can never assume the role; a session's name is available to everyone who "
        "can open a session there; a unique id does not say which account its user or role is in."
    ),
    fix="name the account, user or role that is meant",
    page="reference_policies_elements_principal.html",
)
def odd_principals(trust: Trust) -> Iterator[Hit]:
    for statement in trust.policy.statements if trust.origin is Origin.SENT else ():
        if ids := _unique_ids(statement):
            yield Hit(
                f"{', '.join(ids)} in statement {statement.index + 1} is the unique id of a user (AIDA...) or role "
                "(AROA...), of an account that the id does not show: IAM resolves it when the document is saved, and "
                "it then names that user or role",
                f"{statement.where}.Principal.AWS",
            )
    for statement in trust.policy.allows:
        for principal in statement.principals.aws if statement.principals else ():
            if not principal.startswith("arn:"):
                continue
            partition = principal.split(":")[1]
            what = ""
            if partition != trust.partition:
                what = f"is of the partition {partition}, this role of {trust.partition}: it can never get in"
            elif account_of(principal) not in trust.own and ":assumed-role/" in principal:
                what = "is a session: whoever can start a session of that name there gets in, and not the role itself"
            elif account_of(principal) not in trust.own and ":federated-user/" in principal:
                what = "is a federated user: whoever can call GetFederationToken with that name there gets in"
            if what:
                yield Hit(
                    f"{principal} in statement {statement.index + 1} {what}",
                    f"{statement.where}.Principal.AWS",
                    severity="low" if partition != trust.partition else None,
                    document=fixes.without_principals(trust.text, [principal])
                    if partition != trust.partition
                    else None,
                )
