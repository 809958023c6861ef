"""ASOF JOIN: its kernel and whole statements against looking at every pair of rows, pandas and Polars."""

from __future__ import annotations

import bisect
import itertools
import math
import random
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from asof_oracle import one_by_one
from hypothesis import given, settings
from hypothesis import strategies as st

from luma_bench.bench.series.gather import Chunks
from luma_bench.errors import CancelledError
from luma_bench.models.control import Control
from luma_bench.models.series import pairs as pairs_module
from luma_bench.models.series import whole as whole_module
from luma_bench.models.series.asof import Way, matches
from luma_bench.models.series.ordinals import of_reals, scaled, to_reals
from luma_bench.models.series.runs import Runs
from luma_bench.models.series.whole import by_series_and_time, runs_of, whole

SMALL = {"inline_bytes": 500, "shard_rows": 64, "chunk_rows": 16, "key_chunk_rows": 8}
EDGES = [-(2**63), -(2**63) + 1, -5, 0, 7, 2**62, 2**63 - 2, 2**63 - 1]
TIMES = st.one_of(st.integers(-6, 6), st.sampled_from(EDGES))
ROWS = st.lists(st.tuples(st.integers(0, 3), TIMES), max_size=24)
WAYS = st.builds(
    Way,
    direction=st.sampled_from(["backward", "forward", "nearest"]),
    strict=st.booleans(),
    tolerance=st.one_of(st.none(), st.sampled_from([0, 1, 3, 2**62, 2**63, 2**64 - 1, 2**65])),
    first=st.booleans(),
)


def stretch(rows: list[Any], cuts: list[int]) -> Runs:
    """Rows as one stretch, merged from parts that are cut at some places."""
    codes = np.array([code for code, _ in rows], np.int32)
    times = np.array([time for _, time in rows], np.int64)
    edges = sorted({0, len(rows), *(cut for cut in cuts if cut < len(rows))})
    parts = [(runs_of(codes[a:b], times[a:b]), a) for a, b in itertools.pairwise(edges)]
    return whole(parts, Control())


def stored(runs: Runs, found: np.ndarray, rows: int) -> list[int]:
    made = np.full(rows, -9)
    made[slice(None) if runs.order is None else runs.order] = found
    return made.tolist()


@settings(max_examples=150, deadline=None)
@given(ROWS, ROWS, WAYS, st.lists(st.integers(1, 23), max_size=3), st.sampled_from([1, 3, 60_000]), st.sampled_from([0, 2, 1_500]))  # fmt: skip
def test_matches_are_those_of_every_pair(
    left: list[Any], right: list[Any], way: Way, cuts: list[int], block: int, looped: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pairs_module, "BLOCK", block)
        patch.setattr(pairs_module, "_LOOPED", looped)
        ours, theirs = stretch(left, cuts), stretch(right, cuts)
        found = stored(ours, matches(ours, theirs, way, Control()), len(left))
    assert found == one_by_one(left, right, way)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.tuples(st.integers(0, 5), st.integers(-9, 9)), max_size=12), max_size=5))
def test_merged_parts_are_the_runs_of_all_rows(parts: list[list[tuple[int, int]]]) -> None:
    """In order of series, time and stored place, with gaps between the places of parts."""
    made: list[tuple[Runs, int]] = []
    wanted: list[tuple[int, int, int]] = []
    first = 0
    for rows in parts:
        codes = np.array([code for code, _ in rows], np.int32)
        made.append((runs_of(codes, np.array([time for _, time in rows], np.int64)), first))
        wanted += [(code, time, first + place) for place, (code, time) in enumerate(rows)]
        first += len(rows) + len(rows) % 2
    runs = whole(made, Control())
    codes = np.repeat(runs.codes, np.diff(runs.offsets))
    places = np.arange(runs.rows) if runs.order is None else runs.order
    assert list(zip(codes.tolist(), runs.time.tolist(), places.tolist(), strict=True)) == sorted(wanted)
    assert np.all(np.diff(runs.codes) > 0)


def test_rows_are_sorted_where_series_and_time_do_not_fit_one_number() -> None:
    rng = np.random.default_rng(1)
    series, time = rng.integers(0, 9, 500), rng.choice(np.array([-(2**63), -1, 0, 2**63 - 1]), 500)
    assert by_series_and_time(series, time).tolist() == np.lexsort((time, series)).tolist()
    assert by_series_and_time(series, time % 7).tolist() == np.lexsort((time % 7, series)).tolist()


