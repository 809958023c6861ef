"""Keys and properties of every type that a bench stores, and names of every kind, in graph statements."""

from __future__ import annotations

import datetime as dt
import decimal
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from graph_statement_cases import bag, rows
from oracle_cases import planned

import luma_bench as lb
from luma_bench.errors import KadeQLBindError, LumaError

UTC = dt.UTC
KEYS: dict[str, tuple[str, list[Any]]] = {
    "tinyint": ("TINYINT", [-1, 2, 3]),
    "ubigint": ("UBIGINT", [1, 2, 2**63 + 5]),
    "hugeint": ("HUGEINT", [1, -2, 2**80]),
    "double": ("DOUBLE", [1.5, -2.25, 3.0]),
    "decimal4": ("DECIMAL(4, 1)", [decimal.Decimal(text) for text in ("1.5", "-2.5", "3")]),
    "decimal12": ("DECIMAL(12, 3)", [decimal.Decimal(text) for text in ("1.5", "-2.25", "3")]),
    "decimal30": ("DECIMAL(30, 3)", [decimal.Decimal(text) for text in ("1.5", "-2.25", "4e20")]),
    "boolean": ("BOOLEAN", [True, False]),
    "date": ("DATE", [dt.date(2020, 1, day) for day in (1, 2, 3)]),
    "timestamp": ("TIMESTAMP", [dt.datetime(2020, 1, day, 3, 4, 5, 678) for day in (1, 2, 3)]),
    "timestamp_s": ("TIMESTAMP_S", [dt.datetime(2020, 1, day, 3, 4, 5) for day in (1, 2, 3)]),
    "timestamptz": ("TIMESTAMPTZ", [dt.datetime(2020, 1, day, 3, tzinfo=UTC) for day in (1, 2, 3)]),
    "time": ("TIME", [dt.time(hour, 1, 2) for hour in (1, 2, 3)]),
    "uuid": ("UUID", [uuid.UUID(int=at + 7) for at in range(3)]),
    "varchar": ("VARCHAR", ["a", "é'q\"", "\U0001f600"]),
    "blob": ("BLOB", [b"\0", b"a", b"\xff"]),
    "enum": ("ENUM('red', 'green', 'a b')", ["red", "green", "a b"]),
}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[lb.Bench]:
    with lb.open(tmp_path_factory.mktemp("types") / "b.luma") as opened:
        yield opened


@pytest.mark.parametrize("kind", KEYS)
def test_keys_of_every_type(bench: lb.Bench, kind: str) -> None:
    type_, values = KEYS[kind]
    v, e, g = f"v_{kind}", f"e_{kind}", f"g_{kind}"
    bench.kadeql(
        f"CREATE TABLE {v} (k {type_}, n INTEGER); CREATE TABLE {e} (s {type_}, d {type_}, w INTEGER)"
    )
    for at, value in enumerate(values):
        bench.kadeql(f"INSERT INTO {v} VALUES ($value, {at})", params={"value": value})
    bench.kadeql(
        f"INSERT INTO {v} VALUES (NULL, 99); INSERT INTO {e} SELECT x.k, y.k, x.n FROM {v} x, {v} y WHERE y.n = x.n + 1; "
        f"INSERT INTO {e} VALUES (NULL, NULL, 9); INSERT INTO {e} SELECT k, NULL, 9 FROM {v}; "
        f"CREATE PROPERTY GRAPH {g} VERTEX TABLES ({v} KEY (k)) EDGE TABLES ({e} SOURCE KEY (s) REFERENCES {v} (k) "
        f"DESTINATION KEY (d) REFERENCES {v} (k))"
    )
    steps = f"SELECT x.k, y.k AS d, x.n FROM {e} JOIN {v} x ON s = x.k JOIN {v} y ON d = y.k"
    expected = bag(bench, steps)
    assert len(expected) == len(values) - 1
    stored = bench.kadeql(f"SELECT k FROM {v}").to_arrow().schema.field(0).type
    first = {"params": {"k": values[0]}, "cache": False}
    for plan in ("csr", "sql"):
        with planned(bench, plan):  # pyright: ignore[reportArgumentType]
            text = f"MATCH (x)-[]->(y) ON GRAPH {g} RETURN x.k, y.k AS d, x.n"
            assert bag(bench, text, cache=False) == expected
            assert bench.kadeql(text, cache=False).to_arrow().schema.field(0).type == stored
            inside = f"MATCH (x WHERE x.k = $k)-[]->(y) ON GRAPH {g} RETURN y.n"
            around = f"SELECT n FROM (MATCH (x)-[]->(y) ON GRAPH {g} RETURN x.k AS k, y.n AS n) WHERE k = $k"
            assert rows(bench, inside, **first) == rows(bench, around, **first) == [(1,)]
            path = f"MATCH p = ANY SHORTEST (x {{n: 0}})-[r]->+(y) ON GRAPH {g} RETURN nodes(p), x, y, r.d, path_length(p)"
            assert sorted(row[4] for row in rows(bench, path, cache=False)) == list(range(1, len(values)))
            for nodes, start, end, inner, _ in rows(bench, path, cache=False):
                assert [start, *inner] == nodes
                assert nodes[-1] == end
    assert bag(
        bench, f"SELECT id, depth FROM BFS(GRAPH {g}, source => $k)", params={"k": values[0]}
    ) == sorted(
        ((row[0], row[1]) for row in rows(bench, f"SELECT k, n FROM {v} WHERE k IS NOT NULL")), key=repr
    )


