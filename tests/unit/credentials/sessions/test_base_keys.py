"""A key on its way into the keyring, and changed for a new one: at every moment there is one that works."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Iterator
from typing import Any

import keyring
import pytest
from keyring.backends import fail
from tests.unit.credentials.sessions.test_vault import Locked, Memory

from valetkey.account.base_identity import STORED, NoBase
from valetkey.account.calls import Call, CallError
from valetkey.aws.signin import sign_in
from valetkey.cli import _questions, _signing, _terminal
from valetkey.cli._signing import TypedKey
from valetkey.credentials.profiles import awsconfig
from valetkey.credentials.sessions.base_keys import StoredKey, keep, rotate, store, stored_key
from valetkey.credentials.sessions.vault import SERVICE, NoKeyring, Vault
from valetkey.errors import ValetkeyError

ANN = "arn:aws:iam::123456789012:user/team/ann"
CREDENTIALS = """# mine
[other]
aws_access_key_id = AKIAOTHER
aws_secret_access_key = hush-other

[default]
; from 2024
aws_access_key_id = AKIAANN
region=eu-west-1
aws_secret_access_key = hush-ann
"""


@pytest.fixture(autouse=True)
def ring() -> Iterator[Memory]:
    memory = Memory()
    keyring.set_keyring(memory)
    yield memory
    keyring.set_keyring(fail.Keyring())


@pytest.fixture
def env(home: pathlib.Path) -> dict[str, str]:
    (home / ".aws").mkdir()
    (home / ".aws/credentials").write_text(CREDENTIALS)
    (home / ".aws/credentials").chmod(0o640)
    return {"HOME": str(home)}


class Iam:
    """One user's access keys, and where the process dies."""

    def __init__(self, *ids: str) -> None:
        self.ids = list(ids)
        self.calls: list[str] = []
        self.die_after = ""
        self.unknown = 0
        self.code = "InvalidClientTokenId"

    def perform(self, call: Call, /) -> dict[str, Any]:
        self.calls.append(call.operation)
        answer: dict[str, Any] = {}
        if call.operation == "list_access_keys":
            answer = {"AccessKeyMetadata": [{"AccessKeyId": id_} for id_ in self.ids]}
        elif call.operation == "create_access_key":
            assert len(self.ids) < 2
            self.ids.append(f"AKIANEW{len(self.calls)}")
            answer = {"AccessKey": {"AccessKeyId": self.ids[-1], "SecretAccessKey": f"hush-{self.ids[-1]}"}}
        elif call.operation == "delete_access_key":
            self.ids.remove(call.params["AccessKeyId"])
        if call.operation == self.die_after:
            raise KeyboardInterrupt
        return answer

    def connect(self, keys: Any) -> Any:
        def perform(call: Call, /) -> dict[str, Any]:
            assert call.operation == "get_caller_identity"
            if self.unknown:
                self.unknown -= 1
                raise CallError(call, self.code, "not known yet")
            assert keys.secret_access_key == f"hush-{keys.access_key_id}"
            assert keys.access_key_id in self.ids
            if self.die_after == "try":
                raise KeyboardInterrupt
            return {"Arn": ANN}

        return perform


def moved(env: dict[str, str]) -> StoredKey:
    key, _ = store(None, sign_in("default"), ANN, env=env, vault=Vault())
    return key


def test_the_key_leaves_the_file_and_nothing_else_does(env: dict[str, str], ring: Memory, home: pathlib.Path) -> None:
    key, path = store(None, sign_in("default"), ANN, env=env, vault=Vault())
    assert path == home / ".aws/credentials"
    assert path.read_text() == CREDENTIALS.replace("aws_access_key_id = AKIAANN\n", "").replace(
        "aws_secret_access_key = hush-ann\n", ""
    )
    assert path.stat().st_mode & 0o777 == 0o640
    assert ring.kept == {(SERVICE, "key:AKIAANN"): "hush-ann"}
    assert (key.access_key_id, key.secret_access_key) == ("AKIAANN", "hush-ann")
    assert stored_key(None, env, Vault()) == stored_key("default", env, Vault()) == key
    assert stored_key("other", env, Vault()) is None
    assert "hush" not in repr(key)
    for item in home.rglob("*"):
        if item.is_file():
            assert "hush-ann" not in item.read_text(), item
    assert (home / ".config/valetkey/keys.json").stat().st_mode & 0o777 == 0o600


