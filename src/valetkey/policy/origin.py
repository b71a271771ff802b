"""The origin of a policy document, which decides what a unique id in its Principal element means."""

from __future__ import annotations

from enum import Enum


class Origin(Enum):
    """Whether IAM has already saved a document.

    IAM accepts the unique id of a user or role (AIDA..., AROA...) as a principal, and resolves it when the document is
    saved. After that it returns the ARN, or the id once the principal has been deleted (IAM User Guide,
    reference_policies_elements_principal). So the same id has two meanings.
    """

    SENT = "sent"
    """To be sent: a template, a plan, a state, a file. A unique id is an existing principal of an unknown account."""
    RETURNED = "returned"
    """Returned by IAM (GetRole, ListRoles, GetAccountAuthorizationDetails). A unique id is a deleted principal."""
