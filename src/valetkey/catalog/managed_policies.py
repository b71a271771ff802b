"""AWS managed policies used by name in valetkey: the default of a grant, and those under job-function/."""

from __future__ import annotations

DEFAULT_POLICIES = ("SecurityAudit", "job-function/ViewOnlyAccess")
"""The policies of a grant if none is named. They read configuration and hardly any data (see docs/owner.md)."""

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
