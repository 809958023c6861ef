"""The 22 TPC-H texts run unmodified and answer as DuckDB does over its own tables."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

import luma_bench as lb
from benchmarks import tpch_data
from benchmarks.agreement import same_rows


@pytest.fixture(scope="module")
def tpch_bench(tmp_path_factory: pytest.TempPathFactory, tpch_files: dict[str, Path]) -> Iterator[lb.Bench]:
    folder = tmp_path_factory.mktemp("tpch-bench") / "tpch.luma"
    # Small chunks, so that 60,175 rows of lineitem are pruned and decoded in many pieces.
    with lb.open(folder, threads=2, chunk_rows=4096, shard_rows=16384) as bench:
        for table, path in tpch_files.items():
            bench.write(table, str(path))
        yield bench


@pytest.fixture(scope="module")
def peer(tpch_files: dict[str, Path]) -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect(config={"threads": 2})
    for table, path in tpch_files.items():
        connection.execute(f"CREATE TABLE {table} AS FROM read_parquet('{path}')")
    yield connection
    connection.close()


@pytest.mark.parametrize("name", tpch_data.NAMES)
def test_query_answers_as_duckdb(tpch_bench: lb.Bench, peer: duckdb.DuckDBPyConnection, name: str) -> None:
    text = tpch_data.text(name)
    expected = peer.sql(text).to_arrow_table()

    result = tpch_bench.kadeql(text)

    same_rows(expected, result.to_arrow(), ordered=name in tpch_data.TOTALLY_ORDERED)
    assert result.run.engine == "duckdb"
    assert result.run.fallbacks == ()


def test_the_data_is_tpch(tpch_bench: lb.Bench) -> None:
    def one(text: str) -> object:
        return tpch_bench.kadeql(text).to_arrow().column(0)[0].as_py()

    assert one("SELECT count(*) FROM lineitem") == 60_175
    assert one("SELECT count(*) FROM orders") == 15_000


def test_a_date_range_reads_less_than_the_table(tpch_bench: lb.Bench) -> None:
    ordered = "SELECT count(*) AS n FROM lineitem WHERE l_orderkey BETWEEN 1 AND 100"
    run = tpch_bench.kadeql(ordered, cache=False).run
    assert 0 < run.rows_read <= 2 * 4096
    assert run.chunks_pruned + run.segments_pruned > 0


@pytest.mark.parametrize("name", tpch_data.NAMES)
def test_a_second_run_is_cached_and_equal(tpch_bench: lb.Bench, name: str) -> None:
    text = tpch_data.text(name)
    first = tpch_bench.kadeql(text)
    again = tpch_bench.kadeql(text)
    assert again.run.cached
    assert again.to_arrow().equals(first.to_arrow())
