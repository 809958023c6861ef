"""A transaction as a user meets it: changes to any number of tables that become one snapshot, or none."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from luma_bench.errors import ReadOnlyError, TransactionError, UnsupportedError

if TYPE_CHECKING:
    import pyarrow as pa

    from luma_bench.bench.bench import WriteMode
    from luma_bench.bench.result import Result
    from luma_bench.bench.session import Session
    from luma_bench.bench.statements import Statements
    from luma_bench.frame import DataFrame
    from luma_bench.plan.profile import Profile
    from luma_bench.storage.store import ResolvedSnapshot, Store
    from luma_bench.storage.transaction import Transaction as StoreTransaction
    from luma_bench.types.record import Snapshot

MESSAGE_LENGTH = 200
BLOCK = "bench.transaction()"
UNCOMMITTED = "the rows include changes of the open transaction, which are not committed"


class Transaction:
    """Reads one snapshot with its own changes over it; leaving the `with` block commits them as one new snapshot.

    It holds no lock: other handles, threads and processes read and write meanwhile, and see nothing of it before the
    commit. A statement or write that fails is undone by itself, and the transaction goes on.

    Attributes
    ----------
    committed
        The snapshot that it made; None before the commit, after a rollback, and when nothing was changed.
    """

    def __init__(
        self,
        store: Store,
        statements: Statements,
        session: Session,
        *,
        opened_by: str = BLOCK,
        message: str = "",
        author: str | None = None,
        token: str | None = None,
        read_only: bool = False,
        at: int | None = None,
    ) -> None:
        self.opened_by = opened_by
        self.committed: Snapshot | None = None
        self._store = store
        self._statements = statements
        self._session = session
        self._details = (message, author, token)
        self._read_only = read_only or store.read_only or at is not None
        self._at = at
        self._lock = threading.RLock()
        self._inside: StoreTransaction | None = None
        self._base: ResolvedSnapshot | None = None
        self._said: list[str] = []
        self._ending = "has not begun: write `with bench.transaction() as tx:`"

    # --- the block ---

    def begin(self) -> Self:
        """Pin the newest snapshot and become this thread's transaction; `with` does it."""
        if self._base is not None:
            raise TransactionError.over(self.opened_by, self._ending or "is open already")
        self._session.check_free(self.opened_by)
        if self._read_only:
            self._base = self._store.resolve(self._at)
            self._store.pins.hold_for(self, self._base.id)
        else:
            message, author, token = self._details
            permit = self._statements.runner.binder.access.book.permit(self._session.identity)
            self._inside = self._store.begin(message=message, author=author, token=token, permit=permit)
            self._base = self._inside.base
        self._ending = ""
        self._session.enter(self)
        return self

    def __enter__(self) -> Self:
        return self.begin()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self.is_open:
            return
        if kind is None:
            self.commit()
        else:
            self.end(f"was rolled back by {kind.__name__}")

    def rollback(self) -> None:
        """Drop every change; the transaction is over, and leaving the block commits nothing.

        Raises
        ------
        TransactionError
            It is over already.
        """
        self.check_open("rollback")
        self.end("was rolled back")

    def commit(self) -> Snapshot:
        """Make the changes one snapshot; leaving the `with` block does it. Without changes no snapshot is made.

        Raises
        ------
        ConflictError
            Another writer changed the same rows or tables first; nothing was applied, and the transaction is over.
        """
        with self._lock:
            self.check_open("COMMIT")
            base = self._pinned.snapshot
            inside, self._inside = self._inside, None
            self._ending = "was committed"
            self._session.leave(self)
            if inside is None:
                return base
            try:
                made = inside.commit(message=self._message)
            except BaseException:
                self._ending = "ended: its COMMIT failed and nothing was applied"
                raise
            self.committed = None if made is base else made
            return made

    def end(self, how: str) -> None:
        """Roll back what is staged; `how` is what errors say from now on."""
        with self._lock:
            if self._ending:
                return
            self._ending = how
            inside, self._inside = self._inside, None
            self._session.leave(self)
            if inside is not None:
                inside.rollback()

    # --- reading ---

    @property
    def is_open(self) -> bool:
        """Whether it has begun and is not over."""
        return not self._ending

    @property
    def staged(self) -> bool:
        """Whether it holds changes."""
        with self._lock:
            return self._inside is not None and self._inside.view().draft != 0

    @property
    def read_only(self) -> bool:
        """Whether it refuses changes."""
        return self._read_only

    @property
    def snapshot(self) -> int:
        """The id of the snapshot that it began on."""
        return self._pinned.id

    @property
    def view(self) -> ResolvedSnapshot:
        """What it reads now: its snapshot with its own changes over it."""
        with self._lock:
            self.check_open("A read")
            return self._pinned if self._inside is None else self._inside.view()

    def tables(self) -> list[str]:
        """The names of the tables that it sees, sorted."""
        return sorted(schema.name for schema in self.view.tables.values())

    def table(self, name: str) -> DataFrame:
        """A lazy DataFrame over a table as the transaction sees it now; later changes do not reach it.

        Raises
        ------
        CatalogError
            No such table.
        """
        from luma_bench.bench.executor import PinnedExecutor
        from luma_bench.frame import DataFrame

        view = self.view
        return DataFrame.scan(
            PinnedExecutor(self._statements, view, self._session.identity, self), view.relation(name)
        )

    def get(self, table: str, key: object) -> dict[str, Any] | None:
        """The row with this primary key as the transaction sees it, None when there is none; see `Bench.get`."""
        access = self._statements.runner.binder.access
        return access.get(self.view, table, key, self._session.identity)

    def get_many(self, table: str, keys: Any) -> pa.Table:
        """The rows with these primary keys as the transaction sees them; see `Bench.get_many`."""
        access = self._statements.runner.binder.access
        return access.get_many(self.view, table, keys, self._session.identity)

    def kadeql(
        self,
        text: str,
        params: Mapping[str, object] | None = None,
        *,
        engine: str = "auto",
        strict: bool = False,
        cache: bool = True,
        tables: Mapping[str, Any] | None = None,
        timeout: float | None = None,
        max_rows: int | None = None,
        max_bytes: int | None = None,
        profile: bool = False,
    ) -> Result:
        """Run KadeQL inside the transaction: queries see its changes, statements add to them.

        Takes what `Bench.kadeql` takes, but for `at`: write `table AT (VERSION => 3)` to read the past.

        Raises
        ------
        TransactionError
            It is over, or the text holds BEGIN, COMMIT or ROLLBACK.
        """
        from luma_bench.bench.ask import Ask
        from luma_bench.bench.calls import check_call, check_limits
        from luma_bench.types.limits import Limits

        self.check_open("kadeql")
        check_call(text, params)
        limits = (timeout, max_rows, max_bytes)
        ask = Ask(
            params or {}, engine, strict, None, cache, tables or {}, shelf=self._session.shelf,
            limits=Limits.of(self._store.settings, *limits) if check_limits(limits) else None,
            profile=profile, identity=self._session.identity,
        )  # fmt: skip
        return self._statements.run(text, ask, read_only=False, inside=self)

    # --- changing ---

    def write(
        self,
        table: str,
        data: Any,
        mode: WriteMode = "create",
        *,
        primary_key: str | Sequence[str] = (),
        sort_by: str | Sequence[str] = (),
        time_column: str | None = None,
        series_key: str | Sequence[str] = (),
        retention: str | None = None,
        rejects: str | None = None,
        max_rejects: int | None = None,
        options: Mapping[str, Any] | None = None,
        progress: Any = None,
    ) -> int:
        """Write rows into a table, as `Bench.write` does; the rows written. They are seen by others after the commit.

        Raises
        ------
        SchemaError, ConstraintError, CatalogError, ReadOnlyError, TransactionError
            Nothing of this write was taken; what the transaction held before stays.
        """
        from luma_bench.bench.writing import WriteRequest

        settings = {
            "primary_key": _names(primary_key),
            "sort_by": _names(sort_by),
            "time_column": time_column,
            "series_key": _names(series_key),
            "retention": retention,
        }
        asked = WriteRequest(table, data, mode, settings, rejects, max_rejects, options)
        with self.changing("write") as inside:
            return asked.stage(inside, self._store.pool, progress)[0]

    @contextlib.contextmanager
    def changing(self, operation: str) -> Generator[StoreTransaction]:
        """A block in which the storage's transaction may be changed, by one thread at a time.

        Raises
        ------
        ReadOnlyError
            This transaction is read-only.
        """
        with self._lock:
            self.check_open(operation)
            if self._inside is None:
                raise ReadOnlyError(
                    f"{operation}: this transaction is read-only.",
                    hint="Begin it with BEGIN, on a bench that was opened for writing.",
                )
            yield self._inside

    # --- inner workings of the room ---

    def check_open(self, what: str) -> None:
        """Raise `TransactionError` when it is over."""
        if self._ending:
            raise TransactionError.over(what, self._ending)

    def said(self, source: str) -> None:
        """Note a statement that changed something: what the snapshot says when no message was given."""
        self._said.append(source)

    @property
    def _message(self) -> str:
        return self._details[0] or commit_message("; ".join(self._said))

    def recorded(self, result: Result, uncommitted: bool) -> Result:
        """A result with the record saying that it was read inside, and whether it holds uncommitted rows."""
        warnings = (*result.run.warnings, UNCOMMITTED) if uncommitted else result.run.warnings
        run = replace(result.run, snapshot=self.snapshot, in_transaction=True, warnings=warnings)
        if not uncommitted:
            return result.ran(run)

        def explain() -> str:
            # The plan is made anew when it is asked for, and needs the rows that were read.
            return result.explain() if self.is_open else f"{run.badge}\nThe transaction {self._ending}."

        def profile(analyze: bool) -> Profile:
            self.check_open("profile")
            return result.profile(analyze=analyze)

        return result.ran(run, explain, profile)

    @property
    def _pinned(self) -> ResolvedSnapshot:
        if self._base is None:
            raise TransactionError.over("snapshot", self._ending)
        return self._base

    def __repr__(self) -> str:
        if self._base is None or self._ending:
            return f"Transaction({self._ending})"
        changes = "with changes" if self.staged else "no changes"
        return f"Transaction(open since snapshot {self.snapshot}, {changes})"


def commit_message(text: str) -> str:
    """Statements as a commit's message: one line, cut."""
    line = " ".join(text.split())
    return line if len(line) <= MESSAGE_LENGTH else f"{line[: MESSAGE_LENGTH - 1]}…"


def no_commit_details(message: str, token: str | None) -> None:
    """Refuse what names a commit where the write belongs to an open transaction.

    Raises
    ------
    UnsupportedError
        A message or token is given.
    """
    if message or token is not None:
        raise UnsupportedError(
            "A message or token names a commit, and this write joins the open transaction.",
            hint="Give it to bench.transaction(message=…, token=…).",
        )


def _names(value: str | Iterable[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)
