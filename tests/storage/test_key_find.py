"""Every key is found where its live row is, and nowhere else; the oracle is where the test put it."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from key_cases import KEY_TYPES, Case, collide, key_array, key_tuples, make_case, schema_for, tiny_chunks
from segment_cases import SMALL, written

from luma_bench.errors import SchemaError
from luma_bench.storage.key_form import KeyForm
from luma_bench.storage.key_index import Found, KeyFinder
from luma_bench.storage.key_sidecar import codes_name
from luma_bench.storage.pool import BufferPool
from luma_bench.storage.segment import Segment
from luma_bench.types.scan import ScanCounters
from luma_bench.types.schema import TableSettings


def places(found: Found) -> list[tuple[str, int] | None]:
    return [
        None if part < 0 else (found.parts[part], at)
        for part, at in zip(found.part_of.tolist(), found.position.tolist(), strict=True)
    ]


def check(case: Case) -> None:
    pool = BufferPool(1 << 24, 2)
    try:
        lookup = case.lookup(pool)
        for _ in range(2):  # the second time from the pool
            assert places(lookup.finder.find(case.wanted)) == case.expected
        twice = pa.concat_tables([case.wanted, case.wanted])
        assert (
            places(KeyFinder(case.schema, case.segments, case.inline, pool).find(twice)) == case.expected * 2
        )
        found = [payload for payload in case.payload if payload is not None]
        assert lookup.get_many(case.wanted)["payload"].to_pylist() == found
        if pa.time64("ns") in case.wanted.schema.types:
            return  # Python's times have no nanoseconds
        for i, payload in enumerate(case.payload):
            try:
                key = tuple(column[i].as_py() for column in case.wanted.columns)
            except OverflowError:
                continue  # Python has the years 1 to 9999 only
            row = lookup.get(key)
            assert (None if row is None else row["payload"]) == payload
    finally:
        pool.close()


@settings(max_examples=80, deadline=None)
@given(st.data(), st.randoms(use_true_random=False))
def test_keys_of_any_type(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, dice: random.Random
) -> None:
    kinds = data.draw(st.lists(st.sampled_from(KEY_TYPES), min_size=1, max_size=2))
    keys = data.draw(key_tuples(kinds))
    with tiny_chunks():
        check(make_case(tmp_path_factory.mktemp("keys"), kinds, keys, dice, stored=dice.random() < 0.8))


@settings(max_examples=25, deadline=None)
@given(st.data(), st.randoms(use_true_random=False))
def test_hashes_that_collide_change_no_answer(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, dice: random.Random
) -> None:
    kinds = data.draw(
        st.sampled_from([[pa.string()], [pa.int32(), pa.binary()], [pa.uuid()], [pa.date32(), pa.bool_()]])
    )
    keys = data.draw(key_tuples(kinds))
    with tiny_chunks() as patch:
        collide(patch)
        check(make_case(tmp_path_factory.mktemp("keys"), kinds, keys, dice))


def test_zeros_and_nans_are_one_key_each(tmp_path: Path) -> None:
    for kind in (pa.float32(), pa.float64()):
        schema = schema_for([kind])
        table = pa.table({"payload": [1, 2, 3], "k0": pa.array([-0.0, float("nan"), float("inf")], kind)})
        table = table.cast(schema.arrow)
        ref = written(tmp_path, table, schema=schema, ulid=f"01{kind}")
        pool = BufferPool(1 << 20, 1)
        finder = KeyFinder(schema, [ref], [], pool)
        other = np.array([0x7FF8_0000_0000_0001], np.int64).view(np.float64)[0]
        wanted = pa.table(
            {"k0": pa.array(np.array([0.0, other, np.inf, -np.inf, -np.nan]), pa.float64()).cast(kind)}
        )
        assert places(finder.find(wanted)) == [
            (ref.ulid, 0), (ref.ulid, 1), (ref.ulid, 2), None, (ref.ulid, 1)
        ]  # fmt: skip
        pool.close()


def test_intervals_are_equal_as_in_sql(tmp_path: Path) -> None:
    schema = schema_for([pa.month_day_nano_interval()])
    key = pa.array([(1, 0, 0), (0, 1, 0), (-1, 40, 5000)], pa.month_day_nano_interval())
    table = pa.Table.from_arrays([pa.array([1, 2, 3]), key], schema=schema.arrow)
    ref = written(tmp_path, table, schema=schema)
    pool = BufferPool(1 << 20, 1)
    day = 86_400 * 10**9
    asked = pa.array([(0, 30, 0), (0, 0, day), (0, 10, 5000), (0, 10, 6000)], pa.month_day_nano_interval())
    found = KeyFinder(schema, [ref], [], pool).find(pa.table({"k0": asked}))
    assert places(found) == [(ref.ulid, 0), (ref.ulid, 1), (ref.ulid, 2), None]
    pool.close()


def test_a_widened_key_is_found_in_older_segments(tmp_path: Path) -> None:
    cases = [
        (pa.int32(), pa.int64(), [1, -5], 1), (pa.uint32(), pa.uint64(), [1, 2**32 - 1], 2**32 - 1),
        (pa.timestamp("s"), pa.timestamp("us"), [1, 5], dt.datetime(1970, 1, 1, 0, 0, 5)),
        (pa.string(), pa.large_string(), ["a", "b"], "b"),
    ]  # fmt: skip
    for before, after, items, asked in cases:
        old, new = schema_for([before]), schema_for([after])
        table = pa.Table.from_arrays([pa.array([1, 2]), pa.array(items, before)], schema=old.arrow)
        ref = written(tmp_path, table, schema=old, ulid=f"01{before}")
        pool = BufferPool(1 << 20, 1)
        finder = KeyFinder(new, [ref], [], pool)
        found = finder.find(pa.table({"k0": pa.array([asked], after)}))
        assert found.position[0] == (0 if asked == items[0] else 1), before
        pool.close()


def test_only_segments_that_may_hold_a_key_are_read(tmp_path: Path) -> None:
    schema = schema_for([pa.int64()])
    refs = []
    for i in range(4):
        table = pa.table({"payload": np.arange(50), "k0": np.arange(50) * 2 + 1000 * i}).cast(schema.arrow)
        refs.append(written(tmp_path, table, schema=schema, ulid=f"01{i}"))
    refs[3].path.unlink()  # a segment that is pruned is not even opened
    pool = BufferPool(1 << 20, 1)
    counters = ScanCounters()
    found = KeyFinder(schema, refs, [], pool).find(pa.table({"k0": [1004, 1005, 2000]}), counters)
    assert places(found) == [("011", 2), None, ("012", 0)]
    assert (counters.segments_read, counters.segments_pruned) == (2, 2)
    pool.close()


def test_a_key_with_null_is_found_nowhere(tmp_path: Path) -> None:
    schema = schema_for([pa.int64(), pa.string()])
    table = pa.table({"payload": [1, 2], "k0": [0, 1], "k1": ["", "x"]}).cast(schema.arrow)
    pool = BufferPool(1 << 20, 1)
    finder = KeyFinder(schema, [written(tmp_path, table, schema=schema)], [], pool)
    wanted = pa.table({"k0": pa.array([None, 1, 0], pa.int64()), "k1": pa.array(["", None, ""])})
    assert finder.find(wanted).position.tolist() == [-1, -1, 0]
    pool.close()


def test_keys_of_another_shape_are_refused(tmp_path: Path) -> None:
    schema = schema_for([pa.int64()])
    pool = BufferPool(1 << 20, 1)
    finder = KeyFinder(schema, [], [], pool)
    with pytest.raises(SchemaError, match="missing in the keys"):
        finder.find(pa.table({"other": [1]}))
    with pytest.raises(SchemaError, match="the keys have type int32, the table int64"):
        finder.find(pa.table({"k0": pa.array([1], pa.int32())}))
    assert finder.find(pa.table({"k0": pa.array([], pa.int64())})).first() is None
    pool.close()


def test_what_was_found_by_part(tmp_path: Path) -> None:
    schema = schema_for([pa.int64()])
    table = pa.table({"payload": [1, 2, 3], "k0": [5, 3, 4]}).cast(schema.arrow)
    pool = BufferPool(1 << 20, 1)
    found = KeyFinder(schema, [written(tmp_path, table, schema=schema)], [], pool).find(
        pa.table({"k0": [4, 9, 5, 4]})
    )
    assert {part: at.tolist() for part, at in found.by_part().items()} == {"01SEGMENT": [0, 2]}
    assert found.first() == 0
    assert found.held.tolist() == [True, False, True, True]
    pool.close()


def test_the_sorted_codes_are_stored_with_every_row(tmp_path: Path) -> None:
    schema = schema_for([pa.uint64()])
    keys = key_array(pa.uint64(), [2**64 - 1, 0, 7])
    table = pa.Table.from_arrays([pa.array([1, 2, 3]), keys], schema=schema.arrow)
    segment = Segment.open(written(tmp_path, table, schema=schema))
    form = KeyForm.of(schema)
    codes = np.frombuffer(segment.array(codes_name(form), "_pk", 0)[0], np.int64)
    rows = np.frombuffer(segment.array("_pk.row", "_pk", 0)[0], np.uint32)
    assert codes.tolist() == [-(2**63), 7 - 2**63, 2**63 - 1]
    assert rows.tolist() == [1, 2, 0]


def test_a_table_without_a_key_has_no_key_arrays(tmp_path: Path) -> None:
    schema = replace(schema_for([pa.int64()]), settings=TableSettings())
    table = pa.table({"payload": [1], "k0": [1]}).cast(schema.arrow)
    ref = written(tmp_path, table, schema=schema, settings=SMALL)
    assert not [name for name in Segment.open(ref).index.arrays if name.startswith("_pk")]
