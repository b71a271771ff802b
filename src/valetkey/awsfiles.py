"""The AWS config and credentials files, read as botocore reads them, with errors that name file and line.

Rules:
- The files are parsed with configparser, as in botocore (botocore.configloader): valetkey accepts what botocore
  accepts. Every room reads these files through this module first, so that a damaged file is the same error everywhere.
- A path that is not a regular file counts as absent, as in botocore.
- A file is read and parsed once per process, and again only after it changes.
- Errors never quote the file, because it may contain keys.
"""

from __future__ import annotations

import configparser
import io
import os
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from valetkey.errors import ValetkeyError

# A label of a host name, as in botocore (botocore.utils.validate_region_name).
_REGION = re.compile(r"(?![0-9]+$)(?!-)[a-zA-Z0-9-]{1,63}(?<!-)")
_WRONG = {
    "DuplicateSectionError": "has a section twice",
    "DuplicateOptionError": "has a setting twice in one section",
    "MissingSectionHeaderError": "has a setting before its first [section]",
}


class ConfigError(ValetkeyError):
    """The AWS config or credentials file cannot be read, or does not allow a change. Nothing was written."""


def config_path(env: Mapping[str, str]) -> Path:
    """Return the path of the AWS config: AWS_CONFIG_FILE or ~/.aws/config. Raises ConfigError without HOME."""
    return _path(env, "AWS_CONFIG_FILE", "config")


def credentials_path(env: Mapping[str, str]) -> Path:
    """Return the path of the shared credentials file: AWS_SHARED_CREDENTIALS_FILE or ~/.aws/credentials. Raises
    ConfigError without HOME."""
    return _path(env, "AWS_SHARED_CREDENTIALS_FILE", "credentials")


def check(env: Mapping[str, str]) -> None:
    """Raise ConfigError, with file and line, when botocore could not read one of the two files."""
    for path in (config_path(env), credentials_path(env)):
        parsed(path)


def settings(profiles: Iterable[str | None], env: Mapping[str, str]) -> dict[str, Any]:
    """Return the settings of the first of these profiles that exists in the AWS config (None: default), as botocore
    reads them: nested settings are dicts, and `services` is replaced by the section that it names. Empty without a
    file.

    A CA bundle belongs to the network, not to a profile: the first one that any of the profiles names is returned.
    Raises ConfigError.
    """
    sections = parsed(config_path(env))
    named = {profile_of(section): section for section in sections.sections()}
    there = [section_of(sections, named[name or "default"]) for name in profiles if (name or "default") in named]
    result = dict(there[0]) if there else {}
    if "services" in result:
        wanted = f"services {result['services']}"
        service = next(
            (section for section in sections.sections() if _words(section) == wanted.split(maxsplit=1)), None
        )
        result["services"] = section_of(sections, service) if service else {}
    bundles = [item["ca_bundle"] for item in there if "ca_bundle" in item]
    return result | ({"ca_bundle": bundles[0]} if bundles else {})


def region(profile: str | None, env: Mapping[str, str]) -> str | None:
    """Return the region of an AWS profile (None: `default`) in the AWS config, or None. Raises ConfigError for a
    damaged file and for a value that is not a region."""
    path, wanted = config_path(env), profile or "default"
    sections = parsed(path)
    for section in sections.sections():
        if profile_of(section) == wanted:
            result = sections.get(section, "region", fallback="").strip()
            if result and not is_region(result):
                raise region_error(result, wanted, env)
            return result or None
    return None


def is_region(text: str) -> bool:
    """Return whether botocore accepts this text as a region."""
    return _REGION.fullmatch(text) is not None


def region_error(value: str, profile: str | None, env: Mapping[str, str]) -> ConfigError:
    """Return the error for an invalid region; it names the variable or the line that the value comes from."""
    name = profile or "default"
    variable = next((item for item in ("AWS_REGION", "AWS_DEFAULT_REGION") if env.get(item) == value), "")
    where = variable
    if not where:
        for path, bare in ((config_path(env), False), (credentials_path(env), True)):
            line = _line_of(path, name, "region", bare=bare)
            if line:
                where = f"{path}: line {line}"
                break
    comment = "#" in value or ";" in value
    return ConfigError(
        f"the region of the profile {name} is not a region" if not variable else f"{variable} is not a region",
        do="put the comment on a line of its own: AWS tools read it as part of the value"
        if comment
        else "name one like eu-central-1",
        where=where,
    )


def parsed(path: Path) -> configparser.RawConfigParser:
    """Return the parsed file; empty when the file is absent. The caller must not change the result. Raises ConfigError
    for everything that botocore refuses."""
    try:
        status = path.stat() if path.is_file() else None
    except OSError as error:
        raise _unreadable(path, error) from None
    if status is None:
        return configparser.RawConfigParser()
    return _parsed(str(path), (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino, status.st_dev))


@lru_cache(maxsize=8)
def _parsed(path: str, _stamp: tuple[int, ...]) -> configparser.RawConfigParser:
    text = read(Path(path)) or ""
    parser = parse(text, Path(path))
    for section in parser.sections():
        for option, value in parser.items(section):
            if value.startswith("\n") and not all("=" in item for item in value.splitlines() if item.strip()):
                line = _nested_line(text, section, option)
                raise _wrong_line(Path(path), "has a nested line that is no setting", line)
    return parser


