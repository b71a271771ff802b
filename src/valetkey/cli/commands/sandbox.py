"""valetkey sandbox: AWS on this computer, for rehearsals."""

from __future__ import annotations

import os
import signal
from typing import Annotated, Literal

from cyclopts import App, Parameter

from valetkey.cli._options import Output
from valetkey.errors import page

app = App(
    name="sandbox",
    help="Run several AWS accounts on this computer, with IAM and MFA enforced. It is not AWS; the differences: "
    + page("sandbox.md"),
    help_format="plaintext",
    result_action="return_value",
)


@app.command
def start(
    *,
    port: Annotated[int, Parameter(help="Port on 127.0.0.1; 0 takes a free one.")] = 0,
    accounts: Annotated[int, Parameter(help="How many AWS accounts: the owner's and the contractors'.")] = 2,
    refusals: Annotated[
        Literal["bare", "reasons", "ids"],
        Parameter(help="What an access denied message names: nothing, the type of policy, or authorization ids too."),
    ] = "bare",
    iam_delay: Annotated[float, Parameter(help="Changes to roles take up to this many seconds to take effect.")] = 0.0,
    seed: Annotated[int, Parameter(help="Random seed for how long each change takes.")] = 0,
    detach: Annotated[bool, Parameter(negative="", help="Run in the background; end it with `stop`.")] = False,
    output: Output = Output(),  # noqa: B008 - frozen
) -> int:
    """Start the sandbox and print the profiles and the environment to use. It ends with Ctrl-C, or with `stop`."""
    from valetkey.errors import ValetkeyError
    from valetkey.report.sandbox import say_started, say_stopped
    from valetkey.sandbox import local
    from valetkey.sandbox.client import Control

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)  # as for Ctrl-C: everything is removed
    if not 0 <= iam_delay <= 600:
        raise ValetkeyError(
            f"--iam-delay: {iam_delay:g} s is outside 0 to 600", do="AWS takes seconds as a rule: try 5"
        )
    folder = local.place(os.environ)
    owner = None if detach else os.getpid()
    begun, running = local.begin(folder, port=port, accounts=accounts, owner=owner, refusals=refusals)
    if iam_delay:
        Control(begun.url).propagation(seconds=iam_delay, seed=seed)
    if detach:
        say_started(begun, detached=True, as_json=output.as_json)
        return 0
    try:
        say_started(begun, detached=False, as_json=output.as_json)
        running.wait()
    except KeyboardInterrupt:
        say_stopped(begun, as_json=False, stderr=True)
    finally:
        local.finish(folder, running)
    return 0


@app.command
def stop(*, output: Output = Output()) -> int:  # noqa: B008 - frozen
    """Stop the running sandbox and delete its accounts, keys and rehearsal profiles. Without one, do nothing."""
    from valetkey.report.sandbox import say_stopped
    from valetkey.sandbox import local

    say_stopped(local.finish(local.place(os.environ)), as_json=output.as_json)
    return 0


@app.command
def status(*, output: Output = Output()) -> int:  # noqa: B008 - frozen
    """Say whether a sandbox is running (exit code 0) or not (1), and how to use it."""
    from valetkey.report.sandbox import say_status
    from valetkey.sandbox import local

    result = local.find(local.place(os.environ))
    say_status(result, as_json=output.as_json)
    return 0 if result else 1


@app.command
def seed(*, output: Output = Output()) -> int:  # noqa: B008 - frozen
    """Make roles in the running sandbox's owner account: one or more for each check of an audit, and some that are in
    order. Prints what was made and which checks must report it."""
    from datetime import UTC, datetime

    from valetkey.aws import connect
    from valetkey.cli import _owning
    from valetkey.grants.make import make
    from valetkey.grants.options import OwnerOptions
    from valetkey.grants.prepare import prepare
    from valetkey.report.sandbox import say_seeded
    from valetkey.sandbox import local
    from valetkey.sandbox.seed import seed

    result = local.running(local.place(os.environ))
    os.environ.update(result.environment)
    perform = connect(profile="owner")

    def grant(name: str, person: str, until: datetime) -> None:
        asked = OwnerOptions(
            name=name, contractor=person.split(":")[4], only=(person,), policies=("IAMReadOnlyAccess",), until=until
        )
        now = datetime.now(UTC)
        ready = prepare(
            asked, request=None, perform=perform, read=_owning.read_text, now=now, fresh_id=_owning.fresh_id()
        )
        make(ready.grant, ready.role, perform=perform, now=now, waiting=_owning.waiting(), tell=lambda *_: None)

    say_seeded(seed(result.url, owner="1" * 12, partner="2" * 12, grant=grant), as_json=output.as_json)
    return 0


@app.command
def totp(
    user: Annotated[str, Parameter(help="A user (carol), a profile, or the ARN of a user or MFA device.")],
    /,
    *,
    output: Output = Output(),  # noqa: B008 - frozen
) -> int:
    """Print an unused code of the user's MFA device, and for how many seconds it is valid."""
    from valetkey.report.sandbox import say_code
    from valetkey.sandbox import local

    code, left, device = local.code(local.place(os.environ), user)
    say_code(code, left, device=device, as_json=output.as_json)
    return 0
