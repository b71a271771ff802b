"""Print lines of code per room, without blank lines and comments: `make size`."""

import pathlib

root = pathlib.Path(__file__).parent.parent / "src" / "valetkey"
totals: dict[str, list[int]] = {}
for path in sorted(root.rglob("*.py")):
    room = path.relative_to(root).parts[0] if path.parent != root else "(front)"
    lines = [line.strip() for line in path.read_text().splitlines()]
    entry = totals.setdefault(room, [0, 0])
    entry[0] += 1
    entry[1] += sum(1 for line in lines if line and not line.startswith("#"))
for room, (files, lines_) in sorted(totals.items(), key=lambda item: -item[1][1]):
    print(f"{room:14} {lines_:6} lines in {files:2} files")
print(f"{'total':14} {sum(n for _, n in totals.values()):6}")
