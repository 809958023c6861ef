"""What a topology is built from: the vertices of a table by key, and the edges of a table by the places of their ends.

Both are of one set of rows and never change; what is different at another snapshot is told by row ids, see `derive`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from luma_bench.models.graph.csr import adjacency, shifted
from luma_bench.models.graph.keys import NULL, KeyIndex
from luma_bench.models.graph.row_ids import RowIds
from luma_bench.models.graph.topology import Csr, Ids, Ints
from luma_bench.types.arrays import mask, numbers
from luma_bench.types.schema import ROW_ID

_AT_ONCE = 500_000


@dataclass(frozen=True, slots=True)
class Key:
    """Columns that tell the vertices of a table apart.

    Attributes
    ----------
    columns
        What rows that are read call them.
    names
        What messages call them.
    """

    columns: tuple[str, ...]
    names: tuple[str, ...] = field(compare=False)


class Finder(Protocol):
    """What knows the places of keys: a base, or the vertices at a view over one."""

    def find(self, key: Key, table: str, names: Sequence[str], values: Sequence[pa.ChunkedArray]) -> Ids:
        """The places of the vertices with these keys, int32; negative where there is none, see `keys`.

        Parameters
        ----------
        table, names
            Whose values they are, for messages.
        """
        ...


@dataclass(frozen=True, slots=True)
class End:
    """One end of an edge table.

    Attributes
    ----------
    columns, names
        The edge table's columns, as rows that are read and as messages call them.
    vertices
        Where their places are found.
    key
        What they refer to.
    """

    columns: tuple[str, ...]
    names: tuple[str, ...]
    vertices: Finder
    key: Key


class VertexBase:
    """The rows of a vertex table in the order of their ids, and the places of keys among them. Thread-safe.

    Parameters
    ----------
    table
        The table's name, for messages.
    row_ids
        Ascending.
    load
        Gives columns of these rows, in their order; asked once for each key.
    """

    def __init__(
        self, table: str, row_ids: RowIds, load: Callable[[tuple[str, ...]], Sequence[pa.ChunkedArray]]
    ) -> None:
        self.table = table
        self.row_ids = row_ids
        self._load = load
        self._lock = threading.Lock()
        self._keys: dict[Key, KeyIndex] = {}

    @property
    def count(self) -> int:
        """How many vertices."""
        return len(self.row_ids)

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        return self.row_ids.nbytes + sum(item.nbytes for item in list(self._keys.values()))

    def keys(self, key: Key) -> KeyIndex:
        """The places by a key."""
        with self._lock:
            found = self._keys.get(key)
            if found is None:
                found = self._keys[key] = KeyIndex(self.table, key.names, self._load(key.columns))
            return found

    def find(self, key: Key, table: str, names: Sequence[str], values: Sequence[pa.ChunkedArray]) -> Ids:
        """The places of the vertices with these keys; see `Finder`."""
        return self.keys(key).find(table, names, values)

    def columns(self, names: tuple[str, ...]) -> Sequence[pa.ChunkedArray]:
        """Columns of its rows."""
        return self._load(names)

    def begins(self, longer: VertexBase) -> bool:
        """Whether the places of all its rows are the same in another base."""
        if self is longer:
            return True
        if self.count > longer.count:
            return False
        start, other = self.row_ids.start, longer.row_ids.start
        if start is not None and other is not None:
            return start == other or not self.count
        return bool(np.array_equal(self.row_ids.array, longer.row_ids.array[: self.count]))


@dataclass(slots=True, eq=False)
class EdgeBase:
    """The edges of an edge table.

    Attributes
    ----------
    snapshot
        Where it was built.
    row_ids
        The row of each slot, ascending.
    loose
        The rows whose key no vertex has: `_rowid`, then the columns of both ends as `s0`, `s1`, … and `d0`, ….
    null_ids
        Rows with a NULL in a key, ascending.
    out, into
        Adjacency by places; kept in the form that was asked for last, see `at`.
    """

    snapshot: int
    row_ids: RowIds
    loose: pa.Table
    null_ids: Ints
    out: Csr
    into: Csr
    _shift: tuple[int, int] = (0, 0)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _rows: tuple[int, int] = field(init=False)

    def __post_init__(self) -> None:
        self._rows = self.out.vertices, self.into.vertices

    @property
    def count(self) -> int:
        """How many edges."""
        return len(self.row_ids)

    @property
    def last_row(self) -> int:
        """The largest row id of an edge; -1 without edges."""
        return int(self.row_ids.take(np.array([self.count - 1]))[0]) if self.count else -1

    @property
    def loose_ids(self) -> Ints:
        """The ids of the rows in `loose`."""
        return numbers(self.loose.column(ROW_ID))

    def at(self, source: int, destination: int) -> tuple[Csr, Csr]:
        """Adjacency in both directions, with the first source and destination at these dense ids.

        One form is kept: the tables of a graph hardly ever move.
        """
        with self._lock:
            if self._shift != (source, destination):
                out, into = self._local()
                was = self._shift
                # Kernels size by rows what they mark neighbours in, so that there are rows for these too.
                rows, others = source + self._rows[0], destination + self._rows[1]
                self.out = shifted(out, source, destination - was[1], max(rows, others))
                self.into = shifted(into, destination, source - was[0], max(rows, others))
                self._shift = source, destination
            return self.out, self.into

    def local(self) -> tuple[Csr, Csr, tuple[int, int]]:
        """Adjacency by places of the ends in their tables.

        Neighbours are sources and destinations too large by the two numbers behind it.
        """
        with self._lock:
            return *self._local(), self._shift

    def _local(self) -> tuple[Csr, Csr]:
        (first, second), out, into = self._shift, self.out, self.into
        return (
            Csr(out.indptr[first : first + self._rows[0] + 1], out.neighbours, out.slots),
            Csr(into.indptr[second : second + self._rows[1] + 1], into.neighbours, into.slots),
        )


def edge_base(
    rows: pa.Table, table: str, ends: tuple[End, End], counts: tuple[int, int], snapshot: int
) -> EdgeBase:
    """Build the adjacency of an edge table.

    Parameters
    ----------
    rows
        `_rowid`, ascending, and the columns of both ends.
    table
        The edge table's name, for messages.
    counts
        How many vertices there are at each end.

    Raises
    ------
    SchemaError
        A key is not unique, is NaN, or is of a type that cannot be compared.
    ResourceError
        There are too many edges.
    """
    source, destination = places_of(rows, table, ends)
    row_ids: Ints = numbers(rows.column(ROW_ID))
    lost = (source < 0) | (destination < 0)
    loose, null_ids = loose_rows(rows.slice(0, 0), ends), row_ids[:0]
    if lost.any():
        nulls = (source == NULL) | (destination == NULL)
        null_ids = row_ids[nulls]
        loose = loose_rows(rows.filter(mask(lost & ~nulls)), ends)
        source, destination, row_ids = source[~lost], destination[~lost], row_ids[~lost]
    out, into = adjacency(source, destination, *counts)
    return EdgeBase(snapshot, RowIds.of(row_ids), loose, null_ids, out, into)


def places_of(rows: pa.Table, table: str, ends: tuple[End, End]) -> tuple[Ids, Ids]:
    """The places of the ends of rows; negative where there is none, see `keys`."""

    def find(end: End) -> Any:
        values = [rows.column(name) for name in end.columns]
        return end.vertices.find(end.key, table, end.names, values)

    if rows.num_rows < _AT_ONCE:
        return find(ends[0]), find(ends[1])
    with ThreadPoolExecutor(1, thread_name_prefix="luma-keys") as thread:
        other = thread.submit(find, ends[1])
        return find(ends[0]), other.result()


def loose_rows(rows: pa.Table, ends: tuple[End, End]) -> pa.Table:
    """Rows with their keys under names that do not depend on the table's."""
    columns = [rows.column(name) for name in (ROW_ID, *ends[0].columns, *ends[1].columns)]
    plain = [
        column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
        for column in columns
    ]
    return pa.Table.from_arrays(plain, names=[ROW_ID, *loose_names("s", ends[0]), *loose_names("d", ends[1])])


def loose_names(letter: str, end: End) -> tuple[str, ...]:
    """What `EdgeBase.loose` calls the columns of an end."""
    return tuple(f"{letter}{at}" for at in range(len(end.columns)))
