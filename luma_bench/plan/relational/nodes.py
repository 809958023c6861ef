"""The relational plan: what a statement does to relations, in nine kinds of nodes that any engine can run or refuse.

Nodes are frozen, compare by value and name columns by position. DataFusion binds, decorrelates and prunes; every value is
computed in DuckDB's own words (see `expressions`), so that what engines disagree about is never decided here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import pyarrow as pa

from luma_bench.plan.relational.expressions import Expression

JoinKind = Literal["inner", "left", "right", "full", "semi", "anti", "mark", "cross"]


@dataclass(frozen=True, slots=True)
class SortKey:
    """One key of an order; where NULLs go is always said."""

    expression: Expression
    descending: bool = False
    nulls_first: bool = False


@dataclass(frozen=True, slots=True)
class Measure:
    """An aggregate by DuckDB's name, over the rows of a group.

    Attributes
    ----------
    function
        In lower case. `count` without arguments counts rows.
    args
        Constants among them (`quantile_cont(x, 0.5)`) are `Sql` without arguments.
    """

    function: str
    args: tuple[Expression, ...] = ()
    distinct: bool = False
    filter: Expression | None = None
    order: tuple[SortKey, ...] = ()


@dataclass(frozen=True, slots=True)
class Bound:
    """One end of a frame: `offset` is None for UNBOUNDED, 0 for CURRENT ROW, negative for PRECEDING (rows, or in a range an expression's SQL)."""

    kind: Literal["unbounded preceding", "preceding", "current row", "following", "unbounded following"]
    offset: str = ""


@dataclass(frozen=True, slots=True)
class Frame:
    """The rows around the current one that a window function sees."""

    unit: Literal["rows", "range", "groups"]
    start: Bound
    end: Bound


@dataclass(frozen=True, slots=True)
class WindowCall:
    """A window function; what it gives becomes one more column."""

    function: str
    args: tuple[Expression, ...] = ()
    partition: tuple[Expression, ...] = ()
    order: tuple[SortKey, ...] = ()
    frame: Frame | None = None
    distinct: bool = False
    ignore_nulls: bool = False
    filter: Expression | None = None


@dataclass(frozen=True, slots=True)
class Scan:
    """Columns of a stored table, of a relation in memory, or of a shared part of the program (`shared`), by name."""

    name: str
    columns: tuple[str, ...]
    shared: bool = False

    @property
    def width(self) -> int:
        """How many columns it hands on."""
        return len(self.columns)

    @property
    def children(self) -> tuple[Node, ...]:
        """It reads no other node."""
        return ()


@dataclass(frozen=True, slots=True)
class Values:
    """Rows of constants: `SELECT 1, 2` has one."""

    rows: tuple[tuple[Expression, ...], ...]
    width: int

    @property
    def children(self) -> tuple[Node, ...]:
        """It reads no other node."""
        return ()


@dataclass(frozen=True, slots=True)
class Filter:
    """The rows for which the condition is TRUE."""

    child: Node
    condition: Expression

    @property
    def width(self) -> int:
        """Those of its input."""
        return self.child.width

    @property
    def children(self) -> tuple[Node, ...]:
        """Its input."""
        return (self.child,)


@dataclass(frozen=True, slots=True)
class Project:
    """Expressions over each row."""

    child: Node
    expressions: tuple[Expression, ...]

    @property
    def width(self) -> int:
        """One column for each expression."""
        return len(self.expressions)

    @property
    def children(self) -> tuple[Node, ...]:
        """Its input."""
        return (self.child,)


@dataclass(frozen=True, slots=True)
class Aggregate:
    """Groups: the keys, then the measures. Without measures it gives the distinct keys; without keys always one row.

    `sets` are the grouping sets by positions in `keys`; None for the one set of all keys. With sets, one more column
    follows: which set a row belongs to, from 0.
    """

    child: Node
    keys: tuple[Expression, ...]
    measures: tuple[Measure, ...]
    sets: tuple[tuple[int, ...], ...] | None = None

    @property
    def width(self) -> int:
        """Keys, measures, and the set's number where there are several."""
        return len(self.keys) + len(self.measures) + (self.sets is not None)

    @property
    def children(self) -> tuple[Node, ...]:
        """Its input."""
        return (self.child,)


@dataclass(frozen=True, slots=True)
class Join:
    """Two inputs by equal keys and a condition over both rows.

    Attributes
    ----------
    on
        Pairs of expressions, each over its own side's columns (the right one counted from 0).
    condition
        What else has to hold, over the left columns and then the right ones; part of the join, not a filter after it.
    null_safe
        Whether NULL keys equal each other (set operations).
    kind
        `semi` and `anti` hand on the left columns; `mark` these and whether there is a partner; `cross` has no keys.
    """

    left: Node
    right: Node
    kind: JoinKind
    on: tuple[tuple[Expression, Expression], ...] = ()
    condition: Expression | None = None
    null_safe: bool = False

    @property
    def width(self) -> int:
        """The columns that it hands on."""
        if self.kind in ("semi", "anti"):
            return self.left.width
        return self.left.width + (1 if self.kind == "mark" else self.right.width)

    @property
    def children(self) -> tuple[Node, ...]:
        """Left, right."""
        return self.left, self.right


@dataclass(frozen=True, slots=True)
class Sort:
    """All rows in an order."""

    child: Node
    keys: tuple[SortKey, ...]

    @property
    def width(self) -> int:
        """Those of its input."""
        return self.child.width

    @property
    def children(self) -> tuple[Node, ...]:
        """Its input."""
        return (self.child,)


@dataclass(frozen=True, slots=True)
class Limit:
    """Some rows from the start, after `offset`; `count` None takes all that follow."""

    child: Node
    count: int | None
    offset: int = 0

    @property
    def width(self) -> int:
        """Those of its input."""
        return self.child.width

    @property
    def children(self) -> tuple[Node, ...]:
        """Its input."""
        return (self.child,)


@dataclass(frozen=True, slots=True)
class Window:
    """The input's columns, then one for each call."""

    child: Node
    calls: tuple[WindowCall, ...]

    @property
    def width(self) -> int:
        """The input's and the calls'."""
        return self.child.width + len(self.calls)

    @property
    def children(self) -> tuple[Node, ...]:
        """Its input."""
        return (self.child,)


@dataclass(frozen=True, slots=True)
class Union:
    """The rows of all inputs, as often as they come."""

    parts: tuple[Node, ...]

    @property
    def width(self) -> int:
        """That of each part."""
        return self.parts[0].width

    @property
    def children(self) -> tuple[Node, ...]:
        """The parts."""
        return self.parts


Node = Scan | Values | Filter | Project | Aggregate | Join | Sort | Limit | Window | Union


@dataclass(frozen=True, slots=True)
class Program:
    """A statement as relational nodes.

    Attributes
    ----------
    root
        What gives the answer.
    shared
        Parts that are read more than once, in an order in which each reads only those before it: name, node. Each is
        computed once.
    schema
        The answer's names and types, exactly those that the embedded engine gives.
    """

    root: Node
    schema: pa.Schema = field(compare=False)
    shared: tuple[tuple[str, Node], ...] = ()


def walk_nodes(node: Node) -> Iterator[Node]:
    """The node and everything below it, parents first."""
    yield node
    for child in node.children:
        yield from walk_nodes(child)
