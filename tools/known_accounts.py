"""Write src/valetkey/catalog/known_accounts.json from accounts.yaml of fwdcloudsec/known_aws_accounts.

python -m tools.known_accounts accounts.yaml COMMIT DATE
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from valetkey.audit.scope import read_known

TARGET = Path(__file__).parents[1] / "src" / "valetkey" / "catalog" / "known_accounts.json"


def main() -> None:
    file, commit, date = sys.argv[1:]
    known = read_known(Path(file).read_text(), name=file)
    told = {
        "source": "https://github.com/fwdcloudsec/known_aws_accounts, accounts.yaml",
        "licence": "Apache-2.0. Changed: only the names by account id are kept, as JSON",
        "commit": commit,
        "date": date,
        "accounts": {account: known[account].name for account in sorted(known)},
    }
    TARGET.write_text(json.dumps(told, indent=1, ensure_ascii=True) + "\n")


if __name__ == "__main__":
    main()
