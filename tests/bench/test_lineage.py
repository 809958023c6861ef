"""Lineage: the 22 TPC-H texts, every way a column can travel, and no wrong answer where the tree does not show it."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb
import pytest

import luma_bench as lb
from luma_bench.plan.lineage import Lineage, query_lineage

TPCH = {
    "region": "r_regionkey r_name r_comment", "nation": "n_nationkey n_name n_regionkey n_comment",
    "supplier": "s_suppkey s_name s_address s_nationkey s_phone s_acctbal s_comment",
    "customer": "c_custkey c_name c_address c_nationkey c_phone c_acctbal c_mktsegment c_comment",
    "part": "p_partkey p_name p_mfgr p_brand p_type p_size p_container p_retailprice p_comment",
    "partsupp": "ps_partkey ps_suppkey ps_availqty ps_supplycost ps_comment",
    "orders": "o_orderkey o_custkey o_orderstatus o_totalprice o_orderdate o_orderpriority o_clerk o_shippriority o_comment",
    "lineitem": "l_orderkey l_partkey l_suppkey l_linenumber l_quantity l_extendedprice l_discount l_tax l_returnflag "
    "l_linestatus l_shipdate l_commitdate l_receiptdate l_shipinstruct l_shipmode l_comment",
}  # fmt: skip
TABLES = {name: columns.split() for name, columns in TPCH.items()}
QUERIES = Path(__file__).parents[2] / "benchmarks" / "tpch_queries"
PRICE = "lineitem.l_extendedprice lineitem.l_discount"
# What each output column is made of; a column that is passed on under its own name is left out.
EXPECTED: dict[int, dict[str, str]] = {
    1: {"sum_qty": "lineitem.l_quantity", "sum_base_price": "lineitem.l_extendedprice", "sum_disc_price": PRICE,
        "sum_charge": f"{PRICE} lineitem.l_tax", "avg_qty": "lineitem.l_quantity", "avg_price": "lineitem.l_extendedprice",
        "avg_disc": "lineitem.l_discount", "count_order": ""},
    2: {}, 3: {"revenue": PRICE}, 4: {"order_count": ""}, 5: {"revenue": PRICE}, 6: {"revenue": PRICE},
    7: {"supp_nation": "nation.n_name", "cust_nation": "nation.n_name", "l_year": "lineitem.l_shipdate", "revenue": PRICE},
    8: {"o_year": "orders.o_orderdate", "mkt_share": f"nation.n_name {PRICE}"},
    9: {"nation": "nation.n_name", "o_year": "orders.o_orderdate",
        "sum_profit": f"{PRICE} partsupp.ps_supplycost lineitem.l_quantity"},
    10: {"revenue": PRICE}, 11: {"value": "partsupp.ps_supplycost partsupp.ps_availqty"},
    12: {"high_line_count": "orders.o_orderpriority", "low_line_count": "orders.o_orderpriority"},
    13: {"c_count": "orders.o_orderkey", "custdist": ""}, 14: {"promo_revenue": f"part.p_type {PRICE}"},
    15: {"total_revenue": PRICE}, 16: {"supplier_cnt": "partsupp.ps_suppkey"}, 17: {"avg_yearly": "lineitem.l_extendedprice"},
    18: {"sum(l_quantity)": "lineitem.l_quantity"}, 19: {"revenue": PRICE}, 20: {}, 21: {"numwait": ""},
    22: {"cntrycode": "customer.c_phone", "numcust": "", "totacctbal": "customer.c_acctbal"},
}  # fmt: skip


@pytest.fixture(scope="module")
def tpch() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as con:
        for name, columns in TABLES.items():
            typed = ", ".join(f"{column} {_type(column)}" for column in columns)
            con.execute(f"CREATE TABLE {name} ({typed})")
        yield con


def _type(column: str) -> str:
    if column.endswith("date"):
        return "DATE"
    numbers = (
        "key",
        "quantity",
        "price",
        "discount",
        "tax",
        "bal",
        "qty",
        "cost",
        "size",
        "number",
        "priority",
    )
    return "INTEGER" if column.endswith(numbers) and column != "o_orderpriority" else "VARCHAR"


@pytest.mark.parametrize("number", range(1, 23))
def test_tpch(tpch: duckdb.DuckDBPyConnection, number: int) -> None:
    text = next(QUERIES.glob(f"*{number:02d}.sql")).read_text().strip().rstrip(";")
    names = tpch.sql(text).columns
    found = query_lineage(text, TABLES, {}, names)
    assert not found.unknown
    assert [column.name for column in found.columns] == names
    owner = {column: name for name, columns in TABLES.items() for column in columns}
    for column in found.columns:
        assert not column.unknown
        expected = EXPECTED[number].get(column.name)
        expected = f"{owner[column.name]}.{column.name}" if expected is None else expected
        assert sorted(column.sources) == sorted(expected.split()), column


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[lb.Bench]:
    with lb.open(tmp_path_factory.mktemp("lineage") / "b.luma") as bench:
        bench.write("Flights", {"Origin": ["a"], "dest": ["b"], "km": [1.0], "tags": [["x"]]})
        bench.write("ports", {"code": ["a"], "city": ["A"], "km": [2.0]})
        yield bench


CASES: list[tuple[str, dict[str, str]]] = [
    ("SELECT origin FROM flights", {"Origin": "Flights.Origin"}),
    ("SELECT * FROM flights", {"Origin": "Flights.Origin", "dest": "Flights.dest", "km": "Flights.km", "tags": "Flights.tags"}),
    ("FROM flights SELECT km * 2 AS k", {"k": "Flights.km"}),
    ("SELECT 1 AS one, count(*) AS n FROM flights", {"one": "", "n": ""}),
    ("SELECT f.km + p.km AS d FROM flights f JOIN ports p ON f.origin = p.code", {"d": "Flights.km ports.km"}),
    ("WITH c AS (SELECT origin AS o, km FROM flights) SELECT upper(o) AS u FROM c", {"u": "Flights.Origin"}),
    ("SELECT o FROM (SELECT origin || dest AS o FROM flights)", {"o": "Flights.Origin Flights.dest"}),
    ("SELECT origin AS x FROM flights UNION ALL SELECT city FROM ports", {"x": "Flights.Origin ports.city"}),
    ("SELECT origin, (SELECT max(km) FROM ports p WHERE p.code = f.origin) AS m FROM flights f",
     {"Origin": "Flights.Origin", "m": "ports.km"}),
    ("SELECT km > (SELECT avg(km) FROM ports) AS far FROM flights", {"far": "Flights.km ports.km"}),
    ("SELECT EXISTS (SELECT 1 FROM ports WHERE code = origin) AS there FROM flights", {"there": ""}),
    ("SELECT sum(km) OVER (PARTITION BY origin) AS s FROM flights", {"s": "Flights.km Flights.Origin"}),
    ("SELECT CASE WHEN km > 1 THEN dest ELSE 'x' END AS c FROM flights", {"c": "Flights.km Flights.dest"}),
    ("SELECT * FROM flights AT (VERSION => 2)", {"Origin": "", "dest": "", "km": "", "tags": ""}),
    ("SELECT * EXCLUDE (tags, dest) FROM flights", {"Origin": "Flights.Origin", "km": "Flights.km"}),
    ("WITH RECURSIVE r(n, o) AS (SELECT km, origin FROM flights UNION ALL SELECT n + 1, o FROM r WHERE n < 3) SELECT * FROM r",
     {"n": "Flights.km", "o": "Flights.Origin"}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_columns_are_followed(bench: lb.Bench, text: str, expected: dict[str, str]) -> None:
    found = bench.lineage(text)
    assert not found.unknown, found
    told = {column.name.casefold(): sorted(column.sources) for column in found.columns}
    if "VERSION" in text:
        assert all(
            source.startswith("flights @VERSION 2.") for sources in told.values() for source in sources
        ), told
        return
    assert told == {name.casefold(): sorted(sources.split()) for name, sources in expected.items()}


UNKNOWN = [
    "PIVOT flights ON origin USING sum(km)",
    "SELECT * FROM range(3)",
    "SELECT COLUMNS('k.*') FROM flights",
]


@pytest.mark.parametrize("text", UNKNOWN)
def test_what_the_tree_does_not_show_is_unknown(bench: lb.Bench, text: str) -> None:
    found = bench.lineage(text)
    assert found.unknown
    assert not found.columns
    assert str(found).startswith("lineage unknown: ")


def test_a_column_alone_may_be_unknown(bench: lb.Bench) -> None:
    found = bench.lineage("SELECT origin, t.x FROM flights, unnest(tags) AS t (x)")
    assert not found.unknown
    assert found["origin"].sources == ("Flights.Origin",)
    assert not found["x"].sources
    assert "UNNEST" in found["x"].unknown


def test_changes(bench: lb.Bench) -> None:
    before = bench.snapshot
    found = bench.lineage("INSERT INTO ports (city, code) SELECT dest || origin, 'x' FROM flights")
    assert (found.target, found["city"].sources, found["code"].sources) == (
        "ports",
        ("Flights.dest", "Flights.Origin"),
        (),
    )
    found = bench.lineage("INSERT INTO ports SELECT origin, dest, km FROM flights")
    assert [(one.name, one.sources) for one in found.columns] == [
        ("code", ("Flights.Origin",)),
        ("city", ("Flights.dest",)),
        ("km", ("Flights.km",)),
    ]
    found = bench.lineage("UPDATE flights SET km = km * 2, dest = upper(origin) WHERE origin = 'a'")
    assert (found.target, found["km"].sources, found["dest"].sources) == (
        "Flights",
        ("Flights.km",),
        ("Flights.Origin",),
    )
    found = bench.lineage("CREATE TABLE far AS SELECT origin AS o, km / 2 AS half FROM flights")
    assert (found.target, found["half"].sources) == ("far", ("Flights.km",))
    assert bench.lineage("DELETE FROM flights WHERE km > 3").unknown
    assert bench.lineage("SHOW TABLES").unknown
    assert bench.snapshot == before


def test_changes_of_every_form(bench: lb.Bench) -> None:
    merge = """MERGE INTO ports USING flights ON code = origin WHEN MATCHED THEN UPDATE SET km = flights.km + ports.km
        WHEN NOT MATCHED THEN INSERT (code, km) VALUES (origin, 1)"""
    found = bench.lineage(merge)
    assert {one.name: one.sources for one in found.columns} == {
        "km": ("Flights.km", "ports.km"),
        "code": ("Flights.Origin",),
    }
    assert found["km"].transformation == "flights.km + ports.km | 1"
    by_name = bench.lineage("INSERT INTO ports BY NAME SELECT dest AS city, origin AS code FROM flights")
    assert {one.name: one.sources for one in by_name.columns} == {
        "city": ("Flights.dest",),
        "code": ("Flights.Origin",),
    }
    assert [one.name for one in bench.lineage("INSERT INTO ports VALUES ('a', 'b', 3)").columns] == [
        "code",
        "city",
        "km",
    ]
    moved = bench.lineage("UPDATE ports SET km = f.km FROM flights f WHERE f.origin = code")
    assert moved["km"].sources == ("Flights.km",)


def test_views_of_the_bench(bench: lb.Bench) -> None:
    bench.kadeql("CREATE VIEW legs AS SELECT origin AS o, km * 2 AS twice FROM flights")
    bench.kadeql("CREATE VIEW named (x, y) AS SELECT * FROM legs")
    found = bench.lineage("SELECT * FROM named")
    assert {one.name: one.sources for one in found.columns} == {
        "x": ("Flights.Origin",),
        "y": ("Flights.km",),
    }
    assert found["y"].transformation == "flights.km * 2"
    into = bench.lineage("INSERT INTO ports (km) SELECT y FROM named")
    assert into["km"].sources == ("Flights.km",)


def test_a_merge_reads_through_a_view(bench: lb.Bench) -> None:
    bench.kadeql("CREATE VIEW doubled AS SELECT origin AS o, km * 2 AS twice FROM flights")
    found = bench.lineage(
        "MERGE INTO ports USING doubled ON code = doubled.o WHEN MATCHED THEN UPDATE SET km = doubled.twice"
    )
    assert found["km"].sources == ("Flights.km",)


def test_a_whole_row_is_made_of_every_column(bench: lb.Bench) -> None:
    every = bench.lineage("SELECT * FROM flights")
    sources = tuple(source for column in every.columns for source in column.sources)
    assert bench.lineage("SELECT flights FROM flights")["flights"].sources == sources
    assert bench.lineage("SELECT to_json(f) AS j FROM flights f")["j"].sources == sources
    assert bench.lineage("SELECT x FROM (SELECT km, 1 AS one FROM flights) x")["x"].sources == ("Flights.km",)


def test_what_writes_or_reads_no_columns_says_so_and_nothing_else(
    bench: lb.Bench, tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    for text in (
        "EXPLAIN SELECT km FROM flights",
        "PREPARE p AS SELECT km FROM flights",
        "EXECUTE p",
        "BEGIN",
    ):
        assert "writes no columns" in bench.lineage(text).unknown
    (tmp_path / "f.csv").write_text("x\n1\n")
    with lb.open(tmp_path / "files.luma", files=[tmp_path]) as reading:
        assert "reads files" in reading.lineage(f"SELECT x FROM '{tmp_path}/f.csv'").unknown
    assert not caplog.records
    assert capfd.readouterr() == ("", "")


def test_errors_are_the_texts_own(bench: lb.Bench) -> None:
    for text in ("SELECT nothing FROM flights", "SELECT * FROM nowhere", "SELEC 1"):
        with pytest.raises(lb.errors.KadeQLError):
            bench.lineage(text)
    with pytest.raises(lb.errors.KadeQLUnsupportedError, match="one statement"):
        bench.lineage("SELECT 1; SELECT 2")


def test_it_is_shown(bench: lb.Bench) -> None:
    found = bench.lineage("SELECT origin, sum(km) AS far, count(*) AS n FROM flights GROUP BY origin")
    assert str(found).splitlines() == [
        "lineage (best effort)",
        "column  from            made by",
        "Origin  Flights.Origin  origin",
        "far     Flights.km      SUM(flights.km)",
        "n       (no column)     COUNT(*)",
    ]
    assert "<td>Flights.km</td>" in found._repr_html_()
    with pytest.raises(KeyError):
        found["nothing"]


def test_names_that_the_tree_reads_otherwise_give_no_answer() -> None:
    tables: dict[str, Sequence[str]] = {"t": ["a", "b"]}
    assert query_lineage("SELECT * FROM t", tables, {}, ["a"]).unknown
    assert query_lineage("SELECT a, b FROM t", tables, {}, ["b", "a"]).unknown
    assert query_lineage("SELECT a FROM t, nowhere", tables, {}, ["a"]).unknown == ""
    assert query_lineage("SELECT c FROM t", tables, {}, ["c"]).unknown


def test_recursion_is_followed_around() -> None:
    text = "WITH RECURSIVE r(a, b, c) AS (SELECT a, b, c FROM t UNION ALL SELECT b, c, a FROM r WHERE a < 3) SELECT a FROM r"
    found = query_lineage(text, {"t": ["a", "b", "c"]}, {}, ["a"])
    assert sorted(found["a"].sources) == ["t.a", "t.b", "t.c"]


def test_views_are_followed() -> None:
    tables: dict[str, Sequence[str]] = {"t": ["a", "b"]}
    views = {"v": ("SELECT a + b AS s, b FROM t", ()), "w": ("SELECT s, b FROM v", ("x", "y"))}
    found = query_lineage("SELECT x, y FROM w", tables, views, ["x", "y"])
    assert [one.sources for one in found.columns] == [("t.a", "t.b"), ("t.b",)]


def test_no_source_is_missing() -> None:
    """Where changing a stored column changes an output column, the lineage names it: against DuckDB itself."""
    rng = random.Random(5)
    tables = {"t": ["a", "b", "c"], "u": ["a", "d"]}
    atoms = [
        "t.a",
        "b",
        "c",
        "t.a + b",
        "b * c",
        "abs(c)",
        "u.d",
        "u.a - t.a",
        "u.d + c",
        "7",
        "coalesce(b, u.d)",
    ]
    for _ in range(60):
        chosen = [f"{rng.choice(atoms)} AS o{i}" for i in range(rng.randint(1, 4))]
        inner = f"SELECT {', '.join(chosen)} FROM t, u"
        outer = rng.choice([
            inner,
            f"SELECT o0 AS o0, o0 + 1 AS p FROM ({inner})",
            f"WITH w AS ({inner}) SELECT sum(o0) AS s, max(o0) AS m FROM w",
            f"SELECT o0 AS b, b + 1 AS e FROM ({inner}), (SELECT b FROM t)",
            f"SELECT o0 FROM ({inner}) UNION ALL SELECT d FROM u",
        ])  # fmt: skip
        with duckdb.connect() as con:
            con.execute("CREATE TABLE t AS SELECT 11 AS a, 23 AS b, 37 AS c")
            con.execute("CREATE TABLE u AS SELECT 53 AS a, 71 AS d")
            names = con.sql(outer).columns
            found: Lineage = query_lineage(outer, tables, {}, names)
            assert not found.unknown, (outer, found)
            before = list(zip(*con.execute(outer).fetchall(), strict=True))
            for table, columns in tables.items():
                for column in columns:
                    con.execute(f"UPDATE {table} SET {column} = {column} + 1000")
                    after = list(zip(*con.execute(outer).fetchall(), strict=True))
                    con.execute(f"UPDATE {table} SET {column} = {column} - 1000")
                    for place, told in enumerate(found.columns):
                        if before[place] != after[place]:
                            assert f"{table}.{column}" in told.sources, (outer, told)
