"""Output of texts for a party without valetkey."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from valetkey.commandline import file_word, option
from valetkey.report.results import texts as results
from valetkey.report.text import say, say_json

if TYPE_CHECKING:
    from valetkey.exchange.files import AccessRequest
    from valetkey.exchange.texts.letters import Sent
    from valetkey.exchange.texts.proof import SetupTool
    from valetkey.exchange.texts.roles import WantedRole
    from valetkey.grants.role import Owner


def say_request_text(
    request: AccessRequest, tool: SetupTool, role: WantedRole, sent: Sent, path: Path, *, link: str, as_json: bool
) -> None:
    """Print the mail to the owner on stdout; on stderr what was written, what was proved, and the next step."""
    from valetkey.exchange.files import fingerprint
    from valetkey.exchange.texts.quick_create import sha256

    if as_json:
        say_json(
            results.RequestText(
                valetkey="request-text/v1",
                tool=tool,
                file=str(path),
                sha256=sha256(sent.text),
                fingerprint=fingerprint(request),
                customer=request.customer or None,
                account=request.account,
                external_id=request.external_id,
                role_name=role.name,
                policies=list(role.managed),
                proof=results.TextProof(holds=sent.proof.holds, failures=list(sent.proof.failures)),
                quick_create=link or None,
                mail=sent.mail,
            )
        )
        return
    say(sent.mail.rstrip("\n"))
    if request.identity == "iam-role":
        say(
            f"note: the role lets in {request.identity_arn} alone. If your role has a path, that must be its full ARN: "
            "valetkey knows it where your account allows iam:GetRole on it.",
            stderr=True,
        )
    customer = request.customer or "NAME"
    what = "this mail" if tool == "console" else "this mail, with that file"
    say(
        "",
        f"Wrote {path}. Proved from its text: the role admits account {request.account} with this ExternalId and "
        f"{'MFA' if role.terms.mfa else 'as the named role alone'}, and nobody else.",
        f"Send {what}. When the role's ARN comes back: valetkey accept --role ARN {option('--customer', customer)}",
        stderr=True,
    )


def say_handover(owner: Owner, text: str, form: str, out: Path | None, *, as_json: bool) -> None:
    """Print the text for a contractor, on stdout if no file was named."""
    from valetkey.report.grants import say_account

    say_account(owner)
    if as_json:
        file = None if out is None else str(out)
        say_json(results.HandoverText(valetkey="handover-text/v1", form=form, file=file, text=text))
    elif out is None:
        say(text.rstrip("\n"))
    else:
        say(f"{out} written. It holds no secret; send it as you like.")


def say_command(line: str, files: tuple[str, ...], name: str, *, as_json: bool) -> None:
    """Print the `grant` command of a role, and on stderr the files that it needs."""
    if as_json:
        say_json(results.GrantCommand(valetkey="command/v1", name=name, command=line, files=list(files)))
        return
    say(line)
    for file in files:
        policy = f"policy-{file.removeprefix('./').removesuffix('.json')}"
        get = f"aws iam get-role-policy {option('--role-name', name)} {option('--policy-name', policy)}"
        save = f"{get} --query PolicyDocument > {file_word(file)}"
        say(f"{file} is the role's inline policy {policy}: {save}", stderr=True)
