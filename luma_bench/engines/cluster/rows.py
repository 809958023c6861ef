"""Rows on their way from task to task: in memory, or in one Arrow file a task with a range for each bucket."""

from __future__ import annotations

import os
import sys
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.ipc as ipc

from luma_bench.engines.cluster.failures import RowsLost

_RANGE = 24
"""Bytes that say where a bucket is."""


def packed(rows: pa.Table) -> pa.Buffer:
    """Rows as an IPC stream: of slices no more than what they show."""
    sink = pa.BufferOutputStream()
    with ipc.new_stream(sink, rows.schema) as writer:
        writer.write_table(rows)
    return sink.getvalue()


def unpacked(stream: pa.Buffer) -> pa.Table:
    """The rows of an IPC stream, without a copy."""
    return ipc.open_stream(stream).read_all()


class TaskRows:
    """What a task made, by bucket, in a worker's memory.

    Parameters
    ----------
    tables
        One for each bucket; one for whole rows.
    """

    __slots__ = ("tables",)

    def __init__(self, tables: Sequence[pa.Table]) -> None:
        self.tables = tuple(tables)

    @property
    def nbytes(self) -> int:
        """What all of it has."""
        return sum(table.nbytes for table in self.tables)

    def bucket(self, index: int) -> pa.Table:
        """The rows of one bucket."""
        return self.tables[index]

    def __sizeof__(self) -> int:
        """What Dask takes it to hold."""
        return sys.getsizeof(self.tables) + self.nbytes

    def __reduce__(self) -> tuple[object, ...]:
        return _task_rows, tuple(packed(table) for table in self.tables)


def _task_rows(*streams: pa.Buffer) -> TaskRows:
    return TaskRows([unpacked(stream) for stream in streams])


@dataclass(frozen=True, slots=True)
class TaskFile:
    """What a task made, by bucket, in a file that other workers see too.

    The buckets follow each other as IPC streams. Behind them stand, for each, where it starts, how many bytes it has and
    their CRC-32 (int64, little-endian), so that nothing but a path travels to those that read one bucket.

    Attributes
    ----------
    nbytes
        The length of the file.
    stage, task, attempt
        Which task it was, so that it can run again when the file is lost.
    """

    path: str
    buckets: int
    nbytes: int
    stage: int
    task: int
    attempt: int

    def __dask_tokenize__(self) -> str:
        """What tells it from every other file."""
        return self.path

    def bucket(self, index: int) -> pa.Table:
        """The rows of one bucket, mapped into memory.

        Raises
        ------
        RowsLost
            The file is gone or does not hold what was written.
        """
        try:
            with pa.memory_map(self.path) as file:
                if file.size() != self.nbytes:
                    raise self._lost(f"{self.path} has {file.size():,} bytes, not {self.nbytes:,}")
                file.seek(self.nbytes - (self.buckets - index) * _RANGE)
                start, length, crc = np.frombuffer(file.read_buffer(_RANGE), "<i8").tolist()
                file.seek(start)
                stream = file.read_buffer(length)
        except (OSError, ValueError) as error:
            raise self._lost(str(error)) from error
        if zlib.crc32(stream) != crc:
            raise self._lost(f"{self.path} does not hold what was written")
        return unpacked(stream)

    def _lost(self, problem: str) -> RowsLost:
        return RowsLost(self.stage, self.task, self.attempt, problem)


def written(rows: TaskRows, path: Path, stage: int = -1, task: int = 0, attempt: int = 0) -> TaskFile:
    """Put a task's rows into a file; it is there as a whole or not at all.

    Raises
    ------
    OSError
        The folder takes no more.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}.part")
    ranges: list[tuple[int, int, int]] = []
    start = 0
    try:
        with draft.open("wb") as file:
            for table in rows.tables:
                stream = packed(table)
                file.write(stream)
                ranges.append((start, stream.size, zlib.crc32(stream)))
                start += stream.size
            file.write(np.array(ranges, "<i8").tobytes())
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    return TaskFile(str(path), len(ranges), start + len(ranges) * _RANGE, stage, task, attempt)


TaskValue = TaskRows | TaskFile


def joined(tables: Sequence[pa.Table], part: tuple[int, int] | None = None) -> pa.Table:
    """Rows of several tasks, one after the other; of them, with `part`, the `which`-th of so many parts."""
    rows = tables[0] if len(tables) == 1 else pa.concat_tables(tables)
    if part is None:
        return rows
    which, count = part
    first, end = rows.num_rows * which // count, rows.num_rows * (which + 1) // count
    return rows.slice(first, end - first)
