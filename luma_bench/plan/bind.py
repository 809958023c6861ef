"""Binding: the exact Arrow types of a plan, asked once and kept with the node."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import pyarrow as pa

from luma_bench.plan.expressions import Expression
from luma_bench.plan.nodes import Node, Project, Relation, Table
from luma_bench.plan.render import render


class Describe(Protocol):
    """The engine's binder: the schema a SELECT yields, without running it (`types.executor.Executor.describe`)."""

    def __call__(self, text: str, *, tables: Mapping[str, Any] | None = None) -> pa.Schema:
        """The Arrow schema of the text."""
        ...


@dataclass(frozen=True, slots=True)
class Binder:
    """Gives plans their Arrow types.

    A scan has exactly the types that were written. Whatever is computed has the types the engine's binder says, which
    for a column that went through SQL is the canonical type (large and dictionary strings come back as strings).
    """

    describe: Describe

    def schema(self, plan: Node) -> pa.Schema:
        """The Arrow schema of the plan's rows; the second call on the same node costs nothing.

        Raises
        ------
        KadeQLBindError
            An operator or function does not take the types it is given.
        """
        if isinstance(plan, Table | Relation):
            return plan.arrow
        if plan.memo.schema is None:
            query = render(plan)
            plan.memo.schema = self.describe(query.text, tables=query.tables)
        return plan.memo.schema

    def type(self, plan: Node, expression: Expression) -> pa.DataType:
        """The Arrow type of one expression over the plan's columns."""
        return self.schema(Project(plan, (("value", expression),))).field(0).type
