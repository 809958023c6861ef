"""The parts of a table: together its rows in order, in one schema, about equal in size, read by another process."""

from __future__ import annotations

import pickle
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import parts_cases as cases
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from thorough import drawn

from luma_bench.config import Settings
from luma_bench.storage.scan import TableScan
from luma_bench.storage.store import Store
from luma_bench.types.predicate import Comparison, In, IsNull, Predicate
from luma_bench.types.scan import ScanCounters, ScanPart, ScanSource, SupportsSplit
from luma_bench.types.statistics import Wanted


@pytest.fixture(scope="module")
def other() -> Iterator[ProcessPoolExecutor]:
    with cases.elsewhere() as pool:
        yield pool


def scan_of(store: Store, table: str = "t") -> TableScan:
    return store.scan(store.resolve(), table)


def tables_of(seen: list[cases.Seen], schema: pa.Schema) -> pa.Table:
    return pa.concat_tables([schema.empty_table(), *(item.rows for item in seen)])


PREDICATES: list[Predicate] = [
    Comparison("k", "<", 120, "BIGINT"),
    Comparison("k", ">=", 333, "BIGINT"),
    In("k", (4, 170, 171), "BIGINT"),
    IsNull("c", negated=False),
]


def matching(rows: pa.Table, predicate: Predicate) -> pa.Table:
    """The rows where a predicate of these is TRUE, by Python alone."""
    kept = {
        PREDICATES[0]: lambda row: row["k"] < 120,
        PREDICATES[1]: lambda row: row["k"] >= 333,
        PREDICATES[2]: lambda row: row["k"] in (4, 170, 171),
        PREDICATES[3]: lambda row: row["c"] is None,
    }[predicate]
    return rows.filter(pa.array([kept(row) for row in rows.to_pylist()], pa.bool_()))


