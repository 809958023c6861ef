"""Statements while they run: side by side, stopped, abandoned, or broken by their source."""

from __future__ import annotations

import gc
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pytest
from arrow_source import ArrowSource

from luma_bench.config import Settings
from luma_bench.engines.duck import DuckEngine
from luma_bench.engines.duck_statement import RunningStatement
from luma_bench.errors import CancelledError, CorruptionError
from luma_bench.plan.engine import Inputs, SqlFragment

LONG = SqlFragment("SELECT sum(hash(a.range + b.range)) AS s FROM range(10000000) a, range(10000000) b")
TABLE = pa.table(
    {"id": pa.array(range(20_000), pa.int64()), "k": pa.array([i % 10 for i in range(20_000)], pa.int64())}
)


def test_eight_threads_of_fifty_queries_each(engine: DuckEngine):
    def work(thread: int) -> None:
        for i in range(50):
            rows = (thread * 50 + i) % 97 + 1
            source = ArrowSource(TABLE.slice(0, rows), batch_rows=64)
            got = engine.run(
                SqlFragment("SELECT count(*) AS n, sum(id) AS s FROM t WHERE k < $k", {"k": 5}),
                Inputs({"t": source}),
            )
            ids = [row for row in range(rows) if row % 10 < 5]
            assert got.to_pylist() == [{"n": len(ids), "s": sum(ids) if ids else None}]

    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(work, thread) for thread in range(8)]:
            done.result(120)
    assert engine.cancel() == 0
    assert engine.progress() is None


def run_aside(
    engine: DuckEngine, fragment: SqlFragment, inputs: Inputs
) -> tuple[threading.Thread, list[object]]:
    box: list[object] = []

    def work() -> None:
        try:
            box.append(engine.run(fragment, inputs))
        except BaseException as error:
            box.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    return thread, box


