"""Every Arrow type that can be stored answers in SQL as DuckDB answers over the same Arrow data."""

from __future__ import annotations

import datetime as dt
import decimal
from collections.abc import Iterator, Mapping
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest

import luma_bench as lb
from benchmarks.agreement import same_rows
from luma_bench.storage.scan_pieces import Source

UTC, ZONE = dt.UTC, "America/New_York"
D = decimal.Decimal
NAN = float("nan")
MOMENTS = [
    dt.datetime(1969, 12, 31, 23, 59, 59, 5),
    dt.datetime(2024, 3, 10, 2, 30),
    dt.datetime(2024, 11, 3, 1, 30),
    dt.datetime(2262, 1, 1),
]
WHOLE = [moment.replace(microsecond=0) for moment in MOMENTS]

TYPES: Mapping[str, tuple[pa.DataType, list[object]]] = {
    "boolean": (pa.bool_(), [True, False]),
    "tinyint": (pa.int8(), [-128, 0, 127]),
    "smallint": (pa.int16(), [-(2**15), 7, 2**15 - 1]),
    "integer": (pa.int32(), [-(2**31), 7, 2**31 - 1]),
    "bigint": (pa.int64(), [-(2**63), 7, 2**63 - 1]),
    "utinyint": (pa.uint8(), [0, 200, 255]),
    "usmallint": (pa.uint16(), [0, 7, 2**16 - 1]),
    "uinteger": (pa.uint32(), [0, 7, 2**32 - 1]),
    "ubigint": (pa.uint64(), [0, 7, 2**64 - 1]),
    "float": (pa.float32(), [0.5, -0.0, float("inf"), NAN]),
    "double": (pa.float64(), [0.1, -0.0, float("-inf"), NAN, 5e-324]),
    "decimal_small": (pa.decimal128(4, 1), [D("-999.9"), D("0.0"), D("1.5")]),
    "decimal_large": (pa.decimal128(38, 10), [D("-9999999999999999999999999999.9999999999"), D("0.0000000001"), D("2.5")]),
    "text": (pa.string(), ["", "a", "ünï", "a\x00b", "x" * 400]),
    "large_text": (pa.large_string(), ["", "a", "ünï", "y" * 400]),
    "coded_text": (pa.dictionary(pa.int8(), pa.string()), ["a", "b", "long enough to be no inlined string"]),
    "blob": (pa.binary(), [b"", b"\x00\xff", b"z" * 100]),
    "date": (pa.date32(), [dt.date(1900, 1, 1), dt.date(1970, 1, 1), dt.date(2024, 2, 29)]),
    "time": (pa.time64("us"), [dt.time(0), dt.time(12, 30, 1, 5), dt.time(23, 59, 59, 999999)]),
    "timestamp_s": (pa.timestamp("s"), list(WHOLE)),
    "timestamp_ms": (pa.timestamp("ms"), list(WHOLE)),
    "timestamp_us": (pa.timestamp("us"), list(MOMENTS)),
    "timestamp_ns": (pa.timestamp("ns"), list(MOMENTS)),
    "timestamptz": (pa.timestamp("us", tz="UTC"), [moment.replace(tzinfo=UTC) for moment in MOMENTS]),
    "timestamptz_zone": (pa.timestamp("us", tz=ZONE), [moment.replace(tzinfo=UTC) for moment in MOMENTS]),
    "list": (pa.list_(pa.string()), [[], ["a", None], [None], ["a", "b"]]),
    "list_of_lists": (pa.list_(pa.list_(pa.int32())), [[], [[1], None, []], [[2, 3]]]),
    "vector": (pa.list_(pa.float32(), 3), [[1.0, 2.0, 3.0], [0.0, -1.0, 0.5]]),
    "struct": (pa.struct({"a": pa.int32(), "b": pa.struct({"c": pa.string()})}), [{"a": 1, "b": {"c": "x"}}, {"a": None, "b": None}]),
    "structs": (pa.list_(pa.struct({"a": pa.int64(), "t": pa.timestamp("us")})), [[], [{"a": 1, "t": MOMENTS[0]}, None]]),
    "map": (pa.map_(pa.string(), pa.int64()), [[], [("a", 1), ("b", None)]]),
}  # fmt: skip
NESTED = {"list", "list_of_lists", "vector", "struct", "structs", "map"}
UNORDERED = {"map"}
ROWS = 300


