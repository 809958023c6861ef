"""`map_batches`: Python functions over Arrow batches, and how their rows come to stand where a plan can read them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from luma_bench.errors import LumaError, SchemaError
from luma_bench.frame.schemas import pieces
from luma_bench.plan.nodes import Mapped, Node, Relation
from luma_bench.plan.walk import bottom_up

if TYPE_CHECKING:
    from luma_bench.frame.base import Frame

Batches = Callable[[pa.RecordBatch], pa.RecordBatch]


def mapped(plan: Node, function: Batches, schema: pa.Schema, rows: int | None = None) -> Mapped:
    """A node that applies `function` to every batch of the plan's rows, and checks what it gives against `schema`.

    With `rows`, batches have so many rows, and the last one what is left.
    """
    label = getattr(function, "__name__", type(function).__name__)

    def over(reader: pa.RecordBatchReader) -> pa.RecordBatchReader:
        batches = reader if rows is None else pieces(reader, rows)
        return pa.RecordBatchReader.from_batches(schema, _applied(batches, function, schema, label))

    return Mapped(plan, over, schema, label)


def _applied(
    reader: Iterable[pa.RecordBatch], function: Batches, schema: pa.Schema, label: str
) -> Iterator[pa.RecordBatch]:
    for number, batch in enumerate(reader):
        try:
            given = function(batch)
        except LumaError:
            raise
        except Exception as error:
            raise LumaError(
                f"The function {label} failed on batch {number}: {type(error).__name__}: {error}",
                hint="Try it alone: frame.head(1000).to_arrow().to_batches()[0].",
            ) from error
        yield from _as_batches(given, schema, label)


def _as_batches(given: Any, schema: pa.Schema, label: str) -> list[pa.RecordBatch]:
    table: pa.Table
    if isinstance(given, pa.RecordBatch | pa.Table):
        table = given if isinstance(given, pa.Table) else pa.Table.from_batches([given])
    elif isinstance(given, dict):
        try:
            table = pa.table(given)
        except pa.ArrowException as error:
            raise SchemaError(
                f"The function {label} gave columns that are no table: {error}",
                hint="Give as many values in every column, all of one type.",
            ) from error
    elif type(given).__module__.partition(".")[0] == "pandas":
        table = pa.Table.from_pandas(given, preserve_index=False)
    elif hasattr(given, "__arrow_c_stream__"):
        table = pa.table(given)
    else:
        raise SchemaError(
            f"The function {label} gave a {type(given).__name__}.",
            hint="Give a RecordBatch, an Arrow table, a pandas or Polars frame, or a dict of columns.",
        )
    if table.column_names != schema.names:
        raise SchemaError(
            f"The function {label} gave the columns {table.column_names}, and the schema says {schema.names}.",
            hint="Give exactly the columns of schema=, in its order.",
        )
    try:
        return table.replace_schema_metadata(None).cast(schema).to_batches()
    except pa.ArrowException as error:
        raise SchemaError(
            f"The function {label} gave rows that do not fit the schema: {error}",
            hint="Give the types of schema=, or change schema=.",
        ) from error


def resolved(frame: Frame) -> Frame:
    """The frame with every Python function run, innermost first, and its rows in memory; itself when it has none."""
    nodes = bottom_up(frame.plan)
    if not any(isinstance(node, Mapped) for node in nodes):
        return frame
    done: dict[int, Node] = {}
    for node in nodes:
        children = [done[id(child)] for child in node.children]
        same = all(new is old for new, old in zip(children, node.children, strict=True))
        made = node if same else node.with_children(children)
        if isinstance(made, Mapped):
            with made.function(frame.with_plan(made.child).to_reader()) as rows:
                made = Relation(rows.read_all())
        done[id(node)] = made
    return frame.with_plan(done[id(frame.plan)])
