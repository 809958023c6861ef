"""The point engine gives what the embedded engine gives, types and names included, or leaves the query to it."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import luma_bench as lb

NOW = dt.datetime(2024, 5, 1, 12, 30, 15, 250_000)
AWARE = NOW.replace(tzinfo=dt.UTC)
KEYS: dict[str, tuple[pa.DataType, list[Any]]] = {
    "i8": (pa.int8(), [1, -5]), "i32": (pa.int32(), [4, -1]), "i64": (pa.int64(), [2**63 - 1, 3]),
    "u64": (pa.uint64(), [2**64 - 1, 3]), "f32": (pa.float32(), [1.5, -0.0]), "f64": (pa.float64(), [float("nan"), 0.1]),
    "b": (pa.bool_(), [True, False]), "s": (pa.string(), ["a", "it's é"]), "ls": (pa.large_string(), ["a", ""]),
    "sv": (pa.string_view(), ["a", "b"]), "few": (pa.dictionary(pa.int8(), pa.string()), ["a", "b"]),
    "bin": (pa.binary(), [b"a", b"\0"]), "day": (pa.date32(), [dt.date(2024, 1, 1), dt.date(1, 1, 1)]),
    "us": (pa.timestamp("us"), [NOW, dt.datetime(1, 1, 1)]), "tz": (pa.timestamp("us", "Europe/Oslo"), [AWARE, AWARE + dt.timedelta(1)]),
}  # fmt: skip
OTHERS: dict[str, tuple[pa.DataType, list[Any]]] = {
    "fb": (pa.binary(2), [b"ab", None]), "d9": (pa.decimal32(9, 2), [Decimal("1.50"), None]),
    "d38": (pa.decimal128(38, 3), [Decimal("-1.250"), None]), "ns": (pa.timestamp("ns"), [NOW, None]),
    "t32": (pa.time32("s"), [dt.time(1, 2, 3), None]), "t64": (pa.time64("us"), [dt.time(1, 2, 3, 4), None]),
    "list": (pa.list_(pa.int64()), [[1, 2], None]), "map": (pa.map_(pa.string(), pa.int32()), [[("k", 1)], None]),
    "pair": (pa.struct([("a", pa.int32()), ("b", pa.string())]), [{"a": 1, "b": "x"}, None]),
    "vec": (pa.list_(pa.float32(), 2), [[1, 2], [3, 4]]), "Mixed": (pa.int64(), [7, None]),
}  # fmt: skip


@pytest.fixture(scope="module", params=["segment", "inline"])
def bench(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[lb.Bench]:
    inline = 0 if request.param == "segment" else 256_000
    with lb.open(tmp_path_factory.mktemp("point") / "b.luma", inline_bytes=inline) as bench:
        table = pa.table({name: pa.array(items, kind) for name, (kind, items) in (KEYS | OTHERS).items()})
        for name in KEYS:
            bench.write(f"by_{name}", table, primary_key=name)
        bench.write(
            "two",
            pa.table({"a": pa.array([1, 1, 2], pa.int32()), "B b": ["x", "y", "x"], "v": [1.0, 2.0, 3.0]}),
            primary_key=["a", "B b"],
        )
        bench.write("plain", {"id": [1, 2]})
        yield bench


def both(bench: lb.Bench, text: str, params: dict[str, object] | None = None) -> tuple[Any, Any]:
    """The answers of the router's engine and of DuckDB, which are the same."""
    ours = bench.kadeql(text, params, cache=False)
    theirs = bench.kadeql(text, params, engine="duckdb", cache=False)
    assert ours.schema.equals(theirs.schema, check_metadata=True), (ours.schema, theirs.schema)
    assert repr(ours.to_arrow().to_pylist()) == repr(theirs.to_arrow().to_pylist())
    assert theirs.run.engine == "duckdb"
    return ours, theirs


@pytest.mark.parametrize("key", KEYS)
def test_every_key_type_and_every_column(bench: lb.Bench, key: str) -> None:
    chosen = ", ".join(f'"{name}"' for name in KEYS | OTHERS)
    for value in KEYS[key][1]:
        for columns in (chosen, "*"):
            ours, _ = both(bench, f"SELECT {columns} FROM by_{key} WHERE {key} = $k", {"k": value})
            assert ours.run.engine == "point", ours.run.reason
            assert ours.run.reason == "equality on the primary key"
            assert (len(ours), ours.run.rows_read) == (1, 1)


