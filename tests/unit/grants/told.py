"""What a test asks of the account in memory and of an error, in one line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.unit.grants.fake_iam import FakeIam

from valetkey.account.calls import Call, CallError
from valetkey.errors import ValetkeyError
from valetkey.grants.role import read_role
from valetkey.grants.status import Standing, read_claimed


def told(problem: pytest.ExceptionInfo[ValetkeyError]) -> tuple[str, str, str, int]:
    """The whole of an error: what, do, where, exit code."""
    error = problem.value
    return error.what, error.do, error.where, error.exit_code


def standing_of(iam: FakeIam, name: str = "audit") -> Standing:
    """A grant as it can be read now."""
    role = read_role(iam, name)
    assert role is not None
    return read_claimed(role)


def refuse(code: str, *operations: str, **params: Any) -> Callable[[Call], None]:
    """A hook of FakeIam: AWS refuses these operations, where they have these parameters."""

    def hook(call: Call) -> None:
        if call.operation in operations and params.items() <= call.params.items():
            raise CallError(call, code, "no")

    return hook
