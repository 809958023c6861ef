"""How a DataFrame runs: a bench pinned at one snapshot, behind the `Executor` protocol."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from luma_bench.bench.ask import Ask
from luma_bench.bench.dividing import query_in_parts, table_in_parts
from luma_bench.bench.persisting import in_memory, persisted, stored_rows
from luma_bench.bench.relations import arrow_relations
from luma_bench.bench.result import Result
from luma_bench.errors import ClosedError, ReadOnlyError
from luma_bench.types.executor import Divided
from luma_bench.types.identity import Identity
from luma_bench.types.limits import Limits
from luma_bench.types.record import RunRecord
from luma_bench.types.scan import ScanCounters
from luma_bench.types.schema import TableSettings
from luma_bench.types.sql_text import quoted

if TYPE_CHECKING:
    from luma_bench.bench.binding import Binder
    from luma_bench.bench.statements import Statements
    from luma_bench.bench.transaction import Transaction
    from luma_bench.storage.store import ResolvedSnapshot


class PinnedExecutor:
    """Runs a frame's KadeQL at the snapshot the frame was made at, or over a transaction's rows as they were then."""

    def __init__(
        self,
        statements: Statements,
        snapshot: ResolvedSnapshot,
        identity: Identity,
        transaction: Transaction | None = None,
        *,
        read_only: bool = False,
    ) -> None:
        self._read_only = read_only
        self._statements = statements
        self._pinned = snapshot
        self._identity = identity
        self._transaction = transaction
        self._uncommitted = transaction is not None and transaction.staged
        statements.runner.store.pins.hold_for(self, snapshot.id)

    def __eq__(self, other: object) -> bool:
        """Equal when one query can read the tables of both: the same bench at the same snapshot, and the same changes."""
        if not isinstance(other, PinnedExecutor) or other._statements is not self._statements:
            return NotImplemented if not isinstance(other, PinnedExecutor) else False
        if other._identity != self._identity:
            return False
        if self._uncommitted or other._uncommitted:
            return other._pinned is self._pinned
        return other._pinned.id == self._pinned.id

    def __hash__(self) -> int:
        return hash((id(self._statements), self._pinned.id))

    def shared(self, binder: Binder, identity: Identity) -> ResolvedSnapshot | None:
        """What it reads, for a statement of the same bench and identity to read in one plan; None for any other.

        Raises
        ------
        TransactionError
            It reads uncommitted rows, and their transaction has ended.
        """
        self._check()
        same = self._statements.runner.binder is binder and self._identity == identity
        return self._pinned if same else None

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
        timeout: float | None = None,
    ) -> Result:
        """Run one SELECT text and give its finished result.

        Raises
        ------
        CancelledError
            It ran for more than `timeout` seconds; None is what the settings say.
        """
        limits = None if timeout is None else Limits.of(self._statements.runner.store.settings, timeout)
        ask = self._ask(params=params or {}, engine=engine, strict=strict, tables=tables or {}, limits=limits)
        return self._recorded(self._statements.run(text, ask, read_only=True).over(lambda: self))

    def read(self, table: str, columns: Sequence[str] | None = None) -> Result:
        """A whole table, or some of its columns, without SQL: exactly the Arrow types that were written."""
        self._check()
        if self._pinned.object("view", table) is not None:
            listed = "*" if columns is None else ", ".join(map(quoted, columns))
            return self.execute(f"SELECT {listed} {whole(table)}")
        started = time.perf_counter()
        counters = ScanCounters()
        access = self._statements.runner.binder.access
        rows = access.read(self._pinned, table, columns, self._identity, counters)
        record = RunRecord(
            engine="scan", reason="a whole table needs no engine", snapshot=self._pinned.id,
            elapsed=time.perf_counter() - started, rows_read=counters.rows_read, bytes_read=counters.bytes_read,
            segments_read=counters.segments_read, chunks_read=counters.chunks_read, rows_out=rows.num_rows,
        )  # fmt: skip
        return self._recorded(Result(rows, record, f"FROM {table}").over(lambda: self))

    def answer(self, rows: pa.Table) -> Result:
        """Rows in memory as a finished result, exactly as they are."""
        self._check()
        return in_memory(rows, self._pinned.id).over(lambda: self)

    def stream(
        self,
        text: str,
        *,
        engine: str = "auto",
        strict: bool = False,
        tables: Mapping[str, Any] | None = None,
    ) -> pa.RecordBatchReader:
        """The rows of one SELECT text as the engine makes them, for more rows than memory holds; nothing is cached."""
        ask = self._ask(engine=engine, strict=strict, tables=tables or {}, cache=False)
        return self._statements.stream(text, ask)

    def scan(self, table: str, columns: Sequence[str] | None = None) -> pa.RecordBatchReader:
        """A whole table, or some of its columns, as a stream without SQL, in exactly the types that were written."""
        self._check()
        if self._pinned.object("view", table) is not None:
            listed = "*" if columns is None else ", ".join(map(quoted, columns))
            return self.stream(f"SELECT {listed} {whole(table)}")
        access = self._statements.runner.binder.access
        return stored_rows(access.scan(self._pinned, table, self._identity), self.schema(table), columns)

    def divided(
        self,
        text: str,
        *,
        table: str | None = None,
        columns: Sequence[str] | None = None,
        parts: int | None = None,
        tables: Mapping[str, Any] | None = None,
    ) -> Divided | None:
        """A SELECT text cut along the parts of the one table that it reads; see `Executor.divided`."""
        self._check()
        pinned = self._pinned
        if table is not None and pinned.object("view", table) is None:
            access = self._statements.runner.binder.access
            found = table_in_parts(
                access.scan(pinned, table, self._identity), self.schema(table), columns, parts
            )
        else:
            found = query_in_parts(self._statements, text, self._ask(tables=tables or {}), parts)
        return None if found is None else replace(found, held=self)

    def store(self, table: str, rows: pa.RecordBatchReader, mode: str, **details: Any) -> PinnedExecutor:
        """Write rows into a table in one commit, and give what reads the snapshot that it made.

        Raises
        ------
        ReadOnlyError
            The bench is read-only.
        LumaError
            As of `Bench.write`; nothing was written.
        """
        self._check()
        if self._read_only:
            raise ReadOnlyError.opened("persist")
        made = persisted(self._statements, self._identity, self._transaction, table, rows, mode, details)
        return PinnedExecutor(self._statements, made, self._identity, self._transaction)

    @property
    def loose(self) -> bool:
        """It belongs to a bench."""
        return False

    def relation(self, name: str) -> str:
        """The name of a table or view as the catalog has it, from how it is written (`sales.orders`).

        Raises
        ------
        CatalogError
            There is none.
        """
        return self._pinned.relation(name)

    def schema(self, table: str) -> pa.Schema:
        """The exact Arrow schema of a table, without `_rowid`; the one that SQL gives, of a view."""
        if self._pinned.object("view", table) is not None:
            return self.describe(whole(table))
        return self._pinned.find(table).arrow

    def order(self, table: str) -> tuple[str, ...] | None:
        """The columns that a table declares its rows to be in the order of; None for a view: its rows have no ids."""
        if self._pinned.object("view", table) is not None:
            return None
        return self._pinned.find(table).settings.sort_by

    def settings(self, table: str) -> TableSettings:
        """What a table was told of its layout; nothing of a view."""
        if self._pinned.object("view", table) is not None:
            return TableSettings()
        return self._pinned.find(table).settings

    def rows(self, table: str) -> int:
        """The number of rows of a table, which costs no scan; those of a view are counted."""
        if self._pinned.object("view", table) is not None:
            counted = self.execute(f"SELECT count(*) AS rows {whole(table)}").to_arrow()
            return int(counted.column("rows")[0].as_py())
        return self._statements.runner.binder.access.rows(self._pinned, table, self._identity)

    def describe(self, text: str, *, tables: Mapping[str, Any] | None = None) -> pa.Schema:
        """The Arrow schema a SELECT text yields, without running it."""
        return self._statements.schema(text, self._ask(tables=arrow_relations(tables or {})))

    def explain(self, text: str, *, tables: Mapping[str, Any] | None = None) -> str:
        """The plan of a SELECT text as printed text."""
        return self._statements.explain_text(text, self._ask(tables=tables or {}))

    def _ask(self, **arguments: Any) -> Ask:
        self._check()
        return Ask(
            at=self._pinned.id,
            view=self._pinned,
            uncommitted=self._uncommitted,
            identity=self._identity,
            **arguments,
        )

    def _check(self) -> None:
        if self._statements.closed:
            raise ClosedError.bench(self._statements.runner.store.shown)
        if self._uncommitted and self._transaction is not None:
            self._transaction.check_open("A DataFrame of uncommitted rows")

    def _recorded(self, result: Result) -> Result:
        return result if self._transaction is None else self._transaction.recorded(result, self._uncommitted)


def whole(table: str) -> str:
    """The query of every row of a table or view."""
    return f"FROM {quoted(table)}"
