"""Every command that opens the base identity names a damaged AWS file and its line; nothing is its own fault."""

from __future__ import annotations

import errno
import json
import os
import pathlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from botocore.compat import EC

from valetkey import awsfiles
from valetkey.awsfiles import ConfigError
from valetkey.cli import _run
from valetkey.cli._app import COMMANDS as REGISTERED
from valetkey.cli._evaluated import run_env
from valetkey.credentials.profiles import awsconfig
from valetkey.credentials.profiles.profile import Profile, save
from valetkey.credentials.sessions.cache import Cache, key
from valetkey.credentials.sessions.vault import NoKeyring, Vault
from valetkey.exchange.files import Handoff, dump

ACCOUNT, OWNER = "123456789012", "210987654321"
KEYS = "aws_access_key_id = AKIA\naws_secret_access_key = hush\n"


@dataclass(frozen=True)
class Damage:
    file: str
    text: bytes
    line: int


DAMAGE = {
    "a byte order mark": Damage("config", b"\xef\xbb\xbf[default]\nregion = eu-west-1\n", 1),
    "latin-1": Damage("config", b"[default]\n# Z\xfcrich\nregion = eu-west-1\n", 2),
    "a section twice": Damage("config", b"[default]\nregion = eu-west-1\n[default]\nregion = eu-west-1\n", 3),
    "a key twice": Damage("config", b"[default]\nregion = eu-west-1\nregion = eu-west-1\n", 3),
    "a line without value": Damage("config", b"[default]\nregion\n", 2),
    "a nested line without value": Damage("config", b"[default]\ns3 =\n  path\n", 3),
    "text before the first section": Damage("config", b"region = eu-west-1\n[default]\n", 1),
    "latin-1 in the keys": Damage("credentials", f"[default]\n{KEYS}# Z".encode() + b"\xfcrich\n", 4),
    "a section of keys twice": Damage("credentials", f"[default]\n{KEYS}[default]\n".encode(), 4),
}
CUSTOMERS = next(name for name, target, *_ in REGISTERED if target.startswith("customers:"))
COMMANDS = [
    "exec acme -- true",
    "env acme",
    "credential-process acme",
    "verify acme",
    "request globex",
    "accept handoff.json",
    "accept --role arn:aws:iam::210987654321:role/new",
    "login acme",
    "login",
    "console acme --print",
    "terraform acme",
    CUSTOMERS,
    "doctor acme",
    "doctor",
]
NOT_OPENED = {"credentials": ("terraform acme", "forget acme", CUSTOMERS)}
"""Commands that have no use for the credentials file."""


