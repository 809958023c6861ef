"""The groups of a grouped construct, whichever plan made them, and the order in which they are given."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from luma_bench.models.series.buckets import Buckets
from luma_bench.models.series.grid import Grid, by_series
from luma_bench.models.series.runs import Bools, Codes, Ints
from luma_bench.types.arrays import integers
from luma_bench.types.schema import SQL_TYPE

_BATCH = 131_072
_MEMBER = re.compile(r"'((?:[^']|'')*)'")
_SPARSE = 4
_SMALL = 4_000_000


@dataclass(frozen=True, slots=True)
class Groups:
    """Groups of rows: one a series and window.

    Attributes
    ----------
    series
        The values of each key column, one of each series.
    rank
        The series of each group.
    starts, ends
        Its window in units of the time column.
    columns
        The aggregates by name, a value of each group.
    """

    series: Sequence[pa.Array]
    count: int
    rank: Codes
    starts: Ints
    ends: Ints
    columns: Mapping[str, pa.Array]

    @property
    def rows(self) -> int:
        """How many groups there are."""
        return len(self.rank)

    def by_key(self, fields: Sequence[pa.Field]) -> Groups:
        """The same with series in the order of their values; `fields` are those of the keys."""
        if not self.series:
            return self
        table = pa.table(
            [_sortable(item, field) for item, field in zip(self.series, fields, strict=True)],
            [f"k{at}" for at in range(len(self.series))],
        )
        keys = [(name, "ascending", "at_end") for name in table.column_names]
        order = pc.sort_indices(table, sort_keys=keys)
        places = np.frombuffer(order.buffers()[1], np.uint64, len(order), 8 * order.offset).astype(np.int64)
        if (places[1:] > places[:-1]).all():
            return self
        rank = np.empty(len(places), np.int32)
        rank[places] = np.arange(len(places), dtype=np.int32)
        return replace(self, series=[item.take(order) for item in self.series], rank=rank[self.rank])

    def by_series(self) -> Groups:
        """The same with groups in the order of series and time."""
        order = by_series(self.rank, self.starts)
        return self if order is None else self.taken(order)

    def present(self, *, alone: bool) -> Groups:
        """The same without series that have no group; `alone`: the one series of rows without keys always stays."""
        if alone:
            return self
        seen = np.zeros(self.count, np.bool_)
        seen[self.rank[:1]] = True
        seen[self.rank[1:][self.rank[1:] != self.rank[:-1]]] = True
        return self.only(seen)

    def taken(self, order: Ints) -> Groups:
        """Some of the groups."""
        index = integers(order)
        return replace(
            self,
            rank=self.rank[order],
            starts=self.starts[order],
            ends=self.ends[order],
            columns={name: values.take(index) for name, values in self.columns.items()},
        )

    def only(self, series: Bools) -> Groups:
        """The groups of some of the series."""
        if series.all():
            return self
        kept = np.flatnonzero(series)
        number = np.cumsum(series, dtype=np.int32) - np.int32(1)
        found = self.taken(np.flatnonzero(series[self.rank]))
        index = integers(kept)
        held = [item.take(index) for item in self.series]
        return replace(found, series=held, count=len(kept), rank=number[found.rank])


@dataclass(frozen=True, slots=True)
class Picked:
    """Some groups in the order in which they are given.

    Attributes
    ----------
    places
        Which groups: a stretch of them, or their numbers.
    """

    places: slice | Codes | Ints
    rank: Codes
    starts: Ints
    ends: Ints

    @property
    def rows(self) -> int:
        """How many groups there are."""
        return len(self.rank)


def as_they_come(groups: Groups) -> Iterator[Picked]:
    """All groups in an order of their own."""
    for first in range(0, groups.rows, _BATCH):
        part = slice(first, min(first + _BATCH, groups.rows))
        yield Picked(part, groups.rank[part], groups.starts[part], groups.ends[part])


def by_window(groups: Groups, buckets: Buckets | None) -> Iterator[Picked]:
    """All groups by window, then by series; the buckets they are of make that quick."""
    if groups.count == 1 and (groups.starts[1:] > groups.starts[:-1]).all():
        yield from as_they_come(groups)
        return
    if buckets is not None and groups.rows:
        first, last = int(groups.starts.min()), int(groups.starts.max())
        if spanned(buckets, first, last) * groups.count <= _SPARSE * groups.rows + _SMALL:
            yield from _of_grid(
                Grid(buckets.grid(first, last), groups.count, groups.rank, groups.starts), buckets
            )
            return
    order = np.lexsort((groups.rank, groups.starts))
    for first in range(0, groups.rows, _BATCH):
        part = order[first : first + _BATCH]
        yield Picked(part, groups.rank[part], groups.starts[part], groups.ends[part])


def _of_grid(grid: Grid, buckets: Buckets) -> Iterator[Picked]:
    """The cells of a grid that have a group: what they are of is read off their places."""
    ends = buckets.ends(grid.starts)
    series = np.arange(grid.series, dtype=np.int32)
    for block in grid.blocks():
        cells = block.groups.reshape(-1)
        height = block.end - block.first
        rank = np.tile(series, height)
        starts = np.repeat(grid.starts[block.first : block.end], grid.series)
        stops = np.repeat(ends[block.first : block.end], grid.series)
        there = np.flatnonzero(cells)
        if len(there) == len(cells):
            yield Picked(cells - 1, rank, starts, stops)
        elif len(there):
            yield Picked(cells[there] - 1, rank[there], starts[there], stops[there])


def spanned(buckets: Buckets, first: int, last: int) -> int:
    """How many buckets there are from that of one moment to that of another, both included."""
    laid = buckets.over(first, last)
    numbers = laid.index(laid.starts(np.array([first, last], np.int64)))
    return int(numbers[1] - numbers[0]) + 1


def _sortable(keys: pa.Array, field: pa.Field) -> pa.Array:
    """Keys as values that Arrow sorts, in the order that SQL has."""
    kind = (field.metadata or {}).get(SQL_TYPE, b"").decode()
    if kind.startswith("ENUM("):
        members = [text.replace("''", "'") for text in _MEMBER.findall(kind)]
        return pc.index_in(keys, value_set=pa.array(members, keys.type))
    if pa.types.is_decimal(keys.type) and keys.type.bit_width < 128:
        return keys.cast(pa.decimal128(keys.type.precision, keys.type.scale))
    return keys
