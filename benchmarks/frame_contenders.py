"""Who answers the db-benchmark's questions: each loads the tables of a task its own way, and answers with all rows in memory."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

import luma_bench as lb
from benchmarks import frame_questions
from benchmarks.frame_questions import QUESTIONS, Ask

FRAME, KADEQL, PANDAS, POLARS, IBIS, DASK = (
    "luma frame", "luma kadeql", "pandas", "polars lazy", "ibis/duckdb", "dask.dataframe"
)  # fmt: skip
STREAMED = "luma frame, streamed"
"""Only weighed: a bench with less memory, answers read batch by batch."""
LIMIT, POOL = 500_000_000, 128_000_000
"""What the engine of such a bench may hold, and its decoded chunks."""
NAMES = (KADEQL, FRAME, PANDAS, POLARS, IBIS, DASK)

type Files = Mapping[str, Path]


@dataclass(frozen=True, slots=True)
class Loaded:
    """The tables of one task, ready to be asked.

    `answer` takes a question's place in `QUESTIONS` and gives all of its rows in the library's own form, `arrow` that form
    as an Arrow table, and `close` lets go of the tables.
    """

    answer: Callable[[int], Any]
    arrow: Callable[[Any], pa.Table]
    close: Callable[[], None]


def available() -> tuple[str, ...]:
    """The contenders whose libraries are installed, in the order of a round."""
    needs = {IBIS: "ibis", DASK: "dask"}
    return tuple(name for name in NAMES if name not in needs or importlib.util.find_spec(needs[name]))


def store(files: Mapping[str, Files], folder: Path, threads: int) -> None:
    """Write a bench for each task."""
    for task, tables in files.items():
        with lb.open(folder / f"{task}.luma", threads=threads) as bench:
            for name, file in tables.items():
                bench.write(name, str(file))


def load(name: str, task: str, files: Files, folder: Path, threads: int) -> Loaded:
    """Load the tables of `task`: the two of ours from the bench in `folder`, the others from the Parquet files."""
    if name == STREAMED:
        return _streamed(files, folder / f"{task}.luma", threads)
    if name in (FRAME, KADEQL):
        return _luma(name, files, folder / f"{task}.luma", threads)
    return {PANDAS: _pandas, POLARS: _polars, IBIS: _ibis, DASK: _dask}[name](files, threads)


def _luma(name: str, files: Files, path: Path, threads: int) -> Loaded:
    # No result cache: every call runs the query.
    bench = lb.open(path, mode="r", threads=threads, result_cache_bytes=0)
    if name == KADEQL:

        def said(place: int) -> pa.Table:
            return bench.kadeql(QUESTIONS[place].text).to_arrow()

        return Loaded(said, _itself, bench.close)
    tables = {table: bench.table(table) for table in files}
    asks = frame_questions.luma()

    def asked(place: int) -> pa.Table:
        return asks[place](tables).to_arrow()

    return Loaded(asked, _itself, bench.close)


def _streamed(files: Files, path: Path, threads: int) -> Loaded:
    bench = lb.open(
        path, mode="r", threads=threads, result_cache_bytes=0, memory_limit=LIMIT, pool_bytes=POOL
    )
    tables = {table: bench.table(table) for table in files}
    asks = frame_questions.luma()

    def read(place: int) -> int:
        return sum(batch.num_rows for batch in asks[place](tables).to_reader())

    return Loaded(read, _itself, bench.close)


def _pandas(files: Files, threads: int) -> Loaded:
    import pandas as pd

    tables = {table: pd.read_parquet(file) for table, file in files.items()}
    return _eager(frame_questions.pandas(), tables, lambda found: found, _from_pandas)


def _dask(files: Files, threads: int) -> Loaded:
    import dask
    import dask.dataframe as dd
    import pandas as pd

    tables: dict[str, Any] = {}
    for table, file in files.items():
        rows = pd.read_parquet(file)
        tables[table] = dd.from_pandas(rows, npartitions=4 * threads if len(rows) >= 100_000 else 1)

    def compute(found: Any) -> Any:
        with dask.config.set(scheduler="threads", num_workers=threads):
            return found.compute()

    return _eager(frame_questions.dask(), tables, compute, _from_pandas)


def _polars(files: Files, threads: int) -> Loaded:
    import polars as pl

    tables = {table: pl.read_parquet(file).lazy() for table, file in files.items()}
    return _eager(
        frame_questions.polars(), tables, lambda found: found.collect(), lambda found: found.to_arrow()
    )


def _ibis(files: Files, threads: int) -> Loaded:
    import ibis

    con = ibis.duckdb.connect(threads=threads)
    for table, file in files.items():
        con.raw_sql(f"CREATE TABLE {table} AS FROM read_parquet('{file}')")
    tables: dict[str, Any] = {table: con.table(table) for table in files}
    asks = frame_questions.ibis()
    return Loaded(lambda place: asks[place](tables).to_pyarrow(), _itself, con.disconnect)


def _eager(
    asks: list[Ask], tables: dict[str, Any], finish: Callable[[Any], Any], arrow: Callable[[Any], pa.Table]
) -> Loaded:
    return Loaded(lambda place: finish(asks[place](tables)), arrow, tables.clear)


def _itself(answer: pa.Table) -> pa.Table:
    return answer


def _from_pandas(answer: Any) -> pa.Table:
    return pa.Table.from_pandas(answer, preserve_index=False).replace_schema_metadata(None)


def rows_of(files: Files) -> int:
    """The rows of a task's large table."""
    return pq.ParquetFile(files["x"]).metadata.num_rows
