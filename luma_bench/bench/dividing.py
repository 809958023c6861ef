"""A frame as the parts of its table: what others read and compute by themselves, part by part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

from luma_bench.plan.engine import SupportsDivide
from luma_bench.types.executor import Divided
from luma_bench.types.scan import ScanSource

if TYPE_CHECKING:
    from luma_bench.bench.ask import Ask
    from luma_bench.bench.statements import Statements


def table_in_parts(
    scan: ScanSource, schema: pa.Schema, columns: Sequence[str] | None, count: int | None
) -> Divided | None:
    """Columns of a table, in exactly the types that were written; None where others cannot read it.

    Parameters
    ----------
    schema
        The table's, without `_rowid`.
    """
    from luma_bench.engines.cluster.interop import parts_of

    names = schema.names if columns is None else list(columns)
    parts = parts_of(scan, count, [scan.schema.get_field_index(name) for name in names])
    return None if parts is None else Divided(parts, pa.schema([schema.field(name) for name in names]))


def query_in_parts(statements: Statements, text: str, ask: Ask, count: int | None) -> Divided | None:
    """A query that is answered row by row from one table; None for any other, and for one whose values would not be DuckDB's.

    Raises
    ------
    KadeQLError
        A name or value of the text is wrong.
    """
    bound = statements.bound(text, ask)
    dividing = [engine for engine in statements.runner.engines.values() if isinstance(engine, SupportsDivide)]
    found = (engine.divide(bound.fragment, bound.inputs, count) for engine in dividing)
    return next((item for item in found if item is not None), None)
