"""Fixtures of every test: a private HOME, no AWS settings of this machine, and no connection to another machine."""

from __future__ import annotations

import gc
import itertools
import os
import pathlib
import random
import socket
from collections.abc import Callable, Iterator

import pytest
from hypothesis import settings
from tests import models

settings.register_profile("ci", derandomize=True, deadline=None, max_examples=100)
settings.register_profile("local", deadline=None, max_examples=100)
settings.load_profile("ci" if os.environ.get("CI") else "local")

models.share()

# Nothing listens there: a call without an endpoint fails at once and does not leave the machine.
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(autouse=True, scope="session")
def _only_loopback() -> Iterator[None]:
    """Refuse every connection of this process to another machine. The AWS settings of its children point nowhere
    (`home`)."""
    real = socket.socket.connect

    def connect(self: socket.socket, address: object, /) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            host = str(address[0])  # type: ignore[index]
            if not (host.startswith("127.") or host in ("::1", "localhost")):
                raise PermissionError(f"a test tried to reach {host}: only loopback is allowed")
        return real(self, address)  # type: ignore[arg-type]

    socket.socket.connect = connect  # type: ignore[method-assign,assignment]
    yield
    socket.socket.connect = real  # type: ignore[method-assign]


@pytest.fixture(autouse=True, scope="session")
def _schemas_hold() -> Iterator[None]:
    """Raise if JSON output differs from its declared schema. Outside the tests it is printed anyway."""
    from valetkey.report.results import shape

    def refuse(error: Exception) -> None:
        raise error

    real, shape.undeclared = shape.undeclared, refuse
    yield
    shape.undeclared = real


_homes = itertools.count()


@pytest.fixture(autouse=True)
def _no_settings(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A HOME of this test alone, which `home` creates, without AWS_*, VALETKEY_* and XDG_* variables; AWS_ENDPOINT_URL
    points nowhere."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "VALETKEY_", "XDG_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path_factory.getbasetemp() / f"home-{next(_homes)}"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", NOWHERE)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")


@pytest.fixture
def home(_no_settings: None) -> pathlib.Path:
    """The HOME of this test, empty."""
    path = pathlib.Path(os.environ["HOME"])
    path.mkdir()
    return path


@pytest.fixture
def account() -> Callable[[], str]:
    """A function that returns a new random account id (12 digits, the first not 0)."""
    rng = random.SystemRandom()
    return lambda: str(rng.randrange(10**11, 10**12))


def pytest_collection_finish() -> None:
    """The collected tests live until the end: Python's garbage collector does not look at them again."""
    gc.freeze()
