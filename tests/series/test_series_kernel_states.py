"""Aggregates over sorted runs in particular cases: overflow, counters, types, empty input, memory, cancelling."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_oracle import ANY_ORDER, BUCKET, DTYPES, IN_ORDER, Row, above, answer, check, run, stretches

from luma_bench.errors import CancelledError, EngineError, KadeQLBindError, ResourceError
from luma_bench.models.control import Control
from luma_bench.models.series import aggregates, partials, sessions
from luma_bench.models.series.aggregates import Spec
from luma_bench.models.series.buckets import Buckets
from luma_bench.models.series.groups import Groups
from luma_bench.models.series.length import SECOND, Length
from luma_bench.models.series.partials import Aggregation, Gathered, Interleaved, Partial
from luma_bench.models.series.runs import Runs, Stretch, Values
from luma_bench.models.series.stretches import mapped, split


def test_late_stretches_that_do_not_overlap_are_put_in_order() -> None:
    rows = [
        Row(0, time, None, float(value), 1, place)
        for place, (time, value) in enumerate([(5, 9), (8, 3), (1, 2), (3, 4)])
    ]
    check(IN_ORDER, rows, 2)


def test_interleaved_rows_of_one_group_are_signalled() -> None:
    rows = [
        Row(0, 1, None, 1.0, 1, 0),
        Row(0, 5, None, 2.0, 1, 1),
        Row(0, 3, None, 3.0, 1, 2),
        Row(0, 9, None, 4.0, 1, 3),
    ]
    with pytest.raises(Interleaved):
        run(IN_ORDER, rows, 2)


def test_rows_of_one_time_follow_one_another_as_they_are_stored_over_the_border_of_stretches() -> None:
    rows = [
        Row(0, 1, None, 1.0, 1, 0),
        Row(0, 5, None, 9.0, 1, 1),
        Row(0, 5, None, 2.0, 1, 2),
        Row(0, 9, None, 4.0, 1, 3),
    ]
    check(IN_ORDER, rows, 2)
    early = [
        Row(0, 5, None, 9.0, 1, 0),
        Row(0, 9, None, 4.0, 1, 1),
        *(Row(0, t, None, 2.0, 1, t + 1) for t in (1, 5)),
    ]
    with pytest.raises(Interleaved):
        run(IN_ORDER, early, 2)


@pytest.mark.parametrize("pieces", [1, 2, 6])
def test_many_groups_of_one_key_are_put_together_at_once_as_by_twos(pieces: int) -> None:
    draw = np.random.default_rng(pieces)
    rows = [
        Row(
            place % 7,
            int(draw.integers(0, 30)),
            [None, math.nan, 1.5, -2.0][draw.integers(0, 4)],
            [None, 1e9, 1e9 + 3, 4.0][draw.integers(0, 4)],
            [None, 2**63 - 1, -(2**63), 5][draw.integers(0, 4)],
            place,
        )
        for place in range(120)
    ]
    check(ANY_ORDER, rows, pieces, codes=False)
    median = [Spec("dd_quantile", ("w",), (0.5,))]
    in_order = [replace(row, code=0) for row in rows]
    assert run(median, rows, pieces, codes=False) == run(median, in_order, 1, codes=False)


def test_partials_are_merged_while_they_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partials, "_WAITING", 1_000)
    gap = 4
    rows = [Row(place % 3, place // 9 * 5, float(place), None, None, place) for place in range(900)]
    aggregation = Aggregation([Spec("sum", ("x",)), Spec("increase", ("x",))], SECOND, DTYPES)
    cut = [
        aggregation.partial(part, sessions.cut(part.runs, gap), first) for part, first in stretches(rows, 50)
    ]
    together: list[int] = []

    def merge(some: Sequence[Partial]) -> Partial:
        together.append(len(some))
        return sessions.merged(some, gap, aggregation)

    gathered = Gathered(aggregation, Control(), merge)
    for partial in cut:
        gathered.add(partial)
    made, want = gathered.result(), sessions.merged(cut, gap, aggregation)
    assert max(together) < len(cut)
    assert len(together) < len(cut) // 2
    assert (made.codes.tolist(), made.starts.tolist()) == (want.codes.tolist(), want.starts.tolist())
    assert made.lasts is not None
    assert want.lasts is not None
    assert made.lasts.tolist() == want.lasts.tolist()
    for one, other in zip(aggregation.finished(made), aggregation.finished(want), strict=True):
        assert one.values[0].data.tolist() == other.values[0].data.tolist()


def test_a_counter_restarts_from_zero_and_keeps_its_digits() -> None:
    big = 2**60
    rows = [Row(0, t, None, None, n, t) for t, n in enumerate([big, big + 1, 3, 10])]
    assert run([Spec("increase", ("n",)), Spec("delta", ("n",))], rows)[0, 0] == [11.0, float(10 - big)]


def test_sums_of_whole_numbers_never_wrap() -> None:
    rows = [Row(0, t, None, None, 2**63 - 1, t) for t in range(9)] + [Row(1, 0, None, None, -(2**63), 9)]
    got = run([Spec("sum", ("n",)), Spec("avg", ("n",))], rows, 3)
    assert got[0, 0] == [9 * (2**63 - 1), float(2**63 - 1)]
    assert got[1, 0] == [-(2**63), float(-(2**63))]
    data = np.full(4, 2**64 - 1, np.uint64)
    runs = Runs(np.zeros(1, np.int32), np.array([0, 4]), np.arange(4))
    aggregation = Aggregation([Spec("sum", ("u",)), Spec("max", ("u",))], SECOND, {"u": data.dtype})
    partial = aggregation.partial(Stretch(runs, {"u": Values(data)}), Groups.of(runs, None))
    total, most = aggregation.finished(partial)
    assert answer(total, 0) == 4 * (2**64 - 1)
    assert answer(most, 0) == 2**64 - 1


def test_a_spike_leaves_no_error_in_other_groups() -> None:
    rows = [Row(0, t, 1e16 if t == 3 else math.inf if t == 13 else 0.1, None, None, t) for t in range(40)]
    got = run([Spec("sum", ("x",)), Spec("avg", ("x",))], rows, 2)
    assert got[0, 20] == [pytest.approx(1.0), pytest.approx(0.1)]
    assert got[0, 30] == [pytest.approx(1.0), pytest.approx(0.1)]
    assert got[0, 10][0] == math.inf


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "int16", "int32", "uint32", "uint64", "float32"])
def test_every_dtype_keeps_its_type_and_counts_exactly(dtype: str) -> None:
    data = (np.arange(12) % 3).astype(dtype)
    valid = np.arange(12) % 4 != 1
    runs = Runs(
        np.array([4, 2], np.int32), np.array([0, 7, 12]), np.concatenate([np.arange(7), np.arange(5)])
    )
    specs = [Spec("min", ("v",)), Spec("max", ("v",)), Spec("sum", ("v",)), Spec("last", ("v",))]
    for mask in (None, valid):
        aggregation = Aggregation(specs, SECOND, {"v": data.dtype})
        partial = aggregation.merged(
            [aggregation.partial(Stretch(runs, {"v": Values(data, mask)}), Groups.of(runs, None))]
        )
        assert partial.codes.tolist() == [2, 4]
        low, high, total, last = aggregation.finished(partial)
        assert [low.values[0].data.dtype, last.values[0].data.dtype] == [data.dtype, data.dtype]
        for at, rows in enumerate([slice(7, 12), slice(0, 7)]):
            kept = data[rows] if mask is None else data[rows][mask[rows]]
            assert (low.values[0].data[at], high.values[0].data[at]) == (kept.min(), kept.max())
            assert answer(total, at) == kept.astype(float).sum()
        assert aggregates.form(specs[0], [data.dtype]) == "same"
        assert aggregates.form(specs[2], [data.dtype]) == ("float64" if dtype == "float32" else "int128")


def test_no_rows_at_all_give_no_groups_with_the_right_types() -> None:
    specs = [*ANY_ORDER, *IN_ORDER, Spec("dd_quantile", ("x",), (0.5,))]
    assert run(specs, [], 1) == {}
    aggregation = Aggregation(specs, SECOND, DTYPES)
    for item, spec in zip(
        aggregation.finished(aggregation.merged([]), np.zeros(0, np.int64)), specs, strict=True
    ):
        assert item.form == aggregates.form(spec, [DTYPES[name] for name in spec.columns])
        assert all(len(value.data) == 0 for value in item.values)


@given(
    st.lists(st.one_of(st.floats(), st.none()), min_size=1, max_size=60), st.floats(0, 1), st.integers(1, 4)
)
@settings(deadline=None, max_examples=100)
def test_quantiles_are_within_their_error_of_the_rank(
    values: list[float | None], share: float, pieces: int
) -> None:
    rows = [Row(0, place % 5, value, None, None, place) for place, value in enumerate(values)]
    (got,) = run([Spec("dd_quantile", ("x",), (share,))], rows, min(pieces, len(rows)))[0, 0]
    there = sorted((value for value in values if value is not None), key=above)
    if not there:
        assert got is None
        return
    want = there[math.floor(share * (len(there) - 1))]
    if math.isfinite(want) and abs(want) > 1e-300 and abs(want) < 1e300:
        assert got == pytest.approx(want, rel=0.0100001)
    elif want != want or math.isinf(want) or want == 0:
        assert got == pytest.approx(want, nan_ok=True)


def test_constants_out_of_range_are_refused() -> None:
    for options in ((), (1.5,), (0.5, 0.0)):
        with pytest.raises(KadeQLBindError):
            Aggregation([Spec("dd_quantile", ("x",), options)], SECOND, DTYPES)


def test_what_needs_a_window_says_so() -> None:
    aggregation = Aggregation([Spec("prom_rate", ("w",))], SECOND, DTYPES)
    (stretch, _), *_ = stretches([Row(0, 1, 1.0, 1.0, 1, 0)], 1)
    with pytest.raises(EngineError, match="window"):
        aggregation.finished(aggregation.partial(stretch, Groups.of(stretch.runs, None)))


def test_which_functions_there_are() -> None:
    assert aggregates.known("avg", 1)
    assert not aggregates.known("avg", 2)
    assert not aggregates.known("median", 1)
    text = np.dtype(np.bool_)
    assert aggregates.accepts(Spec("last", ("x",), places=True), [np.dtype("O")])
    assert not aggregates.accepts(Spec("avg", ("x",)), [text])
    assert aggregates.accepts(Spec("count", ("x",)), [np.dtype("O")])


def test_stddev_agrees_with_polars_far_from_zero() -> None:
    rng = np.random.default_rng(1)
    values = 1e9 + rng.normal(0, 1e-3, 5_000)
    rows = [Row(0, int(at) % 50, float(value), None, None, at) for at, value in enumerate(values)]
    frame = pl.DataFrame({"b": [row.time // 10 for row in rows], "v": values})
    want = dict(frame.group_by("b").agg(pl.col("v").std()).iter_rows())
    for (_, start), (got,) in run([Spec("stddev", ("x",))], rows, 7).items():
        assert got == pytest.approx(want[start // 10], rel=1e-3)


def test_places_name_the_rows_to_keep() -> None:
    rows = [Row(0, time, None, None, None, place) for place, time in enumerate([3, 1, 12, 11])]
    aggregation = Aggregation([Spec("first", ("x",), places=True)], SECOND, DTYPES)
    (stretch, first), *_ = stretches(rows, 1)
    buckets = Buckets.of(Length(0, 0, BUCKET * SECOND), SECOND)
    assert aggregation.partial(stretch, Groups.of(stretch.runs, buckets), first + 100).places().tolist() == [
        101,
        103,
    ]


def test_splitting_a_stretch_changes_nothing() -> None:
    rng = np.random.default_rng(3)
    offsets = np.array([0, 10, 700, 700, 5_000], np.int64)
    time = np.concatenate([np.sort(rng.integers(0, 3_000, size)) for size in np.diff(offsets)])
    data = rng.integers(0, 50, len(time)).astype(np.float64)
    valid = rng.random(len(time)) < 0.9
    stretch = Stretch(Runs(np.array([3, 0, 9, 1], np.int32), offsets, time), {"x": Values(data, valid)})
    specs = [Spec(name, ("x",)) for name in ("sum", "increase", "time_weight", "first", "last", "derivative")]
    aggregation = Aggregation([*specs, Spec("last", ("x",), places=True)], SECOND, {"x": data.dtype})
    buckets = Buckets.of(Length(0, 0, 100 * SECOND), SECOND)
    control = Control()

    def work(piece: tuple[Stretch, slice, int]) -> Partial:
        part, _, first = piece
        return aggregation.partial(part, Groups.of(part.runs, buckets), first)

    answers = []
    for inside in (True, False):
        pieces = split(stretch, 500, inside=inside)
        assert sum(part.runs.rows for part, _, _ in pieces) == len(time)
        answers.append(aggregation.merged(list(mapped(work, pieces, control))))
    answers.append(aggregation.merged([work((stretch, slice(0, 4), 0))]))
    pieces = [work(piece) for piece in split(stretch, 300)]
    answers[:0] = [
        aggregation.merged(pieces[::-1]),
        aggregation.merged([aggregation.merged(pieces[:9]), *pieces[9:]]),
    ]
    want = aggregation.finished(answers[-1])
    for partial in answers[:-1]:
        assert partial.codes.tolist() == answers[-1].codes.tolist()
        for item, other in zip(aggregation.finished(partial), want, strict=True):
            mask, valid = item.values[0].valid, other.values[0].valid
            assert mask is None or (valid is not None and mask.tolist() == valid.tolist())
            kept = slice(None) if mask is None else mask
            np.testing.assert_allclose(
                item.values[0].data[kept], other.values[0].data[kept], rtol=1e-9, atol=1e-9
            )


def test_work_stops_when_it_is_asked_to_and_keeps_to_its_memory() -> None:
    control = Control()
    seen: list[int] = []

    def work(item: int) -> int:
        seen.append(item)
        return item

    results = mapped(work, iter(range(1_000)), control)
    assert [next(results), next(results)] == [0, 1]
    control.stop.set()
    with pytest.raises(CancelledError):
        list(results)
    assert len(seen) < 20
    with pytest.raises(ZeroDivisionError):
        list(mapped(lambda item: 1 // item, [1, 0], Control()))
    rows = [Row(0, time, 1.0, None, None, time) for time in range(1_000)]
    aggregation = Aggregation([Spec("avg", ("x",))], SECOND, DTYPES)
    gathered = Gathered(aggregation, Control(memory=100))
    (stretch, _), *_ = stretches(rows, 1)
    gathered.add(
        aggregation.partial(stretch, Groups.of(stretch.runs, Buckets.of(Length(0, 0, SECOND), SECOND)))
    )
    with pytest.raises(ResourceError):
        gathered.result()


def test_numbers_agree_with_duckdb() -> None:
    rng = np.random.default_rng(12)
    size = 3_000
    time = rng.permutation(np.arange(size)) // 3
    x = np.where(rng.random(size) < 0.05, np.nan, rng.normal(size=size))
    n = rng.integers(-(2**62), 2**62, size)
    there = rng.random(size) < 0.9
    rows = [
        Row(
            0,
            int(time[at]),
            float(x[at]) if there[at] else None,
            None,
            int(n[at]) if there[-at] else None,
            at,
        )
        for at in range(size)
    ]
    table = pa.table({name: [getattr(row, name) for row in rows] for name in ("time", "x", "n")})
    calls = [
        "count(x)",
        "sum(n)",
        "avg(n)",
        "min(x)",
        "max(x)",
        "min(n)",
        "max(n)",
        "var_pop(x)",
        "stddev(n)",
    ]
    with duckdb.connect() as connection:
        connection.register("rows", table)
        query = f"SELECT time // {BUCKET} * {BUCKET} AS b, {', '.join(calls)} FROM rows GROUP BY b"
        want = {start: list(values) for start, *values in connection.execute(query).fetchall()}
    specs = [Spec(call.split("(")[0], (call[-2],)) for call in calls]
    got = run(specs, rows, 4)
    assert {start for _, start in got} == want.keys()
    for (_, start), values in got.items():
        for value, other in zip(values, want[start], strict=True):
            assert value == pytest.approx(other, rel=1e-9, nan_ok=True)


def test_many_groups_of_series_that_share_a_key_are_one_each() -> None:
    per, series = 1_500, 4
    time = np.tile(np.arange(per), series)
    data = np.arange(per * series).astype(np.float64)
    runs = Runs(np.arange(series, dtype=np.int32), np.arange(series + 1) * per, time)
    aggregation = Aggregation([Spec("sum", ("x",)), Spec("first", ("x",))], SECOND, {"x": data.dtype})
    groups = Groups.of(runs, Buckets.of(Length(0, 0, SECOND), SECOND), np.zeros(series, np.int32))
    partial = aggregation.partial(Stretch(runs, {"x": Values(data)}), groups)
    assert partial.starts.tolist() == list(range(per))
    total, first = aggregation.finished(partial)
    assert total.values[0].data.tolist() == data.reshape(series, per).sum(axis=0).tolist()
    assert first.values[0].data.tolist() == data[:per].tolist()
