"""valetkey import: turn profiles that were set up by hand into profiles of valetkey."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from valetkey.cli._options import Output
from valetkey.commandline import command, option
from valetkey.errors import ValetkeyError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from valetkey.credentials.profiles.identity import Identity
    from valetkey.credentials.profiles.importing import BaseSource, Plan, Sections, Unopened


def import_(
    profiles: Annotated[tuple[str, ...], Parameter(help="Profiles of the AWS config to import.")] = (),
    /,
    *,
    all_: Annotated[
        bool, Parameter(name="--all", negative="", help="Import every profile that assumes a customer's role.")
    ] = False,
    dry_run: Annotated[bool, Parameter(negative="", help="Show the changes and write nothing.")] = False,
    yes: Annotated[bool, Parameter(negative="", help="Rewrite the AWS config without asking.")] = False,
    output: Output = Output(),  # noqa: B008 - frozen
) -> int:
    """Take over profiles that you set up by hand: their sections of the AWS config then call valetkey.

    Names, regions and other settings stay. A copy of the file is kept beside it; `forget NAME --restore` puts a section
    back. No MFA code is asked for. Exit code 1: a profile that was named or could be taken over was left.
    """
    from valetkey.awsfiles import check, config_path, credentials_path, read
    from valetkey.cli._interrupting import whole
    from valetkey.cli._questions import consent, need_somebody
    from valetkey.cli.commands.accept import executable
    from valetkey.credentials.profiles import acceptance, awsconfig, importing, sections
    from valetkey.credentials.profiles.requests import known_requests
    from valetkey.credentials.profiles.whose_account import NamedAccount
    from valetkey.credentials.sessions.base_binding import files_of
    from valetkey.report.importing import say_imported, say_plan

    check(os.environ)
    path = config_path(os.environ)
    text = read(path) or ""
    config = awsconfig.profiles_in(path)
    credentials = awsconfig.profiles_in(credentials_path(os.environ), bare=True)
    names = _names(profiles, all_, config, credentials)
    have = acceptance.accepted(os.environ, renewing=None)
    opened = _Bases(config)
    plan = importing.plan(
        names,
        text=text,
        path=path,
        sections=config,
        credentials=credentials,
        bases=opened,
        own=frozenset(
            {
                *(NamedAccount(request.partition, request.account) for request in known_requests(os.environ)),
                *(NamedAccount(profile.partition, profile.contractor) for profile in have),
            }
        ),
        have=have,
        base_files=files_of(os.environ),
        command=lambda name: awsconfig.process_command(executable(), name),
    )
    if not output.as_json:
        say_plan(plan, path)
    backup = None
    if plan.profiles and not dry_run:
        need_somebody(yes=yes)
        count = len(plan.profiles)
        consent(f"Rewrite {count} section{'s' * (count > 1)} of {path}?", yes=yes)
        with whole(f"all {count} section(s) are rewritten"):
            backup = sections.replace_config(
                plan.before, plan.after, os.environ, now=datetime.now(UTC), first=lambda: _save(plan)
            )
    say_imported(plan, path, backup, as_json=output.as_json)
    # With --all, roles that need no change do not count.
    return 1 if any(not item.fine for item in plan.left) else 0


def _names(given: Sequence[str], everything: bool, config: Sections, credentials: Sections) -> tuple[str, ...]:
    """Return the profiles to import. Raises ValetkeyError."""
    from difflib import get_close_matches
    from json import dumps

    from valetkey.credentials.profiles.importing import roles

    if everything and given:
        raise ValetkeyError("profiles and --all were both given", do="give one of them")
    if everything:
        return roles(config, credentials)
    if not given:
        there = ", ".join(roles(config, credentials)[:20])
        raise ValetkeyError(
            "no profile was named",
            do=f"name profiles, or say --all; with a role_arn there are: {there}"
            if there
            else (
                "the AWS files have no profile with a role_arn; for a role whose ARN "
                "the owner sent you, run `valetkey accept`"
            ),
        )
    for name in given:
        if name not in config and name not in credentials:
            near = get_close_matches(name, config, n=1, cutoff=0.7)
            raise ValetkeyError(
                f"the AWS config has no profile {dumps(name)}",
                do=f"did you mean {dumps(near[0])}?" if near else "see `aws configure list-profiles`",
            )
    return tuple(dict.fromkeys(given))


class _Bases:
    """Returns the identity of each base identity. Each is resolved and checked with AWS once, without an MFA code."""

    def __init__(self, config: Mapping[str, Mapping[str, str]]) -> None:
        self._config = config
        self._known: dict[BaseSource, Identity | Unopened] = {}

    def __call__(self, base: BaseSource) -> Identity | Unopened:
        if base not in self._known:
            self._known[base] = self._open(base)
        return self._known[base]

    def _open(self, base: BaseSource) -> Identity | Unopened:
        from valetkey.account.base_identity import SIGN_IN, NoBase
        from valetkey.account.calls import CallError
        from valetkey.cli._machine import machine
        from valetkey.credentials.profiles.identity import identify
        from valetkey.credentials.profiles.importing import Unopened
        from valetkey.credentials.sessions.base_binding import files_of
        from valetkey.credentials.sessions.base_choice import BaseChoice, sign_in_as
        from valetkey.credentials.sessions.refusals import explain

        source = base.source
        files = files_of(os.environ) if source is not None else ()
        try:
            choice = BaseChoice(source, files, from_environment=source is None)
            what = source or "import"
            who = sign_in_as(machine(), choice, what, quiet=True, inside=what)
            return identify(who.connect(who))
        except NoBase as problem:
            if problem.do == SIGN_IN and source is not None:
                return Unopened(problem.what, _elsewhere(source))
            return Unopened(problem.what, problem.do)
        except CallError as error:
            problem_ = explain(error, source or "")
            return Unopened(problem_.what, problem_.do)
        except ValetkeyError as problem:
            return Unopened(problem.what, problem.do)


def _elsewhere(source: str) -> str:
    """Return the advice for a key in another tool's keyring."""
    store = command("valetkey login --store-key", then=option("--base", source))
    return (
        f"if its key is in another tool's keyring, put a credential_process into [profile {source}] that asks that "
        f"tool (`{command('aws-vault export --format=json', source)}`); or put the key into the credentials file, "
        f"import, and move it into the keyring with `{store}`"
    )


def _save(plan: Plan) -> None:
    """Write the profiles' files; if one cannot be written, remove the new ones again."""
    from valetkey.credentials.profiles.profile import path_of, save

    written = []
    try:
        for profile in plan.profiles:
            is_new = not path_of(profile.name, os.environ).exists()
            path = save(profile, os.environ)
            written += [path] if is_new else []
    except ValetkeyError:
        for path in written:
            path.unlink(missing_ok=True)
        raise
