"""ASOF JOIN in whole statements against looking at every pair of rows; what it says, holds, and refuses."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from asof_oracle import one_by_one
from series_inputs import KEY_TYPES, fill, open_bench, table_of

import luma_bench as lb
from luma_bench.bench import island_relation
from luma_bench.bench.series import asof as asof_module
from luma_bench.bench.series import sides as sides_module
from luma_bench.errors import CancelledError, KadeQLBindError, ResourceError
from luma_bench.models.control import Control
from luma_bench.models.series.asof import Way
from luma_bench.models.series.runs import Runs

SMALL = {"inline_bytes": 500, "shard_rows": 64, "chunk_rows": 16, "key_chunk_rows": 8}


def rows_in_order(bench: lb.Bench, name: str) -> list[dict[str, Any]]:
    return bench.kadeql(f"SELECT * FROM {name}").to_arrow().to_pylist()


def wanted(
    left: list[Any], right: list[Any], keys: list[str], operator: str, way: Way, outer: bool, ns: int
) -> list[Any]:
    """(left n, right n) by looking at every pair; times as integers in units of ns nanoseconds."""
    found: list[Any] = []
    numbers = [(tuple(row[key] for key in keys), row["ticks"], row["n"]) for row in right]
    for row in left:
        key, match = tuple(row[name] for name in keys), -1
        if row["ticks"] is not None and None not in key:
            near = [(there, n) for other, there, n in numbers if other == key and there is not None]
            rows = one_by_one([(0, row["ticks"])], [(0, there) for there, _ in near], way)
            match = near[rows[0]][1] if rows[0] >= 0 else -1
        if match >= 0 or outer:
            found.append((row["n"], None if match < 0 else match))
    return found


@pytest.mark.parametrize("seed", range(10))
def test_statements_answer_as_every_pair_does(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(seed)
    if seed % 2:
        monkeypatch.setattr(sides_module, "_SMALL", 0)
    kinds = rng.sample(KEY_TYPES[:5] + KEY_TYPES[6:], rng.randrange(0, 3))
    keys = [f"k{at}" for at in range(len(kinds))]
    units = rng.choice([("us", "us"), ("ns", "ns"), ("s", "ms"), ("us", "s")])
    with open_bench(tmp_path / "b.luma", **SMALL) as bench:
        for name, unit in zip(("l", "r"), units, strict=True):
            layout = {}
            if rng.random() < 0.4 and keys:
                layout = {"time_column": "ts", "series_key": keys}
            tables = [
                table_of(rng, rng.randrange(0, 90), first, kinds, ordered=rng.random() < 0.5, nulls=rng.choice([0.0, 0.1]), unit=unit)
                for first in (0, 100, 200)
            ]  # fmt: skip
            fill(bench, name, tables, **layout)
            if rng.random() < 0.5:
                bench.kadeql(f"DELETE FROM {name} WHERE n % 7 = {rng.randrange(7)}")
        scale = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
        sides: list[list[dict[str, Any]]] = []
        for name, unit in zip(("l", "r"), units, strict=True):
            table = bench.kadeql(f"SELECT * FROM {name}").to_arrow()
            ticks = table["ts"].cast(pa.int64()).to_pylist()
            rows = table.drop_columns(["ts"]).to_pylist()
            sides.append(
                [
                    row | {"ticks": None if at is None else at * scale[unit]}
                    for row, at in zip(rows, ticks, strict=True)
                ]
            )
        for _ in range(6):
            operator = rng.choice([">=", ">", "<=", "<"])
            nearest = rng.random() < 0.3
            direction: Any = "nearest" if nearest else "backward" if operator[0] == ">" else "forward"
            length = rng.choice([None, 0, 3, 40])
            reach = None if length is None else length * scale[rng.choice(units)]
            outer = rng.random() < 0.5
            clause = " AND ".join([*(f"l.{key} = r.{key}" for key in keys), f"l.ts {operator} r.ts"])
            options = ("" if reach is None else f" TOLERANCE '{reach}ns'") + (
                " DIRECTION NEAREST" if nearest else ""
            )
            part = rng.random() < 0.3
            from_left = "(SELECT * FROM l WHERE n % 3 > 0 ORDER BY n) l" if part else "l"
            text = f"SELECT l.n, r.n AS m FROM {from_left} ASOF {'LEFT ' * outer}JOIN r ON {clause}{options}"
            got = bench.kadeql(text, cache=False).to_arrow()
            left = (
                sorted((row for row in sides[0] if row["n"] % 3), key=lambda row: row["n"])
                if part
                else sides[0]
            )
            told = wanted(left, sides[1], keys, operator, Way(direction, len(operator) == 1, reach), outer, 1)
            assert list(zip(got["n"].to_pylist(), got["m"].to_pylist(), strict=True)) == told, text


@pytest.mark.parametrize("operator", [">=", ">", "<=", "<"])
def test_the_engine_joins_a_tree_the_same_way(tmp_path: Path, operator: str) -> None:
    """Behind a join DuckDB's own as-of join runs, over a right side without ties."""
    rng = random.Random(operator)
    kinds = [KEY_TYPES[0]]
    with open_bench(tmp_path / "b.luma", **SMALL) as bench:
        for name in ("l", "r"):
            fill(bench, name, [table_of(rng, 150, first, kinds, ordered=False, nulls=0.1, unit="us") for first in (0, 200)])  # fmt: skip
        bench.kadeql("DELETE FROM r WHERE n % 9 = 4")
        on = f"ON l.k0 = r.k0 AND l.ts {operator} r.ts"
        paired = pairs(bench, f"SELECT l.n, r.n, r.x FROM l ASOF LEFT JOIN r {on} ORDER BY 1")
        tree = f"SELECT l.n, r.n, r.x FROM l JOIN (SELECT 1 AS one) o ON o.one = 1 ASOF LEFT JOIN r {on} ORDER BY 1"
        assert "@tied" in str(bench.kadeql("EXPLAIN " + tree).to_arrow().to_pydict())
        assert repr(pairs(bench, tree)) == repr(paired)


