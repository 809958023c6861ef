"""Running the queries that a change of rows is made of: those that find rows, and those over rows that were found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pyarrow as pa

from luma_bench.bench.ask import Ask
from luma_bench.bench.binding import Bound
from luma_bench.bench.runner import Runner
from luma_bench.engines.duck_kinds import typed_columns, typed_relation
from luma_bench.language import Query
from luma_bench.plan.engine import View
from luma_bench.storage.store import ResolvedSnapshot
from luma_bench.types.scan import ScanCounters
from luma_bench.types.schema import SQL_TYPE, TableSchema

_PLAIN = "_plain"


class Finder:
    """Runs queries for statements that change rows, and counts what they read.

    Attributes
    ----------
    read
        What the queries have read so far.
    """

    def __init__(self, runner: Runner, ask: Ask, view: ResolvedSnapshot) -> None:
        self.runner = runner
        self.ask = ask
        self.view = view
        self.read = ScanCounters()
        self._streamed: Bound | None = None

    def run(self, query: Query, span: tuple[int, int] | None = None) -> pa.Table:
        """The rows of a query over the transaction's view.

        Parameters
        ----------
        span
            Where an error points that has no place of its own.

        Raises
        ------
        KadeQLError
            It points into the user's text.
        """
        bound = self.runner.bind(query, self.ask, self.view)
        return self._ran(self.runner.binder.reduced(bound), span)

    def over(
        self,
        query: Query,
        relations: Mapping[str, pa.Table],
        views: Sequence[View] = (),
        plain: Sequence[str] = (),
    ) -> pa.Table:
        """The rows of a query over relations of the bench's own, beside the tables and relations of the statement.

        A field of a relation with an SQL type beside it, see `typed`, is of that type in the query, but in the relations
        `plain`, which `views` read.
        """
        given = dict(self.ask.tables)
        above: list[View] = []
        for name, relation in relations.items():
            if name not in plain and typed_columns(relation.schema):
                given[name + _PLAIN] = relation
                above.append(View(name, typed_relation(relation.schema, name + _PLAIN)))
            else:
                given[name] = relation
        bound = self.runner.bind(query, replace(self.ask, tables=given), self.view)
        inputs = replace(bound.inputs, views=(*bound.inputs.views, *above, *views))
        return self._ran(replace(bound, inputs=inputs), None)

    def columns(self, query: Query) -> list[str]:
        """The names of a query's columns; it is not run."""
        found = self.runner.bind(query, self.ask, self.view).run("DESCRIBE ")
        return found.column("column_name").to_pylist()

    def stream(self, query: Query) -> pa.RecordBatchReader:
        """The rows of a query as they are made; what they read is counted when `count` is called behind the last."""
        bound = self.runner.bind(query, self.ask, self.view)
        bound = self.runner.binder.reduced(bound)
        reader = bound.stream()
        self._streamed = bound
        return reader

    def count(self) -> None:
        """Count what the stream has read."""
        if self._streamed is not None:
            self._counted(self._streamed)
            self._streamed = None

    def _ran(self, bound: Bound, span: tuple[int, int] | None) -> pa.Table:
        found = bound.run(span=span)
        self._counted(bound)
        return found

    def _counted(self, bound: Bound) -> None:
        own = bound.inputs.counters
        self.read.add(
            rows=own.rows_read,
            nbytes=own.bytes_read,
            segments=own.segments_read,
            segments_pruned=own.segments_pruned,
            chunks=own.chunks_read,
            chunks_pruned=own.chunks_pruned,
        )


def typed(rows: pa.Table, table: TableSchema) -> pa.Table:
    """Rows of a table, the SQL type beside every column whose Arrow type does not say it."""
    schema = rows.schema
    for column in table.columns:
        index = schema.get_field_index(column.name)
        if column.sql_type and index >= 0:
            field = schema.field(index)
            known = {**(field.metadata or {}), SQL_TYPE: column.sql_type.encode()}
            schema = schema.set(index, field.with_metadata(known))
    return rows if schema is rows.schema else rows.cast(schema)
