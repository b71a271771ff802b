"""The environment of a step: two accounts, a person, time, and operations that several steps use."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import boto3
import botocore.exceptions
from botocore.config import Config
from tools.live.cleanup import PREFIX
from tools.live.people import Codes, NoCode, Person, Time
from tools.live.redact import Redactor
from tools.live.steps import Json, Skipped

from valetkey.account.denial import read_denial, split_authorization
from valetkey.trust import Terms, write_trust

CONFIG = Config(connect_timeout=5, read_timeout=30, retries={"mode": "standard"}, user_agent_extra="valetkey-live-run")
ONCE = CONFIG.merge(Config(retries={"total_max_attempts": 1}))
HARMLESS = ("iam:ListAccountAliases", "s3:ListAllMyBuckets")
"""All permissions of a role of the run."""
_NOT_MADE = ("LimitExceeded", "MalformedPolicyDocument", "AccessDenied", "ValidationError", "InvalidInput")
"""Error codes after which a role does not exist."""
_WRONG_CODE = "MultiFactorAuthentication failed"
_MOST_REFUSED = 3
OWN_USERS = ("bare", "denied")
"""Labels of the run's users that try to enter a role."""
NEW = 120.0
"""Maximum seconds to wait for something new."""
SETTLE = 15.0
"""Seconds after which a change is normally effective (fact W2b: 3 to 4 were measured)."""


