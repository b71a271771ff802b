"""Principal entries as people and tools write them, of which none is an entry that AWS takes."""

from __future__ import annotations

from typing import Any

from tests.unit.audit.roles import OWN, A

STRANGE: tuple[tuple[str, Any], ...] = (
    # An account, nearly.
    ("AWS", f" {A}"),
    ("AWS", f"{A} "),
    ("AWS", f"\t{A}\n"),
    ("AWS", f"\u00a0{A}"),
    ("AWS", f" {OWN}"),
    ("AWS", "\uff12" * 12),
    ("AWS", A[:11]),
    ("AWS", f"{A}2"),
    ("AWS", "2222-2222-2222"),
    # An ARN, nearly.
    ("AWS", f" arn:aws:iam::{A}:root"),
    ("AWS", f"arn:aws:iam::{A}:root "),
    ("AWS", f"arn:aws:iam:{A}:root"),
    ("AWS", f"arn:aws:iam::{A}"),
    ("AWS", f"arn:aws:iam::{A}:"),
    ("AWS", f"ARN:AWS:IAM::{A}:ROOT"),
    ("AWS", f"arn:asw:iam::{A}:root"),
    ("AWS", f"arn:aws-foo:iam::{A}:root"),
    ("AWS", f"arn:aws:iam:eu-west-1:{A}:root"),
    ("AWS", f"arn:aws:iam::{A}:user/bob "),
    ("AWS", f"arn:aws:iam::{A}:user/two words"),
    ("AWS", f"arn:aws:iam::{A}:Role/x"),
    ("AWS", f"arn:aws:iam::{A}:group/all"),
    ("AWS", f"arn:aws:iam::{OWN}:{A}:root"),
    ("AWS", "arn:aws:s3:::bucket"),
    ("AWS", f"arn:aws:iam::{OWN}:oidc-provider/token.actions.githubusercontent.com"),
    # Wildcards.
    ("AWS", "**"),
    ("AWS", "?"),
    ("AWS", " *"),
    ("AWS", f"{A[:9]}*"),
    ("AWS", f"arn:aws:iam::{A}:role/*"),
    ("AWS", "arn:aws:iam::*:root"),
    ("Service", "*"),
    ("Service", "*.amazonaws.com"),
    ("Federated", "*"),
    ("Federated", f"arn:aws:iam::{OWN}:oidc-provider/*"),
    ("CanonicalUser", "*"),
    # Other ids, other kinds.
    ("AWS", "AGPAEXAMPLEEXAMPLE12"),
    ("AWS", "aroaexampleexample12"),
    ("AWS", "AROA"),
    ("AWS", "ec2.amazonaws.com"),
    ("AWS", "anonymous"),
    ("Service", " ec2.amazonaws.com"),
    ("Service", "ec2.amazonaws.com\u200b"),
    ("Service", "ec2"),
    ("Service", A),
    ("Federated", "corp"),
    ("Federated", A),
    ("CanonicalUser", "a" * 64),
    ("CanonicalUser", "x"),
    ("aws", A),
    ("AWS ", A),
    ("Account", A),
    ("", A),
    # Nothing, or not a text.
    ("AWS", ""),
    ("AWS", " "),
    ("AWS", ["", OWN]),
    ("AWS", [[A]]),
    ("AWS", None),
    ("AWS", True),
    ("AWS", 5),
    ("AWS", int(A)),
    ("AWS", 2.5),
    ("AWS", {"Ref": "Partner"}),
    ("Service", ""),
    ("Service", None),
    ("Federated", ""),
    ("Federated", 7),
)
"""Kind of principal, and what stands under it."""
