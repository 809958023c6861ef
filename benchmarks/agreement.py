"""Whether two Arrow answers are the same: values, NULLs and, where it is defined, order."""

from __future__ import annotations

import datetime as dt
import decimal
import math
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from benchmarks.harness import DisagreementError

Row = tuple[Any, ...]


def same_rows(left: pa.Table, right: pa.Table, *, ordered: bool = False, tolerance: float = 1e-9) -> None:
    """Raise where two tables differ.

    Parameters
    ----------
    ordered
        Whether the order of the rows counts; else they are compared as multisets.
    tolerance
        Relative difference that two floats may have: a sum's order of addition is not defined. NaN equals NaN.

    Raises
    ------
    DisagreementError
        Says which row and column differ.
    """
    if left.column_names != right.column_names:
        raise DisagreementError(f"columns {left.column_names} and {right.column_names}")
    if left.num_rows != right.num_rows:
        raise DisagreementError(f"{left.num_rows} and {right.num_rows} rows")
    ours, theirs = rows_of(left), rows_of(right)
    if not ordered:
        floats = [any(isinstance(row[i], float) for row in (*ours, *theirs)) for i in range(left.num_columns)]
        # Exact columns sort first, so that rows pair up by them and floats decide only among equals.
        ours.sort(key=lambda row: sort_key(row, floats))
        theirs.sort(key=lambda row: sort_key(row, floats))
    for number, (mine, other) in enumerate(zip(ours, theirs, strict=True)):
        for name, a, b in zip(left.column_names, mine, other, strict=True):
            if not same_value(a, b, tolerance):
                raise DisagreementError(f"row {number}, column {name!r}: {a!r} and {b!r}")


def rows_of(table: pa.Table) -> list[Row]:
    """The rows as tuples of plain Python values."""
    columns = [column.to_pylist() for column in table.columns]
    return list(zip(*columns, strict=True)) if columns else [()] * table.num_rows


def sort_key(row: Row, floats: Sequence[bool]) -> tuple[Any, ...]:
    """A total order over rows of mixed values: NULL, then by kind and value, float columns last."""
    exact = [_order(value) for value, inexact in zip(row, floats, strict=True) if not inexact]
    return (*exact, *(_order(value) for value, inexact in zip(row, floats, strict=True) if inexact))


def same_value(left: Any, right: Any, tolerance: float) -> bool:
    """Equality of two plain values, floats within the relative tolerance, at any depth."""
    if isinstance(left, float) or isinstance(right, float):
        if left is None or right is None:
            return left is right
        a, b = float(left), float(right)
        return (math.isnan(a) and math.isnan(b)) or math.isclose(a, b, rel_tol=tolerance, abs_tol=1e-12)
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(
            same_value(left[key], right[key], tolerance) for key in left
        )
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(
            same_value(a, b, tolerance) for a, b in zip(left, right, strict=True)
        )
    return left == right


def _order(value: Any) -> tuple[Any, ...]:
    match value:
        case None:
            return (0,)
        case bool() | int() | decimal.Decimal():
            return (1, 0, decimal.Decimal(value))
        case float():
            return (1, 1, 0.0) if math.isnan(value) else (1, 0, decimal.Decimal(value))
        case dt.datetime():
            naive = value.astimezone(dt.UTC).replace(tzinfo=None) if value.tzinfo else value
            return (2, naive)
        case dict():
            return (4, *(_order(item) for item in value.values()))
        case list() | tuple():
            return (5, *(_order(item) for item in value))
        case _:
            return (3, type(value).__name__, str(value))
