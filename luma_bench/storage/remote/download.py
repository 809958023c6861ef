"""Files behind URLs, brought whole into the cache folder so that an engine reads them as files of this machine.

A file is asked for its size and entity tag each time and fetched when the cache does not hold that version. It lies
under the path that it has in its URL, so that its ending and folders such as `year=2025` keep their meaning.
"""

from __future__ import annotations

import contextlib
import fnmatch
import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from luma_bench.config import Settings
from luma_bench.errors import RemoteError, UnsupportedError
from luma_bench.storage.files import aside
from luma_bench.storage.remote.address import parse_url
from luma_bench.storage.remote.folder import RemoteFolder

_MAGIC = frozenset("*?[")
_KEPT_SECONDS = 3600.0
"""How long a file stays after its last use, whatever the budget: another process may be reading it."""


class Downloads:
    """The downloaded files of one user, within the budget `cache_bytes`. Thread-safe: each file appears whole or not."""

    def __init__(self, settings: Settings) -> None:
        self._budget = settings.cache_bytes
        self._folder = settings.effective_cache_dir / "files"

    def fetch(self, url: str, check: Callable[[], None] | None = None) -> list[Path]:
        """The files that a URL means, on this machine; a glob in an object store means several.

        Parameters
        ----------
        check
            Called between parts of a download; what it raises ends it.

        Raises
        ------
        UnsupportedError
            obstore is not installed, the URL cannot be read, or the file is larger than the budget.
        RemoteError
            The service could not be reached, or the file changed while it was fetched.
        FileNotFoundError
            There is no such file.
        """
        head, name = _split(url)
        folder = RemoteFolder.open(parse_url(head))
        if not _MAGIC & set(name):
            return [self._one(folder, name, check)]
        if folder.address.web:
            raise UnsupportedError(
                f"{url}: a web server does not list its files.",
                hint="Name each file: read_parquet(['https://…', …]).",
            )
        found = sorted(path for path in folder.sizes("") if fnmatch.fnmatchcase(path, name))
        found = [path for path in found if path.count("/") == name.count("/") or "**" in name]
        if not found:
            raise FileNotFoundError(f"{url} is not there")
        return [self._one(folder, path, check) for path in found]

    def _one(self, folder: RemoteFolder, name: str, check: Callable[[], None] | None) -> Path:
        version, size = folder.version(name)
        where = f"{folder.url}/{name}"
        if size > self._budget:
            raise UnsupportedError(
                f"{where} has {size:,} bytes, and the cache may hold {self._budget:,}.",
                hint="Raise it: lb.open(path, cache_bytes=…); or copy the file here and read it by its path.",
            )
        key = hashlib.sha256(f"{folder.url}\n{version}\n{size}".encode()).hexdigest()[:24]
        target = self._folder / key / name
        with contextlib.suppress(OSError):
            if target.stat().st_size == size:
                os.utime(target)
                return target
        self._make_room(size)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            draft = aside(target)
            try:
                with draft.open("wb") as file:
                    for part in folder.parts(name):
                        if check is not None:
                            check()
                        file.write(part)
                whole = draft.stat().st_size == size
                if whole:
                    draft.replace(target)
            finally:
                draft.unlink(missing_ok=True)
        except OSError as error:
            if isinstance(error, FileNotFoundError) and error.filename is None:
                raise
            raise RemoteError.failed("kept", where, f"{self._folder}: {error.strerror or error}") from error
        if not whole:
            raise RemoteError.failed("read", where, "it changed while it was fetched")
        return target

    def _make_room(self, wanted: int) -> None:
        """Drop the files that were not used for longest until `wanted` bytes fit the budget."""
        held: list[tuple[float, int, Path]] = []
        for parent, _, names in os.walk(self._folder):
            for name in names:
                path = Path(parent, name)
                with contextlib.suppress(OSError):
                    status = path.stat()
                    held.append((status.st_mtime, status.st_size, path))
        total = sum(size for _, size, _ in held)
        for used, size, path in sorted(held):
            if total + wanted <= self._budget or used > time.time() - _KEPT_SECONDS:
                return
            with contextlib.suppress(OSError):
                path.unlink()
                total -= size


def _split(url: str) -> tuple[str, str]:
    """A URL as a folder and what is named in it: from the first part with a pattern on, else the last part."""
    scheme, _, rest = url.partition("://")
    parts = PurePosixPath(rest).parts
    first = next((index for index, part in enumerate(parts) if _MAGIC & set(part)), len(parts) - 1)
    if first < 1:
        raise UnsupportedError(
            f"{url!r} names no file.", hint="Write it like s3://bucket/folder/file.parquet."
        )
    # Two folders stay in the name where there are, so that `year=2025/month=1` is seen in the downloaded path.
    first = max(1, min(first, len(parts) - 3))
    return f"{scheme}://{'/'.join(parts[:first])}", "/".join(parts[first:])
