"""The db-benchmark's ten group-bys and five joins: as KadeQL, and as each library of data frames writes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

type Tables = Mapping[str, Any]
type Ask = Callable[[Tables], Any]
"""A library's tables of the task in, its answer out: lazy where the library is."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question. `keys` name the rows of a group-by's answer; the rows of a join, or of a choice of rows, have none."""

    name: str
    task: str
    text: str
    keys: tuple[str, ...] = ()


def _group(name: str, keys: str, measures: str) -> Question:
    return Question(
        name, "groupby", f"SELECT {keys}, {measures} FROM x GROUP BY {keys}", tuple(keys.split(", "))
    )


_RIGHT = {
    "small": "x.id1, x.id2, x.id3, x.id4 AS id4_x, x.id5, x.id6, v1, r.id4 AS id4_y, v2",
    "medium": "x.id1 AS id1_x, x.id2, x.id3, x.id4 AS id4_x, x.id5 AS id5_x, x.id6, v1, "
    "r.id1 AS id1_y, r.id4 AS id4_y, r.id5 AS id5_y, v2",
    "text": "x.id1 AS id1_x, x.id2 AS id2_x, x.id3, x.id4 AS id4_x, x.id5, x.id6, v1, "
    "r.id1 AS id1_y, r.id2 AS id2_y, r.id4 AS id4_y, v2",
    "big": "x.id1 AS id1_x, x.id2 AS id2_x, x.id3, x.id4 AS id4_x, x.id5 AS id5_x, x.id6 AS id6_x, v1, "
    "r.id1 AS id1_y, r.id2 AS id2_y, r.id4 AS id4_y, r.id5 AS id5_y, r.id6 AS id6_y, v2",
}


def _join(name: str, columns: str, table: str, key: str, how: str = "") -> Question:
    return Question(
        name, "join", f"SELECT {_RIGHT[columns]} FROM x {how}JOIN {table} AS r ON x.{key} = r.{key}"
    )


QUESTIONS = (
    _group("group q1: sum v1 by id1", "id1", "sum(v1) AS v1"),
    _group("group q2: sum v1 by id1, id2", "id1, id2", "sum(v1) AS v1"),
    _group("group q3: sum v1, mean v3 by id3", "id3", "sum(v1) AS v1, avg(v3) AS v3"),
    _group("group q4: mean v1:v3 by id4", "id4", "avg(v1) AS v1, avg(v2) AS v2, avg(v3) AS v3"),
    _group("group q5: sum v1:v3 by id6", "id6", "sum(v1) AS v1, sum(v2) AS v2, sum(v3) AS v3"),
    _group(
        "group q6: median v3, std v3 by id4, id5", "id4, id5", "median(v3) AS median, stddev_samp(v3) AS std"
    ),
    _group("group q7: max v1 - min v2 by id3", "id3", "max(v1) - min(v2) AS spread"),
    Question(
        "group q8: largest two v3 by id6",
        "groupby",
        "SELECT id6, v3 FROM x QUALIFY row_number() OVER (PARTITION BY id6 ORDER BY v3 DESC) <= 2",
    ),
    _group("group q9: r² of v1, v2 by id2, id4", "id2, id4", "pow(corr(v1, v2), 2) AS r2"),
    _group(
        "group q10: sum v3, count by id1:id6",
        "id1, id2, id3, id4, id5, id6",
        "sum(v3) AS v3, count(v1) AS count",
    ),
    _join("join q1: small inner on int", "small", "small", "id1"),
    _join("join q2: medium inner on int", "medium", "medium", "id2"),
    _join("join q3: medium left on int", "medium", "medium", "id2", "LEFT "),
    _join("join q4: medium inner on text", "text", "medium", "id5"),
    _join("join q5: big inner on int", "big", "big", "id3"),
)
_SIX = [f"id{i}" for i in range(1, 7)]
_JOINS: tuple[tuple[str, str, str], ...] = (
    ("small", "id1", "inner"),
    ("medium", "id2", "inner"),
    ("medium", "id2", "left"),
    ("medium", "id5", "inner"),
    ("big", "id3", "inner"),
)


def luma() -> list[Ask]:
    """The questions over `lb.DataFrame`, in the order of `QUESTIONS`."""

    def group(t: Tables, *keys: str) -> Any:
        return t["x"].groupby(list(keys), sort=False, dropna=False)

    def q7(t: Tables) -> Any:
        found = group(t, "id3").agg(most=("v1", "max"), least=("v2", "min"))
        return found.assign(spread=found["most"] - found["least"])[["id3", "spread"]]

    def q9(t: Tables) -> Any:
        found = group(t, "id2", "id4")["v1"].corr(t["x"]["v2"])
        return found.assign(r2=found["v1"] ** 2)[["id2", "id4", "r2"]]

    return [
        lambda t: group(t, "id1").agg(v1=("v1", "sum")),
        lambda t: group(t, "id1", "id2").agg(v1=("v1", "sum")),
        lambda t: group(t, "id3").agg(v1=("v1", "sum"), v3=("v3", "mean")),
        lambda t: group(t, "id4").agg(v1=("v1", "mean"), v2=("v2", "mean"), v3=("v3", "mean")),
        lambda t: group(t, "id6").agg(v1=("v1", "sum"), v2=("v2", "sum"), v3=("v3", "sum")),
        lambda t: group(t, "id4", "id5").agg(median=("v3", "median"), std=("v3", "std")),
        q7,
        lambda t: group(t, "id6")["v3"].nlargest(2),
        q9,
        lambda t: group(t, *_SIX).agg(v3=("v3", "sum"), count=("v1", "count")),
        *_merges(),
    ]


def pandas() -> list[Ask]:
    """The questions over pandas, as the db-benchmark writes them."""
    import pandas as pd

    def group(t: Tables, *keys: str) -> Any:
        return t["x"].groupby(list(keys), as_index=False, sort=False, observed=True, dropna=False)

    def q7(t: Tables) -> Any:
        found = group(t, "id3").agg(most=("v1", "max"), least=("v2", "min"))
        return found.assign(spread=lambda f: f["most"] - f["least"])[["id3", "spread"]]

    def q8(t: Tables) -> Any:
        x = t["x"][["id6", "v3"]].sort_values("v3", ascending=False)
        return x.groupby("id6", as_index=False, sort=False, dropna=False).head(2)

    def q9(t: Tables) -> Any:
        x = t["x"][["id2", "id4", "v1", "v2"]].groupby(["id2", "id4"], as_index=False, sort=False)
        return x.apply(lambda part: pd.Series({"r2": part["v1"].corr(part["v2"]) ** 2}))

    return [
        lambda t: group(t, "id1").agg({"v1": "sum"}),
        lambda t: group(t, "id1", "id2").agg({"v1": "sum"}),
        lambda t: group(t, "id3").agg({"v1": "sum", "v3": "mean"}),
        lambda t: group(t, "id4").agg({"v1": "mean", "v2": "mean", "v3": "mean"}),
        lambda t: group(t, "id6").agg({"v1": "sum", "v2": "sum", "v3": "sum"}),
        lambda t: group(t, "id4", "id5").agg(median=("v3", "median"), std=("v3", "std")),
        q7,
        q8,
        q9,
        lambda t: group(t, *_SIX).agg(v3=("v3", "sum"), count=("v1", "size")),
        *_merges(),
    ]


def polars() -> list[Ask]:
    """The questions over Polars' lazy frames."""
    import polars as pl

    def q8(t: Tables) -> Any:
        x = t["x"].select("id6", "v3").group_by("id6").agg(pl.col("v3").top_k(2))
        return x.explode("v3")

    def join(table: str, key: str, how: Any) -> Ask:
        def ask(t: Tables) -> Any:
            both = set(t["x"].collect_schema()) & set(t[table].collect_schema()) - {key}
            left = t["x"].rename({name: f"{name}_x" for name in both})
            return left.join(t[table].rename({name: f"{name}_y" for name in both}), on=key, how=how)

        return ask

    return [
        lambda t: t["x"].group_by("id1").agg(pl.sum("v1")),
        lambda t: t["x"].group_by("id1", "id2").agg(pl.sum("v1")),
        lambda t: t["x"].group_by("id3").agg(pl.sum("v1"), pl.mean("v3")),
        lambda t: t["x"].group_by("id4").agg(pl.mean("v1", "v2", "v3")),
        lambda t: t["x"].group_by("id6").agg(pl.sum("v1", "v2", "v3")),
        lambda t: (
            t["x"]
            .group_by("id4", "id5")
            .agg(pl.median("v3").alias("median"), pl.std("v3", ddof=1).alias("std"))
        ),
        lambda t: t["x"].group_by("id3").agg((pl.max("v1") - pl.min("v2")).alias("spread")),
        q8,
        lambda t: t["x"].group_by("id2", "id4").agg((pl.corr("v1", "v2") ** 2).alias("r2")),
        lambda t: t["x"].group_by(_SIX).agg(pl.sum("v3"), pl.len().alias("count")),
        *(join(*one) for one in _JOINS),
    ]


