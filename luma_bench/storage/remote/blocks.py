"""Bytes of remote files, fetched by aligned blocks: together where blocks adjoin, ahead on threads, once for all askers.

A block is looked for in memory, then in the disk cache, then asked from the server. What a chunk's checksum refutes is
forgotten in both and fetched once more; so a damaged cache costs a request, and a damaged file is an error.
"""

from __future__ import annotations

import io
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from concurrent.futures import CancelledError as FutureCancelled
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import IO, Any

from luma_bench.errors import ClosedError, CorruptionError, RemoteError
from luma_bench.storage.files import Range
from luma_bench.storage.remote.cache import DiskCache
from luma_bench.storage.remote.folder import RemoteFolder

BLOCK_BYTES = 1 << 18
"""A block: what one look-up of a few kilobytes fetches, so that its neighbours are there for the next."""

RUN_BYTES = 1 << 23
"""Adjoining blocks are one request up to this much."""

_MEMORY_BYTES = 64 << 20
_THREADS = 16
_Key = tuple[str, int]
_Coming = Future[dict[int, bytes]]


@dataclass(slots=True)
class Traffic:
    """What went over the network: requests for blocks, and their bytes."""

    requests: int = 0
    nbytes: int = 0


class Blocks:
    """Fetches blocks of one bench's files, and keeps them. Thread-safe.

    Parameters
    ----------
    folder
        The bench.
    cache
        Where blocks stay between processes.
    """

    def __init__(self, folder: RemoteFolder, cache: DiskCache) -> None:
        self.folder = folder
        self.traffic = Traffic()
        self._cache = cache
        self._lock = threading.Lock()
        self._held: OrderedDict[_Key, bytes] = OrderedDict()
        self._bytes = 0
        self._coming: dict[_Key, _Coming] = {}
        self._threads: ThreadPoolExecutor | None = None
        self._closed = False

    def file(self, path: str, segment: str, nbytes: int) -> RemoteFile:
        """A file of the bench; `segment` is what errors call it, `nbytes` what the catalog says of it."""
        return RemoteFile(self, path, segment, nbytes)

    def read(self, file: RemoteFile, offset: int, length: int) -> bytes:
        """The bytes of a range."""
        stop = min(offset + length, file.nbytes)
        if stop <= offset:
            return b""
        first, last = offset // BLOCK_BYTES, (stop - 1) // BLOCK_BYTES
        parts = self._blocks(file, list(range(first, last + 1)))
        start = offset - first * BLOCK_BYTES
        return b"".join(parts)[start : start + stop - offset]

    def prefetch(self, file: RemoteFile, ranges: Iterable[Range]) -> None:
        """Begin to fetch what is not here."""
        wanted = sorted(
            {
                block
                for offset, length in ranges
                for block in range(
                    offset // BLOCK_BYTES, -(-min(offset + length, file.nbytes) // BLOCK_BYTES)
                )
            }
        )
        self._begin(file, wanted)

    def forget(self, file: RemoteFile, offset: int, length: int) -> None:
        """Drop blocks from memory and from the disk."""
        for block in range(offset // BLOCK_BYTES, -(-min(offset + length, file.nbytes) // BLOCK_BYTES)):
            with self._lock:
                held = self._held.pop((file.path, block), b"")
                self._bytes -= len(held)
            self._cache.drop(_name(file, block))

    def close(self) -> None:
        """Stop fetching; requests under way end by themselves."""
        with self._lock:
            self._closed = True
            threads, self._threads = self._threads, None
            self._held.clear()
            self._bytes = 0
        if threads is not None:
            threads.shutdown(wait=True, cancel_futures=True)

    def _blocks(self, file: RemoteFile, wanted: list[int]) -> list[bytes]:
        found: list[bytes] = []
        for block, held in zip(wanted, self._begin(file, wanted), strict=True):
            try:
                found.append(held if isinstance(held, bytes) else held.result()[block])
            except FutureCancelled as error:
                raise ClosedError.bench(self.folder.url) from error
        return found

    def _begin(self, file: RemoteFile, wanted: list[int]) -> list[bytes | _Coming]:
        """Each of some sorted blocks, or the future that will hold it; what is nowhere is asked for in runs."""
        found: dict[int, bytes | _Coming] = {}
        with self._lock:
            if self._closed:
                raise ClosedError.bench(self.folder.url)
            if self._threads is None:
                self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="luma-fetch")
            for block in wanted:
                key = (file.path, block)
                held = self._held.get(key)
                if held is not None:
                    self._held.move_to_end(key)
                there = held if held is not None else self._coming.get(key)
                if there is not None:
                    found[block] = there
            for run in _runs([block for block in wanted if block not in found]):
                coming = self._threads.submit(self._run, file, run)
                for block in run:
                    found[block] = self._coming[file.path, block] = coming
        return [found[block] for block in wanted]

    def _run(self, file: RemoteFile, run: list[int]) -> dict[int, bytes]:
        """Adjoining blocks, from the disk or the server."""
        found: dict[int, bytes] = {}
        try:
            found = self._fetched(file, run)
        finally:
            # Taken off in the same moment as what came is kept, so that nobody asks for it twice.
            with self._lock:
                for block in run:
                    self._coming.pop((file.path, block), None)
                for block, data in () if self._closed else found.items():
                    self._held[file.path, block] = data
                    self._bytes += len(data)
                while self._bytes > _MEMORY_BYTES:
                    self._bytes -= len(self._held.popitem(last=False)[1])
        return found

    def _fetched(self, file: RemoteFile, run: list[int]) -> dict[int, bytes]:
        found: dict[int, bytes] = {}
        for block in run:
            data = self._cache.get(_name(file, block))
            if data is not None and len(data) == _length(file, block):
                found[block] = data
        for missing in _runs([block for block in run if block not in found]):
            offset = missing[0] * BLOCK_BYTES
            stop = min((missing[-1] + 1) * BLOCK_BYTES, file.nbytes)
            data = self._asked(file, offset, stop - offset)
            for i, block in enumerate(missing):
                found[block] = data[i * BLOCK_BYTES : (i + 1) * BLOCK_BYTES]
                self._cache.put(_name(file, block), found[block])
        return found

    def _asked(self, file: RemoteFile, offset: int, length: int) -> bytes:
        try:
            data, size = self.folder.read_range(file.path, offset, length)
        except FileNotFoundError as error:
            raise CorruptionError.file_of(file.segment, str(error)) from error
        with self._lock:
            self.traffic.requests += 1
            self.traffic.nbytes += len(data)
        if size != file.nbytes:
            wrong = f"{file.name} has {size:,} bytes instead of {file.nbytes:,}"
            raise CorruptionError.file_of(file.segment, wrong)
        if len(data) != length:
            raise RemoteError.failed("read", file.name, f"{len(data):,} bytes came instead of {length:,}")
        return data


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """An immutable file of a remote bench, as a `ByteSource`."""

    blocks: Blocks
    path: str
    segment: str
    nbytes: int

    @property
    def name(self) -> str:
        """Its URL."""
        return f"{self.blocks.folder.url}/{self.path}"

    def size(self) -> int:
        """What the catalog says; every answer of the server is held against it."""
        return self.nbytes

    def read(self, offset: int, length: int) -> bytes:
        """The bytes of a range.

        Raises
        ------
        CorruptionError
            The file is missing or has another size.
        RemoteError
            It could not be fetched.
        """
        return self.blocks.read(self, offset, length)

    def prefetch(self, ranges: Iterable[Range]) -> None:
        """Begin to fetch ranges; a failure shows when they are read."""
        self.blocks.prefetch(self, ranges)

    def forget(self, offset: int, length: int) -> bool:
        """Drop what is kept of a range."""
        self.blocks.forget(self, offset, length)
        return True

    def stream(self) -> AbstractContextManager[IO[bytes]]:
        """The file as the server has it now, in one request."""
        return io.BufferedReader(_Parts(self.blocks.folder.parts(self.path)), BLOCK_BYTES)


class _Parts(io.RawIOBase):
    """What a server sends, as a file that is read once from its start."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts = parts
        self._left = memoryview(b"")
        self._at = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._left:
            self._left = memoryview(next(self._parts, b""))
        count = min(len(buffer), len(self._left))
        buffer[:count] = self._left[:count]
        self._left = self._left[count:]
        self._at += count
        return count

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if offset != self._at or whence != io.SEEK_SET:
            raise OSError("a stream from a server does not go back")
        return self._at

    def tell(self) -> int:
        return self._at


def _runs(blocks: list[int]) -> Iterator[list[int]]:
    """Sorted blocks in runs of neighbours that one request may fetch."""
    run: list[int] = []
    for block in blocks:
        if run and (block != run[-1] + 1 or len(run) * BLOCK_BYTES >= RUN_BYTES):
            yield run
            run = []
        run.append(block)
    if run:
        yield run


def _length(file: RemoteFile, block: int) -> int:
    return min(BLOCK_BYTES, file.nbytes - block * BLOCK_BYTES)


def _name(file: RemoteFile, block: int) -> str:
    return f"{file.path.removesuffix('.zarr.zip')}/{block}"
