"""The page of `valetkey activity`: everything in it, nothing loaded, nothing from outside that acts."""

from __future__ import annotations

import pathlib
import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest
from tests.trails.generate import OWNER, generate
from tests.trails.records import Maker, Record, trail

from valetkey.activity import Folder, TimeSpan, Wanted, answer, read, role_key
from valetkey.report.activity import ActivityReport, fetching, looking_up, reading_files, say_activity
from valetkey.report.activity_page import page

AT = datetime(2026, 11, 3, 10, tzinfo=UTC)


def shown(folder: pathlib.Path, role: str) -> ActivityReport:
    key = role_key(role)
    assert key
    reading, _ = read(Folder(folder), Wanted(roles=frozenset({key})), accounts=frozenset({OWNER}))
    return ActivityReport(answer(reading.events), reading, TimeSpan(), "a folder", ("Something.",), "Terms.")


class Elements(HTMLParser):
    """Names and attributes of a page's elements."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    handle_startendtag = handle_starttag


def test_the_page_has_every_session_and_a_bar_for_it(tmp_path: pathlib.Path) -> None:
    truth = generate(tmp_path)
    given = shown(tmp_path, truth.role)
    text = page(given)
    elements = Elements(text).found
    bars = [element for tag, element in elements if tag == "rect"]
    assert len(bars) == len(truth.sessions) == sum(tag == "details" for tag, _ in elements)
    for bar in bars:
        assert float(bar["x"] or 0) > 0
        assert float(bar["x"] or 0) + float(bar["width"] or 0) <= 1000
    for words in ("carol", "iam:CreateUser", "ec2:CreateTags", "s3:GetObject", "an AI agent", "Something.", "Terms.",
                  "What cannot be seen", "no-mfa"):  # fmt: skip
        assert words in text, words
    # One bar never lies on another one of the same lane.
    places = [(item["y"], float(item["x"] or 0), float(item["width"] or 0)) for item in bars]
    for y, x, _ in places:
        assert sum(other == y and left <= x < left + width for other, left, width in places) == 1


def test_nothing_is_loaded_and_nothing_runs(tmp_path: pathlib.Path) -> None:
    text = page(shown(tmp_path, generate(tmp_path).role))
    tags = {tag for tag, _ in Elements(text).found}
    assert not tags & {"script", "link", "img", "iframe", "object", "form", "base", "audio", "video"}
    assert not re.findall(r"(?:src|href)=\"(?!#)|url\(|@import|https?:", text)
    assert "default-src 'none'" in text


def test_names_from_a_trail_are_text(tmp_path: pathlib.Path) -> None:
    maker = Maker(OWNER, "222222222222")
    evil = "<script>alert(1)</script>\u202e\x1b[31m"
    record: Record = maker.record(AT, "iam", "CreateUser", maker.identity(evil, AT, "ASIAX"), readOnly=False,
                                  userAgent=evil, sourceIPAddress='"><i>',
                                  requestParameters={"userName": evil})  # fmt: skip
    (tmp_path / "a.json").write_bytes(trail([record]))
    text = page(shown(tmp_path, maker.role))
    for item in ("<script", '"><i>', "\u202e", "\x1b"):
        assert item not in text
    assert "&lt;script&gt;" in text


def test_long_names_are_cut_where_they_are_looked_at(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    maker = Maker(OWNER, "222222222222")
    who = maker.identity("A" * 5000, AT, "ASIAX")
    record = maker.record(AT, "iam", "ListUsers", who, sourceIPAddress="B" * 5000, errorCode="C" * 5000)
    (tmp_path / "a.json").write_bytes(trail([record]))
    given = shown(tmp_path, maker.role)
    say_activity(given, "session")
    for text, longest in ((page(given), 1000), (capsys.readouterr().out, 400)):
        assert max(len(match[0]) for match in re.finditer(r"A+|B+|C+", text)) == longest - 1


def test_every_flag_names_an_event_and_every_click_is_there(tmp_path: pathlib.Path) -> None:
    given = shown(tmp_path, generate(tmp_path).role)
    text = page(given)
    for session in given.answer.sessions:
        for flag in session.flags:
            assert f"event {flag.events[0]}" in text
    clicked = [activity for activity in given.answer.sessions if activity.clicks]
    assert text.count("Opened in the console") == len(clicked) > 0


def test_the_words_of_ticks_do_not_lie_on_each_other(tmp_path: pathlib.Path) -> None:
    maker = Maker(OWNER, "222222222222")
    for hours in range(1, 200, 7):
        for number, when in enumerate((AT, AT + timedelta(hours=hours))):
            record = maker.record(when, "iam", "ListUsers", maker.identity("carol", when, f"ASIA{number}"))
            (tmp_path / f"{number}.json").write_bytes(trail([record]))
        ticks = re.findall(
            r'class="tick" x="([\d.]+)" y="16" text-anchor="(\w+)">([^<]*)<', page(shown(tmp_path, maker.role))
        )
        ends = [0.0]
        for x, anchor, words in ticks:
            width = 6.6 * len(words)
            left = float(x) - (width if anchor == "end" else width / 2)
            assert not words or left >= ends[-1], (hours, ticks)
            ends.append(left + width if words else ends[-1])


def test_one_moment_years_and_nothing(tmp_path: pathlib.Path) -> None:
    maker = Maker(OWNER, "222222222222")
    for number, days in enumerate((0, 4000)):
        when = AT - timedelta(days=days)
        record = maker.record(when, "iam", "ListUsers", maker.identity("carol", when, f"ASIA{number}"))
        (tmp_path / f"{number}.json").write_bytes(trail([record]))
        text = page(shown(tmp_path, maker.role))
        assert text.count("<rect") == number + 1
        assert text.count('class="tick"') <= 10
    assert "No session of the role" in page(shown(tmp_path, f"arn:aws:iam::{OWNER}:role/nobody"))


def test_what_was_not_read_is_on_top(tmp_path: pathlib.Path) -> None:
    truth = generate(tmp_path)
    (tmp_path / "broken.json").write_text('{"Records":[')
    text = page(shown(tmp_path, truth.role))
    assert "broken.json is cut off" in text
    assert text.index("Not everything could be read") < text.index("When they were here")


def test_refused_attempts_that_are_left_out_are_counted(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    maker = Maker(OWNER, "222222222222")
    refused = [maker.entry(AT, f"s{number}", "", error="AccessDenied")[1] for number in range(501)]
    (tmp_path / "a.json").write_bytes(trail(refused))
    given = shown(tmp_path, maker.role)
    assert len(given.answer.refused) == 501
    assert "and 1 more; --format json has all" in page(given)
    say_activity(given, "session")
    assert "and 301 more; --format json has all" in capsys.readouterr().out


def test_progress_is_shown_on_a_terminal_and_wiped_at_the_end(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    reading_files(16, 2000)
    assert not capsys.readouterr().err
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    for show, what in ((reading_files, "files read"), (fetching, "files fetched"), (looking_up, "regions")):
        show(16, 2000)
        assert capsys.readouterr().err == f"\r16 of 2,000 {what}"
        show(2000, 2000)
        assert not capsys.readouterr().err.strip()
