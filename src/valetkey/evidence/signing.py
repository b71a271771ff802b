"""Signatures of evidence: made and checked by OpenSSH's `ssh-keygen -Y`, in the namespace `valetkey-review`.

Rules:
- No cryptography of our own. The signature is over the file's bytes; whoever has OpenSSH checks it without valetkey.
- Whose keys count is said by the person who verifies. INVARIANT: a signers file in the directory of the evidence is
  refused, by a link too: whoever can change the one can change the other.
- A key counts as of the time that the evidence says (`valid-before`, `valid-after` of the signers file). That time is
  the signer's claim: nobody else confirms it.
- What is verified is what was read: `ssh-keygen` gets the bytes, not the path.
Source: ssh-keygen(1), -Y sign, -Y verify, -Y find-principals, ALLOWED SIGNERS (OpenSSH 8.9 or later).
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from valetkey import files
from valetkey.errors import ValetkeyError

NAMESPACE = "valetkey-review"
_SIGN_SECONDS = 600.0
"""A person may type a passphrase or touch a key."""
_VERIFY_SECONDS = 60.0
_SIGNATURE_MAX = 100_000
_SIGNERS_MAX = 10_000_000


class SignatureError(ValetkeyError):
    """A signature that cannot be made (2), or does not hold (1)."""


@dataclass(frozen=True)
class Signer:
    """Whose signature it is."""

    principal: str
    """As the signers file names it; an address as a rule."""
    key: str
    """The key's kind and fingerprint, as ssh-keygen says them."""


@dataclass(frozen=True)
class Tool:
    """`ssh-keygen` on this computer: the environment to run it in."""

    env: Mapping[str, str]

    def run(self, words: Sequence[str], data: bytes, *, seconds: float) -> subprocess.CompletedProcess[bytes]:
        """Run it. Raises SignatureError when it is not there or does not end in time."""
        # Times in its options are local times; in UTC they mean the same everywhere.
        env = {**self.env, "TZ": "UTC", "LC_ALL": "C"}
        try:
            return subprocess.run(
                ["ssh-keygen", *words], input=data, capture_output=True, env=env, timeout=seconds, check=False
            )
        except subprocess.TimeoutExpired:
            raise SignatureError(
                f"ssh-keygen did not finish within {seconds:g} s", do="run it again", exit_code=2
            ) from None
        except OSError as error:
            raise SignatureError(
                f"ssh-keygen cannot be run: {error.strerror}", do="install OpenSSH 8.9 or later", exit_code=2
            ) from None


def signature_path(path: Path) -> Path:
    """Where the signature of a file is: beside it, with `.sig` added."""
    return path.with_name(f"{path.name}.sig")


def sign(data: bytes, key: Path, *, tool: Tool) -> tuple[bytes, str]:
    """A signature, and the key's fingerprint in words. `key` is a private key's file, or a public key's whose private
    one an agent holds. ssh-keygen itself asks for a passphrase. Raises SignatureError."""
    if not key.is_file():
        raise SignatureError(f"{key} is not a file", do="name an SSH key: --sign ~/.ssh/id_ed25519", where=str(key))
    ran = tool.run(["-Y", "sign", "-f", str(key.absolute()), "-n", NAMESPACE], data, seconds=_SIGN_SECONDS)
    if ran.returncode != 0 or not ran.stdout.startswith(b"-----BEGIN SSH SIGNATURE-----"):
        raise SignatureError(
            f"ssh-keygen could not sign with {key}: {_said(ran)}",
            do="name an SSH key that you can use; `ssh-add -l` shows those of the agent",
            where=str(key),
        )
    with tempfile.TemporaryDirectory(prefix="valetkey-") as folder:
        kept = _kept(folder, "signature", ran.stdout)
        words = ["-Y", "check-novalidate", "-n", NAMESPACE, "-s", kept]
        checked = tool.run(words, data, seconds=_VERIFY_SECONDS)
    if checked.returncode != 0:
        raise SignatureError(f"the signature is not valid: {_said(checked)}", do="try another key", where=str(key))
    return ran.stdout, _key(checked)


def verify(data: bytes, signature: bytes, signers: bytes, *, at: datetime | None, name: str, tool: Tool) -> Signer:
    """Whose signature it is, by the signers' keys as of `at` (aware); None: now. Raises SignatureError (exit code 1)
    when it is nobody's that they name, or of other bytes."""
    with tempfile.TemporaryDirectory(prefix="valetkey-") as folder:
        given = ["-f", _kept(folder, "signers", signers), "-s", _kept(folder, "signature", signature)]
        if at is not None:
            given.append(f"-Overify-time={at.astimezone(UTC):%Y%m%d%H%M%S}")
        ran = tool.run(["-Y", "find-principals", *given], b"", seconds=_VERIFY_SECONDS)
        names = ran.stdout.decode("utf-8", "replace").splitlines() if ran.returncode == 0 else []
        for principal in names:
            ran = tool.run(["-Y", "verify", *given, "-n", NAMESPACE, "-I", principal], data, seconds=_VERIFY_SECONDS)
            if ran.returncode == 0:
                return Signer(principal, _key(ran))
    if names:
        what = f"the signature of {name} is not valid: it was made for other content than this file, or for another use"
    else:
        what = f"the signature of {name} was made with a key that the signers file does not name, or not for that time"
    raise SignatureError(
        f"{what} (ssh-keygen: {_said(ran)})",
        do="get the file and its .sig again from where they are kept; do not rely on this one",
        where=name,
        exit_code=1,
    )


def read_signature(path: Path) -> bytes:
    """The signature beside a file. Raises SignatureError (exit code 1) when there is none."""
    place = signature_path(path)
    if not place.exists():
        raise SignatureError(
            f"{path} has no signature: there is no {place.name} beside it",
            do="sign it with --sign, or get the signature that belongs to it",
            where=str(place),
            exit_code=1,
        )
    return _bounded(place, _SIGNATURE_MAX)


def read_signers(path: Path, *, evidence: Path) -> bytes:
    """The keys that count. Raises SignatureError for a file beside the evidence (see the rules above)."""
    own = {evidence.absolute().parent.resolve(), evidence.resolve().parent}
    if {path.absolute().parent.resolve(), path.resolve().parent} & own:
        raise SignatureError(
            f"{path} is next to the evidence and is not used: whoever can change one can change the other",
            do="use your own signers file, from a place that you trust",
            where=str(path),
        )
    return _bounded(path, _SIGNERS_MAX)


def _bounded(path: Path, limit: int) -> bytes:
    data = files.read_named(path, limit)
    if len(data) > limit:
        raise SignatureError(f"{path} is larger than {limit:,} bytes", do="name the right file", where=str(path))
    return data


def _kept(folder: str, name: str, data: bytes) -> str:
    path = Path(folder) / name
    path.write_bytes(data)
    return str(path)


def _said(ran: subprocess.CompletedProcess[bytes]) -> str:
    """The last line that ssh-keygen said."""
    lines = [each for each in (ran.stderr + b"\n" + ran.stdout).decode("utf-8", "replace").splitlines() if each.strip()]
    told = [each for each in lines if not each.startswith(("Signing data", "Could not verify"))]
    return (told or lines or [f"exit code {ran.returncode}"])[-1][:200]


def _key(ran: subprocess.CompletedProcess[bytes]) -> str:
    found = re.search(r"with (\S+ key SHA256:\S+)", ran.stdout.decode("utf-8", "replace"))
    return found[1] if found else "a key whose fingerprint ssh-keygen did not report"
