"""Every statement that changes rows, through one door: staged as one piece, its errors in the user's text."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa

from luma_bench.bench.ask import Ask
from luma_bench.bench.finding import Finder
from luma_bench.bench.inserting import Inserter
from luma_bench.bench.merging import Merger
from luma_bench.bench.row_changes import RowChanger, target, types_of
from luma_bench.bench.runner import Runner
from luma_bench.errors import ConstraintError, KadeQLConstraintError, KadeQLError
from luma_bench.language import AnalyzeChange, Insert, Merge, Query, RowStatement, Truncate, Update
from luma_bench.plan.dml import update_change
from luma_bench.types.scan import ScanCounters

if TYPE_CHECKING:
    from luma_bench.storage.store import ResolvedSnapshot
    from luma_bench.storage.transaction import Transaction as StoreTransaction

_OPERATIONS = {
    "INSERT": "append",
    "UPDATE": "update",
    "MERGE": "merge",
    "DELETE": "delete",
    "TRUNCATE": "delete",
}

_RIGHTS = {"INSERT": "append", "UPDATE": "update", "MERGE": "merge", "DELETE": "delete", "TRUNCATE": "delete"}


class RowWriter:
    """Runs INSERT, UPDATE, DELETE, TRUNCATE and MERGE inside a transaction of the store."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._changer = RowChanger(runner)
        self._inserter = Inserter(runner)
        self._merger = Merger(runner)

    def run(
        self, statement: RowStatement | Truncate, ask: Ask, inside: StoreTransaction
    ) -> tuple[str, int, ScanCounters, pa.Table | None]:
        """Stage what the statement does: the operation in a word, the rows, what it read, and what it returns.

        Raises
        ------
        KadeQLError
            The statement is refused, and nothing of it is staged; it points into the user's text.
        """
        finder = Finder(self._runner, ask, inside.view())
        table = target(finder.view, statement.table, statement.table_span, statement.whole, ask)
        # Matching keys reads rows past every policy, so that the right to change them comes first.
        inside.require(table.name, f"{_RIGHTS[statement.kind.value]} rows of")
        with _placed(statement), inside.statement():
            if isinstance(statement, Insert):
                count, shown = self._inserter.run(statement, finder, inside)
            elif isinstance(statement, Merge):
                count, shown = self._merger.run(statement, finder, inside)
            else:
                count, shown = self._changer.run(statement, finder, inside)
        return _OPERATIONS[statement.kind.value], count, finder.read, shown

    def analyze(
        self, statement: AnalyzeChange, ask: Ask, inside: StoreTransaction
    ) -> tuple[str, int, ScanCounters, pa.Table]:
        """Run a statement, undo it, and show the plan of the query that found its rows, with its figures."""
        view = inside.view()
        query = self.finding(statement.changed, ask, view) or statement.query
        operation, count, read = "", 0, ScanCounters()
        with suppress(_Undone), inside.statement():
            operation, count, read, _ = self.run(statement.changed, replace(ask, caps=None), inside)
            raise _Undone
        shown = f"{statement.change}, {count:,} row{'' if count == 1 else 's'}, undone again"
        # The plan's figures are of a second run of the query, over the rows as they were.
        found = self._runner.explainer.explain(
            query, replace(ask, view=view), analyze=True, form=statement.format, change=shown
        )
        return operation, count, read, found.to_arrow()

    def finding(self, statement: RowStatement, ask: Ask, view: ResolvedSnapshot) -> Query | None:
        """The query that finds the rows of a statement, as it would run; None where the text alone says it."""
        finder = Finder(self._runner, ask, view)
        table = target(view, statement.table, statement.table_span, statement.whole, ask)
        if isinstance(statement, Merge):
            return self._merger.plan(statement, table, finder).query
        if isinstance(statement, Update):
            return update_change(
                statement, table, types_of(self._runner, table, finder), statement.whole
            ).query
        return None


class _Undone(Exception):
    """Leaves a block of changes as if it had failed: what was only tried is undone."""


@contextmanager
def _placed(statement: RowStatement | Truncate) -> Generator[None]:
    """A broken constraint points at what the statement writes."""
    try:
        yield
    except KadeQLError:
        raise
    except ConstraintError as error:
        raise KadeQLConstraintError(
            error.message, text=statement.whole, span=_span(statement), hint=error.hint
        ) from error


def _span(statement: RowStatement | Truncate) -> tuple[int, int]:
    if isinstance(statement, Insert):
        return statement.rows
    if isinstance(statement, Update):
        return statement.assignments[0].value[0], statement.assignments[-1].value[1]
    if isinstance(statement, Merge):
        return statement.clauses[0].span[0], statement.clauses[-1].span[1]
    return statement.table_span
