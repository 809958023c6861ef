"""Relational plan nodes: frozen trees that know their columns, so that a plan with a wrong name cannot be built.

Every node owns `names` (its output columns, checked when it is built) and its kinds (what operators need to know of
them, worked out locally by `plan.walk`). Exact Arrow types are bound on demand by `plan.bind` and kept in the node's
`memo`: a scan's come from the catalog, all others from the engine's binder.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from luma_bench.errors import UnsupportedError
from luma_bench.plan.expressions import AggregateCall, ColumnRef, Expression, check_all, check_columns
from luma_bench.plan.joins import Asof, Join, JoinColumn, JoinHow, Union
from luma_bench.plan.leaves import Files, Memo, Relation, SortKey, Table, distinct
from luma_bench.plan.spread import Explode, Mapped

__all__ = [
    "Aggregate",
    "Asof",
    "Distinct",
    "Explode",
    "Files",
    "Filter",
    "Join",
    "JoinColumn",
    "JoinHow",
    "Limit",
    "Mapped",
    "Memo",
    "Node",
    "Project",
    "Relation",
    "Sort",
    "SortKey",
    "Table",
    "Union",
]


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
        if self.memo.names is None:  # kept, so that a long chain is not walked down at every look
            self.memo.names = self.child.names
        return self.memo.names

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
        check_all((expression for _, expression in self.columns), self.child.names, "the frame")
        object.__setattr__(self, "names", distinct([name for name, _ in self.columns], "The frame"))

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
        read = [operand for _, call in self.measures for operand in call.operands]
        check_all([*map(ColumnRef, self.keys), *read], self.child.names, "the frame")
        names = [*self.keys, *(name for name, _ in self.measures)]
        object.__setattr__(self, "names", distinct(names, "The grouping"))

    @property
    def children(self) -> tuple[Node, ...]:
        """The input."""
        return (self.child,)

    def with_children(self, children: Sequence[Node]) -> Node:
        """The same grouping of another input."""
        return Aggregate(children[0], self.keys, self.measures)


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
        if self.memo.names is None:  # kept, so that a long chain is not walked down at every look
            self.memo.names = self.child.names
        return self.memo.names

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
        if self.memo.names is None:  # kept, so that a long chain is not walked down at every look
            self.memo.names = self.child.names
        return self.memo.names

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
        if self.memo.names is None:  # kept, so that a long chain is not walked down at every look
            self.memo.names = self.child.names
        return self.memo.names

    @property
    def children(self) -> tuple[Node, ...]:
        """The input."""
        return (self.child,)

    def with_children(self, children: Sequence[Node]) -> Node:
        """The same choice from another input."""
        return Distinct(children[0], self.on, self.keys)


Node = (
    Table
    | Relation
    | Files
    | Filter
    | Project
    | Aggregate
    | Join
    | Asof
    | Union
    | Sort
    | Limit
    | Distinct
    | Explode
    | Mapped
)
