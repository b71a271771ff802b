"""The table of commands: name, function, panel of the help, and one sentence saying what the command does."""

from __future__ import annotations

from cyclopts import Group

OWNER = Group.create_ordered("Owner")
CONTRACTOR = Group.create_ordered("Contractor")
AUDIT = Group.create_ordered("Audit")
TRY = Group.create_ordered("Try it")

COMMANDS: tuple[tuple[str, str, Group, str], ...] = (
    ("grant", "grant:grant", OWNER, "Create a role for a contractor, after its trust policy is proved."),
    ("adopt", "adopt:adopt", OWNER, "Turn an existing role into a grant."),
    ("list", "list:list_", OWNER, "List the grants in this account."),
    ("show", "show:show", OWNER, "Show one grant: terms, trust policy, proof, days left."),
    ("can", "can:can", OWNER, "Decide whether a grant's sessions may do something."),
    ("handoff", "handoff:handoff", OWNER, "Write the file that the contractor needs."),
    ("change", "change:change", OWNER, "Change a grant in place: terms, principals, policies."),
    ("extend", "extend:extend", OWNER, "Move the end of a grant to a later time."),
    ("rotate", "rotate:rotate", OWNER, "Replace the ExternalId of a grant, with an overlap."),
    ("suspend", "suspend:suspend", OWNER, "Deny everything to all sessions of a grant, for a time."),
    ("resume", "resume:resume", OWNER, "End the suspension of a grant."),
    ("revoke", "revoke:revoke", OWNER, "End a grant: deny its live sessions and delete the role."),
    ("review", "review:app", OWNER, "Review all outside access, and end the grants that are not kept."),
    ("activity", "activity:activity", OWNER, "Show who assumed a role and what they did, from CloudTrail."),
    ("request", "request:request", CONTRACTOR, "Write an access request for a customer."),
    ("accept", "accept:accept", CONTRACTOR, "Check a handoff and write the AWS profile for it."),
    ("import", "import_:import_", CONTRACTOR, "Import profiles that you wrote by hand in the AWS config."),
    (
        "customers",
        "customers:customers",
        CONTRACTOR,
        "List your customers: account, session time left, end of the grant.",
    ),
    ("verify", "verify:verify", CONTRACTOR, "Test that the role admits you, and only under its conditions."),
    ("login", "login:login", CONTRACTOR, "Enter the MFA code now; keep the access key in the keyring."),
    ("logout", "logout:logout", CONTRACTOR, "Delete the kept sessions, also from the keyring."),
    ("forget", "forget:forget", CONTRACTOR, "Remove a customer's profile from this computer."),
    ("doctor", "doctor:doctor", CONTRACTOR, "Diagnose why a role refuses you, and show what to do."),
    ("exec", "exec:exec_", CONTRACTOR, "Run a command with a grant's credentials and no others."),
    ("use", "use:use", CONTRACTOR, "Select a customer's profile for this shell."),
    ("shell-init", "shell_init:shell_init", CONTRACTOR, "Print the shell function that `use` needs."),
    ("env", "env:env", CONTRACTOR, "Print a grant's credentials as shell variables."),
    ("serve", "serve:serve", CONTRACTOR, "Serve credentials to SDKs over HTTP on this computer."),
    (
        "credential-process",
        "credential_process:credential_process",
        CONTRACTOR,
        "Print credentials for an SDK (credential_process).",
    ),
    ("terraform", "terraform:terraform", CONTRACTOR, "Print Terraform provider and backend blocks."),
    ("console", "console:console", CONTRACTOR, "Open the AWS console through a grant."),
    ("audit", "audit:audit", AUDIT, "Audit which outside parties can assume an account's roles."),
    ("who", "who:who", AUDIT, "List who can assume a role with a given trust policy, offline."),
    ("prove", "prove:prove", AUDIT, "Prove that a trust policy admits only the intended callers, offline."),
    ("decide", "decide:decide", AUDIT, "Decide requests against policies, offline."),
    ("demo", "demo:demo", TRY, "Run a complete example on a new sandbox."),
    ("sandbox", "sandbox:app", TRY, "Run several AWS accounts on this computer, with IAM and MFA enforced."),
)

HIDDEN = frozenset({"credential-process", "decide"})
"""Called by programs: not listed in `--help`; `valetkey NAME --help` and the reference pages describe them."""
