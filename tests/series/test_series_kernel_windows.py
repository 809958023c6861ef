"""HOP, CUMULATE and SESSION against windows listed one by one, and against the same windows in pandas and Polars."""

from __future__ import annotations

import datetime as dt
import itertools
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luma_bench.errors import KadeQLBindError
from luma_bench.models.series import sessions
from luma_bench.models.series.aggregates import Spec
from luma_bench.models.series.buckets import Buckets
from luma_bench.models.series.groups import Groups
from luma_bench.models.series.length import SECOND, Length
from luma_bench.models.series.panes import Overlaps
from luma_bench.models.series.partials import Aggregation, Partial
from luma_bench.models.series.runs import Runs, Stretch, Values

SPECS = [
    Spec("count_star"),
    Spec("sum", ("v",)),
    Spec("min", ("v",)),
    Spec("increase", ("v",)),
    Spec("last", ("v",)),
    Spec("dd_quantile", ("v",), (0.5,)),
]
AGGREGATION = Aggregation(SPECS, SECOND, {"v": np.dtype(np.float64)})

Rows = list[tuple[int, int, float]]
Windows = dict[tuple[int, int, int], list[Any]]


def stretch_of(rows: Rows) -> Stretch:
    rows = sorted(rows, key=lambda row: row[:2])
    codes = np.array([row[0] for row in rows], np.int32)
    begins = np.flatnonzero(np.concatenate([np.ones(min(len(rows), 1), bool), codes[1:] != codes[:-1]]))
    runs = Runs(codes[begins], np.append(begins, len(rows)), np.array([row[1] for row in rows], np.int64))
    return Stretch(runs, {"v": Values(np.array([row[2] for row in rows], np.float64))})


def brute(rows: Rows, windows: dict[int, list[tuple[int, int]]]) -> Windows:
    """`windows`: those that hold a row of that time."""
    made: dict[tuple[int, int, int], list[tuple[int, float]]] = defaultdict(list)
    for code, time, value in sorted(rows, key=lambda row: row[:2]):
        for start, end in windows[time]:
            made[code, start, end].append((time, value))
    return {key: numbers([value for _, value in samples]) for key, samples in made.items()}


