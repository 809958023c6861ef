"""Windows in statements: whatever stands around them or is read by them, under snapshots, transactions and policies."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from series_inputs import open_bench

import luma_bench as lb
from luma_bench.errors import CancelledError, KadeQLBindError, KadeQLError

HOURS = 12


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory):
    with open_bench(tmp_path_factory.mktemp("statements") / "b") as opened:
        opened.kadeql(
            "CREATE TABLE t (id UUID, k ENUM('a', 'b'), j JSON, ts TIMESTAMP, d DECIMAL(12, 2), tags VARCHAR[], "
            "s STRUCT(a INT), h HUGEINT)"
        )
        opened.kadeql(
            "INSERT INTO t SELECT uuid(), CASE WHEN i % 2 = 0 THEN 'a' ELSE 'b' END, '{\"x\": 1}', "
            f"TIMESTAMP '2024-01-01' + i * INTERVAL 10 MINUTE, i, ['q'], {{'a': i}}, i FROM range({HOURS * 6}) r(i)"
        )
        yield opened


def rows(bench: lb.Bench, text: str, **more) -> list[tuple]:
    return [tuple(row.values()) for row in bench.kadeql(text, **more).to_arrow().to_pylist()]


def test_every_type_goes_through(bench: lb.Bench) -> None:
    columns = "id, k, j, ts, d, tags, s, h"
    plain = bench.kadeql(f"SELECT {columns} FROM t ORDER BY ts").to_arrow()
    for construct in (
        "TUMBLE(TABLE t, DESCRIPTOR(ts), '1h')",
        "SESSION(TABLE t, DESCRIPTOR(ts), '1h')",
        "TUMBLE(TABLE (SELECT * FROM t), DESCRIPTOR(ts), '1h')",
    ):
        through = bench.kadeql(f"SELECT {columns} FROM {construct} ORDER BY ts").to_arrow()
        assert through.equals(plain)
    kinds = rows(bench, "SELECT DISTINCT typeof(id), typeof(k), typeof(j), typeof(h) FROM TUMBLE(TABLE t, DESCRIPTOR(ts), '1h')")  # fmt: skip
    assert kinds == [("UUID", "ENUM('a', 'b')", "JSON", "HUGEINT")]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("SELECT count(*) FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL 1 HOUR)", HOURS * 6),
        ("SELECT count(DISTINCT w.window_start) FROM TUMBLE(TABLE t, DESCRIPTOR(ts), '1h') AS w", HOURS),
        ("SELECT count(*) FROM TUMBLE(TABLE t, DESCRIPTOR(ts), '1h') WHERE k = 'a' AND d > 10.5", 30),
        ("SELECT count(*) FROM TUMBLE(TABLE t, DESCRIPTOR(ts), '1h') WHERE window_start = TIMESTAMP '2024-01-01 01:00:00'", 6),
        ("SELECT count(*) FROM TUMBLE(TABLE t, DESCRIPTOR(ts), '1h') WHERE window_time < TIMESTAMP '2024-01-01 02:00:00'", 12),
        ("WITH c AS (SELECT ts, d FROM t WHERE d < 7) SELECT count(DISTINCT window_end) FROM TUMBLE(TABLE c, DESCRIPTOR(ts), '1h')", 2),
        ("SELECT count(*) FROM HOP(TABLE t, DESCRIPTOR(ts), '30m', '1h')", HOURS * 12),
        ("SELECT count(*) FROM CUMULATE(TABLE t, DESCRIPTOR(ts), '10m', '1h') WHERE d < 6", 21),
        ("SELECT count(DISTINCT window_start) FROM SESSION(TABLE t PARTITION BY k, DESCRIPTOR(ts), '19m')", HOURS * 6),
        ("SELECT count(DISTINCT window_start) FROM SESSION(TABLE t PARTITION BY k, DESCRIPTOR(ts), '20m')", 2),
        ("SELECT max(n) FROM (SELECT count(*) AS n FROM TUMBLE(TABLE t, DESCRIPTOR(ts), $size) GROUP BY window_start)", 6),
        ("SELECT count(*) FROM TUMBLE(TABLE t, DESCRIPTOR(ts), '1h') a JOIN TUMBLE(TABLE t, DESCRIPTOR(ts), '1h') b ON a.window_start = b.window_start", HOURS * 36),
        ("SELECT count(*) FROM TUMBLE(TABLE (SELECT window_end AS at FROM TUMBLE(TABLE t, DESCRIPTOR(ts), '1h')), DESCRIPTOR(at), '1d')", HOURS * 6),
    ],
)  # fmt: skip
def test_statements(bench: lb.Bench, text: str, wanted: int) -> None:
    assert rows(bench, text, params={"size": "1h"} if "$" in text else {}) == [(wanted,)]


def test_views_and_pins(tmp_path: Path) -> None:
    with open_bench(tmp_path / "b") as bench:
        bench.write("t", pa.table({"ts": pa.array([0, 1, 7], pa.timestamp("s")), "x": [1, 2, 3]}))
        first = bench.kadeql("SELECT 1").run.snapshot
        bench.kadeql("CREATE VIEW w AS SELECT * FROM TUMBLE(TABLE t, DESCRIPTOR(ts), '5s')")
        bench.kadeql("INSERT INTO t VALUES (TIMESTAMP '1970-01-01 00:00:11', 4), (NULL, 5)")
        starts = "SELECT count(DISTINCT window_start) FROM "
        assert rows(bench, f"{starts} w") == [(3,)]
        assert rows(bench, f"{starts} TUMBLE(TABLE t AT (VERSION => {first}), DESCRIPTOR(ts), '5s')") == [
            (2,)
        ]
        assert rows(bench, f"{starts} TUMBLE(TABLE w2, DESCRIPTOR(ts), '5s')", tables={"w2": {"ts": [dt.datetime(2020, 1, 1)]}}) == [(1,)]  # fmt: skip
        said = bench.kadeql("SELECT * FROM w").run.warnings
        assert said == ("1 row has no ts and is in no window.",)
        with bench.transaction() as changes:
            changes.kadeql("INSERT INTO t VALUES (TIMESTAMP '1980-01-01', 6)")
            changes.kadeql("DELETE FROM t WHERE x = 1")
            seen = changes.kadeql(f"{starts} SESSION(TABLE t, DESCRIPTOR(ts), '1s')").to_arrow()
            assert seen.column(0).to_pylist() == [4]
        assert rows(bench, f"{starts} w") == [(4,)]


@pytest.mark.parametrize("make", [lambda frame: frame, pl.from_pandas, pa.Table.from_pandas])
def test_the_caller_s_own_relations(bench: lb.Bench, make) -> None:
    frame = pd.DataFrame({"ts": pd.date_range("2024-01-01", periods=5, freq="30min"), "x": range(5)})
    text = "SELECT window_start, sum(x) FROM TUMBLE(TABLE own, DESCRIPTOR(ts), '1h') GROUP BY ALL ORDER BY 1"
    found = rows(bench, text, tables={"own": make(frame)})
    assert found == [(dt.datetime(2024, 1, 1, hour), total) for hour, total in ((0, 1), (1, 5), (2, 4))]


def test_policies_hold_below_windows(tmp_path: Path) -> None:
    with open_bench(tmp_path / "b") as bench:
        bench.write(
            "t",
            pa.table(
                {
                    "k": ["mine", "mine", "theirs", "theirs"],
                    "ts": pa.array([0, 10, 0, 100], pa.timestamp("s")),
                    "secret": [1, 2, 3, 4],
                }
            ),
            time_column="ts",
            series_key="k",
        )
        bench.kadeql("CREATE ROW POLICY own ON t USING k = 'mine' TO staff")
        bench.kadeql("CREATE MASKING POLICY hide ON t UPDATE secret = NULL TO staff")
        guest = bench.acting_as(lb.Identity("ada", roles=("staff",)))
        for construct in (
            "TUMBLE(TABLE t, DESCRIPTOR(ts), '5s')",
            "SESSION(TABLE t PARTITION BY k, DESCRIPTOR(ts), '5s')",
        ):
            seen = (
                guest.kadeql(f"SELECT k, secret, window_start FROM {construct} ORDER BY 3")
                .to_arrow()
                .to_pylist()
            )
            assert [row["k"] for row in seen] == ["mine", "mine"]
            assert [row["secret"] for row in seen] == [None, None]
            counted = guest.kadeql(f"SELECT count(*) AS c FROM {construct} WHERE secret > 0 OR k = 'theirs'")
            assert counted.to_arrow().column("c").to_pylist() == [0]


@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        ("SELECT * FROM TUMBLE(TABLE tt, DESCRIPTOR(ts), '1h')", "no table 'tt'", "tt"),
        ("SELECT * FROM TUMBLE(TABLE t, DESCRIPTOR(nope), '1h')", "no column 'nope'", "nope"),
        ("SELECT * FROM TUMBLE(TABLE t, DESCRIPTOR(d), '1h')", r"DECIMAL\(12,2\), which is no time", "d"),
        ("SELECT * FROM TUMBLE(TABLE t, DESCRIPTOR(ts), '1hx')", "not a unit of time", "'1hx'"),
        ("SELECT * FROM SESSION(TABLE t PARTITION BY no, DESCRIPTOR(ts), '1h')", "no column 'no'", "no"),
        ("SELECT * FROM TUMBLE(TABLE (SELECT 1 AS a), DESCRIPTOR(a), '1h')", "is no time", "a"),
    ],
)
def test_errors_point_at_what_is_wrong(bench: lb.Bench, text: str, message: str, place: str) -> None:
    with pytest.raises(KadeQLError, match=message) as raised:
        bench.kadeql(text).to_arrow()
    assert raised.value.span is not None
    start, end = raised.value.span
    assert raised.value.text is not None
    assert raised.value.text[start:end] == place


def test_a_column_of_a_window_s_name_is_refused(bench: lb.Bench) -> None:
    with pytest.raises(KadeQLBindError, match="window_start' already"):
        bench.kadeql(
            "SELECT * FROM TUMBLE(TABLE (SELECT * FROM TUMBLE(TABLE t, DESCRIPTOR(ts), '1h')), DESCRIPTOR(ts), '2h')"
        ).to_arrow()


def test_a_timeout_stops_the_work(bench: lb.Bench) -> None:
    text = (
        "SELECT sum(d) FROM CUMULATE(TABLE (SELECT TIMESTAMP '2024-01-01' + i * INTERVAL 1 SECOND AS ts, i AS d "
        "FROM range(2000000) r(i)), DESCRIPTOR(ts), '1s', '1d') WHERE window_end > ts + INTERVAL 1 HOUR"
    )
    with pytest.raises(CancelledError):
        bench.kadeql(text, timeout=0.3).to_arrow()
