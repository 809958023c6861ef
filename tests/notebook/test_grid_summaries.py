"""The figures and bars of a grid's columns, held against what plain Python counts."""

from __future__ import annotations

import datetime as dt
import decimal
import math
from collections.abc import Callable

import pyarrow as pa
import pytest
from grid_kinds import KINDS, RECORD, ask
from hypothesis import given, settings
from hypothesis import strategies as st

from luma_bench.bench.result import Result
from luma_bench.engines.duck import DuckEngine
from luma_bench.notebook.grid import summary
from luma_bench.notebook.grid.session import GridSession


def test_the_summary_of_numbers(look: Callable[[pa.Table], GridSession]):
    values = [1, 2, 2, 3, 10, None]
    told = ask(look(pa.table({"n": values})), type="summary", column=0)
    assert (told["rows"], told["nulls"], told["distinct"]) == (6, 1, {"value": 4, "approximate": False})
    assert (told["min"], told["max"], told["mean"]) == ("1", "10", "3.6")
    assert told["quantiles"] == {"0.25": "2", "0.5": "2", "0.75": "3"}
    bars = told["histogram"]
    assert sum(bars["counts"]) == 5
    assert bars["edges"][0] == 1
    assert bars["edges"][-1] > 10
    assert bars["labels"] == ["1", "10"]
    assert len(bars["edges"]) == len(bars["counts"]) + 1


@given(st.lists(st.none() | st.floats(), max_size=30))
@settings(deadline=None, max_examples=80)
def test_bars_hold_every_finite_value_once(engine: DuckEngine, values: list[float | None]):
    session = GridSession(
        Result(pa.table({"x": pa.array(values, pa.float64())}), RECORD, "SELECT"), lambda: engine
    )
    told = ask(session, type="summary", column=0)
    assert told["type"] == "summary", told
    finite = [value for value in values if value is not None and math.isfinite(value)]
    if "histogram" in told:
        bars = told["histogram"]
        assert sum(bars["counts"]) == len(finite)
        assert bars["edges"] == sorted(bars["edges"])
        assert bars["edges"][0] <= min(finite)
    else:
        assert sum(item["count"] for item in told["top"]) <= len(values)


def test_the_summary_of_texts_counts_the_most_frequent(look: Callable[[pa.Table], GridSession]):
    told = ask(look(pa.table({"s": ["a", "b", "a", None, "<b>"]})), type="summary", column=0)
    assert told["top"][0] == {"value": "a", "count": 2}
    assert {"value": None, "count": 1} in told["top"]
    assert "histogram" not in told


def test_the_summary_of_zoned_times_is_in_their_zone(look: Callable[[pa.Table], GridSession]):
    kind = pa.timestamp("us", "America/New_York")
    moments = [dt.datetime(2013, 1, day, 5, tzinfo=dt.UTC) for day in (1, 2, 3)]
    told = ask(look(pa.table({"z": pa.array(moments, kind)})), type="summary", column=0)
    assert (told["min"], told["max"]) == ("2013-01-01 00:00:00-05:00", "2013-01-03 00:00:00-05:00")
    assert told["histogram"]["edges"][0] == moments[0].timestamp()


def test_the_summary_of_a_view_is_of_its_rows(look: Callable[[pa.Table], GridSession]):
    session = look(pa.table({"k": ["a", "b", "a"], "n": [1, 5, 3]}))
    view = ask(session, type="view", filter=[{"column": 0, "op": "=", "value": "a"}], sort=[{"column": 1}])
    told = ask(session, type="summary", view=view["view"], column=1)
    assert (told["rows"], told["min"], told["max"]) == (2, "1", "3")


@pytest.mark.parametrize("name", sorted(KINDS))
def test_every_kind_has_a_summary_also_of_nothing(look: Callable[[pa.Table], GridSession], name: str):
    kind, _ = KINDS[name]
    for table in (pa.table({"v": pa.array([], kind)}), pa.table({"v": pa.array([None, None], kind)})):
        told = ask(look(table), type="summary", column=0)
        assert told["type"] == "summary", told
        assert (told["nulls"], told["min"]) == (table.num_rows, None)


def test_decimals_are_counted_exactly(look: Callable[[pa.Table], GridSession]):
    values = [decimal.Decimal("99999999999999999999.99"), decimal.Decimal("0.01")]
    told = ask(look(pa.table({"d": pa.array(values, pa.decimal128(30, 2))})), type="summary", column=0)
    assert (told["min"], told["max"]) == ("0.01", "99999999999999999999.99")


def test_quantiles_of_many_rows_are_exact_and_estimates_say_so(
    look: Callable[[pa.Table], GridSession], monkeypatch: pytest.MonkeyPatch
):
    count = summary.EXACT + 3
    values = [math.sin(place) for place in range(count)]
    exact = sorted(values)
    told = ask(look(pa.table({"x": values})), type="summary", column=0)
    assert told["distinct"]["approximate"] is True
    assert told["quantiles_approximate"] is False
    for part in (0.25, 0.5, 0.75):
        assert float(told["quantiles"][str(part)]) == pytest.approx(exact[int(count * part)], abs=1e-5)
    monkeypatch.setattr(summary, "ORDERED", 1_000)
    told = ask(
        look(pa.table({"x": values, "t": pa.array(range(count)).cast(pa.time64("us"))})),
        type="summary",
        column=0,
    )
    assert told["quantiles_approximate"] is True
    assert abs(float(told["quantiles"]["0.25"]) - exact[count // 4]) < 0.05
