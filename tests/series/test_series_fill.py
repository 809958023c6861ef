"""FILL: what stands in empty buckets, by both plans and by plain Python."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest
from grouped_worlds import Row, filled, grouped, moment, planned, rows, table, told, tumble, tuples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import luma_bench as lb
from luma_bench.errors import KadeQLBindError, KadeQLError

SETTINGS = settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
PLANS = ("runs", "sql")
T = dt.datetime(2024, 1, 1)
H = dt.timedelta(hours=1)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[lb.Bench]:
    with lb.open(tmp_path_factory.mktemp("filled") / "b.luma") as opened:
        yield opened


@pytest.fixture(params=PLANS)
def plan(request: pytest.FixtureRequest, bench: lb.Bench) -> Iterator[str]:
    with planned(bench, request.param):
        yield request.param


def hours(bench: lb.Bench, *held: tuple[float, Any], key: str | None = None) -> None:
    """A table g(ts, k, v) of values at hours since 2024."""
    given = [(T + H * at, key or "a", value) for at, value in held]
    write(bench, given)


def write(bench: lb.Bench, given: list[tuple[dt.datetime, str, Any]]) -> None:
    bench.write(
        "g",
        pa.table(
            {
                "ts": pa.array([row[0] for row in given], pa.timestamp("us")),
                "k": pa.array([row[1] for row in given], pa.string()),
                "v": pa.array([row[2] for row in given], pa.float64()),
            }
        ),
        mode="replace",
        time_column="ts",
        series_key="k",
    )


def answer(bench: lb.Bench, text: str) -> list[tuple[Any, ...]]:
    return tuples(bench.kadeql(text, cache=False))


def values(bench: lb.Bench, text: str) -> list[Any]:
    return [row[-1] for row in answer(bench, text)]


@SETTINGS
@given(
    held=rows(),
    parts=st.integers(1, 2),
    size=st.sampled_from([20, 60]),
    kind=st.sampled_from(["null", "prev", "prev ignore nulls", "linear", "value"]),
)
def test_every_fill_of_any_series(bench: lb.Bench, held: list[Row], parts: int, size: int, kind: str) -> None:
    whole = table(held)
    bench.write("t", whole.slice(0, len(held) // parts), mode="replace", time_column="ts", series_key="k")
    if parts > 1:
        bench.write("t", whole.slice(len(held) // parts), mode="append")
    shown = "-1" if kind == "value" else kind.upper()
    text = f"SELECT ts, k, max(x) FROM t SAMPLE BY {size}m FILL({shown})"
    groups: dict[Any, Any] = {}
    for place, group in grouped(held, tumble(size)).items():
        known = [row.x for row in group if row.x is not None]
        groups[place] = max(known, key=lambda one: (one != one, one)) if known else None
    expected = [(moment(start), key, told(value)) for start, key, value in filled(groups, size, kind, -1.0)]
    for name in PLANS:
        with planned(bench, name):
            assert [(*row[:2], told(row[2])) for row in answer(bench, text)] == expected


@SETTINGS
@given(held=rows(most=20), low=st.integers(-120, 100), length=st.integers(0, 300))
def test_the_range_of_from_and_to_cuts_rows_and_extends_the_grid(
    bench: lb.Bench, held: list[Row], low: int, length: int
) -> None:
    bench.write("t", table(held), mode="replace", time_column="ts", series_key="k")
    high = low + length
    inside = [row for row in held if row.at is not None and low <= row.at < high]
    groups = {place: len(group) for place, group in grouped(inside, tumble(60)).items()}
    edges = (low // 60 * 60, (high - 1) // 60 * 60)
    expected = [(moment(start), key, value) for start, key, value in filled(groups, 60, "value", 0, edges)]
    text = f"SELECT ts, k, count(*) FROM t SAMPLE BY 1h FROM TIMESTAMP '{moment(low)}' TO TIMESTAMP '{moment(high)}' FILL(0)"
    for name in PLANS:
        with planned(bench, name):
            assert answer(bench, text) == expected


def test_values_never_cross_a_series(bench: lb.Bench, plan: str) -> None:
    del plan
    write(bench, [(T, "a", 1.0), (T + 3 * H, "b", 9.0)])
    assert answer(bench, "SELECT ts, k, sum(v) FROM g SAMPLE BY 1h FILL(PREV)") == [
        (T, "a", 1.0),
        (T, "b", None),
        (T + H, "a", 1.0),
        (T + H, "b", None),
        (T + 2 * H, "a", 1.0),
        (T + 2 * H, "b", None),
        (T + 3 * H, "a", 1.0),
        (T + 3 * H, "b", 9.0),
    ]


def test_the_range_is_that_of_where(bench: lb.Bench, plan: str) -> None:
    del plan
    hours(bench, (2, 5.0))
    text = (
        "SELECT ts, sum(v) FROM g WHERE ts >= TIMESTAMP '2024-01-01 00:30' AND ts < TIMESTAMP '2024-01-01 04:00' "
        "SAMPLE BY 1h FILL(NULL)"
    )
    assert answer(bench, text) == [(T, None), (T + H, None), (T + 2 * H, 5.0), (T + 3 * H, None)]


def test_the_range_is_that_of_the_rows_of_all_series(bench: lb.Bench, plan: str) -> None:
    del plan
    write(bench, [(T, "a", 1.0), (T + 2 * H, "b", 2.0)])
    assert [row[0] for row in answer(bench, "SELECT ts, k, sum(v) FROM g SAMPLE BY 1h FILL(0)")] == [
        T, T, T + H, T + H, T + 2 * H, T + 2 * H,
    ]  # fmt: skip


def test_a_leading_prev_is_null(bench: lb.Bench, plan: str) -> None:
    del plan
    hours(bench, (1, 3.0))
    text = "SELECT ts, sum(v) FROM g SAMPLE BY 1h FROM '2024-01-01' TO '2024-01-01 03:00' FILL(PREV)"
    assert values(bench, text) == [None, 3.0, 3.0]


def test_prev_carries_a_bucket_that_is_null(bench: lb.Bench, plan: str) -> None:
    del plan
    hours(bench, (0, 3.0), (1, None), (3, 4.0))
    assert values(bench, "SELECT ts, sum(v) FROM g SAMPLE BY 1h FILL(PREV)") == [3.0, None, None, 4.0]


def test_prev_ignore_nulls_carries_the_last_known_value(bench: lb.Bench, plan: str) -> None:
    del plan
    hours(bench, (0, 3.0), (1, None), (3, 4.0))
    assert values(bench, "SELECT ts, sum(v) FROM g SAMPLE BY 1h FILL(PREV IGNORE NULLS)") == [
        3.0,
        3.0,
        3.0,
        4.0,
    ]


def test_linear_at_the_edges_is_null(bench: lb.Bench, plan: str) -> None:
    del plan
    hours(bench, (1, 2.0), (3, 6.0))
    text = "SELECT ts, avg(v) FROM g SAMPLE BY 1h FROM '2024-01-01' TO '2024-01-01 06:00' FILL(LINEAR)"
    assert values(bench, text) == [None, 2.0, 4.0, 6.0, None, None]


def test_linear_passes_over_a_bucket_that_is_null(bench: lb.Bench, plan: str) -> None:
    del plan
    hours(bench, (0, 1.0), (1, None), (2, 3.0))
    assert values(bench, "SELECT ts, sum(v) FROM g SAMPLE BY 1h FILL(LINEAR)") == [1.0, 2.0, 3.0]


def test_linear_between_infinities_and_nan(bench: lb.Bench, plan: str) -> None:
    del plan
    inf, nan = float("inf"), float("nan")
    hours(bench, (0, inf), (2, inf), (4, nan), (6, 1.0))
    found = values(bench, "SELECT ts, max(v) FROM g SAMPLE BY 1h FILL(LINEAR)")
    assert [told(one) for one in found] == [inf, inf, inf, "nan", "nan", "nan", 1.0]


def test_linear_of_whole_numbers_is_double(bench: lb.Bench, plan: str) -> None:
    del plan
    hours(bench, (0, 1.0), (0.5, 1.0), (2, 2.0))
    found = bench.kadeql("SELECT ts, count(*) AS n FROM g SAMPLE BY 1h FILL(LINEAR)", cache=False).to_arrow()
    assert found.schema.field("n").type == pa.float64()
    assert found.column("n").to_pylist() == [2.0, 1.5, 1.0]


def test_linear_draws_moments_and_days(bench: lb.Bench, plan: str) -> None:
    del plan
    hours(bench, (0, 1.0), (4, 2.0))
    assert values(bench, "SELECT ts, min(ts) FROM g SAMPLE BY 2h FILL(LINEAR)") == [T, T + 2 * H, T + 4 * H]


def test_each_aggregate_has_its_own_fill(bench: lb.Bench, plan: str) -> None:
    del plan
    hours(bench, (0, 1.0), (2, 3.0))
    text = "SELECT ts, sum(v), min(v), max(v), count(*) FROM g SAMPLE BY 1h FILL(NULL, PREV, LINEAR, 0)"
    assert answer(bench, text)[1] == (T + H, None, 1.0, 2.0, 0)


def test_none_leaves_empty_buckets_out(bench: lb.Bench, plan: str) -> None:
    del plan
    hours(bench, (0, 1.0), (2, 3.0))
    assert values(bench, "SELECT ts, sum(v) FROM g SAMPLE BY 1h FILL(NONE)") == [1.0, 3.0]


def test_texts_and_lists_are_carried(bench: lb.Bench, plan: str) -> None:
    if plan == "runs":
        pytest.skip("list() has no kernel")
    hours(bench, (0, 1.0), (2, 3.0))
    assert values(bench, "SELECT ts, list(v) FROM g SAMPLE BY 1h FILL(PREV)") == [[1.0], [1.0], [3.0]]
    assert values(bench, "SELECT ts, max(k) FROM g SAMPLE BY 1h FILL('none')") == ["a", "none", "a"]


def test_no_rows_at_all(bench: lb.Bench, plan: str) -> None:
    del plan
    hours(bench)
    assert (
        answer(bench, "SELECT ts, k, sum(v) FROM g SAMPLE BY 1h FROM '2024-01-01' TO '2024-01-02' FILL(0)")
        == []
    )
    found = answer(bench, "SELECT ts, sum(v) FROM g SAMPLE BY 12h FROM '2024-01-01' TO '2024-01-02' FILL(0)")
    assert found == [(T, 0.0), (T + 12 * H, 0.0)]
    assert answer(bench, "SELECT ts, sum(v) FROM g SAMPLE BY 1h FILL(0)") == []


def test_from_and_to_without_fill_cut_rows(bench: lb.Bench, plan: str) -> None:
    del plan
    hours(bench, (0, 1.0), (1, 2.0), (1.5, 3.0), (2, 4.0))
    text = "SELECT ts, sum(v) FROM g SAMPLE BY 1h FROM '2024-01-01 01:00' TO '2024-01-01 02:00'"
    assert answer(bench, text) == [(T + H, 5.0)]


def test_first_observation_starts_the_buckets(bench: lb.Bench, plan: str) -> None:
    del plan
    hours(bench, (0.25, 1.0), (1.3, 2.0), (3.3, 3.0))
    quarter = T + H / 4
    text = "SELECT ts, sum(v) FROM g SAMPLE BY 1h FILL(0) ALIGN TO FIRST OBSERVATION"
    assert answer(bench, text) == [
        (quarter, 1.0),
        (quarter + H, 2.0),
        (quarter + 2 * H, 0.0),
        (quarter + 3 * H, 3.0),
    ]


@pytest.mark.parametrize(
    ("zone", "first", "text", "starts"),
    [
        (
            "America/New_York",
            "2024-11-03 03:30",
            "1d",
            ["2024-11-02 04:00", "2024-11-03 04:00", "2024-11-04 05:00", "2024-11-05 05:00"],
        ),
        (
            "America/New_York",
            "2024-11-03 04:30",
            "1h",
            [f"2024-11-03 0{hour}:00" for hour in range(4, 10)],
        ),
        (
            "Europe/Berlin",
            "2024-03-30 22:30",
            "6h",
            ["2024-03-30 17:00", "2024-03-30 23:00", "2024-03-31 04:00", "2024-03-31 10:00"],
        ),
    ],
)
def test_the_grid_across_a_change_of_clocks(
    bench: lb.Bench, plan: str, zone: str, first: str, text: str, starts: list[str]
) -> None:
    del plan
    last = dt.datetime.fromisoformat(starts[-1]) + dt.timedelta(minutes=30)
    write(bench, [(dt.datetime.fromisoformat(first), "a", 1.0), (last, "a", 2.0)])
    found = answer(bench, f"SELECT ts, sum(v) FROM g SAMPLE BY {text} FILL(PREV) ZONE '{zone}'")
    assert [row[0] for row in found] == [dt.datetime.fromisoformat(start) for start in starts]
    assert [row[1] for row in found] == [1.0] * (len(starts) - 1) + [2.0]


def test_conditions_around_a_fill(bench: lb.Bench, plan: str) -> None:
    """A condition on a key may leave series out before, one on the bucket only after the fill."""
    del plan
    write(bench, [(T, "a", 1.0), (T + 3 * H, "b", 9.0)])
    inner = "(SELECT ts, k, sum(v) AS s FROM g SAMPLE BY 1h FILL(PREV))"
    assert answer(bench, f"SELECT ts, s FROM {inner} WHERE k = 'a'") == [(T + H * at, 1.0) for at in range(4)]
    assert answer(
        bench, f"SELECT ts, k, s FROM {inner} WHERE ts = TIMESTAMP '2024-01-01 02:00' ORDER BY k"
    ) == [
        (T + 2 * H, "a", 1.0),
        (T + 2 * H, "b", None),
    ]


@pytest.mark.parametrize(
    ("fills", "message", "at"),
    [
        ("LINEAR", "draws a line between numbers or moments", "LINEAR"),
        ("5", "does not fit its column", "5"),
    ],
)
def test_a_fill_that_does_not_go_with_its_column(bench: lb.Bench, fills: str, message: str, at: str) -> None:
    hours(bench, (0, 1.0))
    text = f"SELECT ts, max(k) FROM g SAMPLE BY 1h FILL({fills})"
    with pytest.raises(KadeQLBindError, match=message) as caught:
        bench.kadeql(text)
    assert caught.value.span is not None
    assert text[slice(*caught.value.span)] == at


def test_none_beside_another_fill_is_refused(bench: lb.Bench) -> None:
    hours(bench, (0, 1.0))
    with pytest.raises(KadeQLError, match="NONE"):
        bench.kadeql("SELECT ts, max(v), min(v) FROM g SAMPLE BY 1h FILL(NONE, PREV)")


def test_a_grid_that_is_longer_than_memory_comes_in_blocks(bench: lb.Bench) -> None:
    write(bench, [(T, "a", 1.0), (T + 24 * 40 * H, "a", 2.0)])
    stream = bench.stream("SELECT ts, sum(v) AS s FROM g SAMPLE BY 1s FILL(PREV)")
    first = next(batch for batch in stream if batch.num_rows)
    assert first.num_rows < 24 * 40 * 3_600
    assert first.column("s")[0].as_py() == 1.0
    del stream
    counted = bench.kadeql(
        "SELECT count(*), sum(s) FROM (SELECT ts, sum(v) AS s FROM g SAMPLE BY 1s FILL(PREV))"
    )
    seconds = 24 * 40 * 3_600
    assert tuples(counted) == [(seconds + 1, seconds + 2.0)]
