"""What the columns of a result hold, as far as the choice of a chart needs it: one question to the engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from luma_bench.plot.charts.columns import SOURCE, Ask, as_number, known, roles
from luma_bench.types.sql_text import quoted

MOST = 24
"""Columns that are looked at; the first of them."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a column holds.

    Attributes
    ----------
    distinct
        About how many values it has.
    nulls
        How many rows have none.
    low, high
        Its bounds where it is a number, or a time in microseconds since 1970; None for names and where there are none.
    longest
        Characters of its longest name; 0 where it is none.
    """

    distinct: int
    nulls: int = 0
    low: float | None = None
    high: float | None = None
    longest: int = 0


def facts(ask: Ask, schema: pa.Schema) -> Mapping[str, Facts]:
    """The facts of the first 24 columns that can be drawn, by name.

    Parameters
    ----------
    ask
        Runs a KadeQL text over the table `result`.
    schema
        The columns of that table.

    Raises
    ------
    LumaError
        What the engine raises, such as `CancelledError`.
    """
    chosen = list(roles(schema).items())[:MOST]
    if not chosen:
        return {}
    parts = ["count(*) AS n"]
    for place, (name, role) in enumerate(chosen):
        column, kind = quoted(name), schema.field(name).type
        parts.append(f"approx_count_distinct({column}) AS d{place}, count({column}) AS c{place}")
        if role == "name":
            parts.append(f"max(length(CAST({column} AS VARCHAR))) AS l{place}")
        else:
            number, there = as_number(name, kind), known(name, kind)
            parts.append(
                f"min({number}) FILTER (WHERE {there}) AS a{place}, max({number}) FILTER (WHERE {there}) AS b{place}"
            )
    row = ask(f"SELECT {', '.join(parts)} FROM {SOURCE}").to_pylist()[0]
    return {
        name: Facts(
            distinct=min(row[f"d{place}"], row[f"c{place}"]),
            nulls=row["n"] - row[f"c{place}"],
            low=row.get(f"a{place}"),
            high=row.get(f"b{place}"),
            longest=row.get(f"l{place}") or 0,
        )
        for place, (name, _) in enumerate(chosen)
    }
