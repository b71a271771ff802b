"""The owner asked at a terminal: the console's order, defaults, bad answers asked again, and no endless asking."""

from __future__ import annotations

import shlex
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.unit.grants.fake_iam import FakeIam

from valetkey.account.calls import Call
from valetkey.cli import _wizard
from valetkey.cli._answers import Here, command_line, keeping
from valetkey.errors import ValetkeyError
from valetkey.exchange import AccessRequest, Received
from valetkey.grants.grant import Grant
from valetkey.grants.options import OwnerOptions
from valetkey.grants.role import Owner
from valetkey.trust.terms import Terms

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
CAROL = "arn:aws:iam::222222222222:user/carol"
OWNER = Owner("111111111111", "aws", "arn:aws:iam::111111111111:user/admin")
LIMIT = "arn:aws:iam::111111111111:policy/limit"
WORDS = "boss-brisk-will-resemble-when-clock"


class Person:
    """Answers question after question; then silence, which is no answer."""

    def __init__(self, *lines: str) -> None:
        self._lines = list(lines)
        self.shown = ""

    def __call__(self, question: str, /) -> str:
        self.shown += question
        if not self._lines:
            raise ValetkeyError("the input ended")
        return self._lines.pop(0)


def asked(*lines: str, start: OwnerOptions | None = None, person: Person | None = None) -> OwnerOptions:
    """What comes of these answers."""
    return _wizard.complete(start or OwnerOptions(name=""), None, now=NOW, ask=person or Person(*lines), yes=False)


def received(**changes: Any) -> Received:
    request = AccessRequest(
        account="222222222222",
        partition="aws",
        external_id="theirs-0123456789",
        identity="iam-user",
        identity_arn=CAROL,
        issued=NOW,
        **changes,
    )
    return Received(request, WORDS)


def test_an_account_and_nothing_but_defaults(capsys: pytest.CaptureFixture[str]) -> None:
    person = Person("222222222222", *[""] * 9)
    options = asked(person=person)
    assert options == OwnerOptions(
        name="contractor-222222222222",
        contractor="222222222222",
        until=NOW + timedelta(days=30),
        lasting=timedelta(days=30),
        session=3600,
        description="Access for account 222222222222, granted with valetkey",
    )
    assert capsys.readouterr() == ("", "")
    order = ["account", "ExternalId", "MFA", "Policies", "boundary", "Name", "Description", "tags", "Until", "session"]
    places = [person.shown.index(word) for word in order]
    assert places == sorted(places)


def test_every_answer_counts(tmp_path: Path) -> None:
    (tmp_path / "own.json").write_text('{"Version": "2012-10-17", "Statement": []}')
    own = str(tmp_path / "own.json")
    lines = (
        "2222-2222-2222",
        "none",
        "no",
        CAROL,
        f"ReadOnlyAccess, {own}",
        LIMIT,
        "audit",
        "For the audit",
        "a=b, c=",
    )
    options = asked(*lines, "never", "2h")
    assert options == OwnerOptions(
        name="audit",
        never=True,
        contractor="222222222222",
        no_external_id=True,
        mfa=False,
        only=(CAROL,),
        policies=("ReadOnlyAccess", own),
        boundary=LIMIT,
        description="For the audit",
        tags=(("a", "b"), ("c", "")),
        session=7200,
    )


def test_only_what_is_open_is_asked() -> None:
    start = OwnerOptions(
        name="audit", external_id="theirs", only=(CAROL,), policies=("ReadOnlyAccess",), until=NOW, session=3600
    )
    options = asked("222222222222", "", "", "", start=start)
    assert options.contractor == "222222222222"
    assert asked("night", "", start=OwnerOptions(name="", contractor="222222222222")).name == "night"
    assert asked(start=options) == options


def test_a_bad_answer_is_asked_again_with_the_rule() -> None:
    person = Person("12", "222222222222", "x", "mine", *[""] * 9)
    assert asked(person=person).external_id == "mine"
    assert person.shown.count("12 characters: digits only") == 1


@pytest.mark.parametrize("lines", [("1", "2", "3", "4"), ("1",), ()])
def test_asking_ends(lines: tuple[str, ...]) -> None:
    with pytest.raises(ValetkeyError):
        asked(*lines)


def test_without_mfa_somebody_is_asked_for() -> None:
    person = Person("222222222222", "", "no", "", CAROL, *[""] * 7)
    options = asked(person=person)
    assert (options.mfa, options.only) == (False, (CAROL,))
    assert "at least one user or role must be named" in person.shown


