"""Texts: parsed once, then each statement goes to what answers it — a query, a description, or a commit."""

from __future__ import annotations

import contextlib
import time
from dataclasses import replace

import pyarrow as pa

from luma_bench.bench.activity import Activities
from luma_bench.bench.ask import Ask
from luma_bench.bench.binding import Bound
from luma_bench.bench.cache import PlanCache
from luma_bench.bench.describing import described
from luma_bench.bench.executor import PinnedExecutor
from luma_bench.bench.frames import standing
from luma_bench.bench.locating import located
from luma_bench.bench.pointed import among, pointed
from luma_bench.bench.prepared import executed, kept
from luma_bench.bench.result import Result
from luma_bench.bench.runner import Runner
from luma_bench.bench.session import Session
from luma_bench.bench.shows import Shows
from luma_bench.bench.transacting import Place, changed, wrote
from luma_bench.bench.transaction import Transaction, commit_message
from luma_bench.bench.writer import Change, Done, Writer
from luma_bench.engines.duck_aside import signals_told
from luma_bench.errors import (
    CancelledError,
    KadeQLError,
    KadeQLUnsupportedError,
    LumaError,
    ReadOnlyError,
    TransactionError,
)
from luma_bench.language import (
    Begin,
    Commit,
    CopyTo,
    Deallocate,
    Describe,
    Execute,
    Explain,
    Prepare,
    Query,
    Rollback,
    Show,
    Statement,
    Summarize,
    TagSnapshot,
    parse,
)
from luma_bench.storage.catalog.change import ReliedError
from luma_bench.types.identity import Identity, Permit
from luma_bench.types.inspector import SqlInspector
from luma_bench.types.limits import Limits
from luma_bench.types.record import Snapshot

_ATTEMPTS = 20
"""How often a statement of its own is tried when constraints were checked against rows that others change."""