TEXTS = [
    "SELECT i64 FROM by_i32 WHERE i32 = 4",
    "select I64, S from BY_I32 where I32 = 4",
    "SELECT by_i32.i64, s AS name FROM by_i32 WHERE by_i32.i32 = -1 LIMIT 1",
    "SELECT x.i64 FROM by_i32 AS x WHERE x.i32 = 4;",
    "SELECT x.i64 FROM by_i32 x WHERE 4 = x.i32 -- a comment",
    'SELECT "Mixed" FROM "by_i32" WHERE "i32" = 4 LIMIT 0',
    "SELECT mixed FROM by_i32 WHERE i32 = 99",
    "SELECT i64 FROM by_i8 WHERE i8 = 300",
    "SELECT i64 FROM by_i8 WHERE i8 = -129",
    "SELECT i64 FROM by_u64 WHERE u64 = 18446744073709551615",
    "SELECT i64 FROM by_u64 WHERE u64 = -1",
    "SELECT i64 FROM by_s WHERE s = 'it''s é'",
    "SELECT i64 FROM by_s WHERE s = 'none'",
    "SELECT i64 FROM by_b WHERE b = TRUE",
    "SELECT v FROM two WHERE a = 1 AND \"B b\" = 'y'",
    "SELECT * FROM two WHERE \"B b\" = 'x' AND a = 2",
]


@pytest.mark.parametrize("text", TEXTS)
def test_texts_that_are_look_ups(bench: lb.Bench, text: str) -> None:
    ours, _ = both(bench, text)
    assert ours.run.engine == "point"


@pytest.mark.parametrize(
    ("text", "params"),
    [
        ("SELECT i64 FROM by_i32 WHERE i32 = 4 OR i32 = -1", {}),
        ("SELECT i64 FROM by_i32 WHERE i32 = 4 AND i64 = 3", {}),
        ("SELECT i64 + 1 FROM by_i32 WHERE i32 = 4", {}),
        ("SELECT count(*) FROM by_i32 WHERE i32 = 4", {}),
        ("SELECT i64 FROM by_i32 WHERE i32 >= 4", {}),
        ("SELECT i64 FROM by_i32 WHERE i32 = 4.0", {}),
        ("SELECT i64 FROM by_i32 WHERE i32 = '4'", {}),
        ("SELECT i64 FROM by_i32 WHERE i32 = $k", {"k": 4.0}),
        ("SELECT i64 FROM by_i32 WHERE i32 = $k", {"k": True}),
        ("SELECT i64 FROM by_i32 WHERE i32 = $k", {"k": None}),
        ("SELECT i64 FROM by_day WHERE day = '2024-01-01'", {}),
        ("SELECT i64 FROM by_day WHERE day = $k", {"k": dt.datetime(2024, 1, 1)}),
        ("SELECT i64 FROM by_us WHERE us = $k", {"k": dt.date(1, 1, 1)}),
        ("SELECT i64 FROM by_f64 WHERE f64 = 0.1", {}),
        ("SELECT DISTINCT i64 FROM by_i32 WHERE i32 = 4", {}),
        ("SELECT i64 FROM by_i32 WHERE i32 = 4 ORDER BY i64", {}),
        ("SELECT i64 FROM by_i32 WHERE i32 = 4 LIMIT 1 OFFSET 1", {}),
        ("SELECT i64 FROM by_i32 WHERE NOT i32 = 4", {}),
        ("SELECT i64 AS i32 FROM by_i32 WHERE i32 = 4", {}),
        ("SELECT * EXCLUDE (i64) FROM two, by_i32 WHERE i32 = 4", {}),
        ("SELECT v FROM two WHERE a = 1", {}),
        ("SELECT v FROM two WHERE a = 1 AND a = 1", {}),
        ("SELECT id FROM plain WHERE id = 1", {}),
        ("SELECT _rowid, i64 FROM by_i32 WHERE i32 = 4", {}),
        ("WITH t AS (SELECT 1) SELECT i64 FROM by_i32 WHERE i32 = 4", {}),
        ("SELECT i64 FROM by_i32 WHERE i32 = 4 UNION ALL SELECT 1", {}),
        ("FROM by_i32 SELECT i64 WHERE i32 = 4", {}),
        ("SELECT i64 FROM main.by_i32 WHERE i32 = 4", {}),
        ("SELECT current_date FROM by_i32 WHERE i32 = 4", {}),
        ("SELECT i64 FROM by_s WHERE s = E'a'", {}),
        ("SELECT i64 FROM by_s WHERE s = $$a$$", {}),
        ("SELECT i64 FROM by_s WHERE s = 'a' 'b'", {}),
        ("SELECT i64 FROM by_i32 WHERE i32 = 4::INTEGER", {}),
        ("SELECT i64 FROM by_i32 WHERE (i32 = 4)", {}),
        ("SELECT i64 FROM by_i64 WHERE i64 = 1_000", {}),
    ],
)
def test_other_texts_are_left_to_the_embedded_engine(
    bench: lb.Bench, text: str, params: dict[str, object]
) -> None:
    try:
        ran = bench.kadeql(text, params, cache=False)
    except lb.errors.KadeQLError:
        with pytest.raises(lb.errors.KadeQLError):
            bench.kadeql(text, params, engine="duckdb", cache=False)
    else:
        assert ran.run.engine == "duckdb"
    with pytest.raises((lb.errors.UnsupportedError, lb.errors.KadeQLError)):
        bench.kadeql(text, params, engine="point", strict=True, cache=False)