def test_what_cannot_be_a_key_is_refused(bench: lb.Bench) -> None:
    bench.kadeql("CREATE TABLE odd (k INTEGER[], i STRUCT(a INTEGER), n INTERVAL)")
    for name in ("k", "i", "n"):
        with pytest.raises(LumaError, match="key"):
            bench.kadeql(
                f"CREATE OR REPLACE PROPERTY GRAPH odd_graph VERTEX TABLES (odd KEY ({name})); MATCH (x) ON GRAPH odd_graph RETURN x"
            )
    bench.kadeql("DROP PROPERTY GRAPH IF EXISTS odd_graph")


NAMES = """
CREATE TABLE "my ""odd"" pläce" ("the key" INTEGER PRIMARY KEY, "select" VARCHAR, "a.b" INTEGER, "Größe" DOUBLE,
    nest STRUCT(q INTEGER, l VARCHAR[]), lst INTEGER[], mp MAP(VARCHAR, INTEGER));
CREATE TABLE "e'dges" ("from" INTEGER, "to" INTEGER, "order" VARCHAR, nest STRUCT(q INTEGER));
INSERT INTO "my ""odd"" pläce" SELECT i, 'n' || i, i * 10, i / 2, {'q': i, 'l': ['x', 'y' || i]}, [i, NULL], MAP {'k': i}
    FROM range(4) t(i);
INSERT INTO "e'dges" SELECT i, (i + 1) % 4, 'o' || i, {'q': i} FROM range(4) t(i);
CREATE PROPERTY GRAPH "my graph" VERTEX TABLES ("my ""odd"" pläce" LABEL "l x" LABEL "group") EDGE TABLES (
    "e'dges" SOURCE KEY ("from") REFERENCES "my ""odd"" pläce" DESTINATION KEY ("to") REFERENCES "my ""odd"" pläce" LABEL "where")
"""
NAMED = {
    """MATCH ("x y":"l x" {"select": 'n1'})-[e:"where"]->("from":"group") RETURN "x y"."the key", "from"."Größe", e."order" """: [
        (1, 1.0, "o1")
    ],
    """MATCH ("x y")-[]->("from") WHERE "x y"."a.b" > "from"."a.b" RETURN "x y"."a.b", "from"."a.b" AS "a ""b" """: [
        (30, 0)
    ],
    """MATCH (größe {"the key": 0})-[É]->{2}(名) RETURN größe."the key", 名."select", É."order" """: [
        (0, "n2", ["o0", "o1"])
    ],
    "MATCH (x WHERE x.nest.q = 2)-[e WHERE e.nest.q = 2]->(y) RETURN x.nest, y.lst, y.mp, x.nest.l[2] AS z, label(x)": [
        ({"q": 2, "l": ["x", "y2"]}, [3, None], [("k", 3)], "y2", "l x")
    ],
    "MATCH (x {nest: {'q': 1, 'l': ['x', 'y1']}})-[e]->{1,2}(y) RETURN x, e.nest, y.mp['k'] AS k ORDER BY k": [
        (1, [{"q": 1}], 2),
        (1, [{"q": 1}, {"q": 2}], 3),
    ],
    "MATCH (x)-[]->(y) WHERE x.nest.q + y.nest.q = 3 RETURN x.lst[1] AS one, len(y.lst) AS n ORDER BY one": [(1, 2), (3, 2)],
    "MATCH (x)-[]->(X) RETURN count(*)": [(0,)],
    """SELECT "ä b" FROM GRAPH_TABLE ("my graph" MATCH (a)-[b:"where"]->() COLUMNS (b."order" AS "ä b")) ORDER BY 1 LIMIT 1""": [
        ("o0",)
    ],
}  # fmt: skip


