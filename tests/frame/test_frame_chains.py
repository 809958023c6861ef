"""Chains of any operations, one after another: the same rows as pandas, through every rule and every lowering.

`n` numbers the rows, so that every order is total; conditions of NULL leave rows out on both sides.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import same, twins

from luma_bench.errors import UnsupportedError

Step = Callable[[Any], Any]


def both(name: str, ours: Step, theirs: Step | None = None) -> tuple[str, Step, Step]:
    return name, ours, ours if theirs is None else theirs


def kept(frame: pd.DataFrame, mask: Any) -> pd.DataFrame:
    return frame[mask.fillna(False).astype(bool)]


STEPS: list[tuple[str, Step, Step]] = [
    both("assign", lambda f: f.assign(x=f.x * 2 + f.y, z=f.x - 1)),
    both("assign twice", lambda f: f.assign(y=lambda g: g.y + 1, z=lambda g: g.y * g.x)),
    both("filter", lambda f: f[f.x > 0], lambda f: kept(f, f.x > 0)),
    both("filter or", lambda f: f[(f.y < 1) | f.k.isna()], lambda f: kept(f, (f.y < 1) | f.k.isna())),
    both("fill", lambda f: f.fillna({"x": 0})),
    both("drop nulls", lambda f: f.dropna(subset=["x"])),
    both("sort", lambda f: f.sort_values(["y", "n"], ascending=[False, True])),
    both("sort by name", lambda f: f.sort_values(["k", "n"])),
    both("back in order", lambda f: f.sort_values("n")),
    both("head", lambda f: f.head(5)),
    both("tail", lambda f: f.sort_values("n").tail(4)),
    both("middle", lambda f: f.iloc[1:6]),
    both("shift", lambda f: f.assign(x=f.x.shift(1))),
    both("difference", lambda f: f.assign(z=f.y.diff())),
    both("running", lambda f: f.assign(y=f.y.fillna(0).cumsum())),
    both("filled", lambda f: f.assign(x=f.x.ffill())),
    both("rank", lambda f: f.assign(z=f.n.rank())),
    both("above the one before", lambda f: f[f.n > f.n.shift(1)], lambda f: kept(f, f.n > f.n.shift(1))),
    both("group running", lambda f: f.assign(z=f.groupby("k", dropna=False).n.cumsum())),
    both(
        "group share",
        lambda f: f.assign(z=f.n / f.groupby("k", dropna=False).n.transform("sum")),
    ),
    both("distinct", lambda f: f.drop_duplicates("k")),
    both("columns", lambda f: f[["n", "k", "y", "x"]]),
    both("other order", lambda f: f[["x", "y", "k", "n"]]),
    both(
        "case",
        lambda f: f.assign(z=f.y.where(f.x > 1, f.y - 1)),
        lambda f: f.assign(z=f.y.where((f.x > 1).fillna(False), f.y - 1)),
    ),
    both(
        "groups",
        lambda f: f.groupby("k").agg(n=("n", "min"), x=("x", "sum"), y=("y", "max")),
        lambda f: (
            f.groupby("k")
            .agg(n=("n", "min"), x=("x", lambda s: s.sum(min_count=1)), y=("y", "max"))
            .reset_index()
        ),
    ),
    both(
        "joined",
        lambda f: f.merge(f.groupby("k").size("z2"), on="k").sort_values("n"),
        lambda f: f.merge(f.groupby("k").size().rename("z2").reset_index(), on="k").sort_values("n"),
    ),
    both(
        "semi",
        lambda f: f.merge(f[f.x > 0], on="n", how="semi").sort_values("n"),
        lambda f: f[f.n.isin(kept(f, f.x > 0).n)].sort_values("n"),
    ),
]
NAMES = [name for name, _, _ in STEPS]


def run(twin: Any, chosen: list[int]) -> None:
    start = twin.pandas.assign(n=pd.array(range(len(twin.pandas)), "int64[pyarrow]"))
    ours = type(twin)(_numbered(twin)).frame
    theirs = start
    for place in chosen:
        _, step, reference = STEPS[place]
        columns = set(theirs.columns)
        if not {"k", "x", "y", "n"} <= columns or (NAMES[place] == "joined" and "z2" in columns):
            continue
        if not theirs.n.is_unique:
            continue
        try:
            ours = step(ours)
        except UnsupportedError as error:
            # The keys of the last sort were computed anew, and the rows of groups have no ids to fall back on.
            if "in none" not in str(error):
                raise
            continue
        theirs = reference(theirs).reset_index(drop=True)
    ordered = (
        NAMES[chosen[-1]] in ("sort", "sort by name", "back in order", "tail", "groups", "joined", "semi")
        if chosen
        else True
    )
    assert ours.columns == list(theirs.columns)
    same(ours, theirs, ordered=ordered)
    same(ours.sort_values("n"), theirs.sort_values("n"), ordered=True)
    assert len(ours) == len(theirs)


def _numbered(twin: Any) -> pa.Table:
    return twin.arrow.append_column("n", pa.array(range(twin.arrow.num_rows), pa.int64()))


@given(
    twin=twins(k="text", x="int", y="finite", max_rows=14),
    chosen=st.lists(st.integers(0, len(STEPS) - 1), min_size=1, max_size=9),
)
@settings(deadline=None, max_examples=60)
def test_a_chain_of_any_steps(twin: Any, chosen: list[int]) -> None:
    run(twin, chosen)


@given(
    twin=twins(k="text", x="int", y="finite", max_rows=14),
    chosen=st.lists(st.integers(0, len(STEPS) - 1), min_size=1, max_size=16),
)
@settings(deadline=None, max_examples=3_000)
@pytest.mark.slow
def test_many_chains(twin: Any, chosen: list[int]) -> None:
    run(twin, chosen)


def test_the_order_outlives_the_column_that_made_it(frames: Any) -> None:
    frame = frames(t={"id": [3, 1, 2, 0], "g": ["a", "b", "a", "b"], "x": [10, 20, 30, 50]}).sort_values("id")
    spread = frame.groupby("g").x.transform(lambda s: ((s - s.mean()) ** 2).mean())
    assert spread.to_list() == [225, 225, 100, 100]
    assert frame.assign(id=0, half=frame.x % 7 + frame.x % 5)[["x", "half"]].x.to_list() == [50, 20, 30, 10]
    assert frame[["x"]].head(3).assign(y=lambda f: f.x % 3 % 2).x.to_list() == [50, 20, 30]
