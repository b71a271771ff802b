"""Write the section of one profile in the AWS config, and change nothing else in the file.

Rules:
- INVARIANT: every byte outside the profile's section is preserved; a new section is appended. The file is not changed
  if the AWS SDKs could not read the result, or if the edit would change the meaning of another section.
- A section belongs to valetkey if its `credential_process` calls `valetkey credential-process NAME`. Any other section
  with that name is foreign and never changed.
- The section has no `role_arn` and no `mfa_serial`: most SDKs cannot prompt for a code, and `role_arn` takes precedence
  over `credential_process` (AWS SDKs and Tools Reference Guide, "Process credential provider", "Assume role").
- The file is parsed as botocore parses it (configparser), so both agree on the sections.
- Errors never quote the file, because it may contain keys.
"""

from __future__ import annotations

import configparser
import contextlib
import glob
import os
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from valetkey import awsfiles, commandline, files
from valetkey.awsfiles import ConfigError, Line, config_path, credentials_path, lines, parse, profile_of, read
from valetkey.credentials.profiles.names import file_id
from valetkey.errors import page

_BACKUP = ".valetkey-backup"
BEATS = frozenset(
    {
        "aws_access_key_id",
        "aws_secret_access_key",
        "aws_session_token",
        "credential_source",
        "login_session",
        "mfa_serial",
        "role_arn",
        "source_profile",
        "sso_account_id",
        "sso_session",
        "sso_start_url",
        "web_identity_token_file",
    }
)
"""Settings that make an SDK ignore credential_process, or use it differently."""
_REGION = re.compile(r"[a-z0-9-]{1,40}")


@dataclass(frozen=True)
class Written:
    """The result of a write to the AWS config."""

    path: Path
    changed: bool
    backup: Path | None
    """The backup, if this was the first change and the backup was made now; else None."""


def process_command(executable: Sequence[str], name: str) -> str:
    """Return the `credential_process` line: the executable's words, quoted if necessary, and the profile's name or id.

    Some SDKs split the line themselves, others pass it to `sh -c`: only syntax that both read alike is used. Raises
    ConfigError for a path that cannot be written that way, ProfileError.
    """
    words: list[str] = []
    for word in executable:
        if re.search(r"[\"'$`\\\x00-\x1f\x7f]|\s[#;]", word):
            raise ConfigError(
                "the path of valetkey contains a character that credential_process cannot hold",
                do="install valetkey under a path without quotes, $, backslashes and control characters",
                where=word,
            )
        words.append(word if re.fullmatch(r"[A-Za-z0-9._/+@:-]+", word) else f'"{word}"')
    return " ".join([*words, "credential-process", file_id(name)])


def is_ours(command: str, name: str) -> bool:
    """Return whether a credential_process line is valetkey's for this profile."""
    try:
        words = shlex.split(command)
    except ValueError:
        return False
    if len(words) < 3 or words[-2:] != ["credential-process", file_id(name)]:
        return False
    return Path(words[0]).name in ("valetkey", "valetkey.exe") or words[-4:-2] == ["-m", "valetkey"]


def is_profile(name: str, env: Mapping[str, str]) -> bool:
    """Return whether other tools get this profile's credentials from valetkey. Raises ConfigError."""
    line = awsfiles.settings((name,), env).get("credential_process")
    return isinstance(line, str) and is_ours(line, name)


def region_of(profile: str | None, env: Mapping[str, str]) -> str | None:
    """Return the region of an AWS profile (None: `default`) in the AWS config, or None. Raises nothing;
    `awsfiles.region` raises errors."""
    try:
        return awsfiles.region(profile, env)
    except ConfigError:
        return None


def without_settings(path: Path, name: str, settings: Mapping[str, str], *, bare: bool = False) -> str | None:
    """Return the file's text without these settings of a profile; None if the profile does not have exactly these
    values. `bare`: sections are named by the profile alone, as in the credentials file. Raises ConfigError."""

    def named(section: str) -> bool:
        return (section.strip() if bare else profile_of(section)) == name

    text = read(path) or ""
    old = parse(text, path)
    section = next(filter(named, old.sections()), "")
    if not section or any(old.get(section, key, fallback="").strip() != value for key, value in settings.items()):
        return None
    kept, is_here = "", False
    for line in lines(text):
        is_here = named(line.header) if line.header else is_here
        kept += "" if is_here and line.option in settings else line.text
    wanted = {item: dict(old.items(item)) for item in old.sections()}
    wanted[section] = {key: value for key, value in wanted[section].items() if key not in settings}
    new = parse(kept, path)
    if {item: dict(new.items(item)) for item in new.sections()} != wanted:
        raise ConfigError(f"{path} cannot be changed without changing what else is in it", do="change it by hand")
    return kept


