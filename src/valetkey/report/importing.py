"""Changes of an import, and the profiles that it leaves, as lines and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from valetkey.commandline import command
from valetkey.report.results.profiles import Imported, ImportedProfile, NotImported
from valetkey.report.results.shape import shaped
from valetkey.report.text import mask, say, say_json

if TYPE_CHECKING:
    from valetkey.credentials.profiles.importing import Plan


def say_plan(plan: Plan, path: Path) -> None:
    """Print the changes, section by section, and the profiles that are left."""
    if plan.profiles:
        say(f"{path}:")
        say(*_diff(plan))
    for item in plan.left:
        say(f"left: {item.name}: {item.why}", *([f"  do: {item.do}"] if item.do else []))


def say_imported(plan: Plan, path: Path, backup: Path | None, *, as_json: bool) -> None:
    """Print what was written. `backup` is None if nothing was written."""
    if as_json:
        say_json(_imported(plan, path, backup))
        return
    by_name = {profile.name: profile for profile in plan.profiles}
    for external_id, names in plan.shared.items():
        # Use the customer's recorded name, or its account, so that the handoff that comes back is matched to this
        # request.
        whom = next(by_name[name].customer for name in names if name in by_name)
        say(
            f"warning: {', '.join(names)} are of several customers and share one ExternalId ({mask(external_id)}). A "
            "customer who learns another's role could trick you into its account.",
            f"  do: ask each for one of its own, like {command('valetkey request', whom, then='--new')}",
            stderr=True,
        )
    count = len(plan.profiles)
    profiles = f"{count} profile{'s' * (count != 1)}"
    if backup is None:
        say(f"Nothing was written; {profiles} can be imported." if plan.profiles else "There is nothing to import.")
        return
    customers = len({profile.customer for profile in plan.profiles})
    say(
        f"Imported {profiles} of {customers} customer{'s' * (customers != 1)}. The file as it was: {backup}",
        "Then try them: `valetkey verify --all`",
    )


def _imported(plan: Plan, path: Path, backup: Path | None) -> Imported:
    return Imported(
        config=str(path),
        written=backup is not None,
        backup=str(backup) if backup else None,
        imported=[
            shaped(ImportedProfile, profile, profile=profile.name, base=profile.source_profile)
            for profile in plan.profiles
        ],
        left=[shaped(NotImported, item, profile=item.name) for item in plan.left],
        shared_external_ids=[list(names) for names in plan.shared.values()],
        changes=list(_diff(plan)),
    )


def _diff(plan: Plan) -> Iterator[str]:
    """Yield the diff of the rewritten sections only: other sections may contain keys."""
    from difflib import ndiff

    from valetkey.credentials.profiles.sections import section_texts

    before, after = section_texts(plan.before), section_texts(plan.after)
    for profile in plan.profiles:
        old, new = before[profile.name].splitlines(), after[profile.name].splitlines()
        yield from (line.rstrip() for line in ndiff(old, new) if not line.startswith("?"))
        yield ""
