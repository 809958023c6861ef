"""How the DataFrame room runs a plan without knowing the bench: two small protocols."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import pyarrow as pa

from luma_bench.types.record import RunRecord


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

    def __len__(self) -> int: ...

    def _repr_html_(self) -> str:
        """The first rows and the run's badge as HTML, everything from outside escaped."""
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
    ) -> Answer:
        """Run one SELECT text and give its finished result; `tables` are extra relations by name."""
        ...

    def read(self, table: str, columns: Sequence[str] | None = None) -> Answer:
        """A whole table, or some of its columns, without SQL: exactly the Arrow types that were written."""
        ...

    def schema(self, table: str) -> pa.Schema:
        """The exact Arrow schema of a table at this executor's snapshot, without `_rowid`."""
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

    @property
    def snapshot(self) -> int:
        """The snapshot that this executor reads."""
        ...
