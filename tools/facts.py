"""Check the table of facts about AWS: `make facts` before a release.

    tools/facts.py --today 2026-11-28 [--days 180] [FILE]

Prints the documented facts that were read more than this number of days before that date. Exit codes: 0 none; 1 some,
or a row that breaks the table's rules; 2 wrong use.
"""

from __future__ import annotations

import argparse
import re
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

PAGE = Path(__file__).parent.parent / "docs" / "aws-facts.md"
COLUMNS = ("no", "fact", "state", "read", "source", "valetkey")
STATES = ("documented", "measured", "undocumented")
AWS_HOSTS = ("docs.aws.amazon.com", "aws.amazon.com", "repost.aws", "docs.aws.eu")
AWS_MODELS = "https://github.com/boto/botocore/"
"""AWS's own API models count as its documentation."""
_NUMBER = re.compile(r"[WHU][0-9]{1,3}[a-z]?")
_LINK = re.compile(r"\[([^\]]+)\]\((\S+?)\)")


@dataclass(frozen=True)
class Fact:
    """One row of the table."""

    no: str
    fact: str
    state: str
    read: date
    sources: tuple[tuple[str, str], ...]
    """Name and URL of each source."""
    valetkey: str
    line: int


class Wrong(Exception):
    """A row that breaks the table's rules."""


def facts(text: str) -> tuple[Fact, ...]:
    """Return every row of every table with the columns of a fact. Raises Wrong."""
    result: list[Fact] = []
    is_table = False
    for number, line in enumerate(text.splitlines(), 1):
        cells = tuple(part.strip() for part in line.strip().strip("|").split("|")) if line.startswith("|") else ()
        if not cells:
            is_table = False
        elif cells == COLUMNS:
            is_table = True
        elif is_table and not set(line) <= set("|- "):
            result.append(_fact(cells, number))
    if not result:
        raise Wrong("there is no table of facts")
    twice = {fact.no for fact in result if sum(other.no == fact.no for other in result) > 1}
    if twice:
        raise Wrong(f"given twice: {', '.join(sorted(twice))}")
    return tuple(result)


def _fact(cells: tuple[str, ...], line: int) -> Fact:
    if len(cells) != len(COLUMNS) or not all(cells):
        raise Wrong(f"line {line}: a fact has {len(COLUMNS)} columns, none of them empty")
    no, fact, state, read, source, does = cells
    if not _NUMBER.fullmatch(no):
        raise Wrong(f"line {line}: {no} is not a number like W1, H2 or U3")
    if state not in STATES:
        raise Wrong(f"line {line}: {no} is {state!r}; a fact is {', '.join(STATES)}")
    if (state == "undocumented") is not no.startswith("U"):
        raise Wrong(f"line {line}: {no} is {state}: U stands for what is documented nowhere, and for nothing else")
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", read):
        raise Wrong(f"line {line}: {no} was read on {read!r}, which is not a date like 2026-11-28")
    try:
        when = date.fromisoformat(read)
    except ValueError:
        raise Wrong(f"line {line}: {no} was read on {read!r}, and there is no such day") from None
    sources = tuple(_LINK.findall(source))
    if not sources or not all(urlsplit(url).scheme == "https" for _, url in sources):
        raise Wrong(f"line {line}: {no} names no source as [name](https://...)")
    if state == "documented" and not any(_is_aws(url) for _, url in sources):
        raise Wrong(f"line {line}: {no} is documented, and no source is a page of AWS")
    return Fact(no, fact, state, when, sources, does, line)


def _is_aws(url: str) -> bool:
    return urlsplit(url).hostname in AWS_HOSTS or url.startswith(AWS_MODELS)


def stale(result: tuple[Fact, ...], *, today: date, days: int) -> tuple[Fact, ...]:
    """Return the documented facts that were read more than `days` before `today`, or after it; oldest first."""
    old = [fact for fact in result if fact.state == "documented" and not 0 <= (today - fact.read).days <= days]
    return tuple(sorted(old, key=lambda fact: fact.read))


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Which facts about AWS have to be read again?")
    parser.add_argument("--today", type=date.fromisoformat, required=True, help="the date of the release")
    parser.add_argument("--days", type=int, default=180, help="how long a reading counts")
    parser.add_argument("file", type=Path, nargs="?", default=PAGE)
    given = parser.parse_args(words)
    try:
        result = facts(given.file.read_text(encoding="utf-8"))
    except (OSError, Wrong) as problem:
        print(f"{given.file}: {problem}", file=sys.stderr)
        return 1
    old = stale(result, today=given.today, days=given.days)
    for fact in old:
        pages = " ".join(url for _, url in fact.sources)
        print(f"{given.file.name}:{fact.line}: {fact.no}, read {fact.read}: read again: {pages}", file=sys.stderr)
    if old:
        print(f"{len(old)} of {len(result)} facts were not read within {given.days} days", file=sys.stderr)
    else:
        print(f"{len(result)} facts, each documented one read within {given.days} days of {given.today}")
    return 1 if old else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
