"""The same rows from every engine: SQL on DuckDB, Spark and Athena against the built-in one.

Athena is played by DuckDB: sqlglot turns Athena's SELECT into DuckDB's, over a table that has the columns of the DDL.
Spark needs `make engines`; without it its tests are skipped, and say so.
"""

from __future__ import annotations

import gzip
import json
import os
import pathlib
import shutil
import subprocess
import sys
from collections import Counter
from datetime import date, timedelta
from typing import Any

import duckdb
import pytest
import sqlglot
from tests.trails.generate import CONTRACTOR, ORGANIZATION, OWNER, REGIONS, START, Truth, generate
from tests.trails.records import Maker, trail
from tests.unit.activity.test_sources import NOW, S3, SPAN

from valetkey.account.calls import Call, CallError
from valetkey.activity import Bucket, Folder, TimeSpan, TrailReading, Wanted, answer, read, role_key
from valetkey.activity.engines.athena import Table, ddl, own_table, select, table_name, trail_place
from valetkey.activity.engines.athena_runs import Athena, Estimate, check_table, check_workgroup, described
from valetkey.activity.engines.duck import duck
from valetkey.activity.engines.text import COLUMNS, literal, report
from valetkey.errors import ValetkeyError

PLACE = f"s3://my-trail/logs/AWSLogs/{ORGANIZATION}/"
ENGINES = pathlib.Path(__file__).parents[3] / ".engines"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[pathlib.Path, Truth]:
    home = tmp_path_factory.mktemp("trail")
    return home, generate(home, rounds=2)


def wanted(truth: Truth) -> Wanted:
    key = role_key(truth.role)
    assert key
    return Wanted(roles=frozenset({key}))


def both(folder: pathlib.Path, wanted: Wanted, **more: Any) -> tuple[TrailReading, TrailReading]:
    accounts = None if wanted.outsiders else frozenset({OWNER})
    first, _ = read(Folder(folder), wanted, accounts=accounts, **more)
    second, _ = read(Folder(folder), wanted, accounts=accounts, engine=duck(cores=1), **more)
    return first, second


def test_duckdb_answers_the_rows_of_the_built_in_engine(made: Any) -> None:
    folder, truth = made
    first, second = both(folder, wanted(truth))
    assert first.events == second.events
    assert second.is_complete
    assert Counter(activity.kind.name for activity in answer(second.events).sessions) == Counter(
        session.kind for session in truth.sessions
    )
    assert (first.files, first.days) == (second.files, second.days)


def test_duckdb_finds_outsiders_and_providers(made: Any) -> None:
    first, second = both(made[0], Wanted(outsiders=True, delegates=True))
    assert first.events == second.events != []


def test_duckdb_answers_a_part_of_the_time(made: Any) -> None:
    folder, truth = made
    first, second = both(folder, wanted(truth), span=TimeSpan(START + timedelta(days=3), START + timedelta(days=5)))
    assert first.events == second.events != []


def test_every_layout_that_the_built_in_engine_reads(tmp_path: pathlib.Path) -> None:
    maker = Maker(OWNER, CONTRACTOR)
    records = [
        maker.record(START + timedelta(minutes=item), "iam", "ListUsers", maker.identity("carol", START, "ASIAX"))
        for item in range(10)
    ]
    texts = [json.dumps(record) for record in records]
    (tmp_path / "[odd] name*?.json").write_bytes(trail(records[:2]))
    (tmp_path / "array.json").write_text(f"[{texts[2]},\n {texts[3]}]")
    (tmp_path / "lines.ndjson").write_text("\n".join(texts[4:6]))
    (tmp_path / "one.json").write_text(texts[6])
    (tmp_path / "looked.json").write_text(json.dumps({"Events": [{"CloudTrailEvent": text} for text in texts[7:9]]}))
    (tmp_path / "zipped.json.gz").write_bytes(gzip.compress(trail(records[9:] + records[:1])))
    key = role_key(maker.role)
    assert key
    first, second = both(tmp_path, Wanted(roles=frozenset({key})))
    assert len(first.events) == 10
    assert first.events == second.events
    assert (second.duplicates, second.is_complete) == (1, True)


def broken_copy(folder: pathlib.Path, home: pathlib.Path) -> list[str]:
    """A copy of a trail with five files that cannot be read; their names."""
    shutil.copytree(folder, home, dirs_exist_ok=True)
    files = sorted(home.rglob(f"{OWNER}_*.gz"))[:25:5]
    for number, file in enumerate(files):
        data = file.read_bytes()
        file.write_bytes(data[:700] if number % 2 else gzip.compress(gzip.decompress(data)[:3000]))
    return sorted(str(file.relative_to(home)) for file in files)


