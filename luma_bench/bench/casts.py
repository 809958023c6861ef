"""Values in a column's SQL type, cast by the engine as SQL casts: `'2024-01-01'` into a DATE column is a date."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from luma_bench.bench.ask import Ask
from luma_bench.bench.binding import located
from luma_bench.bench.runner import Runner
from luma_bench.errors import KadeQLError
from luma_bench.language import Query
from luma_bench.plan.engine import Inputs, SqlFragment
from luma_bench.storage.store import ResolvedSnapshot
from luma_bench.types.schema import TableSchema


def column_types(
    runner: Runner, table: TableSchema, names: Sequence[str], ask: Ask, view: ResolvedSnapshot
) -> list[str]:
    """The SQL types of columns of a stored table, as the engine names them."""
    inputs = Inputs({table.name: runner.store.scan(view, table.name)})
    text = f"DESCRIBE SELECT {', '.join(map(quoted, names))} FROM {quoted(table.name)}"
    fragment = SqlFragment(text)
    engine = runner.router.choose(ask.engine, fragment, inputs, runner.engines, strict=ask.strict).engine
    return engine.run(fragment, inputs).column("column_type").to_pylist()


def cast_rows(
    runner: Runner, rows: pa.Table, table: TableSchema, query: Query, ask: Ask, view: ResolvedSnapshot
) -> pa.Table:
    """Rows under names of a table's columns, in these columns' SQL types; `query` gave them.

    Raises
    ------
    KadeQLError
        A value does not convert; it points at the query.
    """
    names = rows.column_names
    types = column_types(runner, table, names, ask, view)
    casts = ", ".join(
        f"CAST({quoted(name)} AS {kind}) AS {quoted(name)}" for name, kind in zip(names, types, strict=True)
    )
    fragment, inputs = SqlFragment(f"SELECT {casts} FROM new_rows"), Inputs({}, {"new_rows": rows})
    engine = runner.router.choose(ask.engine, fragment, inputs, runner.engines, strict=ask.strict).engine
    try:
        return engine.run(fragment, inputs)
    except KadeQLError as error:
        raise error.moved(query.whole, (query.start, query.end)) from error


def constant(runner: Runner, query: Query, kind: str, ask: Ask) -> pa.Scalar:
    """The value of a query of one row and column, in an SQL type.

    Raises
    ------
    KadeQLError
        It names a column or table, or does not convert; it points into the user's text.
    """
    prefix = "SELECT CAST(("
    fragment, inputs = SqlFragment(f"{prefix}{query.sql}) AS {kind}) AS value"), Inputs({})
    engine = runner.router.choose(ask.engine, fragment, inputs, runner.engines, strict=ask.strict).engine
    try:
        return engine.run(fragment, inputs).column(0)[0]
    except KadeQLError as error:
        shown = located(error, query, len(prefix))
        raise shown.moved(query.whole, shown.span or (query.start, query.end)) from error


def quoted(name: str) -> str:
    """An identifier between double quotes."""
    return '"' + name.replace('"', '""') + '"'
