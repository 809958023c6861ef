"""The query types of TSBS's devops set over hosts' readings, whole statements from text to Arrow."""

from __future__ import annotations

import datetime as dt
import statistics

import polars as pl

from benchmarks.harness import SuiteResult, Target, measure
from benchmarks.series_peers import ARROW, LUMA, NATIVE, Question, case, world
from benchmarks.suite import Request

_FROM, _HOUR, _EIGHT, _TWELVE = (dt.datetime(2026, 1, 1, hour) for hour in (2, 3, 10, 14))
_HOSTS = tuple(range(8, 16))
_COLUMNS = ("usage_user", "usage_system", "usage_idle")


def _between(until: dt.datetime) -> str:
    return f"ts >= TIMESTAMP '{_FROM}' AND ts < TIMESTAMP '{until}'"


def _within(until: dt.datetime) -> pl.Expr:
    return (pl.col("ts") >= _FROM) & (pl.col("ts") < until)


def _bucketed(
    frames: dict[str, pl.LazyFrame],
    where: pl.Expr | None,
    every: str,
    keys: tuple[str, ...],
    *measures: pl.Expr,
) -> pl.DataFrame:
    frame = frames["cpu"] if where is None else frames["cpu"].filter(where)
    return frame.group_by(pl.col("ts").dt.truncate(every), *keys).agg(*measures).sort("ts").collect()


def _sampled(items: str, where: str, every: str, keys: str = "") -> str:
    return f"SELECT ts, {keys}{items} FROM cpu{f' WHERE {where}' if where else ''} SAMPLE BY '{every}'"


def _grouped(items: str, where: str, every: str, keys: str = "", order: str = " ORDER BY 1") -> str:
    condition = f" WHERE {where}" if where else ""
    return f"SELECT time_bucket(INTERVAL '{every}', ts) AS ts, {keys}{items} FROM cpu{condition} GROUP BY ALL{order}"


def _clickhouse(text: str) -> str:
    for unit, function in (("1 minute", "toStartOfMinute"), ("1 hour", "toStartOfHour")):
        text = text.replace(
            f"time_bucket(INTERVAL '{unit}', ts) AS ts", f"toDateTime64({function}(ts), 6, 'UTC') AS bucket"
        )
    text = text.replace("TIMESTAMP '", "toDateTime64('").replace(":00:00'", ":00:00', 6, 'UTC')")
    text = text.replace("GROUP BY ALL ORDER BY 1", "GROUP BY ALL ORDER BY bucket").replace(
        "FROM cpu", "FROM b.cpu"
    )
    return f"SELECT bucket AS ts, * EXCEPT bucket FROM ({text})"


