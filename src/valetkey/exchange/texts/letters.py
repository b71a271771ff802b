"""The mail to an owner without valetkey: what the text does, how to use it, what to send back."""

from __future__ import annotations

from dataclasses import dataclass, replace

from valetkey.commandline import file_word
from valetkey.exchange.texts.proof import SetupTool, prove_text, written
from valetkey.exchange.texts.quick_create import acknowledge, sha256
from valetkey.exchange.texts.roles import WantedRole
from valetkey.times import moment
from valetkey.trust.showing import ProvedTrust


@dataclass(frozen=True)
class Sent:
    """What is sent to the owner."""

    text: str
    """The proved text of the file."""
    mail: str
    """The mail that goes with it. For the console, the mail is the file."""
    proof: ProvedTrust


def sent(tool: SetupTool, role: WantedRole, *, file: str, reason: str = "") -> Sent:
    """Return the text for a tool and the mail, as they are sent. Raises TextNotProved, or what the writers raise.

    INVARIANT: the console steps are proved exactly as they appear in the mail.
    """
    text, proof = written(tool, role)
    mail = letter(tool, role, text, file=file, reason=reason)
    if tool == "console":
        return Sent(mail, mail, prove_text(tool, mail, role))
    return Sent(text, mail, proof)


def with_link(before: Sent, role: WantedRole, *, file: str, reason: str, quick_create: str) -> Sent:
    """Return the same for CloudFormation, with a quick-create link in the mail."""
    mail = letter("cloudformation", role, before.text, file=file, reason=reason, quick_create=quick_create)
    return replace(before, mail=mail)


def letter(tool: SetupTool, role: WantedRole, text: str, *, file: str, reason: str = "", quick_create: str = "") -> str:
    """Return the mail's text. `file` is the name of the attached text; `quick_create` is the link, or empty.

    For the console, the mail contains all steps and nothing is attached.
    """
    terms = role.terms
    until = f"before {moment(terms.until)}" if terms.until else "without an end: you have to delete it some day"
    who = f"account {terms.contractor}, by people signed in with MFA" if terms.mfa else ", ".join(terms.only)
    opening = [
        "Please create one IAM role in your AWS account, through which we work for you.",
        *([f"What for: {reason}"] if reason else []),
        "",
        f"Role        {role.name}",
        f"Lets in     {who}",
        f"ExternalId  {terms.external_id} (ours, for you alone)",
        f"Until       {until}",
        f"Policies    {', '.join(arn.rsplit('/', 1)[-1] for arn in role.managed)}; these are our wish, you decide",
        "",
    ]
    return "\n".join([*opening, *_steps(tool, text, file, quick_create), "", *_CLOSING]) + "\n"


_CLOSING = (
    "Send us the role's ARN (arn:aws:iam::...:role/...). It is no secret, and neither is the ExternalId.",
    "Compare our account id with the one in our contract before you create anything: anybody can write such a mail.",
    "You end the access by deleting the role. Sessions that are open lose their permissions with it, within minutes.",
)


def _steps(tool: SetupTool, text: str, file: str, quick_create: str) -> list[str]:
    match tool:
        case "console":
            return [text.rstrip("\n")]
        case "cloudformation":
            upload = (
                (
                    f"Attached is {file}. In the CloudFormation console choose Create stack, With new resources, "
                    f"Upload a template file, and {acknowledge()}. Or with the AWS CLI:"
                ),
                (
                    f"  aws cloudformation deploy --stack-name STACK --template-file {file_word(file)} "
                    "--capabilities CAPABILITY_NAMED_IAM"
                ),
                "The stack's output RoleArn is the role's ARN.",
            )
            by_link = (
                "Or open this link, which fills the page in from a copy of the same file, and " + acknowledge() + ":",
                f"  {quick_create}",
            )
            check = f"The SHA-256 of the file is {sha256(text)}."
            return [*upload, *(by_link if quick_create else ()), check]
        case "terraform":
            return [
                (
                    f"Attached is {file}. Put it into a Terraform configuration whose AWS provider works in your "
                    "account, and run:"
                ),
                "  terraform init && terraform apply",
                "The output role_arn is the role's ARN.",
                f"The SHA-256 of the file is {sha256(text)}.",
            ]
        case "shell":
            return [
                f"Attached is {file}. Read it, and run it with the AWS CLI's credentials of your account:",
                f"  sh {file_word(file)}",
                "The last line that it prints is the role's ARN.",
                f"The SHA-256 of the file is {sha256(text)}.",
            ]
