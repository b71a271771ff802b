"""valetkey audit: who outside an account gets in, and what is wrong with that."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from valetkey.cli._options import OwnerAccount
from valetkey.errors import ValetkeyError


def audit(
    *files: Annotated[str, Parameter(allow_leading_hyphen=True)],
    owner: str | None = None,
    own_accounts: str | None = None,
    org_id: str | None = None,
    known_accounts: Path | None = None,
    baseline: Path | None = None,
    fail_on: Literal["info", "low", "medium", "high", "critical"] = "medium",
    show_external_id: Annotated[bool, Parameter(negative="")] = False,
    format: Literal["table", "json", "sarif", "html"] = "table",  # noqa: A002 - the flag's name
    json_: Annotated[bool, Parameter(name="--json", negative="", help="Short for --format json.")] = False,
    account: OwnerAccount = OwnerAccount(),  # noqa: B008
) -> int:
    """Audit which outside parties can assume an account's roles. 1 with findings at or over --fail-on, or undecided.

    Parameters
    ----------
    files
        GetAccountAuthorizationDetails, CloudFormation templates, `terraform show -json`, a trust policy; - is standard
        input. Without a file: the live account.
    owner
        The account that the roles are in, where the files do not say it.
    own_accounts
        Accounts that are yours too: ids with commas between, or a file.
    org_id
        Your organisation, o-...
    known_accounts
        Names of outside accounts, as in fwdcloudsec/known_aws_accounts. A label only.
    baseline
        Findings that are accepted, each with a reason and an end.
    fail_on
        The least severity that makes the exit code 1.
    show_external_id
        Do not mask ExternalIds.
    format
        How to print the result.
    """
    import valetkey
    from valetkey.audit import audit as judge
    from valetkey.audit.workers import verdicts
    from valetkey.cli import _auditing
    from valetkey.cli._misuse import refuse_options
    from valetkey.report.audit import proving, say_audit, say_audit_json

    refuse_options(files, "audit")
    if files and account.expect_account is not None:
        raise ValetkeyError(
            "--expect-account is about credentials, and files need none", do="leave it out, or use --owner"
        )
    now = datetime.now(UTC)
    scope, accepted = _auditing.scope(own_accounts, org_id, known_accounts), _auditing.baseline(baseline)
    found = _auditing.of_files(files, owner, account) if files else _auditing.live(owner, account)
    done = verdicts(found, scope=scope, now=now, cores=_auditing.cores(), progress=proving)
    answer = judge(found, scope=scope, now=now, baseline=accepted, verdicts=done, progress=None if done else proving)
    if json_ or format == "json":
        say_audit_json(answer, show_ids=show_external_id)
    elif format == "sarif":
        from valetkey.report.sarif import say_sarif

        say_sarif(answer, version=valetkey.__version__, show_ids=show_external_id)
    elif format == "html":
        from valetkey.report.html import say_html

        say_html(answer, fail_on=fail_on, show_ids=show_external_id, version=valetkey.__version__)
    else:
        say_audit(answer, fail_on=fail_on, show_ids=show_external_id)
    return 1 if answer.failing(fail_on) else 0
