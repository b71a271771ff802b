"""`make peers`: install the peers (130 MB to fetch, 500 MB on disk; nothing is done when they are there)."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tarfile
import zipfile

from tests.peers import _STAMP, HERE, PLACE, installed, stamp, suits

LIMIT = 300.0
"""Seconds for each of pip and npm."""


def install() -> None:
    """Fetch, check and unpack. Raises subprocess errors, and OSError."""
    shutil.rmtree(PLACE, ignore_errors=True)
    python = PLACE / "python"
    python.mkdir(parents=True)
    pip = [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
    pip += ["--no-deps", "--require-hashes", "--only-binary", ":all:", "--target", str(python)]
    subprocess.run([*pip, "-r", str(HERE / "requirements.txt")], check=True, timeout=LIMIT)
    # The AWS CLI comes as a layer for Lambda, inside the archive that jsii packs its assets in.
    [packed] = python.glob("aws_cdk/asset_awscli_v2/_jsii/*.jsii.tgz")
    with tarfile.open(packed) as outer:
        layer = outer.extractfile("package/lib/layer.zip")
        assert layer is not None
        with zipfile.ZipFile(io.BytesIO(layer.read())) as inner:
            inner.extractall(PLACE / "unpacked")
    [dist] = PLACE.glob("unpacked/awscli/v2/*/dist")
    dist.parent.rename(PLACE / "aws-cli")
    (PLACE / "aws-cli/dist/aws").chmod(0o755)
    shutil.rmtree(python / "aws_cdk")
    shutil.rmtree(PLACE / "unpacked")
    if shutil.which("npm") is None:
        print("npm is not installed: the AWS SDK for JavaScript is left out", file=sys.stderr)
    else:
        npm = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
        subprocess.run(npm, cwd=HERE, check=True, timeout=LIMIT, stdout=subprocess.DEVNULL)
    _STAMP.write_text(stamp())


if __name__ == "__main__" and not installed():
    if not suits():
        sys.exit("the peers are for Linux on x86-64")
    install()
