"""Every Arrow type comes back from a segment exactly as it was written."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from segment_cases import (
    DECIMALS,
    EXTENSIONS,
    PLAIN,
    SMALL,
    arrays,
    joined,
    same,
    scan_of,
    schema_of,
    values,
    written,
)

from luma_bench.errors import SchemaError
from luma_bench.storage.columns import stream_type
from luma_bench.storage.segment import Segment
from luma_bench.storage.tail import streamed
from luma_bench.types.schema import TableSettings


def sound(array: pa.Array) -> bool:
    """Whether Arrow finds nothing wrong; `pa.array([[None]])` of structs of dictionaries is itself not sound."""
    try:
        array.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def check(array: pa.Array, table_settings: TableSettings | None = None) -> None:
    table = pa.table({"a": array})
    whole = sound(array)
    schema = schema_of(table, table_settings)
    with tempfile.TemporaryDirectory() as folder:
        ref = written(Path(folder), table, schema=schema)
        segment = Segment.open(ref)
        kind = array.type
        exact = [segment.read(10, chunk, kind) for chunk in range(segment.chunks)]
        assert not whole or all(sound(part) for part in exact)
        assert same(joined(pa.chunked_array(exact, kind)), array)
        fast = stream_type(kind)
        parts = [segment.read(10, chunk, fast) for chunk in range(segment.chunks)]
        assert not whole or all(sound(part) for part in parts)
        # The stream's form is the same values: what a cast of the written ones gives.
        assert same(joined(pa.chunked_array(parts, fast)), streamed(pa.chunked_array([array]), fast))


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_any_array_round_trips(data: st.DataObject) -> None:
    check(data.draw(arrays()))


@pytest.mark.slow
@settings(deadline=None, max_examples=3000)
@given(st.data())
def test_any_array_round_trips_at_length(data: st.DataObject) -> None:
    check(data.draw(arrays()))


@pytest.mark.parametrize("kind", [*PLAIN, *EXTENSIONS], ids=str)
@settings(deadline=None, max_examples=4)
@given(data=st.data())
def test_each_type_round_trips(kind: pa.DataType, data: st.DataObject) -> None:
    check(
        data.draw(arrays(kind)),
        data.draw(st.sampled_from([TableSettings(), TableSettings(codec="exchange")])),
    )


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_float_bits_survive(tmp_path: Path, dtype: str) -> None:
    integers = np.random.default_rng(0).integers(0, 2**63, 300, dtype=np.uint64)
    bits = integers.astype("u4" if dtype == "f4" else "u8")
    bits[:40] = (
        0x7FC00000 + np.arange(40) if dtype == "f4" else 0x7FF8000000000000 + np.arange(40, dtype=np.uint64)
    )
    array = pa.Array.from_buffers(
        pa.float32() if dtype == "f4" else pa.float64(), 300, [None, pa.py_buffer(bits)]
    )
    segment = Segment.open(written(tmp_path, pa.table({"a": array})))
    back = np.concatenate(
        [
            np.frombuffer(segment.read(10, i, array.type).buffers()[1], bits.dtype)
            for i in range(segment.chunks)
        ]
    )
    assert np.array_equal(back, bits)


@pytest.mark.parametrize("count", [1, 3, 40, 300])
@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.binary(), pa.string_view()], ids=str)
def test_few_distinct_strings_are_coded_and_come_back_plain(
    tmp_path: Path, kind: pa.DataType, count: int
) -> None:
    items = [None if i % 11 == 5 else f"value {i % count}" for i in range(900)]
    items = [item.encode() if item is not None and pa.types.is_binary(kind) else item for item in items]
    array = pa.array(items, kind)
    segment = Segment.open(written(tmp_path, pa.table({"a": array})))
    assert "c10.code" in segment.index.arrays
    parts = [segment.read(10, i, kind) for i in range(segment.chunks)]
    assert pa.chunked_array(parts).to_pylist() == items
    coded = segment.read(10, 0, pa.dictionary(pa.int16(), stream_type(kind)))
    assert coded.to_pylist() == items[:16]


def test_many_distinct_strings_are_not_coded(tmp_path: Path) -> None:
    array = pa.array([f"value {i}" for i in range(900)])
    segment = Segment.open(written(tmp_path, pa.table({"a": array})))
    assert {"c10.len", "c10.data"} <= segment.index.arrays.keys()
    assert segment.read(10, 0, pa.dictionary(pa.int32(), pa.string())).to_pylist() == array[:16].to_pylist()


def test_dictionaries_of_several_chunks_become_one(tmp_path: Path) -> None:
    kind = pa.dictionary(pa.int8(), pa.string())
    parts = [
        pa.DictionaryArray.from_arrays(pa.array([0, 1, None], pa.int8()), pa.array(["a", "b"])),
        pa.DictionaryArray.from_arrays(pa.array([1, 0, 2], pa.int8()), pa.array(["a", "c", None])),
    ]
    table = pa.table({"a": pa.chunked_array(parts, kind)})
    scan, pool = scan_of(tmp_path, [table])
    read = scan.read()
    assert read.schema == table.schema
    assert read["a"].to_pylist() == ["a", "b", None, "c", "a", None]
    pool.close()


def test_a_dictionary_wider_than_its_index_is_cut_to_each_chunk(tmp_path: Path) -> None:
    kind = pa.dictionary(pa.int8(), pa.string())
    parts = [
        pa.DictionaryArray.from_arrays(
            pa.array(np.arange(100, dtype=np.int8)), pa.array([f"{part}-{i}" for i in range(100)])
        )
        for part in range(3)
    ]
    table = pa.table({"a": pa.chunked_array(parts, kind)})
    scan, pool = scan_of(tmp_path, [table])
    assert scan.read()["a"].type == kind
    assert scan.read()["a"].to_pylist() == table["a"].to_pylist()
    pool.close()


def test_garbage_under_nulls_is_not_kept(tmp_path: Path) -> None:
    valid = pa.py_buffer(bytes([0b101]))
    text = pa.Array.from_buffers(
        pa.string(), 3, [valid, pa.py_buffer(np.array([0, 1, 4, 5], "i4")), pa.py_buffer(b"axyzb")]
    )
    lists = pa.Array.from_buffers(
        pa.list_(pa.int64()),
        3,
        [valid, pa.py_buffer(np.array([0, 1, 3, 4], "i4"))],
        children=[pa.array([1, 2, 3, 4])],
    )
    numbers = pa.Array.from_buffers(pa.int64(), 3, [valid, pa.py_buffer(np.array([7, 666, 9]))])
    table = pa.table({"t": text, "l": lists, "n": numbers})
    scan, pool = scan_of(tmp_path, [table])
    read = scan.read()
    assert read.equals(table)
    assert b"xyz" not in b"".join(read["t"].chunk(0).buffers()[2:])
    assert np.frombuffer(read["n"].chunk(0).buffers()[1], np.int64).tolist() == [7, 0, 9]
    pool.close()


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (pa.array(np.array([1, 2], np.float16)), "float32"),
        (pa.array([1], pa.decimal256(50, 2)), "decimal128"),
        (pa.array([100], pa.decimal128(5, -2)), "scale"),
        (pa.array([[1]], pa.list_view(pa.int64())), "list"),
        (pa.RunEndEncodedArray.from_arrays(pa.array([2], pa.int32()), pa.array([1])), "plain"),
        (pa.UnionArray.from_sparse(pa.array([0], pa.int8()), [pa.array([1])]), "plain"),
        (pa.array([1500], pa.duration("ns")), "1 µs"),
        (pa.array([(0, 0, 1)], pa.month_day_nano_interval()), "1 µs"),
        (pa.array([[("a", 1), ("a", 2)]], pa.map_(pa.string(), pa.int64())), "twice"),
        (
            pa.array([[[("k", 1)], [("k", 1), ("k", None)]]], pa.list_(pa.map_(pa.string(), pa.int64()))),
            "twice",
        ),
        (pa.array([b""], pa.binary(0)), "zero bytes"),
        (
            pa.Array.from_buffers(pa.decimal128(5, 2), 1, [None, pa.py_buffer(np.array([10**12, 0]))]),
            "digits",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else str(value.type),
)
def test_what_cannot_be_stored_is_refused(tmp_path: Path, array: pa.Array, words: str) -> None:
    with pytest.raises(SchemaError, match="'a'") as caught:
        written(tmp_path, pa.table({"a": array}))
    assert words in str(caught.value)
    assert not list(tmp_path.iterdir())


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_decimals_are_streamed_as_narrow_as_they_are_stored(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(DECIMALS))
    array = pa.array(data.draw(st.lists(values(kind), min_size=1, max_size=20)), kind)
    with tempfile.TemporaryDirectory() as folder:
        segment = Segment.open(written(Path(folder), pa.table({"a": array}), settings=SMALL))
        got = segment.read(10, 0, stream_type(kind))
    assert got.type.bit_width == (32 if kind.precision <= 9 else 64 if kind.precision <= 18 else 128)
    assert got.to_pylist() == array[: len(got)].to_pylist()
