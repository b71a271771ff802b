"""What a contractor without valetkey needs to assume a role: mail, shell script, Terraform blocks, console sign-in.

Rules:
- Everything is shown in full, including the ExternalId: these texts exist to hand it over, and nothing in them is
  secret.
- The owner does not know the contractor's MFA device or profile name. Values that the contractor has to fill in are in
  capitals and explained.
- The AWS CLI asks for an MFA code itself (`mfa_serial`); Terraform's AWS provider cannot. So Terraform gets its
  credentials from the AWS CLI through `credential_process` (AWS CLI v2: `aws configure export-credentials`).
- The console's Switch Role page cannot send an ExternalId (fact H30); federation can (IAM User Guide,
  id_roles_providers_enable-console-custom-url). The keys are sent by POST, never in a URL or on a command line.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias
from urllib.parse import urlencode

from valetkey.catalog import limits
from valetkey.catalog.home_regions import HOME_REGIONS
from valetkey.commandline import option, word
from valetkey.exchange.documents import Handoff
from valetkey.exchange.texts.hcl import HclBlock, HclValue, hcl
from valetkey.exchange.texts.roles import TextError
from valetkey.times import moment

HandoverForm: TypeAlias = Literal["text", "console", "terraform", "shell"]

USER_NAME = "YOUR-IAM-USER-NAME"
BASE = "default"
_HOSTS = {
    "aws": ("signin.aws.amazon.com", "console.aws.amazon.com"),
    "aws-cn": ("signin.amazonaws.cn", "console.amazonaws.cn"),
    "aws-us-gov": ("signin.amazonaws-us-gov.com", "console.amazonaws-us-gov.com"),
}
"""Hosts of sign-in and console by partition, where they are public and need no region."""


def write(form: HandoverForm, handoff: Handoff, name: str, *, region: str | None = None) -> str:
    """Return the text for a profile with this name. `region` is where the contractor works; None: the partition's home
    region, because the AWS CLI and the provider need one. Raises TextError."""
    region = region or HOME_REGIONS[handoff.partition]
    match form:
        case "text":
            return _mail(handoff, name, region)
        case "console":
            return "\n".join(_console(handoff, name)) + "\n"
        case "terraform":
            return _terraform(handoff, name, region)
        case "shell":
            return _shell(handoff, name, region)


def section(handoff: Handoff, name: str, region: str) -> str:
    """Return the section of `~/.aws/config` for the AWS CLI and the SDKs, one setting per line."""
    return "\n".join([f"[profile {name}]", *(f"{key} = {value}" for key, value in _settings(handoff, region).items())])


def _settings(handoff: Handoff, region: str) -> dict[str, str]:
    settings = {"role_arn": handoff.role_arn}
    if handoff.external_id:
        settings["external_id"] = handoff.external_id
    settings["source_profile"] = BASE
    if handoff.mfa:
        settings["mfa_serial"] = f"arn:{handoff.partition}:iam::{handoff.contractor}:mfa/YOUR-DEVICE"
    if handoff.session_name == "username":
        settings["role_session_name"] = USER_NAME
    if handoff.max_session != limits.SESSION_DEFAULT:
        settings["duration_seconds"] = str(handoff.max_session)
    settings["region"] = region
    return settings


def _process(name: str) -> tuple[str, str]:
    """Return name and `credential_process` of the profile for programs that cannot ask for an MFA code."""
    return f"{name}-process", f"aws configure export-credentials {option('--profile', name)}"


def _facts(handoff: Handoff) -> list[str]:
    mfa = "is asked for" if handoff.mfa else "is not asked for"
    if handoff.mfa_max_age:
        mfa += f", at most {handoff.mfa_max_age} s before the role is entered"
    rows: dict[str, str] = {
        "Role": handoff.role_arn,
        "ExternalId": handoff.external_id or "none",
        "MFA": mfa,
        "Until": moment(handoff.until) if handoff.until else "no end",
        "Session": f"{handoff.max_session} s at most",
        "Lets in": ", ".join(handoff.principals) or f"account {handoff.contractor}, as its own policies allow",
        "Policies": ", ".join(handoff.policies),
    }
    if handoff.from_ip:
        rows["From"] = f"{', '.join(handoff.from_ip)} only, and not through a VPC endpoint of STS"
    if handoff.session_name == "username":
        rows["Name"] = "the session must be named after the IAM user (role_session_name)"
    return [f"{label:<11} {value}" for label, value in rows.items() if value]


def _mail(handoff: Handoff, name: str, region: str) -> str:
    process, how = _process(name)
    lines = [
        f"You can work in account {handoff.account} through this role:",
        "",
        *_facts(handoff),
        "",
        f"Your own account must allow it: sts:AssumeRole on {handoff.role_arn}.",
        "",
        "For the AWS CLI and the SDKs, in ~/.aws/config:",
        "",
        *section(handoff, name, region).splitlines(),
        "",
        *_fill_in(handoff),
        f"Try it: aws sts get-caller-identity {option('--profile', name)}",
        "",
    ]
    if handoff.mfa:
        lines += [
            "For programs that cannot ask for an MFA code (Terraform), with AWS CLI v2, after a command as above:",
            "",
            f"[profile {process}]",
            f"credential_process = {how}",
            f"region = {region}",
            "",
        ]
    return "\n".join([*lines, *_console(handoff, name)]) + "\n"


def _fill_in(handoff: Handoff) -> list[str]:
    lines = [
        f"source_profile is the profile of your own user, {BASE} if you have one only; region the one you work in.",
    ]
    if handoff.mfa:
        lines.append("mfa_serial is your own device: aws iam list-mfa-devices shows it. It must be an app (TOTP).")
    if handoff.session_name == "username":
        lines.append(f"{USER_NAME} is the name of your IAM user, as aws sts get-caller-identity shows it.")
    return lines


def _console(handoff: Handoff, name: str) -> list[str]:
    """Return how to sign in to the console, or why that is not possible."""
    hosts = _HOSTS.get(handoff.partition)
    role = handoff.role_arn.rsplit(":role/", 1)[1]
    if handoff.external_id is None:
        if hosts is None:
            return [f"The console: Switch Role, account {handoff.account}, role {role}."]
        query = urlencode({"account": handoff.account, "roleName": role, "displayName": name})
        return [
            "The console: sign in as your own user, with MFA if that is asked for, and open",
            f"  https://{hosts[0]}/switchrole?{query}",
        ]
    lines = ["The console cannot switch into this role: its Switch Role page cannot send an ExternalId."]
    if hosts is None:
        return [*lines, f"Where its sign-in page is in the partition {handoff.partition}, AWS does not publish."]
    return [
        *lines,
        "A sign-in URL can be made from a session of the role. In a shell with AWS CLI v2 and Python 3:",
        "",
        *_RECIPE.format(profile=option("--profile", name), signin=hosts[0], console=hosts[1]).splitlines(),
        "",
        "Whoever opens the URL that it prints within 15 minutes is signed in: open it yourself, send it to nobody.",
    ]


_RECIPE = """\
aws configure export-credentials {profile} | python3 -c '
import json, sys, urllib.parse as p, urllib.request as r
k = json.load(sys.stdin)
s = {{"sessionId": k["AccessKeyId"], "sessionKey": k["SecretAccessKey"], "sessionToken": k["SessionToken"]}}
to = "https://{signin}/federation"
form = p.urlencode({{"Action": "getSigninToken", "Session": json.dumps(s)}}).encode()
token = json.load(r.urlopen(to, form))["SigninToken"]
q = {{"Action": "login", "Destination": "https://{console}/", "SigninToken": token}}
print(to + "?" + p.urlencode(q))'"""


