"""`valetkey list --check` over 1,000 grants: AWS calls, and this process's CPU time, on an account in memory.

The grants have AWS's 40 longest policies; AWS has added to half of them since. There is no peer: no other tool compares
AWS's changes to a policy with what was agreed.
"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.iam.aws_managed_policies import aws_managed_policies_data
from tests.unit.grants.fake_iam import FakeIam

from valetkey.account.calls import Call
from valetkey.grants.grant import Grant
from valetkey.grants.growth import read_versions
from valetkey.grants.listing import listed
from valetkey.grants.plan import plan
from valetkey.grants.role import read_owner, read_roles
from valetkey.grants.status import read_grants
from valetkey.trust import Terms

GRANTS, POLICIES, EACH, PAGE = 1_000, 40, 3, 100
NOW = datetime(2026, 11, 29, tzinfo=UTC)


class _Account(FakeIam):
    """An account that returns 100 roles per page, as AWS does."""

    def _get_account_authorization_details(
        self, call: Call, Filter: list[str], MaxItems: int, Marker: str = "0"
    ) -> dict[str, Any]:
        roles = list(self.roles.values())[int(Marker) : (end := int(Marker) + PAGE)]
        details = [
            {
                **role,
                "RolePolicyList": [
                    {"PolicyName": item, "PolicyDocument": role["inline"][item]} for item in role["inline"]
                ],
                "AttachedManagedPolicies": [{"PolicyArn": arn} for arn in role["managed"]],
            }
            for role in roles
        ]
        more = end < len(self.roles)
        return {"RoleDetailList": details, "IsTruncated": more, **({"Marker": str(end)} if more else {})}


def _account() -> _Account:
    data = json.loads(aws_managed_policies_data)
    made = _Account("111111111111")
    longest = sorted(data, key=lambda name: -len(json.dumps(data[name]["Document"])))[:POLICIES]
    for number, name in enumerate(longest):
        document = data[name]["Document"]
        made.policies[arn := f"arn:aws:iam::aws:policy{data[name]['Path']}{name}"] = document
        statements = document["Statement"]
        before = {**document, "Statement": statements[: max(1, len(statements) // 2)]}
        made.versions[arn] = {"v1": before, "v2": document} if number % 2 else {"v1": document}
    arns = list(made.versions)
    for number in range(GRANTS):
        carried = tuple(arns[(number + step * 7) % POLICIES] for step in range(EACH))
        terms = Terms(contractor=f"{200000000000 + number}", external_id="x" * 20, until=NOW + timedelta(days=90))
        versions = tuple((arn, "v1") for arn in carried)
        wanted = Grant(name=f"r{number}", account=made.account, terms=terms, managed=carried, versions=versions)
        for call in plan(wanted, None):
            made(call)
    return made


def run() -> None:
    """Print calls and seconds. Goal: under 30 s of CPU time, and no call per grant."""
    account, calls = _account(), []
    account.before = lambda call: calls.append(call.operation)
    begun, within = time.process_time(), timedelta(days=30)
    owner = read_owner(account)
    standings, damaged = read_grants(read_roles(account))
    read = time.process_time() - begun
    versions = read_versions(standings, account)
    grants = listed(owner, standings, damaged, now=NOW, within=within, unused=timedelta(days=90), versions=versions)
    seconds = time.process_time() - begun
    problems = sum("granted as" in problem for one in grants.listed for problem in one.problems)
    print(f"   {len(grants.listed)} grants, {POLICIES} policies of AWS's: {problems} problems")
    print(
        f"   {len(calls)} calls, {seconds:.1f} s of this process, {read:.1f} s of them for the grants' terms and drift"
    )
