"""TUMBLE, HOP, CUMULATE and SESSION as rows: against windows found by looking at each row."""

from __future__ import annotations

import datetime as dt
import itertools
import random
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from series_inputs import KEY_TYPES, asked_of, constant, fill, input_of, open_bench, table_of, windows

from luma_bench.bench.series.asked import Asked, Kept
from luma_bench.bench.series.windows import WindowScan
from luma_bench.errors import KadeQLBindError, ResourceError
from luma_bench.models.control import Control
from luma_bench.plan.engine import Inputs, SqlFragment

SMALL = {"inline_bytes": 500, "shard_rows": 64, "chunk_rows": 16, "key_chunk_rows": 8}
EPOCH = dt.datetime(1970, 1, 1)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory):
    rng = random.Random(8)
    with open_bench(tmp_path_factory.mktemp("windows") / "b", **SMALL) as bench:
        kinds = [KEY_TYPES[0], KEY_TYPES[6]]
        tables = [
            table_of(rng, 130, first, kinds, ordered=not first, nulls=0.1, unit="s") for first in (0, 130)
        ]
        table = fill(bench, "t", tables)
        bench.kadeql("CREATE VIEW v AS SELECT * FROM t")
        yield bench, table, Kept()


def relation(
    asked: Asked, item: str, kind: Any, *sizes: str, where: str | None = None, **more: Any
) -> WindowScan:
    return WindowScan(windows(asked, input_of(asked, item, where), kind, *sizes, **more), "the text", asked)


def run(asked: Asked, made: WindowScan, sql: str = "SELECT * FROM w") -> list[dict[str, Any]]:
    engine = next(one for one in asked.binder.engines.values() if not one.looks_up)
    return engine.run(SqlFragment(sql), Inputs({"w": made})).to_pylist()


def ticks(moment: dt.datetime) -> int:
    return int((moment - EPOCH).total_seconds())


def tumbled(second: int, size: int, offset: int = 0) -> list[tuple[int, int]]:
    start = (second - offset) // size * size + offset
    return [(start, start + size)]


