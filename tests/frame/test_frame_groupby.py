"""Groups against pandas: reductions, running values, rows chosen in groups, over frames that Hypothesis makes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from grouped import arrow, keyed, numbers, usual
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import KEYS, KINDS, ODD_NAMES, Twin, any_twins, same, twins
from thorough import drawn

import luma_bench as lb

oracle = settings(deadline=None, max_examples=15)

REDUCTIONS: dict[str, Callable[[Any], Any]] = {
    "count": lambda g: g.count(),
    "nunique": lambda g: g.nunique(),
    "nunique with NULL": lambda g: g.nunique(dropna=False),
    "sum": lambda g: g.sum(min_count=1),
    "sum of nothing": lambda g: g.sum(min_count=0),
    "sum of two": lambda g: g.sum(min_count=2),
    "prod": lambda g: g.prod(min_count=1),
    "mean": lambda g: g.mean(),
    "median": lambda g: g.median(),
    "min": lambda g: g.min(),
    "max": lambda g: g.max(),
    "std": lambda g: g.std(),
    "std of all": lambda g: g.std(ddof=0),
    "var": lambda g: g.var(),
    "var of more": lambda g: g.var(ddof=2),
    "sem": lambda g: g.sem(),
    "quantile": lambda g: g.quantile(0.3),
    "first": lambda g: g.first(),
    "last": lambda g: g.last(),
    "agg": lambda g: g.agg("mean"),
    "agg of an option": lambda g: g.agg("quantile", q=0.9),
}


@given(twin=keyed(x="finite", i="int"), dropna=st.booleans(), name=st.sampled_from(sorted(REDUCTIONS)))
@settings(deadline=None, max_examples=drawn(40))
def test_reductions(twin: Twin, dropna: bool, name: str) -> None:
    reduce = REDUCTIONS[name]
    theirs = reduce(numbers(twin).groupby("k", dropna=dropna)[["x", "i"]])
    same(reduce(twin.frame.groupby("k", dropna=dropna)), theirs, index=True)
    same(
        reduce(twin.frame.groupby("k", dropna=dropna)["x"]),
        reduce(numbers(twin).groupby("k", dropna=dropna)["x"]),
        index=True,
    )


@given(twin=twins(k="text", x="finite", min_rows=1))
@oracle
def test_skew_and_kurt(twin: Twin) -> None:
    # Under three or four values, and where all are equal, there is none: pandas says NaN or 0.
    plain = twin.plain
    for name in ("skew", "kurt"):
        theirs = getattr(plain.groupby("k")["x"], name)()
        spread = plain.groupby("k")["x"].nunique() > 1
        ours = getattr(twin.frame.groupby("k")["x"], name)().to_arrow().to_pylist()
        for row in ours:
            if spread[row["k"]]:
                same(row["x"], theirs[row["k"]], tolerance=1e-6)
            else:
                assert row["x"] is None or np.isnan(row["x"])


@given(twin=twins(k="text", b="bool"))
@oracle
def test_truth_counts_as_numbers(twin: Twin) -> None:
    plain = twin.plain.assign(b=pd.array(twin.arrow["b"].to_pylist(), "boolean"))
    ours, theirs = twin.frame.groupby("k")["b"], plain.groupby("k")["b"]
    same(ours.sum(), theirs.sum(min_count=1), index=True)
    same(ours.mean(), theirs.mean(), index=True)
    held = plain.dropna(subset=["b"]).groupby("k")["b"]
    some = twin.frame[twin.frame.b.notna()].groupby("k")["b"]
    same(some.any(), held.any(), index=True)
    same(some.all(), held.all(), index=True)


@given(twin=any_twins(kinds=KEYS, min_columns=2), data=st.data())
@oracle
def test_several_keys_of_any_kind_under_odd_names(twin: Twin, data: st.DataObject) -> None:
    names = twin.arrow.column_names
    by = data.draw(st.lists(st.sampled_from(names[:-1]), min_size=1, unique=True))
    dropna = data.draw(st.booleans())
    ours = twin.frame.groupby(by, dropna=dropna)
    theirs = twin.plain.groupby(by, dropna=dropna, observed=True)
    if "n" not in names:
        same(
            ours.agg(n=(names[-1], "count")),
            theirs.agg(n=(names[-1], "count")),
            index=True,
            ordered=False,
        )
    assert len(ours) == len(theirs.size())
    assert ours.ngroups == theirs.ngroups


def test_nan_is_a_key_and_null_is_none() -> None:
    twin = Twin(arrow(k=[1.0, float("nan"), None, float("nan")], x=[1, 2, 3, 4]))
    ours = twin.frame.groupby("k")["x"].sum().to_arrow()
    assert repr(ours["k"].to_pylist()) == "[1.0, nan]"
    assert [int(value) for value in ours["x"].to_pylist()] == [1, 6]
    assert twin.frame.groupby("k", dropna=False).ngroups == 3


RUNNING: dict[str, Callable[[Any], Any]] = {
    "cumsum": lambda g: g.cumsum(),
    "cumprod": lambda g: g.cumprod(),
    "cummax": lambda g: g.cummax(),
    "cummin": lambda g: g.cummin(),
    "shift": lambda g: g.shift(),
    "shift back": lambda g: g.shift(-2),
    "diff": lambda g: g.diff(),
    "ffill": lambda g: g.ffill(),
    "bfill": lambda g: g.bfill(),
    "ffill one": lambda g: g.ffill(limit=1),
    "rank": lambda g: g.rank(),
    "rank first": lambda g: g.rank(method="first"),
    "rank down": lambda g: g.rank(method="min", ascending=False),
    "rank dense": lambda g: g.rank(method="dense"),
    "rank share": lambda g: g.rank(pct=True),
    "rank bottom": lambda g: g.rank(na_option="bottom"),
    "mean": lambda g: g.transform("mean"),
    "first": lambda g: g.transform("first"),
    "count": lambda g: g.transform("count"),
    "by name": lambda g: g.transform("cumsum"),
}


@given(twin=keyed(x="finite", y="finite"), dropna=st.booleans(), name=st.sampled_from(sorted(RUNNING)))
@settings(deadline=None, max_examples=drawn(40))
def test_running_values_stand_beside_their_rows(twin: Twin, dropna: bool, name: str) -> None:
    run = RUNNING[name]
    plain = usual(twin)
    if not plain["k"].notna().any():
        return
    ours = twin.frame.groupby("k", dropna=dropna)
    theirs = plain.groupby("k", dropna=dropna)
    wanted = run(theirs[["x", "y"]])
    if dropna:
        # pandas gives rows of no group NaN, but for some methods their own number of a group of the missing.
        wanted = wanted.mask(plain["k"].isna())
    same(run(ours), wanted)
    same(twin.frame.assign(new=run(ours["x"]))[["new"]], wanted[["x"]], names=False)


@given(twin=keyed(x="int"), dropna=st.booleans())
@oracle
def test_numbers_of_rows_and_groups(twin: Twin, dropna: bool) -> None:
    plain = usual(twin)
    if not len(plain):
        return
    ours, theirs = twin.frame.groupby("k", dropna=dropna), plain.groupby("k", dropna=dropna)
    for ascending in (True, False):
        same(ours.cumcount(ascending), theirs.cumcount(ascending), names=False)
        same(ours.ngroup(ascending), theirs.ngroup(ascending), names=False)
    appeared = twin.frame.groupby("k", dropna=dropna, sort=False)
    same(appeared.ngroup(), plain.groupby("k", dropna=dropna, sort=False).ngroup(), names=False)


CHOSEN: dict[str, Callable[[Any], Any]] = {
    "head": lambda g: g.head(2),
    "head but": lambda g: g.head(-1),
    "tail": lambda g: g.tail(1),
    "tail but": lambda g: g.tail(-1),
    "nth": lambda g: g.nth(1),
    "nth back": lambda g: g.nth(-1),
    "nth list": lambda g: g.nth([0, -1]),
    "nth slice": lambda g: g.nth(slice(1, None)),
    "nth slice back": lambda g: g.nth(slice(-2, None)),
    "nth slice to": lambda g: g.nth(slice(0, -1)),
    "nth step": lambda g: g.nth(slice(0, None, 2)),
    "nth filled": lambda g: g.nth(0, dropna="any"),
    "filter": lambda g: g.filter(lambda rows: len(rows) > 1),
    "filter mean": lambda g: g.filter(lambda rows: rows.x.mean() > 0),
    "filter both": lambda g: g.filter(lambda rows: (rows["x"].max() > 1) & (rows["i"].count() >= 1)),
}


@given(twin=keyed(x="finite", i="int"), dropna=st.booleans(), name=st.sampled_from(sorted(CHOSEN)))
@settings(deadline=None, max_examples=30)
def test_rows_chosen_in_groups(twin: Twin, dropna: bool, name: str) -> None:
    if not twin.arrow.num_rows:
        return
    choose = CHOSEN[name]
    same(choose(twin.frame.groupby("k", dropna=dropna)), choose(usual(twin).groupby("k", dropna=dropna)))


@given(twin=twins(k="text", x="finite", i="int"))
@oracle
def test_rows_of_one_column(twin: Twin) -> None:
    ours, theirs = twin.frame.groupby("k")["x"], twin.plain.groupby("k")["x"]
    same(ours.head(1), theirs.head(1), names=False)
    same(ours.nth(-1), theirs.nth(-1), names=False)
    kept = twin.plain.dropna(subset=["k", "x"]).groupby("k")["x"]
    if twin.plain[["k", "x"]].dropna().size:
        same(ours.nlargest(2), kept.nlargest(2).reset_index()[["k", "x"]])
        same(ours.nsmallest(1), kept.nsmallest(1).reset_index()[["k", "x"]])


ANY_KIND: dict[str, Callable[[Any], Any]] = {
    "first": lambda g: g.first(),
    "last": lambda g: g.last(),
    "count": lambda g: g.count(),
    "shift": lambda g: g.shift(),
    "ffill": lambda g: g.ffill(),
    "head": lambda g: g.head(2),
    "nth": lambda g: g.nth(-1),
}


@given(kind=st.sampled_from(sorted(KINDS)), name=st.sampled_from(sorted(ANY_KIND)), data=st.data())
@settings(deadline=None, max_examples=30)
def test_columns_of_every_kind(kind: str, name: str, data: st.DataObject) -> None:
    odd = data.draw(st.sampled_from(ODD_NAMES))
    twin = data.draw(twins({"k": "text", odd: kind}, no_nulls=("k",), min_rows=1))
    act = ANY_KIND[name]
    if kind in ("list", "texts", "struct"):
        # pandas has no groups of them worth the name; rows are counted instead.
        assert act(twin.frame.groupby("k")).to_arrow().num_rows >= 1
        return
    theirs = act(twin.plain.astype({"k": "object"}).groupby("k"))
    wide = kind == "big" and name in ("first", "last", "shift", "ffill")
    if wide:
        theirs = act(twin.pandas.groupby("k"))
    same(act(twin.frame.groupby("k")), theirs, index=name in ("first", "last", "count"))


@given(
    kind=st.sampled_from(["date", "timestamp", "zoned", "text", "category", "decimal", "duration", "bool"]),
    data=st.data(),
)
@oracle
def test_extremes_and_counts_of_values_in_order(kind: str, data: st.DataObject) -> None:
    twin = data.draw(twins({"k": "text", "x": kind}, min_rows=1))
    values: dict[str, list[Any]] = {}
    for row in twin.arrow.to_pylist():
        if row["k"] is not None:
            values.setdefault(row["k"], []).append(row["x"])
    held = {key: [one for one in row if one is not None] for key, row in values.items()}
    ours = twin.frame.groupby("k")["x"]
    low, high = ours.min().to_arrow().to_pydict(), ours.max().to_arrow().to_pydict()
    for place, key in enumerate(low["k"]):
        order = (lambda one: one.encode()) if kind in ("text", "category") else None
        same(low["x"][place], min(held[key], key=order, default=None))
        same(high["x"][place], max(held[key], key=order, default=None))
    for row in ours.nunique().to_arrow().to_pylist():
        assert row["x"] == len(set(held[row["k"]]))
    listed = ours.unique().to_arrow().to_pydict()
    assert {key: len(row) for key, row in zip(listed["k"], listed["x"], strict=True)} == {
        key: len(set(row)) for key, row in values.items()
    }


@given(twin=twins(k="text", x="duration", d="decimal", min_rows=1, no_nulls=("k", "x", "d")))
@oracle
def test_sums_are_exact(twin: Twin) -> None:
    sums: dict[str, list[Any]] = {}
    for row in twin.arrow.to_pylist():
        held = sums.setdefault(row["k"], [row["x"] * 0, row["d"] * 0])
        sums[row["k"]] = [held[0] + row["x"], held[1] + row["d"]]
    made = twin.frame.groupby("k")[["x", "d"]].sum().to_arrow()
    for key, span, number in zip(*(column.to_pylist() for column in made.columns), strict=True):
        same(span, sums[key][0])
        assert number == sums[key][1]


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_groups_of_no_rows(kind: str) -> None:
    empty = Twin(pa.table({"k": pa.array([], pa.string()), "x": pa.array([], KINDS[kind][0])}))
    groups = empty.frame.groupby("k")
    for made in (
        groups.first(),
        groups.size(),
        groups.head(1),
        groups.shift(),
        groups.count(),
        groups.x.unique(),
    ):
        assert made.to_arrow().num_rows == 0
    assert list(groups) == []
    assert groups.ngroups == 0


def test_missing_values_go_before_the_largest_are_chosen() -> None:
    frame = lb.from_arrow(pa.table({"k": ["a", "a", None, "b"], "x": [1.0, None, 2.0, 3.0]}))
    step, chosen = frame.groupby("k")["x"].nlargest(2).kadeql.split(")\nSELECT")
    # Alone, the test of a row's number is an engine's first rows of each group, found without sorting them all.
    assert "x IS NOT NULL" in step
    assert "k IS NOT NULL" in step
    assert "IS NOT NULL" not in chosen
    assert frame.groupby("k")["x"].nlargest(2).to_arrow().to_pydict() == {"k": ["a", "b"], "x": [1.0, 3.0]}
