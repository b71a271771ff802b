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


def whole_error(problem: pytest.ExceptionInfo[ValetkeyError]) -> tuple[str, str, str, int]:
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


class Late:
    """Performs calls; shows the trust policy of before for a number of looks after it was replaced."""

    def __init__(self, iam: FakeIam, looks: int) -> None:
        self.iam, self.looks = iam, looks
        self.before: Any = None

    def __call__(self, call: Call, /) -> dict[str, Any]:
        if call.operation == "update_assume_role_policy":
            self.before = self.iam.roles[call.params["RoleName"]]["AssumeRolePolicyDocument"]
        answer = self.iam(call)
        if call.operation == "get_role" and self.before is not None and self.looks:
            self.looks -= 1
            answer["Role"]["AssumeRolePolicyDocument"] = self.before
        return answer