def allow(*actions: str, effect: str = "Allow", resource: str = "*") -> str:
    """A policy document with one statement."""
    statement = {"Effect": effect, "Action": list(actions), "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@dataclass(frozen=True)
class Attempt:
    """One call: its answer, or its refusal."""

    answer: Mapping[str, Any] | None = field(repr=False)
    code: str = ""
    message: str = ""

    @property
    def ok(self) -> bool:
        return self.answer is not None

    def data(self) -> dict[str, Json]:
        """Data for an outcome: the refusal in AWS's words, and valetkey's reading of it. The answer itself is left
        out."""
        if self.ok:
            return {"ok": True}
        text, authorization = split_authorization(self.message)
        denial = read_denial(text)
        return {
            "ok": False,
            "code": self.code,
            "text": text,
            "policy": denial.policy.value if denial and denial.policy else None,
            "explicit": denial.explicit if denial else None,
            "authorization_id": authorization is not None or text != self.message,
        }


def attempt(call: Callable[[], Mapping[str, Any]]) -> Attempt:
    """Perform one call. A refusal by AWS is data, every other error is raised."""
    try:
        return Attempt(call())
    except botocore.exceptions.ClientError as error:
        details = error.response.get("Error", {})
        return Attempt(None, str(details.get("Code", "")), str(details.get("Message", "")))


@dataclass(frozen=True)
class Account:
    """One of the two accounts, with its profile's session."""

    id: str
    session: Any = field(repr=False)

    def client(self, service: str) -> Any:
        return self.session.client(service, config=CONFIG)


@dataclass(kw_only=True)
class World:
    """The run."""

    owner: Account
    contractor: Account
    person: Person
    partition: str
    region: str
    run_id: str
    path: str
    time: Time
    codes: Codes | None
    say: Callable[[str], None]
    ask: Callable[[str], str | None]
    """Asks the person at the terminal; None: no answer."""
    redactor: Redactor
    signin_hosts: Mapping[str, str]
    """URL of the sign-in host by kind: "regional", "global"."""
    login_profiles: Mapping[str, str] = field(default_factory=dict)
    """AWS profiles of `aws login`, by kind of sign-in: "totp", "passkey"."""
    trail_wait: float = 900.0
    """Seconds to wait for the trails; 0 skips them."""
    external_id: str = field(default_factory=lambda: secrets.token_hex(16))
    roles: set[str] = field(default_factory=set)
    users: set[str] = field(default_factory=set)
    """Names of created roles and users, recorded before they are created."""
    _kept: dict[str, Any] = field(default_factory=dict, repr=False)
    _refused_codes: int = 0

    def terms(self, **more: Any) -> Terms:
        """Terms for the contractor's account with the run's ExternalId. Without MFA, unless `pin` is given, they name
        the person and the run's own users."""
        given: dict[str, Any] = {"mfa": False, "external_id": self.external_id, **more}
        if not given["mfa"] and not given.get("pin"):
            own = (self.user_arn(label) for label in OWN_USERS)
            given["only"] = (self.person.arn, *own)
        return Terms(contractor=self.contractor.id, partition=self.partition, **given)

    def name(self, label: str) -> str:
        return f"{PREFIX}{self.run_id}-{label}"

    def arn(self, label: str) -> str:
        return f"arn:{self.partition}:iam::{self.owner.id}:role{self.path}{self.name(label)}"

    def user_arn(self, label: str) -> str:
        return f"arn:{self.partition}:iam::{self.contractor.id}:user{self.path}{self.name(label)}"

    def make_role(self, label: str, trust: Mapping[str, Any] | str) -> str:
        """Create a role with the permissions HARMLESS. Returns its ARN."""
        iam, name = self.owner.client("iam"), self.name(label)
        self.roles.add(name)
        try:
            iam.create_role(
                RoleName=name,
                Path=self.path,
                AssumeRolePolicyDocument=trust if isinstance(trust, str) else json.dumps(trust),
                Description="Made by a live run of valetkey; safe to delete",
                MaxSessionDuration=7200,
            )
        except botocore.exceptions.ClientError as error:
            if error.response["Error"]["Code"] in _NOT_MADE:
                self.roles.discard(name)
            raise
        iam.put_role_policy(RoleName=name, PolicyName="live", PolicyDocument=allow(*HARMLESS))
        return self.arn(label)

    def set_trust(self, label: str, trust: Mapping[str, Any]) -> None:
        self.owner.client("iam").update_assume_role_policy(RoleName=self.name(label), PolicyDocument=json.dumps(trust))

    def make_user(self, label: str) -> Any:
        """Create a helper user in the contractor's account. Returns a session with its key, once the key is valid."""
        iam, name = self.contractor.client("iam"), self.name(label)
        self.users.add(name)
        iam.create_user(UserName=name, Path=self.path)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        self.redactor.secret(key["SecretAccessKey"])
        session = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name=self.region)
        self.must(lambda: attempt(session.client("sts", config=CONFIG).get_caller_identity).ok, f"the key of {name}")
        return session

    def enter(self, label: str, session: Any = None, **more: Any) -> Attempt:
        """Call AssumeRole with the run's ExternalId, as the person (or with `session`)."""
        sts = (session or self.contractor.session).client("sts", config=CONFIG)
        given = {"RoleArn": self.arn(label), "RoleSessionName": self.person.name, "ExternalId": self.external_id}
        entered = attempt(lambda: sts.assume_role(**{**given, **more}))
        self.keep_secret(entered)
        return entered

    def role_session(self, entered: Attempt) -> Any:
        """Return a boto3 session with the credentials of a successful AssumeRole or GetSessionToken. Raises
        RuntimeError."""
        if entered.answer is None:
            raise RuntimeError(f"not let in: {entered.code}: {entered.message}")
        keys = entered.answer["Credentials"]
        return boto3.Session(
            keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], region_name=self.region
        )

    def with_code(self, call: Callable[[str, str], Attempt], tries: int = 3) -> Attempt:
        """Make a call with the device's serial number and a code. A refused call is retried with another code. Raises
        Skipped if there is no device or no code, or if too many codes were refused."""
        if self.codes is None or self.person.serial is None:
            raise Skipped("the person has no device that shows codes")
        if self._refused_codes >= _MOST_REFUSED:
            raise Skipped("three codes in a row were refused: is it the right device?")
        done = Attempt(None, "NoCode", "no code was given")
        for _ in range(tries):
            try:
                code = self.codes.next()
            except NoCode as why:
                raise Skipped(str(why)) from None
            self.redactor.secret(code)
            done = call(self.person.serial, code)
            self._refused_codes = self._refused_codes + 1 if _WRONG_CODE in done.message else 0
            if done.ok:
                break
        return done

    def mfa_session(self) -> Any:
        """Return the person's session with MFA (GetSessionToken, one hour), created once."""

        def make() -> Any:
            sts = self.contractor.client("sts")
            done = self.with_code(
                lambda serial, code: attempt(
                    lambda: sts.get_session_token(SerialNumber=serial, TokenCode=code, DurationSeconds=3600)
                )
            )
            self.keep_secret(done)
            return self.role_session(done)

        return self.once("mfa", make)

    def plain(self) -> str:
        """Return the label of a role without MFA that the person has entered."""

        def make() -> str:
            self.make_role("plain", write_trust(self.terms()))
            self.must(lambda: self.enter("plain").ok, "the role without MFA")
            return "plain"

        return str(self.once("plain", make))

    def guarded(self) -> str:
        """Return the label of a role with MFA that the person has entered through the MFA session."""

        def make() -> str:
            session = self.mfa_session()
            self.make_role("guarded", write_trust(self.terms(mfa=True)))
            self.must(lambda: self.enter("guarded", session).ok, "the role with MFA")
            return "guarded"

        return str(self.once("guarded", make))

    def once(self, key: str, make: Callable[[], Any]) -> Any:
        """Return the first result of `make`. A failure is not kept."""
        if key not in self._kept:
            self._kept[key] = make()
        return self._kept[key]

    def until(self, check: Callable[[], bool], limit: float = NEW, every: float = 1.0) -> float | None:
        """Return the seconds until `check` holds; None if it does not within `limit`."""
        started = self.time.now()
        while True:
            is_so = check()
            passed = self.time.now() - started
            if is_so:
                return round(passed, 1)
            if passed >= limit:
                return None
            self.time.sleep(every)

    def must(self, check: Callable[[], bool], what: str) -> float:
        """Return the seconds until `check` holds. Raises RuntimeError if it does not within NEW."""
        passed = self.until(check)
        if passed is None:
            raise RuntimeError(f"{what} could not be used within {NEW:.0f} s")
        return passed

    def keep_secret(self, done: Attempt) -> None:
        """Register the keys that a call returned as secrets, which may be written nowhere."""
        if done.answer is not None:
            keys = done.answer["Credentials"]
            self.redactor.secret(keys["SecretAccessKey"], keys["SessionToken"])
