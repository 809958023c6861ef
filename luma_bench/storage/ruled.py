"""Rules of a single row, on the way into a table: what the data must give, what is computed, what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pyarrow as pa

from luma_bench.errors import SchemaError, UnsupportedError
from luma_bench.storage.fit import Fit
from luma_bench.storage.ingest import Incoming
from luma_bench.types.constraints import TableRules
from luma_bench.types.rules import RowRules, TakeValues
from luma_bench.types.schema import TableSchema, TableSettings


def fitted(
    table: TableSchema, data: Incoming, rules: RowRules | None, take: TakeValues
) -> Iterator[pa.RecordBatch]:
    """Batches of exactly the table's schema: what is given converted, what is not computed, every row checked.

    Raises
    ------
    SchemaError
        The data does not fit, or gives a generated column.
    ConstraintError
        A row breaks a rule.
    UnsupportedError
        The table has rules and this store none who knows them.
    """
    if not table.rules.on_rows:
        return Fit.of(table, data.schema).stream(data.batches)
    given = given_columns(table, data.schema)
    fit = Fit.of(given, data.schema)
    # Without any column of the table in the data its batches still say how many rows there are.
    rows = fit.stream(data.batches) if given.columns else data.batches
    whole = rules_of(table, rules).prepared(table, given.arrow, rows, take)
    return Fit.of(replace(table, rules=TableRules()), table.arrow).stream(whole)


def given_columns(table: TableSchema, data: pa.Schema) -> TableSchema:
    """The table with the columns that the data gives or that have a constant instead; without rules and settings.

    Raises
    ------
    SchemaError
        The data gives a generated column.
    """
    names, given = table.by_id, {name.casefold() for name in data.names}
    for item in table.rules.generated:
        if names[item.column].casefold() in given:
            raise generated_error(table.name, names[item.column])
    left = {item.column for item in table.rules.generated}
    left |= {item.column for item in table.rules.defaults if names[item.column].casefold() not in given}
    columns = tuple(column for column in table.columns if column.id not in left)
    return replace(table, columns=columns, rules=TableRules(), settings=TableSettings())


def generated_error(table: str, column: str) -> SchemaError:
    """A value was given for a generated column."""
    hint = "Leave it out: it is computed from the other columns of its row."
    return SchemaError.column(table, column, "it is generated, so it takes no values.", hint)


def rules_of(table: TableSchema, rules: RowRules | None) -> RowRules:
    """What checks the rules of a table.

    Raises
    ------
    UnsupportedError
        There is nothing that does.
    """
    if rules is None:
        raise UnsupportedError(
            f"Table {table.name!r} has constraints or computed columns, and this store was opened without what checks them.",
            hint="Open the bench with lb.open(path) and write through it.",
        )
    return rules
