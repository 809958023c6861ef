"""The Arrow schema that a bound query yields, without running it."""

from __future__ import annotations

import pyarrow as pa

from luma_bench.bench.binding import Bound
from luma_bench.types.inspector import SqlInspector
from luma_bench.types.schema import ROWS_PREFIX, rows_relation


def described(inspector: SqlInspector, bound: Bound) -> pa.Schema:
    """The schema of a query over the schemas of what it reads; each view is described before what reads it.

    Raises
    ------
    KadeQLError
        It does not bind; the error points into the query as it was bound, or into the SQL of a view.
    """
    inputs = bound.inputs
    schemas = {name: pa.schema(list(source.schema)[1:]) for name, source in inputs.sources.items()}
    if any(ROWS_PREFIX in sql for sql in (bound.query.sql, *(view.sql for view in inputs.views))):
        schemas |= {rows_relation(name): source.schema for name, source in inputs.sources.items()}
    schemas |= {name: table.schema for name, table in inputs.relations.items()}
    for view in inputs.views:
        schema = inspector.describe(view.sql, schemas)
        names = [*view.columns, *schema.names[len(view.columns) :]]
        schemas[view.name] = pa.schema(
            [field.with_name(name) for field, name in zip(schema, names, strict=True)]
        )
    return inspector.describe(bound.query.sql, schemas)
