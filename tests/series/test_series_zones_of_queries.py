"""A time keeps the zone of its stored column through views, WITH, subqueries, frames and UNION ALL: windows follow its calendar."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

import luma_bench as lb

NEW_YORK, BERLIN = "America/New_York", "Europe/Berlin"
# 00:00 and 02:00 EDT … 21:00 EST of the one Sunday of 25 hours; in UTC they lie on two days.
SUNDAY = [1_383_451_200_000_000, 1_383_458_400_000_000, 1_383_530_400_000_000]
DAY = "DESCRIPTOR(ts), '1d')"


def rows(zone: str) -> pa.Table:
    return pa.table(
        {"k": ["a", "a", "b"], "ts": pa.array(SUNDAY, pa.timestamp("us", zone)), "v": [1.0, 2.0, 3.0]}
    )


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[lb.Bench]:
    path: Path = tmp_path_factory.mktemp("zones") / "zones.luma"
    with lb.open(path, timezone="UTC") as opened:
        for name, zone in (("p", NEW_YORK), ("q", NEW_YORK), ("berlin", BERLIN)):
            opened.write(name, rows(zone), time_column="ts", series_key="k")
        for name, text in (
            ("pv", "SELECT * FROM p"),
            ("named", "SELECT k, ts, v FROM pv"),
            ("moved", "SELECT k, ts + INTERVAL 1 SECOND AS ts, v FROM p"),
        ):
            opened.kadeql(f"CREATE VIEW {name}{'(k, ts)' if name == 'named' else ''} AS {text}")
        yield opened


@pytest.fixture(params=["auto", "sql"])
def planned(bench: lb.Bench, request: pytest.FixtureRequest) -> Iterator[lb.Bench]:
    series: Any = bench._machinery.statements.runner.binder.series
    before, series.plan = series.plan, request.param
    yield bench
    series.plan = before


INPUTS = [
    "p",
    "pv",
    "named",
    "moved",
    "(SELECT * FROM p)",
    "(SELECT * FROM p WHERE v > 0)",
    "(SELECT * REPLACE (v * 2 AS v) FROM pv)",
    "(SELECT * FROM p UNION ALL SELECT * FROM q)",
    "(SELECT k, max(ts) AS ts, sum(v) AS v FROM p GROUP BY k, v)",
    "(WITH c AS (SELECT * FROM p) SELECT * FROM c)",
    "(SELECT x.k, x.ts, y.v FROM p x JOIN pv y USING (k, ts))",
    "(SELECT * FROM (SELECT * FROM p) LATEST ON ts PARTITION BY k, v)",
]


def one_day(answer: pa.Table, time: str = "window_start") -> bool:
    """Whether the answer is the one Sunday of New York, in its zone."""
    column = answer[time]
    starts = {str(moment) for moment in column.to_pylist()}
    return str(column.type) == f"timestamp[us, tz={NEW_YORK}]" and starts == {"2013-11-03 00:00:00-04:00"}


@pytest.mark.parametrize("given", INPUTS)
def test_days_are_those_of_the_column_that_the_time_comes_from(planned: lb.Bench, given: str):
    relation = given if given.isidentifier() else f"{given} AS r"
    text = f"SELECT window_start, sum(v) AS v FROM TUMBLE(TABLE {given}, {DAY} GROUP BY 1"
    assert one_day(planned.kadeql(text).to_arrow())
    assert one_day(planned.kadeql(f"SELECT ts, sum(v) AS v FROM {relation} SAMPLE BY 1d").to_arrow(), "ts")


@pytest.mark.parametrize("given", INPUTS)
def test_rows_with_windows_say_the_zone(bench: lb.Bench, given: str):
    found = bench.kadeql(f"SELECT * FROM TUMBLE(TABLE {given}, {DAY}").to_arrow()
    assert one_day(found)
    kinds = {
        str(found.schema.field(name).type) for name in ("ts", "window_start", "window_end", "window_time")
    }
    assert kinds == {f"timestamp[us, tz={NEW_YORK}]"}


def test_with_before_the_statement(planned: lb.Bench):
    text = f"WITH c AS (SELECT * FROM p) SELECT window_start, count(*) AS n FROM TUMBLE(TABLE c, {DAY} GROUP BY 1"
    assert one_day(planned.kadeql(text).to_arrow())


def test_relations_of_the_caller_keep_their_own(planned: lb.Bench):
    text = "SELECT ts, sum(v) AS v FROM fr SAMPLE BY 1d"
    frame = planned.table("p")
    for given in (rows(NEW_YORK), frame, frame[frame.v > 0]):
        assert one_day(planned.kadeql(text, tables={"fr": given}).to_arrow(), "ts")
    # The stored table has another zone; the caller's relation of its name hides it.
    assert one_day(
        planned.kadeql(text.replace("fr", "berlin"), tables={"berlin": rows(NEW_YORK)}).to_arrow(), "ts"
    )


def test_the_handle(bench: lb.Bench):
    assert one_day(bench.series("p").select(v2="v*2").resample("1d").to_arrow(), "ts")
    assert one_day(bench.series("pv", time="ts", by="k").resample("1d").to_arrow(), "ts")


JOINED = (
    "SELECT t.ts, sum(y.v) AS v FROM pv t WINDOW JOIN named y ON t.k = y.k "
    "RANGE BETWEEN INTERVAL '1' HOUR PRECEDING AND INTERVAL '0' SECOND FOLLOWING USING TIME (t.ts, y.ts)"
)


def test_joins_and_latest_rows_say_the_zone(bench: lb.Bench):
    for text in (
        "SELECT * FROM pv LATEST ON ts PARTITION BY k",
        "SELECT x.ts, y.v FROM pv x ASOF JOIN (SELECT * FROM q) y ON x.k = y.k AND x.ts >= y.ts",
        JOINED,
        "SELECT ts, ewma FROM EWMA(TABLE pv PARTITION BY k, DESCRIPTOR(ts), v, alpha => 0.5)",
    ):
        assert str(bench.kadeql(text).to_arrow().schema.field("ts").type) == f"timestamp[us, tz={NEW_YORK}]"


def test_six_hours_follow_the_clock_and_one_hour_does_not_mind(planned: lb.Bench):
    for size in ("6h", "1h"):
        text = f"SELECT ts, sum(v) AS v FROM {{}} SAMPLE BY {size}"
        stored, seen = (planned.kadeql(text.format(name)).to_arrow() for name in ("p", "pv"))
        assert seen.equals(stored)


MIXED = "(SELECT * FROM p UNION ALL SELECT * FROM berlin)"


def test_several_zones_follow_the_session_and_say_so(planned: lb.Bench):
    text = f"SELECT window_start, count(*) AS n FROM TUMBLE(TABLE {MIXED}, {DAY} GROUP BY 1"
    for _ in range(2):  # the second answer is one that was kept
        result = planned.kadeql(text)
        days = sorted(str(day) for day in result.to_arrow()["window_start"].to_pylist())
        assert days == ["2013-11-03 00:00:00+00:00", "2013-11-04 00:00:00+00:00"]
        (warning,) = result.run.warnings
        assert f"{NEW_YORK}, {BERLIN}" in warning
        assert "ZONE" in warning


def test_no_warning_where_the_zone_is_said_or_does_not_matter(bench: lb.Bench):
    for last, count in (("'1d', ZONE => 'America/New_York'", 1), ("'1h'", 3)):
        text = f"SELECT DISTINCT window_start FROM TUMBLE(TABLE {MIXED}, DESCRIPTOR(ts), {last})"
        found = bench.kadeql(text)
        assert len(found.to_arrow()) == count
        assert not found.run.warnings


def test_a_time_that_comes_from_no_column_is_the_sessions(bench: lb.Bench):
    given = "(SELECT k, TIMESTAMPTZ '2013-11-03 01:00:00+00' AS ts FROM p)"
    found = bench.kadeql(f"SELECT DISTINCT window_start FROM TUMBLE(TABLE {given}, {DAY}").to_arrow()
    assert found["window_start"].to_pylist()[0].isoformat() == "2013-11-03T00:00:00+00:00"


def test_what_a_statement_says_of_its_columns_is_what_it_gives(bench: lb.Bench):
    for text in (
        "SELECT * FROM pv",
        "SELECT * FROM named",
        "WITH c AS (FROM pv) SELECT ts FROM c",
        f"FROM {MIXED}",
    ):
        got = bench.kadeql(text).to_arrow()
        assert (
            bench._machinery.statements.schema(text, _ask()).field("ts").type == got.schema.field("ts").type
        )
        assert pc.min(got["ts"]).value == SUNDAY[0]


def _ask() -> Any:
    from luma_bench.bench.ask import Ask
    from luma_bench.types.identity import OWNER, Identity

    return Ask(identity=Identity("owner", (OWNER,)))


def test_where_the_text_does_not_show_it_the_one_zone_of_what_is_read_counts(bench: lb.Bench):
    given = "(SELECT k, unnest([ts]) AS ts, a.v FROM p a JOIN (PIVOT q ON k IN ('a', 'b') USING sum(v)) USING (ts))"
    assert one_day(bench.kadeql(f"SELECT window_start FROM TUMBLE(TABLE {given}, {DAY}").to_arrow())
