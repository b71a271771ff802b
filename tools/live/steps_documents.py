"""How IAM accepts and shows trust policies."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import Any

from tools.live.steps import Json, Outcome, step
from tools.live.world import Attempt, World, attempt

from valetkey.trust import closed_trust, write_trust

_SIZE = 2100


@step("closed-trusts", "U3", "W11", "H17")
def closed_trusts(world: World) -> Outcome:
    """Trusts that admit nobody, saved and read back."""
    allow_nobody = write_trust(world.terms())
    allow_nobody["Statement"][0]["Condition"] = {"StringEquals": {"aws:PrincipalArn": "nobody"}}
    bare = closed_trust()
    bare["Statement"][0]["Principal"] = "*"
    cases = {"deny_alone": closed_trust(), "deny_alone_bare_star": bare, "allow_that_nobody_meets": allow_nobody}
    return {name: _saved(world, f"trust-{name.replace('_', '-')}", document) for name, document in cases.items()}


@step("pin-and-ids", "H17", "W5")
def pin(world: World) -> Outcome:
    """A user named in a trust, by ARN and by unique id, read back before and after the user is deleted."""
    iam, label = world.contractor.client("iam"), "pinned"
    world.make_user(label)
    user = {"UserName": world.name(label)}
    about = iam.get_user(**user)["User"]
    by_arn = write_trust(world.terms(pin=(about["Arn"],)))
    by_id = write_trust(world.terms(pin=(about["Arn"],)))
    by_id["Statement"][0]["Principal"] = {"AWS": about["UserId"]}
    result: dict[str, Json] = {
        "by_arn": _saved(world, "pin-arn", by_arn, patience=60.0),
        "by_unique_id": _saved(world, "pin-id", by_id, meant=by_arn, patience=60.0),
    }
    for key in iam.list_access_keys(**user)["AccessKeyMetadata"]:
        iam.delete_access_key(**user, AccessKeyId=key["AccessKeyId"])
    iam.delete_user(**user)
    world.users.discard(world.name(label))
    shown = [""]

    def is_an_id() -> bool:
        shown[0] = str(_read(world, "pin-arn")["Statement"][0]["Principal"].get("AWS"))
        return shown[0] == str(about["UserId"])

    result["seconds_until_the_deleted_user_is_shown_by_id"] = world.until(is_an_id, limit=60.0)
    result["principal_after_deletion"] = shown[0]
    return result


@step("trust-2100", "W9")
def large(world: World) -> Outcome:
    """A trust of 2,100 characters, and one whose rest is white space."""
    quotas = world.owner.client("iam").get_account_summary()["SummaryMap"]
    document = write_trust(world.terms())
    values = [world.external_id]
    document["Statement"][0]["Condition"]["StringEquals"] = {"sts:ExternalId": values}

    def compact() -> str:
        return json.dumps(document, separators=(",", ":"))

    while _SIZE - len(compact()) > 400:
        values.append(secrets.token_hex(100))
    spaced = compact().replace(",", "," + " " * (_SIZE - len(compact())), 1)
    values.append(secrets.token_hex(_SIZE)[: _SIZE - len(compact()) - 3])
    assert len(compact()) == len(spaced) == _SIZE
    return {
        "quota": quotas.get("AssumeRolePolicySizeQuota"),
        "characters": _SIZE,
        "without_white_space": attempt(lambda: {"Arn": world.make_role("large", compact())}).data(),
        "with_white_space": attempt(lambda: {"Arn": world.make_role("spaced", spaced)}).data(),
    }


def _saved(
    world: World, label: str, document: Mapping[str, Any], meant: Mapping[str, Any] | None = None, patience: float = 0.0
) -> Json:
    """Create a role with a trust policy and read it back. `meant` is the document that is expected back. IAM may not
    know a new principal at first: creation is retried for `patience` seconds."""
    done = Attempt(None)

    def is_accepted() -> bool:
        nonlocal done
        done = attempt(lambda: {"Arn": world.make_role(label, document)})
        return done.ok

    if world.until(is_accepted, limit=patience, every=5.0) is None:
        return {"accepted": False, **done.data()}
    shown: list[Any] = [None]

    def is_same() -> bool:
        shown[0] = _read(world, label)
        return bool(shown[0] == (meant or document))

    seconds = world.until(is_same, limit=30.0)
    return {"accepted": True, "shown_as_meant": seconds is not None, "seconds": seconds, "shown": json.dumps(shown[0])}


def _read(world: World, label: str) -> Any:
    """The trust policy as IAM shows it; {} while it does not show the role."""
    done = attempt(lambda: world.owner.client("iam").get_role(RoleName=world.name(label)))
    if done.answer is None and done.code == "NoSuchEntity":
        return {}
    if done.answer is None:
        raise RuntimeError(f"{done.code}: {done.message}")
    return done.answer["Role"]["AssumeRolePolicyDocument"]
