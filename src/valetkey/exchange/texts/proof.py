"""Prove a text for another tool before it is sent: read it back from its characters and compare it with the terms.

Rules:
- INVARIANT: no text is sent unless it was read back. CloudFormation is read by the reader that `audit` uses. Terraform
  is converted to a plan by `account.configuration` and read by the same reader. Commands and pasted documents are
  parsed word for word.
- The trust policy is proved in both directions (`trust.showing`): it admits what the terms say, and nothing else.
- The rest of the role (name, policies, session limit, denies) must equal the wanted role exactly, with nothing
  unresolved.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeAlias

from valetkey.account.files import read_files
from valetkey.account.values import Role
from valetkey.catalog.home_regions import HOME_REGIONS
from valetkey.errors import ValetkeyError
from valetkey.exchange.texts import cloudformation, console, shell, terraform
from valetkey.exchange.texts.roles import WantedRole
from valetkey.policy import parse_policy
from valetkey.policy.arns import NOBODY
from valetkey.policy.origin import Origin
from valetkey.trust.showing import ProvedTrust, admits_only

SetupTool: TypeAlias = Literal["console", "cloudformation", "terraform", "shell"]

WRITERS: dict[SetupTool, Callable[[WantedRole], str]] = {
    "console": console.write,
    "cloudformation": cloudformation.write,
    "terraform": terraform.write,
    "shell": shell.write,
}
FILES: dict[SetupTool, str] = {
    "console": ".txt",
    "cloudformation": ".template.json",
    "terraform": ".tf",
    "shell": ".sh",
}
"""File name suffixes."""


class TextNotProved(ValetkeyError):
    """A text that is not proved to create the wanted role. It is not sent."""

    exit_code = 1


def written(tool: SetupTool, role: WantedRole) -> tuple[str, ProvedTrust]:
    """Return the text for a tool and its proof. Raises TextNotProved, or what the writers raise."""
    text = WRITERS[tool](role)
    return text, prove_text(tool, text, role)


def prove_text(tool: SetupTool, text: str, wanted: WantedRole) -> ProvedTrust:
    """Prove that this text creates exactly the wanted role. Raises TextNotProved."""
    try:
        role = read_text(tool, text, wanted)
        wrong = tuple(_differences(role, wanted))
        parse_policy(role.trust or "", kind="trust")  # refuses a duplicate key
        shown = admits_only(json.loads(role.trust or ""), wanted.terms, role_arn=role.arn)
    except (ValetkeyError, ValueError, KeyError) as error:
        raise _not_proved(tool, str(error)) from None
    if wrong or not shown.holds:
        raise _not_proved(tool, "; ".join((*wrong, *shown.failures)))
    return shown


def read_text(tool: SetupTool, text: str, wanted: WantedRole) -> Role:
    """Return the one role that a text creates, read back from its characters. Raises ValetkeyError, ValueError,
    KeyError."""
    return _READERS[tool](text, wanted)


def _not_proved(tool: SetupTool, why: str) -> TextNotProved:
    return TextNotProved(
        f"the text for {tool} is not proved to admit you and nobody else: {why}",
        do="nothing was written; report this, it is a fault of valetkey's own",
    )


def _differences(role: Role, wanted: WantedRole) -> list[str]:
    """Return every difference between the role and the wanted one, as text."""
    points: dict[str, tuple[Any, Any]] = {
        "name": (role.name, wanted.name),
        "path": (role.path, "/"),
        "policies": (sorted(role.attached), sorted(wanted.managed)),
        "inline policies": (_loaded(role.inline), {name: dict(item) for name, item in wanted.inline.items()}),
        "boundary": (role.boundary, None),
        "session limit": (role.max_session, wanted.max_session),
        "unknown parts": (role.unknown, ()),
        "assumptions": (role.assumed, ()),
    }
    return [f"{what}: {there}, not {agreed}" for what, (there, agreed) in points.items() if there != agreed]


def _loaded(inline: Mapping[str, str]) -> dict[str, Any]:
    for text in inline.values():
        parse_policy(text, kind="identity")
    return {name: json.loads(text) for name, text in inline.items()}


def _only(data: bytes, wanted: WantedRole) -> Role:
    account = read_files(
        ["text"], read=lambda _: data, owner=wanted.account or NOBODY, region=HOME_REGIONS[wanted.terms.partition]
    )
    if account.unknown:
        raise ValueError(account.unknown[0].reason)
    (role,) = account.roles
    return role


def _template(text: str, wanted: WantedRole) -> Role:
    loaded = json.loads(text)
    kinds = [resource["Type"] for resource in loaded["Resources"].values()]
    if kinds != ["AWS::IAM::Role"] or set(loaded) - {"AWSTemplateFormatVersion", "Description", "Resources", "Outputs"}:
        raise ValueError("the template makes something else besides one role")
    return _only(text.encode(), wanted)


def _configuration(text: str, wanted: WantedRole) -> Role:
    from valetkey.account.configuration import as_plan

    return _only(as_plan(text, "text"), wanted)


def _script(text: str, wanted: WantedRole) -> Role:
    create, *rest = shell.read(text)
    params = create.params
    if create.operation != "create_role" or any(call.params["RoleName"] != params["RoleName"] for call in rest):
        raise ValueError("the commands are not of one role")
    puts = [call for call in rest if call.operation == "put_role_policy"]
    attaches = [call for call in rest if call.operation == "attach_role_policy"]
    if rest != puts + attaches:
        raise ValueError("something is allowed before everything is denied, or there is another call")
    return _role(
        wanted,
        name=params["RoleName"],
        trust=params["AssumeRolePolicyDocument"],
        inline={call.params["PolicyName"]: call.params["PolicyDocument"] for call in puts},
        attached=tuple(call.params["PolicyArn"] for call in attaches),
        max_session=params["MaxSessionDuration"],
    )


def _steps(text: str, wanted: WantedRole) -> Role:
    trust, inline, attached, name, max_session = console.read(text)
    return _role(wanted, name=name, trust=trust, inline=inline, attached=attached, max_session=max_session)


def _role(
    wanted: WantedRole,
    *,
    name: str,
    trust: str,
    inline: Mapping[str, str],
    attached: tuple[str, ...],
    max_session: int,
) -> Role:
    partition = wanted.terms.partition
    return Role(
        name=name,
        arn=f"arn:{partition}:iam::{wanted.account or NOBODY}:role/{name}",
        path="/",
        account=wanted.account,
        partition=partition,
        where="text",
        origin=Origin.SENT,
        trust=trust,
        attached=attached,
        inline=inline,
        max_session=max_session,
    )


_READERS: dict[SetupTool, Callable[[str, WantedRole], Role]] = {
    "console": _steps,
    "cloudformation": _template,
    "terraform": _configuration,
    "shell": _script,
}
