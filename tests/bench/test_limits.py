"""What a statement may take: memory, room to spill, time, rows and bytes; and results larger than memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

import luma_bench as lb
from luma_bench.errors import (
    CancelledError,
    ConfigError,
    KadeQLError,
    LumaError,
    ResourceError,
    UnsupportedError,
)

ENDLESS = "SELECT sum(a.i * b.i) AS s FROM range(1000000) a(i), range(1000000) b(i)"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[lb.Bench]:
    with lb.open(tmp_path / "b.luma", threads=2, files=[tmp_path], files_write=[tmp_path]) as opened:
        opened.write("t", {"a": list(range(10_000))})
        yield opened


# --- rows and bytes ---


def test_a_result_larger_than_its_cap_says_how_to_raise_it(bench: lb.Bench):
    assert len(bench.kadeql("FROM t LIMIT 100", max_rows=100)) == 100
    with pytest.raises(
        ResourceError, match=r"more than 100 rows.*\n.*max_rows.*max_result_rows.*bench\.stream"
    ):
        bench.kadeql("FROM t LIMIT 101", max_rows=100)
    with pytest.raises(ResourceError, match="more than 1,000 bytes"):
        bench.kadeql("FROM t", max_bytes=1000)


def test_a_cap_gives_up_before_the_rest_is_there(bench: lb.Bench):
    started = time.perf_counter()
    with pytest.raises(ResourceError):
        bench.kadeql("SELECT i FROM range(4000000000) r(i)", max_rows=10_000)
    assert time.perf_counter() - started < 30


def test_a_cached_result_is_capped_too(bench: lb.Bench):
    bench.kadeql("SELECT a FROM t")
    assert bench.kadeql("SELECT a FROM t").run.cached
    with pytest.raises(ResourceError):
        bench.kadeql("SELECT a FROM t", max_rows=10)


def test_the_settings_cap_results_and_nothing_else(tmp_path: Path):
    with lb.open(tmp_path / "b.luma", max_result_rows=10, files=[tmp_path], files_write=[tmp_path]) as bench:
        bench.kadeql("CREATE TABLE t AS SELECT i AS a, 'x' AS s FROM range(1000) r(i)")
        bench.kadeql("INSERT INTO t SELECT i, 'y' FROM range(500) r(i)")
        bench.kadeql("UPDATE t SET s = 'z' WHERE a < 100")
        bench.kadeql("DELETE FROM t WHERE a >= 900")
        bench.kadeql(f"COPY t TO '{tmp_path}/o.csv'; COPY t FROM '{tmp_path}/o.csv'")
        assert bench.kadeql("SELECT count(*) AS n FROM t").to_arrow()["n"].to_pylist() == [2800]
        with pytest.raises(ResourceError):
            bench.kadeql("FROM t")
        assert len(bench.kadeql("FROM t", max_rows=0)) == 2800
        assert bench.stream("FROM t").read_all().num_rows == 2800


@pytest.mark.parametrize(
    "wrong", [{"max_rows": -1}, {"timeout": -0.5}, {"max_bytes": True}, {"max_rows": "ten"}]
)
def test_caps_are_numbers(bench: lb.Bench, wrong: dict[str, object]):
    with pytest.raises(UnsupportedError, match="at least 0"):
        bench.kadeql("FROM t", **wrong)  # pyright: ignore[reportArgumentType]


# --- time ---


def test_a_call_has_its_own_timeout(bench: lb.Bench):
    with pytest.raises(CancelledError, match=r"timeout of 0\.2 s"):
        bench.kadeql(ENDLESS, timeout=0.2)
    assert bench.kadeql("SELECT count(*) AS n FROM t").to_arrow()["n"].to_pylist() == [10_000]


def test_zero_lifts_the_timeout_of_the_settings(tmp_path: Path):
    text = "SELECT count(*) AS n FROM range(30000000) r(i) WHERE hash(i) % 3 = 1"
    with lb.open(tmp_path / "b.luma", timeout=0.01) as bench:
        with pytest.raises(CancelledError):
            bench.kadeql(ENDLESS)
        assert bench.kadeql(text, timeout=0).to_arrow().num_rows == 1


def test_a_timeout_stops_what_writes_and_leaves_nothing(bench: lb.Bench, tmp_path: Path):
    before = bench.snapshot
    endless = "SELECT a.i FROM range(1000000) a(i), range(1000000) b(i)"
    for text in (
        f"CREATE TABLE x AS {endless}",
        f"INSERT INTO t SELECT sum(i) FROM ({endless})",
        "DELETE FROM t WHERE a IN (SELECT hash(x.i * y.i) FROM range(1000000) x(i), range(1000000) y(i))",
        f"COPY ({endless}) TO '{tmp_path}/o.csv'",
    ):
        with pytest.raises(CancelledError):
            bench.kadeql(text, timeout=0.3)
    assert bench.snapshot == before
    assert bench.tables() == ["t"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.luma"]


def test_a_stream_has_a_timeout(bench: lb.Bench):
    reader = bench.stream("SELECT i FROM range(100000000000) r(i)", timeout=0.3)
    with pytest.raises(CancelledError, match="timeout"):
        for _ in reader:
            pass


# --- streams ---


def test_a_stream_holds_its_snapshot_and_is_not_cached(bench: lb.Bench):
    reader = bench.stream("SELECT a FROM t WHERE a >= $lo ORDER BY a", params={"lo": 9000})
    bench.kadeql("DELETE FROM t")
    assert reader.read_all()["a"].to_pylist() == list(range(9000, 10_000))


def test_a_stream_reads_an_open_transaction_and_the_past(bench: lb.Bench):
    past = bench.snapshot
    with bench.transaction() as tx:
        tx.kadeql("INSERT INTO t VALUES (-1)")
        assert bench.stream("SELECT min(a) AS m FROM t").read_all()["m"].to_pylist() == [-1]
        assert bench.stream("SELECT min(a) AS m FROM t", at=past).read_all()["m"].to_pylist() == [0]


def test_a_stream_takes_one_query(bench: lb.Bench):
    for text in ("DELETE FROM t", "SELECT 1; SELECT 2", "COPY t TO 'x.csv'"):
        with pytest.raises(LumaError):
            bench.stream(text)


def test_an_error_in_the_middle_of_a_stream_points_into_the_text(bench: lb.Bench):
    text = (
        "SELECT\n  CAST(CASE WHEN i > 500000 THEN 'x' ELSE '1' END AS INTEGER) AS n FROM range(600000) r(i)"
    )
    with pytest.raises(KadeQLError, match="Could not convert") as caught:
        bench.stream(text).read_all()
    assert caught.value.text in (text, "")


def test_a_stream_that_is_dropped_stops(bench: lb.Bench):
    reader = bench.stream("SELECT i FROM range(100000000000) r(i)")
    reader.read_next_batch()
    assert len(bench.running()) == 1
    del reader
    deadline = time.perf_counter() + 20
    while bench.running() and time.perf_counter() < deadline:
        time.sleep(0.01)
    assert bench.running() == ()


def test_more_than_the_memory_limit_streams_from_end_to_end(tmp_path: Path):
    """About 200 MB of rows, which are never held at once, under a limit of 60 MB."""
    text = "SELECT i, repeat('x', 90) || i AS s FROM range(2000000) r(i)"
    with lb.open(tmp_path / "b.luma", memory_limit=60_000_000, pool_bytes=20_000_000, threads=2) as bench:
        rows = nbytes = 0
        for batch in bench.stream(text):
            rows += batch.num_rows
            nbytes += batch.nbytes
        assert rows == 2_000_000
        assert nbytes > 150_000_000


# --- memory and spilling ---

SPILLS = [
    "SELECT count(*) AS n FROM (SELECT s, count(*) FROM wide GROUP BY s)",
    "SELECT count(s) AS n FROM (SELECT s, row_number() OVER (ORDER BY s DESC) AS r FROM wide) WHERE r > 1",
    "SELECT count(*) AS n FROM wide a JOIN wide b ON a.s = b.s",
]


@pytest.fixture
def wide(tmp_path: Path) -> Path:
    with lb.open(tmp_path / "w.luma", threads=2) as bench:
        bench.kadeql(
            "CREATE TABLE wide AS SELECT i, md5(i::VARCHAR) || md5((i + 1)::VARCHAR) AS s FROM range(1200000) r(i)"
        )
    return tmp_path / "w.luma"


def test_joins_sorts_and_groups_spill(wide: Path, tmp_path: Path):
    spill = tmp_path / "spill"
    spill.mkdir()
    with lb.open(
        wide, mode="r", memory_limit=70_000_000, pool_bytes=30_000_000, threads=2, spill_dir=str(spill)
    ) as bench:
        for text, expected in zip(SPILLS, (1_200_000, 1_199_999, 1_200_000), strict=True):
            assert bench.kadeql(text).to_arrow()["n"].to_pylist() == [expected]
            assert list(spill.iterdir()), "it spills below spill_dir"
    assert list(spill.iterdir()) == []


def test_out_of_room_to_spill_is_said_and_leaves_nothing(wide: Path, tmp_path: Path):
    spill = tmp_path / "spill"
    spill.mkdir()
    limits = {
        "memory_limit": 50_000_000,
        "max_spill_bytes": 5_000_000,
        "spill_dir": str(spill),
        "pool_bytes": 20_000_000,
    }
    with lb.open(wide, threads=2, **limits) as bench:
        before = bench.snapshot
        for text in (
            SPILLS[1],
            f"CREATE TABLE x AS {SPILLS[2]}",
            f"INSERT INTO wide SELECT n, 'x' FROM ({SPILLS[1]})",
        ):
            with pytest.raises(ResourceError) as caught:
                bench.kadeql(text)
            assert caught.value.hint
            assert "memory_limit" in caught.value.hint
        assert bench.snapshot == before
        assert bench.kadeql("SELECT count(*) AS n FROM wide").to_arrow()["n"].to_pylist() == [1_200_000]
        held = sum(path.stat().st_size for path in spill.rglob("*") if path.is_file())
        assert held <= 6_000_000
    assert list(spill.iterdir()) == []


def test_a_spill_folder_that_cannot_be_written(tmp_path: Path):
    missing = str(tmp_path / "missing")
    with (
        lb.open(tmp_path / "b.luma", spill_dir=missing) as bench,
        pytest.raises(ConfigError, match="spill_dir"),
    ):
        bench.kadeql("SELECT 1")


# --- progress ---


def test_each_of_several_queries_has_its_own_progress_which_never_falls(bench: lb.Bench):
    bench.kadeql("CREATE TABLE big AS SELECT i AS a, i % 1000 AS b FROM range(3000000) r(i)")
    texts = [
        "SELECT b, count(DISTINCT hash(a)) FROM big GROUP BY b",
        "CREATE TABLE made AS SELECT a, sqrt(a) AS r FROM big WHERE hash(a) % 2 = 0",
        "INSERT INTO t SELECT a FROM big WHERE hash(a) % 3 = 0",
    ]
    seen: dict[str, list[float]] = {}
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.002):
            for query in bench.running():
                if query.progress is not None:
                    seen.setdefault(query.text, []).append(query.progress)

    watcher = threading.Thread(target=watch)
    watcher.start()
    threads = [threading.Thread(target=bench.kadeql, args=(text,)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    over.set()
    watcher.join()
    assert set(seen) <= set(texts)
    assert seen
    for values in seen.values():
        assert values == sorted(values)
        assert all(0.0 <= value <= 1.0 for value in values)
    assert bench.running() == ()
    assert bench.progress() is None


def test_one_of_several_queries_is_stopped_by_its_id(bench: lb.Bench):
    outcome: dict[str, object] = {}

    def ask(name: str, text: str) -> None:
        try:
            outcome[name] = bench.kadeql(text).to_arrow()
        except LumaError as error:
            outcome[name] = error

    other = "SELECT count(*) AS n FROM range(60000000) r(i) WHERE hash(i) % 3 = 7"
    threads = [threading.Thread(target=ask, args=item) for item in (("endless", ENDLESS), ("other", other))]
    for thread in threads:
        thread.start()
    deadline = time.perf_counter() + 20
    number = 0
    while not number and time.perf_counter() < deadline:
        number = next((query.id for query in bench.running() if query.text == ENDLESS), 0)
        time.sleep(0.005)
    while "endless" not in outcome and time.perf_counter() < deadline:
        bench.cancel(number)
        time.sleep(0.01)
    for thread in threads:
        thread.join()
    assert isinstance(outcome["endless"], CancelledError)
    assert isinstance(outcome["other"], pa.Table)
    assert bench.cancel(number) == 0


# --- changes that return rows ---


@pytest.mark.parametrize(
    "text",
    [
        "UPDATE t SET a = -a RETURNING *",
        "DELETE FROM t RETURNING a",
        "INSERT INTO t SELECT i FROM range(20) r(i) RETURNING a",
        "MERGE INTO t USING (SELECT unnest(range(1, 12)) AS k) ON t.a = k WHEN MATCHED THEN DELETE RETURNING a",
    ],
)
def test_what_a_change_returns_is_capped_and_then_nothing_is_changed(bench: lb.Bench, text: str):
    before = bench.snapshot
    with pytest.raises(ResourceError, match=r"RETURNING gives more than 10 rows.*nothing was changed"):
        bench.kadeql(text, max_rows=10)
    with pytest.raises(ResourceError, match=r"more than 40 bytes(.|\n)*max_result_bytes"):
        bench.kadeql(text, max_bytes=40)
    bench.kadeql("BEGIN")
    with pytest.raises(ResourceError, match="nothing was changed"):
        bench.kadeql(text, max_rows=10)
    found = bench.kadeql("SELECT count(*) AS n, sum(a) AS s FROM t; ROLLBACK").results[0]
    assert found.to_arrow().to_pylist() == [{"n": 10_000, "s": 49_995_000}]
    assert bench.snapshot == before
    assert len(bench.kadeql(f"EXPLAIN ANALYZE {text}", max_rows=10)) == 2
    bench.kadeql("CREATE OR REPLACE TABLE t AS SELECT i AS a FROM range(10000) r(i)")
    assert len(bench.kadeql(text, max_rows=10_000)) > 10


def test_a_limit_that_is_none_is_named(bench: lb.Bench):
    for wrong, told in (
        ({"timeout": -1}, "timeout is -1"),
        ({"timeout": float("nan")}, "timeout is nan"),
        ({"max_rows": 1.5}, r"max_rows is 1\.5"),
    ):
        with pytest.raises(UnsupportedError, match=told):
            bench.kadeql("FROM t", **wrong)  # pyright: ignore[reportArgumentType]
    assert len(bench.kadeql("FROM t", timeout=float("inf"))) == 10_000
    assert len(bench.kadeql("FROM t LIMIT 1", timeout=1e300)) == 1


def test_a_text_that_is_stopped_says_what_is_done(bench: lb.Bench):
    with pytest.raises(CancelledError) as caught:
        bench.kadeql(f"CREATE TABLE x AS SELECT 1 AS a;\n{ENDLESS}; SELECT 1", timeout=0.3)
    assert caught.value.message == (
        "Stopped by the timeout of 0.3 s in statement 2 of 3 (line 2), which changed nothing; the 1 before it is done."
    )
    assert bench.tables() == ["t", "x"]
    with pytest.raises(CancelledError, match="are done, in the transaction that is still open"):
        bench.kadeql(f"BEGIN; INSERT INTO x VALUES (2); {ENDLESS}", timeout=0.3)
    assert len(bench.kadeql("ROLLBACK; FROM x")) == 1


def test_a_change_names_the_timeout_that_was_given(bench: lb.Bench):
    with pytest.raises(CancelledError, match=r"timeout of 0\.25 s; nothing was changed"):
        bench.kadeql(f"CREATE TABLE x AS {ENDLESS}", timeout=0.25)
    with bench.transaction() as tx:
        with pytest.raises(CancelledError, match=r"timeout of 0\.25 s"):
            tx.kadeql(ENDLESS, timeout=0.25)
        with pytest.raises(ResourceError):
            tx.kadeql("FROM t", max_rows=10)


def test_the_plan_of_an_answer_is_told_after_its_timeout(bench: lb.Bench):
    answer = bench.kadeql("SELECT sum(a) AS s FROM t", timeout=0.4)
    time.sleep(0.5)
    assert "t" in answer.explain()
