"""Series functions in FROM of a bench: columns and types, conditions, memory, stopping, and errors in the user's text."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import luma_bench as lb
from luma_bench.bench.series import applied
from luma_bench.models.control import Control
from luma_bench.models.series.functions import FUNCTIONS

ROWS = 600


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[lb.Bench]:
    draw = np.random.default_rng(0)
    rows = np.arange(ROWS)
    shuffled = draw.permutation(ROWS)
    with lb.open(tmp_path_factory.mktemp("applied") / "b.luma") as made:
        made.write(
            "cpu",
            pa.table(
                {
                    "host": pa.array([f"h{row % 3}" if row % 3 else None for row in rows]),
                    "ts": pa.array(1_700_000_000_000_000 + rows * 10_000_000, pa.timestamp("us")),
                    "used": pa.array(
                        np.where(rows % 11 == 0, np.nan, np.cumsum(draw.normal(size=ROWS))), from_pandas=True
                    ),
                    "count": pa.array(rows.astype(np.int32)),
                    "cost": pa.array([f"{row}.25" for row in rows]).cast(pa.decimal128(9, 2)),
                    "note": pa.array(["x"] * ROWS),
                }
            ).take(pa.array(shuffled)),
        )
        yield made


def frame(bench: lb.Bench) -> pd.DataFrame:
    return bench.kadeql("SELECT * FROM cpu ORDER BY ts").to_pandas()


def rows(bench: lb.Bench, text: str, **given: Any) -> list[dict[str, Any]]:
    return bench.kadeql(text, **given).to_arrow().to_pylist()


CALL = "TABLE cpu PARTITION BY host, DESCRIPTOR(ts), used"


def test_rows_of_unsorted_series_with_null_keys_come_with_their_means(bench: lb.Bench) -> None:
    made = bench.kadeql(f"SELECT * FROM EWMA({CALL}, alpha => 0.25)").to_arrow()
    assert made.schema.names == ["host", "ts", "used", "ewma"]
    assert made.schema.field("ts").type == pa.timestamp("us")
    whole = frame(bench)
    expected = whole.groupby("host", dropna=False).used.transform(
        lambda one: one.ewm(alpha=0.25, adjust=False).mean()
    )
    got = made.to_pandas().sort_values("ts").reset_index(drop=True)
    np.testing.assert_allclose(got.ewma, expected, rtol=1e-9)
    assert got.used.isna().sum() == whole.used.isna().sum()
    order = made.to_pandas()
    assert order.groupby("host", dropna=False).ts.apply(lambda one: one.is_monotonic_increasing).all()
    assert (order.host.fillna("?") != order.host.fillna("?").shift()).sum() == 3


@pytest.mark.parametrize(
    ("call", "columns"),
    [
        (f"EWMA({CALL}, half_life => INTERVAL 5 MINUTES)", "host ts used ewma"),
        (f"DOWNSAMPLE({CALL}, count, note, points => 20)", "host ts used count note"),
        (f"DERIVATIVE({CALL})", "host ts used derivative"),
        (f"DIFFERENCES({CALL}, counter => true)", "host ts used difference"),
        (f"AUTOCORRELATION({CALL}, lags => 3)", "host lag autocorrelation"),
        (f"SEASONAL_RESIDUALS({CALL}, period => '1h', bucket => '1m')", "host ts used seasonal residual"),
        (f"ROBUST_ZSCORE({CALL}, window => '10m')", "host ts used median deviation zscore"),
        (f"CHANGE_POINTS({CALL})", "host ts used mean_before mean_after"),
        (f"MATRIX_PROFILE({CALL}, window => 8)", "host ts used distance nearest"),
        (f"FORECAST({CALL}, horizon => 2, method => seasonal_naive)", "host ts forecast lower upper method"),
    ],
)
def test_every_function_is_a_table(bench: lb.Bench, call: str, columns: str) -> None:
    made = bench.kadeql(f"SELECT * FROM {call}").to_arrow()
    assert made.schema.names == columns.split()
    assert made.num_rows > 0
    described = rows(bench, f"DESCRIBE SELECT * FROM {call}")
    assert [row["column_name"] for row in described] == columns.split()
    one = bench.kadeql(f"SELECT count(*) AS n FROM {call} AS f WHERE f.host = 'h1'").to_arrow().to_pylist()
    assert one == [{"n": made.filter(pa.compute.equal(made["host"], "h1")).num_rows}]


def test_a_function_stands_where_a_table_may(bench: lb.Bench) -> None:
    text = f"""WITH smooth AS (SELECT host, ts, ewma FROM EWMA({CALL}, span => 3) AS e)
    SELECT count(*) AS n FROM smooth s JOIN cpu c ON c.ts = s.ts AND c.host IS NOT DISTINCT FROM s.host"""
    assert rows(bench, text) == [{"n": ROWS}]
    bench.kadeql(
        "CREATE OR REPLACE VIEW smoothed AS SELECT * FROM EWMA(TABLE cpu, DESCRIPTOR(ts), used, com => 1)"
    )
    assert rows(bench, "SELECT count(*) AS n FROM smoothed") == [{"n": ROWS}]
    nested = f"SELECT max(abs(difference)) AS d FROM DIFFERENCES(TABLE (FROM EWMA({CALL}, alpha => 1.0)) PARTITION BY host, DESCRIPTOR(ts), ewma)"
    assert rows(bench, nested)[0]["d"] > 0
    given = "SELECT count(*) AS n FROM DOWNSAMPLE(TABLE cpu, DESCRIPTOR(ts), used, points => $points, method => $how)"
    assert rows(bench, given, params={"points": 8, "how": "LTTB"}) == [{"n": 8}]


def test_numbers_of_any_type_are_read_and_given_back_as_they_are(bench: lb.Bench) -> None:
    made = bench.kadeql("SELECT * FROM DIFFERENCES(TABLE cpu, DESCRIPTOR(ts), cost) ORDER BY ts").to_arrow()
    assert made.schema.field("cost").type == pa.decimal128(9, 2)
    assert made["difference"].to_pylist() == [None] + [1.0] * (ROWS - 1)
    counts = rows(bench, "SELECT * FROM DIFFERENCES(TABLE cpu, DESCRIPTOR(ts), count) ORDER BY ts LIMIT 2")
    assert [row["difference"] for row in counts] == [None, 1.0]


@pytest.mark.parametrize(
    "kind",
    [
        pa.timestamp("ns"),
        pa.timestamp("ms"),
        pa.timestamp("s"),
        pa.timestamp("us", "Europe/Oslo"),
        pa.date32(),
    ],
)
def test_times_of_any_type_keep_it(tmp_path: Path, kind: pa.DataType) -> None:
    moments = [dt.datetime(1969, 12, 30), dt.datetime(1970, 1, 1), dt.datetime(2024, 3, 31)]
    times = pa.array(moments, pa.timestamp("us")).cast(
        pa.timestamp("us") if pa.types.is_date(kind) else kind if kind.tz is None else pa.timestamp("us")
    )
    with lb.open(tmp_path / "b.luma") as bench:
        bench.write("t", pa.table({"ts": times.cast(kind), "v": [1.0, 3.0, 4.0]}))
        made = bench.kadeql("SELECT * FROM DERIVATIVE(TABLE t, DESCRIPTOR(ts), v, unit => '1d')").to_arrow()
        stored = bench.kadeql("SELECT ts FROM t ORDER BY ts").to_arrow()
        assert made["ts"].type == stored["ts"].type
        assert made["ts"].to_pylist() == stored["ts"].to_pylist()
        days = (moments[2] - moments[1]).days
        assert made["derivative"].to_pylist() == [None, 1.0, pytest.approx(1 / days)]
        nearest = "SELECT nearest FROM MATRIX_PROFILE(TABLE t, DESCRIPTOR(ts), v, window => 3)"
        assert bench.kadeql(nearest).to_arrow().schema.field("nearest").type == stored["ts"].type


def test_rows_without_a_time_are_left_out_and_counted(tmp_path: Path) -> None:
    with lb.open(tmp_path / "b.luma") as bench:
        bench.write("t", pa.table({"ts": pa.array([3, None, 1], pa.timestamp("us")), "v": [3.0, 9.0, 1.0]}))
        result = bench.kadeql("SELECT v, difference FROM DIFFERENCES(TABLE t, DESCRIPTOR(ts), v)")
        assert result.to_arrow().to_pylist() == [
            {"v": 1.0, "difference": None},
            {"v": 3.0, "difference": 2.0},
        ]
        assert any("1 row has no ts and is left out of DIFFERENCES" in told for told in result.run.warnings)
        bench.write(
            "none", pa.table({"ts": pa.array([], pa.timestamp("us")), "v": pa.array([], pa.float64())})
        )
        for name in FUNCTIONS:
            needed = {"EWMA": ", alpha => 0.5", "MATRIX_PROFILE": ", window => 3"}.get(name, "")
            assert rows(bench, f"SELECT * FROM {name}(TABLE none, DESCRIPTOR(ts), v{needed})") == []


def test_a_condition_on_keys_reads_their_series_alone(bench: lb.Bench) -> None:
    text = f"SELECT count(*) AS n, max(ewma) AS m FROM EWMA({CALL}, alpha => 0.5) WHERE host = 'h2'"
    whole = rows(
        bench,
        f"SELECT max(ewma) AS m FROM (SELECT * FROM EWMA({CALL}, alpha => 0.5)) WHERE host || '' = 'h2'",
    )
    assert rows(bench, text) == [{"n": ROWS // 3, "m": whole[0]["m"]}]
    told = rows(bench, f"EXPLAIN ANALYZE {text}")[0]["explain_value"]
    assert "EWMA of used over ts by host (alpha => 0.5)" in told
    assert "1 series" in told


def test_a_condition_on_times_or_values_comes_behind_the_function(bench: lb.Bench) -> None:
    later = "TIMESTAMP '2023-11-14 23:00:00'"
    inside = f"SELECT ts, difference FROM DIFFERENCES(TABLE cpu, DESCRIPTOR(ts), count) WHERE ts >= {later} ORDER BY ts LIMIT 1"
    assert rows(bench, inside)[0]["difference"] == 1.0
    before = f"SELECT difference FROM DIFFERENCES(TABLE (FROM cpu WHERE ts >= {later}), DESCRIPTOR(ts), count) ORDER BY ts LIMIT 1"
    assert rows(bench, before)[0]["difference"] is None


def same(got: pa.Table, expected: pa.Table) -> None:
    assert got.select(["host", "ts"]).equals(expected.select(["host", "ts"]))
    np.testing.assert_allclose(got["ewma"].to_numpy(), expected["ewma"].to_numpy(), rtol=1e-9)


def test_more_rows_than_may_be_held_are_read_in_shares(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hosts, each = 16, 200
    places = np.arange(hosts * each)
    table = pa.table(
        {
            "host": pa.array(places % hosts),
            "ts": pa.array(places * 1_000, pa.timestamp("us")),
            "v": np.random.default_rng(1).normal(size=len(places)),
        }
    )
    text = "SELECT host, ts, ewma FROM EWMA(TABLE t PARTITION BY host, DESCRIPTOR(ts), v, alpha => 0.1) ORDER BY host, ts"
    with lb.open(tmp_path / "b.luma") as bench:
        bench.write("t", table)
        whole = bench.kadeql(text, cache=False).to_arrow()
        control = applied.AppliedScan.control

        def small(self: Any) -> Control:
            made = control(self)
            made.memory, made.batch = 60_000, 256
            return made

        monkeypatch.setattr(applied.AppliedScan, "control", small)
        same(bench.kadeql(text, cache=False).to_arrow(), whole)
        told = rows(bench, f"EXPLAIN ANALYZE {text}")[0]["explain_value"]
        assert "input read" in told
        # What is guessed too low is cut while it is read.
        monkeypatch.setattr("luma_bench.bench.series.rows.InputRows.estimate", lambda self: 1)
        same(bench.kadeql(text, cache=False).to_arrow(), whole)
        with pytest.raises(lb.errors.ResourceError, match="EWMA of a whole series needs"):
            bench.kadeql(
                "SELECT * FROM EWMA(TABLE t, DESCRIPTOR(ts), v, alpha => 0.1)", cache=False
            ).to_arrow()


def test_a_function_that_runs_long_is_stopped(tmp_path: Path) -> None:
    places = np.arange(60_000)
    with lb.open(tmp_path / "b.luma") as bench:
        bench.write(
            "t",
            {"ts": places.astype("datetime64[s]"), "v": np.random.default_rng(2).normal(size=len(places))},
        )
        stopped: list[float] = []

        def stop() -> None:
            deadline = time.perf_counter() + 20
            while not bench.cancel() and time.perf_counter() < deadline:
                time.sleep(0.01)
            stopped.append(time.perf_counter())

        timer = threading.Timer(0.5, stop)
        timer.start()
        with pytest.raises(lb.errors.CancelledError):
            bench.kadeql(
                "SELECT count(distance) FROM MATRIX_PROFILE(TABLE t, DESCRIPTOR(ts), v, window => 100)"
            )
        timer.join()
        assert stopped


@pytest.mark.parametrize(
    ("call", "at", "said"),
    [
        (
            "EWMA(TABLE cpu, DESCRIPTOR(ts), used)",
            "EWMA(TABLE cpu, DESCRIPTOR(ts), used)",
            "give one of alpha",
        ),
        ("EWMA(TABLE cpu, DESCRIPTOR(ts), used, alpha => 1.5)", "1.5", "alpha is above 0 and up to 1"),
        ("EWMA(TABLE cpu, DESCRIPTOR(ts), used, alfa => 1.5)", "alfa", "EWMA has no option 'alfa'"),
        ("EWMA(TABLE cpu, DESCRIPTOR(ts), used, alpha => 'x')", "'x'", "alpha is a number, not 'x'"),
        ("EWMA(TABLE cpu, DESCRIPTOR(ts), used, half_life => 'soon')", "'soon'", "not a length of time"),
        (
            "ROBUST_ZSCORE(TABLE cpu, DESCRIPTOR(ts), used, window => 5)",
            "5",
            "ROBUST_ZSCORE: window is a length of time, not 5",
        ),
        (
            "EWMA(TABLE cpu, DESCRIPTOR(ts), used, half_life => 2 + 3)",
            "2 + 3",
            "half_life is a length of time, not 2 + 3, which is 5",
        ),
        ("EWMA(TABLE cpu, DESCRIPTOR(ts), used, half_life => '2y')", "'2y'", "has months"),
        ("EWMA(TABLE cpu, DESCRIPTOR(ts), note, alpha => 0.5)", "note", "reads numbers"),
        ("EWMA(TABLE cpu, DESCRIPTOR(ts), nope, alpha => 0.5)", "nope", "There is no column 'nope'"),
        ("EWMA(TABLE cpu, DESCRIPTOR(ts), used, count, alpha => 0.5)", "count", "takes one column"),
        (
            "EWMA(TABLE cpu PARTITION BY used, DESCRIPTOR(ts), used, alpha => 0.5)",
            "used",
            "two columns 'used'",
        ),
        ("DOWNSAMPLE(TABLE cpu, DESCRIPTOR(ts), used, method => fastest)", "fastest", "none of its choices"),
        (
            "DOWNSAMPLE(TABLE cpu, DESCRIPTOR(ts), used, points => NULL)",
            "NULL",
            "points is a whole number, not NULL",
        ),
        (
            "MATRIX_PROFILE(TABLE cpu, DESCRIPTOR(ts), used)",
            "MATRIX_PROFILE(TABLE cpu, DESCRIPTOR(ts), used)",
            "needs the option window",
        ),
        (
            "SEASONAL_RESIDUALS(TABLE cpu, DESCRIPTOR(ts), used, bucket => '1h', method => stl)",
            "'1h'",
            "bucket goes with method",
        ),
    ],
)
def test_what_is_wrong_is_pointed_at(bench: lb.Bench, call: str, at: str, said: str) -> None:
    text = f"SELECT count(*)\nFROM {call} AS f"
    with pytest.raises(lb.errors.KadeQLError) as caught:
        bench.kadeql(text)
    assert said in str(caught.value)
    assert caught.value.hint
    assert caught.value.span is not None
    assert text[slice(*caught.value.span)] == at
    assert caught.value.line == 2


def test_an_output_that_the_input_has_already_is_refused(bench: lb.Bench) -> None:
    text = "SELECT * FROM EWMA(TABLE (SELECT ts, used AS EWMA FROM cpu), DESCRIPTOR(ts), EWMA, alpha => 0.5)"
    with pytest.raises(lb.errors.KadeQLBindError, match="two columns 'EWMA'"):
        bench.kadeql(text)


def test_a_library_that_is_not_there_is_told_at_the_call(
    bench: lb.Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib

    real = importlib.import_module

    def without(name: str, package: str | None = None) -> Any:
        if name.startswith("statsmodels"):
            raise ImportError(name)
        return real(name, package)

    monkeypatch.setattr(importlib, "import_module", without)
    text = "SELECT * FROM FORECAST(TABLE cpu, DESCRIPTOR(ts), used, method => holt_winters)"
    with pytest.raises(lb.errors.KadeQLUnsupportedError, match="needs statsmodels") as caught:
        bench.kadeql(text, cache=False).to_arrow()
    assert "luma-bench[series]" in str(caught.value.hint)
    assert caught.value.span == (text.index("FORECAST"), len(text))
