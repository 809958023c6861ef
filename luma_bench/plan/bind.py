"""Binding: the exact Arrow types of a plan, asked once and kept with the node."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import pyarrow as pa

from luma_bench.plan.expressions import ColumnRef, Expression
from luma_bench.plan.nodes import Distinct, Files, Limit, Mapped, Node, Project, Relation, Sort, Table
from luma_bench.plan.render import KadeQL, render
from luma_bench.plan.rules import optimize


class Describe(Protocol):
    """The engine's binder: the schema a SELECT yields, without running it (`types.executor.Executor.describe`)."""

    def __call__(self, text: str, *, tables: Mapping[str, Any] | None = None) -> pa.Schema:
        """The Arrow schema of the text."""
        ...


def sketched(plan: Node) -> KadeQL:
    """The plan's text after the rules, for types and for showing: see `render`."""
    return render(optimize(plan).plan, sketch=True)


@dataclass(frozen=True, slots=True)
class Binder:
    """Gives plans their Arrow types.

    A scan has exactly the types that were written. Whatever is computed has the types the engine's binder says, which
    for a column that went through SQL is the canonical type (large and dictionary strings come back as strings).

    Attributes
    ----------
    describe
        What binds a text.
    text
        What writes a plan: after the rules, since an engine binds a text of few steps many times faster.
    """

    describe: Describe
    text: Callable[[Node], KadeQL] = sketched

    def schema(self, plan: Node) -> pa.Schema:
        """The Arrow schema of the plan's rows; the second call on the same node costs nothing.

        Raises
        ------
        KadeQLBindError
            An operator or function does not take the types it is given.
        """
        kept = _exact(plan)
        if kept is not None:
            return kept
        if isinstance(plan, Project) and all(ColumnRef(name) == item for name, item in plan.columns):
            below = self.schema(plan.child)
            return pa.schema([below.field(name) for name in plan.names])
        if plan.memo.schema is None:
            below = _alike(plan)
            if below is not None and below.memo.schema is not None:
                plan.memo.schema = below.memo.schema
            else:
                query = self.text(plan)
                plan.memo.schema = self.describe(query.text, tables=query.tables)
        return plan.memo.schema

    def type(self, plan: Node, expression: Expression) -> pa.DataType:
        """The Arrow type of one expression over the plan's columns."""
        return self.schema(Project(plan, (("value", expression),))).field(0).type


def _exact(plan: Node) -> pa.Schema | None:
    """The schema of rows that come as they are kept, without SQL."""
    if isinstance(plan, Table | Relation | Files | Mapped) and getattr(plan, "row_id", None) is None:
        return plan.arrow
    return None


def _alike(plan: Node) -> Node | None:
    """The first step below that went through SQL like this one, when none on the way changes a column's type."""
    node = plan
    while isinstance(node, Sort | Limit | Distinct):
        node = node.child
    return None if node is plan or _exact(node) is not None else node
