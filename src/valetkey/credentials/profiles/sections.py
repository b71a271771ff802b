"""Edit whole sections of the AWS config: rewrite them for `import`, restore or remove them for `forget`.

Rules:
- INVARIANT: every byte outside the named sections is preserved, and every other profile keeps its meaning.
- All sections are written in one atomic step, and only if the file still has the text that the plan is based on.
- Before each write, the file is copied to the same directory, with the time in the name, mode 0600.
"""

from __future__ import annotations

import configparser
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from valetkey import files
from valetkey.awsfiles import ConfigError, Line, config_path, lines, parse, profile_of, read
from valetkey.credentials.profiles.awsconfig import BEATS, locked, replace_text

DROPPED = BEATS | {
    *("external_id", "duration_seconds", "role_duration", "credential_process"),
    *("include_profile", "parent_profile"),
}
"""Settings of a role's section that are moved to valetkey's own file. All others stay in the section."""


@dataclass(frozen=True)
class Rewrite:
    """A change to a section: DROPPED is removed, and these settings are added below the header."""

    settings: Mapping[str, str]


def section_texts(text: str) -> dict[str, str]:
    """Return the original text of each profile's section, from the header to the last setting. A profile with more than
    one section is omitted.

    Lines after the last setting (comments, blank lines) are not included: they may belong to the next section.
    """
    here = list(lines(text))
    return {name: "".join(_texts(here[start:end])) for name, (start, end) in _spans(here).items()}


def rewritten(text: str, rewrites: Mapping[str, Rewrite], path: Path) -> str:
    """Return the text with these profiles' sections rewritten in place. Raises ConfigError, which names `path`."""
    old = parse(text, path)
    here = list(lines(text))
    spans = _spans(here)
    pieces: list[str] = []
    done = 0
    for name, rewrite in sorted(rewrites.items(), key=lambda item: spans.get(item[0], (0, 0))):
        start, end = _required(spans, name, path)
        ending = "\r\n" if here[start].text.endswith("\r\n") else "\n"
        header = here[start].text if here[start].text.endswith(("\n", "\r")) else here[start].text + ending
        kept = [line.text for line in here[start + 1 : end] if line.option not in {*DROPPED, *rewrite.settings}]
        added = [f"{key} = {value}{ending}" for key, value in rewrite.settings.items()]
        pieces += [*_texts(here[done:start]), header, *added, *kept]
        done = end
    new = "".join([*pieces, *_texts(here[done:])])
    wanted = {
        name: {
            **{key: value for key, value in _own(old, name).items() if key not in DROPPED},
            **rewrite.settings,
        }
        for name, rewrite in rewrites.items()
    }
    _check(old, parse(new, path), wanted, path)
    return new


def restored(text: str, name: str, original: str, path: Path) -> str:
    """Return the text with a profile's section restored to its state before the import. Raises ConfigError."""
    old = parse(text, path)
    here = list(lines(text))
    start, end = _required(_spans(here), name, path)
    rest = "".join(_texts(here[end:]))
    gap = "\n" if rest and not original.endswith(("\n", "\r")) else ""
    new = "".join(_texts(here[:start])) + original + gap + rest
    _check(old, parse(new, path), {name: _own(parse(original, path), name)}, path)
    return new


def added(text: str, section: str) -> str:
    """Return the text with a section appended."""
    gap = "" if not text else "\n" if text.endswith("\n") else "\n\n"
    return f"{text}{gap}{section}"


def without(text: str, name: str, path: Path) -> str:
    """Return the text without a profile's section; comments after its last setting stay. Raises ConfigError."""
    old = parse(text, path)
    here = list(lines(text))
    start, end = _required(_spans(here), name, path)
    new = "".join([*_texts(here[:start]), *_texts(here[end:])])
    _check(old, parse(new, path), {name: None}, path)
    return new


def replace_config(
    before: str, after: str, env: Mapping[str, str], *, now: datetime, first: Callable[[], None] = lambda: None
) -> Path:
    """Replace the AWS config's text `before` by `after`, and return the path of the backup.

    `first` is called under the same lock, before the file is replaced. Raises ConfigError if the file is not `before`
    any more; then it is unchanged.
    """
    path = config_path(env)
    with locked(env, path):
        if read(path) != before:
            raise ConfigError(
                f"{path} was changed by something else meanwhile",
                do="run it again; nothing was written",
                where=str(path),
            )
        backup = _back_up(path, before, now)
        first()
        replace_text(path, after)
    return backup


def _back_up(path: Path, text: str, now: datetime) -> Path:
    """Write a backup under a new name and return its path."""
    stamp = f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    for number in range(1, 1000):
        extra = f"-{number}" if number > 1 else ""
        backup = path.with_name(f"{path.name}.valetkey-{stamp}{extra}")
        if not backup.exists():
            files.replace(backup, text.encode())
            return backup
    raise ConfigError(f"{path} has 1000 backups from this second", do="try again", where=str(path))


def _spans(here: list[Line]) -> dict[str, tuple[int, int]]:
    """Return, for each profile with exactly one section, its first line and the line after its last setting."""
    starts = [index for index, line in enumerate(here) if line.header]
    names = [here[start].profile for start in starts]
    count = Counter(names)
    spans = {}
    for start, after, name in zip(starts, [*starts, len(here)][1:], names, strict=True):
        if name is None or count[name] > 1:
            continue
        end = after
        while end > start + 1 and not here[end - 1].option:
            end -= 1
        spans[name] = (start, end)
    return spans


def _required(spans: Mapping[str, tuple[int, int]], name: str, path: Path) -> tuple[int, int]:
    if name not in spans:
        raise ConfigError(
            f"{path} has not exactly one section for the profile {name}", do="correct it by hand", where=str(path)
        )
    return spans[name]


def _texts(here: list[Line]) -> list[str]:
    return [line.text for line in here]


def _own(parsed: configparser.RawConfigParser, name: str) -> dict[str, str]:
    return next((dict(parsed.items(section)) for section in parsed.sections() if profile_of(section) == name), {})


def _check(
    old: configparser.RawConfigParser,
    new: configparser.RawConfigParser,
    wanted: Mapping[str, Mapping[str, str] | None],
    path: Path,
) -> None:
    """Refuse an edit that changes another section, or that gives one of these an unintended meaning."""

    def others(parsed: configparser.RawConfigParser) -> dict[str, dict[str, str]]:
        return {
            section: dict(parsed.items(section)) for section in parsed.sections() if profile_of(section) not in wanted
        }

    own = {name: _own(new, name) or None for name in wanted}
    if others(old) != others(new) or own != {name: item and dict(item) for name, item in wanted.items()}:
        raise ConfigError(
            f"{path} cannot be changed without changing what else is in it", do="change it by hand", where=str(path)
        )
