"""The `grant` command that would create a role in its present state: to keep, to compare, or to run elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, assert_never

from valetkey.commandline import command, option
from valetkey.errors import ValetkeyError
from valetkey.grants.grant import PREFIX
from valetkey.grants.options import OwnerOptions, usual_description
from valetkey.grants.status import Standing
from valetkey.times import moment
from valetkey.trust.term_rows import OptionKind, Term
from valetkey.trust.terms import TERMS, DraftTerms, Terms

_INLINE = "policy-"
"""The prefix of the inline policy that a --policy file becomes."""


@dataclass(frozen=True)
class GrantLine:
    """The command, and the names of the policy files in it."""

    line: str
    files: tuple[str, ...]


def grant_line(standing: Standing) -> GrantLine:
    """Return the command for a grant. Raises ValetkeyError (exit code 1) if no `grant` command can reproduce the
    role."""
    role, terms = standing.role, _terms(standing)
    files = {name: _file(name) for name in sorted(standing.record.inline)}
    if strange := [name for name in files if not name.startswith(_INLINE)]:
        raise ValetkeyError(
            f"the role's inline policy {strange[0]} is not one that `grant` writes",
            do="see `valetkey show`",
            exit_code=1,
        )
    options = [text for term in TERMS if (text := _term(term, terms))]
    options += [option("--policy", arn) for arn in sorted(role.managed)]
    options += [option("--policy", file) for file in files.values()]
    if role.boundary:
        options.append(option("--boundary", role.boundary))
    if role.max_session not in (None, 3600):
        options.append(option("--session", f"{role.max_session}s"))
    options += [
        option("--tag", f"{key}={value}") for key, value in sorted(role.tags.items()) if not key.startswith(PREFIX)
    ]
    if role.description is not None and role.description != usual_description(terms.contractor):
        options.append(option("--description", role.description) if role.description else "--description ''")
    if role.path != "/":
        options.append(option("--path", role.path))
    return GrantLine(command("valetkey grant", role.name, then=" ".join(options)), tuple(files.values()))


def _terms(standing: Standing) -> Terms:
    name = standing.role.name
    if standing.record.is_adopted:
        # Its terms are only the least that the trust policy requires, and it may admit others too.
        raise ValetkeyError(
            f"{name} was made by other means and adopted: no `grant` command can reproduce its trust policy",
            do=f"`{command('valetkey adopt', name, then='--tighten')}` replaces it with one that `grant` "
            "can reproduce; or give the terms and policies of the new grant as options",
            where=standing.role.arn,
            exit_code=1,
        )
    if standing.terms is None:
        raise ValetkeyError(
            f"the trust policy of {name} has no form that valetkey writes: no `grant` command can reproduce it",
            do="see `valetkey show`",
            where=standing.role.arn,
            exit_code=1,
        )
    if standing.terms.orphans:
        raise ValetkeyError(
            f"{name} is pinned to a principal that was deleted: no `grant` command can reproduce it",
            do="create a new grant that names an existing principal",
            where=standing.role.arn,
            exit_code=1,
        )
    return standing.terms


def _term(term: Term, terms: Terms) -> str:
    """Return one term as an option; empty if its absence means the same."""
    value = getattr(terms, term.name)
    if not term.flag:
        return ""
    if value is None or value == term.default:
        if term.kind is OptionKind.END:
            return f"{term.flag} never"
        return term.without if value is None else ""
    match term.kind:
        case OptionKind.TEXT:
            return option(term.flag, str(value))
        case OptionKind.SWITCH:
            return term.flag if value else f"--no-{term.flag.removeprefix('--')}"
        case OptionKind.FLAG:
            return term.flag
        case OptionKind.SECONDS:
            return f"{term.flag} {value}s"
        case OptionKind.NAMES:
            return " ".join(option(term.flag, item) for item in value)
        case OptionKind.END:
            return option(term.flag, moment(value))
        case _:
            assert_never(term.kind)


@dataclass(frozen=True)
class Model:
    """The options that a new grant takes from another one."""

    asked: OwnerOptions
    documents: Mapping[str, str]
    """The other role's own inline policies, as JSON texts, by their word in `asked.policies`."""
    says: tuple[str, ...] = ()
    """What was not copied, a sentence each."""


def like(asked: OwnerOptions, standing: Standing, *, requester: str | None = None) -> Model:
    """Complete the options from another grant. A flag takes precedence. `requester`: the account of an access request.

    Not copied: the name, the ExternalIds (one for each contractor and customer), the end, and what weakens a grant (no
    MFA, a whole account without it, no ExternalId): give these each time. Named principals are copied for the same
    contractor only. Raises ValetkeyError as `grant_line` does.
    """
    terms, role = _terms(standing), standing.role
    contractor = requester or asked.contractor or terms.contractor
    same = contractor == terms.contractor and asked.mfa == terms.mfa and not (asked.only or asked.pin)
    left = {"external_id", "previous_external_id", "previous_until", "mfa", "whole_account", "until"}
    left |= set() if same else {"only", "pin"}
    left |= set() if asked.mfa else {"mfa_max_age", "name_people"}
    filled: dict[str, Any] = {
        item.name: getattr(terms, item.name)
        for item in fields(DraftTerms)
        if item.name not in left and getattr(asked, item.name) == item.default
    }
    own = {key: value for key, value in role.tags.items() if not key.startswith(PREFIX)}
    documents = {}
    if not asked.policies:
        names = {_file(name): name for name in sorted(standing.record.inline)}
        documents = {word: json.dumps(role.inline[name]) for word, name in names.items() if name in role.inline}
    made = replace(
        asked,
        **filled,
        contractor=asked.contractor if requester else contractor,
        policies=asked.policies or (*sorted(role.managed), *documents),
        session=role.max_session if asked.session is None else asked.session,
        boundary=role.boundary if asked.boundary is None else asked.boundary,
        tags=tuple({**own, **dict(asked.tags)}.items()),
        description=_description(asked, standing, terms.contractor),
        path=role.path if asked.path == "/" else asked.path,
    )
    return Model(made, documents, tuple(_left_out(asked, terms, same=contractor == terms.contractor)))


def _description(asked: OwnerOptions, standing: Standing, contractor: str) -> str | None:
    other = standing.role.description
    is_own = asked.description is None and other not in ("", usual_description(contractor))
    return other if is_own else asked.description


def _left_out(asked: OwnerOptions, terms: Terms, *, same: bool) -> Iterator[str]:
    if asked.mfa and not terms.mfa:
        named = "--whole-account and --external-id" if terms.whole_account else "--only or --pin"
        yield f"The other grant does not require MFA; this one does. To grant without MFA, add --no-mfa with {named}."
    if terms.external_id is None and not asked.no_external_id:
        yield "The other grant has no ExternalId; this one does. To grant without one, add --no-external-id."
    if (terms.only or terms.pin) and not same and not (asked.only or asked.pin):
        yield "The other grant names principals of another account; they are not copied."


def _file(name: str) -> str:
    """Return the word of --policy for the inline policy of this name."""
    return f"./{name.removeprefix(_INLINE)}.json"