def test_broken_files_are_named_and_hide_nothing_else(made: Any, tmp_path: pathlib.Path) -> None:
    broken = broken_copy(made[0], tmp_path)
    first, second = both(tmp_path, wanted(made[1]))
    assert sorted(name for name, _ in second.broken) == sorted(name for name, _ in first.broken) == broken
    assert first.events == second.events
    assert not second.is_complete
    assert not any(str(tmp_path) in why for _, why in second.broken)


def test_what_is_no_fault_of_a_file_is_not_put_on_one(made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("valetkey.activity.engines.duck.VIEW", "SELECT nothing")
    with pytest.raises(ValetkeyError, match="DuckDB failed") as error:
        both(made[0], wanted(made[1]))
    assert error.value.exit_code == 3


def test_an_unknown_version_is_counted(tmp_path: pathlib.Path) -> None:
    maker = Maker(OWNER, CONTRACTOR)
    record = maker.record(START, "iam", "ListUsers", maker.identity("carol", START, "ASIAX"), eventVersion="2.0")
    (tmp_path / "a.json").write_bytes(trail([record]))
    key = role_key(maker.role)
    assert key
    first, second = both(tmp_path, Wanted(roles=frozenset({key})))
    assert first.skipped == second.skipped != Counter()


@pytest.mark.parametrize("text", ["it's", "a\\b", "a\nb", 'a"b', "a;b", "ä", "%'"])
def test_no_text_breaks_out_of_the_sql(text: str) -> None:
    with pytest.raises(ValetkeyError):
        literal(text)
    with pytest.raises(ValetkeyError):
        report(Wanted(roles=frozenset({(OWNER, text)})))
    assert text not in report(Wanted(keys=frozenset({text}), sessions=frozenset({(text, "2026")})))


@pytest.mark.parametrize("dialect", ["athena", "duckdb", "spark"])
def test_the_report_is_one_text_that_every_dialect_reads_alike(dialect: str) -> None:
    every = Wanted(
        roles=frozenset({(OWNER, "audit+x=,.@_-")}), keys=frozenset({"ASIAX"}), approvals=True, delegates=True,
        sessions=frozenset({("AROAX:carol", "2026-11-29T00:00:00Z")}), outsiders=True,
    )  # fmt: skip
    parsed = sqlglot.parse_one(report(every), dialect=dialect)
    assert parsed.sql(dialect="duckdb") == sqlglot.parse_one(report(every), dialect="duckdb").sql(dialect="duckdb")
    assert {item.name for item in parsed.find_all(sqlglot.exp.Column)} <= set(COLUMNS)


class FakeAthena:
    """Athena with one table over the files of a folder, and S3 beside it."""

    def __init__(self, folder: pathlib.Path, table: Table) -> None:
        self.s3 = S3(folder)
        self.table: Table | None = table
        self.queries: list[str] = []
        self.calls: list[str] = []
        self.state = "SUCCEEDED"
        self.answers: list[list[list[str | None]]] = []
        self.core = duckdb.connect()

    def __call__(self, call: Call, /) -> dict[str, Any]:
        self.calls.append(call.action)
        if call.service == "s3":
            return self.s3(call)
        return getattr(self, call.operation)(call)  # type: ignore[no-any-return]

    def get_work_group(self, call: Call) -> dict[str, Any]:
        place = {"OutputLocation": "s3://answers/"}
        return {"WorkGroup": {"State": "ENABLED", "Configuration": {"ResultConfiguration": place}}}

    def get_table_metadata(self, call: Call) -> dict[str, Any]:
        table = self.table
        if table is None:
            raise CallError(call, "MetadataException", "Entity Not Found")
        named = [{"Name": name, "Type": kind} for name, kind in table.columns.items()]
        return {
            "TableMetadata": {
                "Columns": [item for item in named if item["Name"] not in table.partitions],
                "PartitionKeys": [item for item in named if item["Name"] in table.partitions],
                "Parameters": {"location": table.location, **(table.parameters or {})},
            }
        }

    def start_query_execution(self, call: Call) -> dict[str, Any]:
        text = str(call.params["QueryString"])
        self.queries.append(text)
        if text.startswith("CREATE"):
            self.table = own_table("default", "valetkey_trail", PLACE, REGIONS)
        return {"QueryExecutionId": str(len(self.queries))}

    def get_query_execution(self, call: Call) -> dict[str, Any]:
        status = {"State": self.state, "StateChangeReason": "HIVE_CURSOR_ERROR: it is broken"}
        return {"QueryExecution": {"Status": status, "Statistics": {"DataScannedInBytes": 1000}}}

    def stop_query_execution(self, call: Call) -> dict[str, Any]:
        return {}

    def get_query_results(self, call: Call) -> dict[str, Any]:
        if "NextToken" not in call.params:
            columns, rows = self.run(self.queries[-1])
            self.answers.append([list(columns), *rows])
        left = self.answers[-1]
        page, self.answers[-1] = left[:100], left[100:]
        data = [{"Data": [{} if one is None else {"VarCharValue": one} for one in row]} for row in page]
        more = {"NextToken": str(len(self.answers[-1]))} if self.answers[-1] else {}
        return {"ResultSet": {"Rows": data}, **more}

    def run(self, text: str) -> tuple[list[str], list[list[str | None]]]:
        """The SELECT on DuckDB, over the records with the types of the table."""
        assert self.table is not None
        self.fill(self.table)
        translated = sqlglot.transpile(text.replace('"$path"', "path"), read="athena", write="duckdb")[0]
        answer = self.core.execute(translated)
        return [item[0] for item in answer.description], [list(item) for item in answer.fetchall()]

    def fill(self, table: Table) -> None:
        rows = []
        for key, path in self.s3.keys.items():
            parts = key.split("/")
            for record in json.loads(gzip.decompress(path.read_bytes()))["Records"]:
                low = lowered(record)
                values = {name: low.get(name) for name in table.columns}
                partitions = {"account": parts[3], "region": parts[5], "day": "/".join(parts[6:9])}
                partitions["timestamp"] = partitions["day"]
                rows.append({**values, **{name: partitions[name] for name in table.partitions}} | {
                    "path": f"s3://my-trail/{key}"
                })  # fmt: skip
        here = pathlib.Path(next(iter(self.s3.keys.values()))).parents[0] / "rows.ndjson"
        here.write_text("\n".join(json.dumps(row) for row in rows))
        types = {name: hive(kind) for name, kind in (*table.columns.items(), ("path", "string"))}
        self.core.execute(f'create schema if not exists "{table.database}"')
        listed = ", ".join(f"'{name}': '{kind}'" for name, kind in types.items())
        self.core.execute(
            f'create or replace table "{table.database}"."{table.name}" as select * from read_json(\'{here}\', '
            f"format = 'newline_delimited', columns = {{{listed}}}, maximum_object_size = 1000000)"
        )
        here.unlink()


def hive(kind: str) -> str:
    """A type of Hive as DuckDB's."""
    return str(sqlglot.parse_one(f"CAST(x AS {kind})", dialect="hive").to.sql(dialect="duckdb"))


_TEXTS = ("requestparameters", "responseelements", "additionaleventdata")


def lowered(value: Any, depth: int = 0) -> Any:
    """As CloudTrail's input format gives it: names in small letters, parameters as text."""
    if isinstance(value, list):
        return [lowered(item, depth) for item in value]
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, dict):
        return value
    return {
        key.lower(): (None if inner is None else json.dumps(inner))
        if depth == 0 and key.lower() in _TEXTS
        else lowered(inner, depth + 1)
        for key, inner in value.items()
    }


