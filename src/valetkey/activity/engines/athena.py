"""SQL for Athena: the table of a trail with partition projection, and the view over an existing table.

https://docs.aws.amazon.com/athena/latest/ug/create-cloudtrail-table-partition-projection.html has neither
sourceIdentity nor the fields of newer kinds of sessions; the table here has them. For another table, the view uses the
columns that it has, and `Table.missing` lists the others.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from valetkey.activity.engines.text import FIELDS, RAW, literal, report
from valetkey.activity.wanted import Wanted
from valetkey.errors import ValetkeyError, shown

_NAME = re.compile(r"[a-z0-9_]{1,128}")
_ACCOUNTS = ("account", "accountid", "account_id")
_DAYS = ("day", "timestamp", "date", "dt")
_COLUMNS: Mapping[str, str] = {
    "eventversion": "string",
    "useridentity": "struct<type:string,principalid:string,arn:string,accountid:string,accesskeyid:string,"
    "username:string,invokedby:string,onbehalfof:struct<userid:string,identitystorearn:string>,"
    "invokedbydelegate:struct<accountid:string>,"
    "sessioncontext:struct<attributes:struct<mfaauthenticated:string,creationdate:string>,"
    "sessionissuer:struct<type:string,principalid:string,arn:string,accountid:string,username:string>,"
    "sourceidentity:string,signinsessionarn:string>>",
    **dict.fromkeys(
        ("eventtime", "eventsource", "eventname", "awsregion", "sourceipaddress", "useragent", "errorcode",
         "errormessage", "requestparameters", "responseelements", "additionaleventdata", "requestid", "eventid",
         "readonly"), "string"),
    "resources": "array<struct<arn:string,accountid:string,type:string>>",
    **dict.fromkeys(
        ("eventtype", "recipientaccountid", "sharedeventid", "eventcategory", "managementevent",
         "sessioncredentialfromconsole"), "string"),
}  # fmt: skip


@dataclass(frozen=True)
class Table:
    """A table of a trail, as Athena describes it."""

    database: str
    name: str
    columns: Mapping[str, str]
    """Type of each column, including partitions, in Hive's syntax."""
    partitions: tuple[str, ...] = ()
    location: str = ""
    parameters: Mapping[str, str] | None = None

    @property
    def missing(self) -> tuple[str, ...]:
        """Fields of records that a report uses and the table lacks."""
        wanted = (*FIELDS.values(), *RAW.values())
        return tuple(item for item in wanted if not self.has(item.lower()))

    def has(self, path: str) -> bool:
        """Whether the table has a column, or a field inside one ("useridentity.arn")."""
        kind: Mapping[str, str] = self.columns
        *outer, last = path.split(".")
        for item in outer:
            kind = _fields(kind.get(item, ""))
        return last in kind

    @property
    def by_account(self) -> str:
        """The partition column of the account; empty: none."""
        return next((partition for partition in self.partitions if partition in _ACCOUNTS), "")

    @property
    def regions(self) -> frozenset[str] | None:
        """The regions that the partition projection lists; None: all, or not stated."""
        listed = (self.parameters or {}).get("projection.region.values", "")
        return frozenset(part.strip() for part in listed.split(",")) if listed else None

    @property
    def by_day(self) -> str:
        """The partition column of the day, if it is text in a known form; empty: none."""
        return next(
            (partition for partition in self.partitions if partition in _DAYS and self.columns[partition] == "string"),
            "",
        )


def _fields(kind: str) -> dict[str, str]:
    """Fields of "struct<a:string,b:struct<c:string>>" with their types."""
    if not kind.startswith("struct<"):
        return {}
    fields, depth, start = {}, 0, 0
    inner = kind[len("struct<") : -1] + ","
    for at, sign in enumerate(inner):
        depth += (sign in "<(") - (sign in ">)")
        if sign == "," and depth == 0:
            name, _, rest = inner[start:at].partition(":")
            fields[name.strip().lower()] = rest.strip()
            start = at + 1
    return fields


def table_name(text: str) -> tuple[str, str]:
    """Split "DB.TABLE" into database and table. Raises ValetkeyError."""
    database, dot, name = text.partition(".")
    if not dot or not _NAME.fullmatch(database) or not _NAME.fullmatch(name):
        raise ValetkeyError(
            f"--table: {shown(text)} is not a table", do="write DATABASE.TABLE: small letters, digits and underscores"
        )
    return database, name


