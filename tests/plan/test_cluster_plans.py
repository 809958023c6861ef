"""What the planner decides: seen in the stages that it hands over, with their rows checked against one statement."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pyarrow as pa
import pytest
from local_stages import LocalHandle, LocalRunner, RowsSource

from luma_bench.engines.duck_types import DuckTyper
from luma_bench.errors import EngineError
from luma_bench.plan.cluster.run import run_program
from luma_bench.plan.cluster.settings import ClusterSettings
from luma_bench.plan.cluster.stages import Hashed, Ranged, StageFeed, TableFeed
from luma_bench.plan.relational.expressions import Column, Compare, Sql
from luma_bench.plan.relational.nodes import (
    Aggregate,
    Filter,
    Join,
    JoinKind,
    Limit,
    Measure,
    Node,
    Program,
    Project,
    Scan,
    Sort,
    SortKey,
    Union,
    Window,
    WindowCall,
)
from luma_bench.plan.relational.to_duck import program_sql

CUT = ClusterSettings(
    inline_bytes=2_000,
    broadcast_bytes=20_000,
    broadcast_most=40_000,
    least_part_bytes=1,
    single_bytes=4_000,
    sort_bytes=4_000,
)
"""Limits that make tables of some thousand rows large."""


def made(sql: str) -> pa.Table:
    return duckdb.sql(sql).to_arrow_table()


FACTS = RowsSource(
    "facts", made("SELECT i AS id, (i * 7919) % 400 AS k, i % 5 AS g, i * 0.25 AS x FROM range(8000) t(i)")
)
KEYS = RowsSource("keys", made("SELECT i AS k, 'name ' || i AS name FROM range(400) t(i)"))
OTHER = RowsSource("other", made("SELECT i AS id, i % 900 AS k, 'o' || i AS s FROM range(6000) t(i)"))
SKEWED = RowsSource(
    "skewed", made("SELECT CASE WHEN i % 100 = 0 THEN i ELSE 7 END AS k, i AS id FROM range(6000) t(i)")
)
EMPTY = RowsSource("empty", made("SELECT 1::BIGINT AS k, 'x' AS name WHERE false"))
TABLES = {source.name: source for source in (FACTS, KEYS, OTHER, SKEWED, EMPTY)}

F = Scan("facts", ("id", "k", "g", "x"))
K = Scan("keys", ("k", "name"))
OTHERS = Scan("other", ("id", "k", "s"))
S = Scan("skewed", ("k", "id"))
E = Scan("empty", ("k", "name"))


@pytest.fixture(scope="module")
def typer() -> DuckTyper:
    return DuckTyper()


@pytest.fixture
def oracle() -> Iterator[duckdb.DuckDBPyConnection]:
    con = duckdb.connect()
    for name, source in TABLES.items():
        con.register(name, source.table)
    yield con
    con.close()


def run(
    node: Node,
    typer: DuckTyper,
    con: duckdb.DuckDBPyConnection,
    how: ClusterSettings = CUT,
    *,
    slots: int = 4,
    shared: tuple[tuple[str, Node], ...] = (),
    in_order: bool = False,
) -> list[LocalHandle]:
    """The stages of a plan, after its answer was compared with that of one statement."""
    program = Program(node, pa.schema([(f"c{at}", pa.null()) for at in range(node.width)]), shared)
    runner = LocalRunner(slots)
    try:
        found = pa.concat_tables(list(run_program(program, TABLES, runner, typer, how)))
    finally:
        runner.close()
    mine = [repr(row) for row in duckdb.from_arrow(found).fetchall()]
    theirs = [repr(row) for row in con.sql(program_sql(program)).fetchall()]
    assert (mine if in_order else sorted(mine)) == (theirs if in_order else sorted(theirs))
    return runner.handles


def moved(handles: list[LocalHandle]) -> list[LocalHandle]:
    return [handle for handle in handles if isinstance(handle.stage.output, Hashed)]


def feeds_of(handle: LocalHandle, take: str) -> list[StageFeed]:
    return [feed for feed in handle.stage.feeds if isinstance(feed, StageFeed) and feed.take == take]


def test_filters_and_projections_are_one_stage(typer: DuckTyper, oracle: duckdb.DuckDBPyConnection) -> None:
    wide = Filter(F, Compare("<", Column(0), Sql(("4000",))))
    (stage,) = run(Project(wide, (Sql(("", " + 1"), (Column(1),)),)), typer, oracle)
    assert stage.stage.tasks == 4
    assert isinstance(stage.stage.feeds[0], TableFeed)


def test_a_small_table_is_read_by_every_task(typer: DuckTyper, oracle: duckdb.DuckDBPyConnection) -> None:
    small = Filter(K, Compare("<", Column(0), Sql(("9",))))
    how = ClusterSettings(least_part_bytes=1)
    (stage,) = run(Join(F, small, "inner", ((Column(1), Column(0)),)), typer, oracle, how)
    assert [feed.whole for feed in stage.stage.feeds if isinstance(feed, TableFeed)] == [False, True]


def test_a_middling_side_is_made_once_and_goes_to_every_task(
    typer: DuckTyper, oracle: duckdb.DuckDBPyConnection
) -> None:
    handles = run(Join(F, K, "inner", ((Column(1), Column(0)),)), typer, oracle)
    assert len(handles) == 2
    assert "scan keys" in handles[0].stage.purpose
    assert feeds_of(handles[1], "all")
    assert any("goes to every task" in note for note in handles[1].stage.notes)


def test_two_large_sides_move_by_their_keys(typer: DuckTyper, oracle: duckdb.DuckDBPyConnection) -> None:
    handles = run(Join(F, OTHERS, "inner", ((Column(1), Column(1)),)), typer, oracle)
    assert len(moved(handles)) == 2
    assert len(feeds_of(handles[-1], "bucket")) == 2


@pytest.mark.parametrize("kind", ["inner", "left", "right", "full", "semi", "anti", "mark"])
@pytest.mark.parametrize("sides", [(F, OTHERS), (OTHERS, F), (F, E), (E, F), (S, OTHERS), (OTHERS, S)])
def test_joins_of_every_kind(
    kind: JoinKind, sides: tuple[Scan, Scan], typer: DuckTyper, oracle: duckdb.DuckDBPyConnection
) -> None:
    left, right = sides
    key = {"facts": 1, "other": 1, "empty": 0, "skewed": 0}
    small = [Filter(side, Compare("<", Column(key[side.name]), Sql(("60",)))) for side in (left, right)]
    join = Join(small[0], small[1], kind, ((Column(key[left.name]), Column(key[right.name])),))
    node = Aggregate(join, (), (Measure("count"), Measure("count", (Column(0),))))
    how = ClusterSettings(
        inline_bytes=0,
        broadcast_bytes=0,
        broadcast_most=0,
        least_part_bytes=1,
        single_bytes=0,
        bucket_bytes=8_000,
    )
    run(node, typer, oracle, how)


def test_a_key_with_nearly_all_rows_is_cut_in_slices(
    typer: DuckTyper, oracle: duckdb.DuckDBPyConnection
) -> None:
    how = ClusterSettings(
        inline_bytes=0, broadcast_bytes=0, broadcast_most=0, least_part_bytes=1, single_bytes=0
    )
    node = Aggregate(Join(S, OTHERS, "inner", ((Column(0), Column(0)),)), (), (Measure("count"),))
    handles = run(node, typer, oracle, how)
    joins = [handle for handle in handles if len(feeds_of(handle, "bucket")) == 2]
    (join,) = joins
    slices = [feed.slices for feed in feeds_of(join, "bucket") if feed.slices is not None]
    assert len(slices) == 1
    assert max(of for _, of in slices[0]) >= 2


def test_small_buckets_share_a_task(typer: DuckTyper, oracle: duckdb.DuckDBPyConnection) -> None:
    handles = run(Aggregate(F, (Column(2),), (Measure("sum", (Column(3),)),)), typer, oracle)
    assert [handle.stage.tasks for handle in handles] == [4, 1]
    assert feeds_of(handles[1], "bucket")[0].groups == ((0, 1, 2, 3),)


def test_groups_that_are_many_are_merged_by_many_tasks(
    typer: DuckTyper, oracle: duckdb.DuckDBPyConnection
) -> None:
    handles = run(Aggregate(F, (Column(0),), (Measure("avg", (Column(3),)),)), typer, oracle)
    assert handles[-1].stage.tasks == 4


def test_partial_results_of_many_tasks_are_merged_in_a_tree(
    typer: DuckTyper, oracle: duckdb.DuckDBPyConnection
) -> None:
    how = ClusterSettings(part_bytes=4_000, least_part_bytes=1, fan_in=4)
    handles = run(Aggregate(F, (), (Measure("count"), Measure("sum", (Column(3),)))), typer, oracle, how)
    tasks = [handle.stage.tasks for handle in handles]
    assert tasks[0] >= 40
    assert tasks[1] == -(-tasks[0] // 4)
    assert tasks[-1] == 1


def test_rows_that_lie_together_are_not_moved_again(
    typer: DuckTyper, oracle: duckdb.DuckDBPyConnection
) -> None:
    join = Join(F, OTHERS, "inner", ((Column(1), Column(1)),))
    handles = run(Aggregate(join, (Column(1),), (Measure("count"),)), typer, oracle)
    assert len(moved(handles)) == 2


def test_a_top_k_takes_the_first_rows_of_each_task(
    typer: DuckTyper, oracle: duckdb.DuckDBPyConnection
) -> None:
    order = (SortKey(Column(3), descending=True), SortKey(Column(0)))
    handles = run(Limit(Sort(F, order), 7, 3), typer, oracle, in_order=True)
    assert [len(handle.rows) for handle in handles] == [4, 1]
    assert sum(part.num_rows for task in handles[0].rows for part in task) == 40


def test_a_large_sort_is_in_ranges(typer: DuckTyper, oracle: duckdb.DuckDBPyConnection) -> None:
    order = (SortKey(Column(1), descending=True), SortKey(Column(0)))
    handles = run(Sort(F, order), typer, oracle, in_order=True)
    ranged = [handle for handle in handles if isinstance(handle.stage.output, Ranged)]
    assert len(ranged) == 1
    assert handles[-1].stage.tasks > 1


def test_a_limit_without_order_takes_the_first_rows(
    typer: DuckTyper, oracle: duckdb.DuckDBPyConnection
) -> None:
    run(Limit(F, 5, 2), typer, oracle, in_order=True)
    run(Limit(F, None, 7_990), typer, oracle, in_order=True)


def test_a_window_moves_by_its_partition(typer: DuckTyper, oracle: duckdb.DuckDBPyConnection) -> None:
    order = (SortKey(Column(0)),)
    calls = (
        WindowCall("row_number", partition=(Column(1), Column(2)), order=order),
        WindowCall("count", partition=(Column(1),)),
    )
    handles = run(Window(F, calls), typer, oracle)
    assert len(moved(handles)) == 1
    assert handles[-1].stage.tasks == 4


def test_a_window_over_all_rows_says_that_it_takes_one_task(
    typer: DuckTyper, oracle: duckdb.DuckDBPyConnection
) -> None:
    calls = (WindowCall("row_number", order=(SortKey(Column(0)),)),)
    handles = run(Window(F, calls), typer, oracle)
    assert handles[-1].stage.tasks == 1
    assert any(note.startswith("one task: a window") for note in handles[-1].stage.notes)


def test_distinct_values_are_found_before_they_are_counted(
    typer: DuckTyper, oracle: duckdb.DuckDBPyConnection
) -> None:
    measures = (Measure("count", (Column(1),), distinct=True), Measure("avg", (Column(3),)), Measure("count"))
    handles = run(Aggregate(F, (Column(2),), measures), typer, oracle)
    assert "distinct values" in handles[0].stage.purpose
    run(Aggregate(F, (), measures), typer, oracle)


def test_a_union_lies_side_by_side(typer: DuckTyper, oracle: duckdb.DuckDBPyConnection) -> None:
    parts = Union((Project(F, (Column(0),)), Project(K, (Column(0),)), Project(E, (Column(0),))))
    (stage,) = run(parts, typer, oracle)[-1:]
    assert stage.stage.tasks == 4


def test_a_shared_part_is_one_stage(typer: DuckTyper, oracle: duckdb.DuckDBPyConnection) -> None:
    part = Aggregate(F, (Column(1),), (Measure("count"),))
    scan = Scan("w", ("c0", "c1"), shared=True)
    most = Aggregate(scan, (), (Measure("max", (Column(1),)),))
    node = Join(scan, most, "inner", ((Column(1), Column(0)),))
    handles = run(node, typer, oracle, shared=(("w", part),))
    reads = [feed for handle in handles for feed in handle.stage.feeds if isinstance(feed, TableFeed)]
    assert len(reads) == 1


def test_a_selective_relation_reduces_the_groups_that_it_is_joined_with(
    typer: DuckTyper, oracle: duckdb.DuckDBPyConnection
) -> None:
    few = Filter(K, Compare("=", Column(1), Sql(("'name 3'",))))
    groups = Aggregate(F, (Column(1),), (Measure("avg", (Column(3),)),))
    how = ClusterSettings(least_part_bytes=1)
    handles = run(Join(few, groups, "inner", ((Column(0), Column(0)),)), typer, oracle, how)
    assert sum(part.num_rows for task in handles[0].rows for part in task) <= 4


@pytest.mark.parametrize(
    "function", ["avg", "stddev", "var_pop", "stddev_samp", "sum", "min", "arg_max", "first"]
)
def test_an_aggregate_of_nothing_is_what_it_is_in_one_statement(
    function: str, typer: DuckTyper, oracle: duckdb.DuckDBPyConnection
) -> None:
    none = Filter(F, Compare("<", Column(0), Sql(("0",))))
    args = (Column(3), Column(0)) if function == "arg_max" else (Column(3),)
    run(Aggregate(none, (), (Measure(function, args), Measure("count"))), typer, oracle)
    run(Aggregate(none, (Column(2),), (Measure(function, args),)), typer, oracle)


def test_a_variance_does_not_cancel(typer: DuckTyper, oracle: duckdb.DuckDBPyConnection) -> None:
    far = Project(F, (Sql(("CAST(1e9 + ", " % 7 AS DOUBLE)"), (Column(0),)),))
    program = Program(
        Aggregate(far, (), (Measure("var_samp", (Column(0),)),)), pa.schema([("c0", pa.float64())])
    )
    runner = LocalRunner(4)
    try:
        (found,) = run_program(program, TABLES, runner, typer, CUT)
    finally:
        runner.close()
    expected = oracle.sql("SELECT var_samp((i % 7)::DOUBLE) FROM range(8000) t(i)").fetchall()[0][0]
    assert found.column(0)[0].as_py() == pytest.approx(expected, rel=1e-9)


def test_handles_are_released_when_the_answer_is_given_up(typer: DuckTyper) -> None:
    runner = LocalRunner(2)
    rows = run_program(Program(F, pa.schema([])), TABLES, runner, typer, CUT)
    next(rows)
    rows.close()  # type: ignore[attr-defined]
    assert all(handle.released for handle in runner.handles)
    runner.close()


def test_an_unknown_relation_is_named(typer: DuckTyper) -> None:
    runner = LocalRunner(2)
    with pytest.raises(EngineError, match="'nowhere'"):
        list(run_program(Program(Scan("nowhere", ("a",)), pa.schema([])), TABLES, runner, typer, CUT))
    runner.close()


@pytest.mark.slow
def test_a_million_groups(typer: DuckTyper) -> None:
    table = made("SELECT (i * 2654435761) % 1000003 AS k, i AS x FROM range(2000000) t(i)")
    node = Aggregate(Scan("big", ("k", "x")), (Column(0),), (Measure("count"), Measure("sum", (Column(1),))))
    program = Program(Aggregate(node, (), (Measure("count"), Measure("sum", (Column(1),)))), pa.schema([]))
    runner = LocalRunner(4)
    try:
        (found,) = run_program(program, {"big": RowsSource("big", table)}, runner, typer, ClusterSettings())
    finally:
        runner.close()
    expected = duckdb.from_arrow(table).aggregate("count(DISTINCT k), count(*)").fetchall()
    assert [tuple(int(value) for value in row) for row in duckdb.from_arrow(found).fetchall()] == expected
