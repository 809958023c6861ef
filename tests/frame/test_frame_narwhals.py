"""Narwhals over frames: the same code over a frame of ours, over Polars and over pandas, and everything stays lazy."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from pathlib import Path
from typing import Any

import narwhals as nw
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import luma_bench as lb
from luma_bench.errors import UnsupportedError
from luma_bench.frame import DataFrame, narwhals
from luma_bench.plan.nodes import Relation

TABLE = pa.table(
    {
        "id": pa.array([1, 2, 3, 4, 5, 6, 7], pa.int64()),
        "k": ["a", "b", "a", None, "b", "a", "c"],
        "x": [3, None, -1, 4, 4, 0, 7],
        "y": [1.5, 2.5, float("nan"), None, -3.0, 0.25, 8.0],
        "at": [dt.datetime(2024, 1, day, 13, 30) for day in (1, 2, 3, 4, 5, 31, 30)],
        "s": ["Ann", "bob", None, " Cid ", "", "eve-x", "ANN"],
    }
)
EVENTS = pa.table({"id": [2, 4, 9], "name": ["two", "four", "nine"], "x": [20, 40, 90]})


@pytest.fixture
def lazy(frames: Any) -> Any:
    return nw.from_native(frames(t=TABLE))


def other(lazy: Any, table: pa.Table) -> Any:
    return nw.from_native(nw.to_native(lazy).with_plan(Relation(table)))


def rows(frame: Any) -> list[tuple[Any, ...]]:
    """The rows in order of their text, NaN and NULL told apart, floats to 9 digits."""

    def plain(value: object) -> object:
        if isinstance(value, float):
            return f"{value + 0.0:.9g}"
        return value

    collected = frame.collect() if isinstance(frame, nw.LazyFrame) else frame
    found = collected.to_arrow().to_pylist()
    return sorted((tuple(plain(value) for value in row.values()) for row in found), key=repr)


CASES = {
    "select": lambda f: f.select("id", twice=nw.col("x") * 2, name=nw.col("s").str.to_uppercase()),
    "filter": lambda f: f.filter((nw.col("x") > 0) & nw.col("k").is_in(["a", "b"])),
    "filter over": lambda f: f.filter(nw.col("x") == nw.col("x").max().over("k")).select("id"),
    "with_columns": lambda f: f.with_columns(nw.col("x").fill_null(0), z=nw.col("id") % 3, w=-nw.col("id") // 2),
    "when": lambda f: f.select(z=nw.when(nw.col("x") > 2).then(nw.lit("big")).otherwise(nw.lit("small"))),
    "aggregate": lambda f: f.select(nw.col("x").sum(), m=nw.col("id").mean(), n=nw.len(), u=nw.col("k").n_unique()),
    "broadcast": lambda f: f.select("id", part=nw.col("id") / nw.col("id").sum()),
    "group_by": lambda f: f.group_by("k").agg(nw.col("x").sum(), n=nw.len(), r=nw.col("id").max() - nw.col("id").min()),
    "group_by expression": lambda f: f.group_by(nw.col("id") % 2).agg(nw.col("x").max()),
    "group_by std": lambda f: f.group_by("k", drop_null_keys=True).agg(nw.col("id").std(ddof=0), v=nw.col("id").var()),
    "cum_sum": lambda f: f.select("id", c=nw.col("id").cum_sum().over("k", order_by="id")),
    "shift": lambda f: f.select("id", p=nw.col("id").shift(1).over(order_by="id"), d=nw.col("id").diff().over(order_by="id")),
    "rolling": lambda f: f.select("id", r=nw.col("id").rolling_mean(3, min_samples=1).over(order_by="id")),
    "rank": lambda f: f.select("id", r=nw.col("id").rank("dense", descending=True)),
    "first": lambda f: f.group_by("k").agg(nw.col("id").first(order_by="id"), z=nw.col("id").last(order_by="id")),
    "ffill": lambda f: f.select("id", z=nw.col("x").fill_null(strategy="forward").over(order_by="id")),
    "unique": lambda f: f.select("k").unique(),
    "unique subset": lambda f: f.unique("k", keep="first", order_by="id").select("id"),
    "drop_nulls": lambda f: f.drop_nulls(["x", "k"]).select("id"),
    "rename": lambda f: f.rename({"id": "key", "x": "id"}).select("key", "id"),
    "unpivot": lambda f: f.select("id", "x").unpivot("x", index="id"),
    "top_k": lambda f: f.top_k(2, by="id").select("id"),
    "concat": lambda f: nw.concat([f.select("id"), f.select(nw.col("id") + 100)]),
    "concat_str": lambda f: f.select(z=nw.concat_str("k", "s", separator="/")),
    "horizontal": lambda f: f.select(a=nw.max_horizontal("id", "x"), b=nw.sum_horizontal("id", "x"), c=nw.mean_horizontal("id", "x")),
    "strings": lambda f: f.select(
        a=nw.col("s").str.len_chars(), b=nw.col("s").str.contains("^[A-Z]"), c=nw.col("s").str.replace_all("n", "_"),
        d=nw.col("s").str.strip_chars(), e=nw.col("s").str.slice(1, 2), f=nw.col("s").str.zfill(6),
    ),
    "dates": lambda f: f.select(
        a=nw.col("at").dt.year(), b=nw.col("at").dt.weekday(), c=nw.col("at").dt.truncate("1mo"),
        d=nw.col("at").dt.offset_by("1d"), e=nw.col("at").dt.to_string("%Y-%m-%d"),
    ),
    "cast": lambda f: f.select(a=nw.col("id").cast(nw.Float64), b=nw.col("id").cast(nw.String), c=nw.col("id").cast(nw.Int8)),
    "selectors": lambda f: f.select(nw.selectors.by_dtype(nw.Int64)).select(nw.all() + 1),
    "quantile": lambda f: f.select(nw.col("id").quantile(0.3, "linear"), m=nw.col("id").median(), s=nw.col("id").skew()),
    "row_index": lambda f: f.with_row_index("place", order_by="id").select("place", "id"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_same_as_over_polars(lazy: Any, name: str) -> None:
    code = CASES[name]
    assert rows(code(lazy)) == rows(code(nw.from_native(pl.from_arrow(TABLE).lazy())))


@pytest.mark.parametrize("how", ["inner", "left", "full", "semi", "anti", "cross"])
def test_joins_are_those_of_polars(lazy: Any, how: str) -> None:
    def code(left: Any, right: Any) -> Any:
        chosen = left.select("id", "x")
        return chosen.join(right, how=how, **({} if how == "cross" else {"on": "id"}))

    theirs = code(nw.from_native(pl.from_arrow(TABLE).lazy()), nw.from_native(pl.from_arrow(EVENTS).lazy()))
    ours = code(lazy, other(lazy, EVENTS))
    assert ours.collect_schema().names() == theirs.collect_schema().names()
    assert rows(ours) == rows(theirs)


@pytest.mark.parametrize("strategy", ["backward", "forward"])
def test_asof_joins_are_those_of_polars(lazy: Any, strategy: Any) -> None:
    def code(left: Any, right: Any) -> Any:
        return left.select("id").sort("id").join_asof(right.sort("id"), on="id", strategy=strategy)

    theirs = code(nw.from_native(pl.from_arrow(TABLE).lazy()), nw.from_native(pl.from_arrow(EVENTS).lazy()))
    assert rows(code(lazy, other(lazy, EVENTS))) == rows(theirs)
    with pytest.raises(NotImplementedError, match="backward"):
        lazy.join_asof(other(lazy, EVENTS), on="id", strategy="nearest")


def test_lists_and_structs(lazy: Any) -> None:
    table = pa.table({"id": [1, 2, 3, 4], "l": [[3, 1, None], [], None, [2]]})
    ours, theirs = other(lazy, table), nw.from_native(pl.from_arrow(table).lazy())
    for code in (
        lambda f: f.explode("l"),
        lambda f: f.select(n=nw.col("l").list.len(), m=nw.col("l").list.max(), s=nw.col("l").list.sum()),
        lambda f: f.select("id", z=nw.struct(nw.col("id"), twice=nw.col("id") * 2)),
        lambda f: f.select(z=nw.struct("id").struct.field("id") + 1),
    ):
        assert rows(code(ours)) == rows(code(theirs))


def test_nothing_runs_before_collect(frames: Any) -> None:
    frame = frames(t=TABLE)
    lazy = nw.from_native(frame)
    made = lazy.filter(nw.col("x") > 0).group_by("k").agg(nw.col("y").mean()).sort("k").head(2)
    assert made.collect_schema() == {"k": nw.String(), "y": nw.Float64()}
    assert frame.executor.texts == []
    native = nw.to_native(made)
    assert isinstance(native, DataFrame)
    assert "GROUP BY" in native.kadeql
    assert made.collect("pandas").to_native().equals(made.collect("polars").to_native().to_pandas())
    assert len(frame.executor.texts) == 2


def test_a_frame_of_a_bench(tmp_path: Path) -> None:
    with lb.open(tmp_path / "n.luma") as bench:
        bench.write("t", TABLE)
        lazy = nw.from_native(bench.table("t"))
        assert isinstance(lazy, nw.LazyFrame)
        total = lazy.filter(nw.col("k") == "a").select(nw.col("id").sum())
        assert total.collect().to_dict(as_series=False) == {"id": [10]}
        assert isinstance(total.collect("pandas").to_native(), pd.DataFrame)
        lazy.select("id", "s").sink_parquet(tmp_path / "out.parquet")
        assert pq.read_table(tmp_path / "out.parquet").num_rows == 7


def test_unknown_columns_are_narwhals_error(lazy: Any) -> None:
    for code in (
        lambda: lazy.select("idd"),
        lambda: lazy.filter(nw.col("idd") > 1),
        lambda: lazy.sort("idd"),
        lambda: lazy.unique("idd"),
        lambda: lazy.drop("idd"),
        lambda: lazy.join(lazy, on="idd"),
    ):
        with pytest.raises(nw.exceptions.ColumnNotFoundError):
            code().collect()
    with pytest.raises(nw.exceptions.DuplicateError):
        lazy.rename({"id": "x"})
    with pytest.raises(NotImplementedError, match="unique"):
        lazy.select(nw.col("x").unique())
    with pytest.raises(UnsupportedError, match="bench"):
        lazy.join(nw.from_native(DataFrame(_executor(), Relation(EVENTS))), on="id")


def test_plotly_draws_a_frame(frames: Any) -> None:
    express = pytest.importorskip("plotly.express")
    frame = frames(t=TABLE)
    drawn = express.bar(frame[frame.id > 2], x="id", y="x").data[0]
    assert list(drawn.x) == [3, 4, 5, 6, 7]


def test_the_plugin(frames: Any) -> None:
    from narwhals._utils import Version

    frame = frames(t=TABLE)
    assert type(frame).__module__.startswith(narwhals.NATIVE_PACKAGE)
    assert narwhals.is_native(frame)
    assert not narwhals.is_native(TABLE)
    made = narwhals.__narwhals_namespace__(Version.V2).from_native(frame)
    assert made.native is frame
    assert made._version is Version.V2


def test_it_loads_when_it_is_asked_for() -> None:
    code = "import sys, luma_bench as lb, luma_bench.frame.narwhals; lb.DataFrame; assert 'narwhals' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


values = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", None]),
        st.one_of(st.none(), st.integers(-5, 5)),
        st.one_of(st.none(), st.floats(-4, 4, width=16)),
    ),
    max_size=12,
)


@settings(deadline=None, max_examples=20)
@given(values)
def test_made_up_frames(made: list[tuple[Any, ...]]) -> None:
    columns = list(zip(*made, strict=True)) or [(), (), ()]
    table = pa.table(
        {
            "k": pa.array(columns[0], pa.string()),
            "i": pa.array(columns[1], pa.int64()),
            "f": pa.array(columns[2], pa.float64()),
        }
    )

    def code(frame: Any) -> list[Any]:
        return [
            frame.group_by("k").agg(nw.col("i").sum(), nw.col("f").mean(), n=nw.col("i").count()),
            frame.with_columns(z=nw.col("i").max().over("k"), w=nw.col("f") - nw.col("f").min()),
            frame.filter(~(nw.col("i") > 0) | nw.col("f").is_null()),
            frame.select(nw.col("i", "f").sum(), any=(nw.col("i") > 1).any(), all=(nw.col("i") > 1).all()),
            frame.unique(["k", "i"], keep="none"),
        ]

    ours = code(nw.from_native(DataFrame(_executor(), Relation(table))))
    theirs = code(nw.from_native(pl.from_arrow(table).lazy()))
    for mine, other_ in zip(ours, theirs, strict=True):
        assert rows(mine) == rows(other_)


def _executor() -> Any:
    from duck_executor import DuckExecutor

    return DuckExecutor({})