def ibis() -> list[Ask]:
    """The questions over Ibis' tables."""
    import ibis as ib

    def by(t: Tables, *keys: str) -> Any:
        return t["x"].group_by(list(keys))

    def q6(t: Tables) -> Any:
        v3 = t["x"].v3
        return by(t, "id4", "id5").aggregate(median=v3.median(), std=v3.std(how="sample"))

    def q8(t: Tables) -> Any:
        x = t["x"]
        place = ib.row_number().over(group_by=x.id6, order_by=x.v3.desc())
        return x.select("id6", "v3", place=place).filter(lambda f: f.place < 2).select("id6", "v3")

    def sums(t: Tables, *names: str, function: str = "sum") -> dict[str, Any]:
        return {name: getattr(t["x"][name], function)() for name in names}

    def join(table: str, key: str, how: str) -> Ask:
        def ask(t: Tables) -> Any:
            left, right = t["x"], t[table]
            found = left.join(right, key, how=how, lname="{name}_x", rname="{name}_y")
            if f"{key}_y" in found.columns:
                found = found.drop(f"{key}_y").rename({key: f"{key}_x"})
            return found

        return ask

    return [
        lambda t: by(t, "id1").aggregate(**sums(t, "v1")),
        lambda t: by(t, "id1", "id2").aggregate(**sums(t, "v1")),
        lambda t: by(t, "id3").aggregate(**sums(t, "v1"), v3=t["x"].v3.mean()),
        lambda t: by(t, "id4").aggregate(**sums(t, "v1", "v2", "v3", function="mean")),
        lambda t: by(t, "id6").aggregate(**sums(t, "v1", "v2", "v3")),
        q6,
        lambda t: by(t, "id3").aggregate(spread=t["x"].v1.max() - t["x"].v2.min()),
        q8,
        lambda t: by(t, "id2", "id4").aggregate(r2=t["x"].v1.corr(t["x"].v2, how="pop") ** 2),
        lambda t: by(t, *_SIX).aggregate(**sums(t, "v3"), count=t["x"].v1.count()),
        *(join(*one) for one in _JOINS),
    ]


