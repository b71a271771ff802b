"""The input of `valetkey activity`: a role or a grant with its terms, a time span, and a source of CloudTrail
events."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from valetkey.account.calls import CallError
from valetkey.cli import _auditing, _engines, _options
from valetkey.cli._engines import Engines
from valetkey.errors import ValetkeyError, page, shown

if TYPE_CHECKING:
    from valetkey.account.calls import Perform
    from valetkey.activity import TimeSpan, TrailReading, Wanted
    from valetkey.activity.expected import Expected, ExpectedByRole
    from valetkey.cli._options import OwnerAccount
    from valetkey.grants.status import Standing
    from valetkey.report.activity import ActivityReport

LOOKUP = "lookup-events"
"""The value of --from to read LookupEvents instead of a trail."""
_S3 = "s3://"
_S3_DAYS = timedelta(days=7)
LOOKUP_DAYS = timedelta(days=90)
"""How far back LookupEvents reaches."""
_LOOK_BACK = timedelta(days=400)
_BUILT_IN = Engines()


@dataclass(frozen=True)
class ActivityOptions:
    """The roles or outsiders whose activity is requested."""

    wanted: Wanted
    accounts: frozenset[str] | None
    """The accounts of the roles and the callers; None: all."""
    terms: ExpectedByRole = field(default_factory=dict)
    """The expectations for the sessions of each grant."""
    note: str = ""
    """The grant that the terms belong to, or why there are none."""
    arns: tuple[str, ...] = ()
    """ARNs of the roles, if known."""


def asked(role: str | None, all_outsiders: bool, own: str | None, account: OwnerAccount) -> ActivityOptions:
    """Parse the arguments; a grant's name is looked up in the account. Raises ValetkeyError."""
    from valetkey.activity import Wanted, role_key

    if (role is None) != all_outsiders:
        raise ValetkeyError(
            "name a role, or say --all-outsiders" if role is None else "a role and --all-outsiders exclude each other",
            do="valetkey activity NAME --from SOURCE",
        )
    if own is not None and not all_outsiders:
        raise ValetkeyError("--own-accounts goes with --all-outsiders", do="leave it out")
    if role is None:
        ours = _auditing.scope(own, None, None).own
        return ActivityOptions(Wanted(outsiders=True, delegates=True, own=ours), None)
    if role.startswith("arn:"):
        key = role_key(role)
        if key is None or ":role/" not in role or not re.fullmatch("[0-9]{12}", key[0]):
            raise ValetkeyError(f"{shown(role)} is not the ARN of a role", do="write arn:aws:iam::ACCOUNT:role/NAME")
        note = "No grant's terms are known for an ARN: end, suspension and names are not judged."
        return ActivityOptions(Wanted(roles=frozenset({key})), frozenset({key[0]}), note=note, arns=(role,))
    return _granted(role, account)


def _granted(name: str, account: OwnerAccount) -> ActivityOptions:
    from valetkey.cli._owning import find_grant

    _, standing = find_grant(account.connect(), name)
    return of_grant(standing)


def of_grant(standing: Standing) -> ActivityOptions:
    """Return a grant's role and the terms to check its activity against."""
    record, people = standing.record, _people(standing)
    end = f"until {record.until:%Y-%m-%d %H:%M}Z" if record.until else "without an end"
    note = f"Grant {standing.role.name} to {record.contractor}, {end}" + (
        f"; for {', '.join(people)}" if people else ""
    )
    return replace(of_roles((), (standing,)), note=note)


def of_roles(arns: Iterable[str], grants: Iterable[Standing]) -> ActivityOptions:
    """Return roles of one account, by ARN, and grants, each with the terms to check its activity against."""
    from valetkey.activity import Wanted, role_key

    grants = tuple(grants)
    every = tuple(dict.fromkeys((*arns, *(standing.role.arn for standing in grants))))
    keys = frozenset(key for item in every if (key := role_key(item)))
    return ActivityOptions(
        Wanted(roles=keys),
        frozenset({*(account for account, _ in keys), *(standing.record.contractor for standing in grants)} - {""}),
        {(standing.role.account, standing.role.name): expected(standing) for standing in grants},
        arns=every,
    )


def expected(standing: Standing) -> Expected:
    """Return the expectations for the sessions of a grant."""
    from valetkey.activity import Expected
    from valetkey.grants.suspend import suspensions

    terms = standing.terms
    return Expected(
        people=_people(standing),
        mfa=terms is not None and terms.mfa and not standing.drift,
        until=standing.record.until,
        suspended=suspensions(standing),
    )


