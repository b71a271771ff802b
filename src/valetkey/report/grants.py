"""Grants, plans and receipts, as lines and tables, and as JSON (docs/reference/{grant,list,show,revoke}.md)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from valetkey.catalog import key_names
from valetkey.commandline import command
from valetkey.grants import history
from valetkey.grants.grant import PREFIX, instant
from valetkey.grants.status import EXTERNAL_ID_LABEL
from valetkey.report.grant_json import grant_json, judged_json, proof_json, standing_json
from valetkey.report.grant_notes import notes
from valetkey.report.openings import opening_lines, outlives_lines
from valetkey.report.results import grants as results
from valetkey.report.results.shape import shaped
from valetkey.report.text import clean, mask, say, say_json, say_table
from valetkey.times import moment
from valetkey.trust.record import OWN

if TYPE_CHECKING:
    from valetkey.account.calls import Call
    from valetkey.exchange.files import Received
    from valetkey.grants.make import MadeGrant
    from valetkey.grants.options import OwnerOptions
    from valetkey.grants.plan import Differs
    from valetkey.grants.prepare import Prepared
    from valetkey.grants.revoke import Receipt
    from valetkey.grants.role import Owner
    from valetkey.grants.status import Standing
    from valetkey.trust.showing import ProvedTrust
    from valetkey.trust.terms import Terms


def say_account(owner: Owner) -> None:
    """Print on stderr which account the command acts on, before it acts."""
    say(_account_line(owner), stderr=True)


def _account_line(owner: Owner) -> str:
    return f"Account {owner.account} ({owner.partition}), as {owner.arn}"


def say_request(received: Received) -> None:
    """Print the request and the fingerprint to compare, on stderr."""
    say(*request_lines(received), stderr=True)


def request_lines(received: Received) -> tuple[str, ...]:
    """Return the request and the fingerprint to compare; text from outside cannot start a line."""
    request = received.value
    rows = [
        ("fingerprint", f"{received.fingerprint}   <- compare it with the contractor, by voice"),
        ("ExternalId", mask(request.external_id)),
        ("user id", request.user_id and f"{request.user_id} (userIdentity.principalId in your CloudTrail)"),
        ("calls you", request.customer),
        ("reason", request.reason),
        ("wishes", request.policies and f"policies {', '.join(request.policies)}"),
        ("wishes", request.until and f"until {instant(request.until)}"),
        ("wishes", request.session and f"sessions of {request.session} s"),
        ("public key", request.public_key and "named: `valetkey handoff --encrypt-to` takes this file"),
        ("unknown keys", received.unknown and f"{', '.join(received.unknown)} (not acted on)"),
    ]
    who = f"{request.identity}, {request.identity_arn}"
    first = f"Access request from account {request.account} ({_line(who)})"
    return (first, *_pairs([(name, str(value)) for name, value in rows if value]))


def say_prepared(lines: Sequence[str]) -> None:
    """Print the lines on stderr, before anything is written."""
    say(*lines, stderr=True)


def prepared_lines(
    prepared: Prepared, asked: OwnerOptions, received: Received | None, *, proof: bool = False
) -> tuple[str, ...]:
    """Return the account, what the policies allow, and notes on the terms; with `proof`, for a person who must confirm,
    also the proof of the trust policy."""
    known = notes(prepared, asked, received)
    shown = (_proof_line(prepared.proof),) if proof else ()
    return (_account_line(prepared.owner), *opening_lines(prepared.opening), *known, *shown)


def say_call(call: Call) -> None:
    """Print one write on stderr, before it is performed."""
    what = next(
        (call.params[key] for key in ("PolicyName", "PolicyArn", "InstanceProfileName") if key in call.params), ""
    )
    say(f"  {call.action} {call.params.get('RoleName', '')}{f' {what}' if what else ''}", stderr=True)


def say_wait(seconds: float) -> None:
    """Print on stderr that the command waits for a deny to take effect."""
    from valetkey.grants.waiting import TAKES

    say(f"  waiting {seconds:.0f} s: what was changed takes effect within {TAKES}", stderr=True)


def say_differs(differs: Differs, *, as_json: bool) -> None:
    """Print how an existing role differs from the requested grant. The error itself goes to stderr."""
    if as_json:
        rows = [
            shaped(results.Differing, difference, asked=difference.found, on_role=difference.agreed)
            for difference in differs.rows
        ]
        say_json(results.Differs(valetkey="differs/v1", name=differs.name, differs=rows))
        return
    table = [
        (difference.what, *_masked(difference.what, difference.found, difference.agreed)) for difference in differs.rows
    ]
    say_table(["differs", "asked for", "on the role"], table, title=f"The role {differs.name} already exists")


def _masked(what: str, *values: str) -> tuple[str, ...]:
    return tuple(mask(value) for value in values) if what == EXTERNAL_ID_LABEL else values


def say_failures(shown: ProvedTrust) -> None:
    """Print on stderr the requests that a trust policy decides differently from the terms."""
    say(*(f"  {failure}" for failure in shown.failures), stderr=True)


def say_plan(prepared: Prepared, *, notes: Sequence[str] = (), as_json: bool) -> None:
    """Print the calls and the proof of a dry run."""
    if as_json:
        calls = [{"action": call.action, "params": dict(call.params)} for call in prepared.calls]
        judged = judged_json(prepared.proof, prepared.opening)
        say_json(shaped(results.Planned, **grant_json(prepared.grant), **judged, calls=calls, notes=notes))
        return
    if prepared.calls:
        say("Dry run, nothing is written. The calls would be:")
    else:
        say(f"Dry run: {prepared.grant.name} already exists with these settings. There is nothing to do.")
    for number, call in enumerate(prepared.calls, 1):
        say(f"{number:2}  {call.action}", *params_lines(call))
    if prepared.grant.terms.external_id is not None and prepared.role is None:
        say("ExternalIds are shortened here; --json prints the trust policy as it will be.")
    say(_proof_line(prepared.proof))
    if prepared.grant.external_id_by == "valetkey" and prepared.role is None:
        say("The ExternalId is random: another run creates another one.")


def params_lines(call: Call) -> Iterator[str]:
    """Yield one line per parameter, also for documents, so that they can be copied."""
    for key, value in call.params.items():
        if key == "Tags":
            value = ", ".join(f"{tag['Key']}={tag['Value']}" for tag in value)
        elif key == "AssumeRolePolicyDocument":
            value = json.dumps(_masked_trust(json.loads(value)), ensure_ascii=False, separators=(",", ":"))
        yield f"      {key:<24}  {_line(str(value))}"


def _masked_trust(value: Any, key: str = "") -> Any:
    """Return a trust policy with every ExternalId masked."""
    if isinstance(value, Mapping):
        return {name: _masked_trust(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [_masked_trust(item, key) for item in value]
    return mask(str(value)) if key.lower() == key_names.EXTERNAL_ID_LOWER else value


def say_made(made: MadeGrant, prepared: Prepared, *, notes: Sequence[str] = (), as_json: bool) -> None:
    """Print the result for a grant that was created, or existed already."""
    if as_json:
        calls = [call.action for call in made.calls]
        judged = judged_json(made.proof, prepared.opening)
        say_json(shaped(results.Granted, **grant_json(made.grant), **judged, calls=calls, notes=notes))
        return
    grant = made.grant
    done = (
        "already exists with these settings"
        if not made.calls
        else "is granted"
        if prepared.role is None
        else "is finished"
    )
    say(f"{grant.name} {done}: {grant.role_arn}")
    _say_pairs(
        _terms_rows(
            grant.terms,
            grant.max_session,
            [arn.rsplit("/", 1)[-1] for arn in grant.managed] + [name for name, _ in grant.inline],
            grant.boundary,
        )
    )
    say(_proof_line(made.proof))
    say(f"Next: {command('valetkey handoff', grant.name, then='-o handoff.json')}")


def say_show(
    owner: Owner,
    standing: Standing,
    shown: ProvedTrust | None,
    *,
    now: datetime,
    as_json: bool,
    show_ids: bool = False,
) -> None:
    """Print one grant: terms, trust policy, proof, days left; with drift, also what was changed, who is admitted now
    and the ways out."""
    if as_json:
        say_json(_shown_json(standing, shown, now))
        return
    role, record = standing.role, standing.record
    say_account(owner)
    say(f"{role.name}: {standing.state(now)}", role.arn)
    if standing.terms is not None:
        carried = policies_of(standing)
        rows = list(_terms_rows(standing.terms, role.max_session, carried, role.boundary, full=show_ids))
        if record.is_adopted and record.until and standing.terms.until is None:
            # The end of an adopted role is a deny: the trust policy has no end, and "no end" would be wrong here.
            rows = [row for row in rows if row[0] != "until"]
    else:
        rows = [("contractor", record.contractor), ("policies", ", ".join(policies_of(standing)))]
    rows += [
        *([("ends", until_words(record.until, now))] if record.until else []),
        *_suspension(standing, now),
        *([("origin", "made by other means, adopted")] if record.is_adopted else []),
        ("made", f"{role.created:%Y-%m-%d %H:%M}Z"),
        ("last used", f"{role.last_used:%Y-%m-%d %H:%M}Z" if role.last_used else "not seen within 400 days"),
        ("ExternalId by", record.external_id_by),
        *([("request", record.request)] if record.request else []),
        *([("asked by", f"{record.user_id} (userIdentity.principalId in your CloudTrail)")] if record.user_id else []),
        *([("description", role.description)] if role.description else []),
        *((f"tag {key}", value) for key, value in sorted(role.tags.items()) if not key.startswith(PREFIX)),
    ]
    _say_pairs(rows)
    trust = role.trust if show_ids else _masked_trust(role.trust)
    shortened = "" if trust == role.trust else " (ExternalIds are shortened: --show-external-id)"
    say(f"Trust policy{shortened}:", json.dumps(trust, indent=2, ensure_ascii=False))
    if shown is not None:
        say(_proof_line(shown), *(f"  {failure}" for failure in shown.failures))
    else:
        say("Proof: none; the trust policy does not have a form that valetkey writes.")
    if record.changes:
        changes = [(change.at, change.by, change.what) for change in history.read(record.changes)]
        say_table(["changed at", "by", "what"], changes)
    if standing.drift:
        from valetkey.report.drifting import say_drift

        drift = [(difference.what, difference.agreed, difference.found) for difference in standing.drift]
        say_table(["drift", "agreed", "on the role"], drift)
        say_drift(standing, now, show_ids=show_ids)
    else:
        say("The role matches its record.")


def _shown_json(standing: Standing, shown: ProvedTrust | None, now: datetime) -> results.Shown:
    more: dict[str, Any] = {"who": None, "ways_out": [], "changed": []}
    if standing.drift:
        from valetkey.report.drifting import reach_json, ways_out
        from valetkey.trust.drift_words import changes

        ways, words = ways_out(standing), changes(standing.drift)
        more = {"who": reach_json(standing, now), "ways_out": ways, "changed": words}
    return shaped(results.Shown, **standing_json(standing, now), **proof_json(shown), trust=standing.role.trust, **more)


def say_handoff(
    owner: Owner,
    text: str,
    fingerprint: str,
    out: Path | None,
    *,
    external_id: str | None,
    encrypted: bool,
    as_json: bool,
) -> None:
    """Print the fingerprint to read aloud and the ExternalId in full; without a file, also the handoff itself, on
    stdout."""
    say_account(owner)
    if out is None:
        say(text.rstrip("\n"))
        say(f"fingerprint {fingerprint}   <- read it aloud to the contractor", stderr=True)
    elif as_json:
        say_json(
            results.HandedOver(
                valetkey="handed-over/v1",
                file=str(out),
                fingerprint=fingerprint,
                external_id=external_id,
                encrypted=encrypted,
            )
        )
    else:
        kind = "encrypted; only that key opens it" if encrypted else "It holds no secret; send it as you like"
        say(f"{out} written{', ' if encrypted else '. '}{kind}.")
        say(f"ExternalId  {external_id or 'none'}")
        say(f"fingerprint {fingerprint}   <- read it aloud to the contractor")


def say_receipt(receipt: Receipt, *, as_json: bool) -> None:
    """Print what a revocation did, and what it cannot undo."""
    from valetkey.grants.revoke import NOT_WAITED, SPREADS, SURVIVES

    outlives, unread = receipt.taken.outlives, receipt.taken.unread
    if as_json:
        say_json(results.receipt(receipt))
        return
    whose = f", contractor {receipt.contractor}" if receipt.contractor else ""
    say(f"{receipt.name} is revoked: {receipt.role_arn}{whose}")
    say_table(["at (UTC)", "done"], [(f"{item.at:%H:%M:%S}", item.what) for item in receipt.removed])
    say(f"Gone since {moment(receipt.gone_at)}. {SPREADS}.")
    if receipt.skipped:
        say(f"{NOT_WAITED}.")
    if receipt.undone:
        say(
            f"After the wait, the deny was missing from the role {receipt.undone} time(s) and was "
            "written again: check in CloudTrail who removed it (DeleteRolePolicy) and what was done in between."
        )
    if not receipt.trust_closed:
        say(
            "The trust policy was not confirmed closed before the role was deleted; the deny on everything was "
            "in place."
        )
    if not receipt.contractor:
        say("Which other roles its users can assume was not checked: `valetkey audit` lists who can assume what.")
    elif receipt.others is None:
        say(f"Whether other roles trust {receipt.contractor} could not be read (iam:ListRoles).")
    else:
        trusted, undecided = receipt.others.trusted, receipt.others.undecided
        if trusted:
            say(f"Other roles of this account that trust {receipt.contractor}: {', '.join(trusted)}")
        if undecided:
            say(f"Not decided whether these trust {receipt.contractor}: {', '.join(undecided)} (see `valetkey audit`)")
        if not trusted and not undecided:
            say(f"No other role of this account trusts {receipt.contractor}.")
    say("What survives:", *(f"  - {item}" for item in SURVIVES))
    if outlives:
        say("What sessions of this role could have obtained and the deny does not end:", *outlives_lines(outlives))
    if unread:
        say(
            "What else they could have obtained is unknown: these policies could not be read: "
            f"{_line(', '.join(item.rpartition('/')[2] for item in unread))}"
        )
    elif not outlives:
        say("Its policies let them obtain nothing else that outlives the deny.")


def _say_pairs(rows: Iterable[tuple[str, str]]) -> None:
    say(*_pairs(rows))


def _pairs(rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    rows = list(rows)
    width = max(len(key) for key, _ in rows)
    yield from (f"  {key:<{width}}  {_line(value)}" for key, value in rows)


def _line(text: str) -> str:
    """Clean text from outside, so that it cannot start a new line and pass for valetkey's output."""
    return clean(text, keep=frozenset())