def test_names_and_nested_values(tmp_path: Path) -> None:
    with lb.open(tmp_path / "names.luma") as bench:
        bench.kadeql(NAMES)
        for plan in ("csr", "sql"):
            with planned(bench, plan):  # pyright: ignore[reportArgumentType]
                for text, expected in NAMED.items():
                    assert rows(bench, text, cache=False) == expected, text


MIXED = """
CREATE TABLE people (id INTEGER PRIMARY KEY, name VARCHAR, age SMALLINT, since DATE);
CREATE TABLE firms (code VARCHAR PRIMARY KEY, name VARCHAR, age DOUBLE, since TIMESTAMP);
CREATE TABLE sites (a INTEGER, b VARCHAR, name VARCHAR, age VARCHAR, PRIMARY KEY (a, b));
CREATE TABLE works (p INTEGER, f VARCHAR, since DATE);
CREATE TABLE knows (p INTEGER, q INTEGER, since INTEGER);
CREATE TABLE located (f VARCHAR, a INTEGER, b VARCHAR);
INSERT INTO people VALUES (1, 'ann', 30, '2020-01-01'), (2, 'bob', NULL, '2020-01-02'), (3, 'cy', 7, NULL);
INSERT INTO firms VALUES ('1', 'acme', 1.5, '2020-01-01 10:00:00'), ('x', 'x', NULL, NULL);
INSERT INTO sites VALUES (1, 'a', 's1', 'old'), (1, 'b', 's2', NULL), (2, 'c', 's3', 'n');
INSERT INTO works VALUES (1, '1', '2001-01-01'), (2, 'x', NULL), (2, '1', NULL), (9, '1', NULL), (NULL, '1', NULL);
INSERT INTO knows VALUES (1, 2, 5), (2, 1, NULL), (3, 3, 1);
INSERT INTO located VALUES ('1', 1, 'a'), ('1', 1, 'b'), ('x', 2, 'c'), ('x', 2, NULL), (NULL, NULL, NULL);
CREATE PROPERTY GRAPH m VERTEX TABLES (people LABEL person, firms LABEL firm, sites) EDGE TABLES (
    works SOURCE KEY (p) REFERENCES people DESTINATION KEY (f) REFERENCES firms,
    knows SOURCE KEY (p) REFERENCES people DESTINATION KEY (q) REFERENCES people,
    located SOURCE KEY (f) REFERENCES firms DESTINATION KEY (a, b) REFERENCES sites)
"""