@pytest.mark.parametrize(
    ("line", "until", "lasting", "never"),
    [
        ("", NOW + timedelta(days=30), timedelta(days=30), False),
        ("2026-12-31", datetime(2027, 1, 1, tzinfo=UTC), None, False),
        ("2h", NOW + timedelta(hours=2), timedelta(hours=2), False),
        ("never", None, None, True),
    ],
)
def test_an_end_is_asked_for_where_only_that_is_missing(
    line: str, until: datetime | None, lasting: timedelta | None, never: bool
) -> None:
    start = OwnerOptions(name="audit", contractor="222222222222")
    options = asked(line, start=start)
    assert (options.until, options.lasting, options.never) == (until, lasting, never)
    with pytest.raises(ValetkeyError, match="--until DATE or --until never is missing") as refused:
        _wizard.complete(start, None, now=NOW, ask=None, yes=True)
    assert refused.value.exit_code == 2
    said = OwnerOptions(name="audit", contractor="222222222222", never=True)
    assert _wizard.complete(said, None, now=NOW, ask=None, yes=True) == said


def test_an_end_that_the_request_wishes_for_is_offered_and_not_taken_unasked() -> None:
    wish = received(until=NOW + timedelta(days=400))
    person = Person("")
    options = _wizard.complete(OwnerOptions(name="audit"), wish, now=NOW, ask=person, yes=False)
    assert "[2027-12-28T12:00:00Z]" in person.shown
    assert (options.until, options.never) == (NOW + timedelta(days=400), False)
    with pytest.raises(ValetkeyError, match="asks for 2027-12-28T12:00:00Z"):
        _wizard.complete(OwnerOptions(name="audit"), wish, now=NOW, ask=None, yes=True)
    assert _wizard.complete(OwnerOptions(name="audit", never=True), wish, now=NOW, ask=None, yes=True).until is None


def test_the_last_question_repeats_who_what_until_mfa_and_what_to_compare() -> None:
    terms = Terms(contractor="222222222222", external_id="theirs", only=(CAROL,), mfa_max_age=3600, until=NOW)
    grant = Grant(
        name="audit",
        account=OWNER.account,
        terms=terms,
        managed=("arn:aws:iam::aws:policy/SecurityAudit",),
        inline=(("policy-own", {}),),
        external_id_by="owner",
    )
    plain, compared = _wizard.agreement(grant, None, OWNER), _wizard.agreement(grant, received(), OWNER)
    for text in (plain, compared):
        assert "account 222222222222 into account 111111111111 through the role audit" in text
        for said in (
            "user/carol",
            "SecurityAudit, policy-own",
            "3600 s at most",
            "2026-11-23T12:00:00Z",
            "MFA    required",
        ):
            assert said in text
    assert WORDS in compared
    assert WORDS not in plain
    endless = replace(grant, terms=Terms(contractor="222222222222", mfa=False, only=(CAROL,)))
    text = _wizard.agreement(endless, None, OWNER)
    assert ("no end" in text, "not required" in text, "from" in text) == (True, True, False)
    vendor = Terms(
        contractor="222222222222", external_id="7f1c0a55", mfa=False, whole_account=True, from_ip=("198.51.100.0/24",)
    )
    text = _wizard.agreement(replace(grant, terms=vendor), None, OWNER)
    assert "who    account 222222222222: everybody in it\n" in text
    assert "from   198.51.100.0/24 only\n" in text
    assert "not required" in text


def test_a_whole_account_and_addresses_are_options_alone() -> None:
    """They are not asked for, kept beside the answers, and printed with them when something fails."""
    start = OwnerOptions(
        name="", mfa=False, whole_account=True, external_id="7f1c0a55-2f0e", from_ip=("198.51.100.0/24", "192.0.2.1/32")
    )
    person = Person("222222222222", *[""] * 7)
    options = asked(start=start, person=person)
    assert (options.whole_account, options.mfa, options.only, options.from_ip) == (True, False, (), start.from_ip)
    for word in ("MFA", "ARNs of the only", "address", "ExternalId"):
        assert word not in person.shown
    words = shlex.split(command_line(options))
    assert [words[at + 1] for at, word in enumerate(words) if word == "--from-ip"] == list(start.from_ip)
    assert {"--whole-account", "--no-mfa"} <= set(words)
    # Without --no-mfa the terms are refused as in a script; who may come in is not asked either.
    other = Person("222222222222", *[""] * 7)
    asked(start=replace(start, mfa=True), person=other)
    assert "MFA" not in other.shown