@pytest.fixture
def ticks(tmp_path: Path) -> Any:
    with open_bench(tmp_path / "b.luma") as bench:
        times = pa.timestamp("us")
        bench.write("t", pa.table({"sym": ["a", "b", "a", None, "c"], "ts": pa.array([3, 1, 5, 2, None], times), "px": [1, 2, 3, 4, 5]}))  # fmt: skip
        bench.write("q", pa.table({"sym": ["a", "a", "b", "a", None], "ts": pa.array([1, 3, 1, 3, 2], times), "bid": ["p", "q", "r", "s", "t"]}))  # fmt: skip
        yield bench


def pairs(bench: lb.Bench, text: str) -> list[tuple[Any, ...]]:
    table = bench.kadeql(text, cache=False).to_arrow()
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


ON = "ON t.sym = q.sym AND t.ts >= q.ts"


def test_ties_take_the_last_row_in_stored_order(ticks: lb.Bench) -> None:
    assert pairs(ticks, f"SELECT px, bid FROM t ASOF JOIN q {ON}") == [(1, "s"), (2, "r"), (3, "s")]
    forward = "SELECT px, bid FROM t ASOF JOIN q ON t.sym = q.sym AND t.ts <= q.ts"
    assert pairs(ticks, forward) == [(1, "s"), (2, "r")]
    tree = f"SELECT t.px, bid FROM t JOIN t AS u ON t.px = u.px ASOF JOIN q {ON} ORDER BY 1"
    assert pairs(ticks, tree) == [(1, "s"), (2, "r"), (3, "s")]
    assert "hidden" in str(ticks.kadeql("EXPLAIN ANALYZE " + tree).to_arrow().to_pydict())


