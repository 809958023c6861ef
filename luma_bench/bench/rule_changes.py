"""Changes of a table's rules by ALTER TABLE: constraints, generated columns, and defaults that are computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa

from luma_bench.bench.ask import Ask
from luma_bench.bench.casts import column_types
from luma_bench.bench.definitions import Definer, in_order, with_constraint, without_constraint
from luma_bench.bench.runner import Runner
from luma_bench.errors import KadeQLBindError, KadeQLUnsupportedError, choices
from luma_bench.language import (
    AddColumn,
    AddConstraint,
    CheckDef,
    ColumnDef,
    ConstraintDef,
    DropConstraint,
    ExpressionDef,
    ForeignDef,
    KeyDef,
    UniqueDef,
)
from luma_bench.language.refusals import CONSTRAINT_CHANGES
from luma_bench.storage import evolve
from luma_bench.storage.transaction import Transaction as StoreTransaction
from luma_bench.types.constraints import TableRules
from luma_bench.types.inspector import SqlInspector
from luma_bench.types.schema import TableSchema


class RuleChanger:
    """Finds the actions that change the rules of tables."""

    def __init__(self, runner: Runner, inspector: SqlInspector) -> None:
        self._runner = runner
        self._inspector = inspector

    def added(
        self, statement: AddConstraint, table: TableSchema, inside: StoreTransaction, whole: str
    ) -> evolve.Action:
        """ADD CONSTRAINT."""
        if isinstance(statement.constraint, KeyDef):
            return evolve.SetPrimaryKey(statement.constraint.columns)
        return evolve.SetRules(self._with(table, [statement.constraint], inside, whole))

    def dropped(self, statement: DropConstraint, table: TableSchema, whole: str) -> evolve.Action | None:
        """DROP CONSTRAINT; None when IF EXISTS met none."""
        names = {item.name.casefold(): item.name for item in table.rules.named}
        found = names.get(statement.name.casefold())
        if found is not None:
            return evolve.SetRules(without_constraint(table.rules, found))
        if statement.if_exists:
            return None
        raise KadeQLBindError(
            f"Table {table.name!r} has no constraint {statement.name!r}.",
            text=whole,
            span=statement.span,
            hint=choices(statement.name, list(names.values()), "constraints"),
        )

    def field_of(
        self, table: TableSchema, column: ColumnDef, inside: StoreTransaction, whole: str
    ) -> pa.Field:
        """What a generated column without a type becomes."""
        assert column.generated is not None
        return self._definer(table, inside, whole).field_of(column.generated, column.name)

    def with_column(
        self, statement: AddColumn, table: TableSchema, inside: StoreTransaction, whole: str
    ) -> evolve.Action | None:
        """The rules that come with a column that was added just now; None when it has none."""
        given = statement.column
        rules, number = table.rules, table.column(given.name).id
        definer = self._definer(table, inside, whole)
        if given.generated is not None:
            made = (*rules.generated, definer.generated(given))
            rules = replace(rules, generated=in_order(made, given.span, whole))
        if given.computed_default is not None:
            made = definer.default(number, given.computed_default, given.type_sql)
            rules = replace(rules, defaults=(*rules.defaults, made))
        rules = self._with(replace(table, rules=rules), statement.constraints, inside, whole)
        return None if rules == table.rules else evolve.SetRules(rules)

    def check_fillable(
        self, statement: AddColumn, table: TableSchema, inside: StoreTransaction, whole: str
    ) -> None:
        """Refuse a new column whose value each row that is there would have to be given by itself.

        Raises
        ------
        KadeQLUnsupportedError
            It is generated, or its default differs from row to row, and the table has rows.
        """
        column = statement.column
        if not inside.view().rows(table.name):
            return
        if column.generated is not None:
            raise KadeQLUnsupportedError(
                "A generated column cannot be added to a table with rows.",
                text=whole,
                span=column.generated.span,
                hint="Define it in CREATE TABLE, and copy the rows: INSERT INTO new SELECT … FROM old.",
            )
        if column.computed_default is not None and column.computed_default.per_row:
            raise KadeQLUnsupportedError(
                "This default differs from row to row, and the table has rows.",
                text=whole,
                span=column.computed_default.span,
                hint="Add the column without it; then ALTER COLUMN … SET DEFAULT …, and UPDATE the rows.",
            )

    def computed_default(
        self,
        table: TableSchema,
        name: str,
        given: ExpressionDef,
        ask: Ask,
        inside: StoreTransaction,
        whole: str,
    ) -> evolve.Action:
        """SET DEFAULT with an expression."""
        column = table.column(name)
        (kind,) = column_types(self._runner, table, [column.name], ask, inside.view())
        made = self._definer(table, inside, whole).default(column.id, given, kind)
        kept = tuple(item for item in table.rules.defaults if item.column != column.id)
        return evolve.SetRules(replace(table.rules, defaults=(*kept, made)))

    def _with(
        self, table: TableSchema, given: Sequence[ConstraintDef], inside: StoreTransaction, whole: str
    ) -> TableRules:
        rules = table.rules
        for item in given:
            if isinstance(item, ForeignDef) and inside.view().named(item.table) not in (None, table):
                inside.permanent_id(item.table)
            taken = [known.name for known in rules.named]
            definer = self._definer(table, inside, whole)
            match item:
                case CheckDef():
                    rules = with_constraint(rules, definer.check(item, taken))
                case UniqueDef():
                    rules = with_constraint(rules, definer.unique(item, taken))
                case ForeignDef():
                    rules = with_constraint(rules, definer.foreign(item, table, taken))
                case KeyDef():
                    raise CONSTRAINT_CHANGES["PRIMARY"].error(whole, item.span)
        return rules

    def _definer(self, table: TableSchema, inside: StoreTransaction, whole: str) -> Definer:
        ids = {column.name: column.id for column in table.columns}
        return Definer(self._inspector, table.name, ids, table.arrow, inside.view(), whole)