def test_the_account_is_said_before_the_first_question_and_answers_are_checked_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A policy, a boundary, a role's name and an account that cannot be are asked for again, at once."""
    said: list[str] = []
    iam = FakeIam(OWNER.account)

    def here() -> Here:
        said.append("account")
        return Here(OWNER, iam)

    monkeypatch.setattr("sys.stderr.isatty", lambda: False, raising=False)
    trust = '{"Version": "2012-10-17", "Statement": []}'
    by_hand = {"RoleName": "made-by-hand", "Path": "/", "AssumeRolePolicyDocument": trust}
    iam(Call("iam", "create_role", {**by_hand, "MaxSessionDuration": 3600, "Tags": []}))
    lines = (OWNER.account, "222222222222", "", "no", "arn:aws:iam::333333333333:user/x", CAROL)
    lines += ("NoSuch", str(tmp_path / "no.json"), "SecurityAudit")
    lines += (
        "arn:aws:iam::aws:policy/NoSuch",
        "none",
        "made-by-hand",
        "free",
        "x\N{SNOWMAN}",
        "",
        "valetkey:x=1",
        "none",
    )
    person = Person(*lines, "yesterday", "30d", "13h", "2h")
    options = _wizard.complete(OwnerOptions(name=""), None, now=NOW, ask=person, yes=False, here=here)
    assert said == ["account"]
    assert person.shown.startswith("Account 111111111111 (aws), as arn:aws:iam::111111111111:user/admin\nThe contr")
    assert person.shown.count("Account 111111111111 (aws)") == 1
    assert (options.contractor, options.policies, options.boundary, options.name) == (
        "222222222222",
        ("SecurityAudit",),
        None,
        "free",
    )
    assert (options.only, options.tags, options.session) == ((CAROL,), (), 7200)
    for why in ("your own account", "not in the contractor's account", "no managed policy named NoSuch", "no.json"):
        assert why in person.shown


def test_no_answer_is_lost(capsys: pytest.CaptureFixture[str]) -> None:
    def answers() -> None:
        with keeping() as kept:
            person = Person("2222-2222-2222", "", "", "ReadOnlyAccess", "", "it's")
            _wizard.complete(OwnerOptions(name=""), None, now=NOW, ask=person, yes=False, kept=kept)

    with pytest.raises(ValetkeyError, match="ended"):
        answers()
    err = capsys.readouterr().err
    assert err.startswith("Your answers, to go on from: valetkey grant")
    assert "--to 222222222222 --policy ReadOnlyAccess" in err


def test_the_answers_as_a_command_give_the_same_answers_again() -> None:
    asked_for = OwnerOptions(
        name="audit",
        contractor="222222222222",
        external_id="theirs",
        mfa=False,
        only=(CAROL,),
        lasting=timedelta(days=30),
        until=NOW + timedelta(days=30),
        policies=("ReadOnlyAccess", "./own file.json"),
        session=7200,
        boundary=LIMIT,
        tags=(("a", "b c"),),
        description="For the audit",
    )
    words = shlex.split(command_line(asked_for))
    assert words[:3] == ["valetkey", "grant", "audit"]
    assert ("--no-mfa" in words, words.count("--to")) == (True, 1)
    for flag, value in (("--until", "30d"), ("--tag", "a=b c"), ("--boundary", LIMIT), ("--only", CAROL)):
        assert words[words.index(flag) + 1] == value
    by_request = command_line(asked_for, request=("--request r.json",))
    assert ("--to" in by_request, "theirs" in by_request) == (False, False)


@pytest.mark.parametrize(
    ("words", "to", "yes", "code"),
    [
        (None, None, False, 0),
        (None, None, True, 2),
        (None, "222222222222", True, 0),
        (WORDS, None, True, 0),
        (WORDS.replace("-", "  ").upper(), None, True, 0),
        ("boss-brisk-will-resemble-when-cloth", None, True, 1),
        ("boss-brisk-will-resemble-when", None, True, 1),
        ("", None, True, 1),
        ("boss-brisk-will-resemble-when-cloth", "222222222222", True, 1),
        ("boss-brisk-will-resemble-when-cloth", None, False, 1),
    ],
)
def test_a_request_is_held_against_what_the_contractor_said(
    words: str | None, to: str | None, yes: bool, code: int
) -> None:
    if code == 0:
        _wizard.check_request(received(), words=words, to=to, yes=yes)
        return
    with pytest.raises(ValetkeyError) as refused:
        _wizard.check_request(received(), words=words, to=to, yes=yes)
    assert refused.value.exit_code == code


def test_a_fingerprint_without_a_request_is_refused() -> None:
    with pytest.raises(ValetkeyError, match="belongs to a request"):
        _wizard.check_request(None, words=WORDS, to=None, yes=True)
    _wizard.check_request(None, words=None, to=None, yes=True)
