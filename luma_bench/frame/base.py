"""What every frame is: an executor and a plan, and the ways out of it. The verbs stand in `dataframe`."""

from __future__ import annotations

import html
from collections.abc import Iterator
from typing import Any, Self

import pyarrow as pa

from luma_bench.errors import SchemaError, UnsupportedError
from luma_bench.plan.bind import Binder
from luma_bench.plan.explain import explain
from luma_bench.plan.expressions import AggregateCall, ColumnRef
from luma_bench.plan.nodes import Aggregate as Group
from luma_bench.plan.nodes import Limit, Node, Project, Relation, Table
from luma_bench.plan.render import KadeQL, render
from luma_bench.plan.rules import optimize
from luma_bench.types.executor import Answer, Executor

_SHOWN = 10
"""Rows that a frame shows of itself; no others are fetched for it."""


class Frame:
    """A plan over one executor, at one snapshot. Immutable; nothing runs until rows or a count are asked for."""

    __slots__ = ("__weakref__", "_executor", "_plan", "_query")

    def __init__(self, executor: Executor, plan: Node) -> None:
        self._executor = executor
        self._plan = plan
        self._query: KadeQL | None = None

    @property
    def plan(self) -> Node:
        """The plan, before the rules."""
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
        """The column names in order; known without running anything."""
        return list(self._plan.names)

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema: of a stored table as it was written, of anything else as the engine's binder says."""
        return Binder(self._executor.describe).schema(self._plan)

    @property
    def dtypes(self) -> dict[str, pa.DataType]:
        """The Arrow type of each column."""
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
        """The column names."""
        return self.columns

    # Rows out

    @property
    def kadeql(self) -> str:
        """The KadeQL text that the frame runs."""
        return self._text().text

    def explain(self) -> str:
        """The plan after the rules, which rules fired, the text, and the engine's own plan of it."""
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
        """
        if engine == "auto" and not strict:
            stored = _stored(self._plan)
            if stored is not None:
                return self._executor.read(stored.name, None if stored is self._plan else self.columns)
        query = self._text()
        return self._executor.execute(query.text, engine=engine, strict=strict, tables=query.tables or None)

    def to_arrow(self) -> pa.Table:
        """The rows as an Arrow table; runs the query."""
        return self.collect().to_arrow()

    def to_pandas(self) -> Any:
        """The rows as a pandas DataFrame; runs the query."""
        return self.collect().to_pandas()

    def to_polars(self) -> Any:
        """The rows as a Polars DataFrame; runs the query."""
        return self.collect().to_polars()

    def to_reader(self) -> pa.RecordBatchReader:
        """The rows as a stream of Arrow batches; runs the query."""
        return self.collect().to_reader()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.to_reader().__arrow_c_stream__(requested_schema)

    def __len__(self) -> int:
        known = self._known_rows()
        if known is not None:
            return known
        counted = self.with_plan(Group(self._plan, (), (("rows", AggregateCall("size")),)))
        return counted.to_arrow().column(0)[0].as_py()

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns; counting rows runs a query unless the frame is a whole stored table."""
        return len(self), len(self._plan.names)

    @property
    def empty(self) -> bool:
        """Whether there is no row; runs a query for one."""
        return len(self.with_plan(Limit(self._plan, 1)).to_arrow()) == 0

    def __bool__(self) -> bool:
        raise UnsupportedError(
            "A frame has no truth value.", hint="Use frame.empty, len(frame), or a Series' any()."
        )

    def __repr__(self) -> str:
        return f"{self._title()}\n{self._head()!r}"

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(self._title())}</p>{self._head()._repr_html_()}"

    def _title(self) -> str:
        """What the frame is, in one line: its rows, where their number costs nothing, and its columns."""
        rows = self._known_rows()
        counted = "rows not counted" if rows is None else f"{rows:,} row{'' if rows == 1 else 's'}"
        columns = len(self._plan.names)
        first = "" if rows is not None and rows <= _SHOWN else f"; the first {_SHOWN}:"
        return f"lb.DataFrame, {counted} \u00d7 {columns} column{'' if columns == 1 else 's'}{first}"

    def _head(self) -> Answer:
        """The first rows as a finished result, which shows itself: types, escaped values and the run's badge."""
        return self.with_plan(Limit(self._plan, _SHOWN)).collect()

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
            self._query = render(optimize(self._plan).plan)
        return self._query


def _stored(plan: Node) -> Table | None:
    """The table that the plan is, or takes columns of without changing them."""
    node = plan
    while isinstance(node, Project):
        if any(expression != ColumnRef(name) for name, expression in node.columns):
            return None
        node = node.child
    return node if isinstance(node, Table) else None
