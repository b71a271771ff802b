"""The role as AWS CLI commands for a POSIX shell.

Rules:
- Changes are data: the commands are `Call`s, ordered so that the role never allows more than the terms (trust policy
  first, then denies, then allows).
- INVARIANT: every value is one quoted shell word, and no value begins an option.
"""

from __future__ import annotations

import json
import shlex
from typing import Any

from valetkey.account.calls import Call
from valetkey.commandline import word
from valetkey.exchange.texts.roles import WantedRole
from valetkey.trust.writing import write_trust

_HEAD = """\
#!/bin/sh
# Makes one role, with the AWS CLI. Run it with credentials of your own account:
#   aws sts get-caller-identity    shows which account that is
# If it stops in the middle, the role lets nobody do more than it should: delete it, and run this again.
set -eu
"""
_TAIL = "# The role's ARN, to send back:\n"


def calls(role: WantedRole) -> tuple[Call, ...]:
    """Return the calls that create the role. Raises what `write_trust` raises."""
    about = {"RoleName": role.name}
    create = {
        **about,
        "AssumeRolePolicyDocument": _compact(write_trust(role.terms)),
        "Description": role.description,
        "MaxSessionDuration": role.max_session,
    }
    return (
        Call("iam", "create_role", create),
        *(
            Call("iam", "put_role_policy", {**about, "PolicyName": name, "PolicyDocument": _compact(document)})
            for name, document in role.inline.items()
        ),
        *(Call("iam", "attach_role_policy", {**about, "PolicyArn": arn}) for arn in role.managed),
    )


def write(role: WantedRole) -> str:
    """Return the script. Raises what `write_trust` raises."""
    lines = [command(call, quiet=True) for call in calls(role)]
    show = command(Call("iam", "get_role", {"RoleName": role.name})) + " --query Role.Arn --output text"
    return _HEAD + "\n".join(lines) + f"\n{_TAIL}{show}\n"


def command(call: Call, *, quiet: bool = False) -> str:
    """Return a call as an AWS CLI command, one option per line."""
    words = ["aws", call.service.replace("_", "-"), call.operation.replace("_", "-")]
    options = [f"  {_option(name)} {word(str(value))}" for name, value in call.params.items()]
    end = ["  --output text > /dev/null"] if quiet and call.operation.startswith("create") else []
    return " \\\n".join([" ".join(words), *options, *end])


def read(text: str) -> tuple[Call, ...]:
    """Return the calls of a script that `write` made, parsed word for word. Raises ValueError for any other text."""
    body = text.removeprefix(_HEAD)
    body, tail, _ = body.partition(_TAIL)
    if body == text or not tail:
        raise ValueError("it is not a script that valetkey writes")
    return tuple(_call(shlex.split(line)) for line in body.replace("\\\n", " ").splitlines())


def _call(words: list[str]) -> Call:
    program, service, operation, *rest = words
    if program != "aws":
        raise ValueError(f"{program!r} is not the AWS CLI")
    if rest[-4:] == ["--output", "text", ">", "/dev/null"]:
        rest = rest[:-4]
    options = dict(zip(rest[::2], rest[1::2], strict=True))
    if 2 * len(options) != len(rest):
        raise ValueError("an option is given twice")
    names = {_option(name): name for name in _NAMES}
    params = {names[option]: _value(names[option], value) for option, value in options.items()}
    return Call(service, operation.replace("-", "_"), params)


_NAMES = (
    "RoleName",
    "AssumeRolePolicyDocument",
    "Description",
    "MaxSessionDuration",
    "PolicyName",
    "PolicyDocument",
    "PolicyArn",
)


def _value(name: str, text: str) -> Any:
    return int(text) if name == "MaxSessionDuration" else text


def _option(name: str) -> str:
    """Return a parameter's AWS CLI option: "RoleName" gives "--role-name"."""
    return "--" + "".join(f"-{char.lower()}" if char.isupper() else char for char in name).removeprefix("-")


def _compact(document: Any) -> str:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=True)
