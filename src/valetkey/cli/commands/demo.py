"""valetkey demo: a complete example on a new sandbox."""

from __future__ import annotations

import importlib.util
from typing import Annotated

from cyclopts import Parameter

from valetkey.errors import ValetkeyError


def demo(*, verbose: Annotated[bool, Parameter(negative="", help="Show the AWS calls of each step.")] = False) -> int:
    """Run the whole story on a new sandbox: request, grant, handoff, use, refuse, revoke.

    Exit code 0 only if every expected refusal and success happened.
    """
    for module in ("ministack", "awscli"):
        if importlib.util.find_spec(module) is None:
            raise ValetkeyError(f"the demo needs {module}, which is not installed", do="pip install 'valetkey[demo]'")
    from valetkey.report.demo import say_opening, say_sessions, say_step, say_summary
    from valetkey.sandbox.story import furnished, tell

    with furnished() as (control, owner, contractor):
        say_opening(owner, contractor)
        results = []
        for number, item in enumerate(tell(control, owner, contractor), 1):
            results.append(item)
            say_step(number, item, verbose=verbose)
        say_sessions(results[-1])
        say_summary(results)
    return 0 if all(item.ok for item in results) else 1
