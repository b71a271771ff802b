"""What `valetkey activity` reads: a role or a grant with its terms, a time, and a source of CloudTrail's events."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from valetkey.account.calls import CallError
from valetkey.cli import _auditing, _engines, _options
from valetkey.cli._engines import Engines
from valetkey.errors import ValetkeyError, page, shown

if TYPE_CHECKING:
    from valetkey.account.calls import Perform
    from valetkey.activity import Expected, Reading, Span, Wanted
    from valetkey.cli._options import OwnerAccount
    from valetkey.grants.status import Standing
    from valetkey.report.activity import Shown

LOOKUP = "lookup-events"
"""What --from says where there is no trail."""
_S3 = "s3://"
_S3_DAYS = timedelta(days=7)
LOOKUP_DAYS = timedelta(days=90)
"""How far LookupEvents reaches back."""
_BUILT_IN = Engines()


@dataclass(frozen=True)
class Asked:
    """Whose activity is asked about."""

    wanted: Wanted
    accounts: frozenset[str] | None
    """The accounts that the roles and the callers are in; None: all."""
    expected: Expected
    terms: str
    arns: tuple[str, ...] = ()
    """ARNs of the roles, where they are known."""


def asked(role: str | None, all_outsiders: bool, own: str | None, account: OwnerAccount) -> Asked:
    """The words as a value; a grant's name is looked up in the account. Raises ValetkeyError."""
    from valetkey.activity import Expected, Wanted, role_key

    if (role is None) != all_outsiders:
        raise ValetkeyError(
            "name a role, or say --all-outsiders" if role is None else "a role and --all-outsiders exclude each other",
            do="valetkey activity NAME --from SOURCE",
        )
    if own is not None and not all_outsiders:
        raise ValetkeyError("--own-accounts goes with --all-outsiders", do="leave it out")
    if role is None:
        ours = _auditing.scope(own, None, None).own
        return Asked(Wanted(outsiders=True, delegates=True, own=ours), None, Expected(), "")
    if role.startswith("arn:"):
        key = role_key(role)
        if key is None or ":role/" not in role or not re.fullmatch("[0-9]{12}", key[0]):
            raise ValetkeyError(f"{shown(role)} is not the ARN of a role", do="write arn:aws:iam::ACCOUNT:role/NAME")
        note = "No grant's terms are known for an ARN: end, suspension and names are not judged."
        return Asked(Wanted(roles=frozenset({key})), frozenset({key[0]}), Expected(), note, (role,))
    return _granted(role, account)


def _granted(name: str, account: OwnerAccount) -> Asked:
    from valetkey.cli._owning import found

    _, standing = found(account.connect(), name)
    return of_grant(standing)


def of_grant(standing: Standing) -> Asked:
    """A grant's role, with the terms that its activity is judged by."""
    from valetkey.activity import Expected, Wanted
    from valetkey.grants.suspend import suspensions

    name = standing.role.name
    record, terms = standing.record, standing.terms
    users = tuple(
        sorted(each.rpartition("/")[2] for each in ((terms.only or terms.pin) if terms else ()) if ":user/" in each)
    )
    end = f"until {record.until:%Y-%m-%d %H:%M}Z" if record.until else "without an end"
    return Asked(
        Wanted(roles=frozenset({(standing.role.account, standing.role.name)})),
        frozenset({standing.role.account, record.contractor} - {""}),
        Expected(
            people=users,
            mfa=terms is not None and terms.mfa and not standing.drift,
            until=record.until,
            suspended=suspensions(standing),
        ),
        f"Grant {name} to {record.contractor}, {end}" + (f"; for {', '.join(users)}" if users else ""),
        (standing.role.arn,),
    )


def span(since: str | None, until: str | None, source: str, *, now: datetime) -> Span:
    """The time that is asked about. Without --since all of a folder, 7 days of a bucket, 90 days of LookupEvents.
    Raises ValetkeyError."""
    from valetkey.activity import Span

    begin, end = _moment(since, "--since", now), _moment(until, "--until", now)
    if begin is None:
        length = _S3_DAYS if source.startswith(_S3) else LOOKUP_DAYS if source == LOOKUP else None
        begin = None if length is None else (min(end, now) if end else now) - length
    if begin is not None and end is not None and begin >= end:
        raise ValetkeyError("--since is not before --until", do="name an earlier start or a later end")
    if begin is not None and begin > now:
        raise ValetkeyError("--since is in the future", do="name an earlier start")
    return Span(begin, end)


