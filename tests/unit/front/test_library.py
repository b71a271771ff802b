"""`valetkey.session`: a boto3 session from the cache or the broker, and no terminal; importing valetkey is free."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

import valetkey
from valetkey.cli import _terminal
from valetkey.cli._machine import open_profile
from valetkey.credentials.profiles.profile import Profile, ProfileError, save
from valetkey.credentials.sessions.cache import Cache, Session, key
from valetkey.credentials.sessions.protocols import NoTerminal
from valetkey.credentials.sessions.values import Credentials

ACCOUNT, OWNER = "123456789012", "210987654321"
PAGE = pathlib.Path(__file__).parents[3] / "docs/reference/library.md"


@pytest.fixture
def customer(home: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Profile:
    (home / ".aws").mkdir()
    (home / ".aws/credentials").write_text("[default]\naws_access_key_id = AKIA\naws_secret_access_key = hush\n")
    (home / ".aws/config").write_text("[default]\nregion = eu-west-1\n")
    profile = Profile(
        name="acme",
        role_arn=f"arn:aws:iam::{OWNER}:role/acme",
        contractor=ACCOUNT,
        source_profile="default",
        base_arn=f"arn:aws:iam::{ACCOUNT}:user/ann",
        mfa=True,
        mfa_serial=f"arn:aws:iam::{ACCOUNT}:mfa/ann",
        max_session=3600,
        region="eu-central-1",
    )
    save(profile, os.environ)
    path = home / ".config/valetkey/profiles/acme.json"
    os.utime(path, (path.stat().st_mtime - 600,) * 2)

    def no_terminal(*_: object, **__: object) -> None:
        raise AssertionError("the terminal was opened")

    monkeypatch.setattr(_terminal, "asker", lambda *_, **__: no_terminal)
    return profile


def keep(access_key: str = "ASIAKEPT", life: timedelta = timedelta(hours=1)) -> None:
    now = datetime.now(UTC)
    credentials = Credentials(
        access_key_id=access_key, secret_access_key="hush", session_token="t", expires=now + life, account=OWNER
    )
    Cache(os.environ).put(open_profile("acme").key, Session(credentials, now))


def test_a_kept_session_is_a_boto3_session(customer: Profile) -> None:
    keep()
    result = valetkey.session("acme")
    frozen = result.get_credentials().get_frozen_credentials()
    assert (frozen.access_key, frozen.token) == ("ASIAKEPT", "t")
    assert result.region_name == "eu-central-1"
    assert valetkey.session("acme", region="eu-west-3").client("s3").meta.region_name == "eu-west-3"
    assert result.get_credentials().method == "valetkey"


def test_credentials_are_renewed(customer: Profile) -> None:
    """botocore asks again from 15 minutes before the end."""
    keep(life=timedelta(minutes=14))
    result = valetkey.session("acme")
    keep("ASIANEXT")
    assert result.get_credentials().get_frozen_credentials().access_key == "ASIANEXT"


def test_without_a_session_nobody_is_asked_on_a_terminal(customer: Profile) -> None:
    Cache(os.environ).note_caller(
        key("caller", realm=os.environ["AWS_ENDPOINT_URL"], key="AKIA"), f"arn:aws:iam::{ACCOUNT}:user/ann"
    )
    with pytest.raises(NoTerminal) as caught:
        valetkey.session("acme")
    assert "valetkey login acme" in caught.value.do
    asked = []

    def answer(device: str) -> str:
        asked.append(device)
        raise NoTerminal("not now")

    with pytest.raises(NoTerminal, match="not now"):
        valetkey.session("acme", ask=answer)
    assert asked == [customer.mfa_serial]


def test_a_profile_that_is_not_there() -> None:
    with pytest.raises(ProfileError):
        valetkey.session("nobody")
    with pytest.raises(AttributeError):
        _ = valetkey.nothing


def test_importing_valetkey_imports_nothing() -> None:
    script = (
        "import sys; before = set(sys.modules); import valetkey; print(sorted(set(sys.modules) - before))\n"
        "print(valetkey.decide.__module__, valetkey.prove.__module__, valetkey.who.__module__, valetkey.audit.__name__)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.splitlines()[0] == "['valetkey']"
    assert done.stdout.splitlines()[1].endswith("valetkey.audit")


def test_the_examples_of_the_page_run(customer: Profile, capsys: pytest.CaptureFixture[str]) -> None:
    keep()
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(blocks) == 4
    scope: dict[str, object] = {}
    for block in blocks:
        exec(block, scope)
    said = capsys.readouterr().out.splitlines()
    wanted = [line.partition("# ")[2] for line in "".join(blocks).splitlines() if line.startswith("print(")]
    assert said == wanted