def on_athena(
    fake: FakeAthena, truth: Truth, tmp_path: pathlib.Path, table: Table
) -> tuple[TrailReading, list[Estimate]]:
    asked: list[Estimate] = []
    engine = Athena(fake, lambda _: None, "main", table, asked.append)
    source = Bucket("s3://my-trail/logs", fake, None, folder=tmp_path, now=NOW)
    reading, _ = read(source, wanted(truth), accounts=frozenset({OWNER}), span=SPAN, engine=engine)
    return reading, asked


def test_athena_answers_the_rows_of_the_built_in_engine(made: Any, tmp_path: pathlib.Path) -> None:
    folder, truth = made
    table = own_table("default", "valetkey_trail", PLACE, REGIONS)
    fake = FakeAthena(folder, table)
    reading, asked = on_athena(fake, truth, tmp_path, table)
    kept = tmp_path / "kept"
    kept.mkdir()
    built_in = Bucket("s3://my-trail/logs", fake.s3, fake.s3.fetch, folder=kept, now=NOW)
    expected, _ = read(built_in, wanted(truth), accounts=frozenset({OWNER}), span=SPAN)
    assert reading.events == expected.events != []
    assert reading.days == expected.days
    # One question for every query, and each names what is listed.
    assert len(asked) == len(fake.queries) >= 2
    assert all(estimate.is_whole and estimate.size > 0 and estimate.files > 0 for estimate in asked)
    assert "s3:GetObject" not in fake.calls


