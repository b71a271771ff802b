"""`make live OWNER=profile CONTRACTOR=profile`: see docs/live-run.md.

Exit codes: 0 every step done or skipped, and everything removed; 1 a step failed; 2 wrong use; 3 AWS failed, or
something is left; 130 interrupted, and everything removed.
"""

from __future__ import annotations

import argparse
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from tools.live import cleanup, replay, result, terminal
from tools.live.open import Refused, open_world
from tools.live.redact import NotRedacted
from tools.live.steps import Result, run_steps, table
from tools.live.world import World

from valetkey import files
from valetkey.errors import ValetkeyError
from valetkey.sandbox.client import Control

_PLAN = """\
Live run {run} of valetkey
  owner       {owner} (profile {owner_profile})
  contractor  {contractor}, {person} (profile {contractor_profile})
  device      {device}
It makes, uses and removes, under the IAM path {path}:
  owner's account       about fifteen roles that admit {contractor} alone, with a random ExternalId; all they may do is
                        list the account's aliases and buckets. Nothing that is listed is kept.
  contractor's account  three users without a password, with an access key each.
Cost: nothing. IAM, STS and LookupEvents are free, and nothing else is made.
Trails: both accounts' CloudTrail show these calls: IAM's writes in each account, AssumeRole in both (refused ones in
  the contractor's alone), as made by these two profiles and by users and roles named {prefix}*. An alarm on new users,
  new roles or refused calls will go off: tell whoever watches it.
Time: about fifteen minutes, and up to {trails:.0f} more for CloudTrail. ^C ends it at any moment; it then removes what
  it made.
"""


def main(words: list[str]) -> int:
    given = _parser().parse_args(words)
    try:
        if given.replay:
            return _replay(given.replay, given.into)
        if not (given.owner and given.contractor):
            raise Refused("name both accounts: make live OWNER=profile CONTRACTOR=profile")
        return _run(given)
    except (Refused, replay.NotAResult) as why:
        terminal.say(f"live run: {why}")
        return 2
    except ValetkeyError as problem:
        terminal.say(f"live run: {problem}")
        return 3
    except KeyboardInterrupt:
        # Before the run has started. Later Interrupted is raised instead.
        terminal.say("Not started; nothing was made.")
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make live", description="Settle facts about AWS on two real accounts.")
    parser.add_argument("--owner", help="AWS profile that may make roles in the owner's account")
    parser.add_argument("--contractor", help="AWS profile with an IAM user's key, who has an MFA device with codes")
    parser.add_argument("--region", default="us-east-1", help="for STS and CloudTrail (default us-east-1)")
    parser.add_argument("-o", "--output", type=Path, default=Path("live-run.json"), help="default live-run.json")
    parser.add_argument("--yes", action="store_true", help="do not ask before it starts")
    parser.add_argument("--clean", action="store_true", help="only remove what earlier runs have left")
    parser.add_argument("--only", action="append", metavar="STEP", help="run only this step; may be repeated")
    parser.add_argument("--mfa-serial", help="the device, where the user has several")
    parser.add_argument("--totp-seed-stdin", action="store_true", help="read the device's base32 seed from stdin")
    parser.add_argument("--login-totp", metavar="PROFILE", help="a profile of `aws login`, signed in with a code")
    parser.add_argument("--login-passkey", metavar="PROFILE", help="a profile of `aws login`, signed in with a passkey")
    parser.add_argument("--trail-minutes", type=float, default=15, help="wait for CloudTrail; 0 skips it (default 15)")
    parser.add_argument("--sandbox", action="store_true", help="AWS_ENDPOINT_URL is a sandbox: move its clocks")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="let a running sandbox do as this result says")
    parser.add_argument("--into", metavar="URL", help="with --replay: the sandbox; without it the settings are printed")
    return parser