@settings(max_examples=drawn(25), deadline=None)
@given(
    seed=st.integers(0, 1000),
    steps=st.lists(st.sampled_from(cases.STEPS), max_size=7),
    keyed=st.booleans(),
    ordered=st.booleans(),
    count=st.integers(1, 50),
    predicate=st.sampled_from([None, *PREDICATES]),
)
def test_the_parts_are_the_table_wherever_they_are_read(
    other: ProcessPoolExecutor,
    seed: int,
    steps: list[str],
    keyed: bool,
    ordered: bool,
    count: int,
    predicate: Predicate | None,
) -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        with cases.history(folder / "b.luma", seed, steps, keyed=keyed, ordered=ordered).store as store:
            scan = scan_of(store)
            predicates = () if predicate is None else (predicate,)
            written = scan.read(["_rowid", *scan.table.names])

            parts = scan.split(count)
            assert parts is not None
            pruned = scan.split(count, predicates=predicates)
            assert pruned is not None
            whole = list(other.map(cases.read_part, parts))
            left = list(other.map(cases.read_part, pruned, [predicates] * len(pruned)))

            assert len(parts) <= count
            assert all(part.rows > 0 for part in parts)
            assert [part.rows for part in parts] == [seen.count for seen in whole]
            assert all(seen.schema == scan.schema for seen in whole)
            found = tables_of(whole, cases.streamed(scan).schema)
            assert found.equals(cases.streamed(scan))
            assert found.to_pylist() == written.to_pylist()
            expected = written if predicate is None else matching(written, predicate)
            assert tables_of(left, found.schema).to_pylist() == expected.to_pylist()
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Six segments of 64 chunks each, clustered by `k`, with a short tail."""
    settings = Settings(inline_bytes=2_000, shard_rows=64_000, chunk_rows=1_000, threads=2)
    with Store.open(tmp_path_factory.mktemp("parts") / "b.luma", settings=settings) as store:
        for segment in range(6):
            keys = np.arange(segment * 64_000, (segment + 1) * 64_000)
            data = {"k": keys, "s": pa.array([f"v{i % 90}" for i in keys]), "x": keys / 3}
            store.write("t", data, mode="append" if segment else "create")
        store.write("t", {"k": [-1], "s": ["last"], "x": [0.5]}, mode="append")
        yield store


def test_they_are_about_equal(large: Store) -> None:
    for count in (2, 3, 7, 16, 40):
        parts = scan_of(large).split(count) or []
        sizes = [part.rows for part in parts]

        assert len(parts) == count
        assert sum(sizes) == 384_001
        assert max(sizes) - min(sizes) <= 2 * 1_000


def test_a_scan_can_be_split_and_a_part_is_a_source(large: Store) -> None:
    scan = scan_of(large)
    part: ScanPart = (scan.split(2) or [])[0]
    source: ScanSource = part.open()

    assert isinstance(scan, SupportsSplit)
    assert scan.undivided is None
    assert source.name == "t"
    assert source.rows() == part.rows
    with pytest.raises(ValueError, match="at least one part"):
        scan.split(0)


def test_a_pickled_part_is_small_and_has_the_deleted_rows_of_its_own_range(
    large: Store, tmp_path: Path
) -> None:
    shutil.copytree(large.path, tmp_path / "b.luma")
    with Store.open(tmp_path / "b.luma", settings=large.settings) as store:
        clean = [len(pickle.dumps(part)) for part in scan_of(store).split(8) or []]
        ids = np.arange(64_000)
        store.delete("t", ids[np.random.default_rng(3).random(64_000) < 0.4])
        parts = scan_of(store).split(8) or []

        sizes = [len(pickle.dumps(part)) for part in parts]

        assert max(clean) < 3_000
        assert [size > 3_000 for size in sizes] == [
            any(ref.deleted is not None for ref in part.refs) for part in parts
        ]
        assert sum(sizes) < sum(clean) + 64_000 / 8 + 2_000  # a bit for each row of the one segment
        assert sum(part.rows for part in parts) == store.resolve().rows("t")


def test_many_segments_are_split_without_opening_them(tmp_path: Path) -> None:
    settings = Settings(inline_bytes=0, chunk_rows=10, threads=1)
    with Store.open(tmp_path / "b.luma", settings=settings) as store:
        for start in range(0, 300, 10):
            store.write("t", {"k": list(range(start, start + 10))}, mode="append" if start else "create")
        store.pool.clear()

        parts = scan_of(store).split(5) or []

        assert [part.rows for part in parts] == [60] * 5
        assert len(store.pool) == 0
        assert max(len(pickle.dumps(part)) for part in parts) < 2_500


def test_zone_maps_leave_out_what_cannot_match_and_it_is_counted(
    large: Store, other: ProcessPoolExecutor
) -> None:
    predicate = Comparison("k", "<", 70_000, "BIGINT")
    counters = ScanCounters()
    scan = scan_of(large)

    parts = scan.split(4, [1], (predicate,), counters) or []
    seen = list(other.map(cases.read_part, parts, [(predicate,)] * len(parts), [[1]] * len(parts)))

    assert counters.segments_pruned == 4
    assert counters.chunks_pruned >= 50
    assert counters.segments_read == counters.rows_read == 0
    assert sum(part.rows for part in parts) < 90_000
    assert sum(item.counters["segments_read"] for item in seen) == 2
    assert sum(item.counters["segments_pruned"] for item in seen) == 0
    rows = tables_of(seen, seen[0].rows.schema)
    assert sorted(rows["k"].to_pylist()) == [-1, *range(70_000)]


def test_a_segment_counts_once_however_many_parts_it_is_in(large: Store, other: ProcessPoolExecutor) -> None:
    parts = scan_of(large).split(24) or []

    seen = list(other.map(cases.read_part, parts))

    assert sum(item.counters["segments_read"] for item in seen) == 6
    assert sum(item.counters["rows_read"] for item in seen) == 384_001
    assert sum(item.counters["chunks_read"] for item in seen) == 6 * 64


def test_a_part_prunes_and_filters_by_itself(large: Store, other: ProcessPoolExecutor) -> None:
    predicate = Comparison("k", "=", 5, "BIGINT")
    parts = scan_of(large).split(3) or []

    seen = list(other.map(cases.read_part, parts, [(predicate,)] * 3))

    assert [item.accepted for item in seen] == [(True,)] * 3
    assert [item.rows.num_rows for item in seen] == [1, 0, 0]
    assert sum(item.counters["rows_read"] for item in seen) <= 8_193
    assert sum(item.counters["chunks_pruned"] for item in seen) > 50


def test_the_statistics_of_a_part_are_those_of_its_rows(large: Store) -> None:
    for part in pickle.loads(pickle.dumps(scan_of(large).split(5) or [])):
        source = part.open()
        rows = source.stream(None, (), ScanCounters()).read_all()
        bounds = pc.min_max(rows["k"])

        found = source.statistics.summarize([Wanted("k", True, True, True)], (), ScanCounters(), rows=True)

        assert found is not None
        assert found.rows == source.rows() == len(rows)
        assert found.columns["k"].low == bounds["min"]
        assert found.columns["k"].high == bounds["max"]


def test_counting_rows_reads_no_file(large: Store) -> None:
    parts = pickle.loads(pickle.dumps(scan_of(large).split(24) or []))
    counters = ScanCounters()

    ids = [part.open().stream([0], (), counters).read_all()["_rowid"] for part in parts]

    assert pa.chunked_array([chunk for part in ids for chunk in part.chunks]).to_pylist() == [*range(384_001)]
    assert counters.bytes_read == 0
    assert counters.rows_read == 384_001


def test_dictionaries_are_as_wide_in_every_part(tmp_path: Path, other: ProcessPoolExecutor) -> None:
    settings = Settings(inline_bytes=0, chunk_rows=500, threads=1)
    with Store.open(tmp_path / "b.luma", settings=settings) as store:
        store.write("t", {"s": ["a", "b"] * 500})
        store.write("t", {"s": [f"w{i % 400}" for i in range(4_000)]}, mode="append")
        scan = scan_of(store)

        seen = list(other.map(cases.read_part, scan.split(2) or []))

        assert pa.types.is_dictionary(scan.schema.field("s").type)
        assert {item.schema.field("s").type for item in seen} == {scan.schema.field("s").type}


def test_a_bench_that_was_opened_by_a_relative_path_is_found_from_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: ProcessPoolExecutor
) -> None:
    monkeypatch.chdir(tmp_path)
    with Store.open("b.luma", settings=cases.SMALL) as store:
        store.write("t", {"k": list(range(500))})

        seen = list(other.map(cases.read_part, scan_of(store).split(3) or []))

        assert tables_of(seen, seen[0].rows.schema)["k"].to_pylist() == list(range(500))


def test_empty_tables_and_empty_answers_give_no_parts(large: Store, tmp_path: Path) -> None:
    with Store.open(tmp_path / "b.luma", settings=cases.SMALL) as store:
        store.write("t", {"k": pa.array([], pa.int64())})
        store.write("u", {"k": [1, 2]})
        store.delete("u", np.array([0, 1]))

        assert scan_of(store).split(4) == []
        assert scan_of(store, "u").split(4) == []
    only = Comparison("k", "=", 10**9, "BIGINT")
    parts = scan_of(large).split(4, predicates=(only,)) or []
    assert [part.rows for part in parts] == [1], "of the tail nothing is known before it is read"


def test_rows_that_are_not_committed_stay_here(tmp_path: Path) -> None:
    with Store.open(tmp_path / "b.luma", settings=cases.SMALL) as store:
        store.write("t", {"k": [1]})
        store.write("u", {"k": [1]})
        with store.begin() as transaction:
            transaction.write("t", {"k": [2]}, mode="append")
            view = transaction.view()
            mine, others = store.scan(view, "t"), store.scan(view, "u")

            assert mine.split(2) is None
            assert mine.undivided == "the open transaction has rows of it that are not committed"
            assert [part.rows for part in others.split(2) or []] == [1]
            transaction.rollback()


def test_older_snapshots_are_split_as_they_were(tmp_path: Path, other: ProcessPoolExecutor) -> None:
    with cases.history(tmp_path / "b.luma", 4, ["large"], keyed=False, ordered=False).store as store:
        before = store.head()
        store.delete("t", np.arange(200))
        scan = store.scan(store.resolve(before), "t")

        seen = list(other.map(cases.read_part, scan.split(4) or []))

        assert tables_of(seen, seen[0].rows.schema).equals(cases.streamed(scan))
        assert sum(item.count for item in seen) == 240
