"""Encrypt an exchanged file to one age or SSH public key, and decrypt it, compatible with the program `age`.

Rules:
- All cryptography is age's (pyrage, the extra `age`). Encrypted files are armored text, which mail does not damage.
- Encryption hides the content and does not prove the sender: the parties still compare the fingerprint by voice.
- Recipients are age keys (`age1…`) and SSH keys (`ssh-ed25519`, `ssh-rsa`), the kinds that age supports without a
  plugin.
- INVARIANT: no error quotes a key file or text that may be a private key.
Source: age's format and recipient types (https://age-encryption.org/v1).
"""

from __future__ import annotations

from typing import Any

from valetkey.commandline import file_word
from valetkey.errors import ValetkeyError
from valetkey.exchange.files import MAX_BYTES, FileError

_ARMOR = b"-----BEGIN AGE ENCRYPTED FILE-----"
_BINARY = b"age-encryption.org/"
MAX_SEALED = MAX_BYTES * 3 // 2
"""The maximum size of an encrypted file in bytes: armor adds a third."""
MAX_KEY = 20_000
"""The maximum size of a key file in bytes."""

# Prefixes of public keys that age cannot use, and the reason.
_REFUSED = (
    ("ecdsa-", "is an ECDSA key, which age does not support"),
    ("sk-", "is the key of a security token, which age does not support"),
    ("ssh-dss", "is a DSA key, which age does not support"),
    ("age1", "is an incomplete age key, or one of a plugin"),
    ("ssh-", "is an incomplete SSH key"),
)
_KINDS = "an age key (age1…) or an SSH key of the kinds ssh-ed25519 and ssh-rsa"


class KeyFileError(ValetkeyError):
    """A public key or a private key that cannot be used."""


def is_sealed(data: bytes) -> bool:
    """Return whether a file is encrypted with age, armored or not."""
    return data.lstrip()[: len(_ARMOR)] == _ARMOR or data.startswith(_BINARY)


def public_key(text: str, *, where: str) -> str:
    """Return the one public key in a text, checked. Blank lines and comments are ignored. Errors call the text `where`.

    Raises KeyFileError.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if any("PRIVATE KEY" in line or line.upper().startswith("AGE-SECRET-KEY") for line in lines):
        raise KeyFileError(
            "that is a private key, and a public key is needed",
            do="give the public key: the file that ends in .pub, or the output of `age-keygen -y`",
            where=where,
        )
    if len(lines) != 1:
        what = "contains no public key" if not lines else "contains more than one line"
        raise KeyFileError(f"{where} {what}", do=f"give one: {_KINDS}", where=where)
    _recipient(lines[0], where)
    return lines[0]


def seal(data: bytes, key: str) -> bytes:
    """Return the data encrypted to a public key, armored. Raises KeyFileError."""
    sealed: bytes = _age().encrypt(data, [_recipient(key, "the public key")], armored=True)
    return sealed


def unseal(data: bytes, identity: bytes | None, *, name: str, key_name: str = "") -> bytes:
    """Return the content of an encrypted file, or the data itself if it is not encrypted.

    `identity` is the content of a private key file, which errors call `key_name`. Raises KeyFileError for a key that
    cannot be used, FileError for a file that the key does not decrypt.
    """
    if not is_sealed(data):
        return data
    if len(data) > MAX_SEALED:
        do = "ask the sender for the file again"
        raise FileError(
            f"{name} is larger than {MAX_SEALED:,} bytes; a valetkey file is never that large", do=do, where=name
        )
    if identity is None:
        raise KeyFileError(
            f"{name} is encrypted", do="name your age or SSH private key with --identity FILE", where=name
        )
    age = _age()
    identities = _identities(identity, key_name, name)
    try:
        opened: bytes = age.decrypt(data if data.startswith(_BINARY) else data.strip(), identities)
    except age.DecryptError as error:
        if "No matching keys" in str(error):
            what, do = f"{name} is encrypted to a key other than {key_name}", "name the key that you gave to the sender"
        else:
            what, do = f"{name} was changed or truncated after it was encrypted", "ask the sender for the file again"
        raise FileError(what, do=do, where=name) from None
    return opened


def _by_age(name: str, key_name: str) -> str:
    return f"age -d -i {file_word(key_name)} {file_word(name)}"


def _recipient(key: str, where: str) -> Any:
    age = _age()
    try:
        if key.startswith("age1"):
            return age.x25519.Recipient.from_str(key)
        return age.ssh.Recipient.from_str(key)
    except age.RecipientError:
        what = next((why for start, why in _REFUSED if key.startswith(start)), "is not a public key")
        raise KeyFileError(f"{where} {what}", do=f"give one: {_KINDS}", where=where) from None


def _identities(data: bytes, key_name: str, name: str) -> list[Any]:
    """Return every private key in a key file: one SSH key, or the lines that `age-keygen` writes."""
    age = _age()
    if is_sealed(data):
        raise KeyFileError(
            f"{key_name} is itself encrypted with a passphrase",
            do=f"decrypt {name} with `{_by_age(name, key_name)}`, and give the result instead",
            where=key_name,
        )
    text = data.decode("utf-8", "replace")
    try:
        if "PRIVATE KEY" in text:
            return [age.ssh.Identity.from_buffer(data)]
        lines = [line.strip() for line in text.splitlines()]
        identities = [
            age.x25519.Identity.from_str(line) for line in lines if line.upper().startswith("AGE-SECRET-KEY-1")
        ]
    except age.IdentityError as error:
        if "decrypted first" in str(error):
            raise KeyFileError(
                f"the SSH key {key_name} has a passphrase, and valetkey does not ask for it",
                do=f"decrypt {name} with `{_by_age(name, key_name)}`, which asks, and give the result instead",
                where=key_name,
            ) from None
        raise KeyFileError(
            f"{key_name} contains a private key that age cannot use", do=f"name {_KINDS}", where=key_name
        ) from None
    if not identities:
        is_public = text.lstrip().startswith(("ssh-", "age1", "ecdsa-", "sk-"))
        what = "is a public key" if is_public else "contains no age or SSH private key"
        raise KeyFileError(f"{key_name} {what}", do="name the private one, like ~/.ssh/id_ed25519", where=key_name)
    return identities


def _age() -> Any:
    try:
        import pyrage
    except ImportError:
        raise ValetkeyError(
            "encrypted files need the extra `age`, which is not installed",
            do="pip install 'valetkey[age]', or use the age program separately",
        ) from None
    return pyrage
