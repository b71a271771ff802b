"""valetkey activity: what was done through a role, from CloudTrail."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Annotated, Literal

from cyclopts import Parameter

from valetkey.cli._engines import Engines
from valetkey.cli._options import OwnerAccount


def activity(
    role: str | None = None,
    /,
    *,
    from_: Annotated[str, Parameter(name="--from")],
    all_outsiders: Annotated[bool, Parameter(negative="")] = False,
    since: str | None = None,
    until: str | None = None,
    by: Literal["session", "person", "action", "day", "ip"] = "session",
    own_accounts: str | None = None,
    format: Literal["table", "json", "csv", "ndjson", "html"] = "table",  # noqa: A002 - the flag's name
    json_: Annotated[bool, Parameter(name="--json", negative="", help="Short for --format json.")] = False,
    engines: Engines = Engines(),  # noqa: B008
    account: OwnerAccount = OwnerAccount(),  # noqa: B008
) -> int:
    """Show who assumed a role and what they did, from CloudTrail. Exit code 1: a part could not be read.

    Parameters
    ----------
    role
        A grant of this account, by name, or the ARN of any role. An ARN and a folder need no credentials.
    from_
        A folder or file of a trail, its s3://BUCKET/PREFIX, or lookup-events if there is no trail.
    all_outsiders
        Instead of one role: every role that a caller of another account assumed.
    since
        The start: a date (2026-11-01), a time with zone, or a length before now (7d).
    until
        The end (exclusive), in the same forms. A date is its first moment.
    by
        What each line of the result is about.
    own_accounts
        Other accounts of yours, with --all-outsiders: ids with commas between, or a file.
    format
        How to print the result.
    """
    from valetkey.cli import _activity
    from valetkey.report.activity import ActivityReport, say_activity

    now = datetime.now(UTC)
    asked = _activity.asked(role, all_outsiders, own_accounts, account)
    span = _activity.span(since, until, from_, now=now)
    if engines.print_:
        sys.stdout.write(_activity.texts(asked, from_, span, now=now, options=engines) + "\n")
        return 0
    shown: ActivityReport = _activity.read(asked, from_, span, account, now=now, options=engines)
    if json_ or format == "json":
        from valetkey.report.activity_data import say_activity_json

        say_activity_json(shown, by)
    elif format == "csv":
        from valetkey.report.activity_data import say_activity_csv

        say_activity_csv(shown, by)
    elif format == "ndjson":
        from valetkey.report.activity_data import say_activity_ndjson

        say_activity_ndjson(shown, by)
    elif format == "html":
        from valetkey.report.activity_page import say_activity_page

        say_activity_page(shown)
    else:
        say_activity(shown, by)
    return 0 if shown.reading.is_complete else 1
