"""Athena's calls: checks of a work group and a table, and a query with its estimate and its result.

https://docs.aws.amazon.com/athena/latest/APIReference/ ; a query text has at most 262,144 bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from valetkey.account.calls import Call, CallError, Perform
from valetkey.activity.engines.athena import Table, select
from valetkey.activity.engines.files import sorted_out
from valetkey.activity.engines.text import Row
from valetkey.activity.layout import TrailFile
from valetkey.activity.scanning import Scanned
from valetkey.activity.wanted import Wanted
from valetkey.errors import ValetkeyError, shown

_CATALOG = "AwsDataCatalog"
_LONGEST = 262_144
_POLLS = 1_800
_PAUSE = 2.0
"""Seconds between polls of a query, which may take an hour at most. A work group has its own limits."""

Agree = Callable[["Estimate"], None]
"""Asks for confirmation of a query. Raises ValetkeyError if it is refused."""


@dataclass(frozen=True)
class Estimate:
    """What a query is expected to read."""

    size: int
    """Stored bytes. Athena counts these, and at least 10 MB per query."""
    files: int
    is_whole: bool
    """False: the table is not partitioned by account and day, and Athena reads more than `size`."""


def check_workgroup(perform: Perform, name: str) -> None:
    """Check a work group. Raises ValetkeyError if it is disabled or has no query result location; CallError."""
    group = perform(Call("athena", "get_work_group", {"WorkGroup": name}))["WorkGroup"]
    settings = group.get("Configuration", {})
    if group.get("State") == "DISABLED":
        raise ValetkeyError(f"the work group {shown(name)} is disabled", do="name another one with --workgroup")
    kept = settings.get("ManagedQueryResultsConfiguration", {}).get("Enabled")
    if not kept and not settings.get("ResultConfiguration", {}).get("OutputLocation"):
        raise ValetkeyError(
            f"the work group {shown(name)} has no query result location",
            do="set one in Athena, or name another one with --workgroup",
        )


def described(perform: Perform, database: str, name: str) -> Table | None:
    """Return the table as Athena describes it; None if it does not exist. Raises CallError."""
    call = Call(
        "athena",
        "get_table_metadata",
        {"CatalogName": _CATALOG, "DatabaseName": database, "TableName": name},
    )
    try:
        result = perform(call)["TableMetadata"]
    except CallError as error:
        if error.code == "MetadataException" and "not found" in error.message.lower():
            return None
        raise
    partitions = [(key["Name"].lower(), key.get("Type", "").lower()) for key in result.get("PartitionKeys", ())]
    columns = {column["Name"].lower(): column.get("Type", "").lower() for column in result.get("Columns", ())}
    parameters = dict(result.get("Parameters", {}))
    place = parameters.get("location", "")
    return Table(
        database,
        name,
        {**columns, **dict(partitions)},
        tuple(partition for partition, _ in partitions),
        place,
        parameters,
    )


def check_table(table: Table, place: str) -> None:
    """Check a table. Raises ValetkeyError if it is not a table of a trail, or its location does not match `place`."""
    where = f"{table.database}.{table.name}"
    if not all(table.has(item) for item in ("useridentity.arn", "eventname", "eventtime", "requestparameters")):
        raise ValetkeyError(
            f"the table {where} does not have the columns of CloudTrail's records",
            do="see `valetkey activity ... --engine athena --print` for a table that has them",
        )
    if table.columns["requestparameters"] not in ("string", "varchar"):
        raise ValetkeyError(
            f"the table {where} has requestparameters of type {table.columns['requestparameters'][:40]}, not string",
            do="make another table over the same files: --create-table",
        )
    here, there = place.rstrip("/") + "/", table.location.rstrip("/") + "/"
    if table.location and not (here.startswith(there) or there.startswith(here)):
        raise ValetkeyError(
            f"the table {where} is over {table.location}, and --from says {place}", do="name the same place in --from"
        )


@dataclass
class Athena:
    """The engine. Makes one query for each pass over the files."""

    perform: Perform
    wait: Callable[[float], None]
    """Waits for this many seconds."""
    workgroup: str
    table: Table
    agree: Agree
    scanned_bytes: int = 0
    """Bytes that Athena reports as scanned, so far."""

    def scanned(self, files: Sequence[TrailFile], wanted: Wanted) -> Iterator[tuple[TrailFile, Scanned]]:
        """Yield every file with its result. Raises ValetkeyError, CallError.

        INVARIANT: a file that the table leaves out is reported as not read.
        """
        known = self.table.regions
        for file in files:
            if known is not None and file.region and file.region not in known:
                yield file, Scanned(broken=f"is of a region that {self.table.database}.{self.table.name} leaves out")
        files = [file for file in files if known is None or not file.region or file.region in known]
        if not files:
            return
        accounts = {file.account for file in files} - {""}
        dates = [file.at.date() for file in files if file.at is not None]
        days = (min(dates), max(dates)) if len(dates) == len(files) else None
        text = select(self.table, wanted, accounts=accounts, days=days)
        if len(text.encode()) > _LONGEST:
            raise ValetkeyError(
                "the query is longer than Athena takes: too many sessions went on into further roles",
                do="ask about a shorter time (--since, --until)",
            )
        self.agree(
            Estimate(
                sum(file.size for file in files), len(files), bool(self.table.by_account and self.table.by_day and days)
            )
        )
        result = sorted_out(files, self._rows(text), wanted)
        yield from zip(files, result, strict=True)

    def run(self, text: str) -> str:
        """Run a statement to its end. Returns its id. Raises ValetkeyError if it fails, CallError."""
        asked = {
            "QueryString": text,
            "WorkGroup": self.workgroup,
            "QueryExecutionContext": {"Catalog": _CATALOG, "Database": self.table.database},
        }
        number = str(self.perform(Call("athena", "start_query_execution", asked))["QueryExecutionId"])
        try:
            self._finish(number)
        except KeyboardInterrupt:
            self.perform(Call("athena", "stop_query_execution", {"QueryExecutionId": number}))
            raise
        return number

    def _finish(self, number: str) -> None:
        for _ in range(_POLLS):
            call = Call("athena", "get_query_execution", {"QueryExecutionId": number})
            execution: dict[str, Any] = self.perform(call)["QueryExecution"]
            status = execution["Status"]
            if status["State"] == "SUCCEEDED":
                self.scanned_bytes += int(execution.get("Statistics", {}).get("DataScannedInBytes", 0))
                return
            if status["State"] in ("FAILED", "CANCELLED"):
                why = status.get("StateChangeReason") or "no reason is given"
                raise ValetkeyError(
                    f"Athena's query {number} {status['State'].lower()}: {shown(why)}",
                    do="see the query in Athena's history; a file that cannot be read fails it",
                    exit_code=3,
                )
            self.wait(_PAUSE)
        self.perform(Call("athena", "stop_query_execution", {"QueryExecutionId": number}))
        raise ValetkeyError(f"Athena's query {number} did not end in an hour", do="ask about less", exit_code=3)

    def _rows(self, text: str) -> Iterator[Row]:
        asked: dict[str, Any] = {"QueryExecutionId": self.run(text), "MaxResults": 1000}
        columns: list[str] | None = None
        while True:
            call = Call("athena", "get_query_results", asked)
            page = self.perform(call)
            for row in page["ResultSet"]["Rows"]:
                values = [item.get("VarCharValue") for item in row["Data"]]
                if columns is None:
                    columns = [str(value) for value in values]  # the first row is the header
                else:
                    yield dict(zip(columns, values, strict=True))
            token = page.get("NextToken")
            if not token:
                return
            if token == asked.get("NextToken"):
                raise CallError(call, "Garbled", "its pages never end", do="check what answers in AWS's place")
            asked = {**asked, "NextToken": token}
