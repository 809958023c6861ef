"""An answer's rows leave memory with the last name for them: nothing of a result refers back to it."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest

import luma_bench as lb

ASKED: dict[str, Callable[[lb.Bench], pa.Table]] = {
    "a statement": lambda bench: bench.kadeql("SELECT a + 1 AS b FROM t").to_arrow(),
    "several statements": lambda bench: bench.kadeql("SELECT a FROM t; SELECT a + 1 AS b FROM t").to_arrow(),
    "the first of several": lambda bench: bench.kadeql("SELECT a FROM t; SELECT 1").results[0].to_arrow(),
    "a prepared statement": lambda bench: bench.prepare("SELECT a * $n AS b FROM t").run(n=2).to_arrow(),
    "a frame": lambda bench: bench.table("t").assign(b=lambda f: f.a + 1).to_arrow(),
    "a table": lambda bench: bench.table("t").to_arrow(),
    "a result as a frame": lambda bench: bench.kadeql("SELECT a + 1 AS b FROM t").frame().head(2).to_arrow(),
    "rows of a transaction": lambda bench: in_transaction(bench),
}


def in_transaction(bench: lb.Bench) -> pa.Table:
    with bench.transaction() as tx:
        return tx.kadeql("SELECT a + 2 AS b FROM t").to_arrow()


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[lb.Bench]:
    folder: Path = tmp_path_factory.mktemp("released")
    with lb.open(folder / "b.luma", threads=1, result_cache_bytes=0) as made:
        made.write("t", {"a": [1, 2, 3]})
        yield made


@pytest.mark.parametrize("asked", sorted(ASKED))
def test_rows_end_without_the_collector(bench: lb.Bench, asked: str) -> None:
    ASKED[asked](bench)
    gc.collect()
    gc.disable()
    try:
        rows = ASKED[asked](bench)
        ended = weakref.ref(rows)
        assert ended() is rows
        del rows
        assert ended() is None
    finally:
        gc.enable()


def test_a_result_is_the_last_of_its_own(bench: lb.Bench) -> None:
    one = bench.kadeql("SELECT 1 AS a")
    assert one.results == (one,)
    several = bench.kadeql("SELECT 1 AS a; SELECT 2 AS b; SELECT 3 AS c")
    assert several.results[-1] is several
    assert [result.schema.names for result in several.results] == [["a"], ["b"], ["c"]]
