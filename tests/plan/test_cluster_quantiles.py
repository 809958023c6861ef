"""Quantiles by ranges give exactly what DuckDB gives of all values."""

from __future__ import annotations

import decimal

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from local_stages import LocalRunner, RowsSource

from luma_bench.engines.duck_types import DuckTyper
from luma_bench.plan.cluster.quantiles import ranks
from luma_bench.plan.cluster.run import run_program
from luma_bench.plan.cluster.settings import ClusterSettings
from luma_bench.plan.relational.expressions import Column, Sql
from luma_bench.plan.relational.nodes import Aggregate, Measure, Program, Scan
from luma_bench.plan.relational.to_duck import node_sql

_MANY = ClusterSettings(sort_bytes=0, least_part_bytes=1, bucket_bytes=512, sample_rows=40)
_SHARES = ("0", "0.1", "0.25", "0.333", "0.5", "0.75", "0.9", "0.99", "1")


@pytest.fixture(scope="module")
def typer() -> DuckTyper:
    return DuckTyper()


@settings(deadline=None, max_examples=60)
@given(n=st.integers(1, 300), share=st.sampled_from(_SHARES))
def test_ranks_are_those_that_duckdb_takes(n: int, share: str) -> None:
    low, at_one = duckdb.sql(
        f"SELECT quantile_cont(i, {share}), quantile_disc(i, {share}) FROM range({n}) t(i)"
    ).fetchall()[0]
    between = ranks("quantile_cont", decimal.Decimal(share), n)
    assert between.low + between.away == pytest.approx(low, abs=1e-9)
    assert ranks("quantile_disc", decimal.Decimal(share), n).low == at_one


@settings(deadline=None, max_examples=20)
@given(
    values=st.lists(
        st.one_of(st.none(), st.just(3.5), st.floats(-1e6, 1e6), st.just(float("nan"))), max_size=300
    ),
    shares=st.lists(st.sampled_from(_SHARES), min_size=1, max_size=3),
    kind=st.sampled_from(("DOUBLE", "DECIMAL(12,2)", "BIGINT", "TIMESTAMP")),
)
def test_quantiles_of_many_tasks_are_those_of_one_statement(
    values: list[float | None], shares: list[str], kind: str, typer: DuckTyper
) -> None:
    if kind != "DOUBLE":
        values = [None if value is None or value != value else value for value in values]
    cast = "make_timestamp((x * 1000)::BIGINT)" if kind == "TIMESTAMP" else f"x::{kind}"
    plain = pa.table({"x": pa.array(values, pa.float64())})
    table = duckdb.from_arrow(plain).project(f"{cast} AS x").to_arrow_table()
    measures = tuple(
        Measure(name, (Column(0), Sql((share,))))
        for share in shares
        for name in ("quantile_cont", "quantile_disc")
    )
    node = Aggregate(Scan("t", ("x",)), (), (*measures, Measure("median", (Column(0),))))
    runner = LocalRunner(3)
    try:
        (found,) = run_program(
            Program(node, pa.schema([])), {"t": RowsSource("t", table)}, runner, typer, _MANY
        )
    finally:
        runner.close()
    con = duckdb.connect()
    con.register("t", table)
    expected = con.sql(node_sql(node)).fetchall()
    con.close()
    assert repr(duckdb.from_arrow(found).fetchall()) == repr(expected)
