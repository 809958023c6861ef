"""Groups as the rows of their relation: by bucket and key where that is asked for, and with every bucket where it is filled.

Rows in order come by bucket, then by the values of the keys, NULL last.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa

from luma_bench.bench.island_relation import batch_of
from luma_bench.bench.series.grouped_groups import Groups, Picked, as_they_come, by_window
from luma_bench.bench.series.values import true
from luma_bench.models.control import Control
from luma_bench.models.series.buckets import Buckets
from luma_bench.models.series.fill import Filler
from luma_bench.models.series.grid import Grid
from luma_bench.models.series.runs import Bools, Codes, Ints
from luma_bench.models.series.stretches import mapped
from luma_bench.storage.filter import evaluate
from luma_bench.types.arrays import flags, integers, mask
from luma_bench.types.predicate import Predicate, columns_of
from luma_bench.types.schema import ROW_ID

Part = Literal["window_start", "window_end", "window_time"]

_MANY = 300_000
"""Groups that two threads are worth their start for."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Makes the rows of a relation of groups.

    Attributes
    ----------
    schema
        Of the whole relation.
    places
        What each key column holds: a part of the window, or the number of a key of series.
    time
        The type of the time column, whose units moments are in.
    """

    schema: pa.Schema
    places: Mapping[str, Part | int]
    time: pa.DataType

    def kept(self, groups: Groups, predicates: Sequence[Predicate]) -> Groups:
        """The groups whose keys fulfil predicates, each about one key column."""
        for predicate in predicates:
            (name,) = columns_of(predicate)
            place = self.places[name]
            kind = plain(self.schema.field(name).type)
            if isinstance(place, int):
                groups = groups.only(_true(predicate, name, groups.series[place].cast(kind)))
            else:
                moments = self._moments(self._part(place, groups.starts, groups.ends), kind)
                groups = groups.taken(np.flatnonzero(_true(predicate, name, moments)))
        return groups

    @property
    def keys(self) -> list[pa.Field]:
        """The columns of keys of series, by their numbers."""
        found = {place: name for name, place in self.places.items() if isinstance(place, int)}
        return [self.schema.field(found[number]) for number in sorted(found)]

    def matching(self, batch: pa.RecordBatch, predicates: Sequence[Predicate]) -> pa.RecordBatch:
        """The rows of a batch of groups that fulfil predicates, each about one key column."""
        for predicate in predicates:
            (name,) = columns_of(predicate)
            values = batch.column(name)
            kept = _true(predicate, name, values)
            if not kept.all():
                batch = batch.filter(mask(kept))
        return batch

    def projected(self, batch: pa.RecordBatch, names: Sequence[str], first: int) -> pa.RecordBatch:
        """Some columns of a batch of groups in the types of the relation; `_rowid` counts from `first` on."""
        schema = pa.schema([self.schema.field(name) for name in names])
        arrays: list[pa.Array] = []
        for name, field in zip(names, schema, strict=True):
            if name == ROW_ID:
                arrays.append(integers(np.arange(first, first + batch.num_rows)))
                continue
            held = batch.column(name)
            if pa.types.is_dictionary(field.type) and not pa.types.is_dictionary(held.type):
                held = held.dictionary_encode()
            arrays.append(held if held.type == field.type else held.cast(field.type))
        return batch_of(arrays, schema, batch.num_rows)

    def batches(
        self,
        names: Sequence[str],
        groups: Groups,
        *,
        ordered: bool,
        buckets: Buckets | None,
        control: Control,
    ) -> Iterator[pa.RecordBatch]:
        """A row of each group; by window and key where `ordered`."""
        picked = as_they_come(groups)
        if ordered:
            groups = groups.present(alone=not self.keys).by_key(self.keys)
            picked = by_window(groups, buckets)
        schema = pa.schema([self.schema.field(name) for name in names])

        def made(one: Picked) -> tuple[int, list[pa.Array]]:
            return one.rows, [self._column(name, groups, one) for name in names]

        given = 0
        many = groups.rows > _MANY
        for rows, arrays in mapped(made, picked, control) if many else map(made, picked):
            control.check()
            if ROW_ID in names:
                arrays[names.index(ROW_ID)] = integers(np.arange(given, given + rows))
            yield batch_of(arrays, schema, rows)
            given += rows

    def _column(self, name: str, groups: Groups, picked: Picked) -> pa.Array:
        field = self.schema.field(name)
        place = self.places.get(name)
        if name == ROW_ID:
            return pa.nulls(0, pa.int64())
        if place is None:
            held, places = groups.columns[name], picked.places
            found = (
                held.slice(places.start, picked.rows)
                if isinstance(places, slice)
                else held.take(_index(places))
            )
            return found if found.type == field.type else found.cast(field.type)
        if isinstance(place, int):
            return keyed(groups.series[place], picked.rank, field.type)
        return self._moments(self._part(place, picked.starts, picked.ends), field.type)

    def filled(
        self,
        names: Sequence[str],
        groups: Groups,
        grid: Grid,
        ends: Ints,
        fillers: Mapping[str, Filler],
        control: Control,
    ) -> Iterator[pa.RecordBatch]:
        """A row of each bucket of a grid and each series; groups are those of the grid, `ends` are the buckets'."""
        schema = pa.schema([self.schema.field(name) for name in names])
        repeated: dict[str, pa.Array] = {}
        given = 0
        for block in grid.blocks():
            control.check()
            rows = block.groups.size
            arrays: list[pa.Array] = []
            for name in names:
                field = self.schema.field(name)
                place = self.places.get(name)
                if name == ROW_ID:
                    made = integers(np.arange(given, given + rows))
                elif place is None:
                    made = fillers[name].column(block)
                elif isinstance(place, int):
                    held = repeated.get(name)
                    if held is None or len(held) < rows:
                        series = np.tile(np.arange(grid.series, dtype=np.int32), block.end - block.first)
                        held = repeated[name] = keyed(groups.series[place], series, field.type)
                    made = held.slice(0, rows)
                else:
                    part = self._part(
                        place, grid.starts[block.first : block.end], ends[block.first : block.end]
                    )
                    made = self._moments(np.repeat(part, grid.series), field.type)
                arrays.append(made if made.type == field.type else made.cast(field.type))
            yield batch_of(arrays, schema, rows)
            given += rows

    def _part(self, part: Part, starts: Ints, ends: Ints) -> Ints:
        if part == "window_start":
            return starts
        return ends if part == "window_end" else ends - 1

    def _moments(self, values: Ints, kind: pa.DataType) -> pa.Array:
        """Moments of the time column's unit as a column."""
        time = self.time
        if time.bit_width == 32:
            held = np.ascontiguousarray(values, np.int32)
        else:
            held = np.ascontiguousarray(values, np.int64)
        made = pa.Array.from_buffers(time, len(held), [None, pa.py_buffer(held)])
        return made if kind == time else made.cast(kind)


