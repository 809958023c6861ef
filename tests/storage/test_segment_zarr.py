"""A segment is an ordinary Zarr v3 group in a ZIP archive: stock zarr-python decodes it to the same values."""

from __future__ import annotations

import datetime as dt
import json
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import zarr
from segment_cases import SMALL, schema_of, written

from luma_bench.errors import CatalogError
from luma_bench.storage.codecs_choose import TABLE_CODECS
from luma_bench.storage.pool import BufferPool
from luma_bench.storage.scan import TableScan
from luma_bench.storage.segment import Segment, SegmentRef
from luma_bench.storage.segment_reader import SegmentReader
from luma_bench.types.schema import TableSettings

ROWS = 75
TABLE = pa.table(
    {
        "i64": pa.array([None if i % 7 == 3 else i * i - 900 for i in range(ROWS)], pa.int64()),
        "u8": pa.array([i % 251 for i in range(ROWS)], pa.uint8()),
        "i16": pa.array([i - 40 for i in range(ROWS)], pa.int16()),
        "f32": pa.array([i / 3 for i in range(ROWS)], pa.float32()),
        "f64": pa.array([float("nan") if i % 9 == 0 else i / 7 for i in range(ROWS)], pa.float64()),
        "ok": pa.array([None if i % 5 == 0 else i % 3 == 0 for i in range(ROWS)]),
        "text": pa.array([None if i % 11 == 5 else f"é {i}" * (i % 4) for i in range(ROWS)]),
        "few": pa.array([None if i % 13 == 5 else f"word {i % 3}" for i in range(ROWS)]),
        "blob": pa.array([bytes([i]) * (i % 5) for i in range(ROWS)], pa.binary()),
        "day": pa.array([dt.date(2024, 1, 1) + dt.timedelta(days=i) for i in range(ROWS)]),
        "wide": pa.array([i * 10**25 for i in range(ROWS)], pa.decimal128(38, 0)),
        "list": pa.array(
            [None if i % 8 == 1 else list(range(i % 4)) for i in range(ROWS)], pa.list_(pa.int32())
        ),
        "pair": pa.array([{"a": i, "b": str(i)} for i in range(ROWS)]),
        "vec": pa.array([[i, i + 1] for i in range(ROWS)], pa.list_(pa.float32(), 2)),
        "one": pa.array([7] * ROWS, pa.int32()),
        "late": pa.array([-1] * 40 + list(range(35)), pa.int64()),
        "none": pa.array([None] * ROWS, pa.float64()),
    }
)
IDS = {name: 10 + 3 * i for i, name in enumerate(TABLE.column_names)}


@contextmanager
def opened(ref: SegmentRef) -> Iterator[Any]:
    store = zarr.storage.ZipStore(ref.path, mode="r")
    try:
        with warnings.catch_warnings():
            # zarr says that a numcodecs codec is an extension of the format, which it is.
            warnings.filterwarnings("ignore", category=UserWarning)
            yield zarr.open_group(store, mode="r")
    finally:
        store.close()


@pytest.fixture(params=[(codec, level) for codec in TABLE_CODECS for level in (0, 1)], ids=str)
def ref(request: pytest.FixtureRequest, tmp_path: Path) -> SegmentRef:
    codec, level = request.param
    schema = schema_of(TABLE, TableSettings(codec=codec))
    return written(tmp_path, TABLE, schema=schema, level=level)


def test_zarr_decodes_every_chunk_of_every_array_to_what_we_decode(ref: SegmentRef) -> None:
    segment = Segment.open(ref)
    with opened(ref) as group:
        assert {name for name, _ in group.members(max_depth=None)} == {*segment.index.arrays, "_index"}
        for name, stored in segment.index.arrays.items():
            array = group[name]
            elements = np.ascontiguousarray(array[:]).reshape(-1)
            per_chunk = array.chunks[0] * stored.width
            for chunk in range(stored.chunks):
                ours = SegmentReader(segment, name, None).fetch(name, chunk)
                part = elements[chunk * per_chunk : (chunk + 1) * per_chunk]
                if ours is None:
                    assert name.endswith(".valid")
                    assert (part == 255).all()
                else:
                    mine = np.frombuffer(ours, stored.dtype)
                    assert part[: len(mine)].tobytes() == mine.tobytes(), (name, chunk)


def test_chunks_of_one_value_are_left_out(tmp_path: Path) -> None:
    segment = Segment.open(written(tmp_path, TABLE))
    index = segment.index

    def stored(name: str) -> list[bool]:
        array = index.arrays[f"c{IDS[name]}"]
        return [bool(length) for length in index.chunks.length[array.first : array.first + array.chunks]]

    assert stored("one") == [False] * 5
    assert stored("none") == [False] * 5
    assert stored("late") == [False, False, True, True, True]
    assert index.arrays[f"c{IDS['one']}"].fill == 7
    for name in ("one", "late", "none"):
        found = [segment.read(IDS[name], chunk, TABLE.schema.field(name).type) for chunk in range(5)]
        assert pa.concat_arrays(found).equals(TABLE[name].combine_chunks())


