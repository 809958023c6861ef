"""The types of columns of texts when some texts are wrong: what nearly all values of a sample are."""

from __future__ import annotations

from typing import Any

import duckdb

from luma_bench.types.sql_text import quoted

SAMPLE_ROWS = 20_480
NEARLY_ALL = 0.9
"""The share of a column's values that must be of a type, so that it becomes the column's."""

_CANDIDATES = ("BOOLEAN", "BIGINT", "DOUBLE", "DATE", "TIME", "TIMESTAMP", "TIMESTAMPTZ")


def guess_types(con: duckdb.DuckDBPyConnection, relation: str, names: list[str]) -> dict[str, str]:
    """The SQL type of each VARCHAR column of a relation (a table of `con`): the first that nearly all values are.

    A number with leading zeros (`007`) is text, and so is a column without values. Empty texts do not count.
    """
    if not names:
        return {}
    found: dict[str, str] = {}
    for name in names:
        column = quoted(name)
        counts = ", ".join(
            f"count(*) FILTER (WHERE TRY_CAST({column} AS {kind}) IS NOT NULL{_strict(kind, column)})"
            for kind in _CANDIDATES
        )
        row: Any = con.execute(
            f"SELECT count({column}), {counts} FROM (SELECT nullif({column}, '') AS {column} FROM {relation} LIMIT {SAMPLE_ROWS})"
        ).fetchall()
        total, fits = row[0][0], row[0][1:]
        found[name] = next(
            (
                kind
                for kind, count in zip(_CANDIDATES, fits, strict=True)
                if total and count >= NEARLY_ALL * total
            ),
            "VARCHAR",
        )
    return found


def _strict(kind: str, column: str) -> str:
    """What a cast takes, though nobody means it so."""
    if kind == "BOOLEAN":
        return f" AND lower({column}) IN ('true', 'false')"
    if kind == "BIGINT":
        return rf" AND regexp_full_match(trim({column}), '[-+]?(0|[1-9]\d*)')"
    if kind == "DOUBLE":
        return rf" AND NOT regexp_full_match({column}, '\s*[-+]?0\d+\s*')"
    return ""
