"""What a page holds of every Arrow type: exact numbers, ready texts, nothing that a browser reads otherwise."""

from __future__ import annotations

import datetime as dt
import decimal
import json
import math
import struct

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luma_bench.bench.result import Result
from luma_bench.engines.duck import DuckEngine
from luma_bench.notebook.grid.session import GridSession
from luma_bench.types.record import RunRecord

RECORD = RunRecord("duckdb", "embedded", 7)
CARRIED = {
    pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64(),
    pa.float64(), pa.bool_(), pa.string(), pa.list_(pa.float32()),
}  # fmt: skip


def no_engine() -> DuckEngine:
    raise AssertionError("pages need no engine")


def session_of(table: pa.Table) -> GridSession:
    return GridSession(Result(table, RECORD, "SELECT"), no_engine)


def paged(array: pa.Array | pa.ChunkedArray, metadata: dict[bytes, bytes] | None = None) -> pa.ChunkedArray:
    """The one column of the first page."""
    column = array if isinstance(array, pa.ChunkedArray) else pa.chunked_array([array])
    table = pa.Table.from_arrays([column], schema=pa.schema([pa.field("a", column.type, metadata=metadata)]))
    hello = session_of(table).hello()
    page = pa.ipc.open_stream(hello.buffers[0]).read_all()
    assert page.schema.field(0).type in CARRIED
    return page.column(0)


def shown(array: pa.Array, metadata: dict[bytes, bytes] | None = None) -> list[object]:
    return paged(array, metadata).to_pylist()


@given(st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), max_size=20))
@settings(deadline=None, max_examples=60)
def test_whole_numbers_are_exact_in_a_browser(values: list[int | None]):
    column = paged(pa.array(values, pa.int64()))
    if column.type == pa.string():
        assert column.to_pylist() == [None if value is None else str(value) for value in values]
    else:
        assert column.to_pylist() == values
        assert all(value is None or abs(value) < 2**53 for value in values)


@given(st.lists(st.none() | st.floats(width=32), max_size=20))
@settings(deadline=None, max_examples=60)
def test_a_float_of_32_bits_is_shown_by_its_own_shortest_decimal(values: list[float | None]):
    for given_value, found in zip(values, shown(pa.array(values, pa.float32())), strict=True):
        if given_value is None or math.isnan(given_value):
            assert found is None if given_value is None else math.isnan(found)
            continue
        # The same 32 bits, and no digit more than it takes to name them.
        assert struct.pack("f", found) == struct.pack("f", given_value)
        if math.isfinite(given_value):
            assert len(decimal.Decimal(repr(found)).normalize().as_tuple().digits) <= 9


@given(st.lists(st.none() | st.text(max_size=400), max_size=10))
@settings(deadline=None, max_examples=100)
def test_texts_are_cut_and_cannot_move_what_stands_around_them(values: list[str | None]):
    unsafe = {
        *range(32),
        *range(127, 160),
        0x2028,
        0x2029,
        0x200E,
        0x200F,
        0x61C,
        *range(0x202A, 0x202F),
        *range(0x2066, 0x206A),
    }
    for given_value, found in zip(values, shown(pa.array(values, pa.string())), strict=True):
        if given_value is None:
            assert found is None
            continue
        assert isinstance(found, str)
        assert len(found) <= 200
        assert not unsafe & set(map(ord, found))
        if not unsafe & set(map(ord, given_value)):
            assert found == given_value if len(given_value) <= 200 else found == given_value[:199] + "…"


def test_a_huge_text_costs_what_is_shown_of_it():
    page = shown(pa.array(["é" * 50_000_000, "short"], pa.large_string()))
    assert page == ["é" * 199 + "…", "short"]


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (pa.array([dt.date(2020, 2, 29), None]), ["2020-02-29", None]),
        (pa.array([dt.time(1, 2, 3, 450_000)]), ["01:02:03.45"]),
        (pa.array([dt.datetime(2013, 1, 1, 5)], pa.timestamp("s")), ["2013-01-01 05:00:00"]),
        (pa.array([1_357_016_400_000_000_001], pa.timestamp("ns")), ["2013-01-01 05:00:00.000000001"]),
        (pa.array([dt.datetime(2013, 1, 1, 10, tzinfo=dt.UTC)], pa.timestamp("us", "America/New_York")), ["2013-01-01 05:00:00-05:00"]),
        (pa.array([dt.timedelta(days=1, seconds=5)]), ["1 day 00:00:05"]),
        (pa.array([decimal.Decimal("123456789012345678901234567890.10")]), ["123456789012345678901234567890.10"]),
        (pa.array([b"\x00\xff"]), ["0x00FF"]),
        (pa.array([[1, None, 3]]), ["[1, NULL, 3]"]),
        (pa.array([{"a": 1, "b": "x"}]), ["{a: 1, b: 'x'}"]),
        (pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64())), ["{'k': 1}"]),
        (pa.array(["x", None, "x"]).dictionary_encode(), ["x", None, "x"]),
        (pa.ExtensionArray.from_storage(pa.bool8(), pa.array([1, None, 0], pa.int8())), [True, None, False]),
        (pa.nulls(2), [None, None]),
    ],
)  # fmt: skip
def test_what_a_browser_cannot_hold_comes_as_it_is_read(array: pa.Array, expected: list[object]):
    assert shown(array) == expected


