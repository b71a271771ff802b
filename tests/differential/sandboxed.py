"""The sandbox's evaluator as a referee of trust policies, in a separate process, because its rules apply to a whole
process. It decides without valetkey.policy.

`python -m tests.differential.sandboxed` reads `[[document, caller, context], ...]` from standard input, and prints
whether each is allowed.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

OWNER_ROLE = "arn:aws:iam::111111111111:role/audited"


def lets_in(questions: Sequence[tuple[dict[str, Any], str, dict[str, Any]]]) -> list[bool]:
    """The sandbox's decisions. Raises CalledProcessError."""
    words = [sys.executable, "-m", "tests.differential.sandboxed"]
    done = subprocess.run(words, input=json.dumps(questions), capture_output=True, text=True, timeout=120, check=True)
    answers: list[bool] = json.loads(done.stdout)
    return answers


def main() -> None:
    from ministack.core import iam_evaluator as ev

    from valetkey.sandbox import rules

    rules.install()
    answers = []
    for document, caller, context in json.load(sys.stdin):
        account, rest = caller.split(":")[4:6]
        keys = {"aws:PrincipalAccount": account, **context}
        if rest.startswith("user/"):
            keys["aws:username"] = rest.rsplit("/", 1)[1]
        asked = ev.EvalContext(
            principal_arn=caller,
            principal_type="User" if rest.startswith("user/") else "AssumedRole",
            principal_account=account,
            action="sts:AssumeRole",
            resource_arn=OWNER_ROLE,
            region="us-east-1",
            service_context=keys,
            principal_keys={},
        )
        answers.append(bool(ev.evaluate_trust_policy(document, caller, asked)))
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
