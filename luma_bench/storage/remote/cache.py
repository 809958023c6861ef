"""The local cache of what was fetched: catalog files and blocks of segments, under a byte budget, shared by processes.

Every entry is a file with the CRC-32C of its content in front. It is written aside and renamed, so that another process
sees it whole or not at all; one that does not match its checksum is dropped and fetched again. The least recently used
entries leave first. Losing the cache loses nothing.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import struct
import threading
import time
from pathlib import Path

import google_crc32c

from luma_bench.storage.files import replace_file

_HEAD = struct.Struct("<4sI")
_MAGIC = b"LBC1"
_SUFFIX = ".block"
_KEPT_SHARE = 0.9
_TOUCHED_EVERY = 60.0
_ABANDONED_AFTER = 3600.0


class DiskCache:
    """Entries of one bench in a cache folder that all benches of a user share. Thread-safe.

    Parameters
    ----------
    folder
        The cache folder; it is made when the first entry is kept. When it cannot be written, nothing is kept.
    url
        The bench's address: entries of other benches are never taken for its own.
    budget
        Bytes that the folder may hold, of all benches together; 0 keeps nothing.
    """

    def __init__(self, folder: Path, url: str, budget: int) -> None:
        self.root = folder
        self.folder = folder / hashlib.sha256(url.encode()).hexdigest()[:24]
        self._budget = budget
        self._lock = threading.Lock()
        self._room: int | None = None  # bytes that may be added before the folder is looked at again
        self._broken = budget == 0

    def get(self, name: str) -> bytes | None:
        """An entry's content, None when it is not kept or not whole."""
        path = self._path(name)
        try:
            data = path.read_bytes()
        except OSError:
            return None
        if len(data) < _HEAD.size:
            return self._dropped(path)
        magic, crc = _HEAD.unpack_from(data)
        content = data[_HEAD.size :]
        if magic != _MAGIC or google_crc32c.value(content) != crc:
            return self._dropped(path)
        self._touch(path)
        return content

    def put(self, name: str, content: bytes) -> None:
        """Keep an entry. A full or read-only disk is no failure: the entry is fetched again when it is wanted again."""
        if self._broken or len(content) > self._budget:
            return
        path = self._path(name)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(path, _HEAD.pack(_MAGIC, google_crc32c.value(content)) + content, sync=False)
        except OSError:
            self._broken = True
            return
        self._make_room(len(content) + _HEAD.size)

    def drop(self, name: str) -> None:
        """Forget an entry."""
        self._dropped(self._path(name))

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}{_SUFFIX}"

    @staticmethod
    def _dropped(path: Path) -> None:
        with contextlib.suppress(OSError):
            path.unlink()

    @staticmethod
    def _touch(path: Path) -> None:
        """Note the use, at most once a minute: the times of files are what order the entries of all processes."""
        with contextlib.suppress(OSError):
            now = time.time()
            if now - path.stat().st_mtime > _TOUCHED_EVERY:
                os.utime(path)

    def _make_room(self, added: int) -> None:
        with self._lock:
            if self._room is None:
                self._room = self._budget - sum(size for _, size, _ in self._entries())
            else:
                self._room -= added
            if self._room >= 0:
                return
            # Other processes add and drop too: what counts is what is there.
            entries = sorted(self._entries())
            held = sum(size for _, size, _ in entries)
            for _, size, path in entries:
                if held <= self._budget * _KEPT_SHARE:
                    break
                self._dropped(path)
                held -= size
            self._room = self._budget - held

    def _entries(self) -> list[tuple[float, int, Path]]:
        """Time of use, size and path of every entry of every bench; drafts that a killed process left are removed."""
        found: list[tuple[float, int, Path]] = []
        old = time.time() - _ABANDONED_AFTER
        for parent, _, names in os.walk(self.root):
            for name in names:
                path = Path(parent, name)
                with contextlib.suppress(OSError):
                    status = path.stat()
                    if name.endswith(_SUFFIX):
                        found.append((status.st_mtime, status.st_size, path))
                    elif name.startswith(".") and f"{_SUFFIX}." in name and status.st_mtime < old:
                        path.unlink()
        return found