def wait_for(condition: object, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_cancel_stops_every_running_statement(engine: DuckEngine):
    running = [run_aside(engine, LONG, Inputs({})) for _ in range(3)]
    wait_for(lambda: len(engine._running.statements()) == 3)
    time.sleep(0.1)
    assert engine.cancel() == 3
    for thread, box in running:
        thread.join(5)
        assert not thread.is_alive()
        assert isinstance(box[0], CancelledError)
    assert engine.cancel() == 0
    assert engine.run(SqlFragment("SELECT 1 AS a"), Inputs({})).num_rows == 1


def test_cancel_reaches_a_statement_that_waits_for_its_source(engine: DuckEngine):
    reading = threading.Event()

    def slow(index: int) -> None:
        reading.set()
        time.sleep(0.01)

    source = ArrowSource(TABLE, batch_rows=10, on_batch=slow)
    thread, box = run_aside(engine, SqlFragment("SELECT sum(id) FROM t"), Inputs({"t": source}))
    assert reading.wait(20)
    engine.cancel()
    thread.join(5)
    assert isinstance(box[0], CancelledError)


def test_a_timeout_cancels(engine: DuckEngine):
    hurried = DuckEngine(Settings(threads=1, timeout=0.2), engine.scan_path)
    try:
        with pytest.raises(CancelledError, match=r"timeout of 0\.2 s"):
            hurried.run(LONG, Inputs({}))
        assert hurried.run(SqlFragment("SELECT 1 AS a"), Inputs({})).num_rows == 1
    finally:
        hurried.close()


def test_a_stop_just_before_the_engine_begins_is_not_lost(
    engine: DuckEngine, monkeypatch: pytest.MonkeyPatch
):
    looked = RunningStatement.check

    def looked_then_stopped(statement: RunningStatement) -> None:
        looked(statement)
        statement.stop()

    monkeypatch.setattr(RunningStatement, "check", looked_then_stopped)
    # It ends by itself, so that a lost stop fails and does not hang.
    ended = SqlFragment("SELECT count(*) AS n FROM range(2000000000) r(i) WHERE hash(i) % 3 = 1")
    with pytest.raises(CancelledError):
        engine.run(ended, Inputs({}))


def test_closing_stops_what_runs():
    engine = DuckEngine(Settings(threads=1))
    thread, box = run_aside(engine, LONG, Inputs({}))
    wait_for(lambda: engine._running.statements())
    time.sleep(0.1)
    engine.close()
    thread.join(5)
    assert isinstance(box[0], CancelledError)


def test_progress_goes_from_nothing_to_the_end(engine: DuckEngine):
    seen: list[float | None] = []
    source = ArrowSource(TABLE, batch_rows=500, on_batch=lambda index: seen.append(engine.progress()))
    engine.run(SqlFragment("SELECT sum(id) FROM t"), Inputs({"t": source}))
    known = [value for value in seen if value is not None]
    assert known == sorted(known)
    assert known[0] < 0.1
    assert 0.8 < known[-1] <= 1.0


# --- sources that fail ---


@pytest.mark.parametrize("batch", [0, 3])
@pytest.mark.parametrize(
    "text",
    [
        "SELECT sum(id) AS s FROM t WHERE k < 5",
        "SELECT count(*) FROM t a JOIN t b USING (id)",
        "SELECT * FROM t ORDER BY k",
        "SUMMARIZE t",
    ],
)
def test_an_error_of_a_source_comes_out_as_it_was_raised(engine: DuckEngine, text: str, batch: int):
    damage = CorruptionError.chunk_of("01SEGMENT", "k", batch, "crc32c is wrong")

    def fail(index: int) -> None:
        if index == batch:
            raise damage

    broken = ArrowSource(TABLE, on_batch=fail)
    for attempt in (engine.run, lambda *given: engine.stream(*given).read_all()):
        with pytest.raises(CorruptionError) as caught:
            attempt(SqlFragment(text), Inputs({"t": broken}))
        assert caught.value is damage
    assert engine.run(SqlFragment("SELECT count(*) AS n FROM t"), Inputs({"t": ArrowSource(TABLE)}))[
        "n"
    ].to_pylist() == [20_000]


def test_an_error_in_accepts_comes_out_as_it_was_raised(hook_engine: DuckEngine):
    def fail(predicate: object) -> bool:
        raise LookupError("zone map")

    with pytest.raises(LookupError, match="zone map"):
        hook_engine.run(
            SqlFragment("SELECT sum(id) FROM t WHERE k = 3"), Inputs({"t": ArrowSource(TABLE, accept=fail)})
        )


# --- streams ---


def streams(engine: DuckEngine) -> int:
    return len(engine._running.statements())


def test_a_stream_is_read_to_the_end_and_gives_its_cursor_back(engine: DuckEngine):
    reader = engine.stream(SqlFragment("SELECT * FROM t WHERE k = 3"), Inputs({"t": ArrowSource(TABLE)}))
    assert streams(engine) == 1
    assert sum(batch.num_rows for batch in reader) == 2000
    assert streams(engine) == 0


@pytest.mark.parametrize("pulled", [0, 1])
def test_an_abandoned_stream_gives_its_cursor_back(engine: DuckEngine, pulled: int):
    for _ in range(10):
        reader = engine.stream(
            SqlFragment("SELECT a.id, b.k FROM t a, t b WHERE a.k = 1"), Inputs({"t": ArrowSource(TABLE)})
        )
        for _ in range(pulled):
            reader.read_next_batch()
        assert engine.run(SqlFragment("SELECT count(*) AS n FROM t"), Inputs({"t": ArrowSource(TABLE)}))[
            "n"
        ].to_pylist() == [20_000]
        del reader
        gc.collect()
        assert streams(engine) == 0


def test_a_stream_drops_with_its_importer(engine: DuckEngine):
    imported = pa.RecordBatchReader.from_stream(
        engine.stream(SqlFragment("SELECT * FROM t"), Inputs({"t": ArrowSource(TABLE)}))
    )
    imported.read_next_batch()
    imported.close()
    gc.collect()
    assert streams(engine) == 0


def test_a_stream_reads_as_it_is_consumed(hook_engine: DuckEngine):
    read: list[int] = []
    big = pa.table({"id": pa.array(range(3_000_000), pa.int64())})
    source = ArrowSource(big, batch_rows=50_000, on_batch=read.append)
    reader = hook_engine.stream(SqlFragment("SELECT id FROM t"), Inputs({"t": source}))
    reader.read_next_batch()
    assert len(read) < 55
    assert reader.read_all().num_rows + 131_072 >= 2_900_000


def test_cancel_and_close_end_open_streams():
    engine = DuckEngine(Settings(threads=1))
    text = SqlFragment("SELECT range FROM range(100000000)")
    first = engine.stream(text, Inputs({}))
    first.read_next_batch()
    assert engine.cancel() == 1
    with pytest.raises(CancelledError):
        first.read_all()
    second = engine.stream(text, Inputs({}))
    second.read_next_batch()
    engine.close()
    with pytest.raises(CancelledError):
        second.read_all()


def test_streams_in_threads(engine: DuckEngine):
    def work(k: int) -> int:
        reader = engine.stream(
            SqlFragment("SELECT id FROM t WHERE k = $k", {"k": k}), Inputs({"t": ArrowSource(TABLE)})
        )
        return sum(sum(batch.column(0).to_pylist()) for batch in reader)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(work, range(10))) == [sum(range(k, 20_000, 10)) for k in range(10)]