def own_table(database: str, name: str, place: str, regions: Collection[str]) -> Table:
    """Return the table that `ddl` creates for a trail at `place` ("s3://BUCKET/PREFIX/")."""
    partitions = ("account", "region", "day")
    columns = {**_COLUMNS, **dict.fromkeys(partitions, "string")}
    parameters = {"projection.day.format": "yyyy/MM/dd", "projection.region.values": ",".join(sorted(regions))}
    return Table(database, name, columns, partitions, place, parameters)


_PLACE = re.compile(r"s3://[a-z0-9.-]+/(?:[A-Za-z0-9!_.*()=+@:/-]*/)?AWSLogs/(?:o-[a-z0-9]{10,32}/)?")


def trail_place(place: str) -> str:
    """Return the folder of the accounts: "s3://BUCKET/PREFIX/AWSLogs/" or ".../AWSLogs/o-ID/". Raises ValetkeyError."""
    text = place.rstrip("/") + "/"
    if "AWSLogs/" not in text:
        text += "AWSLogs/"
    if not _PLACE.fullmatch(text):
        raise ValetkeyError(
            f"{shown(place)} does not end where the accounts' folders are",
            do="write s3://BUCKET/PREFIX/AWSLogs, with the organization's id (o-...) where there is one",
        )
    return text


def ddl(table: Table) -> str:
    """Return the statement that creates the table. It copies nothing; Athena computes the partitions from their
    names."""
    columns = ",\n".join(f"  `{name}` {kind}" for name, kind in table.columns.items() if name not in table.partitions)
    listed = ",".join(sorted(table.regions or ()))
    return f"""CREATE EXTERNAL TABLE IF NOT EXISTS `{table.database}`.`{table.name}` (
{columns}
)
PARTITIONED BY (`account` string, `region` string, `day` string)
ROW FORMAT SERDE 'org.apache.hive.hcatalog.data.JsonSerDe'
STORED AS INPUTFORMAT 'com.amazon.emr.cloudtrail.CloudTrailInputFormat'
OUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'
LOCATION '{table.location}'
TBLPROPERTIES (
  'classification' = 'cloudtrail',
  'projection.enabled' = 'true',
  'projection.account.type' = 'injected',
  'projection.region.type' = 'enum',
  'projection.region.values' = '{listed}',
  'projection.day.type' = 'date',
  'projection.day.format' = 'yyyy/MM/dd',
  'projection.day.range' = '2013/01/01,NOW',
  'projection.day.interval' = '1',
  'projection.day.interval.unit' = 'DAYS',
  'storage.location.template' = '{table.location}${{account}}/CloudTrail/${{region}}/${{day}}/'
)"""


def select(table: Table, wanted: Wanted, *, accounts: Collection[str], days: tuple[date, date] | None) -> str:
    """Return the report over the table, for these accounts (empty: all) and days (None: all). Raises ValetkeyError."""
    return f"WITH trail_events AS (\n{view(table, accounts, days)}\n)\n{report(wanted)}"


def view(table: Table, accounts: Collection[str], days: tuple[date, date] | None) -> str:
    """Return the view over the table, for these accounts and days."""
    columns = ['"$path" AS file', "CAST(NULL AS varchar) AS broken"]
    for name, path in (*FIELDS.items(), *RAW.items()):
        lower = path.lower()
        columns.append(f"CAST({lower if table.has(lower) else 'NULL'} AS varchar) AS {name}")
    has_arns = "arn:" in table.columns.get("resources", "")
    arns = "array_join(transform(resources, each -> each.arn), chr(10))" if has_arns else "CAST(NULL AS varchar)"
    columns.append(f"{arns} AS resources")
    columns.append("json_extract_scalar(requestparameters, '$.roleArn') AS target_role")
    limits = list(_limits(table, accounts, days))
    where = "\nWHERE " + "\n  AND ".join(limits) if limits else ""
    listed = ",\n  ".join(columns)
    return f'SELECT\n  {listed}\nFROM "{table.database}"."{table.name}"{where}'


def _limits(table: Table, accounts: Collection[str], days: tuple[date, date] | None) -> Iterator[str]:
    """Yield the conditions that limit the partitions."""
    if table.by_account and accounts:
        yield f'"{table.by_account}" IN ({", ".join(literal(account) for account in sorted(accounts))})'
    if table.by_day and days:
        form = (table.parameters or {}).get(f"projection.{table.by_day}.format", "")
        sign = {"yyyy/MM/dd": "/", "yyyy-MM-dd": "-"}.get(form)
        column = f'"{table.by_day}"' if sign else f"replace(\"{table.by_day}\", '-', '/')"
        first, last = (day.isoformat().replace("-", sign or "/") for day in days)
        yield f"{column} BETWEEN '{first}' AND '{last}'"
