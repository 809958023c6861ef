"""Plans on many tasks give what the same plan gives in one statement."""

from __future__ import annotations

import math
from collections.abc import Iterator

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from local_stages import LocalRunner, RowsSource
from relational_plans import cuts, nodes, tables, total_order
from thorough import drawn

from luma_bench.engines.duck_types import DuckTyper
from luma_bench.plan.cluster.run import run_program
from luma_bench.plan.cluster.settings import ClusterSettings
from luma_bench.plan.relational.expressions import Column
from luma_bench.plan.relational.nodes import Node, Program, SortKey
from luma_bench.plan.relational.to_duck import node_sql

TINY = ClusterSettings(
    inline_bytes=0,
    broadcast_bytes=200,
    broadcast_most=400,
    part_bytes=300,
    least_part_bytes=1,
    bucket_bytes=400,
    single_bytes=150,
    sort_bytes=150,
    fan_in=2,
    sample_rows=10,
)
SMALL = ClusterSettings(
    inline_bytes=600, least_part_bytes=1, single_bytes=1_000, sort_bytes=1_000, broadcast_bytes=100_000
)
INLINE = ClusterSettings(least_part_bytes=1)
MOVING = ClusterSettings(
    inline_bytes=0,
    broadcast_bytes=0,
    broadcast_most=0,
    least_part_bytes=1,
    single_bytes=0,
    sort_bytes=0,
    bucket_bytes=200,
)


@pytest.fixture(scope="module")
def typer() -> DuckTyper:
    return DuckTyper()


@pytest.fixture(scope="module")
def oracle() -> Iterator[duckdb.DuckDBPyConnection]:
    con = duckdb.connect()
    con.execute("SET TimeZone='UTC'; SET threads=1; SET arrow_lossless_conversion=true")
    yield con
    con.close()


def answers(
    con: duckdb.DuckDBPyConnection,
    typer: DuckTyper,
    node: Node,
    named: dict[str, RowsSource | pa.Table],
    how: ClusterSettings,
    slots: int,
) -> tuple[pa.Table, pa.Table, LocalRunner]:
    """What stages give and what one statement gives."""
    for name, table in named.items():
        con.register(name, table if isinstance(table, pa.Table) else table.table)
    expected = con.sql(node_sql(node)).to_arrow_table()
    runner = LocalRunner(slots)
    try:
        parts = list(run_program(Program(node, pa.schema([])), named, runner, typer, how))
    finally:
        runner.close()
    assert parts
    assert all(handle.released for handle in runner.handles)
    return pa.concat_tables(parts), expected, runner


def rows_of(table: pa.Table) -> list[tuple[object, ...]]:
    """Rows that compare equal when SQL says so: NaN by name, zeros without sign, floats to nine digits."""
    plain = duckdb.from_arrow(table).fetchall()
    return [tuple(_shown(value) for value in row) for row in plain]


def _shown(value: object) -> object:
    if not isinstance(value, float):
        return "NULL" if value is None else str(value)
    if math.isnan(value):
        return "nan"
    return f"{value + 0.0:.9g}" if abs(value) > 1e-12 else "0"


@settings(
    deadline=None,
    max_examples=drawn(60),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(data=st.data())
def test_a_plan_on_tasks_gives_the_rows_of_one_statement(
    data: st.DataObject, typer: DuckTyper, oracle: duckdb.DuckDBPyConnection
) -> None:
    check(data, typer, oracle, depth=3)


@pytest.mark.slow
@settings(
    deadline=None,
    max_examples=3_000,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(data=st.data())
def test_many_deeper_plans(data: st.DataObject, typer: DuckTyper, oracle: duckdb.DuckDBPyConnection) -> None:
    check(data, typer, oracle, depth=5)


def check(data: st.DataObject, typer: DuckTyper, con: duckdb.DuckDBPyConnection, depth: int) -> None:
    node, kinds = data.draw(nodes(depth), label="plan")
    named: dict[str, RowsSource | pa.Table] = {"mem": data.draw(tables(), label="mem")}
    for name in ("t", "u"):
        table = data.draw(tables(), label=name)
        named[name] = RowsSource(name, table, data.draw(cuts(table.num_rows), label=f"cuts of {name}"))
    how = data.draw(st.sampled_from((TINY, SMALL, MOVING, INLINE, ClusterSettings())), label="settings")
    slots = data.draw(st.integers(1, 3), label="slots")
    in_order = data.draw(st.booleans(), label="in order")
    if in_order:
        keys = [
            SortKey(Column(at), data.draw(st.booleans()), data.draw(st.booleans()))
            for at in data.draw(st.lists(st.integers(0, len(kinds) - 1), max_size=2))
        ]
        node = total_order(node, len(kinds), keys)
    found, expected, _ = answers(con, typer, node, named, how, slots)
    assert [str(kind) for kind in found.schema.types] == [str(kind) for kind in expected.schema.types]
    mine, theirs = rows_of(found), rows_of(expected)
    if in_order:
        assert mine == theirs
    else:
        assert sorted(mine, key=repr) == sorted(theirs, key=repr)
