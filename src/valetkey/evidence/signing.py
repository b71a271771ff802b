"""Sign and verify evidence with OpenSSH's `ssh-keygen -Y`, in the namespace `valetkey-review`.

Rules:
- valetkey implements no cryptography. The signature is over the file's bytes, and OpenSSH verifies it without valetkey.
- The verifier supplies the trusted keys. INVARIANT: a signers file in the directory of the evidence is refused, also
  through a symbolic link: whoever can change one can change the other.
- A key must be valid at the time in the evidence (`valid-before`, `valid-after` in the signers file). That time is the
  signer's claim, which is not confirmed by others.
- `ssh-keygen` gets the bytes that valetkey read, not the path, so it verifies the same content.
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
"""Long enough to type a passphrase or touch a security key."""
_VERIFY_SECONDS = 60.0
_SIGNATURE_MAX = 100_000
_SIGNERS_MAX = 10_000_000


class SignatureError(ValetkeyError):
    """A signature cannot be made (exit code 2) or is not valid (1)."""


@dataclass(frozen=True)
class Signer:
    """The signer of a file."""

    principal: str
    """The name in the signers file, usually an email address."""
    key: str
    """The key's kind and fingerprint, as ssh-keygen prints them."""


@dataclass(frozen=True)
class SshKeygen:
    """The program `ssh-keygen`, with the environment to run it in."""

    env: Mapping[str, str]

    def run(self, words: Sequence[str], data: bytes, *, seconds: float) -> subprocess.CompletedProcess[bytes]:
        """Run the program. Raises SignatureError if it cannot be run or does not end in time."""
        # ssh-keygen's options use local time; TZ=UTC makes them UTC everywhere.
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
    """Return the path of a file's signature: the same path with `.sig` appended."""
    return path.with_name(f"{path.name}.sig")


def sign(data: bytes, key: Path, *, tool: SshKeygen) -> tuple[bytes, str]:
    """Return a signature and the key's kind and fingerprint. `key` is a private key file, or a public key file whose
    private key is in an agent. ssh-keygen asks for a passphrase itself. Raises SignatureError."""
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


def verify(data: bytes, signature: bytes, signers: bytes, *, at: datetime | None, name: str, tool: SshKeygen) -> Signer:
    """Return the signer, using the keys that are valid at `at` (aware; None: now). Raises SignatureError (exit code 1)
    if no key in the signers file made this signature, or it is for other bytes."""
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
    """Return the signature next to a file. Raises SignatureError (exit code 1) if there is none."""
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
    """Return the trusted keys. Raises SignatureError for a file next to the evidence (see the rules above)."""
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
    """Return the last relevant line that ssh-keygen printed."""
    lines = [line for line in (ran.stderr + b"\n" + ran.stdout).decode("utf-8", "replace").splitlines() if line.strip()]
    messages = [line for line in lines if not line.startswith(("Signing data", "Could not verify"))]
    return (messages or lines or [f"exit code {ran.returncode}"])[-1][:200]


def _key(ran: subprocess.CompletedProcess[bytes]) -> str:
    match = re.search(r"with (\S+ key SHA256:\S+)", ran.stdout.decode("utf-8", "replace"))
    return match[1] if match else "a key whose fingerprint ssh-keygen did not report"
