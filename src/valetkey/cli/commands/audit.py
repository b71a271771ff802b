"""valetkey audit: which outside parties are admitted, and what is wrong with that."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from valetkey.cli._options import OwnerAccount
from valetkey.errors import ValetkeyError
from valetkey.report import formats

if TYPE_CHECKING:
    Format = str
else:
    Format = Literal[formats.names()]


def audit(
    *files: Annotated[str, Parameter(allow_leading_hyphen=True)],
    owner: str | None = None,
    own_accounts: str | None = None,
    org_id: str | None = None,
    known_accounts: Path | None = None,
    baseline: Path | None = None,
    fail_on: Literal["info", "low", "medium", "high", "critical"] = "medium",
    show_external_id: Annotated[bool, Parameter(negative="")] = False,
    allow_incomplete: Annotated[bool, Parameter(negative="")] = False,
    format: Format = formats.DEFAULT,  # noqa: A002 - the flag's name
    json_: Annotated[bool, Parameter(name="--json", negative="", help="Short for --format json.")] = False,
    account: OwnerAccount = OwnerAccount(),  # noqa: B008
) -> int:
    """Audit which outside parties can assume an account's roles.

    Exit code 1: findings at or above --fail-on, undecided roles, or something that was not read.

    Parameters
    ----------
    files
        GetAccountAuthorizationDetails, CloudFormation templates, `terraform show -json`, a trust policy; - is standard
        input. Without a file: the live account.
    owner
        The account of the roles, if the files do not contain it.
    own_accounts
        Other accounts of yours: ids with commas between, or a file.
    org_id
        Your organisation, o-...
    known_accounts
        More names of outside accounts, as in fwdcloudsec/known_aws_accounts. A label only.
    baseline
        A file of accepted findings, each with a reason and an end date.
    fail_on
        The lowest severity that sets exit code 1.
    show_external_id
        Do not mask ExternalIds.
    allow_incomplete
        Pass although a role, trust policy or permission was not read or resolved. It is still reported.
    format
        How to print the result.
    """
    import valetkey
    from valetkey.audit import audit as judge
    from valetkey.audit.workers import verdicts
    from valetkey.cli import _auditing
    from valetkey.cli._misuse import refuse_options
    from valetkey.report.progress import proving

    refuse_options(files, "audit")
    if files and account.expect_account is not None:
        raise ValetkeyError(
            "--expect-account is about credentials, and files need none", do="leave it out, or use --owner"
        )
    now = datetime.now(UTC)
    scope, accepted = _auditing.scope(own_accounts, org_id, known_accounts), _auditing.baseline(baseline)
    result, line_of = _auditing.of_files(files, owner, account) if files else (_auditing.live(owner, account), _no_line)
    done = verdicts(result, scope=scope, now=now, cores=_auditing.cores(), progress=proving)
    progress = None if done else proving
    answer = judge(result, scope=scope, now=now, baseline=accepted, verdicts=done, progress=progress, line_of=line_of)
    how = formats.How(
        fail_on=fail_on,
        allow_incomplete=allow_incomplete,
        show_ids=show_external_id,
        version=valetkey.__version__,
    )
    formats.write("json" if json_ else format, answer, how)
    return 1 if answer.failing(fail_on, allow_incomplete=allow_incomplete) else 0


def _no_line(place: str) -> int | None:
    return None
