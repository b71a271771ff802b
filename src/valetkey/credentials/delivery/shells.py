"""Credentials as lines for a shell to evaluate, quoted for that shell.

The output of `env` has two parts: `cleared` removes every credential variable; then `lines` sets the new ones, or
`FAILED` ends with a false status. `cleared` is printed first, before anything can fail.

INVARIANT: no value can end its quotes: a region or an expiry comes from a file, and is never evaluated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from valetkey.credentials.delivery.regions import PROFILE
from valetkey.credentials.sessions.values import Credentials
from valetkey.errors import ValetkeyError

INTERFERING = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SECURITY_TOKEN",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_BEARER_TOKEN_BEDROCK",
)
"""Variables that could make a tool use other credentials than those set here."""

SET = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_ACCOUNT_ID",
    PROFILE,
)
"""The variables that are set, except the regions."""


def variables(name: str, credentials: Credentials, region: str | None = None) -> dict[str, str]:
    """Return the environment variables that every AWS tool reads, with `region` in both variables, if given, and the
    profile's name for prompts and for valetkey."""
    return {
        "AWS_ACCESS_KEY_ID": credentials.access_key_id,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
        "AWS_SESSION_TOKEN": credentials.session_token,
        "AWS_CREDENTIAL_EXPIRATION": stamp(credentials.expires),
        # Some services have the account in their host names (account-based endpoints): it must match these keys.
        "AWS_ACCOUNT_ID": credentials.account,
        PROFILE: name,
        **regions(region),
    }


def regions(region: str | None) -> dict[str, str]:
    """Return both variables for a region, or none without a region."""
    return {"AWS_REGION": region, "AWS_DEFAULT_REGION": region} if region else {}


def stamp(when: datetime) -> str:
    """Return a time as AWS's tools write it: 2026-11-23T21:40:46Z."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def cleared(shell: str) -> str:
    """Return lines that remove every credential variable in `shell` (one of SHELLS)."""
    unset, _ = SHELLS[shell]
    return "".join(f"{unset(name)}\n" for name in (*INTERFERING, *SET))


def lines(shell: str, name: str, credentials: Credentials, region: str | None = None) -> str:
    """Return lines that set the variables in `shell` (one of SHELLS), to be evaluated after `cleared`.

    Raises ValetkeyError for a value that a shell variable cannot hold.
    """
    given = variables(name, credentials, region)
    if any(not value.isprintable() for value in given.values()):
        raise ValetkeyError("AWS returned credentials that a variable cannot hold", exit_code=3)
    return _settings(shell, given)


def switched(shell: str, name: str, region: str | None = None) -> str:
    """Return lines that switch the shell to a profile, to be evaluated after `cleared`. They set no credentials: tools
    get those from the AWS profile and renew them. Raises ValetkeyError as `lines` does."""
    given = {"AWS_PROFILE": name, PROFILE: name, **regions(region)}
    if any(not value.isprintable() for value in given.values()):
        raise ValetkeyError("the name or the region of this profile cannot be stored in a variable")
    return _settings(shell, given)


def ended(shell: str) -> str:
    """Return what follows `cleared` if no variable is to be set: a true status."""
    return _DONE.get(shell, "")


def function(shell: str) -> str:
    """Return the shell function `valetkey` that makes `valetkey use` work in `shell` (one of SHELLS)."""
    from importlib.resources import files

    text = (files("valetkey.credentials.delivery") / "functions" / f"valetkey.{_FUNCTIONS[shell]}").read_text("utf-8")
    return text.replace("@VARIABLES@", " ".join((*INTERFERING, *SET)))


def _settings(shell: str, given: Mapping[str, str]) -> str:
    _, set_ = SHELLS[shell]
    return "".join(f"{set_(name, value)}\n" for name, value in given.items()) + _DONE.get(shell, "")


def shell_of(words: Sequence[str]) -> str:
    """Return the shell that a command line names, even if it cannot be parsed: the value of `--shell` or a similar
    option. Without one: "bash" (any POSIX shell)."""
    values = []
    for option, following in zip(words, [*words[1:], ""], strict=True):
        name, equals, value = option.partition("=")
        if name.startswith(("-s", "--s")):
            values.append((value if equals else following).lower())
    for value in values:
        for part, shell in (("fish", "fish"), ("pwsh", "powershell"), ("power", "powershell"), ("zsh", "zsh")):
            if part in value:
                return shell
    return "bash"


def _posix(name: str, value: str) -> str:
    # Between single quotes, only the quote itself is special (POSIX, 2.2.2).
    return "export {}='{}'".format(name, value.replace("'", "'\\''"))


def _fish(name: str, value: str) -> str:
    # Between single quotes, \\ and \' are the only escapes (fish, Quotes).
    return "set -gx {} '{}'".format(name, value.replace("\\", "\\\\").replace("'", "\\'"))


# PowerShell also accepts these as single quotes (about_Quoting_Rules; the tokenizer's IsSingleQuote).
_POWERSHELL_QUOTES = "'\u2018\u2019\u201a\u201b"


def _powershell(name: str, value: str) -> str:
    return "$Env:{} = '{}'".format(name, "".join(2 * c if c in _POWERSHELL_QUOTES else c for c in value))


_POSIX = ("unset {}".format, _posix)
SHELLS: dict[str, tuple[Callable[[str], str], Callable[[str, str], str]]] = {
    "bash": _POSIX,
    "zsh": _POSIX,
    "fish": ("set -e {}".format, _fish),
    "powershell": ("Remove-Item -ErrorAction Ignore Env:{}".format, _powershell),
}
"""For each shell: functions that format the removal and the setting of a variable."""

_FUNCTIONS = {"bash": "sh", "zsh": "sh", "fish": "fish", "powershell": "ps1"}
# `set` keeps the previous status, which may be that of removing a variable that was not set.
_DONE = {"fish": "true\n"}
FAILED: dict[str, str] = {
    "bash": "false\n",
    "zsh": "false\n",
    "fish": "false\n",
    # The only statement after which `$?` is false for every caller of Invoke-Expression (about_Throw).
    "powershell": "throw 'valetkey failed: no credentials are set'\n",
}
"""For each shell: the line that gives a false status."""
