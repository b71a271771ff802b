"""The sandbox's state for people and for programs. Keys are never printed; they are in the sandbox's own files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from valetkey.commandline import command, word
from valetkey.report.results import sandbox as results
from valetkey.report.results.sandbox import Code, Role, Seeded, Status, Stopped
from valetkey.report.results.shape import shaped
from valetkey.report.text import say, say_json, say_table


class SandboxProfile(Protocol):
    """An AWS profile of the sandbox, ready to use."""

    @property
    def name(self) -> str: ...
    @property
    def account(self) -> str: ...
    @property
    def user(self) -> str: ...
    @property
    def arn(self) -> str: ...
    @property
    def mfa_serial(self) -> str | None: ...


class Local(Protocol):
    """A running sandbox."""

    @property
    def url(self) -> str: ...
    @property
    def pid(self) -> int: ...
    @property
    def profiles(self) -> tuple[SandboxProfile, ...]: ...
    @property
    def environment(self) -> dict[str, str]: ...


# If set in the person's shell, these variables take precedence over the sandbox's profiles.
_UNSET = ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


def say_started(local: Local, *, detached: bool, as_json: bool) -> None:
    """Print the profiles, the environment, and how to stop the sandbox."""
    if as_json:
        say_json(_plain(local))
        say()  # flush now: in the foreground no more output follows for a long time
        return
    _describe(local)
    say("", "It ends with `valetkey sandbox stop`." if detached else "It ends with Ctrl-C.")


def say_status(local: Local | None, *, as_json: bool) -> None:
    """Print the running sandbox, or that none is running."""
    if as_json:
        say_json(_plain(local))
    elif local is None:
        say("no sandbox is running; start one with `valetkey sandbox start`")
    else:
        _describe(local)


def say_stopped(local: Local | None, *, as_json: bool, stderr: bool = False) -> None:
    """Print what was stopped, or that nothing was running."""
    if as_json:
        say_json(Stopped(valetkey="sandbox-stopped/v1", stopped=local is not None))
    elif local is None:
        say("no sandbox was running", stderr=stderr)
    else:
        say(f"the sandbox at {local.url} has ended; its accounts and keys are gone", stderr=stderr)


def say_code(code: str, left: int, *, device: str, as_json: bool) -> None:
    """Print only the code on stdout, so that it can be piped; print its validity on stderr."""
    if as_json:
        say_json(Code(valetkey="sandbox-totp/v1", code=code, seconds_left=left, device=device))
        return
    say(code)
    say(f"good for {left} s, once ({device})", stderr=True)


class Seed(Protocol):
    """A role to audit."""

    @property
    def name(self) -> str: ...
    @property
    def what(self) -> str: ...
    @property
    def checks(self) -> tuple[str, ...]: ...
    @property
    def exposure(self) -> str: ...


class SeededRole(Protocol):
    """A role that was created."""

    @property
    def arn(self) -> str: ...
    @property
    def seed(self) -> Seed: ...


def say_seeded(made: Sequence[SeededRole], *, as_json: bool) -> None:
    """Print the created roles, and the checks that must report them."""
    if as_json:
        roles = [shaped(Role, role.seed, arn=role.arn) for role in made]
        say_json(Seeded(valetkey="sandbox-seeded/v1", roles=roles))
        return
    say_table(
        ("Role", "Exposure", "Checks", "What it is"),
        [(role.seed.name, role.seed.exposure, ", ".join(role.seed.checks) or "none", role.seed.what) for role in made],
    )
    wrong = sum(bool(role.seed.checks) for role in made)
    say("", f"{wrong} roles to find and {len(made) - wrong} in order; look at them with the profile owner.")


def _describe(local: Local) -> None:
    say(f"sandbox at {local.url} (process {local.pid}); nothing leaves this computer")
    say_table(
        ("Account", "Profile", "User", "MFA code"),
        [
            (
                profile.account,
                profile.name,
                profile.user,
                command("valetkey sandbox totp", profile.user) if profile.mfa_serial else "-",
            )
            for profile in local.profiles
        ],
    )
    say("In a shell of its own:", "")
    say(f"  unset {' '.join(_UNSET)}")
    say(*(f"  export {name}={word(value)}" for name, value in local.environment.items()))


def _plain(local: Local | None) -> Status:
    if local is None:
        return Status(valetkey="sandbox-status/v1", running=False)
    profiles = [shaped(results.Profile, profile, profile=profile.name) for profile in local.profiles]
    return shaped(Status, local, valetkey="sandbox-status/v1", running=True, profiles=profiles, unset=list(_UNSET))
