"""Which SQL types a table keeps, and when rows that fit a column's form still need a cast to its type."""

from __future__ import annotations

import re

import pyarrow as pa

from luma_bench.errors import KadeQLUnsupportedError
from luma_bench.types.schema import SQL_TYPE, Column, TableSchema

_UNKEPT = re.compile(r"\bVARIANT\b")
_INSTEAD = "Make it JSON, which keeps the same documents: x::JSON."
_UNION = "Make it a column of each type, or JSON: to_json(x)."


def require_kept(schema: pa.Schema, text: str, span: tuple[int, int]) -> None:
    """Refuse columns of a type that would come back as another one.

    Raises
    ------
    KadeQLUnsupportedError
        A column is a VARIANT, which as text would forget which of its values are dates or decimals, or a UNION.
    """
    for field in schema:
        if "union<" in str(field.type):
            raise KadeQLUnsupportedError(
                f"A column of a UNION type is not stored: {field.name!r}.", text=text, span=span, hint=_UNION
            )
        kind = (field.metadata or {}).get(SQL_TYPE, b"").decode()
        if _UNKEPT.search(kind):
            raise KadeQLUnsupportedError(
                f"A column of type {kind} is not stored.", text=text, span=span, hint=_INSTEAD
            )


def fits_as_it_is(rows: pa.Schema, table: TableSchema) -> bool:
    """Whether rows under names of a table's columns are values of their SQL types without a cast."""
    columns = [table.column(field.name) for field in rows]
    return all(
        field.type.equals(column.type)
        and (field.metadata or {}).get(SQL_TYPE, b"").decode() == (column.sql_type or "")
        for field, column in zip(rows, columns, strict=True)
    )


def require_same_form(column: Column, wanted: pa.Field, text: str, span: tuple[int, int]) -> None:
    """Refuse another type for a column that is kept in a form of its own, or would be.

    Raises
    ------
    KadeQLUnsupportedError
        One of the two types has no Arrow type of its own, so that the values would have to be written anew.
    """
    kind = (wanted.metadata or {}).get(SQL_TYPE, b"").decode()
    if kind != (column.sql_type or ""):
        raise KadeQLUnsupportedError(
            f"Making {column.sql_type or column.type} of column {column.name!r} to {kind or wanted.type} is not served: "
            "its values would be written anew.",
            text=text,
            span=span,
            hint=f"Write them into a new column: ADD COLUMN, then UPDATE … SET new = {column.name}::{kind or 'VARCHAR'}.",
        )
