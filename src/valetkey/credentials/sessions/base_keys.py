"""The base identity's access key: moved from the AWS files to the OS keyring, and rotated.

`$XDG_CONFIG_HOME/valetkey/keys.json` records which AWS profiles have their key in the keyring: key id and user, no
secret. Keys in the AWS files and the environment take precedence; the keyring is used where they have none.

Rules:
- INVARIANT: a key is removed from the AWS files only after it was read back from the keyring. No copy of the file is
  kept.
- All bytes of the file except the key's own lines are unchanged.
- Rotation (IAM User Guide, id_credentials_access-keys_retain): create the new key, store it, try it, delete the old
  one. If it is interrupted at any point, one key works, and running it again finishes. A user has at most two keys.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from valetkey import awsfiles, files
from valetkey.account.calls import AccessKeys, Call, CallError, Perform, everything
from valetkey.credentials.profiles import awsconfig
from valetkey.credentials.profiles.identity import identify
from valetkey.credentials.sessions.vault import NoKeyring, Vault
from valetkey.errors import ValetkeyError

_KIND = "stored-keys/v1"
_TRIES = 10
"""Attempts: IAM needs some seconds to propagate a new key (troubleshoot_general, eventual consistency)."""


@dataclass(frozen=True)
class StoredKey:
    """A key in the keyring. Its secret is read only when it is used."""

    access_key_id: str
    user: str
    """The IAM user's ARN."""
    vault: Vault = field(repr=False, compare=False)
    replaces: str = ""
    """The id of the old key, during a rotation."""
    session_token: None = None

    @property
    def secret_access_key(self) -> str:
        """The secret. Raises NoKeyring; ValetkeyError if the keyring has lost it."""
        result = self.vault.get(_name(self.access_key_id))
        if result is None:
            raise ValetkeyError(
                f"the keyring no longer has the secret of {self.access_key_id}",
                do="make a new access key in IAM, put it into your AWS credentials file, `valetkey login --store-key`",
                exit_code=3,
            )
        return result


def stored_key(profile: str | None, env: Mapping[str, str], vault: Vault) -> StoredKey | None:
    """Return the key of an AWS profile (None: `default`) from the keyring, or None. Raises ValetkeyError."""
    result = _records(env).get(profile or "default")
    if result is None:
        return None
    return StoredKey(result["access_key_id"], result["user"], vault, result.get("replaces", ""))


def store(
    profile: str | None, keys: AccessKeys, user: str, *, env: Mapping[str, str], vault: Vault
) -> tuple[StoredKey, Path]:
    """Move the key of an AWS profile to the keyring. Returns the key and the file from which it was removed. Raises
    ValetkeyError."""
    name = profile or "default"
    if keys.session_token is not None:
        raise ValetkeyError(
            f"the profile {name} is a temporary session: it has no key to keep", do="name a profile of an IAM user"
        )
    changes = _without_key(name, keys, env)
    _keep(keys.access_key_id, keys.secret_access_key, vault)
    stored = StoredKey(keys.access_key_id, user, vault)
    _record(name, stored, env)
    for path, text in reversed(changes):
        awsconfig.replace_text(path, text)
    return stored, changes[0][0]


def keep(profile: str | None, keys: AccessKeys, user: str, *, env: Mapping[str, str], vault: Vault) -> StoredKey:
    """Store a key that is in no file in the keyring, as the key of an AWS profile. Raises ValetkeyError."""
    _keep(keys.access_key_id, keys.secret_access_key, vault)
    stored = StoredKey(keys.access_key_id, user, vault)
    _record(profile or "default", stored, env)
    return stored


def rotate(
    profile: str | None,
    old: StoredKey,
    *,
    perform: Perform,
    connect: Callable[[AccessKeys], Perform],
    env: Mapping[str, str],
    vault: Vault,
    sleep: Callable[[float], None],
) -> StoredKey:
    """Replace the key in the keyring with a new one, and delete the old one. `perform` calls AWS as the user. Raises
    ValetkeyError."""
    name, user = profile or "default", old.user.rpartition("/")[2]
    listed = Call("iam", "list_access_keys", {"UserName": user})
    result = everything(perform, listed, "AccessKeyMetadata")
    spare = next((item["AccessKeyId"] for item in result if item["AccessKeyId"] != old.access_key_id), None)
    if spare is not None and spare == old.replaces:
        new, old = old, dataclasses.replace(old, access_key_id=spare)
    elif spare is not None and vault.get(_name(spare)) is not None:
        new = dataclasses.replace(old, access_key_id=spare, replaces=old.access_key_id)
    elif spare is not None:
        raise ValetkeyError(
            f"the user {user} has another access key, {spare}, and AWS allows two",
            do="delete the one that is not used in IAM (an interrupted rotation may have left it), and try again",
            where=old.user,
            exit_code=1,
        )
    else:
        new = _make(old, user, perform, vault)
    _try(new, connect, sleep)
    _record(name, new, env)
    perform(Call("iam", "delete_access_key", {"UserName": user, "AccessKeyId": old.access_key_id}))
    for item in filter(None, (old.access_key_id, old.replaces)):
        if item != new.access_key_id:
            vault.drop(_name(item))
    new = dataclasses.replace(new, replaces="")
    _record(name, new, env)
    return new


