"""How the DataFrame room runs a plan without knowing the bench: two small protocols."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import pyarrow as pa

from luma_bench.types.record import RunRecord
from luma_bench.types.scan import ScanPart


@dataclass(frozen=True, slots=True)
class Divided:
    """A query whose rows are, part by part, those of the same query over each part of one table.

    Attributes
    ----------
    schema
        The query's names and types.
    relation, sql
        DuckDB's SQL for one part, read as `relation`, and nothing else; it gives the columns `c0`, `c1`, … in order.
        Without SQL the columns of `schema` are read in exactly the types that were written.
    timezone
        The time zone that the SQL runs in.
    held
        What keeps the snapshot from being collected as long as it lives.
    """

    parts: Sequence[ScanPart]
    schema: pa.Schema
    relation: str = ""
    sql: str | None = None
    timezone: str = ""
    held: object = field(default=None, repr=False, compare=False)


class Answer(Protocol):
    """A finished result: Arrow out, with its run record."""

    @property
    def run(self) -> RunRecord:
        """What ran and what it cost."""
        ...

    @property
    def schema(self) -> pa.Schema:
        """The result's schema."""
        ...

    def to_arrow(self) -> pa.Table:
        """The rows."""
        ...

    def to_reader(self) -> pa.RecordBatchReader:
        """The rows as a stream."""
        ...

    def to_pandas(self) -> Any:
        """A pandas DataFrame with nullable-safe dtypes."""
        ...

    def to_polars(self) -> Any:
        """A Polars DataFrame."""
        ...

    def to_dask(self, npartitions: int | None = None) -> Any:
        """A dask.dataframe over the rows."""
        ...

    def __len__(self) -> int: ...

    def _repr_html_(self) -> str:
        """The first rows and the run's badge as HTML, everything from outside escaped."""
        ...

    def titled(self, title: str, *, html: bool = False) -> str:
        """The same as text or as HTML, under a title that says of how many rows these are the first."""
        ...


class Executor(Protocol):
    """Runs KadeQL for a DataFrame, at the snapshot the frame was pinned to.

    Two executors are equal when one query can read the tables of both: the same bench at the same snapshot.
    """

    def execute(
        self,
        text: str,
        *,
        params: Mapping[str, object] | None = None,
        engine: str = "auto",
        strict: bool = False,
        tables: Mapping[str, Any] | None = None,
        timeout: float | None = None,
    ) -> Answer:
        """Run one SELECT text and give its finished result; `tables` are extra relations by name.

        Raises
        ------
        CancelledError
            It ran for more than `timeout` seconds; None is what the settings say.
        """
        ...

    def read(self, table: str, columns: Sequence[str] | None = None) -> Answer:
        """A whole table, or some of its columns, without SQL: exactly the Arrow types that were written."""
        ...

    def answer(self, rows: pa.Table) -> Answer:
        """Rows in memory as a finished result, exactly as they are."""
        ...

    def schema(self, table: str) -> pa.Schema:
        """The exact Arrow schema of a table at this executor's snapshot, without `_rowid`."""
        ...

    def order(self, table: str) -> tuple[str, ...] | None:
        """The columns that a table declares its rows to be in the order of (`sort_by`); None for a view: its rows have no ids."""
        ...

    def rows(self, table: str) -> int:
        """The number of rows of a table at this executor's snapshot; it costs no scan."""
        ...

    def describe(self, text: str, *, tables: Mapping[str, Any] | None = None) -> pa.Schema:
        """The Arrow schema a SELECT text yields, without running it."""
        ...

    def explain(self, text: str, *, tables: Mapping[str, Any] | None = None) -> str:
        """The plan of a SELECT text as printed text."""
        ...

    def stream(
        self,
        text: str,
        *,
        engine: str = "auto",
        strict: bool = False,
        tables: Mapping[str, Any] | None = None,
    ) -> pa.RecordBatchReader:
        """The rows of one SELECT text as the engine makes them, for more rows than memory holds."""
        ...

    def scan(self, table: str, columns: Sequence[str] | None = None) -> pa.RecordBatchReader:
        """A whole table, or some of its columns, as a stream without SQL, in exactly the types that were written."""
        ...

    def divided(
        self,
        text: str,
        *,
        table: str | None = None,
        columns: Sequence[str] | None = None,
        parts: int | None = None,
        tables: Mapping[str, Any] | None = None,
    ) -> Divided | None:
        """A SELECT text cut along the parts of the one table that it reads, for others to read; nothing runs.

        None where its rows do not come from one committed table row by row, or where the identity sees not all of it.

        Parameters
        ----------
        table, columns
            The table when the text asks for no more than columns of it: they come in exactly the types that were written.
        parts
            How many at most; None for parts of a convenient size.
        """
        ...

    def store(self, table: str, rows: pa.RecordBatchReader, mode: str, **details: Any) -> Executor:
        """Write rows into a table in one commit, and give what reads the snapshot that it made.

        `mode` and `details` are those of `Bench.write`.
        """
        ...

    @property
    def loose(self) -> bool:
        """Whether it belongs to no bench: it has no tables, and runs frames of data and of files."""
        ...

    @property
    def snapshot(self) -> int:
        """The snapshot that this executor reads."""
        ...