@pytest.mark.parametrize("count", [2, 3, 7])
def test_several_threads_put_many_rows_together(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(count)
    parts, first = [], 0
    for rows in random.integers(1, 30, count).tolist():
        codes, times = random.integers(0, 3, rows).astype(np.int32), random.integers(-9, 9, rows)
        parts.append((runs_of(codes, times), first))
        first += rows
    wanted = whole(parts, Control())
    monkeypatch.setattr(whole_module, "_MUCH", 0)
    found = whole(parts, Control())
    for one, other in (
        (found.codes, wanted.codes),
        (found.offsets, wanted.offsets),
        (found.time, wanted.time),
        (found.order, wanted.order),
    ):
        assert one is not None
        assert other is not None
        assert one.tolist() == other.tolist()


def test_rows_without_a_time_or_a_whole_key_match_nothing() -> None:
    left = runs_of(np.array([0, 0, 1], np.int32), np.array([5, 6, 5]), np.array([True, False, True]))
    right = runs_of(np.array([0, 1], np.int32), np.array([1, 1]))
    assert left.without_time == 1
    missing = np.array([False, True])
    assert stored(left, matches(left, right, Way(), Control(), missing), 3) == [0, -9, -1]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(), max_size=20), st.lists(st.floats(), max_size=20), WAYS)
def test_floats_match_by_their_values(left: list[float], right: list[float], way: Way) -> None:
    if way.tolerance is not None and way.tolerance > 3:
        return
    one = whole([(runs_of(np.zeros(len(left), np.int32), of_reals(np.array(left, float))), 0)], Control())
    two = whole([(runs_of(np.zeros(len(right), np.int32), of_reals(np.array(right, float))), 0)], Control())
    way = Way(way.direction, way.strict, way.tolerance, way.first, real=True)
    found = stored(one, matches(one, two, way, Control()), len(left))
    assert found == [_nearest_float(value, right, way) for value in left]


def _nearest_float(value: float, right: list[float], way: Way) -> int:
    def order(number: float) -> tuple[bool, float]:
        return (math.isnan(number), 0.0 if math.isnan(number) else number + 0.0)

    best: tuple[Any, int] | None = None
    for place, there in enumerate(right):
        if order(there) == order(value):
            side, distance = 0, 0.0
        else:
            side = 1 if order(there) > order(value) else -1
            distance = abs(value - there)
            distance = math.inf if math.isnan(distance) else distance
        if (side == 0 and way.strict) or (way.direction == "backward" and side > 0):
            continue
        if way.direction == "forward" and side < 0:
            continue
        # On one side the next one counts, which distances that are rounded or without bound do not tell.
        ahead = way.direction == "forward" or (way.direction == "nearest" and side > 0)
        near = order(there) if ahead else tuple(-part for part in order(there))
        tie = place if way.first else -place
        rank = (distance, side > 0, near, tie) if way.direction == "nearest" else (near, tie)
        if best is None or rank < best[0]:
            best = (rank, place)
            apart = distance
    if best is None or (way.tolerance is not None and apart > way.tolerance):
        return -1
    return best[1]


def test_floats_and_units_keep_their_order() -> None:
    values = np.array([-np.inf, -1e300, -1.5, -0.0, 0.0, 5e-324, 2.0, np.inf, np.nan, -np.nan])
    numbers = of_reals(values)
    assert np.all(np.diff(numbers[[0, 1, 2, 3, 5, 6, 7, 8]]) > 0)
    assert numbers[3] == numbers[4]
    assert numbers[8] == numbers[9]
    assert to_reals(numbers)[:8].tolist() == values[:8].tolist()
    assert scaled(np.array([1, -2, 2**62, -(2**62)]), 1_000).tolist() == [1_000, -2_000, 2**63 - 1, -(2**63)]


