"""Where a policy document comes from, which decides what a unique id in its Principal element means."""

from __future__ import annotations

from enum import Enum


class Origin(Enum):
    """Whether IAM has read a document yet.

    IAM accepts the unique id of a user or role (AIDA..., AROA...) as a principal, and resolves it when the document is
    saved. From then on it returns the ARN, and the id only once the principal has been deleted (IAM User Guide,
    reference_policies_elements_principal). So the same text means two things.
    """

    SENT = "sent"
    """To be sent: a template, a plan, a state, a file. A unique id is a live principal, of whichever account."""
    RETURNED = "returned"
    """Returned by IAM (GetRole, ListRoles, GetAccountAuthorizationDetails). A unique id is a deleted principal."""
