"""The whole story as a table of steps: each runs one real command of one party and states the expected result.

The parties are two directories with their own HOME; they share only the files that the story copies from one to the
other. The contractor's tools are the real AWS CLI and boto3 in separate processes.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from valetkey.sandbox.accounts import REGION, Root, User
from valetkey.sandbox.client import Control
from valetkey.sandbox.process import spawn
from valetkey.sandbox.terminal import Ran, run

VALETKEY = (sys.executable, "-m", "valetkey")
AWS = (sys.executable, "-m", "awscli")
BOTO3 = """
import boto3
session = boto3.Session(profile_name="acme")
who = session.client("sts").get_caller_identity()["Arn"]
roles = session.client("iam").list_roles()["Roles"]
print(f"{who} sees {len(roles)} role(s)")
"""


@dataclass(frozen=True)
class Party:
    """One side of the story: its account, its directory and its environment."""

    name: str
    account: str
    home: Path
    env: Mapping[str, str]


@dataclass(frozen=True)
class Step:
    """One command of one party. `expect` is "done" (exit code 0) or "refused" (AWS refuses, see `because`)."""

    who: str
    what: str
    words: tuple[str, ...]
    expect: str = "done"
    show: str = ""
    """A pattern that the output must match; its first group is the result."""
    say: str = ""
    """The result in words, where no group of the output gives it."""
    because: str = "AccessDenied"
    """A pattern that a refusal must match. Any other failure is not the expected refusal."""
    keep: str = ""
    """A file to write the output to."""
    carry: str = ""
    """A file to copy to the other party afterwards."""


@dataclass(frozen=True)
class StepResult:
    """The result of one step."""

    step: Step
    ok: bool
    happened: str
    calls: tuple[str, ...]
    seconds: float
    output: str = field(repr=False, default="")


OWNER, CONTRACTOR = "111111111111", "222222222222"
PERSON = "carol"
CAROL = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": ["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"],
            "Resource": "*",
        },
        {
            "Effect": "Allow",
            "Action": [
                "iam:ListMFADevices",
                "iam:GetUser",
                "iam:ListUserPolicies",
                "iam:GetUserPolicy",
                "iam:ListAttachedUserPolicies",
                "iam:ListGroupsForUser",
            ],
            "Resource": "arn:aws:iam::*:user/${aws:username}",
        },
        {"Effect": "Allow", "Action": "cloudtrail:LookupEvents", "Resource": "*"},
    ],
}
"""Permissions of the contractor's user in its own account: assume roles, read its own user, MFA device and policies,
and look up the account's CloudTrail events."""

_ASSUMED = r"(arn:aws:sts::\d{12}:assumed-role/\S+?)[\"\s]"
_FINGERPRINT = r"(fingerprint\s+[a-z]+(?:-[a-z]+){5})"
_DENIED = r"\((AccessDenied\w*|ExpiredToken\w*)\)"
_EVENTS = (*AWS, "cloudtrail", "lookup-events", "--region", REGION, "--output", "json")

