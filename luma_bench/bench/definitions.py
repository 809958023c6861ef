"""Constraints, generated columns and computed defaults of a statement as rules of a table, bound to its columns."""

from __future__ import annotations

from collections.abc import Sequence as Several
from dataclasses import replace
from typing import Final

import pyarrow as pa

from luma_bench.errors import KadeQLBindError, KadeQLError, KadeQLUnsupportedError, SchemaError, choices
from luma_bench.language import (
    CheckDef,
    ColumnDef,
    Edit,
    ExpressionDef,
    ForeignDef,
    NamePlace,
    UniqueDef,
    relocate,
    rewritten,
)
from luma_bench.storage.catalog.sequences import sequences
from luma_bench.storage.store import ResolvedSnapshot
from luma_bench.types.constraints import (
    ITSELF,
    Check,
    Constraint,
    DefaultExpression,
    Expression,
    ForeignKey,
    Generated,
    TableRules,
    Unique,
)
from luma_bench.types.inspector import SqlInspector
from luma_bench.types.schema import TableSchema
from luma_bench.types.sql_text import quoted

_ALIAS: Final = "__luma_column_"


class Definer:
    """Binds the rules of one table.

    Parameters
    ----------
    name
        What the statement calls the table.
    ids
        The permanent id of each column, by name.
    schema
        The table's columns.
    view
        Where other tables and sequences are looked up.
    """

    def __init__(
        self,
        inspector: SqlInspector,
        name: str,
        ids: dict[str, int],
        schema: pa.Schema,
        view: ResolvedSnapshot,
        whole: str,
    ) -> None:
        self._inspector = inspector
        self._name = name
        self._ids = ids
        self._folded = {column.casefold(): column for column in ids}
        self._schema = schema
        self._view = view
        self._whole = whole

    def check(self, given: CheckDef, taken: Several[str]) -> Check:
        """A CHECK.

        Raises
        ------
        KadeQLBindError
            A name or type in it does not resolve, or it is no condition over one row.
        """
        expression = self.expression(given.expression)
        names = [self._column_name(number) for number in sorted(expression.columns)]
        return Check(
            given.name or _free("_".join((self._bare, *map(str.lower, names), "check")), taken), expression
        )

    def unique(self, given: UniqueDef, taken: Several[str]) -> Unique:
        """A UNIQUE."""
        columns = self._columns(given.columns, given.span)
        self._comparable(columns, given.span)
        return Unique(
            given.name or _free("_".join((self._bare, *map(str.lower, columns), "key")), taken),
            self._numbers(columns),
        )

    def foreign(self, given: ForeignDef, own: TableSchema, taken: Several[str]) -> ForeignKey:
        """A FOREIGN KEY; `own` is the table itself as it will be, for keys that refer to it."""
        columns = self._columns(given.columns, given.span)
        itself = given.table.casefold() == self._name.casefold()
        parent = own if itself else self._view.named(given.table)
        if parent is None:
            hint = choices(given.table, list(self._view.tables), "tables")
            raise KadeQLBindError(
                f"There is no table {given.table!r}.", text=self._whole, span=given.table_span, hint=hint
            )
        names = given.referenced or parent.settings.primary_key
        if not names:
            raise KadeQLBindError(
                f"Table {parent.name!r} has no primary key to refer to.",
                text=self._whole,
                span=given.table_span,
                hint="Name the columns, which must be UNIQUE: REFERENCES t (a, b).",
            )
        if len(names) != len(columns):
            raise KadeQLBindError(
                f"A foreign key of {len(columns)} columns refers to {len(names)}.",
                text=self._whole,
                span=given.span,
                hint="Name as many columns of the other table.",
            )
        try:
            referenced = tuple(parent.column(name).id for name in names)
        except SchemaError as error:
            raise KadeQLBindError(
                error.message, text=self._whole, span=given.span, hint=error.hint
            ) from error
        parts = [part.lower() for part in (*columns, *names)]
        name = given.name or _free("_".join((self._bare, *parts, "fkey")), taken)
        return ForeignKey(name, self._numbers(columns), ITSELF if itself else parent.id, referenced)

    def generated(self, column: ColumnDef) -> Generated:
        """A generated column."""
        assert column.generated is not None
        return Generated(self._ids[column.name], self.expression(column.generated), column.type_sql)

    def default(self, column: int, given: ExpressionDef, type_sql: str) -> DefaultExpression:
        """A DEFAULT that is computed when rows are written."""
        known = {item.name.casefold(): item for item in sequences(self._view)}
        tokens: list[str] = []
        parts: list[str | int] = []
        at = given.span[0]
        for use in given.sequences:
            found = known.get(use.name.casefold())
            if found is None:
                raise unknown_sequence(use.name, list(known), self._whole, use.span)
            if found.token not in tokens:
                tokens.append(found.token)
            parts += [given.whole[at : use.span[0]], -1 - tokens.index(found.token)]
            at = use.span[1]
        parts.append(given.whole[at : given.span[1]])
        expression = Expression(tuple(part for part in parts if part != ""), tuple(tokens))
        prefix = "SELECT CAST(("
        edits = [Edit(use.span[0], use.span[1], "0") for use in given.sequences]
        self._bind(given, prefix, f") AS {type_sql}) AS v", edits, {})
        return DefaultExpression(column, expression, type_sql, given.per_row)

    def field_of(self, given: ExpressionDef, name: str) -> pa.Field:
        """What an expression over the table's columns gives, as a column of this name."""
        return self._described(given, self._schema).with_name(name)

    def expression(self, given: ExpressionDef) -> Expression:
        """An expression over the table's columns, with their ids in the place of their names.

        Which words name columns is found out by giving each another name and binding again: a word that stands for
        something else makes the expression fail then, or change its type.
        """
        wanted = self._described(given, self._schema).type
        self._no_aggregate(given)
        candidates = [place for place in given.names if self._is_candidate(place)]
        # A name behind its table's covers both words, so it is tried first.
        candidates.sort(key=lambda place: (place.span[0], place.table is None))
        aliased = pa.schema(
            [*self._schema, *(field.with_name(self._alias(field.name)) for field in self._schema)]
        )
        marked: list[NamePlace] = []
        for place in candidates:
            if marked and marked[-1].span[1] > place.span[0]:
                continue
            if self._binds(given, [place], aliased, wanted):
                marked.append(place)
        alone = pa.schema([field.with_name(self._alias(field.name)) for field in self._schema])
        if not self._binds(given, marked, alone, wanted):
            raise KadeQLUnsupportedError(
                "It is not clear which words of this expression are columns.",
                text=self._whole,
                span=given.span,
                hint=f"Write columns with the table's name before them: {self._name}.{self._schema.names[0]}.",
            )
        parts: list[str | int] = []
        at = given.span[0]
        for place in marked:
            parts += [given.whole[at : place.span[0]], self._ids[self._folded[place.name.casefold()]]]
            at = place.span[1]
        parts.append(given.whole[at : given.span[1]])
        return Expression(tuple(part for part in parts if part != ""))

    def _is_candidate(self, place: NamePlace) -> bool:
        known = place.name.casefold() in self._folded
        return known and (place.table is None or place.table.casefold() == self._bare.casefold())

    @property
    def _bare(self) -> str:
        """The table's name without its schema."""
        return self._name.rpartition(".")[2]

    def _alias(self, column: str) -> str:
        return f"{_ALIAS}{self._ids[column]}"

    def _binds(
        self, given: ExpressionDef, places: Several[NamePlace], schema: pa.Schema, wanted: pa.DataType
    ) -> bool:
        edits = [
            Edit(*place.span, quoted(self._alias(self._folded[place.name.casefold()]))) for place in places
        ]
        try:
            return self._described(given, schema, edits).type == wanted
        except KadeQLError:
            return False

    def _described(self, given: ExpressionDef, schema: pa.Schema, edits: Several[Edit] = ()) -> pa.Field:
        tables = {self._bare: schema}
        return self._bind(given, "SELECT (", f") AS v FROM {quoted(self._bare)}", edits, tables).field(0)

    def _no_aggregate(self, given: ExpressionDef) -> None:
        """A WHERE takes no aggregate, no window and nothing that gives several rows."""
        tables = {self._bare: self._schema}
        try:
            self._bind(given, f"SELECT 1 FROM {quoted(self._bare)} WHERE (", ") IS NULL", (), tables)
        except KadeQLError as error:
            raise KadeQLUnsupportedError(
                "An aggregate, a window or a function of several rows cannot stand here.",
                text=self._whole,
                span=error.span or given.span,
                hint="The expression looks at one row at a time.",
            ) from error

    def _bind(
        self,
        given: ExpressionDef,
        prefix: str,
        suffix: str,
        edits: Several[Edit],
        tables: dict[str, pa.Schema],
    ) -> pa.Schema:
        start, end = given.span
        whole = (Edit(start, start, prefix), *edits, Edit(end, end, suffix))
        sql, offsets = rewritten(given.whole, start, end, whole)
        try:
            return self._inspector.describe(sql, tables)
        except KadeQLError as error:
            raise relocate(error, offsets, given.whole) from error

    def _column_name(self, number: int) -> str:
        return next(name for name, known in self._ids.items() if known == number)

    def _columns(self, names: Several[str], span: tuple[int, int]) -> tuple[str, ...]:
        """The columns in the table's own spelling."""
        for name in names:
            if name.casefold() not in self._folded:
                raise KadeQLBindError(
                    f"There is no column {name!r} in table {self._name!r}.",
                    text=self._whole,
                    span=span,
                    hint=choices(name, list(self._ids), "columns"),
                )
        return tuple(self._folded[name.casefold()] for name in names)

    def _numbers(self, names: Several[str]) -> tuple[int, ...]:
        return tuple(self._ids[name] for name in names)

    def _comparable(self, names: Several[str], span: tuple[int, int]) -> None:
        for name in names:
            kind = self._schema.field(name).type
            if pa.types.is_nested(kind):
                raise KadeQLBindError(
                    f"A column of type {kind} cannot be UNIQUE.",
                    text=self._whole,
                    span=span,
                    hint="Make columns of plain values unique.",
                )


