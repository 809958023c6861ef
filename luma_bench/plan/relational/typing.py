"""Who knows the SQL types of expressions: the planner asks, the embedded engine's binder answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import pyarrow as pa

from luma_bench.plan.relational.nodes import Node


class Typer(Protocol):
    """Types as DuckDB's binder decides them; nothing runs. Thread-safe."""

    def types(self, expressions: Sequence[str], columns: Sequence[tuple[str, str]]) -> list[str]:
        """The SQL type of each expression, aggregates and window functions too, over columns given as (name, SQL type).

        Raises
        ------
        KadeQLBindError
            One does not bind.
        """
        ...

    def node_types(self, node: Node, scans: Mapping[str, Mapping[str, str]]) -> tuple[str, ...]:
        """The SQL types of a node's columns; `scans` gives by relation (or shared part) the types of its columns by name.

        Raises
        ------
        KadeQLBindError
            Something in it does not bind.
        """
        ...

    def column_types(self, schema: pa.Schema) -> dict[str, str]:
        """By column the SQL type that a relation of this Arrow schema has in the engine."""
        ...
