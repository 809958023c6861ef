"""Where the bytes of immutable files come from, and how a small file is replaced without a moment of half of it.

Everything that reads a segment does so through a `ByteSource`; which kind it is, is the bench's affair. A local file is
read with one `pread` a range; a remote one is `remote.blocks.RemoteFile`.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

import pyarrow as pa

from luma_bench.storage.segment_write import sync_folder

Range = tuple[int, int]
"""Offset and length, in bytes."""


class ByteSource(Protocol):
    """An immutable sequence of bytes, read by range from any thread.

    A failure of the machine is an `OSError` (a file that is missing, a disk that fails) or an error of the tree.
    """

    @property
    def name(self) -> str:
        """What an error calls it: a file's name or a URL."""
        ...

    def size(self) -> int:
        """Its length in bytes."""
        ...

    def read(self, offset: int, length: int) -> bytes:
        """The bytes of a range; fewer where the source ends before."""
        ...

    def prefetch(self, ranges: Iterable[Range]) -> None:
        """Say what will be read soon; returns at once. Nothing needs to follow."""
        ...

    def forget(self, offset: int, length: int) -> bool:
        """Drop what is kept of a range that proved to be wrong; False when nothing is kept, so that reading again is no use."""
        ...

    def stream(self) -> AbstractContextManager[IO[bytes]]:
        """The whole of it from its origin, past every cache, for one reading from the start on."""
        ...


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file of this machine."""

    path: Path

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.name

    def size(self) -> int:
        """Its length in bytes."""
        return self.path.stat().st_size

    def read(self, offset: int, length: int) -> bytes:
        """The bytes of a range, read in one go."""
        with self.path.open("rb", buffering=0) as stream:
            return os.pread(stream.fileno(), length, offset)

    def read_buffer(self, offset: int, length: int) -> pa.Buffer:
        """The bytes of a range in memory of Arrow's pool, which keeps its pages: fresh ones cost ten times the copy."""
        buffer = pa.allocate_buffer(length)
        descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            count = os.preadv(descriptor, [memoryview(buffer)], offset) if length else 0
        finally:
            os.close(descriptor)
        return buffer if count == length else buffer.slice(0, count)

    def prefetch(self, ranges: Iterable[Range]) -> None:
        """Nothing: the operating system reads ahead."""

    def forget(self, offset: int, length: int) -> bool:
        """Nothing is kept."""
        return False

    def stream(self) -> AbstractContextManager[IO[bytes]]:
        """The open file."""
        return self.path.open("rb", buffering=0)


def replace_file(path: Path, data: bytes, *, sync: bool = True) -> None:
    """Write a file whole or not at all, over one that is there: written aside, synced, renamed, the folder synced.

    Parameters
    ----------
    sync
        False where losing the file in a power cut is no loss.
    """
    draft = aside(path)
    try:
        with draft.open("wb") as stream:
            stream.write(data)
            if sync:
                stream.flush()
                os.fsync(stream.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    if sync:
        sync_folder(path.parent)


def aside(path: Path) -> Path:
    """A name beside `path` that no other thread or process uses, for a draft of it."""
    return path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}")