@pytest.fixture
def computer(home: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """A contractor with one customer, `acme`; nobody is there to type a code."""
    monkeypatch.chdir(home)
    (home / ".aws").mkdir()
    (home / ".aws/credentials").write_text(f"[default]\n{KEYS}")
    (home / ".aws/config").write_text("[default]\nregion = eu-west-1\n")
    profile = Profile(
        name="acme",
        role_arn=f"arn:aws:iam::{OWNER}:role/acme",
        contractor=ACCOUNT,
        source_profile="default",
        base_arn=f"arn:aws:iam::{ACCOUNT}:user/ann",
        base_files=("~/.aws/config", "~/.aws/credentials"),
        mfa=True,
        mfa_serial=f"arn:aws:iam::{ACCOUNT}:mfa/ann",
        max_session=3600,
    )
    save(profile, os.environ)
    awsconfig.write_profile("acme", "valetkey credential-process acme", os.environ)
    handoff = Handoff(
        role_arn=f"arn:aws:iam::{OWNER}:role/new",
        external_id=None,
        contractor=ACCOUNT,
        partition="aws",
        max_session=3600,
        mfa=False,
        mfa_max_age=None,
        until=None,
        issued=datetime(2026, 11, 1, tzinfo=UTC),
        request=None,
    )
    (home / "handoff.json").write_text(dump(handoff))
    return home


def run(words: str, capfd: pytest.CaptureFixture[str]) -> tuple[int, str]:
    given = words.split()
    code = run_env(given) if given[0] == "env" else _run.run(given)
    shown = capfd.readouterr()
    return code, shown.err + (shown.out if given[0] == "doctor" else "")


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
@pytest.mark.parametrize("words", [*COMMANDS, "import --all", "forget acme"])
def test_a_damaged_file_is_named_with_its_line(
    words: str, damage: Damage, computer: pathlib.Path, capfd: pytest.CaptureFixture[str]
) -> None:
    if words in NOT_OPENED.get(damage.file, ()):
        pytest.skip("does not read this file")
    path = computer / ".aws" / damage.file
    path.write_bytes(damage.text)
    code, said = run(words, capfd)
    assert is_named(said, f"{path}: line {damage.line}"), said
    check_said(words, code, said, 2)
    assert path.read_bytes() == damage.text


def is_named(said: str, place: str) -> bool:
    """Whether a place is in a text that may be broken into lines."""
    return re.sub(r"\s", "", place) in re.sub(r"\s", "", said)


OPENING = [command for command in COMMANDS if command not in ("terraform acme", CUSTOMERS)]
"""Commands that resolve the base identity."""


@pytest.mark.parametrize("words", OPENING)
def test_a_comment_behind_the_region_is_named_with_its_line(
    words: str, computer: pathlib.Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = computer / ".aws/config"
    path.write_text(path.read_text().replace("region = eu-west-1", "# mine\nregion = eu-west-1 # home"))
    code, said = run(words, capfd)
    assert is_named(said, f"{path}: line 3"), said
    assert "put the comment on a line of its own" in said or words.startswith("doctor")
    check_said(words, code, said, 2)


@pytest.mark.parametrize("words", ["exec acme -- true", "env acme", "terraform acme"])
def test_a_comment_behind_the_customers_region_is_named_too(
    words: str, computer: pathlib.Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = computer / ".aws/config"
    path.write_text(path.read_text() + "region = eu-west-1 ; home\n")
    with pytest.raises(ConfigError) as caught:
        awsfiles.region("acme", os.environ)
    assert caught.value.where == f"{path}: line {len(path.read_text().splitlines())}"
    if words.startswith("terraform"):
        code, said = run(words, capfd)
        assert is_named(said, caught.value.where)
        check_said(words, code, said, 2)


@pytest.mark.parametrize("words", OPENING)
def test_a_token_file_that_is_not_there_is_named(
    words: str, computer: pathlib.Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (computer / ".aws/credentials").write_text("")
    path = computer / ".aws/config"
    path.write_text(
        path.read_text().replace(
            "[default]\n",
            f"[default]\nrole_arn = arn:aws:iam::{ACCOUNT}:role/ci\nweb_identity_token_file = {computer}/token\n",
        )
    )
    code, said = run(words, capfd)
    assert is_named(said, f"{computer}/token"), said
    assert "No such file" in re.sub(r"\s+", " ", said)
    check_said(words, code, said, 2)


@pytest.mark.skipif(EC is not None, reason="botocore[crt] is installed")
@pytest.mark.parametrize("words", OPENING)
def test_aws_login_without_its_extra_names_the_extra(
    words: str, computer: pathlib.Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (computer / ".aws/credentials").write_text("")
    path = computer / ".aws/config"
    path.write_text(path.read_text().replace("[default]\n", "[default]\nlogin_session = arn:aws:iam::1:user/ann\n"))
    code, said = run(words, capfd)
    assert is_named(said, "botocore[crt]"), said
    assert "valetkey[aws-login]" in said or words.startswith("doctor")
    check_said(words, code, said, 2)


@pytest.mark.parametrize("words", [each for each in OPENING if each != "request globex"])
def test_a_locked_keyring_is_named_before_a_code_is_asked_for(
    words: str, computer: pathlib.Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where nothing has to be called before the code: whose key it is was noted."""
    (computer / ".aws/credentials").write_text("")
    record = {"default": {"access_key_id": "AKIA", "user": f"arn:aws:iam::{ACCOUNT}:user/ann"}}
    keys = computer / ".config/valetkey/keys.json"
    keys.write_text(json.dumps({"valetkey": "stored-keys/v1", "keys": record}))
    keys.chmod(0o600)
    noted = key("caller", realm=os.environ["AWS_ENDPOINT_URL"], key="AKIA")
    Cache(os.environ).note_caller(noted, f"arn:aws:iam::{ACCOUNT}:user/ann")
    monkeypatch.setattr(Vault, "get", locked)
    code, said = run(words, capfd)
    assert "may be locked" in re.sub(r"\s+", " ", said), said
    check_said(words, code, said, 3, doctor=3)


def locked(vault: Vault, name: str) -> str | None:
    raise NoKeyring("the keyring did not answer within 15 seconds; it may be locked", do="unlock it")


@pytest.mark.parametrize("words", ["exec acme -- true", "env acme", "credential-process acme", "login acme"])
def test_a_home_that_cannot_be_written_is_named(
    words: str, computer: pathlib.Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_only(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(computer))

    monkeypatch.setattr("filelock.FileLock.acquire", read_only)
    code, said = run(words, capfd)
    assert "Read-only file system" in re.sub(r"\s+", " ", said), said
    check_said(words, code, said, 2)


def check_said(words: str, code: int, said: str, expected: int, *, doctor: int = 1) -> None:
    assert "fault of valetkey" not in said
    assert "the network" not in said
    assert "MFA code" not in said
    assert code == (125 if words.startswith("exec") else doctor if words.startswith("doctor") else expected), said
