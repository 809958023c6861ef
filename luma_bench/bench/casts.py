"""Values in a column's SQL type, cast by the engine as SQL casts: `'2024-01-01'` into a DATE column is a date."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from luma_bench.bench.ask import Ask
from luma_bench.bench.locating import located
from luma_bench.bench.runner import Runner
from luma_bench.errors import KadeQLError
from luma_bench.language import Query
from luma_bench.plan.engine import Inputs, SqlFragment
from luma_bench.storage.store import ResolvedSnapshot
from luma_bench.types.schema import TableSchema
from luma_bench.types.sql_text import quoted


def column_types(
    runner: Runner, table: TableSchema, names: Sequence[str], ask: Ask, view: ResolvedSnapshot
) -> list[str]:
    """The SQL types of columns of a stored table, as the engine names them; asked once for columns of the same forms."""
    if not names:
        return []
    columns = [table.column(name) for name in names]
    key = repr((ask.engine, ask.strict, [(str(column.type), column.metadata) for column in columns]))
    return list(runner.column_types.get(key, lambda _: _described(runner, table, names, ask, view)))


def _described(
    runner: Runner, table: TableSchema, names: Sequence[str], ask: Ask, view: ResolvedSnapshot
) -> tuple[str, ...]:
    inputs = Inputs({table.name: runner.store.scan(view, table.name)})
    text = f"DESCRIBE SELECT {', '.join(map(quoted, names))} FROM {quoted(table.name)}"
    fragment = SqlFragment(text)
    return tuple(runner.binder.evaluate(fragment, inputs, ask).column("column_type").to_pylist())


def cast_rows(
    runner: Runner, rows: pa.Table, types: Sequence[str], ask: Ask, query: Query, span: tuple[int, int]
) -> pa.Table:
    """Rows with every column in an SQL type; `query` gave them.

    Raises
    ------
    KadeQLError
        A value does not convert; it points at `span`, the place of the query.
    """
    names = rows.column_names
    casts = ", ".join(
        f"CAST({quoted(name)} AS {kind}) AS {quoted(name)}" for name, kind in zip(names, types, strict=True)
    )
    fragment, inputs = SqlFragment(f"SELECT {casts} FROM new_rows"), Inputs({}, {"new_rows": rows})
    try:
        return runner.binder.evaluate(fragment, inputs, ask)
    except KadeQLError as error:
        raise error.moved(query.whole, span) from error


def constant(runner: Runner, query: Query, kind: str, ask: Ask) -> pa.Scalar:
    """The value of a query of one row and column, in an SQL type.

    Raises
    ------
    KadeQLError
        It names a column or table, or does not convert; it points into the user's text.
    """
    prefix = "SELECT CAST(("
    fragment, inputs = SqlFragment(f"{prefix}{query.sql}) AS {kind}) AS value"), Inputs({})
    try:
        return runner.binder.evaluate(fragment, inputs, ask).column(0)[0]
    except KadeQLError as error:
        raise located(error, query, len(prefix), (query.start, query.end)) from error
