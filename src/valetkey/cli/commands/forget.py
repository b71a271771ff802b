"""valetkey forget: remove a customer's profile from this computer."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Annotated

from cyclopts import Parameter

from valetkey.cli._options import Output
from valetkey.errors import ValetkeyError


def forget(
    name: Annotated[str, Parameter(help="The profile to remove.")],
    /,
    *,
    restore: Annotated[
        bool, Parameter(negative="", help="Restore the section of the AWS config from before `import`.")
    ] = False,
    output: Output = Output(),  # noqa: B008 - frozen
) -> int:
    """Remove a customer's profile: its section of the AWS config, valetkey's own file and the sessions that are kept.

    The customer's role goes on trusting your account, until the customer removes it.
    """
    from valetkey.awsfiles import config_path, parsed, read
    from valetkey.cli._dropping import behind, drop_sessions
    from valetkey.cli._interrupting import done, whole
    from valetkey.credentials.profiles import awsconfig, sections
    from valetkey.credentials.profiles.profile import ProfileError, load, path_of
    from valetkey.report.dropping import say_forgotten

    file = path_of(name, os.environ)
    try:
        profile = load(name, os.environ)
    except ProfileError as problem:
        if not file.exists() or restore:
            raise
        profile, damage = None, problem.what
    else:
        damage = ""
    original = profile.original if profile is not None else None
    if restore and original is None:
        raise ValetkeyError(
            f"{name} was not imported: there is no section to put back", do="leave --restore out to remove it"
        )
    path = config_path(os.environ)
    parsed(path)  # raises for a damaged file, before anything is changed
    text, config = read(path) or "", awsconfig.profiles_in(path)
    ours = awsconfig.is_ours(config.get(name, {}).get("credential_process", ""), name)
    if restore and name in config and not ours:
        raise ValetkeyError(
            f"{path} has a profile {name} that valetkey did not write: there is nothing to put back",
            do="leave --restore out; the section then stays as it is",
        )
    after = text
    if restore and original is not None:
        after = sections.restored(text, name, original, path) if ours else sections.added(text, original)
    elif ours:
        after = sections.without(text, name, path)
    if profile is not None:
        drop_sessions(profile, mfa=False)
        done("its kept sessions are dropped")
    backup = None
    with whole(f"the profile {name} is {'as it was before the import' if restore else 'removed'}"):
        if after != text:
            backup = sections.replace_config(text, after, os.environ, now=datetime.now(UTC))
        try:
            file.unlink(missing_ok=True)
        except OSError as error:
            raise ValetkeyError(
                f"{file} cannot be removed: {error.strerror}", do="remove it by hand", where=str(file)
            ) from None
    broken = () if restore else tuple(sorted(behind(name, config)))
    foreign = name in config and not ours
    say_forgotten(
        name, profile, damage, path, backup, restored=restore, foreign=foreign, broken=broken, as_json=output.as_json
    )
    return 0