def test_rows_without_time_or_key_stay_unmatched(ticks: lb.Bench) -> None:
    found = pairs(ticks, f"SELECT px, bid FROM t ASOF LEFT JOIN q {ON}")
    assert found == [(1, "s"), (2, "r"), (3, "s"), (4, None), (5, None)]


def test_a_side_that_no_column_is_asked_of_still_goes_along(ticks: lb.Bench) -> None:
    assert pairs(ticks, f"SELECT count(*) FROM t ASOF JOIN q {ON}") == [(3,)]
    assert pairs(ticks, f"SELECT count(*) FROM t ASOF LEFT JOIN q {ON}") == [(5,)]
    assert pairs(ticks, f"SELECT count(bid) FROM t ASOF LEFT JOIN q {ON}") == [(3,)]
    assert pairs(ticks, f"SELECT sum(px) FROM t ASOF JOIN q {ON}") == [(6,)]
    assert pairs(ticks, f"SELECT px FROM t ASOF LEFT JOIN q {ON} WHERE bid IS NULL") == [(4,), (5,)]
    assert pairs(ticks, f"SELECT px, bid FROM t ASOF JOIN q {ON} LIMIT 2") == [(1, "s"), (2, "r")]


def test_one_join_may_be_read_several_times(ticks: lb.Bench) -> None:
    text = f"WITH j AS (SELECT px, bid FROM t ASOF LEFT JOIN q {ON}) SELECT a.px, b.bid FROM j a JOIN j b ON a.px = b.px ORDER BY 1"
    assert pairs(ticks, text) == [(1, "s"), (2, "r"), (3, "s"), (4, None), (5, None)]
    both = f"SELECT px FROM t ASOF JOIN q {ON} UNION ALL SELECT px FROM t ASOF JOIN q {ON}"
    assert sorted(pairs(ticks, both)) == [(1,), (1,), (2,), (2,), (3,), (3,)]


def test_columns_need_no_alias_where_only_one_side_has_them(ticks: lb.Bench) -> None:
    other = "(SELECT sym AS j, ts AS u, bid FROM q) q"
    for condition in ("sym = j AND ts >= u", "j = sym AND u <= ts"):
        assert pairs(ticks, f"SELECT px, bid FROM t ASOF JOIN {other} ON {condition}") == [
            (1, "s"),
            (2, "r"),
            (3, "s"),
        ]
    assert pairs(ticks, f"SELECT px, bid FROM t ASOF JOIN {other} ON j = sym AND u >= ts") == [
        (1, "s"),
        (2, "r"),
    ]


def test_using_gives_keys_and_time_once(ticks: lb.Bench) -> None:
    table = ticks.kadeql("SELECT * FROM t ASOF LEFT JOIN q USING (sym, ts)").to_arrow()
    assert table.column_names == ["sym", "ts", "px", "bid"]
    assert table["sym"].to_pylist() == ["a", "b", "a", None, "c"]
    assert table["bid"].to_pylist() == ["s", "r", "s", None, None]


