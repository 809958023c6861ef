"""What frames refuse, and what they say to do instead."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from luma_bench.errors import LumaError, SchemaError, UnsupportedError
from luma_bench.frame import DataFrame


@pytest.mark.parametrize(
    ("act", "error", "words"),
    [
        (lambda df: df["dely"], SchemaError, "Did you mean 'delay'"),
        (lambda df: df[["id", "dely"]], SchemaError, "Did you mean 'delay'"),
        (lambda df: df.dely, AttributeError, "Did you mean delay"),
        (lambda df: df.to_clipboard, AttributeError, r"\.to_pandas\(\)"),
        (lambda df: df.sort_value, AttributeError, "sort_values"),
        (lambda df: df.delay.to_hdf, AttributeError, "to_parquet"),
        (lambda df: df.origin.str.uper, AttributeError, "upper"),
        (lambda df: df.day.dt.yer, AttributeError, "year"),
        (lambda df: df.groupby("origin").appply, AttributeError, r"\.to_pandas\(\)"),
        (lambda df: df[0], UnsupportedError, "no index"),
        (lambda df: df.delay[0], SchemaError, "no index"),
        (lambda df: bool(df), UnsupportedError, "empty"),
        (lambda df: bool(df.delay > 1), UnsupportedError, "& | ~"),
        (lambda df: 1 < df.delay < 5, UnsupportedError, r"not a < x < b"),
        (lambda df: (df.delay > 1) and (df.km > 1), UnsupportedError, "parentheses"),
        (lambda df: df.delay == None, UnsupportedError, "isna"),  # noqa: E711
        (lambda df: df.delay != pd.NA, UnsupportedError, "notna"),
        (lambda df: df.delay > object(), UnsupportedError, "constant"),
        (lambda df: df.delay.isin("abc"), UnsupportedError, "list"),
        (lambda df: df.delay.isin(df.id), UnsupportedError, "semi"),
        (lambda df: df.delay.between(1, 2, inclusive="all"), UnsupportedError, "inclusive"),
        (lambda df: df.delay.quantile(2), UnsupportedError, "fraction"),
        (lambda df: df.__setitem__("x", 1), UnsupportedError, "assign"),
        (lambda df: df.assign(ID=1), SchemaError, "differ by more than case"),
        (lambda df: df.rename({"dely": "x"}), SchemaError, "Did you mean"),
        (lambda df: df.drop(df.columns), SchemaError, "no columns"),
        (lambda df: df.groupby("dely"), SchemaError, "Did you mean"),
        (lambda df: df.groupby([]), UnsupportedError, "no keys"),
        (lambda df: df.groupby(df.delay // 5).max(), SchemaError, "name of its own"),
        (lambda df: df.merge(df, on="id").groupby("id").first(), UnsupportedError, "order"),
        (lambda df: df.groupby("origin").agg(x=("id", "summ")), UnsupportedError, "aggregates are"),
        (lambda df: df.groupby("origin").agg(x="id"), UnsupportedError, "pair"),
        (lambda df: df.groupby("origin").agg(), UnsupportedError, "no aggregates"),
        (lambda df: df.groupby("id").mean(), SchemaError, "holds text"),
        (lambda df: df.sort_values(["id", "km"], ascending=[True]), UnsupportedError, "one for each"),
        (lambda df: df.sort_values("id", na_position="middle"), UnsupportedError, "'first' or 'last'"),
        (lambda df: df.dropna(how="some"), UnsupportedError, "'any' or 'all'"),
        (lambda df: df.merge(df, how="up", on="id"), UnsupportedError, "is one of"),
        (lambda df: df.merge(df, how="cross", on="id"), UnsupportedError, "no keys"),
        (lambda df: df.merge(df, left_on="id"), UnsupportedError, "Give both"),
        (lambda df: df.merge(df, on="id", left_on="id", right_on="id"), UnsupportedError, "beside"),
        (lambda df: df.merge(df, left_on=["id"], right_on=["id", "km"]), UnsupportedError, "as many"),
        (lambda df: df.merge({"other": [1]}), SchemaError, "in common"),
        (lambda df: df.merge(3, on="id"), UnsupportedError, "is no table"),
        (lambda df: df.merge(df, on="id", suffixes=("", "")), UnsupportedError, "suffixes"),
    ],
)
def test_refusals_say_what_to_do(flights: DataFrame, act: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words) as caught:
        act(flights)
    assert isinstance(caught.value, LumaError)
    assert caught.value.hint


def test_private_names_are_plainly_missing(flights: DataFrame) -> None:
    assert not hasattr(flights, "_repr_mimebundle_")
    assert not hasattr(flights.delay, "_ipython_display_")
    with pytest.raises(TypeError):
        hash(flights.delay)
