"""Older rows read through a newer schema: widened and added columns, from segments and from the tail, pruned or not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from evolve_cases import ADDED, opened
from segment_cases import written

from luma_bench.storage.evolve import (
    AddColumn,
    WidenColumn,
    evolved,
)
from luma_bench.storage.pool import BufferPool
from luma_bench.storage.scan import InlineBlob, TableScan
from luma_bench.storage.scan_pieces import Source
from luma_bench.types.predicate import Comparison, In, IsNull, Not
from luma_bench.types.scan import ScanCounters
from luma_bench.types.schema import Column, TableSchema, TableSettings

TABLE = TableSchema(
    1,
    "trips",
    (
        Column(1, "id", pa.int32(), nullable=False),
        Column(2, "at", pa.timestamp("s"), nullable=False),
        Column(3, "price", pa.decimal128(6, 2)),
        Column(5, "town", pa.string(), comment="where to"),
    ),
    TableSettings(primary_key=("id",), time_column="at", series_key=("town",)),
)


@pytest.fixture
def pool() -> Iterator[BufferPool]:
    held = BufferPool(1 << 24, 2)
    yield held
    held.close()


@pytest.fixture
def _every_predicate_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Source, "worthwhile", lambda *_: True)


def whole(scan: TableScan, predicates: list[Any] | None = None) -> pa.Table:
    return scan.stream(None, predicates or [], ScanCounters()).read_all()


WIDENED: list[tuple[pa.DataType, pa.DataType, list[Any], str, Any]] = [
    (pa.int32(), pa.int64(), [-5, 7, None, 2**31 - 1], "BIGINT", 7),
    (pa.uint8(), pa.int16(), [0, 255, None, 7], "SMALLINT", 255),
    (pa.uint32(), pa.uint64(), [0, 2**32 - 1, None, 7], "UBIGINT", 2**32 - 1),
    (pa.int32(), pa.float64(), [-5, 7, None, 2**31 - 1], "DOUBLE", 7.0),
    (pa.int64(), pa.decimal128(38, 2), [-(2**63), 7, None, 2**63 - 1], "DECIMAL(38,2)", Decimal("7.00")),
    (pa.int16(), pa.decimal64(18, 3), [-5, 7, None, 300], "DECIMAL(18,3)", Decimal("7.000")),
    (pa.float32(), pa.float64(), [1.5, float("nan"), None, -0.0], "DOUBLE", float("nan")),
    (pa.decimal128(5, 2), pa.decimal128(20, 3), [Decimal("1.25"), Decimal("-9.99"), None], "DECIMAL(20,3)", Decimal("1.250")),
    (pa.date32(), pa.timestamp("us"), [dt.date(1960, 1, 1), dt.date(2024, 2, 29), None], "TIMESTAMP", dt.datetime(2024, 2, 29)),
    (pa.date32(), pa.date64(), [dt.date(1960, 1, 1), dt.date(2024, 2, 29), None], "DATE", None),
    (pa.timestamp("s", "Europe/Oslo"), pa.timestamp("us", "Europe/Oslo"), [-1, 60, None], "TIMESTAMP WITH TIME ZONE", 60_000_000),
    (pa.timestamp("s"), pa.timestamp("ns"), [-1, 60, None], "TIMESTAMP_NS", None),
    (pa.time32("s"), pa.time64("us"), [dt.time(1), dt.time(2, 3, 4), None], "TIME", dt.time(2, 3, 4)),
    (pa.duration("s"), pa.duration("us"), [dt.timedelta(1), None], "INTERVAL", None),
    (pa.string(), pa.large_string(), ["a", "b" * 70, None], "VARCHAR", "b" * 70),
    (pa.string_view(), pa.string(), ["a", "b" * 70, None], "VARCHAR", "a"),
    (pa.binary(2), pa.binary(), [b"ab", b"\xff\xff", None], "BLOB", b"ab"),
    (pa.dictionary(pa.int8(), pa.string()), pa.string(), ["a", "b", None], "VARCHAR", "b"),
    (pa.dictionary(pa.int8(), pa.string()), pa.dictionary(pa.int32(), pa.string()), ["a", "b", None], "VARCHAR", "b"),
    (pa.dictionary(pa.int8(), pa.int32()), pa.int64(), [4, 5, None], "BIGINT", 5),
    (pa.null(), pa.string(), [None, None], "VARCHAR", "b"),
    (pa.null(), pa.list_(pa.int8()), [None, None], "", None),
]  # fmt: skip


@pytest.mark.usefixtures("_every_predicate_is_taken")
@pytest.mark.parametrize(("old", "new", "values", "sql", "constant"), WIDENED, ids=str)
def test_a_widened_column_reads_alike_from_segments_and_from_the_tail(
    tmp_path: Path, pool: BufferPool, old: Any, new: Any, values: list[Any], sql: str, constant: Any
) -> None:
    values = [value for value in values for _ in range(20)]
    table = pa.table({"a": pa.array(values, old)})
    values = table["a"].to_pylist()
    before = TableSchema(1, "t", (Column(4, "a", old),))
    after = evolved(before, WidenColumn("a", new), 5)
    ref = written(tmp_path, table, schema=before)
    fresh = table.slice(0, 1) if pa.types.is_null(old) else table
    newer = written(tmp_path, cast(fresh, new), schema=after, ulid="01NEW", first=len(table))
    blob = InlineBlob(1, len(table), 2 * len(table), table)
    expected = cast(table, new)["a"].to_pylist()
    old_scan = opened(before, [ref], pool, [replace(blob, first_row_id=len(table))])
    assert repr(old_scan.read()["a"].to_pylist()) == repr(values * 2)
    for refs, blobs in [([ref], []), ([], [blob]), ([ref, newer], [blob]), ([newer, ref], [])]:
        scan = opened(after, refs, pool, blobs)
        found = scan.read()
        found.validate(full=True)
        assert found.schema == after.arrow
        count = sum(len(expected) if one is not newer else len(fresh) for one in [*refs, *blobs])
        assert len(found) == count
        assert repr(scan.read(["a"]).slice(0, len(fresh))["a"].to_pylist()) == repr(expected[: len(fresh)])
        for _ in range(2):  # the second time out of the pool
            streamed = whole(scan)
            streamed.validate(full=True)
            assert repr(streamed["a"].to_pylist()) == repr(found["a"].to_pylist())
        if constant is None:
            continue
        cells = found["a"].to_pylist()
        for predicate in (
            Comparison("a", "=", constant, sql),
            Not(Comparison("a", "=", constant, sql)),
            In("a", (constant,), sql),
            IsNull("a"),
        ):
            assert scan.accepts(predicate)
            ids = whole(scan, [predicate])["a"].to_pylist()
            same = [value for value in cells if _equal(value, constant)]
            other = [value for value in cells if value is not None and not _equal(value, constant)]
            wanted = {
                Not: other,
                IsNull: [value for value in cells if value is None],
            }.get(type(predicate), same)
            assert repr(ids) == repr(wanted)


def cast(table: pa.Table, kind: pa.DataType) -> pa.Table:
    column = table["a"]
    if pa.types.is_null(column.type):
        return pa.table({"a": pa.nulls(len(column), kind)})
    if pa.types.is_dictionary(column.type) and not pa.types.is_dictionary(kind):
        column = column.cast(column.type.value_type)
    return pa.table({"a": column.cast(kind)})


def _equal(value: Any, constant: Any) -> bool:
    if isinstance(value, float) and value != value:
        return constant != constant
    if isinstance(value, dt.datetime) and isinstance(constant, int):
        return value == dt.datetime.fromtimestamp(constant / 1e6, dt.UTC)
    return value == constant


def test_bounds_of_an_older_type_still_prune(tmp_path: Path, pool: BufferPool) -> None:
    days = [dt.date(2024, 1, 1) + dt.timedelta(days=i) for i in range(160)]
    table = pa.table({"a": pa.array(days)})
    before = TableSchema(1, "t", (Column(4, "a", pa.date32()),))
    after = evolved(before, WidenColumn("a", pa.timestamp("us")), 5)
    scan = opened(after, [written(tmp_path, table, schema=before)], pool)
    counters = ScanCounters()
    predicate = Comparison("a", "<", dt.datetime(2024, 1, 3), "TIMESTAMP")
    assert len(scan.stream([1], [predicate], counters).read_all()) == 2
    assert (counters.chunks_read, counters.chunks_pruned) == (1, 9)
    late = Comparison("a", ">", dt.datetime(2030, 1, 1), "TIMESTAMP")
    counters = ScanCounters()
    assert len(scan.stream([1], [late], counters).read_all()) == 0
    assert counters.segments_pruned == 1


@pytest.mark.usefixtures("_every_predicate_is_taken")
@pytest.mark.parametrize(("kind", "default", "sql", "constant"), ADDED, ids=str)
def test_an_added_column_holds_its_default_in_every_older_row(
    tmp_path: Path, pool: BufferPool, kind: pa.DataType, default: Any, sql: str, constant: Any
) -> None:
    table = pa.table({"k": pa.array(range(40))})
    before = TableSchema(1, "t", (Column(4, "k", pa.int64()),))
    after = evolved(before, AddColumn("a", kind, False, default), 5)
    column = after.columns[-1]
    ref = written(tmp_path, table, schema=before)
    other = table.append_column(column.field, pa.nulls(40, kind)).cast(
        pa.schema([table.schema.field(0), column.field.with_nullable(True)])
    )
    nullable = TableSchema(1, "t", (before.columns[0], replace(column, nullable=True)))
    newer = written(tmp_path, other, schema=nullable, ulid="01NEW", first=40)
    expected = pa.repeat(column.initial, 40).to_pylist()
    for refs, blobs in [
        ([ref], []),
        ([], [InlineBlob(1, 40, 40, table)]),
        ([newer, ref], []),
        ([ref], [InlineBlob(1, 40, 40, table)]),
    ]:
        scan = opened(nullable if newer in refs else after, refs, pool, blobs)
        found = scan.read(["a", "k"])
        found.validate(full=True)
        cells = found["a"].to_pylist()
        assert len(cells) == 40 * len([*refs, *blobs])
        assert repr(cells[-40:]) == repr(expected)
        for _ in range(2):
            streamed = whole(scan)
            streamed.validate(full=True)
            if kind != pa.list_(pa.float16(), 2):
                assert repr(streamed["a"].to_pylist()) == repr(cells)
        assert len(whole(scan, [IsNull("a")])) == (40 if newer in refs else 0)
        if constant is not None:
            for predicate, count in [
                (Comparison("a", "=", constant, sql), 40 * len([*refs, *blobs]) - 40 * (newer in refs)),
                (Comparison("a", "!=", constant, sql), 0),
                (In("a", (constant,), sql), 40 * len([*refs, *blobs]) - 40 * (newer in refs)),
            ]:
                assert scan.accepts(predicate)
                counters = ScanCounters()
                assert len(scan.stream([0], [predicate], counters).read_all()) == count
                if not count and not blobs and constant != "x" * 80:  # longer than a bound
                    assert counters.rows_read == 0


def test_a_default_of_few_bytes_streams_as_codes(tmp_path: Path, pool: BufferPool) -> None:
    before = TableSchema(1, "t", (Column(4, "k", pa.int64()),))
    after = evolved(before, AddColumn("a", pa.string(), default="x"), 5)
    scan = opened(after, [written(tmp_path, pa.table({"k": range(40)}), schema=before)], pool)
    assert scan.schema.field("a").type == pa.dictionary(pa.uint8(), pa.string())


def test_two_snapshots_never_share_values_of_one_column_id(tmp_path: Path, pool: BufferPool) -> None:
    before = TableSchema(1, "t", (Column(4, "k", pa.int32()),))
    ref = written(tmp_path, pa.table({"k": pa.array(range(40), pa.int32())}), schema=before)
    schemas = [evolved(before, AddColumn("a", pa.int64(), default=value), 5) for value in (1, 2, None)] + [
        evolved(evolved(before, AddColumn("a", pa.int32(), default=3), 5), WidenColumn("a", pa.int64()), 6)
    ]
    for _ in range(2):
        for schema, value in zip(schemas, (1, 2, None, 3), strict=True):
            scan = opened(schema, [ref], pool)
            assert whole(scan)["a"].to_pylist() == [value] * 40
            count = 40 if value == 2 else 0
            assert len(whole(scan, [Comparison("a", "=", 2, "BIGINT")])) == count
    wide = evolved(before, WidenColumn("k", pa.int64()), 5)
    for schema in (before, wide, before):
        assert whole(opened(schema, [ref], pool)).schema.field("k").type == schema.columns[0].type
