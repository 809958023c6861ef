"""A predicate that a scan takes is applied exactly, and zone maps never drop a TRUE row: against plain Python."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pyarrow as pa
import pytest
from filter_cases import KINDS, predicates, truth
from hypothesis import given, settings
from hypothesis import strategies as st
from segment_cases import SMALL, schema_of, written

from luma_bench.errors import SchemaError
from luma_bench.storage import prune
from luma_bench.storage.filter import evaluate
from luma_bench.storage.pool import BufferPool
from luma_bench.storage.predicates import Untranslatable, translate
from luma_bench.storage.prune import likely_share, may_hold
from luma_bench.storage.scan import InlineBlob, TableScan
from luma_bench.storage.scan_pieces import Source
from luma_bench.storage.segment import Segment
from luma_bench.types.predicate import Comparison, In, IsNull, Not, Predicate
from luma_bench.types.scan import ScanCounters

TINY = replace(SMALL, chunk_rows=4, shard_rows=8)


@pytest.fixture(autouse=True)
def _every_predicate_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Source, "worthwhile", lambda *_: True)


@pytest.fixture
def pool() -> Iterator[BufferPool]:
    held = BufferPool(1 << 24, 2)
    yield held
    held.close()


@st.composite
def cases(draw: st.DrawFn, only: str | None = None) -> tuple[pa.Table, list[Predicate], int, bool]:
    """Rows, predicates, how many rows lie in segments, and whether some are deleted."""
    names = (
        [only]
        if only
        else draw(st.lists(st.sampled_from(sorted(KINDS)), min_size=2, max_size=2, unique=True))
    )
    rows = draw(st.integers(1, 40))
    random = draw(st.randoms(use_true_random=False))
    columns: dict[str, pa.Array] = {}
    held: dict[str, list[Any]] = {}
    for name in names:
        kind = KINDS[name]
        few = draw(st.lists(kind.values, min_size=1, max_size=6))
        if draw(st.booleans()):
            few.append(None)
        items = [random.choice(few) for _ in range(rows)]
        if draw(st.booleans()):
            # Runs of one value make chunks that zone maps can skip.
            items = [item for item in few for _ in range(rows // len(few) + 1)][:rows]
        columns[name] = pa.array(items, kind.type)
        held[name] = few
    wanted = draw(st.lists(predicates(held), min_size=1, max_size=2))
    return pa.table(columns), wanted, draw(st.integers(0, rows)), draw(st.booleans())


def check(table: pa.Table, wanted: list[Predicate], stored: int, deletes: bool, folder: Path) -> None:
    pool = BufferPool(1 << 22, 2)
    schema = schema_of(table)
    middle = stored // 2
    segments, gone = [], set[int]()
    for i, (start, stop) in enumerate([(0, middle), (middle, stored)]):
        if start < stop:
            ref = written(
                folder,
                table.slice(start, stop - start),
                settings=TINY,
                schema=schema,
                ulid=f"01S{i}",
                first=start,
            )
            if deletes:
                positions = np.arange(1, stop - start, 3)
                gone |= {start + int(position) for position in positions}
                ref = replace(ref, deleted=positions)
            segments.append(ref)
    rest = table.slice(stored)
    blobs = [InlineBlob(1, len(rest), stored, rest)] if len(rest) else []
    try:
        scan = TableScan(schema, segments, blobs, pool, TINY)
        assert all(scan.accepts(predicate) for predicate in wanted)
        got = scan.stream(None, wanted, ScanCounters()).read_all()
        rows = table.to_pylist()
        ids = [
            i for i in range(len(rows)) if i not in gone and all(truth(p, rows[i]) is True for p in wanted)
        ]
        assert got["_rowid"].to_pylist() == ids
        for name in table.column_names:
            assert repr(got[name].to_pylist()) == repr([rows[i][name] for i in ids])
        only_ids = scan.stream([0], wanted, ScanCounters()).read_all()
        assert only_ids["_rowid"].to_pylist() == ids
    finally:
        pool.close()


@pytest.mark.parametrize("name", sorted(KINDS))
@settings(deadline=None, max_examples=20)
@given(data=st.data())
def test_each_type_is_filtered_exactly(name: str, data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        check(*data.draw(cases(name)), Path(folder))


@settings(deadline=None, max_examples=60)
@given(case=cases())
def test_a_filtered_stream_is_exactly_the_true_rows(
    case: tuple[pa.Table, list[Predicate], int, bool],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        check(*case, Path(folder))


@pytest.mark.slow
@settings(deadline=None, max_examples=5000)
@given(case=cases())
def test_a_filtered_stream_is_exactly_the_true_rows_at_length(case: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        check(*case, Path(folder))


@settings(deadline=None, max_examples=80)
@given(case=cases())
def test_zone_maps_keep_every_chunk_with_a_true_row(
    case: tuple[pa.Table, list[Predicate], int, bool],
) -> None:
    table, wanted, _, _ = case
    rows = table.to_pylist()
    with tempfile.TemporaryDirectory() as folder:
        ref = written(Path(folder), table, settings=TINY)
        segment = Segment.open(ref)
        ids = {field.name: 10 + 3 * i for i, field in enumerate(table.schema)}
        types = {field.name: field.type for field in table.schema}
        for predicate in wanted:
            test = translate(predicate, types)
            found = [truth(predicate, row) for row in rows]
            keep = may_hold(test, lambda name: segment.zones(ids[name]))
            with mock.patch.object(prune, "_LISTED", 0):  # a list of values as a long one is searched
                assert may_hold(test, lambda name: segment.zones(ids[name])).tolist() == keep.tolist()
            hits = [True in found[start : start + 4] for start in range(0, len(rows), 4)]
            assert all(kept or not hit for kept, hit in zip(keep.tolist(), hits, strict=True))
            share = likely_share(test, lambda name: segment.zones(ids[name]), lambda _: None)
            assert ((share >= 0) & (share <= 1)).all()
            if not any(pa.types.is_string_view(kind) for kind in types.values()):
                assert evaluate(predicate, table).to_pylist() == found


def runs(kind: pa.DataType, values: list[Any]) -> pa.Table:
    return pa.table({"a": pa.array([value for value in values for _ in range(16)], kind)})


@pytest.mark.parametrize("op", ["=", "!=", "<", "<=", ">", ">="])
@pytest.mark.parametrize("constant", [float("nan"), float("inf"), -0.0, 1.0], ids=str)
def test_every_comparison_of_floats_chunk_by_chunk(
    tmp_path: Path, pool: BufferPool, op: Any, constant: float
) -> None:
    values = [float("nan"), None, 0.0, -0.0, 1.0, 2.0, float("inf"), float("-inf")]
    table = pa.table(
        {"f64": pa.array([item for value in values for item in [value] * 4 + [None] * 2 + [1.0] * 2])}
    )
    ref = written(tmp_path, table, settings=TINY)
    scan = TableScan(schema_of(table), [ref], [], pool, TINY)
    for predicate in (
        Comparison("f64", op, constant, "DOUBLE"),
        Not(Comparison("f64", op, constant, "DOUBLE")),
    ):
        got = scan.stream([0], [predicate], ScanCounters()).read_all()["_rowid"].to_pylist()
        assert got == [i for i, row in enumerate(table.to_pylist()) if truth(predicate, row) is True]


@pytest.mark.parametrize(
    ("kind", "values", "sql", "constant", "kept"),
    [
        (pa.int64(), [1, 2, 3], "BIGINT", 2, 1),
        (pa.string(), ["a", "b", "c"], "VARCHAR", "b", 1),
        (pa.string(), ["a", "a\0", "b"], "VARCHAR", "a\0", 1),
        (pa.binary(), [b"a", b"a\0", b"b"], "BLOB", b"a\0", 1),
        (pa.float64(), [0.0, float("nan"), float("inf")], "DOUBLE", float("nan"), 1),
        (pa.float64(), [-0.0, 0.0, 1.0], "DOUBLE", 0.0, 2),
        (pa.string(), ["x" * 80 + "a", "x" * 80 + "b", "y"], "VARCHAR", "x" * 80 + "b", 2),
        (pa.binary(), [b"\xff" * 80, b"\xff" * 81, b"y"], "BLOB", b"\xff" * 81, 2),
    ],
    ids=repr,
)
def test_zone_maps_do_skip(
    tmp_path: Path, pool: BufferPool, kind: pa.DataType, values: list[Any], sql: str, constant: Any, kept: int
) -> None:
    table = runs(kind, values)
    ref = written(tmp_path, table)
    scan = TableScan(schema_of(table), [ref], [], pool, SMALL)
    counters = ScanCounters()
    got = scan.stream([0], [Comparison("a", "=", constant, sql)], counters).read_all()
    assert (counters.chunks_read, counters.chunks_pruned) == (kept, 3 - kept)
    assert len(got) == (32 if constant == 0.0 else 16)


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.binary(), pa.float64(), pa.uint64(), pa.decimal128(30, 2)], ids=str
)
def test_a_column_that_came_later_is_null_in_older_segments(
    tmp_path: Path, pool: BufferPool, kind: pa.DataType
) -> None:
    from decimal import Decimal

    values: dict[str, tuple[Any, Any, str]] = {
        "string": ("b", "a", "VARCHAR"), "binary": (b"b", b"a", "BLOB"), "double": (2.0, 1.0, "DOUBLE"),
        "uint64": (2**63 + 1, 2**63, "UBIGINT"), "decimal128(30, 2)": (Decimal("2.00"), Decimal("1.00"), "DECIMAL(30,2)"),
    }  # fmt: skip
    value, constant, sql = values[str(kind)]
    old = pa.table({"k": list(range(20))})
    new = old.append_column("late", pa.array([value] * 20, kind))
    schema = schema_of(new)
    refs = [
        written(tmp_path, old, schema=schema_of(old), ulid="01OLD"),
        written(tmp_path, new, schema=schema, ulid="01NEW", first=20),
        written(
            tmp_path, new.set_column(1, "late", pa.nulls(20, kind)), schema=schema, ulid="01NULL", first=40
        ),
    ]
    for held in ([refs[0]], [refs[2]], [refs[0], refs[2]], refs, refs[::-1]):
        scan = TableScan(schema, held, [], pool, SMALL)
        found = 20 * sum(ref.ulid == "01NEW" for ref in held)
        for predicate, count in [
            (Comparison("late", ">", constant, sql), found),
            (Comparison("late", "<=", constant, sql), 0),
            (Not(Comparison("late", "=", constant, sql)), found),
            (In("late", (constant, value), sql), found),
            (IsNull("late"), 20 * len(held) - found),
            (IsNull("late", True), found),
        ]:
            assert scan.accepts(predicate)
            assert len(scan.stream([0], [predicate], ScanCounters()).read_all()) == count, predicate
        assert scan.read(["late"])["late"].null_count == 20 * len(held) - found


def test_the_estimate_never_fails(tmp_path: Path, pool: BufferPool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    old = pa.table({"k": np.arange(70_000)})
    schema = schema_of(old.append_column("late", pa.nulls(len(old), pa.string())))
    settings = replace(SMALL, chunk_rows=1000, shard_rows=8000)
    ref = written(tmp_path, old, schema=schema_of(old), settings=settings)
    scan = TableScan(schema, [ref], [], pool, settings)
    assert scan.accepts(Comparison("late", ">", "x", "VARCHAR"))
    assert scan.accepts(Comparison("k", "<", 500, "BIGINT"))
    assert not scan.accepts(Comparison("k", ">=", 0, "BIGINT"))
    assert not scan.accepts(Not(Comparison("k", "=", -1, "BIGINT")))


@pytest.mark.parametrize(
    "predicate",
    [
        Comparison("a", "=", 1, "INTEGER"),
        Comparison("a", "=", True, "BIGINT"),
        Comparison("a", "=", 2**70, "BIGINT"),
        Comparison("a", "=", "1", "VARCHAR"),
        Comparison("none", "=", 1, "BIGINT"),
        IsNull("none"),
        In("a", (), "BIGINT"),
        Comparison("l", "=", [1], "BIGINT[]"),
        Not(Comparison("l", "=", [1], "BIGINT[]")),
        Comparison("ns", "=", 1, "TIMESTAMP_NS"),
        Comparison("s", "=", "\ud800", "VARCHAR"),
    ],
    ids=repr,
)
def test_what_cannot_be_applied_exactly_is_not_taken(
    tmp_path: Path, pool: BufferPool, predicate: Predicate
) -> None:
    table = pa.table(
        {
            "a": pa.array([1, 2], pa.int64()),
            "l": pa.array([[1], [2]]),
            "ns": pa.array([1, 2], pa.timestamp("ns")),
            "s": ["x", "y"],
        }
    )
    scan = TableScan(schema_of(table), [written(tmp_path, table)], [], pool, SMALL)
    assert not scan.accepts(predicate)
    with pytest.raises(Untranslatable):
        translate(predicate, {field.name: field.type for field in scan.schema})
    with pytest.raises(SchemaError, match="accepts"):
        scan.stream(None, [predicate], ScanCounters())
