"""Records as CloudTrail writes them, made by hand: for tests that need one, and for the generator."""

from __future__ import annotations

import itertools
import json
import random
from datetime import datetime, timedelta
from typing import Any

Record = dict[str, Any]

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
CLI = "aws-cli/2.31.0 md/awscrt#0.27.6 ua/2.1 os/linux md/command#s3.ls"
MCP = "https://aws-mcp.us-east-1.api.aws/mcp"


def stamp(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


class Maker:
    """Makes records of one role and one contractor, with ids that depend on the seed alone."""

    def __init__(self, owner: str, contractor: str, *, name: str = "audit", path: str = "/", seed: int = 1) -> None:
        self.owner, self.contractor, self.name = owner, contractor, name
        self.role = f"arn:aws:iam::{owner}:role{path}{name}"
        self.random = random.Random(seed)
        self.role_id = self.unique("AROA")
        self._number = itertools.count(1)

    def unique(self, kind: str) -> str:
        return kind + "".join(self.random.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", k=16))

    def uuid(self) -> str:
        text = f"{self.random.getrandbits(128):032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def record(self, at: datetime, source: str, name: str, identity: Record, **more: Any) -> Record:
        return {
            "eventVersion": "1.11",
            "userIdentity": identity,
            "eventTime": stamp(at),
            "eventSource": f"{source}.amazonaws.com",
            "eventName": name,
            "awsRegion": "us-east-1",
            "sourceIPAddress": "198.51.100.7",
            "userAgent": CLI,
            "requestParameters": None,
            "responseElements": None,
            "requestID": self.uuid(),
            "eventID": self.uuid(),
            "readOnly": name.startswith(("Get", "List", "Describe", "AssumeRole")),
            "eventType": "AwsApiCall",
            "managementEvent": True,
            "recipientAccountId": self.owner,
            "eventCategory": "Management",
            **more,
        }

    def identity(
        self, session: str, made: datetime, key: str | None, *, mfa: bool = False, role: str = "", role_id: str = ""
    ) -> Record:
        """The session of a role."""
        role, role_id = role or self.role, role_id or self.role_id
        account, name = role.split(":")[4], role.rpartition("/")[2]
        result = {
            "type": "AssumedRole",
            "principalId": f"{role_id}:{session}",
            "arn": f"arn:aws:sts::{account}:assumed-role/{name}/{session}",
            "accountId": account,
            "accessKeyId": key,
            "sessionContext": {
                "sessionIssuer": {
                    "type": "Role",
                    "principalId": role_id,
                    "arn": role,
                    "accountId": account,
                    "userName": name,
                },
                "attributes": {"creationDate": stamp(made), "mfaAuthenticated": str(mfa).lower()},
            },
        }
        if key is None:
            del result["accessKeyId"]
        return result

    def entry(
        self,
        at: datetime,
        session: str,
        key: str,
        *,
        user: str = "carol",
        device: bool = False,
        source_identity: str = "",
        mfa: bool = False,
        error: str = "",
    ) -> tuple[Record, Record]:
        """AssumeRole by a user of the contractor: as the owner sees it, and as the contractor does."""
        unique = f"AIDA{user.upper():X<16}"
        asked: Record = {"roleArn": self.role, "roleSessionName": session, "externalId": "vk-0123456789abcdef"}
        if device:
            asked["serialNumber"] = f"arn:aws:iam::{self.contractor}:mfa/{user}"
        if source_identity:
            asked["sourceIdentity"] = source_identity
        given = {
            "credentials": {"accessKeyId": key, "expiration": stamp(at + timedelta(hours=1))},
            "assumedRoleUser": {
                "assumedRoleId": f"{self.role_id}:{session}",
                "arn": f"arn:aws:sts::{self.owner}:assumed-role/{self.name}/{session}",
            },
        }
        if error:
            given = None  # type: ignore[assignment]
        both = {"requestParameters": asked, "responseElements": given, "sharedEventID": self.uuid()}
        if error:
            both["errorCode"] = error
        outsider = {"type": "AWSAccount", "principalId": unique, "accountId": self.contractor}
        person: Record = {
            "type": "IAMUser",
            "principalId": unique,
            "arn": f"arn:aws:iam::{self.contractor}:user/{user}",
            "accountId": self.contractor,
            "accessKeyId": f"AKIA{user.upper():X<16}",
            "userName": user,
        }
        if mfa:
            person["sessionContext"] = {"attributes": {"creationDate": stamp(at), "mfaAuthenticated": "true"}}
        ours = self.record(at, "sts", "AssumeRole", outsider, **both)
        theirs = self.record(at, "sts", "AssumeRole", person, **both, recipientAccountId=self.contractor)
        return ours, theirs


def trail(records: list[Record]) -> bytes:
    """A file of a trail, as CloudTrail writes it: one line."""
    return json.dumps({"Records": records}, separators=(",", ":")).encode()
