"""Which base identity a profile is entered with: chosen by `accept`, looked up for a profile of an earlier version."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from valetkey.errors import ValetkeyError

if TYPE_CHECKING:
    from valetkey.aws.signin import SignIn
    from valetkey.credentials.profiles.identity import Identity
    from valetkey.credentials.profiles.profile import Profile


@dataclass(frozen=True)
class Chosen:
    """A base identity, before anything is known of who it is."""

    source: str | None
    """The AWS profile; None: what surrounds the process."""
    files: tuple[str, ...]
    """As Profile.base_files."""
    passed_over: str = ""
    """Why AWS_PROFILE was not taken, or empty."""


def choose(given: str | None, *, from_environment: bool, renewing: Profile | None, names: Sequence[str]) -> Chosen:
    """The base identity for a handoff: as named (`given`, `from_environment`), else as recorded in the profile that is
    renewed, else AWS_PROFILE unless it is one of `names` (valetkey's own), else `default`. Raises ValetkeyError."""
    from valetkey.credentials.sessions.base_binding import files_of

    if given is not None and from_environment:
        raise ValetkeyError("--profile and --base-from-environment exclude each other", do="give one of them")
    if from_environment:
        return Chosen(None, ())
    if given is not None:
        return Chosen(given, files_of(os.environ))
    if renewing is not None and renewing.is_bound:
        return Chosen(renewing.source_profile, renewing.base_files)
    named = os.environ.get("AWS_PROFILE") or os.environ.get("AWS_DEFAULT_PROFILE")
    if named in names:
        why = f"AWS_PROFILE={named} is a customer's profile, and no base identity: using the profile default"
        return Chosen("default", files_of(os.environ), why)
    return Chosen(named or "default", files_of(os.environ))


def sign_in_chosen(chosen: Chosen, name: str, *, region: str | None) -> SignIn:
    """Resolve a chosen base identity; `name` is the profile to be written. Raises ValetkeyError; OwnSession."""
    from valetkey.aws.opening import SIGN_IN, NoBase
    from valetkey.cli._entry import inside, sign_in_as
    from valetkey.credentials.sessions.base_binding import SURROUNDINGS

    try:
        with inside(name):
            return sign_in_as(
                chosen.source, name, files=chosen.files, region=region, from_environment=chosen.source is None
            )
    except NoBase as problem:
        has = next((each for each in SURROUNDINGS if os.environ.get(each)), "")
        if chosen.source == "default" and has:
            problem.what = f"the AWS files have no credentials under [default], and {has} is not a fixed base identity"
        if chosen.source is not None and problem.do == SIGN_IN:
            problem.do = (
                "name the AWS profile of your own user with --profile; or say --base-from-environment, and the role is "
                "always entered with the credentials that the environment has at the time"
            )
        raise


def bound(profile: Profile) -> Profile:
    """The profile with its base identity recorded, and its file written anew when it was not. Raises NotBound;
    ValetkeyError when AWS does not say who somebody is."""
    from valetkey.credentials.profiles.profile import path_of, save
    from valetkey.credentials.sessions import base_binding

    if profile.is_bound:
        return profile
    path = path_of(profile.name, os.environ)
    before = path.read_bytes()
    found = base_binding.bind(profile, _candidates(profile), os.environ)
    with contextlib.suppress(ValetkeyError, OSError):  # recorded at the next use, then
        # `accept` may have written a newer one meanwhile.
        if path.read_bytes() == before:
            times = path.stat()
            save(found, os.environ)
            # When it was accepted is seen by the file's time.
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    return found


def _candidates(profile: Profile) -> Iterator[tuple[str | None, Identity]]:
    """Who could be the base identity of a profile of an earlier version: `default`, then the environment."""
    from valetkey.account.calls import CallError
    from valetkey.aws.opening import NoBase
    from valetkey.cli._entry import sign_in_as
    from valetkey.credentials.profiles.identity import identify
    from valetkey.credentials.sessions.base_binding import OwnSession
    from valetkey.credentials.sessions.refusals import NO_ANSWER, explain

    for source in ("default", None):
        try:
            who = sign_in_as(source, profile.name, profile, from_environment=source is None, quiet=True)
            yield source, identify(who.connect(who))
        except (NoBase, OwnSession):
            continue
        except CallError as error:
            if error.code in NO_ANSWER:
                raise explain(error, profile.name) from None
