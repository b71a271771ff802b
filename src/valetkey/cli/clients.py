"""valetkey clients: the customers at a glance."""

from __future__ import annotations

import os

from valetkey.cli.options import Output


def clients(*, output: Output = Output()) -> int:  # noqa: B008 - frozen
    """List your customers: account, region, time left of the last session, end of the grant.

    From what is on this computer: nobody is asked for a code and nothing is called.
    """
    from valetkey.cli.entry import clock
    from valetkey.credentials.clients import all_clients
    from valetkey.report.clients import say_clients

    now = clock()
    found, damaged = all_clients(os.environ, now)
    say_clients(found, damaged, now=now, as_json=output.as_json)
    return 0
