"""Changes in place, and keywords of pandas' that there are not: each refused with what to write for it."""

from __future__ import annotations

import copy
import inspect
import pickle
from typing import Any

import pandas as pd
import pytest

import luma_bench as lb
from luma_bench.errors import SchemaError, UnsupportedError
from luma_bench.frame import DataFrame


def _item(frame: Any) -> None:
    frame["delay"] = 1


def _attribute(frame: Any) -> None:
    frame.delay = 1


def _columns(frame: Any) -> None:
    frame.columns = ["a"]


def _deleted(frame: Any) -> None:
    del frame["delay"]


def _deleted_attribute(frame: Any) -> None:
    del frame.delay


def _loc(frame: Any) -> None:
    frame.loc[frame.delay > 3, "delay"] = 3


def _iloc(frame: Any) -> None:
    frame.iloc[0] = 3


def _iat(frame: Any) -> None:
    frame.iat[0, 0] = 3


def _series(frame: Any) -> None:
    frame.delay[0] = 1


def _series_name(frame: Any) -> None:
    frame.delay.name = "x"


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        (_item, "frame.assign(delay=…)"),
        (_attribute, "frame.assign(delay=…)"),
        (_columns, "frame.rename(columns={…})"),
        (_deleted, "frame.drop(columns=['delay'])"),
        (_deleted_attribute, "frame.drop(columns=['delay'])"),
        (_loc, "frame.assign("),
        (_iloc, "frame.assign("),
        (_iat, "frame.assign("),
        (_series, "series.where("),
        (_series_name, "series.rename("),
    ],
)
def test_nothing_changes_in_place(flights: DataFrame, change: Any, hint: str) -> None:
    with pytest.raises(UnsupportedError, match="does not change in place") as caught:
        change(flights)
    assert hint in str(caught.value.hint)


@pytest.mark.parametrize(
    ("method", "args"),
    [
        ("drop", {"columns": ["km"]}),
        ("rename", {"columns": {"km": "miles"}}),
        ("fillna", {"value": {"km": 0}}),
        ("dropna", {}),
        ("sort_values", {"by": "km"}),
        ("drop_duplicates", {}),
        ("reset_index", {}),
        ("replace", {"to_replace": 1, "value": 2}),
    ],
)
def test_inplace_names_the_assignment(flights: DataFrame, method: str, args: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedError, match="does not change in place") as caught:
        getattr(flights, method)(**args, inplace=True)
    assert f"frame = frame.{method}(…)" in str(caught.value.hint)
    # What says nothing is passed over.
    assert isinstance(getattr(flights, method)(**args, inplace=False), DataFrame)


def test_keywords_that_there_are_not(flights: DataFrame) -> None:
    with pytest.raises(UnsupportedError, match=r"fillna\(\) has no parameter 'method' here") as caught:
        flights.fillna(method="ffill")  # pyright: ignore[reportCallIssue]
    assert "ffill()" in str(caught.value.hint)
    with pytest.raises(UnsupportedError, match="'dayfirst'") as caught:
        lb.to_datetime(flights.origin, dayfirst=True)  # pyright: ignore[reportCallIssue]
    assert "format=" in str(caught.value.hint)
    with pytest.raises(UnsupportedError, match="'ascendng'") as caught:
        flights.sort_values("km", ascendng=False)  # pyright: ignore[reportCallIssue]
    assert "ascending" in str(caught.value.hint)
    with pytest.raises(UnsupportedError, match=r"DataFrame\(\) has no parameter 'index'"):
        lb.DataFrame({"x": [1]}, index=[0])  # pyright: ignore[reportCallIssue]
    # Errors of functions inside are theirs, and so are those of too few arguments.
    with pytest.raises(TypeError, match="positional"):
        flights.query()  # pyright: ignore[reportCallIssue]
    with pytest.raises(TypeError, match="'b'"):
        flights.pipe(lambda frame, a: frame, b=1)
    assert list(inspect.signature(flights.drop).parameters)[:2] == ["labels", "columns"]
    assert (flights.fillna.__doc__ or "").strip()


def test_a_series_of_values_and_copies(flights: DataFrame) -> None:
    for act in (lambda: lb.Series([1]), lambda: lb.Series([1], name="x"), lambda: lb.Series([1], index=[0])):  # type: ignore[call-arg]
        with pytest.raises(UnsupportedError):
            act()
    assert copy.copy(flights) is flights
    assert copy.deepcopy(flights) is flights
    assert copy.deepcopy({"f": flights.km})["f"].name == "km"
    for made in (flights, flights.km):
        with pytest.raises(UnsupportedError, match="pickled"):
            pickle.dumps(made)


def test_data_and_arguments_that_are_wrong(flights: DataFrame) -> None:
    with pytest.raises(SchemaError, match="two columns 'x'"):
        lb.from_pandas(pd.DataFrame([[1, 2]], columns=["x", "x"]))
    with pytest.raises(SchemaError):
        lb.DataFrame({"i": [2**70]})
    for wrong in ("3", None, 2.5):
        with pytest.raises(UnsupportedError, match="n="):
            flights.head(wrong)  # pyright: ignore[reportArgumentType]
    with pytest.raises(UnsupportedError, match="by=None"):
        flights.sort_values(None)  # pyright: ignore[reportArgumentType]


def test_groups_say_what_they_are(flights: DataFrame) -> None:
    assert repr(flights.groupby("origin")) == "lb.GroupBy by origin of 6 rows"
    assert repr(flights.groupby(["origin", "day"])["km"]) == "lb.SeriesGroupBy of km by origin, day of 6 rows"


def test_rows_come_piece_by_piece() -> None:
    frame = lb.DataFrame({"x": range(1000)})
    assert [row.x for row in frame.itertuples()] == list(range(1000))
    assert [(n, row["x"]) for n, row in frame.iterrows()] == [(n, n) for n in range(1000)]
    assert next(frame.iterrows()) == (0, {"x": 0})