class Statements:
    """Runs whole texts over one store.

    Attributes
    ----------
    closed
        Whether the bench is: frames outlive it.
    """

    def __init__(
        self, runner: Runner, inspector: SqlInspector, plans: PlanCache[tuple[Statement, ...]]
    ) -> None:
        self.closed = False
        self.runner = runner
        self.writer = Writer(runner, inspector)
        self.shows = Shows(runner)
        self.activities = Activities(runner.engines.values())
        self._inspector = inspector
        self._plans = plans

    def parse(self, text: str) -> tuple[Statement, ...]:
        """The statements of a text; parsed once, since a text means the same at every snapshot."""
        return self._plans.get(text, lambda new: tuple(parse(new, self._inspector)))

    def run(
        self,
        text: str,
        ask: Ask,
        *,
        read_only: bool,
        session: Session | None = None,
        inside: Transaction | None = None,
    ) -> Result:
        """Run every statement in order and give the last result, with all of them in `.results`.

        Parameters
        ----------
        read_only
            Whether the call may change nothing.
        session
            Where BEGIN opens a transaction and COMMIT finds it; None where neither may stand.
        inside
            The transaction that the text runs in, whatever the session has.
        """
        place = Place(self.runner.store, self, session, inside)
        statements = self.parse(text)
        results: list[Result] = []
        with signals_told():
            for statement in statements:
                try:
                    results.append(self._one(statement, ask, read_only, place))
                except CancelledError as error:
                    if len(statements) == 1:
                        raise
                    held = place.transaction is not None
                    raise among(error, statements, len(results), held=held) from error
        return results[-1] if len(results) == 1 else results[-1].among(tuple(results))

    def run_one(self, statement: Statement, ask: Ask, *, read_only: bool, session: Session) -> Result:
        """Run one statement that is parsed already; see `run`."""
        return self._one(statement, ask, read_only, Place(self.runner.store, self, session, None))

    def stream(self, text: str, ask: Ask) -> pa.RecordBatchReader:
        """Run one query as a stream, for results larger than memory."""
        return self.runner.stream(self._query(text), ask)

    def bound(self, text: str, ask: Ask) -> Bound:
        """One query with everything that it reads pinned; nothing runs."""
        return self.runner.bind(self._query(text), ask, self.runner.resolve(ask))

    def schema(self, text: str, ask: Ask) -> pa.Schema:
        """The Arrow schema one query yields, without running it."""
        query = self._query(text)
        bound = self.runner.bind(query, ask, self.runner.resolve(ask))
        if (
            bound.inputs.files is not None
        ):  # what files hold is known to who may open them: the engine, and no binder
            return self.stream(f"SELECT * FROM (\n{text}\n) LIMIT 0", ask).schema
        try:
            return described(self._inspector, bound)
        except KadeQLError as error:
            raise located(error, bound.query) from error

    def explain_text(self, text: str, ask: Ask) -> str:
        """The plan of one query as printed text."""
        return self.runner.explainer.text(self._query(text), ask)

    def progress(self, identity: Identity) -> float | None:
        """The fraction done of the newest running statement that the identity may see."""
        known = [item.progress for item in self.activities.running(identity) if item.progress is not None]
        return known[-1] if known else None

    def _query(self, text: str) -> Query:
        statements = self.parse(text)
        if len(statements) == 1 and isinstance(statements[0], Query):
            return statements[0]
        first = statements[0] if len(statements) == 1 else statements[1]
        raise KadeQLUnsupportedError(
            "Only one query can stand here.",
            text=text,
            span=(first.start, first.end),
            hint="Give one SELECT; run other statements with bench.kadeql(…).",
        )

    def _one(self, statement: Statement, ask: Ask, read_only: bool, place: Place) -> Result:
        limits = ask.limits or Limits.of(self.runner.store.settings)
        ask = replace(ask, limits=limits.started(), notes={}, tables=standing(ask.tables))
        activity = self.activities.prepared(statement.source, ask.identity)
        # An interrupt may come anywhere, also inside the first way out: the second takes it off all the same.
        try:
            self.activities.begin(activity)
            try:
                result = self._answered(statement, ask, read_only, place)
                result = self._framed(result, ask.identity, place.transaction, read_only)
                if not ask.notes:
                    return result
                return result.ran(replace(result.run, warnings=(*result.run.warnings, *ask.notes)))
            except LumaError as error:
                placed = pointed(error, statement)
                if placed is error:
                    raise
                raise placed from error
            finally:
                self.activities.end(activity)
        finally:
            self.activities.end(activity)

    def _framed(
        self, result: Result, identity: Identity, transaction: Transaction | None, read_only: bool
    ) -> Result:
        """The result with what frames over it run on: the snapshot that it was read at, or the transaction while it lasts."""
        snapshot = result.run.snapshot

        def executor() -> PinnedExecutor:
            if transaction is not None:
                with contextlib.suppress(TransactionError):  # it is over: its snapshot stays
                    return PinnedExecutor(self, transaction.view, identity, transaction)
            return PinnedExecutor(self, self.runner.store.resolve(snapshot), identity, read_only=read_only)

        return result.over(executor)

    def _answered(self, statement: Statement, ask: Ask, read_only: bool, place: Place) -> Result:
        if isinstance(statement, Begin | Commit | Rollback):
            return place.run(statement)
        if isinstance(statement, Prepare | Deallocate):
            return kept(statement, ask, self.runner)
        if isinstance(statement, Execute):
            statement, ask = executed(statement, ask, self.runner)
            ask = replace(ask, tables=standing(ask.tables))
        transaction = place.transaction
        if transaction is None:
            return self._alone(statement, ask, read_only)
        transaction.check_open(statement.kind.value)
        uncommitted = transaction.staged
        if isinstance(statement, Change):
            return self._change_inside(statement, ask, transaction)
        if isinstance(statement, TagSnapshot):
            raise TransactionError(
                "TAG SNAPSHOT: a tag names a snapshot, and this transaction has not made its own yet.",
                hint="COMMIT first, then tag.",
            )
        asked = replace(ask, view=transaction.view, at=None, uncommitted=uncommitted)
        return transaction.recorded(self._read(statement, asked), uncommitted)

    def _alone(self, statement: Statement, ask: Ask, read_only: bool) -> Result:
        """A statement outside of a transaction: a change is a commit of its own."""
        started = time.perf_counter()
        if not isinstance(statement, Change | TagSnapshot):
            return self._read(statement, ask)
        if read_only:
            raise ReadOnlyError.opened(statement.kind.value)
        if isinstance(statement, TagSnapshot):
            made = self.runner.store.tag(statement.name)
            return changed(statement.source, Done("tag"), made.id, made.id, started)
        permit = self.runner.binder.access.book.permit(ask.identity)
        done, made = self._committed(statement, ask, permit)
        return changed(statement.source, done, made.id, made.id, started)

    def _committed(self, statement: Change, ask: Ask, permit: Permit) -> tuple[Done, Snapshot]:
        """Stage and commit a change; anew when rows that a constraint was checked against have changed meanwhile."""
        for attempt in range(1, _ATTEMPTS + 1):
            with self.runner.store.begin(message=commit_message(statement.source), permit=permit) as inside:
                done = self.writer.run(statement, ask, inside)
                try:
                    return done, inside.commit()
                except ReliedError:
                    if attempt == _ATTEMPTS:
                        raise
        raise AssertionError("The last attempt returns or raises.")

    def _change_inside(self, statement: Change, ask: Ask, transaction: Transaction) -> Result:
        """A change inside of a transaction: staged, and part of its commit."""
        started = time.perf_counter()
        with transaction.changing(statement.kind.value) as inside:
            done = self.writer.run(statement, replace(ask, uncommitted=transaction.staged), inside)
            transaction.said(statement.source)
        return transaction.recorded(
            changed(statement.source, done, None, transaction.snapshot, started), uncommitted=False
        )

    def _read(self, statement: Statement, ask: Ask) -> Result:
        match statement:
            case Query():
                return self.runner.run(statement, ask)
            case CopyTo():
                return self._copy_to(statement, ask)
            case Explain():
                query = statement.query
                if statement.changed is not None:
                    query = (
                        self.writer.rows.finding(statement.changed, ask, self.runner.resolve(ask)) or query
                    )
                return self.runner.explainer.explain(
                    query,
                    ask,
                    analyze=statement.analyze,
                    form=statement.format,
                    change=statement.change,
                )
            case Summarize():
                return self.runner.run(statement.query, ask)
            case Describe():
                return self.shows.describe(statement, ask)
            case Show():
                return self.shows.show(statement, ask)
            case _:
                raise AssertionError(f"{statement.kind} is no statement that reads")

    def _copy_to(self, statement: CopyTo, ask: Ask) -> Result:
        started = time.perf_counter()
        done = self.writer.copier.write(statement, ask)
        return wrote(statement.source, done, started)
