"""Aggregates of series in SQL: against plain Python, in every place of a query, and their errors."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator
from pathlib import Path

import duckdb
import macro_oracle as oracle
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from thorough import drawn

import luma_bench as lb
from luma_bench.engines.duck_macros import MACROS, make_macros

START = 1_700_000_000 * oracle.SECOND
UNITS = {"s": oracle.SECOND, "ms": 1_000_000, "us": 1_000, "ns": 1}


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"threads": 1}) as made:
        make_macros(made, " ".join(MACROS), set())
        yield made


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[lb.Bench]:
    with lb.open(tmp_path_factory.mktemp("macros") / "b.luma") as made:
        rows = np.arange(40)
        made.write(
            "meter",
            {
                "host": (rows % 2).astype(str),
                "ts": np.datetime64("2024-01-01T00:00:00", "us") + rows * 1_000_000,
                "v": (rows // 2).astype(float),
            },
        )
        yield made


VALUES = st.floats(-1e6, 1e6, allow_nan=False, width=32)
ROWS = st.lists(
    st.tuples(st.none() | VALUES, st.none() | st.integers(-2_000, 2_000)),
    max_size=14,
    unique_by=lambda row: (row[1], row[1] is None and row[0]),
)


def samples_of(rows: list[tuple[float | None, int | None]], unit: int) -> list[oracle.Sample]:
    known = [
        (value, START + step * max(unit, 1_000_000))
        for value, step in rows
        if value is not None and step is not None
    ]
    return sorted(known, key=lambda sample: sample[1])


@settings(deadline=None, max_examples=drawn(60))
@given(ROWS, st.sampled_from([*UNITS]), st.booleans())
def test_each_aggregate_is_what_its_definition_says(
    con: duckdb.DuckDBPyConnection, rows: list[tuple[float | None, int | None]], unit: str, zoned: bool
) -> None:
    size = UNITS[unit]
    samples = samples_of(rows, size)
    kind = pa.timestamp(unit, "UTC" if zoned and unit == "us" else None)
    times = [None if step is None else (START + step * max(size, 1_000_000)) // size for _, step in rows]
    table = pa.table(
        {
            "v": pa.array([value for value, _ in rows], pa.float64()),
            "ts": pa.array(times, pa.int64()).cast(kind),
        }
    )
    low, high, until = (
        START - 500 * max(size, 1_000_000),
        START + 1_000 * max(size, 1_000_000),
        START + 1_500 * max(size, 1_000_000),
    )
    edges = pa.table(
        {
            name: pa.array([moment // size], pa.int64()).cast(kind)
            for name, moment in (("low", low), ("high", high), ("until", until))
        }
    )
    con.register("samples", table)
    con.register("edges", edges)
    answer = con.execute(
        """SELECT increase(v, ts), delta(v, ts), rate(v, ts), prom_rate(v, ts, low, high), prom_increase(v, ts, low, high), derivative(v, ts), integral(v, ts),
        time_weight(v, ts), twap(v, ts, until) FROM edges LEFT JOIN samples ON true GROUP BY low, high, until"""
    ).fetchall()[0]
    prom = oracle.prom_rate(samples, low, high)
    expected = [
        oracle.increase(samples),
        oracle.delta(samples),
        oracle.rate(samples),
        prom,
        None if prom is None else prom * ((high - low) / oracle.SECOND),
        oracle.derivative(samples),
        oracle.integral(samples),
        oracle.time_weight(samples),
        oracle.time_weight(samples, until),
    ]
    for got, want in zip(answer, expected, strict=True):
        assert got == (None if want is None else pytest.approx(want, rel=1e-9, abs=1e-7))


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=30),
    st.floats(0, 1),
    st.sampled_from([0.01, 0.1, 0.001]),
)
def test_a_quantile_of_the_sketch_is_within_its_error(
    con: duckdb.DuckDBPyConnection, values: list[float], q: float, error: float
) -> None:
    con.register("numbers", pa.table({"x": pa.array(values, pa.float64())}))
    answer = con.execute(
        "SELECT dd_quantile(x, $q, $e), dd_quantile(x, $q) FROM numbers", {"q": q, "e": error}
    ).fetchall()[0]
    ordered = sorted(values, key=lambda value: (np.isnan(value), value))
    for got, allowed in zip(answer, (error, 0.01), strict=True):
        if not values:
            assert got is None
            continue
        exact = ordered[int(np.floor(q * (len(values) - 1)))]
        if not np.isfinite(exact):
            assert got == exact or (np.isnan(got) and np.isnan(exact))
        elif abs(exact) < 1e300:
            assert abs(got - exact) <= allowed * abs(exact) * (1 + 1e-9) + 1e-300


def test_prices_by_volume_and_as_candles(con: duckdb.DuckDBPyConnection) -> None:
    row = con.execute(
        """SELECT vwap(p, q), ohlc(p, ts), vwap(p, 0), ohlc(p::DECIMAL(9, 2), ts).high FROM (VALUES
        (2.0, 10, TIMESTAMP '2024-01-01 00:00:02'), (1.0, 30, TIMESTAMP '2024-01-01 00:00:01'), (4.0, 10, TIMESTAMP '2024-01-01 00:00:03'),
        (NULL, 5, TIMESTAMP '2024-01-01 00:00:04'), (9.0, NULL, NULL)) t(p, q, ts)"""
    ).fetchall()[0]
    assert row[0] == pytest.approx((20 + 30 + 40) / 50)
    assert row[1] == {"open": 1, "high": 4, "low": 1, "close": 4}
    assert row[2] is None
    assert str(row[3]) == "4.00"
    assert con.execute("SELECT ohlc(1, NULL::TIMESTAMP), vwap(NULL, 1)").fetchall()[0] == (None, None)


def test_fractions_of_a_second_count_where_they_stand(con: duckdb.DuckDBPyConnection) -> None:
    row = con.execute(
        "SELECT derivative(i, ts), rate(i, ts) FROM (SELECT i, make_timestamp_ns(1700000000999999000 + i * 500) AS ts FROM range(10) t(i))"
    ).fetchall()[0]
    assert row[0] == pytest.approx(2e6, rel=1e-3)
    assert row[1] == pytest.approx(2e6, rel=1e-12)


def test_dates_and_years_beyond_nanoseconds_are_times(con: duckdb.DuckDBPyConnection) -> None:
    row = con.execute(
        """SELECT rate(v, d), rate(v, far), integral(v, d) FROM (VALUES
        (0, DATE '2024-01-01', TIMESTAMP '3024-01-01'), (86400, DATE '2024-01-02', TIMESTAMP '3024-01-02')) t(v, d, far)"""
    ).fetchall()[0]
    assert row == (1.0, 1.0, 86400 * 43200.0)


def test_nan_does_not_pass_for_a_reset(con: duckdb.DuckDBPyConnection) -> None:
    row = con.execute(
        "SELECT increase(v, ts) FROM (VALUES (1.0, DATE '2024-01-01'), ('nan'::DOUBLE, DATE '2024-01-02'), (5.0, DATE '2024-01-03')) t(v, ts)"
    ).fetchall()[0]
    assert np.isnan(row[0])


@pytest.mark.parametrize(
    "text",
    [
        "SELECT host, rate(v, ts) AS r FROM meter GROUP BY host ORDER BY host",
        "SELECT host, r FROM (SELECT host, rate(v, ts) AS r FROM meter GROUP BY ALL) ORDER BY host",
        "SELECT host, rate(v, ts) AS r FROM meter GROUP BY host HAVING rate(v, ts) > 0.1 ORDER BY rate(v, ts), host",
        "WITH m AS (SELECT host, RATE(v, ts) AS r FROM meter GROUP BY host) SELECT host, r FROM m ORDER BY host",
        "SELECT host, (SELECT rate(v, ts) FROM meter b WHERE b.host = a.host) AS r FROM (SELECT DISTINCT host FROM meter) a ORDER BY host",
        "SELECT host, rate(value := v, time := ts) AS r FROM meter GROUP BY host ORDER BY host",
        "SELECT host, rate(v, ts) AS r FROM busy GROUP BY host ORDER BY host",
        "SELECT host, r FROM rates ORDER BY host",
    ],
)
def test_an_aggregate_stands_wherever_one_may(bench: lb.Bench, text: str) -> None:
    bench.kadeql("CREATE OR REPLACE VIEW busy AS SELECT * FROM meter WHERE v >= 0")
    bench.kadeql("CREATE OR REPLACE VIEW rates AS SELECT host, rate(v, ts) AS r FROM meter GROUP BY host")
    rows = bench.kadeql(text).to_arrow().to_pylist()
    assert rows == [{"host": "0", "r": 0.5}, {"host": "1", "r": 0.5}]


def test_columns_may_have_the_names_of_parameters_and_functions(bench: lb.Bench) -> None:
    text = 'SELECT rate(value, "time") AS rate FROM (SELECT v AS value, ts AS "time", v AS x FROM meter WHERE host = \'0\') AS delta'
    assert bench.kadeql(text).to_arrow().to_pylist() == [{"rate": 0.5}]


@pytest.mark.parametrize(
    ("text", "message", "at"),
    [
        ("SELECT rate(v) FROM meter", "rate does not take these arguments", "rate(v)"),
        ("SELECT delta(host, ts) FROM meter", "delta does not take these arguments", "delta(host, ts)"),
        ("SELECT rate(v, host) FROM meter", "rate does not take these arguments", "rate(v, host)"),
        ("SELECT 1, rate(DISTINCT v, ts) FROM meter", "rate takes no DISTINCT, FILTER or ORDER BY", "rate"),
        (
            "SELECT rate(v, ts) FILTER (v > 1) FROM meter",
            "rate takes no DISTINCT, FILTER or ORDER BY",
            "rate",
        ),
        (
            "SELECT rate(v, ts) OVER () FROM meter",
            "OVER takes DuckDB's own aggregates alone",
            "rate(v, ts)",
        ),
        ("SELECT rate(nope, ts) FROM meter", "There is no column 'nope'", "nope"),
        ("SELECT host FROM meter WHERE rate(v, ts) > 1", "WHERE clause cannot contain aggregates", "WHERE"),
        ("SELECT dd_quantile(v, 2) FROM meter", "dd_quantile: q is from 0 to 1", "dd_quantile(v, 2)"),
        (
            "SELECT host, dd_quantile(v, 0.5), dd_quantile(v, 0.5, -1) FROM meter GROUP BY host",
            "dd_quantile: error is above 0 and below 1",
            "dd_quantile(v, 0.5, -1)",
        ),
        (
            "SELECT dd_quantile(v, 0.5), dd_quantile(v, 1.5) FROM meter SAMPLE BY 1s",
            "dd_quantile: q is from 0 to 1",
            "dd_quantile(v, 1.5)",
        ),
        (
            "SELECT window_start, dd_quantile(v, 0.5, 1) FROM TUMBLE(TABLE meter, DESCRIPTOR(ts), 1s) GROUP BY ALL",
            "dd_quantile: error is above 0 and below 1",
            "dd_quantile(v, 0.5, 1)",
        ),
        (
            "SELECT count(*) FROM TUMBEL((FROM meter), DESCRIPTOR(ts), '1h')",
            "Did you mean TUMBLE(TABLE t, DESCRIPTOR(ts), …)?",
            None,
        ),
    ],
)
def test_a_wrong_call_says_what_to_write(bench: lb.Bench, text: str, message: str, at: str | None) -> None:
    with pytest.raises(lb.errors.KadeQLError) as caught:
        bench.kadeql(text)
    assert message in str(caught.value)
    assert caught.value.hint
    if at is not None:
        assert caught.value.span is not None
        assert text[slice(*caught.value.span)] == at


def test_a_macro_is_made_when_a_text_names_it_and_once(tmp_path: Path) -> None:
    asked = "SELECT count(*) FROM duckdb_functions() WHERE function_name = 'integ' || 'ral' AND function_type = 'macro'"
    with duckdb.connect() as con:
        made: set[str] = set()
        make_macros(con, "select sum(integrals) from t", made)
        assert con.execute(asked).fetchall()[0] == (0,)
        make_macros(con, "select integral(v, ts) from t", made)
        forms = con.execute(asked).fetchall()[0]
        assert forms[0] > 0
        make_macros(con, "select integral(v, ts) from t", made)
        assert con.execute(asked).fetchall()[0] == forms
        assert made == {"integral"}


def test_threads_may_name_a_macro_at_once(tmp_path: Path) -> None:
    with lb.open(tmp_path / "b.luma") as bench:
        bench.write("t", {"v": [1.0, 3.0], "ts": [dt.datetime(2024, 1, 1), dt.datetime(2024, 1, 2)]})
        answers: list[object] = []

        def ask(number: int) -> None:
            text = f"SELECT delta(v, ts) + {number} AS d FROM t"
            answers.append(bench.kadeql(text).to_arrow().to_pylist()[0]["d"] - number)

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert answers == [2.0] * 6


@pytest.mark.parametrize(
    "text",
    [
        "SELECT first(v, ts), last(v, ts) FROM meter",
        "SELECT first(v, ts), last(v, ts) FROM meter SAMPLE BY 1h",
        "SELECT first(v, ts), last(v, ts) FROM TUMBLE(TABLE meter, DESCRIPTOR(ts), 1h) GROUP BY window_start",
        "SELECT * FROM (SELECT FIRST( v ,ts), last(v, ts) FROM meter)",
        "SELECT first(v, ts), last(v, ts) FROM meter ASOF JOIN (SELECT host, ts, v AS w FROM meter) q USING (host, ts)",
    ],
)
def test_first_and_last_are_called_as_they_are_written(bench: lb.Bench, text: str) -> None:
    answer = bench.kadeql(text).to_arrow()
    assert answer.column_names == ["first(v, ts)", "last(v, ts)"]
    assert answer.to_pylist()[0] == {"first(v, ts)": 0.0, "last(v, ts)": 19.0}
