"""The built wheel works in an empty environment: `valetkey --help`, `import valetkey`, and types for users."""

from __future__ import annotations

import pathlib
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

ROOT = pathlib.Path(__file__).parents[3]


def _run(*words: object, **more: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(w) for w in words], capture_output=True, text=True, timeout=50, **more)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    out = tmp_path_factory.mktemp("dist")
    built = _run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, ROOT)
    assert built.returncode == 0, built.stderr
    (path,) = out.glob("*.whl")
    return path


@pytest.mark.timeout(180)
def test_wheel_installs_into_an_empty_environment(wheel, tmp_path):
    env = tmp_path / "env"
    assert _run(sys.executable, "-m", "venv", "--without-pip", env).returncode == 0
    # What the wheel itself asks for, at the versions of the lock; nothing of this environment is visible there.
    lock = tmp_path / "constraints.txt"
    lock.write_text(
        "".join(
            line.split(" \\")[0].split(" ;")[0] + "\n"
            for line in (ROOT / "requirements.lock").read_text().splitlines()
            if "==" in line and not line.startswith(" ")
        )
    )
    python = env / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-compile")
    options = ("--disable-pip-version-check", "-c", lock)
    got = subprocess.run([str(w) for w in (*pip, *options, wheel)], capture_output=True, text=True, timeout=150)
    if got.returncode and ("No matching distribution" in got.stderr or "Connection" in got.stderr):
        pytest.skip("no package index within reach: the wheel's dependencies cannot be installed here")
    assert got.returncode == 0, got.stderr

    shown = _run(env / "bin" / "valetkey", "--help", cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    for word in ("Owner", "Contractor", "grant", "revoke", "accept", "verify"):
        assert word in shown.stdout
    assert _run(python, "-c", "import valetkey; print(valetkey.__version__)", cwd=tmp_path).stdout.strip()
    assert _run(python, "-m", "valetkey", "--version", cwd=tmp_path).returncode == 0
    # The sandbox is an extra: without it the command says how to get it.
    without = _run(env / "bin" / "valetkey", "sandbox", "start", cwd=tmp_path)
    assert without.returncode == 2
    assert "valetkey[sandbox]" in without.stderr


def test_wheel_holds_the_package_and_nothing_else(wheel):
    import zipfile

    names = zipfile.ZipFile(wheel).namelist()
    assert "valetkey/py.typed" in names
    assert {"valetkey/exchange/words.txt", "valetkey/exchange/words-license.txt"} <= set(names)
    assert all(name.startswith(("valetkey/", "valetkey-")) for name in names)
    assert any(name.endswith("licenses/LICENSE") for name in names)