def _terms_rows(
    terms: Terms, session: int | None, policies: Sequence[str], boundary: str | None, *, full: bool = False
) -> Iterator[tuple[str, str]]:
    from valetkey.trust.term_rows import rows

    for label, said in rows(terms).items():
        yield label, mask(terms.external_id) if label == EXTERNAL_ID_LABEL and not full else said
    if session is not None:
        yield "session", f"{session} s at most"
    yield "policies", ", ".join(policies)
    if boundary:
        yield "boundary", boundary


def _suspension(standing: Standing, now: datetime) -> Iterator[tuple[str, str]]:
    deny = standing.sessions_deny
    if deny is not None and deny.since is not None and deny.suspends(now):
        ends = f"until {instant(deny.until)}" if deny.until else "until it is resumed"
        yield "suspended", f"since {instant(deny.since)}, {ends}"
    elif deny is not None:
        yield "denied", f"sessions issued before {instant(deny.before or deny.until)}"


def until_words(until: datetime | None, now: datetime) -> str:
    """Return an end, and the time left."""
    if until is None:
        return "no end"
    left = (until - now).total_seconds()
    if left <= 0:
        return f"{until:%Y-%m-%d}: ended"
    days, hours = round(left / 86400), round(left / 3600)
    return f"{until:%Y-%m-%d %H:%M}Z: {f'{days} days' if days >= 2 else f'{hours} h'} left"


def policies_of(standing: Standing) -> list[str]:
    """Return the role's actual policies, without the denies that valetkey adds."""
    inline = [name for name in standing.role.inline if name not in OWN]
    return [arn.rsplit("/", 1)[-1] for arn in standing.role.managed] + inline


def _proof_line(shown: ProvedTrust) -> str:
    if shown.holds and not shown.is_exact:
        return "Proof: in the contractor's account, the trust policy admits only callers that meet these terms."
    if shown.holds:
        return "Proof: for every caller and every request, the role admits exactly what the terms allow."
    return "Not proved: the trust policy does not admit exactly what the terms allow."
