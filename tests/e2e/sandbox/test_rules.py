"""The sandbox's rules are written for one version of the emulator."""

from __future__ import annotations

import ast
import pathlib

import pytest

import valetkey.sandbox
from valetkey.errors import ValetkeyError
from valetkey.sandbox import rules

ROOM = pathlib.Path(valetkey.sandbox.__file__).parent


def test_the_installed_version_is_the_one(monkeypatch: pytest.MonkeyPatch) -> None:
    rules.check_version()
    monkeypatch.setattr(rules, "version", lambda _: "1.6.0")
    with pytest.raises(ValetkeyError, match=r"needs ministack 1\.5\.33, and 1\.6\.0 is installed"):
        rules.check_version()


def test_without_the_emulator_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: str) -> str:
        raise rules.PackageNotFoundError

    monkeypatch.setattr(rules, "version", missing)
    with pytest.raises(ValetkeyError, match=r"valetkey\[sandbox\]"):
        rules.check_version()


def test_the_sandbox_does_not_decide_by_our_own_evaluator() -> None:
    """INVARIANT: the sandbox uses nothing of `valetkey.policy` except its error."""
    for file in ROOM.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("valetkey.policy"):
                assert node.module == "valetkey.errors", file
            elif isinstance(node, ast.ImportFrom) and node.module == "valetkey":
                assert not any(name.name == "policy" for name in node.names), file
            elif isinstance(node, ast.Import):
                assert not any(name.name.startswith("valetkey.policy") for name in node.names), file


def test_every_rule_says_what_aws_does_and_what_it_replaces() -> None:
    for name in (
        "clock",
        "variables",
        "documents",
        "managed",
        "details",
        "mfa",
        "paging",
        "trusts",
        "principals",
        "sts",
        "enforce",
        "trail",
    ):
        said = ast.get_docstring(ast.parse((ROOM / f"{name}.py").read_text())) or ""
        assert "Replaces" in said, name
        assert "https://" in said or name == "clock", name
