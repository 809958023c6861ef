"""Nodes with several inputs: joins, as-of joins, and rows after rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from luma_bench.errors import SchemaError, UnsupportedError
from luma_bench.plan.expressions import ColumnRef, check_all, check_columns
from luma_bench.plan.leaves import Memo, distinct

if TYPE_CHECKING:
    from luma_bench.plan.nodes import Node

JoinHow = Literal["inner", "left", "right", "outer", "semi", "anti", "cross"]


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
        for side, node, where in ((0, self.left, "the left frame"), (1, self.right, "the right frame")):
            names = [pair[side] for pair in self.on]
            names += [
                name for column in self.columns if (name := (column.left, column.right)[side]) is not None
            ]
            check_all(map(ColumnRef, names), node.names, where)
        object.__setattr__(
            self, "names", distinct([column.name for column in self.columns], "The merged frame")
        )

    @property
    def children(self) -> tuple[Node, ...]:
        """Left, right."""
        return (self.left, self.right)

    def with_children(self, children: Sequence[Node]) -> Node:
        """The same join of other inputs."""
        return Join(children[0], children[1], self.how, self.on, self.columns)


@dataclass(frozen=True, slots=True)
class Asof:
    """Each row of `left` beside the row of `right` whose `on` is the nearest one before it (or after), NULLs without one.

    `by` are columns that have to be equal. Where several rows of `right` have that `on`, it is not decided which one.
    """

    left: Node
    right: Node
    on: tuple[str, str]
    by: tuple[tuple[str, str], ...]
    columns: tuple[JoinColumn, ...]
    forward: bool = False
    exact: bool = True
    names: tuple[str, ...] = field(init=False, compare=False, repr=False)
    memo: Memo = field(default_factory=Memo, init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        for left, right in (self.on, *self.by):
            check_columns(ColumnRef(left), self.left.names, "the left frame")
            check_columns(ColumnRef(right), self.right.names, "the right frame")
        object.__setattr__(
            self, "names", distinct([column.name for column in self.columns], "The merged frame")
        )

    @property
    def children(self) -> tuple[Node, ...]:
        """Left, right."""
        return (self.left, self.right)

    def with_children(self, children: Sequence[Node]) -> Node:
        """The same join of other inputs."""
        return Asof(children[0], children[1], self.on, self.by, self.columns, self.forward, self.exact)


@dataclass(frozen=True, slots=True)
class Union:
    """The rows of every part, all of the same columns; in no order until sorted."""

    parts: tuple[Node, ...]
    memo: Memo = field(default_factory=Memo, init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        for part in self.parts:
            if part.names != self.parts[0].names:
                raise SchemaError(
                    f"Parts with the columns {list(self.parts[0].names)} and {list(part.names)} cannot follow one another.",
                    hint="Give every part the same columns in the same order.",
                )

    @property
    def names(self) -> tuple[str, ...]:
        """The columns of every part."""
        return self.parts[0].names

    @property
    def children(self) -> tuple[Node, ...]:
        """The parts."""
        return self.parts

    def with_children(self, children: Sequence[Node]) -> Node:
        """Other parts."""
        return Union(tuple(children))
