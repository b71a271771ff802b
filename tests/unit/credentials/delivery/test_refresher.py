"""Sessions that are renewed in time, and what a caller is told when they cannot be."""

from __future__ import annotations

import dataclasses
import threading
from datetime import UTC, datetime, timedelta

import pytest

from valetkey.credentials.delivery.refresher import HeldSession, Keeper, Lapsed
from valetkey.credentials.profiles.profile import Profile
from valetkey.credentials.sessions.cache import Session
from valetkey.credentials.sessions.protocols import Ended, NoTerminal
from valetkey.credentials.sessions.values import Credentials
from valetkey.errors import ValetkeyError

START = datetime(2026, 5, 1, 12, tzinfo=UTC)
PROFILE = Profile(
    name="acme",
    role_arn="arn:aws:iam::210987654321:role/audit",
    contractor="123456789012",
    mfa=False,
    max_session=3600,
)


class World:
    """A clock, and an AWS whose n-th session has the key id ASIAn and lasts an hour."""

    def __init__(self) -> None:
        self.now = START
        self.fetched: list[str] = []
        self.problem: ValetkeyError | None = None
        self.until: datetime | None = None
        self.told: list[tuple[str, str | None]] = []

    def clock(self) -> datetime:
        return self.now

    def fetch(self, name: str) -> HeldSession:
        self.fetched.append(name)
        if self.problem:
            raise self.problem
        return self.held(name, f"ASIA{len(self.fetched)}")

    def held(self, name: str = "acme", key: str = "ASIA0", seconds: float = 3600) -> HeldSession:
        expires = self.now + timedelta(seconds=seconds)
        keys = Credentials(
            access_key_id=key, secret_access_key="hush", session_token="t", expires=expires, account="210987654321"
        )
        return HeldSession(dataclasses.replace(PROFILE, name=name, until=self.until), Session(keys, self.now))

    def keeper(self, *names: str) -> Keeper:
        def tell(name: str, problem: ValetkeyError | None) -> None:
            self.told.append((name, problem.what if problem else None))

        held = [self.held(name) for name in names or ("acme",)]
        return Keeper(held, fetch=self.fetch, clock=self.clock, tell=tell)

    def later(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def world() -> World:
    return World()


def test_it_renews_before_sdks_would_and_answers_from_memory(world: World) -> None:
    keeper = world.keeper()
    assert keeper.renew() == 2400  # 20 minutes before the end
    assert (keeper.answer("acme").access_key_id, world.fetched) == ("ASIA0", [])
    world.later(2399)
    keeper.renew()
    assert world.fetched == []
    world.later(1)
    assert keeper.renew() == 2400
    assert (keeper.answer("acme").access_key_id, world.fetched) == ("ASIA1", ["acme"])


def test_a_session_that_cannot_be_renewed_is_good_to_its_end_and_no_longer(world: World) -> None:
    keeper = world.keeper()
    world.problem = NoTerminal("nobody to ask", do="run it")
    world.later(3599)
    keeper.renew()
    assert keeper.answer("acme").access_key_id == "ASIA0"
    world.later(1)
    with pytest.raises(NoTerminal):
        keeper.answer("acme")


def test_it_tries_again_ever_more_rarely_and_at_once_when_somebody_asks(world: World) -> None:
    keeper = world.keeper()
    world.problem = Lapsed("AWS does not answer")
    world.later(3600)
    waits = []
    for _ in range(6):
        waits.append(keeper.renew())
        world.later(waits[-1])
    assert waits == [10, 20, 40, 60, 60, 60]
    tries = len(world.fetched)
    keeper.renew()
    world.later(5)
    keeper.renew()
    assert len(world.fetched) == tries + 1
    with pytest.raises(Lapsed):
        keeper.answer("acme")
    keeper.renew()
    assert len(world.fetched) == tries + 2
    world.problem = None
    with pytest.raises(Lapsed):
        keeper.answer("acme")
    world.later(10)
    keeper.renew()
    assert keeper.answer("acme").access_key_id == f"ASIA{tries + 3}"


def test_people_are_told_once_when_it_fails_and_once_when_it_works(world: World) -> None:
    keeper = world.keeper("acme", "globex")
    world.problem = Lapsed("AWS does not answer")
    world.later(2400)
    for _ in range(3):
        keeper.renew()
        world.later(60)
    assert world.told == [("acme", "AWS does not answer"), ("globex", "AWS does not answer")]
    world.problem = None
    keeper.renew()
    assert world.told[2:] == [("acme", None), ("globex", None)]


def test_an_old_session_handed_out_again_is_not_fetched_without_pause(world: World) -> None:
    """The broker answers with the old one while AWS is silent and it has a minute left."""
    old = world.held()
    calls = []

    def fetch(name: str) -> HeldSession:
        calls.append(name)
        return old

    keeper = Keeper([old], fetch=fetch, clock=world.clock)
    world.later(2400)
    assert keeper.renew() == 10
    assert keeper.renew() == 10
    assert len(calls) == 1


def test_the_recorded_end_cuts_nothing_off(world: World) -> None:
    """The owner may have moved it: AWS decides, when the session is renewed."""
    world.until = START + timedelta(seconds=600)
    keeper = world.keeper()
    assert keeper.renew() == 2400
    world.later(600)
    assert keeper.answer("acme").access_key_id == "ASIA0"
    world.problem = Ended("AWS refused")
    world.later(1800)
    keeper.renew()
    world.later(1200)
    with pytest.raises(Ended):
        keeper.answer("acme")


def test_a_clock_that_is_set_back_makes_a_new_session_due(world: World) -> None:
    keeper = world.keeper()
    world.later(2400)
    keeper.renew()
    world.later(-7200)
    with pytest.raises(Lapsed):
        keeper.answer("acme")
    keeper.renew()
    assert (keeper.answer("acme").access_key_id, world.fetched) == ("ASIA2", ["acme", "acme"])
    assert keeper.renew() == 2400


def test_a_fault_of_our_own_does_not_end_the_others(world: World) -> None:
    broken = world.held("broken")

    def fetch(name: str) -> HeldSession:
        if name == "broken":
            raise ZeroDivisionError("a secret")
        return world.fetch(name)

    keeper = Keeper([broken, world.held("acme")], fetch=fetch, clock=world.clock)
    world.later(3600)
    keeper.renew()
    assert keeper.answer("acme").access_key_id == "ASIA1"
    with pytest.raises(ValetkeyError, match=r"fault .*ZeroDivisionError") as caught:
        keeper.answer("broken")
    assert "a secret" not in str(caught.value)


def test_it_ends_when_told(world: World) -> None:
    keeper = world.keeper()
    thread = threading.Thread(target=keeper.run)
    thread.start()
    keeper.end()
    thread.join(20)
    assert not thread.is_alive()
