"""Texts: parsed once, then each statement goes to what answers it — a query, a description, or a commit."""

from __future__ import annotations

import time
from dataclasses import replace

import pyarrow as pa

from luma_bench.bench.ask import Ask
from luma_bench.bench.binding import located
from luma_bench.bench.cache import PlanCache
from luma_bench.bench.result import Result
from luma_bench.bench.runner import Runner
from luma_bench.bench.session import Session
from luma_bench.bench.transacting import Place, changed
from luma_bench.bench.transaction import Transaction, commit_message
from luma_bench.bench.writer import Change, Done, Writer
from luma_bench.errors import KadeQLError, KadeQLUnsupportedError, ReadOnlyError, TransactionError
from luma_bench.language import (
    Begin,
    Commit,
    Describe,
    Explain,
    Query,
    Rollback,
    ShowTables,
    Statement,
    Summarize,
    TagSnapshot,
    parse,
)
from luma_bench.types.inspector import SqlInspector
from luma_bench.types.record import RunRecord
from luma_bench.types.scan import ScanCounters


class Statements:
    """Runs whole texts over one store."""

    def __init__(
        self, runner: Runner, inspector: SqlInspector, plans: PlanCache[tuple[Statement, ...]]
    ) -> None:
        self.runner = runner
        self.writer = Writer(runner, inspector)
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
        results = tuple(self._one(statement, ask, read_only, place) for statement in self.parse(text))
        return results[-1] if len(results) == 1 else results[-1].among(results)

    def stream(self, text: str, ask: Ask) -> pa.RecordBatchReader:
        """Run one query as a stream, for results larger than memory."""
        return self.runner.stream(self._query(text), ask)

    def schema(self, text: str, ask: Ask) -> pa.Schema:
        """The Arrow schema one query yields, without running it."""
        query = self._query(text)
        bound = self.runner.bind(query, ask, self.runner.resolve(ask))
        schemas = {name: pa.schema(list(source.schema)[1:]) for name, source in bound.inputs.sources.items()}
        schemas |= {name: table.schema for name, table in bound.inputs.relations.items()}
        try:
            return self._inspector.describe(query.sql, schemas)
        except KadeQLError as error:
            raise located(error, query) from error

    def explain_text(self, text: str, ask: Ask) -> str:
        """The plan of one query as printed text."""
        return self.runner.explainer.text(self._query(text), ask)

    def counters(self) -> ScanCounters:
        """Fresh counters, for a scan outside of a statement."""
        return ScanCounters()

    def progress(self) -> float | None:
        """The fraction done of the newest running query."""
        known = [done for engine in self.runner.engines.values() if (done := engine.progress()) is not None]
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
        if isinstance(statement, Begin | Commit | Rollback):
            return place.run(statement)
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
        with self.runner.store.begin(message=commit_message(statement.source)) as inside:
            done = self.writer.run(statement, ask, inside)
            made = inside.commit()
        return changed(statement.source, done, made.id, made.id, started)

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
            case Explain():
                return self.runner.explainer.explain(
                    statement.query,
                    ask,
                    analyze=statement.analyze,
                    form=statement.format,
                    change=statement.change,
                )
            case Summarize():
                return self.runner.run(statement.query, ask)
            case Describe():
                return self._describe(statement, ask)
            case ShowTables():
                return self._show(statement, ask)
            case _:
                raise AssertionError(f"{statement.kind} is no statement that reads")

    def _describe(self, statement: Describe, ask: Ask) -> Result:
        """The engine's own DESCRIBE; for a stored table, with what only the catalog knows: NOT NULL, keys, defaults, comments."""
        result = self.runner.run(statement.query, ask)
        if not isinstance(statement.target, str) or statement.pins:
            return result
        pinned = self.runner.resolve(ask)
        schema = next(
            (s for s in pinned.tables.values() if s.name.casefold() == statement.target.casefold()), None
        )
        if schema is None or schema.name in ask.tables:
            return result
        table = result.to_arrow()
        nulls = ["YES" if column.nullable else "NO" for column in schema.columns]
        keys = ["PRI" if column.name in schema.settings.primary_key else None for column in schema.columns]
        defaults = [None if column.default is None else str(column.default) for column in schema.columns]
        comments = [column.comment for column in schema.columns]
        known = {"null": nulls, "key": keys, "default": defaults, "extra": comments}
        for name, values in known.items():
            table = table.set_column(table.schema.get_field_index(name), name, pa.array(values, pa.string()))
        return Result(table, result.run, statement.source)

    def _show(self, statement: ShowTables, ask: Ask) -> Result:
        started = time.perf_counter()
        pinned = self.runner.resolve(ask)
        tables = sorted(pinned.tables.values(), key=lambda schema: schema.name)
        answer = pa.table(
            {
                "name": pa.array([schema.name for schema in tables], pa.string()),
                "rows": pa.array([pinned.rows(schema.name) for schema in tables], pa.int64()),
                "columns": pa.array([len(schema.columns) for schema in tables], pa.int64()),
                "primary_key": pa.array(
                    [", ".join(schema.settings.primary_key) or None for schema in tables], pa.string()
                ),
                "comment": pa.array([schema.comment for schema in tables], pa.string()),
            }
        )
        record = RunRecord(
            "catalog",
            "the catalog knows its tables",
            pinned.id,
            time.perf_counter() - started,
            rows_out=len(tables),
        )
        return Result(answer, record, statement.source)
