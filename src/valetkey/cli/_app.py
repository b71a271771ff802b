"""The command line's table of contents. Commands are loaded when used."""

from __future__ import annotations

from cyclopts import App, Group, Parameter

import valetkey
from valetkey.cli._completion import Completing

OWNER = Group.create_ordered("Owner")
CONTRACTOR = Group.create_ordered("Contractor")
AUDIT = Group.create_ordered("Audit")
TRY = Group.create_ordered("Try it")

COMMANDS: tuple[tuple[str, str, Group, str], ...] = (
    ("grant", "grant:grant", OWNER, "Let a contractor in: show the trust to be right, then create the role."),
    ("list", "list:list_", OWNER, "List the grants of this account."),
    ("show", "show:show", OWNER, "Show one grant: terms, trust, proof, days left."),
    ("handoff", "handoff:handoff", OWNER, "Write the file that the contractor needs."),
    ("revoke", "revoke:revoke", OWNER, "Take the access back, live sessions included."),
    ("request", "request:request", CONTRACTOR, "Write an access request for a customer."),
    ("accept", "accept:accept", CONTRACTOR, "Check a handoff and write the AWS profile for it."),
    (
        "customers",
        "customers:customers",
        CONTRACTOR,
        "List your customers: account, session time left, end of the grant.",
    ),
    ("verify", "verify:verify", CONTRACTOR, "Get in the right way, and be refused every wrong way."),
    ("login", "login:login", CONTRACTOR, "Ask for the MFA code now; keep the access key in the keyring."),
    ("doctor", "doctor:doctor", CONTRACTOR, "Why not? What stands in the way of a role, and what to do."),
    ("exec", "exec:exec_", CONTRACTOR, "Run a command with a grant's credentials and no others."),
    ("env", "env:env", CONTRACTOR, "Print a grant's credentials as shell variables."),
    ("serve", "serve:serve", CONTRACTOR, "Answer SDKs over HTTP on this computer."),
    ("credential-process", "credential_process:credential_process", CONTRACTOR, "Answer an SDK."),
    ("terraform", "terraform:terraform", CONTRACTOR, "Print Terraform's provider and backend blocks."),
    ("console", "console:console", CONTRACTOR, "Open the AWS console through a grant."),
    ("audit", "audit:audit", AUDIT, "Audit who outside an account gets into its roles, by proof."),
    ("who", "who:who", AUDIT, "List who gets in through a trust policy, offline."),
    ("prove", "prove:prove", AUDIT, "Prove that a trust policy admits nobody else, offline."),
    ("decide", "decide:decide", AUDIT, "Decide requests against policies, offline."),
    ("demo", "demo:demo", TRY, "Watch the whole story on a fresh sandbox."),
    ("sandbox", "sandbox:app", TRY, "AWS on this computer, IAM enforced, MFA real."),
)


def build() -> App:
    """The application; nothing of a command is imported before it is called (or its help is printed)."""
    app = Completing(
        name="valetkey",
        help="Let an outside party into your AWS account through one role, and take the access back.",
        version=valetkey.__version__,
        help_epilogue="Every command takes --debug: a traceback instead of the error in words.",
        help_format="plaintext",
        result_action="return_value",
        # "off", "none" and "empty" go without saying.
        default_parameter=Parameter(show_default=lambda value: str(value) if value else None),
    )
    for name, target, group, summary in COMMANDS:
        app.command(f"valetkey.cli.commands.{target}", name=name, group=group, help=summary)
    app.register_install_completion_command(help="Set up completion in your shell.")
    return app
