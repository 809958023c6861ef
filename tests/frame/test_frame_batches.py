"""Python functions over batches of a frame, and windows over what they make."""

from __future__ import annotations

from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from luma_bench.errors import LumaError, SchemaError, UnsupportedError


def doubled(batch: pa.RecordBatch) -> dict[str, list[int]]:
    return {"y": [2 * value.as_py() for value in batch["x"]]}


def test_what_a_function_may_give(frames: Any) -> None:
    df = frames(t={"x": [1, 2, 3]})
    makers = [
        doubled,
        lambda batch: pa.table(doubled(batch)),
        lambda batch: pa.record_batch(doubled(batch)),
        lambda batch: pd.DataFrame(doubled(batch)),
        lambda batch: pl.DataFrame(doubled(batch)),
    ]
    for maker in makers:
        made = df.map_batches(maker, {"y": "int64"})
        assert made.columns == ["y"]
        assert made.y.to_list() == [2, 4, 6]


def test_types_may_be_written_in_many_ways(frames: Any) -> None:
    df = frames(t={"x": [1]})
    for given in (pa.int64(), int, "int64", "int64[pyarrow]", pd.Int64Dtype().numpy_dtype):
        assert df.map_batches(doubled, {"y": given}).dtypes == {"y": pa.int64()}
    schema = pa.schema([("y", pa.int32())])
    assert df.map_batches(doubled, schema).to_arrow().to_pydict() == {"y": [2]}
    text = df.map_batches(lambda batch: {"s": ["a"], "t": [None]}, {"s": "str", "t": "datetime64[us]"})
    assert text.dtypes == {"s": pa.string(), "t": pa.timestamp("us")}
    with pytest.raises(SchemaError, match="The type 'integer' of the column 'y' is not known"):
        df.map_batches(doubled, {"y": "integer"})


def test_batches_have_the_rows_that_were_asked_for_in_the_frames_order(frames: Any) -> None:
    df = frames(t={"x": list(range(10)), "k": [9 - x for x in range(10)]})
    sizes: list[int] = []

    def count(batch: pa.RecordBatch) -> pa.RecordBatch:
        sizes.append(batch.num_rows)
        return batch.select(["x"])

    made = df.sort_values("k").map_batches(count, {"x": "int64"}, batch_rows=4)
    assert made.x.to_list() == list(range(9, -1, -1))
    assert sizes == [4, 4, 2]
    with pytest.raises(UnsupportedError, match="batch_rows=0"):
        df.map_batches(count, {"x": "int64"}, batch_rows=0)


def test_nothing_runs_before_rows_are_asked_for_and_then_as_a_step_of_the_plan(frames: Any) -> None:
    df = frames(t={"x": [3, 1, 2]})
    ran: list[int] = []

    def noted(batch: pa.RecordBatch) -> dict[str, list[int]]:
        ran.append(batch.num_rows)
        return doubled(batch)

    made = df[df.x > 1].map_batches(noted, {"y": "int64"})
    later = made.assign(before=made.y.shift(), total=made.y.cumsum())
    assert ran == []
    assert "noted" in later.explain()
    assert later.to_arrow().to_pydict() == {"y": [6, 4], "before": [None, 6], "total": [6, 10]}
    assert ran == [2]


@pytest.mark.parametrize(
    ("function", "error", "message"),
    [
        (lambda batch: 1 / 0, LumaError, "failed on batch 0: ZeroDivisionError"),
        (lambda batch: [1], SchemaError, "gave a list"),
        (lambda batch: {"z": [1]}, SchemaError, r"gave the columns \['z'\], and the schema says \['y'\]"),
        (lambda batch: {"y": ["a"]}, SchemaError, "do not fit the schema"),
        (lambda batch: {"y": [1], "z": [1, 2]}, SchemaError, "no table"),
    ],
)
def test_what_goes_wrong_is_said(frames: Any, function: Any, error: type[Exception], message: str) -> None:
    made = frames(t={"x": [1]}).map_batches(function, {"y": "int64"})
    with pytest.raises(error, match=message):
        made.to_arrow()