def test_a_documented_table_does_without_what_it_lacks(made: Any, tmp_path: pathlib.Path) -> None:
    """AWS's own table has no sourceIdentity, and one partition."""
    folder, truth = made
    whole = own_table("audit", "cloudtrail_logs", PLACE, REGIONS)
    identity = (
        whole.columns["useridentity"].replace(",signinsessionarn:string", "").replace("sourceidentity:string,", "")
    )
    identity = identity.replace(",sourceidentity:string", "").replace("invokedbydelegate:struct<accountid:string>,", "")
    columns = {**whole.columns, "useridentity": identity, "timestamp": "string"}
    for name in ("managementevent", "account", "region", "day"):
        del columns[name]
    table = Table("audit", "cloudtrail_logs", columns, ("timestamp",), PLACE, {})
    assert set(table.missing) == {
        "managementEvent", "userIdentity.sessionContext.sourceIdentity", "userIdentity.sessionContext.signInSessionArn",
        "userIdentity.invokedByDelegate.accountId",
    }  # fmt: skip
    fake = FakeAthena(folder, table)
    seen = described(fake, "audit", "cloudtrail_logs")
    assert seen is not None
    check_table(seen, PLACE)
    assert seen.missing == table.missing
    reading, asked = on_athena(fake, truth, tmp_path, seen)
    assert reading.events
    assert not any(event.source_identity for event in reading.events)
    assert not any(estimate.is_whole for estimate in asked)
    assert 'replace("timestamp", ' in fake.queries[0]


def test_files_of_a_region_that_the_table_leaves_out_are_not_passed_over(made: Any, tmp_path: pathlib.Path) -> None:
    table = own_table("default", "valetkey_trail", PLACE, ["us-east-1"])
    reading, _ = on_athena(FakeAthena(made[0], table), made[1], tmp_path, table)
    assert reading.events
    assert not reading.is_complete
    assert {why for _, why in reading.broken} == {"is of a region that default.valetkey_trail leaves out"}
    assert all("us-east-1" not in name for name, _ in reading.broken)


def test_nothing_runs_without_a_yes(made: Any, tmp_path: pathlib.Path) -> None:
    table = own_table("default", "valetkey_trail", PLACE, REGIONS)
    fake = FakeAthena(made[0], table)

    def no(_: Estimate) -> None:
        raise ValetkeyError("no", do="")

    engine = Athena(fake, lambda _: None, "main", table, no)
    source = Bucket("s3://my-trail/logs", fake, None, folder=tmp_path, now=NOW)
    with pytest.raises(ValetkeyError):
        read(source, wanted(made[1]), accounts=frozenset({OWNER}), span=SPAN, engine=engine)
    assert fake.queries == []


@pytest.mark.parametrize("state", ["FAILED", "CANCELLED", "RUNNING"])
def test_a_query_that_does_not_succeed_is_said(made: Any, state: str) -> None:
    table = own_table("default", "valetkey_trail", PLACE, REGIONS)
    fake = FakeAthena(made[0], table)
    fake.state = state
    waited: list[float] = []
    engine = Athena(fake, waited.append, "main", table, lambda _: None)
    with pytest.raises(ValetkeyError, match="did not end" if state == "RUNNING" else "HIVE_CURSOR_ERROR") as error:
        engine.run("SELECT 1")
    assert error.value.exit_code == 3
    assert ("athena:StopQueryExecution" in fake.calls) == (state == "RUNNING")
    assert 0 <= sum(waited) <= 3600


def test_ctrl_c_stops_the_query(made: Any) -> None:
    table = own_table("default", "valetkey_trail", PLACE, REGIONS)
    fake = FakeAthena(made[0], table)
    fake.state = "RUNNING"

    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Athena(fake, interrupted, "main", table, lambda _: None).run("SELECT 1")
    assert fake.calls[-1] == "athena:StopQueryExecution"


