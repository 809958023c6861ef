"""Graph questions that run long or large: they stop when asked, keep to their limits, and many may run at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from graph_statement_cases import STEP, STEP_SQL, bag, filled, rows

import luma_bench as lb
from luma_bench.errors import CancelledError, LumaError, ReadOnlyError, ResourceError

VERTICES, EDGES, HUB = 20_000, 200_000, 300_000
ENDLESS = "MATCH p = SIMPLE (x WHERE x.id = 1)-[]->+(y WHERE y.id = 2) ON GRAPH web RETURN count(*)"
LONG = {
    "enumeration": "MATCH (a)-[]->(b)-[]->(c)-[]->(d)-[]->(e) ON GRAPH web WHERE a.id + e.id = -1 RETURN a.id",
    "counting one by one": "MATCH (a)-[]->(b)-[]->(c)-[]->(d)-[]->(e) ON GRAPH web RETURN sum(a.id * c.id * e.id)",
    "pairs": "MATCH (a), (b) ON GRAPH star WHERE a.id + b.id = -1 RETURN a.id",
    "a hub": "MATCH (a)<-[]-(h)-[]->(b) ON GRAPH star RETURN sum(a.id * b.id)",
    "trails": "MATCH p = TRAIL (x)-[]->{1,9}(y) ON GRAPH web RETURN sum(path_length(p))",
    "simple paths": ENDLESS,
    "shortest paths": "MATCH p = ALL SHORTEST (x)-[]-+(y) ON GRAPH web RETURN sum(path_length(p))",
    "cheapest paths": "MATCH p = ANY CHEAPEST (x)-[r COST r.w]->+(y) ON GRAPH web RETURN sum(path_cost(p))",
    "pagerank": "SELECT sum(score) FROM PAGERANK(GRAPH web, tolerance => 0, iterations => 100000000)",
    "betweenness": "SELECT sum(score) FROM BETWEENNESS(GRAPH web)",
}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("limits") / "b.luma"
    random = np.random.default_rng(1)
    with lb.open(made) as bench:
        bench.write("v", {"id": np.arange(VERTICES)}, primary_key="id")
        ends = random.integers(0, VERTICES, (2, EDGES))
        bench.write("e", {"s": ends[0], "d": ends[1], "w": random.random(EDGES)})
        bench.write("hv", {"id": np.arange(HUB + 1)}, primary_key="id")
        bench.write("he", {"s": np.zeros(HUB, np.int64), "d": np.arange(1, HUB + 1)})
        for name, vertices, edges in (("web", "v", "e"), ("star", "hv", "he")):
            bench.kadeql(
                f"CREATE PROPERTY GRAPH {name} VERTEX TABLES ({vertices}) EDGE TABLES ({edges} SOURCE KEY (s) "
                f"REFERENCES {vertices} DESTINATION KEY (d) REFERENCES {vertices})"
            )
            bench.kadeql(f"MATCH ()-[]->() ON GRAPH {name} RETURN count(*)")
    return made


@pytest.fixture(scope="module")
def bench(path: Path) -> Iterator[lb.Bench]:
    with lb.open(path, mode="r") as opened:
        yield opened


def asked(bench: lb.Bench, text: str, into: list[object], **given: float) -> threading.Thread:
    """A thread that asks; what came of it, an answer or an error, goes into the list."""

    def ask() -> None:
        try:
            into.append(len(bench.kadeql(text, cache=False, **given)))  # pyright: ignore[reportArgumentType]
        except BaseException as error:
            into.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    return thread


def stopped(bench: lb.Bench, thread: threading.Thread, into: list[object]) -> None:
    """Assert that a question ends within seconds of `cancel`, generously."""
    thread.join(0.25)
    assert thread.is_alive(), into
    assert bench.cancel() >= 1
    started = time.perf_counter()
    thread.join(20)
    assert not thread.is_alive()
    assert isinstance(into[0], CancelledError), into
    assert time.perf_counter() - started < 10, "a second, on a machine that does nothing else"


def idle() -> bool:
    """Whether no thread works for a graph any more, which may take a moment."""
    for _ in range(100):
        if not [thread for thread in threading.enumerate() if thread.name == "luma-island"]:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("work", LONG)
def test_cancel_stops_every_kind_of_work(bench: lb.Bench, work: str) -> None:
    into: list[object] = []
    stopped(bench, asked(bench, LONG[work], into), into)
    assert idle()


def test_cancel_while_the_graph_is_planned(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from luma_bench.bench.graph.matching import MatchBinder

    known, begun, go = MatchBinder.bound, threading.Event(), threading.Event()

    def bound(self: MatchBinder, needed: frozenset[str]) -> object:
        begun.set()
        go.wait(20)
        return known(self, needed)

    monkeypatch.setattr(MatchBinder, "bound", bound)
    with lb.open(path, mode="r") as own:
        into: list[object] = []
        thread = asked(own, ENDLESS, into)
        assert begun.wait(20)
        assert own.cancel() == 1
        go.set()
        thread.join(20)
        assert isinstance(into[0], CancelledError)


def test_cancel_while_the_adjacency_is_built(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from luma_bench.bench.graph.topologies import Topologies

    begun = threading.Event()

    def get(self: Topologies, graph: object, view: object, control: object) -> None:
        begun.set()
        for _ in range(2_000):
            control.check()  # pyright: ignore
            time.sleep(0.01)

    monkeypatch.setattr(Topologies, "get", get)
    for text in (ENDLESS, LONG["pagerank"]):
        begun.clear()
        with lb.open(path, mode="r") as own:
            into: list[object] = []
            thread = asked(own, text, into)
            assert begun.wait(20)
            assert own.cancel() >= 1
            thread.join(20)
            assert isinstance(into[0], CancelledError), into


@pytest.mark.parametrize("work", ["enumeration", "simple paths", "betweenness"])
def test_a_timeout_stops_it(bench: lb.Bench, work: str) -> None:
    with pytest.raises(CancelledError, match=r"timeout of 0\.3 s"):
        bench.kadeql(LONG[work], cache=False, timeout=0.3)
    assert idle()


@pytest.mark.parametrize("work", ["trails", "pagerank"])
def test_ctrl_c_stops_it(bench: lb.Bench, work: str) -> None:
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        bench.kadeql(LONG[work], cache=False)
    assert idle()
    assert rows(bench, "MATCH (x WHERE x.id < 3) ON GRAPH web RETURN count(*)") == [(3,)]


def test_a_stream_that_nobody_reads_on_leaves_no_thread(bench: lb.Bench) -> None:
    stream = bench.stream(LONG["enumeration"].replace("= -1", "> 0"))
    assert stream.read_next_batch().num_rows
    del stream
    assert idle()


@pytest.mark.parametrize("work", ["simple paths", "counting one by one"])
def test_a_bench_may_be_closed_meanwhile(path: Path, work: str) -> None:
    own = lb.open(path, mode="r")
    into: list[object] = []
    thread = asked(own, LONG[work], into)
    thread.join(0.5)
    own.close()
    thread.join(20)
    assert not thread.is_alive()
    assert isinstance(into[0], LumaError), into


def test_results_that_are_too_large(bench: lb.Bench) -> None:
    text = "MATCH (x)-[]->(y) ON GRAPH web RETURN x.id, y.id AS d"
    for limit in ({"max_rows": 10}, {"max_bytes": 1_000}):
        with pytest.raises(ResourceError, match="more than"):
            bench.kadeql(text, cache=False, **limit)
    assert rows(bench, "MATCH (x)-[]->(y) ON GRAPH web RETURN count(*)", max_rows=1) == [(EDGES,)]
    assert bench.stream(text).read_all().num_rows == EDGES


def test_many_ask_at_once(bench: lb.Bench) -> None:
    wrong: list[object] = []

    def ask(first: int) -> None:
        try:
            for at in range(first, first + 4):
                given = {"params": {"n": at}, "cache": False}
                one = "MATCH (x WHERE x.id = $n)-[]->(y)-[]->(z) ON GRAPH web RETURN count(*), sum(z.id)"
                other = "SELECT count(*), sum(f.d) FROM e JOIN e f ON e.d = f.s WHERE e.s = $n"
                assert rows(bench, one, **given) == rows(bench, other, **given)
                depth = "SELECT depth FROM BFS(GRAPH web, source => $n) WHERE id = 7"
                path = "MATCH p = ANY SHORTEST (x WHERE x.id = $n)-[]->*(y WHERE y.id = 7) ON GRAPH web RETURN path_length(p)"
                assert rows(bench, depth, **given) == rows(bench, path, **given)
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=ask, args=(first * 4,)) for first in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not wrong


def test_little_memory_is_an_error_or_joins(path: Path) -> None:
    count = "MATCH (x)-[]->(y) ON GRAPH web RETURN count(*), sum(x.id)"
    with lb.open(path, mode="r", memory_limit=30_000_000) as own:
        assert rows(own, count) == rows(own, "SELECT count(*), sum(s) FROM e")
        with pytest.raises(ResourceError, match="may take 15 MB") as caught:
            own.kadeql("MATCH (a)<-[]-(h)-[]->(b) ON GRAPH star RETURN a.id, b.id AS c LIMIT 5")
        assert "memory_limit" in str(caught.value)
        assert rows(own, count) == rows(own, "SELECT count(*), sum(s) FROM e")


def test_a_graph_that_does_not_fit_becomes_joins(tmp_path: Path) -> None:
    with lb.open(tmp_path / "b.luma") as own:
        filled(own)
        own._machinery.statements.runner.binder.graphs._topologies.budget = 10
        answer = own.kadeql(STEP)
        assert bag(own, STEP) == bag(own, STEP_SQL)
        assert any("joins: the graph does not fit" in node.detail for node in answer.run.nodes)
        assert "joins: the graph does not fit" in rows(own, f"EXPLAIN {STEP}")[0][1]
        with pytest.raises(ResourceError, match="memory_limit"):
            own.kadeql("FROM PAGERANK(GRAPH g)")
        paths = "MATCH p = ALL SHORTEST (x)-[]->+(y) RETURN nodes(p)"
        with lb.open(tmp_path / "b.luma", mode="r") as other:
            assert bag(own, paths) == bag(other, paths)


_SCARCE = """
import resource, sys
import luma_bench as lb
bench = lb.open(sys.argv[1], mode="r", threads=1)
text = "MATCH p = TRAIL (x)-[]->{1,3}(y) ON GRAPH web RETURN nodes(p), edges(p)"
bench.kadeql("MATCH p = TRAIL (x WHERE x.id < 9)-[]->{1,2}(y) ON GRAPH web RETURN nodes(p), edges(p)", cache=False)
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 250_000_000,) * 2)
try:
    bench.kadeql(text, cache=False)
