"""import, forget and logout as commands, with a base identity that is not asked of AWS."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import re
import stat
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from valetkey.account.base_identity import SIGN_IN, NoBase
from valetkey.account.calls import CallError
from valetkey.cli import _machine, _questions, _run
from valetkey.credentials.profiles.profile import Profile, TermsOrigin, load, names, path_of, save
from valetkey.credentials.sessions.cache import Cache, Session
from valetkey.credentials.sessions.mfa import mfa_key
from valetkey.credentials.sessions.values import Credentials
from valetkey.credentials.sessions.vault import NO_BACKEND, NoKeyring
from valetkey.errors import ValetkeyError

DOCS = pathlib.Path(__file__).parents[3] / "docs" / "reference"
OWN, ACME, GLOBEX = "222222222222", "111111111111", "333333333333"
SERIAL = f"arn:aws:iam::{OWN}:mfa/alice"
CONFIG = f"""\
# mine
[default]
region = eu-west-1

[profile acme]
role_arn = arn:aws:iam::{ACME}:role/audit
source_profile = default
external_id = x-acme-1
mfa_serial = {SERIAL}
region = eu-central-1

[profile prod]
role_arn = arn:aws:iam::{ACME}:role/prod
source_profile = acme

[profile globex]
role_arn = arn:aws:iam::{GLOBEX}:role/audit
source_profile = default
external_id = x-globex-1
"""


@dataclass(frozen=True)
class Base:
    """What sign_in answers, as far as it is used here."""

    access_key_id: str = "AKIA"
    secret_access_key: str = "s"
    session_token: str | None = None
    realm: str = "https://sts.*"

    def connect(self, _: Any) -> Any:
        return lambda call: {"Arn": f"arn:aws:iam::{OWN}:user/alice", "UserId": "AIDA"}


@pytest.fixture
def config(home: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    monkeypatch.chdir(home)
    (home / ".aws").mkdir()
    path = home / ".aws/config"
    path.write_text(CONFIG)
    asked: list[str | None] = []

    def sign_in(source: str | None, /, **how: Any) -> Base:
        asked.append(source)
        assert how["ask"] is None, "nobody may be asked for a code"
        if source == "vault":
            raise NoBase("the base profile vault has no credentials", do=SIGN_IN)
        return Base()

    machine: Any = dataclasses.replace(_machine.machine(), sign_in=sign_in, vault=VAULT)
    monkeypatch.setattr(_machine, "machine", lambda: machine)
    VAULT.kept, VAULT.why = {}, ""
    return path


class FakeVault:
    """The keyring; `why` says why it does not answer."""

    kept: dict[str, str]
    why = ""

    def get(self, name: str) -> str | None:
        if self.why:
            raise NoKeyring(self.why)
        return self.kept.get(name)

    def drop(self, name: str) -> None:
        if self.why:
            raise NoKeyring(self.why)
        self.kept.pop(name, None)


VAULT = FakeVault()


def run(capfd: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = _run.run(words)
    shown = capfd.readouterr()
    return code, shown.out, shown.err


def copies(config: pathlib.Path) -> list[pathlib.Path]:
    return sorted(item for item in config.parent.iterdir() if item.name.startswith("config.valetkey"))


def test_nothing_is_written_without_a_yes(config: pathlib.Path, capfd: pytest.CaptureFixture[str]) -> None:
    for words, wanted in ((["--all", "--dry-run"], 0), (["--all"], 2), ([], 2), (["acme", "--all"], 2), (["acm"], 2)):
        code, out, err = run(capfd, "import", *words)
        assert code == wanted, out + err
    assert 'Did you mean "acme"?'.lower() in err.lower()
    assert (config.read_text(), names(os.environ), copies(config)) == (CONFIG, (), [])


def test_where_there_is_no_config_the_remedy_is_named(config: pathlib.Path, capfd: pytest.CaptureFixture[str]) -> None:
    config.unlink()
    assert run(capfd, "import", "--all", "--dry-run") == (0, "There is nothing to import.\n", "")
    code, _, err = run(capfd, "import", "--dry-run")
    assert (code, "run `valetkey accept`" in err) == (2, True)


def test_taken_over_and_put_back(config: pathlib.Path, capfd: pytest.CaptureFixture[str]) -> None:
    config.chmod(0o644)
    code, out, _ = run(capfd, "import", "--all", "--yes", "--json")
    assert code == 0  # the chain is right as it is
    said = json.loads(out)
    text = (DOCS / "import.md").read_text()
    listed = set(re.findall(r"`(\w+)`", text[text.index("`--json` prints one object") :].split(".\n")[0]))
    assert set(said) | set(said["imported"][0]) | set(said["left"][0]) == listed
    assert [item["profile"] for item in said["imported"]] == ["acme", "globex"]
    assert [(item["profile"], item["fine"]) for item in said["left"]] == [("prod", True)]
    assert "role_arn = arn:aws:iam::111111111111:role/prod\nsource_profile = acme" in config.read_text()
    acme = load("acme", os.environ)
    assert (acme.origin, acme.external_id, acme.mfa_serial) == (TermsOrigin.IMPORTED, "x-acme-1", SERIAL)
    (copy,) = copies(config)
    assert (str(copy), copy.read_text()) == (said["backup"], CONFIG)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert stat.S_IMODE(config.stat().st_mode) == 0o644
    # Again: nothing is left to do.
    assert run(capfd, "import", "--all", "--yes")[0] == 0
    assert len(copies(config)) == 1

    code, out, err = run(capfd, "forget", "acme", "--restore")
    assert code == 0
    assert "still trusts your account 222222222222" in out
    assert "prod" not in err  # it is a chain behind the section as before
    run(capfd, "forget", "globex", "--restore")
    assert (config.read_text(), names(os.environ)) == (CONFIG, ())
    assert len(copies(config)) == 3


def test_a_file_that_changes_while_the_question_is_open(
    config: pathlib.Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def another_tool(*_: Any, **__: Any) -> None:
        config.write_text(CONFIG + "# touched\n")

    monkeypatch.setattr(_questions, "consent", another_tool)
    monkeypatch.setattr(_questions, "need_somebody", lambda **_: None)
    code, _, err = run(capfd, "import", "acme")
    assert (code, "changed by something else" in err) == (2, True)
    assert (config.read_text(), names(os.environ), copies(config)) == (CONFIG + "# touched\n", (), [])


def test_a_profile_that_cannot_be_written_leaves_nothing_behind(
    config: pathlib.Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from valetkey.credentials.profiles import profile as module

    def full(profile: Profile, env: Any) -> pathlib.Path:
        if profile.name == "globex":
            raise ValetkeyError("the disk is full")
        return save(profile, env)

    monkeypatch.setattr(module, "save", full)
    code, _, err = run(capfd, "import", "--all", "--yes")
    assert (code, "the disk is full" in err) == (2, True)
    assert (config.read_text(), names(os.environ)) == (CONFIG, ())


def test_a_base_identity_in_another_tools_keyring_is_named_and_the_rest_is_imported(
    config: pathlib.Path, capfd: pytest.CaptureFixture[str]
) -> None:
    ours = "source_profile = default\nexternal_id = x-globex"
    config.write_text(CONFIG.replace(ours, ours.replace("default", "vault")))
    code, out, _ = run(capfd, "import", "--all", "--yes")
    assert code == 1
    assert "left: globex: the base profile vault has no credentials" in out
    assert "aws-vault export --format=json vault" in out
    assert names(os.environ) == ("acme",)
    assert "role_arn = arn:aws:iam::333333333333:role/audit" in config.read_text()


def test_forget_without_restore_takes_the_section_out_and_names_what_depended_on_it(
    config: pathlib.Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run(capfd, "import", "--all", "--yes")
    code, _, err = run(capfd, "forget", "acme")
    assert (code, "warning: prod got credentials from acme" in err) == (0, True)
    assert "[profile acme]" not in config.read_text()
    assert "[profile globex]" in config.read_text()
    code, _, err = run(capfd, "forget", "acme")
    assert (code, "no profile" in err) == (2, True)


def test_forget_what_was_not_imported_damaged_or_is_not_ours(
    config: pathlib.Path, capfd: pytest.CaptureFixture[str]
) -> None:
    plain = Profile(
        name="acme", role_arn=f"arn:aws:iam::{ACME}:role/audit", contractor=OWN, mfa=False, max_session=3600
    )
    save(plain, os.environ)
    code, _, err = run(capfd, "forget", "acme", "--restore")
    assert (code, "was not imported" in err, names(os.environ)) == (2, True, ("acme",))
    code, _, err = run(capfd, "forget", "acme")  # its section was made by hand
    assert (code, "is not valetkey's, and stays" in err) == (0, True)
    assert (config.read_text(), names(os.environ)) == (CONFIG, ())
    save(plain, os.environ).write_text("{")
    assert run(capfd, "forget", "acme", "--restore")[0] == 2
    code, _, err = run(capfd, "forget", "acme")
    assert (code, "could not be read" in err, path_of("acme", os.environ).exists()) == (0, True, False)


def session(account: str) -> Session:
    now = datetime.now(UTC)
    return Session(
        Credentials(
            access_key_id="ASIA",
            secret_access_key="s",
            session_token="t",
            expires=now + timedelta(hours=1),
            account=account,
        ),
        now,
    )


def test_logout_drops_what_is_kept_and_nothing_else(config: pathlib.Path, capfd: pytest.CaptureFixture[str]) -> None:
    run(capfd, "import", "--all", "--yes")
    cache = Cache(os.environ)
    root = config.parents[1] / ".cache/valetkey"
    name = mfa_key(Base(), SERIAL)
    with cache.lock(name, 1, busy=lambda: ValetkeyError("busy")):
        VAULT.kept = {name: "a session", "key-AKIA": "a key"}
    cache.put("role-1", session(ACME))
    cache.put("role-2", session(GLOBEX))
    for item in ("hot/acme", "hot/globex", "last/acme.json", "opened/acme:usual", "opened/globex:usual"):
        (root / item).parent.mkdir(exist_ok=True)
        (root / item).write_text("x")
    code, out, _ = run(capfd, "logout", "acme", "--json")
    assert (code, json.loads(out)["role_sessions"], json.loads(out)["mfa_sessions"]) == (0, 1, 1)
    assert VAULT.kept == {"key-AKIA": "a key"}
    assert cache.get("role-1") is None
    assert cache.get("role-2") is not None
    left = {str(item.relative_to(root)) for kind in ("hot", "last", "opened") for item in (root / kind).iterdir()}
    assert left == {"hot/globex", "opened/globex:usual"}

    VAULT.kept = {name: "a session", "key-AKIA": "a key"}  # found by its lock
    code, out, _ = run(capfd, "logout", "--all", "--json")
    assert (code, json.loads(out)) == (0, {"profile": None, "role_sessions": 1, "mfa_sessions": 1, "keyring": None})
    assert VAULT.kept == {"key-AKIA": "a key"}
    assert not list((root / "hot").iterdir())
    assert names(os.environ) == ("acme", "globex")
    assert run(capfd, "logout")[0] == 2
    assert run(capfd, "logout", "acme", "--all")[0] == 2


@pytest.mark.parametrize(("why", "wanted"), [("the keyring is locked", 3), (NO_BACKEND, 0)])
def test_a_keyring_that_does_not_answer_is_said(
    why: str, wanted: int, config: pathlib.Path, capfd: pytest.CaptureFixture[str]
) -> None:
    cache = Cache(os.environ)
    with cache.lock("mfa-1", 1, busy=lambda: ValetkeyError("busy")):
        cache.put("mfa-1", session(OWN))
    VAULT.why = why
    code, out, err = run(capfd, "logout", "--all")
    assert (code, why in err) == (wanted, wanted == 3)
    assert "1 MFA session" in out  # the one in a file is gone all the same
    assert cache.get("mfa-1") is None


def test_an_answer_of_aws_that_is_none_leaves_the_sections(
    config: pathlib.Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(call: Any) -> Any:
        raise CallError(call, "InvalidClientTokenId", "The security token included in the request is invalid")

    monkeypatch.setattr(Base, "connect", lambda *_: refuse)
    code, out, _ = run(capfd, "import", "--all", "--yes")
    assert code == 1
    assert out.count("left: ") == 3
    assert config.read_text() == CONFIG
