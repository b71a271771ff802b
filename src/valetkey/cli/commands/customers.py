"""valetkey customers: list the customers."""

from __future__ import annotations

import os
from dataclasses import replace

from valetkey.cli._options import Output


def customers(*, output: Output = Output()) -> int:  # noqa: B008 - frozen
    """List your customers: account, region, time left of the last session, end of the grant.

    Read from this computer, without an MFA code. Each cached session makes one call, to see whether AWS still knows it;
    a session that AWS does not know is dropped.
    """
    from valetkey.cli._machine import clock, machine
    from valetkey.credentials.profiles.customers import all_customers
    from valetkey.credentials.sessions.opener import drop_customers
    from valetkey.report.customers import say_customers
    from valetkey.report.text import say

    now = clock()
    result, damaged = all_customers(os.environ, now)
    gone = drop_customers(machine(), result)
    for item in sorted(gone):
        say(f"{item}: AWS no longer knows its session: the role was recreated. valetkey dropped it.", stderr=True)
    result = tuple(
        replace(customer, session_until=None) if customer.profile.name in gone else customer for customer in result
    )
    say_customers(result, damaged, now=now, as_json=output.as_json)
    return 0
