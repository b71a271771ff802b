"""An S3 prefix as the source of a trail. Lists and fetches only the needed accounts, regions and days.

Supports the trail of one account and of an organization (`layout`). Files are fetched in parallel into a folder that
the caller gives, and read from there; each is fetched once.
"""

from __future__ import annotations

import itertools
import re
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from valetkey.account.calls import Call, CallError, Perform
from valetkey.activity.layout import TimeSpan, TrailFile, named
from valetkey.activity.reading import FileProgress
from valetkey.errors import ValetkeyError

AT_ONCE = 8
"""Parallel calls; botocore keeps ten connections."""
_SPARE = 100_000_000
"""Bytes of disk space that must stay free."""
_ROOT = "AWSLogs/"
_ACCOUNT = re.compile(r"[0-9]{12}")
_ORGANIZATION = re.compile(r"o-[a-z0-9]{10,32}")

FetchObject = Callable[[str, str, Path], None]
"""Writes an object (bucket, key) to a file. Raises CallError."""
_T = TypeVar("_T")
_R = TypeVar("_R")


def location(text: str) -> tuple[str, str]:
    """Split "s3://BUCKET/PREFIX" into bucket and prefix; the prefix ends with a slash or is empty. Raises
    ValetkeyError."""
    bucket, _, prefix = text.removeprefix("s3://").partition("/")
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", bucket):
        raise ValetkeyError(f"{text} names no bucket", do="write s3://BUCKET or s3://BUCKET/PREFIX")
    return bucket, prefix.strip("/") + "/" if prefix.strip("/") else ""