# --- Ctrl-C ---

SCRIPT = """
import os, signal, sys, threading, time
sys.path.insert(0, {tests!r})
import pyarrow as pa
from arrow_source import ArrowSource
from luma_bench.config import Settings
from luma_bench.engines.duck import DuckEngine
from luma_bench.plan.engine import Inputs, SqlFragment

engine = DuckEngine(Settings(threads=2))
table = pa.table({{"id": pa.array(range(100000), pa.int64())}})
LONG = "SELECT sum(hash(a.range + b.range)) AS s FROM range(10000000) a, range(10000000) b"
STREAM = "SELECT range FROM range(100000000000) WHERE range < 3000000 OR hash(range) = 1"
slow = ArrowSource(table, batch_rows=10, on_batch=lambda index: time.sleep(0.01))
inputs = Inputs({{"t": slow}})

def work():
    if {mode!r} == "run":
        engine.run(SqlFragment(LONG), inputs)
    elif {mode!r} == "source":
        engine.run(SqlFragment("SELECT sum(id) FROM t"), inputs)
    else:
        for batch in engine.stream(SqlFragment(STREAM), inputs):
            pass

def press():
    time.sleep(0.7)
    global pressed
    pressed = time.monotonic()
    os.kill(os.getpid(), signal.SIGINT)

threading.Thread(target=press).start()
try:
    work()
    print("not interrupted")
except KeyboardInterrupt:
    print("interrupted", time.monotonic() - pressed < 30)
print(engine.run(SqlFragment("SELECT 41 + 1 AS a"), Inputs({{}})).to_pylist(), engine.cancel())
"""


@pytest.mark.parametrize("mode", ["run", "source", "stream"])
def test_ctrl_c_stops_a_statement_that_would_run_for_hours(mode: str):
    code = SCRIPT.format(tests=str(Path(__file__).parent), mode=mode)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.splitlines() == ["interrupted True", "[{'a': 42}] 0"]
    # An engine that nobody closed leaves quietly.
    assert done.stderr == ""
    assert done.returncode == 0


def test_a_signal_can_be_raised_by_the_process_itself(hook_engine: DuckEngine):
    timer = threading.Timer(0.3, signal.raise_signal, (signal.SIGINT,))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        hook_engine.run(LONG, Inputs({}))
    timer.join()
    assert hook_engine.run(SqlFragment("SELECT 1 AS a"), Inputs({})).num_rows == 1


EXIT = """
import sys
sys.path.insert(0, {tests!r})
import pyarrow as pa
from arrow_source import ArrowSource
from luma_bench.config import Settings
from luma_bench.engines.duck import DuckEngine
from luma_bench.engines.duck_files import FileReader
from luma_bench.engines.duck_inspect import DuckInspector
from luma_bench.plan.engine import Inputs, SqlFragment

table = pa.table({{"a": pa.array(range(100000), pa.int64())}})
engine, inspector, inputs = DuckEngine(Settings(threads=2)), DuckInspector(), Inputs({{"t": ArrowSource(table)}})
inspector.describe("FROM t", {{"t": table.schema}})
begun = engine.stream(SqlFragment("FROM t a, t b"), inputs)
begun.read_next_batch()
unread = engine.stream(SqlFragment("FROM t"), inputs)
files = [FileReader().open({csv!r}) for _ in range(2)]
files[0].read_next_batch()
try:
    engine.run(SqlFragment("SELECT b FROM t"), inputs)
except Exception as error:
    kept = error
print("end")
"""


def test_a_process_that_closes_nothing_ends_quietly(tmp_path: Path):
    (tmp_path / "a.csv").write_text("a\n" + "1\n" * 300_000)
    code = EXIT.format(tests=str(Path(__file__).parent), csv=str(tmp_path / "a.csv"))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert (done.stdout, done.stderr, done.returncode) == ("end\n", "", 0)
