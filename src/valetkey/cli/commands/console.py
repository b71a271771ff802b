"""valetkey console: open the AWS console through a grant."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from valetkey.cli._ways import WayOptions

if TYPE_CHECKING:
    from datetime import datetime

# Seconds that a browser that is not running yet needs to read the file, with a margin for a slow disk.
_STAYS = 15.0
# A browser that cannot start has exited within this time; the command waits no longer.
_LOOK = 1.0


def console(
    name: Annotated[
        str | None, Parameter(help="The profile that `accept` wrote; default: the profile of this shell.")
    ] = None,
    /,
    *,
    service: Annotated[str | None, Parameter(help="The AWS service to open: s3, ec2, cloudtrail ...")] = None,
    url: Annotated[str | None, Parameter(help="The page of the console to open, instead of a service.")] = None,
    browser: Annotated[str | None, Parameter(help="The browser: firefox, chromium, google-chrome, a path ...")] = None,
    separate: Annotated[
        bool,
        Parameter(
            negative="", help="Use a separate browser profile for this customer, so that several consoles stay open."
        ),
    ] = False,
    logout_first: Annotated[
        bool, Parameter(negative="", help="Sign the browser out of its current console session first.")
    ] = False,
    print_: Annotated[
        bool, Parameter(name="--print", negative="", help="Print the sign-in URL instead of opening a browser.")
    ] = False,
    way: WayOptions = WayOptions(),  # noqa: B008 - frozen
) -> int:
    """Open the AWS console through a grant, for as long as its session lasts (an hour at most with MFA; --long: 12).

    AWS's Switch Role page cannot send an ExternalId; this command can.
    """
    from valetkey.aws.form import post_form
    from valetkey.awsfiles import settings
    from valetkey.cli._browsing import Browser, page_folder, remove_later
    from valetkey.cli._default_name import name_or_default
    from valetkey.cli._machine import clock, open_profile
    from valetkey.cli._saying import say_end
    from valetkey.credentials.delivery.console_urls import ConsoleError, check_url
    from valetkey.credentials.delivery.federation import (
        DurationRefused,
        console_end,
        destination,
        login_url,
        redirect_file,
    )
    from valetkey.credentials.delivery.regions import region_here
    from valetkey.credentials.profiles.names import file_id
    from valetkey.errors import ValetkeyError
    from valetkey.report.text import say

    if print_ and (browser is not None or separate):
        raise ValetkeyError("--print opens no browser", do="leave --browser and --separate out, or --print")
    name = name_or_default(name, "console")
    own = f"valetkey-{file_id(name)}" if separate else None
    opener = None if print_ else Browser(browser, own=own)
    folder = None if print_ else page_folder(os.environ, no_cache=way.no_cache)
    entry = open_profile(name, way.way)
    profile = entry.profile
    # Check the options before the prompt for a code.
    if url is not None and service is not None:
        raise ValetkeyError("--service and --url exclude each other", do="give one of them")
    destination(profile.partition, service=service, region=None)
    region = way.region or region_here(name, entry.region, os.environ)
    page = None if url is None else check_url(url, profile.partition)
    session = entry.session(lasting=True)
    say_end(entry.root.profile)
    ends = console_end(now=clock()) if way.long else None
    bundle = os.environ.get("AWS_CA_BUNDLE") or settings((name, profile.source_profile), os.environ).get("ca_bundle")

    def sign_in(ends: datetime | None) -> str:
        return login_url(
            profile,
            session.credentials,
            service=service,
            region=region,
            env=os.environ,
            post=lambda to, form: post_form(to, form, ca_bundle=bundle),
            url=page,
            logout_first=logout_first,
            duration=None if ends is None else int((ends - clock()).total_seconds()),
        )

    def open_console() -> tuple[str, datetime | None]:
        try:
            return sign_in(ends), ends
        except DurationRefused as problem:
            say(f"{problem.what}: it lasts as long as the role session", stderr=True)
            return sign_in(None), None

    try:
        secret, ends = open_console()
    except ConsoleError:
        # AWS gives no reason here. One cause is a session of a role that was recreated.
        if not entry.dropped(session):
            raise
        session = entry.session(lasting=True)
        secret, ends = open_console()
    limit = entry.limit if ends is None else "12 h at most: AWS's limit for the console"
    until = f"{ends or session.credentials.expires:%H:%M} UTC ({limit})"
    say("The owner's CloudTrail shows this as GetSigninToken and ConsoleLogin, which some alert on.", stderr=True)
    if opener is None or folder is None:
        say(
            "Anybody who opens this URL within 15 minutes is signed in: do not share it.",
            f"The console of account {profile.account} is open with it until {until}.",
            stderr=True,
        )
        say(secret)
        return 0
    _end_in_order()
    with redirect_file(secret, folder, later=lambda directory: remove_later(directory, _STAYS)) as file:
        say(f"Opening the console of account {profile.account} in your browser, until {until}.", stderr=True)
        opener.open(file.as_uri(), stays=_LOOK)
    return 0


def _end_in_order() -> None:
    """Remove the file also when the window is closed or the process is terminated."""
    for number in (signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda number, _: sys.exit(128 + number))
