"""A small world of tables with NULLs, NaN, duplicates and odd names, and the two ways to an answer: DuckDB's, and a lowered program's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa

from luma_bench.config import Settings
from luma_bench.engines.duck_inspect import DuckInspector
from luma_bench.engines.lowering import Lowering
from luma_bench.plan.engine import Inputs, SqlFragment, View
from luma_bench.plan.relational.nodes import Program
from luma_bench.plan.relational.to_duck import program_sql
from luma_bench.types.sql_text import quoted

ZONE = "Europe/Oslo"
TABLES = ("t", "u", "w", "e", "Odd Name", "ts")
_WORLD = """
CREATE TABLE t AS SELECT * FROM (VALUES
 (1, 10, 'a', 1.5::DOUBLE, DATE '2020-01-01', 12.50::DECIMAL(10,2), true, [1, 2, 3], {'x': 1, 'y': 'p'}),
 (2, 20, 'b', 2.5, DATE '2020-02-01', -3.25, false, [], {'x': 2, 'y': 'q'}),
 (3, NULL, 'a', NULL, DATE '2020-03-15', 0.00, NULL, [4], {'x': NULL, 'y': NULL}),
 (4, 10, NULL, 'nan', NULL, 99.99, true, NULL, NULL),
 (5, 30, 'C', -0.0, DATE '1999-12-31', NULL, false, [7, NULL], {'x': 5, 'y': 'r'}),
 (6, 20, 'b', 0.0, DATE '2020-02-29', 3.33, true, [1], {'x': 1, 'y': 'p'}),
 (7, NULL, 'd', 1e300, DATE '2021-01-01', 12.50, NULL, [2, 2], {'x': 7, 'y': 'z'})) v(id, k, s, f, d, m, b, l, st);
CREATE TABLE u AS SELECT * FROM (VALUES (10, 'ten', 1), (20, 'twenty', 2), (20, 'zwanzig', 2), (NULL, 'null', 3), (40, 'forty', NULL)) v(k, name, id);
CREATE TABLE w AS SELECT * FROM (VALUES (1, 100), (2, 200), (2, 201), (3, NULL), (9, 900)) v(id, k);
CREATE TABLE e AS SELECT * FROM t WHERE false;
CREATE TABLE "Odd Name" AS SELECT 1 AS "Col A", 2 AS "sel""ect", 'x' AS "GROUP" UNION ALL SELECT 3, 4, 'y';
CREATE TABLE ts AS SELECT * FROM (VALUES
 (1, TIMESTAMP '2020-01-01 10:00:00', TIMESTAMPTZ '2020-06-01 10:00:00+00', INTERVAL 1 DAY),
 (2, TIMESTAMP '2020-01-02 11:30:00', TIMESTAMPTZ '2020-06-02 23:30:00+00', INTERVAL 2 HOUR),
 (3, NULL, NULL, NULL)) v(id, a, z, i);
"""


@dataclass
class Source:
    """What lowering asks of a scan source: its schema."""

    schema: pa.Schema


class World:
    """The tables in a DuckDB of its own, and a `Lowering` over their schemas."""

    def __init__(self) -> None:
        self.con = duckdb.connect(config={"threads": 1, "arrow_lossless_conversion": True})
        self.con.execute(f"SET TimeZone = '{ZONE}'")
        self.con.execute(_WORLD)
        self.sources: dict[str, Any] = {
            name: Source(self.con.sql(f"FROM {quoted(name)} LIMIT 0").to_arrow_table().schema)
            for name in TABLES
        }
        self.inspector = DuckInspector(Settings(threads=1, timezone=ZONE))
        self.lowering = Lowering(self.inspector.describe)

    def program(
        self, text: str, params: Mapping[str, object] | None = None, views: Sequence[View] = ()
    ) -> Program:
        """The program of a text."""
        return self.lowering.program(
            SqlFragment(text, params or {}), Inputs(self.sources, views=tuple(views))
        )

    def wanted(self, text: str, params: Mapping[str, object] | None = None) -> pa.Table:
        """DuckDB's own answer."""
        return self.con.sql(text, params=params or None).to_arrow_table()

    def lowered(
        self, text: str, params: Mapping[str, object] | None = None, views: Sequence[View] = ()
    ) -> pa.Table:
        """The answer of the text's program, as one statement again."""
        return self.con.sql(program_sql(self.program(text, params, views))).to_arrow_table()

    def close(self) -> None:
        """Release what it holds."""
        self.lowering.close()
        self.inspector.close()
        self.con.close()


def rows_of(table: pa.Table, *, ordered: bool) -> list[str]:
    """The rows as text, sorted where their order does not matter; a double by nine digits."""
    columns = [column.to_pylist() for column in table.columns]
    rows = [repr(tuple(_shown(value) for value in row)) for row in zip(*columns, strict=True)]
    return rows if ordered else sorted(rows)


def _shown(value: Any) -> Any:
    if isinstance(value, float):
        return f"{value + 0.0:.9g}" if value == value else "nan"
    return value
