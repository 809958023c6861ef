"""Functions of groups, tables of statistics, keys, and what is refused, against pandas."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from grouped import keyed, numbers, sales
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import Twin, same, twins

from luma_bench.frame import DataFrame

oracle = settings(deadline=None, max_examples=15)

FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "standard": lambda s: (s - s.mean()) / s.std(),
    "filled": lambda s: s.fillna(s.mean()),
    "share": lambda s: s / s.abs().sum(),
    "since": lambda s: s - s.shift(1),
    "place": lambda s: s.rank() / s.count(),
    "size": lambda s: s * 0 + len(s),
    "constant": lambda s: s.max(),
}


@given(twin=twins(k="text", x="finite", min_rows=1), name=st.sampled_from(sorted(FUNCTIONS)))
@settings(deadline=None, max_examples=25)
def test_functions_of_a_column_of_the_group(twin: Twin, name: str) -> None:
    function = FUNCTIONS[name]
    plain = twin.plain
    if not plain["k"].notna().any():
        return
    plain["x"] = plain["x"].astype("float64")
    with np.errstate(all="ignore"):
        wanted = plain.groupby("k")["x"].transform(function)
    ours = twin.frame.groupby("k")["x"].transform(function).to_list()
    for got, want in zip(ours, wanted.tolist(), strict=True):
        # A division by zero is NULL or infinite, as operators say; pandas has NaN or infinity.
        if want is not None and np.isfinite(want):
            same(got, want)
        else:
            assert got is None or not np.isfinite(got)


@given(twin=keyed(x="finite", y="finite"))
@oracle
def test_functions_of_a_group_reduce_it(twin: Twin) -> None:
    plain = numbers(twin)
    if not len(plain.dropna(subset=["k"])):
        return
    ours, theirs = twin.frame.groupby("k"), plain.groupby("k")
    same(
        ours.agg(span=("x", lambda s: s.max() - s.min()), far=("y", lambda s: (s - s.mean()).abs().max())),
        theirs.agg(span=("x", lambda s: s.max() - s.min()), far=("y", lambda s: (s - s.mean()).abs().max())),
        index=True,
    )
    same(
        ours.apply(lambda g: {"rows": len(g), "gap": g.x.max() - g.y.min()}),
        theirs[["x", "y"]].apply(
            lambda g: pd.Series({"rows": len(g), "gap": g.x.max() - g.y.min()}, dtype="Float64")
        ),
        index=True,
    )


def test_specifications_of_aggregates() -> None:
    twin = sales()
    ours, theirs = twin.frame.groupby("shop"), twin.plain.groupby("shop")
    listed = theirs.agg(["min", "max"])
    listed.columns = ["_".join(pair) for pair in listed.columns]
    same(ours.agg(["min", "max"]), listed, index=True)
    mixed = theirs.agg({"sold": ["sum", "first"], "price": "mean"})
    mixed.columns = ["sold_sum", "sold_first", "price"]
    same(ours.agg({"sold": ["sum", "first"], "price": "mean"}), mixed, index=True)
    same(
        ours.agg(low=pd.NamedAgg("price", "min"), n=("sold", len), m=("sold", pd.Series.mode)),
        theirs.agg(low=("price", "min"), n=("sold", len), m=("sold", lambda s: s.mode()[0])),
        index=True,
    )
    same(ours.sold.agg(low="min", high="max"), theirs.sold.agg(low="min", high="max"), index=True)
    same(ours.sold.agg([np.sum, "std"]), theirs.sold.agg([np.sum, "std"]), index=True)
    same(ours.agg({"sold": np.std}), theirs.agg({"sold": np.std}), index=True)
    same(ours.agg({"sold": list}), theirs.agg({"sold": list}), index=True)


def test_lambdas_of_a_list_are_numbered_as_in_pandas() -> None:
    twin = sales()
    spans = [lambda s: s.max(), lambda s: s.min(), "sum"]
    same(twin.frame.groupby("shop").sold.agg(spans), twin.plain.groupby("shop").sold.agg(spans), index=True)


@given(twin=keyed(x="finite", i="int"))
@oracle
def test_describe(twin: Twin) -> None:
    plain = numbers(twin)
    if not plain["k"].notna().any():
        return
    theirs = plain.groupby("k").describe()
    theirs.columns = ["_".join(pair) for pair in theirs.columns]
    same(twin.frame.groupby("k").describe(), theirs, index=True)
    same(
        twin.frame.groupby("k").x.describe(percentiles=[0.1]),
        plain.groupby("k").x.describe(percentiles=[0.1])[["count", "mean", "std", "min", "10%", "max"]],
        index=True,
    )


@given(
    twin=keyed(x="finite", i="int"),
    fractions=st.lists(st.sampled_from([0.0, 0.1, 0.5, 1.0]), min_size=1, unique=True),
)
@oracle
def test_several_quantiles(twin: Twin, fractions: list[float]) -> None:
    plain = numbers(twin)
    theirs = plain.groupby("k")[["x", "i"]].quantile(sorted(fractions)).reset_index()
    same(twin.frame.groupby("k").quantile(fractions), theirs, names=False)


@given(twin=keyed(x="int", t="text"), normalize=st.booleans(), dropna=st.booleans())
@oracle
def test_value_counts(twin: Twin, normalize: bool, dropna: bool) -> None:
    name = "proportion" if normalize else "count"
    ours = twin.frame.groupby("k")
    theirs = twin.plain.groupby("k")
    given_ = {"normalize": normalize, "dropna": dropna}
    if twin.arrow.num_rows:
        same(
            ours["t"].value_counts(**given_),
            theirs["t"].value_counts(**given_).rename(name),
            index=True,
            ordered=False,
        )
        same(
            ours.value_counts(**given_),
            theirs.value_counts(**given_).rename(name),
            index=True,
            ordered=False,
        )
    counts = ours["t"].value_counts().to_arrow().to_pylist()
    assert counts == sorted(
        counts, key=lambda row: (_first(ours, row["k"]), -row["count"], row["t"].encode())
    )


def _first(groups: Any, key: Any) -> int:
    return [name for name, _ in groups].index(key)


@given(twin=twins(k="text", x="finite", y="finite", min_rows=3))
@oracle
def test_correlations(twin: Twin) -> None:
    many = twin.plain.dropna()["k"].value_counts()
    kept = sorted(many[many > 1].index)
    frame = twin.frame[twin.frame.k.isin(kept)]
    plain = twin.plain[twin.plain.k.isin(kept)]
    if not kept:
        return
    ours, theirs = frame.groupby("k"), plain.groupby("k")
    same(ours.cov(), theirs.cov().reset_index(), names=False)
    same(ours.cov(ddof=0).columns, ["k", "column", "x", "y"])
    same(ours.x.cov(frame.y), theirs[["x", "y"]].apply(lambda g: g.x.cov(g.y)).rename("x"), index=True)
    spread = ours.agg(a=("x", "nunique"), b=("y", "nunique")).to_arrow().to_pylist()
    wanted = theirs[["x", "y"]].apply(lambda g: g.x.corr(g.y))
    for row, other in zip(ours.x.corr(frame.y).to_arrow().to_pylist(), spread, strict=True):
        if min(other["a"], other["b"]) > 1 and not np.isnan(wanted[row["k"]]):
            same(row["x"], wanted[row["k"]], tolerance=1e-6)


@given(twin=keyed(x="int"), dropna=st.booleans())
@oracle
def test_groups_one_at_a_time(twin: Twin, dropna: bool) -> None:
    seen = dict[Any, int]()
    for key, rows in twin.frame.groupby("k", dropna=dropna):
        assert isinstance(rows, DataFrame)
        seen[repr(key)] = len(rows)
    assert sorted(seen.values()) == sorted(twin.plain.groupby("k", dropna=dropna).size().tolist())


def test_one_group() -> None:
    twin = sales()
    both = twin.frame.groupby(["shop", "sold"])
    same(twin.frame.groupby("shop").get_group("a"), twin.plain.groupby("shop").get_group("a"))
    assert both.get_group(("a", 3)).price.to_list() == [4.0]
    assert [key for key, _ in both] == [("a", 1), ("a", 3), ("b", 2), ("b", 4), ("b", 9)]
    assert twin.frame.groupby("shop", dropna=False).get_group(None).sold.to_list() == [7]
    with pytest.raises(Exception, match="2 keys"):
        both.get_group("a")


def test_a_computed_key_leaves_the_frame_as_it_is() -> None:
    twin = sales()
    frame, plain = twin.frame, twin.plain
    same(
        frame.groupby(frame.sold % 2)["price"].sum(), plain.groupby(plain.sold % 2)["price"].sum(), index=True
    )
    same(
        frame.groupby(frame.sold % 2).agg(n=("sold", "sum")),
        plain.groupby(plain.sold % 2).agg(n=("sold", "sum")),
        index=True,
    )
    made = frame.assign(run=frame.groupby(frame.sold % 2).sold.cumsum())
    same(made, plain.assign(run=plain.groupby(plain.sold % 2).sold.cumsum()))
    runs = (frame.shop != frame.shop.shift()).cumsum().rename("run")
    assert frame[frame.shop.notna()].groupby("shop").ngroups == 2
    assert frame.groupby(runs).size().columns == ["run", "size"]


def test_a_series_has_groups() -> None:
    twin = sales()
    same(
        (twin.frame.sold * 2).groupby(twin.frame.shop).sum(),
        (twin.plain.sold * 2).groupby(twin.plain.shop).sum(),
        index=True,
    )
    assert twin.frame.sold.groupby("shop").max().columns == ["shop", "sold"]


def test_ohlc_and_extremes() -> None:
    twin = sales()
    same(twin.frame.groupby("shop").sold.ohlc(), twin.plain.groupby("shop").sold.ohlc(), index=True)
    best = twin.frame.groupby("shop").sold.idxmax(on="price").to_arrow().to_pydict()
    assert best == {"shop": ["a", "b"], "sold": [4.0, 0.5]}
    least = twin.frame.groupby("shop")[["price"]].idxmin(on="sold").to_arrow().to_pydict()
    assert least == {"shop": ["a", "b"], "price": [1, 9]}
    rising = twin.frame.groupby("shop").sold.is_monotonic_increasing.to_arrow().to_pydict()
    assert rising == {"shop": ["a", "b"], "sold": [True, False]}


def test_numpy_and_names_in_functions() -> None:
    twin = sales()
    ours, theirs = twin.frame.groupby("shop"), twin.plain.groupby("shop")
    spread = lambda s: np.mean(s) + np.std(s)  # noqa: E731
    same(ours.sold.agg(spread), theirs.sold.agg(spread), index=True)
    same(ours.sold.apply(np.mean), theirs.sold.apply(np.mean), index=True)
    same(ours.sold.apply("max"), theirs.sold.apply("max"), index=True)
    same(ours.sold.transform(len), theirs.sold.transform(len), names=False)
    same(ours.sold.transform("size"), theirs.sold.transform("size"), names=False)


def test_samples() -> None:
    twin = sales()
    groups = twin.frame.groupby("shop")
    drawn = groups.sample(1, random_state=7).to_arrow()
    assert drawn == groups.sample(1, random_state=7).to_arrow()
    assert sorted(drawn["shop"].to_pylist()) == ["a", "b"]
    assert len(groups.sample(frac=0.5, random_state=7)) == 3
    assert len({tuple(groups.sample(1, random_state=n).sold.to_list()) for n in range(20)}) > 1


def test_order_decides_what_is_first() -> None:
    twin = sales()
    ours, theirs = twin.frame.sort_values("sold"), twin.plain.sort_values("sold")
    same(ours.groupby("shop").first(), theirs.groupby("shop").first(), index=True)
    same(ours.groupby("shop").head(1), theirs.groupby("shop").head(1))
    same(twin.frame.groupby("shop").last(by="sold"), theirs.groupby("shop").last(), index=True, names=False)
    same(
        twin.frame.groupby("shop").price.shift(by="sold"),
        theirs.groupby("shop").price.shift().sort_index(),
        names=False,
    )


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (lambda g: g[["sold"]].agg(lambda s: s + 1), "value for each row"),
        (lambda g: g.filter(lambda rows: rows.sold > 1), "value for each row"),
        (lambda g: g.filter(lambda rows: rows.sold.mean() > 1 and rows.price.mean() > 1), "truth value"),
        (lambda g: g.filter(lambda rows: rows.head(2)), "rows of a group"),
        (lambda g: g.filter(lambda rows: rows.sold.value_counts()), "rows of a group"),
        (lambda g: g.transform(lambda s: s.interpolate()), "beyond the group"),
        (lambda g: g.apply(lambda rows: [1, 2]), "list"),
        (lambda g: g.sum(), "needs numbers"),
        (lambda g: g.transform("summ"), "Did you mean"),
        (lambda g: g.idxmax(), "on="),
        (lambda g: g.sample(1, replace=True), "at most once"),
        (lambda g: g.sold.quantile(3), "fraction"),
        (lambda g: g.corr("spearman"), "pearson"),
        (lambda g: g.shift(freq="D"), "index"),
        (lambda g: g.nope, "no column or method"),
        (lambda g: g.groups, "no labels"),
        (lambda g: g.sold.nope, "no column or method"),
        (lambda g: g.apply(lambda rows: rows.sold.to_list()), "rows of a group"),
        (lambda g: g.filter(lambda rows: rows.sold.is_monotonic_increasing), "is_monotonic"),
        (lambda g: g.apply(lambda rows: rows.to_arrow().num_rows), "rows of a group"),
        (lambda g: g.apply(lambda rows: rows.groupby("sold").price.transform("mean")), "beyond the group"),
        (lambda g: g.apply(lambda rows: float(rows.sold.sum())), "failed|value"),
        (lambda g: g.note.agg(str.upper), "failed"),
        (lambda g: g.apply(lambda rows: {}["x"]), "failed.*KeyError"),
        (lambda g: g.assign, "no column or method"),
    ],
)
def test_what_is_refused(act: Callable[[Any], object], words: str) -> None:
    frame = sales().frame.assign(note="x")
    with pytest.raises(Exception, match=words) as caught:
        act(frame.groupby("shop"))
    assert type(caught.value).__module__.startswith("luma_bench")


@pytest.mark.parametrize(
    ("by", "options", "words"),
    [
        (None, {}, "no keys"),
        ([], {}, "no keys"),
        ({"a": 1}, {}, "dictionary"),
        (len, {}, "function"),
        (1, {}, "cannot go by"),
        (["shop", "shop"], {}, "Two keys"),
        ("shop", {"level": 0}, "level"),
        ("shop", {"observed": False}, "observed"),
    ],
)
def test_keys_that_are_refused(by: Any, options: dict[str, Any], words: str) -> None:
    with pytest.raises(Exception, match=words):
        sales().frame.groupby(by, **options)


def test_a_group_knows_its_columns() -> None:
    groups = sales().frame.groupby("shop")
    assert {"sold", "mean", "transform"} <= set(dir(groups))
    assert groups.keys == ["shop"]
    assert groups.ndim == 2
    assert groups.sold.ndim == 1
    assert groups.pipe(lambda g, n: g.head(n), 1).columns == ["shop", "sold", "price"]
    assert groups[["price"]].head(1).columns == ["shop", "price"]