def test_vectors_travel_as_far_as_their_sparkline():
    kind = pa.list_(pa.float64(), 300)
    # A slice: its values begin in the middle of the buffer.
    array = pa.array([[0.0] * 300, [float(i) for i in range(300)], None], kind).slice(1)
    column = paged(array)
    assert column.to_pylist() == [[float(i) for i in range(256)], None]


def test_fields_say_how_they_are_read():
    table = pa.table(
        {
            "v": pa.array([[1.0, 2.0]], pa.list_(pa.float32(), 2)),
            "t": pa.array([dt.date(2020, 1, 1)]),
            "i": pa.array([1]),
        }
    )
    hello = session_of(table).hello()
    schema = pa.ipc.open_stream(hello.buffers[0]).schema
    assert schema.names == ["0", "1", "2"]
    assert schema.field(0).metadata == {b"luma.shown": b"vector", b"luma.length": b"2"}
    assert schema.field(1).metadata == {b"luma.shown": b"text"}
    assert schema.field(2).metadata is None


def test_the_hello_says_what_the_columns_are():
    zoned = pa.timestamp("us", "Europe/Vienna")
    schema = pa.schema(
        [
            pa.field("a", pa.int32(), nullable=False),
            pa.field("a", pa.string(), metadata={b"luma.sql_type": b"UUID"}),
            pa.field("j", pa.string(), metadata={b"luma.sql_type": b"JSON"}),
            pa.field("z", zoned),
            pa.field("<script>", pa.list_(pa.float32(), 3)),
        ]
    )
    hello = session_of(schema.empty_table()).hello(5).message
    assert [(column["name"], column["type"], column["kind"]) for column in hello["columns"]] == [
        ("a", "INTEGER", "int"),
        ("a", "UUID", "text"),
        ("j", "JSON", "json"),
        ("z", "TIMESTAMP WITH TIME ZONE", "timestamp"),
        ("<script>", "FLOAT[3]", "vector"),
    ]
    assert [column["nullable"] for column in hello["columns"]] == [False, True, True, True, True]
    assert hello["columns"][3]["zone"] == "Europe/Vienna"
    assert (hello["rows"], hello["id"], hello["first"]["count"]) == (0, 5, 0)
    assert hello["record"]["snapshot"] == 7
    json.dumps(hello, allow_nan=False)


@pytest.mark.parametrize("columns", [1, 64, 5_000])
def test_the_first_page_fits_whatever_the_rows_hold(columns: int):
    wide = pa.table({f"c{i}": ["w" * 300] * 300 for i in range(columns)})
    hello = session_of(wide).hello()
    first = hello.message["first"]
    assert len(hello.buffers[0]) <= 200_000
    assert first["count"] >= 1
    page = pa.ipc.open_stream(hello.buffers[0]).read_all()
    assert (page.num_rows, page.num_columns) == (first["count"], first["columns"][1])


def test_the_whole_of_a_value_is_a_message_of_its_own():
    table = pa.table(
        {
            "s": ["x" * 5_000],
            "n": [{"a": [1, None], "d": dt.date(2020, 1, 1)}],
            "big": pa.array(["y" * 3_000_000]),
            "none": pa.nulls(1),
        }
    )
    session = session_of(table)

    def cell(column: int) -> dict[str, object]:
        reply = session.handle({"type": "cell", "id": 1, "row": 0, "column": column})
        assert reply is not None
        return reply.message

    assert cell(0)["text"] == "x" * 5_000
    assert cell(1)["json"] == {"a": [1, None], "d": "2020-01-01"}
    assert (len(str(cell(2)["text"])), cell(2)["length"], cell(2)["cut"]) == (1 << 20, 3_000_000, True)
    assert cell(3)["text"] is None
