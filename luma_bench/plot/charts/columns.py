"""What a column is to a chart: a number, a time, a name, or nothing that can be placed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Literal

import pyarrow as pa

from luma_bench.errors import SchemaError
from luma_bench.plot.picture import PlotError
from luma_bench.types.sql_text import quoted

Ask = Callable[[str], pa.Table]
"""Runs a KadeQL text in which the rows to draw are the table `result`."""

SOURCE = "result"

Role = Literal["number", "time", "name"]


def role_of(kind: pa.DataType) -> Role | None:
    """What values of a type are to a chart; None where they have no place on an axis."""
    while pa.types.is_dictionary(kind) or pa.types.is_run_end_encoded(kind):
        kind = kind.value_type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return "number"
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return "time"
    if (
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_string_view(kind)
        or pa.types.is_boolean(kind)
    ):
        return "name"
    return None


def roles(schema: pa.Schema) -> dict[str, Role]:
    """The columns that can be drawn, in order; one whose name is there twice, in whatever case, cannot be named."""
    times = Counter(name.casefold() for name in schema.names)
    found: dict[str, Role] = {}
    for field in schema:
        role = role_of(field.type)
        if role is not None and times[field.name.casefold()] == 1:
            found[str(field.name)] = role
    return found


def role(schema: pa.Schema, name: str, wanted: tuple[Role, ...], what: str) -> Role:
    """The role of a column that a chart names.

    Raises
    ------
    SchemaError
        There is no such column, or several.
    PlotError
        It is none of what is wanted.
    """
    if [other.casefold() for other in schema.names].count(name.casefold()) > 1:
        raise SchemaError(
            f"Several columns are called {name!r}: upper and lower case do not tell them apart.",
            hint="Give them names of their own with AS.",
        )
    if name not in schema.names:
        raise SchemaError.unknown_column(name, schema.names, "the rows to draw")
    kind = schema.field(name).type
    found = role_of(kind)
    if found is None or found not in wanted:
        raise PlotError(
            f"{what} cannot be {name!r}, which is {kind}.",
            hint=f"Name a column that is a {' or a '.join(wanted)}, or cast it in the query.",
        )
    return found


def whole(kind: pa.DataType) -> bool:
    """Whether a number axis over a type holds whole numbers."""
    return bool(pa.types.is_integer(kind))


def as_number(name: str, kind: pa.DataType) -> str:
    """A column as the text of a number: a time as microseconds since 1970, in UTC."""
    column = quoted(name)
    if role_of(kind) != "time":
        return f"CAST({column} AS DOUBLE)"
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        return f"CAST(epoch_us(CAST({column} AS TIMESTAMPTZ)) AS DOUBLE)"
    return f"CAST(epoch_us(CAST({column} AS TIMESTAMP)) AS DOUBLE)"


def known(name: str, kind: pa.DataType) -> str:
    """The condition that a value of a column has a place on an axis."""
    column = quoted(name)
    if pa.types.is_floating(kind) or (role_of(kind) == "time"):
        return f"{column} IS NOT NULL AND isfinite({column})"
    return f"{column} IS NOT NULL"
