"""Thirty customers whose profiles a contractor has set up by hand: for docs/without-a-handoff.md.

Creates a role in each customer's account of the sandbox, and writes the sections of ~/.aws/config as shown in the AWS
CLI's user guide. Two customers have the same ExternalId; one requires neither ExternalId nor MFA. With the name of a
profile as argument it creates that customer's administrator instead: a profile with a key of the account.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from valetkey.sandbox.accounts import Root

CONTRACTOR, PERSON = "222222222222", "carol"


def trust(external_id: str | None, *, mfa: bool) -> str:
    condition = {
        **({"StringEquals": {"sts:ExternalId": external_id}} if external_id else {}),
        **({"Bool": {"aws:MultiFactorAuthPresent": "true"}} if mfa else {}),
    }
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{CONTRACTOR}:root"},
        "Action": "sts:AssumeRole",
        **({"Condition": condition} if condition else {}),
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def main(count: int = 30) -> None:
    config = Path.home() / ".aws" / "config"
    text = config.read_text()
    for number in range(1, count + 1):
        account = f"3000000000{number:02}"
        external_id = None if number == count else f"ours-{min(number, count - 2):02}"
        Root(os.environ["AWS_ENDPOINT_URL"], account)(
            "iam",
            "create_role",
            RoleName="consultant",
            AssumeRolePolicyDocument=trust(external_id, mfa=number != count),
        )
        text += f"\n# since {1990 + number}\n[profile customer-{number:02}]\n"
        text += f"role_arn = arn:aws:iam::{account}:role/consultant\nsource_profile = default\n"
        text += f"external_id = {external_id}\nmfa_serial = {serial()}\n" if external_id else ""
        text += "region = eu-central-1\n"
    config.write_text(text)


def serial() -> str:
    root = Root(os.environ["AWS_ENDPOINT_URL"], CONTRACTOR)
    (device,) = root("iam", "list_mfa_devices", UserName=PERSON)["MFADevices"]
    return str(device["SerialNumber"])


def administrator(name: str) -> None:
    """Write a profile for the customer's administrator, on the customer's computer."""
    credentials = Path.home() / ".aws" / "credentials"
    credentials.parent.mkdir(exist_ok=True)
    with credentials.open("a") as file:
        file.write(f"\n[{name}]\naws_access_key_id = 3000000000{name[-2:]}\naws_secret_access_key = any\n")
        file.write("region = eu-central-1\n")


if __name__ == "__main__":
    administrator(sys.argv[1]) if len(sys.argv) > 1 else main()
