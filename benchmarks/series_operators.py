"""Gaps, sessions, counters, calendars and windows over hosts' readings: whole statements beside SQL's and Polars' ways."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from benchmarks.harness import SuiteResult, Target, measure
from benchmarks.series_peers import ARROW, LUMA, NATIVE, POLARS, Question, case, world
from benchmarks.suite import Request

_GRID = (
    "WITH a AS (SELECT hid, time_bucket(INTERVAL 1 minute, ts) AS ts, avg(usage_user) AS v FROM cpu GROUP BY ALL), "
    "g AS (SELECT hid, unnest(generate_series(r.low, r.high, INTERVAL 1 minute)) AS ts FROM (SELECT DISTINCT hid FROM a), "
    "(SELECT min(ts) AS low, max(ts) AS high FROM a) r) "
)
_ZONE = "America/New_York"


def _minutes(frames: dict[str, pl.LazyFrame]) -> pl.DataFrame:
    """Means by minute over the whole grid of hosts and minutes, gaps NULL."""
    means = (
        frames["cpu"]
        .group_by("hid", pl.col("ts").dt.truncate("1m"))
        .agg(pl.mean("usage_user").alias("v"))
        .collect()
    )
    every = means.select(pl.datetime_range(pl.min("ts"), pl.max("ts"), "1m").alias("ts"))
    grid = means.select("hid").unique().join(every, how="cross")
    return grid.join(means, on=["hid", "ts"], how="left").sort("hid", "ts")


def _sessions(frames: dict[str, pl.LazyFrame]) -> pl.DataFrame:
    number = (pl.col("ts").diff() > pl.duration(seconds=60)).cum_sum().fill_null(0).over("hid")
    return (
        frames["cpu"]
        .with_columns(number=number)
        .group_by("hid", "number")
        .agg(pl.min("ts").alias("s"), pl.len().alias("n"), pl.sum("usage_user").alias("x"))
        .drop("number")
        .collect()
    )


_RISE = "sum(CASE WHEN p IS NULL THEN 0 WHEN net_bytes < p THEN net_bytes ELSE net_bytes - p END)"
_LAGGED = "(SELECT hid, ts, net_bytes, lag(net_bytes) OVER (PARTITION BY hid, time_bucket(INTERVAL 5 minute, ts) ORDER BY ts) AS p FROM cpu)"


def _increase(frames: dict[str, pl.LazyFrame]) -> pl.DataFrame:
    step = pl.col("net_bytes").diff()
    return (
        frames["cpu"]
        .group_by("hid", pl.col("ts").dt.truncate("5m"))
        .agg(r=pl.when(step < 0).then(pl.col("net_bytes")).otherwise(step).sum())
        .collect()
    )


def _questions() -> tuple[Question, ...]:
    sampled = "SELECT ts, hid, avg(usage_user) AS v FROM cpu SAMPLE BY '1m'"
    carried = "last_value(v IGNORE NULLS) OVER (PARTITION BY hid ORDER BY ts)"
    joined = "FROM g LEFT JOIN a USING (hid, ts)"
    by_hour = "time_bucket(INTERVAL 1 hour, ts)"
    keys = ("ts", "hid")

    def truncated(every: str, *measures: pl.Expr) -> Callable[[dict[str, pl.LazyFrame]], pl.DataFrame]:
        return lambda frames: (
            frames["cpu"].group_by("hid", pl.col("ts").dt.truncate(every)).agg(*measures).collect()
        )

    def zoned(every: str) -> Callable[[dict[str, pl.LazyFrame]], pl.DataFrame]:
        local = pl.col("ts").dt.replace_time_zone("UTC").dt.convert_time_zone(_ZONE).dt.truncate(every)
        return lambda frames: (
            frames["cpu"]
            .group_by("hid", local.dt.convert_time_zone("UTC").dt.replace_time_zone(None))
            .agg(pl.sum("usage_user").alias("x"))
            .collect()
        )

    in_zone = "(SELECT * REPLACE (ts AT TIME ZONE 'UTC' AS ts) FROM cpu)"
    found = [
        Question(
            "SAMPLE BY 1h",
            "SELECT ts, hid, avg(usage_user) AS a, max(usage_user) AS m, count(*) AS n FROM cpu SAMPLE BY '1h'",
            f"SELECT {by_hour} AS ts, hid, avg(usage_user) AS a, max(usage_user) AS m, count(*) AS n FROM cpu GROUP BY ALL",
            truncated(
                "1h", pl.mean("usage_user").alias("a"), pl.max("usage_user").alias("m"), pl.len().alias("n")
            ),
            keys=keys,
        ),
        Question(
            "SAMPLE BY 1m",
            sampled,
            "SELECT time_bucket(INTERVAL 1 minute, ts) AS ts, hid, avg(usage_user) AS v FROM cpu GROUP BY ALL",
            truncated("1m", pl.mean("usage_user").alias("v")),
            keys=keys,
        ),
        Question(
            "FILL(NULL) 1m",
            f"{sampled} FILL(NULL)",
            f"{_GRID}SELECT g.ts, g.hid, a.v {joined}",
            _minutes,
            keys=keys,
            limit=1 / 2.5,
            against=(ARROW, NATIVE),
        ),
        Question(
            "FILL(PREV) 1m",
            f"{sampled} FILL(PREV)",
            f"{_GRID}SELECT ts, hid, {carried} AS v {joined}",
            lambda frames: _minutes(frames).with_columns(pl.col("v").forward_fill().over("hid")),
            keys=keys,
            limit=1 / 2.5,
            against=(ARROW, NATIVE),
        ),
        Question(
            "FILL(LINEAR) 1m",
            f"{sampled} FILL(LINEAR)",
            f"{_GRID}SELECT ts, hid, fill(v) OVER (PARTITION BY hid ORDER BY ts) AS v {joined}",
            lambda frames: _minutes(frames).with_columns(pl.col("v").interpolate().over("hid")),
            keys=keys,
            limit=1 / 2.5,
            against=(ARROW, NATIVE),
            compared=False,
        ),
        Question(
            "SESSION 60 s",
            "SELECT hid, window_start AS s, count(*) AS n, sum(usage_user) AS x "
            "FROM SESSION(TABLE cpu PARTITION BY hid, DESCRIPTOR(ts), INTERVAL 60 second) GROUP BY ALL",
            "SELECT hid, min(ts) AS s, count(*) AS n, sum(usage_user) AS x FROM (SELECT hid, ts, usage_user, sum(k) OVER (PARTITION BY hid "
            "ORDER BY ts ROWS UNBOUNDED PRECEDING) AS g FROM (SELECT hid, ts, usage_user, CASE WHEN ts - lag(ts) OVER (PARTITION BY hid "
            "ORDER BY ts) <= INTERVAL 60 second THEN 0 ELSE 1 END AS k FROM cpu)) GROUP BY hid, g",
            _sessions,
            keys=("hid", "s"),
            limit=1 / 20,
            against=(ARROW, NATIVE),
        ),
        Question(
            "increase of a counter, 5m",
            "SELECT ts, hid, increase(net_bytes, ts) AS r FROM cpu SAMPLE BY '5m'",
            f"SELECT time_bucket(INTERVAL 5 minute, ts) AS ts, hid, {_RISE} AS r FROM {_LAGGED} GROUP BY ALL",
            _increase,
            keys=keys,
            limit=1 / 8,
            against=(ARROW, NATIVE),
            compared=False,
        ),
        Question(
            "1h in a zone",
            f"SELECT ts, hid, sum(usage_user) AS x FROM cpu SAMPLE BY '1h' ZONE '{_ZONE}'",
            f"SELECT time_bucket(INTERVAL 1 hour, ts, '{_ZONE}') AS ts, hid, sum(usage_user) AS x FROM {in_zone} GROUP BY ALL",
            zoned("1h"),
            keys=keys,
            compared=False,
        ),
        Question(
            "1d in a zone",
            f"SELECT ts, hid, sum(usage_user) AS x FROM cpu SAMPLE BY '1d' ZONE '{_ZONE}'",
            f"SELECT time_bucket(INTERVAL 1 day, ts, '{_ZONE}') AS ts, hid, sum(usage_user) AS x FROM {in_zone} GROUP BY ALL",
            zoned("1d"),
            keys=keys,
            limit=1 / 10,
            against=(ARROW, NATIVE),
            compared=False,
        ),
        Question(
            "HOP 5m by 1m",
            "SELECT window_start AS ts, hid, avg(usage_user) AS v "
            "FROM HOP(TABLE cpu, DESCRIPTOR(ts), INTERVAL 1 minute, INTERVAL 5 minute) GROUP BY ALL",
            "SELECT hid, b - o * INTERVAL 1 minute AS ts, sum(s) / sum(c) AS v FROM (SELECT hid, time_bucket(INTERVAL 1 minute, ts) AS b, "
            "sum(usage_user) AS s, count(usage_user) AS c FROM cpu GROUP BY ALL), range(5) r(o) GROUP BY ALL",
            keys=keys,
        ),
        Question(
            "CUMULATE 1h to 1d",
            "SELECT window_end AS ts, hid, sum(usage_user) AS v "
            "FROM CUMULATE(TABLE cpu, DESCRIPTOR(ts), INTERVAL 1 hour, INTERVAL 1 day) GROUP BY ALL",
            "WITH p AS (SELECT hid, date_trunc('day', ts) AS d, date_diff('hour', date_trunc('day', ts), ts) AS k, sum(usage_user) AS s "
            "FROM cpu GROUP BY ALL) SELECT hid, d + (o + 1) * INTERVAL 1 hour AS ts, sum(s) AS v FROM p, range(24) r(o) WHERE o >= k GROUP BY ALL",
            keys=keys,
        ),
        Question(
            "EWMA by host",
            "SELECT hid, ts, ewma FROM EWMA(TABLE cpu PARTITION BY hid, DESCRIPTOR(ts), usage_user, alpha => 0.1)",
            None,
            lambda frames: (
                frames["cpu"]
                .select(
                    "hid",
                    "ts",
                    pl.col("usage_user").ewm_mean(alpha=0.1, adjust=False).over("hid").alias("ewma"),
                )
                .collect()
            ),
            compared=False,
        ),
        Question(
            "downsampled to 2,000 points a host",
            "SELECT * FROM DOWNSAMPLE(TABLE cpu PARTITION BY hid, DESCRIPTOR(ts), usage_user, points => 2000)",
            "SELECT hid, b, min(usage_user) AS low, max(usage_user) AS high FROM (SELECT hid, ts, usage_user, "
            "time_bucket(INTERVAL 173 second, ts) AS b FROM cpu) GROUP BY ALL",
            compared=False,
        ),
    ]
    return tuple(found)


def run(request: Request) -> SuiteResult:
    """Medians of each operator, ours beside DuckDB over Arrow and over its own tables, and Polars."""
    questions = _questions()
    with world(request, ("cpu",)) as held:
        rows = held.tables["cpu"].num_rows
        timings = measure(
            [case(question, held) for question in questions],
            rounds=request.rounds,
            on_case=lambda done, _: request.out.print(done.name, end=" "),
        )
    request.out.print()
    title = f"Series operators over {rows:,} readings of hosts, whole statements, {request.threads} threads"
    result = SuiteResult("series-operators", title, LUMA, ARROW, timings)
    return SuiteResult(result.name, title, LUMA, ARROW, timings, promises(result, questions), (_NOTE,))


_NOTE = "Every statement runs whole, text to Arrow. DuckDB's are the quickest ways that we know to say it in SQL; EWMA has none."


def promises(result: SuiteResult, questions: tuple[Question, ...]) -> tuple[Target, ...]:
    """What the questions promise: shares of the fastest peer that each is held against."""
    found: list[Target] = []
    for question in questions:
        mine = result.timing(question.name, LUMA)
        peers = [
            timing.median
            for name in question.against or (ARROW, NATIVE, POLARS)
            if (timing := result.timing(question.name, name)) is not None
        ]
        if question.limit is not None and mine is not None and peers:
            found.append(Target(question.name, mine.median / min(peers), question.limit, "x"))
    return tuple(found)
