"""The JSON result of a run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from tools.live.redact import Redactor
from tools.live.steps import Json, Result
from tools.live.world import World

KIND = "live-run/v1"


def document(world: World, results: Sequence[Result], *, on: str, finished: bool, left: int) -> dict[str, Json]:
    """Return the result as plain JSON, redacted. `on` is "aws" or "sandbox", `left` the number of things that could not
    be removed."""
    import boto3
    import botocore

    import valetkey

    redactor = world.redactor
    return {
        "valetkey": KIND,
        "on": on,
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "versions": {"valetkey": valetkey.__version__, "boto3": boto3.__version__, "botocore": botocore.__version__},
        "partition": world.partition,
        "region": world.region,
        "finished": finished,
        "left": left,
        "steps": [
            {
                "name": result.step.name,
                "facts": result.step.facts,
                "state": result.state,
                "why": redactor.text(result.why),
                "seconds": result.seconds,
                "outcome": redactor.value(result.outcome),
            }
            for result in results
        ],
    }


def text(redactor: Redactor, plain: dict[str, Json]) -> str:
    """Return the JSON text. Raises NotRedacted if it would contain what must be hidden."""
    return redactor.check(json.dumps(plain, indent=1) + "\n")
