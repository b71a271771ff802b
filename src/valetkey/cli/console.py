"""valetkey console: open the AWS console through a grant."""

from __future__ import annotations

import os
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
    from valetkey.cli.entry import open_profile
    from valetkey.credentials.awsconfig import region_of
    from valetkey.credentials.federation import ConsoleProblem, destination, login_url, redirect_file
    from valetkey.report.text import say

    entry = open_profile(name)
    profile = entry.profile
    region = region_of(name, os.environ) or profile.region
    destination(profile.partition, service=service, region=None)  # wrong use is told before anybody is asked for a code
    session = entry.session(lasting=True)
    until = f"{session.credentials.expires:%H:%M} UTC"
    url = login_url(
        profile,
        session.credentials,
        service=service,
        region=region,
        env=os.environ,
        post=lambda to, form: post_form(to, form, ca_bundle=os.environ.get("AWS_CA_BUNDLE")),
    )
    if print_:
        say("This URL signs in whoever opens it within 15 minutes: do not share it.", stderr=True)
        say(url)
        return 0
    with redirect_file(url, Path.home()) as page:
        if not webbrowser.open(page.as_uri()):
            raise ConsoleProblem("no browser could be started", do="use --print", exit_code=2)
        say(f"Opening the console of account {profile.account} in your browser, until {until}.", stderr=True)
        time.sleep(_STAYS)
    return 0
