"""tools/structure.py counts floors and circles as it says."""

from __future__ import annotations

import importlib.util
import pathlib

ROOT = pathlib.Path(__file__).parents[3]


def test_floors_circles_and_imports_inside_functions(tmp_path: pathlib.Path) -> None:
    spec = importlib.util.spec_from_file_location("structure", ROOT / "tools" / "structure.py")
    assert spec is not None
    assert spec.loader is not None
    structure = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(structure)
    room = tmp_path / "src" / "valetkey" / "room"
    room.mkdir(parents=True)
    (room.parent / "__init__.py").write_text("")
    (room / "__init__.py").write_text("")
    (room / "low.py").write_text("X = 1\n# a comment\n\n")
    (room / "one.py").write_text("from valetkey.room import low\ndef f():\n    from valetkey.room.two import g\n")
    (room / "two.py").write_text("from .one import f\n")
    (room / "high.py").write_text(
        "from typing import TYPE_CHECKING\nimport valetkey.room.two\nif TYPE_CHECKING:\n    import valetkey.room.top\n"
    )
    (room / "top.py").write_text("import valetkey.room.high\n")
    assert {name: counts for name, *counts in structure.rooms(tmp_path)} == {
        "room": [6, 10, 4, 1],
        "(top)": [1, 0, 1, 0],
    }