def _shell(handoff: Handoff, name: str, region: str) -> str:
    """Return AWS CLI commands that write the profile, and one that tests it. Raises TextError."""
    profile = option("--profile", name)
    lines = [
        "#!/bin/sh",
        f"# Writes the AWS CLI profile {name} for {handoff.role_arn}.",
        *(f"# {line}" for line in _facts(handoff)[1:]),
        "set -eu",
    ]
    for key, value in _settings(handoff, region).items():
        if value.startswith("-"):
            raise TextError(
                f"the {key} {value} begins with a hyphen, and the AWS CLI would take it for an option",
                do="hand over with --as text, which has the section of ~/.aws/config",
            )
        # A looked-up value is fixed text that contains a shell command; every other value is one quoted word.
        said = _LOOKED_UP.get(key) or word(value)
        lines.append(" ".join(["aws configure set", key, said, profile]))
    if handoff.mfa:
        process, how = _process(name)
        lines += [
            "# For programs that cannot ask for an MFA code (AWS CLI v2):",
            f"aws configure set credential_process {word(how)} {option('--profile', process)}",
            f"aws configure set region {word(region)} {option('--profile', process)}",
        ]
    lines.append(f"aws sts get-caller-identity {option('--profile', name)}")
    return "\n".join(lines) + "\n"


_LOOKED_UP = {
    "mfa_serial": "\"$(aws iam list-mfa-devices --query 'MFADevices[0].SerialNumber' --output text)\"",
    "role_session_name": '"$(aws iam get-user --query User.UserName --output text)"',
}
"""Settings that the contractor's account can answer: looked up with the credentials of the default profile."""


def _terraform(handoff: Handoff, name: str, region: str) -> str:
    """Return the provider block, with comments that say what it needs."""
    allowed: Mapping[str, HclValue] = {"region": region, "allowed_account_ids": (handoff.account,)}
    if handoff.mfa:
        process, how = _process(name)
        about = [
            *_facts(handoff),
            "",
            "The AWS provider cannot ask for an MFA code. AWS CLI v2 does, with these sections of ~/.aws/config:",
            "",
            *section(handoff, name, region).splitlines(),
            "",
            f"[profile {process}]",
            f"credential_process = {how}",
            f"region = {region}",
            "",
            *_fill_in(handoff),
            f"First: aws sts get-caller-identity {option('--profile', name)}",
        ]
        block = HclBlock("provider", ("aws",), {"profile": process, **allowed})
    else:
        about = [*_facts(handoff), "", "The credentials are those of your own profile, or of the environment."]
        enter = {"role_arn": handoff.role_arn, "duration": f"{handoff.max_session}s"}
        enter |= {"external_id": handoff.external_id} if handoff.external_id else {}
        if handoff.session_name == "username":
            enter["session_name"] = USER_NAME
        block = HclBlock(
            "provider", ("aws",), allowed, (HclBlock("assume_role", settings=dict(sorted(enter.items()))),)
        )
    about.append("The region is any: set the one that you work in.")
    return "".join(f"# {line}".rstrip() + "\n" for line in about) + "\n" + hcl([block])