def test_tables_and_work_groups_that_cannot_be_used() -> None:
    table = own_table("default", "x", PLACE, REGIONS)
    check_table(table, "s3://my-trail/logs")
    with pytest.raises(ValetkeyError, match="--from says"):
        check_table(table, "s3://other/logs")
    with pytest.raises(ValetkeyError, match="does not have the columns"):
        check_table(Table("default", "x", {"a": "string"}), PLACE)
    with pytest.raises(ValetkeyError, match="not string"):
        check_table(Table("default", "x", {**table.columns, "requestparameters": "map<string,string>"}), PLACE)
    for group, words in (
        ({"State": "DISABLED"}, "disabled"),
        ({"State": "ENABLED", "Configuration": {}}, "no query result location"),
    ):
        with pytest.raises(ValetkeyError, match=words):
            check_workgroup(lambda _, group=group: {"WorkGroup": group}, "main")  # type: ignore[misc]
    for text in ("x", "a.b.c", 'a."b', "A.b", "a.b;drop"):
        with pytest.raises(ValetkeyError):
            table_name(text)
    for text in ("s3://b/AWSLogs/o-abcdefghij/111111111111", "s3://b/it's"):
        with pytest.raises(ValetkeyError):
            trail_place(text)
    assert trail_place("s3://b/logs") == "s3://b/logs/AWSLogs/"
    assert trail_place(PLACE) == PLACE


def test_the_tables_text_is_athenas() -> None:
    table = own_table("audit", "trail", PLACE, REGIONS)
    made = sqlglot.parse_one(ddl(table), dialect="athena")
    assert isinstance(made, sqlglot.exp.Create)
    text = made.sql(dialect="athena")
    for words in (
        f"'{PLACE}${{account}}/CloudTrail/${{region}}/${{day}}/'",
        "'eu-central-1,eu-west-1,us-east-1'",
        "sourceidentity",
    ):
        assert words in text, words
    chosen = select(
        table, Wanted(roles=frozenset({(OWNER, "x")})), accounts=[OWNER], days=(date(2026, 1, 2), date(2026, 2, 3))
    )
    parsed = sqlglot.parse_one(chosen, dialect="athena")
    assert parsed.sql(dialect="athena")
    assert f"\"account\" IN ('{OWNER}')" in chosen
    assert "\"day\" BETWEEN '2026/01/02' AND '2026/02/03'" in chosen


_SPARK = """
import json, sys
sys.path[:0] = sys.argv[1:3]
sys.path.append(sys.argv[3])
from pathlib import Path
from valetkey.activity import Folder, Wanted, read, role_key
from valetkey.activity.engines.spark import spark
session = None
if sys.argv[4] == "sail":
    from pysail.spark import SparkConnectServer
    server = SparkConnectServer("127.0.0.1", 0)
    server.start()
    from pyspark.sql import SparkSession
    session = SparkSession.builder.remote(f"sc://127.0.0.1:{server.listening_address[1]}").getOrCreate()
folder, role = Path(sys.argv[5]), sys.argv[6]
wanted = Wanted(roles=frozenset({role_key(role)}))
first, _ = read(Folder(folder), wanted, accounts=frozenset({role.split(":")[4]}))
second, _ = read(Folder(folder), wanted, accounts=frozenset({role.split(":")[4]}), engine=spark(session))
names = [sorted(name for name, _ in each.broken) for each in (first, second)]
print(json.dumps({"same": first.events == second.events, "events": len(second.events), "broken": names}))
"""


@pytest.mark.parametrize("kind", ["sail", pytest.param("spark", marks=[pytest.mark.slow, pytest.mark.timeout(300)])])
@pytest.mark.parametrize("whole", [True, False])
def test_spark_answers_the_rows_of_the_built_in_engine(
    made: Any, tmp_path: pathlib.Path, kind: str, whole: bool
) -> None:
    python = ENGINES / kind / "bin" / "python"
    # Written at the end: until then a Python is there that has nothing installed yet.
    if not (ENGINES / ".stamp").exists():
        pytest.skip(f"{kind} is not installed: make engines")
    folder, truth = made
    broken = [] if whole else broken_copy(folder, tmp_path)
    root = pathlib.Path(__file__).parents[3]
    site = next(item for item in sys.path if item.endswith("site-packages"))
    words = (root / "src", root, site, kind, folder if whole else tmp_path, truth.role)
    command = [python, "-c", _SPARK, *map(str, words)]
    # The client of Spark Connect looks for a Spark of Java unless this is set.
    env = {**os.environ, "SPARK_HOME": str(tmp_path)} if kind == "sail" else None
    ran = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False, env=env)
    assert ran.returncode == 0, ran.stderr[-3000:]
    said = json.loads(ran.stdout.splitlines()[-1])
    assert said["same"]
    assert said["events"] > 0
    assert said["broken"] == [broken, broken]
