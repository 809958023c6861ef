"""Texts: parsed once, then each statement goes to what answers it — a query, a description, or a commit."""

from __future__ import annotations

import time
from collections.abc import Mapping

import pyarrow as pa

from luma_bench.bench.ask import Ask
from luma_bench.bench.cache import PlanCache
from luma_bench.bench.result import Result
from luma_bench.bench.runner import Runner, located
from luma_bench.bench.writer import Writer
from luma_bench.errors import KadeQLError, KadeQLUnsupportedError, ReadOnlyError
from luma_bench.language import Describe, Explain, Query, ShowTables, Statement, Summarize, parse
from luma_bench.storage.store import ResolvedSnapshot
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

    def run(self, text: str, ask: Ask, *, read_only: bool) -> Result:
        """Run every statement in order and give the last result, with all of them in `.results`."""
        results = tuple(self._one(statement, ask, read_only) for statement in self.parse(text))
        return results[-1] if len(results) == 1 else results[-1].among(results)

    def stream(self, text: str, ask: Ask) -> pa.RecordBatchReader:
        """Run one query as a stream, for results larger than memory."""
        return self.runner.stream(self._query(text), ask)

    def schema(self, text: str, pinned: ResolvedSnapshot, relations: Mapping[str, pa.Table]) -> pa.Schema:
        """The Arrow schema one query yields at a snapshot, without running it."""
        query = self._query(text)
        bound = self.runner.bind(query, Ask(at=pinned.id, tables=relations), pinned)
        schemas = {name: pa.schema(list(source.schema)[1:]) for name, source in bound.inputs.sources.items()}
        schemas |= {name: table.schema for name, table in relations.items()}
        try:
            return self._inspector.describe(query.sql, schemas)
        except KadeQLError as error:
            raise located(error, query) from error

    def explain_text(self, text: str, ask: Ask) -> str:
        """The plan of one query as printed text."""
        return self.runner.explain_text(self._query(text), ask)

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

    def _one(self, statement: Statement, ask: Ask, read_only: bool) -> Result:
        match statement:
            case Query():
                return self.runner.run(statement, ask)
            case Explain():
                return self.runner.explain(
                    statement.query, ask, analyze=statement.analyze, form=statement.format
                )
            case Summarize():
                return self.runner.run(statement.query, ask)
            case Describe():
                return self._describe(statement, ask)
            case ShowTables():
                return self._show(statement, ask)
            case _:
                if read_only:
                    raise ReadOnlyError.opened(statement.kind.value)
                return self.writer.run(statement, ask)

    def _describe(self, statement: Describe, ask: Ask) -> Result:
        """The engine's own DESCRIBE; for a stored table, with what only the catalog knows: NOT NULL and the key."""
        result = self.runner.run(statement.query, ask)
        if not isinstance(statement.target, str) or statement.pins:
            return result
        pinned = self.runner.store.resolve(ask.at)
        schema = next(
            (s for s in pinned.tables.values() if s.name.casefold() == statement.target.casefold()), None
        )
        if schema is None or schema.name in ask.tables:
            return result
        table = result.to_arrow()
        nulls = ["YES" if column.nullable else "NO" for column in schema.columns]
        keys = ["PRI" if column.name in schema.settings.primary_key else None for column in schema.columns]
        for name, values in (("null", nulls), ("key", keys)):
            table = table.set_column(table.schema.get_field_index(name), name, pa.array(values, pa.string()))
        return Result(table, result.run, statement.source)

    def _show(self, statement: ShowTables, ask: Ask) -> Result:
        started = time.perf_counter()
        pinned = self.runner.store.resolve(ask.at)
        tables = sorted(pinned.tables.values(), key=lambda schema: schema.name)
        answer = pa.table(
            {
                "name": pa.array([schema.name for schema in tables], pa.string()),
                "rows": pa.array([pinned.rows(schema.name) for schema in tables], pa.int64()),
                "columns": pa.array([len(schema.columns) for schema in tables], pa.int64()),
                "primary_key": pa.array(
                    [", ".join(schema.settings.primary_key) or None for schema in tables], pa.string()
                ),
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
