"""A trail of an organization with a truth table: the same bytes for the same seed.

    python -m tests.trails.generate FOLDER [FILES] [RECORDS]

What the sessions of the one role did is counted here as it is made, by code of its own: the truth does not know how a
trail is read. Every kind of session occurs; the rest is noise of other roles, users and services.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.trails.records import BROWSER, MCP, Maker, Record, stamp

OWNER, CONTRACTOR, PRODUCTION = "111111111111", "222222222222", "333333333333"
ORGANIZATION = "o-abcdefghij"
REGIONS = ("us-east-1", "eu-central-1", "eu-west-1")
START = datetime(2026, 11, 2, tzinfo=UTC)
DAYS = 14


@dataclass
class True_:
    """What one session did."""

    kind: str
    person: str
    mfa: str
    calls: int = 0
    denied: int = 0
    writes: int = 0
    data_reads: int = 0
    by_services: int = 0
    actions: Counter[str] = field(default_factory=Counter)
    """ "iam:ListUsers" or "iam:ListUsers!AccessDenied", and how often."""


@dataclass
class Truth:
    """What is in the trail."""

    role: str
    sessions: list[True_]
    files: int
    records: int
    size: int
    """Bytes, gunzipped."""

    def counted(self) -> Counter[tuple[Any, ...]]:
        """Sessions as values that can be compared, whatever their order."""
        return Counter(
            (
                true.kind,
                true.person,
                true.mfa,
                true.calls,
                true.denied,
                true.writes,
                true.data_reads,
                true.by_services,
                tuple(sorted(true.actions.items())),
            )
            for true in self.sessions
        )


class Story:
    """Sessions of the role, their records, and the truth about them."""

    def __init__(self, seed: int) -> None:
        self.maker = Maker(OWNER, CONTRACTOR, path="/partners/", seed=seed)
        self.records: list[tuple[str, Record]] = []
        """Account of the trail, and record."""
        self.sessions: list[True_] = []

    def put(self, record: Record) -> None:
        self.records.append((record["recipientAccountId"], record))

    def act(
        self,
        true: True_,
        at: datetime,
        source: str,
        name: str,
        identity: Record,
        *,
        error: str = "",
        write: bool = False,
        **more: Any,
    ) -> Record:
        if error:
            more["errorCode"] = error
        record = self.maker.record(at, source, name, identity, **more)
        if write:
            record["readOnly"] = False
        self.put(record)
        true.calls += 1
        true.actions[f"{source}:{name}{'!' + error if error else ''}"] += 1
        true.denied += error in ("AccessDenied", "Client.UnauthorizedOperation")
        true.writes += write and not error
        true.by_services += "invokedBy" in identity and not error
        true.data_reads += more.get("eventCategory") == "Data" and not write and not error
        return record

    def cli(self, at: datetime, *, device: bool = True, named: bool = False) -> tuple[True_, Record, str]:
        make = self.maker
        user = make.random.choice(("carol", "dave", "erin"))
        key = make.unique("ASIA")
        true = True_("cli", user, "yes" if device else "no")
        self.sessions.append(true)
        both = make.entry(at, f"{user}-{make.random.randrange(1000)}", key, user=user, device=device,
                          source_identity=user if named else "")  # fmt: skip
        for item in both:
            self.put(item)
        session = both[0]["requestParameters"]["roleSessionName"]
        identity = make.identity(session, at, key)
        if named:
            identity["sessionContext"]["sourceIdentity"] = user
        for number in range(make.random.randrange(3, 12)):
            when = at + timedelta(seconds=20 * (number + 1))
            source, name = make.random.choice(_READS)
            self.act(true, when, source, name, identity, awsRegion=make.random.choice(REGIONS))
        self.act(true, at + timedelta(minutes=8), "iam", "CreateUser", identity, error="AccessDenied", write=True)
        self.act(
            true, at + timedelta(minutes=9), "s3", "GetObject", identity, eventCategory="Data", managementEvent=False,
            requestParameters={"bucketName": "ledger", "key": "2026.csv"},
            resources=[{"type": "AWS::S3::Object", "ARN": "arn:aws:s3:::ledger/2026.csv"}],
        )  # fmt: skip
        self.act(true, at + timedelta(minutes=10), "ec2", "CreateTags", identity, write=True,
                 requestParameters={"resourcesSet": {"items": [{"resourceId": "i-0123456789abcdef0"}]}})  # fmt: skip
        return true, identity, user

    def chained(self, at: datetime) -> None:
        true, identity, user = self.cli(at)
        make = self.maker
        key, role = make.unique("ASIA"), f"arn:aws:iam::{PRODUCTION}:role/deploy"
        role_id, when = make.unique("AROA"), at + timedelta(minutes=11)
        given = {
            "credentials": {"accessKeyId": key},
            "assumedRoleUser": {"assumedRoleId": f"{role_id}:step", "arn": "arn:aws:sts::1:assumed-role/deploy/step"},
        }
        self.act(true, when, "sts", "AssumeRole", identity, responseElements=given,
                 requestParameters={"roleArn": role, "roleSessionName": "step"})  # fmt: skip
        child = True_("cli", user, "yes")
        self.sessions.append(child)
        further = make.identity("step", when, key, role=role, role_id=role_id)
        self.act(child, when + timedelta(seconds=9), "ecs", "UpdateService", further, write=True,
                 recipientAccountId=PRODUCTION, requestParameters={"service": "shop"})  # fmt: skip

    def console(self, at: datetime, *, export: bool = False) -> None:
        make = self.maker
        true, session = True_("console", "frank", "not shown"), "frank"
        self.sessions.append(true)
        where = {"userAgent": BROWSER, "sourceIPAddress": "203.0.113.50"}
        seen = make.identity(session, at, None)
        for name in ("GetSigninToken", "ConsoleLogin"):
            self.act(true, at + timedelta(seconds=1), "signin", name, seen, readOnly=False, **where)
        for number in range(60):
            when = at + timedelta(seconds=10 + 30 * (number // 20), milliseconds=50 * (number % 20))
            source, name = make.random.choice(_READS)
            one = make.identity(session, at, make.unique("ASIA"))
            self.act(true, when, source, name, one, sessionCredentialFromConsole="true", **where)
        # A service that does not say that the console called it.
        self.act(true, at + timedelta(seconds=150), "cloudwatch", "ListDashboards",
                 make.identity(session, at, make.unique("ASIA")), **where)  # fmt: skip
        # A service acts for the session.
        served = {**make.identity(session, at, make.unique("ASIA")), "invokedBy": "cloudformation.amazonaws.com"}
        self.act(true, at + timedelta(seconds=160), "ec2", "DescribeVpcs", served, sourceIPAddress="cloudformation")
        if export:
            when = at + timedelta(minutes=5)
            self.act(true, when, "signin", "CreateOAuth2Token", seen, readOnly=False, write=True, **where,
                     requestParameters={"client_id": "arn:aws:signin:::devtools/same-device"})  # fmt: skip
            login = True_("login", "frank", "not shown")
            self.sessions.append(login)
            key = make.identity(session, at, make.unique("ASIA"))
            for name in ("ListUsers", "ListRoles"):
                self.act(login, when + timedelta(minutes=1), "iam", name, key)

    def agent(self, at: datetime) -> None:
        make = self.maker
        true = True_("console", "grace", "not shown")
        agent = True_("agent", "grace", "not shown")
        self.sessions += [true, agent]
        arn = f"arn:aws:signin:us-east-1:{OWNER}:session/{make.uuid()}"
        self.act(true, at, "signin", "CreateOAuth2Token", make.identity("grace", at, None), readOnly=False, write=True,
                 requestParameters={"resource": MCP}, userAgent="Bun/1.4.0",
                 additionalEventData={"signInSessionArn": arn})  # fmt: skip
        keyless = make.identity("grace", at, None)
        keyless["sessionContext"]["signInSessionArn"] = arn
        self.act(agent, at + timedelta(seconds=30), "aws-mcp", "CallReadWriteTool", keyless, eventType="AwsMcpEvent",
                 readOnly=False, write=True)  # fmt: skip
        for number in range(4):
            # Keys change under the sign-in; some services do not stamp it.
            key = make.unique("ASIA")
            for stamped in (True, False):
                served = {**make.identity("grace", at, key), "invokedBy": "aws-mcp.amazonaws.com"}
                if stamped:
                    served["sessionContext"]["signInSessionArn"] = arn
                self.act(agent, at + timedelta(seconds=60 + number), "iam", "ListUsers", served,
                         userAgent="aws-mcp.amazonaws.com", sourceIPAddress="aws-mcp.amazonaws.com")  # fmt: skip

    def scoped(self, at: datetime) -> None:
        true, identity, user = self.cli(at, named=True)
        make = self.maker
        key = make.unique("ASIA")
        self.act(true, at + timedelta(minutes=11), "sts", "GetScopedCredentials", identity,
                 requestParameters={"description": "read one bucket", "policy": "{}"},
                 responseElements={"credentials": {"accessKeyId": key}})  # fmt: skip
        child = True_("scoped", user, "yes")
        self.sessions.append(child)
        narrow = make.identity(identity["principalId"].partition(":")[2], at + timedelta(minutes=11), key)
        self.act(child, at + timedelta(minutes=12), "s3", "ListBuckets", narrow)

    def delegate(self, at: datetime) -> None:
        make = self.maker
        true = True_("delegate", "provider", "not shown")
        self.sessions.append(true)
        identity = make.identity("provider", at, make.unique("ASIA"))
        identity["invokedByDelegate"] = {"accountId": "444444444444"}
        self.act(true, at, "ec2", "DescribeInstances", identity)

    def served(self, at: datetime) -> None:
        make = self.maker
        true = True_("service", "robot", "not shown")
        self.sessions.append(true)
        identity = {**make.identity("robot", at, make.unique("ASIA")), "invokedBy": "backup.amazonaws.com"}
        self.act(true, at, "ec2", "DescribeVolumes", identity)

    def switched(self, at: datetime) -> None:
        """SwitchRole's event has no session context."""
        make = self.maker
        true = True_("console", "heidi", "not shown")
        self.sessions.append(true)
        bare = make.identity("heidi", at, None)
        del bare["sessionContext"]
        self.act(true, at, "signin", "SwitchRole", bare, readOnly=False, userAgent=BROWSER,
                 eventType="AwsConsoleSignIn",
                 additionalEventData={"SwitchFrom": f"arn:aws:iam::{CONTRACTOR}:user/heidi"})  # fmt: skip
        for number in range(3):
            self.act(true, at + timedelta(seconds=3 * number), "s3", "ListBuckets",
                     make.identity("heidi", at, make.unique("ASIA")), userAgent=BROWSER,
                     sessionCredentialFromConsole="true")  # fmt: skip


