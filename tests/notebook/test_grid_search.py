"""The search through a grid's rows: it finds what cells show, and all digits of a value."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from grid_kinds import RECORD, ask

import luma_bench as lb
from luma_bench.bench.cells import column_cells
from luma_bench.bench.result import Result
from luma_bench.engines.duck import DuckEngine
from luma_bench.notebook.grid.session import GridSession


@pytest.fixture
def count(engine: DuckEngine) -> Callable[..., int]:
    """How many values of a column a search finds."""

    def found(values: pa.Array, text: str, **how: Any) -> int:
        session = GridSession(Result(pa.table({"x": values}), RECORD, "SELECT"), lambda: engine)
        view = ask(session, type="view", search=text, **how)
        assert view["type"] == "view", view
        return view["rows"]

    return found


@pytest.mark.parametrize(
    ("value", "decimals", "texts"),
    [
        (0.8414709848078965, 6, ["0.841471", "0.8414709848", "841471"]),
        (0.8451, 2, ["0.85", "0.8451"]),
        (1.0, 6, ["1.000000", "1.0"]),
        (1.5e-7, 6, ["1.5e-07", "1.5E-07"]),
        (1e20, 6, ["1e+20"]),
        (123456789e15, 6, ["1.23457e+23"]),
        (0.000123456789, 2, ["0.000123457"]),
        (float("inf"), 6, ["inf"]),
    ],
)
def test_a_floating_point_number_is_found_as_it_is_shown(
    count: Callable[..., int], value: float, decimals: int, texts: list[str]
) -> None:
    values = pa.array([value, 77.25, None])
    for text in texts:
        assert count(values, text, decimals={"0": decimals}) == 1, text
    assert count(values, "0.123") == 0


def test_a_short_floating_point_number_is_found_as_its_shortest_decimal(count: Callable[..., int]) -> None:
    assert count(pa.array([123456.79], pa.float32()), "123456.790000") == 1


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kathmandu", "UTC", "+02:00"])
@pytest.mark.parametrize("unit", ["us", "ns"])
def test_a_moment_is_found_in_the_zone_that_it_is_shown_in(
    count: Callable[..., int], zone: str, unit: str
) -> None:
    values = pa.array(
        [dt.datetime(2013, 7, 1, 5, 7, 9, 120_000, tzinfo=dt.UTC), None], pa.timestamp(unit, zone)
    )
    assert count(values, column_cells(pa.chunked_array([values]))[0].text) == 1


def test_nested_values_are_found_as_they_are_shown(count: Callable[..., int]) -> None:
    for kind, value in [
        (pa.list_(pa.string()), ["a", "b c"]),
        (pa.struct([("a", pa.int64()), ("b", pa.string())]), {"a": 1, "b": "x"}),
        (pa.map_(pa.string(), pa.int64()), [("k", 1)]),
    ]:
        values = pa.array([value, None], kind)
        assert count(values, column_cells(pa.chunked_array([values]))[0].text) == 1
        assert count(values, "nothing") == 0


def test_a_text_is_not_sought_among_numbers(count: Callable[..., int]) -> None:
    assert count(pa.array([1, 2]), "oslo") == 0


def test_the_text_of_a_view_gives_its_rows(engine: DuckEngine, tmp_path: Path) -> None:
    statement = (
        "SELECT x, sin(x) AS s, x * 0.5::DECIMAL(9, 1) AS d, TIMESTAMPTZ '2020-01-01 00:00:00+00' + to_hours(x) AS t "
        "FROM range(40) r(x)"
    )
    with lb.open(tmp_path / "b.luma") as bench:
        result = bench.kadeql(statement)
        session = GridSession(result, lambda: engine)
        for asked in (
            {"search": "0.841471"},
            {"search": "01:00"},
            {
                "filter": [
                    {"column": 0, "op": ">", "value": "3.5"},
                    {"column": 2, "op": "!=", "value": "7.25"},
                ]
            },
            {
                "filter": [
                    {"column": 1, "op": "<", "value": "0.1"},
                    {"column": 3, "op": "<=", "value": "2020-01-02"},
                ]
            },
        ):
            view = ask(session, type="view", **asked)
            text = ask(session, type="export", to="kadeql", view=view["view"])["text"]
            assert 0 < len(bench.kadeql(text)) == view["rows"], text