def _people(standing: Standing) -> tuple[str, ...]:
    """Return the names of the users that a grant is limited to; empty when it names none."""
    named = (standing.terms.only or standing.terms.pin) if standing.terms else ()
    return tuple(sorted(name.rpartition("/")[2] for name in named if ":user/" in name))


def span(since: str | None, until: str | None, source: str, *, now: datetime) -> TimeSpan:
    """Parse --since and --until. Without --since: a whole folder, 7 days of a bucket, 90 days of LookupEvents. Raises
    ValetkeyError."""
    from valetkey.activity import TimeSpan

    begin, end = _moment(since, "--since", now), _moment(until, "--until", now)
    if begin is None:
        length = _S3_DAYS if source.startswith(_S3) else LOOKUP_DAYS if source == LOOKUP else None
        begin = None if length is None else (min(end, now) if end else now) - length
    if begin is not None and end is not None and begin >= end:
        raise ValetkeyError("--since is not before --until", do="name an earlier start or a later end")
    if begin is not None and begin > now:
        raise ValetkeyError("--since is in the future", do="name an earlier start")
    return TimeSpan(begin, end)


def since_made(standing: Standing, source: str, *, now: datetime) -> TimeSpan:
    """Return the time since a grant was created: at most 400 days, or 90 without a trail."""
    from valetkey.activity import TimeSpan

    return TimeSpan(max(standing.role.created, now - (LOOKUP_DAYS if source == LOOKUP else _LOOK_BACK)), None)


def lately(source: str, *, now: datetime) -> TimeSpan:
    """Return the time span to read for every role: the last 90 days of a bucket or of LookupEvents, or a whole
    folder."""
    from valetkey.activity import TimeSpan

    return TimeSpan(now - LOOKUP_DAYS if source == LOOKUP or source.startswith(_S3) else None, None)


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
    asked: ActivityOptions,
    source: str,
    span: TimeSpan,
    account: OwnerAccount,
    *,
    now: datetime,
    options: Engines = _BUILT_IN,
) -> ActivityReport:
    """Read events and analyze them; the result also names what cannot be seen. Raises ValetkeyError, and CallError when
    nothing could be read."""
    from valetkey.activity import answer
    from valetkey.activity.coverage import unseen
    from valetkey.report.activity import ActivityReport

    options.check(source, LOOKUP)
    reading, wanted = (
        _looked_up(asked, span, account) if source == LOOKUP else _files(asked, source, span, account, now, options)
    )
    accounts = frozenset(owner for owner, _ in wanted.roles)
    return ActivityReport(
        answer=answer(reading.events, terms=asked.terms, span=span),
        reading=reading,
        span=span,
        source=source,
        unseen=unseen(reading, accounts=accounts, span=span, now=now),
        terms=asked.note,
    )


def read_grant(standing: Standing, source: str, account: OwnerAccount, *, now: datetime) -> ActivityReport:
    """Read what CloudTrail records of a grant since it was created. Raises as `read` does."""
    return read(of_grant(standing), source, since_made(standing, source, now=now), account, now=now)


def read_roles(
    arns: Iterable[str], grants: Iterable[Standing], source: str, account: OwnerAccount, *, now: datetime
) -> ActivityReport:
    """Read what CloudTrail recently recorded of roles and grants; each grant is checked against its own terms. Raises
    as `read` does."""
    return read(of_roles(arns, grants), source, lately(source, now=now), account, now=now)


def texts(asked: ActivityOptions, source: str, span: TimeSpan, *, now: datetime, options: Engines) -> str:
    """Return the output of --print. Raises ValetkeyError."""
    options.check(source, LOOKUP)
    return _engines.texts(options, source, asked.wanted, asked.accounts or asked.wanted.own, span, now)


def _files(
    asked: ActivityOptions, source: str, span: TimeSpan, account: OwnerAccount, now: datetime, options: Engines
) -> tuple[TrailReading, Wanted]:
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


def _looked_up(asked: ActivityOptions, span: TimeSpan, account: OwnerAccount) -> tuple[TrailReading, Wanted]:
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


def _other_accounts(asked: ActivityOptions, perform: Perform) -> tuple[str, ...]:
    """Name the roles' accounts whose events are missing: LookupEvents covers only the account of the credentials."""
    from valetkey.grants.role import read_owner

    owners = {owner for owner, _ in asked.wanted.roles}
    if not owners:
        return ()
    here = read_owner(perform).account
    return tuple(f"account {item}: the credentials are of account {here}" for item in sorted(owners - {here}))
