"""The benches under the server's root: a bounded walk that follows no links."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from luma_bench.serve.jupyter.places import Places

DEEPEST = 6
MOST_FOLDERS = 20_000
MOST_SECONDS = 2.0
_SKIPPED = frozenset({"node_modules", "__pycache__", "site-packages", "lost+found"})
_BENCH, _PUBLISHED = "luma.toml", os.path.join("published", "latest.json")  # noqa: PTH118


@dataclass(frozen=True, slots=True)
class FoundBench:
    """One bench's folder: its absolute path, what people call it, and whether it holds published snapshots only."""

    path: str
    name: str
    published: bool


@dataclass(frozen=True, slots=True)
class Found:
    """Benches by name; `complete` is False when the walk stopped at its limits."""

    benches: tuple[FoundBench, ...]
    complete: bool


def find_benches(places: Places, *, seconds: float = MOST_SECONDS, folders: int = MOST_FOLDERS) -> Found:
    """The benches under the root and on the allow-list.

    Parameters
    ----------
    seconds, folders
        Where the walk stops. Hidden folders, and folders deeper than six, are not looked into.
    """
    found: dict[str, FoundBench] = {}
    walk = _Walk(time.monotonic() + seconds, folders)
    real_root = os.path.realpath(places.root)
    for start in places.folders:
        for path, published in walk.below(start):
            shown = path
            name = path
            if start == Path(real_root):
                # The path as the server's own files have it, links in the root's own path included.
                name = os.path.relpath(path, real_root)
                shown = os.path.normpath(places.root / name)
            if name.isascii() or _is_text(name):
                found.setdefault(os.path.realpath(path), FoundBench(shown, name, published))
    for url in sorted(places.urls):
        found[url] = FoundBench(url, url, published=True)
    return Found(tuple(sorted(found.values(), key=lambda item: item.name.casefold())), not walk.cut)


class _Walk:
    """Goes through folders breadth first, until its time or its number of folders is used up."""

    def __init__(self, deadline: float, folders: int) -> None:
        self._deadline = deadline
        self._left = folders
        self.cut = False

    def below(self, start: Path) -> Iterator[tuple[str, bool]]:
        """Every bench's folder at or below `start`, and whether it is a published one."""
        waiting: deque[tuple[str, int]] = deque([(str(start), 0)])
        while waiting:
            folder, depth = waiting.popleft()
            if self._left <= 0 or time.monotonic() > self._deadline:
                self.cut = True
                return
            self._left -= 1
            if os.path.isfile(os.path.join(folder, _BENCH)):  # noqa: PTH113, PTH118 - thousands of folders
                yield folder, False
            elif os.path.isfile(os.path.join(folder, _PUBLISHED)):  # noqa: PTH113, PTH118
                yield folder, True
            elif depth < DEEPEST:
                waiting.extend((path, depth + 1) for path in _folders_in(folder))


def _folders_in(folder: str) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(
                entry.path
                for entry in entries
                if not entry.name.startswith(".")
                and entry.name not in _SKIPPED
                and entry.is_dir(follow_symlinks=False)
            )
    except OSError:
        # A folder that may not be read holds no bench that may be opened.
        return []


def _is_text(name: str) -> bool:
    """Whether a file's name can be said in JSON."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
