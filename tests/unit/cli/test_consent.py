"""Every call that changes an account belongs to a command that asks first."""

from __future__ import annotations

import ast
import inspect
import pathlib
from importlib import import_module

import valetkey
from valetkey.cli import _changing, _engines

SOURCES = pathlib.Path(valetkey.__file__).parent
READS = ("get_", "list_", "describe_", "lookup_")
HARMLESS = {"assume_role", "connect", "generate_service_last_accessed_details"}
"""Sessions, no call at all, and a report that IAM makes for the caller."""
ASKING = {
    "grants/plan.py": "grant",
    "grants/adopt_prepare.py": "adopt",
    "grants/change.py": "change extend rotate",
    "grants/change_plan.py": "change extend rotate",
    "grants/suspend.py": "suspend resume",
    "grants/revoke_plan.py": "revoke",
    "credentials/sessions/base_keys.py": "login",
}
"""Where changes are planned or made, and the commands that perform them. Whoever adds a line here sees to it that the
command asks (cli/_questions.py) and takes --yes."""


def changes() -> dict[str, set[str]]:
    """The operations that change something, by the file that names them in a Call. The sandbox is no account, and
    exchange/texts performs nothing: it reads the commands that it wrote for somebody else."""
    result: dict[str, set[str]] = {}
    for path in SOURCES.rglob("*.py"):
        name = path.relative_to(SOURCES).as_posix()
        text = path.read_text(encoding="utf-8")
        if name.startswith(("sandbox/", "exchange/texts/")) or (
            "account.calls import" not in text and name != "account/calls.py"
        ):
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Call":
                said = operation_of(node)
                if not said.startswith(READS) and said not in HARMLESS:
                    result.setdefault(name, set()).add(said)
    return result


def operation_of(node: ast.Call) -> str:
    """The operation as written, or how it begins; a call that repeats another one's operation reads."""
    operation = node.args[1]
    if isinstance(operation, ast.JoinedStr):
        operation = operation.values[0]
    if isinstance(operation, ast.Attribute) and operation.attr == "operation":
        return "get_"
    assert isinstance(operation, ast.Constant), ast.unparse(node)
    return str(operation.value)


QUERIES = "activity/engines/athena_runs.py"
"""Athena's queries change nothing in the account but cost money, and may make a table: cli/_engines.py asks."""


def test_athenas_queries_are_asked_for() -> None:
    assert changes()[QUERIES] == {"start_query_execution", "stop_query_execution"}
    assert _engines.Engines().yes is False
    source = inspect.getsource(_engines)
    assert source.count("_questions.consent(") == source.count("yes=options.yes") == 2


def test_changes_are_made_only_where_somebody_is_asked() -> None:
    result = changes()
    assert set(result) == {*ASKING, QUERIES}
    assert "delete_role" in result["grants/revoke_plan.py"]
    for command in {part for commands in ASKING.values() for part in commands.split()}:
        function = getattr(import_module(f"valetkey.cli.commands.{command}"), command)
        assert inspect.signature(function).parameters["yes"].default is False
        source = inspect.getsource(function)
        # `change` and those that are special cases of it share what asks.
        assert "questions.consent(" in (inspect.getsource(_changing.run) if "_changing.run(" in source else source)