def hopped(second: int, slide: int, size: int) -> list[tuple[int, int]]:
    found = [
        (start, start + size) for start in range((second - size) // slide * slide, second + slide, slide)
    ]
    return [(start, end) for start, end in found if start <= second < end]


def cumulated(second: int, step: int, size: int) -> list[tuple[int, int]]:
    start = second // size * size
    return [(start, end) for end in range(start + step, start + size + 1, step) if second < end]


KINDS = {
    "tumble": (("'30s'",), lambda second: tumbled(second, 30)),
    "tumble by days": (("INTERVAL 1 DAY",), lambda second: tumbled(second, 86_400)),
    "hop": (("INTERVAL '10' SECOND", "'25s'"), lambda second: hopped(second, 10, 25)),
    "cumulate": (("'20s'", "'1m'"), lambda second: cumulated(second, 20, 60)),
    "hop with holes": (("'1m'", "'10s'"), lambda second: hopped(second, 60, 10)),
}


def wanted_rows(table: pa.Table, of: Any, keep: Any = lambda row: True) -> list[dict[str, Any]]:
    rows = []
    for row in table.to_pylist():
        if row["ts"] is None or not keep(row):
            continue
        for start, end in of(ticks(row["ts"])):
            held = (EPOCH + dt.timedelta(seconds=second) for second in (start, end, end - 1))
            rows.append(
                {**row, **dict(zip(("window_start", "window_end", "window_time"), held, strict=True))}
            )
    return rows


def same(found: list[dict[str, Any]], wanted: list[dict[str, Any]]) -> bool:
    return sorted(map(repr, found)) == sorted(map(repr, wanted))


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("item", ["t", "v"])
def test_each_row_stands_once_a_window(world, name: str, item: str) -> None:
    bench, table, kept = world
    sizes, of = KINDS[name]
    asked = asked_of(bench, kept)
    made = relation(asked, item, name.split()[0], *sizes)
    assert same(run(asked, made), wanted_rows(table, of))
    nulls = table["ts"].null_count
    assert made.warnings() == (f"{nulls} rows have no ts and are in no window.",)
    assert made.schema.field("window_end").type == pa.timestamp("s")
    assert run(asked, made, "SELECT count(*) AS c FROM w") == [{"c": len(wanted_rows(table, of))}]
    filtered = relation(asked, item, name.split()[0], *sizes, where="k0 = 'a' AND n > 40")
    kept_rows = wanted_rows(table, of, lambda row: row["k0"] == "a" and row["n"] > 40)
    assert same(run(asked, filtered), kept_rows)


CONDITIONS = {
    "k0 = 'a' AND ts >= TIMESTAMP '1970-01-01 00:01:00'": lambda row: (
        row["k0"] == "a" and ticks(row["ts"]) >= 60
    ),
    "window_start >= TIMESTAMP_S '1970-01-01 00:01:05'": lambda row: ticks(row["window_start"]) >= 65,
    "window_start = TIMESTAMP_S '1970-01-01 00:01:00'": lambda row: ticks(row["window_start"]) == 60,
    "window_end <= TIMESTAMP_S '1970-01-01 00:01:00'": lambda row: ticks(row["window_end"]) <= 60,
    "window_end > TIMESTAMP_S '1970-01-01 00:01:00'": lambda row: ticks(row["window_end"]) > 60,
    "window_start < TIMESTAMP_S '1970-01-01 00:01:00' AND window_time >= TIMESTAMP_S '1970-01-01 00:00:09'": (
        lambda row: ticks(row["window_start"]) < 60 and ticks(row["window_time"]) >= 9
    ),
    "window_start IN (TIMESTAMP_S '1970-01-01', TIMESTAMP_S '1970-01-01 00:01:00')": (
        lambda row: ticks(row["window_start"]) in (0, 60)
    ),
    "window_start <> TIMESTAMP_S '1970-01-01' OR x > 0": (
        lambda row: ticks(row["window_start"]) != 0 or (row["x"] is not None and not row["x"] <= 0)
    ),
}


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("where", CONDITIONS)
def test_conditions_around_hold_exactly(world, name: str, where: str) -> None:
    bench, table, kept = world
    sizes, of = KINDS[name]
    asked = asked_of(bench, kept)
    made = relation(asked, "t", name.split()[0], *sizes)
    found = run(asked, made, f"SELECT * FROM w WHERE {where}")
    assert same(found, [row for row in wanted_rows(table, of) if CONDITIONS[where](row)])


def sessioned(table: pa.Table, keys: tuple[str, ...], gap: int) -> list[dict[str, Any]]:
    rows = [row for row in table.to_pylist() if row["ts"] is not None]
    series: dict[Any, list[dict[str, Any]]] = {}
    for row in sorted(rows, key=lambda row: row["ts"]):
        series.setdefault(tuple(row[key] for key in keys), []).append(row)
    found = []
    for held in series.values():
        session: list[dict[str, Any]] = []
        for row in [*held, None]:
            if session and (row is None or ticks(row["ts"]) - ticks(session[-1]["ts"]) > gap):
                end = session[-1]["ts"] + dt.timedelta(seconds=gap)
                time = end - dt.timedelta(seconds=1)
                spans = {"window_start": session[0]["ts"], "window_end": end, "window_time": time}
                found += [{**one, **spans} for one in session]
                session = []
            if row is not None:
                session.append(row)
    return found


@pytest.mark.parametrize("item", ["t", "v", "mine"])
@pytest.mark.parametrize("keys", [(), ("k0",), ("k1", "k0")])
@pytest.mark.parametrize("gap", [0, 1, 3, 500])
def test_sessions(world, item: str, keys: tuple[str, ...], gap: int) -> None:
    bench, table, kept = world
    asked = asked_of(bench, kept, tables={"mine": table} if item == "mine" else {})
    made = relation(asked, item, "session", f"'{gap}s'", keys=keys)
    wanted = sessioned(table, keys, gap)
    assert same(run(asked, made), wanted)
    if "k0" in keys:
        found = run(asked, made, "SELECT * FROM w WHERE k0 = 'a' AND window_end > TIMESTAMP_S '1970-01-01'")
        assert same(found, [row for row in wanted if row["k0"] == "a" and row["window_end"] > EPOCH])
    first = run(asked, made, "SELECT * FROM w WHERE x > 0")
    assert same(first, [row for row in wanted if row["x"] is not None and not row["x"] <= 0])


def test_sessions_of_random_rows(tmp_path: Path) -> None:
    rng = random.Random(2)
    with open_bench(tmp_path / "b", **SMALL) as bench:
        for number in range(12):
            name = f"t{number}"
            parts = [
                table_of(rng, rng.choice([0, 3, 60]), first, [KEY_TYPES[6]], ordered=rng.random() < 0.5,
                         nulls=rng.choice([0, 0.1]), unit="s")
                for first in (0, 100, 200)
            ]  # fmt: skip
            table = fill(bench, name, parts)
            gap = rng.choice([0, 2, 5, 20])
            asked = asked_of(bench)
            made = relation(asked, name, "session", f"'{gap}s'", keys=("k0",))
            assert same(run(asked, made), sessioned(table, ("k0",), gap))


@pytest.mark.parametrize(
    ("size", "offset"), [("1h", None), ("1d", None), ("6h", None), ("1h", "15m"), ("1d", "6h"), ("1mo", None)]
)
def test_zones(tmp_path: Path, size: str, offset: str | None) -> None:
    zone = ZoneInfo("Europe/Berlin")
    first = dt.datetime(2024, 10, 26, 20, tzinfo=dt.UTC)
    stamps = [first + dt.timedelta(minutes=17 * place) for place in range(200)]
    with open_bench(tmp_path / "b") as bench:
        bench.write("t", pa.table({"ts": pa.array(stamps, pa.timestamp("us", "Europe/Berlin"))}))
        asked = asked_of(bench)
        more = {} if offset is None else {"offset": constant(asked, f"'{offset}'")}
        made = relation(asked, "t", "tumble", f"'{size}'", **more)
        assert made.schema.field("window_start").type == pa.timestamp("us", "Europe/Berlin")
        rows = run(asked, made)
    assert len(rows) == len(stamps)
    moved = (
        dt.timedelta()
        if offset is None
        else dt.timedelta(hours=6)
        if offset == "6h"
        else dt.timedelta(minutes=15)
    )
    for row in rows:
        at = row["ts"].astimezone(zone)
        wall = (at - moved).replace(tzinfo=None) if size != "1h" else None
        if size == "1h":
            seconds = int(at.timestamp() - moved.total_seconds()) // 3600 * 3600 + int(moved.total_seconds())
            wanted = dt.datetime.fromtimestamp(seconds, zone)
        elif size == "1mo":
            wanted = at.replace(day=1, hour=0, minute=0, second=0, fold=0)
        else:
            local = at.replace(tzinfo=None) - moved
            hours = local.hour // 6 * 6 if size == "6h" else 0
            wanted = (local.replace(hour=hours, minute=0, second=0) + moved).replace(tzinfo=zone)
        assert row["window_start"].timestamp() == wanted.timestamp(), (at, wall)
        assert row["window_start"].timestamp() <= at.timestamp() < row["window_end"].timestamp()
        last, end = (row[name].astimezone(dt.UTC) for name in ("window_time", "window_end"))
        assert end - last == dt.timedelta(microseconds=1)
    starts = sorted({row["window_start"].timestamp() for row in rows})
    if size == "1h":
        assert starts == [starts[0] + 3600 * place for place in range(len(starts))]
    if size == "1d":
        assert 90_000.0 in [after - before for before, after in itertools.pairwise(starts)]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_units_and_negative_times(tmp_path: Path, unit: str) -> None:
    counts = [-3_700, -3_600, -1, 0, 1, 3_599, 3_600]
    per = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}[unit]
    with open_bench(tmp_path / "b") as bench:
        stamps = pa.array([count * per for count in counts], pa.int64()).cast(pa.timestamp(unit))
        bench.write("t", pa.table({"ts": stamps}))
        asked = asked_of(bench)
        made = relation(asked, "t", "tumble", "'1h'")
        engine = next(one for one in asked.binder.engines.values() if not one.looks_up)
        table = engine.run(SqlFragment("SELECT * FROM w"), Inputs({"w": made}))
    assert table.schema.field("window_start").type == pa.timestamp(unit)
    starts = table["window_start"].cast(pa.int64()).to_pylist()
    assert starts == [count // 3_600 * 3_600 * per for count in counts]
    assert table["window_time"].cast(pa.int64()).to_pylist() == [start + 3_600 * per - 1 for start in starts]


def test_dates(tmp_path: Path) -> None:
    days = [dt.date(1969, 12, 31), dt.date(1970, 1, 1), None, dt.date(2024, 2, 29), dt.date(2024, 3, 1)]
    with open_bench(tmp_path / "b") as bench:
        bench.write("t", pa.table({"day": pa.array(days, pa.date32())}))
        asked = asked_of(bench)
        weeks = run(
            asked, relation(asked, "t", "tumble", "'1w'", time=None), "SELECT day, window_start AS s FROM w"
        )
        assert weeks == [
            {"day": day, "s": day - dt.timedelta(days=day.weekday())} for day in days if day is not None
        ]
        months = run(asked, relation(asked, "t", "tumble", "'1mo'", time="day"))
        assert [row["window_end"] for row in months[-2:]] == [dt.date(2024, 3, 1), dt.date(2024, 4, 1)]
        hours = run(asked, relation(asked, "t", "hop", "'6h'", "'12h'", time="day"))
        assert [(row["day"], row["window_start"]) for row in hours[:2]] == [
            (days[0], dt.datetime(1969, 12, 30, 18)),
            (days[0], dt.datetime(1969, 12, 31, 0)),
        ]
        gaps = run(
            asked,
            relation(asked, "t", "session", "'1d'", time="day"),
            "SELECT window_start, window_end FROM w",
        )
        assert gaps[-1] == {"window_start": dt.date(2024, 2, 29), "window_end": dt.date(2024, 3, 2)}


def test_alignment(world) -> None:
    bench, table, kept = world
    asked = asked_of(bench, kept)
    first = min(ticks(row["ts"]) for row in table.to_pylist() if row["ts"] is not None)
    made = relation(asked, "t", "tumble", "'7s'", align="first observation")
    assert same(run(asked, made), wanted_rows(table, lambda second: tumbled(second, 7, first)))
    moment = constant(asked, "TIMESTAMP '1970-01-01 00:00:03'")
    made = relation(asked, "t", "tumble", "'7s'", align=moment)
    assert same(run(asked, made), wanted_rows(table, lambda second: tumbled(second, 7, 3)))


def test_what_is_wrong_is_said(world, tmp_path: Path) -> None:
    bench, table, kept = world
    asked = asked_of(
        bench, kept, tables={"mine": table.rename_columns(["window_start", *table.column_names[1:]])}
    )
    with pytest.raises(KadeQLBindError, match="'window_start' already"):
        relation(asked, "mine", "tumble", "'1h'")
    with pytest.raises(KadeQLBindError, match="must have a length"):
        relation(asked, "t", "tumble", "'0s'")
    with pytest.raises(KadeQLBindError, match="finer"):
        relation(asked, "t", "tumble", "'10ms'")
    with pytest.raises(KadeQLBindError, match="Mars/Olympus"):
        relation(asked, "t", "tumble", "'1h'", zone=constant(asked, "'Mars/Olympus'"))
    with pytest.raises(KadeQLBindError, match="a fixed length of time"):
        relation(asked, "t", "session", "'1mo'")
    with pytest.raises(KadeQLBindError):
        relation(asked, "t", "cumulate", "'40s'", "'1m'")
    with open_bench(tmp_path / "b") as other:
        stamps = pa.array([2**63 - 5], pa.int64()).cast(pa.timestamp("us"))
        other.write("t", pa.table({"ts": stamps}))
        held = asked_of(other)
        with pytest.raises(ResourceError, match="behind the last moment"):
            run(held, relation(held, "t", "session", "'1h'"), "SELECT count(*), max(window_end) FROM w")


def test_sorted_rows_are_streamed_without_a_copy(tmp_path: Path) -> None:
    table = pa.table(
        {"ts": pa.array(range(1_000), pa.timestamp("us")), "x": pa.array([float(i) for i in range(1_000)])}
    )
    with open_bench(tmp_path / "b", inline_bytes=0) as bench:
        bench.write("t", table, time_column="ts")
        asked = asked_of(bench)
        made = relation(asked, "t", "tumble", "'1ms'")
        x = made.schema.names.index("x")
        addresses = [
            next(iter(made.stream([x], (), asked.counters))).column(0).buffers()[1].address for _ in range(2)
        ]
        assert addresses[0] == addresses[1]
        reader = made.stream([0, x], (), asked.counters)
        assert reader.read_all().column(0).to_pylist() == list(range(1_000))


def test_sessions_that_do_not_fit_say_so(world) -> None:
    bench, _, kept = world
    asked = asked_of(bench, kept)
    for item, memory in (("v", 3_000), ("t", 200)):
        made = relation(asked, item, "session", "'1s'", keys=("k0",))
        names = made.schema.names
        found, _ = made._batches(names, (), asked.counters, Control(memory=memory, model="series"))
        with pytest.raises(ResourceError, match="SESSION over rows that have to be kept"):
            list(found)


@pytest.mark.parametrize("rows", [0, 3])
def test_rows_without_any_time(tmp_path: Path, rows: int) -> None:
    table = pa.table(
        {"ts": pa.array([None] * rows, pa.timestamp("s")), "k": pa.array(["a"] * rows, pa.string())}
    )
    with open_bench(tmp_path / "b") as bench:
        bench.write("t", table)
        for kind, sizes in (("tumble", ["'1h'"]), ("hop", ["'1h'", "'2h'"]), ("session", ["'1h'"])):
            for item in ("t", "(FROM t)"):
                asked = asked_of(bench)
                assert run(asked, relation(asked, item, kind, *sizes, keys=("k",))) == []
        asked = asked_of(bench)
        assert run(asked, relation(asked, "t", "tumble", "'1h'", align="first observation")) == []
