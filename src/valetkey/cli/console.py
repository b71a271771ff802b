"""valetkey console: open the AWS console through a grant."""

from __future__ import annotations

import os
import signal
import sys
import time
import webbrowser
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

# A browser that is not running yet takes this long to read the file, and more on a slow disk.
_STAYS = 15.0


def console(
    name: Annotated[str, Parameter(help="The profile that `accept` wrote.")],
    /,
    *,
    service: Annotated[str | None, Parameter(help="The service to open: s3, ec2, cloudtrail ...")] = None,
    print_: Annotated[
        bool, Parameter(name="--print", negative="", help="Print the sign-in URL instead of opening a browser.")
    ] = False,
) -> int:
    """Open the AWS console through a grant, for as long as its session lasts (an hour at most with MFA).

    AWS's Switch Role page cannot send an ExternalId; this is the way in.
    """
    from valetkey.aws.form import post_form
    from valetkey.aws.signin import settings
    from valetkey.cli.entry import open_profile
    from valetkey.credentials.federation import ConsoleProblem, destination, login_url, redirect_file
    from valetkey.report.text import say

    entry = open_profile(name)
    profile = entry.profile
    destination(profile.partition, service=service, region=None)  # wrong use is told before anybody is asked for a code
    session = entry.session(lasting=True)
    until = f"{session.credentials.expires:%H:%M} UTC"
    bundle = os.environ.get("AWS_CA_BUNDLE") or settings((name, profile.source_profile), os.environ).get("ca_bundle")
    url = login_url(
        profile,
        session.credentials,
        service=service,
        region=entry.region,
        env=os.environ,
        post=lambda to, form: post_form(to, form, ca_bundle=bundle),
    )
    if print_:
        say("This URL signs in whoever opens it within 15 minutes: do not share it.", stderr=True)
        say(url)
        return 0
    _end_in_order()
    with redirect_file(url, Path.home()) as page:
        if not webbrowser.open(page.as_uri()):
            raise ConsoleProblem("no browser could be started", do="use --print", exit_code=2)
        say(f"Opening the console of account {profile.account} in your browser, until {until}.", stderr=True)
        time.sleep(_STAYS)
    return 0


def _end_in_order() -> None:
    """A closed window, or a kill, takes the file away too."""
    for number in (signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda number, _: sys.exit(128 + number))
