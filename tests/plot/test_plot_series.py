"""Lines of series: one a key, in the order of the keys, with every point."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from luma_bench.plot.picture import MARKS, PlotError
from luma_bench.plot.series import Lines, picture_of, series_chart


def rows(keys: list[object], times: list[int | None], values: list[float | None]) -> pa.Table:
    return pa.table(
        {
            "k": keys,
            "ts": pa.array(times, pa.int64()).cast(pa.timestamp("s")),
            "x": pa.array(values, pa.float64()),
        }
    )


def test_each_series_is_a_line_in_the_order_of_the_keys() -> None:
    table = rows(["b", "a", "b", "a", "b", None], [3, 1, 1, 2, 1, 5], [1.0, 2.0, 3.0, None, 4.0, 6.0])
    picture = picture_of(Lines(table, "ts", "x", ("k",), ("a note",)))
    assert [series.name for series in picture.series] == ["a", "b", "NULL"]
    # Two points of one time are both drawn, in the order of the rows.
    assert picture.series[1].x.tolist() == [1e6, 1e6, 3e6]
    assert picture.series[1].y.tolist() == [3.0, 4.0, 1.0]
    assert np.isnan(picture.series[0].y[1])
    assert picture.notes == ("a note",)


def test_keys_of_several_columns_and_whole_numbers_as_times() -> None:
    table = pa.table({"a": [1, 1, 2], "b": ["x", "y", "x"], "n": [3, 2, 1], "x": [1, 2, 3]})
    picture = picture_of(Lines(table, "n", "x", ("a", "b")))
    assert [series.name for series in picture.series] == ["1, x", "1, y", "2, x"]
    assert picture.x.scale == "number"


def test_rows_without_a_time_are_counted_in_a_note() -> None:
    picture = picture_of(Lines(rows(["a", "a"], [None, 1], [1.0, 2.0]), "ts", "x", ("k",)))
    assert picture.notes == ("1 row without ts left out",)
    assert picture_of(Lines(rows([], [], []), "ts", "x")).notes == ("no rows",)


def test_it_is_drawn_both_ways() -> None:
    chart = series_chart(
        Lines(rows(["<b>", "c"], [1, 2], [1.0, 2.0]), "ts", "x", ("k",), ("8 of 1,000 series",)), title="t"
    )
    assert len(chart.figure.data) == 2
    assert "8 of 1,000 series" in chart.svg
    assert "<b>" not in chart.svg


def test_too_much_is_refused_with_what_to_do() -> None:
    many = rows(["a"] * (MARKS + 1), list(range(MARKS + 1)), [0.0] * (MARKS + 1))
    with pytest.raises(PlotError, match="20,001 points"):
        picture_of(Lines(many, "ts", "x", ("k",)))
    with pytest.raises(PlotError, match="30 series"):
        picture_of(Lines(rows([f"k{i}" for i in range(30)], list(range(30)), [0.0] * 30), "ts", "x", ("k",)))
    with pytest.raises(PlotError, match="not a number"):
        picture_of(Lines(rows(["a"], [1], [1.0]), "ts", "k"))
