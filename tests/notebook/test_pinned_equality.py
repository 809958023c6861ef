"""What `verify` calls equal is equal: fingerprints held against the rows themselves, matched one by one."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luma_bench.notebook.pinned.comparing import changes
from luma_bench.notebook.pinned.fingerprint import fingerprint

Row = tuple[Any, ...]
FLOATS = st.none() | st.sampled_from([0.0, -0.0, 1.0, 2.0, 1.0 + 2**-52, 4.0, math.nan, math.inf, -math.inf])
ROWS = st.lists(st.tuples(st.none() | st.integers(0, 1), FLOATS, FLOATS), max_size=4)
SCHEMA = pa.schema({"k": pa.int64(), "x": pa.float64(), "y": pa.float64()})


def said(one: pa.Table, two: pa.Table) -> list[str]:
    before, after = (fingerprint(table, statement="s", snapshot=1) for table in (one, two))
    return [change.text for change in changes(before, after)]


def close(one: Any, two: Any) -> bool:
    if one is None or two is None:
        return one is two
    return (math.isnan(one) and math.isnan(two)) or math.isclose(one, two, rel_tol=2e-9)


def matched(old: list[Row], new: list[Row]) -> bool:
    """Whether the rows can be paired so that every value is close to its counterpart."""
    return any(
        all(all(map(close, one, two)) for one, two in zip(old, turned, strict=True))
        for turned in itertools.permutations(new)
    )


def table(rows: list[Row]) -> pa.Table:
    return pa.Table.from_pylist([dict(zip(SCHEMA.names, row, strict=True)) for row in rows], SCHEMA)


@settings(deadline=None, max_examples=300)
@given(ROWS, st.data())
def test_equal_means_that_rows_can_be_matched(old: list[Row], data: st.DataObject):
    # Rows of the same values, turned column by column: what summaries of columns cannot tell apart.
    new = list(zip(*(data.draw(st.permutations(column)) for column in zip(*old, strict=True)), strict=True))
    if new and data.draw(st.booleans()):
        row = data.draw(st.integers(0, len(new) - 1))
        new[row] = (*new[row][:2], data.draw(FLOATS))
    assert (not said(table(old), table(new))) == matched(old, new)


MOVED = ["the columns hold the same values, in other rows than before"]


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ({"lat": [1.0, 2.0], "lon": [10.0, 20.0]}, {"lat": [1.0, 2.0], "lon": [20.0, 10.0]}, MOVED),
        ({"x": [1.0, 2.0, 8.0, 100.0]}, {"x": [1.0, 4.0, 4.0, 100.0]}, ["other values in x"]),
        ({"x": [0.0, 1.0, 3.0, 4.0]}, {"x": [0.0, 2.0, 2.0, 4.0]}, ["other values in x"]),
        ({"k": [1, 2], "x": [math.inf, 0.0]}, {"k": [1, 2], "x": [0.0, math.inf]}, MOVED),
        ({"k": [1, 2], "x": [math.inf, 1.0]}, {"k": [1, 2], "x": [-math.inf, 1.0]}, ["other values in x"]),
        ({"k": [1, 2], "x": [None, 1.0]}, {"k": [1, 2], "x": [1.0, None]}, MOVED),
    ],
)
def test_what_sums_cannot_tell_apart(old: dict[str, Any], new: dict[str, Any], text: list[str]):
    assert said(pa.table(old), pa.table(new)) == text


def test_a_value_in_a_late_column_counts():
    columns = {f"c{index}": [index, index] for index in range(70)}
    one = pa.table({"x": [1.0, 2.0], **columns, "z": [1.0, 5.0]})
    two = pa.table({"x": [1.0, 2.0], **columns, "z": [999.0, 5.0]})
    assert said(one, two) == [f"{MOVED[0]}, or other values beyond the first 64 columns"]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(-(2**53), 2**53), min_size=1, max_size=50), st.data())
def test_sums_of_round_numbers_are_never_on_an_edge(whole: list[int], data: st.DataObject):
    # Integers, halves and decimals are the commonest values: their last bits must not decide, on one grid at least.
    values = np.array(whole, np.float64) / np.array([1, 2, 4, 1024])[np.arange(len(whole)) % 4]
    up = data.draw(st.lists(st.booleans(), min_size=len(whole), max_size=len(whole)))
    noisy = np.where(up, np.nextafter(values, np.inf), np.nextafter(values, -np.inf))
    assert said(pa.table({"x": values}), pa.table({"x": noisy})) == []