def test_a_key_in_the_config_too(env: dict[str, str], home: pathlib.Path) -> None:
    (home / ".aws/config").write_text(
        "[profile work]\nregion = eu-west-1\naws_access_key_id = AKIAWORK\naws_secret_access_key = hush-work\n"
    )
    _, path = store("work", sign_in("work"), ANN, env=env, vault=Vault())
    assert path.read_text() == "[profile work]\nregion = eu-west-1\n"


def test_no_copy_that_import_made_keeps_the_key(env: dict[str, str], home: pathlib.Path) -> None:
    text = "[profile work]\naws_access_key_id = AKIAWORK\naws_secret_access_key = hush-work\nregion = x\n"
    (home / ".aws/config").write_text(text)
    copies = [home / ".aws" / f"config.valetkey-20261129T12000{item}Z" for item in range(2)]
    for copy in copies:
        copy.write_text(text)
    store("work", sign_in("work"), ANN, env=env, vault=Vault())
    assert {copy.read_text() for copy in copies} == {"[profile work]\nregion = x\n"}


def test_the_copy_of_the_config_does_not_keep_the_key(env: dict[str, str], home: pathlib.Path) -> None:
    """`accept` copies the config before it changes it for the first time."""
    config = home / ".aws/config"
    config.write_text(
        "[profile other]\nregion = x\n[profile work]\naws_access_key_id = AKIAWORK\naws_secret_access_key = hush-work\n"
    )
    written = awsconfig.write_profile("acme", '"valetkey" credential-process acme', env)
    assert written.backup is not None
    assert "hush-work" in written.backup.read_text()
    store("work", sign_in("work"), ANN, env=env, vault=Vault())
    assert written.backup.read_text() == "[profile other]\nregion = x\n[profile work]\n"
    assert "hush-work" not in config.read_text()
    assert written.backup.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("backend", [fail.Keyring, Locked])
def test_without_a_keyring_the_file_stays_as_it_is(backend: Any, env: dict[str, str], home: pathlib.Path) -> None:
    keyring.set_keyring(backend())
    with pytest.raises(NoKeyring):
        moved(env)
    assert (home / ".aws/credentials").read_text() == CREDENTIALS
    assert not (home / ".config/valetkey/keys.json").exists()


def test_a_keyring_that_forgets_does_not_get_the_key(env: dict[str, str], home: pathlib.Path) -> None:
    class Forgets(Memory):
        def set_password(self, service: str, username: str, password: str) -> None: ...

    keyring.set_keyring(Forgets())
    with pytest.raises(NoKeyring, match="does not return the value"):
        moved(env)
    assert (home / ".aws/credentials").read_text() == CREDENTIALS


def test_keys_that_are_in_no_file_stay_where_they_are(
    env: dict[str, str], ring: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENV")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush-env")
    with pytest.raises(ValetkeyError, match="in none of your AWS files"):
        store(None, sign_in(None), ANN, env=env, vault=Vault())
    assert ring.kept == {}


def test_signing_in_finds_the_stored_key_last_and_reads_its_secret_when_used(
    env: dict[str, str], ring: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = moved(env)
    asked = ring.asked
    for profile in ("default", None):
        result = sign_in(profile, stored=key)
        assert (result.access_key_id, result.source, result.session_token) == ("AKIAANN", STORED, None)
    assert ring.asked == asked
    assert result.secret_access_key == "hush-ann"
    assert ring.asked == asked + 1
    with pytest.raises(NoBase):
        sign_in("default")
    # What the environment and the files say goes first.
    assert sign_in("other", stored=key).access_key_id == "AKIAOTHER"
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENV")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush-env")
    assert sign_in(None, stored=key).access_key_id == "AKIAENV"


def test_a_secret_that_the_keyring_lost_is_told(env: dict[str, str], ring: Memory) -> None:
    key = moved(env)
    ring.kept.clear()
    with pytest.raises(ValetkeyError, match="no longer has the secret of AKIAANN"):
        key.secret_access_key  # noqa: B018


@pytest.mark.parametrize("text", ["", "[]", '{"valetkey": "stored-keys/v2", "keys": {}}', '{"valetkey": 1}'])
def test_a_broken_list_of_keys_is_told(text: str, env: dict[str, str], home: pathlib.Path) -> None:
    moved(env)
    (home / ".config/valetkey/keys.json").write_text(text)
    with pytest.raises(ValetkeyError, match=r"keys\.json cannot be used"):
        stored_key(None, env, Vault())


def turn(env: dict[str, str], iam: Iam) -> StoredKey:
    old = stored_key(None, env, Vault())
    assert old is not None
    slept: list[float] = []
    return rotate(None, old, perform=iam.perform, connect=iam.connect, env=env, vault=Vault(), sleep=slept.append)


