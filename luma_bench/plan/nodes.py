"""Relational plan nodes: frozen trees that know their columns, so that a plan with a wrong name cannot be built.

Every node owns `names` (its output columns, checked when it is built) and its kinds (what operators need to know of
them, worked out locally by `plan.walk`). Exact Arrow types are bound on demand by `plan.bind` and kept in the node's
`memo`: a scan's come from the catalog, all others from the engine's binder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import pyarrow as pa

from luma_bench.errors import SchemaError, UnsupportedError
from luma_bench.plan.expressions import AggregateCall, ColumnRef, Expression, check_columns
from luma_bench.plan.functions import Kind

JoinHow = Literal["inner", "left", "right", "outer", "semi", "anti", "cross"]


@dataclass(slots=True)
class Memo:
    """What was worked out about one node; never part of what it is equal to."""

    kinds: Mapping[str, Kind] | None = None
    schema: pa.Schema | None = None


def _distinct(names: Sequence[str], where: str) -> tuple[str, ...]:
    """The names, refused when two differ by case alone: SQL could not tell them apart."""
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(name.casefold(), name)
        if other is not name:
            raise SchemaError(
                f"{where} would have the columns {other!r} and {name!r}; names must differ by more than case.",
                hint="Rename one of them, or use other suffixes.",
            )
    if not names:
        raise SchemaError(f"{where} would have no columns.", hint="Keep at least one column.")
    return tuple(names)


@dataclass(frozen=True, slots=True)
class Table:
    """A scan of a stored table at a snapshot; `arrow` is the exact schema that was written."""

    name: str
    snapshot: int
    arrow: pa.Schema
    memo: Memo = field(default_factory=Memo, init=False, compare=False, repr=False)

    @property
    def names(self) -> tuple[str, ...]:
        """The table's columns in order."""
        return tuple(self.arrow.names)

    @property
    def children(self) -> tuple[Node, ...]:
        """No inputs."""
        return ()

    def with_children(self, children: Sequence[Node]) -> Node:
        """Itself: it has none."""
        return self