def _questions() -> tuple[Question, ...]:
    hosts = f"hid IN ({', '.join(map(str, _HOSTS))})"
    every = ", ".join(f"max({name}) AS {name}" for name in _COLUMNS)
    means = ", ".join(f"avg({name}) AS {name}" for name in _COLUMNS)
    found: list[Question] = []

    def add(
        name: str,
        items: str,
        where: str,
        length: str,
        when: pl.Expr | None,
        measures: list[pl.Expr],
        keys: str = "",
    ) -> None:
        short = {"1 minute": "1m", "1 hour": "1h"}[length]
        plain = tuple(filter(None, keys.replace(" ", "").split(",")))
        sql = _grouped(items, where, length, keys)
        found.append(
            Question(
                name,
                _sampled(items, where, short, keys),
                sql,
                lambda frames: _bucketed(frames, when, short, plain, *measures),
                _clickhouse(sql),
                keys=("ts", *plain),
            )
        )

    one = pl.col("hid") == 7
    many = pl.col("hid").is_in(list(_HOSTS))
    highest = [pl.max("usage_user").alias("m")]
    add(
        "single-groupby-1-1-1",
        "max(usage_user) AS m",
        f"hid = 7 AND {_between(_HOUR)}",
        "1 minute",
        one & _within(_HOUR),
        highest,
    )
    add(
        "single-groupby-1-8-1",
        "max(usage_user) AS m",
        f"{hosts} AND {_between(_HOUR)}",
        "1 minute",
        many & _within(_HOUR),
        highest,
    )
    add(
        "single-groupby-3-1-12",
        every,
        f"hid = 7 AND {_between(_TWELVE)}",
        "1 minute",
        one & _within(_TWELVE),
        [pl.max(*_COLUMNS)],
    )
    add(
        "single-groupby-3-8-1",
        every,
        f"{hosts} AND {_between(_HOUR)}",
        "1 minute",
        many & _within(_HOUR),
        [pl.max(*_COLUMNS)],
    )
    add(
        "cpu-max-all-1",
        every,
        f"hid = 7 AND {_between(_EIGHT)}",
        "1 hour",
        one & _within(_EIGHT),
        [pl.max(*_COLUMNS)],
    )
    add(
        "cpu-max-all-8",
        every,
        f"{hosts} AND {_between(_EIGHT)}",
        "1 hour",
        many & _within(_EIGHT),
        [pl.max(*_COLUMNS)],
    )
    add(
        "double-groupby-1",
        "avg(usage_user) AS m",
        _between(_TWELVE),
        "1 hour",
        _within(_TWELVE),
        [pl.mean("usage_user").alias("m")],
        "hid, ",
    )
    add("double-groupby-all", means, "", "1 hour", None, [pl.mean(*_COLUMNS)], "hid, ")
    busy = f"usage_user > 79 AND {_between(_EIGHT)}"
    for name, where, when in (
        ("high-cpu-all", busy, pl.lit(True)),
        ("high-cpu-1", f"hid = 7 AND {busy}", one),
    ):
        text = f"SELECT * FROM cpu WHERE {where}"
        found.append(
            Question(
                name,
                text,
                text,
                lambda frames, when=when: (
                    frames["cpu"].filter(when & (pl.col("usage_user") > 79) & _within(_EIGHT)).collect()
                ),
                text.replace("TIMESTAMP '", "toDateTime64('")
                .replace(":00:00'", ":00:00', 6, 'UTC')")
                .replace("FROM cpu", "FROM b.cpu"),
                keys=("hid", "ts"),
            )
        )
    found.append(
        Question(
            "lastpoint",
            "SELECT hid, ts, usage_user, usage_system FROM cpu LATEST ON ts PARTITION BY hid",
            "SELECT hid, max(ts) AS ts, arg_max(usage_user, ts) AS usage_user, arg_max(usage_system, ts) AS usage_system FROM cpu GROUP BY hid",
            lambda frames: (
                frames["cpu"]
                .group_by("hid")
                .agg(pl.col("ts", "usage_user", "usage_system").sort_by("ts").last())
                .collect()
            ),
            "SELECT hid, a AS ts, b AS usage_user, c AS usage_system FROM (SELECT hid, max(ts) AS a, argMax(usage_user, ts) AS b, "
            "argMax(usage_system, ts) AS c FROM b.cpu GROUP BY hid)",
            keys=("hid",),
            limit=1 / 20,
            against=(ARROW, NATIVE),
        )
    )
    until = f"ts < TIMESTAMP '{_EIGHT}'"
    sql = f"SELECT time_bucket(INTERVAL '1 minute', ts) AS ts, max(usage_user) AS m FROM cpu WHERE {until} GROUP BY 1 ORDER BY 1 DESC LIMIT 5"
    found.append(
        Question(
            "groupby-orderby-limit",
            f"SELECT ts, max(usage_user) AS m FROM cpu WHERE {until} SAMPLE BY '1m' ORDER BY 1 DESC LIMIT 5",
            sql,
            lambda frames: (
                frames["cpu"]
                .filter(pl.col("ts") < _EIGHT)
                .group_by(pl.col("ts").dt.truncate("1m"))
                .agg(*highest)
                .sort("ts", descending=True)
                .head(5)
                .collect()
            ),
            _clickhouse(sql.replace("GROUP BY 1 ORDER BY 1 DESC", "GROUP BY ALL ORDER BY bucket DESC")),
            keys=("ts",),
        )
    )
    return tuple(found)


def run(request: Request) -> SuiteResult:
    """Medians of each query type, ours beside DuckDB over Arrow and over its own tables, Polars and chdb."""
    questions = _questions()
    with world(request, ("cpu",), clickhouse=True) as held:
        rows = held.tables["cpu"].num_rows
        timings = measure(
            [case(question, held) for question in questions],
            rounds=request.rounds,
            on_case=lambda done, _: request.out.print(done.name, end=" "),
        )
    request.out.print()
    result = SuiteResult(
        "series-tsbs",
        f"TSBS devops query types over {rows:,} readings of {held.tables['cpu']['hid'].value_counts().__len__():,} hosts, whole statements, {request.threads} threads",
        LUMA,
        NATIVE,
        timings,
    )
    return SuiteResult(result.name, result.title, LUMA, NATIVE, timings, tuple(_targets(result)), _NOTES)


_NOTES = (
    "Every statement runs whole, text to Arrow, on a warm process without cached results.",
    "DuckDB stands twice: over the same Arrow table, and over its own sorted table in memory.",
)


def _targets(result: SuiteResult) -> list[Target]:
    shares = []
    for name in result.cases:
        mine = result.timing(name, LUMA)
        peers = [
            timing
            for peer in result.contenders
            if peer in (ARROW, NATIVE, "polars") and (timing := result.timing(name, peer))
        ]
        if mine is not None and peers:
            shares.append(mine.median / min(timing.median for timing in peers))
    found = [Target("median share of the best of DuckDB and Polars", statistics.median(shares), 0.7, "x")]
    hour, last = result.timing("single-groupby-1-1-1", LUMA), result.timing("lastpoint", LUMA)
    if hour is not None:
        found.append(Target("one host's hour", hour.median * 1e3, 5.0, "ms"))
    theirs = [timing.median for peer in (ARROW, NATIVE) if (timing := result.timing("lastpoint", peer))]
    if last is not None and theirs:
        found.append(Target("LATEST ON, times DuckDB", min(theirs) / last.median, 20, "x", at_least=True))
    return found