def parse(text: str, path: Path) -> configparser.RawConfigParser:
    """Parse the text of a file; `path` is for error messages. Raises ConfigError."""
    if text.startswith("\ufeff"):
        raise ConfigError(
            f"{path} begins with a byte order mark, which the AWS SDKs cannot read",
            do="save it as UTF-8 without a byte order mark",
            where=f"{path}: line 1",
        )
    parser = configparser.RawConfigParser()
    try:
        parser.read_file(io.StringIO(text, newline=None))
    except configparser.Error as error:
        line = getattr(error, "lineno", None) or next(iter(getattr(error, "errors", ())), (None,))[0]
        raise _wrong_line(path, _WRONG.get(type(error).__name__, "has a line that is no setting"), line) from None
    return parser


def read(path: Path) -> str | None:
    """Return the text of the file; None when it is absent. Raises ConfigError, also for a path that is not a file."""
    try:
        if path.exists() and not path.is_file():
            if str(path) == os.devnull:
                return None  # commonly used for "no such file"
            raise ConfigError(f"{path} is not a file", do="name a file", where=str(path))
        data = path.read_bytes()
        return data.decode()
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path} is not UTF-8 text", do="save it as UTF-8", where=f"{path}: line {line}") from None
    except OSError as error:
        raise _unreadable(path, error) from None


def section_of(sections: configparser.RawConfigParser, section: str) -> dict[str, Any]:
    """Return the settings of a section as botocore reads them: a nested setting is a dict."""
    return {name: _nested(value) if value.startswith("\n") else value for name, value in sections.items(section)}


def profile_of(header: str) -> str | None:
    """Return the profile that a section header names, as botocore reads it: `[default]`, `[profile NAME]`,
    `[profile "NAME"]`, without a leading blank."""
    if not header.startswith("profile"):
        return "default" if header == "default" else None
    words = _words(header)
    return words[1] if len(words) == 2 and words[0] == "profile" else None


@dataclass(frozen=True)
class Line:
    """One line of an AWS file."""

    text: str
    """Includes the line end."""
    header: str = ""
    """The text between the brackets, when the line begins a section."""
    option: str = ""
    """The setting that the line begins or continues, in lower case."""
    continues: bool = False

    @property
    def profile(self) -> str | None:
        return profile_of(self.header) if self.header else None


def lines(text: str) -> Iterator[Line]:
    """Yield the lines as configparser reads them: a line indented deeper than the setting before it continues that
    setting."""
    header, option, level = "", "", 0
    for line in re.findall(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+", text):
        value = line.strip()
        if not value or value[0] in "#;":
            yield Line(line)
            continue
        indent = len(line) - len(line.lstrip())
        if header and option and indent > level:
            yield Line(line, option=option, continues=True)
            continue
        level = indent
        begins = re.match(r"\[(.+)\]", value)
        if begins:
            header, option = begins[1], ""
            yield Line(line, header=header)
        else:
            option = re.split(r"[=:]", value, maxsplit=1)[0].strip().lower()
            yield Line(line, option=option)


def _nested(value: str) -> dict[str, str]:
    pairs = (line.split("=", 1) for line in value.splitlines() if line.strip())
    return {key.strip(): inner.strip() for key, inner in pairs}


def _nested_line(text: str, section: str, option: str) -> int | None:
    header = ""
    for number, line in enumerate(lines(text), start=1):
        header = line.header or header
        if header == section and line.option == option and line.continues and "=" not in line.text:
            return number
    return None


def _line_of(path: Path, profile: str, option: str, *, bare: bool) -> int | None:
    header = ""
    for number, line in enumerate(lines(read(path) or "") if path.is_file() else (), start=1):
        header = line.header or header
        is_here = (header.strip() if bare else profile_of(header)) == profile
        if is_here and line.option == option and not line.continues:
            return number
    return None


def _words(header: str) -> list[str]:
    try:
        return shlex.split(header)
    except ValueError:
        return []


def _wrong_line(path: Path, what: str, line: int | None) -> ConfigError:
    return ConfigError(
        f"{path} {what}, and the AWS SDKs cannot read it",
        do="mend that line; valetkey has changed nothing",
        where=f"{path}: line {line}" if line else str(path),
    )


def _unreadable(path: Path, error: OSError) -> ConfigError:
    return ConfigError(
        f"{path} cannot be read: {error.strerror}", do="check the file and its permissions", where=str(path)
    )


def _path(env: Mapping[str, str], variable: str, name: str) -> Path:
    given = env.get(variable)
    if given:
        given = re.sub(r"\$(?:(\w+)|\{([^}]*)\})", lambda match: env.get(match[1] or match[2], match[0]), given)
    home = env.get("HOME") or env.get("USERPROFILE") or ""
    if given and not given.startswith("~/"):
        return Path(given).expanduser() if given.startswith("~") else Path(given)
    if not home:
        raise ConfigError(f"there is no home directory to find the AWS {name} in", do=f"set HOME or {variable}")
    return Path(home) / (given[2:] if given else f".aws/{name}")
