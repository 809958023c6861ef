"""The relational plan as Polars' lazy frames, node by node."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

import polars as pl
import pyarrow as pa

from luma_bench.engines.polars.aggregates import aggregated
from luma_bench.engines.polars.casts import common
from luma_bench.engines.polars.clusters import Cluster, joins_below
from luma_bench.engines.polars.columns import converted
from luma_bench.engines.polars.constants import Duck
from luma_bench.engines.polars.frames import MOST_ROWS, Collect, Rows, sampled, selected, titles
from luma_bench.engines.polars.joins import filtered, joined
from luma_bench.engines.polars.kinds import Kind, Range, Refused, kind_of
from luma_bench.engines.polars.scalars import Scalars
from luma_bench.engines.polars.values import Value
from luma_bench.engines.polars.windows import windowed
from luma_bench.plan.relational.expressions import Expression
from luma_bench.plan.relational.nodes import (
    Aggregate,
    Filter,
    Join,
    Limit,
    Node,
    Program,
    Project,
    Scan,
    Sort,
    Union,
    Values,
    Window,
)
from luma_bench.plan.relational.to_duck import node_sql


class Scans(Protocol):
    """Where stored tables and relations come from."""

    def rows(self, scan: Scan, conditions: Sequence[Expression]) -> Rows:
        """The columns of a scan. Conditions over them may be used to leave out rows; they are applied again."""
        ...


class Relations:
    """Builds the frames of one program.

    Parameters
    ----------
    collect
        Computes a frame now: shared parts, and what a join numbers.
    watch
        Makes a frame's batches stop coming when the query was stopped: behind joins, which may give any number of rows.
    """

    def __init__(
        self,
        duck: Duck,
        scans: Scans,
        collect: Collect,
        watch: Callable[[pl.LazyFrame], pl.LazyFrame] = lambda frame: frame,
    ) -> None:
        self._duck = duck
        self._scans = scans
        self._collect = collect
        self._watch = watch
        self._shared: dict[str, Rows] = {}

    def program(self, program: Program) -> Rows:
        """The answer's rows.

        Raises
        ------
        Refused
            Something in it is not proven to come out as DuckDB has it.
        """
        for name, node in program.shared:
            rows = self.rows(node)
            self._share(name, rows)
        return self.rows(program.root)

    def watched(self, rows: Rows) -> Rows:
        """The rows, which stop coming when the query was stopped."""
        return replace(rows, frame=self._watch(rows.frame))

    def hold(self, rows: Rows) -> tuple[str, Rows]:
        """Compute rows now, under a name of their own that scans read."""
        name = f"held {len(self._shared)}"
        return name, self._share(name, rows)

    def _share(self, name: str, rows: Rows) -> Rows:
        held = self._collect(rows.frame)
        sample = sampled(held) if held.height else None
        most, likely = max(held.height, 1), float(held.height)
        made = replace(rows, frame=held.lazy(), most=most, likely=likely, whole=likely, sample=sample)
        self._shared[name] = made
        return made

    def rows(self, node: Node) -> Rows:
        """The rows of a node."""
        match node:
            case Scan():
                return self._scan(node, ())
            case Values():
                return self._values(node)
            case Filter():
                if joins_below(node):
                    return Cluster(self, self._duck, node).rows()
                if isinstance(node.child, Scan):
                    child = self._scan(node.child, (node.condition,))
                else:
                    child = self.rows(node.child)
                return filtered(child, (node.condition,), self._duck)
            case Project():
                child = self.rows(node.child)
                values = Scalars(self._duck, child.columns).values(node.expressions)
                if not values:
                    raise Refused("rows without columns")
                return selected(child, values)
            case Aggregate():
                return aggregated(node, self.rows(_counted(node.child)), self._duck)
            case Join() if node.kind in ("inner", "cross", "semi", "anti"):
                return Cluster(self, self._duck, node).rows()
            case Join():
                return joined(node, self.rows(node.left), self.rows(node.right), self._duck, self._collect)
            case Sort():
                return self._sort(node)
            case Limit():
                return self._limit(node)
            case Window():
                return windowed(node, self.rows(node.child), self._duck)
            case Union():
                return self._union(node)

    @property
    def collect(self) -> Collect:
        """Computes a frame now."""
        return self._collect

    def _scan(self, scan: Scan, conditions: Sequence[Expression]) -> Rows:
        if not scan.shared:
            return self._scans.rows(scan, conditions)
        held = self._shared[scan.name]
        places = [int(name[1:]) for name in scan.columns]
        if not places:
            raise Refused("rows without columns")
        return selected(held, [held.columns[place] for place in places])

    def _values(self, node: Values) -> Rows:
        if not node.width:
            # A row that nobody reads the columns of.
            kind = kind_of("BOOLEAN")
            frame = pl.LazyFrame({"c0": [False] * len(node.rows)}, schema={"c0": pl.Boolean})
            return Rows(frame, (Value(pl.col("c0"), kind, kind.dtype, Range(0, 1), False),), len(node.rows))
        text = node_sql(node)
        names = titles(node.width)
        types = self._duck.types([f"(SELECT {name} FROM ({text}) AS v)" for name in names], ())
        table = self._duck.rows(text)
        kinds = [kind_of(types[f"(SELECT {name} FROM ({text}) AS v)"]) for name in names]
        return table_rows(table, kinds)

    def _sort(self, node: Sort) -> Rows:
        child = self.rows(node.child)
        values = Scalars(self._duck, child.columns).values([key.expression for key in node.keys])
        for value in values:
            if value.kind.family in ("null", "blob"):
                raise Refused(f"an order by {value.kind.text}")
        if not values:
            return child
        frame = child.frame.sort(
            [value.expr for value in values],
            descending=[key.descending for key in node.keys],
            nulls_last=[not key.nulls_first for key in node.keys],
        )
        return replace(child, frame=frame)

    def _limit(self, node: Limit) -> Rows:
        child = self.rows(node.child)
        most = child.most if node.count is None else min(child.most, node.count)
        return replace(child, frame=child.frame.slice(node.offset, node.count), most=most)

    def _union(self, node: Union) -> Rows:
        parts = [self.rows(part) for part in node.parts]
        columns: list[Value] = []
        made: list[list[pl.Expr]] = [[] for _ in parts]
        for at, name in enumerate(titles(node.width)):
            values = [part.columns[at] for part in parts]
            kinds = {value.kind.text for value in values}
            if len(kinds) != 1:
                raise Refused("a union of different types")
            alike = common(values, values[0].kind, self._duck)
            for exprs, value in zip(made, alike, strict=True):
                exprs.append(value.expr.alias(name))
            first = alike[0]
            span = Range(first.kind.low, first.kind.high, _widest([value.range for value in alike]))
            nullable = any(value.nullable for value in alike)
            columns.append(Value(pl.col(name), first.kind, first.dtype, span, nullable))
        frame = pl.concat([part.frame.select(exprs) for part, exprs in zip(parts, made, strict=True)])
        return Rows(frame, tuple(columns), min(sum(part.most for part in parts), MOST_ROWS))


def _widest(ranges: Sequence[Range]) -> Callable[[], tuple[int, int]]:
    def measure() -> tuple[int, int]:
        ends = [part.measured() for part in ranges]
        return min(low for low, _ in ends), max(high for _, high in ends)

    return measure


def table_rows(table: pa.Table, kinds: Sequence[Kind]) -> Rows:
    """The rows of a table in memory, of these SQL types."""
    columns: list[Value] = []
    made: list[pl.Series] = []
    for name, array, kind in zip(titles(len(kinds)), table.columns, kinds, strict=True):
        series, value = converted(array, kind, name)
        made.append(series)
        columns.append(value)
    held = pl.DataFrame(made)
    sample = sampled(held) if held.height else None
    return Rows(held.lazy(), tuple(columns), held.height, float(held.height), float(held.height), sample)


def _counted(node: Node) -> Node:
    """What an aggregate reads, without the steps that leave no columns: of such rows it can only ask how many they are."""
    while isinstance(node, Project) and not node.expressions:
        node = node.child
    return node
