"""43 questions about a table of 105 columns answer as DuckDB does over its own; where LIMIT cuts between equals, as it may."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

import luma_bench as lb
from benchmarks import hits_data, hits_texts
from benchmarks.harness import DisagreementError
from benchmarks.limited import agreement

TEXTS = hits_texts.texts()
CHECKOUT = os.environ.get("LUMA_CLICKBENCH")


@pytest.fixture(scope="module")
def hits_table() -> pa.Table:
    return hits_data.table(20_000, seed=7)


@pytest.fixture(scope="module")
def hits_bench(tmp_path_factory: pytest.TempPathFactory, hits_table: pa.Table) -> Iterator[lb.Bench]:
    # Small chunks, so that 20,000 rows are pruned and decoded in several pieces.
    path = tmp_path_factory.mktemp("hits") / "hits.luma"
    with lb.open(path, threads=2, chunk_rows=4096, shard_rows=8192) as bench:
        bench.write("hits", hits_table)
        yield bench


@pytest.fixture(scope="module")
def peer(hits_table: pa.Table) -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect(config={"threads": 2})
    connection.register("given", hits_table)
    connection.execute("CREATE TABLE hits AS FROM given")
    yield connection
    connection.close()


@pytest.mark.parametrize("name", TEXTS)
def test_question_answers_as_duckdb(hits_bench: lb.Bench, peer: duckdb.DuckDBPyConnection, name: str) -> None:
    text = TEXTS[name]

    answer = hits_bench.kadeql(text)

    agreement(text, peer)(peer.sql(text).to_arrow_table(), answer.to_arrow())
    assert answer.run.fallbacks == ()


@pytest.mark.skipif(CHECKOUT is None, reason="LUMA_CLICKBENCH names no checkout of ClickBench")
@pytest.mark.parametrize("number", range(hits_texts.COUNT))
def test_clickbench_answers_as_duckdb(
    hits_bench: lb.Bench, peer: duckdb.DuckDBPyConnection, number: int
) -> None:
    text = list(hits_texts.texts(Path(CHECKOUT or "")).values())[number]

    answer = hits_bench.kadeql(text)

    agreement(text, peer)(peer.sql(text).to_arrow_table(), answer.to_arrow())


def test_the_table_has_clickbenchs_columns_and_is_made_from_its_seed(hits_table: pa.Table) -> None:
    assert hits_table.num_columns == len(set(hits_table.column_names)) == 105
    assert [str(hits_table.schema.field(name).type) for name in ("WatchID", "Title", "EventTime", "EventDate", "Age")] == [
        "int64", "string", "timestamp[us]", "date32[day]", "int16",
    ]  # fmt: skip
    assert hits_table.equals(hits_data.table(20_000, seed=7))
    assert not hits_table.equals(hits_data.table(20_000, seed=8))


TIED = pa.table({"k": [1, 2, 2, 2, 3], "v": [10, 20, 21, 22, 30]})


@pytest.fixture(scope="module")
def tied() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect()
    connection.register("tied", TIED)
    yield connection
    connection.close()


@pytest.mark.parametrize("values", [[10, 20], [10, 21], [10, 22]])
def test_any_of_the_rows_that_tie_may_stand_at_the_end(
    tied: duckdb.DuckDBPyConnection, values: list[int]
) -> None:
    agree = agreement("SELECT v FROM tied ORDER BY k LIMIT 2", tied)
    agree(pa.table({"v": [10, 20]}), pa.table({"v": values}))


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("SELECT v FROM tied ORDER BY k LIMIT 2", [10, 30]),  # beyond the tie
        ("SELECT v FROM tied ORDER BY k LIMIT 2", [20, 21]),  # without a row that must stand there
        ("SELECT v FROM tied ORDER BY k LIMIT 2", [10]),  # too few
        ("SELECT v FROM tied ORDER BY k LIMIT 3", [10, 20, 20]),  # one twice
        ("SELECT v FROM tied ORDER BY k LIMIT 2 OFFSET 1", [10, 20]),  # before the window
        ("SELECT v FROM tied ORDER BY k DESC LIMIT 1", [10]),  # from the other end
        ("SELECT v FROM tied ORDER BY v LIMIT 2", [20, 10]),  # out of order
        ("SELECT v FROM tied LIMIT 2", [10, 11]),  # not in the table
    ],
)
def test_what_cannot_be_the_answer_is_found(
    tied: duckdb.DuckDBPyConnection, text: str, values: list[int]
) -> None:
    right = tied.sql(text).to_arrow_table()
    with pytest.raises(DisagreementError):
        agreement(text, tied)(right, pa.table({"v": values}))
