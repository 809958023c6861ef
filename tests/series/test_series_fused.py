"""Blocks over windows give what the rows with their windows give when SQL groups them: the same names, types and values."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import luma_bench as lb

FUNCTIONS = {
    "tumble": "TUMBLE(TABLE t, DESCRIPTOR(ts), '6h')",
    "hop": "HOP(TABLE t, DESCRIPTOR(ts), '2h', '6h')",
    "cumulate": "CUMULATE(TABLE t, DESCRIPTOR(ts), '6h', '1d')",
    "session": "SESSION(TABLE t PARTITION BY k, DESCRIPTOR(ts), '40m')",
}
KEYS = ["window_start", "window_end", "k", "window_start::DATE AS d", "upper(k)"]
AGGREGATES = ["count(*)", "avg(x)", "sum(n)", "min(x)", "max(x)", "first(n, ts)", "last(x, ts)", "count(x)", "max(n) - min(n)", "stddev(n)", "median(n)", "sum(n) FILTER (n > 3)", "count(DISTINCT n)"]  # fmt: skip
CONDITIONS = ["n > 10", "k <> 'a'", "k = 'b' AND x IS NOT NULL", "n > 50 OR k = 'c'"]


@pytest.fixture(scope="module")
def bench(tmp_path_factory) -> Iterator[lb.Bench]:
    chance = random.Random(3)
    start = dt.datetime(2026, 1, 1)
    times = sorted(start + dt.timedelta(seconds=chance.randrange(6 * 86_400)) for _ in range(600))
    values = [chance.choice([None, float("nan"), 1.5, -2.0, chance.random()]) for _ in times]
    table = pa.table(
        {
            "ts": pa.array(times, pa.timestamp("us")),
            "k": [chance.choice("abc") for _ in times],
            "x": pa.array(values, pa.float64()),
            "n": [chance.randrange(-5, 100) for _ in times],
        }
    )
    with lb.open(tmp_path_factory.mktemp("fused") / "b.luma") as opened:
        opened.write("t", table, time_column="ts", series_key="k")
        yield opened


def rounded(table: pa.Table) -> list[str]:
    rows = table.to_pylist()
    return sorted(
        repr([round(value, 9) if isinstance(value, float) else value for value in row.values()])
        for row in rows
    )


@pytest.mark.parametrize("kind", FUNCTIONS)
@settings(deadline=None, max_examples=12)
@given(
    keys=st.lists(st.sampled_from(KEYS), min_size=1, max_size=3, unique=True),
    aggregates=st.lists(st.sampled_from(AGGREGATES), min_size=1, max_size=3, unique=True),
    conditions=st.lists(st.sampled_from(CONDITIONS), max_size=1),
    late=st.booleans(),
    having=st.sampled_from(["", " HAVING count(*) > 2"]),
)
def test_blocks_give_what_their_rows_give(bench, kind, keys, aggregates, conditions, late, having):
    if late and "window_start" in keys:
        conditions = [f"({conditions[0]})"] if conditions else []
        conditions.append("window_start >= TIMESTAMP '2026-01-02 06:00'")
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    text = f"SELECT {', '.join(keys + aggregates)} FROM {{}}{where} GROUP BY ALL{having}"
    block = bench.kadeql(text.format(FUNCTIONS[kind])).to_arrow()
    # A subquery in FROM is no window function: these are the rows, and SQL groups them.
    plain = bench.kadeql(text.format(f"(SELECT * FROM {FUNCTIONS[kind]})")).to_arrow()
    assert block.schema == plain.schema
    assert rounded(block) == rounded(plain)


def test_results_without_a_label_are_called_as_sql_calls_them(bench):
    items = "avg( x )*2, max(T.N), count(*), first(n, ts), sum(n) FILTER (n > 3), k || '!'"
    block = bench.kadeql(f"SELECT {items} FROM t SAMPLE BY 1d").to_arrow()
    plain = bench.kadeql(f"SELECT {items} FROM t GROUP BY ALL").to_arrow()
    assert block.column_names == plain.column_names
