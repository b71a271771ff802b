"""`valetkey exec NAME -- CMD`: run a command with a grant's credentials and no others."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from valetkey.cli._ways import WayOptions
from valetkey.errors import ValetkeyError

if TYPE_CHECKING:
    from valetkey.cli._many import Environment


def exec_(
    name: str | None = None,
    /,
    *command: str,
    server: Annotated[
        bool, Parameter(negative="", help="Serve credentials to the command over HTTP, renewed while it runs.")
    ] = False,
    all_: Annotated[bool, Parameter(name="--all", negative="", help="Run the command for every customer.")] = False,
    profile: Annotated[
        tuple[str, ...],
        Parameter(
            negative="", help=("Run the command for this profile; repeat the option for more: --profile A --profile B.")
        ),
    ] = (),
    jobs: Annotated[int | None, Parameter(help="How many customers to run at a time; default: 4.")] = None,
    way: WayOptions = WayOptions(),  # noqa: B008 - frozen
) -> int:
    """Run a command, or a shell where no command is given, with a grant's credentials in its environment and no others.

    The MFA code is asked for on the terminal itself. The exit code is the command's (128 + number for a signal);
    125 is a failure of valetkey, 126 a command that cannot be executed, 127 one that was not found. With --all or
    --profile every line of output begins with the customer's name; then the exit code is 0 when all went well, 1 when
    a command failed, 125 when one could not be started.

    Parameters
    ----------
    name
        The profile; default: the profile of this shell (VALETKEY_PROFILE, AWS_PROFILE).
    command
        The command and its arguments, after `--`; default: your shell.
    """
    from valetkey.cli._childenv import given, served
    from valetkey.cli._default_name import name_or_default
    from valetkey.cli._running import own_shell, run_prepared
    from valetkey.report.text import say

    if server and way.no_cache:
        raise ValetkeyError("--server keeps a session, and --no-cache keeps none", do="leave one of them out")
    if server and way.long:
        raise ValetkeyError(
            "--server renews its sessions, and --long ones take a code each", do="leave one of them out"
        )
    environment = partial(served if server else given, way=way.way)
    if all_ or profile:
        if all_ and profile:
            raise ValetkeyError("--all and --profile exclude each other", do="give one of them")
        words = () if name is None else (name, *command)
        _check_words(words)
        names = _everyone() if all_ else _chosen(profile)
        if not names:
            raise ValetkeyError("there are no profiles", do="run `valetkey accept FILE` with a handoff first")
        if len(names) > 1 and way.way.own_code and way.mfa_code_stdin:
            raise ValetkeyError(
                f"with {way.way.own_code} each of {len(names)} customers takes a code, and --mfa-code-stdin is one",
                do="leave one of them out",
            )
        return _for_many(words, environment, names=names, jobs=4 if jobs is None else jobs, everyone=all_)
    if jobs is not None:
        raise ValetkeyError(
            "--jobs is for several customers", do="leave it out, or say --all or --profile A --profile B"
        )
    name = name_or_default(name, "exec")
    with environment(name, dict(os.environ)) as prepared:
        if not command:
            say(f"A shell for {name}, account {prepared.env['AWS_ACCOUNT_ID']}. `exit` ends it.", stderr=True)
        return run_prepared(name, command or own_shell(os.environ), prepared)


def _check_words(words: Sequence[str]) -> None:
    """Raise ValetkeyError for a profile's name in place of the command: `exec acme --all -- CMD`."""
    import shutil

    from valetkey.credentials.profiles.profile import names

    if words and words[0] in names(os.environ) and shutil.which(words[0]) is None:
        raise ValetkeyError(
            f"{words[0]} is a profile, and --all and --profile already say which profiles the command runs for",
            do="leave one of them out",
        )


def _for_many(
    words: Sequence[str], environment: Environment, *, names: tuple[str, ...], jobs: int, everyone: bool
) -> int:
    from valetkey.cli._many import run_many
    from valetkey.credentials.sessions.protocols import Ended
    from valetkey.report.many import labelled, say_ran
    from valetkey.report.text import say

    if not words:
        raise ValetkeyError("no command is given", do="write it after two dashes: valetkey exec --all -- aws ...")
    if jobs < 1:
        raise ValetkeyError(f"--jobs: {jobs} is not a number of commands", do="write 1 or more")
    ran, stopped = run_many(
        names, words, dict(os.environ), environment=environment, show=labelled(names), jobs=min(jobs, len(names))
    )
    # With --all, a grant that has ended by its record and by AWS does not count as a failure.
    ended = {item.name for item in ran if everyone and isinstance(item.problem, Ended)}
    for item in ran:
        if item.name in ended and item.problem is not None:
            say(f"{item.name}: left out: {item.problem.what}", stderr=True)
    ran = tuple(item for item in ran if item.name not in ended)
    say_ran(ran, [name for name in names if name not in ended])
    if stopped:
        return 128 + stopped
    return 125 if any(item.code is None for item in ran) else int(any(item.code for item in ran))


def _chosen(profiles: tuple[str, ...]) -> tuple[str, ...]:
    """Return the profiles that --profile names. Raises ValetkeyError before a command is started for any of them."""
    from valetkey.credentials.profiles.profile import names as known
    from valetkey.credentials.sessions.opener import check_known

    whole = known(os.environ)  # a name may contain a comma
    parts = [part.strip() for profile in profiles for part in ((profile,) if profile in whole else profile.split(","))]
    names = tuple(dict.fromkeys(filter(None, parts)))
    for name in names:
        check_known(name, os.environ)
    return names


def _everyone() -> tuple[str, ...]:
    """Return all profiles. A damaged one is reported as a failure when its turn comes."""
    from valetkey.credentials.profiles.profile import names

    return names(os.environ)
