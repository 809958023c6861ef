"""The segment pipeline: several segments at once give the files that one after the other gives, or none."""

from __future__ import annotations

import threading
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from segment_cases import SMALL, schema_of

from luma_bench.errors import SchemaError
from luma_bench.storage.pool import BufferPool
from luma_bench.storage.scan import TableScan
from luma_bench.storage.segment import SegmentRef, write_segment
from luma_bench.storage.segment_pipeline import SegmentPipeline
from luma_bench.storage.write import sorted_rows
from luma_bench.types.schema import TableSettings


def numbers(seed: int, rows: int = 90) -> pa.Table:
    rng = np.random.default_rng(seed)
    return pa.table({"id": rng.permutation(rows), "name": pa.array([f"n{i % 5}" for i in range(rows)])})


def test_files_are_those_that_are_written_one_by_one(tmp_path: Path) -> None:
    tables = [numbers(seed) for seed in range(6)]
    schema = schema_of(tables[0])
    (tmp_path / "one").mkdir()
    (tmp_path / "many").mkdir()
    with SegmentPipeline(SMALL) as pipeline:
        futures = [
            pipeline.submit(
                tmp_path / "many",
                f"01S{i}",
                table,
                schema,
                first_row_id=90 * i,
                level=i % 2,
                prepare=partial(sorted_rows, keys=["id"]),
            )
            for i, table in enumerate(tables)
        ]
    for i, table in enumerate(tables):
        ordered = sorted_rows(table, ["id"])
        single = write_segment(
            tmp_path / "one", f"01S{i}", ordered, schema, first_row_id=90 * i, settings=SMALL, level=i % 2
        )
        assert futures[i].result().path.read_bytes() == single.path.read_bytes()
        assert futures[i].result().stats == single.stats


def test_no_more_tables_are_taken_than_may_be_in_flight(tmp_path: Path) -> None:
    go, running, most = threading.Event(), [], []
    lock = threading.Lock()

    def slow(table: pa.Table) -> pa.Table:
        with lock:
            running.append(1)
            most.append(len(running))
        go.wait(30)
        with lock:
            running.pop()
        return table

    table = numbers(0)

    def submit() -> None:
        with SegmentPipeline(SMALL, in_flight=2) as pipeline:
            for i in range(5):
                pipeline.submit(tmp_path, f"01S{i}", table, schema_of(table), first_row_id=0, prepare=slow)
                submitted.append(i)

    submitted: list[int] = []
    caller = threading.Thread(target=submit)
    caller.start()
    caller.join(0.3)
    assert len(submitted) <= 2
    go.set()
    caller.join(30)
    assert submitted == [0, 1, 2, 3, 4]
    assert max(most) <= 2


def test_a_segment_that_fails_fails_the_block_and_leaves_no_file(tmp_path: Path) -> None:
    good = numbers(0)
    bad = good.set_column(0, "id", pa.array([str(i) for i in range(90)]))

    def write() -> None:
        with SegmentPipeline(SMALL) as pipeline:
            for i, table in enumerate([good, good, bad]):
                pipeline.submit(tmp_path, f"01S{i}", table, schema_of(good), first_row_id=0)

    with pytest.raises(SchemaError, match="id"):
        write()
    assert not list(tmp_path.iterdir())


def test_a_block_that_raises_leaves_no_file(tmp_path: Path) -> None:
    table = numbers(0)

    def write() -> None:
        with SegmentPipeline(SMALL) as pipeline:
            pipeline.submit(tmp_path, "01S0", table, schema_of(table), first_row_id=0).result()
            pipeline.submit(tmp_path, "01S1", table, schema_of(table), first_row_id=0)
            raise KeyError("the data's own stream failed")

    with pytest.raises(KeyError):
        write()
    assert not list(tmp_path.iterdir())


def test_an_earlier_failure_is_told_at_the_next_segment(tmp_path: Path) -> None:
    table = numbers(0)
    later: list[str] = []

    def write() -> None:
        with SegmentPipeline(SMALL) as pipeline:
            (tmp_path / "01S0.zarr.zip").touch()
            pipeline.submit(tmp_path, "01S0", table, schema_of(table), first_row_id=0).exception()
            pipeline.submit(tmp_path, "01S1", table, schema_of(table), first_row_id=0)
            later.append("reached")

    with pytest.raises(FileExistsError):
        write()
    assert not later
    assert [file.name for file in tmp_path.iterdir()] == ["01S0.zarr.zip"]


def test_a_series_of_whole_numbers_streams_as_codes_and_reads_as_it_was(tmp_path: Path) -> None:
    settings = TableSettings(time_column="at", series_key=("sensor",))
    table = pa.table(
        {"sensor": np.repeat(np.arange(5, dtype=np.int32) * 1000, 20), "at": np.tile(np.arange(20), 5)}
    )
    schema = schema_of(table, settings)
    refs: list[SegmentRef] = [
        write_segment(
            tmp_path, f"01S{level}", table, schema, first_row_id=100 * level, settings=SMALL, level=level
        )
        for level in (0, 1)
    ]
    pool = BufferPool(1 << 20, 2)
    try:
        scan = TableScan(schema, refs, (), pool, SMALL)
        assert scan.schema.field("sensor").type == pa.dictionary(pa.uint8(), pa.int32())
        assert scan.read().equals(pa.concat_tables([table, table]))
    finally:
        pool.close()
