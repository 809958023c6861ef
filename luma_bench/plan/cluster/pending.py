"""A fragment that may still grow: a relational body over feeds, cut among tasks but not handed over yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from luma_bench.plan.cluster.stages import Feed
from luma_bench.plan.relational.expressions import Column, Expression
from luma_bench.plan.relational.nodes import Filter, Join, Node, Project, Scan, Union, Values

Together = frozenset[tuple[int, ...]]
"""Sets of columns: rows that agree in all columns of one of them lie with one task."""


@dataclass(frozen=True, slots=True)
class Pending:
    """Rows that the tasks of a stage will make, together each row once.

    Attributes
    ----------
    body
        What each task computes; its scans read the feeds by name.
    tasks
        How many share the work.
    scans
        By feed the SQL types of its columns, as the binder takes them.
    rows
        How many rows all tasks together are expected to make.
    kept
        The share of the rows of its largest table that are expected to be left: below 1 it reduces what it joins.
    rowwise
        Whether each row comes from one row of what is cut, so that it may be cut in any other way.
    together
        Which rows lie with one task.
    purpose, notes
        What it does and what was decided, for people.
    """

    body: Node
    feeds: tuple[Feed, ...]
    tasks: int
    scans: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])
    rows: float = 0.0
    kept: float = 1.0
    rowwise: bool = True
    together: Together = frozenset()
    purpose: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """How many columns it makes."""
        return self.body.width

    def filtered(self, condition: Expression, share: float) -> Pending:
        """The rows for which a condition holds, about `share` of them."""
        return replace(
            self, body=Filter(self.body, condition), rows=self.rows * share, kept=self.kept * share
        )

    def projected(self, expressions: Iterable[Expression]) -> Pending:
        """Expressions over each row."""
        made = tuple(expressions)
        if made == tuple(Column(at) for at in range(self.width)):
            return self
        places: dict[int, int] = {}
        for place, expression in enumerate(made):
            if isinstance(expression, Column):
                places.setdefault(expression.index, place)
        together = frozenset(
            tuple(places[at] for at in columns)
            for columns in self.together
            if all(at in places for at in columns)
        )
        return replace(self, body=Project(self.body, made), together=together)

    def meets(self, keys: Iterable[Expression]) -> bool:
        """Whether rows with equal keys lie with one task already."""
        if self.tasks == 1:
            return True
        have = {key.index for key in keys if isinstance(key, Column)}
        return any(have.issuperset(columns) for columns in self.together)

    def noted(self, *notes: str) -> Pending:
        """With what was decided about it."""
        return replace(self, notes=(*self.notes, *notes))

    def doing(self, what: str) -> Pending:
        """With one more thing that it does."""
        return self if what in self.purpose else replace(self, purpose=(*self.purpose, what))


def renamed(node: Node, names: Mapping[str, str]) -> Node:
    """A node whose scans read their relations under other names."""
    match node:
        case Scan():
            return replace(node, name=names.get(node.name, node.name))
        case Values():
            return node
        case Join():
            return replace(node, left=renamed(node.left, names), right=renamed(node.right, names))
        case Union():
            return replace(node, parts=tuple(renamed(part, names) for part in node.parts))
        case _:
            return replace(node, child=renamed(node.child, names))
