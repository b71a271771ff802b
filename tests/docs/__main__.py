"""Write the actual output of a page's commands into the page: `python -m tests.docs README.md`. Review the result.

A block with `…` keeps its text if it still matches.
"""

from __future__ import annotations

import pathlib
import re
import sys
import tempfile

from tests.docs.pages import BLOCK, PROMPT, matches, play


def record(page: pathlib.Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        lines = iter([line for line in play(page, pathlib.Path(folder)) if line.says is not None])

    def written(block: re.Match[str]) -> str:
        if block["kind"] != "```console":
            return block[0]
        body = []
        for text in block["body"].splitlines():
            if PROMPT.match(text):
                line = next(lines)
                kept = line.says if line.says and matches(line.says, line.prints) else line.prints
                body += [text, *(item.rstrip() for item in kept)]
        return "```console\n" + "\n".join(body) + "\n```"

    page.write_text(BLOCK.sub(written, page.read_text()))


for name in sys.argv[1:]:
    record(pathlib.Path(name))
