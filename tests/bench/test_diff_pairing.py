"""Rows that are the same within a tolerance, paired without a key: all that can be, in bounded work, and honestly."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import luma_bench as lb
from luma_bench.bench import diff_pairing
from luma_bench.bench.diff_close import close
from luma_bench.bench.diff_pairing import unpaired

VALUES = st.none() | st.sampled_from(
    [0.0, 1.0, 1.0 + 5e-10, -1.0, 1e9, 1e9 + 0.5, math.nan, math.inf, -math.inf]
)
ROWS = st.lists(st.tuples(VALUES, VALUES), max_size=5)


def columns(old: list[Any], new: list[Any]) -> list[tuple[pa.Array, pa.Array]]:
    return [
        (
            pa.array([row[place] for row in old], pa.float64()),
            pa.array([row[place] for row in new], pa.float64()),
        )
        for place in range(2)
    ]


def near(one: Any, two: Any) -> bool:
    if one is None or two is None:
        return one is two
    return (math.isnan(one) and math.isnan(two)) or math.isclose(one, two, rel_tol=1e-9)


def most(old: list[Any], new: list[Any]) -> int:
    """How many rows can be paired at most, by trying all ways."""
    wide, narrow = (old, new) if len(old) >= len(new) else (new, old)
    return max(
        sum(all(map(near, one, two)) for one, two in zip(narrow, turned, strict=False))
        for turned in itertools.permutations(wide, len(narrow))
    )


@settings(deadline=None, max_examples=200)
@given(ROWS, ROWS)
def test_what_is_paired_is_close_and_little_is_left(old: list[Any], new: list[Any]):
    groups = np.zeros(len(old), np.int64), np.zeros(len(new), np.int64)
    left = unpaired(groups, columns(old, new), 1e-9)
    paired = len(old) - len(left.before)
    assert paired == len(new) - len(left.after)
    best = most(old, new)
    # Who takes the first that fits may leave out half of what could be paired, and no row that fits a free one.
    assert best <= 2 * paired <= 2 * best
    assert not any(all(map(near, old[one], new[two])) for one in left.before for two in left.after)
    assert left.undecided == 0


@settings(deadline=None, max_examples=100)
@given(st.lists(VALUES, max_size=6), st.lists(VALUES, max_size=6), st.sampled_from([0.0, 1e-9, 0.5]))
def test_values_are_close_as_python_says(one: list[Any], two: list[Any], tolerance: float):
    size = min(len(one), len(two))
    left, right = (pa.array(values[:size], pa.float64()) for values in (one, two))
    expected = [
        (a is b)
        if a is None or b is None
        else (math.isnan(a) and math.isnan(b)) or math.isclose(a, b, rel_tol=tolerance)
        for a, b in zip(one, two, strict=False)
    ]
    assert close(left, right, tolerance).tolist() == expected
    lists = [
        pa.array([[value] for value in array.to_pylist()], pa.list_(pa.float64())) for array in (left, right)
    ]
    assert close(lists[0], lists[1], tolerance).tolist() == expected


def test_noise_in_one_column_does_not_hide_the_match_in_another():
    old, new = [(1.0, 5.0), (1.0 + 1e-10, 7.0)], [(1.0 + 1e-10, 5.0), (1.0, 7.0)]
    left = unpaired((np.zeros(2, np.int64), np.zeros(2, np.int64)), columns(old, new), 1e-9)
    assert (len(left.before), len(left.after)) == (0, 0)


def test_noise_everywhere_and_a_row_more_is_still_paired(tmp_path: Any):
    chance = np.random.default_rng(3)
    count = 60_000
    x, y = chance.normal(size=count), chance.integers(0, 50, count) / 7
    turn = chance.permutation(count)
    noise = 1 + chance.uniform(-1e-12, 1e-12, count)
    old = pa.table({"y": np.append(y, 3.0), "x": np.append(x, -99.0)})
    new = pa.table({"y": (y / noise)[turn], "x": (x * noise)[turn]})
    with lb.open(tmp_path / "d.luma") as bench:
        found = bench.kadeql("FROM given", tables={"given": old}).diff(new)
    assert (found.added.num_rows, found.removed.to_pydict(), found.undecided) == (
        0,
        {"y": [3.0], "x": [-99.0]},
        0,
    )


def test_rows_of_one_value_that_only_another_column_tells_apart():
    # All keys are one value: the second column decides, and a row more shifts the places of the others.
    count = 3000
    same = np.full(count, 2.5)
    value = np.arange(count) + 1.0
    old = [(pa.array(np.append(0.5, value)), pa.array(value * (1 + 1e-12)))]
    groups = np.zeros(count + 1, np.int64), np.zeros(count, np.int64)
    left = unpaired(groups, [*old, (pa.array(np.append(2.5, same)), pa.array(same))], 1e-9)
    assert (left.before.tolist(), left.after.tolist(), left.undecided) == ([0], [], 0)


def test_work_is_bounded_and_what_it_leaves_open_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Any):
    monkeypatch.setattr(diff_pairing, "ROUNDS", 3)
    count = 200
    old = pa.table({"x": np.full(count, 1.0), "v": [[0.0, float(n)] for n in range(count)]})
    new = pa.table({"x": np.full(count, 1.0 + 1e-12), "v": [[0.0, float(n + 7)] for n in range(count)]})
    with lb.open(tmp_path / "d.luma") as bench:
        found = bench.kadeql("FROM given", tables={"given": old}).diff(new)
    assert found.undecided > 0
    assert "within the tolerance: give a key" in found.summary