def _moment(text: str | None, name: str, now: datetime) -> datetime | None:
    if text is None:
        return None
    if re.fullmatch("[0-9]{1,4}[hdw]", text):
        return now - timedelta(seconds=_options.seconds(text, name=name))
    write = "write a date (2026-11-01), a time with zone (2026-11-01T18:00Z) or a length before now (7d)"
    try:
        when = datetime.fromisoformat(text)
        if len(text) == 10:
            when = when.replace(tzinfo=UTC)
        if when.tzinfo is None:
            raise ValetkeyError(f"{name}: {shown(text)} has no time zone", do=write)
        return when.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValetkeyError(f"{name}: {shown(text)} is not a date", do=write) from None


def read(
    asked: Asked, source: str, span: Span, account: OwnerAccount, *, now: datetime, options: Engines = _BUILT_IN
) -> Shown:
    """The answer, with what cannot be seen. Raises ValetkeyError; CallError when nothing could be read."""
    from valetkey.activity import answer
    from valetkey.activity.coverage import unseen
    from valetkey.report.activity import Shown

    options.check(source, LOOKUP)
    reading, wanted = (
        _looked_up(asked, span, account) if source == LOOKUP else _files(asked, source, span, account, now, options)
    )
    accounts = frozenset(owner for owner, _ in wanted.roles)
    return Shown(
        answer=answer(reading.events, expected=asked.expected, span=span),
        reading=reading,
        span=span,
        source=source,
        unseen=unseen(reading, accounts=accounts, span=span, now=now),
        terms=asked.terms,
    )


def texts(asked: Asked, source: str, span: Span, *, now: datetime, options: Engines) -> str:
    """What --print prints. Raises ValetkeyError."""
    options.check(source, LOOKUP)
    return _engines.texts(options, source, asked.wanted, asked.accounts or asked.wanted.own, span, now)


def _files(
    asked: Asked, source: str, span: Span, account: OwnerAccount, now: datetime, options: Engines
) -> tuple[Reading, Wanted]:
    from valetkey.activity import read as read_trail
    from valetkey.report.activity import reading_files

    with _engines.source_and_engine(options, source, account, now=now) as (place, engine):
        reading, wanted = read_trail(
            place,
            asked.wanted,
            accounts=asked.accounts,
            span=span,
            cores=_auditing.cores(),
            engine=engine,
            progress=reading_files,
        )
        reading.limits += _engines.limits(engine)
        return reading, wanted


def _looked_up(asked: Asked, span: Span, account: OwnerAccount) -> tuple[Reading, Wanted]:
    from valetkey.activity.lookup import look_up, regions
    from valetkey.aws import connect
    from valetkey.report.activity import looking_up

    perform = account.connect()
    missing = _other_accounts(asked, perform)
    if account.region is not None:
        where: tuple[str, ...] = (account.region,)
    else:
        try:
            where = regions(perform)
        except CallError as error:
            where = ("us-east-1",)
            missing += (f"all regions but us-east-1: ec2:DescribeRegions failed: {error.code}",)
    reading, wanted = look_up(
        lambda region: connect(profile=account.profile, region=region),
        where,
        asked.wanted,
        roles=asked.arns,
        span=span,
        wait=time.sleep,
        progress=looking_up,
    )
    if where and len(reading.unread) == len(where):
        raise ValetkeyError(
            f"no region could be read: {reading.unread[0]}",
            do=f"see the permissions that it needs: {page('reference/permissions.md')}",
            exit_code=3,
        )
    reading.unread = missing + reading.unread
    if account.region is not None:
        reading.limits += (f"Only {account.region} was looked up; what was done in other regions does not show.",)
    return reading, wanted


def _other_accounts(asked: Asked, perform: Perform) -> tuple[str, ...]:
    """The roles' accounts whose events LookupEvents does not have: it answers for the credentials' account alone."""
    from valetkey.grants.role import read_owner

    owners = {owner for owner, _ in asked.wanted.roles}
    if not owners:
        return ()
    here = read_owner(perform).account
    return tuple(f"account {each}: the credentials are of account {here}" for each in sorted(owners - {here}))
