"""Splits a pattern of ARNs into patterns of the ARN's parts, in every way in which it can match an ARN."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from valetkey.policy.globs import ANY, STAR
from valetkey.policy.undecided import NotDecided
from valetkey.prover.automata import Glob


class Parts(NamedTuple):
    """The patterns of an ARN's parts."""

    service: Glob
    region: Glob
    account: Glob
    resource: Glob
    spelt: str


def parts_of(glob: Glob, partition: str) -> Iterator[Parts]:
    """Split a pattern of ARNs: once where its wildcards cross no colon, otherwise once for every way in which they
    can. Yields only those that match an ARN of this partition. Raises NotDecided."""
    spelt = readable(glob.text)
    if glob.scope == "arn":
        if glob.text == STAR:
            yield Parts(*(Glob(STAR),) * 4, spelt)
            return
        parts = glob.text.split(":", 5)
        ways: Iterable[Sequence[str]] = [parts] if len(parts) == 6 else []
    else:
        ways = _ways(glob.text)
    for way in ways:
        head, where, service, region, account, resource = (Glob(part, "whole", glob.fold) for part in way)
        if head.fits("arn") and where.fits(partition):
            yield Parts(service, region, account, resource, spelt)


_MOST_WAYS = 2_000


def _ways(text: str) -> list[list[str]]:
    """The ways to split a pattern into six parts when a wildcard may match colons too. Raises NotDecided."""
    done: list[list[str]] = []
    todo: list[tuple[int, list[str], str]] = [(0, [], "")]
    while todo:
        at, parts, part = todo.pop()
        if len(parts) == 5:
            done.append([*parts, part + text[at:]])
        elif at == len(text):
            continue
        elif text[at] == ":":
            todo.append((at + 1, [*parts, part], ""))
        elif text[at] == STAR:
            todo.append((at + 1, parts, part + STAR))
            todo.append((at, [*parts, part + STAR], ""))
        else:
            todo.append((at + 1, parts, part + text[at]))
            if text[at] == ANY:
                todo.append((at + 1, [*parts, part], ""))
        if len(done) > _MOST_WAYS or len(todo) > _MOST_WAYS:
            raise NotDecided("a pattern of aws:PrincipalArn can match an ARN in too many ways")
    return done


def readable(pattern: str) -> str:
    """A pattern as spelled in a document."""
    return pattern.replace(STAR, "*").replace(ANY, "?")
