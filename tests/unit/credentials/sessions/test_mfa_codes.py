"""One-time codes: when somebody is asked for one, how long they have, and what a failed question answers."""

from __future__ import annotations

import pathlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.unit.credentials.sts_world import Calls

from valetkey.catalog.limits import LimitError
from valetkey.credentials.profiles.again import SET_UP_AGAIN
from valetkey.credentials.sessions.cache import Busy, Cache, key
from valetkey.credentials.sessions.mfa_codes import check_device, with_code
from valetkey.credentials.sessions.protocols import Dismissed, Ended, NoTerminal, deadline_in
from valetkey.credentials.sessions.refusals import WrongCode
from valetkey.errors import ValetkeyError


def remembering(seconds: float) -> Dismissed:
    problem = Dismissed("closed")
    problem.remember = seconds
    return problem


NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
DEVICE = "arn:aws:iam::123456789012:mfa/ann"


def test_no_code_is_asked_for_where_the_cache_cannot_be_written(
    home: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def ask(device: str, /, *, seconds: float, again: str = "") -> str:
        asked.append(device)
        return "123456"

    def full(path: pathlib.Path, data: bytes) -> None:
        raise ValetkeyError(f"{path} cannot be written: No space left on device")

    monkeypatch.setattr("valetkey.credentials.sessions.cache.files.write", full)
    with pytest.raises(ValetkeyError, match="No space left"):
        with_code(
            DEVICE,
            lambda code: code,
            cache=Cache({"HOME": str(home)}),
            ask=ask,
            clock=lambda: NOW,
            deadline=lambda: 30.0,
        )
    assert asked == []


def test_a_code_that_was_taken_keeps_nobody_from_being_asked_in_the_same_second(home: pathlib.Path) -> None:
    """What is written before the question, to see whether the disk takes it, is no refusal."""
    codes = iter(["123456", "234567"])
    sent = [
        with_code(
            DEVICE,
            lambda code: code,
            cache=Cache({"HOME": str(home)}),
            ask=lambda device, *, seconds, again="": next(codes),
            clock=lambda: NOW,
            deadline=lambda: 30.0,
        )
        for _ in range(2)
    ]
    assert sent == ["123456", "234567"]


class Person:
    """Who is asked, with the codes they give."""

    def __init__(self, *codes: str | BaseException) -> None:
        self.codes = list(codes)
        self.asked: list[tuple[float, str]] = []

    def __call__(self, device: str, /, *, seconds: float, again: str = "") -> str:
        assert device == DEVICE
        self.asked.append((seconds, again))
        code = self.codes.pop(0)
        if isinstance(code, BaseException):
            raise code
        return code


class Aws:
    """What the codes are sent to."""

    def __init__(self, *wrong: str) -> None:
        self.wrong = wrong
        self.sent: list[str] = []

    def __call__(self, code: str) -> str:
        self.sent.append(code)
        if code in self.wrong:
            raise WrongCode("no", code="AccessDenied", message="")
        return f"session-{code}"


@pytest.fixture
def cache(home: pathlib.Path) -> Cache:
    return Cache({"HOME": str(home)})


def ask_for(cache: Cache, person: Person, aws: Aws, *, left: float = 50.0, after: float = 0, **given: Any) -> str:
    clock = lambda: NOW + timedelta(seconds=after)  # noqa: E731
    return with_code(DEVICE, aws, cache=cache, ask=person, clock=clock, deadline=lambda: left, **given)


SPENT = "this code was sent already (each works once): wait for the next one"
NOT_TAKEN = "AWS did not accept this code (each works once): wait for the next one"


@pytest.mark.parametrize(("left", "seconds"), [(50.0, 42.0), (9.5, 1.5), (9.0, 1), (8.0, 1), (0.0, 1)])
def test_eight_seconds_are_kept_for_the_calls_after_the_question(left: float, seconds: float, cache: Cache) -> None:
    person = Person("111111")
    assert ask_for(cache, person, Aws(), left=left) == "session-111111"
    assert person.asked == [(seconds, "")]


def test_a_wrong_code_is_asked_for_once_more_and_a_spent_one_three_times(cache: Cache) -> None:
    person, aws = Person("111111", "111111", "222222"), Aws("111111")
    assert ask_for(cache, person, aws) == "session-222222"
    assert [again for _, again in person.asked] == ["", NOT_TAKEN, SPENT]
    assert aws.sent == ["111111", "222222"]
    # The second wrong one ends it.
    person, aws = Person("333333", "444444"), Aws("333333", "444444")
    with pytest.raises(WrongCode):
        ask_for(cache, person, aws)
    assert aws.sent == ["333333", "444444"]


def test_four_questions_are_enough(cache: Cache) -> None:
    assert ask_for(cache, Person("111111"), Aws()) == "session-111111"
    person = Person("111111", "111111", "111111", "222222")
    assert ask_for(cache, person, Aws()) == "session-222222"
    person, aws = Person(*["111111"] * 5), Aws()
    with pytest.raises(Dismissed) as caught:
        ask_for(cache, person, aws)
    assert caught.value.what == "every code given was sent already, and each works once"
    assert caught.value.do == "wait for the next code and try again"
    assert (len(person.asked), aws.sent) == (4, [])


@pytest.mark.parametrize(
    ("problem", "seconds"),
    [
        (Dismissed("closed"), 10),
        (KeyboardInterrupt(), 10),
        (RuntimeError(), 10),
        (remembering(120.0), 120),
        (NoTerminal("nobody"), 0),
    ],
)
def test_a_failed_question_answers_for_a_while(problem: BaseException, seconds: float, cache: Cache) -> None:
    with pytest.raises(type(problem)):
        ask_for(cache, Person(problem), Aws())
    person = Person("111111", "222222")
    if seconds:
        with pytest.raises(Dismissed) as caught:
            ask_for(cache, person, Aws(), after=seconds - 1)
        assert caught.value.what == (
            "the question for the MFA code failed a moment ago; valetkey does not ask again at once"
        )
        assert caught.value.do == "try again in 1 seconds, or run `valetkey login`"
        assert person.asked == []
        # Who has just said that they want to be asked is asked.
        assert ask_for(cache, person, Aws(), after=seconds - 1, insist=True) == "session-111111"
    assert ask_for(cache, person, Aws(), after=seconds)


def test_what_cannot_be_remembered_hides_no_reason(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(Person):
        def __call__(self, device: str, /, *, seconds: float, again: str = "") -> str:
            monkeypatch.setattr(cache, "remember_refusal", Calls(ValetkeyError("full")))
            return super().__call__(device, seconds=seconds, again=again)

    with pytest.raises(Dismissed, match="closed"):
        ask_for(cache, Full(Dismissed("closed")), Aws())


@pytest.mark.parametrize("code", ["", "12345", "1234567", "12345x"])
def test_what_is_no_code_is_not_sent(code: str, cache: Cache) -> None:
    aws = Aws()
    with pytest.raises(LimitError, match="token code"):
        ask_for(cache, Person(code), aws)
    assert aws.sent == []


def test_nobody_is_asked_twice_at_once(cache: Cache) -> None:
    person = Person()
    with cache.lock(key("code", device=DEVICE), 1, busy=RuntimeError), pytest.raises(Busy) as caught:  # type: ignore[arg-type]
        ask_for(cache, person, Aws(), left=0.0)
    assert person.asked == []
    assert caught.value.what == "another valetkey process is still waiting for an MFA code or for AWS"
    assert (caught.value.do, caught.value.exit_code) == ("answer its question, or end it, and try again", 3)


@pytest.mark.parametrize(
    ("device", "what", "do"),
    [
        (
            "arn:aws:iam::123456789012:u2f/user/ann/key",
            "this MFA device is a security key or passkey, which AWS does not accept for API access",
            f"add a virtual MFA device (authenticator app) to your user; then {SET_UP_AGAIN}",
        ),
        (
            "arn:aws:iam::123456789012:mfa/root-account-mfa-device",
            "this MFA device is the root user's, and the root user cannot assume roles",
            f"sign in as an IAM user with a virtual MFA device; then {SET_UP_AGAIN}",
        ),
    ],
)
def test_a_device_that_gives_no_codes_for_aws_is_told_before_a_question(
    device: str, what: str, do: str, cache: Cache
) -> None:
    person = Person()
    with pytest.raises(ValetkeyError) as caught:
        with_code(device, Aws(), cache=cache, ask=person, clock=lambda: NOW, deadline=lambda: 50.0)
    assert (caught.value.what, caught.value.do, caught.value.where) == (what, do, device)
    with pytest.raises(LimitError, match="mfa serial"):
        check_device("short")
    check_device("GAHT12345678")
    check_device(DEVICE)


def test_how_long_is_left_never_goes_below_nothing() -> None:
    now = [NOW]
    left = deadline_in(50, lambda: now[0])
    assert left() == 50
    now[0] += timedelta(seconds=49.5)
    assert left() == 0.5
    now[0] += timedelta(hours=1)
    assert left() == 0


@pytest.mark.parametrize(("kind", "code"), [(Dismissed, 3), (NoTerminal, 3), (Ended, 1)])
def test_how_a_command_ends_without_a_session(kind: type[ValetkeyError], code: int) -> None:
    assert kind("x").exit_code == code