class Bucket:
    """The files of a trail in S3. `span` needs a start, which limits the days that are listed. Without `fetch`, files
    are only listed, for an engine that reads S3 itself."""

    def __init__(
        self,
        place: str,
        perform: Perform,
        fetch: FetchObject | None,
        *,
        folder: Path,
        now: datetime,
        progress: FileProgress | None = None,
    ) -> None:
        self._bucket, self._given = location(place)
        self._perform, self._fetch, self._folder, self._now, self._progress = perform, fetch, folder, now, progress
        self._kept: dict[str, TrailFile] = {}
        self._unread: dict[str, None] = {}
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._accounts: tuple[str, ...] | None = None

    @property
    def unread(self) -> tuple[str, ...]:
        return tuple(self._unread)

    @property
    def limits(self) -> tuple[str, ...]:
        return ()

    def files(self, accounts: frozenset[str] | None, span: TimeSpan) -> Sequence[TrailFile]:
        """List and fetch the files. Raises ValetkeyError if there is no trail, CallError if the bucket cannot be
        read."""
        if self._accounts is None:
            self._accounts = tuple(self._account_prefixes())
        chosen = [account for account in self._accounts if accounts is None or account.split("/")[-2] in accounts]
        regions = [element for item in self._each(self._regions, chosen) for element in item]
        days = [
            prefix
            for region in regions
            for day in span.days(now=self._now)
            if self._is_asked(prefix := f"{region}{day:%Y/%m/%d}/")
        ]
        result = [element for item in self._each(self._day, days) for element in item]
        wanted = [(key, size) for key, size in result if self._may_hold(key, span)]
        self._see_room(sum(size for key, size in wanted if key not in self._kept))
        done = self._each(self._fetched, wanted, progress=self._progress)
        return sorted((file for file in done if file is not None), key=lambda file: file.name)

    def _account_prefixes(self) -> Iterator[str]:
        """Yield the folders of accounts."""
        head, result, _ = f"/{self._given}".partition(f"/{_ROOT}")
        root = (head.removeprefix("/") + "/" if head.strip("/") else "") + _ROOT if result else self._given + _ROOT
        folders = list(self._folders(root))
        for folder in list(folders):
            if _ORGANIZATION.fullmatch(folder.split("/")[-2]):
                folders += self._folders(folder)
        accounts = [
            folder for folder in folders if _ACCOUNT.fullmatch(folder.split("/")[-2]) and self._is_asked(folder)
        ]
        if not accounts:
            raise ValetkeyError(
                f"s3://{self._bucket}/{root} holds no account's folder",
                do="name the bucket and prefix of a trail, as `aws cloudtrail describe-trails` shows them",
                where=f"s3://{self._bucket}/{self._given}",
            )
        yield from sorted(accounts)

    def _is_asked(self, prefix: str) -> bool:
        """Whether a folder is below the given prefix, or above it."""
        return prefix.startswith(self._given) or self._given.startswith(prefix)

    def _regions(self, account: str) -> tuple[str, ...]:
        return tuple(item for item in self._listed(account, f"{account}CloudTrail/") if self._is_asked(item))

    def _listed(self, what: str, prefix: str) -> tuple[str, ...]:
        try:
            return tuple(self._folders(prefix))
        except CallError as error:
            self._miss(what, error)
            return ()

    def _folders(self, prefix: str) -> Iterator[str]:
        for page in self._pages({"Prefix": prefix, "Delimiter": "/"}):
            for item in page.get("CommonPrefixes", ()):
                yield item["Prefix"]

    def _day(self, prefix: str) -> tuple[tuple[str, int], ...]:
        try:
            return tuple(
                (item["Key"], int(item["Size"]))
                for page in self._pages({"Prefix": prefix})
                for item in page.get("Contents", ())
            )
        except CallError as error:
            self._miss(prefix, error)
            return ()

    def _pages(self, params: dict[str, str]) -> Iterator[dict[str, list[dict[str, str]]]]:
        asked = {"Bucket": self._bucket, **params}
        while True:
            call = Call("s3", "list_objects_v2", asked)
            page = self._perform(call)
            yield page
            token = page.get("NextContinuationToken")
            if not token:
                return
            if token == asked.get("ContinuationToken"):
                raise CallError(call, "Garbled", "its pages never end", do="check what answers in AWS's place")
            asked = {**asked, "ContinuationToken": token}

    def _may_hold(self, key: str, span: TimeSpan) -> bool:
        file = named(Path(key), key)
        return file is not None and (file.at is None or span.may_hold(file.at))

    def _see_room(self, size: int) -> None:
        if self._fetch is None:
            return
        free = shutil.disk_usage(self._folder).free
        if size > free - _SPARE:
            raise ValetkeyError(
                f"{size / 1e9:.1f} GB are to be fetched, and {self._folder} has room for {free / 1e9:.1f} GB",
                do="ask about a shorter time, or set TMPDIR to a place with more room",
                where=str(self._folder),
            )

    def _fetched(self, wanted: tuple[str, int]) -> TrailFile | None:
        key, size = wanted
        if key in self._kept:
            return self._kept[key]
        with self._lock:
            path = self._folder / str(next(self._numbers))
        name = f"s3://{self._bucket}/{key}"
        said = named(path, name, size)
        assert said is not None
        try:
            if self._fetch is not None:
                self._fetch(self._bucket, key, path)
        except CallError as error:
            self._miss(key, error)
            return None
        self._kept[key] = said
        return said

    def _miss(self, prefix: str, error: CallError) -> None:
        with self._lock:
            self._unread[f"s3://{self._bucket}/{prefix}: {error.code}"] = None

    def _each(self, act: Callable[[_T], _R], values: Iterable[_T], *, progress: FileProgress | None = None) -> list[_R]:
        """Call `act` for several values in parallel. Returns the results in order. An interrupt cancels calls that have
        not begun."""
        many = list(values)
        done = []
        pool = ThreadPoolExecutor(AT_ONCE)
        try:
            for number, item in enumerate(pool.map(act, many), 1):
                done.append(item)
                if progress is not None and (number % 16 == 0 or number == len(many)):
                    progress(number, len(many))
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
        return done
