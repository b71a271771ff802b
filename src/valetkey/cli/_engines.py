"""Select the engine that reads a trail: the built-in one, DuckDB, Spark or Athena."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from valetkey.account.calls import patient
from valetkey.cli import _auditing, _questions
from valetkey.errors import ValetkeyError

if TYPE_CHECKING:
    from valetkey.account.calls import Perform
    from valetkey.activity import Source, TimeSpan, Wanted
    from valetkey.activity.engines.athena import Table
    from valetkey.activity.engines.athena_runs import Athena, Estimate
    from valetkey.activity.reading import Engine
    from valetkey.cli._options import OwnerAccount

_S3 = "s3://"
_TABLE = "default.valetkey_trail"
_PRICE = 5.0
"""US dollars per 10^12 bytes in most regions: https://aws.amazon.com/athena/pricing/"""
_LEAST = 10_000_000
"""Minimum number of bytes that Athena charges per query."""


@Parameter(name="*")
@dataclass(frozen=True)
class Engines:
    """The engine, and the options of Athena."""

    engine: Annotated[
        Literal["built-in", "duckdb", "spark", "athena"],
        Parameter(help="What reads the trail: valetkey itself, or SQL on DuckDB, Spark or Athena."),
    ] = "built-in"
    workgroup: Annotated[str | None, Parameter(help="Athena's work group.")] = None
    table: Annotated[
        str | None, Parameter(help=f"Athena's table of the trail, as DATABASE.TABLE. Without it: {_TABLE}.")
    ] = None
    create_table: Annotated[
        bool, Parameter(negative="", help="Make the table in Athena when there is none; asks first.")
    ] = False
    print_: Annotated[
        bool,
        Parameter(name="--print", negative="", help="Print Athena's table and query, and do nothing."),
    ] = False
    yes: Annotated[bool, Parameter(negative="", help="Agree to Athena's queries and to --create-table.")] = False

    def check(self, source: str, lookup: str) -> None:
        """Raise ValetkeyError when options exclude each other."""
        given = {
            "--workgroup": self.workgroup is not None,
            "--table": self.table is not None,
            "--create-table": self.create_table,
            "--print": self.print_,
            "--yes": self.yes,
        }
        if self.engine != "athena":
            for word, is_given in given.items():
                if is_given:
                    raise ValetkeyError(f"{word} goes with --engine athena", do="leave it out")
            if self.engine != "built-in" and source == lookup:
                raise ValetkeyError(f"{lookup} is read without an engine", do="leave --engine out")
            return
        if not source.startswith(_S3):
            raise ValetkeyError("Athena reads a trail in S3", do="write --from s3://BUCKET/PREFIX")
        if self.workgroup is None and not self.print_:
            raise ValetkeyError("--engine athena needs --workgroup", do="name one: aws athena list-work-groups")


def texts(
    options: Engines, source: str, wanted: Wanted, accounts: frozenset[str], span: TimeSpan, now: datetime
) -> str:
    """Return Athena's table and query for a trail. Raises ValetkeyError."""
    from valetkey.activity.engines.athena import ddl, own_table, select, table_name, trail_place
    from valetkey.aws.regions import all_regions

    if not accounts:
        raise ValetkeyError("--print needs to know the accounts", do="name them with --own-accounts")
    table = own_table(*table_name(options.table or _TABLE), trail_place(source), all_regions())
    days = span.days(now=now)
    query = select(table, wanted, accounts=accounts, days=(days[0], days[-1]))
    return f"{ddl(table)};\n\n{query};"


@contextmanager
def source_and_engine(
    options: Engines, source: str, account: OwnerAccount, *, now: datetime
) -> Iterator[tuple[Source, Engine | None]]:
    """Yield the location of the files and the engine that reads them. Raises ValetkeyError, CallError."""
    from valetkey.activity import Bucket, Folder
    from valetkey.report.activity import fetching

    engine: Engine | None = None
    if options.engine == "duckdb":
        from valetkey.activity.engines.duck import duck

        engine = duck(cores=_auditing.cores())
    elif options.engine == "spark":
        from valetkey.activity.engines.spark import spark

        engine = spark()
    if not source.startswith(_S3):
        yield Folder(Path(source)), engine
        return
    from valetkey.activity.bucket import location

    location(source)
    perform = patient(account.connect(), wait=time.sleep)
    if options.engine in ("spark", "athena"):
        athena = _athena(options, source, perform) if options.engine == "athena" else None
        yield Bucket(source, perform, None, folder=Path(), now=now), athena or engine
        if athena is not None:
            _say_scanned(athena)
        return
    from valetkey.aws.objects import fetch

    with tempfile.TemporaryDirectory(prefix="valetkey-activity-") as folder:
        yield (
            Bucket(source, perform, partial(fetch, perform), folder=Path(folder), now=now, progress=fetching),
            engine,
        )


def _athena(options: Engines, source: str, perform: Perform) -> Athena:
    from valetkey.activity.engines.athena import table_name
    from valetkey.activity.engines.athena_runs import Athena, check_table, check_workgroup, described

    assert options.workgroup is not None
    database, name = table_name(options.table or _TABLE)
    check_workgroup(perform, options.workgroup)
    table = described(perform, database, name)
    if table is None:
        table = _created(options, source, database, name, perform)
    check_table(table, source)
    return Athena(perform, time.sleep, options.workgroup, table, partial(_agree, options))


def _created(options: Engines, source: str, database: str, name: str, perform: Perform) -> Table:
    from valetkey.activity.engines.athena import ddl, own_table, trail_place
    from valetkey.activity.engines.athena_runs import Athena
    from valetkey.aws.regions import all_regions
    from valetkey.report.text import say

    if not options.create_table:
        raise ValetkeyError(
            f"Athena has no table {database}.{name}",
            do="name the trail's table with --table, or make one with --create-table; --print shows how it is made",
        )
    assert options.workgroup is not None
    table = own_table(database, name, trail_place(source), all_regions())
    text = ddl(table)
    about = (text, f"This makes the table {database}.{name} in Athena. It copies nothing, and scans nothing.")
    if not options.yes:
        say(*about, stderr=True)
    _questions.consent(f"Make the table {database}.{name}?", yes=options.yes, about=about)
    Athena(perform, time.sleep, options.workgroup, table, partial(_agree, options)).run(text)
    return table


def _agree(options: Engines, estimate: Estimate) -> None:
    from valetkey.report.text import say

    more = "" if estimate.is_whole else " or more: the table is not partitioned by account and day, and is read whole"
    cost = max(estimate.size, _LEAST) / 1e12 * _PRICE
    about = (
        f"Athena will scan {estimate.size / 1e6:,.1f} MB in {estimate.files:,} files{more}.",
        f"At {_PRICE:.0f} USD a TB that is {cost:.4f} USD.",
    )
    say(*about, stderr=True)
    _questions.consent("Run the query?", yes=options.yes, about=about)


def _say_scanned(athena: Athena) -> None:
    from valetkey.report.text import say

    say(f"Athena scanned {athena.scanned_bytes / 1e6:,.1f} MB.", stderr=True)


def limits(engine: Engine | None) -> tuple[str, ...]:
    """Return what an engine cannot show, as sentences."""
    table = getattr(engine, "table", None)
    if table is None or not table.missing:
        return ()
    missing = f"The table {table.database}.{table.name} does not have {', '.join(table.missing)}"
    return (f"{missing}: who did what, and the kind of a session, is known less surely.",)
