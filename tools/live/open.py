"""Opens a `World` from two profile names: finds out their identities, and whether a run may start with them."""

from __future__ import annotations

import argparse
import re
import secrets
from collections.abc import Sequence
from typing import Any

import boto3
import botocore.exceptions
from tools.live import terminal
from tools.live.cleanup import ROOT
from tools.live.people import AskedCodes, BadSeed, Codes, Person, RealTime, SeedCodes, Time
from tools.live.redact import Redactor
from tools.live.sandbox import SandboxCodes, SandboxTime
from tools.live.world import CONFIG, Account, World

from valetkey.credentials.delivery.console_urls import signin_host
from valetkey.sandbox.client import Control

_ARN = re.compile(r"arn:(?P<partition>aws[a-z-]*):(?:iam|sts)::(?P<account>\d{12}):(?P<rest>.+)", re.ASCII)


class Refused(Exception):
    """The run does not start. The message says what to do."""


def open_world(given: argparse.Namespace, *, seed: str | None, endpoint: str | None) -> World:
    """Ask AWS for the identities of both profiles, and return the world. Raises Refused, also if AWS does not
    answer."""
    owner, owner_arn, partition = _account(given.owner, given.region)
    contractor, arn, other = _account(given.contractor, given.region)
    if owner.id == contractor.id:
        raise Refused(
            f"the profiles {given.owner} and {given.contractor} are both of account {owner.id}: name two accounts"
        )
    if partition != other:
        raise Refused(f"the accounts are of two partitions, {partition} and {other}")
    match = re.fullmatch(rf"arn:{partition}:iam::\d{{12}}:user/(?:.+/)?(?P<name>[^/]+)", arn)
    if match is None:
        raise Refused(
            f"the profile {given.contractor} is {arn.rpartition(':')[2]}: the contractor's has to be an IAM user with "
            "an access key and an MFA device that shows codes"
        )
    person = Person(match["name"], arn, given.mfa_serial or _serial(contractor, match["name"]))
    time, codes = _time_and_codes(given, person, (owner.id, contractor.id), seed, endpoint)
    run_id = secrets.token_hex(4)
    world = World(
        owner=owner,
        contractor=contractor,
        person=person,
        partition=partition,
        region=given.region,
        run_id=run_id,
        path=f"{ROOT}{run_id}/",
        time=time,
        codes=codes,
        say=terminal.say,
        ask=terminal.ask if not given.yes else lambda _: None,
        redactor=Redactor(),
        signin_hosts=_signin(given, partition, endpoint),
        login_profiles={
            way: name for way, name in (("totp", given.login_totp), ("passkey", given.login_passkey)) if name
        },
        trail_wait=max(given.trail_minutes, 0.0) * 60,
    )
    _hide(world, owner_arn, seed)
    return world


def _account(profile: str, region: str) -> tuple[Account, str, str]:
    """Return the account of a profile, the caller's ARN and the partition. Raises Refused."""
    try:
        session = boto3.Session(profile_name=profile, region_name=region)
        answer = session.client("sts", config=CONFIG).get_caller_identity()
    except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
        raise Refused(f"the profile {profile} cannot be used: {error}") from None
    match = _ARN.fullmatch(answer["Arn"])
    if match is None or match["account"] != answer["Account"]:
        raise Refused(f"the profile {profile} answers an ARN that is not known: {answer['Arn']}")
    return Account(answer["Account"], session), answer["Arn"], match["partition"]


def _serial(contractor: Account, name: str) -> str | None:
    """Return the serial number of the device that shows codes, or None. A security key or passkey gives no codes for
    API calls (fact H7). Raises Refused."""
    try:
        devices = contractor.client("iam").list_mfa_devices(UserName=name)["MFADevices"]
    except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
        raise Refused(f"the devices of {name} cannot be listed ({error}): name one with --mfa-serial") from None
    serials = [device["SerialNumber"] for device in devices if ":u2f/" not in device["SerialNumber"]]
    if len(serials) > 1:
        raise Refused(f"{name} has several devices: name one with --mfa-serial ({', '.join(serials)})")
    return serials[0] if serials else None


def _time_and_codes(
    given: argparse.Namespace, person: Person, accounts: Sequence[str], seed: str | None, endpoint: str | None
) -> tuple[Time, Codes | None]:
    control = None
    if endpoint and not given.sandbox:
        raise Refused("AWS_ENDPOINT_URL is set, so this is not AWS: unset it, or say --sandbox if it is a sandbox")
    if given.sandbox:
        if not endpoint:
            raise Refused("--sandbox is for AWS_ENDPOINT_URL=http://127.0.0.1:PORT of a running sandbox")
        control = Control(endpoint)
    time: Time = RealTime() if control is None else SandboxTime(control, accounts)
    if person.serial is None:
        return time, None
    if seed is not None:
        try:
            return time, SeedCodes(seed, time, terminal.say)
        except BadSeed as why:
            raise Refused(str(why)) from None
    return time, AskedCodes(person.serial) if control is None else SandboxCodes(control, person.serial)


def _signin(given: argparse.Namespace, partition: str, endpoint: str | None) -> dict[str, str]:
    if given.sandbox and endpoint:
        # One host serves as all of them.
        return {"regional": endpoint.rstrip("/"), "global": endpoint.rstrip("/")}
    hosts = {"regional": signin_host(partition, given.region), "global": signin_host(partition, None)}
    return {name: f"https://{host}" for name, host in hosts.items()}


def _hide(world: World, owner_arn: str, seed: str | None) -> None:
    """Register what the result must not contain, before the run starts."""
    redactor = world.redactor
    redactor.secret("".join(seed.split()) if seed else None)
    for account in (world.owner, world.contractor):
        keys: Any = account.session.get_credentials()
        redactor.secret(keys.secret_key, keys.token)
    redactor.name(world.owner.id, "owner-account")
    redactor.name(world.contractor.id, "contractor-account")
    redactor.name(owner_arn.rpartition(":")[2].partition("/")[2], "owner-caller")
    redactor.name(world.person.serial or "", "device")
    redactor.name(world.person.name, "person")
    redactor.name(world.external_id, "external-id")
    redactor.name(world.run_id, "run")
    for profile in (*world.login_profiles.values(),):
        redactor.name(profile, "login-profile")