def test_numbers_texts_and_decimals_are_joined_too(ticks: lb.Bench) -> None:
    one = "(VALUES (1, 1.5, 'b'), (4, 4.25, 'd'), (9, NULL, NULL)) a (i, f, s)"
    two = "(VALUES (0, 1.25, 'a'), (4, 4.0, 'd'), (5, 'nan'::DOUBLE, 'x')) b (i, f, s)"
    by = "SELECT a.i, b.i FROM {} ASOF LEFT JOIN {} ON {} ORDER BY 1"
    assert pairs(ticks, by.format(one, two, "a.i >= b.i")) == [(1, 0), (4, 4), (9, 5)]
    assert pairs(ticks, by.format(one, two, "a.f >= b.f")) == [(1, 0), (4, 4), (9, None)]
    assert pairs(ticks, by.format(one, two, "a.f <= b.f")) == [(1, 4), (4, 5), (9, None)]
    assert pairs(ticks, by.format(one, two, "a.s > b.s")) == [(1, 0), (4, 0), (9, None)]
    assert pairs(ticks, by.format(one, two, "a.i >= b.f")) == [(1, None), (4, 4), (9, 4)]
    assert pairs(ticks, by.format(one, two, "a.i >= b.i TOLERANCE 3")) == [(1, 0), (4, 4), (9, None)]
    assert pairs(ticks, by.format(one, two, "a.f >= b.f TOLERANCE 0.25")) == [(1, 0), (4, 4), (9, None)]


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("INTEGER", "BIGINT"),
        ("UTINYINT", "SMALLINT"),
        ("INTEGER", "DOUBLE"),
        ("DECIMAL(9, 2)", "INTEGER"),
        ("DECIMAL(9, 2)", "DECIMAL(18, 4)"),
        ("FLOAT", "DOUBLE"),
        ("DATE", "TIMESTAMP"),
        ("TIMESTAMP_S", "TIMESTAMP_NS"),
        ("TIMESTAMPTZ", "TIMESTAMPTZ"),
        ("VARCHAR", "VARCHAR"),
        ("UUID", "UUID"),
        ("BLOB", "BLOB"),
        ("BOOLEAN", "BOOLEAN"),
    ],
)
def test_keys_of_two_types_meet(ticks: lb.Bench, one: str, two: str) -> None:
    spelt = {
        "DATE": "'2024-01-0{}'",
        "TIME": "'2024-01-0{}'",
        "UUID": "'00000000-0000-0000-0000-00000000000{}'",
    }
    text = next((form for word, form in spelt.items() if one.startswith(word)), "'{}'")
    text = "{} > 1" if one == "BOOLEAN" else text
    sides = [
        "(SELECT * FROM (VALUES "
        + ", ".join(f"(({text.format(value)})::{kind}, {value})" for value in values)
        + f", (NULL, 9)) v (k, {name})) {name}"
        for kind, values, name in ((one, (1, 2), "i"), (two, (2, 1), "j"))
    ]
    found = pairs(
        ticks, f"SELECT i, j FROM {sides[0]} ASOF LEFT JOIN {sides[1]} ON i.k = j.k AND i.i >= j.j ORDER BY 1"
    )
    assert found == [(1, 1), (2, 2), (9, None)]


def test_dates_and_zones_compare_as_moments(ticks: lb.Bench) -> None:
    days = "(VALUES (DATE '2024-03-02', 1)) a (d, i)"
    moments = "(VALUES (TIMESTAMP '2024-03-01 23:00', 1), (TIMESTAMP '2024-03-02 00:00:01', 2)) b (ts, j)"
    assert pairs(ticks, f"SELECT i, j FROM {days} ASOF JOIN {moments} ON a.d >= b.ts") == [(1, 1)]
    assert pairs(ticks, f"SELECT i, j FROM {days} ASOF JOIN {moments} ON a.d <= b.ts") == [(1, 2)]
    zoned = "(SELECT '2024-03-01 00:00+00'::TIMESTAMPTZ AS ts) b"
    with pytest.raises(KadeQLBindError, match="time zone"):
        ticks.kadeql(f"SELECT * FROM {days} ASOF JOIN {zoned} ON a.d >= b.ts")


def test_what_does_not_go_together_is_told_where_it_stands(ticks: lb.Bench) -> None:
    for text, said in (
        ("SELECT * FROM t ASOF JOIN q ON t.sym = q.sym AND t.ts >= q.bid", "they do not compare"),
        ("SELECT * FROM t ASOF JOIN q ON t.px = q.bid AND t.ts >= q.ts", "they do not compare"),
        (f"SELECT * FROM t ASOF JOIN q {ON} TOLERANCE '1 month'", "has months"),
        (f"SELECT * FROM t ASOF JOIN q {ON} TOLERANCE '-1s'", "is negative"),
        ("SELECT * FROM t ASOF JOIN q ON t.sym >= q.sym TOLERANCE 2", "needs distances"),
        ("SELECT * FROM t ASOF JOIN q ON t.sym = q.sym AND t.nothing >= q.ts", "no column 'nothing'"),
        (
            "SELECT * FROM (SELECT 9007199254740993 AS i) a ASOF JOIN (SELECT 1.5::DOUBLE AS f, 2 AS x) b ON a.i = b.f AND a.i >= b.x",
            "does not fit",
        ),
    ):
        with pytest.raises(KadeQLBindError, match=said) as told:
            ticks.kadeql(text)
        assert told.value.span is not None


