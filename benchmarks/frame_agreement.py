"""Whether two answers of millions of rows are the same, told by an engine rather than row by row in Python."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import pyarrow as pa

from benchmarks.harness import DisagreementError

_TOLERANCE = 1e-9


def check(reference: pa.Table, answer: pa.Table, keys: Sequence[str]) -> None:
    """Raise where `answer` has other columns or rows than `reference`, whatever their order.

    Parameters
    ----------
    keys
        Columns that name a row: rows are paired by them and numbers may differ by 1e-9 of their size. Without keys the
        answers are bags of copied values, which must be equal; they are compared by the sum of their rows' hashes.

    Raises
    ------
    DisagreementError
        Says what differs.
    """
    if sorted(reference.column_names) != sorted(answer.column_names):
        raise DisagreementError(f"columns {reference.column_names} and {answer.column_names}")
    if reference.num_rows != answer.num_rows:
        raise DisagreementError(f"{reference.num_rows} and {answer.num_rows} rows")
    con = duckdb.connect(config={"python_enable_replacements": False})
    try:
        for name, table in (("a", reference), ("b", answer)):
            con.register(name, table.select(sorted(table.column_names)))
        if keys:
            _paired(con, reference, answer, keys)
        else:
            sums = [
                con.sql(f"SELECT sum(hash({_columns(table)})) FROM {name}").fetchall()
                for name, table in (("a", reference), ("b", answer))
            ]
            if sums[0] != sums[1]:
                raise DisagreementError("other values")
    finally:
        con.close()


def _paired(
    con: duckdb.DuckDBPyConnection, reference: pa.Table, answer: pa.Table, keys: Sequence[str]
) -> None:
    measures = [name for name in reference.column_names if name not in keys]
    differ = " OR ".join(_differ(f"a.{name}", f"b.{name}") for name in measures)
    wrong = con.sql(
        f"SELECT count(*) FILTER (WHERE {differ}), count(*) FROM a JOIN b USING ({', '.join(keys)})"
    )
    different, paired = wrong.fetchall()[0]
    if different or paired != reference.num_rows:
        raise DisagreementError(
            f"{different} rows with other values, {paired} of {reference.num_rows} keys in both"
        )


def _differ(left: str, right: str) -> str:
    a, b = _number(left), _number(right)
    near = f"{_TOLERANCE} * greatest(abs({a}), abs({b})) + 1e-12"
    return f"({a} IS NULL) <> ({b} IS NULL) OR abs({a} - {b}) > {near}"


def _columns(table: pa.Table) -> str:
    """The columns as one kind of number or text each: a library may have turned whole numbers with NULLs into floats."""
    return ", ".join(
        f"CAST({name} AS VARCHAR)" if _is_text(table.schema.field(name).type) else _number(name)
        for name in sorted(table.column_names)
    )


def _number(name: str) -> str:
    """A number as a float, NaN as NULL: libraries differ in which of them says that there is none."""
    value = f"CAST({name} AS DOUBLE)"
    return f"CASE WHEN isnan({value}) THEN NULL ELSE {value} END"


def _is_text(type_: pa.DataType) -> bool:
    return pa.types.is_string(type_) or pa.types.is_large_string(type_) or pa.types.is_string_view(type_)
