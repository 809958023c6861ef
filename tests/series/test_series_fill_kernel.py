"""Grids and fillers without a bench: the dense and the sparse way, in blocks of any size, against plain Python."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from grouped_worlds import filled, told
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from luma_bench.models.series import grid as grids
from luma_bench.models.series.fill import FillKind, filler, interpolates, linear_type
from luma_bench.models.series.grid import Grid, by_series, slots

SETTINGS = settings(
    deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

cells = st.dictionaries(
    st.tuples(st.integers(0, 3), st.integers(0, 12)),
    st.one_of(st.none(), st.integers(-5, 5).map(float)),
    max_size=30,
)


@SETTINGS
@given(
    cells=cells,
    kind=st.sampled_from(["null", "prev", "prev ignore nulls", "linear", "value"]),
    block=st.integers(1, 60),
    sparse=st.booleans(),
)
def test_fillers_against_plain_python(
    monkeypatch: pytest.MonkeyPatch,
    cells: dict[tuple[int, int], float | None],
    kind: str,
    block: int,
    sparse: bool,
) -> None:
    monkeypatch.setattr(grids, "_SPARSE", 0 if sparse else 4)
    monkeypatch.setattr(grids, "_SMALL", 0 if sparse else 4_000_000)
    series = sorted({place for place, _ in cells})
    rank = np.array([series.index(place) for place, _ in sorted(cells)], np.int32)
    times = np.array([10 * at for _, at in sorted(cells)], np.int64)
    starts = np.arange(0, 130, 10)
    values = pa.array([cells[place] for place in sorted(cells)], pa.float64())
    grid = Grid(starts, len(series), rank, times)
    made = filler(
        "prev" if kind.startswith("prev") else _kind(kind),
        values,
        grid,
        times,
        rank,
        constant=pa.scalar(7.0),
        ignore_nulls=kind.endswith("nulls"),
    )
    found = [value for one in grid.blocks(block) for value in made.column(one).to_pylist()]
    groups = {(10 * at, 10 * at + 10, chr(97 + place)): value for (place, at), value in cells.items()}
    expected = filled(groups, 10, kind, 7.0, (0, 120))
    assert [told(value) for value in found] == [told(value) for _, _, value in expected]
    assert grid.order.tolist() == sorted(range(len(times)), key=lambda at: (times[at], rank[at]))


def _kind(text: str) -> FillKind:
    assert text in ("null", "linear", "value")
    return text


@pytest.mark.parametrize(
    ("values", "between"),
    [
        (pa.array([0, 10], pa.timestamp("s")), 5),
        (pa.array([0, 10], pa.date32()), 5),
        (pa.array([-3, 0], pa.timestamp("ns", "UTC")), -2),
    ],
)
def test_moments_are_drawn_in_their_own_unit(values: pa.Array, between: int) -> None:
    times = np.array([0, 2], np.int64)
    rank = np.zeros(2, np.int32)
    grid = Grid(np.arange(3), 1, rank, times)
    (found,) = [filler("linear", values, grid, times, rank).column(block) for block in grid.blocks()]
    assert found.type == values.type
    assert found.cast(pa.int32() if found.type == pa.date32() else pa.int64()).to_pylist()[1] == between


def test_which_types_a_line_is_drawn_between() -> None:
    assert [interpolates(kind) for kind in (pa.int8(), pa.float32(), pa.decimal128(9, 2), pa.date32())] == [
        True
    ] * 4
    assert not any(
        interpolates(kind) for kind in (pa.string(), pa.bool_(), pa.list_(pa.int8()), pa.time64("us"))
    )
    assert linear_type(pa.int64()) == linear_type(pa.decimal128(38, 0)) == pa.float64()
    assert linear_type(pa.float32()) == pa.float32()
    assert linear_type(pa.timestamp("ms")) == pa.timestamp("ms")


def test_uneven_buckets_are_found_by_their_starts() -> None:
    starts = np.array([0, 10, 35, 60], np.int64)
    assert slots(starts, np.array([60, 0, 35], np.int64)).tolist() == [3, 0, 2]
    assert slots(starts[:1], np.array([0], np.int64)).tolist() == [0]


@pytest.mark.parametrize(
    ("rank", "times", "order"),
    [
        ([0, 0, 1], [1, 2, 1], None),
        ([1, 1, 0], [1, 2, 1], None),
        ([0, 1, 0], [1, 1, 2], [0, 2, 1]),
        ([0, 0], [2, 1], [1, 0]),
        ([0, 1, 1], [5, 2, 1], [0, 2, 1]),
        ([], [], None),
    ],
)
def test_groups_of_a_series_stand_together(
    rank: list[int], times: list[int], order: list[int] | None
) -> None:
    found = by_series(np.array(rank, np.int32), np.array(times, np.int64))
    assert (None if found is None else found.tolist()) == order
