"""Series by number, runs by sorting, and columns as numbers: what is made of Arrow arrays."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luma_bench.bench.series.index_chunks import chunk_runs, runs_of
from luma_bench.bench.series.keys import SeriesKeys
from luma_bench.bench.series.queried import decoded
from luma_bench.bench.series.values import takes, values
from luma_bench.errors import UnsupportedError
from luma_bench.models.series.runs import Runs


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_series_are_numbered_by_value(data: st.DataObject) -> None:
    kinds = {
        "text": (pa.string(), st.sampled_from(["a", "b", "", "c" * 20, None])),
        "float": (pa.float64(), st.sampled_from([0.0, -0.0, math.nan, -math.nan, 1.5, None])),
        "int": (pa.int16(), st.sampled_from([0, 1, -1, None])),
    }
    names = data.draw(st.lists(st.sampled_from(sorted(kinds)), min_size=1, max_size=3))
    rows = data.draw(st.lists(st.tuples(*(kinds[name][1] for name in names)), max_size=30))
    types = [kinds[name][0] for name in names]
    series = SeriesKeys(types)
    known: dict[tuple[str, ...], int] = {}
    for part in (rows[:10], rows[10:]):
        columns = [[row[i] for row in part] for i in range(len(names))]
        arrays = [pa.array(column, kind) for column, kind in zip(columns, types, strict=True)]
        if data.draw(st.booleans()):
            arrays = [array.dictionary_encode() for array in arrays]
        codes = series.codes(arrays).tolist()
        for row, code in zip(part, codes, strict=True):
            assert known.setdefault(folded(row), code) == code
        assert codes == series.codes(arrays, extend=False).tolist()
    assert sorted(known.values()) == list(range(len(series)))
    back = list(zip(*(array.to_pylist() for array in series.arrays()), strict=True))
    assert {folded(row): code for code, row in enumerate(back)} == known
    unknown = [pa.array([None if i else kind_value(kind)], kind) for i, kind in enumerate(types)]
    assert series.codes(unknown, extend=False).tolist() == [-1]


def folded(row) -> tuple[str, ...]:
    return tuple("0.0" if item == 0 and isinstance(item, float) else repr(item) for item in row)


def kind_value(kind: pa.DataType):
    return "never" if pa.types.is_string(kind) else 99


@pytest.mark.parametrize(
    "array",
    [
        pa.ExtensionArray.from_storage(
            pa.uuid(), pa.array([b"a" * 16, b"b" * 16, None, b"a" * 16], pa.binary(16))
        ),
        pa.array([b"x", b"", None, b"x"]),
        pa.array([dt.time(1), dt.time(2), None, dt.time(1)]),
        pa.array([Decimal("1.50"), Decimal("-2.00"), None, Decimal("1.50")], pa.decimal64(15, 2)),
        pa.array([None, None, None, None]),
        pa.array(["x", "y", None, "x"], pa.large_string()),
        pa.DictionaryArray.from_arrays(pa.array([0, 2, None, 1], pa.int8()), pa.array(["x", "x", "y"])),
    ],
    ids=lambda array: str(array.type)[:20],
)
def test_keys_of_other_types(array: pa.Array) -> None:
    series = SeriesKeys([decoded(array.type)])
    codes = series.codes([array])
    assert codes[0] == codes[3]
    assert len(set(codes.tolist())) == len(set(map(repr, array.to_pylist())))
    assert repr(series.arrays(codes)[0].to_pylist()) == repr(array.to_pylist())
    time = np.arange(4)
    made = chunk_runs([array], time, None)
    last = dict(zip(map(repr, made.keys[0].to_pylist()), made.last.tolist(), strict=True))
    assert last == {repr(value): place for place, value in enumerate(array.to_pylist())}


def test_a_nested_column_tells_no_series() -> None:
    with pytest.raises(UnsupportedError, match="list"):
        SeriesKeys([pa.list_(pa.int64())])
    assert SeriesKeys([]).codes([], rows=3).tolist() == [0, 0, 0]
    assert len(SeriesKeys([])) == 1


@settings(deadline=None, max_examples=80)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 4),
            st.one_of(st.none(), st.integers(-5, 5), st.sampled_from([-(2**63), 2**63 - 1])),
        ),
        max_size=40,
    ),
    st.booleans(),
)
def test_runs_sort_stably(rows: list[tuple[int, int | None]], ordered: bool) -> None:
    if ordered:
        rows = sorted(rows, key=lambda row: (row[0], -(2**63) if row[1] is None else row[1]))
    codes = np.array([row[0] for row in rows], np.int32)
    time = np.array([row[1] or 0 for row in rows], np.int64)
    valid = np.array([row[1] is not None for row in rows], bool)
    runs = runs_of(codes, time, 5, valid)
    wanted = sorted((code, tick, place) for place, (code, tick) in enumerate(rows) if tick is not None)
    order = list(range(len(rows))) if runs.order is None else runs.order.tolist()
    repeated = np.repeat(runs.codes, np.diff(runs.offsets)).tolist()
    assert list(zip(repeated, runs.time.tolist(), order, strict=True)) == wanted
    assert runs.without_time == len(rows) - len(wanted)
    made = chunk_runs([pa.array(codes)], time, None if valid.all() else valid)
    assert made.rows == len(rows)
    assert dict(zip(made.keys[0].to_pylist(), made.last.tolist(), strict=True)) == {
        code: max(tick for own, tick, _ in wanted if own == code) for code in {row[0] for row in wanted}
    }


def test_many_series_are_sorted_as_few() -> None:
    rng = np.random.default_rng(3)
    codes = rng.integers(0, 100_000, 200_000).astype(np.int32)
    time = rng.integers(0, 1_000, 200_000)
    runs = runs_of(codes, time, 100_000)
    order = np.lexsort((np.arange(len(time)), time, codes))
    assert runs.order is not None
    assert (runs.order == order).all()
    assert (runs.codes == np.unique(codes)).all()


@pytest.mark.parametrize(
    ("array", "wanted"),
    [
        (pa.array([1, None, 3], pa.int8()), [1, None, 3]),
        (pa.array([1.5, math.nan, None], pa.float32()), [1.5, math.nan, None]),
        (pa.array([True, None, False, True]).slice(1), [None, False, True]),
        (pa.array([dt.date(1969, 12, 31), None]), [-1, None]),
        (pa.array([5, None], pa.duration("ms")), [5, None]),
        (pa.array([None, 7, 8], pa.timestamp("ns", "UTC")).slice(1), [7, 8]),
        (pa.array([Decimal(-150), Decimal(7)], pa.decimal128(12, 0)), [-150, 7]),
        (pa.array([1, 2, 2], pa.int64()).dictionary_encode(), [1, 2, 2]),
        (pa.array([], pa.float64()), []),
    ],
)
def test_values_are_numbers_with_a_mask(array: pa.Array, wanted: list[object]) -> None:
    count = len(array)
    order = np.arange(count)[::-1].copy()
    for at, back in ((None, wanted), (order, wanted[::-1])):
        runs = Runs(np.zeros(1, np.int32), np.array([0, count]), np.zeros(count, np.int64), at)
        made = values(array, runs)
        held = made.data.tolist()
        found = [None if made.valid is not None and not made.valid[i] else held[i] for i in range(count)]
        assert repr(found) == repr(back)
    assert takes(array.type)


def test_text_makes_no_numbers() -> None:
    assert not takes(pa.string())
    with pytest.raises(UnsupportedError, match="Cast"):
        values(pa.array(["a"]), Runs(np.zeros(1, np.int32), np.array([0, 1]), np.zeros(1, np.int64)))
