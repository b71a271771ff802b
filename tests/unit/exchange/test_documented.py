"""The examples in docs/reference/files.md are files that valetkey reads."""

from __future__ import annotations

import pathlib
import re

from valetkey.exchange.files import AccessRequest, Handoff, load

DOCS = pathlib.Path(__file__).parents[3] / "docs" / "reference" / "files.md"


def test_the_examples_are_read() -> None:
    request, handoff = re.findall(r"```json\n(.*?)```", DOCS.read_text(), re.DOTALL)
    asked = load(request, AccessRequest, name="request")
    answered = load(handoff, Handoff, name="handoff")
    assert (asked.unknown, answered.unknown) == ((), ())
    assert answered.value.request == asked.fingerprint