def column(name: str) -> pa.Array:
    """300 values: each given one, NULLs, and runs of one value, so that chunks differ in their statistics."""
    kind, values = TYPES[name]
    rng = np.random.default_rng(len(name))
    picks = np.where(np.arange(ROWS) < 100, 0, rng.integers(0, len(values) + 1, ROWS))
    return pa.array([values[pick] if pick < len(values) else None for pick in picks], kind)


@pytest.fixture(scope="module", params=["scans choose", "scans filter"])
def pair(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[lb.Bench, duckdb.DuckDBPyConnection]]:
    """Both sides; once as it is, once with every predicate pushed down, which small tables do not do by themselves."""
    folder: Path = tmp_path_factory.mktemp("types") / "types.luma"
    peer = duckdb.connect(config={"threads": 2})
    peer.execute(f"SET TimeZone = '{ZONE}'")
    with (
        pytest.MonkeyPatch.context() as patch,
        lb.open(folder, threads=2, timezone=ZONE, chunk_rows=64, shard_rows=128, inline_bytes=0) as bench,
    ):
        if request.param == "scans filter":
            patch.setattr(Source, "worthwhile", lambda self, test: True)
        for name in TYPES:
            table = pa.table({"i": pa.array(range(ROWS), pa.int64()), "c": column(name)})
            bench.write(name, table.slice(0, 150))
            bench.write(name, table.slice(150), mode="append")
            peer.register("incoming", table)
            peer.execute(f'CREATE TABLE "{name}" AS FROM incoming')
            peer.unregister("incoming")
        yield bench, peer
    peer.close()


@pytest.mark.parametrize("name", TYPES)
def test_type(pair: tuple[lb.Bench, duckdb.DuckDBPyConnection], name: str) -> None:
    bench, peer = pair
    texts = [
        "SELECT i, c FROM {}",
        "SELECT i FROM {} WHERE c IS NULL",
        "SELECT i FROM {} WHERE c IS NOT NULL AND i > 120",
        "SELECT count(c) AS n FROM {}",
    ]
    texts += [
        "SELECT c, count(*) AS n FROM {} GROUP BY c",
        "SELECT DISTINCT c FROM {}",
        "SELECT a.i, b.i AS j FROM {0} a JOIN {0} b ON a.c = b.c AND a.i + 7 = b.i",
    ]
    if name not in UNORDERED:
        texts += [
            "SELECT min(c) AS lo, max(c) AS hi FROM {}",
            "SELECT c FROM {} ORDER BY c DESC NULLS LAST, i LIMIT 40",
            "SELECT i, lag(c) OVER (ORDER BY c, i) AS v FROM {}",
        ]
    for text in texts:
        statement = text.format(f'"{name}"')
        same_rows(peer.sql(statement).to_arrow_table(), bench.kadeql(statement, cache=False).to_arrow())


@pytest.mark.parametrize("operator", ["=", "<>", "<", "<=", ">", ">=", "IS DISTINCT FROM"])
@pytest.mark.parametrize("name", [name for name in TYPES if name not in NESTED])
def test_parameters_compare_with_every_type(
    pair: tuple[lb.Bench, duckdb.DuckDBPyConnection], name: str, operator: str
) -> None:
    bench, peer = pair
    statement = f'SELECT i FROM "{name}" WHERE c {operator} $p ORDER BY i'
    for value in [*TYPES[name][1], None]:
        expected = peer.execute(statement, {"p": value}).fetchall()
        found = bench.kadeql(statement, params={"p": value}, cache=False).to_arrow()
        assert [(i,) for i in found["i"].to_pylist()] == expected, value


@pytest.mark.parametrize("name", TYPES)
def test_without_sql_the_written_type_comes_back(
    pair: tuple[lb.Bench, duckdb.DuckDBPyConnection], name: str
) -> None:
    table = pair[0].table(name).to_arrow()
    assert table.schema.field("c").type == TYPES[name][0]
    expected = pa.chunked_array([column(name)])
    same_rows(pa.table({"c": expected}), table.select(["c"]), ordered=True)