def backup_of(path: Path) -> Path:
    """Return the path of the backup that is made before the first change to an AWS file."""
    return path.with_name(path.name + _BACKUP)


def copies_of(path: Path) -> tuple[Path, ...]:
    """Return every backup of an AWS file that valetkey made: before its first change, and before each import."""
    return tuple(sorted(path.parent.glob(f"{glob.escape(path.name)}.valetkey-*")))


def replace_text(path: Path, text: str) -> None:
    """Replace the whole text of an existing AWS file. Raises ConfigError."""
    _place(path, text, new=False)


def profiles_in(path: Path, *, bare: bool = False) -> dict[str, dict[str, str]]:
    """Return the profiles of an AWS file and their settings, which may include secrets. `bare`: sections are named by
    the profile alone, as in the credentials file. Raises ConfigError."""
    parsed = parse(read(path) or "", path)
    named = ((section.strip() if bare else profile_of(section), section) for section in parsed.sections())
    return {name: dict(parsed.items(section)) for name, section in named if name is not None}


def check_free(name: str, env: Mapping[str, str], *, region: str | None = None) -> None:
    """Raise ConfigError if the profile could not be written: the name is foreign in the AWS config or has credentials
    in the credentials file, or the config or the region is invalid."""
    _refuse_keys(name, env)
    path = config_path(env)
    with_profile(read(path) or "", name, process_command(["valetkey"], name), region=region, path=path)


def write_profile(
    name: str, command: str, env: Mapping[str, str], *, region: str | None = None, new_region: bool = False
) -> Written:
    """Write or update the profile's section. An existing region is kept, unless `new_region`.

    Raises ConfigError; then nothing was changed.
    """
    path = config_path(env)
    _refuse_keys(name, env)
    with locked(env, path):
        before = read(path)
        after = with_profile(before or "", name, command, region=region, new_region=new_region, path=path)
        if after == before:
            return Written(path, changed=False, backup=None)
        backup = None if before is None else _back_up(path, before)
        _place(path, after, new=before is None)
        return Written(path, changed=True, backup=backup)


def locked(env: Mapping[str, str], path: Path) -> contextlib.AbstractContextManager[None]:
    """The lock for writing the AWS config at `path`, shared by all valetkey processes. Raises ValetkeyError."""
    return files.locked(
        files.make_dir(files.config_dir(env)) / "aws-config.lock",
        10,
        busy=lambda: ConfigError("another valetkey process is writing the AWS config", do="try again", where=str(path)),
        setting="XDG_CONFIG_HOME",
    )


def with_profile(
    text: str, name: str, command: str, *, region: str | None = None, new_region: bool = False, path: Path
) -> str:
    """Return the config's text with the profile's section added or updated. Raises ConfigError, which names `path`."""
    if region is not None and not _REGION.fullmatch(region):
        raise ConfigError(f"{region[:40]!r} is not a region", do="name one like eu-central-1 with --region")
    old = parse(text, path)
    here = list(lines(text))
    mine = [index for index, line in enumerate(here) if line.profile == name]
    if len(mine) > 1:
        raise ConfigError(
            f"{path} has more than one section for the profile {name}", do="remove all but one", where=str(path)
        )
    settings = {"credential_process": command} | ({"region": region} if region else {})
    if not mine:
        new = text + _new_section(text, name, settings)
    else:
        section = here[mine[0]].header
        _refuse_foreign(old, section, name, path)
        has = dict(old.items(section))
        if "region" in has and not new_region:
            settings.pop("region", None)
        start = mine[0]
        end = next((i for i in range(start + 1, len(here)) if here[i].header), len(here))
        body = "".join(_with_settings(here[start:end], {k: v for k, v in settings.items() if has.get(k) != v}))
        new = "".join(line.text for line in here[:start]) + body + "".join(line.text for line in here[end:])
    _check_meaning(old, parse(new, path), name, settings, path)
    return new


