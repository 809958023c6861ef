"""CREATE TABLE: the columns' types, keys, defaults and rules, staged as one table without rows."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa

from luma_bench.bench.alterations import Alterer, apply_actions
from luma_bench.bench.ask import Ask
from luma_bench.bench.definitions import Definer, in_circle, in_order, with_constraint
from luma_bench.bench.kept import require_kept
from luma_bench.bench.locating import located
from luma_bench.bench.table_options import place_of, settings_action
from luma_bench.errors import (
    KadeQLBindError,
    KadeQLError,
)
from luma_bench.language import CheckDef, ColumnDef, CreateTable, CreateTableAs, ForeignDef, UniqueDef
from luma_bench.storage.evolve import Action, SetDefault, SetRules
from luma_bench.storage.transaction import Transaction as StoreTransaction
from luma_bench.types.constraints import TableRules
from luma_bench.types.inspector import SqlInspector
from luma_bench.types.schema import TableSchema, TableSettings


class TableMaker:
    """Runs CREATE TABLE with columns."""

    def __init__(self, alterer: Alterer, inspector: SqlInspector) -> None:
        self._alterer = alterer
        self._inspector = inspector

    def create(self, statement: CreateTable, ask: Ask, inside: StoreTransaction) -> str | None:
        """Stage the table; what was done in a word, None when IF NOT EXISTS met a table.

        Raises
        ------
        KadeQLError
            A type, name or expression is wrong; it points into the user's text.
        """
        present = inside.view().named(statement.name)
        if statement.if_not_exists and present is not None:
            return None
        schema = self._schema(statement, inside)
        require_kept(schema, statement.whole, (statement.start, statement.end))
        settings = TableSettings(primary_key=statement.primary_key)
        values = {column.name: self._alterer.default(column, ask) for column in statement.columns}
        actions: list[Action] = [
            SetDefault(name, value) for name, value in values.items() if value is not None
        ]
        with inside.statement():
            inside.create_table(schema, statement.name, settings, replace=statement.or_replace)
            made = inside.view().find(statement.name)
            rules = self._rules(statement, made, inside)
            if rules:
                actions.append(SetRules(rules))
            if actions:
                one = statement.constraints[0].span if len(statement.constraints) == 1 else None
                span = one or (statement.start, statement.end)
                apply_actions(inside, made, actions, statement.whole, span)
            if statement.options is not None:
                made = inside.view().find(statement.name)
                told = settings_action(statement.options, made.arrow, made.settings, statement.whole)
                apply_actions(inside, made, [told], statement.whole, place_of(statement.options))
        return "create" if present is None else "replace"

    def _schema(self, statement: CreateTable, inside: StoreTransaction) -> pa.Schema:
        """The columns; what a generated one without a type is, its expression says."""
        try:
            described = self._inspector.describe(statement.probe.sql, {})
        except KadeQLError as error:
            raise located(error, statement.probe) from error
        fields = {
            column.name: given.with_name(column.name).with_nullable(column.nullable)
            for column, given in zip(statement.columns, described, strict=True)
        }
        untyped = [column for column in statement.columns if not column.type_sql]
        while untyped:
            waiting = {column.name for column in untyped}
            known = pa.schema([field for name, field in fields.items() if name not in waiting])
            if not known.names:
                raise in_circle((statement.start, statement.end), statement.whole)
            ids = {name: place for place, name in enumerate(known.names, 1)}
            definer = Definer(self._inspector, statement.name, ids, known, inside.view(), statement.whole)
            left: list[ColumnDef] = []
            failed: KadeQLError | None = None
            for column in untyped:
                assert column.generated is not None
                try:
                    found = definer.field_of(column.generated, column.name)
                    fields[column.name] = found.with_nullable(column.nullable)
                except KadeQLError as error:
                    left.append(column)
                    failed = failed or error
            if failed is not None and len(left) == len(untyped):
                raise failed
            untyped = left
        return pa.schema([fields[column.name] for column in statement.columns])

    def _rules(self, statement: CreateTable, made: TableSchema, inside: StoreTransaction) -> TableRules:
        for given in statement.constraints:
            if isinstance(given, ForeignDef) and inside.view().named(given.table) not in (None, made):
                inside.permanent_id(given.table)
        ids = {column.name: column.id for column in made.columns}
        definer = Definer(self._inspector, statement.name, ids, made.arrow, inside.view(), statement.whole)
        generated = [
            definer.generated(column) for column in statement.columns if column.generated is not None
        ]
        defaults = [
            definer.default(ids[column.name], column.computed_default, column.type_sql)
            for column in statement.columns
            if column.computed_default is not None
        ]
        span = (statement.start, statement.end)
        rules = TableRules(generated=in_order(generated, span, statement.whole), defaults=tuple(defaults))
        given_names = [item.name for item in statement.constraints if item.name is not None]
        for given in statement.constraints:
            taken = [*(item.name for item in rules.named), *given_names]
            match given:
                case CheckDef():
                    rules = with_constraint(rules, definer.check(given, taken))
                case UniqueDef():
                    rules = with_constraint(rules, definer.unique(given, taken))
                case ForeignDef():
                    rules = with_constraint(rules, definer.foreign(given, replace(made, rules=rules), taken))
                case _:
                    raise AssertionError("A primary key is no rule.")
        return rules


def named(reader: pa.RecordBatchReader, statement: CreateTableAs) -> pa.RecordBatchReader:
    """The rows of a query under the names that stand before AS.

    Raises
    ------
    KadeQLBindError
        There are more names than columns.
    """
    given, found = statement.columns, reader.schema.names
    if not given:
        return reader
    if len(given) > len(found):
        raise KadeQLBindError(
            f"{len(given)} names stand before AS, and the query has {len(found)} columns.",
            text=statement.whole,
            span=(statement.start, statement.query.start),
            hint="Name as many columns as the query gives, or fewer.",
        )
    names = [*given, *found[len(given) :]]
    schema = pa.schema([field.with_name(name) for field, name in zip(reader.schema, names, strict=True)])
    batches = (pa.RecordBatch.from_arrays(batch.columns, schema=schema) for batch in reader)
    return pa.RecordBatchReader.from_batches(schema, batches)
