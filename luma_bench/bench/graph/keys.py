"""Keys, labels and properties of elements as Arrow columns, given their numbers in a topology."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from luma_bench.bench.graph.conditions import Asked
from luma_bench.bench.graph.held import field_of, plain, unified
from luma_bench.models.graph.topology import Ids, Ints, Topology
from luma_bench.types.graph import EdgeTable, ElementTable, PropertyGraph
from luma_bench.types.schema import ROW_ID

Kind = Literal["vertex", "edge"]


@dataclass(frozen=True, slots=True)
class Elements:
    """Reads columns of a graph's elements for whoever asks."""

    graph: PropertyGraph
    asked: Asked

    def tables(self, kind: Kind) -> Sequence[ElementTable]:
        """The element tables of a kind."""
        return self.graph.vertices if kind == "vertex" else self.graph.edges

    def properties(self, kind: Kind, places: Sequence[int]) -> list[str]:
        """The names of the properties of some tables, in order, each once."""
        found: dict[str, str] = {}
        for place in places:
            for name in self._columns(kind, place):
                found.setdefault(name.casefold(), name)
        return list(found.values())

    def column(self, kind: Kind, place: int, name: str) -> str | None:
        """The table's column behind a property; None where the table has no such property."""
        element = self.tables(kind)[place]
        return element.column(self._names(element), name)

    def lacking(
        self, element: ElementTable, properties: Sequence[tuple[str, tuple[int, int]]]
    ) -> list[pa.Field]:
        """Properties that the element's table has not, as other tables of its kind have them."""
        kind: Kind = "edge" if isinstance(element, EdgeTable) else "vertex"
        tables = self.tables(kind)
        if len(tables) == 1:
            return []
        own = tables.index(element)
        names = {name.casefold(): name for name, _ in properties}
        found = [
            self.property_field(kind, range(len(tables)), name)
            for name in names.values()
            if self.column(kind, own, name) is None
        ]
        return [item for item in found if item is not None]

    def property_field(self, kind: Kind, places: Sequence[int], name: str) -> pa.Field | None:
        """The field of a property over some tables; None when none of them has it."""
        fields = [
            self._field(kind, place, column)
            for place in places
            if (column := self.column(kind, place, name)) is not None
        ]
        return together(name, fields)

    def key_field(self, kind: Kind, places: Sequence[int]) -> pa.Field:
        """The field of the key over some tables: of several columns a struct, of tables that differ text."""
        fields = [self._key_field(kind, place) for place in places]
        made = together("key", fields)
        return pa.field("key", pa.string()) if made is None else made

    def property(
        self,
        kind: Kind,
        places: Sequence[int],
        name: str,
        field: pa.Field,
        topology: Topology,
        ids: Ints | Ids,
    ) -> pa.Array:
        """A property of elements; NULL for -1 and where the table has no such property."""

        def read(place: int, rows: Ints) -> pa.Array:
            column = self.column(kind, place, name)
            return (
                pa.nulls(len(rows), field.type) if column is None else self._take(kind, place, column, rows)
            )

        return self._gather(kind, places, topology, ids, field.type, read)

    def key(
        self, kind: Kind, places: Sequence[int], field: pa.Field, topology: Topology, ids: Ints | Ids
    ) -> pa.Array:
        """The keys of elements; NULL for -1."""

        def read(place: int, rows: Ints) -> pa.Array:
            names = self.tables(kind)[place].key or (ROW_ID,)
            parts = [self._take(kind, place, name, rows) for name in names]
            if len(parts) == 1:
                return parts[0]
            plain = [decoded(part) for part in parts]
            mask = pa.array(rows < 0) if len(rows) and rows.min() < 0 else None
            return pa.StructArray.from_arrays(plain, names=list(names), mask=mask)

        return self._gather(kind, places, topology, ids, field.type, read)

    def label(self, kind: Kind, topology: Topology, ids: Ints | Ids) -> pa.Array:
        """The first label of each element's table; NULL for -1."""
        tables = self.tables(kind)
        names = pa.array([item.labels[0] if item.labels else item.name for item in tables], pa.string())
        places = table_of(kind, topology, ids)
        return names.take(pa.array(places, mask=places < 0))

    def _columns(self, kind: Kind, place: int) -> dict[str, str]:
        element = self.tables(kind)[place]
        return element.columns(self._names(element))

    def _names(self, element: ElementTable) -> Sequence[str]:
        """The columns of an element's table, where its properties do not say them."""
        return () if element.properties is not None else self._source(element).schema.names[1:]

    def _source(self, element: ElementTable) -> Any:
        return self.asked.columns.source(self.asked.view, element.table, self.asked.ask.identity)

    def _field(self, kind: Kind, place: int, column: str) -> pa.Field:
        return field_of(self._source(self.tables(kind)[place]), column)

    def _key_field(self, kind: Kind, place: int) -> pa.Field:
        element = self.tables(kind)[place]
        names = element.key or (ROW_ID,)
        fields = [self._field(kind, place, name) for name in names]
        if len(fields) == 1:
            return fields[0]
        return pa.field("key", pa.struct([pa.field(item.name, plain(item.type)) for item in fields]))

    def _take(self, kind: Kind, place: int, column: str, rows: Ints) -> pa.Array:
        asked, element = self.asked, self.tables(kind)[place]
        held = asked.columns.column(asked.view, element.table, column, asked.ask.identity, asked.counters)
        return held.take(rows)

    def _gather(
        self,
        kind: Kind,
        places: Sequence[int],
        topology: Topology,
        ids: Ints | Ids,
        type_: pa.DataType,
        read: Callable[[int, Ints], pa.Array],
    ) -> pa.Array:
        """What `read` says of the rows of each table, put together in the order of `ids`."""
        parts = topology.vertices if kind == "vertex" else topology.edges
        if len(places) == 1:
            return cast(read(places[0], rows_of(parts[places[0]], ids)), type_)
        at = table_of(kind, topology, ids)
        arrays: list[pa.Array] = []
        order = np.empty(len(ids), np.int64)
        done = 0
        for place in (-1, *sorted(set(places))):
            chosen = np.flatnonzero(at == place)
            if not len(chosen):
                continue
            own = (
                pa.nulls(len(chosen), type_)
                if place < 0
                else cast(read(place, rows_of(parts[place], ids[chosen])), type_)
            )
            arrays.append(own)
            order[chosen] = np.arange(done, done + len(chosen))
            done += len(chosen)
        if not arrays:
            return pa.nulls(0, type_)
        whole = arrays[0] if len(arrays) == 1 else pa.concat_arrays([decoded(item) for item in arrays])
        return cast(whole.take(pa.array(order)), type_)


