"""Ctrl-C, `cancel` and other threads at every stage of every kind of statement: nothing half-written, the handle in use after."""

from __future__ import annotations

import contextlib
import gc
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pyarrow as pa
import pytest

import luma_bench as lb
from luma_bench.bench.interrupt import interruptible
from luma_bench.errors import CancelledError, LumaError

# Python drops an interrupt that comes while it runs a finalizer, and pytest tells of it.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

ROWS = 120_000
STEPS = 7


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[lb.Bench]:
    with lb.open(tmp_path / "b.luma", threads=2, files=[tmp_path], files_write=[tmp_path]) as opened:
        opened.kadeql(f"CREATE TABLE t AS SELECT i AS a, 's' || i AS s FROM range({ROWS}) r(i)")
        opened.kadeql("CREATE TABLE k (a BIGINT PRIMARY KEY, s VARCHAR)")
        opened.kadeql(f"COPY t TO '{tmp_path}/in.csv'")
        yield opened


class Interrupts:
    """SIGINT to the main thread some time after a call began; what comes when the call is over is dropped."""

    def __init__(self) -> None:
        self.armed = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if self.armed:
            self.armed = False
            raise KeyboardInterrupt

    def around(self, call: Callable[[], object], delay: float) -> str:
        main = threading.main_thread().ident
        assert main is not None
        timer = threading.Timer(delay, signal.pthread_kill, (main, signal.SIGINT))
        try:
            self.armed = True
            timer.start()
            call()
            self.armed = False
        except (KeyboardInterrupt, CancelledError):
            return "stopped"
        else:
            return "done"
        finally:
            self.armed = False
            timer.join()


@pytest.fixture
def interrupts() -> Iterator[Interrupts]:
    handler = Interrupts()
    before = signal.signal(signal.SIGINT, handler)
    yield handler
    signal.signal(signal.SIGINT, before)


def duration(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def settled(bench: lb.Bench) -> bool:
    """Whether nothing runs any more; what an exception's traceback still holds is let go first."""
    deadline = time.perf_counter() + 20
    while bench.running() and time.perf_counter() < deadline:
        gc.collect()
        time.sleep(0.01)
    return bench.running() == ()


def state(bench: lb.Bench) -> tuple[Any, ...]:
    """What a statement may have changed."""
    counts = "SELECT (SELECT count(*) FROM t) AS t, (SELECT count(*) FROM k) AS k, (SELECT coalesce(sum(a), 0) FROM t) AS s"
    return (*bench.kadeql(counts, cache=False).to_arrow().to_pylist()[0].values(), tuple(bench.tables()))


CHANGES = {
    "insert": "INSERT INTO t SELECT a + 1000000, s FROM t WHERE a < 60000",
    "insert with a key": "INSERT INTO k SELECT a, s FROM t WHERE hash(a) % 2 = 0",
    "create as": "CREATE TABLE made AS SELECT a, s, hash(s) AS h FROM t",
    "update": "UPDATE t SET a = a + 5 WHERE hash(a) % 3 = 0",
    "delete": "DELETE FROM t WHERE hash(a) % 3 = 0",
    "copy": "COPY t FROM '{folder}/in.csv'",
}


@pytest.mark.parametrize("kind", list(CHANGES))
def test_an_interrupted_change_is_made_whole_or_not_at_all(
    bench: lb.Bench, tmp_path: Path, interrupts: Interrupts, kind: str
):
    text = CHANGES[kind].replace("{folder}", str(tmp_path))
    before = state(bench)
    bench.kadeql("BEGIN")
    whole = duration(lambda: bench.kadeql(text))
    after = state(bench)
    bench.kadeql("ROLLBACK")
    assert state(bench) == before
    outcomes: set[str] = set()
    for step in range(STEPS):
        outcomes.add(interrupts.around(lambda: bench.kadeql(text), whole * 1.3 * step / STEPS))
        found = state(bench)
        assert found in (before, after)
        assert settled(bench)
        assert not bench.in_transaction
        if found == after:
            bench.kadeql("BEGIN; TRUNCATE k; DROP TABLE IF EXISTS made; CREATE OR REPLACE TABLE t AS "
                         f"SELECT i AS a, 's' || i AS s FROM range({ROWS}) r(i); COMMIT")  # fmt: skip
            assert state(bench) == before
    assert "stopped" in outcomes
    assert bench.check().ok
    bench.write("t", {"a": [1], "s": ["x"]}, mode="append")


def test_an_interrupted_transaction_is_committed_or_not(bench: lb.Bench, interrupts: Interrupts):
    for step in range(STEPS):
        before = state(bench)

        def work() -> None:
            with bench.transaction(message="both") as tx:
                tx.kadeql("INSERT INTO t VALUES (-1, 'x')")
                tx.kadeql("INSERT INTO k SELECT coalesce(max(a), 0) + 1, 'x' FROM k")

        interrupts.around(work, 0.004 * step)
        found = state(bench)
        assert (found[0] - before[0], found[1] - before[1]) in ((0, 0), (1, 1))
        assert not bench.in_transaction
    assert bench.check().ok


def test_an_interrupted_copy_leaves_no_file(bench: lb.Bench, tmp_path: Path, interrupts: Interrupts):
    for name in ("o.csv", "o.parquet", "o.arrow", "o.json"):
        text = f"COPY t TO '{tmp_path / name}'"
        whole = duration(lambda text=text: bench.kadeql(text))
        (tmp_path / name).write_text("old")
        for step in range(4):
            outcome = interrupts.around(lambda text=text: bench.kadeql(text), whole * step / 4)
            content = (tmp_path / name).read_bytes()
            assert (content == b"old") or outcome == "done" or len(content) > 100_000
            (tmp_path / name).write_text("old")
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"b.luma", "in.csv", "o.csv", "o.parquet", "o.arrow", "o.json"}