def dask() -> list[Ask]:
    """The questions over dask.dataframe; what it has no aggregation of runs in pandas, part by part after a shuffle."""
    import pandas as pd

    def group(t: Tables, *keys: str, **options: Any) -> Any:
        return t["x"].groupby(list(keys), sort=False, observed=True, dropna=False, **options)

    def named(found: Any) -> Any:
        return found.reset_index()

    def q7(t: Tables) -> Any:
        found = named(group(t, "id3").agg({"v1": "max", "v2": "min"}, split_out=4))
        return found.assign(spread=found["v1"] - found["v2"])[["id3", "spread"]]

    def two(part: Any) -> Any:
        return part.sort_values("v3", ascending=False).groupby("id6", sort=False).head(2)

    def r2(part: Any) -> Any:
        rows = part.groupby(["id2", "id4"], sort=False, as_index=False)
        return rows.apply(lambda one: pd.Series({"r2": one["v1"].corr(one["v2"]) ** 2}))

    def q9(t: Tables) -> Any:
        meta = {"id2": "str", "id4": "int64", "r2": "float64"}
        return t["x"][["id2", "id4", "v1", "v2"]].shuffle(["id2", "id4"]).map_partitions(r2, meta=meta)

    def q6(t: Tables) -> Any:
        def both(part: Any) -> Any:
            rows = part.groupby(["id4", "id5"], sort=False, as_index=False)
            return rows.agg(median=("v3", "median"), std=("v3", "std"))

        meta = {"id4": "int64", "id5": "int64", "median": "float64", "std": "float64"}
        return t["x"][["id4", "id5", "v3"]].shuffle(["id4", "id5"]).map_partitions(both, meta=meta)

    return [
        lambda t: named(group(t, "id1").agg({"v1": "sum"})),
        lambda t: named(group(t, "id1", "id2").agg({"v1": "sum"})),
        lambda t: named(group(t, "id3").agg({"v1": "sum", "v3": "mean"}, split_out=4)),
        lambda t: named(group(t, "id4").agg({"v1": "mean", "v2": "mean", "v3": "mean"})),
        lambda t: named(group(t, "id6").agg({"v1": "sum", "v2": "sum", "v3": "sum"}, split_out=4)),
        q6,
        q7,
        lambda t: t["x"][["id6", "v3"]].shuffle("id6").map_partitions(two),
        q9,
        lambda t: named(group(t, *_SIX).agg({"v3": "sum", "v1": "count"}, split_out=8)).rename(
            columns={"v1": "count"}
        ),
        *_merges(),
    ]


def _merges() -> list[Ask]:
    """The joins of pandas' `merge`, which three of the libraries have."""

    def merge(table: str, key: str, how: str) -> Ask:
        return lambda t: t["x"].merge(t[table], on=key, how=how)

    return [merge(*one) for one in _JOINS]