def rows_of(part: Any, ids: Ints | Ids) -> Ints:
    """The row ids of elements of one table; -1 for -1."""
    if not len(ids):
        return np.empty(0, np.int64)
    places = ids.astype(np.int64, copy=False) - part.first
    if ids.min() >= 0:
        return part.row_ids_at(places)
    return np.where(ids < 0, -1, part.row_ids_at(np.where(ids < 0, 0, places)) if part.count else -1)


def table_of(kind: Kind, topology: Topology, ids: Ints | Ids) -> Ints:
    """The place of each element's table; -1 for -1."""
    parts = topology.vertices if kind == "vertex" else topology.edges
    firsts = np.array([part.first for part in parts], np.int64)
    counts = np.array([part.count for part in parts], np.int64)
    order = np.argsort(firsts + np.where(counts == 0, -0.5, 0.0), kind="stable")
    found = order[np.searchsorted(firsts[order], ids, side="right") - 1]
    return np.where(np.asarray(ids) < 0, -1, found)


def together(name: str, fields: Sequence[pa.Field]) -> pa.Field | None:
    """One field for the same column of several tables; None for no field, or none that holds them all but text."""
    if not fields:
        return None
    first = fields[0]
    if all(item.type == first.type and item.metadata == first.metadata for item in fields):
        return pa.field(name, first.type, True, first.metadata)
    found = unified([item.type for item in fields])
    return pa.field(name, pa.string() if found is None else found)


def decoded(array: pa.Array) -> pa.Array:
    """An array without a dictionary."""
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array


def cast(array: pa.Array, kind: pa.DataType) -> pa.Array:
    """The array in another type that holds its values; as text where nothing else does."""
    if array.type == kind:
        return array
    held = decoded(array)
    if held.type == kind:
        return held
    if pa.types.is_string(kind) and pa.types.is_struct(held.type):
        return pa.array(
            [None if item is None else str(tuple(item.values())) for item in held.to_pylist()], kind
        )
    return pc.cast(held, kind, safe=False)
