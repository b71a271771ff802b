"""The two condition keys of the terms, in AWS's spelling. Condition keys are case-insensitive.

Source: IAM User Guide, reference_policies_condition-keys and reference_policies_iam-condition-keys.
"""

from __future__ import annotations

EXTERNAL_ID = "sts:ExternalId"
MFA_PRESENT = "aws:MultiFactorAuthPresent"
EXTERNAL_ID_LOWER = EXTERNAL_ID.lower()
MFA_PRESENT_LOWER = MFA_PRESENT.lower()
