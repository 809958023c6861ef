"""Columns of element tables by row: read once a snapshot, kept under a byte budget, taken by row id.

Operators of graphs pass numbers around; a property is read here, when somebody wants it, for exactly the rows that remain.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from luma_bench.bench.access import Access
from luma_bench.storage.scan import TableScan
from luma_bench.storage.store import ResolvedSnapshot
from luma_bench.types.arrays import integers, numbers
from luma_bench.types.identity import Identity
from luma_bench.types.scan import ScanCounters, ScanSource
from luma_bench.types.schema import ROW_ID

Ints = np.ndarray[Any, np.dtype[np.int64]]

ROWS = ROW_ID
"""The column that `ElementColumns.column` reads for the row ids alone."""


@dataclass(frozen=True, slots=True, eq=False)
class HeldColumn:
    """A column of a table at a snapshot as an identity sees it, in the order of row ids.

    Attributes
    ----------
    row_ids
        Ascending; None where they are `first_row` and the following ones.
    values
        One array, in the type that scans of the table yield.
    """

    first_row: int
    row_ids: Ints | None
    values: pa.Array

    @property
    def nbytes(self) -> int:
        """Bytes in memory, row ids shared between columns counted each time."""
        return self.values.nbytes + (0 if self.row_ids is None else self.row_ids.nbytes)

    def places(self, rows: Ints) -> Ints:
        """Where rows stand, given their row ids; -1 where the identity sees no such row."""
        if self.row_ids is None:
            places = rows - self.first_row
            outside = (places < 0) | (places >= len(self.values))
        else:
            if not len(self.row_ids):
                return np.full(len(rows), -1, np.int64)
            places = np.searchsorted(self.row_ids, rows)
            outside = self.row_ids[np.minimum(places, len(self.row_ids) - 1)] != rows
        return np.where(outside, -1, places) if outside.any() else places

    def rows(self, places: Ints) -> Ints:
        """The row ids of places."""
        return places + self.first_row if self.row_ids is None else self.row_ids[places]

    def take(self, rows: Ints) -> pa.Array:
        """The values of rows; NULL where there is no such row (-1 among them)."""
        places = self.places(rows)
        if not len(self.values):
            return pa.nulls(len(rows), self.values.type)
        if len(places) and places.min() < 0:
            return self.values.take(pa.array(places, mask=places < 0))
        return self.values.take(integers(places))


class ElementColumns:
    """The columns that graphs have read, over all snapshots. Thread-safe.

    Parameters
    ----------
    budget
        Bytes that it may keep; a larger column is read each time.
    """

    def __init__(self, access: Access, budget: int) -> None:
        self._access = access
        self._budget = budget
        self._lock = Lock()
        self._held: OrderedDict[Hashable, HeldColumn] = OrderedDict()
        self._bytes = 0

    def source(self, view: ResolvedSnapshot, table: str, identity: Identity) -> ScanSource:
        """The rows of a table as the identity sees them."""
        return self._access.scan(view, table, identity)

    def key(self, view: ResolvedSnapshot, table: str, identity: Identity) -> Hashable | None:
        """What tells two states of a table apart, as this identity sees it; None where nothing may be kept."""
        schema = view.find(table)
        who = None
        if self._access.book.rules(schema, identity) is not None:
            who = (self._access.book.fingerprint(identity), view.id, view.draft)
            if who[0] is None:
                return None
        if schema.id in view.staged:
            return None
        held = view.holds(schema.id)
        deletions = tuple(item.id for part in held.deletions.values() for item in part)
        parts = (tuple(item.ulid for item in held.segments), tuple(item.id for item in held.blobs), deletions)
        columns = tuple((column.id, column.name) for column in schema.columns)
        return schema.id, columns, parts, who

    def column(
        self, view: ResolvedSnapshot, table: str, name: str, identity: Identity, counters: ScanCounters
    ) -> HeldColumn:
        """A column of a table, or its row ids themselves for `_rowid`."""
        state = self.key(view, table, identity)
        key = None if state is None else (state, name)
        if key is not None:
            with self._lock:
                found = self._held.get(key)
                if found is not None:
                    self._held.move_to_end(key)
                    return found
        made = self._read(self.source(view, table, identity), name, counters)
        if key is not None and made.nbytes <= self._budget:
            with self._lock:
                if key not in self._held:
                    self._held[key] = made
                    self._bytes += made.nbytes
                while self._bytes > self._budget:
                    _, gone = self._held.popitem(last=False)
                    self._bytes -= gone.nbytes
        return made

    def _read(self, source: ScanSource, name: str, counters: ScanCounters) -> HeldColumn:
        schema = source.schema
        place = schema.get_field_index(name)
        wanted = [0] if place == 0 else [0, place]
        table = source.stream(wanted, (), counters).read_all()
        row_ids: Ints = numbers(table.column(0))
        values = joined(table.column(len(wanted) - 1))
        if len(row_ids) and (np.diff(row_ids) < 0).any():
            order = np.argsort(row_ids, kind="stable")
            row_ids, values = row_ids[order], values.take(integers(order))
        if not len(row_ids) or row_ids[-1] - row_ids[0] == len(row_ids) - 1:
            return HeldColumn(int(row_ids[0]) if len(row_ids) else 0, None, values)
        return HeldColumn(int(row_ids[0]), row_ids, values)


def joined(column: pa.ChunkedArray) -> pa.Array:
    """One array of all chunks; a dictionary of several chunks gets one dictionary."""
    if column.num_chunks == 1:
        return column.chunk(0)
    if pa.types.is_dictionary(column.type):
        column = column.unify_dictionaries()
    made = column.combine_chunks()
    if isinstance(made, pa.ChunkedArray):  # more characters than one array of strings can hold
        made = pc.cast(column, pa.large_string()).combine_chunks()
    return made


def exact(scan: ScanSource) -> bool:
    """Whether an identity sees a table as it is."""
    return isinstance(scan, TableScan)


def field_of(source: ScanSource, name: str) -> pa.Field:
    """The field of a column as scans yield it."""
    return source.schema.field(name)


def unified(types: Sequence[pa.DataType]) -> pa.DataType | None:
    """The type that values of all these types have; None where only text would do."""
    values = [plain(item) for item in types]
    if len(set(types)) == 1:
        return types[0]
    if len(set(values)) == 1:
        return values[0]
    if all(pa.types.is_date(item) or (pa.types.is_timestamp(item) and item.tz is None) for item in values):
        fine = any(pa.types.is_timestamp(item) and item.unit == "ns" for item in values)
        return pa.timestamp("ns" if fine else "us")
    try:
        fields = [pa.schema([pa.field("v", item)]) for item in values]
        return pa.unify_schemas(fields, promote_options="permissive").field(0).type
    except (pa.ArrowTypeError, pa.ArrowInvalid):
        return None


def plain(kind: pa.DataType) -> pa.DataType:
    """The type of the values of a dictionary; other types as they are."""
    return kind.value_type if pa.types.is_dictionary(kind) else kind
