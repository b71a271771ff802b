"""Write docs/reference/schemas/: the JSON Schema of everything that `--json` prints, from the structs that print it.

python -m tools.schemas
"""

from __future__ import annotations

import json
from pathlib import Path

import msgspec

from valetkey.report.results import results
from valetkey.report.results.shape import Shape

TARGET = Path(__file__).parents[1] / "docs" / "reference" / "schemas"


def schema(shape: type[Shape]) -> str:
    """Return the schema of one result as text."""
    made = {"$schema": "https://json-schema.org/draft/2020-12/schema", **msgspec.json.schema(shape)}
    return json.dumps(made, indent=2, ensure_ascii=True, sort_keys=True) + "\n"


def main() -> None:
    TARGET.mkdir(exist_ok=True)
    for old in TARGET.glob("*.json"):
        old.unlink()
    for name, shape in results().items():
        (TARGET / f"{name}.json").write_text(schema(shape))


if __name__ == "__main__":
    main()
