"""Frames in other libraries' hands: Arrow's C interface, the interchange protocol, NumPy, completion in IPython."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from luma_bench.errors import LumaError
from luma_bench.frame.missing import pandas_attribute

TABLE = pa.table(
    {
        "n": pa.array([1, None, 3], pa.int32()),
        "x": [0.5, 1.5, float("nan")],
        "text": ["a", None, "ü"],
        "a b": [True, False, None],
        "class": [1, 2, 3],
    }
)


@pytest.fixture
def frame(frames: Any) -> Any:
    return frames(t=TABLE)


def test_arrow_streams(frame: Any) -> None:
    chosen = frame[frame["class"] > 1]
    assert pa.table(chosen).to_pydict()["text"] == [None, "ü"]
    assert pa.RecordBatchReader.from_stream(chosen).read_all().num_rows == 2
    assert pl.DataFrame(chosen).shape == (2, 5)


def test_a_schema_may_be_requested(frame: Any) -> None:
    wanted = pa.schema([("class", pa.int32())])
    read = pa.RecordBatchReader.from_stream(frame[["class"]], schema=wanted)
    assert read.schema == wanted
    assert read.read_all().to_pydict() == {"class": [1, 2, 3]}


def test_the_schema_costs_no_run(frame: Any) -> None:
    made = frame.assign(z=frame.n + 1)
    assert pa.schema(made) == made.schema
    assert pa.schema(made).field("z").type == pa.int64() or pa.types.is_integer(
        pa.schema(made).field("z").type
    )
    assert frame.executor.texts == []


def test_the_interchange_protocol(frame: Any) -> None:
    chosen = frame[["n", "x", "text"]]
    exchanged = chosen.__dataframe__()
    assert exchanged.column_names() == chosen.__dataframe__().column_names()
    assert list(exchanged.column_names()) == ["n", "x", "text"]
    assert exchanged.num_rows() == 3
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        read = pd.api.interchange.from_dataframe(chosen)
    assert read["text"].tolist()[0] == "a"
    assert read["n"].tolist()[2] == 3


def test_arrays(frame: Any) -> None:
    numbers = frame[["class", "x"]].head(2)
    assert np.array_equal(np.asarray(numbers), np.array([[1, 0.5], [2, 1.5]]))
    assert np.asarray(numbers, dtype="float32").dtype == np.float32
    with pytest.raises(ValueError, match="copied"):
        np.asarray(numbers, copy=False)


def test_names_for_completion(frame: Any) -> None:
    names = dir(frame)
    assert {"n", "x", "text", "groupby"} <= set(names)
    assert "a b" not in names
    assert frame._ipython_key_completions_() == TABLE.column_names
    assert "text" in dir(frame.groupby("n"))
    assert "upper" in dir(frame.text.str)


def test_ipython_completes_columns(frame: Any) -> None:
    completer = pytest.importorskip("IPython.core.completer")
    shell = completer.IPCompleter(namespace={"frame": frame}, use_jedi=False)

    def offered(text: str) -> list[str]:
        with completer.provisionalcompleter():
            return [found.text for found in shell.completions(text, len(text))]

    assert any(found.endswith("text") for found in offered("frame.te"))
    assert any("a b" in found for found in offered('frame["a'))
    assert not any("a b" in found for found in offered("frame.a"))


@pytest.mark.parametrize(
    ("look", "said"),
    [
        (lambda f: f.groupbi, "groupby"),
        (lambda f: f.tex, "text"),
        (lambda f: f.swapaxis, "All of pandas is behind"),
        (lambda f: f.set_index, "There is no index"),
        (lambda f: f.to_xarray, "to_pandas"),
        (lambda f: f.x.meam, "mean"),
        (lambda f: f.text.str.uper, "upper"),
    ],
)
def test_what_is_missing_names_the_nearest_and_the_way_to_pandas(frame: Any, look: Any, said: str) -> None:
    with pytest.raises(AttributeError, match=said) as caught:
        look(frame)
    assert isinstance(caught.value, LumaError)


def test_what_pandas_alone_has_is_named(frame: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pd.DataFrame, "only_pandas", lambda self: None, raising=False)
    monkeypatch.setattr(pd.Series, "only_pandas", 1, raising=False)
    with pytest.raises(
        AttributeError,
        match=r"pandas has one\.\n.*Take the rows to pandas: frame\.to_pandas\(\)\.only_pandas\(…\)",
    ):
        _ = frame.only_pandas
    with pytest.raises(AttributeError, match=r"series\.to_pandas\(\)\.only_pandas\."):
        _ = frame.x.only_pandas


def test_what_pandas_has_is_looked_up() -> None:
    assert pandas_attribute("DataFrame", "stack") is pd.DataFrame.stack
    assert pandas_attribute("Series.str", "upper") is pd.Series.str.upper
    assert pandas_attribute("DataFrameGroupBy", "sum") is not None
    assert pandas_attribute("DataFrame", "nothing_at_all") is None
    assert pandas_attribute("Series.nowhere", "upper") is None
