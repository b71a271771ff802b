"""AWS's rules that the emulator lacks, installed before it serves.

Call `install()` once per process, before the first request. Every rule is a small module, which documents what AWS
does, where that is documented, and what it replaces. The rules patch private names of one version of ministack, so any
other version is refused. A new version has to pass the acceptance probe in tests/e2e/sandbox.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from valetkey.errors import ValetkeyError

EMULATOR = "1.5.33"
_installed = False


def check_version() -> None:
    """Raises ValetkeyError unless the emulator is installed, in the version that the rules were written for."""
    try:
        result = version("ministack")
    except PackageNotFoundError:
        raise ValetkeyError(
            "the sandbox is not installed", do="Install it with: pip install 'valetkey[sandbox]'."
        ) from None
    if result != EMULATOR:
        raise ValetkeyError(
            f"the sandbox needs ministack {EMULATOR}, and {result} is installed",
            do=f"Install that version: pip install 'ministack=={EMULATOR}'.",
        )


def install() -> None:
    """Install every rule. A second call does nothing."""
    global _installed
    if _installed:
        return
    check_version()
    from valetkey.sandbox import (
        call,
        clock,
        details,
        documents,
        enforce,
        managed,
        mfa,
        paging,
        principals,
        propagation,
        reasons,
        sts,
        trail,
        trusts,
        variables,
    )

    # Later ones take precedence over earlier ones.
    first = (clock, variables, documents, managed, details, mfa, paging, trusts, principals)
    for rule in (*first, reasons, sts, enforce, trail, propagation):
        rule.install()
    call.install(trail.finish)
    _installed = True
