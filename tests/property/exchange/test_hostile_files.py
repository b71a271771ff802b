"""For any file: it is refused, or the output contains nothing that a terminal or shell interprets."""

from __future__ import annotations

import contextlib
import io
import json
import re
import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from valetkey.account.calls import Call, CallError
from valetkey.credentials.doctor.probing import OWNERS, Probing, Try, message
from valetkey.credentials.profiles.acceptance import Acceptance, NotAccepted, judge, profile_for
from valetkey.credentials.profiles.awsconfig import Written
from valetkey.credentials.profiles.identity import parse_identity
from valetkey.credentials.profiles.needed_policy import caller_policy
from valetkey.credentials.profiles.whose_account import WrongAccount
from valetkey.credentials.sessions.refusals import explain
from valetkey.errors import ValetkeyError
from valetkey.exchange import AccessRequest, Handoff, files, load
from valetkey.grants.options import OwnerOptions, hints
from valetkey.policy.globs import has_wildcard
from valetkey.report import contractor as report
from valetkey.report import grants

OWN, OWNER = "222222222222", "111111111111"
NOW = datetime(2026, 11, 23, 21, 10, tzinfo=UTC)
ALICE = parse_identity(f"arn:aws:iam::{OWN}:user/carol")
REQUEST: dict[str, Any] = {
    "valetkey": "access-request/v1",
    "account": OWN,
    "partition": "aws",
    "external_id": "vk-0123456789abcdef",
    "identity": "iam-role",
    "identity_arn": f"arn:aws:iam::{OWN}:role/ops",
    "issued": "2026-11-23T21:00:00Z",
    "customer": "acme",
    "policies": ["SecurityAudit"],
    "reason": "yearly audit",
}
HANDOFF: dict[str, Any] = {
    "valetkey": "handoff/v1",
    "role_arn": f"arn:aws:iam::{OWNER}:role/teams/audit",
    "external_id": "vk-0123456789abcdef",
    "contractor": OWN,
    "partition": "aws",
    "max_session": 3600,
    "mfa": True,
    "issued": "2026-11-23T21:05:00Z",
    "policies": ["SecurityAudit"],
}
SHARP = (
    *(
        "; rm -rf ~",
        "$(id)",
        "`id`",
        "'",
        '"',
        "\n",
        "\r",
        "\x1b[2J",
        "\u202e",
        "\u2066",
        "*",
        "?",
        "${x}",
        "//",
        "/../",
    ),
    *(" ", "|sh", "&", "<x", ">x", "(", ")", "#", "!", "~", "%{x}", "{", "}", "[bold]", "\\", "\0", "é", ""),
)
MILD = (
    "-",
    "--yes",
    "-rf",
    "audit",
    ":role/",
    "/",
    "A",
    "=",
    "+",
    ",",
    ".",
    "@",
    "_",
    "/;rm/",
    "/&(x)|y/",
    "/--/",
    "/#/",
)


@st.composite
def hostile(draw: Any, plain: dict[str, Any]) -> dict[str, Any]:
    """A file with hostile text in one or two fields, inserted or as a replacement."""
    changed = dict(plain)
    names = [item for item in plain if item != "valetkey"]
    names += [name for name in names if name.endswith("_arn")] * 5
    for field in draw(st.lists(st.sampled_from(names), min_size=1, max_size=2)):
        pieces = MILD if draw(st.booleans()) else (*SHARP, *MILD)
        text = "".join(draw(st.lists(st.sampled_from(pieces), max_size=4)))
        good = plain[field][0] if isinstance(plain[field], list) else plain[field]
        if isinstance(good, str) and draw(st.booleans()):
            place = len(good) - draw(st.integers(0, min(len(good), 8)))
            text = good[:place] + text + good[place:]
        changed[field] = [text] if isinstance(plain[field], list) else text
    return changed


def read(plain: dict[str, Any], kind: Any) -> Any:
    """The content of the file, or None if it is refused with one printable line."""
    text = json.dumps({**plain, "fingerprint": files._fingerprint(plain)})
    try:
        return load(text, kind, name="f.json")
    except ValetkeyError as problem:
        refusal = problem
    assert refusal.where.startswith("f.json: $.")
    assert str(refusal).isprintable()
    return None


def printed(*calls: Any) -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        for call in calls:
            call()
    return out.getvalue()


def commands(text: str) -> list[list[str]]:
    """The words of every command in a text: between backticks, or at the end of a line."""
    assert all(line.isprintable() for line in text.split("\n"))
    quoted = re.findall(r"`(valetkey [^`\n]*)`", text)
    bare = re.findall(r"(?:^  |Next: |Then try it: |all the same: )(valetkey .*)$", text, re.MULTILINE)
    return [shlex.split(item) for item in (*quoted, *bare)]


@settings(max_examples=600, deadline=None)
@given(hostile(HANDOFF))
def test_a_handoff_is_refused_or_harmless(plain: dict[str, Any]) -> None:
    received = read(plain, Handoff)
    if received is None:
        return
    handoff: Handoff = received.value
    [statement] = caller_policy(handoff)["Statement"]
    assert statement["Resource"] == handoff.role_arn
    assert not has_wildcard(handoff.role_arn)
    with contextlib.suppress(NotAccepted, WrongAccount):
        judged = judge(received, identity=ALICE, known=(), profiles=(), customer=None, name="acme", now=NOW)
        _check_printed(judged)


def _check_printed(judged: Acceptance) -> None:
    handoff = judged.handoff
    profile = profile_for(
        judged, name="acme", identity=ALICE, source_profile=None, mfa_serial=f"arn:aws:iam::{OWN}:mfa/x", region=None
    )
    refused = Probing((Try("right", "refused"),), "", (), OWNERS)
    letter = message(profile, ALICE.arn, refused, masked="vk-…", now=NOW)
    denied = explain(CallError(Call("sts", "assume_role"), "AccessDenied", "no"), profile.name)
    text = letter + "\n" + denied.do
    text += printed(
        lambda: report.say_handoff(judged, "acme"),
        lambda: report.say_accepted(judged, profile, ALICE, Written(Path("c"), True, None), as_json=False),
    )
    role = handoff.role_arn.rsplit("/", 1)[1]
    guard = ["--"] if role.startswith("-") else []
    assert ["valetkey", "show", *guard, role] in commands(text)
    out = ["-o", "handoff.json"]
    wanted = ["valetkey", "handoff", *([*out, "--", role] if guard else [role, *out])]
    assert wanted in commands(text)


@settings(max_examples=600, deadline=None)
@given(hostile(REQUEST))
def test_a_request_is_refused_or_harmless(plain: dict[str, Any]) -> None:
    received = read(plain, AccessRequest)
    if received is None:
        return
    request: AccessRequest = received.value
    text = printed(
        lambda: grants.say_request(received),
        lambda: report.say_request(request, Path("r.json"), encrypted=False, as_json=False),
    )
    commands(text)
    assert text.count("\n") == len(text.split("\n")) - 1 < 20
    for hint in hints(OwnerOptions(name="x"), request):
        assert hint.isprintable()
        if "--only" in hint:
            words = shlex.split(hint.partition("decide on ")[2].removesuffix("."))
            assert words == ["--no-mfa", "--only", request.identity_arn]
