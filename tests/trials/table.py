"""The decision table: a trust policy tested with every kind of caller under every kind of condition.

Rules:
- The expected result is computed from the terms by `_shall_pass`, a simple rule without policies; the actual result is
  the evaluator's on the document. The table holds if both agree in every row, and at least one request is allowed (a
  trust policy that admits nobody also excludes every stranger).
- The caller's own policies are not evaluated: across accounts they can only deny more, so the trust policy is an upper
  bound (reference_policies_evaluation-logic_policy-eval-cross-account).
- Tested are: every combination of correct, wrong and absent values of all conditions with every caller of the
  contractor's account (correct and absent ones with all other callers); every single wrong value and near miss with all
  callers; and the values in the document itself (`hints`). It is a table, not a proof.
- INVARIANT: too many rows are a failure, never a shorter table.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import product
from typing import Any, NamedTuple

from tests.trials.callers import Caller, callers
from tests.trials.hints import Hint, hints

from valetkey.policy import Decision, Policy, Request, decide, parse_policy
from valetkey.policy.arns import parse_arn
from valetkey.trust.showing import check_places
from valetkey.trust.terms import Terms

MAX_ROWS = 30_000

_ASSUME = "sts:AssumeRole"
# Other actions of a call to STS. An AssumeRole with tags or a source identity needs both actions.
_ACTIONS = (
    "sts:TagSession",
    "sts:SetSourceIdentity",
    f"{_ASSUME}+sts:TagSession",
    f"{_ASSUME}+sts:SetSourceIdentity",
    "sts:AssumeRoleWithSAML",
    "sts:AssumeRoleWithWebIdentity",
    "sts:SetContext",
)

_EXTERNAL_ID = "sts:ExternalId"
_MFA = "aws:MultiFactorAuthPresent"
_AGE = "aws:MultiFactorAuthAge"
_NAME = "sts:RoleSessionName"
_TIME = "aws:CurrentTime"
_OURS = {item.lower(): item for item in (_EXTERNAL_ID, _MFA, _AGE, _NAME, _TIME)}


class Row(NamedTuple):
    """One request and its result."""

    caller: str
    """A description of the caller."""
    principal: str
    action: str
    """The action, or the actions of one call joined by "+"."""
    conditions: Mapping[str, str]
    """The condition keys of the call: values that the caller sends, MFA and the time. A missing key is absent."""
    expected: bool
    """Whether the terms allow it."""
    decision: Decision

    @property
    def right(self) -> bool:
        return self.decision.allowed == self.expected

    def __str__(self) -> str:
        """The row as one sentence. ExternalIds are shortened: they are not secret, but identify a customer."""
        sent = ", ".join(f"{key} = {_cut(key, value)!r}" for key, value in self.conditions.items()) or "nothing"
        what = f"is refused{self._because()}" if self.expected else "is admitted"
        return f"{self.caller} ({self.principal}), by {self.action} with {sent}, {what}"

    def _because(self) -> str:
        known = "sts:externalid"
        value = [
            f"statement {part.statement} "
            + (f"requires another {_EXTERNAL_ID}" if known in result.where.lower() else result.text)
            for part in self.decision.parts
            for result in part.findings
        ]
        return f": {'; '.join(value)}" if value else ""


def _cut(key: str, value: str) -> str:
    return f"{value[:4]}… ({len(value)} characters)" if key == _EXTERNAL_ID else value


@dataclass(frozen=True)
class Table:
    """Every tested request."""

    rows: tuple[Row, ...]
    needs_somebody: bool = True
    """Whether the table fails if no request is allowed."""
    trouble: tuple[str, ...] = ()
    """Why the table is not complete; empty if it is."""

    @property
    def holds(self) -> bool:
        """Whether exactly the expected requests are allowed, and at least one is."""
        somebody = not self.needs_somebody or any(row.expected for row in self.rows)
        return somebody and not self.trouble and all(row.right for row in self.rows)

    @cached_property
    def failures(self) -> tuple[str, ...]:
        """One sentence for each caller and action with wrong rows: the first wrong row, and the number of others."""
        result: dict[tuple[str, str, bool], list[Row]] = {}
        for row in self.rows:
            if not row.right:
                result.setdefault((row.principal, row.action, row.expected), []).append(row)
        said = [f"{rows[0]}{f' (and {len(rows) - 1} more like it)' * (len(rows) > 1)}" for rows in result.values()]
        if self.needs_somebody and not any(row.expected for row in self.rows):
            said.append("these terms admit nobody: no request that was tried shall pass")
        return (*self.trouble, *said)


def admits_only(
    document: Mapping[str, Any], terms: Terms, *, role_arn: str, now: datetime, to_the_end: bool = True
) -> Table:
    """Try whether the trust policy of `role_arn` admits exactly what the terms say. Not `to_the_end`: the table ends
    with its first wrong row, which is enough to know that it does not hold.

    Terms with orphans (read back from AWS) hold as long as one named principal is left. Raises PolicyError for a
    document that AWS would refuse, and TermsError if role and contractor are in one account or in different partitions,
    for which there is no table.
    """
    check_places(terms, role_arn)
    return _table(document, terms, role_arn, now, nobody=False, to_the_end=to_the_end)


def admits_nobody(
    document: Mapping[str, Any], *, role_arn: str, contractor: str, now: datetime, to_the_end: bool = True
) -> Table:
    """Try whether the trust policy of `role_arn` admits nobody at all. Raises as `admits_only`."""
    terms = Terms(contractor=contractor, partition=parse_arn(role_arn).partition, mfa_max_age=3600)
    check_places(terms, role_arn)
    return _table(document, terms, role_arn, now, nobody=True, to_the_end=to_the_end)


def _table(
    document: Mapping[str, Any], terms: Terms, role_arn: str, now: datetime, *, nobody: bool, to_the_end: bool
) -> Table:
    policy = parse_policy(document, kind="trust")
    role = parse_arn(role_arn)
    mentioned = hints(document, partition=role.partition)
    named = [item for hint in mentioned for item in hint.callers]
    people = {(item.principal, item.arn): item for item in (*named, *callers(terms, role_arn=role_arn))}
    rows: list[Row] = []
    tried: set[tuple[Any, ...]] = set()
    for caller, action, conditions in _requests(people.values(), terms, mentioned, now):
        key = (caller.principal, caller.arn, action, *conditions.items())
        if key in tried:
            continue
        tried.add(key)
        if len(rows) >= MAX_ROWS:
            said = f"the document mentions too much to try all of it ({MAX_ROWS:,} requests)"
            return Table(tuple(rows), not nobody, (said,))
        expected = not nobody and _shall_pass(terms, caller, action, conditions)
        rows.append(
            Row(
                caller.words,
                caller.principal,
                action,
                conditions,
                expected,
                _ask(policy, caller, action, conditions, role_arn),
            )
        )
        if not to_the_end and not rows[-1].right:
            break
    return Table(tuple(rows), not nobody)


def _ask(policy: Policy, caller: Caller, action: str, conditions: Mapping[str, str], role_arn: str) -> Decision:
    context = {**conditions, **caller.facts} if caller.facts else conditions
    actions = action.split("+") if "+" in action else action
    request = Request(principal=caller.principal, action=actions, resource=role_arn, context=context)
    return decide(request, trust=policy)


def _shall_pass(terms: Terms, caller: Caller, action: str, conditions: Mapping[str, str]) -> bool:
    """The terms as a simple rule, without documents, operators or wildcards."""
    if "+" in action:
        return all(_shall_pass(terms, caller, part, conditions) for part in action.split("+"))
    if (caller.account, caller.partition) != (terms.contractor, terms.partition) or not caller.arn:
        return False
    if terms.only and not any(_is(name, caller.arn) for name in terms.only):
        return False
    if terms.pin and caller.arn not in terms.pin:
        return False
    if terms.until is not None and not _before(conditions.get(_TIME, ""), terms.until):
        return False
    opened = {"sts:setsourceidentity": terms.source_identity, "sts:tagsession": terms.session_tags}
    if action.lower() != _ASSUME.lower():
        return opened.get(action.lower(), False)
    if terms.external_id is not None and conditions.get(_EXTERNAL_ID) != terms.external_id:
        return False
    if terms.mfa and conditions.get(_MFA) != "true":
        return False
    if terms.mfa_max_age is not None and not _at_most(conditions.get(_AGE, ""), terms.mfa_max_age):
        return False
    return not (terms.name_people and (caller.username is None or conditions.get(_NAME) != caller.username))


def _before(instant: str, end: datetime) -> bool:
    try:
        return datetime.fromisoformat(instant) < end
    except (ValueError, TypeError):
        return False


def _at_most(number: str, most: int) -> bool:
    try:
        return float(number) <= most
    except ValueError:
        return False


def _is(name: str, arn: str) -> bool:
    return arn.startswith(name[:-1]) if name.endswith("*") else arn == name


class _Choice(NamedTuple):
    """The test values of one condition key. The first value is correct; None: absent."""

    combined: tuple[str | None, ...]
    """Tested in every combination with the other keys."""
    alone: tuple[str | None, ...]
    """Near misses and other correct values, tested while everything else is correct."""


def _choices(terms: Terms, caller: Caller, now: datetime) -> dict[str, _Choice]:
    return {
        _EXTERNAL_ID: _external_ids(terms.external_id, terms.contractor),
        _MFA: _Choice(("true", "false", None), ()) if terms.mfa else _Choice((None,), ("true", "false")),
        _AGE: _ages(terms),
        _NAME: _names(terms, caller),
        _TIME: _times(terms.until, now),
    }


def _external_ids(wanted: str | None, contractor: str) -> _Choice:
    if wanted is None:
        return _Choice((None,), ("some-external-id",))
    changed = ("x" if wanted[-1] != "x" else "y", "x" if wanted[0] != "x" else "y")
    alike = (
        wanted.swapcase(),
        wanted[:-1],
        wanted[1:],
        wanted + "x",
        "x" + wanted,
        wanted[:-1] + changed[0],
        changed[1] + wanted[1:],
        wanted + " ",
        " " + wanted,
        wanted + "\n",
        wanted[::-1],
        "*",
        "?" * len(wanted),
        "${sts:ExternalId}",
        "",
        contractor,
    )
    wrong = "wrong-" + wanted
    return _Choice((wanted, wrong, None), alike)


def _ages(terms: Terms) -> _Choice:
    most = terms.mfa_max_age
    if most is None:
        return _Choice(("30",), (None, "100000")) if terms.mfa else _Choice((None,), ("30",))
    return _Choice((str(most), str(most + 1), None), ("0", str(most - 1), str(most * 10), str(most + 86_400)))


def _names(terms: Terms, caller: Caller) -> _Choice:
    if not terms.name_people:
        return _Choice(("session",), ("another-session", None))
    name = caller.username or "session"
    alike = (name.swapcase(), name[:-1], name + "x", "x" + name, name + " ", "*", "${aws:username}", "root", "")
    return _Choice((name, f"not-{name}", None), alike)


def _times(until: datetime | None, now: datetime) -> _Choice:
    if until is None:
        return _Choice((_iso(now),), (_iso(now + timedelta(days=3650)), _iso(now - timedelta(days=3650))))
    second, year = timedelta(seconds=1), timedelta(days=365)
    alone = [_iso(item) for item in (until + second, until + year, until - year)]
    return _Choice((_iso(until - second), _iso(until)), (*alone, None))


def _iso(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


# AWS sets these keys for the caller; hints about them have become callers.
_OF_THE_CALLER = frozenset({"aws:principalarn", "aws:principalaccount", "aws:principaltype", "aws:username"})


def _requests(
    people: Iterable[Caller], terms: Terms, mentioned: Iterable[Hint], now: datetime
) -> Iterator[tuple[Caller, str, dict[str, str]]]:
    """Yield every request to test."""
    free = [
        (
            tuple(dict.fromkeys((_ASSUME, *hint.actions))),
            {_OURS.get(key, key): values for key, values in hint.values.items() if key not in _OF_THE_CALLER},
        )
        for hint in mentioned
    ]
    for caller in people:
        choices = _choices(terms, caller, now)
        right = {key: choice.combined[0] for key, choice in choices.items()}
        inside = (caller.account, caller.partition) == (terms.contractor, terms.partition)
        several = [
            choice.combined if inside else (choice.combined[0], choice.combined[-1]) for choice in choices.values()
        ]
        for values in product(*several):
            yield caller, _ASSUME, _sent(dict(zip(choices, values, strict=True)))
        for key, choice in choices.items():
            for value in choice.combined + choice.alone:
                yield caller, _ASSUME, _sent({**right, key: value})
        for action in _ACTIONS:
            yield caller, action, {}
            yield caller, action, _sent(right)
            for key, choice in choices.items():
                for value in choice.combined[1:]:
                    yield caller, action, _sent({**right, key: value})
        for actions, unfilled in free:
            keys = {key: tuple(_filled(value, caller) for value in values) for key, values in unfilled.items()}
            satisfied = {key: values[0] for key, values in keys.items()}
            for action in actions:
                yield caller, action, _sent(satisfied)
                yield caller, action, _sent({**right, **satisfied})
                for key, values in keys.items():
                    for value in values:
                        yield caller, action, _sent({**right, key: value})
                        yield caller, action, _sent({**right, **satisfied, key: value})


_VARIABLE = re.compile(r"\$\{([^},]+)(?:,\s*'([^']*)')?\}")


def _filled(value: str | None, caller: Caller) -> str | None:
    """A value from a document, with its policy variables replaced by their values for this caller."""
    if value is None or "${" not in value:
        return value
    known = {"aws:username": caller.username, "aws:principalarn": caller.arn, "aws:principalaccount": caller.account}
    known |= {key.lower(): fact for key, fact in caller.facts.items()} | {sign: sign for sign in "*?$"}
    return _VARIABLE.sub(lambda match: known.get(match[1].lower()) or match[2] or "x", value)


def _sent(conditions: Mapping[str, str | None]) -> dict[str, str]:
    return {key: value for key, value in conditions.items() if value is not None}
