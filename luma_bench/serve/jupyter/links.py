"""Links inside a bench's folder: what must not lead a server's reader out of the places it may read."""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path

_KEPT = 4_096
_SETTLED_NS = 2_000_000_000
"""A folder changed less than two seconds ago is read again: its time may not tell two changes apart."""

type _Found = tuple[tuple[str, ...], tuple[str, ...]]


class Links:
    """The links below folders. What a folder holds is read once for as long as the folder does not change. Thread-safe."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, int, int, int], _Found] = OrderedDict()
        self._lock = threading.Lock()

    def below(self, folder: Path) -> Iterator[Path]:
        """Every link in a folder and the folders below it, and in those that its links lead to.

        Raises
        ------
        OSError
            A folder cannot be read.
        """
        left = [str(folder)]
        seen: set[str] = set()
        while left:
            path = left.pop()
            if path in seen:
                continue
            seen.add(path)
            links, folders = self._read(path)
            for link in links:
                yield Path(link)
                if (target := Path(os.path.realpath(link))).is_dir():
                    left.append(str(target))
            left.extend(folders)

    def _read(self, path: str) -> _Found:
        about = os.stat(path)  # noqa: PTH116 - one call for each folder, and there may be thousands
        key = (path, about.st_dev, about.st_ino, about.st_mtime_ns)
        with self._lock:
            if (kept := self._kept.get(key)) is not None:
                self._kept.move_to_end(key)
                return kept
        links: list[str] = []
        folders: list[str] = []
        with os.scandir(path) as entries:
            for entry in entries:
                if entry.is_symlink():
                    links.append(entry.path)
                elif entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
        found = (tuple(links), tuple(folders))
        if time.time_ns() - about.st_mtime_ns > _SETTLED_NS:
            with self._lock:
                self._kept[key] = found
                while len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
        return found
