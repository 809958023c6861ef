"""How a DataFrame runs: a bench pinned at one snapshot, behind the `Executor` protocol."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from luma_bench.bench.ask import Ask
from luma_bench.bench.relations import arrow_relations
from luma_bench.bench.result import Result
from luma_bench.types.record import RunRecord
from luma_bench.types.scan import ScanCounters

if TYPE_CHECKING:
    from luma_bench.bench.statements import Statements
    from luma_bench.storage.store import ResolvedSnapshot


class PinnedExecutor:
    """Runs a frame's KadeQL at the snapshot the frame was made at."""

    def __init__(self, statements: Statements, snapshot: ResolvedSnapshot) -> None:
        self._statements = statements
        self._pinned = snapshot

    def __eq__(self, other: object) -> bool:
        """Equal when one query can read the tables of both: the same bench at the same snapshot."""
        if not isinstance(other, PinnedExecutor):
            return NotImplemented
        return other._statements is self._statements and other._pinned.id == self._pinned.id

    def __hash__(self) -> int:
        return hash((id(self._statements), self._pinned.id))

    @property
    def snapshot(self) -> int:
        """The snapshot that this executor reads."""
        return self._pinned.id

    def execute(
        self,
        text: str,
        *,
        params: Mapping[str, object] | None = None,
        engine: str = "auto",
        strict: bool = False,
        tables: Mapping[str, Any] | None = None,
    ) -> Result:
        """Run one SELECT text and give its finished result."""
        ask = Ask(params or {}, engine, strict, self._pinned.id, True, tables or {})
        return self._statements.run(text, ask, read_only=True)

    def read(self, table: str, columns: Sequence[str] | None = None) -> Result:
        """A whole table, or some of its columns, without SQL: exactly the Arrow types that were written."""
        started = time.perf_counter()
        counters = ScanCounters()
        scan = self._statements.runner.store.scan(self._pinned, table)
        rows = scan.read(columns, counters)
        record = RunRecord(
            engine="scan", reason="a whole table needs no engine", snapshot=self._pinned.id,
            elapsed=time.perf_counter() - started, rows_read=counters.rows_read, bytes_read=counters.bytes_read,
            segments_read=counters.segments_read, chunks_read=counters.chunks_read, rows_out=rows.num_rows,
        )  # fmt: skip
        return Result(rows, record, f"FROM {table}")

    def schema(self, table: str) -> pa.Schema:
        """The exact Arrow schema of a table, without `_rowid`."""
        return self._pinned.find(table).arrow

    def rows(self, table: str) -> int:
        """The number of rows of a table; it costs no scan."""
        return self._pinned.rows(table)

    def describe(self, text: str, *, tables: Mapping[str, Any] | None = None) -> pa.Schema:
        """The Arrow schema a SELECT text yields, without running it."""
        return self._statements.schema(text, self._pinned, arrow_relations(tables or {}))

    def explain(self, text: str, *, tables: Mapping[str, Any] | None = None) -> str:
        """The plan of a SELECT text as printed text."""
        return self._statements.explain_text(text, Ask(at=self._pinned.id, tables=tables or {}))