@dataclass(frozen=True, slots=True, eq=False)
class Relation:
    """A table in memory that takes part in a plan; it travels beside the text, under a name that `render` gives it."""

    data: pa.Table = field(repr=False)
    memo: Memo = field(default_factory=Memo, init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        _distinct(self.data.column_names, "The table in memory")

    @property
    def arrow(self) -> pa.Schema:
        """The schema of the data."""
        return self.data.schema

    @property
    def names(self) -> tuple[str, ...]:
        """Its columns in order."""
        return tuple(self.data.column_names)

    @property
    def children(self) -> tuple[Node, ...]:
        """No inputs."""
        return ()

    def with_children(self, children: Sequence[Node]) -> Node:
        """Itself: it has none."""
        return self


@dataclass(frozen=True, slots=True)
class Filter:
    """The rows of `child` where `condition` is TRUE."""

    child: Node
    condition: Expression
    memo: Memo = field(default_factory=Memo, init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        check_columns(self.condition, self.child.names, "the frame")

    @property
    def names(self) -> tuple[str, ...]:
        """The child's columns."""
        return self.child.names

    @property
    def children(self) -> tuple[Node, ...]:
        """The input."""
        return (self.child,)

    def with_children(self, children: Sequence[Node]) -> Node:
        """The same condition over another input."""
        return Filter(children[0], self.condition)


@dataclass(frozen=True, slots=True)
class Project:
    """One output column for each `(name, expression)`, row by row."""

    child: Node
    columns: tuple[tuple[str, Expression], ...]
    names: tuple[str, ...] = field(init=False, compare=False, repr=False)
    memo: Memo = field(default_factory=Memo, init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        for _, expression in self.columns:
            check_columns(expression, self.child.names, "the frame")
        object.__setattr__(self, "names", _distinct([name for name, _ in self.columns], "The frame"))

    @property
    def children(self) -> tuple[Node, ...]:
        """The input."""
        return (self.child,)

    def with_children(self, children: Sequence[Node]) -> Node:
        """The same columns over another input."""
        return Project(children[0], self.columns)

    @property
    def passed(self) -> dict[str, str]:
        """Output name → input name of the columns that are handed on unchanged."""
        return {
            name: expression.name for name, expression in self.columns if isinstance(expression, ColumnRef)
        }


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One row for each combination of `keys`; without keys, one row. A NULL key is a group of its own."""

    child: Node
    keys: tuple[str, ...]
    measures: tuple[tuple[str, AggregateCall], ...]
    names: tuple[str, ...] = field(init=False, compare=False, repr=False)
    memo: Memo = field(default_factory=Memo, init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        for key in self.keys:
            check_columns(ColumnRef(key), self.child.names, "the frame")
        for _, call in self.measures:
            if call.operand is not None:
                check_columns(call.operand, self.child.names, "the frame")
        names = [*self.keys, *(name for name, _ in self.measures)]
        object.__setattr__(self, "names", _distinct(names, "The grouping"))

    @property
    def children(self) -> tuple[Node, ...]:
        """The input."""
        return (self.child,)

    def with_children(self, children: Sequence[Node]) -> Node:
        """The same grouping of another input."""
        return Aggregate(children[0], self.keys, self.measures)


@dataclass(frozen=True, slots=True)
class JoinColumn:
    """An output column of a join: `left`, `right` or, for a key of an outer join, both (the first that is not NULL)."""

    name: str
    left: str | None
    right: str | None


@dataclass(frozen=True, slots=True)
class Join:
    """Rows of `left` and `right` whose keys are equal; NULL equals nothing. `columns` says what comes out."""

    left: Node
    right: Node
    how: JoinHow
    on: tuple[tuple[str, str], ...]
    columns: tuple[JoinColumn, ...]
    names: tuple[str, ...] = field(init=False, compare=False, repr=False)
    memo: Memo = field(default_factory=Memo, init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        if bool(self.on) == (self.how == "cross"):
            raise UnsupportedError(
                f"A {self.how} join {'takes no keys' if self.on else 'needs keys'}.",
                hint="Give on=… (or left_on=… and right_on=…), or how='cross' without keys.",
            )
        for left, right in self.on:
            check_columns(ColumnRef(left), self.left.names, "the left frame")
            check_columns(ColumnRef(right), self.right.names, "the right frame")
        for column in self.columns:
            if column.left is not None:
                check_columns(ColumnRef(column.left), self.left.names, "the left frame")
            if column.right is not None:
                check_columns(ColumnRef(column.right), self.right.names, "the right frame")
        object.__setattr__(
            self, "names", _distinct([column.name for column in self.columns], "The merged frame")
        )

    @property
    def children(self) -> tuple[Node, ...]:
        """Left, right."""
        return (self.left, self.right)

    def with_children(self, children: Sequence[Node]) -> Node:
        """The same join of other inputs."""
        return Join(children[0], children[1], self.how, self.on, self.columns)


@dataclass(frozen=True, slots=True)
class SortKey:
    """One key of an order. NULLs stand where `nulls_last` says, whichever the direction."""

    name: str
    descending: bool = False
    nulls_last: bool = True

    @property
    def reversed(self) -> SortKey:
        """The key of the opposite order."""
        return SortKey(self.name, not self.descending, not self.nulls_last)


@dataclass(frozen=True, slots=True)
class Sort:
    """The rows of `child` in the order of `keys`; rows that tie are in no order."""

    child: Node
    keys: tuple[SortKey, ...]
    memo: Memo = field(default_factory=Memo, init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        if not self.keys:
            raise UnsupportedError("A sort needs a key.", hint="Name at least one column.")
        for key in self.keys:
            check_columns(ColumnRef(key.name), self.child.names, "the frame")

    @property
    def names(self) -> tuple[str, ...]:
        """The child's columns."""
        return self.child.names

    @property
    def children(self) -> tuple[Node, ...]:
        """The input."""
        return (self.child,)

    def with_children(self, children: Sequence[Node]) -> Node:
        """The same order of another input."""
        return Sort(children[0], self.keys)


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` rows of `child`, after the first `offset`."""

    child: Node
    count: int
    offset: int = 0
    memo: Memo = field(default_factory=Memo, init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        if self.count < 0 or self.offset < 0:
            raise UnsupportedError(
                f"A row count of {self.count} after {self.offset} is negative.",
                hint="Give a count of at least 0.",
            )

    @property
    def names(self) -> tuple[str, ...]:
        """The child's columns."""
        return self.child.names

    @property
    def children(self) -> tuple[Node, ...]:
        """The input."""
        return (self.child,)

    def with_children(self, children: Sequence[Node]) -> Node:
        """The same limit of another input."""
        return Limit(children[0], self.count, self.offset)


@dataclass(frozen=True, slots=True)
class Distinct:
    """One row for each combination of `on` (of all columns when empty): the first in the order of `keys`."""

    child: Node
    on: tuple[str, ...] = ()
    keys: tuple[SortKey, ...] = ()
    memo: Memo = field(default_factory=Memo, init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        for name in (*self.on, *(key.name for key in self.keys)):
            check_columns(ColumnRef(name), self.child.names, "the frame")
        if bool(self.on) != bool(self.keys):
            raise UnsupportedError(
                "Which row stays of those that are equal is not decided.",
                hint="Give the columns and an order (by=…).",
            )

    @property
    def names(self) -> tuple[str, ...]:
        """The child's columns."""
        return self.child.names

    @property
    def children(self) -> tuple[Node, ...]:
        """The input."""
        return (self.child,)

    def with_children(self, children: Sequence[Node]) -> Node:
        """The same choice from another input."""
        return Distinct(children[0], self.on, self.keys)


Node = Table | Relation | Filter | Project | Aggregate | Join | Sort | Limit | Distinct
