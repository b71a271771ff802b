"""Options that several commands share; parsing of durations and dates."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from valetkey.errors import ValetkeyError

if TYPE_CHECKING:
    from valetkey.account.calls import Perform

EXPECT = "VALETKEY_EXPECT_ACCOUNT"
"""The environment variable with the default of --expect-account, for a whole shell or job."""


@Parameter(name="*")
@dataclass(frozen=True)
class Output:
    """Output format of a result."""

    format: Annotated[Literal["table", "json"], Parameter(help="How to print the result.")] = "table"
    json_: Annotated[bool, Parameter(name="--json", negative="", help="Short for --format json.")] = False

    @property
    def as_json(self) -> bool:
        return self.json_ or self.format == "json"


@Parameter(name="*")
@dataclass(frozen=True)
class AwsOptions:
    """The AWS credentials of a command: the default chain, or a profile."""

    profile: Annotated[str | None, Parameter(help="AWS profile to call with.")] = None
    region: Annotated[str | None, Parameter(help="AWS region to call.")] = None


@Parameter(name="*")
@dataclass(frozen=True)
class OwnerAccount(AwsOptions):
    """Account for a command that acts as the owner: an expected account can be set."""

    expect_account: Annotated[
        str | None,
        Parameter(help=f"Refuse credentials of any account but this one; also set by {EXPECT}."),
    ] = None

    def connect(self) -> Perform:
        """Connect to AWS, and first check the account where one is expected.

        INVARIANT: where an account is expected, sts:GetCallerIdentity is the only call made with credentials of another
        one. An empty VALETKEY_EXPECT_ACCOUNT is malformed, not absent: an unset variable must not disable the check.
        Raises ValetkeyError: malformed (2), another account (1); CallError.
        """
        from valetkey.account.calls import Call
        from valetkey.aws import connect
        from valetkey.catalog.limits import LimitError, check

        source = "--expect-account" if self.expect_account is not None else EXPECT
        wanted = os.environ.get(EXPECT) if self.expect_account is None else self.expect_account
        if wanted is not None:
            wanted = account_id(wanted)
            try:
                check("account id", wanted)
            except LimitError as error:
                raise ValetkeyError(f"{source}: {error.what}", do="write the account id: 12 digits") from None
        perform = connect(profile=self.profile, region=self.region)
        if wanted is not None:
            caller = perform(Call("sts", "get_caller_identity"))
            if caller["Account"] != wanted:
                raise ValetkeyError(
                    f"the credentials are of account {caller['Account']}, and {source} says {wanted}",
                    do="use credentials of that account (--profile, AWS_PROFILE); nothing else was called",
                    where=caller["Arn"],
                    exit_code=1,
                )
        return perform


@Parameter(name="*")
@dataclass(frozen=True)
class OwnerAccounts:
    """Account for a command that reads one account or several."""

    profile: Annotated[tuple[str, ...], Parameter(negative="", help="AWS profile to call with; give several.")] = ()
    region: Annotated[str | None, Parameter(help="AWS region to call.")] = None
    expect_account: Annotated[
        str | None,
        Parameter(help=f"Refuse credentials of any account but this one; also set by {EXPECT}."),
    ] = None

    def owner_accounts(self) -> tuple[OwnerAccount, ...]:
        """Return one OwnerAccount per profile; the default chain if none is named."""
        names = tuple(dict.fromkeys(self.profile)) or (None,)
        return tuple(OwnerAccount(name, self.region, self.expect_account) for name in names)


def account_id(text: str) -> str:
    """Remove the dashes from an account id in the console's format, `2222-2222-2222`. Returns any other text
    unchanged."""
    return text.replace("-", "") if re.fullmatch("[0-9]{4}-[0-9]{4}-[0-9]{4}", text) else text


_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_LONGEST = 100 * 365 * 86400


def seconds(text: str, *, name: str) -> int:
    """Parse "90m", "1h", "12h", "3600" or "1h30m". Returns seconds. Raises ValetkeyError."""
    parts = re.findall(r"([0-9]{1,9})([smhdw])", text)
    if text.isascii() and text.isdigit() and len(text) < 10:
        return int(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValetkeyError(f"{name}: {text!r} is not a duration", do="write it like 3600, 90m, 1h or 12h")
    total = sum(int(number) * _UNITS[unit] for number, unit in parts)
    if total >= _LONGEST:
        raise ValetkeyError(f"{name}: {text} is too long", do="write less than 100 years, like 90m, 12h or 30d")
    return total


NEVER = "never"
"""The value of --until for access without an end."""


def until(text: str, *, now: datetime) -> datetime:
    """Parse an end: "2026-12-31" (the end of that day, UTC), "2026-12-31T18:00Z", or "30d" from now. Whole seconds,
    UTC.

    Raises ValetkeyError when it cannot be parsed or has passed.
    """
    write = "write a date (2026-12-31, the whole day, UTC), a time with zone (2026-12-31T18:00Z) or days from now (30d)"
    if re.fullmatch("[0-9]{1,4}[hdw]", text):
        end = now + timedelta(seconds=seconds(text, name="--until"))
    else:
        try:
            end = datetime.fromisoformat(text)
            if len(text) == 10:
                end = end.replace(tzinfo=UTC) + timedelta(days=1)
        except (ValueError, OverflowError):
            raise ValetkeyError(f"--until: {text!r} is not a date", do=write) from None
        if end.tzinfo is None:
            raise ValetkeyError(f"--until: {text!r} has no time zone", do=write)
    end = end.astimezone(UTC).replace(microsecond=0)
    if end <= now:
        raise ValetkeyError(f"--until: {text} has passed", do="name an end in the future")
    return end