def test_an_interrupted_query_frees_its_cursor(bench: lb.Bench, interrupts: Interrupts):
    def ask() -> None:
        bench.kadeql(
            "SELECT s, count(*) AS n, max(hash(a, s)) FROM t GROUP BY s ORDER BY n, s", cache=False
        ).to_pandas()

    ask()
    whole = duration(ask)
    outcomes = {interrupts.around(ask, whole * step / STEPS) for step in range(STEPS)}
    assert "stopped" in outcomes
    assert settled(bench)
    assert state(bench)[0] == ROWS


def test_an_interrupted_stream_can_be_dropped_or_read_on(bench: lb.Bench, interrupts: Interrupts):
    endless = "SELECT i, hash(i) AS h FROM range(100000000000) r(i)"

    def read() -> None:
        for _ in bench.stream(endless):
            pass

    assert interrupts.around(read, 0.3) == "stopped"
    assert settled(bench)
    assert bench.stream("SELECT count(*) AS n FROM t").read_all()["n"].to_pylist() == [ROWS]


def test_an_interrupted_parse_leaves_the_parser_whole(bench: lb.Bench, interrupts: Interrupts):
    text = "SELECT " + ", ".join(f"a + {n} AS c{n}" for n in range(3000)) + " FROM t LIMIT 1"
    for step in range(STEPS):
        interrupts.around(
            lambda step=step: bench.kadeql(text.replace("c1 ", f"d{step} "), cache=False), 0.01 + 0.02 * step
        )
    assert bench.kadeql(text).to_arrow().num_columns == 3000


ENDLESS = {
    "query": "SELECT sum(x.i * y.i) AS s FROM range(1000000) x(i), range(1000000) y(i)",
    "create as": "CREATE TABLE made AS SELECT x.i FROM range(1000000) x(i), range(1000000) y(i)",
    "insert": "INSERT INTO t SELECT x.i, 'x' FROM range(1000000) x(i), range(1000000) y(i)",
    "delete": "DELETE FROM t WHERE a IN (SELECT hash(x.i * y.i) FROM range(1000000) x(i), range(1000000) y(i))",
    "update": "UPDATE t SET a = (SELECT max(hash(x.i * y.i)) % 7 FROM range(1000000) x(i), range(1000000) y(i))",
    "copy": "COPY (SELECT x.i FROM range(1000000) x(i), range(1000000) y(i)) TO '{folder}/o.csv'",
    "explain": "EXPLAIN ANALYZE SELECT sum(x.i * y.i) AS s FROM range(1000000) x(i), range(1000000) y(i)",
}


@contextlib.contextmanager
def cancelling(bench: lb.Bench) -> Iterator[None]:
    """Another thread cancels again and again, a moment after the block began."""
    over = threading.Event()

    def cancel() -> None:
        time.sleep(0.15)
        while not over.wait(0.02):
            bench.cancel()

    thread = threading.Thread(target=cancel)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.mark.parametrize("kind", list(ENDLESS))
def test_another_thread_cancels(bench: lb.Bench, tmp_path: Path, kind: str):
    before = state(bench)
    started = time.perf_counter()
    with cancelling(bench), pytest.raises(CancelledError):
        bench.kadeql(ENDLESS[kind].replace("{folder}", str(tmp_path)))
    assert time.perf_counter() - started < 20
    assert state(bench) == before
    assert not (tmp_path / "o.csv").exists()
    assert settled(bench)


@pytest.mark.parametrize("kind", list(ENDLESS))
def test_an_interrupt_in_a_cell_cancels(bench: lb.Bench, tmp_path: Path, kind: str):
    """As notebook cells and the command line run statements."""
    before = state(bench)
    main = threading.main_thread().ident
    assert main is not None
    timer = threading.Timer(0.2, signal.pthread_kill, (main, signal.SIGINT))
    timer.start()
    with pytest.raises(CancelledError), interruptible(bench):
        bench.kadeql(ENDLESS[kind].replace("{folder}", str(tmp_path)))
    timer.join()
    assert state(bench) == before


@pytest.mark.slow
def test_a_copy_that_is_stopped_never_waits_for_its_own_writers(bench: lb.Bench, tmp_path: Path):
    """DuckDB's writers of text on threads of their own wait for each other when a COPY ends early, one time in some dozens."""
    text = ENDLESS["copy"].replace("{folder}", str(tmp_path))
    for number in range(100):
        timer = threading.Timer(0.01 + 0.03 * (number % 8), bench.cancel)
        timer.start()
        with cancelling(bench), pytest.raises(CancelledError):
            bench.kadeql(text)
        timer.join()
    assert not (tmp_path / "o.csv").exists()


def test_a_statement_of_another_thread_goes_on_while_one_is_interrupted(
    bench: lb.Bench, interrupts: Interrupts
):
    answers: list[pa.Table | LumaError] = []

    def ask() -> None:
        try:
            answers.append(
                bench.kadeql(
                    "SELECT count(*) AS n FROM range(40000000) r(i) WHERE hash(i) % 3 = 7"
                ).to_arrow()
            )
        except LumaError as error:
            answers.append(error)

    other = threading.Thread(target=ask)
    other.start()
    assert interrupts.around(lambda: bench.kadeql(ENDLESS["query"]), 0.2) == "stopped"
    other.join()
    assert isinstance(answers[0], pa.Table)