def unknown_sequence(name: str, known: Several[str], whole: str, span: tuple[int, int]) -> KadeQLBindError:
    """No sequence of this name."""
    return KadeQLBindError(
        f"There is no sequence {name!r}.", text=whole, span=span, hint=choices(name, known, "sequences")
    )


def in_circle(span: tuple[int, int], whole: str) -> KadeQLBindError:
    """Generated columns from which no first one can be computed."""
    return KadeQLBindError(
        "Generated columns read each other in a circle.",
        text=whole,
        span=span,
        hint="Compute each from columns that are given.",
    )


def in_order(generated: Several[Generated], span: tuple[int, int], whole: str) -> tuple[Generated, ...]:
    """Generated columns so that each stands behind those that it reads.

    Raises
    ------
    KadeQLBindError
        Some read each other in a circle.
    """
    left, done = list(generated), list[Generated]()
    while left:
        waiting = {item.column for item in left}
        ready = [item for item in left if not item.expression.columns & waiting]
        if not ready:
            raise in_circle(span, whole)
        done += ready
        left = [item for item in left if item not in ready]
    return tuple(done)


def with_constraint(rules: TableRules, made: Constraint) -> TableRules:
    """The rules with one more."""
    match made:
        case Check():
            return replace(rules, checks=(*rules.checks, made))
        case Unique():
            return replace(rules, unique=(*rules.unique, made))
        case ForeignKey():
            return replace(rules, foreign=(*rules.foreign, made))


def without_constraint(rules: TableRules, name: str) -> TableRules:
    """The rules without those of a name."""
    return replace(
        rules,
        checks=tuple(item for item in rules.checks if item.name != name),
        unique=tuple(item for item in rules.unique if item.name != name),
        foreign=tuple(item for item in rules.foreign if item.name != name),
    )


def _free(name: str, taken: Several[str]) -> str:
    """The name, or the name with a number behind it where it is taken."""
    folded = {known.casefold() for known in taken}
    number, found = 0, name
    while found.casefold() in folded:
        number += 1
        found = f"{name}{number}"
    return found
