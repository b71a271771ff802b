"""Shared by commands with encrypted files: the options, and reading of keys and files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from valetkey import files
from valetkey.errors import ValetkeyError

EncryptTo = Annotated[
    str | None,
    Parameter(name="--encrypt-to", help="Encrypt the file to this age or SSH public key, or to the one in this file."),
]
IdentityFile = Annotated[
    Path | None,
    Parameter(name=["--identity", "-i"], help="Your age or SSH private key, where the file is encrypted."),
]


def public_key(word: str | None) -> str | None:
    """Return the public key that the argument is, or that is in the file it names (a key file or a request). Raises
    ValetkeyError."""
    from valetkey.exchange import AccessRequest, load, sealing

    if word is None:
        return None
    path = Path(word).expanduser()
    if word.startswith(("age1", "ssh-", "AGE-", "-----")) or (" " in word and not path.exists()):
        return sealing.public_key(word, where="the public key")
    data = files.read_named(path, sealing.MAX_SEALED, do="give an age or SSH public key, or a file that holds one")
    if data.lstrip().startswith(b"{"):
        request: AccessRequest = load(data, AccessRequest, name=word).value
        if request.public_key is None:
            raise ValetkeyError(
                f"{word} names no public key",
                do="ask the contractor for `valetkey request --public-key`, or for the key itself",
                where=f"{word}: $.public_key",
            )
        return sealing.public_key(request.public_key, where=f"{word}: $.public_key")
    return sealing.public_key(data.decode("utf-8", "replace"), where=word)


def read(path: Path, identity: Path | None, *, do: str) -> bytes:
    """Read a file exchanged by the parties, and decrypt it if it is encrypted. `do` is the advice when it cannot be
    read. Raises ValetkeyError."""
    from valetkey.exchange import sealing

    data = files.read_named(path, sealing.MAX_SEALED, do=do)
    key = None
    if identity is not None:
        key = files.read_named(identity.expanduser(), sealing.MAX_KEY, do="name your private key's file")
    return sealing.unseal(data, key, name=str(path), key_name=str(identity or ""))