def _run(given: argparse.Namespace) -> int:
    seed = sys.stdin.readline() if given.totp_seed_stdin else None
    world = open_world(given, seed=seed, endpoint=os.environ.get("AWS_ENDPOINT_URL"))
    if given.clean:
        return _clean(world, given)
    steps = [step for step in table() if not given.only or step.name in given.only]
    unknown = set(given.only or ()) - {step.name for step in steps}
    if unknown:
        names = ", ".join(step.name for step in table())
        raise Refused(f"there is no step {', '.join(sorted(unknown))}; the steps are {names}")
    terminal.say(
        _PLAN.format(
            run=world.run_id,
            owner=world.owner.id,
            owner_profile=given.owner,
            contractor=world.contractor.id,
            contractor_profile=given.contractor,
            person=f"user {world.person.name}",
            device=world.person.serial or "none that shows codes: steps that need one are skipped",
            path=world.path,
            prefix=cleanup.PREFIX,
            trails=world.trail_wait / 60,
        )
    )
    _consent(given, "Start? [y/N] ")
    results: list[Result] = []
    finished, left = False, cleanup.Left()
    try:
        with terminal.interruptible():
            for step in run_steps(world, steps):
                results.append(step)
            finished = True
    except terminal.Interrupted:
        terminal.say("Interrupted.")
    finally:
        # INVARIANT: however the run ends, what it created is removed. Signals are ignored meanwhile.
        terminal.say(f"Removing everything under {world.path} ...")
        left = _remove(world, world.path)
    _write(world, results, given, finished=finished, left=len(left.things))
    terminal.restore()
    if left.things:
        return 3
    if not finished:
        terminal.say(f"{len(results)} of {len(steps)} steps were run; everything that was made is removed.")
        return 130
    failed = [item.step.name for item in results if item.state == "failed"]
    if failed:
        terminal.say(f"These steps failed: {', '.join(failed)}")
    return 1 if failed else 0


def _consent(given: argparse.Namespace, question: str) -> None:
    if given.yes:
        return
    answer = terminal.ask(question)
    if answer is None:
        raise Refused("there is no terminal to ask at: say --yes")
    if answer.lower() not in ("y", "yes"):
        raise Refused("not started; nothing was made")


def _remove(world: World, path: str) -> cleanup.Left:
    left = cleanup.remove(
        world.owner.client("iam"),
        world.contractor.client("iam"),
        path,
        time=world.time,
        roles=world.roles,
        users=world.users,
    )
    for thing, why in left.things.items():
        terminal.say(f"  left: {thing}: {why}")
    if left.things:
        terminal.say("Run it again with --clean (make live ... LIVE=--clean) to remove these.")
    else:
        terminal.say("  nothing is left in either account.")
    return left


def _clean(world: World, given: argparse.Namespace) -> int:
    terminal.say(
        f"Removes every role in {world.owner.id} and every user in {world.contractor.id} under {cleanup.ROOT}, "
        "also those of a run that is going on now."
    )
    _consent(given, "Remove? [y/N] ")
    return 3 if _remove(world, cleanup.ROOT).things else 0


def _write(world: World, results: list[Result], given: argparse.Namespace, *, finished: bool, left: int) -> None:
    on = "sandbox" if given.sandbox else "aws"
    plain = result.document(world, results, on=on, finished=finished, left=left)
    try:
        text = result.text(world.redactor, plain)
    except NotRedacted as why:
        terminal.say(f"live run: {why}. This is a fault of the live run: please report it, without the result.")
        return
    files.replace(given.output, text.encode())
    terminal.say(f"Wrote {given.output} ({datetime.now(UTC):%H:%M} UTC): read it, then send it as an issue.")


def _replay(path: Path, url: str | None) -> int:
    try:
        settings = replay.settings(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"{path} cannot be read: {type(error).__name__}") from None
    for name, value in settings.variants.items():
        print(f"{name} = {value}")
    if settings.delay is not None:
        print(f"delay = {settings.delay:g} s")
    if url:
        replay.apply(settings, Control(url))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
