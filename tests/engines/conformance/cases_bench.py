"""What a bench adds to SQL: look-ups by key, parameters, views, policies, the past, graphs and time series. Python answers."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from decimal import Decimal
from typing import Any

import pyarrow as pa
from conformance_cases import SUMS, Answer, Question, Questions
from conformance_worlds import rows_of, tables

BOOL, TEXT, I32, I64, F64, US = (
    pa.bool_(),
    pa.string(),
    pa.int32(),
    pa.int64(),
    pa.float64(),
    pa.timestamp("us"),
)
HUGE = pa.decimal128(38, 0)
FACTS = rows_of("facts")
ALL = {field.name: field.type for field in tables()["facts"].schema}
MINUTE = dt.timedelta(minutes=1)


def looked_up(name: str, text: str, key: object, columns: str = "id g x") -> Question:
    """The row of `keyed` with a key, given as a parameter."""
    names = columns.split()
    rows = [tuple(row[item] for item in names) for row in FACTS if row["id"] == key]
    return Question(name, text, Answer({item: ALL[item] for item in names}, rows), params={"k": key})


def _pair(key: int, group: str) -> Answer:
    rows = [(row["w"],) for row in rows_of("dims")[:5] if (row["id"], row["g"]) == (key, group)]
    return Answer({"w": I32}, rows)


LOOKUPS = Questions(
    "look-ups by the primary key",
    [
        looked_up("columns of a row", "SELECT id, g, x FROM keyed WHERE id = $k", 17),
        looked_up("a row of another segment", "SELECT id, g, x FROM keyed WHERE id = $k", 99),
        looked_up("a key that is not there", "SELECT id, g, x FROM keyed WHERE id = $k", 1000),
        looked_up("a key beyond every key", "SELECT id, g, x FROM keyed WHERE id = $k", 2**63 - 1),
        looked_up("every column", "SELECT * FROM keyed WHERE id = $k", 5, " ".join(ALL)),
        looked_up("a row of NULLs", "SELECT * FROM keyed WHERE id = $k", 0, " ".join(ALL)),
        looked_up("the key turned round", "SELECT id, g, x FROM keyed WHERE $k = id", 8),
        looked_up("with a limit", "SELECT id, g, x FROM keyed WHERE id = $k LIMIT 1", 8),
        Question("a literal", "SELECT id, s FROM keyed WHERE id = 42", Answer({"id": I64, "s": TEXT}, [(42, FACTS[42]["s"])])),
        Question("a name for a column", "SELECT g AS named FROM keyed t WHERE t.id = 9", Answer({"named": TEXT}, [(FACTS[9]["g"],)])),
        Question("two columns of a key", "SELECT w FROM paired WHERE id = 1 AND g = 'a'", _pair(1, "a")),
        Question("two columns, the other way", "SELECT w FROM paired WHERE g = $g AND id = $i", _pair(3, "é"), params={"g": "é", "i": 3}),
        Question("half a key", "SELECT w FROM paired WHERE id = 1", Answer({"w": I32}, [(20,)])),
        Question("a key and a condition", "SELECT id FROM keyed WHERE id = 42 AND g = 'none'", Answer({"id": I64}, [])),
        Question("an expression of a row", "SELECT id + 1 AS n FROM keyed WHERE id = 42", Answer({"n": I64}, [(43,)])),
        Question("several keys", "SELECT id, g FROM keyed WHERE id IN (3, 7, 500)", Answer({"id": I64, "g": TEXT}, [(i, FACTS[i]["g"]) for i in (3, 7)])),
        Question("a range of keys", "SELECT count(*) AS n FROM keyed WHERE id BETWEEN 50 AND 69", Answer({"n": I64}, [(20,)])),
    ],
)  # fmt: skip


def _chosen(condition: Any, *columns: str) -> Answer:
    rows = [tuple(row[name] for name in columns) for row in FACTS if condition(row)]
    return Answer({name: ALL[name] for name in columns}, rows)


def _tops() -> Answer:
    groups: dict[str | None, list[float]] = defaultdict(list)
    for row in FACTS:
        if row["x"] is not None and row["x"] > 0:
            groups[row["g"]].append(row["x"])
    return Answer(
        {"g": TEXT, "n": I64, "top": F64}, [(g, len(items), max(items)) for g, items in groups.items()]
    )


def _past() -> tuple[Answer, Answer]:
    """The numbers of rows by key, before and after changes."""
    before: dict[int | None, int] = defaultdict(int)
    after: dict[int | None, int] = defaultdict(int)
    for row in FACTS:
        before[row["k"]] += 1
        if row["k"] != 1:
            after[-1 if row["g"] == "b" else row["k"]] += 1
    made = [Answer({"k": I32, "n": I64}, list(counts.items())) for counts in (before, after)]
    return made[0], made[1]


BEFORE, AFTER = _past()
_SEEN = [row for row in FACTS if row["g"] == "a"]
BENCH = Questions(
    "parameters, views, policies, the past",
    [
        Question("a number as a parameter", "SELECT id FROM facts WHERE k > $k", _chosen(lambda row: row["k"] is not None and row["k"] > 2, "id"), params={"k": 2}),
        Question("a text as a parameter", "SELECT id FROM facts WHERE s = $s", _chosen(lambda row: row["s"] == "😀", "id"), params={"s": "😀"}),
        Question("a text with a quote", "SELECT $s || '!' AS v FROM dims WHERE id = 0", Answer({"v": TEXT}, [("it's \\ \"$x\" --!",)]), params={"s": "it's \\ \"$x\" --"}),
        Question("a decimal as a parameter", "SELECT id FROM facts WHERE d >= $d", _chosen(lambda row: row["d"] is not None and row["d"] >= Decimal("12.34"), "id"), params={"d": Decimal("12.34")}),
        Question("a date as a parameter", "SELECT id FROM facts WHERE day < $d", _chosen(lambda row: row["day"] is not None and row["day"] < dt.date(1970, 1, 1), "id"), params={"d": dt.date(1970, 1, 1)}),
        Question("a moment as a parameter", "SELECT id FROM facts WHERE tz >= $t", _chosen(lambda row: row["tz"] is not None and row["tz"] >= dt.datetime(2024, 11, 3, 6, tzinfo=dt.UTC), "id"), params={"t": dt.datetime(2024, 11, 3, 6, tzinfo=dt.UTC)}),
        Question("NULL as a parameter", "SELECT id FROM facts WHERE k = $k", _chosen(lambda row: False, "id"), params={"k": None}),
        Question("a list as a parameter", "SELECT id FROM facts WHERE k IN (SELECT unnest($l))", _chosen(lambda row: row["k"] in (0, 3), "id"), params={"l": [0, 3]}),
        Question("a float as a parameter", "SELECT count(*) AS n FROM facts WHERE f = $f", Answer({"n": I64}, [(sum(row["f"] is not None and row["f"] != row["f"] for row in FACTS),)]), params={"f": float("nan")}),
        Question("a text that is no Unicode", "SELECT id FROM facts WHERE s = $s", fails="surrogate", params={"s": "\ud800"}),
        Question("a text with NUL as a parameter", "SELECT id FROM texts WHERE s = $s", Answer({"id": I64}, [(18,)]), params={"s": "nul\0in"}),
        Question("a parameter twice", "SELECT id, $k AS k FROM dims WHERE k = $k", Answer({"id": I64, "k": I32}, [(1, 1), (2, 1)]), params={"k": 1}),
        Question("a view", "SELECT id FROM positive", _chosen(lambda row: row["x"] is not None and row["x"] > 0, "id")),
        Question("a view over a view", "SELECT * FROM counted", _tops()),
        Question("a view twice", "SELECT count(*) AS n FROM counted a JOIN counted b ON a.g IS NOT DISTINCT FROM b.g", Answer({"n": I64}, [(len(_tops().rows),)])),
        Question("now", "SELECT k, count(*) AS n FROM past GROUP BY k", AFTER),
        Question("a tag of the past", "SELECT k, count(*) AS n FROM past AT (TAG => 'before') GROUP BY k", BEFORE),
        Question("the past beside now", "SELECT count(*) AS n FROM past AT (TAG => 'before') a ANTI JOIN past b USING (id)", Answer({"n": I64}, [(sum(row["k"] == 1 for row in FACTS),)])),
        Question("a row policy", "SELECT id, x FROM guarded", Answer({"id": I64, "x": F64}, [(row["id"], row["x"]) for row in _SEEN]), identity="analyst"),
        Question("a masking policy", "SELECT k, count(*) AS n FROM guarded GROUP BY k", Answer({"k": I32, "n": I64}, [(-1, len(_SEEN))]), identity="analyst"),
        Question("policies that concern others", "SELECT count(*) AS n FROM guarded", Answer({"n": I64}, [(len(FACTS),)])),
        Question("no table", "SELECT count(*) AS n FROM range(10)", Answer({"n": I64}, [(10,)])),
        Question("the session's zone", "SELECT DISTINCT typeof(tz) AS t, extract(timezone_hour FROM tz) AS h FROM moments WHERE id IN (5, 11)", Answer({"t": TEXT, "h": I64}, [("TIMESTAMP WITH TIME ZONE", -5), ("TIMESTAMP WITH TIME ZONE", -4)])),
    ],
)  # fmt: skip

TICKS = [row for row in tables()["ticks"].to_pylist() if row["ts"] is not None]
PROBES = tables()["probes"].to_pylist()


def _buckets(minutes: int) -> Answer:
    found: dict[tuple[Any, dt.datetime], list[float]] = defaultdict(list)
    day = dt.datetime(2024, 1, 1)
    for row in TICKS:
        start = day + (row["ts"] - day) // (minutes * MINUTE) * (minutes * MINUTE)
        found[row["sensor"], start].append(row["value"])
    rows = [(sensor, start, len(items), sum(items)) for (sensor, start), items in found.items()]
    return Answer({"sensor": TEXT, "window_start": US, "n": I64, "total": F64}, rows)


def _asof(tolerance: int | None = None, *, left: bool = False) -> Answer:
    rows: list[tuple[Any, ...]] = []
    for probe in PROBES:
        near = [row for row in TICKS if row["sensor"] == probe["sensor"] and row["ts"] <= probe["ts"]]
        if tolerance is not None:
            near = [row for row in near if probe["ts"] - row["ts"] <= tolerance * MINUTE]
        if near:
            rows.append((probe["n"], probe["sensor"], max(row["ts"] for row in near)))
        elif left:
            rows.append((probe["n"], probe["sensor"], None))
    return Answer({"n": I32, "sensor": TEXT, "at_ts": US}, rows)


def _latest() -> Answer:
    newest: dict[Any, dt.datetime] = {}
    for row in TICKS:
        newest[row["sensor"]] = max(row["ts"], newest.get(row["sensor"], row["ts"]))
    return Answer({"sensor": TEXT, "ts": US}, list(newest.items()))


def _sampled() -> Answer:
    found: dict[dt.datetime, int] = defaultdict(int)
    for row in TICKS:
        if row["sensor"] == "s1":
            found[row["ts"].replace(minute=0)] += 1
    hours = [
        min(found) + dt.timedelta(hours=n)
        for n in range(1 + (max(found) - min(found)) // dt.timedelta(hours=1))
    ]
    return Answer({"ts": US, "n": I64}, [(hour, found.get(hour, 0)) for hour in hours])  # fmt: skip


def _nearby() -> Answer:
    rows = [
        (p["n"], p["sensor"], sum(row["sensor"] == p["sensor"] and abs(row["ts"] - p["ts"]) <= 10 * MINUTE for row in TICKS))
        for p in PROBES
    ]  # fmt: skip
    return Answer({"n": I32, "sensor": TEXT, "near": I64}, rows)


WAYS = [(row["src"], row["dst"], row["km"]) for row in tables()["ways"].to_pylist()]
NAME = dict(enumerate("ABCDEFGH"))


def _hops() -> Answer:
    pairs = [(NAME[a], NAME[d]) for a, b, _ in WAYS for c, d, _ in WAYS if b == c]
    return Answer({"a": TEXT, "c": TEXT}, pairs)


def _reached(start: int) -> Answer:
    """How few ways lead from a town to every other."""
    steps = {start: 0}
    waiting = [start]
    for town in waiting:
        for a, b, _ in WAYS:
            if a == town and b not in steps:
                steps[b] = steps[a] + 1
                waiting.append(b)
    return Answer(
        {"town": TEXT, "steps": I64}, [(NAME[town], n) for town, n in steps.items() if town != start]
    )


ISLANDS = Questions(
    "graphs and time series",
    [
        Question("a pattern", "MATCH (a:towns)-[:way]->(b)-[:way]->(c) ON GRAPH roads RETURN a.name AS a, c.name AS c", _hops()),
        Question("a pattern, aggregated", "MATCH (a:towns)-[r:way]->(b) ON GRAPH roads RETURN a.name AS a, count(*) AS n, sum(r.km) AS km", Answer({"a": TEXT, "n": I64, "km": HUGE}, [(NAME[i], sum(w[0] == i for w in WAYS), Decimal(sum(w[2] for w in WAYS if w[0] == i))) for i in range(8) if any(w[0] == i for w in WAYS)])),
        Question("a pattern beside tables", "SELECT t.name, count(m.b) AS n FROM towns t LEFT JOIN (MATCH (a:towns)-[:way]->(b) ON GRAPH roads RETURN a.id AS a, b.id AS b) m ON t.id = m.a GROUP BY t.name", Answer({"name": TEXT, "n": I64}, [(NAME[i], sum(w[0] == i for w in WAYS)) for i in range(8)])),
        Question("a pattern in IN", "SELECT name FROM towns WHERE id IN (MATCH (a)-[:way]->(b) ON GRAPH roads WHERE a.name = 'A' RETURN b.id)", Answer({"name": TEXT}, [("B",), ("C",)])),
        Question("shortest paths", "MATCH p = ANY SHORTEST (a {name: 'A'})-[:way]->+(b WHERE b.name <> 'A') ON GRAPH roads RETURN b.name AS town, path_length(p) AS steps", _reached(0)),
        Question("a pattern that nothing meets", "MATCH (a {name: 'H'})-[:way]->(b) ON GRAPH roads RETURN b.name AS b", Answer({"b": TEXT}, [])),
        Question("TUMBLE", "SELECT sensor, window_start, count(*) AS n, sum(value) AS total FROM TUMBLE(TABLE ticks, DESCRIPTOR(ts), INTERVAL '30' MINUTE) GROUP BY sensor, window_start", _buckets(30), tolerance=SUMS),
        Question("TUMBLE, filtered", "SELECT count(*) AS n FROM (SELECT sensor, window_start, count(*) AS n FROM TUMBLE(TABLE ticks, DESCRIPTOR(ts), INTERVAL '30' MINUTE) GROUP BY ALL) WHERE n > 1", Answer({"n": I64}, [(sum(row[2] > 1 for row in _buckets(30).rows),)])),
        Question("SAMPLE BY with FILL", "SELECT ts, count(*) AS n FROM ticks WHERE sensor = 's1' SAMPLE BY '1h' FILL(0)", _sampled()),
        Question("ASOF JOIN", "SELECT p.n, p.sensor, t.ts AS at_ts FROM probes p ASOF JOIN ticks t ON p.sensor = t.sensor AND p.ts >= t.ts", _asof()),
        Question("ASOF LEFT JOIN", "SELECT p.n, p.sensor, t.ts AS at_ts FROM probes p ASOF LEFT JOIN ticks t ON p.sensor = t.sensor AND p.ts >= t.ts", _asof(left=True)),
        Question("ASOF JOIN with TOLERANCE", "SELECT p.n, p.sensor, t.ts AS at_ts FROM probes p ASOF LEFT JOIN ticks t ON p.sensor = t.sensor AND p.ts >= t.ts TOLERANCE INTERVAL '20' MINUTE", _asof(20, left=True)),
        Question("WINDOW JOIN", "SELECT p.n, p.sensor, count(t.value) AS near FROM probes p WINDOW JOIN ticks t ON p.sensor = t.sensor RANGE BETWEEN INTERVAL '10' MINUTE PRECEDING AND INTERVAL '10' MINUTE FOLLOWING USING TIME (p.ts, t.ts)", _nearby()),
        Question("LATEST ON", "SELECT sensor, ts FROM ticks LATEST ON ts PARTITION BY sensor", _latest()),
        Question("an island grouped", "SELECT sensor, count(*) AS n FROM (SELECT p.n, p.sensor, t.ts FROM probes p ASOF JOIN ticks t ON p.sensor = t.sensor AND p.ts >= t.ts) GROUP BY sensor", Answer({"sensor": TEXT, "n": I64}, [("s1", sum(row[1] == "s1" for row in _asof().rows)), ("s2", sum(row[1] == "s2" for row in _asof().rows))])),
    ],
)  # fmt: skip

FAMILIES: tuple[Any, ...] = (LOOKUPS, BENCH, ISLANDS)