def test_tables_whose_keys_and_properties_differ(tmp_path: Path) -> None:
    with lb.open(tmp_path / "mixed.luma") as bench:
        bench.kadeql(MIXED)
        assert len(rows(bench, "MATCH (x) RETURN x")) == 8
        assert len(rows(bench, "MATCH ()-[r]->() RETURN r")) == 9
        for plan in ("auto", "csr", "sql"):
            with planned(bench, plan):  # pyright: ignore[reportArgumentType]
                where = "MATCH (x:person)-[:works]->(f)-[:located]->(s) RETURN x, f, s, s.a"
                assert bag(bench, where, cache=False)[0] == (1, "1", {"a": 1, "b": "a"}, 1)
                both = "MATCH (x:person|firm) RETURN x.name, x.age, x.since"
                assert bag(bench, both, cache=False)[:2] == [
                    ("acme", 1.5, dt.datetime(2020, 1, 1, 10)),
                    ("ann", 30.0, dt.datetime(2020, 1, 1)),
                ]
                older = "MATCH (x:person|firm WHERE x.age > 1) RETURN x.name"
                assert bag(bench, older, cache=False) == [("acme",), ("ann",), ("cy",)]
                codes = "MATCH (x:firm|sites) RETURN x.name, x.code, x.a"
                assert ("s1", None, 1) in bag(bench, codes, cache=False)
                assert rows(bench, "MATCH (x) WHERE x = x RETURN count(*)", cache=False) == [(8,)]
        # Where nothing else holds the keys of all tables, they are text.
        path = "MATCH p = ANY SHORTEST (x:person {id: 2})-[]->+(s:sites {a: 2}) RETURN nodes(p), s, x, path_length(p)"
        assert rows(bench, path) == [(["2", "x", "(2, 'c')"], {"a": 2, "b": "c"}, 2, 2)]
        group = "MATCH (x:person {id: 1})-[r]->{2}(s:sites {b: 'a'}) RETURN r.since, label(r), r"
        assert rows(bench, group) == [(["2001-01-01", None], ["works", "located"], [0, 0])]
        texts = "MATCH (x WHERE x.age::VARCHAR = 'old') RETURN x.name, x.age, x"
        assert rows(bench, texts) == [("s1", "old", "(1, 'a')")]
        assert bag(bench, "FROM BFS(GRAPH m, source => {'a': 1, 'b': 'b'})") == [("(1, 'b')", 0)]
        assert len(bag(bench, "FROM BFS(GRAPH m, source => 'x')")) == 2
        with pytest.raises(KadeQLBindError, match="2 vertices have the key"):
            bench.kadeql("FROM BFS(GRAPH m, source => '1')")


EMPTY = {
    "MATCH (x) RETURN x.*": [],
    "MATCH (x) RETURN count(*)": [(0,)],
    "MATCH (x)-[]->(y) RETURN count(*), sum(x.k), max(y.s)": [(0, None, None)],
    "MATCH p = ANY SHORTEST (x)-[]->*(y) RETURN x.l, nodes(p), edges(p)": [],
    "MATCH (x)-[r]->{0,2}(y) RETURN r.a": [],
    "MATCH (x) OPTIONAL MATCH (x)-[r]->(y) RETURN x.k, r.b": [],
    "FROM PAGERANK(GRAPH e)": [],
    "FROM DEGREES(GRAPH e)": [],
    "FROM WEAKLY_CONNECTED_COMPONENTS(GRAPH e)": [],
    "FROM STRONGLY_CONNECTED_COMPONENTS(GRAPH e)": [],
    "FROM TRIANGLES(GRAPH e)": [],
    "FROM COMMUNITIES(GRAPH e)": [],
    "FROM BETWEENNESS(GRAPH e)": [],
    "FROM K_CORE(GRAPH e)": [],
}


def test_graphs_of_nothing(tmp_path: Path) -> None:
    with lb.open(tmp_path / "empty.luma") as bench:
        bench.kadeql(
            "CREATE TABLE nothing (k INTEGER PRIMARY KEY, s VARCHAR, l INTEGER[]); CREATE TABLE lines (a INTEGER, b INTEGER); "
            "CREATE PROPERTY GRAPH e VERTEX TABLES (nothing) EDGE TABLES (lines SOURCE KEY (a) REFERENCES nothing "
            "DESTINATION KEY (b) REFERENCES nothing)"
        )
        for change in ("SELECT 1", "INSERT INTO lines VALUES (1, 1), (NULL, 2), (3, NULL)"):
            bench.kadeql(change)
            for plan in ("csr", "sql"):
                with planned(bench, plan):  # pyright: ignore[reportArgumentType]
                    for text, expected in EMPTY.items():
                        assert rows(bench, text, cache=False) == expected, text
        bench.kadeql("INSERT INTO nothing VALUES (1, 'q', [1, 2])")
        assert rows(bench, "MATCH (x)-[r]->(y) RETURN x.*, r.a, y") == [(1, "q", [1, 2], 1, 1)]
        bench.kadeql("DELETE FROM nothing")
        for text, expected in EMPTY.items():
            assert rows(bench, text) == expected, text
