"""The owner asked at a terminal: the console's order, defaults, bad answers asked again, and no endless asking."""

from __future__ import annotations

import io
import sys
from datetime import UTC, datetime, timedelta

import pytest

from valetkey.cli import wizard
from valetkey.grants.asked import Asked
from valetkey.policy.problem import Problem

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
CAROL = "arn:aws:iam::222222222222:user/carol"


def asked(monkeypatch: pytest.MonkeyPatch, *lines: str, start: Asked | None = None) -> Asked:
    """What comes of these answers."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
    return wizard.complete(start or Asked(name=""), None, now=NOW, terminal=True, yes=False)


def test_an_account_and_nothing_but_defaults(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = asked(monkeypatch, "222222222222", "", "", "", "", "", "")
    assert found == Asked(
        name="contractor-222222222222",
        contractor="222222222222",
        until=NOW + timedelta(days=30),
        lasting=timedelta(days=30),
        session=3600,
    )
    shown = capsys.readouterr()
    assert shown.out == ""
    order = ["account", "ExternalId", "MFA", "Policies", "Name", "Until", "session"]
    places = [shown.err.index(word) for word in order]
    assert places == sorted(places)


def test_every_answer_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    found = asked(
        monkeypatch, "222222222222", "none", "no", CAROL, "ReadOnlyAccess, ./own.json", "audit", "never", "2h"
    )
    assert found == Asked(
        name="audit",
        contractor="222222222222",
        no_external_id=True,
        mfa=False,
        only=(CAROL,),
        policies=("ReadOnlyAccess", "./own.json"),
        session=7200,
    )


def test_only_what_is_open_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    start = Asked(
        name="audit", external_id="theirs", only=(CAROL,), policies=("ReadOnlyAccess",), until=NOW, session=3600
    )
    found = asked(monkeypatch, "222222222222", start=start)
    assert found.contractor == "222222222222"
    assert asked(monkeypatch, "night", start=Asked(name="", contractor="222222222222")).name == "night"
    assert asked(monkeypatch, start=found) == found


def test_a_bad_answer_is_asked_again_with_the_rule(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert asked(monkeypatch, "12", "222222222222", "x", "mine", "", "", "", "", "").external_id == "mine"
    assert capsys.readouterr().err.count("12 characters: digits only") == 1


@pytest.mark.parametrize("lines", [("1", "2", "3"), ("1",), ()])
def test_asking_ends(monkeypatch: pytest.MonkeyPatch, lines: tuple[str, ...]) -> None:
    with pytest.raises(Problem):
        asked(monkeypatch, *lines)


@pytest.mark.parametrize("complete", [True, False])
def test_the_last_word_is_asked_for_unless_the_words_said_everything(
    monkeypatch: pytest.MonkeyPatch, complete: bool
) -> None:
    monkeypatch.setattr(wizard, "agree", lambda question: False)
    terms = Asked(name="audit", contractor="222222222222")
    if complete:
        wizard.confirm(terms, None, complete=True)
    else:
        with pytest.raises(Problem, match="nothing was granted"):
            wizard.confirm(terms, None, complete=False)


def test_without_mfa_somebody_is_asked_for(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    found = asked(monkeypatch, "222222222222", "", "no", "", CAROL, "", "", "", "")
    assert (found.mfa, found.only) == (False, (CAROL,))
    assert "somebody must be named" in capsys.readouterr().err
