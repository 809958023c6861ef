"""Aggregates over sorted runs against plain loops over the same rows, however these are spread over stretches."""

from __future__ import annotations

from collections import defaultdict

from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_oracle import ANY_ORDER, IN_ORDER, NAN, Row, check, stretches

from luma_bench.models.series.partials import Interleaved


@st.composite
def series(draw: st.DrawFn, most: int = 60) -> list[Row]:
    size = draw(st.integers(0, 40))
    times = draw(st.lists(st.integers(-most, most), min_size=size, max_size=size))
    if draw(st.booleans()):
        times.sort()
    x = st.one_of(st.none(), st.sampled_from([NAN, 0.0, 1.5, -2.0, 3.25]))
    w = st.one_of(st.none(), st.integers(0, 8).map(float))
    n = st.one_of(st.none(), st.integers(-5, 5), st.sampled_from([2**62, -(2**63), 2**63 - 1]))
    return [
        Row(draw(st.integers(0, 2)), time, draw(x), draw(w), draw(n), place)
        for place, time in enumerate(times)
    ]


@given(series(), st.integers(1, 5), st.booleans())
@settings(deadline=None, max_examples=120)
def test_what_needs_no_order_is_the_same_over_any_stretches(
    rows: list[Row], pieces: int, codes: bool
) -> None:
    check(ANY_ORDER, rows, pieces, codes)


@given(st.one_of(series(), series(6)), st.integers(1, 5))
@settings(deadline=None, max_examples=100)
def test_what_needs_order_is_right_or_says_that_rows_are_interleaved(rows: list[Row], pieces: int) -> None:
    small = [Row(r.code, r.time, r.x, r.w, None if r.n is None else r.n % 7, r.place) for r in rows]
    check(IN_ORDER, small, 1)
    try:
        check(IN_ORDER, small, pieces)
    except Interleaved:
        spans = defaultdict(list)
        for stretch, _ in stretches(small, pieces):
            for code, begin, stop in zip(
                stretch.runs.codes, stretch.runs.offsets[:-1], stretch.runs.offsets[1:], strict=True
            ):
                spans[int(code)].append((stretch.runs.time[begin], stretch.runs.time[stop - 1]))
        assert any(
            a[0] <= b[1] and b[0] <= a[1]
            for code in spans
            for a in spans[code]
            for b in spans[code]
            if a is not b
        )