_READS = (
    ("iam", "ListUsers"),
    ("iam", "GetAccountSummary"),
    ("ec2", "DescribeInstances"),
    ("ec2", "DescribeVpcs"),
    ("s3", "ListBuckets"),
    ("s3", "GetBucketEncryption"),
    ("lambda", "ListFunctions20150331"),
    ("rds", "DescribeDBInstances"),
)


def story(seed: int, rounds: int) -> Story:
    """Sessions of every kind, `rounds` times."""
    told = Story(seed)
    kinds: tuple[Callable[[datetime], Any], ...] = (
        told.cli,
        lambda at: told.cli(at, device=False),
        lambda at: told.cli(at, named=True),
        told.chained,
        told.console,
        lambda at: told.console(at, export=True),
        told.agent,
        told.scoped,
        told.delegate,
        told.served,
        told.switched,
    )
    total = len(kinds) * rounds
    for number in range(total):
        kinds[number % len(kinds)](START + timedelta(seconds=600 + number * (DAYS * 86400 - 7200) // total))
    return told


def noise(maker: Maker, number: int) -> list[str]:
    """Records of others as text, each with places for an id, a time and a request id."""
    made = []
    for count in range(number):
        who = {
            "type": "AssumedRole",
            "principalId": f"{maker.unique('AROA')}:i-{maker.random.getrandbits(64):016x}",
            "arn": f"arn:aws:sts::{OWNER}:assumed-role/service-{count % 17}/i-{maker.random.getrandbits(64):016x}",
            "accountId": OWNER,
            "accessKeyId": maker.unique("ASIA"),
            "sessionContext": {
                "sessionIssuer": {
                    "type": "Role",
                    "principalId": maker.unique("AROA"),
                    "arn": f"arn:aws:iam::{OWNER}:role/machines/service-{count % 17}",
                    "accountId": OWNER,
                    "userName": f"service-{count % 17}",
                },
                "attributes": {"creationDate": stamp(START), "mfaAuthenticated": "false"},
                "ec2RoleDelivery": "2.0",
            },
        }
        source, name = maker.random.choice(_READS)
        record = maker.record(START, source, name, who)
        record["requestParameters"] = {
            "filterSet": {"items": [{"name": f"tag:k{n}", "value": "v" * 9} for n in range(6)]}
        }
        record["additionalEventData"] = {"bytesTransferredIn": 0, "SignatureVersion": "SigV4", "x-amz-id-2": "A" * 76}
        record["tlsDetails"] = {
            "tlsVersion": "TLSv1.3",
            "cipherSuite": "TLS_AES_128_GCM_SHA256",
            "clientProvidedHostHeader": "ec2.us-east-1.amazonaws.com",
        }
        record["eventID"], record["eventTime"] = "<<ID>>", "<<AT>>"
        made.append(json.dumps(record, separators=(",", ":")))
    return made


def generate(folder: Path, *, files: int = 60, records: int = 20, rounds: int = 1, seed: int = 7) -> Truth:
    """Write the trail of an organization below `folder`: `files` files of about `records` records of noise each."""
    told = story(seed, rounds)
    maker = Maker(OWNER, CONTRACTOR, name="noise", seed=seed + 1)
    others = noise(maker, 400)
    slots: list[list[str]] = [[] for _ in range(files)]
    length = DAYS * 86400 / max(files // 2, 1)
    where = []
    for number in range(files):
        # Two files a span of time: the first half is the owner's, by regions; a tenth of the rest the other accounts'.
        account = (OWNER, OWNER, OWNER, PRODUCTION, CONTRACTOR)[number % 5] if files >= 10 else OWNER
        where.append((account, REGIONS[number // 5 % 3], START + timedelta(seconds=(number // 2 + 1) * length)))
    by_account: dict[str, list[int]] = {}
    for number, (account, _, _) in enumerate(where):
        by_account.setdefault(account, []).append(number)
    for account, record in told.records:
        at = datetime.fromisoformat(record["eventTime"])
        candidates = by_account.get(account) or by_account[OWNER]
        slot = next((candidate for candidate in candidates if where[candidate][2] >= at), candidates[-1])
        slots[slot].append(json.dumps(record, separators=(",", ":")))
    total = size = 0
    for number, (account, region, at) in enumerate(where):
        mine = slots[number]
        count = 0
        while count < records:
            text = others[(number * 31 + count) % len(others)]
            count += 1
            mine.append(
                text.replace("<<ID>>", maker.uuid())
                .replace("<<AT>>", stamp(at - timedelta(seconds=count)))
                .replace('"us-east-1"', f'"{region}"')
            )
        maker.random.shuffle(mine)
        data = ('{"Records":[' + ",".join(mine) + "]}").encode()
        total += len(mine)
        size += len(data)
        home = folder / "AWSLogs" / ORGANIZATION / account / "CloudTrail" / region / f"{at:%Y/%m/%d}"
        home.mkdir(parents=True, exist_ok=True)
        name = f"{account}_CloudTrail_{region}_{at:%Y%m%dT%H%M}Z_{number:016d}.json.gz"
        (home / name).write_bytes(gzip.compress(data, 6, mtime=0))
    return Truth(told.maker.role, told.sessions, files, total, size)


if __name__ == "__main__":
    options = [int(item) for item in sys.argv[2:4]]
    made = generate(Path(sys.argv[1]), **dict(zip(("files", "records"), options, strict=False)))
    print(f"{made.role}: {len(made.sessions)} sessions, {made.records} records, {made.files} files, {made.size} B")