except (lb.errors.ResourceError, MemoryError) as error:
    print("told:", type(error).__name__)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="address space is limited as Linux does it")
def test_a_machine_without_memory_is_told_and_does_not_crash(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _SCARCE, str(path)], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.startswith("told: ResourceError"), done.stdout


def test_read_only_and_published(path: Path, bench: lb.Bench, tmp_path: Path) -> None:
    text = "MATCH (x WHERE x.id < 5)-[]->(y) ON GRAPH web RETURN x.id, y.id AS d ORDER BY ALL"
    expected = rows(bench, "SELECT s, d FROM e WHERE s < 5 ORDER BY ALL")
    assert rows(bench, text) == expected
    with pytest.raises(ReadOnlyError):
        bench.kadeql("INSERT INTO v MATCH (x) ON GRAPH web RETURN x.id + 1000000")
    with lb.open(path) as own:
        own.publish(tmp_path / "shown")
    with lb.open(tmp_path / "shown", mode="r") as shown:
        run = shown.kadeql(text).run
        assert run.warnings == ()
        assert rows(shown, text) == expected
        assert rows(shown, "SELECT count(*) FROM WEAKLY_CONNECTED_COMPONENTS(GRAPH star)") == [(HUB + 1,)]


@pytest.mark.slow
def test_a_hub_of_a_million_edges(tmp_path: Path) -> None:
    hub = 1_000_000
    with lb.open(tmp_path / "hub.luma") as bench:
        bench.write("v", {"id": np.arange(hub + 1)}, primary_key="id")
        bench.write("e", {"s": np.zeros(hub, np.int64), "d": np.arange(1, hub + 1)})
        bench.kadeql(
            "CREATE PROPERTY GRAPH g VERTEX TABLES (v) EDGE TABLES (e SOURCE KEY (s) REFERENCES v DESTINATION KEY (d) REFERENCES v)"
        )
        assert rows(bench, "MATCH (a)<-[]-(h)-[]->(b) RETURN count(*)") == [(hub * hub,)]
        assert rows(bench, "MATCH (a WHERE a.id = 7)<-[]-(h)-[]->(b) RETURN count(*), sum(b.id)") == [
            (hub, hub * (hub + 1) // 2)
        ]
        paths = "MATCH p = ANY SHORTEST (a WHERE a.id = 7)-[]-+(b WHERE b.id = 9) RETURN nodes(p)"
        assert rows(bench, paths) == [([7, 0, 9],)]
        assert rows(bench, "SELECT max(in_degree), max(out_degree) FROM DEGREES(GRAPH g)") == [(1, hub)]
        with pytest.raises(CancelledError):
            bench.kadeql("MATCH (a)<-[]-(h)-[]->(b) RETURN a.id, b.id AS c", cache=False, timeout=2)