def _new_section(text: str, name: str, settings: Mapping[str, str]) -> str:
    end = _line_end(text)
    gap = "" if not text else end if text.endswith(("\n", "\r")) else end + end
    return gap + end.join(
        [f"[profile {shlex.quote(name)}]", *(f"{key} = {value}" for key, value in settings.items()), ""]
    )


def _with_settings(lines: Sequence[Line], settings: Mapping[str, str]) -> Iterator[str]:
    """Yield a section's lines with these settings replaced in place, or added below its header."""
    present = {line.option for line in lines}
    for index, line in enumerate(lines):
        end = line.text[len(line.text.rstrip("\r\n")) :]
        if line.option in settings:
            if not line.continues:
                yield f"{line.option} = {settings[line.option]}{end}"
            continue
        yield line.text
        if index == 0:
            yield from (f"{key} = {value}{end}" for key, value in settings.items() if key not in present)


def _line_end(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _refuse_foreign(parsed: configparser.RawConfigParser, section: str, name: str, path: Path) -> None:
    if not is_ours(parsed.get(section, "credential_process", fallback=""), name):
        is_role = parsed.has_option(section, "role_arn")
        by_import = f", or import it: {commandline.command('valetkey import', name)}" if is_role else ""
        raise ConfigError(
            f"{path} has a profile {name} that valetkey did not write",
            do=f"choose another name with --name{by_import}",
            where=f"{path}: [{section}]",
        )


def _refuse_keys(name: str, env: Mapping[str, str]) -> None:
    """Refuse credentials with this name in the credentials file: every SDK prefers them to credential_process."""
    path = credentials_path(env)
    parsed = parse(read(path) or "", path)
    for section in parsed.sections():
        if section.strip() == name or profile_of(section) == name:
            beats = sorted((BEATS | {"credential_process"}) & set(parsed.options(section)))
            if beats:
                raise ConfigError(
                    f"{path} has {beats[0]} for {name}, which would be used instead of the customer's role",
                    do="choose another name with --name, or remove that section",
                    where=f"{path}: [{section}]",
                )


def _check_meaning(
    old: configparser.RawConfigParser,
    new: configparser.RawConfigParser,
    name: str,
    settings: Mapping[str, str],
    path: Path,
) -> None:
    """Refuse an edit that changes another profile, or that leaves this profile unused."""

    def others(parsed: configparser.RawConfigParser) -> dict[str, dict[str, str]]:
        return {section: dict(parsed.items(section)) for section in parsed.sections() if profile_of(section) != name}

    own = next((dict(new.items(section)) for section in new.sections() if profile_of(section) == name), {})
    # items() of a section includes the file's defaults.
    if others(old) != others(new) or not settings.items() <= own.items():
        raise ConfigError(
            f"{path} cannot be changed without changing what else is in it",
            do=f"add the profile by hand: see {page('contractor.md')}",
            where=str(path),
        )
    beats = sorted(BEATS & set(own))
    if beats:
        raise ConfigError(
            f"{path} sets {beats[0]} for the profile {name}, which SDKs would follow instead of credential_process",
            do=f"remove {beats[0]} there, or choose another name with --name",
            where=f"{path}: {beats[0]}",
        )


def _back_up(path: Path, text: str) -> Path | None:
    """Copy the file once, before the first change to it. Returns the copy's path, or None if there was one already."""
    backup = backup_of(path)
    if os.path.lexists(backup):
        return None
    files.replace(backup, text.encode())
    return backup


def _place(path: Path, text: str, *, new: bool) -> None:
    """Replace the file, keeping its mode. A symbolic link is kept, and its target is replaced."""
    try:
        target = path.resolve()
        if target.exists() and not target.is_file():
            raise ConfigError(f"{path} is not a file", do="name a file with AWS_CONFIG_FILE", where=str(path))
        if new:
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = 0o600 if new else target.stat().st_mode & 0o777
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written: {error.strerror}", do="check the directory", where=str(path)
        ) from None
    files.replace(target, text.encode(), mode=mode)