def test_a_key_is_changed_for_a_new_one(env: dict[str, str], ring: Memory) -> None:
    moved(env)
    iam = Iam("AKIAANN")
    iam.unknown = 3  # a new key takes a moment
    new = turn(env, iam)
    assert iam.ids == [new.access_key_id]
    assert ring.kept == {(SERVICE, f"key:{new.access_key_id}"): f"hush-{new.access_key_id}"}
    assert stored_key(None, env, Vault()) == new
    assert iam.calls == ["list_access_keys", "create_access_key", "delete_access_key"]


@pytest.mark.parametrize("moment", ["try", "delete_access_key"])
def test_broken_off_it_goes_on(moment: str, env: dict[str, str], ring: Memory) -> None:
    moved(env)
    iam = Iam("AKIAANN")
    iam.die_after = moment
    with pytest.raises(KeyboardInterrupt):
        turn(env, iam)
    # What is recorded works.
    there = stored_key(None, env, Vault())
    assert there is not None
    assert there.access_key_id in iam.ids
    assert there.secret_access_key
    iam.die_after = ""
    calls = len(iam.calls)
    new = turn(env, iam)
    assert iam.ids == [new.access_key_id]
    assert new.access_key_id != "AKIAANN"
    if moment == "try":
        assert "create_access_key" not in iam.calls[calls:]
    assert stored_key(None, env, Vault()) == new


def test_another_key_of_the_user_is_not_touched(env: dict[str, str]) -> None:
    moved(env)
    iam = Iam("AKIAANN", "AKIASECOND")
    with pytest.raises(ValetkeyError, match="has another access key, AKIASECOND"):
        turn(env, iam)
    assert iam.ids == ["AKIAANN", "AKIASECOND"]


def test_a_new_key_that_cannot_be_kept_is_deleted_again(env: dict[str, str], ring: Memory) -> None:
    moved(env)

    class Full(Memory):
        def set_password(self, service: str, username: str, password: str) -> None:
            raise OSError("full")

    full = Full()
    full.kept = ring.kept
    keyring.set_keyring(full)
    iam = Iam("AKIAANN")
    with pytest.raises(NoKeyring):
        turn(env, iam)
    assert iam.ids == ["AKIAANN"]
    assert stored_key(None, env, Vault()).access_key_id == "AKIAANN"  # type: ignore[union-attr]


def test_a_new_key_of_somebody_else_is_not_taken(env: dict[str, str]) -> None:
    moved(env)
    iam = Iam("AKIAANN")
    old = stored_key(None, env, Vault())
    assert old is not None

    def connect(keys: Any) -> Any:
        return lambda call: {"Arn": "arn:aws:iam::123456789012:user/bob"}

    with pytest.raises(ValetkeyError, match="user/bob"):
        rotate(None, old, perform=iam.perform, connect=connect, env=env, vault=Vault(), sleep=lambda _: None)
    assert stored_key(None, env, Vault()) == old


def test_a_typed_key_goes_into_the_keyring_and_into_no_file(
    env: dict[str, str], ring: Memory, home: pathlib.Path
) -> None:
    typed = TypedKey("AKIATYPED0000000000", "secret-typed")
    assert "secret-typed" not in repr(typed)
    kept = keep("typed", typed, "arn:aws:iam::123456789012:user/ann", env=env, vault=Vault())
    assert stored_key("typed", env, Vault()) == kept
    assert kept.secret_access_key == "secret-typed"
    assert all(b"secret-typed" not in path.read_bytes() for path in home.rglob("*") if path.is_file())


