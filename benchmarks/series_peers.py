"""The contenders of the series benchmarks: one bench, DuckDB over Arrow and over its own tables, Polars, chdb."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib import util
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa

import luma_bench as lb
from benchmarks import series_data
from benchmarks.frame_agreement import check
from benchmarks.harness import Case, Contender
from benchmarks.suite import Request

LUMA, ARROW, NATIVE, POLARS, CHDB = "luma", "duckdb over arrow", "duckdb", "polars", "chdb"


@dataclass(frozen=True, slots=True)
class World:
    """The tables, loaded into every contender."""

    tables: dict[str, pa.Table]
    bench: lb.Bench
    arrow: duckdb.DuckDBPyConnection
    native: duckdb.DuckDBPyConnection
    frames: dict[str, pl.LazyFrame]
    chdb: Any = None


@dataclass(frozen=True, slots=True)
class Question:
    """The same question as KadeQL, as DuckDB's SQL, as a Polars query and, where chdb can answer, as ClickHouse's SQL.

    Attributes
    ----------
    keys
        Columns of the answer that name a row; without them answers are compared as bags.
    limit
        At most this share of the fastest peer's time; None where no figure is promised.
    against
        The peers that the figure is about; empty for all.
    """

    name: str
    luma: str
    duck: str | None
    polars: Callable[[dict[str, pl.LazyFrame]], pl.DataFrame] | None = None
    chdb: str | None = None
    keys: tuple[str, ...] = ()
    limit: float | None = None
    against: tuple[str, ...] = field(default=())
    compared: bool = True


@contextmanager
def world(request: Request, names: tuple[str, ...], *, clickhouse: bool = False) -> Generator[World]:
    """The named tables in every contender, which are closed afterwards."""
    size = series_data.QUICK if request.quick else series_data.FULL
    held = {name: table for name, table in series_data.tables(size, request.data).items() if name in names}
    with ExitStack() as stack:
        folder = stack.enter_context(request.scratch())
        bench = stack.enter_context(series_data.bench(held, folder / "series.luma", request.threads))
        connections: list[duckdb.DuckDBPyConnection] = []
        for own in (False, True):
            con = duckdb.connect(config={"threads": request.threads, "python_enable_replacements": False})
            stack.callback(con.close)
            con.execute("SET TimeZone = 'UTC'; SET preserve_insertion_order = false")
            for name, table in held.items():
                con.register(f"{name}_arrow" if own else name, table)
                if own:
                    con.execute(f"CREATE TABLE {name} AS SELECT * FROM {name}_arrow ORDER BY ALL")
                    con.unregister(f"{name}_arrow")
            connections.append(con)
        frames = {name: pl.DataFrame(table).lazy() for name, table in held.items()}
        session = _chdb(stack, folder, held, request) if clickhouse and util.find_spec("chdb") else None
        arrow, native = connections
        yield World(held, bench, arrow, native, frames, session)


def _chdb(stack: ExitStack, folder: Path, held: dict[str, pa.Table], request: Request) -> Any:
    from chdb import session
    from pyarrow import parquet

    opened = session.Session(str(folder / "chdb"))
    stack.callback(opened.close)
    opened.query("CREATE DATABASE b")
    for name, table in held.items():
        path = folder / f"{name}.parquet"
        parquet.write_table(table, path)
        opened.query(
            f"CREATE TABLE b.{name} ENGINE = MergeTree ORDER BY ({table.column_names[0]}, ts) "
            f"SETTINGS allow_nullable_key = 1 AS SELECT * FROM file('{path}', Parquet)"
        )
        opened.query(f"OPTIMIZE TABLE b.{name} FINAL")
    opened.query(f"SET max_threads = {request.threads}")
    return opened


def case(question: Question, held: World) -> Case:
    """The question to every contender that can answer it; all answers are compared before any is timed."""

    def luma() -> pa.Table:
        return held.bench.kadeql(question.luma, cache=False).to_arrow()

    found = [Contender(LUMA, luma)]
    if question.duck is not None:
        text = question.duck
        found += [
            Contender(name, lambda con=con: con.sql(text).to_arrow_table())
            for name, con in ((ARROW, held.arrow), (NATIVE, held.native))
        ]
    if question.polars is not None:
        ask = question.polars
        found.append(Contender(POLARS, lambda: ask(held.frames)))
    if question.chdb is not None and held.chdb is not None:
        asked = question.chdb
        found.append(Contender(CHDB, lambda: held.chdb.query(asked, "ArrowTable")))

    def agree(ours: Any, theirs: Any) -> None:
        check(_plain(ours), _plain(theirs), question.keys)

    return Case(question.name, tuple(found), agree if question.compared else None)


def _plain(answer: Any) -> pa.Table:
    """An answer with numbers, moments and texts of one kind each."""
    table = answer.to_arrow() if isinstance(answer, pl.DataFrame) else answer
    fields: list[pa.Array] = []
    for column in table.columns:
        kind = column.type
        if pa.types.is_timestamp(kind):
            column = column.cast(pa.timestamp("us", kind.tz)).cast(pa.int64())
        elif pa.types.is_integer(kind) or pa.types.is_decimal(kind):
            column = column.cast(pa.float64())
        elif pa.types.is_dictionary(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
            column = column.cast(pa.string())
        fields.append(column)
    return pa.table(fields, names=table.column_names)
