"""What statistics prove is so: summaries equal a plain look at the rows, and chunks left out hold no row that matters."""

from __future__ import annotations

import math
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from filter_cases import KINDS, predicates, truth
from hypothesis import given, settings
from hypothesis import strategies as st
from segment_cases import SMALL, scan_of, schema_of, written
from thorough import drawn

from luma_bench.storage import scan_statistics
from luma_bench.storage.pool import BufferPool
from luma_bench.storage.predicates import Untranslatable, translate
from luma_bench.storage.scan import InlineBlob, TableScan
from luma_bench.types.predicate import Comparison, Predicate
from luma_bench.types.scan import ScanCounters
from luma_bench.types.statistics import Matching, TopRows, Wanted

TINY = replace(SMALL, chunk_rows=4, shard_rows=8)
ORDERED = sorted(set(KINDS) - {"blob", "fixed"})


@pytest.fixture(autouse=True)
def _every_skip_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan_statistics, "_WORTH_SKIPPING", 0.0)


@st.composite
def cases(draw: st.DrawFn) -> tuple[str, pa.Table, Predicate | None, int, list[int]]:
    """A column to look at, rows of it and another, a condition, how many lie in segments, and which are deleted."""
    name, other = draw(st.sampled_from(ORDERED)), draw(st.sampled_from(["i32", "text", "f64"]))
    rows = draw(st.integers(1, 40))
    random = draw(st.randoms(use_true_random=False))
    columns: dict[str, pa.Array] = {}
    held: dict[str, list[Any]] = {}
    for one in dict.fromkeys((name, other)):
        few = draw(st.lists(KINDS[one].values, min_size=1, max_size=6))
        if draw(st.booleans()):
            few.append(None)
        items = [random.choice(few) for _ in range(rows)]
        if draw(st.booleans()):
            items = [item for item in few for _ in range(rows // len(few) + 1)][:rows]
        columns[one] = pa.array(items, KINDS[one].type)
        held[one] = few
    wanted = draw(st.none() | predicates(held))
    stored = draw(st.integers(0, rows))
    gone = draw(st.lists(st.integers(0, max(stored - 1, 0)), max_size=6, unique=True)) if stored else []
    return name, pa.table(columns), wanted, stored, sorted(gone)


def made(folder: Path, pool: BufferPool, table: pa.Table, stored: int, gone: list[int]) -> TableScan:
    schema = schema_of(table)
    segments = []
    middle = stored // 2
    for i, (start, stop) in enumerate([(0, middle), (middle, stored)]):
        if start < stop:
            part = table.slice(start, stop - start)
            ref = written(folder, part, settings=TINY, schema=schema, ulid=f"01S{i}", first=start)
            here = np.array([row - start for row in gone if start <= row < stop], np.int64)
            segments.append(replace(ref, deleted=here if len(here) else None))
    rest = table.slice(stored)
    inline = [InlineBlob(1, len(rest), stored, rest)] if len(rest) else []
    return TableScan(schema, segments, inline, pool, TINY)


def rows_of(table: pa.Table, gone: list[int], condition: Predicate | None) -> list[dict[str, Any]]:
    kept = [row for i, row in enumerate(table.to_pylist()) if i not in set(gone)]
    return [row for row in kept if condition is None or truth(condition, row) is True]


def ordered(name: str, value: Any) -> Any:
    return KINDS[name].key(value)


def same(left: Any, right: Any) -> bool:
    if isinstance(left, float) and isinstance(right, float):
        return left == right or (math.isnan(left) and math.isnan(right))
    return left == right


@settings(deadline=None, max_examples=drawn(150))
@given(cases())
def test_summaries_are_what_the_rows_say(
    case: tuple[str, pa.Table, Predicate | None, int, list[int]],
) -> None:
    name, table, condition, stored, gone = case
    pool = BufferPool(1 << 22, 2)
    try:
        with tempfile.TemporaryDirectory() as folder:
            scan = made(Path(folder), pool, table, stored, gone)
            given_ = [] if condition is None else [condition]
            expected = rows_of(table, gone, condition)
            values = [row[name] for row in expected if row[name] is not None]
            low = min(values, key=lambda value: ordered(name, value), default=None)
            high = max(values, key=lambda value: ordered(name, value), default=None)
            for rows in (True, False):
                for wanted in (
                    Wanted(name, True, True, True),
                    Wanted(name, False, True, True),
                    Wanted(name, low=True),
                ):
                    counters = ScanCounters()
                    found = scan.statistics.summarize([wanted], given_, counters, rows=rows)
                    if found is None:
                        with pytest.raises(Untranslatable):
                            translate(condition, {f.name: f.type for f in scan.schema})  # type: ignore[arg-type]
                        return
                    column = found.columns[name]
                    if rows:
                        assert found.rows == len(expected)
                    if wanted.valid:
                        assert column.valid == len(values)
                    assert same(None if column.low is None else column.low.as_py(), low)
                    if wanted.high:
                        assert same(None if column.high is None else column.high.as_py(), high)
    finally:
        pool.close()


@settings(deadline=None, max_examples=drawn(150))
@given(cases(), st.booleans(), st.booleans(), st.integers(1, 12))
def test_no_first_row_is_skipped(
    case: tuple[str, pa.Table, Predicate | None, int, list[int]],
    descending: bool,
    nulls_first: bool,
    count: int,
) -> None:
    name, table, condition, stored, gone = case
    pool = BufferPool(1 << 22, 2)
    try:
        with tempfile.TemporaryDirectory() as folder:
            scan = made(Path(folder), pool, table, stored, gone)
            where = () if condition is None else (condition,)
            skipped = scan.statistics.skipping(
                [TopRows(name, descending, nulls_first, count, where)], ScanCounters()
            )
            if skipped is None:
                return

            def top(source: Any) -> list[Any]:
                rows = source.stream(None, [], ScanCounters()).read_all().to_pylist()
                rows = [row for row in rows if condition is None or truth(condition, row) is True]
                nulls = [None for row in rows if row[name] is None]
                values = [ordered(name, row[name]) for row in rows if row[name] is not None]
                values.sort(reverse=descending)
                return [*nulls, *values][:count] if nulls_first else [*values, *nulls][:count]

            assert top(skipped.source) == top(scan)
            assert skipped.source.rows() == skipped.rows_left < skipped.rows == table.num_rows
            assert skipped.chunks_left < skipped.chunks
    finally:
        pool.close()


@settings(deadline=None, max_examples=100)
@given(cases())
def test_no_matching_row_is_skipped(case: tuple[str, pa.Table, Predicate | None, int, list[int]]) -> None:
    _, table, condition, stored, gone = case
    if condition is None:
        return
    pool = BufferPool(1 << 22, 2)
    try:
        with tempfile.TemporaryDirectory() as folder:
            scan = made(Path(folder), pool, table, stored, gone)
            skipped = scan.statistics.skipping([Matching(condition)], ScanCounters())
            if skipped is None:
                return
            left = skipped.source.stream(None, [], ScanCounters()).read_all().to_pylist()
            kept = {row["_rowid"] for row in left if truth(condition, row) is True}
            every = scan.stream(None, [], ScanCounters()).read_all().to_pylist()
            assert kept == {row["_rowid"] for row in every if truth(condition, row) is True}
    finally:
        pool.close()


def test_only_open_chunks_are_read(tmp_path: Path) -> None:
    table = pa.table({"n": np.arange(64), "x": np.arange(64) / 2})
    scan, pool = scan_of(tmp_path, [table.slice(0, 32), table.slice(32)], settings=TINY)
    try:
        for limit, chunks in ((16, 0), (18, 1), (64, 0), (-1, 0)):
            counters = ScanCounters()
            condition = [Comparison("n", "<", limit, "BIGINT")]
            found = scan.statistics.summarize([Wanted("x", high=True)], condition, counters, rows=True)
            assert found is not None
            assert found.rows == max(0, min(limit, 64))
            assert counters.chunks_read == chunks
            assert scan.statistics.can_summarize([Wanted("x")], condition, rows=True)
        spread = scan.statistics.can_summarize([], [Comparison("x", "!=", 3.25, "DOUBLE")], rows=True)
        assert spread
    finally:
        pool.close()


def test_conditions_are_looked_into_where_the_order_begins(tmp_path: Path) -> None:
    table = pa.table({"n": np.arange(64), "odd": np.arange(64) % 2})
    scan, pool = scan_of(tmp_path, [table.slice(0, 32), table.slice(32)], settings=TINY)
    try:
        odd = (Comparison("odd", "=", 1, "BIGINT"),)
        for count, left, looked in ((2, 1, 1), (3, 2, 2), (8, 4, 4), (9, None, 4)):
            counters = ScanCounters()
            skipped = scan.statistics.skipping([TopRows("n", True, False, count, odd)], counters)
            assert (None if skipped is None else skipped.chunks_left) == left
            assert counters.chunks_read == looked
    finally:
        pool.close()


def test_overlap_tells_clustered_columns_from_others(tmp_path: Path) -> None:
    table = pa.table({"sorted": np.arange(64), "mixed": np.arange(64) * 37 % 64, "no": [[1]] * 64})
    scan, pool = scan_of(tmp_path, [table], settings=TINY)
    try:
        assert scan.statistics.overlap("sorted") <= 1 / 16
        assert scan.statistics.overlap("mixed") > 0.5
        assert scan.statistics.overlap("no") == 1
        share = scan.statistics.share([Comparison("sorted", "<", 16, "BIGINT")])
        assert share == pytest.approx(16 / 64, abs=0.05)
    finally:
        pool.close()


def test_a_summary_reads_the_foremost_chunk_alone(tmp_path: Path) -> None:
    table = pa.table({"n": np.arange(64)})
    schema = schema_of(table)
    pool = BufferPool(1 << 22, 2)
    try:
        ref = replace(written(tmp_path, table, settings=TINY, schema=schema), deleted=np.arange(3, 64, 4))
        scan = TableScan(schema, [ref], [], pool, TINY)
        counters = ScanCounters()
        assert scan.statistics.can_summarize([Wanted("n", high=True)], [], rows=False)
        found = scan.statistics.summarize([Wanted("n", high=True)], [], counters, rows=False)
        assert found is not None
        assert found.columns["n"].high == pa.scalar(62)
        assert (counters.chunks_read, counters.rows_read) == (1, 4)
    finally:
        pool.close()
