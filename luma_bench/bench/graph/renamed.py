"""An element's table as conditions about it read it: its properties under the names that the graph gives them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

from luma_bench.types.graph import ElementTable
from luma_bench.types.predicate import And, Comparison, In, IsNull, Not, Or, Predicate, columns_of
from luma_bench.types.scan import ScanCounters, ScanSource
from luma_bench.types.schema import ROW_ID


class ElementScan:
    """A scan source of a table's rows with the properties of an element of a graph as its columns.

    Parameters
    ----------
    lacking
        Properties of the element that its table has not: columns of NULL.
    """

    def __init__(self, source: ScanSource, element: ElementTable, lacking: Sequence[pa.Field] = ()) -> None:
        self._source = source
        names = source.schema.names
        columns = element.columns([name for name in names if name != ROW_ID])
        self._columns = {ROW_ID: ROW_ID, **columns}
        self._places = [names.index(column) for column in self._columns.values()]
        self._schema = pa.schema(
            [
                *(
                    source.schema.field(place).with_name(name)
                    for name, place in zip(self._columns, self._places, strict=True)
                ),
                *(pa.field(item.name, item.type) for item in lacking),
            ]
        )

    @property
    def name(self) -> str:
        """The table's name."""
        return self._source.name

    @property
    def schema(self) -> pa.Schema:
        """`_rowid`, then the properties."""
        return self._schema

    def rows(self) -> int:
        """The rows of the table."""
        return self._source.rows()

    def accepts(self, predicate: Predicate) -> bool:
        """Whether the table's own scan applies it exactly."""
        if not columns_of(predicate) <= self._columns.keys():
            return False
        return self._source.accepts(self._own(predicate))

    def stream(
        self, columns: Sequence[int] | None, predicates: Sequence[Predicate], counters: ScanCounters
    ) -> pa.RecordBatchReader:
        """The table's stream under the properties' names."""
        wanted = list(range(len(self._schema)) if columns is None else columns)
        own = [self._own(item) for item in predicates]
        held = [at for at in wanted if at < len(self._places)]
        # A row id is asked for where only the number of rows is wanted.
        stream = self._source.stream([self._places[at] for at in held] or [0], own, counters)
        schema = pa.schema([self._schema.field(at) for at in wanted])
        places = {at: place for place, at in enumerate(held)}
        return pa.RecordBatchReader.from_batches(schema, self._batches(stream, wanted, places, schema))

    def _batches(
        self, stream: pa.RecordBatchReader, wanted: list[int], places: dict[int, int], schema: pa.Schema
    ) -> Iterator[pa.RecordBatch]:
        for batch in stream:
            arrays = [
                batch.column(places[at]) if at in places else pa.nulls(batch.num_rows, schema.field(i).type)
                for i, at in enumerate(wanted)
            ]
            yield pa.RecordBatch.from_arrays(arrays, schema=schema) if arrays else batch.select([])

    def _own(self, predicate: Predicate) -> Predicate:
        """The predicate about the table's own columns."""
        match predicate:
            case And(left, right):
                return And(self._own(left), self._own(right))
            case Or(left, right):
                return Or(self._own(left), self._own(right))
            case Not(operand):
                return Not(self._own(operand))
            case Comparison(column, op, value, kind):
                return Comparison(self._columns[column], op, value, kind)
            case In(column, values, kind):
                return In(self._columns[column], values, kind)
            case IsNull(column, negated):
                return IsNull(self._columns[column], negated)
