"""The `_pk` arrays are Zarr arrays like the others, and a wrong byte in them is refused, never a wrong answer."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from key_cases import schema_for, tiny_chunks
from segment_cases import written
from thorough import drawn

from luma_bench.errors import CorruptionError
from luma_bench.storage.key_index import KeyFinder
from luma_bench.storage.pool import BufferPool
from luma_bench.storage.segment import Segment, SegmentRef
from luma_bench.types.schema import TableSettings

ROWS = 60
SCHEMA = schema_for([pa.string()])
KEYS = [f"key {i * 7 % ROWS}" for i in range(ROWS)]
TABLE = pa.Table.from_arrays([pa.array(range(ROWS)), pa.array(KEYS)], schema=SCHEMA.arrow)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> SegmentRef:
    with tiny_chunks():
        return written(tmp_path_factory.mktemp("whole"), TABLE, schema=SCHEMA)


def sidecar_bytes(ref: SegmentRef) -> list[int]:
    """Every offset in the file at which a `_pk` chunk lies."""
    index = Segment.open(ref).index
    found: list[int] = []
    for name, array in index.arrays.items():
        if name.startswith("_pk"):
            for chunk in range(array.first, array.first + array.chunks):
                start = int(index.chunks.offset[chunk])
                found += range(start, start + int(index.chunks.length[chunk]))
    return found


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**9), st.integers(1, 255))
def test_a_wrong_byte_is_refused(
    whole: SegmentRef, tmp_path_factory: pytest.TempPathFactory, pick: int, mask: int
) -> None:
    places = sidecar_bytes(whole)
    data = bytearray(whole.path.read_bytes())
    data[places[pick % len(places)]] ^= mask
    path = tmp_path_factory.mktemp("damaged") / "damaged.zarr.zip"
    path.write_bytes(data)
    ref = replace(whole, path=path)
    pool = BufferPool(1 << 22, 1)
    with pytest.raises(CorruptionError, match="_pk") as caught:
        KeyFinder(SCHEMA, [ref], [], pool).find(pa.table({"k0": KEYS}))
    assert (caught.value.segment, caught.value.column) == (whole.ulid, "_pk")
    wrong = Segment.open(ref).verify()
    assert [problem.column for problem in wrong] == ["_pk"]
    pool.close()


@settings(max_examples=drawn(25), deadline=None)
@given(st.integers(0, 10**9), st.integers(1, 255))
def test_single_keys_are_refused_or_right(
    whole: SegmentRef, tmp_path_factory: pytest.TempPathFactory, pick: int, mask: int
) -> None:
    places = sidecar_bytes(whole)
    data = bytearray(whole.path.read_bytes())
    data[places[pick % len(places)]] ^= mask
    path = tmp_path_factory.mktemp("damaged") / "damaged.zarr.zip"
    path.write_bytes(data)
    pool = BufferPool(0, 1)  # keeps nothing: each key reads what it needs itself
    finder = KeyFinder(SCHEMA, [replace(whole, path=path)], [], pool)
    refused = 0
    for at, key in enumerate(KEYS):
        try:
            found = finder.find(pa.table({"k0": [key]}))
        except CorruptionError:
            refused += 1
        else:
            assert found.position.tolist() == [at]
    assert refused
    pool.close()


@pytest.mark.parametrize("codec", ["auto", "exchange"])
def test_stock_zarr_opens_them(tmp_path: Path, codec: str) -> None:
    schema = replace(SCHEMA, settings=TableSettings(primary_key=("k0",), codec=codec))
    with tiny_chunks():
        ref = written(tmp_path, TABLE, schema=schema)
    store = zarr.storage.ZipStore(ref.path, mode="r")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # numcodecs' codecs are no part of the Zarr specification, which zarr says once for each array.
        warnings.filterwarnings("ignore", message="Numcodecs codecs are not in the Zarr version 3")
        group = zarr.open_group(store, mode="r")
        names = sorted(name for name in group.array_keys() if name.startswith("_pk"))
        assert names == ["_pk.bloom", "_pk.fence", "_pk.hash.c3", "_pk.row"]
        codes, rows, fence = (np.asarray(group[name][:]) for name in ("_pk.hash.c3", "_pk.row", "_pk.fence"))
        assert np.asarray(group["_pk.bloom"][:]).dtype == np.uint8
    store.close()
    assert (np.diff(codes) > 0).all()
    assert sorted(rows.tolist()) == list(range(ROWS))
    assert fence.tolist()[0::2] == codes[::4].tolist()
    assert codes.min() >= 0
    assert codes.max() < 2**48
