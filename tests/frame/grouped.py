"""Twins for tests of groups: keys that may be NULL, and pandas' frames in types that its groups can sort and reduce."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa
from hypothesis import settings
from hypothesis import strategies as st
from strategies import Twin, twins

oracle = settings(deadline=None, max_examples=30)

KEY = st.sampled_from(["text", "int", "bool", "date", "decimal", "zoned"])
"""Kinds of keys; NaN as a key is a value with us and missing in pandas, so floats have a test of their own."""


@st.composite
def keyed(draw: st.DrawFn, **values: str) -> Twin:
    """Rows of a key that may be NULL, and of columns of these kinds."""
    return draw(twins({"k": draw(KEY), **values}))


def usual(twin: Twin) -> pd.DataFrame:
    """pandas' usual columns, but for keys of truth and NULL, which it could not sort."""
    frame = twin.plain.copy()
    if twin.arrow.schema.field("k").type == pa.bool_():
        frame["k"] = pd.array(twin.arrow["k"].to_pylist(), "boolean")
    return frame


def numbers(twin: Twin) -> pd.DataFrame:
    """With nullable floats: pandas' own reductions of Arrow columns have types of their own."""
    frame = usual(twin)
    for name in frame.columns:
        if name != "k":
            frame[name] = pd.array(
                [None if pd.isna(value) else float(value) for value in frame[name]], "Float64"
            )
    return frame


def arrow(**columns: Any) -> Any:
    return pa.table(columns)


def sales() -> Twin:
    return Twin(
        arrow(
            shop=["b", "a", "b", "a", "b", None],
            sold=[4, 1, 2, 3, 9, 7],
            price=[1.0, 2.0, None, 4.0, 0.5, 9.0],
        )
    )
