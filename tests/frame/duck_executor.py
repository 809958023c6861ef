"""A bench in miniature: the executor protocol over one DuckDB connection, with the texts it was given on record."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb
import pyarrow as pa

from luma_bench.types.record import RunRecord


def _rows(text: str) -> str:
    """The text for a DuckDB that does not know `with_rowid(t)`."""
    return re.sub(r'with_rowid\(("?)(.+?)\1\)', lambda found: f'"ids of {found[2]}"', text)


@dataclass
class TableAnswer:
    table: pa.Table
    run: RunRecord

    @property
    def schema(self) -> pa.Schema:
        return self.table.schema

    def to_arrow(self) -> pa.Table:
        return self.table

    def to_reader(self) -> pa.RecordBatchReader:
        return self.table.to_reader()

    def to_pandas(self) -> Any:
        return self.table.to_pandas()

    def to_polars(self) -> Any:
        import polars as pl

        return pl.from_arrow(self.table)

    def __len__(self) -> int:
        return self.table.num_rows

    def titled(self, title: str, *, html: bool = False) -> str:
        return f"{title}\n{self._repr_html_() if html else self.table}"

    def _repr_html_(self) -> str:
        return html.escape(str(self.table))


@dataclass
class DuckExecutor:
    stored: dict[str, pa.Table]
    snapshot: int = 1
    texts: list[str] = field(default_factory=list)
    reads: list[tuple[str, Sequence[str] | None]] = field(default_factory=list)
    described: list[str] = field(default_factory=list)

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other

    def __post_init__(self) -> None:
        self.connection = duckdb.connect(
            config={"python_enable_replacements": False, "threads": 1, "arrow_lossless_conversion": False}
        )
        self.connection.execute("SET TimeZone = 'UTC'")
        for name, table in self.stored.items():
            self.store(name, table)

    def store(self, name: str, table: pa.Table) -> None:
        self.stored[name] = table
        self.connection.register(name, table)
        ids = pa.array(range(table.num_rows), pa.int64())
        self.connection.register(f"ids of {name}", table.add_column(0, "_rowid", ids))

    def _cursor(self, tables: Mapping[str, Any] | None) -> duckdb.DuckDBPyConnection:
        for name, table in (tables or {}).items():
            self.connection.register(name, table)
        return self.connection

    def _answer(self, table: pa.Table) -> TableAnswer:
        return TableAnswer(table, RunRecord("duckdb", "only engine", self.snapshot, rows_out=table.num_rows))

    def execute(
        self,
        text: str,
        *,
        params: Mapping[str, object] | None = None,
        engine: str = "auto",
        strict: bool = False,
        tables: Mapping[str, Any] | None = None,
        timeout: float | None = None,
    ) -> TableAnswer:
        self.texts.append(text)
        return self._answer(
            self._cursor(tables).sql(_rows(text), params=dict(params) if params else None).to_arrow_table()
        )

    def read(self, table: str, columns: Sequence[str] | None = None) -> TableAnswer:
        self.reads.append((table, columns))
        whole = self.stored[table]
        return self._answer(whole if columns is None else whole.select(list(columns)))

    def answer(self, rows: pa.Table) -> TableAnswer:
        return self._answer(rows)

    def stream(
        self,
        text: str,
        *,
        engine: str = "auto",
        strict: bool = False,
        tables: Mapping[str, Any] | None = None,
    ) -> pa.RecordBatchReader:
        return self.execute(text, tables=tables).to_reader()

    def scan(self, table: str, columns: Sequence[str] | None = None) -> pa.RecordBatchReader:
        return self.read(table, columns).to_reader()

    @property
    def loose(self) -> bool:
        return False

    def schema(self, table: str) -> pa.Schema:
        return self.stored[table].schema

    def order(self, table: str) -> tuple[str, ...] | None:
        return ()

    def rows(self, table: str) -> int:
        return self.stored[table].num_rows

    def describe(self, text: str, *, tables: Mapping[str, Any] | None = None) -> pa.Schema:
        self.described.append(text)
        return self._cursor(tables).sql(f"SELECT * FROM ({_rows(text)}) LIMIT 0").to_arrow_table().schema

    def explain(self, text: str, *, tables: Mapping[str, Any] | None = None) -> str:
        rows = self._cursor(tables).sql(f"EXPLAIN {_rows(text)}").fetchall()
        return "\n".join(row[-1] for row in rows)