def test_a_query_as_a_side_is_read_once(ticks: lb.Bench) -> None:
    """Rows that may come in another order the next time are held while they are matched."""
    text = """
        SELECT l.sym, l.n, r.bid FROM (SELECT sym, max(ts) AS ts, count(*) AS n FROM t GROUP BY sym) l
        ASOF LEFT JOIN (SELECT sym, ts, any_value(bid) AS bid FROM q GROUP BY ALL) r ON l.sym = r.sym AND l.ts >= r.ts
        ORDER BY l.n DESC, l.sym NULLS LAST
    """
    found = pairs(ticks, text)
    assert [row[:2] for row in found] == [("a", 2), ("b", 1), ("c", 1), (None, 1)]
    assert found[1][2] == "r"
    assert found[0][2] in ("q", "s")


def test_explain_says_what_ran(ticks: lb.Bench) -> None:
    text = str(ticks.kadeql(f"EXPLAIN ANALYZE SELECT px, bid FROM t ASOF JOIN q {ON} TOLERANCE '1h'").to_arrow().to_pydict())  # fmt: skip
    assert "as-of by sorted runs: backward, >=, within '1h'" in text
    assert "3 matched" in text


def test_many_rows_stay_side_by_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of the two relations are of other sizes, and waits put empty ones between them."""
    monkeypatch.setattr(island_relation, "_WAIT", 0.0005)
    rng = np.random.default_rng(7)
    count = 300_000
    with open_bench(tmp_path / "b.luma") as bench:
        for name, rows in (("l", count), ("r", 400_000)):
            table = pa.table(
                {
                    "k": pa.array(rng.integers(0, 50, rows)),
                    "ts": pa.array(rng.integers(0, 10**6, rows)).cast(pa.timestamp("us")),
                    "n": pa.array(np.arange(rows)),
                    "s": pa.array(np.char.add("s", (np.arange(rows) % 1000).astype(str))),
                }
            )
            bench.write(name, table)
        on = "l.k = r.k AND l.ts >= r.ts"
        found = bench.kadeql(f"SELECT l.n, l.s, r.n AS m, r.s AS w, l.k AS a, r.k AS b, r.ts <= l.ts AS ok FROM l ASOF JOIN r ON {on}").to_arrow()  # fmt: skip
        n, m = found["n"].to_numpy(), found["m"].to_numpy()
        assert np.all(np.diff(n) > 0)
        assert found["s"].to_pylist()[::997] == [f"s{at % 1000}" for at in n[::997]]
        assert found["w"].to_pylist()[::997] == [f"s{at % 1000}" for at in m[::997]]
        assert found["a"].equals(found["b"])
        assert all(found["ok"].to_pylist())


def test_a_join_ends_soon_after_its_time(ticks: lb.Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(left: Runs, right: Runs, way: Way, control: Control, *more: Any) -> np.ndarray:
        del right, way, more
        for _ in range(1_000):
            control.check()
            time.sleep(0.01)
        return np.zeros(left.rows, np.int64)

    monkeypatch.setattr(asof_module, "matches", slow)
    begun = time.perf_counter()
    with pytest.raises(CancelledError):
        ticks.kadeql(f"SELECT px, bid FROM t ASOF JOIN q {ON}", timeout=0.1, cache=False)
    assert time.perf_counter() - begun < 5


def test_views_parameters_and_writes_take_it(ticks: lb.Bench) -> None:
    ticks.kadeql(f"CREATE VIEW v AS SELECT px, bid FROM t ASOF JOIN q {ON}")
    assert pairs(ticks, "SELECT * FROM v WHERE px > 1") == [(2, "r"), (3, "s")]
    ticks.kadeql("CREATE TABLE c AS SELECT * FROM v")
    ticks.kadeql(f"INSERT INTO c SELECT px + 10, bid FROM t ASOF JOIN q {ON}")
    assert pairs(ticks, "SELECT count(*), max(px) FROM c") == [(6, 13)]
    table = ticks.kadeql(
        f"SELECT px FROM t ASOF JOIN q {ON} TOLERANCE $far", params={"far": "1us"}
    ).to_arrow()
    assert table["px"].to_pylist() == [1, 2]
    theirs = ticks.kadeql("FROM q").to_arrow()
    table = ticks.kadeql("SELECT px, bid FROM t ASOF JOIN mine m ON t.sym = m.sym AND t.ts >= m.ts", tables={"mine": theirs}).to_arrow()  # fmt: skip
    assert table["bid"].to_pylist() == ["s", "r", "s"]


def test_what_the_left_side_needs_is_all_that_is_read_of_the_right(tmp_path: Path) -> None:
    with open_bench(tmp_path / "b.luma", chunk_rows=1_024, shard_rows=8_192) as bench:
        rows = np.arange(60_000)
        table = pa.table({"k": pa.array(rows // 6_000), "ts": pa.array(rows % 6_000 * 10**6).cast(pa.timestamp("us")), "x": pa.array(rows)})  # fmt: skip
        bench.write("t", table, time_column="ts", series_key="k")
        text = "SELECT a.x, b.x FROM t a ASOF LEFT JOIN t b ON a.k = b.k AND a.ts > b.ts WHERE a.k = 3 AND a.x < 18005"
        result = bench.kadeql(text, cache=False)
        wanted = [(18_000, None), *((x, x - 1) for x in range(18_001, 18_005))]
        assert list(zip(*(column.to_pylist() for column in result.to_arrow().columns), strict=True)) == wanted
        assert result.run.rows_read < 20_000


def test_a_join_that_does_not_fit_says_so(tmp_path: Path) -> None:
    with open_bench(tmp_path / "b.luma", memory_limit=64 << 20) as bench:
        rows = 1_500_000
        table = pa.table(
            {"ts": pa.array(np.arange(rows)).cast(pa.timestamp("us")), "x": pa.array(np.arange(rows))}
        )
        bench.write("l", table)
        with pytest.raises(ResourceError, match="join by time"):
            bench.kadeql("SELECT sum(a.x + b.x) FROM l a ASOF JOIN l b ON a.ts >= b.ts")
        assert pairs(bench, "SELECT count(*) FROM (SELECT * FROM l WHERE x < 9) a ASOF JOIN (SELECT * FROM l WHERE x < 9) b ON a.ts >= b.ts") == [(9,)]  # fmt: skip


def test_times_at_the_ends_of_what_there_is(ticks: lb.Bench) -> None:
    left = "(VALUES ('infinity'::TIMESTAMP, 1), ('-infinity'::TIMESTAMP, 2), (TIMESTAMP '2024-01-01', 3)) a (ts, i)"
    right = "(VALUES ('-infinity'::TIMESTAMP, 7), (TIMESTAMP '2023-01-01', 8), ('infinity'::TIMESTAMP, 9)) b (ts, j)"
    by = f"SELECT i, j FROM {left} ASOF LEFT JOIN {right} ON a.ts {{}} ORDER BY i"
    assert pairs(ticks, by.format(">= b.ts")) == [(1, 9), (2, 7), (3, 8)]
    assert pairs(ticks, by.format("> b.ts")) == [(1, 8), (2, None), (3, 8)]
    assert pairs(ticks, by.format("<= b.ts")) == [(1, 9), (2, 7), (3, 9)]
    assert pairs(ticks, by.format(">= b.ts TOLERANCE '366 days' DIRECTION NEAREST")) == [
        (1, 9),
        (2, 7),
        (3, 8),
    ]
