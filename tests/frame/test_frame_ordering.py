"""Sorting and rows by their place against pandas and Python's own slices."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import any_twins, same, twins

from luma_bench.errors import SchemaError, UnsupportedError

QUICK = settings(deadline=None, max_examples=25)


@given(
    twin=twins(a="int", b="finite", c="text"),
    by=st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=2, unique=True),
    ascending=st.booleans(),
    na_position=st.sampled_from(["first", "last"]),
)
@QUICK
def test_a_stable_sort(twin: Any, by: list[str], ascending: bool, na_position: Any) -> None:
    how = {"ascending": ascending, "na_position": na_position, "kind": "stable"}
    assert same(twin.frame.sort_values(by, **how), twin.pandas.sort_values(by, **how))


@given(twin=twins(a="int", b="finite"))
@QUICK
def test_a_sort_by_a_function_of_columns(twin: Any) -> None:
    how = {"key": lambda column: column.abs(), "kind": "stable"}
    ours = twin.frame.sort_values(["a", "b"], **how)
    assert same(ours, twin.pandas.sort_values(["a", "b"], **how))
    assert same(ours.shift(), twin.pandas.sort_values(["a", "b"], **how).shift())


@given(
    twin=twins(a="int", b="text", min_rows=0),
    start=st.none() | st.integers(-8, 8),
    stop=st.none() | st.integers(-8, 8),
    step=st.integers(1, 3),
)
@settings(deadline=None, max_examples=40)
def test_slices_of_places(twin: Any, start: int | None, stop: int | None, step: int) -> None:
    theirs = twin.pandas.iloc[start:stop:step]
    first = 0 if start is None else start
    assert same(twin.frame.rows_from(first, stop, step), theirs)
    # The same where nobody knows how many rows there are.
    some = twin.frame[twin.frame.a.isna() | (twin.frame.a > -100)]
    assert same(some.rows_from(first, stop, step), theirs)
    if step == 1:
        assert same(some.iloc[start:stop], theirs)


@given(twin=twins(a="int"), n=st.integers(-6, 6))
@QUICK
def test_heads_and_tails(twin: Any, n: int) -> None:
    some = twin.frame[twin.frame.a.isna() | (twin.frame.a > -100)]
    for ours in (twin.frame, some):
        assert same(ours.head(n), twin.pandas.head(n))
        assert same(ours.tail(n), twin.pandas.tail(n))
        assert same(ours.a.tail(n), twin.pandas.a.tail(n))


@given(twin=twins(a="int", b="text", min_rows=1), data=st.data())
@QUICK
def test_take(twin: Any, data: st.DataObject) -> None:
    rows = twin.arrow.num_rows
    places = data.draw(st.lists(st.integers(-rows, rows - 1), max_size=6))
    assert same(twin.frame.take(places), twin.pandas.take(places))
    some = twin.frame[twin.frame.a.isna() | (twin.frame.a > -100)]
    up = [place % rows for place in places]
    assert same(some.take(up), twin.pandas.take(up))
    down = [place - rows for place in up]
    assert same(some.take(down), twin.pandas.take(down))
    assert same(some.b.take(up), twin.pandas.b.take(up))


def test_places_that_no_row_has(frames: Any) -> None:
    df = frames(t={"x": [1, 2, 3]})
    with pytest.raises(SchemaError, match="no row at 3"):
        df.take([0, 3])
    assert df[df.x > 1].take([1, 7]).x.to_list() == [3]
    with pytest.raises(UnsupportedError, match="from the start and from the end"):
        df[df.x > 1].take([0, -1])
    with pytest.raises(UnsupportedError, match="depends on the order"):
        df.groupby("x", sort=False).size().take([0])
    with pytest.raises(UnsupportedError, match="no last rows"):
        df.groupby("x", sort=False).size().tail()


@given(
    twin=twins(a="int", b="finite", c="text"),
    n=st.integers(0, 6),
    keep=st.sampled_from(["first", "last", "all"]),
    largest=st.booleans(),
)
@settings(deadline=None, max_examples=40)
def test_extremes(twin: Any, n: int, keep: Any, largest: bool) -> None:
    name = "nlargest" if largest else "nsmallest"
    # With NULL in the first column pandas may give more than n rows.
    theirs = getattr(twin.plain.dropna(subset=["a", "b"]), name)(n, ["a", "b"], keep=keep)
    found = getattr(twin.frame.dropna(subset=["a", "b"]), name)(n, ["a", "b"], keep=keep)
    # pandas has the last of rows that tie in one order or the other.
    assert same(found, theirs, ordered=keep != "last")
    ours = getattr(twin.frame.a, name)(n, keep=keep)
    assert same(ours, getattr(twin.plain.a, name)(n, keep=keep).rename("a"))


@given(twin=any_twins(max_rows=30), seed=st.integers(0, 5), frac=st.sampled_from([0, 0.3, 0.5, 1]))
@QUICK
def test_a_sample_is_the_same_for_the_same_seed(twin: Any, seed: int, frac: float) -> None:
    rows = twin.arrow.num_rows
    drawn = twin.frame.sample(frac=frac, random_state=seed)
    assert len(drawn.to_arrow()) == round(frac * rows)
    shown = str(drawn.to_arrow().to_pydict())
    assert str(twin.frame.sample(frac=frac, random_state=seed).to_arrow().to_pydict()) == shown
    name = twin.frame.columns[0]
    every = twin.frame[twin.frame[name].isna() | twin.frame[name].notna()]
    assert str(every.sample(frac=frac, random_state=seed).to_arrow().to_pydict()) == shown


def test_samples_of_other_seeds_are_others(frames: Any) -> None:
    df = frames(t={"x": list(range(1000))})
    draws = [set(df.sample(100, random_state=seed).x.to_list()) for seed in range(20)]
    assert all(len(draw) == 100 for draw in draws)
    common = [len(a & b) for place, a in enumerate(draws) for b in draws[:place]]
    assert 6 < sum(common) / len(common) < 14
    assert df.sample(100).x.to_list() != df.sample(100).x.to_list()
    assert sorted(df.groupby("x").size().sample(frac=1).x.to_list()) == list(range(1000))
    for wrong in ({"replace": True}, {"weights": [1]}, {"n": 1, "frac": 0.5}, {"frac": 2}):
        with pytest.raises(UnsupportedError):
            df.sample(**wrong)


def test_sorting_refuses_what_it_does_not_know(frames: Any) -> None:
    df = frames(t=pa.table({"x": [1]}))
    with pytest.raises(SchemaError, match="no column"):
        df.sort_values("y", kind="stable")
    with pytest.raises(UnsupportedError, match="na_position='middle'"):
        df.sort_values("x", na_position="middle")
    with pytest.raises(UnsupportedError, match="kind='bogo'"):
        df.sort_values("x", kind="bogo")
    with pytest.raises(UnsupportedError, match="ascending has 2 values for 1 columns"):
        df.sort_values("x", ascending=[True, False])
    with pytest.raises(UnsupportedError, match="depends on the order"):
        df.groupby("x", sort=False).size().sort_values("x", kind="stable")
