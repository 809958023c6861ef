"""What lowered programs look like: shared parts, kinds of joins, keys, pruned columns; and what happens without the planner's packages."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pytest
from lowering_world import Source, World, rows_of

from luma_bench.engines.duck_inspect import DuckInspector
from luma_bench.engines.lowering import Lowering, NotLowered, lower
from luma_bench.plan.engine import FileInputs, Inputs, SqlFragment
from luma_bench.plan.relational.nodes import Aggregate, Filter, Join, Node, Scan, Union, Window, walk_nodes

QUERIES = Path(__file__).parents[2] / "benchmarks" / "tpch_queries"
_NUMBER, _MONEY, _TEXT, _DAY = pa.int32(), pa.decimal128(15, 2), pa.string(), pa.date32()
TPCH = {
    "region": {"r_regionkey": _NUMBER, "r_name": _TEXT, "r_comment": _TEXT},
    "nation": {"n_nationkey": _NUMBER, "n_name": _TEXT, "n_regionkey": _NUMBER, "n_comment": _TEXT},
    "supplier": {"s_suppkey": _NUMBER, "s_name": _TEXT, "s_address": _TEXT, "s_nationkey": _NUMBER, "s_phone": _TEXT, "s_acctbal": _MONEY, "s_comment": _TEXT},
    "customer": {"c_custkey": _NUMBER, "c_name": _TEXT, "c_address": _TEXT, "c_nationkey": _NUMBER, "c_phone": _TEXT, "c_acctbal": _MONEY, "c_mktsegment": _TEXT, "c_comment": _TEXT},
    "part": {"p_partkey": _NUMBER, "p_name": _TEXT, "p_mfgr": _TEXT, "p_brand": _TEXT, "p_type": _TEXT, "p_size": _NUMBER, "p_container": _TEXT, "p_retailprice": _MONEY, "p_comment": _TEXT},
    "partsupp": {"ps_partkey": _NUMBER, "ps_suppkey": _NUMBER, "ps_availqty": _NUMBER, "ps_supplycost": _MONEY, "ps_comment": _TEXT},
    "orders": {"o_orderkey": _NUMBER, "o_custkey": _NUMBER, "o_orderstatus": _TEXT, "o_totalprice": _MONEY, "o_orderdate": _DAY, "o_orderpriority": _TEXT, "o_clerk": _TEXT, "o_shippriority": _NUMBER, "o_comment": _TEXT},
    "lineitem": {"l_orderkey": _NUMBER, "l_partkey": _NUMBER, "l_suppkey": _NUMBER, "l_linenumber": _NUMBER, "l_quantity": _MONEY, "l_extendedprice": _MONEY, "l_discount": _MONEY, "l_tax": _MONEY, "l_returnflag": _TEXT, "l_linestatus": _TEXT, "l_shipdate": _DAY, "l_commitdate": _DAY, "l_receiptdate": _DAY, "l_shipinstruct": _TEXT, "l_shipmode": _TEXT, "l_comment": _TEXT},
}  # fmt: skip


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    made = World()
    yield made
    made.close()


@pytest.fixture(scope="module")
def tpch() -> Iterator[Lowering]:
    inspector = DuckInspector()
    made = Lowering(inspector.describe)
    yield made
    made.close()
    inspector.close()


def _text(number: int) -> str:
    return (QUERIES / f"q{number:02}.sql").read_text("utf-8").strip().rstrip(";")


def _inputs() -> Inputs:
    return Inputs({name: Source(pa.schema(columns)) for name, columns in TPCH.items()})  # type: ignore[dict-item]


def _scans(node: Node) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for part in walk_nodes(node):
        if isinstance(part, Scan):
            found.setdefault(part.name, set()).update(part.columns)
    return found


@pytest.mark.parametrize("number", range(1, 23))
def test_the_texts_of_tpch_lower(tpch: Lowering, number: int) -> None:
    program = tpch.program(SqlFragment(_text(number)), _inputs())
    assert program.root.width == len(program.schema)
    assert not any(isinstance(part, Join) and part.kind == "cross" for part in walk_nodes(program.root))


def test_a_cte_that_is_read_twice_is_computed_once(tpch: Lowering) -> None:
    program = tpch.program(SqlFragment(_text(15)), _inputs())
    assert len(program.shared) == 1
    assert "lineitem" not in _scans(program.root)
    assert _scans(program.shared[0][1])["lineitem"] == {
        "l_suppkey",
        "l_extendedprice",
        "l_discount",
        "l_shipdate",
    }


def test_only_columns_that_are_used_are_read(tpch: Lowering) -> None:
    program = tpch.program(SqlFragment(_text(6)), _inputs())
    assert _scans(program.root) == {"lineitem": {"l_shipdate", "l_discount", "l_quantity", "l_extendedprice"}}


def test_conditions_common_to_all_alternatives_become_keys_of_the_join(tpch: Lowering) -> None:
    program = tpch.program(SqlFragment(_text(19)), _inputs())
    (join,) = [part for part in walk_nodes(program.root) if isinstance(part, Join)]
    assert len(join.on) == 1
    assert join.condition is not None


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("SELECT id FROM t WHERE k IN (SELECT k FROM u)", {"semi"}),
        ("SELECT id FROM t WHERE NOT EXISTS (FROM u WHERE u.k = t.k)", {"anti"}),
        ("SELECT id FROM t WHERE k NOT IN (SELECT k FROM u)", {"anti", "left"}),
        ("SELECT id FROM t WHERE k IN (SELECT k FROM u) OR id = 1", {"mark"}),
        ("SELECT t.id FROM t, u WHERE t.k = u.k", {"inner"}),
        ("SELECT t.id FROM t LEFT JOIN u ON t.k = u.k WHERE u.id > 1", {"inner"}),
        ("SELECT t.id FROM t FULL JOIN u ON t.k = u.k", {"full"}),
        ("SELECT t.id FROM t, u", {"cross"}),
    ],
)
def test_subqueries_become_joins(world: World, text: str, kinds: set[str]) -> None:
    found = [part for part in walk_nodes(world.program(text).root) if isinstance(part, Join)]
    assert {join.kind for join in found} == kinds
    assert all(join.on for join in found if join.kind in ("inner", "semi", "anti", "full", "mark"))


def test_keys_that_may_be_null_are_compared_safely(world: World) -> None:
    program = world.program("SELECT a.id, b.id FROM t a JOIN u b ON a.k IS NOT DISTINCT FROM b.k")
    (join,) = [part for part in walk_nodes(program.root) if isinstance(part, Join)]
    assert join.null_safe
    assert join.condition is None


def test_several_grouping_sets_stay_one_aggregation(world: World) -> None:
    program = world.program("SELECT k, s, sum(id), grouping(k, s) FROM t GROUP BY CUBE (k, s)")
    (found,) = [part for part in walk_nodes(program.root) if isinstance(part, Aggregate)]
    assert sorted(found.sets or ()) == [(), (0,), (0, 1), (1,)]
    assert found.width == 4


def test_a_filter_on_a_key_stays_above_several_grouping_sets(world: World) -> None:
    program = world.program("SELECT * FROM (SELECT k, sum(id) AS n FROM t GROUP BY ROLLUP (k)) WHERE k = 10")
    (found,) = [part for part in walk_nodes(program.root) if isinstance(part, Aggregate)]
    assert isinstance(found.child, Scan)


def test_a_filter_on_the_partition_moves_below_a_window(world: World) -> None:
    text = "SELECT * FROM (SELECT id, k, row_number() OVER (PARTITION BY k ORDER BY id) AS n FROM t) WHERE k = 10"
    (found,) = [part for part in walk_nodes(world.program(text).root) if isinstance(part, Window)]
    assert isinstance(found.child, Filter)


def test_set_operations_compare_values_of_one_type(world: World) -> None:
    program = world.program("SELECT k FROM t INTERSECT SELECT k FROM u")
    assert any(isinstance(part, Union) for part in walk_nodes(program.root))


def test_a_shared_part_gives_only_what_is_read(world: World) -> None:
    text = (
        "WITH a AS (SELECT id, k, s, d FROM t WHERE id > 1) SELECT x.id FROM a x JOIN a y ON x.id = y.k / 10"
    )
    ((name, part),) = world.program(text).shared
    assert part.width == 2
    assert {
        column
        for scan in walk_nodes(world.program(text).root)
        if isinstance(scan, Scan) and scan.name == name
        for column in scan.columns
    } == {"c0", "c1"}


def test_threads_share_a_lowering(world: World) -> None:
    texts = [f"SELECT k, count(*) + {number} AS n FROM t GROUP BY k" for number in range(24)]
    with ThreadPoolExecutor(6) as pool:
        programs = list(pool.map(world.program, texts))
    assert len({repr(program.root) for program in programs}) == 24


def test_a_table_of_another_schema_is_planned_anew() -> None:
    inspector = DuckInspector()
    lowering = Lowering(inspector.describe)
    fragment = SqlFragment("SELECT x + 1 AS y FROM r")
    found = [
        lowering.program(fragment, Inputs({}, relations={"r": pa.table({"x": pa.array([1], kind)})}))
        for kind in (pa.int32(), pa.float64())
    ]
    assert [program.schema.field("y").type for program in found] == [pa.int32(), pa.float64()]
    lowering.close()
    inspector.close()


def test_files_and_row_ids_are_refused(world: World) -> None:
    with pytest.raises(NotLowered, match="it reads files"):
        world.lowering.program(SqlFragment("SELECT 1"), Inputs({}, files=FileInputs(("/x",))))
    with pytest.raises(NotLowered, match="it reads row ids"):
        world.program('SELECT * FROM "__luma_rows_t"')


def test_without_the_planner_the_hint_names_the_extra(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    monkeypatch.setitem(sys.modules, "datafusion", None)
    with pytest.raises(NotLowered, match="not installed") as caught:
        lower(SqlFragment("SELECT 12345 AS a"), Inputs({}), world.inspector.describe)
    assert caught.value.hint is not None
    assert "luma-bench[scale]" in caught.value.hint


def test_constants_keep_the_types_of_their_columns(world: World) -> None:
    text = "SELECT typeof(q.x + b::TINYINT) AS a, typeof(q.y) AS c FROM t, (SELECT 1 AS x, 'z' AS y) q"
    assert rows_of(world.lowered(text), ordered=False) == rows_of(world.wanted(text), ordered=False)
