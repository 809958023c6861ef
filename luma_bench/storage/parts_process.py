"""What the parts of tables that are opened in one process share: a buffer pool, and what fetches remote files."""

from __future__ import annotations

import functools
import hashlib
import os
import pickle
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from luma_bench.config import Settings
from luma_bench.storage.pool import BufferPool

if TYPE_CHECKING:
    from luma_bench.storage.remote.blocks import Blocks
    from luma_bench.storage.remote.folder import RemoteFolder


@dataclass(frozen=True, slots=True)
class RemotePlace:
    """A published bench behind a URL, in a form that another process can open.

    Attributes
    ----------
    key
        What tells places apart that have one address and other options.
    folder
        The address and the client; credentials that were given for it travel with it.
    cache_bytes, cache_dir
        The disk cache that the bench was opened with; a process that was given settings of its own uses theirs.
    """

    url: str
    key: bytes = field(repr=False)
    folder: RemoteFolder = field(repr=False, compare=False)
    cache_bytes: int
    cache_dir: str

    @classmethod
    def of(cls, folder: RemoteFolder, settings: Settings) -> RemotePlace:
        """The place of a folder."""
        key = hashlib.sha256(pickle.dumps(folder)).digest()
        return cls(folder.url, key, folder, settings.cache_bytes, settings.cache_dir)


class PartReaders:
    """The buffer pool of a process's parts and the remote places that they are read from. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._settings: Settings | None = None
        self._pool: BufferPool | None = None
        self._blocks: dict[RemotePlace, Blocks] = {}

    def pool(self, settings: Settings | None = None) -> BufferPool:
        """The pool; another one from now on where settings differ from those before."""
        with self._lock:
            if self._pool is None or (settings is not None and self._asked(settings)):
                given = settings or Settings()
                # What is open keeps the pool that it has, which goes with its last reader.
                self._pool = BufferPool(given.effective_pool_bytes, given.effective_threads)
            if settings is not None:
                self._settings = settings
            return self._pool

    def blocks(self, place: RemotePlace) -> Blocks:
        """What fetches files of a remote place."""
        with self._lock:
            found = self._blocks.get(place)
            if found is None:
                found = self._blocks[place] = self._fetching(place)
            return found

    def _asked(self, settings: Settings) -> bool:
        pool = self._pool
        return pool is None or (pool.budget, pool.threads) != (
            settings.effective_pool_bytes,
            settings.effective_threads,
        )

    def _fetching(self, place: RemotePlace) -> Blocks:
        from luma_bench.storage.remote.blocks import Blocks
        from luma_bench.storage.remote.cache import DiskCache

        given = self._settings or Settings(cache_bytes=place.cache_bytes, cache_dir=place.cache_dir)
        cache = DiskCache(Path(given.effective_cache_dir), place.url, given.cache_bytes)
        return Blocks(place.folder, cache)


@functools.lru_cache(maxsize=1)
def _readers(process: int) -> PartReaders:
    """Those of this process: a fork has other threads, and must not wait for locks that nobody holds there."""
    return PartReaders()


def process_readers() -> PartReaders:
    """What the parts that are opened in this process share."""
    return _readers(os.getpid())


def process_pool(settings: Settings | None = None) -> BufferPool:
    """The buffer pool that the parts of tables share in this process, made at first use.

    Parameters
    ----------
    settings
        Its budget (`pool_bytes`) and threads, and where remote files are cached; None leaves what there is, which is at
        first what `Settings()` says. Parts that are open keep the pool that they have.
    """
    return process_readers().pool(settings)