def keyed(values: pa.Array, series: Codes, kind: pa.DataType) -> pa.Array:
    """A key column: the value of each row's series."""
    held = np.ascontiguousarray(series, np.int32)
    if not pa.types.is_dictionary(kind):
        index = pa.Array.from_buffers(pa.int32(), len(held), [None, pa.py_buffer(held)])
        taken = values.take(index)
        return taken if taken.type == kind else taken.cast(kind)
    values = values if values.type == kind.value_type else values.cast(kind.value_type)
    bits = None
    if values.null_count:
        # An engine may read a NULL off the index only.
        valid = flags(values.is_valid())
        bits = pa.py_buffer(np.packbits(valid[held], bitorder="little"))
        values = values.fill_null("")
    index = pa.Array.from_buffers(pa.int32(), len(held), [bits, pa.py_buffer(held)])
    return pa.DictionaryArray.from_arrays(index, values)


def plain(kind: pa.DataType) -> pa.DataType:
    """A dictionary's values' type."""
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _true(predicate: Predicate, name: str, values: pa.Array) -> Bools:
    return true(evaluate(predicate, pa.table({name: values})))


def _index(places: Codes | Ints) -> pa.Array:
    """Row numbers as Arrow takes them."""
    held = np.ascontiguousarray(places)
    kind = pa.int32() if held.dtype == np.int32 else pa.int64()
    return pa.Array.from_buffers(kind, len(held), [None, pa.py_buffer(held)])
