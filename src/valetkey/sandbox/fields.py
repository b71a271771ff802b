"""Names, paths and characters that IAM and STS accept.

AWS: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html ("IAM name requirements") and the
parameters' patterns in IAM's API reference.

Replaces: nothing; ministack accepts any name and writes it into its XML unchanged. Called by enforce.py.
"""

from __future__ import annotations

import re

from valetkey.sandbox.call import AwsCall

_NAME = r"[\w+=,.@-]+"
_FIELDS = {
    "UserName": (_NAME, 64),
    "RoleName": (_NAME, 64),
    "GroupName": (_NAME, 128),
    "PolicyName": (_NAME, 128),
    "InstanceProfileName": (_NAME, 128),
    "VirtualMFADeviceName": (_NAME, 226),
    "SerialNumber": (r"[\w+=/:,.@-]+", 256),
    "Path": (r"/|/[\x21-\x7E]+/", 512),
    "PathPrefix": (r"/[\x21-\x7E]*", 512),
}
# Characters that XML 1.0 cannot represent.
_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def invalid(call: AwsCall) -> str | None:
    """Return the message about a parameter that IAM or STS does not accept, or None."""
    for name, value in call.params.items():
        if _UNWRITABLE.search(name + value):
            return "The request contains characters that cannot be part of an answer."
    if call.service != "iam":
        return None
    for name, (pattern, longest) in _FIELDS.items():
        given = call.get(name)
        if given and len(given) > longest:
            rule = f"Member must have length less than or equal to {longest}"
        elif given and not re.fullmatch(pattern, given, re.ASCII):
            rule = f"Member must satisfy regular expression pattern: {pattern}"
        else:
            continue
        shown = name[:1].lower() + name[1:]
        return f"1 validation error detected: Value '{given}' at '{shown}' failed to satisfy constraint: {rule}"
    return None
