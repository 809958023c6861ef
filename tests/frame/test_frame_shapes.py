"""Frames of other shapes: pivots, melts, dummies, repeated rows, counts, elements of lists, against pandas."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import any_twins, same, twins

import luma_bench as lb
from luma_bench.errors import LumaError

quick = settings(deadline=None, max_examples=7, suppress_health_check=list(HealthCheck))
KEEP = st.sampled_from(["first", "last", False])


def flat(frame: pd.DataFrame) -> pd.DataFrame:
    """A pivot of pandas with its index as columns and the names of its columns as text."""
    made = frame.reset_index()
    return made.set_axis([str(name) for name in made.columns], axis=1)


@given(twin=twins(a="int", b="text"), keep=KEEP, distinct=st.just(3))
@quick
def test_repeated_rows(twin: Any, keep: Any, distinct: int) -> None:
    frame, other = twin.frame, twin.plain
    same(frame.duplicated(keep=keep), other.duplicated(keep=keep).rename("duplicated"))
    same(frame.duplicated("b", keep=keep), other.duplicated("b", keep=keep).rename("duplicated"))
    same(frame.drop_duplicates("b", keep=keep), other.drop_duplicates("b", keep=keep))
    same(frame.drop_duplicates(), other.drop_duplicates(), ordered=False)
    same(frame.b.duplicated(keep=keep), other.b.duplicated(keep=keep))
    same(frame.b.drop_duplicates(keep=keep), other.b.drop_duplicates(keep=keep))


@given(twin=twins(a="int", b="text"), dropna=st.booleans(), normalize=st.booleans())
@quick
def test_counts_of_values(twin: Any, dropna: bool, normalize: bool) -> None:
    frame, other = twin.frame, twin.plain
    for ours, theirs in (
        (
            frame.b.value_counts(normalize=normalize, dropna=dropna),
            other.b.value_counts(normalize=normalize, dropna=dropna),
        ),
        (
            frame.value_counts("a", normalize=normalize, dropna=dropna),
            other.value_counts("a", normalize=normalize, dropna=dropna),
        ),
        (frame.value_counts(dropna=dropna), other.value_counts(dropna=dropna)),
    ):
        same(ours, theirs, ordered=False, index=True)
    counts = frame.value_counts().to_pandas()["count"].tolist()
    assert counts == sorted(counts, reverse=True)


@given(twin=twins(k="text", a="int", b="finite", no_nulls=("k",)))
@quick
def test_melt(twin: Any) -> None:
    frame, other = twin.frame, twin.plain
    same(frame.melt("k"), other.melt("k"), ordered=False)
    same(frame.melt(["k"], ["b"], "of", "is"), other.melt(["k"], ["b"], "of", "is"), ordered=False)
    same(lb.melt(frame, "k", ["a"]), pd.melt(other, "k", ["a"]), ordered=False)


@given(
    twin=twins(r="int", c="text", x="finite", y="int", no_nulls=("c",), min_rows=1),
    how=st.sampled_from(["mean", "sum", "min", "max", "count", "median", "std"]),
)
@quick
def test_pivot_table(twin: Any, how: str) -> None:
    frame, other = twin.frame, twin.plain
    if other.r.dropna().empty:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = other.pivot_table("x", "r", "c", how, dropna=False, observed=True)
        expected = expected[expected.index.notna()]
    ours = frame.pivot_table("x", "r", "c", how)
    named = flat(expected).rename(columns={"nan": "None"})
    mine = ours.to_pandas()
    assert next(iter(mine.columns)) == "r"
    shared = [name for name in mine.columns if name in named.columns]
    for name in shared[1:]:
        left = dict(zip(mine.r, mine[name].astype(float).fillna(0), strict=True))
        right = dict(zip(named.r, named[name].astype(float).fillna(0), strict=True))
        assert left == pytest.approx(right), name
    assert set(mine.r) == set(named.r)


@given(twin=twins(r="int", c="text", min_rows=1))
@quick
def test_crosstab(twin: Any) -> None:
    frame, other = twin.frame, twin.plain.dropna()
    ours = lb.crosstab(frame.r, frame.c)
    if other.empty:
        return
    if other.c.str.lower().nunique() < other.c.nunique():
        with pytest.raises(LumaError, match="case"):
            ours.to_arrow()
        return
    expected = pd.crosstab(other.r.astype(int), other.c).rename(columns={"": "''"})
    mine = ours.to_pandas().set_index("r")
    mine = mine[mine.index.notna()]
    assert sorted(mine.columns) == sorted(expected.columns)
    for name in expected.columns:
        assert mine[name].loc[expected.index].tolist() == expected[name].tolist()


@given(twin=twins(a="int", b="text"), first=st.booleans(), missing=st.booleans())
@quick
def test_get_dummies(twin: Any, first: bool, missing: bool) -> None:
    same(
        lb.get_dummies(twin.frame, columns=["b"], drop_first=first, dummy_na=missing),
        pd.get_dummies(twin.plain, columns=["b"], drop_first=first, dummy_na=missing),
    )


@given(twin=twins(k="int", v="list", no_nulls=("k",)))
@quick
def test_explode(twin: Any) -> None:
    frame, other = twin.frame, twin.arrow.to_pandas()
    same(frame.explode("v"), other.explode("v"), ordered=False)
    same(frame.v.explode(), other.v.explode(), ordered=False)


@given(twin=twins(x="finite", min_rows=2), right=st.booleans(), lowest=st.booleans())
@quick
def test_cut(twin: Any, right: bool, lowest: bool) -> None:
    edges = [-100.0, -10.0, 0.0, 0.5, 300.0]
    for labels in (False, None, ["a", "b", "c", "d"]):
        ours = lb.cut(twin.frame.x, edges, right=right, labels=labels, include_lowest=lowest)
        theirs = pd.cut(twin.plain.x, edges, right=right, labels=labels, include_lowest=lowest)
        same(
            ours,
            pd.Series(
                [None if pd.isna(v) else (v if labels is False else str(v)) for v in theirs],
                name="x",
                dtype=object,
            ),
        )
    if twin.plain.x.nunique() > 1:
        same(lb.cut(twin.frame.x, 3, labels=False), pd.cut(twin.plain.x, 3, labels=False))
        same(
            lb.qcut(twin.frame.x, 2, labels=False, duplicates="drop"),
            pd.qcut(twin.plain.x, 2, labels=False, duplicates="drop"),
        )


@given(twin=any_twins())
@quick
def test_any_shape(twin: Any) -> None:
    frame, other = twin.frame, twin.plain
    assert frame.T.shape == other.T.shape
    assert frame.axes == [range(len(other)), list(other.columns)]
    same(frame.select(frame.columns[0]), other[[other.columns[0]]])


def test_refusals() -> None:
    frame = lb.DataFrame({"k": [1, 1], "c": ["a", "a"], "x": [1.0, 2.0]})
    with pytest.raises(LumaError, match="meet in the cell"):
        frame.pivot(columns="c", index="k", values="x")
    with pytest.raises(LumaError, match="no keys"):
        frame.pivot_table("x")
    with pytest.raises(LumaError, match="to melt hold"):
        frame.melt("k")
    with pytest.raises(LumaError, match="for lists"):
        frame.explode("x")
    with pytest.raises(LumaError, match="do not ascend"):
        lb.cut(frame.x, [3, 1])
    with pytest.raises(LumaError, match="more than 1,000 rows"):
        lb.DataFrame({"x": np.arange(2_000)}).T  # noqa: B018
