"""Download S3 objects to files, streamed, with errors that say what to do."""

from __future__ import annotations

from pathlib import Path

import botocore.exceptions as wrong
from urllib3.exceptions import HTTPError

from valetkey.account.calls import Call, CallError, Perform

_PIECE = 1 << 20


def fetch(perform: Perform, bucket: str, key: str, path: Path) -> None:
    """Write one object to `path` in pieces of 1 MiB. The file is private, and is deleted after a failure. Raises
    CallError."""
    call = Call("s3", "get_object", {"Bucket": bucket, "Key": key})
    body = perform(call)["Body"]
    path.touch(mode=0o600)
    try:
        with path.open("wb") as file:
            while piece := body.read(_PIECE):
                file.write(piece)
    except (wrong.BotoCoreError, HTTPError) as error:
        path.unlink(missing_ok=True)
        raise CallError(
            call, "Garbled", f"the answer was cut: {type(error).__name__}", do="check the network and try again"
        ) from None
    except OSError as error:
        path.unlink(missing_ok=True)
        raise CallError(call, "NotKept", f"{path.parent}: {error.strerror}", do="make room, or set TMPDIR") from None
    finally:
        body.close()
