"""Completion of profile and grant names in the shell, without starting Python.

cyclopts writes scripts that know commands and options. This module adds names to them: the shell itself reads profile
names from the profiles directory, and grant names from a file that the last `valetkey list` wrote. On the TAB key
nothing is called or imported, and the names are never evaluated.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cyclopts import App

from valetkey.cli._commands import COMMANDS, CONTRACTOR, OWNER
from valetkey.errors import ValetkeyError

_GRANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_+=,.@-]{0,63}", re.ASCII)
COMPLETED_SHELLS = ("bash", "zsh", "fish")
"""The shells whose scripts complete names. PowerShell gets only the script of cyclopts."""


@dataclass(frozen=True)
class Names:
    """The commands that take names, in the order of the table of commands."""

    profiles: tuple[str, ...]
    grants: tuple[str, ...]
    several: tuple[str, ...]
    """Those that take more than one name."""


class Completing(App):
    """The application, with completion scripts that know names. (The installer of cyclopts calls this method.)"""

    def generate_completion(self, *, prog_name: str | None = None, shell: Any = None) -> str:
        from cyclopts.completion import detect_shell

        shell = shell or detect_shell()
        script = super().generate_completion(prog_name=prog_name, shell=shell)
        return script + names_script(shell) if shell in COMPLETED_SHELLS else script


def names_script(shell: str) -> str:
    """Return the text to add to cyclopts's script: shell functions from a file in this package."""
    from importlib.resources import files

    text = (files("valetkey.cli") / "completions" / f"names.{shell}").read_text(encoding="utf-8")
    names = named()
    for word, values in (("PROFILES", names.profiles), ("GRANTS", names.grants), ("SEVERAL", names.several)):
        text = text.replace(f"@{word}@", {"bash": "|", "zsh": "|", "fish": " "}[shell].join(values))
    return "\n" + text


def named() -> Names:
    """Return the commands whose first argument is a name: of a grant for the owner, of a profile for the contractor."""
    import inspect
    from importlib import import_module

    profiles: list[str] = []
    grants: list[str] = []
    several: list[str] = []
    for command, target, group, _ in COMMANDS:
        module, name = target.split(":")
        function = getattr(import_module(f"valetkey.cli.commands.{module}"), name)
        if not inspect.isfunction(function):
            continue
        parameters = list(inspect.signature(function).parameters.values())
        if parameters and parameters[0].name == "name" and group in (OWNER, CONTRACTOR):
            (grants if group is OWNER else profiles).append(command)
            if any(parameter.name == "names" for parameter in parameters):
                several.append(command)
    return Names(tuple(profiles), tuple(grants), tuple(several))


def remember_grants(names: Iterable[str], env: Mapping[str, str]) -> None:
    """Write the grants' names to the file that the shell reads. Write errors are ignored."""
    from valetkey import files as private

    result = "".join(f"{name}\n" for name in names if _GRANT.fullmatch(name))
    with contextlib.suppress(ValetkeyError, OSError):
        path = private.cache_dir(env) / "grants"
        private.write(path, result.encode("ascii"))
