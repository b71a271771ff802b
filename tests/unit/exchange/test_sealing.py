"""Encrypted files: opened by the right key alone, by valetkey and by the program `age`, in both directions."""

from __future__ import annotations

import pathlib
import shutil
import subprocess

import pyrage
import pytest
from hypothesis import given
from hypothesis import strategies as st

from valetkey.errors import ValetkeyError
from valetkey.exchange import FileError, sealing

TEXT = b'{"valetkey": "handoff/v1"}\n'
needs_age = pytest.mark.skipif(shutil.which("age") is None, reason="the program age is not installed (Debian: age)")
needs_ssh = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed")

OWN = pyrage.x25519.Identity.generate()
OTHER = pyrage.x25519.Identity.generate()


def key_file(identity: object) -> bytes:
    return f"# created: today\n# public key: {identity.to_public()}\n{identity}\n".encode()  # type: ignore[attr-defined]


def ssh_key(folder: pathlib.Path, kind: str = "ed25519", passphrase: str = "") -> pathlib.Path:
    path = folder / f"id_{kind}"
    bits = ["-b", "2048"] if kind == "rsa" else []
    subprocess.run(["ssh-keygen", "-q", "-t", kind, *bits, "-N", passphrase, "-f", path], check=True, timeout=30)
    return path


def test_sealed_and_unsealed() -> None:
    sealed = sealing.seal(TEXT, str(OWN.to_public()))
    assert sealed.startswith(b"-----BEGIN AGE ENCRYPTED FILE-----\n")
    assert b"valetkey" not in sealed
    assert sealing.unseal(sealed, key_file(OWN), name="f", key_name="k") == TEXT
    assert sealing.unseal(b"  \n" + sealed, key_file(OTHER) + key_file(OWN), name="f", key_name="k") == TEXT
    binary = pyrage.encrypt(TEXT, [OWN.to_public()])
    assert sealing.unseal(binary, key_file(OWN), name="f", key_name="k") == TEXT


def test_a_plain_file_stays_as_it_is() -> None:
    assert sealing.unseal(TEXT, None, name="f") == TEXT
    assert sealing.unseal(TEXT, b"rubbish", name="f", key_name="k") == TEXT


@needs_ssh
@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
def test_ssh_keys(tmp_path: pathlib.Path, kind: str) -> None:
    path = ssh_key(tmp_path, kind)
    key = sealing.public_key(path.with_suffix(".pub").read_text(), where="x")
    assert sealing.unseal(sealing.seal(TEXT, key), path.read_bytes(), name="f", key_name="k") == TEXT


@needs_ssh
def test_keys_that_cannot_be_used_say_why(tmp_path: pathlib.Path) -> None:
    ecdsa = ssh_key(tmp_path, "ecdsa")
    with pytest.raises(sealing.KeyFileError, match="ECDSA"):
        sealing.public_key(ecdsa.with_suffix(".pub").read_text(), where="x")
    path = ssh_key(tmp_path, "ed25519", passphrase="a passphrase")
    sealed = sealing.seal(TEXT, path.with_suffix(".pub").read_text().strip())
    for key, says in [
        (path.read_bytes(), "has a passphrase"),
        (path.with_suffix(".pub").read_bytes(), "is a public key"),
        (ecdsa.read_bytes(), "cannot use"),
        (b"", "contains no"),
        (b"\xff\xfe", "contains no"),
        (b"AGE-SECRET-KEY-1RUBBISH", "cannot use"),
        (sealed, "itself encrypted"),
    ]:
        with pytest.raises(sealing.KeyFileError, match=says) as caught:
            sealing.unseal(sealed, key, name="f", key_name="k")
        assert caught.value.do
        assert "RUBBISH" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (str(OWN), "private key"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n", "private key"),
        ("", "contains no public key"),
        (f"{OWN.to_public()}\n{OTHER.to_public()}", "more than one"),
        ("age1yubikey1qwt50d05nh5vutpdzmlg5wn80xq5negm4uj9ghv0snvdd3yysf5yw3rhl3t", "plugin"),
        ("sk-ssh-ed25519@openssh.com AAAA", "security token"),
        ("ssh-ed25519 AAAA", "an incomplete SSH key"),
        ("nonsense", "not a public key"),
    ],
    ids=["age-private", "ssh-private", "none", "two", "plugin", "token", "cut", "nonsense"],
)
def test_a_public_key_is_asked_for(text: str, says: str) -> None:
    with pytest.raises(sealing.KeyFileError, match=says) as caught:
        sealing.public_key(text, where="x")
    assert str(OWN) not in str(caught.value)
    assert caught.value.do