def _make(old: StoredKey, user: str, perform: Perform, vault: Vault) -> StoredKey:
    made = perform(Call("iam", "create_access_key", {"UserName": user}))["AccessKey"]
    new = dataclasses.replace(old, access_key_id=made["AccessKeyId"], replaces=old.access_key_id)
    try:
        _keep(new.access_key_id, made["SecretAccessKey"], vault)
    except ValetkeyError:
        # There is no other copy of its secret.
        perform(Call("iam", "delete_access_key", {"UserName": user, "AccessKeyId": new.access_key_id}))
        raise
    return new


def _try(key: StoredKey, connect: Callable[[AccessKeys], Perform], sleep: Callable[[float], None]) -> None:
    for left in reversed(range(_TRIES)):
        try:
            identity = identify(connect(key))
        except CallError as error:
            if error.code not in ("InvalidClientTokenId", "SignatureDoesNotMatch") or not left:
                raise
            sleep(2)
            continue
        if identity.arn != key.user:
            raise ValetkeyError(
                f"the new key is of {identity.arn}, not of {key.user}", do="look at your keys in IAM", exit_code=1
            )
        return


def _keep(access_key_id: str, secret: str, vault: Vault) -> None:
    vault.put(_name(access_key_id), secret)
    if vault.get(_name(access_key_id)) != secret:
        raise NoKeyring("the keyring does not return the value that was stored in it", do="see `keyring diagnose`")


def _without_key(name: str, keys: AccessKeys, env: Mapping[str, str]) -> list[tuple[Path, str]]:
    """Return the file that has this profile's key and its text without the key's lines; then the same for the copies
    that `accept` and `import` made of that file, if they contain the key. Raises ValetkeyError."""
    result = {"aws_access_key_id": keys.access_key_id, "aws_secret_access_key": keys.secret_access_key}
    for path, bare in ((awsfiles.credentials_path(env), True), (awsfiles.config_path(env), False)):
        text = awsconfig.without_settings(path, name, result, bare=bare)
        if text is not None:
            copies = awsconfig.copies_of(path)
            copied = ((copy, awsconfig.without_settings(copy, name, result, bare=bare)) for copy in copies)
            return [(path, text), *((copy, kept) for copy, kept in copied if kept is not None)]
    raise ValetkeyError(
        f"the key of the profile {name} is in none of your AWS files",
        do="put it there first (aws configure), or name its profile with --base",
    )


def _records(env: Mapping[str, str]) -> dict[str, dict[str, str]]:
    path = _path(env)
    if not path.exists():
        return {}
    data = files.read(path)
    try:
        plain = json.loads(data or b"")
        result = plain["keys"]
        if plain["valetkey"] != _KIND or not all(_is_record(item) for item in result.values()):
            raise ValueError
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise ValetkeyError(
            f"{path} cannot be used", do="check its owner and mode (0600), or update valetkey", where=str(path)
        ) from None
    records: dict[str, dict[str, str]] = result
    return records


def _is_record(record: Any) -> bool:
    texts = isinstance(record, dict) and all(isinstance(item, str) for item in record.values())
    return texts and {"access_key_id", "user"} <= set(record) <= {"access_key_id", "user", "replaces"}


def _record(name: str, key: StoredKey, env: Mapping[str, str]) -> None:
    record = {"access_key_id": key.access_key_id, "user": key.user}
    if key.replaces:
        record["replaces"] = key.replaces
    records = {**_records(env), name: record}
    files.make_dir(files.config_dir(env))
    files.replace(_path(env), (json.dumps({"valetkey": _KIND, "keys": records}, indent=2) + "\n").encode())


def _path(env: Mapping[str, str]) -> Path:
    return files.config_dir(env) / "keys.json"


def _name(access_key_id: str) -> str:
    return f"key:{access_key_id}"
