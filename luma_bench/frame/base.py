"""What every frame is: an executor and a plan, and the ways out of it. The verbs stand in `dataframe`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

import pyarrow as pa

from luma_bench.errors import SchemaError, UnsupportedError
from luma_bench.frame.display import Display
from luma_bench.frame.interchange import Interchange
from luma_bench.frame.mapping import resolved
from luma_bench.frame.unchanging import Unchanging
from luma_bench.plan.bind import Binder, sketched
from luma_bench.plan.explain import explain
from luma_bench.plan.expressions import AggregateCall, ColumnRef
from luma_bench.plan.nodes import Aggregate as Group
from luma_bench.plan.nodes import Limit, Node, Project, Relation, Table
from luma_bench.plan.render import KadeQL, render
from luma_bench.plan.rules import optimize
from luma_bench.types.executor import Answer, Executor


class Frame(Display, Interchange, Unchanging):
    """A plan over one executor, at one snapshot. Immutable; nothing runs until rows or a count are asked for."""

    __slots__ = ("__weakref__", "_executor", "_plan", "_query")

    def __init__(self, executor: Executor, plan: Node) -> None:
        self._executor = executor
        self._plan = plan
        self._query: KadeQL | None = None

    @property
    def plan(self) -> Node:
        """The plan, before the rules.

        Examples
        --------
        >>> type(flights.head(3).plan).__name__
        'Limit'
        """
        return self._plan

    @property
    def executor(self) -> Executor:
        """What runs it."""
        return self._executor

    def with_plan(self, plan: Node) -> Self:
        """Another plan on the same executor."""
        return type(self)(self._executor, plan)

    def same_bench(self, other: Frame) -> bool:
        """Whether both frames read one bench at one snapshot, so that one query can read both."""
        same = self._executor is other._executor or self._executor == other._executor
        return same and self._executor.snapshot == other._executor.snapshot

    def check_same_bench(self, other: Frame) -> None:
        """Refuse two frames that no single query can read.

        Raises
        ------
        UnsupportedError
            They are of different benches or at different snapshots.
        """
        if self.same_bench(other):
            return
        mine, theirs = self._executor.snapshot, other._executor.snapshot
        where = f"snapshots {mine} and {theirs}" if mine != theirs else "different benches"
        raise UnsupportedError(
            f"The two frames are at {where}; one query reads one bench at one snapshot.",
            hint="Take both from one bench.at(snapshot), or hand one over as data: other.to_arrow().",
        )

    # Columns and types

    @property
    def columns(self) -> list[str]:
        """The column names in order; known without running anything.

        Examples
        --------
        >>> flights.columns[:2]
        ['flight_id', 'year']
        """
        return list(self._plan.names)

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema: of a stored table as it was written, of anything else as the engine's binder says.

        Examples
        --------
        >>> flights.schema.field("origin")
        pyarrow.Field<origin: string>
        """
        return Binder(self._executor.describe, self._sketch).schema(self._plan)

    @property
    def dtypes(self) -> dict[str, pa.DataType]:
        """The Arrow type of each column.

        Examples
        --------
        >>> flights[["origin", "distance"]].dtypes
        {'origin': DataType(string), 'distance': DataType(int32)}
        """
        return {field.name: field.type for field in self.schema}

    def check_column(self, name: object) -> None:
        """Refuse a column that the frame does not have.

        Raises
        ------
        SchemaError
            With the nearest names.
        """
        if name not in self._plan.names:
            raise SchemaError.unknown_column(str(name), self._plan.names, "the frame")

    def __contains__(self, name: object) -> bool:
        return name in self._plan.names

    def __iter__(self) -> Iterator[str]:
        return iter(self._plan.names)

    def keys(self) -> list[str]:
        """The column names.

        Examples
        --------
        >>> airports.keys()[:2]
        ['iata', 'icao']
        """
        return self.columns

    # Rows out

    @property
    def kadeql(self) -> str:
        """The KadeQL text that the frame runs. Tables in memory stand in it as `memory_1`, …, beside the text.

        Examples
        --------
        >>> print(flights[flights.dep_delay > 60][["origin"]].kadeql)
        SELECT origin
        FROM flights
        WHERE dep_delay > 60
        """
        return self._text().text

    def explain(self) -> str:
        """The plan after the rules, which rules fired, the text, and the engine's own plan of it.

        Examples
        --------
        >>> "push_filters" in flights.sort_values("month").query("month = 1").explain()
        True
        """
        query = self._text()
        engine = self._executor.explain(query.text, tables=query.tables)
        return f"{explain(self._plan)}\n\n{query.text}\n\n{engine}"

    def collect(self, *, engine: str = "auto", strict: bool = False) -> Answer:
        """Run and give the finished result, with its run record in `.run`.

        A stored table, or some of its columns, is read without SQL and has exactly the types that were written.

        Parameters
        ----------
        engine
            'auto', or the engine that shall run it.
        strict
            Make a fallback to another engine an error.

        Examples
        --------
        >>> flights.query("month = 1").collect().run.engine
        'duckdb'
        """
        if engine == "auto" and not strict:
            held = _held(self._plan)
            if held is not None:
                return self._executor.answer(held)
            stored = _stored(self._plan)
            if stored is not None:
                return self._executor.read(stored.name, None if stored is self._plan else self.columns)
        ready = resolved(self)
        query = render(optimize(ready.plan).plan) if ready is not self else self._text()
        return self._executor.execute(query.text, engine=engine, strict=strict, tables=query.tables or None)

    def to_arrow(self) -> pa.Table:
        """The rows as an Arrow table; runs the query.

        Examples
        --------
        >>> flights.head(3).to_arrow().num_rows
        3
        """
        return self.collect().to_arrow()

    def to_pandas(self) -> Any:
        """The rows as a pandas DataFrame; runs the query.

        Examples
        --------
        >>> flights.head(3).to_pandas().shape == (3, len(flights.columns))
        True
        """
        return self.collect().to_pandas()

    def to_polars(self) -> Any:
        """The rows as a Polars DataFrame; runs the query.

        Examples
        --------
        >>> flights.head(3).to_polars().height
        3
        """
        return self.collect().to_polars()

    def to_dask(self, npartitions: int | None = None) -> Any:
        """The rows as a `dask.dataframe`, which Dask computes where it will: see `npartitions`.

        A stored table, its columns, and what is filtered and computed row by row are read when a partition is computed, on
        the worker that computes it; nothing runs before. Workers read the bench's files, which they must see under the same
        path, or the object store that it is published in. Of anything else (groups, joins, orders, rows in memory, tables
        under policies, uncommitted rows) the rows are computed here and now, and cut.

        Integers and booleans that may be NULL have pandas' nullable dtypes; dates, decimals, bytes and nested values its
        Arrow dtypes. The rows are in the frame's order.

        Parameters
        ----------
        npartitions
            How many partitions there are at most; None for about 64 MB each.

        Raises
        ------
        UnsupportedError
            dask.dataframe is not installed, or `npartitions` is less than 1.

        Examples
        --------
        >>> ddf = flights[["origin", "distance"]].to_dask(npartitions=4)
        >>> int(ddf.distance.max().compute()) == flights.distance.max()
        True
        """
        from luma_bench.engines.cluster import interop

        interop.check_partitions(npartitions)
        interop.require_dask()
        if _held(self._plan) is None:
            stored = _stored(self._plan)
            query = self._text()
            found = self._executor.divided(
                query.text,
                table=None if stored is None else stored.name,
                columns=self.columns,
                parts=npartitions,
                tables=query.tables or None,
            )
            if found is not None:
                return interop.from_parts(found)
        return self.collect().to_dask(npartitions)

    def to_reader(self) -> pa.RecordBatchReader:
        """The rows as a stream of Arrow batches, which come as the engine makes them: more than memory holds may.

        Drop the reader to stop the query.

        Examples
        --------
        >>> sum(batch.num_rows for batch in flights.to_reader()) == len(flights)
        True
        """
        held = _held(self._plan)
        if held is not None:
            return held.to_reader()
        stored = _stored(self._plan)
        if stored is not None:
            return self._executor.scan(stored.name, None if stored is self._plan else self.columns)
        ready = resolved(self)
        query = render(optimize(ready.plan).plan) if ready is not self else self._text()
        return self._executor.stream(query.text, tables=query.tables or None)

    def __len__(self) -> int:
        known = self._known_rows()
        if known is not None:
            return known
        counted = self.with_plan(Group(self._plan, (), (("rows", AggregateCall("size")),)))
        return counted.to_arrow().column(0)[0].as_py()

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns; counting rows runs a query unless the frame is a whole stored table.

        Examples
        --------
        >>> flights[["origin", "dest"]].drop_duplicates("origin").shape
        (3, 2)
        """
        return len(self), len(self._plan.names)

    @property
    def empty(self) -> bool:
        """Whether there is no row; runs a query for one.

        Examples
        --------
        >>> flights.query("month = 13").empty
        True
        """
        return len(self.with_plan(Limit(self._plan, 1)).to_arrow()) == 0

    def __bool__(self) -> bool:
        raise UnsupportedError(
            "A frame has no truth value.", hint="Use frame.empty, len(frame), or a Series' any()."
        )

    def _known_rows(self) -> int | None:
        """The number of rows where it costs nothing: a stored table, whatever its columns."""
        node = self._plan
        while isinstance(node, Project):
            node = node.child
        if isinstance(node, Table):
            return self._executor.rows(node.name)
        return node.data.num_rows if isinstance(node, Relation) else None

    def _text(self) -> KadeQL:
        if self._query is None:
            self._query = sketched(self._plan)
        return self._query

    def _sketch(self, plan: Node) -> KadeQL:
        return self._text() if plan is self._plan else sketched(plan)


def _stored(plan: Node) -> Table | None:
    """The table that the plan is, or takes columns of without changing them."""
    node = _whole(plan)
    return node if isinstance(node, Table) else None


def _held(plan: Node) -> pa.Table | None:
    """The rows in memory that the plan is, or takes columns of without changing them."""
    node = _whole(plan)
    if not isinstance(node, Relation) or node.row_id is not None:
        return None
    return node.data if node is plan else node.data.select(list(plan.names))


def _whole(plan: Node) -> Node | None:
    """What the plan takes columns of without changing them; None when it does anything else."""
    node = plan
    while isinstance(node, Project):
        if any(expression != ColumnRef(name) for name, expression in node.columns):
            return None
        node = node.child
    return node