def test_files_that_cannot_be_opened_say_why() -> None:
    sealed = sealing.seal(TEXT, str(OWN.to_public()))
    with pytest.raises(sealing.KeyFileError, match="is encrypted") as caught:
        sealing.unseal(sealed, None, name="f")
    assert "--identity" in caught.value.do
    with pytest.raises(FileError, match="a key other than k"):
        sealing.unseal(sealed, key_file(OTHER), name="f", key_name="k")
    for changed in (sealed[:-60], sealed.replace(sealed[200:210], b"AAAAAAAAAA")):
        with pytest.raises(FileError, match="changed or truncated"):
            sealing.unseal(changed, key_file(OWN), name="f", key_name="k")
    with pytest.raises(FileError, match="larger than"):
        sealing.unseal(sealed + b" " * sealing.MAX_SEALED, key_file(OWN), name="f", key_name="k")


@given(place=st.integers(0, 10_000), byte=st.integers(0, 255), armored=st.booleans())
def test_no_change_is_read(place: int, byte: int, armored: bool) -> None:
    """Whatever byte is changed: the text is what it was, or the file is refused in words."""
    sealed = bytearray(pyrage.encrypt(TEXT, [OWN.to_public()], armored=armored))
    sealed[place % len(sealed)] = byte
    refused, opened = None, b""
    try:
        opened = sealing.unseal(bytes(sealed), key_file(OWN), name="f", key_name="k")
    except ValetkeyError as problem:
        refused = problem
    assert refused.do if refused else opened in (TEXT, bytes(sealed))


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyrage", None)
    with pytest.raises(ValetkeyError, match="extra `age`"):
        sealing.seal(TEXT, "age1x")
    assert sealing.unseal(TEXT, None, name="f") == TEXT


@needs_age
def test_the_program_age_reads_what_we_write(tmp_path: pathlib.Path) -> None:
    (tmp_path / "key").write_bytes(key_file(OWN))
    (tmp_path / "f.age").write_bytes(sealing.seal(TEXT, str(OWN.to_public())))
    ran = subprocess.run(["age", "-d", "-i", "key", "f.age"], cwd=tmp_path, capture_output=True, timeout=30, check=True)
    assert ran.stdout == TEXT


@needs_age
@needs_ssh
@pytest.mark.parametrize("armor", [[], ["-a"]])
def test_we_read_what_the_program_age_writes(tmp_path: pathlib.Path, armor: list[str]) -> None:
    path = ssh_key(tmp_path)
    (tmp_path / "age.key").write_bytes(key_file(OWN))
    to = ["-R", f"{path}.pub", "-r", str(OWN.to_public())]
    ran = subprocess.run(["age", *armor, *to], input=TEXT, capture_output=True, timeout=30, check=True)
    for key in (path, tmp_path / "age.key"):
        assert sealing.unseal(ran.stdout, key.read_bytes(), name="f", key_name="k") == TEXT


@needs_age
@needs_ssh
def test_the_program_age_reads_what_we_write_to_an_ssh_key(tmp_path: pathlib.Path) -> None:
    path = ssh_key(tmp_path, "rsa")
    (tmp_path / "f.age").write_bytes(sealing.seal(TEXT, path.with_suffix(".pub").read_text().strip()))
    ran = subprocess.run(["age", "-d", "-i", path, "f.age"], cwd=tmp_path, capture_output=True, timeout=30, check=True)
    assert ran.stdout == TEXT
