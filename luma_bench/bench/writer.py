"""Statements that change the bench: each becomes changes of a transaction of the store, never a statement of an engine."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any

import pyarrow as pa

from luma_bench.bench.alterations import Alterer
from luma_bench.bench.ask import Ask
from luma_bench.bench.copying import Copier
from luma_bench.bench.creating import TableMaker, named
from luma_bench.bench.kept import require_kept
from luma_bench.bench.namespaces import check_names
from luma_bench.bench.policing import PolicyMaker
from luma_bench.bench.row_writer import RowWriter
from luma_bench.bench.runner import Runner
from luma_bench.bench.sequences import change_sequence
from luma_bench.bench.table_options import new_settings
from luma_bench.bench.view_changes import ViewChanges
from luma_bench.errors import CatalogError, ConstraintError, KadeQLConstraintError
from luma_bench.language import (
    AlterTable,
    AlterView,
    AnalyzeChange,
    CommentOn,
    CommentOnObject,
    CopyFrom,
    CreateGraph,
    CreatePolicy,
    CreateSchema,
    CreateSequence,
    CreateTable,
    CreateTableAs,
    CreateView,
    Delete,
    DropGraph,
    DropPolicy,
    DropSchema,
    DropSequence,
    DropTable,
    DropView,
    Insert,
    Merge,
    Truncate,
    Update,
)
from luma_bench.storage.transaction import Transaction as StoreTransaction
from luma_bench.types.inspector import SqlInspector
from luma_bench.types.limits import Limits
from luma_bench.types.scan import ScanCounters

Change = (
    AnalyzeChange
    | CreateTable
    | CreateTableAs
    | Insert
    | Delete
    | Update
    | Merge
    | Truncate
    | DropTable
    | AlterTable
    | CommentOn
    | CreatePolicy
    | CreateView
    | AlterView
    | DropView
    | CommentOnObject
    | CreateSchema
    | DropSchema
    | DropPolicy
    | CreateSequence
    | DropSequence
    | CreateGraph
    | DropGraph
    | CopyFrom
)
UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Done:
    """What a statement did, in a word, to how many rows, what finding them read, and the rows of its RETURNING."""

    operation: str
    rows: int = 0
    read: ScanCounters = field(default_factory=ScanCounters)
    returned: pa.Table | None = None


class Writer:
    """Runs every statement that changes tables, inside a transaction of the store."""

    def __init__(self, runner: Runner, inspector: SqlInspector) -> None:
        self.runner = runner
        self.inspector = inspector
        self.rows = RowWriter(runner)
        self._alterer = Alterer(runner, inspector)
        self._maker = TableMaker(self._alterer, inspector)
        self._policies = PolicyMaker(runner)
        self._views = ViewChanges(runner)
        self.copier = Copier(runner)

    def run(self, statement: Change, ask: Ask, inside: StoreTransaction) -> Done:
        """Stage what the statement does; nothing of it stays when it fails.

        Raises
        ------
        LumaError
            The statement is refused; what was staged before is as it was.
        """
        # Defaults and casts may read through the engine too: all of a statement reads one view.
        limits = (ask.limits or Limits.of(self.runner.store.settings)).started()
        # What a change reads on its way is no result; what it returns is one.
        caps = limits if limits.caps else None
        ask = replace(ask, view=inside.view(), at=None, limits=limits.uncapped(), caps=caps)
        check_names(statement, inside.view())
        match statement:
            case CreateTable():
                if statement.if_not_exists and inside.view().object("view", statement.name) is not None:
                    return Done(UNCHANGED)
                return Done(self._maker.create(statement, ask, inside) or UNCHANGED)
            case CreateTableAs():
                return self._create_as(statement, ask, inside)
            case Insert() | Delete() | Truncate() | Update() | Merge():
                return Done(*self.rows.run(statement, ask, inside))
            case AnalyzeChange():
                return Done(*self.rows.analyze(statement, ask, inside))
            case DropTable():
                return self._drop(statement, inside)
            case AlterTable():
                return Done("alter" if self._alterer.alter(statement, ask, inside) else UNCHANGED)
            case CopyFrom():
                return Done("append", self.copier.load(statement, ask, inside))
            case CreateSequence() | DropSequence():
                return Done(change_sequence(statement, inside) or UNCHANGED)
            case CreatePolicy():
                return Done(self._policies.create(statement, ask, inside))
            case DropPolicy():
                return Done(self._policies.drop(statement, inside))
            case CommentOn():
                if (item := inside.view().object("view", statement.table)) is not None:
                    return Done(self._views.comment_column(statement, item, ask, inside))
                self._alterer.comment(statement, ask, inside)
                return Done("alter")
            case _:
                return Done(self._views.run(statement, ask, inside))

    def _create_as(self, statement: CreateTableAs, ask: Ask, inside: StoreTransaction) -> Done:
        present = inside.view().named(statement.name)
        if statement.if_not_exists and inside.view().object("view", statement.name) is not None:
            return Done(UNCHANGED)
        if present is not None:
            if statement.if_not_exists:
                return Done(UNCHANGED)
            if not statement.or_replace:
                raise CatalogError.table_exists(present.name)
        mode = "create" if present is None else "replace"
        reader = named(self.runner.stream(statement.query, ask), statement)
        require_kept(reader.schema, statement.whole, (statement.query.start, statement.query.end))
        told: dict[str, Any] = {}
        if statement.options is not None:
            settings = new_settings(statement.options, reader.schema, statement.name, statement.whole)
            told = {item.name: getattr(settings, item.name) for item in fields(settings)}
        return Done(mode, inside.write(statement.name, reader, mode=mode, **told))

    def _drop(self, statement: DropTable, inside: StoreTransaction) -> Done:
        present = inside.view().named(statement.name)
        if present is None:
            if statement.if_exists:
                return Done(UNCHANGED)
            raise CatalogError.unknown_table(statement.name, list(inside.view().tables))
        try:
            inside.drop_table(present.name)
        except ConstraintError as error:
            span = (statement.start, statement.end)
            raise KadeQLConstraintError(
                error.message, text=statement.whole, span=span, hint=error.hint
            ) from error
        return Done("drop")
