"""Random statements answer as plain DuckDB answers them over the same rows, or both refuse."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import duckdb
import pytest
from select_data import fill_bench, fill_duckdb, make_tables
from select_grammar import Select

import luma_bench as lb
from benchmarks.agreement import same_rows
from luma_bench.storage.scan_pieces import Source


@dataclass(frozen=True)
class Pair:
    bench: lb.Bench
    peer: duckdb.DuckDBPyConnection
    pushes: bool


@pytest.fixture(scope="module", params=["scans choose", "scans filter"])
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Both sides over the same rows; once as it is, once with every predicate that can be applied exactly pushed down.

    A scan of a table as small as these leaves filtering to the engine, so the second run is the one that tests filters.
    """
    tables = make_tables()
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "scans filter":
            patch.setattr(Source, "worthwhile", lambda self, test: True)
        bench = fill_bench(tmp_path_factory.mktemp("differential") / "d.luma", tables)
        peer = fill_duckdb(tables)
        yield Pair(bench, peer, pushes=request.param == "scans filter")
        peer.close()
        bench.close()


def compare(pair: Pair, text: str) -> bool:
    """Whether the statement has an answer; raises when the two sides differ."""
    try:
        theirs = pair.peer.sql(text).to_arrow_table()
    except duckdb.Error:
        with pytest.raises(lb.errors.LumaError):
            pair.bench.kadeql(text, cache=False)
        return False
    ours = pair.bench.kadeql(text, cache=False).to_arrow()
    try:
        same_rows(theirs, ours)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{text}") from error
    return True


def run(pair: Pair, seeds: range) -> None:
    answered = sum(compare(pair, Select(seed).statement()) for seed in seeds)
    # The grammar makes statements that run: were most refused, this test would compare nothing.
    assert answered >= 0.9 * len(seeds)


@pytest.mark.parametrize("batch", range(10))
def test_random_statements(pair: Pair, batch: int) -> None:
    run(pair, range(batch * 15, batch * 15 + 15))


@pytest.mark.slow
@pytest.mark.parametrize("batch", range(30))
def test_many_random_statements(pair: Pair, batch: int) -> None:
    run(pair, range(1000 + batch * 100, 1000 + batch * 100 + 100))


def test_the_tables_span_segments_chunks_and_an_inline_tail(pair: Pair) -> None:
    run = pair.bench.kadeql("SELECT sum(id) AS s, count(k) AS n FROM t", cache=False).run
    assert run.segments_read >= 3
    assert run.chunks_read > run.segments_read
    pruned = pair.bench.kadeql("SELECT k FROM t WHERE id = 900", cache=False).run
    assert (pruned.rows_read < 400) == (pruned.chunks_pruned + pruned.segments_pruned > 0) == pair.pushes


@pytest.mark.parametrize(
    "text",
    [
        "SELECT nothing FROM t",
        "SELECT id FROM nowhere",
        "SELECT id FROM t WHERE",
        "SELECT k + 1 FROM t WHERE id = 3",
        "SELECT CAST(k AS INTEGER) FROM t",
        "SELECT sum(k) FROM t",
        "SELECT id FROM t GROUP BY k",
        "SELECT nope(id) FROM t",
        "SELECT * FROM t a JOIN u b USING (nothing)",
        "SELECT (SELECT id FROM t) AS x",
        "SELECT n * 2147483647 FROM t",
        "SELECT id FROM t UNION SELECT id, k FROM t",
        "SELECT x FROM t WHERE row_number() OVER () = 1",
    ],
)
def test_what_duckdb_refuses_is_refused(pair: Pair, text: str) -> None:
    assert not compare(pair, text)
