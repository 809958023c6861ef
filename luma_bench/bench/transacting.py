"""BEGIN, COMMIT and ROLLBACK as text: which transaction they mean, and the results of statements that change things."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pyarrow as pa

from luma_bench.bench.result import Result
from luma_bench.bench.transaction import Transaction
from luma_bench.errors import TransactionError, UnsupportedError
from luma_bench.language import Begin, Commit, Rollback
from luma_bench.types.record import RunRecord
from luma_bench.types.scan import ScanCounters

if TYPE_CHECKING:
    from luma_bench.bench.copying import Written
    from luma_bench.bench.session import Session
    from luma_bench.bench.statements import Statements
    from luma_bench.bench.writer import Done
    from luma_bench.storage.store import Store

BEGIN = "BEGIN"
_COMMITTED = "a change of the bench is a commit of its catalog"
_STAGED = "a change of the open transaction, which COMMIT makes a snapshot of"


class Place:
    """Where a text runs: in a transaction that it was given to, in what its thread has open, or in none.

    Attributes
    ----------
    session
        Where BEGIN opens a transaction; None where none may be opened.
    """

    def __init__(
        self, store: Store, statements: Statements, session: Session | None, inside: Transaction | None
    ) -> None:
        self.session = session
        self._store = store
        self._statements = statements
        self._inside = inside

    @property
    def transaction(self) -> Transaction | None:
        """The transaction that the next statement runs in; it changes with BEGIN and COMMIT in the same text."""
        if self._inside is not None or self.session is None:
            return self._inside
        return self.session.current

    def run(self, statement: Begin | Commit | Rollback) -> Result:
        """Open or end a transaction.

        Raises
        ------
        TransactionError
            One is open already, none is open, or it belongs to a `with` block.
        ConflictError
            COMMIT lost against another writer.
        """
        started = time.perf_counter()
        name = statement.kind.value
        transaction = self.transaction
        if transaction is not None and isinstance(statement, Begin):
            raise TransactionError.open_already(transaction.opened_by, name)
        if self._inside is not None or (transaction is not None and transaction.opened_by != BEGIN):
            raise TransactionError.of_block(name)
        if self.session is None:
            raise UnsupportedError(
                f"{name}: a transaction reads the newest snapshot, and this call another.",
                hint="Leave at= out; inside a transaction `table AT (VERSION => 3)` reads the past.",
            )
        if isinstance(statement, Begin):
            opened = Transaction(
                self._store,
                self._statements,
                self.session,
                opened_by=BEGIN,
                read_only=statement.read_only,
                at=self.session.at,
            ).begin()
            return opened.recorded(
                _ended(statement.source, "begin", opened.snapshot, started), uncommitted=False
            )
        if transaction is None:
            raise TransactionError.none_open(name)
        if isinstance(statement, Rollback):
            transaction.rollback()
            return _ended(statement.source, "rollback", transaction.snapshot, started)
        return _ended(statement.source, "commit", transaction.commit().id, started)


def _ended(source: str, operation: str, snapshot: int, started: float) -> Result:
    return _result(source, operation, 0, snapshot, snapshot, started, ScanCounters())


def changed(source: str, done: Done, made: int | None, snapshot: int, started: float) -> Result:
    """The result of a statement that changed something: what it did, to how many rows, in which snapshot.

    Parameters
    ----------
    made
        The snapshot that holds the change; None inside of a transaction, which has not made one yet.
    snapshot
        The one that the run record names.
    """
    return _result(source, done.operation, done.rows, made, snapshot, started, done.read, done.returned)


def wrote(source: str, done: Written, started: float) -> Result:
    """The result of a statement that wrote a file: the rows, and the snapshot that they were read at."""
    record = RunRecord(
        "duckdb",
        "a file, which no snapshot holds",
        done.snapshot,
        time.perf_counter() - started,
        rows_out=done.rows,
    )
    answer = pa.table(
        {
            "operation": pa.array(["copy"]),
            "rows": pa.array([done.rows], pa.int64()),
            "snapshot": pa.array([done.snapshot], pa.int64()),
        }
    )
    return Result(answer, record, source)


def _result(
    source: str,
    operation: str,
    rows: int,
    made: int | None,
    snapshot: int,
    started: float,
    read: ScanCounters,
    returned: pa.Table | None = None,
) -> Result:
    reason = _COMMITTED if made is not None else _STAGED
    record = RunRecord(
        "catalog",
        reason,
        snapshot,
        time.perf_counter() - started,
        rows_read=read.rows_read,
        bytes_read=read.bytes_read,
        segments_read=read.segments_read,
        segments_pruned=read.segments_pruned,
        chunks_read=read.chunks_read,
        chunks_pruned=read.chunks_pruned,
        rows_out=0 if returned is None else returned.num_rows,
    )
    if returned is not None:
        return Result(returned, record, source)
    answer = pa.table(
        {
            "operation": pa.array([operation]),
            "rows": pa.array([rows], pa.int64()),
            "snapshot": pa.array([made], pa.int64()),
        }
    )
    return Result(answer, record, source)
