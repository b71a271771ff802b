"""The role as steps in the AWS console, with the documents to paste.

The names of pages and buttons are those on AWS's documentation page. They change without notice, so the text says when
and where they were read (fact H37).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from valetkey.catalog import limits
from valetkey.exchange.texts.roles import WantedRole
from valetkey.trust.writing import write_trust

READ_ON = date(2026, 11, 29)
PAGE = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-custom.html"
INLINE_PAGE = "https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_manage-attach-detach.html"

_TRUST = "trust policy"
_INLINE = "inline policy "
_NAME = re.compile(r"[0-9]+\. Role name: +(\S+)")
_LIMIT = re.compile(r"[0-9]+\. In the role's Summary choose Edit, .* to ([0-9]+) seconds\.")


def write(role: WantedRole) -> str:
    """Return the steps. Raises what `write_trust` raises."""
    steps = [
        "Sign in to your own account and open the IAM console. Choose Roles, then Create role.",
        "Choose Custom trust policy. Replace what is there by this text, all of it:\n\n"
        + _block(_TRUST, write_trust(role.terms)),
        "Choose Next. On the page Add permissions select these policies, if you agree to them, and choose Next:\n\n"
        + "\n".join(f"     {arn}" for arn in role.managed),
        f"Role name:   {role.name}\n   Description: {role.description}\n   Choose Create role.",
    ]
    for name, document in role.inline.items():
        steps.append(
            "Open the role. On the tab Permissions choose Add permissions, then Create inline policy, then JSON. This "
            "text ends\n   sessions that are open at the end too. Replace what is there by it, all of it:\n\n"
            + _block(f"{_INLINE}{name}", document)
            + f"\n\n   Choose Next. Policy name: {name}. Choose Create policy."
        )
    if role.max_session != limits.ROLE_SESSION_MIN:
        steps.append(
            f"In the role's Summary choose Edit, and set Maximum session duration to {role.max_session} seconds."
        )
    steps.append("In the role's Summary copy the ARN, and send it back.")
    numbered = "\n\n".join(f"{number}. {step}" for number, step in enumerate(steps, 1))
    source = f"The names of pages and buttons for creating the role were read on {READ_ON:%Y-%m-%d} at\n{PAGE}"
    if role.inline:
        source += f"\nAWS describes inline policies at\n{INLINE_PAGE}"
    return f"{numbered}\n\n{source}\n"


def _block(what: str, document: Mapping[str, Any]) -> str:
    return f"----- {what} -----\n{json.dumps(document, indent=2, ensure_ascii=True)}\n----- end -----"


def pasted(text: str) -> dict[str, str]:
    """Read the pasted documents back from the steps: the trust policy as "trust policy", inline policies by name."""
    result: dict[str, str] = {}
    what: str | None = None
    for line in text.splitlines(keepends=True):
        mark = line.strip()
        if mark == "----- end -----":
            what = None
        elif mark.startswith("----- "):
            what = mark.removeprefix("----- ").removesuffix(" -----")
            if what in result:
                raise ValueError(f"{what} is there twice")
            result[what] = ""
        elif what is not None:
            result[what] += line
    return result


def read(text: str) -> tuple[str, dict[str, str], tuple[str, ...], str, int]:
    """Read the steps back: trust policy, inline policies, managed policies, role name and session limit. Raises
    ValueError, KeyError."""
    blocks = pasted(text)
    lines = [line.strip() for line in text.splitlines()]
    (name,) = (match[1] for line in lines if (match := _NAME.fullmatch(line)))
    limit = [match[1] for line in lines if (match := _LIMIT.fullmatch(line))]
    return (
        blocks.pop(_TRUST),
        {key.removeprefix(_INLINE): value for key, value in blocks.items()},
        tuple(line for line in lines if line.startswith("arn:")),
        name,
        int(limit[0]) if limit else limits.ROLE_SESSION_MIN,
    )
