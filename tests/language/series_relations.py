"""Runs rewritten texts on DuckDB alone: relations of windows and blocks are views that plain SQL makes."""

from __future__ import annotations

import duckdb

from luma_bench.language import Query
from luma_bench.language.series.pattern import Grouped, Input, Latest, Windows
from luma_bench.language.series.sample_by import settled

TIME = "ts"
ROWS = """
CREATE OR REPLACE TABLE weather AS
SELECT TIMESTAMP '2026-01-01' + to_minutes(37 * i) AS ts, chr((97 + i % 3)::INTEGER) AS origin, (i * 7919) % 101 - 20 AS temp,
       CASE WHEN i % 5 = 0 THEN NULL ELSE (i * 31) % 17 END AS wind, i % 2 AS day
FROM range(120) r(i)
"""
WINDOWED = """
(SELECT *, time_bucket(INTERVAL '6 hours', ts, TIMESTAMP '1970-01-01') AS window_start,
        window_start + INTERVAL '6 hours' AS window_end, window_end - INTERVAL '1 microsecond' AS window_time FROM weather)
"""


def rows(connection: duckdb.DuckDBPyConnection, sql: str) -> tuple[list[str], list[tuple[object, ...]]]:
    """The names and rows that a text gives."""
    found = connection.execute(sql)
    return [column[0] for column in found.description or []], found.fetchall()


def answer(connection: duckdb.DuckDBPyConnection, query: Query) -> tuple[list[str], list[tuple[object, ...]]]:
    """The names and rows that a rewritten text gives over relations that SQL makes; every window is six hours long."""
    make(connection, query)
    return rows(connection, query.sql)


def make(connection: duckdb.DuckDBPyConnection, query: Query) -> None:
    """A view for each relation of a query."""
    for island in query.islands:
        if isinstance(island, Grouped):
            grouped = settled(island, TIME) if island.sampled else island
            make(connection, grouped.sql)
            view(connection, grouped.alias, grouped.sql.sql)
        elif isinstance(island, Windows):
            assert [size.literal for size in island.sizes] == ["6h"]
            windowed = WINDOWED.replace("FROM weather", f"FROM ({given(connection, island.input)})")
            view(connection, island.alias, f"FROM {windowed}")
        elif isinstance(island, Latest):
            keys = ", ".join(f'"{key.name}"' for key in island.keys)
            newest = f'row_number() OVER (PARTITION BY {keys} ORDER BY "{island.time.name}" DESC) = 1'
            view(connection, island.alias, f"FROM ({given(connection, island.input)}) QUALIFY {newest}")


def given(connection: duckdb.DuckDBPyConnection, rows_of: Input) -> str:
    """The SQL of the rows that a construct reads."""
    query = rows_of.query if rows_of.where is None else rows_of.where
    make(connection, query)
    return query.sql


def view(connection: duckdb.DuckDBPyConnection, name: str, sql: str) -> None:
    """A view of this name."""
    connection.execute(f'CREATE OR REPLACE TEMP VIEW "{name}" AS {sql}')