def test_a_stranger_reads_numbers_and_strings(ref: SegmentRef) -> None:
    with opened(ref) as group:
        chunk_rows = group.attrs["luma"]["chunk_rows"]
        assert chunk_rows == 16
        assert {column["name"]: column["id"] for column in group.attrs["luma"]["columns"]} == IDS
        starts = range(0, ROWS, chunk_rows)

        def valid(node: str) -> np.ndarray:
            if f"{node}.valid" not in group:
                return np.ones(ROWS, bool)
            array = group[f"{node}.valid"]
            size = array.chunks[0]
            found = [
                np.unpackbits(array[i * size : (i + 1) * size], bitorder="little")[: min(16, ROWS - start)]
                for i, start in enumerate(starts)
            ]
            return np.concatenate(found).astype(bool)

        def strings(node: str, rows: int, chunk: int) -> list[bytes]:
            lengths, data = group[f"{node}.len"], group[f"{node}.data"]
            found: list[bytes] = []
            for i, start in enumerate(range(0, rows, chunk)):
                ends = np.cumsum(lengths[start : start + chunk])[: rows - start]
                held = data[i * data.chunks[0] : (i + 1) * data.chunks[0]].tobytes()
                found += [held[a:b] for a, b in zip([0, *ends[:-1]], ends, strict=True)]
            return found

        for name in ("i64", "u8", "i16", "f32", "f64", "day", "one", "late", "none"):
            node = f"c{IDS[name]}"
            numbers = group[node][:ROWS]
            expected = TABLE[name].combine_chunks()
            if name == "day":
                expected = expected.cast(pa.int32())
            assert (
                pa.array(numbers, mask=~valid(node)).equals(pa.array(expected.to_pylist(), expected.type))
                or name == "f64"
            )
            if name == "f64":
                assert np.array_equal(numbers, expected.to_numpy(zero_copy_only=False), equal_nan=True)
        node = f"c{IDS['ok']}"
        bits = group[node]
        held = [np.unpackbits(bits[i * 2 : i * 2 + 2], bitorder="little") for i in range(len(starts))]
        assert [
            bool(b) if v else None for b, v in zip(np.concatenate(held), valid(node), strict=False)
        ] == TABLE["ok"].to_pylist()
        for name in ("text", "blob"):
            node = f"c{IDS[name]}"
            found = [
                item if ok else None for item, ok in zip(strings(node, ROWS, 16), valid(node), strict=True)
            ]
            assert found == TABLE[name].cast(pa.binary()).to_pylist()
        node = f"c{IDS['few']}"
        words = strings(f"{node}.dict", 3, 3)
        codes = group[f"{node}.code"][:ROWS]
        assert [
            words[code].decode() if ok else None for code, ok in zip(codes, valid(node), strict=True)
        ] == TABLE["few"].to_pylist()


def test_an_exchange_table_needs_no_codec_beyond_zarr_itself(tmp_path: Path) -> None:
    ref = written(tmp_path, TABLE, schema=schema_of(TABLE, TableSettings(codec="exchange")))
    names: set[str] = set()

    def walk(codecs: list[dict[str, Any]]) -> None:
        for codec in codecs:
            names.add(codec["name"])
            for key in ("codecs", "index_codecs"):
                walk(codec.get("configuration", {}).get(key, []))

    with zipfile.ZipFile(ref.path) as archive:
        for name in archive.namelist():
            if name.endswith("zarr.json"):
                walk(json.loads(archive.read(name)).get("codecs", []))
    assert names == {"bytes", "zstd", "crc32c", "sharding_indexed"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        store = zarr.storage.ZipStore(ref.path, mode="r")
        group = zarr.open_group(store, mode="r")
        assert group[f"c{IDS['u8']}"][:ROWS].tolist() == TABLE["u8"].to_pylist()
        store.close()


def test_the_archive_is_stored_and_named_by_column_ids(ref: SegmentRef) -> None:
    with zipfile.ZipFile(ref.path) as archive:
        assert archive.testzip() is None
        assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}
        names = archive.namelist()
    assert len(set(names)) == len(names)
    roots = {name.split("/")[0].split(".")[0] for name in names} - {"zarr", "_index"}
    assert roots == {f"c{column_id}" for column_id in IDS.values()}


def test_stored_row_ids_are_an_array_too(tmp_path: Path) -> None:
    from luma_bench.storage.segment import write_segment

    ids = pa.array(np.random.default_rng(0).permutation(ROWS).astype(np.int64))
    schema = schema_of(TABLE)
    ref = write_segment(
        tmp_path, "01IDS", TABLE, schema, first_row_id=None, row_ids=ids, settings=SMALL, sync=True
    )
    with opened(ref) as group:
        assert group["_rowid"][:ROWS].tolist() == ids.to_pylist()
    pool = BufferPool(1 << 20, 1)
    scan = TableScan(schema, [ref], [], pool, SMALL)
    assert scan.read(["_rowid"])["_rowid"].to_pylist() == ids.to_pylist()
    pool.close()


def test_a_write_that_fails_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from luma_bench.storage.codecs_blosc import Blosc

    def broken(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Blosc, "encode", broken)
    with pytest.raises(CatalogError, match="cannot be stored: No space"):
        written(tmp_path, TABLE)
    assert not list(tmp_path.iterdir())


def test_a_segment_is_never_written_twice(tmp_path: Path) -> None:
    ref = written(tmp_path, TABLE)
    before = ref.path.read_bytes()
    with pytest.raises(FileExistsError):
        written(tmp_path, TABLE)
    assert ref.path.read_bytes() == before