def numbers(values: list[float]) -> list[Any]:
    grown = sum(b if b < a else b - a for a, b in itertools.pairwise(values))
    middle = sorted(values)[(len(values) - 1) // 2]
    return [
        len(values),
        pytest.approx(sum(values)),
        min(values),
        pytest.approx(grown) if len(values) > 1 else None,
        values[-1],
        pytest.approx(middle, rel=0.0100001),
    ]


def answers(partial: Partial, ends: np.ndarray) -> Windows:
    found = [item.values[0] for item in AGGREGATION.finished(partial, ends)]
    made: Windows = {}
    for at, key in enumerate(
        zip(partial.codes.tolist(), partial.starts.tolist(), ends.tolist(), strict=True)
    ):
        assert key not in made
        made[key] = [
            None if value.valid is not None and not value.valid[at] else value.data[at].item()
            for value in found
        ]
    assert list(made) == sorted(made)
    return made


def overlapped(rows: Rows, overlaps: Overlaps, chunk: int = 7) -> Windows:
    half = len(rows) // 2
    parts = [
        AGGREGATION.partial(stretch, Groups.of(stretch.runs, overlaps.panes))
        for stretch in (
            stretch_of(sorted(rows, key=lambda row: row[1])[:half]),
            stretch_of(sorted(rows, key=lambda row: row[1])[half:]),
        )
    ]
    merged = AGGREGATION.merged(parts)
    made: Windows = {}
    for partial, ends in overlaps.windows(merged, AGGREGATION, chunk):
        made |= answers(partial, ends)
    assert list(made) == sorted(made)
    return made


def row_mode(overlaps: Overlaps, times: list[int]) -> dict[int, list[tuple[int, int]]]:
    take, starts, ends = overlaps.rows(np.array(times, np.int64))
    made: dict[int, list[tuple[int, int]]] = {time: [] for time in times}
    for at, start, end in zip(take.tolist(), starts.tolist(), ends.tolist(), strict=True):
        if (start, end) not in made[times[at]]:
            made[times[at]].append((start, end))
    return made


def series(low: int = -200, high: int = 200) -> st.SearchStrategy[Rows]:
    row = st.tuples(st.integers(0, 2), st.integers(low, high), st.sampled_from([1.0, 2.0, 5.0, 7.5]))
    return st.lists(row, max_size=30, unique_by=lambda row: row[:2])


@given(series(), st.integers(1, 40), st.integers(1, 90), st.integers(-30, 30))
@settings(deadline=None, max_examples=120)
def test_hopping_windows_of_any_size_are_those_that_hold_a_row(
    rows: Rows, slide: int, size: int, shift: int
) -> None:
    overlaps = Overlaps.hop(
        Length(0, 0, slide * SECOND), Length(0, 0, size * SECOND), SECOND, offset=Length(0, 0, shift * SECOND)
    )
    windows = {
        time: [
            (number * slide + shift, number * slide + shift + size)
            for number in range((time - shift - size) // slide - 1, (time - shift) // slide + 2)
            if number * slide + shift <= time < number * slide + shift + size
        ]
        for _, time, _ in rows
    }
    assert overlapped(rows, overlaps) == brute(rows, windows)
    assert row_mode(overlaps, list(windows)) == windows


@given(series(), st.integers(1, 12), st.integers(1, 12))
@settings(deadline=None, max_examples=80)
def test_growing_windows_are_those_that_hold_a_row(rows: Rows, step: int, count: int) -> None:
    size = step * count
    overlaps = Overlaps.cumulate(Length(0, 0, step * SECOND), Length(0, 0, size * SECOND), SECOND)
    windows = {
        time: [
            (time // size * size, time // size * size + end)
            for end in range(step, size + 1, step)
            if time % size < end
        ]
        for _, time, _ in rows
    }
    assert overlapped(rows, overlaps) == brute(rows, windows)
    assert row_mode(overlaps, list(windows)) == windows


@pytest.mark.parametrize(
    ("slide", "size"),
    [
        ("1d", "2d"),
        ("2d", "3d"),
        ("6h", "12h"),
        ("1d", "36h"),
        ("1w", "10d"),
        ("2h", "3h"),
        ("1mo", "3mo"),
        ("2mo", "3mo"),
    ],
)
@pytest.mark.parametrize("zone", ["America/New_York", "Pacific/Apia", None])
def test_windows_of_a_zone_lie_between_edges_of_its_clock(slide: str, size: str, zone: str | None) -> None:
    rng = np.random.default_rng(5)
    middle = {"America/New_York": dt.datetime(2013, 11, 3), "Pacific/Apia": dt.datetime(2011, 12, 30)}.get(
        zone or "", dt.datetime(2020, 1, 1)
    )
    epoch = int(middle.replace(tzinfo=dt.UTC).timestamp())
    rows = [
        (0, int(time), 1.0) for time in np.unique(rng.integers(epoch - 9 * 86_400, epoch + 9 * 86_400, 60))
    ]
    overlaps = Overlaps.hop(Length.parse(slide), Length.parse(size), SECOND, zone)
    got = overlapped(rows, overlaps)
    begins = Buckets.of(Length.parse(slide), SECOND, zone)
    common = Length.parse(slide).common(Length.parse(size))
    assert common is not None
    for _, start, end in got:
        assert begins.starts(np.array([start])).tolist() == [start]
        assert sum(start <= time < end for _, time, _ in rows) == got[0, start, end][0]
    windows = row_mode(overlaps, [time for _, time, _ in rows])
    assert got == brute(rows, windows)
    count, spare = Length.parse(size).over(Length.parse(slide)), 3 * 86_400
    if count is not None:
        grid = begins.grid(rows[0][1] - 100 * 86_400, rows[-1][1] + 100 * 86_400).tolist()
        skipped = 1 if zone == "Pacific/Apia" else 0
        for _, start, end in got:
            assert grid.index(end) - grid.index(start) in {
                count,
                *(count - hidden for hidden in range(1, skipped * 4 + 1)),
            }
    else:
        whole = Length.parse(size).fixed
        assert whole is None or all(abs(end - start - whole // SECOND) <= spare for _, start, end in got)


def test_a_window_over_a_fall_back_follows_the_wall_clock() -> None:
    start = int(dt.datetime(2013, 11, 3, 4, tzinfo=dt.UTC).timestamp())
    overlaps = Overlaps.hop(Length.parse("1d"), Length.parse("2d"), SECOND, "America/New_York")
    got = overlapped([(0, start + 5, 1.0)], overlaps)
    assert sorted(got) == [(0, start - 86_400, start + 25 * 3600), (0, start, start + 49 * 3600)]


def test_far_apart_rows_make_no_windows_between_them() -> None:
    rows = [(0, -(10**15), 1.0), (0, 10**15, 2.0), (1, 0, 3.0)]
    got = overlapped(rows, Overlaps.hop(Length.parse("1s"), Length.parse("5s"), SECOND))
    assert len(got) == 15
    got = overlapped(rows, Overlaps.cumulate(Length.parse("1s"), Length.parse("1h"), SECOND))
    assert len(got) <= 3 * 3600


@pytest.mark.parametrize("way", [Overlaps.hop, Overlaps.cumulate])
def test_the_millions_of_windows_of_one_row_come_some_at_a_time(way: Callable[..., Overlaps]) -> None:
    slide, size = Length(0, 0, 1_000), Length(0, 1, 0)
    overlaps = way(slide, size, 1_000)
    day = 86_400_000_000
    times = np.array([5, 20_000 * day + 7, 100_000 * day], np.int64)
    data = {name: Values(np.zeros(3, dtype)) for name, dtype in AGGREGATION.dtypes.items()}
    runs = Runs(np.zeros(1, np.int32), np.array([0, 3]), times)
    panes = AGGREGATION.merged([AGGREGATION.partial(Stretch(runs, data), Groups.of(runs, overlaps.panes))])
    windows, ends = next(overlaps.windows(panes, AGGREGATION, rows=1_000))
    take, starts, stops = next(overlaps.pieces(times, 1_000))
    assert (len(windows.codes), len(take)) == (1_000, 1_000)
    assert take.tolist() == [0] * 1_000
    assert starts.tolist() == windows.starts.tolist()
    assert stops.tolist() == ends.tolist()
    assert bool(np.all((starts <= 5) & (stops > 5)))


def test_hops_agree_with_polars_but_for_the_first_partial_windows() -> None:
    rng = np.random.default_rng(8)
    times = np.unique(rng.integers(0, 4_000, 300))
    rows = [(0, int(time), float(time % 7)) for time in times]
    got = overlapped(rows, Overlaps.hop(Length.parse("1m"), Length.parse("5m"), SECOND), 1 << 18)
    frame = pl.DataFrame({"t": times, "v": times % 7.0}).set_sorted("t")
    grouped = frame.group_by_dynamic("t", every="60i", period="300i").agg(pl.len(), pl.sum("v"))
    want = {start: (count, total) for start, count, total in grouped.iter_rows()}
    assert {start: tuple(values[:2]) for (_, start, _), values in got.items() if start >= 0} == want
    assert min(start for _, start, _ in got) == -240


def test_sizes_without_a_common_measure_are_refused() -> None:
    with pytest.raises(KadeQLBindError, match="no common panes"):
        Overlaps.hop(Length.parse("1mo"), Length.parse("1w"), SECOND)
    with pytest.raises(KadeQLBindError, match="not a multiple"):
        Overlaps.cumulate(Length.parse("7h"), Length.parse("1d"), SECOND)
    with pytest.raises(KadeQLBindError, match="must have a length"):
        Overlaps.hop(Length.parse("0s"), Length.parse("1d"), SECOND)


def test_panes_of_nothing_have_no_windows() -> None:
    assert overlapped([], Overlaps.hop(Length.parse("1s"), Length.parse("5s"), SECOND)) == {}


@given(series(-60, 60), st.integers(0, 12), st.integers(1, 4), st.booleans())
@settings(deadline=None, max_examples=120)
def test_sessions_end_where_a_gap_is_strictly_greater(rows: Rows, gap: int, pieces: int, keyed: bool) -> None:
    specs = SPECS[:3]
    aggregation = Aggregation(specs, SECOND, {"v": np.dtype(np.float64)})
    want: dict[tuple[int, int], list[tuple[int, float]]] = {}
    last: dict[int, tuple[int, int]] = {}
    for code, time, value in sorted(rows, key=lambda row: row[1]):
        key = code if keyed else 0
        if key not in last or time - last[key][1] > gap:
            last[key] = (time, time)
            want[key, time] = []
        start = last[key][0]
        last[key] = (start, time)
        want[key, start].append((time, value))
    parts = [stretch_of(rows[at::pieces]) for at in range(pieces)]
    codes = [None if keyed else np.zeros(len(part.runs.codes), np.int32) for part in parts]
    made = [
        aggregation.partial(part, sessions.cut(part.runs, gap, key))
        for part, key in zip(parts, codes, strict=True)
    ]
    merged = sessions.merged(made, gap, aggregation)
    assert merged.lasts is not None
    keys = list(zip(merged.codes.tolist(), merged.starts.tolist(), strict=True))
    assert keys == sorted(want)
    assert merged.lasts.tolist() == [want[key][-1][0] for key in keys]
    count, total, low = (item.values[0].data.tolist() for item in aggregation.finished(merged))
    assert count == [len(want[key]) for key in keys]
    assert total == pytest.approx([sum(value for _, value in want[key]) for key in keys])
    assert low == [min(value for _, value in want[key]) for key in keys]
    for part, key in zip(parts, codes, strict=True):
        where = sessions.assigned(part.runs, merged, key)
        assert np.all(merged.starts[where] <= part.runs.time)
        assert np.all(part.runs.time <= merged.lasts[where])


def test_sessions_of_ordered_states_go_over_stretches() -> None:
    parts = [stretch_of([(0, 0, 5.0), (0, 10, 8.0)]), stretch_of([(0, 20, 2.0), (0, 45, 9.0)])]
    made = [AGGREGATION.partial(part, sessions.cut(part.runs, 10)) for part in parts]
    merged = sessions.merged(made, 10, AGGREGATION)
    got = [item.values[0].data.tolist() for item in AGGREGATION.finished(merged)]
    assert merged.starts.tolist() == [0, 45]
    assert got[0] == [3, 1]
    assert got[3][0] == 5.0
    assert sessions.merged([], 10, AGGREGATION).codes.tolist() == []