STEPS = (
    Step("contractor", "asks for access", (*VALETKEY, "request", "acme", "-o", "request.json"),
         show=_FINGERPRINT, carry="request.json"),
    Step("owner", "grants it: ExternalId, MFA, read-only, 30 days",
         (*VALETKEY, "grant", "audit", "--request", "request.json", "--to", CONTRACTOR, "--until", "30d", "--yes"),
         show=r"(arn:aws:iam::\d{12}:role/\S+?)[\"\s]"),
    Step("owner", "writes the handoff", (*VALETKEY, "handoff", "audit", "-o", "handoff.json"),
         show=_FINGERPRINT, carry="handoff.json"),
    Step("contractor", "accepts it as profile acme",
         (*VALETKEY, "accept", "handoff.json", "--name", "acme", "--yes"), show=_FINGERPRINT),
    Step("contractor", "tries without the ExternalId", (*AWS, "sts", "get-caller-identity", "--profile", "no-id"),
         expect="refused", show=_DENIED),
    Step("contractor", "tries without MFA", (*AWS, "sts", "get-caller-identity", "--profile", "no-mfa"),
         expect="refused", show=_DENIED),
    Step("contractor", "verifies: right way in, wrong ways refused", (*VALETKEY, "verify", "acme"),
         show=r"(?s)right way +right.*no ExternalId +right.*wrong ExternalId +right.*no MFA +right",
         say="in the right way, refused in three wrong ways"),
    Step("contractor", "uses the role with the AWS CLI", (*AWS, "sts", "get-caller-identity", "--profile", "acme"),
         show=_ASSUMED),
    Step("contractor", "reads with boto3", (sys.executable, "-c", BOTO3), show=r"(sees .*)"),
    Step("contractor", "reads with `valetkey exec`",
         (*VALETKEY, "exec", "acme", "--", *AWS, "iam", "list-roles", "--query", "Roles[].Arn"),
         show=r"(arn:aws:iam::\d{12}:role/audit)"),
    Step("contractor", "tries to read a customer's file",
         (*AWS, "s3", "cp", f"s3://ledger-{OWNER}/2026.csv", "-", "--profile", "acme"), expect="refused",
         because="AccessDenied|Forbidden", show=r"(AccessDenied|Forbidden)"),
    Step("contractor", "tries to write", (*AWS, "iam", "create-user", "--user-name", "mallory", "--profile", "acme"),
         expect="refused", show=_DENIED),
    Step("contractor", "opens the console", (*VALETKEY, "console", "acme", "--print")),
    Step("owner", "looks at the grants", (*VALETKEY, "list"), show=r"(audit +\d{12}) +SecurityAudit.*days left.*open"),
    Step("owner", "audits the whole account, by proof", (*VALETKEY, "audit", "--fail-on", "medium"),
         show=r"(1 guarded).*(?s:.*) 0 of them medium", say="one outsider, with ExternalId and MFA; no finding"),
    Step("owner", "revokes the access", (*VALETKEY, "revoke", "audit", "--yes", "--no-wait"),
         show=r"(?s)deny on everything put.*Gone since.*Not waited for",
         say="denied, closed, gone; not waited for, since the sandbox applies a deny at once and AWS takes seconds"),
    Step("contractor", "tries its live session", (*AWS, "iam", "list-roles", "--profile", "acme"),
         expect="refused", show=_DENIED, because="AccessDenied|InvalidClientTokenId|ExpiredToken"),
    Step("contractor", "tries to assume the role again, with ExternalId and MFA",
         (*AWS, "sts", "get-caller-identity", "--profile", "by-hand"), expect="refused", show=_DENIED),
    Step("contractor", "exports its own CloudTrail", _EVENTS, keep="trail/theirs.json", carry="trail/theirs.json",
         show=r"(?s)(AssumeRole)", say="who assumed roles, as its own account recorded it"),
    Step("owner", "exports its own CloudTrail", _EVENTS, keep="trail/own.json", show=r"(?s)(AssumeRole)",
         say="what was done, as the owner's account recorded it"),
    Step("owner", "shows who assumed the role, and their calls",
         (*VALETKEY, "activity", f"arn:aws:iam::{OWNER}:role/audit", "--from", "trail"),
         show=rf"(?s)by 1 person.*{PERSON} +yes.*the caller's trail.*denied +on.*iam:CreateUser +userName mallory",
         say=f"{PERSON}, named by both sides, with MFA; the user that she tried to make is among the denied calls"),
)  # fmt: skip


@contextlib.contextmanager
def furnished() -> Iterator[tuple[Control, Party, Party]]:
    """Start a new sandbox with an owner (an admin, some data) and a contractor (carol, with an MFA device), and create
    a directory for each. Everything is removed afterwards. Raises SandboxError."""
    with tempfile.TemporaryDirectory(prefix="valetkey-demo-") as folder, spawn(owner=os.getpid()) as running:
        owner = _party("owner", OWNER, Path(folder), running.url)
        contractor = _party("contractor", CONTRACTOR, Path(folder), running.url)
        root = Root(running.url, OWNER)
        _login(owner, root.user("admin", "arn:aws:iam::aws:policy/AdministratorAccess"))
        root("s3", "create_bucket", Bucket=f"ledger-{OWNER}")
        root("s3", "put_object", Bucket=f"ledger-{OWNER}", Key="2026.csv", Body=b"secret figures")
        _login(contractor, Root(running.url, CONTRACTOR).user(PERSON, CAROL, mfa=True))
        yield Control(running.url), owner, contractor


def _party(name: str, account: str, folder: Path, url: str) -> Party:
    home = folder / name
    (home / ".aws").mkdir(parents=True)
    kept = ("PATH", "LANG", "LC_ALL", "TMPDIR", "TERM", "PYTHONDONTWRITEBYTECODE")
    env = {item: os.environ[item] for item in kept if item in os.environ}
    env |= {"HOME": str(home), "AWS_ENDPOINT_URL": url, "AWS_EC2_METADATA_DISABLED": "true", "AWS_PAGER": ""}
    # The location of this package, so that the commands run this valetkey even from a checkout.
    env |= {"PYTHONPATH": os.pathsep.join(item for item in sys.path if item), "COLUMNS": "160", "NO_COLOR": "1"}
    return Party(name, account, home, env)