def test_why_point_was_not_taken(bench: lb.Bench) -> None:
    with pytest.raises(
        lb.errors.UnsupportedError, match="engine='point' cannot run this: table 'plain' has no primary key"
    ):
        bench.kadeql("SELECT id FROM plain WHERE id = 1", engine="point", strict=True)
    loose = bench.kadeql("SELECT id FROM plain WHERE id = 1", engine="point")
    assert loose.run.engine == "duckdb"
    assert loose.run.fallbacks == (
        "point was asked for and not used: table 'plain' has no primary key; duckdb ran it",
    )


def test_point_by_name(bench: lb.Bench) -> None:
    found = bench.kadeql("SELECT s FROM by_i32 WHERE i32 = 4", engine="point", strict=True)
    assert (found.run.engine, found.run.reason) == ("point", "as asked")
    assert found.to_arrow().to_pylist() == [{"s": "a"}]


def test_a_frame_hides_the_table_of_its_name(bench: lb.Bench) -> None:
    found = bench.kadeql(
        "SELECT s FROM by_i32 WHERE i32 = 4", tables={"by_i32": pa.table({"i32": [4], "s": ["mine"]})}
    )
    assert (found.run.engine, found.to_arrow()["s"].to_pylist()) == ("duckdb", ["mine"])


def test_numpy_and_arrow_parameters(bench: lb.Bench) -> None:
    for value in (np.int64(4), pa.scalar(4)):
        ours, _ = both(bench, "SELECT s FROM by_i32 WHERE i32 = $k", {"k": value})
        assert ours.run.engine == "point"


def test_the_result_cache_answers_the_second_time(bench: lb.Bench) -> None:
    text = "SELECT s, i64 FROM by_i32 WHERE i32 = $k"
    assert not bench.kadeql(text, {"k": 4}).run.cached
    again = bench.kadeql(text, {"k": 4})
    assert (again.run.cached, again.run.engine) == (True, "point")


def test_explain_names_the_engine_and_the_key(bench: lb.Bench) -> None:
    query = "SELECT s FROM by_i32 WHERE i32 = $k"
    told = bench.kadeql(f"EXPLAIN {query}", {"k": 4}).to_arrow()["explain_value"].to_pylist()
    assert told[0].startswith("engine     point: equality on the primary key")
    assert "KEY_LOOKUP" in told[1]
    assert "Key: i32 = $k" in told[1]
    ran = bench.kadeql(f"EXPLAIN ANALYZE {query}", {"k": 4}).to_arrow()["explain_value"].to_pylist()
    assert "1 rows read" in ran[0]
    shown = bench.kadeql(f"EXPLAIN (FORMAT JSON) {query}", {"k": 4}).to_arrow()["explain_value"][0].as_py()
    assert json.loads(shown)["plan"]["operator"] == "KEY_LOOKUP"
    assert "KEY_LOOKUP" in bench.kadeql(query, {"k": 4}, cache=False).explain()


def test_history_and_changes(tmp_path: Path) -> None:
    with lb.open(tmp_path / "b.luma") as bench:
        first = bench.write("t", {"id": [1, 2], "v": ["a", "b"]}, primary_key="id")
        bench.write("t", {"id": [2, 3], "v": ["B", "c"]}, mode="upsert")
        text = "SELECT v FROM t WHERE id = $k"
        answers = [bench.kadeql(text, {"k": k}).to_arrow()["v"].to_pylist() for k in (1, 2, 3, 4)]
        assert answers == [["a"], ["B"], ["c"], []]
        past = bench.at(first.id)
        assert past.kadeql(text, {"k": 2}).to_arrow()["v"].to_pylist() == ["b"]
        assert past.kadeql(text, {"k": 2}).run.engine == "point"
        pinned = bench.kadeql(f"SELECT v FROM t AT (VERSION => {first.id}) WHERE id = 3")
        assert len(pinned) == 0
        bench.write("t", {"id": ["x"], "w": [1]}, mode="replace", primary_key="id")
        assert bench.kadeql("SELECT w FROM t WHERE id = $k", {"k": "x"}).to_arrow()["w"].to_pylist() == [1]
        with pytest.raises(lb.errors.KadeQLBindError):
            bench.kadeql(text, {"k": "x"})


def test_an_id_of_uuids(tmp_path: Path) -> None:
    ids = [uuid.UUID(int=i) for i in range(3)]
    stored = pa.ExtensionArray.from_storage(pa.uuid(), pa.array([one.bytes for one in ids], pa.binary(16)))
    with lb.open(tmp_path / "b.luma") as bench:
        bench.write("t", pa.table({"id": stored, "n": [0, 1, 2]}), primary_key="id")
        ours, _ = both(bench, "SELECT n FROM t WHERE id = $k", {"k": ids[1]})
        assert (ours.run.engine, ours.to_arrow()["n"].to_pylist()) == ("point", [1])
