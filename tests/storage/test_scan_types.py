"""Every type through both ways of reading: stream types in streams, the written types from `read`."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from segment_cases import EXTENSIONS, PLAIN, SMALL, arrays, joined, same, scan_of, schema_of, types, written

from luma_bench.storage.columns import stream_type
from luma_bench.storage.pool import BufferPool
from luma_bench.storage.scan import InlineBlob, TableScan
from luma_bench.types.predicate import Comparison, IsNull
from luma_bench.types.scan import ScanCounters

CODED = pa.dictionary(pa.uint8(), pa.string())


@pytest.fixture
def pool() -> Iterator[BufferPool]:
    held = BufferPool(1 << 24, 2)
    yield held
    held.close()


def plain(table: pa.Table, name: str = "a") -> list[object]:
    return table[name].to_pylist()


@settings(deadline=None, max_examples=80)
@given(data=st.data())
def test_any_type_streams_and_reads_with_deletions_and_a_tail(data: st.DataObject) -> None:
    kind = data.draw(types())
    whole = data.draw(arrays(kind, rows=data.draw(st.integers(3, 60))))
    ids = pa.array(np.arange(len(whole)))
    table = pa.table({"a": whole, "id": ids})
    cut = data.draw(st.integers(1, len(whole)))
    deleted = np.array(sorted(data.draw(st.sets(st.integers(0, cut - 1), max_size=5))), np.int64)
    pool = BufferPool(1 << 22, 2)
    with tempfile.TemporaryDirectory() as folder:
        schema = schema_of(table)
        ref = replace(written(Path(folder), table.slice(0, cut), schema=schema), deleted=deleted)
        rest = table.slice(cut)
        gone = np.array([0], np.int64) if len(rest) else None
        blobs = [InlineBlob(1, len(rest), cut, rest, gone)] if len(rest) else []
        scan = TableScan(schema, [ref], blobs, pool, SMALL)
        alive = [
            i for i in range(len(whole)) if i not in set(deleted.tolist()) and not (len(rest) and i == cut)
        ]
        exact = scan.read()
        exact.validate(full=True)
        assert exact.schema == table.schema
        expected = repr([whole[i].as_py() for i in alive])
        assert repr(plain(exact)) == expected
        streamed = scan.stream(None, [], ScanCounters()).read_all()
        streamed.validate(full=True)
        assert streamed.schema == scan.schema
        if not pa.types.is_float16(kind.value_type if pa.types.is_fixed_size_list(kind) else kind):
            assert repr(plain(streamed)) == expected
        kept = scan.stream([1, 2], [Comparison("id", ">=", 2, "BIGINT")], ScanCounters()).read_all()
        kept.validate(full=True)
        assert plain(kept, "id") == [i for i in alive if i >= 2]
    pool.close()


@pytest.mark.parametrize("kind", [*PLAIN, *EXTENSIONS], ids=str)
@settings(deadline=None, max_examples=3)
@given(data=st.data())
def test_each_type_streams_as_its_stream_type(kind: pa.DataType, data: st.DataObject) -> None:
    parts = [pa.table({"a": data.draw(arrays(kind, rows=20))}) for _ in range(3)]
    with tempfile.TemporaryDirectory() as folder:
        scan, pool = scan_of(Path(folder), parts[:2], inline=parts[2])
        found = scan.schema.field("a").type
        if pa.types.is_dictionary(found):
            assert found.value_type == stream_type(kind)
        else:
            assert found == stream_type(kind)
        whole = pa.chunked_array([chunk for part in parts for chunk in part["a"].chunks], kind)
        assert same(joined(scan.read()["a"]), joined(whole))
        for batch in scan.stream(None, [], ScanCounters()):
            batch.validate(full=True)
        pool.close()


def words(count: int, rows: int = 400) -> pa.Array:
    return pa.array([None if i % 13 == 7 else f"word {i % count}" for i in range(rows)])


def test_strings_stay_codes_only_where_every_segment_has_them(tmp_path: Path, pool: BufferPool) -> None:
    few, many = pa.table({"a": words(3)}), pa.table({"a": words(399)})
    schema = schema_of(few)
    coded = [written(tmp_path, few, schema=schema, ulid=f"01F{i}", first=400 * i) for i in range(2)]
    other = written(tmp_path, many, schema=schema, ulid="01M", first=800)
    both = TableScan(schema, coded, [], pool, SMALL)
    assert both.schema.field("a").type == CODED
    assert plain(both.stream([1], [], ScanCounters()).read_all()) == plain(few) * 2
    mixed = TableScan(schema, [coded[0], other, coded[1]], [], pool, SMALL)
    assert mixed.schema.field("a").type == pa.string()
    assert plain(mixed.stream([1], [], ScanCounters()).read_all()) == plain(few) + plain(many) + plain(few)
    assert plain(mixed.read()) == plain(few) + plain(many) + plain(few)
    tail = InlineBlob(1, 400, 800, many)
    widened = TableScan(schema, coded, [tail], pool, SMALL)
    assert widened.schema.field("a").type == pa.dictionary(pa.uint16(), pa.string())
    assert plain(widened.stream([1], [], ScanCounters()).read_all()) == plain(few) * 2 + plain(many)


@pytest.mark.parametrize(
    "value", [pa.string(), pa.int64(), pa.decimal128(5, 2), pa.list_(pa.int32())], ids=str
)
def test_inline_dictionaries_with_nulls_and_many_unused_values(
    tmp_path: Path, pool: BufferPool, value: pa.DataType
) -> None:
    def item(i: int) -> object:
        return (
            None if i == 3 else {"string": f"v{i}", "int64": i, "list<item: int32>": [i]}.get(str(value), i)
        )

    kind = pa.dictionary(pa.int8(), value)
    made = []
    for part in range(3):
        dictionary = pa.array([item(part * 100 + i) for i in range(120)], value)
        made.append(pa.DictionaryArray.from_arrays(pa.array([0, 3, None, 7, 7], pa.int8()), dictionary))
    expected = [value for array in made for value in array.to_pylist()]
    table = pa.table({"a": made[0]})
    schema = schema_of(table)
    blobs = [InlineBlob(i, 5, 5 * i, pa.table({"a": array})) for i, array in enumerate(made)]
    scan = TableScan(schema, [], blobs, pool, SMALL)
    assert plain(scan.read()) == expected
    assert scan.read().schema.field("a").type == kind
    streamed = scan.stream([1], [], ScanCounters()).read_all()
    assert plain(streamed) == expected
    # A NULL that lies in the dictionary is a NULL to a predicate and to every reader of the stream.
    rows = scan.stream([0], [IsNull("a")], ScanCounters()).read_all()["_rowid"].to_pylist()
    assert rows == [i for i, held in enumerate(expected) if held is None]
    ref = written(tmp_path, table, schema=schema)
    beside = TableScan(
        schema, [ref], [replace(blob, first_row_id=5 + 5 * i) for i, blob in enumerate(blobs)], pool, SMALL
    )
    assert plain(beside.stream([1], [], ScanCounters()).read_all()) == made[0].to_pylist() + expected
    assert plain(beside.read()) == made[0].to_pylist() + expected


def test_string_views_are_cut_by_their_own_bytes(
    tmp_path: Path, pool: BufferPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    from luma_bench.storage import segment_layout

    monkeypatch.setattr(segment_layout, "CHUNK_BYTES", 2_000)
    monkeypatch.setattr(segment_layout, "_LARGEST_CHUNK", 2_000)
    views = pa.array([f"a rather long text number {i}" for i in range(10_000)]).cast(pa.string_view())
    table = pa.table({"a": views.slice(5_000, 64)})
    ref = written(tmp_path, table)
    scan = TableScan(schema_of(table), [ref], [], pool, SMALL)
    assert scan.read().equals(table)
    # The slice points into 300 kB of text, of which it holds 2 kB.
    from luma_bench.storage.segment import Segment

    assert Segment.open(ref).chunk_rows == 16
