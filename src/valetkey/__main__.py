"""Start here: `valetkey` and `python -m valetkey`."""

from __future__ import annotations

import sys


def main() -> None:
    from valetkey.cli.run import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