def test_what_is_typed_is_checked(env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(_terminal, "secret", lambda question, seconds: " secret-typed ")
    monkeypatch.setattr(_questions, "answer", lambda question: " AKIATYPED0000000000")
    assert _signing.read_key(None) == TypedKey("AKIATYPED0000000000", "secret-typed")
    with pytest.raises(ValetkeyError, match="the profile nowhere is not in"):
        _signing.read_key("nowhere")
    monkeypatch.setattr(_questions, "answer", lambda question: "ASIATYPED0000000000")
    with pytest.raises(ValetkeyError, match="not the id of an IAM user"):
        _signing.read_key(None)


def test_a_new_key_is_waited_for_twenty_seconds_and_no_longer(env: dict[str, str]) -> None:
    old = moved(env)
    for unknown, code in ((9, "InvalidClientTokenId"), (10, "InvalidClientTokenId"), (9, "SignatureDoesNotMatch")):
        iam, slept = Iam("AKIAANN"), list[float]()
        iam.unknown, iam.code = unknown, code
        given: dict[str, Any] = {"perform": iam.perform, "connect": iam.connect, "env": env, "vault": Vault()}
        if unknown == 10:
            with pytest.raises(CallError, match="not known yet"):
                rotate(None, old, sleep=slept.append, **given)
            assert iam.ids[0] == "AKIAANN"
        else:
            rotate(None, old, sleep=slept.append, **given)
            assert "AKIAANN" not in iam.ids
            # As it was before.
            keep(None, TypedKey("AKIAANN", "hush-ann"), ANN, env=env, vault=Vault())
        assert slept == [2] * 9


def test_a_refusal_that_does_not_pass_is_not_waited_for(env: dict[str, str]) -> None:
    old, iam, slept = moved(env), Iam("AKIAANN"), list[float]()
    iam.unknown, iam.code = 1, "AccessDenied"
    with pytest.raises(CallError):
        rotate(None, old, perform=iam.perform, connect=iam.connect, env=env, vault=Vault(), sleep=slept.append)
    assert slept == []
    assert stored_key(None, env, Vault()) == old


def test_what_is_asked_of_aws_for_a_change(env: dict[str, str]) -> None:
    old, iam, calls = moved(env), Iam("AKIAANN"), list[tuple[str, str, dict[str, Any]]]()

    def perform(call: Call, /) -> dict[str, Any]:
        calls.append((call.service, call.operation, dict(call.params)))
        return iam.perform(call)

    new = rotate(None, old, perform=perform, connect=iam.connect, env=env, vault=Vault(), sleep=lambda _: None)
    assert new == StoredKey("AKIANEW2", ANN, Vault())
    assert calls == [
        ("iam", "list_access_keys", {"UserName": "ann"}),
        ("iam", "create_access_key", {"UserName": "ann"}),
        ("iam", "delete_access_key", {"UserName": "ann", "AccessKeyId": "AKIAANN"}),
    ]


def test_while_a_change_is_under_way_the_new_key_is_recorded_with_the_old_one(
    env: dict[str, str], ring: Memory, home: pathlib.Path
) -> None:
    moved(env)
    iam = Iam("AKIAANN")
    iam.die_after = "delete_access_key"
    with pytest.raises(KeyboardInterrupt):
        turn(env, iam)
    path = home / ".config/valetkey/keys.json"
    record = {"access_key_id": "AKIANEW2", "user": ANN, "replaces": "AKIAANN"}
    assert json.loads(path.read_text()) == {"valetkey": "stored-keys/v1", "keys": {"default": record}}
    assert stored_key(None, env, Vault()) == StoredKey("AKIANEW2", ANN, Vault(), replaces="AKIAANN")
    # The old one is deleted at AWS already: there is nothing to finish, and a third key is made.
    iam.die_after = ""
    new = turn(env, iam)
    assert iam.ids == [new.access_key_id]
    assert {name for _, name in ring.kept} == {f"key:{new.access_key_id}"}
    assert json.loads(path.read_text())["keys"] == {"default": {"access_key_id": new.access_key_id, "user": ANN}}


def test_an_old_key_that_is_there_still_is_deleted_and_no_third_one_made(env: dict[str, str], ring: Memory) -> None:
    """Broken off between the new key's record and the old one's deletion."""
    moved(env)
    iam = Iam("AKIAANN")

    def die(call: Call, /) -> dict[str, Any]:
        if call.operation == "delete_access_key":
            raise KeyboardInterrupt
        return iam.perform(call)

    old = stored_key(None, env, Vault())
    assert old is not None
    with pytest.raises(KeyboardInterrupt):
        rotate(None, old, perform=die, connect=iam.connect, env=env, vault=Vault(), sleep=lambda _: None)
    assert iam.ids == ["AKIAANN", "AKIANEW2"]
    iam.calls.clear()
    new = turn(env, iam)
    assert new == StoredKey("AKIANEW2", ANN, Vault())
    assert (iam.ids, iam.calls) == (["AKIANEW2"], ["list_access_keys", "delete_access_key"])
    assert ring.kept == {(SERVICE, "key:AKIANEW2"): "hush-AKIANEW2"}


def test_keys_of_several_profiles_are_recorded_side_by_side(env: dict[str, str]) -> None:
    default = moved(env)
    other, _ = store("other", sign_in("other"), ANN, env=env, vault=Vault())
    assert (stored_key(None, env, Vault()), stored_key("other", env, Vault())) == (default, other)
    typed = keep(None, TypedKey("AKIATYPED", "hush-typed"), ANN, env=env, vault=Vault())
    assert stored_key("default", env, Vault()) == typed
    assert stored_key("other", env, Vault()) == other


class Session:
    """Temporary keys."""

    access_key_id, secret_access_key, session_token = "ASIAX", "hush-x", "token"


def lost(env: dict[str, str]) -> None:
    stored = moved(env)
    stored.vault.drop("key:AKIAANN")
    stored.secret_access_key  # noqa: B018


def another(env: dict[str, str]) -> None:
    moved(env)
    turn(env, Iam("AKIAANN", "AKIASECOND"))


def somebody_else(env: dict[str, str]) -> None:
    old, iam = moved(env), Iam("AKIAANN")
    bob = "arn:aws:iam::123456789012:user/bob"
    given: dict[str, Any] = {"env": env, "vault": Vault(), "sleep": lambda _: None}
    rotate(None, old, perform=iam.perform, connect=lambda keys: lambda call: {"Arn": bob}, **given)


@pytest.mark.parametrize(
    ("use", "what", "do", "where", "exit_code"),
    [
        (
            lambda env: store("work", Session(), ANN, env=env, vault=Vault()),
            "the profile work is a temporary session: it has no key to keep",
            "name a profile of an IAM user",
            "",
            2,
        ),
        (
            lambda env: store("work", TypedKey("AKIAX", "x"), ANN, env=env, vault=Vault()),
            "the key of the profile work is in none of your AWS files",
            "put it there first (aws configure), or name its profile with --base",
            "",
            2,
        ),
        (
            lost,
            "the keyring no longer has the secret of AKIAANN",
            "make a new access key in IAM, put it into your AWS credentials file, `valetkey login --store-key`",
            "",
            3,
        ),
        (
            another,
            "the user ann has another access key, AKIASECOND, and AWS allows two",
            "delete the one that is not used in IAM (an interrupted rotation may have left it), and try again",
            ANN,
            1,
        ),
        (
            somebody_else,
            f"the new key is of arn:aws:iam::123456789012:user/bob, not of {ANN}",
            "look at your keys in IAM",
            "",
            1,
        ),
    ],
)
def test_what_is_said_of_a_key_that_cannot_be_kept_or_changed(
    use: Any, what: str, do: str, where: str, exit_code: int, env: dict[str, str]
) -> None:
    with pytest.raises(ValetkeyError) as caught:
        use(env)
    error = caught.value
    assert (error.what, error.do, error.where, error.exit_code) == (what, do, where, exit_code)


RECORD = {"access_key_id": "AKIAANN", "user": ANN}


@pytest.mark.parametrize(
    "keys",
    [
        [],
        {"default": None},
        {"default": {"access_key_id": "AKIAANN"}},
        {"default": {"user": ANN}},
        {"default": {**RECORD, "user": 1}},
        {"default": {**RECORD, "secret": "x"}},
        {"default": {**RECORD, "replaces": None}},
        {"work": RECORD, "default": {}},
        ["access_key_id", "user"],
    ],
)
def test_a_list_with_a_record_that_is_none_is_told(keys: Any, env: dict[str, str], home: pathlib.Path) -> None:
    path = home / ".config/valetkey/keys.json"
    moved(env)
    for text in (json.dumps({"valetkey": "stored-keys/v1", "keys": keys}), "[" * 100_000, "{}"):
        path.write_text(text)
        with pytest.raises(ValetkeyError) as caught:
            stored_key("work", env, Vault())
        assert (caught.value.what, caught.value.do, caught.value.where) == (
            f"{path} cannot be used",
            "check its owner and mode (0600), or update valetkey",
            str(path),
        )
    path.write_text(json.dumps({"valetkey": "stored-keys/v1", "keys": {"work": {**RECORD, "replaces": "AKIAOLD"}}}))
    assert stored_key("work", env, Vault()) == StoredKey("AKIAANN", ANN, Vault(), replaces="AKIAOLD")
    assert stored_key(None, env, Vault()) is None
    path.chmod(0o644)
    with pytest.raises(ValetkeyError, match="check its owner and mode"):
        stored_key("work", env, Vault())


def test_the_list_is_private_and_written_for_people(env: dict[str, str], home: pathlib.Path) -> None:
    moved(env)
    text = (home / ".config/valetkey/keys.json").read_text()
    assert text == json.dumps({"valetkey": "stored-keys/v1", "keys": {"default": RECORD}}, indent=2) + "\n"
    assert (home / ".config/valetkey").stat().st_mode & 0o777 == 0o700
