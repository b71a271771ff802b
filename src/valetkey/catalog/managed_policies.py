"""AWS managed policies that are named here: the default of a grant, and those under job-function/."""

from __future__ import annotations

DEFAULT_POLICIES = ("SecurityAudit", "job-function/ViewOnlyAccess")
"""What a grant has if nobody names a policy. They read configuration and hardly any data (docs/owner.md says which)."""

JOB_FUNCTIONS = frozenset(
    {
        "Billing",
        "DatabaseAdministrator",
        "DataScientist",
        "NetworkAdministrator",
        "SupportUser",
        "SystemAdministrator",
        "ViewOnlyAccess",
    }
)
"""Names with the path job-function/ (IAM User Guide, access_policies_job-functions)."""
