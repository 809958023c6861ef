"""Nodes whose rows are not those of their input: elements of lists, and what a Python function makes of batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa

from luma_bench.plan.expressions import ColumnRef, check_columns
from luma_bench.plan.leaves import Memo, distinct

if TYPE_CHECKING:
    from luma_bench.plan.nodes import Node


@dataclass(frozen=True, slots=True)
class Explode:
    """A row for each element of the lists in `columns`, side by side; one row of NULL for a list without any.

    `types` are the types of the elements.
    """

    child: Node
    columns: tuple[str, ...]
    types: tuple[pa.DataType, ...]
    memo: Memo = field(default_factory=Memo, init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        for name in self.columns:
            check_columns(ColumnRef(name), self.child.names, "the frame")

    @property
    def names(self) -> tuple[str, ...]:
        """The child's columns."""
        return self.child.names

    @property
    def children(self) -> tuple[Node, ...]:
        """The input."""
        return (self.child,)

    def with_children(self, children: Sequence[Node]) -> Node:
        """The same columns of another input."""
        return Explode(children[0], self.columns, self.types)


@dataclass(frozen=True, slots=True, eq=False)
class Mapped:
    """What a Python function makes of the child's rows, batch by batch; it runs before the plan above it does.

    `function` gets a stream of the child's rows, in the order of the child, and gives one of the schema `arrow`.
    """

    child: Node
    function: Callable[[pa.RecordBatchReader], pa.RecordBatchReader] = field(repr=False)
    arrow: pa.Schema
    label: str
    memo: Memo = field(default_factory=Memo, init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        distinct(self.arrow.names, "The mapped frame")

    @property
    def names(self) -> tuple[str, ...]:
        """The columns of the given schema."""
        return tuple(self.arrow.names)

    @property
    def children(self) -> tuple[Node, ...]:
        """The input."""
        return (self.child,)

    def with_children(self, children: Sequence[Node]) -> Node:
        """The same function of another input."""
        return Mapped(children[0], self.function, self.arrow, self.label)