@pytest.mark.parametrize("direction", ["backward", "forward", "nearest"])
@pytest.mark.parametrize("strict", [False, True])
def test_pandas_and_polars_agree(direction: Any, strict: bool) -> None:
    rng = np.random.default_rng(5)
    left = sorted(zip(rng.integers(0, 400, 300).tolist(), rng.integers(0, 5, 300).tolist(), strict=True))
    right = sorted(zip(rng.permutation(400)[:200].tolist(), rng.integers(0, 5, 200).tolist(), strict=True))
    swapped = [[(code, time) for time, code in rows] for rows in (left, right)]
    ours = [stretch(rows, [50, 120]) for rows in swapped]
    found = stored(ours[0], matches(*ours, Way(direction, strict, tolerance=9), Control()), 300)
    one, two = (pd.DataFrame(rows, columns=["t", "k"]) for rows in (left, right))
    two["place"] = range(len(two))
    told = pd.merge_asof(
        one, two, on="t", by="k", direction=direction, allow_exact_matches=not strict, tolerance=9
    )
    assert found == told["place"].fillna(-1).astype(int).tolist()
    if not strict:
        joined = pl.from_pandas(one).join_asof(
            pl.from_pandas(two), on="t", by="k", strategy=direction, tolerance=9, check_sortedness=False
        )
        ties = [] if direction != "nearest" else _even(left, right)
        differ = [
            at for at, (a, b) in enumerate(zip(found, joined["place"].fill_null(-1), strict=True)) if a != b
        ]
        assert set(differ) <= set(ties)  # of two as near, Polars takes the later one


def _even(left: list[Any], right: list[Any]) -> list[int]:
    times = {(time, key) for time, key in right}
    return [
        at
        for at, (time, key) in enumerate(left)
        if any((time - gap, key) in times and (time + gap, key) in times for gap in range(1, 10))
    ]


def test_many_series_are_searched_together() -> None:
    """Nanoseconds over a year and many series leave no room in one number: blocks are asked series by series."""
    rng = np.random.default_rng(2)
    for most in (10**6, 2**61):
        codes = [np.sort(rng.integers(0, 3_000, count)).astype(np.int32) for count in (4_000, 9_000)]
        ours, theirs = (runs_of(code, rng.integers(-most, most, len(code))) for code in codes)
        found = matches(ours, theirs, Way(), Control())
        keys = np.repeat(theirs.codes, np.diff(theirs.offsets)).tolist()
        ranked = list(zip(keys, theirs.time.tolist(), strict=True))
        for place in rng.integers(0, ours.rows, 300).tolist():
            code = int(ours.codes[np.searchsorted(ours.offsets, place, "right") - 1])
            at = bisect.bisect_right(ranked, (code, int(ours.time[place]))) - 1
            wanted = at if at >= 0 and ranked[at][0] == code else -1
            if wanted >= 0 and theirs.order is not None:
                wanted = int(theirs.order[wanted])
            assert found[place] == wanted


def test_a_cancelled_search_ends() -> None:
    control = Control()
    control.stop.set()
    runs = runs_of(np.zeros(10, np.int32), np.arange(10))
    with pytest.raises(CancelledError):
        matches(runs, runs, Way(), control)


def test_rows_are_taken_by_place_across_chunks() -> None:
    words = pa.array(["a", None, "b", "a", "c", "d"]).dictionary_encode()
    table = pa.table({"x": pa.array([1, 2, 3, None, 5, 6]), "y": pa.array([0.0, 1, 2, 3, 4, 5]), "s": words})
    batches = [(0, table.slice(0, 2).to_batches()[0]), (10, table.slice(2, 3).to_batches()[0]), (20, table.slice(5).to_batches()[0])]  # fmt: skip
    fields = [pa.field("x", pa.int64()), pa.field("y", pa.float64()), pa.field("s", pa.string())]
    chunks = Chunks(fields, batches)
    whole_rows = dict(
        zip([0, 1, 10, 11, 12, 20, -1], [*table.to_pylist(), dict.fromkeys("xys")], strict=True)
    )
    rng = random.Random(1)
    for count in (0, 1, 5, 40):
        for ordered in (False, True):
            places = [rng.choice(list(whole_rows)) for _ in range(count)]
            places = sorted(places) if ordered else places
            chosen = chunks.places(np.array(places, np.int64))
            for at, field in enumerate(fields):
                taken = chunks.take(at, chosen)
                assert taken.type == field.type
                assert taken.to_pylist() == [whole_rows[place][field.name] for place in places]
    assert chunks.span(0, 0, 2).to_pylist() == [1, 2]
    assert chunks.span(2, 10, 13).to_pylist() == ["b", "a", "c"]