def _login(party: Party, user: User) -> None:
    """Write a user's keys where the AWS tools of the party look for them."""
    for name, text in (
        (
            "credentials",
            f"aws_access_key_id = {user.access_key_id}\naws_secret_access_key = {user.secret_access_key}\n",
        ),
        ("config", f"region = {REGION}\n"),
    ):
        path = party.home / ".aws" / name
        path.touch(mode=0o600)
        path.write_text(f"[default]\n{text}")


def tell(control: Control, owner: Party, contractor: Party, *, steps: tuple[Step, ...] = STEPS) -> Iterator[StepResult]:
    """Run every step in order and yield its result. A step that fails does not end the story.

    Raises no errors of its own; a command that hangs is killed after a minute and reported as failed.
    """
    parties = {"owner": owner, "contractor": contractor}
    device = f"arn:aws:iam::{contractor.account}:user/{PERSON}"
    for step in steps:
        party = parties[step.who]
        other = contractor if party is owner else owner
        if "no-id" in step.words:
            _plain_profiles(contractor, owner)
        seen = {account: len(control.requests(account)) for account in (owner.account, contractor.account)}
        began = time.monotonic()
        ran = run(step.words, env=party.env, cwd=party.home, answer=lambda: control.totp(device)[0])
        ok, happened = _judge(step, ran)
        if ok and step.what == "opens the console":
            ok, happened = _browse(ran.out)
        took = time.monotonic() - began
        if ok and step.keep:
            _file(party, step.keep).write_text(ran.out)
        if ok and step.carry:
            shutil.copy(party.home / step.carry, _file(other, step.carry))
        calls = tuple(
            f"{request['call']} {request['status']}"
            for account, before in seen.items()
            for request in control.requests(account)[before:]
        )
        yield StepResult(step, ok, happened, calls, took, (ran.out + ran.err).strip())


def _file(party: Party, name: str) -> Path:
    """A file in a party's directory. Creates its folder."""
    path = party.home / name
    path.parent.mkdir(exist_ok=True)
    return path


def _judge(step: Step, ran: Ran) -> tuple[bool, str]:
    text = ran.out + ran.err
    match = re.search(step.show, text) if step.show else None
    detail = step.say or (" ".join(match[1].split()) if match else "")
    prompted = " (MFA code asked once)" if ran.prompts == 1 else f" ({ran.prompts} prompts)" if ran.prompts else ""
    if step.expect == "refused":
        reason = re.search(step.because, text)
        if ran.code != 0 and reason:
            return True, f"refused: {detail or reason[0]}{prompted}"
        return False, "was admitted" if ran.code == 0 else f"failed, but not as a refusal: {_last(text)}"
    if ran.code != 0:
        return False, f"failed with {ran.code}: {_last(text)}"
    if step.show and not match:
        return False, f"did not print what is expected: {_last(text)}"
    return True, f"{detail or 'done'}{prompted}"


def _last(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:200] if lines else "no output"


def _browse(out: str) -> tuple[bool, str]:
    """Open the printed sign-in URL as a browser would. Returns whether it worked, and the signed-in identity or the
    error."""
    url = next((word for word in out.split() if word.startswith("http://127.0.0.1:")), "")
    if not url:
        return False, "no sign-in URL was printed"
    try:
        with urllib.request.urlopen(url, timeout=10) as page:  # noqa: S310  # loopback, checked above
            html = page.read().decode(errors="replace")
    except (OSError, urllib.error.URLError) as error:
        return False, f"the console refused the sign-in: {error}"
    match = re.search(r"arn:aws:sts::\d{12}:assumed-role/[\w+=,.@/-]+", html)
    return (True, f"signed in as {match[0]}") if match else (False, "the console does not say who signed in")


def _plain_profiles(contractor: Party, owner: Party) -> None:
    """Write profiles as a contractor would by hand: one lacks the ExternalId, one MFA, one has both."""
    file = contractor.home / "handoff.json"
    handoff = json.loads(file.read_text()) if file.exists() else {"role_arn": "none", "external_id": "none"}
    config = contractor.home / ".aws" / "config"
    common = f"role_arn = {handoff['role_arn']}\nsource_profile = default\nregion = us-east-1\n"
    device = f"arn:aws:iam::{contractor.account}:mfa/{PERSON}"
    with config.open("a") as out:
        out.write(f"\n[profile no-id]\n{common}mfa_serial = {device}\n")
        common += f"external_id = {handoff['external_id']}\n"
        out.write(f"\n[profile no-mfa]\n{common}")
        out.write(f"\n[profile by-hand]\n{common}mfa_serial = {device}\n")
